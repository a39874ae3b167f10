# SPDX-License-Identifier: Apache-2.0
"""SIGHUP reads the settings again, in every program, and ends none of them."""
import os
import signal

from headrace import Standalone, main, wait_for

PROGRAMS = ("headrace-scheduler", "headrace-worker", "headrace-webserver")


def hang_up(system):
    before = {program: system.pids_of(program) for program in PROGRAMS}
    for pids in before.values():
        assert len(pids) == 1, before
        os.kill(pids[0], signal.SIGHUP)
    return before


def words(system):
    return "".join(log.read_text(errors="replace") for log in [system.home / "standalone.log",
                                                               *(system.home / "run").glob("*.log")])


def a_reload_changes_what_may_change_and_says_what_waits():
    with Standalone() as system:
        wait_for(lambda: all(system.pids_of(program) for program in PROGRAMS), "all programs")
        wait_for(lambda: any(w["state"] == "present" for w in system.request("GET", "/api/headrace/v1/workers")["workers"]),
                 "the worker")
        # Not among the settings of the environment, which would win over the file.
        (system.home / "headrace.cfg").write_text("[scheduler]\ninbox_poll = 1s\ninfra_retries = 3\n[worker]\nkill_grace = 1s\n")
        before = hang_up(system)
        wait_for(lambda: words(system).count("reloaded") == 3, "three programs that have reloaded")
        assert words(system).count("settings_that_wait_for_a_restart=1") == 3 or \
            words(system).count('"settings_that_wait_for_a_restart":1') == 3, "infra_retries waits"
        assert {program: system.pids_of(program) for program in PROGRAMS} == before
        system.write_dag("after.yaml", "tasks: {a: {bash: 'true'}}")
        assert system.wait_run("after", system.trigger("after"))["state"] == "success"


def a_file_with_a_mistake_changes_nothing_and_is_told():
    with Standalone() as system:
        wait_for(lambda: all(system.pids_of(program) for program in PROGRAMS), "all programs")
        wait_for(lambda: any(w["state"] == "present" for w in system.request("GET", "/api/headrace/v1/workers")["workers"]),
                 "the worker")
        (system.home / "headrace.cfg").write_text("[scheduler]\ninbox_pol = 1s\n")
        before = hang_up(system)
        wait_for(lambda: words(system).count("reload_failed") == 3, "three programs that refuse")
        (system.home / "headrace.cfg").unlink()
        assert {program: system.pids_of(program) for program in PROGRAMS} == before


if __name__ == "__main__":
    main(a_reload_changes_what_may_change_and_says_what_waits, a_file_with_a_mistake_changes_nothing_and_is_told)
