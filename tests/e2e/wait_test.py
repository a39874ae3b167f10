# SPDX-License-Identifier: Apache-2.0
"""Tasks that wait: every kind of wait_for against the real thing, with one slot and nothing that fills it."""
import getpass
import http.server
import os
import signal
import threading
import urllib.parse

from headrace import ApiError, Standalone, main, wait_for


class Service(http.server.BaseHTTPRequestHandler):
    ready = False
    asked = 0

    def do_GET(self):
        Service.asked += 1
        body = b'{"answer": 42}' if Service.ready else b"not yet"
        self.send_response(200 if Service.ready else 202)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def output(system, dag, run, task):
    path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value"
    return system.request("GET", path)["value"]


def why(system, dag, run, task):
    """Its reasons as one text; empty while there is nothing to say."""
    try:
        answer = system.request("GET", f"/api/headrace/v1/why?dag_id={dag}&run_id={urllib.parse.quote(run)}&task_id={task}")
    except ApiError as problem:
        assert problem.status == 404, problem
        return ""
    return " ".join(reason["sentence"] for reason in answer["reasons"])


def each_kind_waits_without_a_slot_until_what_it_waits_for_is_there():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Standalone({"autoscale.default.slots": 1, "autoscale.default.max": 1}) as system:
        conn = system.cli("config", "get-value", "database", "conn").stdout.strip()
        words = dict(word.split("=", 1) for word in conn.split())
        system.cli("connections", "add", "store", "--conn-type", "postgres", "--conn-host", words["host"].strip("'"),
                   "--conn-login", words.get("user", getpass.getuser()), "--conn-schema", words["dbname"])
        system.sql("CREATE TABLE delivery (day text)")
        folder = system.home / "in"
        folder.mkdir()
        system.write_dag("other.yaml", "tasks: {first: {bash: 'true', outlets: [orders]}, second: {bash: 'true', depends_on: [first]}}")
        system.wait_dag("other")
        system.write_dag("waits.yaml", f"""
tasks:
  file: {{wait_for: {{file: "{folder}/part-*.json", poke_interval: 1s}}}}
  http: {{wait_for: {{http: {{url: "http://127.0.0.1:{server.server_port}/job", expect: [200]}}, poke_interval: 1s}}}}
  sql: {{wait_for: {{sql: {{connection: store, statement: "select count(*) from delivery where day = $1", parameters: ["{{{{ ds }}}}"]}}, poke_interval: 1s}}}}
  time: {{wait_for: {{time: "{{{{ ts }}}}"}}}}
  duration: {{wait_for: {{duration: 1s}}}}
  task: {{wait_for: {{task: {{dag_id: other, task_id: second}}}}}}
  asset: {{wait_for: {{asset: orders}}}}
  late: {{depends_on: [asset, task], wait_for: {{asset: orders}}}}
  vain: {{wait_for: {{file: /no/such/file, poke_interval: 1s, timeout: 3s, soft_fail: true}}}}
  wrong: {{wait_for: {{sql: {{connection: store, statement: "select nonsense"}}}}}}
  works: {{bash: 'true'}}
""")
        system.wait_dag("waits")
        date = "2026-01-02T03:04:05+00:00"
        run = system.request("POST", "/api/v2/dags/waits/dagRuns", {"logical_date": date})["dag_run_id"]
        wait_for(lambda: system.states("waits", run).get("works") == "success", "an ordinary task has the only slot", 60)
        wait_for(lambda: Service.asked > 1, "the service is asked again and again", 30)
        states = system.states("waits", run)
        assert [states[task] for task in ("file", "http", "sql", "task", "asset")] == ["deferred"] * 5, states
        assert "looked" in why(system, "waits", run, "file"), why(system, "waits", run, "file")
        (folder / "part-1.json").write_text("{}")
        Service.ready = True
        system.sql("INSERT INTO delivery VALUES ('2026-01-02')")
        system.request("POST", "/api/v2/dags/other/dagRuns", {"logical_date": date})
        assert system.wait_run("waits", run, 60)["state"] == "failed"
        states = system.states("waits", run)
        expected = dict.fromkeys(("file", "http", "sql", "time", "duration", "task", "works", "asset", "late"), "success")
        expected.update(vain="skipped", wrong="failed")
        assert states == expected, states
        assert output(system, "waits", run, "file") == str(folder / "part-1.json")
        assert output(system, "waits", run, "http") == {"answer": 42}
        again = system.request("POST", "/api/v2/dags/waits/dagRuns", {"logical_date": date, "dag_run_id": "again"})["dag_run_id"]
        wait_for(lambda: system.states("waits", again).get("task") == "success", "the database knows of the ended run", 30)
    server.shutdown()


def a_killed_scheduler_and_a_killed_worker_cost_a_look_and_nothing_else():
    with Standalone({"scheduler.lease_ttl": "4s", "scheduler.lease_renew": "1s", "scheduler.lease_margin": "1s"}) as system:
        file = system.home / "arrived"
        system.write_dag("patient.yaml", f"""
tasks:
  arrived: {{wait_for: {{file: "{file}", poke_interval: 1s}}}}
  after: {{depends_on: [arrived], bash: 'true'}}
""")
        run = system.trigger("patient")
        wait_for(lambda: "looked" in why(system, "patient", run, "arrived"), "it has looked", 60)
        for program in ("headrace-scheduler", "headrace-worker"):
            for pid in system.pids_of(program):
                os.kill(pid, signal.SIGKILL)
        file.write_text("here")
        system.patiently(lambda: system.wait_run("patient", run, 150), "the run goes on", 200)
        assert system.states("patient", run) == {"arrived": "success", "after": "success"}


if __name__ == "__main__":
    main(each_kind_waits_without_a_slot_until_what_it_waits_for_is_there,
         a_killed_scheduler_and_a_killed_worker_cost_a_look_and_nothing_else)
