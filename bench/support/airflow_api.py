# SPDX-License-Identifier: Apache-2.0
"""Airflow's own API server for a comparison: from PyPI into an environment below build/, on a database of a PostgreSQL that is
given, with as many processes as there are cores.

    with AirflowApi(pg, dags=50, runs=200, tasks=100) as airflow:
        airflow.port, airflow.token
"""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import shutil
import time

from api_world import free_port
from clients import environment

# The versions that its own constraints name or that work with those: the newest of the rest do not.
REQUIREMENTS = ("apache-airflow==3.2.2", "psycopg2-binary==2.9.13", "asyncpg==0.32.0", "SQLAlchemy==2.0.58", "fastapi==0.136.3",
                "cadwyn==7.0.0", "pydantic==2.12.5", "starlette==1.4.1")
DAG_FILE = """
from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
for n in range({dags}):
    with DAG(f"dag_{{n:05}}", schedule=None, tags=[f"tag_{{n % 5}}"], description=f"Number {{n}} of many") as dag:
        for t in range({tasks}):
            EmptyOperator(task_id=f"task_{{t:04}}")
    globals()[dag.dag_id] = dag
"""
ROWS = """
INSERT INTO dag_run (dag_id, run_id, run_type, triggered_by, state, queued_at, start_date, end_date, run_after, updated_at, created_at, conf, clear_number,
                     span_status, created_dag_version_id, log_template_id)
SELECT d.dag_id, 'run_' || k, 'manual', 'REST_API', CASE WHEN k % 13 = 0 THEN 'failed' ELSE 'success' END, now(), now() - k * interval '1 hour',
       now() - k * interval '1 hour' + interval '90 seconds', now() - k * interval '1 hour', now(), now(), '{{}}', 0, 'not_started', v.id,
       (SELECT max(id) FROM log_template)
FROM dag d JOIN dag_version v USING (dag_id), generate_series(1, {runs}) k;
INSERT INTO task_instance (id, task_id, dag_id, run_id, map_index, start_date, end_date, duration, state, try_number, max_tries, hostname, unixname, pool,
                           pool_slots, queue, priority_weight, operator, queued_dttm, scheduled_dttm, updated_at, span_status, task_display_name,
                           dag_version_id, executor_config)
SELECT gen_random_uuid(), 'task_' || lpad(t::text, 4, '0'), r.dag_id, r.run_id, -1, r.start_date, r.end_date, 90,
       CASE WHEN t % 97 = 0 THEN 'failed' ELSE 'success' END, 1, 0, 'node-1', 'root', 'default_pool', 1, 'default', 1, 'EmptyOperator', r.queued_at,
       r.queued_at, r.updated_at, 'not_started', 'task_' || lpad(t::text, 4, '0'), r.created_dag_version_id, '\\x80057d942e'
FROM dag_run r, generate_series(0, {last_task}) t;
INSERT INTO log (dttm, dag_id, event, run_id, owner, extra)
SELECT now() - n * interval '1 second', 'dag_00001', 'trigger_dag_run', 'run_' || n, 'ada', '{{}}' FROM generate_series(1, {events}) n;
"""


class AirflowApi:
    def __init__(self, pg, dags, runs, tasks, events):
        self.pg, self.sizes = pg, {"dags": dags, "runs": runs, "tasks": tasks, "last_task": tasks - 1, "events": events}
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="hr-airflow-", dir="/tmp"))
        self.port, self.process = free_port(), None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    @staticmethod
    def is_there():
        return environment(*REQUIREMENTS) is not None

    def _start(self):
        program = environment(*REQUIREMENTS).parent / "airflow"
        (self.home / "dags").mkdir()
        (self.home / "dags/many.py").write_text(DAG_FILE.format(**self.sizes))
        subprocess.run(["psql", "-qX", "-d", f"host={self.pg.run} user=headrace dbname=postgres", "-c", "CREATE DATABASE airflow"], check=True)
        env = {**os.environ, "AIRFLOW_HOME": str(self.home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
               "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://headrace@/airflow?host={self.pg.run}", "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
               "AIRFLOW__API_AUTH__JWT_SECRET": "k" * 64, "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING"}
        env.pop("PYTHONPATH", None)
        for words in (["db", "migrate"], ["dags", "reserialize"]):
            done = subprocess.run([program, *words], env=env, capture_output=True, text=True)
            if done.returncode != 0:
                raise SystemExit(f"airflow {' '.join(words)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", f"host={self.pg.run} user=headrace dbname=airflow"], input=ROWS.format(**self.sizes) + "ANALYZE;",
                       text=True, check=True)
        with open(self.home / "server.log", "w") as log:
            self.process = subprocess.Popen([program, "api-server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", str(os.cpu_count())],
                                            env=env, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 120
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"airflow api-server:\n{(self.home / 'server.log').read_text()[-3000:]}")
            time.sleep(0.5)

    def _answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", "/auth/token")
            answer = connection.getresponse()
            self.token = json.loads(answer.read()).get("access_token")
            return self.token
        except (OSError, ValueError):
            return None
        finally:
            connection.close()
