# SPDX-License-Identifier: Apache-2.0
"""Changing through the API: each change is a request to the leader with an audit row, and the answer is what the leader made of it."""
import concurrent.futures
import json
import time
import unittest

from api_rows import fill
from api_world import ApiWorld


class Changing(unittest.TestCase):
    def setUp(self):
        self.world = ApiWorld().__enter__()
        self.addCleanup(lambda: self.world.__exit__(None, None, None))
        self.rows = fill(self.world)

    def audit(self, event):
        text = self.world.sql(f"SELECT json_build_object('actor', actor, 'dag_id', dag_id, 'run_id', run_id, 'allowed', allowed, 'detail', detail) "
                              f"FROM audit WHERE event = '{event}' ORDER BY audit_no DESC LIMIT 1")
        return json.loads(text) if text else None

    def test_trigger_pause_mark_clear_and_delete(self):
        world = self.world
        # ---- trigger
        run = world.ok("POST", "/api/v2/dags/etl/dagRuns", {"dag_run_id": "mine", "logical_date": None, "conf": {"region": "us"}, "note": "go"})
        self.assertEqual((run["dag_run_id"], run["state"], run["conf"], run["note"]), ("mine", "queued", {"region": "us"}, "go"))
        self.assertEqual(self.audit("trigger_dag_run")["run_id"], "mine")
        self.assertEqual(world.call("POST", "/api/v2/dags/etl/dagRuns", {"dag_run_id": "mine"})[0], 409)
        self.assertEqual(world.call("POST", "/api/v2/dags/no/dagRuns", {})[0], 404)
        self.assertEqual(world.call("POST", "/api/v2/dags/etl/dagRuns", {"conf": {"region": "mars"}})[0], 422)
        made = world.ok("POST", "/api/v2/dags/etl/dagRuns", {"logical_date": "2026-11-21T06:00:00+01:00"})
        self.assertEqual((made["dag_run_id"], made["logical_date"]), ("manual__2026-11-21T05:00:00+00:00", "2026-11-21T05:00:00+00:00"))
        for body, field in {'{"dag_run_id": "a/b"}': "dag_run_id", '{"logical_date": "2026-11-21T06:00:00"}': "logical_date",
                            '{"conf": [1]}': "conf", '{"note": 7}': "note"}.items():
            status, answer = world.call("POST", "/api/v2/dags/etl/dagRuns", body, headers={"Content-Type": "application/json"})
            self.assertEqual((status, answer["detail"][0]["loc"]), (422, ["body", field]))
        status, answer = world.call("POST", "/api/v2/dags/etl/dagRuns", '{"dag_run_id": 1, "conf": 2}', headers={"Content-Type": "application/json"})
        self.assertEqual((status, len(answer["detail"])), (422, 2))  # all of them at once
        # ---- the same key twice is one request
        key = {"Idempotency-Key": "k1"}
        first = world.ok("POST", "/api/v2/dags/etl/dagRuns", {"dag_run_id": "once"}, headers=key)
        again = world.ok("POST", "/api/v2/dags/etl/dagRuns", {"dag_run_id": "once"}, headers=key)
        self.assertEqual(first["dag_run_id"], again["dag_run_id"])
        self.assertEqual(world.call("POST", "/api/v2/dags/etl/dagRuns", {"dag_run_id": "twice"}, headers=key)[0], 409)
        self.assertEqual(world.call("POST", "/api/v2/dags/quiet/dagRuns", {"dag_run_id": "once"}, headers=key)[0], 409)
        self.assertEqual(world.call("POST", "/api/v2/dags/etl/dagRuns", {}, headers={"Idempotency-Key": "k" * 201})[0], 400)
        # ---- pause
        self.assertTrue(world.ok("PATCH", "/api/v2/dags/etl?update_mask=is_paused", {"is_paused": True})["is_paused"])
        self.assertEqual(world.call("PATCH", "/api/v2/dags/etl", {})[0], 422)
        self.assertEqual([d["is_paused"] for d in world.ok("PATCH", "/api/v2/dags?dag_id_pattern=%25", {"is_paused": False})["dags"]], [False, False])
        # ---- notes and states of runs
        path = "/api/v2/dags/etl/dagRuns/mine"
        self.assertEqual(world.ok("PATCH", path, {"note": "seen"})["note"], "seen")
        self.assertEqual(world.ok("PATCH", path, {"state": "failed", "note": "no"})["state"], "failed")
        self.assertEqual(world.call("PATCH", path, {"state": "running"})[0], 422)
        self.assertEqual(world.call("PATCH", "/api/v2/dags/etl/dagRuns/no", {"state": "failed"})[0], 404)
        # ---- instances
        base = "/api/v2/dags/etl/dagRuns/manual__1/taskInstances"
        dry = world.ok("PATCH", base + "/each/dry_run", {"new_state": "success"})
        self.assertEqual(dry["total_entries"], 5)
        dry = world.ok("PATCH", base + "/load/dry_run", {"new_state": "success", "include_downstream": True})
        self.assertEqual([i["task_id"] for i in dry["task_instances"]], ["load", "report", "never"])
        marked = world.ok("PATCH", base + "/extract.orders", {"new_state": "success", "note": "by hand"})
        self.assertEqual((marked["task_instances"][0]["state"], marked["task_instances"][0]["note"]), ("success", "by hand"))
        self.assertEqual(world.call("PATCH", base + "/load", {"new_state": "running"})[0], 422)
        # ---- clearing
        clear = "/api/v2/dags/etl/clearTaskInstances"
        dry = world.ok("POST", clear, {"dag_run_id": "manual__1"})
        self.assertEqual([(i["task_id"], i["map_index"]) for i in dry["task_instances"]], [("each", 1)])  # only failed, dry, unless told
        dry = world.ok("POST", clear, {"dag_run_id": "manual__1", "only_failed": False, "task_ids": ["load"], "include_downstream": True})
        self.assertEqual([i["task_id"] for i in dry["task_instances"]], ["load", "report", "never"])
        dry = world.ok("POST", clear, {"dag_run_id": "manual__1", "only_failed": False, "task_ids": [["each", 2]]})
        self.assertEqual([(i["task_id"], i["map_index"]) for i in dry["task_instances"]], [("each", 2)])
        self.assertEqual(world.ok("POST", clear, {"dag_run_id": "manual__1", "task_ids": ["no"]})["total_entries"], 0)
        done = world.ok("POST", clear, {"dag_run_id": "manual__1", "dry_run": False})
        self.assertEqual([(i["task_id"], i["map_index"], i["state"]) for i in done["task_instances"]], [("each", 1, None)])
        self.assertEqual(world.call("POST", clear, {"dag_run_id": "no"})[0], 404)
        dry = world.ok("POST", "/api/v2/dags/etl/dagRuns/manual__failed/clear", {"only_failed": True})
        self.assertEqual(dry["total_entries"], 2)
        self.assertEqual(world.ok("POST", "/api/v2/dags/etl/dagRuns/manual__failed/clear", {"dry_run": False})["dag_run_id"], "manual__failed")
        # ---- waiting
        world.sql(f"UPDATE run SET state = 2, ended_at = now() WHERE run_id = 'manual__1'")
        status, headers, lines = world.get("/api/v2/dags/etl/dagRuns/manual__1/wait?interval=1", raw=True)
        self.assertEqual((status, json.loads(lines.splitlines()[-1])), (200, {"state": "success"}))
        # ---- workers
        self.assertEqual(world.call("POST", "/api/headrace/v1/workers/w-1/drain", {"reason": "kernel"})[0], 202)
        self.assertEqual(world.call("POST", "/api/headrace/v1/workers/w-1/drain", {})[0], 409)
        self.assertEqual(world.call("POST", "/api/headrace/v1/workers/w-1/resume")[0], 202)
        self.assertEqual(world.call("POST", "/api/headrace/v1/workers/no/drain")[0], 404)
        # ---- deleting
        self.assertEqual(world.call("DELETE", "/api/v2/dags/etl/dagRuns/mine")[0], 204)
        self.assertEqual(world.get("/api/v2/dags/etl/dagRuns/mine")[0], 404)
        self.assertEqual(world.call("DELETE", "/api/v2/dags/quiet")[0], 200)
        self.assertEqual(world.get("/api/v2/dags/quiet")[0], 404)
        # ---- the audit of it, a chain
        log = world.ok("GET", "/api/v2/eventLogs?order_by=-event_log_id&limit=1")
        self.assertEqual((log["event_logs"][0]["event"], log["event_logs"][0]["owner"]), ("delete_dag", "owner"))
        broken = world.sql(r"""SELECT count(*) FROM (SELECT lag(chain) OVER (ORDER BY audit_no) AS before, a.* FROM audit a) a
            WHERE chain <> sha256(coalesce(before, ''::bytea) || convert_to(concat_ws(E'\x1f', ms(at), actor, event, coalesce(dag_id, ''),
            coalesce(run_id, ''), coalesce(task_id, ''), coalesce(map_index, -2), allowed, address, detail::text), 'UTF8'))""")
        self.assertEqual(broken, "0")

    def test_pools_variables_and_connections(self):
        world = self.world
        pool = world.ok("POST", "/api/v2/pools", {"name": "gpu", "slots": 4, "description": "cards"}, status=201)
        self.assertEqual((pool["name"], pool["slots"], pool["open_slots"]), ("gpu", 4, 4))
        status, answer = world.call("POST", "/api/v2/pools", {"name": "gpu", "slots": 4})
        self.assertEqual((status, answer["detail"]), (409, "there is a pool gpu already"))
        self.assertEqual(world.call("POST", "/api/v2/pools", {"slots": "four"})[0], 422)
        pool = world.ok("PATCH", "/api/v2/pools/gpu?update_mask=slots", {"name": "gpu", "slots": 2, "description": "lost"})
        self.assertEqual((pool["slots"], pool["description"]), (2, "cards"))
        self.assertEqual(world.call("PATCH", "/api/v2/pools/gpu", {"name": "cpu", "slots": 2})[0], 400)
        self.assertEqual(world.call("DELETE", "/api/v2/pools/gpu")[0], 204)
        status, answer = world.call("DELETE", "/api/v2/pools/gpu")
        self.assertEqual((status, answer["detail"]), (404, "there is no pool gpu"))
        self.assertEqual(world.call("DELETE", "/api/v2/pools/default_pool")[0], 400)
        # ---- variables: sealed in the database, readable by those who may, but for secrets
        variable = world.ok("POST", "/api/v2/variables", {"key": "bucket", "value": "s3://x", "description": "where"}, status=201)
        self.assertEqual((variable["value"], variable["is_encrypted"]), ("s3://x", True))
        self.assertNotIn("s3://x", world.sql("SELECT encode(sealed, 'escape') FROM variable"))
        self.assertEqual(world.ok("POST", "/api/v2/variables", {"key": "api_password", "value": "hunter2!"}, status=201)["value"], "***")
        self.assertEqual(world.ok("POST", "/api/v2/variables", {"key": "map", "value": {"a": 1}}, status=201)["value"], '{"a":1}')
        self.assertEqual(world.call("POST", "/api/v2/variables", {"key": "map", "value": 1})[0], 409)
        self.assertEqual(world.ok("PATCH", "/api/v2/variables/bucket", {"key": "bucket", "value": "s3://y"})["description"], "where")
        self.assertEqual([v["key"] for v in world.ok("GET", "/api/v2/variables?variable_key_pattern=b%25")["variables"]], ["bucket"])
        self.assertEqual(world.ok("GET", "/api/v2/variables/bucket")["value"], "s3://y")
        self.assertEqual(world.ok("PATCH", "/api/v2/variables/bucket", {"key": "bucket", "description": "there"})["description"], "there")
        self.assertEqual(world.ok("GET", "/api/v2/variables/bucket")["value"], "s3://y", "a PATCH without the value changed it")
        self.assertEqual(world.call("DELETE", "/api/v2/variables/bucket")[0], 204)
        for method, path in (("POST", "/api/v2/variables"), ("PATCH", "/api/v2/variables/api_password")):
            self.assertEqual(world.call(method, path, {"key": "api_password", "value": "***"})[0], 422, "stars are no value")
        # ---- connections: passwords never come back
        body = {"connection_id": "pg", "conn_type": "postgres", "host": "db", "port": 5432, "login": "me", "password": "s3cret!", "extra": '{"a": 1}'}
        connection = world.ok("POST", "/api/v2/connections", body, status=201)
        self.assertEqual((connection["host"], connection["port"], connection["password"]), ("db", 5432, "***"))
        self.assertNotIn("s3cret", json.dumps(world.ok("GET", "/api/v2/connections")))
        bare = {"connection_id": "bare", "conn_type": "http", "host": "x"}
        self.assertIsNone(world.ok("POST", "/api/v2/connections", bare, status=201)["password"], "stars for no password")
        shown = {row["connection_id"]: row["password"] for row in world.ok("GET", "/api/v2/connections")["connections"]}
        self.assertEqual((shown["bare"], shown["pg"]), (None, "***"))
        self.assertEqual(world.call("DELETE", "/api/v2/connections/bare")[0], 204)
        self.assertEqual(world.call("POST", "/api/v2/connections", {**body, "connection_id": "pg2", "password": "***"})[0], 422)
        self.assertEqual(world.ok("PATCH", "/api/v2/connections/pg", {"connection_id": "pg", "conn_type": "postgres", "host": "db2"})["host"], "db2")
        # what a PATCH does not name stays, sealed or not
        sealed = "SELECT encode(sealed, 'hex') FROM connection WHERE connection_id = 'pg'"
        before = world.sql(sealed)
        changed = world.ok("PATCH", "/api/v2/connections/pg", {"login": "you", "description": "main"})
        self.assertEqual((changed["host"], changed["port"], changed["login"], changed["description"]), ("db2", 5432, "you", "main"))
        self.assertEqual(world.sql(sealed), before, "a PATCH without the password and extra changed them")
        self.assertIsNone(world.ok("PATCH", "/api/v2/connections/pg", {"port": None})["port"])
        world.ok("PATCH", "/api/v2/connections/pg", {"password": "other"})
        self.assertNotEqual(world.sql(sealed), before)
        self.assertEqual(world.call("DELETE", "/api/v2/connections/pg")[0], 204)
        self.assertNotIn("s3cret", world.sql("SELECT coalesce(string_agg(detail::text, ' '), '') FROM audit"))
        self.assertEqual(self.audit("create_pool")["detail"], {"name": "gpu", "slots": 4})
        # ---- many at once
        bulk = world.ok("PATCH", "/api/v2/pools", {"actions": [
            {"action": "create", "entities": [{"name": "p1", "slots": 1}, {"name": "db", "slots": 9}, {"name": "p2"}]},
            {"action": "create", "entities": [{"name": "db", "slots": 3}], "action_on_existence": "overwrite"},
            {"action": "update", "entities": [{"name": "p1", "slots": 5}, {"name": "no", "slots": 5}], "action_on_non_existence": "skip"},
            {"action": "delete", "entities": ["p1", "no"]}]})
        self.assertEqual((bulk["update"]["success"], bulk["delete"]["success"]), (["p1"], ["p1"]))
        self.assertEqual((bulk["update"]["errors"], [e["status_code"] for e in bulk["delete"]["errors"]]), ([], [404]))
        self.assertEqual(world.ok("GET", "/api/v2/pools/db")["slots"], 3)
        bulk = world.ok("PATCH", "/api/v2/variables", {"actions": [{"action": "create", "entities": [{"key": "b1", "value": "1"}, {"key": "b2", "value": "2"}]}]})
        self.assertEqual((bulk["create"]["success"], bulk["delete"]), (["b1", "b2"], None))
        self.assertEqual(world.call("PATCH", "/api/v2/connections", {"actions": [{"action": "paint", "entities": []}]})[0], 422)
        # each told the leader what to read again
        self.assertIn("variables", {a.get("what") for a in world.answers} | {json.loads(b).get("what") for b in world.sql("SELECT body FROM inbox").splitlines()})

    def test_a_repeated_key_makes_one_run_whose_id_we_made_up_whoever_comes_first(self):
        world, key = self.world, {"Idempotency-Key": "at-once"}
        trigger = lambda _: world.call("POST", "/api/v2/dags/etl/dagRuns", {"note": "at once"}, headers=key)  # noqa: E731
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(trigger, range(8)))
        answers.append(trigger(None))
        self.assertEqual({status for status, _ in answers}, {200})
        self.assertEqual(len({run["dag_run_id"] for _, run in answers}), 1)
        self.assertEqual(world.sql("SELECT count(*) FROM run WHERE note = 'at once'"), "1")
        self.assertEqual(world.call("POST", "/api/v2/dags/etl/dagRuns", {"note": "another"}, headers=key)[0], 409)

    def test_a_repeated_key_does_each_item_of_many_once(self):
        world, key = self.world, {"Idempotency-Key": "bulk"}
        marks = {"actions": [{"action": "update", "entities": [{"task_id": t, "new_state": "success"} for t in ("load", "report", "nothing")]}]}
        path = "/api/v2/dags/etl/dagRuns/manual__1/taskInstances"
        first = world.ok("PATCH", path, marks, headers=key)
        done = len(world.answers)
        self.assertEqual(world.ok("PATCH", path, marks, headers=key), first)
        self.assertEqual(len(world.answers), done)
        marks["actions"][0]["entities"].reverse()
        self.assertEqual(world.call("PATCH", path, marks, headers=key)[0], 409)
        self.assertEqual(len(world.answers), done)
        pause = "/api/v2/dags?dag_id_pattern=%25"
        for _ in range(2):
            world.ok("PATCH", pause, {"is_paused": False}, headers={"Idempotency-Key": "pause"})
        self.assertEqual(sum(a["kind"] == "pause" for a in world.answers[done:]), 2)

    def test_without_a_leader_a_request_says_so_at_once(self):
        self.world.stop_leader()
        begun = time.monotonic()
        status, headers, body = self.world.call("PATCH", "/api/v2/dags/etl", {"is_paused": True}, raw=True)
        answer = json.loads(body)
        self.assertEqual((status, answer["detail"]["reason"]), (503, "not_yet_done"))
        self.assertEqual(headers["Retry-After"], "5")
        self.assertLess(time.monotonic() - begun, 9)  # what leads would be waited for 10 s
        self.assertEqual(self.world.sql("SELECT count(*) FROM inbox WHERE body ->> 'kind' = 'pause'"), "1")


if __name__ == "__main__":
    unittest.main()
