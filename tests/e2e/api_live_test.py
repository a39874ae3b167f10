# SPDX-License-Identifier: Apache-2.0
"""The stream, the logs and the reasons of a whole system: scheduler, worker and web server."""
import http.client
import json
import os
import signal
import threading
import time
import unittest

from headrace import Standalone, wait_for

DAG = """
dag_id: live
tasks:
  quick: {bash: "echo out; echo err >&2"}
  slow: {bash: "for i in $(seq 200); do echo line $i; done; while [ ! -e %s/go ]; do sleep 0.1; done; echo last", depends_on: [quick]}
  after: {bash: "echo after", depends_on: [slow]}
  broken: {bash: "echo no; exit 3", depends_on: [quick]}
"""


class Listener(threading.Thread):
    """Collects the events of a stream as (name, id, data)."""

    def __init__(self, system, query, headers=None):
        super().__init__(daemon=True)
        self.events = []
        self.connection = http.client.HTTPConnection("127.0.0.1", system.web_port, timeout=60)
        system.request("GET", "/api/v2/version")  # signs in
        self.connection.request("GET", "/api/headrace/v1/stream?" + query, headers={"Authorization": f"Bearer {system.token}", **(headers or {})})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.status
        self.start()

    def run(self):
        event = {}
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if line == "" and event:
                    self.events.append((event.get("event"), event.get("id"), json.loads(event.get("data", "null"))))
                    event = {}
                elif line and not line.startswith(":"):
                    key, _, value = line.partition(": ")
                    event[key] = value
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass

    def close(self):
        self.answer.close()
        self.connection.close()

    def states(self, task):
        return [c[4] for name, _, data in list(self.events) if name == "ti" for c in data["c"] if c[2] == task]

    def runs(self):
        return [c[3] for name, _, data in list(self.events) if name == "run" for c in data["c"]]


class Resuming(threading.Thread):
    """Takes one event that has an id from each connection, cuts it, and comes back with that id."""

    def __init__(self, system, query):
        super().__init__(daemon=True)
        self.system, self.query, self.last_id = system, query, None
        self.events, self.connections, self.stops = [], 0, threading.Event()
        self.listener = Listener(system, query)
        self.start()

    def run(self):
        while not self.stops.is_set():
            seen = list(self.listener.events)
            whole = next((n + 1 for n, event in enumerate(seen) if event[1]), None)
            if whole is None:
                time.sleep(0.01)
                continue
            self.listener.close()
            self.listener.join()
            self.events += seen[:whole]
            self.connections += 1
            self.listener = Listener(self.system, self.query, {"Last-Event-ID": seen[whole - 1][1]})

    def close(self):
        self.stops.set()
        self.join()
        self.listener.close()

    def all(self):
        return self.events + list(self.listener.events)


def changes(events):
    """What each kind of event told, one change after the other, however they came together."""
    return {kind: [change for name, _, data in events if name == kind for change in data["c"]] for kind in ("ti", "run")}


class Live(unittest.TestCase):
    def test_a_stream_that_is_cut_again_and_again_loses_nothing_and_doubles_nothing(self):
        with Standalone() as system:
            tasks = "".join(f"  t{n}: {{bash: 'true'{f', depends_on: [t{n - 1}]' if n else ''}}}\n" for n in range(12))
            system.write_dag("cut.yaml", "dag_id: cut\ntasks:\n" + tasks)
            system.wait_dag("cut")
            first = Listener(system, "topics=dag:cut")  # once it has told a run, the scheduler is being listened to
            system.trigger("cut", run_id="first")
            wait_for(lambda: "success" in first.runs(), "the stream to tell", 60)
            first.close()
            steady, cut = Listener(system, "topics=dag:cut"), Resuming(system, "topics=dag:cut")
            for listener in (steady, cut.listener):
                wait_for(lambda: listener.events, "both to be greeted", 60)
            for number in range(3):
                system.trigger("cut", run_id=f"r{number}")
            for number in range(3):
                self.assertEqual(system.wait_run("cut", f"r{number}")["state"], "success")
            wait_for(lambda: [c[3] for c in changes(steady.events)["run"]].count("success") == 3, "the end of all three", 60)
            wait_for(lambda: changes(cut.all()) == changes(steady.events), "the one that was cut to have the same", 60)
            wait_for(lambda: cut.connections > 0, "a cut", 60)
            self.assertEqual([name for name, _, _ in cut.all() + steady.events if name == "reset"], [])
            cut.close()
            steady.close()

    def test_whoever_comes_back_at_once_is_told_what_happened_while_nobody_listened(self):
        with Standalone() as system:
            system.write_dag("alone.yaml", "dag_id: alone\ntasks: {only: {bash: 'true'}}\n")
            system.wait_dag("alone")
            first = Listener(system, "topics=dag:alone")
            system.trigger("alone", run_id="heard")
            wait_for(lambda: "success" in first.runs(), "the stream to tell", 60)
            first.close()
            left = time.monotonic()
            system.trigger("alone", run_id="unheard")
            system.wait_run("alone", "unheard")
            took = time.monotonic() - left
            back = Listener(system, f"topics=dag:alone&after={max(data['seq'] for name, _, data in first.events if name in ('run', 'ti'))}")
            wait_for(lambda: "success" in back.runs() or "reset" in [name for name, _, _ in back.events], "what happened", 60)
            if took < 8:  # after ten seconds nothing is kept
                self.assertEqual({c[1] for c in changes(back.events)["run"]}, {"unheard"})
                self.assertNotIn("reset", [name for name, _, _ in back.events])
            back.close()

    def test_the_log_of_a_try_that_was_lost_and_placed_again_is_followed(self):
        with Standalone({"scheduler.attempt_lease": "6s", "scheduler.attempt_lease_grace": "1s", "scheduler.credit_ttl": "3s", "worker.inventory_interval": "500ms"}) as system:
            system.write_dag("lost.yaml", f"dag_id: lost\ntasks:\n  slow: {{bash: 'for n in 1 2 3; do echo line $n; done; while [ ! -e {system.home}/go ]; do sleep 0.1; done'}}\n")
            system.wait_dag("lost")
            system.trigger("lost", run_id="r1")
            listener = Listener(system, "topics=dag:lost,log:lost/r1/slow/-1/1")
            logs = lambda: [data for name, _, data in list(listener.events) if name == "log"]  # noqa: E731
            wait_for(lambda: any(log["lines"] >= 3 for log in logs()), "the log of the first attempt", 60)
            first = logs()[-1]["attempt"]
            for pid in system.pids_of("headrace-warden"):
                os.kill(pid, signal.SIGKILL)
            wait_for(lambda: logs()[-1]["attempt"] != first, "the log of the next attempt", 120)
            (system.home / "go").touch()
            wait_for(lambda: logs()[-1]["complete"], "its end", 60)
            self.assertEqual(system.wait_run("lost", "r1")["state"], "success")
            listener.close()

    def test_what_could_not_be_named_is_read_anew_and_what_comes_after_it_is_told(self):
        with Standalone() as system:
            system.write_dag("named.yaml", "dag_id: named\ntasks: {only: {bash: 'true'}}\n")
            system.wait_dag("named")
            listener = Listener(system, "topics=dag:named")
            system.sql("ALTER TABLE dag_version RENAME COLUMN ir TO ir_away")
            system.trigger("named", run_id="nameless")
            wait_for(lambda: "reset" in [name for name, _, _ in listener.events], "the word that all is to be read anew", 60)
            system.sql("ALTER TABLE dag_version RENAME COLUMN ir_away TO ir")
            system.trigger("named", run_id="told")
            wait_for(lambda: "success" in listener.states("only"), "the task of the next run", 60)
            listener.close()

    def test_what_waits_is_told_in_the_order_of_the_scheduler(self):
        with Standalone() as system:
            system.write_dag("queued.yaml", "dag_id: queued\ndefaults: {queue: elsewhere, weight_rule: absolute}\ntasks:\n"
                             "  light: {bash: 'true'}\n  heavy: {bash: 'true', priority_weight: 9}\n  pooled: {bash: 'true', pool: no_such_pool, pool_slots: 2}\n")
            system.wait_dag("queued")
            waiting = lambda query="": system.request("GET", f"/api/headrace/v1/waiting?queue=elsewhere{query}")
            for run in ("r1", "r2"):
                system.trigger("queued", run_id=run)
            wait_for(lambda: waiting()["total"] == 6, "all six to wait", 60)
            items = waiting()["items"]
            self.assertEqual([(i["position"], i["run_id"], i["task_id"], i["hold"]) for i in items],
                             [(1, "r1", "heavy", "worker"), (2, "r2", "heavy", "worker"), (3, "r1", "light", "worker"), (4, "r1", "pooled", "slots"), (5, "r2", "light", "worker"), (6, "r2", "pooled", "slots")])
            self.assertEqual({k: items[3][k] for k in ("dag_id", "map_index", "queue", "pool", "pool_slots", "priority", "weight")},
                             {"dag_id": "queued", "map_index": -1, "queue": "elsewhere", "pool": "no_such_pool", "pool_slots": 2, "priority": 0, "weight": 1})
            self.assertEqual(([i["task_id"] for i in waiting("&limit=2")["items"]], waiting("&limit=2")["total"]), (["heavy", "heavy"], 6))
            self.assertEqual([i["run_id"] for i in waiting("&pool=no_such_pool")["items"]], ["r1", "r2"])
            nothing = system.request("GET", "/api/headrace/v1/waiting?queue=default")
            self.assertEqual((nothing["total"], nothing["items"], nothing["seq"] > 0), (0, [], True))
            self.assertEqual(system.raw("GET", "/api/headrace/v1/waiting?limit=201")[0], 422)
            self.assertEqual(system.raw("GET", "/api/headrace/v1/waiting?queue=" + 251 * "q")[0], 422)

    def test_a_dag_that_is_paused_and_activated_at_once_is_told_of_twice(self):
        with Standalone() as system:
            system.write_dag("blinks.yaml", "dag_id: blinks\ntasks: {only: {bash: 'true'}}\n")
            system.wait_dag("blinks")
            listener = Listener(system, "topics=dag:blinks")
            wait_for(lambda: listener.events, "the greeting", 60)
            told = lambda: sum(data["dags"].count("blinks") for name, _, data in listener.events if name == "dag")  # noqa: E731
            before = told()
            for paused in (True, False):
                system.request("PATCH", "/api/v2/dags/blinks", {"is_paused": paused})
            wait_for(lambda: told() >= before + 2, "both to be told", 60)
            listener.close()

    def test_a_task_that_is_marked_after_its_run_has_ended_is_seen_and_counted_and_the_end_stays(self):
        with Standalone() as system:
            system.write_dag("ended.yaml", "dag_id: ended\ntasks: {good: {bash: 'true'}, bad: {bash: 'exit 3'}}\n")
            system.wait_dag("ended")
            system.trigger("ended", run_id="r")
            end = system.wait_run("ended", "r")["end_date"]
            cells = lambda: system.request("GET", "/api/headrace/v1/ui/grid/ended/cells")["st"]  # noqa: E731
            counts = lambda: system.sql("SELECT n_success, n_failed FROM run WHERE run_id = 'r'")  # noqa: E731
            self.assertEqual((sorted(cells()[0]), counts().split("|")), (["f", "s"], ["1", "1"]))
            system.request("PATCH", "/api/v2/dags/ended/dagRuns/r/taskInstances/bad", {"new_state": "success"})
            wait_for(lambda: cells() == ["ss"], "the mark to be seen", 60)
            self.assertEqual(counts().split("|"), ["2", "0"])
            self.assertEqual(system.request("GET", "/api/v2/dags/ended/dagRuns/r")["end_date"], end)

    def test_changes_logs_and_reasons(self):
        with Standalone() as system:
            system.write_dag("live.yaml", DAG % system.home)
            system.wait_dag("live")
            listener = Listener(system, "topics=home,dag:live")
            self.addCleanup(listener.close)
            other = Listener(system, "topics=dag:other")
            run = system.trigger("live", run_id="r1")
            path = "/api/v2/dags/live/dagRuns/r1"
            wait_for(lambda: "running" in listener.states("slow"), "the stream to tell that slow runs")
            wait_for(lambda: "failed" in listener.states("broken"), "the stream to tell that broken failed")
            self.assertEqual(listener.states("quick")[-1], "success")
            self.assertIn("running", listener.runs())
            # ---- why
            why = system.request("GET", "/api/headrace/v1/why?dag_id=live&run_id=r1&task_id=after")
            self.assertEqual((why["state"], why["reasons"][0]["code"]), ("none", "upstream"))
            self.assertIn("slow", why["reasons"][0]["sentence"])
            self.assertEqual(system.request("GET", "/api/headrace/v1/why?dag_id=live&run_id=r1&task_id=slow")["reasons"][0]["code"], "running")
            self.assertEqual(system.request("GET", f"{path}/taskInstances/after/dependencies")["dependencies"][0]["name"], "upstream")
            # ---- the log while it runs
            log = "/api/headrace/v1/ui/log/live/r1/slow/-1/1"

            def lines(query):
                status, headers, text = system.raw("GET", f"{log}?{query}")
                return headers, text.splitlines()
            wait_for(lambda: system.raw("GET", log)[0] == 200 and int(lines("from=0")[0]["Log-Lines"]) == 200, "200 lines")
            headers, some = lines("from=100&lines=3")
            self.assertEqual([l.split(" ", 2)[2] for l in some], ["line 101", "line 102", "line 103"])
            self.assertEqual((headers["Log-First-Line"], headers["Log-Complete"]), ("100", "false"))
            self.assertRegex(some[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z o line 101$")
            self.assertEqual(lines("tail=2")[1][-1].split(" ", 2)[2], "line 200")
            found = system.request("GET", f"{log}/search?q=LINE%2010")
            self.assertEqual(found["lines"], [9] + list(range(99, 109)))
            page = system.request("GET", f"{path}/taskInstances/slow/logs/1")
            self.assertEqual((len(page["content"]), page["content"][0]["event"], page["continuation_token"]), (200, "line 1", "L200"))
            tail = Listener(system, "topics=log:live/r1/slow/-1/1")
            wait_for(lambda: any(n == "log" and d["lines"] == 200 for n, _, d in list(tail.events)), "the log's own event")
            # ---- its end
            (system.home / "go").touch()
            self.assertEqual(system.wait_run("live", "r1")["state"], "failed")
            wait_for(lambda: listener.runs()[-1] == "failed", "the stream to tell the end")
            wait_for(lambda: any(n == "log" and d["complete"] and d["lines"] == 201 for n, _, d in list(tail.events)), "the end of the log")
            rest = system.request("GET", f"{path}/taskInstances/slow/logs/1?token=L200")
            self.assertEqual(([c["event"] for c in rest["content"]], rest["continuation_token"]), (["last"], None))
            status, headers, text = system.raw("GET", f"{path}/taskInstances/quick/logs/1", headers={"Accept": "application/x-ndjson"})
            events = [json.loads(l) for l in text.splitlines()]
            self.assertEqual({(e["event"], e["logger"]) for e in events if e["logger"] != "headrace"}, {("out", "task.stdout"), ("err", "task.stderr")})
            status, headers, text = system.raw("GET", f"{log}/raw")
            self.assertEqual((headers["Content-Type"], "attachment" in headers["Content-Disposition"]), ("text/plain; charset=utf-8", True))
            self.assertEqual(len([l for l in text.splitlines() if " o " in l]), 201)
            self.assertEqual(system.raw("GET", "/api/headrace/v1/ui/log/live/r1/after/-1/9")[0], 404)
            # ---- positions rise, others heard nothing, and who comes back gets what was missed
            ids = [int(i) for _, i, _ in listener.events if i]
            self.assertEqual(ids, sorted(ids))
            self.assertFalse([e for e in other.events if e[0] in ("ti", "run")])
            again = Listener(system, "topics=dag:live", {"Last-Event-ID": str(ids[0])})
            wait_for(lambda: "failed" in again.runs(), "what was missed")
            self.assertNotIn("reset", [e[0] for e in again.events])
            # ---- a snapshot does not claim to hold what it may not have
            snapshot = system.request("GET", "/api/headrace/v1/ui/run/live/r1")
            self.assertEqual(snapshot["st"], "sssf")
            self.assertLessEqual(snapshot["seq"], max(ids))

    def test_why_names_what_blocks(self):
        with Standalone(settings={"autoscale.default.slots": 1}) as system:
            system.request("POST", "/api/v2/pools", {"name": "one", "slots": 1})
            system.write_dag("b.yaml", "dag_id: b\ntasks:\n  x: {bash: 'sleep 30', pool: one}\n  y: {bash: 'true', pool: one}\n"
                                       "  z: {bash: 'true', queue: nowhere}\n")
            system.trigger("b", run_id="r1")

            def code(task):
                reasons = system.request("GET", f"/api/headrace/v1/why?dag_id=b&run_id=r1&task_id={task}")["reasons"]
                return {r["code"]: r["object"] for r in reasons}
            wait_for(lambda: code("z").get("no_worker") == {"kind": "queue", "id": "nowhere"}, "z to have no worker")
            wait_for(lambda: "pool" in code("y") or "pool" in code("x"), "one of the two to wait for the pool")
            system.request("PATCH", "/api/v2/dags/b", {"is_paused": True})
            wait_for(lambda: code("z").get("paused") == {"kind": "dag", "id": "b"}, "z to be held by the pause")
            run = system.request("GET", "/api/headrace/v1/why?dag_id=b&run_id=r1")
            self.assertEqual(run["state"], "running")
            self.assertTrue(run["reasons"])
            system.request("PATCH", "/api/v2/dags/b/dagRuns/r1", {"state": "failed"})


if __name__ == "__main__":
    unittest.main()
