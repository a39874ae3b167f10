# SPDX-License-Identifier: Apache-2.0
"""depends_on_past, seen from outside: a run that has ended is looked up, whoever leads."""
import os
import signal

from headrace import ApiError, Standalone, main, wait_for

DAG = """
tasks:
  load: {depends_on_past: true, bash: 'test {{ ds_nodash }} != 20260101 || test -e %s/mended'}
"""


def trigger(system, day):
    return system.request("POST", "/api/v2/dags/chain/dagRuns", {"logical_date": f"2026-01-{day:02}T00:00:00Z"})["dag_run_id"]


def a_run_waits_for_the_run_before_also_after_the_scheduler_was_killed():
    with Standalone() as system:
        system.write_dag("chain.yaml", DAG % system.home)
        system.wait_dag("chain")
        first = trigger(system, 1)
        assert system.wait_run("chain", first)["state"] == "failed"
        second = trigger(system, 2)
        wait_for(lambda: system.run("chain", second)["state"] == "running", "the second run")
        os.kill(system.pids_of("headrace-scheduler")[0], signal.SIGKILL)
        third = trigger_patiently(system, 3)
        wait_for(lambda: system.run("chain", third)["state"] == "running", "the third run", 60)
        assert all(state in (None, "none") for state in system.states("chain", second).values()), system.states("chain", second)
        (system.home / "mended").touch()
        system.request("POST", f"/api/v2/dags/chain/dagRuns/{first}/clear", {"dry_run": False})
        for run in (first, second, third):
            assert system.wait_run("chain", run)["state"] == "success"


def trigger_patiently(system, day):
    """A scheduler that is away makes the first request time out and be done later."""
    def ask():
        try:
            return trigger(system, day)
        except ApiError as problem:
            if problem.status != 409:
                raise
            return f"manual__2026-01-{day:02}T00:00:00+00:00"
    return system.patiently(ask, "a run")


main(a_run_waits_for_the_run_before_also_after_the_scheduler_was_killed)
