# SPDX-License-Identifier: Apache-2.0
"""The main example on this machine's own package index: the counts that it loads equal a recount, also the second time."""
import subprocess

from headrace import Standalone, main, wait_for

DAG = "debian_archive"


def recount():
    """Records of the index that the example reads: one `Package:` line each; without an index, the installed packages."""
    text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout
    if not text.strip():
        text = open("/var/lib/dpkg/status", "rb").read()
    return sum(line.startswith(b"Package:") for line in text.splitlines())


def run_once(system):
    run = system.trigger(DAG)
    assert system.wait_run(DAG, run, 300)["state"] == "success", system.states(DAG, run)
    path = f"/api/v2/dags/{DAG}/dagRuns/{run}/taskInstances/checks.row_count/xcomEntries/return_value"
    return run, system.request("GET", path)["value"][0]


def the_loaded_counts_equal_a_recount_and_a_second_load_doubles_nothing():
    with Standalone({"autoscale.default.max": 2, "autoscale.default.slots": 4}, examples=True) as system:
        run, counts = run_once(system)
        assert counts["loaded"] == counts["expected"] == recount(), (counts, recount())
        assert counts["loaded"] > 100
        states = system.states(DAG, run)
        assert states["report"] == states["notify"] == "success" and states["reject"] == "skipped", states
        parts = [state for key, state in states.items() if isinstance(key, tuple) and key[0] == "parse"]
        assert len(parts) > 5 and set(parts) == {"success"}, parts
        _, again = run_once(system)
        assert again == counts
        report = next((system.home / "data").rglob("*.html"), None) or next((system.home / "data").rglob("*.svg"), None)
        assert report is not None and "<svg" in report.read_text(), "the report has its picture"


def a_bad_part_fails_hard_and_a_good_delivery_is_loaded():
    dag = "feedback_pipeline"
    with Standalone({"autoscale.default.slots": 8}, examples=True) as system:
        good = system.trigger(dag)
        assert system.wait_run(dag, good, 120)["state"] == "success", system.states(dag, good)
        bad = system.trigger(dag, {"bad_part": True})
        assert system.wait_run(dag, bad, 120)["state"] == "failed"
        failed = [row for row in system.tasks(dag, bad) if row["state"] == "failed"]
        assert [(row["task_id"], row["try_number"]) for row in failed] == [("validate", 1)], "a hard error spends no retry"
        assert "rating" in system.log(dag, bad, "validate", 1, failed[0]["map_index"])


def an_external_job_is_submitted_waited_for_fetched_and_decided_on():
    with Standalone(examples=True) as system:
        dag = "poll_external_job"
        good, bad = system.trigger(dag, {"seconds": 4}), system.trigger(dag, {"seconds": 1, "outcome": "FAILED"})
        assert system.wait_run(dag, good, 120)["state"] == "success", system.states(dag, good)
        states = system.states(dag, good)
        assert (states["wait"], states["use_result"], states["give_up"]) == ("success", "success", "skipped"), states
        assert "took 4 s and measured" in system.log(dag, good, "use_result")
        assert system.wait_run(dag, bad, 120)["state"] == "failed"
        assert system.states(dag, bad)["give_up"] == "failed"
        told = system.home / "data" / dag / "notifications.log"
        wait_for(lambda: told.exists() and told.read_text() == f"{dag}: failed\n", "somebody is told of the failure", 30)


if __name__ == "__main__":
    main(the_loaded_counts_equal_a_recount_and_a_second_load_doubles_nothing,
         a_bad_part_fails_hard_and_a_good_delivery_is_loaded, an_external_job_is_submitted_waited_for_fetched_and_decided_on)
