# SPDX-License-Identifier: Apache-2.0
"""From one task's end to the next one's start: a chain of 200 native tasks, beside the floor of the same run (one commit, a
message there and one back, one spawn). The tasks themselves write down when they ran (stamp.c)."""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import measure
from headrace import Standalone

TASKS = 200
RUNS = 3


def chain(path):
    lines = ["tasks:"]
    for i in range(TASKS):
        after = f", depends_on: [t{i - 1}]" if i else ""
        lines.append(f'  t{i}: {{exec: ["{measure.STAMP}", "{path}-{{{{ run_id }}}}"]{after}}}')
    return "\n".join(lines) + "\n"


def hops(path):
    stamps = sorted(struct.iter_unpack("=qq", pathlib.Path(path).read_bytes()))
    assert len(stamps) == TASKS, f"{len(stamps)} starts of {TASKS} tasks"
    return [(start - ended) / 1000 for (_, ended), (start, _) in zip(stamps, stamps[1:])]


def main():
    with Standalone({"autoscale.default.slots": 2}) as system:
        before = measure.limits(system)
        path = system.home / "stamps"
        system.home.chmod(0o755)
        system.write_dag("chain.yaml", chain(path))
        taken = []
        for i in range(RUNS + 1):
            run = system.trigger("chain", run_id=f"r{i}")
            assert system.wait_run("chain", run, 300)["state"] == "success"
            if i > 0:  # the first one warms up
                taken += hops(f"{path}-{run}")
        after = measure.limits(system)
    floors = {p: sum(min(b[k][p], a[k][p]) for k in ("commit", "message_there_and_back", "spawn_to_main"))
              for p in ("p50_us", "p99_us") for b, a in [(before, after)]}
    p50, p99 = measure.percentile(taken, .5), measure.percentile(taken, .99)
    measure.report("hop", [
        ("hop p50", p50 / 1000, "ms", p50 / floors["p50_us"]),
        ("hop p99", p99 / 1000, "ms", p99 / floors["p99_us"]),
        ("floor p50: commit + 2 messages + spawn", floors["p50_us"] / 1000, "ms", None),
        ("floor p99", floors["p99_us"] / 1000, "ms", None),
    ], tasks=TASKS, runs=RUNS, limits_before=before, limits_after=after)


if __name__ == "__main__":
    main()
