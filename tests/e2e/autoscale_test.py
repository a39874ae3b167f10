# SPDX-License-Identifier: Apache-2.0
"""Workers rise with the demand and fall after the quiet period; nothing is lost or run twice on the way."""
import pathlib
import time

from headrace import Standalone, main, wait_for

SETTINGS = {"autoscale.default.min": 1, "autoscale.default.max": 4, "autoscale.default.slots": 5,
            "autoscale.default.quiet": "2s", "worker.inventory_interval": "500ms"}


def present_workers(system):
    return [w for w in system.request("GET", "/api/headrace/v1/workers")["workers"] if w["state"] == "present"]


def burst(count, seconds, marks):
    """A DAG of `count` tasks that each leave one mark a start."""
    return f"""
max_active_tasks: 1000
tasks:
  work:
    for_each: {list(range(count))}
    bash: echo "{{{{ item }}}} $HEADRACE_CTX_TRY_NUMBER" >> {marks}/{{{{ run_id }}}}; sleep {seconds}
"""


def assert_each_ran_once(system, dag, run, marks, count):
    assert system.run(dag, run)["state"] == "success", system.states(dag, run)
    lines = sorted(int(line.split()[0]) for line in (marks / run).read_text().splitlines())
    assert lines == list(range(count)), f"{len(lines)} starts of {count} tasks"
    assert all(row["try_number"] == 1 for row in system.tasks(dag, run))


def sixty_tasks_raise_four_workers_and_one_stays():
    with Standalone(SETTINGS) as system:
        marks = pathlib.Path(system.home / "marks")
        marks.mkdir(mode=0o777)
        system.write_dag("burst.yaml", burst(60, 2, marks))
        system.wait_dag("burst")
        wait_for(lambda: len(present_workers(system)) == 1, "one worker")
        run = system.trigger("burst")
        # Demand stands with the commit of the run; four processes are to be there within a second, give or take their start.
        began = time.monotonic()
        wait_for(lambda: len(system.pids_of("headrace-worker")) == 4, "four workers", 60, 0.02)
        rise = time.monotonic() - began
        print(f"  four worker processes {rise:.2f} s after the trigger was answered")
        wait_for(lambda: len(present_workers(system)) == 4, "four workers that offer slots", 60)
        system.wait_run("burst", run, 120)
        assert_each_ran_once(system, "burst", run, marks, 60)
        wait_for(lambda: len(system.pids_of("headrace-worker")) == 1, "one worker again", 120)
        queue = system.request("GET", "/api/headrace/v1/autoscaling")["queues"][0]
        reasons = [event["reason"] for event in queue["events"]]
        assert reasons and all(reasons), "every decision has its reason"


def bursts_at_the_moment_of_scale_in_lose_nothing():
    with Standalone({**SETTINGS, "autoscale.default.quiet": "500ms"}) as system:
        marks = pathlib.Path(system.home / "marks")
        marks.mkdir(mode=0o777)
        system.write_dag("burst.yaml", burst(30, 0.2, marks))
        system.wait_dag("burst")
        runs = []
        for _ in range(6):
            runs.append(system.trigger("burst"))
            system.wait_run("burst", runs[-1], 60)
            # The next burst comes just when a worker is being drained.
            wait_for(lambda: len(present_workers(system)) < 4, "a worker that leaves", 30, 0.01)
        for run in runs:
            assert_each_ran_once(system, "burst", run, marks, 30)


if __name__ == "__main__":
    main(sixty_tasks_raise_four_workers_and_one_stays, bursts_at_the_moment_of_scale_in_lose_nothing)
