# SPDX-License-Identifier: Apache-2.0
"""The rows that the tests of the API read: a DAG of seven tasks in two versions, four runs, a mapped task, workers, an import error."""

ETL = {
    "description": "Loads the day", "owner": "data", "tags": ["demo", "finance"], "schedule": {"cron": ["0 6 * * *"]},
    "timezone": "Europe/Zurich", "doc_md": "# etl", "catchup": True, "run_timeout_ms": 3600000,
    "params": {"region": {"type": "string", "default": "eu", "description": "where"}, "days": 3},
    "groups": [{"id": "extract"}],
    "tasks": [
        {"id": "arrived", "operator_kind": "wait_for", "operator_args": {"file": "/in"}},
        {"id": "extract.orders", "operator_kind": "bash", "operator_args": {"bash": "extract orders"}, "upstream": [0], "retries": 2},
        {"id": "extract.people", "operator_kind": "bash", "operator_args": {"bash": "extract people"}, "upstream": [0]},
        {"id": "each", "operator_kind": "bash", "operator_args": {"bash": "each"}, "for_each": "{{ xcom.list }}", "upstream": [1, 2]},
        {"id": "load", "operator_kind": "bash", "operator_args": {"bash": "load"}, "upstream": [3], "pool": "db", "trigger_rule": "all_done"},
        {"id": "report", "operator_kind": "python", "operator_args": {"python": "report"}, "upstream": [4]},
        {"id": "never", "operator_kind": "empty", "upstream": [5]},
    ],
}


def fill(world):
    world.add_worker(1, "w-1")
    world.add_worker(2, "w-2", state=1, slots=4)
    world.insert("pool", name="db", slots=2, description="the database")
    world.add_dag("etl", {**ETL, "tasks": ETL["tasks"][:3]})  # version 1: three tasks
    old = world.add_run("etl", "scheduled__1", state=2, started="now() - interval '2 hours'", ended="now() - interval '1 hour'", counts=(3, 0, 0))
    for task in range(3):
        world.add_try(old, task, 4)
    world.add_dag("etl", ETL, source="dag_id: etl\ntasks: {}\n")
    world.sql("UPDATE dag SET next_fire_at = now() + interval '1 hour' WHERE dag_id = 'etl'")
    world.add_dag("quiet", {"tasks": [{"id": "only", "operator_kind": "empty"}]}, paused=True)
    failed = world.add_run("etl", "manual__failed", state=3, started="now() - interval '30 minutes'", ended="now() - interval '20 minutes'",
                           counts=(3, 1, 0), triggered_by="ada", note="why?")
    for task in (0, 2):
        world.add_try(failed, task, 4)
    world.add_try(failed, 1, 8, row_no=1, try_no=1, cause=14, error="exit code 1: KeyError: 'id'", exit_code=1)
    world.add_try(failed, 1, 5, row_no=2, try_no=2, cause=14, error="exit code 1: KeyError: 'name'", exit_code=1)
    world.add_try(failed, 3, 7, cause=6, worker_no="NULL")
    run = world.add_run("etl", "manual__1", state=1, conf={"region": "us"}, triggered_by="ada")
    world.add_try(run, 0, 4)
    attempt = world.add_try(run, 1, 4)
    world.add_try(run, 2, 4)
    world.sql(f"INSERT INTO expansion VALUES ({run}, 3, 5, '[1,2,3,4,5]')")
    world.add_try(run, 3, 4, map_index=0, label="orders-0")
    world.add_try(run, 3, 5, map_index=1, label="orders-1", cause=14, error="exit code 3", exit_code=3)
    world.add_try(run, 3, 3, map_index=2)
    world.add_try(run, 3, 2, map_index=3)
    world.sql(f"INSERT INTO output VALUES ({run}, 1, -1, 'return_value', '{{\"rows\": 12}}', now())")
    world.sql("INSERT INTO import_error (path, dag_id, line, col, message, advice, excerpt, seen_at) VALUES "
              "('broken.yaml', 'broken', 12, 5, 'unknown key retrys', 'write retries', '  12 | retrys: 3', now())")
    return {"failed": failed, "run": run, "old": old, "attempt": attempt}
