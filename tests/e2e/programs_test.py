# SPDX-License-Identifier: Apache-2.0
"""Scheduler, worker and web server as programs: their words, what they refuse, and how they end without a database."""
import os
import signal
import socket
import subprocess
import tempfile

from headrace import BIN, main, wait_for

PROGRAMS = ("headrace-scheduler", "headrace-worker", "headrace-webserver")
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def run(program, *words):
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run([BIN / program, *words], env={**os.environ, "HEADRACE_HOME": home}, capture_output=True, text=True, timeout=120)


def each_says_its_release_and_its_use():
    for program in PROGRAMS:
        release, use = run(program, "--version"), run(program, "--help")
        assert release.returncode == 0 and release.stdout.split()[0] == program, release
        assert use.returncode == 0 and f"{program} --version | --help" in use.stdout, use


def each_refuses_a_word_or_a_value_that_it_does_not_know():
    for program in PROGRAMS:
        word, value = run(program, "--nonsense"), run(program, "--api.port=x")
        assert word.returncode == 2 and "'--nonsense' is no flag of it" in word.stderr, word
        assert value.returncode == 2 and '"x" is not a whole number' in value.stderr, value


def a_port_that_is_taken_is_said_and_ends_the_program():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run("headrace-webserver", f"--api.port={port}", f"--database.conn={NOWHERE}")
        assert refused.returncode == 1 and str(port) in refused.stderr, refused


def a_scheduler_that_waits_for_its_database_ends_at_once_when_told():
    with tempfile.TemporaryDirectory() as home, open(f"{home}/log", "w+") as log:
        scheduler = subprocess.Popen([BIN / "headrace-scheduler", f"--database.conn={NOWHERE}"], env={**os.environ, "HEADRACE_HOME": home}, stderr=log)
        try:
            wait_for(lambda: "database_away" in open(log.name).read(), "the scheduler waits")
            scheduler.send_signal(signal.SIGTERM)
            assert scheduler.wait(60) == -signal.SIGTERM
        finally:
            scheduler.kill()
            scheduler.wait()


if __name__ == "__main__":
    main(each_says_its_release_and_its_use, each_refuses_a_word_or_a_value_that_it_does_not_know,
         a_port_that_is_taken_is_said_and_ends_the_program, a_scheduler_that_waits_for_its_database_ends_at_once_when_told)
