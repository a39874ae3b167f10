# SPDX-License-Identifier: Apache-2.0
"""Setups and teardowns, seen from outside."""
from headrace import Standalone, main, wait_for

SCOPED = """
tasks:
  start: {setup: true, bash: 'echo started'}
  work: {depends_on: [start], bash: 'exit 1'}
  more: {depends_on: [work], bash: 'true'}
  stop: {depends_on: [more], teardown: [start], bash: 'echo stopped'}
"""

SLOW = """
tasks:
  start: {setup: true, bash: 'true'}
  work: {depends_on: [start], bash: 'sleep 600'}
  stop: {depends_on: [work], teardown: [start], bash: 'true'}
"""


def a_teardown_runs_and_is_cleared_with_its_work():
    with Standalone() as system:
        system.write_dag("scoped.yaml", SCOPED)
        run = system.trigger("scoped")
        assert system.wait_run("scoped", run)["state"] == "failed"
        assert system.states("scoped", run) == {"start": "success", "work": "failed", "more": "upstream_failed", "stop": "success"}
        clear = {"dag_run_id": run, "task_ids": ["work"], "only_failed": False}
        would = system.request("POST", "/api/v2/dags/scoped/clearTaskInstances", clear)["task_instances"]
        assert sorted(row["task_id"] for row in would) == ["start", "stop", "work"], would
        system.request("POST", "/api/v2/dags/scoped/clearTaskInstances", {**clear, "dry_run": False})
        system.wait_run("scoped", run)
        tries = {row["task_id"]: row["try_number"] for row in system.tasks("scoped", run)}
        assert tries["start"] == tries["work"] == tries["stop"] == 2, tries


def a_run_that_is_marked_failed_runs_its_teardown():
    with Standalone() as system:
        system.write_dag("slow.yaml", SLOW)
        run = system.trigger("slow")
        wait_for(lambda: system.states("slow", run).get("work") == "running", "the work", 60)
        system.request("PATCH", f"/api/v2/dags/slow/dagRuns/{run}", {"state": "failed"})
        assert system.wait_run("slow", run)["state"] == "failed"
        assert system.states("slow", run) == {"start": "success", "work": "failed", "stop": "success"}


main(a_teardown_runs_and_is_cleared_with_its_work, a_run_that_is_marked_failed_runs_its_teardown)
