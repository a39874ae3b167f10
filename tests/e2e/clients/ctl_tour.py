# SPDX-License-Identifier: Apache-2.0
"""Commands of airflowctl that reach what Headrace has, run as a person runs them; each answer is read and looked at.

Left out is what 0.1.5 cannot do with Airflow either: `dags get-tags` prints no list of texts, `backfill create-dry-run` takes dates for a
backfill, and `backfill pause`, `unpause` and `cancel` end with a traceback after they have done it."""
import json
import os
import pathlib
import subprocess
import tempfile

JSON = ("-o", "json")


class Ctl:
    def __init__(self, program, world):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="ctl-", dir=world.home))
        self.program, self.world = program, world
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "AIRFLOW_HOME": str(self.home), "NO_COLOR": "1", "COLUMNS": "400",
                    "AIRFLOW_CLI_TOKEN": world.request("POST", "/auth/token/cli", {"username": "admin", "password": world.password()},
                                                       token=False)["access_token"]}
        self.faults = []
        self.say("auth", "login", "--api-url", f"http://127.0.0.1:{world.web_port}", "--api-token", self.env["AIRFLOW_CLI_TOKEN"], "--skip-keyring")

    def say(self, *words, fails=False):
        done = subprocess.run([self.program, *words], env=self.env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        if (done.returncode != 0) != fails or "Traceback" in done.stderr:
            self.faults.append(f"airflowctl {' '.join(words)}: exit {done.returncode}\\n{done.stdout[-800:]}{done.stderr[-1500:]}")
        return done.stdout

    def read(self, *words):
        text = self.say(*words, *JSON)
        start = min((at for at in (text.find("["), text.find("{")) if at >= 0), default=-1)
        try:
            return json.loads(text[start:])
        except ValueError:
            self.faults.append(f"airflowctl {' '.join(words)} printed no JSON: {text[:500]!r}")
            return []

    def expect(self, what, got, wanted):
        if got != wanted:
            self.faults.append(f"{what}: {got!r} instead of {wanted!r}")


def column(rows, name):
    return [row.get(name) for row in rows] if isinstance(rows, list) else [rows.get(name)]


def dags(ctl):
    ctl.expect("dags list", sorted(set(column(ctl.read("dags", "list"), "dag_id")) & {"tour", "failing"}), ["failing", "tour"])
    ctl.expect("dags get", column(ctl.read("dags", "get", "tour"), "description"), ["Shown to clients"])
    ctl.expect("dags get-details", column(ctl.read("dags", "get-details", "tour"), "dag_id"), ["tour"])
    ctl.read("dags", "get-stats", "[\"tour\"]")
    ctl.read("dags", "list-version", "tour")
    ctl.read("dags", "get-version", "tour", "1")
    errors = ctl.read("dags", "list-import-errors")
    ctl.expect("dags get-import-error", len(ctl.read("dags", "get-import-error", str(column(errors, "import_error_id")[0]))) > 0, True)
    ctl.say("dags", "list-warning")
    ctl.say("dags", "next-execution", "tour")
    ctl.say("dags", "pause", "spare")
    ctl.expect("a paused DAG", ctl.world.has_dag("spare")["is_paused"], True)
    ctl.say("dags", "unpause", "spare")
    ctl.expect("an unpaused DAG", ctl.world.has_dag("spare")["is_paused"], False)
    ctl.say("dags", "update", "spare", "--is-paused")
    ctl.say("dags", "unpause", "spare")
    run = ctl.read("dags", "trigger", "spare", "--dag-run-id", "by_ctl", "--note", "hello")
    ctl.expect("dags trigger", column(run, "dag_run_id"), ["by_ctl"])
    ctl.expect("dagrun get", column(ctl.read("dagrun", "get", "spare", "by_ctl"), "note"), ["hello"])
    listed = ctl.say("dagrun", "list", "--dag-id", "failing", "--state", "failed", *JSON)
    ctl.expect("dagrun list", "dag_run_id" in listed and "shown" not in listed, True)
    ctl.say("dags", "delete", "doomed")
    ctl.say("dags", "get", "doomed", fails=True)


def vault(ctl):
    ctl.say("pools", "create", "--name", "narrow", "--slots", "2")
    ctl.expect("pools get", column(ctl.read("pools", "get", "narrow"), "slots"), ["2"])
    ctl.say("pools", "update", "--pool", "narrow", "--slots", "3")
    ctl.say("pools", "export", str(ctl.home / "pools.json"))
    ctl.say("pools", "delete", "narrow")
    ctl.say("pools", "import", str(ctl.home / "pools.json"))
    ctl.expect("an imported pool", column(ctl.read("pools", "get", "narrow"), "slots"), ["3"])
    ctl.say("variables", "create", "--key", "city", "--value", "Lisbon")
    ctl.expect("variables get", column(ctl.read("variables", "get", "city"), "value"), ["Lisbon"])
    ctl.say("variables", "update", "--key", "city", "--value", "Porto")
    ctl.expect("variables list", "Porto" in column(ctl.read("variables", "list"), "value"), True)
    (ctl.home / "variables.json").write_text(json.dumps({"river": "Tejo"}))
    ctl.say("variables", "import", str(ctl.home / "variables.json"))
    ctl.expect("an imported variable", column(ctl.read("variables", "get", "river"), "value"), ["Tejo"])
    ctl.say("variables", "delete", "city")
    ctl.say("variables", "get", "city", fails=True)
    ctl.say("connections", "create", "--connection-id", "db", "--conn-type", "postgres", "--host", "h", "--login", "l", "--password", "geheim!")
    ctl.expect("connections get", column(ctl.read("connections", "get", "db"), "host"), ["h"])
    ctl.say("connections", "update", "--connection-id", "db", "--conn-type", "postgres", "--host", "h2")
    shown = ctl.say("connections", "list", *JSON)
    ctl.expect("no password in a list", "geheim" in shown, False)
    (ctl.home / "connections.json").write_text(json.dumps({"web": {"conn_type": "http", "host": "example.org"}}))
    ctl.say("connections", "import", str(ctl.home / "connections.json"))
    ctl.expect("an imported connection", column(ctl.read("connections", "get", "web"), "host"), ["example.org"])
    ctl.say("connections", "delete", "db")


def rest(ctl):
    ctl.expect("jobs list", "SchedulerJob" in column(ctl.read("jobs", "list"), "job_type"), True)
    ctl.say("providers", "list")
    ctl.say("plugins", "list")
    ctl.say("plugins", "list-import-errors")
    ctl.say("config", "list")
    ctl.say("config", "get", "core", "parallelism")
    ctl.say("version", "--remote")
    where = ("tour", "shown", "last")
    ctl.say("xcom", "add", *where, "by_ctl", "1")
    ctl.say("xcom", "edit", *where, "by_ctl", "2")
    ctl.expect("xcom get", column(ctl.read("xcom", "get", *where, "by_ctl"), "value"), ["2"])
    ctl.expect("xcom list", sorted(column(ctl.read("xcom", "list", *where, "--key", "by_ctl"), "key")), ["by_ctl"])
    ctl.say("xcom", "delete", *where, "by_ctl")


def assets(ctl):
    ids = {row["name"]: str(row["id"]) for row in ctl.read("assets", "list")}
    ctl.expect("assets list", sorted(ids), ["customers", "orders"])
    orders = ids["orders"]
    ctl.expect("assets get", column(ctl.read("assets", "get", orders), "name"), ["orders"])
    ctl.expect("assets create-event", column(ctl.read("assets", "create-event", "--asset-id", orders), "name"), ["orders"])
    ctl.expect("assets get-dag-queued-event", column(ctl.read("assets", "get-dag-queued-event", "taker", orders), "dag_id"), ["taker"])


def backfills(ctl):
    ctl.world.request("PATCH", "/api/v2/dags/daily", {"is_paused": True})  # or it might have ended before the next command
    made = column(ctl.read("backfill", "create", "--dag-id", "daily", "--from-date", "2026-03-01T00:00:00Z", "--to-date", "2026-03-03T00:00:00Z"), "id")
    ctl.expect("backfill get", column(ctl.read("backfill", "get", str(made[0])), "dag_id"), ["daily"])
    ctl.expect("backfill list", column(ctl.read("backfill", "list", "daily"), "id"), made)


def show_around(program, world):
    ctl = Ctl(program, world)
    for part in (dags, vault, rest, assets, backfills):
        part(ctl)
    assert not ctl.faults, "\n".join(ctl.faults)
