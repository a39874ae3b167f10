# SPDX-License-Identifier: Apache-2.0
"""`headrace standalone`: from nothing to healthy and back, whatever is killed in between."""
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

from headrace import Standalone, main, wait_for

HELLO = "tasks: {hello: {bash: echo hello}}"


def works(system):
    run = system.trigger("hello")
    assert system.wait_run("hello", run, 60)["state"] == "success"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def one_pid(system, program):
    pids = system.pids_of(program)
    return pids[0] if len(pids) == 1 else None


def postmaster(system):
    try:
        return int((system.home / "postgres/data/postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def everything_comes_from_nothing_and_ends_with_sigterm():
    with Standalone() as system:
        system.write_dag("hello.yaml", HELLO)
        works(system)
        for name in ("admin-password", "cli-token"):
            assert mode(system.home / name) == 0o600, name
        assert mode(system.home) & 0o007 == 0 and mode(system.home) & 0o060 == 0, oct(mode(system.home))
        assert "password " + system.password() in system.output()
        listening = subprocess.run(["ss", "-ltnp"], capture_output=True, text=True).stdout
        assert f"pid={postmaster(system)}," not in listening, "PostgreSQL is on its socket alone"
        done = system.cli("db", "reset", "--yes", check=False)
        assert done.returncode == 1 and "stop it first" in done.stderr, done
        system.stop()
        assert system.process.returncode == 0
        assert system.processes() == [], system.processes()

        system.cli("db", "reset", "--yes")
        assert system.processes() == [], "what was started for one command has ended with it"
        before = len(system.output())
        began = time.monotonic()
        system.start()
        print(f"  the second start took {time.monotonic() - began:.1f} s")
        assert "password " + system.password() not in system.output()[before:], "it is shown once"
        assert "new cluster" not in system.output()[before:]
        system.sign_in()  # the emptied database has the account again, with the password that is in its file
        works(system)


def what_is_healthy_has_all_that_examples_use():
    system = Standalone()
    try:
        system.launch()
        wait_for(system.is_healthy, "a healthy system", 60, 0.005)
        system.request("GET", "/api/v2/connections/warehouse")
        for name in ("data_folder", "examples_folder"):
            system.request("GET", f"/api/v2/variables/{name}")
    finally:
        system.__exit__(*sys.exc_info())


def what_dies_is_started_again():
    with Standalone() as system:
        system.write_dag("hello.yaml", HELLO)
        works(system)
        for program in ("headrace-scheduler", "headrace-webserver"):
            old = one_pid(system, program)
            os.kill(old, signal.SIGKILL)
            wait_for(lambda: one_pid(system, program) not in (None, old), f"another {program}")
            wait_for(system.is_healthy, "health after " + program, 60)
            works(system)
        old = postmaster(system)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: postmaster(system) not in (None, old), "another PostgreSQL", 60)
        wait_for(system.is_healthy, "health after PostgreSQL", 60)
        works(system)


def a_killed_supervisor_leaves_nothing_broken():
    with Standalone() as system:
        system.write_dag("hello.yaml", HELLO)
        system.write_dag("long.yaml", "tasks: {wait: {bash: 'touch $HEADRACE_CTX_RUN_ID.start; sleep 8; echo over', cwd: "
                         f"{system.home}/dags" "}}")
        works(system)
        run = system.trigger("long")
        wait_for(lambda: list((system.home / "dags").glob("*.start")), "the start of the task", 60)
        system.process.kill()
        system.process.wait()
        assert system.request("GET", "/api/v2/dags/hello")["dag_id"] == "hello", "the programs go on"
        for words, sentence in ((("standalone", "--status"), "without its supervisor"), (("doctor",), "it has ended")):
            done = system.cli(*words, check=False)
            assert done.returncode == 1 and sentence in done.stdout, done
        data = postmaster(system)
        system.start()
        assert postmaster(system) == data, "its PostgreSQL is taken over"
        works(system)
        assert system.wait_run("long", run, 60)["state"] == "success"
        assert len(system.tasks("long", run)) == 1 and system.tasks("long", run)[0]["try_number"] == 1, "its task went on"
        system.stop()
        assert system.processes() == [], system.processes()


def two_live_side_by_side():
    with Standalone() as one, Standalone() as two:
        for system in (one, two):
            system.write_dag("hello.yaml", HELLO)
        works(one)
        works(two)
        one.stop()
        works(two)
        assert "postgres" in {name for _, name in two.processes()}


def a_second_start_in_the_same_home_is_refused():
    with Standalone() as system:
        done = system.cli("standalone", check=False)
        assert done.returncode == 1 and "already" in done.stderr, done.stderr
        assert system.is_healthy()


def a_port_that_is_taken_is_named():
    with Standalone() as system:
        with tempfile.TemporaryDirectory(prefix="hr-", dir="/tmp") as home:
            done = system.cli("standalone", "--home", home, check=False)
            assert done.returncode == 1 and f"port {system.web_port} (api.port)" in done.stderr, done.stderr
            for name in ("api", "scheduler", "logging"):  # all of them at once
                assert f"({name}.port)" in done.stderr and f"--{name}.port=" in done.stderr, done.stderr
            assert not (pathlib.Path(home) / "postgres").exists(), "nothing was started before"


def detached_it_says_when_it_is_ready_and_can_be_asked_and_stopped():
    system = Standalone()
    try:
        done = system.cli("standalone", "--status", check=False)
        assert done.returncode == 1 and "not running" in done.stdout, done.stdout
        done = system.cli("standalone", "--detach")
        assert f"http://127.0.0.1:{system.web_port}" in done.stdout and system.password() in done.stdout, done.stdout
        assert system.password() not in (system.home / "run/standalone.log").read_text()
        done = system.cli("standalone", "--status")
        assert f":{system.web_port}" in done.stdout and "supervisor" not in done.stdout, done.stdout
        # Another terminal, which knows the home and none of the ports.
        environment = {"PATH": os.environ["PATH"], "HEADRACE_HOME": str(system.home)}
        for words in (["dags", "list"], ["db", "check"], ["doctor", "--core.load_examples=false"]):
            done = subprocess.run([system.bin / "headrace", *words], env=environment, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stdout + done.stderr
        assert "tasks that run have 20 s" in system.cli("standalone", "--stop").stdout
        assert system.processes() == [], system.processes()
        assert system.cli("standalone", "--stop").stdout == "  nothing runs\n"
    finally:
        system.cli("standalone", "--stop", check=False)
        shutil.rmtree(system.home)


def what_a_test_started_ends_with_it_even_when_it_is_killed():
    home = pathlib.Path(tempfile.mkdtemp(prefix="hr-", dir="/tmp"))
    script = "import sys, time; from headrace import Standalone; Standalone(home=sys.argv[1]).start(); print('up', flush=True); time.sleep(600)"
    test = subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True)
    try:
        assert test.stdout.readline() == "up\n"
        assert Standalone(home=home).processes()
    finally:
        test.kill()
        test.wait()
        test.stdout.close()
        wait_for(lambda: not Standalone(home=home).processes(), "the end of what it started", 60)
        shutil.rmtree(home)


def a_failing_start_says_why_and_leaves_nothing():
    system = Standalone()
    try:
        (system.home / "postgres").mkdir()
        (system.home / "postgres/data").mkdir()
        (system.home / "postgres/data/stray").write_text("x")
        done = system.cli("standalone", "--detach", check=False)
        assert done.returncode == 1 and "initdb" in done.stdout + done.stderr, done.stdout + done.stderr
        assert "not empty" in done.stdout + done.stderr, done.stdout + done.stderr
        assert system.processes() == []
    finally:
        shutil.rmtree(system.home)


def a_home_with_a_long_path_works():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hr-", dir="/tmp"))
    folder.chmod(0o755)
    home = folder / ("d" * 60) / ("e" * 60)
    home.mkdir(parents=True)
    try:
        with Standalone(home=home) as system:
            system.write_dag("hello.yaml", HELLO)
            works(system)
            assert system.cli("db", "check").returncode == 0
    finally:
        shutil.rmtree(folder)


def a_home_that_the_databases_user_cannot_reach_works():
    """PostgreSQL does not run as root, and a home below /root is closed to everybody else."""
    if os.geteuid() != 0:
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hr-", dir="/tmp"))  # mode 0700
    (folder / "home").mkdir()
    distant = None
    try:
        with Standalone(home=folder / "home") as system:
            system.write_dag("hello.yaml", HELLO)
            works(system)
            distant = pathlib.Path(os.readlink(system.home / "postgres/data")).parent
            assert distant.parent == pathlib.Path("/var/lib/headrace")
            assert mode(folder) == 0o700, "nothing above the home was opened"
    finally:
        if distant is not None:
            shutil.rmtree(distant)
        shutil.rmtree(folder)


def an_ordinary_user_needs_no_root():
    if os.geteuid() != 0:
        return  # then every other case shows it
    with Standalone(user="nobody") as system:
        system.write_dag("hello.yaml", HELLO)
        works(system)
        owners = {os.stat(f"/proc/{pid}").st_uid for pid, _ in system.processes()}
        assert owners == {system.home.stat().st_uid}, owners


if __name__ == "__main__":
    main(everything_comes_from_nothing_and_ends_with_sigterm, what_is_healthy_has_all_that_examples_use, what_dies_is_started_again,
         a_killed_supervisor_leaves_nothing_broken, two_live_side_by_side, a_second_start_in_the_same_home_is_refused,
         a_port_that_is_taken_is_named, detached_it_says_when_it_is_ready_and_can_be_asked_and_stopped,
         what_a_test_started_ends_with_it_even_when_it_is_killed, a_failing_start_says_why_and_leaves_nothing, a_home_with_a_long_path_works,
         a_home_that_the_databases_user_cannot_reach_works, an_ordinary_user_needs_no_root)
