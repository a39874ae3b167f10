# SPDX-License-Identifier: Apache-2.0
"""kill -9 of workers and wardens under work: every task ends in success, no two attempts of one ran at the same time, and what a
worker left running when it died alone ran once."""
import os
import random
import signal
import time

from headrace import Standalone, main, wait_for

COUNT = 40
SETTINGS = {"scheduler.lease_ttl": "3s", "scheduler.lease_renew": "500ms", "scheduler.lease_margin": "500ms",
            "scheduler.attempt_lease": "6s", "scheduler.attempt_lease_grace": "1s", "scheduler.standby_poll": "200ms",
            "scheduler.credit_ttl": "3s", "worker.inventory_interval": "500ms", "autoscale.default.max": 2,
            "autoscale.default.slots": 4, "core.max_map_length": COUNT}
# Each attempt writes its begin and its end in one append each, which never mix.
DAG = """
tasks:
  work:
    for_each: {numbers}
    bash: |
      echo "begin {{{{ ti.map_index }}}} $HEADRACE_ATTEMPT_ID $(date +%s%N)" >> {path}
      sleep 0.4
      echo "line of {{{{ ti.map_index }}}}"
      echo "end {{{{ ti.map_index }}}} $HEADRACE_ATTEMPT_ID $(date +%s%N)" >> {path}
"""


def kill_any(system, rand, kind):
    pids = system.pids_of(kind)
    if pids:
        try:
            os.kill(rand.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return False
    return bool(pids)


def attempts_of(path):
    """(map index, attempt) -> [begin, end or None]"""
    found = {}
    for line in path.read_text().splitlines():
        what, index, attempt, when = line.split()
        if what == "begin":
            found[int(index), attempt] = [int(when), None]
        else:
            found[int(index), attempt][1] = int(when)
    return found


def run_with_kills(system, rand, kinds, kills):
    path = system.home / "proof"
    system.write_dag("work.yaml", DAG.format(numbers=list(range(COUNT)), path=path))
    run = system.trigger("work")
    for _ in range(kills):
        wait_for(lambda: path.exists(), "the first task", 60)
        time.sleep(rand.uniform(0.2, 1.5))
        wait_for(lambda: kill_any(system, rand, rand.choice(kinds)), f"one of {kinds} to kill", 30)
    assert system.wait_run("work", run, 240)["state"] == "success", system.states("work", run)
    return attempts_of(path)


def one_at_a_time(attempts):
    by_index = {}
    for (index, _), (begin, end) in attempts.items():
        by_index.setdefault(index, []).append((begin, end))
    assert len(by_index) == COUNT
    for index, spans in by_index.items():
        spans.sort()
        assert any(end for _, end in spans), f"{index} never ended: {spans}"
        for (_, end), (begin, _) in zip(spans, spans[1:]):
            # One that was killed has no end; its successor began after its warden's death was noticed or its lease was over.
            assert end is None or end <= begin, f"two attempts of {index} at once: {spans}"


def seeded():
    seed = int(os.environ.get("HEADRACE_SEED", random.randrange(1 << 30)))
    print(f"  HEADRACE_SEED={seed}", flush=True)
    return random.Random(seed)


def killed_workers_lose_nothing():
    rand = seeded()
    with Standalone(SETTINGS) as system:
        attempts = run_with_kills(system, rand, ["headrace-worker"], 4)
        one_at_a_time(attempts)
        repeated = len(attempts) - COUNT
        # A worker that nobody restarts within the lease gives its tasks up; one that is restarted does not.
        print(f"  {repeated} of {COUNT} tasks ran again", flush=True)


def killed_wardens_cost_only_what_they_ran():
    rand = seeded()
    with Standalone(SETTINGS) as system:
        attempts = run_with_kills(system, rand, ["headrace-worker", "headrace-warden"], 5)
        one_at_a_time(attempts)
        print(f"  {len(attempts) - COUNT} of {COUNT} tasks ran again", flush=True)


if __name__ == "__main__":
    main(killed_workers_lose_nothing, killed_wardens_cost_only_what_they_ran)
