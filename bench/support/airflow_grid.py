# SPDX-License-Identifier: Apache-2.0
"""Airflow's own web server with the DAG of the bench `ui` and its runs, from PyPI in an environment of its own below build/clients.

    with AirflowGrid(tasks=5000, groups=50, runs=25) as airflow:
        airflow.port
AirflowGrid.python() is None where PyPI cannot be reached."""
import http.client
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import time

from clients import environment
from headrace import free_ports, wait_for

RELEASE = "3.3.2"
PATIENCE_S = 240

DAG = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup

with DAG("large", schedule=None, catchup=False):
    before = []
    for group in range({groups}):
        with TaskGroup(f"g{{group:02}}"):
            tasks = [EmptyOperator(task_id=f"task_{{group * {each} + n:04}}") for n in range({each})]
        for up, down in zip(before, tasks):
            up >> down
        before = tasks
"""

# As the bench has it: all succeeded, but one in 997, another one in each run.
ROWS = """
INSERT INTO dag_run (dag_id, run_id, run_type, state, queued_at, start_date, end_date, run_after, created_at, updated_at, conf, created_dag_version_id, log_template_id)
SELECT 'large', printf('run_%02d', r.value), 'manual', 'success', r.at, r.at, r.at, r.at, r.at, r.at, '{}', (SELECT id FROM dag_version), (SELECT max(id) FROM log_template)
FROM run r;
INSERT INTO task_instance (id, task_id, dag_id, run_id, map_index, start_date, end_date, duration, state, try_number, max_tries, pool, pool_slots, queue, priority_weight, operator,
    updated_at, task_display_name, dag_version_id)
SELECT lower(hex(randomblob(16))), t.id, 'large', printf('run_%02d', r.value), -1, r.at, r.at, 1.0, CASE WHEN t.value % 997 = r.value THEN 'failed' ELSE 'success' END, 1, 0,
    'default_pool', 1, 'default', 1, 'EmptyOperator', r.at, t.id, (SELECT id FROM dag_version)
FROM run r, task t;
DROP TABLE run; DROP TABLE task;
"""


class AirflowGrid:
    def __init__(self, tasks, groups, runs):
        self.tasks, self.groups, self.runs = tasks, groups, runs
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="hr-airflow-", dir="/tmp"))
        (self.port,) = free_ports(1)
        self.process = None
        self.env = {**os.environ, "AIRFLOW_HOME": str(self.home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
                    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db"}
        for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
            self.env.pop(name, None)

    @staticmethod
    def python():
        return environment(f"apache-airflow=={RELEASE}")

    def __enter__(self):
        try:
            self.bin = self.python().parent / "airflow"
            (self.home / "dags").mkdir()
            (self.home / "dags/large.py").write_text(DAG.format(groups=self.groups, each=self.tasks // self.groups))
            self._run("db", "migrate")
            self._run("dags", "reserialize")
            self._fill()
            with open(self.home / "log", "wb") as log:
                self.process = subprocess.Popen([self.bin, "api-server", "--port", str(self.port), "--host", "127.0.0.1"], env=self.env, stdout=log, stderr=log,
                                                stdin=subprocess.DEVNULL, start_new_session=True)
            wait_for(self._answers, "Airflow's web server", PATIENCE_S)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        if self.process is not None:
            os.killpg(self.process.pid, 15)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, 9)
        shutil.rmtree(self.home, ignore_errors=True)

    def _run(self, *words):
        done = subprocess.run([self.bin, *words], env=self.env, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise SystemExit(f"airflow {' '.join(words)}: {done.stderr[-2000:]}")

    def _fill(self):
        now = time.time()
        at = lambda run: time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(now - (self.runs - run) * 3600))
        each = self.tasks // self.groups
        with sqlite3.connect(self.home / "airflow.db") as database:
            database.execute("CREATE TABLE run (value int, at text)")
            database.execute("CREATE TABLE task (value int, id text)")
            database.executemany("INSERT INTO run VALUES (?, ?)", [(run, at(run)) for run in range(self.runs)])
            database.executemany("INSERT INTO task VALUES (?, ?)", [(n, f"g{n // each:02}.task_{n:04}") for n in range(self.tasks)])
            database.executescript(ROWS)
        database.close()

    def _answers(self):
        if self.process.poll() is not None:
            raise SystemExit(f"airflow api-server ended: {(self.home / 'log').read_text()[-2000:]}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/api/v2/version")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
