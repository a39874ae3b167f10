# SPDX-License-Identifier: Apache-2.0
"""Clearing and marking over several runs, as Airflow's API has it."""
from headrace import Standalone, main

DAG = """
tasks:
  load: {bash: 'true'}
  report: {depends_on: [load], bash: 'true'}
"""


def tries(system, runs):
    return [{row["task_id"]: row["try_number"] for row in system.tasks("days", run)} for run in runs]


def a_task_is_cleared_and_marked_with_its_past_and_future():
    with Standalone() as system:
        system.write_dag("days.yaml", DAG)
        system.wait_dag("days")
        runs = []
        for day in (1, 2, 3):
            runs.append(system.request("POST", "/api/v2/dags/days/dagRuns", {"logical_date": f"2026-01-0{day}T00:00:00Z"})["dag_run_id"])
            system.wait_run("days", runs[-1])
        clear = "/api/v2/dags/days/clearTaskInstances"
        body = {"dag_run_id": runs[1], "task_ids": ["report"], "only_failed": False, "include_past": True}
        would = system.request("POST", clear, body)["task_instances"]
        assert sorted(row["dag_run_id"] for row in would) == runs[:2], would
        assert {row["task_id"] for row in would} == {"report"}, would
        system.request("POST", clear, {**body, "dry_run": False})
        for run in runs:
            assert system.wait_run("days", run)["state"] == "success"
        assert tries(system, runs) == [{"load": 1, "report": 2}, {"load": 1, "report": 2}, {"load": 1, "report": 1}], tries(system, runs)
        dates = {"start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-03T00:00:00Z", "only_failed": False, "dry_run": False}
        system.request("POST", clear, dates)
        for run in runs:
            assert system.wait_run("days", run)["state"] == "success"
        assert [task["load"] for task in tries(system, runs)] == [1, 2, 2], tries(system, runs)
        marked = system.request("PATCH", f"/api/v2/dags/days/dagRuns/{runs[1].replace('+', '%2B')}/taskInstances/load",
                                {"new_state": "failed", "include_future": True})["task_instances"]
        assert sorted(row["dag_run_id"] for row in marked) == runs[1:] and {row["state"] for row in marked} == {"failed"}, marked
        details = [log["extra"] for log in system.request("GET", "/api/v2/eventLogs?event=clear_task_instances&order_by=event_log_id")["event_logs"]]
        assert ["start_date" in detail for detail in details][-2:] == [True, False] and runs[1] in details[-1], details
        assert [system.states("days", run)["load"] for run in runs] == ["success", "failed", "failed"]
        assert system.raw("POST", clear, {"only_failed": False})[0] == 422


main(a_task_is_cleared_and_marked_with_its_past_and_future)
