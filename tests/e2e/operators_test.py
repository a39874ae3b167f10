# SPDX-License-Identifier: Apache-2.0
"""Every operator, seen from outside: real scheduler, real worker, real database."""
import datetime
import getpass
import http.server
import json
import os
import signal
import threading
import time

from headrace import Standalone, main, wait_for

VALUES = """
params:
  who: {type: string, default: world}
env: {GREETING: hello}
tasks:
  text: {bash: 'echo not this; echo "$GREETING" {{ params.who | sh }}'}
  structured: {bash: "echo '{\\"n\\": [1, 2, 3]}' > $HEADRACE_OUTPUT"}
  words: {exec: {argv: [printf, "%s-%s", "{{ run_id }}", "two words; $HOME"]}}
  context: {bash: 'echo "$HEADRACE_CTX_DAG_ID/$HEADRACE_CTX_TASK_ID/$AIRFLOW_CTX_TRY_NUMBER"'}
  sum:
    depends_on: [structured]
    python: {callable: "builtins:sum", args: ["{{ xcom.structured.n }}"]}
  clean: {bash: 'env | grep -c HEADRACE_HOME || true'}
"""

FLOW = """
tasks:
  number: {bash: echo 7}
  nothing: {empty: {}, depends_on: [number]}
  way:
    depends_on: [nothing]
    branch:
      cases: [{when: "{{ (xcom.number | int) > 5 }}", then: [high]}]
      default: [low]
  high: {depends_on: [way], bash: 'true'}
  low: {depends_on: [way], bash: 'true'}
  join: {depends_on: [high, low], trigger_rule: none_failed_min_one_success, bash: 'true'}
  gate: {short_circuit: "{{ (xcom.number | int) > 100 }}", depends_on: [number]}
  behind: {depends_on: [gate], bash: 'true'}
  further: {depends_on: [behind], trigger_rule: all_done, bash: 'true'}
  unwanted: {when: "{{ params.wanted }}", bash: 'true'}
params: {wanted: {type: boolean, default: false}}
"""

MAPPED = """
tasks:
  list: {bash: "echo '[3, 1, 2]'"}
  square:
    depends_on: [list]
    for_each: "{{ xcom.list | fromjson }}"
    python: {callable: "operator:mul", args: ["{{ item }}", "{{ item }}"]}
  total:
    depends_on: [square]
    python: {callable: "builtins:sum", args: ["{{ xcom.square }}"]}
  cross:
    for_each: {a: [1, 2], b: [x, y, z]}
    map_label: "{{ item.b | upper }}{{ item.a }}"
    bash: echo "{{ item.a }}{{ item.b }}"
  none_at_all:
    for_each: []
    bash: 'false'
  partly:
    for_each: [0, 1, 0, 0]
    tolerate_failures: 1
    bash: exit {{ item }}
  after_partly: {depends_on: [partly], bash: 'true'}
"""

FAILURES = """
defaults: {retry_delay: 200ms}
tasks:
  fails: {bash: 'echo one line; exit 3', retries: 1}
  blocked: {depends_on: [fails], bash: 'true'}
  catches: {depends_on: [fails], trigger_rule: one_failed, bash: 'true'}
  recovers: {bash: 'test {{ ti.try_number }} -ge 3', retries: 3}
  skips: {bash: exit 99}
  slow: {bash: sleep 60, execution_timeout: 500ms, kill_grace: 200ms}
  missing: {exec: {argv: [/no/such/program]}}
"""

WAITS = """
tasks:
  backoff: {bash: 'false', retries: 4, retry_delay: 10s, retry_exponential_backoff: 1.5}
  capped: {bash: 'false', retries: 4, retry_delay: 10s, retry_exponential_backoff: 1.5, max_retry_delay: 20s}
  even: {bash: 'false', retries: 3, retry_delay: 1s}
  drawn: {bash: 'false', retries: 4, retry_delay: 10s, retry_exponential_backoff: 1.5, retry_jitter: full}
  at_once: {bash: 'false', retries: 2, retry_delay: 0s}
  never: {bash: 'false'}
"""
BACKOFF = [10, 15, 22.5, 33.75]

CHILD = """
params: {n: {type: integer, default: 0}}
tasks: {answer: {bash: 'echo {{ params.n }}; exit {{ conf.status | default(0) }}'}}
"""

PARENT = """
tasks:
  start: {trigger_dag: {dag_id: child, conf: {n: 41}, wait: true}}
  after: {depends_on: [start], bash: 'true'}
  start_failing: {trigger_dag: {dag_id: child, conf: {status: 1}, wait: true}}
  not_waiting: {trigger_dag: {dag_id: child}}
"""


def output(system, dag, run, task, map_index=-1):
    path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value?map_index={map_index}"
    return system.request("GET", path)["value"]


def expect(actual, expected):
    different = {k: (actual.get(k), v) for k, v in expected.items() if actual.get(k) != v}
    assert not different, f"(is, should be): {different}"


def values_flow_between_tasks():
    with Standalone() as system:
        system.write_dag("values.yaml", VALUES)
        run = system.trigger("values", {"who": "it's me; $(id)"})
        assert system.wait_run("values", run)["state"] == "success", system.states("values", run)
        assert output(system, "values", run, "text") == "hello it's me; $(id)"
        assert output(system, "values", run, "structured") == {"n": [1, 2, 3]}
        assert output(system, "values", run, "words") == f"{run}-two words; $HOME"
        assert output(system, "values", run, "context") == "values/context/1"
        assert output(system, "values", run, "sum") == 6
        assert str(output(system, "values", run, "clean")) == "0", "the worker's own environment leaked into a task"


def branches_and_conditions_choose_the_way():
    with Standalone() as system:
        system.write_dag("flow.yaml", FLOW)
        run = system.trigger("flow")
        assert system.wait_run("flow", run)["state"] == "success"
        expect(system.states("flow", run), {
            "number": "success", "nothing": "success", "way": "success", "high": "success", "low": "skipped",
            "join": "success", "gate": "success", "behind": "skipped", "further": "skipped", "unwanted": "skipped"})


def mapped_tasks_expand_and_their_outputs_come_in_order():
    with Standalone() as system:
        system.write_dag("mapped.yaml", MAPPED)
        run = system.trigger("mapped")
        assert system.wait_run("mapped", run)["state"] == "success", system.states("mapped", run)
        assert output(system, "mapped", run, "total") == 14
        assert [output(system, "mapped", run, "square", i) for i in range(3)] == [9, 1, 4]
        assert sorted(output(system, "mapped", run, "cross", i) for i in range(6)) == ["1x", "1y", "1z", "2x", "2y", "2z"]
        labels = {row["map_index"]: row["rendered_map_index"] for row in system.tasks("mapped", run) if row["task_id"] == "cross"}
        assert sorted(labels.values()) == ["X1", "X2", "Y1", "Y2", "Z1", "Z2"], labels
        states = system.states("mapped", run)
        assert "skipped" in (states.get("none_at_all"), states.get(("none_at_all", -1)))
        assert states["after_partly"] == "success"


def failures_are_retried_caught_and_told():
    with Standalone() as system:
        system.write_dag("failures.yaml", FAILURES)
        run = system.trigger("failures")
        assert system.wait_run("failures", run)["state"] == "failed"
        expect(system.states("failures", run), {
            "fails": "failed", "blocked": "upstream_failed", "catches": "success", "recovers": "success",
            "skips": "skipped", "slow": "failed", "missing": "failed"})
        tries = {row["task_id"]: row["try_number"] for row in system.tasks("failures", run)}
        expect(tries, {"fails": 2, "recovers": 3, "slow": 1})
        assert "one line" in system.log("failures", run, "fails", 2)
        assert "/no/such/program" in system.log("failures", run, "missing")


def waits_of(system, dag, run, task):
    """Seconds between the end of each try and the moment the next one was given to a worker, as the scheduler wrote them down."""
    path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/tries"
    tries = sorted(system.request("GET", path)["task_instances"], key=lambda row: row["try_number"])
    time_of = datetime.datetime.fromisoformat
    return [(time_of(after["queued_when"]) - time_of(before["end_date"])).total_seconds()
            for before, after in zip(tries, tries[1:])]


class Stalls(threading.Thread):
    """How long this machine leaves a process waiting that has something to do: the scheduler's share of that is not its fault."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst, self.over = 0.0, threading.Event()

    def run(self):
        while not self.over.is_set():
            before = time.monotonic()
            time.sleep(0.01)
            self.worst = max(self.worst, time.monotonic() - before - 0.01)


def kill_scheduler_when(system, run, tries):
    """In the middle of the wait after so many tries."""
    def waits():
        row = next(row for row in system.tasks("waits", run) if row["task_id"] == "backoff")
        return row["state"] == "up_for_retry" and row["try_number"] == tries
    wait_for(lambda: system.patiently(waits, "its state"), f"the wait after try {tries}", 90, 0.2)
    time.sleep(BACKOFF[tries - 1] / 5)
    for pid in system.pids_of("headrace-scheduler"):
        os.kill(pid, signal.SIGKILL)


def check_waits(system, run, expected, within):
    waits = {task: waits_of(system, "waits", run, task) for task in expected}
    print(f"  {waits}", flush=True)
    for task, lengths in expected.items():
        assert len(waits[task]) == len(lengths), (task, waits[task])
        assert all(abs(wait - length) < within for wait, length in zip(waits[task], lengths)), (task, waits[task], within)
    drawn = waits_of(system, "waits", run, "drawn")
    assert len(drawn) == 4 and all(0 <= wait < longest + within for wait, longest in zip(drawn, BACKOFF)), drawn
    assert any(wait < longest for wait, longest in zip(drawn, BACKOFF)), drawn


def retries_wait_as_long_as_their_backoff_says_also_when_the_scheduler_dies():
    stalls = Stalls()
    with Standalone(examples=True) as calm, Standalone() as killed:
        for system in (calm, killed):
            system.write_dag("waits.yaml", WAITS)
        stalls.start()
        runs = [system.trigger("waits") for system in (calm, killed)]
        example = calm.trigger("retry_and_catch", {"failures": 4})
        for tries in (2, 3, 4):
            kill_scheduler_when(killed, runs[1], tries)
        for system, run in zip((calm, killed), runs):
            assert system.wait_run("waits", run, 180)["state"] == "failed"
        assert calm.wait_run("retry_and_catch", example)["state"] == "success"
        expect(calm.states("retry_and_catch", example), {"call_service": "failed", "use_yesterday": "success", "finish": "success"})
        told = calm.home / "data/retry_and_catch/notifications.log"
        wait_for(told.exists, "somebody is told of the failure", 60)
        assert told.read_text() == f"the service did not answer in 4 calls. {example} uses yesterday's level\n", told.read_text()
        stalls.over.set()
        within = 0.05 + stalls.worst
        long = {"backoff": BACKOFF, "capped": [10, 15, 20, 20]}
        check_waits(calm, runs[0], {**long, "even": [1, 1, 1], "at_once": [0, 0], "never": []}, within)
        check_waits(killed, runs[1], long, within)
        waits = waits_of(calm, "retry_and_catch", example, "call_service")
        assert len(waits) == 3 and all(abs(wait - length) < within for wait, length in zip(waits, BACKOFF)), waits


def a_dag_triggers_another_and_waits_without_a_slot():
    with Standalone({"autoscale.default.slots": 1}) as system:
        system.write_dag("child.yaml", CHILD)
        system.wait_dag("child")
        system.write_dag("parent.yaml", PARENT)
        run = system.trigger("parent")
        assert system.wait_run("parent", run)["state"] == "failed"
        expect(system.states("parent", run), {"start": "success", "after": "success", "start_failing": "failed",
                                              "not_waiting": "success"})
        children = system.request("GET", "/api/v2/dags/child/dagRuns")["dag_runs"]
        assert len(children) == 3 and any(c["conf"].get("n") == 41 for c in children), children


class Stub(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({"got": body, "token": self.headers.get("X-Token")}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def http_and_sql_reach_their_services_and_secrets_stay_hidden():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Standalone() as system:
        home = system.cli("config", "get-value", "database", "conn").stdout.strip()
        words = dict(word.split("=", 1) for word in home.split())
        system.cli("variables", "set", "service_token", "swordfish-4711")
        system.cli("connections", "add", "store", "--conn-type", "postgres", "--conn-host", words["host"].strip("'"), "--conn-login",
                   words.get("user", getpass.getuser()), "--conn-schema", words["dbname"])
        system.write_dag("services.yaml", f"""
tasks:
  call:
    http:
      method: POST
      url: "http://127.0.0.1:{server.server_port}/x"
      headers: {{X-Token: "{{{{ var.value.service_token }}}}"}}
      json: {{day: "{{{{ run_id }}}}"}}
      expect: [201]
  leak: {{bash: 'echo "the token is {{{{ var.value.service_token }}}}"'}}
  refused: {{http: {{url: "http://127.0.0.1:1/"}}}}
  query:
    sql: {{connection: store, statement: "select $1::int + 1 as n, 'x' as s", parameters: ["41"]}}
  wrong: {{sql: {{connection: store, statement: "select nonsense from nowhere"}}}}
""")
        run = system.trigger("services")
        system.wait_run("services", run)
        expect(system.states("services", run), {"call": "success", "leak": "success", "refused": "failed",
                                                "query": "success", "wrong": "failed"})
        answer = output(system, "services", run, "call")
        assert answer["got"] == {"day": run}, answer
        assert output(system, "services", run, "query") == [{"n": 42, "s": "x"}]
        assert "nowhere" in system.log("services", run, "wrong")
        leaked = system.log("services", run, "leak")
        assert "the token is" in leaked and "swordfish" not in leaked, leaked
    server.shutdown()


def strange_bytes_and_oversized_fields_hurt_their_own_task_alone():
    with Standalone() as system:
        system.write_dag("strange.yaml", r"""
tasks:
  latin: {bash: "printf 'HEADRACE_ERROR caf\\351\\n' >&2; exit 1"}
  healthy: {bash: "echo fine"}
  many:
    for_each: [1, 2, 3, 4, 5, 6, 7, 8]
    exec: {argv: [python3, -c, "print('x' * 700000)"]}
  big: {depends_on: [many], python: {callable: "builtins:len", args: ["{{ xcom.many }}"]}}
""")
        run = system.trigger("strange")
        assert system.wait_run("strange", run, 120)["state"] == "failed"
        states = system.states("strange", run)
        assert states["latin"] == "failed" and states["healthy"] == "success" and states["big"] == "failed", states
        assert "caf\ufffd" in system.sql("SELECT string_agg(error, '|') FROM try")
        assert "pass the path of a file" in system.sql("SELECT string_agg(error, '|') FROM try")


def a_dag_whose_file_is_gone_can_still_be_acted_on():
    with Standalone() as system:
        system.write_dag("gone.yaml", "tasks: {a: {bash: 'true'}}")
        for run in ("r1", "r2"):
            assert system.wait_run("gone", system.trigger("gone", run_id=run))["state"] == "success"
        (system.home / "dags/gone.yaml").unlink()
        wait_for(lambda: system.sql("SELECT is_stale FROM dag WHERE dag_id = 'gone'") == "t", "the DAG's end")
        for pid in system.pids_of("headrace-scheduler"):
            os.kill(pid, signal.SIGKILL)
        system.patiently(lambda: system.request("DELETE", "/api/v2/dags/gone/dagRuns/r1"), "the end of a run")
        assert system.sql("SELECT count(*) FROM run_key") == "1"
        system.patiently(lambda: system.request("DELETE", "/api/v2/dags/gone"), "the end of the DAG")
        assert system.sql("SELECT count(*) FROM dag WHERE dag_id = 'gone'") == "0"


if __name__ == "__main__":
    main(strange_bytes_and_oversized_fields_hurt_their_own_task_alone, a_dag_whose_file_is_gone_can_still_be_acted_on,
         values_flow_between_tasks, branches_and_conditions_choose_the_way,
         mapped_tasks_expand_and_their_outputs_come_in_order, failures_are_retried_caught_and_told,
         retries_wait_as_long_as_their_backoff_says_also_when_the_scheduler_dies,
         a_dag_triggers_another_and_waits_without_a_slot, http_and_sql_reach_their_services_and_secrets_stay_hidden)
