# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each part, at random moments of the main example: it still ends in success with the same counts.

Each round runs the example once while every kind of process is killed once, at a moment drawn at random; the seed is printed
and can be given back: HEADRACE_SEED=7 python3 tests/e2e/kill_test.py
"""
import json
import os
import random
import signal
import time

from headrace import Standalone, main, wait_for

ROUNDS = int(os.environ.get("HEADRACE_ROUNDS", "10"))
KINDS = ["headrace-scheduler", "headrace-worker", "headrace-warden", "headrace-webserver", "postgres"]
# Short leases: a silent loss is taken up again within seconds instead of minutes.
SETTINGS = {"scheduler.lease_ttl": "3s", "scheduler.lease_renew": "500ms", "scheduler.lease_margin": "500ms",
            "scheduler.attempt_lease": "6s", "scheduler.attempt_lease_grace": "1s", "scheduler.standby_poll": "200ms",
            "scheduler.credit_ttl": "3s", "worker.inventory_interval": "500ms", "autoscale.default.max": 2,
            "autoscale.default.slots": 4}
DAG = "debian_archive"


def kill_one(system, kind):
    """The oldest process of the kind: of PostgreSQL the postmaster, or one of its backends now and then."""
    pids = system.pids_of(kind)
    if pids:
        try:
            os.kill(pids[0], signal.SIGKILL)
        except ProcessLookupError:
            return False
    return bool(pids)


def counts(system, run):
    path = f"/api/v2/dags/{DAG}/dagRuns/{run}/taskInstances/checks.row_count/xcomEntries/return_value"
    return system.patiently(lambda: system.request("GET", path), "the counts")["value"]


def the_main_example_survives_every_kill():
    seed = int(os.environ.get("HEADRACE_SEED", random.randrange(1 << 30)))
    print(f"  seed {seed}", flush=True)
    rand = random.Random(seed)
    with Standalone(SETTINGS, examples=True) as system:
        system.wait_dag(DAG)
        began = time.monotonic()
        run = system.trigger(DAG)
        assert system.wait_run(DAG, run, 180)["state"] == "success", system.states(DAG, run)
        undisturbed = time.monotonic() - began
        expected = counts(system, run)
        print(f"  undisturbed: {undisturbed:.1f} s, {json.dumps(expected)[:200]}", flush=True)
        for number in range(ROUNDS):
            moments = sorted((rand.uniform(0, undisturbed), kind) for kind in KINDS)
            run = system.patiently(lambda: system.trigger(DAG), "a trigger")
            began = time.monotonic()
            for moment, kind in moments:
                wait_for(lambda at=began + moment: time.monotonic() >= at, "the moment of the kill", 120, 0.01)
                if not kill_one(system, kind):
                    wait_for(lambda k=kind: kill_one(system, k), f"a {kind} to kill", 30)
            state = system.wait_run(DAG, run, 240)["state"]
            print(f"  round {number + 1}: {state} after {time.monotonic() - began:.1f} s; killed "
                  + ", ".join(f"{kind} at {moment:.1f}" for moment, kind in moments), flush=True)
            assert state == "success", system.states(DAG, run)
            assert counts(system, run) == expected


if __name__ == "__main__":
    main(the_main_example_survives_every_kill)
