# SPDX-License-Identifier: Apache-2.0
"""A web server on a database of its own, without a scheduler: rows are put in by SQL, and a small leader answers the inbox.

    with ApiWorld() as world:
        world.sql("INSERT INTO ...")
        status, body = world.get("/api/v2/dags")
"""
import http.client
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

from headrace import free_ports, wait_for

from api_schema import Description

SOURCE = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(os.environ.get("HEADRACE_BIN_DIR", SOURCE / "build/dev/bin"))
PG_BIN = next(iter(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
ERR = {"NOT_FOUND": -5002, "EXISTS": -5003, "CONFLICT": -5004, "UNPROCESSABLE": -5007}


def free_port():
    return free_ports(1)[0]


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (dict, list)):
        value = json.dumps(value)
    return "'" + str(value).replace("'", "''") + "'"


class Postgres:
    """A private server on a Unix socket; as user postgres when we are root."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.data, self.run = self.folder / "data", self.folder / "run"
        self.prefix = []
        self.run.mkdir()
        if os.getuid() == 0:
            self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            owner = pwd.getpwnam("postgres")
            for path in (self.folder, self.run):
                os.chown(path, owner.pw_uid, owner.pw_gid)
            self.folder.chmod(0o755)
        self._call("initdb", "-D", self.data, "-U", "headrace", "-A", "trust", "--no-sync", "-E", "UTF8")
        self.start()

    def _call(self, program, *args, check=True):
        return subprocess.run([*self.prefix, PG_BIN / program, *map(str, args)], check=check, cwd="/", stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        """Ends with the test, however that ends."""
        ids = self.prefix[1:]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(["setpriv", *ids, "--pdeathsig", "INT", PG_BIN / "postgres", "-D", self.data, "-k", self.run,
                                             "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50"],
                                            cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.is_ready, "PostgreSQL", 120)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended with {self.process.returncode}: {(self.folder / 'log').read_text()[-2000:]}")
        return self._call("pg_isready", "-q", "-h", self.run, "-U", "headrace", check=False).returncode == 0

    def stop(self, mode="immediate"):
        self._call("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop", check=False)
        self.process.wait(60)

    def conninfo(self, database="headrace"):
        return f"host={self.run} user=headrace dbname={database}"


class ApiWorld:
    def __init__(self, settings=None, leader=True):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="hr-api-", dir="/tmp"))
        (self.home / "pg").mkdir()
        (self.home / "home").mkdir(mode=0o750)
        self.home.chmod(0o755)
        self.settings = settings or {}
        self.port, self.log_port = free_port(), free_port()
        self.process = self.psql = None
        self.wants_leader, self.leader_stops, self.answers = leader, threading.Event(), []
        self.sql_lock = threading.Lock()
        self.description = None

    def __enter__(self):
        try:
            self.pg = Postgres(self.home / "pg")
            subprocess.run(["psql", "-qX", "-d", f"host={self.pg.run} user=headrace dbname=postgres", "-c", "CREATE DATABASE headrace"], check=True)
            for file in sorted((SOURCE / "sql/migrations").glob("*.sql")):
                self.sql(file.read_text())
            self.sql("SELECT ensure_partitions(current_date - 2, current_date + 2)")
            self.start()
            self.token = (self.home / "home/cli-token").read_text().strip()
            if self.wants_leader:
                self.sql("UPDATE lease SET holder = 'small', epoch = 1, expires_at = now() + interval '1 day'")
                self.leader = threading.Thread(target=self._lead, daemon=True)
                self.leader.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.leader_stops.set()
        failed = self.stop()
        self.pg.stop()
        if kind is not None or failed:
            print((self.home / "web.log").read_text()[-6000:])
        shutil.rmtree(self.home, ignore_errors=True)
        if kind is None and failed:
            raise AssertionError(f"the web server ended with {failed}")

    def start(self):
        env = {"PATH": os.environ["PATH"], "HEADRACE_HOME": str(self.home / "home"), "HEADRACE__DATABASE__CONN": self.pg.conninfo(),
               "HEADRACE__API__PORT": str(self.port), "HEADRACE__LOGGING__PORT": str(self.log_port),
               "HEADRACE__API__SCHEDULERS": f"127.0.0.1:{free_port()}", "HEADRACE__LOGGING__LEVEL": "debug",
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""), **{f"HEADRACE__{k.upper()}": str(v) for k, v in self.settings.items()}}
        with open(self.home / "web.log", "ab") as log:
            self.process = subprocess.Popen([BIN / "headrace-webserver"], env=env, stdout=log, stderr=log)
        wait_for(self._is_healthy, "the web server")
        self.description = Description(self.openapi())

    def openapi(self):
        return self.call("GET", "/openapi.json", token=None)[1]

    def _is_healthy(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the web server ended: {(self.home / 'web.log').read_text()[-3000:]}")
        try:
            status, health = self.call("GET", "/api/v2/monitor/health", token=None)
            return status == 200 and health["metadatabase"]["status"] == "healthy"
        except OSError:
            return False

    def health(self):
        return self.call("GET", "/api/v2/monitor/health", token=None)[1]

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        return code

    # ---- the database ----

    def sql(self, text):
        done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", self.pg.conninfo()], input=text, text=True,
                              capture_output=True)
        if done.returncode != 0:
            raise AssertionError(f"{done.stderr}\n{text[:500]}")
        return done.stdout.strip()

    def insert(self, table, **columns):
        return self.sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(map(literal, columns.values()))})")

    # ---- HTTP ----

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def call(self, method, path, body=None, token="owner", headers=None, raw=False):
        """(status, JSON body) or, raw, (status, headers, bytes)."""
        connection = self.connect()
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {self.token if token == 'owner' else token}"
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if self.description is not None:
            self.description.check(method, path, answer.status, answer.headers.get("Content-Type"), content)
        if raw:
            return answer.status, answer.headers, content
        return answer.status, json.loads(content) if content else None

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def ok(self, method, path, body=None, status=200, **more):
        got, answer = self.call(method, path, body, **more)
        if got != status:
            raise AssertionError(f"{method} {path}: {got} instead of {status}: {answer}")
        return answer

    # ---- a small leader ----

    def stop_leader(self):
        self.leader_stops.set()
        self.leader.join()
        self.sql("UPDATE lease SET expires_at = '-infinity'")

    def _lead(self):
        while not self.leader_stops.wait(0.1):
            try:
                rows = self.sql("SELECT json_build_array(request_no, body) FROM inbox ORDER BY request_no")
                for line in rows.splitlines():
                    number, request = json.loads(line)
                    code, answer = self.answer(request)
                    self.answers.append(request)
                    self.sql(f"BEGIN; INSERT INTO inbox_answer VALUES ({number}, {code}, {literal(json.dumps(answer))}); "
                             f"DELETE FROM inbox WHERE request_no = {number}; COMMIT")
            except AssertionError:
                if not self.leader_stops.is_set() and self.pg_is_up():
                    raise

    def pg_is_up(self):
        return subprocess.run(["psql", "-qX", "-d", self.pg.conninfo(), "-c", ""], capture_output=True).returncode == 0

    def answer(self, request):
        """What the leader does with a request, in short: enough for the web server to show what became of it."""
        kind, dag_id, run_id = request["kind"], request.get("dag_id", ""), request.get("run_id", "")
        dag_no = self.sql(f"SELECT dag_no FROM dag WHERE dag_id = {literal(dag_id)}") if dag_id else ""
        if dag_id and not dag_no:
            return ERR["NOT_FOUND"], f"there is no DAG {dag_id}"
        run_no = self.sql(f"SELECT run_no FROM run_key WHERE dag_no = {dag_no} AND run_id = {literal(run_id)}") if run_id else ""
        if kind == "trigger":
            if run_no:
                return ERR["EXISTS"], f"there is a run {run_id} of {dag_id} already"
            if (request.get("conf") or {}).get("region") == "mars":
                return ERR["UNPROCESSABLE"], "region: mars is none of eu, us"
            self.add_run(dag_id, run_id, state=0, conf=request.get("conf") or {}, triggered_by=request.get("actor", ""),
                         note=request.get("note"), logical_ms=request.get("logical_ms"))
            return 0, {"run_id": run_id}
        if run_id and not run_no:
            return ERR["NOT_FOUND"], f"there is no run {run_id} of {dag_id}"
        if kind == "pause":
            self.sql(f"UPDATE dag SET is_paused = {literal(request.get('paused', False))} WHERE dag_no = {dag_no}")
        elif kind == "mark_run":
            state = ["queued", "running", "success", "failed"].index(request["run_state"])
            self.sql(f"UPDATE run SET state = {state}, ended_at = now() WHERE run_no = {run_no}")
        elif kind == "delete_run":
            self.sql(f"DELETE FROM try WHERE run_no = {run_no}; DELETE FROM run WHERE run_no = {run_no}; "
                     f"DELETE FROM run_key WHERE run_no = {run_no}; DELETE FROM live_run WHERE run_no = {run_no}")
        elif kind == "delete_dag":
            self.sql(f"DELETE FROM dag WHERE dag_no = {dag_no}")
        elif kind == "clear":
            only = "AND state IN (5, 7)" if request.get("only_failed") else ""
            self.sql(f"UPDATE try SET cleared = true WHERE run_no = {run_no} {only}")
        elif kind == "mark_tasks":
            ids = [t["task_id"] for t in request["tasks"]]
            self.sql(f"UPDATE try SET state = 4 WHERE run_no = {run_no} AND task IN (SELECT n - 1 FROM dag d JOIN dag_version v USING (version_no), "
                     f"jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS t (task, n) WHERE d.dag_no = {dag_no} "
                     f"AND t.task ->> 'id' IN ({', '.join(map(literal, ids))}))")
        elif kind == "drain_worker":
            self.sql(f"UPDATE worker SET state = {1 if request.get('drain') else 0}, reason = {literal(request.get('note', ''))} "
                     f"WHERE worker_no = {request['worker_no']}")
        return 0, {}

    # ---- rows ----

    def add_dag(self, dag_id, ir, paused=False, source="dag_id: x", **columns):
        ir = {"id": dag_id, **ir}
        self.sql(f"INSERT INTO dag (dag_id, is_paused, fileloc, owners, tags, description, schedule, last_parsed_at, next_fire_at) VALUES "
                 f"({literal(dag_id)}, {literal(paused)}, {literal(columns.get('fileloc', dag_id + '.yaml'))}, "
                 f"ARRAY[{literal(ir.get('owner', 'ada'))}], ARRAY(SELECT jsonb_array_elements_text({literal(ir.get('tags', []))})), "
                 f"{literal(ir.get('description'))}, {literal(ir.get('schedule'))}, now(), {columns.get('next_fire', 'NULL')}) "
                 f"ON CONFLICT DO NOTHING; "
                 f"WITH v AS (INSERT INTO dag_version (dag_no, version_number, hash, ir, source) "
                 f"SELECT dag_no, coalesce((SELECT max(version_number) FROM dag_version v WHERE v.dag_no = d.dag_no), 0) + 1, "
                 f"sha256(convert_to({literal(json.dumps(ir))}, 'UTF8')), {literal(ir)}, {literal(source)} FROM dag d WHERE dag_id = {literal(dag_id)} "
                 f"RETURNING version_no, dag_no) UPDATE dag d SET version_no = v.version_no FROM v WHERE d.dag_no = v.dag_no")

    def add_run(self, dag_id, run_id, state=1, conf=None, triggered_by="", note=None, logical_ms=None, started="now()", ended="NULL", counts=(0, 0, 0)):
        logical = "NULL" if logical_ms is None else f"at_ms({logical_ms})"
        return int(self.sql(
            f"WITH n AS (SELECT coalesce(max(run_no), ((current_date - date '1970-01-01')::bigint << 32)) + 1 AS run_no FROM run), "
            f"d AS (SELECT * FROM dag WHERE dag_id = {literal(dag_id)}), "
            f"r AS (INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, logical_at, run_after, queued_at, conf, triggered_by, state, "
            f"n_success, n_failed, n_skipped, started_at, ended_at, updated_at, note) "
            f"SELECT n.run_no, d.dag_no, d.version_no, 0, {literal(run_id)}, {logical}, now(), now(), {literal(conf or {})}, "
            f"{literal(triggered_by)}, {state}, {counts[0]}, {counts[1]}, {counts[2]}, {started if state else 'NULL'}, {ended}, now(), {literal(note)} FROM n, d), "
            f"k AS (INSERT INTO run_key SELECT d.dag_no, {literal(run_id)}, n.run_no FROM n, d), "
            f"l AS (INSERT INTO live_run SELECT 0, n.run_no FROM n WHERE {state} < 2) SELECT run_no FROM n"))

    def add_try(self, run_no, task, state, map_index=-1, row_no=1, try_no=1, attempt=None, cause=13, error=None, worker_no=1, exit_code=None,
                started="now() - interval '3 seconds'", ended="now()", label=None, cleared=False, pool="default_pool"):
        attempt = attempt or new_attempt()
        ended = ended if state in (4, 5, 6, 7, 8) else "NULL"
        started = "NULL" if state in (1, 2, 6, 7) else started
        self.sql(f"INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, attempt, worker_no, priority, pool, queue, "
                 f"map_label, queued_at, state, cause, cleared, started_at, ended_at, exit_code, error, cpu_ms, memory_peak) "
                 f"SELECT {run_no}, {task}, {map_index}, {row_no}, dag_no, {try_no}, 0, {literal(attempt)}, {worker_no}, 1, {literal(pool)}, "
                 f"'default', {literal(label)}, now() - interval '5 seconds', {state}, {cause}, {literal(cleared)}, {started}, {ended}, "
                 f"{literal(exit_code)}, {literal(error)}, 120, 1048576 FROM run WHERE run_no = {run_no}")
        return attempt

    def add_worker(self, worker_no=1, name="w-1", state=0, slots=8):
        self.insert("worker", worker_no=worker_no, identity=f"id-{name}", name=name, host="node-1", release="0.1.0", queues="{default}",
                    slots=slots, incarnation=1, state=state, seen_at="now")


def new_attempt(at_ms=None):
    """A UUIDv7."""
    number = (int((at_ms or time.time() * 1000)) << 80) | (7 << 76) | (uuid.uuid4().int & ((1 << 76) - 1))
    number = (number & ~(3 << 62)) | (2 << 62)
    return str(uuid.UUID(int=number))
