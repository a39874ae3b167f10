# SPDX-License-Identifier: Apache-2.0
"""10 000 independent `true`, beside the bare spawn loop of the same run; and what the idle processes weigh."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import measure
from headrace import Standalone

TASKS = 10000


def main():
    settings = {"autoscale.default.slots": 16, "core.max_map_length": TASKS}
    with Standalone(settings) as system:
        idle = {name: sum(measure.pss_megabytes(pid) for pid in system.pids_of(name))
                for name in ("headrace-scheduler", "headrace-webserver", "headrace-worker", "headrace-warden")}
        system.write_dag("many.yaml", f"""
max_active_tasks: {TASKS}
tasks:
  list: {{exec: {{argv: [python3, -c, "import json; print(json.dumps(list(range({TASKS}))))"]}}}}
  work:
    depends_on: [list]
    for_each: "{{{{ xcom.list | fromjson }}}}"
    exec: [/bin/true]
    pool: wide
""")
        system.cli("pools", "set", "wide", str(TASKS), "for the bench")
        before = measure.limits(system)
        run = system.trigger("many")
        assert system.wait_run("many", run, 600)["state"] == "success"
        after = measure.limits(system)
        seconds = float(system.sql("SELECT extract(epoch FROM max(ended_at) - min(started_at)) FROM try WHERE map_index >= 0"))
        written = system.sql("SELECT sum(n_tup_upd), sum(n_tup_hot_upd) FROM pg_stat_user_tables WHERE relname LIKE 'try%'")
    rate, bare = TASKS / seconds, max(before["spawns_per_s"], after["spawns_per_s"])
    updates, hot = (int(word) for word in written.split("|"))
    measure.report("spawn", [
        ("tasks per second, a process each", rate, "1/s", rate / bare),
        ("bare spawn loop", bare, "1/s", None),
        ("HOT share of the updates", 100 * hot / max(updates, 1), "%", None),
        *((f"idle memory of {name} (PSS)", size, "MB", None) for name, size in idle.items()),
        ("idle memory, sum", sum(idle.values()), "MB", None),
    ], tasks=TASKS, limits_before=before, limits_after=after)


if __name__ == "__main__":
    main()
