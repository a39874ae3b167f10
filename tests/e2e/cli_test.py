# SPDX-License-Identifier: Apache-2.0
"""Every group of commands against a real system: what they say is what there is."""
import json
import os

from headrace import Standalone, main, wait_for

DAGS = {
    "etl.yaml": """
params: {n: {type: integer, default: 1}}
tasks:
  extract: {bash: "echo one; echo two >&2; echo {{ params.n }}"}
  load: {bash: "test {{ params.n }} -lt 5", depends_on: [extract]}
  each:
    for_each: {size: [s, m], part: ["{{ xcom.extract }}"]}
    depends_on: [extract]
    bash: echo {{ item.size }} {{ item.part }} {{ var.value.city }}
""",
    "slow.yaml": "tasks: {wait: {bash: 'echo begun; sleep 2; echo over'}}",
}


def rows(system, *words):
    return json.loads(system.cli(*words, "-o", "json").stdout)


# What people who come from Airflow may count on, by group; more may be there.
VERBS = {
    "db": "migrate check clean reset rotate-key",
    "dags": "list details show check trigger pause unpause delete test list-runs list-import-errors next-execution state",
    "tasks": "list state states-for-dag-run clear test logs render",
    "backfill": "create list pause unpause cancel",
    "pools": "list get set delete import export",
    "variables": "list get set delete import export",
    "connections": "list get set delete import export add test",
    "workers": "list drain resume",
    "users": "create list delete reset-password",
    "config": "list get-value",
}
LISTINGS = [("dags", "list"), ("dags", "list-runs", "etl"), ("dags", "list-import-errors"), ("dags", "next-execution", "etl"), ("dags", "show", "etl"),
            ("tasks", "list", "etl"), ("backfill", "list"), ("pools", "list"), ("variables", "list"), ("connections", "list"), ("workers", "list"),
            ("users", "list"), ("config", "list")]


def every_verb_is_there_and_every_listing_has_four_forms():
    with Standalone() as system:
        for group, verbs in VERBS.items():
            for verb in verbs.split():
                done = system.cli(group, verb, "--help")
                assert f"headrace {group} {verb}" in done.stdout, (group, verb, done.stdout)
                assert system.cli(group, verb, "--no-such-option", check=False).returncode == 2, (group, verb)
        for word in ("standalone", "scheduler", "worker", "webserver", "doctor", "version"):
            assert f"headrace {word}" in system.cli("help", word).stdout, word
        system.write_dag("etl.yaml", "schedule: '@daily'\ncatchup: false\ntasks: {a: {bash: 'true'}}")
        system.wait_dag("etl")
        run = system.cli("dags", "trigger", "etl", "--wait").stdout.strip()
        for words in LISTINGS:
            listed = rows(system, *words)
            assert isinstance(listed, list), (words, listed)
            plain = system.cli(*words, "-o", "plain").stdout.splitlines()
            assert len(plain) == len(listed), (words, plain)
            assert system.cli(*words, "-o", "yaml").stdout.startswith("- " if listed else "[]"), words
            assert system.cli(*words, "-o", "table").stdout.strip(), words
            assert system.cli(*words, "-o", "xml", check=False).returncode == 2, words
        assert [row["run_id"] for row in rows(system, "dags", "list-runs", "etl")] == [run]
        assert system.cli("dags", "stat", "etl", check=False).returncode == 2
        assert system.cli("dags", "state", "etl", "no-such-run", check=False).returncode == 1


def dags_and_tasks():
    with Standalone() as system:
        for name, text in DAGS.items():
            system.write_dag(name, text)
            system.wait_dag(name[:-5])
        system.cli("variables", "set", "city", "Lisbon")
        assert [row["dag_id"] for row in rows(system, "dags", "list")] == ["etl", "slow"]

        good = system.cli("dags", "trigger", "etl", "--conf", '{"n": 3}', "--wait").stdout.strip()
        assert system.cli("dags", "state", "etl", good).stdout == "success\n"
        done = system.cli("dags", "trigger", "etl", "--conf", '{"n": 7}', "--run-id", "bad~1:2+x", "--wait", "--progress", check=False)
        assert done.returncode == 1 and done.stdout == "bad~1:2+x\n", done
        assert "load (try 1)" in done.stderr and "4 of 4 tasks done" in done.stderr, done.stderr
        done = system.cli("dags", "trigger", "elt", check=False)
        assert "there is no DAG elt\n  headrace dags list shows" in done.stderr, done.stderr
        done = system.cli("dags", "trigger", "etl", "--conf", '{"n": "x"}', check=False)
        assert done.returncode == 1 and "n" in done.stderr, done.stderr
        assert {(row["dag_run_id"], row["state"]) for row in rows(system, "dags", "list-runs", "etl")} == {
            (good, "success"), ("bad~1:2+x", "failed")}
        assert len(rows(system, "dags", "list-runs", "etl", "--state", "failed")) == 1

        assert {row["task_id"]: row["state"] for row in rows(system, "tasks", "states-for-dag-run", "etl", "bad~1:2+x")} == {
            "extract": "success", "load": "failed", "each": "success"}
        assert [row["task_id"] for row in rows(system, "tasks", "list", "etl")] == ["extract", "load", "each"]
        assert system.cli("tasks", "state", "etl", good, "load", "-o", "plain").stdout == "success\n"
        assert rows(system, "tasks", "render", "etl", good, "each", "--map-index", "1")["command"] == "echo m 3 Lisbon"
        assert "--map-index" in system.cli("tasks", "render", "etl", good, "each", check=False).stderr
        assert "test 7 -lt 5" in system.cli("tasks", "render", "etl", "bad~1:2+x", "load").stdout
        for verb in ("state", "logs"):
            assert "each is mapped: say which instance by --map-index, 0 to 1" in system.cli("tasks", verb, "etl", good, "each", check=False).stderr
        log = system.cli("tasks", "logs", "etl", good, "extract").stdout
        # Two pipes: lines of stdout and stderr written at once have no order among them.
        assert sorted(line.split(" ", 1)[1] for line in log.splitlines()[-3:]) == ["3", "one", "two"], log

        run = system.cli("dags", "trigger", "slow").stdout.strip()
        log = system.cli("tasks", "logs", "-f", "slow", run, "wait").stdout
        assert "begun" in log and "over" in log, log

        before = len(rows(system, "tasks", "states-for-dag-run", "etl", "bad~1:2+x"))
        assert "load" in system.cli("tasks", "clear", "etl", "bad~1:2+x", "-t", "load", "--dry-run").stdout
        assert system.cli("dags", "state", "etl", "bad~1:2+x").stdout == "failed\n"
        system.cli("tasks", "clear", "etl", "bad~1:2+x", "-t", "load", "--yes")
        wait_for(lambda: {row["try_number"] for row in rows(system, "tasks", "states-for-dag-run", "etl", "bad~1:2+x")} == {1, 2},
                 "another try")
        assert len(rows(system, "tasks", "states-for-dag-run", "etl", "bad~1:2+x")) == before

        system.cli("dags", "pause", "etl", "slow")
        assert [row["is_paused"] for row in rows(system, "dags", "list")] == [True, True]
        run = system.cli("dags", "trigger", "etl").stdout.strip()
        assert "paused" in system.cli("tasks", "state", "etl", run, "extract").stdout
        system.cli("dags", "unpause", "etl")
        wait_for(lambda: system.cli("dags", "state", "etl", run).stdout == "success\n", "the run that waited")

        system.write_dag("endless.yaml", "tasks: {wait: {bash: 'sleep 1000'}, more: {bash: 'sleep 1000'}}")
        system.wait_dag("endless")
        run = system.cli("dags", "trigger", "endless").stdout.strip()
        wait_for(lambda: set(system.states("endless", run).values()) == {"running"}, "tasks that never end")
        system.cli("dags", "pause", "endless")
        said = system.cli("tasks", "state", "endless", run, "wait").stdout
        assert "paused" not in said and "Its process runs." in said, said
        system.cli("tasks", "mark", "endless", run, "wait", "success")
        system.cli("dags", "stop", "endless", run)
        assert system.cli("dags", "state", "endless", run).stdout == "failed\n"
        wait_for(lambda: system.states("endless", run) == {"wait": "success", "more": "failed"}, "what was marked")

        system.write_dag("old.py", "from airflow import DAG\n")
        system.write_dag("helper.py", "print(1)\n")
        system.write_dag("wrong.yaml", "tasks: {a: {bash: echo, retris: 3}}")
        done = wait_for(lambda: (lambda it: it if it.returncode == 1 else None)(
            system.cli("dags", "list-import-errors", check=False)), "the import error")
        done = wait_for(lambda: (lambda it: it if "old.py" in it.stdout and "wrong.yaml" in it.stdout else None)(
            system.cli("dags", "list-import-errors", check=False)), "both import errors")
        assert "Python" in done.stdout and "helper.py" not in done.stdout, done.stdout
        assert "retries" in done.stdout and "wrong.yaml" in done.stdout, done.stdout


def what_tasks_use():
    with Standalone() as system:
        assert "has 3 slots" in system.cli("pools", "set", "etl", "3", "for loading").stdout
        system.cli("pools", "set", "etl", "4")
        assert [(row["name"], row["slots"]) for row in rows(system, "pools", "list")] == [("default_pool", 128), ("etl", 4)]
        path = str(system.home / "pools.json")
        system.cli("pools", "export", path)
        system.cli("pools", "delete", "etl")
        assert "there is no pool etl\n  headrace pools list" in system.cli("pools", "get", "etl", check=False).stderr
        system.cli("pools", "import", path)
        assert rows(system, "pools", "get", "etl")["slots"] == 4

        system.cli("variables", "set", "city", "Lisbon")
        system.cli("variables", "set", "city", "Porto")
        assert system.cli("variables", "get", "city").stdout == "Porto\n"
        assert system.cli("variables", "get", "none", "--default", "x").stdout == "x\n"
        system.cli("variables", "delete", "city")
        assert system.cli("variables", "get", "city", check=False).returncode == 1

        system.cli("connections", "add", "db", "--conn-uri", "postgres://ann:s3cret@host:5433/sales?sslmode=require")
        assert system.cli("connections", "add", "db", "--conn-type", "http", check=False).returncode == 1
        shown = rows(system, "connections", "get", "db")
        assert (shown["host"], shown["port"], shown["login"], shown["schema"]) == ("host", 5433, "ann", "sales"), shown
        assert "s3cret" not in json.dumps(shown)
        system.cli("connections", "set", "db", "--conn-type", "http", "--conn-host", "elsewhere")
        assert rows(system, "connections", "get", "db")["host"] == "elsewhere"
        system.cli("connections", "delete", "db")


def workers_users_and_the_rest():
    with Standalone() as system:
        worker = wait_for(lambda: rows(system, "workers", "list"), "a worker")[0]["name"]
        system.cli("workers", "drain", worker, "--reason", "new kernel")
        wait_for(lambda: {row["name"]: row for row in rows(system, "workers", "list")}[worker]["state"] != "present", "the draining")
        told = wait_for(lambda: next((w for w in system.request("GET", "/api/headrace/v1/workers")["workers"]
                                      if w["name"] == worker and w["cpu_percent"] is not None), None), "how busy its machine is", 60)
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        assert 0 < told["memory_bytes"] < told["memory_total_bytes"] <= machine and 0 <= told["cpu_percent"] <= 100, told
        assert 0 <= rows(system, "workers", "list")[0]["cpu_percent"] <= 100

        password = system.cli("users", "create", "ann", "--role", "Viewer").stdout.splitlines()[-1]
        sign_in = {"username": "ann", "password": password}
        assert system.request("POST", "/auth/token", sign_in, token=False)["access_token"]
        assert {(row["username"], row["role"]) for row in rows(system, "users", "list")} == {("admin", "Admin"), ("ann", "Viewer")}
        system.cli("users", "reset-password", "ann", "-p", "another-password")
        assert system.raw("POST", "/auth/token", sign_in, token=False)[0] == 401
        system.cli("users", "set", "ann", "--role", "Public")
        system.cli("grants", "add", "tag:finance", "User", "--user", "ann")
        grant, = rows(system, "grants", "list")
        assert (grant["username"], grant["dags"], grant["level"]) == ("ann", "tag:finance", "User")
        system.cli("grants", "remove", str(grant["id"]))
        assert rows(system, "grants", "list") == []
        assert [row["role"] for row in rows(system, "roles", "list")] == ["Public", "Viewer", "User", "Op", "Admin"]
        token = system.cli("tokens", "create", "ci", "--user", "ann", "--days", "7", "--read-only", "--dag", "etl").stdout.splitlines()[-1]
        assert token.startswith("headrace_pat_"), token
        listed, = rows(system, "tokens", "list", "--user", "ann")
        assert (listed["name"], listed["dags"]) == ("ci", ["etl"]) and "read" in listed["rights"] and "runs.trigger" not in listed["rights"]
        system.cli("tokens", "revoke", str(listed["id"]), "--user", "ann")
        assert rows(system, "tokens", "list", "--user", "ann") == []
        assert "no account" in system.cli("tokens", "create", "ci", check=False).stderr, "whose?"
        noted = system.cli("audit", "verify").stdout.splitlines()[-1]
        assert system.cli("audit", "verify", "--expect", noted).returncode == 0
        assert system.cli("audit", "verify", "--expect", "1:00", check=False).returncode == 1
        system.cli("users", "delete", "ann", "--yes")
        assert system.cli("users", "delete", "ann", "--yes", check=False).returncode == 1

        assert system.cli("db", "check").returncode == 0
        assert system.cli("db", "shell", "-XAtc", "SELECT count(*) FROM user_account").stdout == "1\n"
        assert "what this release needs" in system.cli("db", "migrate").stdout
        assert system.cli("db", "reset", check=False).returncode == 1, "nobody said yes"
        assert system.cli("doctor").returncode == 0


if __name__ == "__main__":
    main(every_verb_is_there_and_every_listing_has_four_forms, dags_and_tasks, what_tasks_use, workers_users_and_the_rest)
