# SPDX-License-Identifier: Apache-2.0
"""Many at once, against a leader that does what the test wants: keys, sizes, and clients that leave."""
import http.client
import json
import subprocess
import threading
import unittest

from api_rows import fill
from api_world import ApiWorld, wait_for

UI = "/api/headrace/v1/ui"
INSTANCES = "/api/v2/dags/etl/dagRuns/manual__1/taskInstances"
RUNS = ("manual__1", "manual__failed", "scheduled__1")


def marks(*task_ids):
    return {"actions": [{"action": "update", "entities": [{"task_id": task_id, "new_state": "success"} for task_id in task_ids]}]}


class Bulk(unittest.TestCase):
    def setUp(self):
        self.world = ApiWorld().__enter__()
        self.addCleanup(lambda: self.world.__exit__(None, None, None))
        fill(self.world)

    def lines(self, kind, query, body, key):
        status, _, text = self.world.call("POST", f"{UI}/{kind}/bulk{query}", body, headers={"Idempotency-Key": key}, raw=True)
        self.assertEqual(status, 200, text)
        return [json.loads(line) for line in text.splitlines()]

    def test_a_key_that_is_too_long_is_refused_before_anything_is_done(self):
        world, key = self.world, {"Idempotency-Key": "k" * 201}
        named = [{"dag_id": "etl", "run_id": "manual__1", "task_id": "load", "map_index": -1}]
        for method, path, body in (("POST", f"{UI}/runs/bulk", {"action": "clear", "items": named}),
                                   ("POST", f"{UI}/tasks/bulk", {"action": "clear", "items": named}),
                                   ("POST", f"{UI}/runs/bulk?state=failed", {"action": "clear", "expected": 1}),
                                   ("PATCH", INSTANCES, marks("load"))):
            self.assertEqual(world.call(method, path, body, headers=key)[0], 400, path)
        self.assertEqual(world.answers, [])

    def test_with_a_key_each_of_many_is_done_and_done_once(self):
        world, body = self.world, {"action": "success", "items": [{"dag_id": "etl", "run_id": run} for run in RUNS]}
        first = self.lines("runs", "", body, "named")
        self.assertEqual((len(first), first[-1]), (5, {"end": "all"}), first)
        self.assertEqual(sorted(request["run_id"] for request in world.answers), sorted(RUNS))
        self.assertEqual(self.lines("runs", "", body, "named")[-1], {"end": "all"})
        self.assertEqual(len(world.answers), 3)
        # ---- what a query finds the second time is not what it found the first time
        query, body = "?dag_id=etl&q=manual__", {"action": "delete", "expected": 2}
        world.answer, answer = lambda request: answer(request) if request["run_id"] == "manual__1" else (-5004, "it is busy"), world.answer
        told = lambda: {line["run_id"]: line.get("status") for line in self.lines("runs", query, body, "found")[1:-1]}  # noqa: E731
        self.assertEqual(told(), {"manual__1": None, "manual__failed": 409})
        world.answer = answer
        self.assertEqual(told(), {"manual__failed": 409})  # the answer that it had
        self.assertEqual(len(world.answers), 5)

    def test_a_key_of_another_call_ends_it(self):
        world, items = self.world, [{"dag_id": "etl", "run_id": run} for run in RUNS]
        self.lines("runs", "", {"action": "success", "items": items}, "k")
        end = self.lines("runs", "", {"action": "success", "items": items[:1]}, "k")[-1]
        self.assertEqual(end, {"end": "stopped", "why": "this Idempotency-Key was used for another request"})
        self.assertEqual(len(world.answers), 3)

    def test_the_audit_row_of_one_of_many_tells_of_that_one(self):
        world = self.world
        world.ok("PATCH", INSTANCES, marks("load", "report"))
        details = world.sql("SELECT detail FROM audit WHERE event = 'mark_task_instance' ORDER BY audit_no").splitlines()
        self.assertEqual([json.loads(detail) for detail in details], marks("load", "report")["actions"][0]["entities"])
        done = len(world.answers)
        status, answer = world.call("PATCH", INSTANCES, marks(*["load"] * 5000, *["report"] * 5001))
        self.assertEqual((status, answer["detail"][0]["msg"]), (422, "at most 10000 entities"))
        self.assertEqual(len(world.answers), done)

    def test_a_client_that_leaves_while_a_page_is_read_ends_it(self):
        world, gate = self.world, threading.Event()
        world.sql("INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after, queued_at, conf, triggered_by, state, n_success, n_failed, "
                  "n_skipped, started_at, ended_at, updated_at) SELECT run_no - n, dag_no, version_no, 0, 'r' || n, now(), now(), '{}', '', 3, 0, 1, 0, "
                  "now(), now(), now() FROM run, generate_series(1, 150) n WHERE run_id = 'scheduled__1'")
        world.answer = lambda request: (0, {}) if gate.wait(60) else (-5002, "nobody opened the gate")
        connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=120)
        self.addCleanup(connection.close)
        connection.request("POST", f"{UI}/runs/bulk?state=failed", json.dumps({"action": "success", "expected": 151}),
                           {"Authorization": f"Bearer {world.token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        self.assertEqual(json.loads(answer.readline()), {"total": 151})
        wait_for(lambda: world.sql("SELECT count(*) > 0 FROM inbox") == "t", "the first page", 60)
        # ---- the first page waits for the leader; the second one has to wait for us
        with subprocess.Popen(["psql", "-qXAt", "-d", world.pg.conninfo()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as lock:
            lock.stdin.write("BEGIN; LOCK TABLE expansion IN ACCESS EXCLUSIVE MODE; SELECT 'held';\n")
            lock.stdin.flush()
            self.assertEqual(lock.stdout.readline(), "held\n")
            gate.set()
            for _ in range(100):
                self.assertIn("run_id", json.loads(answer.readline()))
            wait_for(lambda: world.sql("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted") == "t", "the second page to be asked for", 60)
            connection.sock.shutdown(1)  # SHUT_WR; the server ends the connection once it has seen it
            self.assertRaises(http.client.IncompleteRead, answer.read)
            lock.stdin.close()
        wait_for(lambda: world.sql("SELECT count(*) = 0 FROM pg_locks WHERE relation = 'expansion'::regclass") == "t", "the second page", 60)
        self.assertEqual(world.ok("GET", f"{UI}/runs?limit=0&state=failed")["matches"], 151)
        self.assertEqual(len(world.answers), 100)


if __name__ == "__main__":
    unittest.main()
