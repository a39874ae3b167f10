# SPDX-License-Identifier: Apache-2.0
"""Requests per second and p99 of the lists and details that Airflow's clients ask for, on 1 000 000 task instances: beside the bare
SELECT of the same rows through libpq (no JSON, no HTTP), and beside Airflow's own API server on the same PostgreSQL with as many
rows. `./dev bench api --without-airflow` leaves the latter out."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import measure
from airflow_api import AirflowApi
from api_world import ApiWorld
from crowd import Crowd

DAGS, RUNS, TASKS, EVENTS = 50, 200, 100, 100_000
CONNECTIONS, SECONDS, AIRFLOW_SECONDS = 8, 4, 6
RUN, INSTANCE = "dags/dag_{n:05}/dagRuns/run_{k}", "taskInstances/task_{t:04}"
INSTANCE_COLUMNS = "y.run_no, y.task, y.map_index, y.attempt, y.state, y.try_no, y.pool, y.queue, y.priority, y.queued_at, y.started_at, y.ended_at, y.note, r.run_id"
RUN_COLUMNS = "r.run_id, r.logical_at, r.run_after, r.queued_at, r.started_at, r.ended_at, r.state, r.run_type, r.conf, r.note, r.triggered_by"
OF_RUN = "run_key k JOIN dag d USING (dag_no) JOIN run r USING (run_no)"

# what, the path below /api/v2, the bare SELECT of its rows and its total
OPERATIONS = [
    ("dags", "dags?limit=50",
     "SELECT d.*, (SELECT count(*) FROM dag) FROM dag d ORDER BY dag_id LIMIT 50"),
    ("runs of a DAG", "dags/dag_{n:05}/dagRuns?limit=50",
     f"SELECT {RUN_COLUMNS}, count(*) OVER () FROM dag d JOIN run r USING (dag_no) WHERE d.dag_id = 'dag_{{n:05}}' ORDER BY run_no LIMIT 50"),
    ("newest runs of all", "dags/~/dagRuns?limit=50&order_by=-run_after",
     f"SELECT {RUN_COLUMNS}, d.dag_id, count(*) OVER () FROM dag d JOIN run r USING (dag_no) ORDER BY run_after DESC, run_no DESC LIMIT 50"),
    ("instances of a run", RUN + "/taskInstances?limit=50",
     f"SELECT {INSTANCE_COLUMNS}, count(*) OVER () FROM {OF_RUN} JOIN try y USING (run_no) "
     "WHERE d.dag_id = 'dag_{n:05}' AND k.run_id = 'run_{k}' ORDER BY y.task, y.map_index LIMIT 50"),
    ("instances of all", "dags/~/dagRuns/~/taskInstances?limit=50",
     f"SELECT {INSTANCE_COLUMNS}, (SELECT count(*) FROM try) FROM try y JOIN run r USING (run_no) ORDER BY y.run_no, y.task, y.map_index LIMIT 50"),
    ("event log", "eventLogs?limit=50", "SELECT *, (SELECT count(*) FROM audit) FROM audit ORDER BY audit_no LIMIT 50"),
    ("a DAG", "dags/dag_{n:05}", "SELECT * FROM dag WHERE dag_id = 'dag_{n:05}'"),
    ("a run", RUN, f"SELECT {RUN_COLUMNS} FROM {OF_RUN} WHERE d.dag_id = 'dag_{{n:05}}' AND k.run_id = 'run_{{k}}'"),
    ("an instance", RUN + "/" + INSTANCE,
     f"SELECT {INSTANCE_COLUMNS} FROM {OF_RUN} JOIN try y USING (run_no) WHERE d.dag_id = 'dag_{{n:05}}' AND k.run_id = 'run_{{k}}' AND y.task = {{t}} AND y.map_index = -1"),
]


def fill(world):
    tasks = json.dumps([{"id": f"task_{t:04}", "operator_kind": "bash", "operator_args": {"bash": "true"}} for t in range(TASKS)])
    world.add_worker(1, "w-1")
    world.sql(f"""
        INSERT INTO dag (dag_id, is_paused, fileloc, owners, tags, description, last_parsed_at)
        SELECT 'dag_' || lpad(n::text, 5, '0'), false, 'many.yaml', '{{airflow}}', ARRAY['tag_' || n % 5], 'Number ' || n || ' of many', now()
        FROM generate_series(0, {DAGS - 1}) n;
        INSERT INTO dag_version (dag_no, version_number, hash, ir, source)
        SELECT dag_no, 1, sha256(dag_id::bytea), jsonb_build_object('id', dag_id, 'tasks', '{tasks}'::jsonb), 'tasks: {{}}' FROM dag;
        UPDATE dag d SET version_no = v.version_no FROM dag_version v WHERE v.dag_no = d.dag_no;
        INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after, queued_at, state, n_success, started_at, ended_at, updated_at)
        SELECT ((current_date - date '1970-01-01')::bigint << 32) + row_number() OVER (ORDER BY k DESC, dag_no), dag_no, version_no, 0, 'run_' || k,
               now() - k * interval '1 hour', now(), CASE WHEN k % 13 = 0 THEN 3 ELSE 2 END, {TASKS},
               now() - k * interval '1 hour', now() - k * interval '1 hour' + interval '90 seconds', now()
        FROM dag, generate_series(1, {RUNS}) k;
        INSERT INTO run_key SELECT dag_no, run_id, run_no FROM run;
        INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, attempt, worker_no, priority, pool, queue, queued_at, state, cause, started_at, ended_at)
        SELECT run_no, t, -1, 1, dag_no, 1, 0, gen_random_uuid(), 1, 1, 'default_pool', 'default', queued_at, CASE WHEN t % 97 = 0 THEN 5 ELSE 4 END, 13, started_at, ended_at
        FROM run, generate_series(0, {TASKS - 1}) t;
        INSERT INTO audit (at, actor, event, dag_id, run_id, allowed, chain)
        SELECT now() - n * interval '1 second', 'ada', 'trigger_dag_run', 'dag_00001', 'run_' || n, true, '\\x00' FROM generate_series(1, {EVENTS}) n""")
    world.sql("VACUUM ANALYZE")


def variants(text):
    """A detail is another one each time, as with many users."""
    return [text.format(n=i % DAGS, k=i * 7 % RUNS + 1, t=i * 13 % TASKS) for i in range(97)] if "{" in text else [text]


def load(kind, where, token, seconds, questions):
    done = subprocess.run([measure.BUILD / "bench/api_load", kind, where, token, str(CONNECTIONS), str(seconds), *questions],
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    answer = json.loads(done.stdout)
    if answer["bad"]:
        raise SystemExit(f"{answer['bad']} of {answer['count']} answers were not 200: {questions[0]}")
    return answer


def ask(port, token, seconds, path):
    return load("http", str(port), token, seconds, ["/api/v2/" + variant for variant in variants(path)])


def beside_a_crowd(world):
    """p99 of a cheap list, alone and with 1 000 slow and 1 000 idle clients beside."""
    alone = ask(world.port, world.token, SECONDS, OPERATIONS[6][1])
    with Crowd(world.port, idle=1000, slow=1000):
        beside = ask(world.port, world.token, 2 * SECONDS, OPERATIONS[6][1])
    return alone, beside


def main():
    rows, facts = [], {}
    with_airflow = "--without-airflow" not in sys.argv and AirflowApi.is_there()
    with ApiWorld(settings={"logging__level": "warn", "api__requests_per_second": 0}, leader=False) as world:
        fill(world)
        ours, bare, theirs = {}, {}, {}
        for what, path, select in OPERATIONS:
            bare[what] = load("sql", world.pg.conninfo(), "-", SECONDS, variants(select))
            ours[what] = ask(world.port, world.token, SECONDS, path)
        alone, beside = beside_a_crowd(world)
        if with_airflow:
            with AirflowApi(world.pg, DAGS, RUNS, TASKS, EVENTS) as airflow:
                for what, path, _ in OPERATIONS:
                    theirs[what] = ask(airflow.port, airflow.token, AIRFLOW_SECONDS, path)
    for what, _, _ in OPERATIONS:
        rows.append((f"{what}: answers", ours[what]["per_s"], "/s", None))
        rows.append((f"{what}: p99", ours[what]["p99_us"] / 1000, "ms", None))
        rows.append((f"{what}: bare SELECT", bare[what]["per_s"], "/s", ours[what]["per_s"] / bare[what]["per_s"]))
        if with_airflow:
            rows.append((f"{what}: Airflow", theirs[what]["per_s"], "/s", ours[what]["per_s"] / theirs[what]["per_s"]))
            rows.append((f"{what}: Airflow's p99", theirs[what]["p99_us"] / 1000, "ms", theirs[what]["p99_us"] / ours[what]["p99_us"]))
    rows.append(("a DAG, p99 alone", alone["p99_us"] / 1000, "ms", None))
    rows.append(("a DAG, p99 beside 1 000 slow and 1 000 idle clients", beside["p99_us"] / 1000, "ms", beside["p99_us"] / alone["p99_us"]))
    measure.report("api", rows, load=os.getloadavg()[0], instances=DAGS * RUNS * TASKS, connections=CONNECTIONS, airflow="3.2.2" if with_airflow else None)


if __name__ == "__main__":
    main()
