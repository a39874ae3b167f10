# SPDX-License-Identifier: Apache-2.0
"""A new key for what is sealed, while everything runs, and killed in the middle."""
import os
import signal
import subprocess

from headrace import Lock, Standalone, main, wait_for

COUNT = 700  # more than one part has


def key_numbers(system, table="variable"):
    return system.sql(f"SELECT DISTINCT key_no FROM {table} ORDER BY 1").split()


def fill(system):
    entities = [{"key": f"v{i:04d}", "value": f"value {i}"} for i in range(COUNT)]
    for at in range(0, COUNT, 100):
        answer = system.request("PATCH", "/api/v2/variables", {"actions": [
            {"action": "create", "entities": entities[at:at + 100], "action_on_existence": "fail"}]})
        assert len(answer["create"]["success"]) == 100, answer
    system.cli("connections", "add", "db", "--conn-uri", "postgres://ann:s3cret@host/sales")


def value(system, key):
    return system.request("GET", f"/api/v2/variables/{key}")["value"]


def killed_in_the_middle_it_goes_on_where_it_was():
    with Standalone() as system:
        system.write_dag("uses.yaml", "tasks: {says: {bash: 'echo {{ var.value.v0000 }} {{ var.value.fresh }}'}}")
        system.wait_dag("uses")
        fill(system)
        assert key_numbers(system) == ["1"]
        lock = Lock(system, "SELECT 1 FROM variable WHERE key = 'v0600' FOR UPDATE")
        rotating = subprocess.Popen([system.bin / "headrace", "db", "rotate-key"], env=system.env, stderr=subprocess.PIPE, text=True)
        said = ""
        while "600 sealed anew" not in said:  # three parts, the connection first; the fourth waits
            line = rotating.stderr.readline()
            assert line, said
            said += line
        wait_for(lambda: system.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != "0",
                 "it waits for the row", 60)
        os.kill(rotating.pid, signal.SIGKILL)
        rotating.wait(30)
        rotating.stderr.close()
        lock.release()
        assert key_numbers(system) == ["1", "2"], key_numbers(system)

        # Everybody reads both, and new values have the new key, though nobody was restarted.
        assert [value(system, key) for key in ("v0000", "v0699")] == ["value 0", "value 699"]
        system.cli("variables", "set", "fresh", "yes")
        assert system.sql("SELECT key_no FROM variable WHERE key = 'fresh'") == "2"
        run = system.trigger("uses")
        assert system.wait_run("uses", run)["state"] == "success"
        assert "value 0 yes" in system.cli("tasks", "logs", "uses", run, "says").stdout

        done = system.cli("db", "rotate-key")
        assert "come first" in done.stdout + done.stderr, done
        assert key_numbers(system) == ["2"] and key_numbers(system, "connection") == ["2"]
        assert [value(system, key) for key in ("v0000", "v0699")] == ["value 0", "value 699"]

        # The next one is a whole one, beside writers.
        rotating = subprocess.Popen([system.bin / "headrace", "db", "rotate-key"], env=system.env, stderr=subprocess.DEVNULL)
        for i in range(40):
            system.cli("variables", "set", f"v{i:04d}", f"new {i}")
        assert rotating.wait(120) == 0
        system.cli("db", "rotate-key", "--drop-old")
        assert key_numbers(system) == ["3"], key_numbers(system)
        lines = (system.home / "secret.key").read_text().split("\n")
        assert [line.split()[:2] for line in lines if line] == [["headrace-secret-key", "3"]], len(lines)
        assert [value(system, key) for key in ("v0000", "v0039", "v0699")] == ["new 0", "new 39", "value 699"]

        # A new leader opens everything with the one key that is left.
        scheduler = system.pids_of("headrace-scheduler")[0]
        os.kill(scheduler, signal.SIGKILL)
        wait_for(lambda: system.pids_of("headrace-scheduler") not in ([], [scheduler]), "a new scheduler", 60)
        run = system.patiently(lambda: system.trigger("uses"), "a run", 120)
        assert system.wait_run("uses", run, 120)["state"] == "success"
        assert "new 0 yes" in system.cli("tasks", "logs", "uses", run, "says").stdout


def what_does_not_open_is_named():
    with Standalone() as system:
        system.cli("variables", "set", "good", "1")
        system.cli("variables", "set", "spoiled", "2")
        system.sql("UPDATE variable SET sealed = sealed || 'x' WHERE key = 'spoiled'")
        done = system.cli("db", "rotate-key", check=False)
        assert done.returncode == 1 and "the first is the variable spoiled" in done.stderr, done
        assert system.sql("SELECT key_no FROM variable WHERE key = 'good'") == "2"
        system.cli("variables", "set", "spoiled", "2")
        assert system.cli("db", "rotate-key").returncode == 0


if __name__ == "__main__":
    main(killed_in_the_middle_it_goes_on_where_it_was, what_does_not_open_is_named)
