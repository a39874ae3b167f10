# SPDX-License-Identifier: Apache-2.0
"""A private Headrace for a test that drives it from outside: own home under /tmp, free ports, all its processes ended at the end.

    with Standalone(settings={"autoscale.default.max": 4}) as system:
        system.write_dag("hello.yaml", "tasks: {a: {bash: 'true'}}")
        run = system.trigger("hello")
        assert system.wait_run("hello", run)["state"] == "success"
"""
import ctypes
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from api_schema import Description

BIN = pathlib.Path(os.environ.get("HEADRACE_BIN_DIR", pathlib.Path(__file__).parents[2] / "build/release/bin"))


def wait_for(condition, what, timeout=30.0, pause=0.05):
    """Polls until condition() is true and returns its answer; fails with what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:.0f} s for {what}")
        time.sleep(pause)


def free_ports(count):
    """Below the range that outgoing connections get theirs from: a worker that looks for a server that is away must not be
    given the very port it looks for."""
    ports = []
    while len(ports) < count:
        port = random.randrange(15000, 32000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        if port not in ports:
            ports.append(port)
    return ports


def environment_name(setting):
    section, key = setting.rsplit(".", 1)
    return f"HEADRACE__{section.replace('.', '_').upper()}__{key.upper()}"


def end_with_parent():
    """In a child: SIGTERM when the test that started it ends, however that comes (ctest kills one that takes too long)."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class ApiError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:300]}")
        self.status, self.body = status, body


class Standalone:
    def __init__(self, settings=None, examples=False, bin_dir=BIN, keep=False, home=None, user=None):
        """`home`: an empty folder instead of a new one below /tmp. `user`: a name, to be somebody else than root."""
        self.home = pathlib.Path(home or tempfile.mkdtemp(prefix="hr-", dir="/tmp"))
        self.user = user
        if user is not None:
            shutil.chown(self.home, user)
        self.bin = pathlib.Path(bin_dir)
        self.keep = keep
        self.web_port, scheduler_port, log_port = free_ports(3)
        self.settings = {"api.port": self.web_port, "scheduler.port": scheduler_port, "logging.port": log_port,
                         "worker.schedulers": f"127.0.0.1:{scheduler_port}", "api.schedulers": f"127.0.0.1:{scheduler_port}",
                         "worker.log_intake": f"127.0.0.1:{log_port}", "core.load_examples": str(examples).lower(),
                         "core.dags_are_paused_at_creation": "false", "autoscale.default.min": 1,
                         "autoscale.default.max": 1, "autoscale.default.slots": 8, **(settings or {})}
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")}
        self.env["HEADRACE_HOME"] = str(self.home)
        self.env.update({environment_name(k): str(v) for k, v in self.settings.items()})
        self.process = None
        self.token = self.description = None

    # ---- life ----

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def launch(self):
        with open(self.home / "standalone.log", "ab") as log:
            self.said_before = log.tell()
            self.process = subprocess.Popen([self.bin / "headrace", "standalone"], env=self.env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, preexec_fn=end_with_parent,
                                            user=self.user, group=self.user and "nogroup", extra_groups=self.user and [])

    def start(self, timeout=60):
        self.launch()
        wait_for(self.is_healthy, "a healthy system", timeout)
        wait_for(lambda: "Headrace is ready" in self.output()[self.said_before:], "the word that it is ready", timeout)

    def is_healthy(self):
        if self.process.poll() is not None:
            raise AssertionError(f"headrace standalone ended with {self.process.returncode}:\n{self.output()[-3000:]}")
        try:
            health = self.request("GET", "/api/v2/monitor/health", token=False)
        except (OSError, http.client.HTTPException, ApiError, ValueError):
            return False
        return all(health.get(part, {}).get("status") == "healthy" for part in ("metadatabase", "scheduler"))

    def stop(self, timeout=60):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"headrace standalone did not end within {timeout} s of SIGTERM") from None

    def __exit__(self, kind, value, trace):
        try:
            self.stop()
            if kind is None:
                self.assert_clean()
        finally:
            for pid, _ in self.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if kind is not None:
                sys.stderr.write(f"---- the end of the log of {self.home}\n{self.output()[-6000:]}\n")
            if not self.keep and kind is None:
                shutil.rmtree(self.home, ignore_errors=True)

    def assert_clean(self):
        """A program that a sanitizer or an assertion stopped was started anew, and nobody would notice."""
        for log in [self.home / "standalone.log", *(self.home / "run").glob("*.log")]:
            lines = log.read_text(errors="replace").splitlines()
            for number, line in enumerate(lines):
                if any(word in line for word in ("AddressSanitizer", "LeakSanitizer", "runtime error:", "assertion failed")):
                    raise AssertionError(f"{log.name}: " + "\n".join(lines[number:number + 50]))

    def output(self):
        return (self.home / "standalone.log").read_text(errors="replace")

    def processes(self):
        """(pid, program) of everything that runs with this home; tasks are not among them: their environment is clean."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                environ = (entry / "environ").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            name = os.path.basename(command[0]).decode(errors="replace")
            ours = f"HEADRACE_HOME={self.home}".encode() in environ and name.startswith("headrace")
            postgres = name in ("postgres", "postmaster") and any(str(self.home).encode() in word for word in command)
            if (ours or postgres) and state != "Z":
                found.append((int(entry.name), name))
        return sorted(found)

    def pids_of(self, program):
        return [pid for pid, name in self.processes() if name == program]

    # ---- asking ----

    def password(self):
        return (self.home / "admin-password").read_text().strip()

    def sign_in(self):
        answer = self.request("POST", "/auth/token", {"username": "admin", "password": self.password()}, token=False)
        self.token = answer["access_token"]

    def raw(self, method, path, body=None, token=True, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=timeout)
        try:
            headers = dict(headers or {})
            if token:
                if self.token is None:
                    self.sign_in()
                headers["Authorization"] = f"Bearer {self.token}"
            payload = None
            if body is not None:
                payload = json.dumps(body)
                headers["Content-Type"] = "application/json"
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        self.described().check(method, path, response.status, response.getheader("Content-Type"), content)
        return response.status, dict(response.getheaders()), content.decode(errors="replace")

    def described(self):
        """What /openapi.json says; nothing as long as it cannot be asked for."""
        if self.description is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=30)
            try:
                connection.request("GET", "/openapi.json")
                self.description = Description(json.loads(connection.getresponse().read()))
            finally:
                connection.close()
        return self.description

    def request(self, method, path, body=None, token=True, headers=None, timeout=30):
        status, _, text = self.raw(method, path, body, token, headers, timeout)
        if status >= 300:
            raise ApiError(status, text)
        return json.loads(text) if text else None

    def patiently(self, ask, what, timeout=60):
        """For a system that is being killed: repeats a question until it is answered."""
        def attempt():
            try:
                return [ask()]
            except (OSError, http.client.HTTPException, ApiError, ValueError) as problem:
                if isinstance(problem, ApiError) and problem.status < 500 and problem.status != 401:
                    raise
                return None
        return wait_for(attempt, what, timeout, 0.2)[0]

    def cli(self, *words, check=True, timeout=120):
        done = subprocess.run([self.bin / "headrace", *words], env=self.env, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"headrace {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def sql(self, query):
        conn = self.cli("config", "get-value", "database", "conn").stdout.strip()
        done = subprocess.run(["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", conn, "-c", query],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    # ---- working with DAGs ----

    def write_dag(self, name, text):
        folder = self.home / "dags"
        folder.mkdir(exist_ok=True)
        temporary = folder / f".{name}.new"
        temporary.write_text(text)
        temporary.rename(folder / name)

    def has_dag(self, dag):
        try:
            return self.request("GET", f"/api/v2/dags/{urllib.parse.quote(dag)}")
        except ApiError as problem:
            if problem.status == 404:
                return None
            raise

    def wait_dag(self, dag, timeout=30):
        return wait_for(lambda: self.has_dag(dag), f"DAG {dag}", timeout)

    def trigger(self, dag, conf=None, run_id=None):
        self.wait_dag(dag)
        body = {"logical_date": None, "conf": conf or {}}
        if run_id is not None:
            body["dag_run_id"] = run_id
        return self.request("POST", f"/api/v2/dags/{dag}/dagRuns", body)["dag_run_id"]

    def run(self, dag, run_id):
        return self.request("GET", f"/api/v2/dags/{dag}/dagRuns/{urllib.parse.quote(run_id)}")

    def wait_run(self, dag, run_id, timeout=120):
        def ended():
            run = self.patiently(lambda: self.run(dag, run_id), f"run {run_id}")
            return run if run["state"] in ("success", "failed") else None
        return wait_for(ended, f"the end of {dag} {run_id}", timeout, 0.1)

    def tasks(self, dag, run_id):
        path = f"/api/v2/dags/{dag}/dagRuns/{urllib.parse.quote(run_id)}/taskInstances?limit=100"
        first = self.request("GET", path)
        rows = first["task_instances"]
        while len(rows) < first["total_entries"]:
            rows += self.request("GET", f"{path}&offset={len(rows)}")["task_instances"]
        return rows

    def states(self, dag, run_id):
        """{task id, or (task id, map index) for mapped ones: state}"""
        return {row["task_id"] if row["map_index"] < 0 else (row["task_id"], row["map_index"]): row["state"]
                for row in self.tasks(dag, run_id)}

    def log(self, dag, run_id, task, try_number=1, map_index=-1):
        path = f"/api/v2/dags/{dag}/dagRuns/{urllib.parse.quote(run_id)}/taskInstances/{task}/logs/{try_number}?map_index={map_index}"
        content = self.request("GET", path, headers={"Accept": "application/json"})["content"]
        return "\n".join(line["event"] if isinstance(line, dict) else str(line) for line in content)


class Lock:
    """Holds what `statement` locks, so that whoever wants it stands there until it is released."""

    def __init__(self, system, statement):
        conn = system.cli("config", "get-value", "database", "conn").stdout.strip()
        self.is_released = False
        self.psql = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", conn], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write(f"BEGIN; {statement};\nSELECT 'held';\n")
        self.psql.stdin.flush()
        while "held" not in self.psql.stdout.readline():
            assert self.psql.poll() is None

    def release(self):
        self.is_released = True
        self.psql.stdin.close()
        self.psql.wait(30)
        self.psql.stdout.close()


def main(*tests):
    """Runs the tests named on the command line, or all; prints one line each."""
    wanted = sys.argv[1:]
    failed = 0
    for test in tests:
        if wanted and not any(word in test.__name__ for word in wanted):
            continue
        began = time.monotonic()
        try:
            test()
        except Exception:  # the others still say what they know
            import traceback
            traceback.print_exc()
            failed += 1
            verdict = "FAILED"
        else:
            verdict = "ok"
        print(f"{verdict:6} {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    sys.exit(1 if failed else 0)


