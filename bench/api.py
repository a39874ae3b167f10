# SPDX-License-Identifier: Apache-2.0
"""Requests per second and p99 of the lists and details that Airflow's clients ask for, on 1 000 000 task instances: beside the bare
SELECT of the same values through libpq (no JSON, no HTTP), beside that and an answer that needs no database one after the other (what
is left is the JSON and the reading of the question), and beside Airflow's own API server on the same PostgreSQL with as many
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

# ---- the bare SELECTs: each reads every value that is in the answer, by the same tables, and makes no JSON ----

VERSION = "v.version_no, v.version_number, v.created_at"
DAG = ("d.*, v.max_active_tasks, v.max_active_runs, v.max_failed_runs, v.has_task_limits, f.parse_ms, "
       "EXISTS (SELECT FROM import_error i WHERE i.path = d.fileloc OR i.dag_id = d.dag_id) "
       "FROM dag d LEFT JOIN dag_version v USING (version_no) LEFT JOIN dag_file f ON f.path = d.fileloc")
RUN_COLUMNS = ("d.dag_id, r.run_id, r.logical_at, r.interval_start, r.interval_end, r.run_after, r.queued_at, r.started_at, r.ended_at, r.updated_at, "
               f"r.state, r.run_type, r.conf, r.note, r.triggered_by, {VERSION}")
ALL_RUNS = "dag d JOIN run r USING (dag_no) JOIN dag_version v ON v.version_no = r.version_no"
ONE_RUN = "run_key k JOIN dag d USING (dag_no) JOIN run r USING (run_no) JOIN dag_version v ON v.version_no = r.version_no"
THIS_RUN = "d.dag_id = 'dag_{n:05}' AND k.run_id = 'run_{k}'"
INSTANCE_COLUMNS = ("y.run_no, y.task, y.map_index, y.map_label, y.attempt, y.state, y.try_no, y.pool, y.queue, y.priority, y.queued_at, y.started_at, "
                    f"y.ended_at, y.note, d.dag_id, r.run_id, r.logical_at, r.run_after, w.host, {VERSION}")
OF_TASKS = ("CROSS JOIN LATERAL jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS t (task, number) "
            "LEFT JOIN try y ON y.run_no = r.run_no AND y.task = t.number::int - 1 LEFT JOIN worker w USING (worker_no)")

# what, the path below /api/v2, the bare SELECT of its rows and its total
OPERATIONS = [
    ("dags", "dags?limit=50",
     f"SELECT (SELECT count(*) FROM dag WHERE NOT is_stale), {DAG} WHERE NOT d.is_stale ORDER BY d.dag_id LIMIT 50"),
    ("runs of a DAG", "dags/dag_{n:05}/dagRuns?limit=50",
     f"SELECT {RUN_COLUMNS}, count(*) OVER () FROM {ALL_RUNS} WHERE d.dag_id = 'dag_{{n:05}}' ORDER BY run_no LIMIT 50"),
    ("newest runs of all", "dags/~/dagRuns?limit=50&order_by=-run_after",
     f"SELECT {RUN_COLUMNS}, count(*) OVER () FROM {ALL_RUNS} ORDER BY run_after DESC, run_no DESC LIMIT 50"),
    ("instances of a run", RUN + "/taskInstances?limit=50",
     f"SELECT {INSTANCE_COLUMNS}, t.task, count(*) OVER () FROM {ONE_RUN} {OF_TASKS} WHERE {THIS_RUN} ORDER BY t.number, y.map_index LIMIT 50"),
    ("instances of all", "dags/~/dagRuns/~/taskInstances?limit=50",
     f"SELECT {INSTANCE_COLUMNS}, v.ir -> 'tasks' -> y.task, (SELECT count(*) FROM (SELECT FROM try LIMIT 100000) c) FROM try y JOIN run r USING (run_no) "
     "JOIN dag d ON d.dag_no = r.dag_no JOIN dag_version v ON v.version_no = r.version_no LEFT JOIN worker w USING (worker_no) "
     "ORDER BY y.run_no, y.task, y.map_index LIMIT 50"),
    ("event log", "eventLogs?limit=50", "SELECT *, (SELECT count(*) FROM (SELECT FROM audit LIMIT 100000) c) FROM audit ORDER BY audit_no LIMIT 50"),
    ("a DAG", "dags/dag_{n:05}", f"SELECT {DAG} WHERE d.dag_id = 'dag_{{n:05}}'"),
    ("a run", RUN, f"SELECT {RUN_COLUMNS} FROM {ONE_RUN} WHERE {THIS_RUN}"),
    ("an instance", RUN + "/" + INSTANCE,
     f"SELECT {INSTANCE_COLUMNS}, t.task FROM {ONE_RUN} {OF_TASKS} WHERE {THIS_RUN} AND t.task ->> 'id' = 'task_{{t:04}}' AND y.map_index = -1"),
]
NOTHING = "version"  # an answer for which no database is asked


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


def ask_ours(world, seconds, path):
    answer = ask(world.port, world.token, seconds, path)
    if answer["reopened"]:
        raise SystemExit(f"{answer['reopened']} connections were closed by the server: {path}")
    return answer


def beside_a_crowd(world):
    """p99 of a cheap list, alone and with 1 000 slow and 1 000 idle clients beside."""
    alone = ask_ours(world, SECONDS, OPERATIONS[6][1])
    with Crowd(world.port, idle=1000, slow=1000):
        beside = ask_ours(world, 2 * SECONDS, OPERATIONS[6][1])
    return alone, beside


def main():
    rows, facts = [], {}
    with_airflow = "--without-airflow" not in sys.argv and AirflowApi.is_there()
    with ApiWorld(settings={"logging__level": "warn", "api__requests_per_second": 0}, leader=False) as world:
        fill(world)
        ours, bare, theirs = {}, {}, {}
        nothing = ask_ours(world, SECONDS, NOTHING)
        for what, path, select in OPERATIONS:
            bare[what] = load("sql", world.pg.conninfo() + " options='-c jit=off'", "-", SECONDS, variants(select))
            ours[what] = ask_ours(world, SECONDS, path)
        alone, beside = beside_a_crowd(world)
        if with_airflow:
            with AirflowApi(world.pg, DAGS, RUNS, TASKS, EVENTS) as airflow:
                for what, path, _ in OPERATIONS:
                    theirs[what] = ask(airflow.port, airflow.token, AIRFLOW_SECONDS, path)
    rows.append(("an answer without a database", nothing["per_s"], "/s", None))
    for what, _, _ in OPERATIONS:
        both = 1 / (1 / bare[what]["per_s"] + 1 / nothing["per_s"])
        rows.append((f"{what}: answers", ours[what]["per_s"], "/s", None))
        rows.append((f"{what}: p99", ours[what]["p99_us"] / 1000, "ms", None))
        rows.append((f"{what}: bare SELECT", bare[what]["per_s"], "/s", ours[what]["per_s"] / bare[what]["per_s"]))
        rows.append((f"{what}: bare SELECT, then an answer", both, "/s", ours[what]["per_s"] / both))
        if with_airflow:
            rows.append((f"{what}: Airflow", theirs[what]["per_s"], "/s", ours[what]["per_s"] / theirs[what]["per_s"]))
            rows.append((f"{what}: Airflow's p99", theirs[what]["p99_us"] / 1000, "ms", theirs[what]["p99_us"] / ours[what]["p99_us"]))
    rows.append(("a DAG, p99 alone", alone["p99_us"] / 1000, "ms", None))
    rows.append(("a DAG, p99 beside 1 000 slow and 1 000 idle clients", beside["p99_us"] / 1000, "ms", beside["p99_us"] / alone["p99_us"]))
    measure.report("api", rows, load=os.getloadavg()[0], instances=DAGS * RUNS * TASKS, connections=CONNECTIONS, airflow="3.2.2" if with_airflow else None)


if __name__ == "__main__":
    main()
