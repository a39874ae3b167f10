# SPDX-License-Identifier: Apache-2.0
"""Cost follows change: tasks per second and the time of a hop while something else grows - the number of DAGs, of tasks that wait
behind a full pool, of rows of finished history, and the width of fan-out and fan-in. Each value stands beside the first of its
own curve. `./dev bench scale quick` goes a tenth of the way; `./dev bench scale plot` draws the pictures anew from the figures
that are kept."""
import json
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import measure
import plot
from headrace import Standalone, wait_for

CHAIN, BURST, REPEATS = 60, 2000, 3
MAP_MAX = 100000
DOCUMENTS_A_FILE = 2000
PART = 10 if "quick" in sys.argv[1:] else 1
DAGS = [10, 1000, 10000, 100000 // PART]
WAITING = [0, 10000, 100000, 1000000 // PART]
HISTORY = [0, 100000, 1000000, 10000000 // PART]
WIDTH = [100, 1000, 10000, 100000 // PART]

PROBES = {
    "chain.yaml": "dag_id: chain\nmax_active_runs: 1\ntasks:\n" + "".join(
        f'  t{i}: {{exec: ["{measure.STAMP}", "{{{{ params.path }}}}"]{f", depends_on: [t{i - 1}]" if i else ""}}}\n'
        for i in range(CHAIN)) + "params: {path: {type: string}}\n",
    "burst.yaml": f"""dag_id: burst
max_active_tasks: {MAP_MAX}
params: {{width: {{type: integer}}}}
tasks:
  list: {{exec: [python3, -c, "import json, sys; print(json.dumps(list(range(int(sys.argv[1])))))", "{{{{ params.width }}}}"]}}
  work: {{depends_on: [list], for_each: "{{{{ xcom.list | fromjson }}}}", exec: [/bin/true], pool: wide}}
  join: {{depends_on: [work], empty: {{}}}}
""",
    "waiters.yaml": f"""dag_id: waiters
max_active_tasks: {MAP_MAX}
max_active_runs: 1000
params: {{width: {{type: integer}}}}
tasks:
  list: {{exec: [python3, -c, "import json, sys; print(json.dumps(list(range(int(sys.argv[1])))))", "{{{{ params.width }}}}"]}}
  wait: {{depends_on: [list], for_each: "{{{{ xcom.list | fromjson }}}}", exec: [/bin/true], pool: shut}}
""",
}


def ended(system, dag, conf):
    run = system.trigger(dag, conf)
    assert system.wait_run(dag, run, 900)["state"] == "success", (dag, conf)
    return run


def hop_ms(system):
    taken = []
    for _ in range(REPEATS):
        path = system.home / "stamps"
        path.unlink(missing_ok=True)
        ended(system, "chain", {"path": str(path)})
        stamps = sorted(struct.iter_unpack("=qq", path.read_bytes()))
        taken += [(start - end) / 1e6 for (_, end), (start, _) in zip(stamps, stamps[1:])]
    return measure.percentile(taken, .5)


def per_second(system, width):
    run = ended(system, "burst", {"width": width})
    seconds = float(system.sql(
        "SELECT extract(epoch FROM max(t.ended_at) - min(t.started_at)) FROM try t JOIN run_key k USING (run_no)"
        f" WHERE k.run_id = '{run}' AND t.map_index >= 0"))
    return width / seconds


def more_dags(system, count):
    """Files of many small documents, until so many DAGs are there."""
    have = int(system.sql("SELECT count(*) FROM dag"))
    while have < count:
        size = min(DOCUMENTS_A_FILE, count - have)
        system.write_dag(f"many_{have}.yaml", "---\n".join(f"dag_id: many_{have + i}\ntasks: {{a: {{exec: [/bin/true]}}}}\n"
                                                            for i in range(size)))
        have += size
    wait_for(lambda: int(system.sql("SELECT count(*) FROM dag")) >= count, f"{count} DAGs", 1800, 0.5)


def more_waiting(system, count):
    have = more_waiting.have
    while have < count:
        size = min(MAP_MAX, count - have)
        run = system.trigger("waiters", {"width": size})
        wait_for(lambda: system.sql(f"SELECT 1 FROM expansion JOIN run_key USING (run_no) WHERE run_id = '{run}'") == "1",
                 f"{size} tasks that wait", 300)
        have += size
    more_waiting.have = have


more_waiting.have = 0


HISTORY_STEP = 1000000


def add_history(system, first, last):
    """Runs `old_FIRST` to `old_LAST` and their thousand tasks each."""
    system.sql(f"""
INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after, queued_at, state, started_at, ended_at, updated_at)
SELECT m.run_no + n + 8000000, d.dag_no, d.version_no, 0, 'old_' || n, now(), now(), 2, now(), now(), now()
FROM (SELECT min(run_no) AS run_no FROM run WHERE run_id NOT LIKE 'old_%') m, dag d, generate_series({first}, {last}) n
WHERE d.dag_id = 'chain'""")
    system.sql(f"""
INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, attempt, priority, pool, queue, queued_at, state, cause,
                 started_at, ended_at)
SELECT r.run_no, 0, i, 1, r.dag_no, 1, 0, gen_random_uuid(), 1, 'default_pool', 'default', now(), 4, 1, now(), now()
FROM run r, generate_series(0, 999) i WHERE r.run_id LIKE 'old_%' AND substr(r.run_id, 5)::int BETWEEN {first} AND {last}""")


def more_history(system, count):
    """Rows of tasks that ended, a thousand a run, in the partition of today as all that runs today."""
    while more_history.have < count:
        step = min(HISTORY_STEP, count - more_history.have)
        add_history(system, more_history.have // 1000, (more_history.have + step) // 1000 - 1)
        more_history.have += step
    system.sql("ANALYZE")


more_history.have = 0


def curve(rows, facts, system, name, sizes, grow):
    first = None
    for size in sizes:
        began = time.monotonic()
        grow(system, size)
        grown = time.monotonic() - began
        hop, rate = hop_ms(system), max(per_second(system, BURST) for _ in range(REPEATS))
        first = first or (hop, rate)
        facts.append({"curve": name, "size": size, "hop_ms": hop, "per_s": rate, "seconds_to_grow": grown})
        rows += [(f"{name} {size}: hop p50", hop, "ms", hop / first[0]), (f"{name} {size}: tasks", rate, "1/s", rate / first[1])]
        print(f"  {name} {size}: hop {hop:.2f} ms ({hop / first[0]:.2f} x), {rate:.0f} tasks/s ({rate / first[1]:.2f} x)", flush=True)


ACROSS = {"DAGs": "DAGs", "waiting": "tasks that wait behind a full pool", "history": "rows of finished history",
          "width": "width of fan-out and fan-in"}


def draw():
    """A picture a curve, from what the last run kept."""
    points = json.loads((measure.RESULTS / "scale.json").read_text())["points"]
    for name, across in ACROSS.items():
        of_curve = [point for point in points if point["curve"] == name]
        panels = [("tasks per second", across, [(point["size"], point["per_s"]) for point in of_curve], 0)]
        if "hop_ms" in of_curve[0]:
            panels.append(("from a task's end to the next start, ms", across,
                           [(point["size"], point["hop_ms"]) for point in of_curve], 2))
        plot.svg(measure.RESULTS / f"scale_{name.lower()}.svg", f"Tasks per second and the time of a hop against {across}", panels)


def a_system():
    return Standalone({"autoscale.default.slots": 16, "core.max_map_length": MAP_MAX})


def probes(system):
    for name, text in PROBES.items():
        system.write_dag(name, text)
    system.cli("pools", "set", "wide", "-1", "for the bench")
    system.cli("pools", "set", "shut", "0", "nothing comes through")
    system.home.chmod(0o755)
    per_second(system, BURST)  # warm


def main():
    rows, facts = [], []
    for name, sizes, grow in (("DAGs", DAGS, more_dags), ("waiting", WAITING, more_waiting), ("history", HISTORY, more_history)):
        with a_system() as system:
            probes(system)
            curve(rows, facts, system, name, sizes, grow)
    with a_system() as system:
        probes(system)
        first = None
        for width in WIDTH:
            rate = max(per_second(system, width) for _ in range(REPEATS if width <= 1000 else 1))
            first = first or rate
            facts.append({"curve": "width", "size": width, "per_s": rate})
            rows.append((f"width {width}: tasks", rate, "1/s", rate / first))
            print(f"  width {width}: {rate:.0f} tasks/s ({rate / first:.2f} x)", flush=True)
    measure.report("scale", rows, points=facts)
    draw()


if __name__ == "__main__":
    draw() if "plot" in sys.argv[1:] else main()
