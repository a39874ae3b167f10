# SPDX-License-Identifier: Apache-2.0
"""The web interface at the sizes it promises, in a browser against the real web server: 10 000 DAGs, a DAG of 5 000 tasks with 25
runs, a run with 100 000 mapped instances, a log of 1 000 000 lines. First content, an interaction on each, and how long after a
task's end its new state is seen. Beside each stands its budget: a ratio above 1 is too slow. Airflow's own web server shows the same
DAG to the same browser; beside it stands how many times as long that takes, where PyPI can be reached; `./dev bench ui --without-airflow` leaves it out."""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import measure
from airflow_grid import AirflowGrid
from api_world import ApiWorld, new_attempt
from headrace import Standalone
from ui_build import ui_build

DAGS, TASKS, GROUPS, RUNS, MAPPED, LINES = 10_000, 5_000, 50, 25, 100_000, 1_000_000
FOLDER = {"api__ui_folder": measure.ROOT / "ui/dist"}
CONTENT_MS, INTERACTION_MS, CHANGE_MS = 300, 100, 300


def many_dags(world):
    """Each with 14 runs of one task: what the bars of the list show."""
    world.sql(f"""
        INSERT INTO dag (dag_id, is_paused, fileloc, owners, tags, description, schedule, last_parsed_at, next_fire_at)
        SELECT 'dag_' || lpad(n::text, 5, '0'), n % 10 = 0, 'team_' || n % 40 || '/dag_' || n || '.yaml', ARRAY['team_' || n % 40],
               ARRAY['tag_' || n % 25], 'Number ' || n || ' of many', '{{"cron": ["0 6 * * *"]}}', now(), now() + n * interval '1 second'
        FROM generate_series(1, {DAGS}) n;
        INSERT INTO dag_version (dag_no, version_number, hash, ir, source)
        SELECT dag_no, 1, sha256(dag_id::bytea), jsonb_build_object('id', dag_id, 'tasks', '[{{"id": "only", "operator_kind": "bash"}}]'::jsonb), 'tasks: {{}}'
        FROM dag WHERE dag_id LIKE 'dag\\_%';
        UPDATE dag d SET version_no = v.version_no FROM dag_version v WHERE v.dag_no = d.dag_no;
        INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after, queued_at, state, n_success, started_at, ended_at, updated_at)
        SELECT ((current_date - date '1970-01-01')::bigint << 32) + row_number() OVER (), dag_no, version_no, 1, 'run_' || k,
               now() - (20 - k) * interval '1 hour', now(), CASE WHEN (dag_no + k) % 13 = 0 THEN 3 ELSE 2 END, 1,
               now() - (20 - k) * interval '1 hour', now() - (20 - k) * interval '1 hour' + (dag_no % 90 + 1) * interval '1 second', now()
        FROM dag, generate_series(1, 14) k WHERE dag_id LIKE 'dag\\_%';
        ANALYZE""")


def large_dag(world):
    each = TASKS // GROUPS
    tasks = [{"id": f"g{n // each:02}.task_{n:04}", "operator_kind": "bash", "upstream": [n - each] if n >= each else []} for n in range(TASKS)]
    world.add_dag("large", {"groups": [{"id": f"g{n:02}"} for n in range(GROUPS)], "tasks": tasks})
    for run in range(RUNS):
        number = world.add_run("large", f"run_{run:02}", state=2, ended="now()", counts=(TASKS, 0, 0))
        world.sql(f"""INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, priority, pool, queue, queued_at, state, cause, started_at, ended_at)
            SELECT {number}, n, -1, 1, dag_no, 1, 0, 1, 'default_pool', 'default', now(), CASE WHEN n % 997 = {run} THEN 5 ELSE 4 END, 13, now(), now()
            FROM generate_series(0, {TASKS - 1}) n, dag WHERE dag_id = 'large'""")


def mapped_run(world):
    world.add_dag("mapped", {"tasks": [{"id": "each", "operator_kind": "bash", "for_each": "{{ xcom.list }}"}]})
    run = world.add_run("mapped", "wide", state=1)
    world.sql(f"""INSERT INTO expansion VALUES ({run}, 0, {MAPPED}, (SELECT jsonb_agg(n) FROM generate_series(1, {MAPPED}) n));
        INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, priority, pool, queue, map_label, queued_at, state, cause, started_at, ended_at, error)
        SELECT {run}, 0, n, 1, dag_no, 1, 0, 1, 'default_pool', 'default', 'piece-' || n, now(), CASE WHEN n % 1009 = 0 THEN 5 ELSE 4 END, 13, now(), now(),
               CASE WHEN n % 1009 = 0 THEN 'exit code 3' END
        FROM generate_series(0, {MAPPED - 1}) n, dag WHERE dag_id = 'mapped'""")


def long_log(world):
    world.add_dag("talks", {"tasks": [{"id": "much", "operator_kind": "bash"}]})
    attempt = new_attempt()
    run = world.add_run("talks", "long", state=2, ended="now()", counts=(1, 0, 0))
    world.add_try(run, 0, 4, attempt=attempt)
    folder = world.home / "home/logs" / time.strftime("%Y-%m-%d", time.gmtime())
    folder.mkdir(parents=True, exist_ok=True)
    at = int(time.time() * 1000)
    with open(folder / f"{attempt}.log", "w") as log:
        log.writelines(f"{at + n} O line {n} of many, with as much text as a line has\n" for n in range(LINES))
    (folder / f"{attempt}.end").touch()


def walk(name, base, user, password):
    done = subprocess.run(["node", measure.ROOT / "bench/support/ui_walk.mjs", name, base, user, password], stdout=subprocess.PIPE, text=True, timeout=900)
    if done.returncode != 0:
        raise SystemExit(f"the walk {name} ended with {done.returncode}")
    return json.loads(done.stdout)


def at_size():
    with ApiWorld(settings=FOLDER, leader=False) as world:
        for make in (many_dags, large_dag, mapped_run, long_log):
            make(world)
        world.sql("VACUUM ANALYZE")
        world.ok("POST", "/api/headrace/v1/users", {"username": "eye", "password": "a heron by the weir", "role": "Admin"}, status=201)
        return walk("sizes", f"http://127.0.0.1:{world.port}", "eye", "a heron by the weir")


def as_it_happens():
    """The tasks of a chain end one after the other; each end is compared with the frame that showed it."""
    with Standalone({"api.ui_folder": measure.ROOT / "ui/dist"}) as system:
        system.write_dag("chain.yaml", "tasks:\n" + "".join(
            f"  t{n}: {{bash: 'sleep 0.4'{f', depends_on: [t{n - 1}]' if n else ''}}}\n" for n in range(20)))
        system.wait_dag("chain")
        return walk("changes", f"http://127.0.0.1:{system.web_port}", "admin", system.password())


def airflow():
    """[] when there is none to be had, or none is wanted."""
    if "--without-airflow" in sys.argv:
        return []
    if AirflowGrid.python() is None:
        print("  Airflow's page is left out: it cannot be installed from PyPI")
        return []
    with AirflowGrid(TASKS, GROUPS, RUNS) as peer:
        return walk("airflow", f"http://127.0.0.1:{peer.port}", "", "")


def main():
    ui_build()
    rows = []
    ours = at_size()
    grid = measure.percentile(next(values for what, _, values in ours if what.startswith("5 000 tasks") and what.endswith("first content")), 0.5)
    for what, _, values in airflow():
        value = measure.percentile(values, 0.5)
        rows.append((f"{what}, median; beside it our page", value, "ms", value / grid))
    for what, kind, values in ours + as_it_happens():
        budget = {"content": CONTENT_MS, "interaction": INTERACTION_MS, "change": CHANGE_MS}[kind]
        for name, share in (("median", 0.5), ("p95", 0.95)):
            value = measure.percentile(values, share)
            rows.append((f"{what}, {name}", value, "ms", value / budget))
    measure.report("ui", rows, load=os.getloadavg()[0], budgets={"content": CONTENT_MS, "interaction": INTERACTION_MS, "change": CHANGE_MS})


if __name__ == "__main__":
    main()
