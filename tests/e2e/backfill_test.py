# SPDX-License-Identifier: Apache-2.0
"""Backfills, seen from outside: Airflow's API, the command line, and a scheduler that is killed."""
import json
import os
import signal

from headrace import ApiError, Standalone, main, wait_for

DAG = """
schedule: "0 0 * * *"
start_date: 2027-01-01
max_active_runs: 1
tasks:
  load: {bash: 'test "{{ conf.fails | default("") }}" != "{{ ds }}"; sleep {{ conf.takes | default(0) }}'}
"""
RANGE = {"dag_id": "daily", "from_date": "2026-03-01T00:00:00Z", "to_date": "2026-03-06T00:00:00Z"}


def runs(system):
    rows = system.request("GET", "/api/v2/dags/daily/dagRuns?limit=100&order_by=logical_date")["dag_runs"]
    return {row["logical_date"][:10]: row["state"] for row in rows if row["run_type"] == "backfill"}


def ended(system, backfill_id):
    def look():
        row = system.patiently(lambda: system.request("GET", f"/api/v2/backfills/{backfill_id}"), "the backfill")
        return row if row["completed_at"] else None
    return wait_for(look, "the end of the backfill", 120)


def a_backfill_survives_the_scheduler_and_runs_what_failed_again():
    with Standalone() as system:
        system.write_dag("daily.yaml", DAG)
        system.wait_dag("daily")
        would = system.request("POST", "/api/v2/backfills/dry_run", RANGE)
        assert [row["logical_date"][:10] for row in would["backfills"]] == [f"2026-03-0{day}" for day in range(1, 7)], would
        made = system.request("POST", "/api/v2/backfills", {**RANGE, "max_active_runs": 2,
                                                            "dag_run_conf": {"takes": 0.5, "fails": "2026-03-03"}})
        assert made["reprocess_behavior"] == "none" and made["max_active_runs"] == 2 and made["completed_at"] is None, made
        wait_for(lambda: len(runs(system)) >= 2, "the first runs")
        os.kill(system.pids_of("headrace-scheduler")[0], signal.SIGKILL)
        ended(system, made["id"])
        assert runs(system) == {f"2026-03-0{day}": "failed" if day == 3 else "success" for day in range(1, 7)}, runs(system)
        again = system.cli("backfill", "create", "daily", "--from-date", RANGE["from_date"], "--to-date", RANGE["to_date"],
                           "--reprocess-behavior", "failed", "--dry-run", "-o", "json")
        assert [row["logical_date"][:10] for row in json.loads(again.stdout)] == ["2026-03-03"], again.stdout


def a_dry_run_tells_of_more_dates_than_it_lists():
    with Standalone() as system:
        system.write_dag("daily.yaml", DAG)
        system.wait_dag("daily")
        thirty_years = {**RANGE, "from_date": "1996-01-01T00:00:00Z", "to_date": "2025-12-31T00:00:00Z"}
        would = system.request("POST", "/api/v2/backfills/dry_run", thirty_years)
        assert (would["total_entries"], len(would["backfills"])) == (10958, 10000), (would["total_entries"], len(would["backfills"]))
        assert would["backfills"][-1]["logical_date"][:10] == "2023-05-18", would["backfills"][-1]


def a_backfill_is_paused_and_cancelled():
    with Standalone() as system:
        system.write_dag("daily.yaml", DAG)
        system.wait_dag("daily")
        made = json.loads(system.cli("backfill", "create", "daily", "--from-date", "2026-03-01T00:00:00Z",
                                     "--to-date", "2026-03-31T00:00:00Z", "--run-backwards",
                                     "--max-active-runs", "1", "-c", '{"takes": 1}', "-o", "json").stdout)
        backfill = str(made["id"])
        system.cli("backfill", "pause", backfill)
        assert system.request("GET", f"/api/v2/backfills/{backfill}")["is_paused"]
        system.cli("backfill", "unpause", backfill)
        wait_for(lambda: "2026-03-30" in runs(system), "the second run")
        try:
            system.request("POST", "/api/v2/backfills", RANGE)
            raise AssertionError("a second backfill of one DAG was made")
        except ApiError as problem:
            assert problem.status == 409, problem
        system.cli("backfill", "cancel", backfill)
        rows = json.loads(system.cli("backfill", "list", "daily", "-o", "json").stdout)
        assert len(rows) == 1 and rows[0]["completed_at"] is not None, rows
        assert "2026-03-31" in runs(system) and len(runs(system)) < 31
        assert system.raw("PUT", f"/api/v2/backfills/{backfill}/unpause")[0] == 409
        assert system.raw("PUT", "/api/v2/backfills/999999/pause")[0] == 404
        assert system.raw("POST", "/api/v2/backfills", {**RANGE, "dag_id": "unknown"})[0] == 404
        assert system.raw("POST", "/api/v2/backfills", {"dag_id": "daily"})[0] == 422


main(a_backfill_survives_the_scheduler_and_runs_what_failed_again, a_dry_run_tells_of_more_dates_than_it_lists,
     a_backfill_is_paused_and_cancelled)
