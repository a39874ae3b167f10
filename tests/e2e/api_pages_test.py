# SPDX-License-Identifier: Apache-2.0
"""What the pages of the web application ask for: docs/api/ui.md, key by key."""
import http.client
import unittest

from api_rows import fill
from api_world import ApiWorld

UI = "/api/headrace/v1/ui"


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = ApiWorld(leader=False, settings={"autoscale_default__max": 4}).__enter__()
        cls.rows = fill(cls.world)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)

    def test_home(self):
        home = self.world.ok("GET", UI + "/home?hours=24")
        self.assertEqual(home["dags"], {"total": 2, "active": 1, "paused": 1, "import_errors": 1})
        self.assertEqual(home["runs"], {"queued": 0, "running": 1})
        self.assertEqual(self.world.ok("GET", UI + "/activity?hours=24")["runs"], {"success": 1, "failed": 1})
        self.assertEqual((home["tasks"]["running"], home["tasks"]["queued"]), (1, 1))
        self.assertEqual((home["slots"]["workers"], home["slots"]["draining"], home["slots"]["total"]), (2, 1, 8))
        running = home["running"][0]
        self.assertEqual((running["run_id"], running["total"], running["done"], running["failed"]), ("manual__1", 11, 5, 1))
        failure = home["failures"][0]
        self.assertEqual((failure["task_id"], failure["try_number"], failure["error"]), ("extract.orders", 2, "exit code 1: KeyError: 'name'"))
        self.assertEqual((home["next"][0]["dag_id"], home["next"][0]["schedule"]), ("etl", "0 6 * * *"))
        self.assertIsInstance(home["seq"], int)
        activity = self.world.ok("GET", UI + "/activity?hours=24")
        self.assertEqual((sum(activity["success"]), sum(activity["failed"])), (9, 2))
        self.assertLessEqual(len(activity["success"]), 200)

    def test_lanes_hold_what_ran_beside_what(self):
        answer = self.world.ok("GET", UI + "/lanes?hours=24")
        etl = answer["lanes"][0]
        self.assertEqual((etl["dag_id"], etl["open"], etl["failed"], etl["runs"]["id"], etl["runs"]["state"]), ("etl", 1, 1, ["manual__1", "manual__failed", "scheduled__1"], "rfs"))
        self.assertIsNone(etl["runs"]["end"][0])
        self.assertGreater(etl["runs"]["end"][1], etl["runs"]["start"][1])
        self.assertGreater(etl["next"], answer["now"])
        self.assertEqual(answer["dags"], sum(1 for lane in answer["lanes"] if lane["runs"]["id"]))

    def test_dags(self):
        answer = self.world.ok("GET", UI + "/dags?runs=2")
        self.assertEqual((answer["total_entries"], answer["tags"], answer["owners"]), (2, ["demo", "finance"], ["ada", "data"]))
        etl = answer["dags"][0]
        self.assertEqual((etl["version"], etl["task_count"], etl["schedule"], etl["timezone"], etl["running"], etl["queued"]),
                         (2, 7, "0 6 * * *", "Europe/Zurich", 1, 1))
        self.assertEqual((etl["runs"]["id"], etl["runs"]["state"]), (["manual__1", "manual__failed"], "rf"))
        self.assertEqual(etl["median_ms"], 3600000)
        for query, wanted in {"q=finance": ["etl"], "q=QUIET": ["quiet"], "paused=true": ["quiet"], "tag=demo": ["etl"], "owner=data": ["etl"],
                              "state=running": ["etl"], "state=failed": [], "dag_id=quiet": ["quiet"], "order_by=-last_run": ["etl", "quiet"],
                              "order_by=attention": ["etl", "quiet"],
                              "limit=1&offset=1": ["quiet"]}.items():
            with self.subTest(query):
                self.assertEqual([d["dag_id"] for d in self.world.ok("GET", f"{UI}/dags?{query}")["dags"]], wanted)

    def test_a_dag_that_names_no_owner_has_the_one_of_the_api(self):
        self.world.sql("UPDATE dag SET owners = '{}' WHERE dag_id = 'quiet'")
        answer = self.world.ok("GET", UI + "/dags?owner=headrace")
        self.assertEqual(([(d["dag_id"], d["owners"]) for d in answer["dags"]], answer["owners"]), ([("quiet", ["headrace"])], ["data", "headrace"]))
        self.assertEqual(self.world.ok("GET", "/api/v2/dags/quiet")["owners"], ["headrace"])
        self.world.sql("UPDATE dag SET owners = '{ada}' WHERE dag_id = 'quiet'")

    def test_the_shape_has_tasks_then_groups_and_an_etag(self):
        status, headers, _ = self.world.get(UI + "/grid/etl/shape", raw=True)
        shape = self.world.ok("GET", UI + "/grid/etl/shape")
        self.assertEqual(shape["id"][-1], "extract")
        self.assertEqual((shape["kind"], shape["parent"]), ([0, 0, 0, 2, 0, 0, 0, 1], [-1, 7, 7, -1, -1, -1, -1, -1]))
        self.assertEqual(shape["name"][1], "orders")
        self.assertEqual(list(zip(shape["from"], shape["to"])), [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5), (5, 6)])
        self.assertEqual(self.world.get(UI + "/grid/etl/shape", headers={"If-None-Match": headers["ETag"]}, raw=True)[0], 304)
        status, headers, _ = self.world.get(UI + "/grid/etl/shape?version=1", raw=True)
        self.assertIn("immutable", headers["Cache-Control"])
        self.assertEqual(self.world.get(UI + "/grid/no/shape")[0], 404)

    def test_an_instance_counts_as_its_newest_try(self):
        run_no = self.world.sql("SELECT run_no FROM run WHERE run_id = 'manual__1'")
        home = lambda: self.world.ok("GET", UI + "/home")  # noqa: E731
        row = lambda: next(r for r in self.world.ok("GET", UI + "/runs")["runs"] if r["run_id"] == "manual__1")  # noqa: E731
        before = home()
        self.world.add_try(run_no, 3, 3, map_index=1, row_no=2, try_no=2)
        try:
            after = home()
            self.assertEqual(after["tasks"]["running"], before["tasks"]["running"] + 1)
            for shown in (after["running"][0], row()):
                self.assertEqual((shown["done"], shown["failed"]), (before["running"][0]["done"] - 1, before["running"][0]["failed"] - 1))
        finally:
            self.world.sql(f"DELETE FROM try WHERE run_no = {run_no} AND task = 3 AND map_index = 1 AND row_no = 2")
        self.assertEqual((home()["running"][0], row()["done"]), (before["running"][0], before["running"][0]["done"]))

    def test_cells_are_one_letter_a_task_of_the_newest_shape(self):
        cells = self.world.ok("GET", UI + "/grid/etl/cells?runs=25")
        self.assertEqual((cells["runs"]["id"], cells["runs"]["state"], cells["more"]), (["manual__1", "manual__failed", "scheduled__1"], "rfs", False))
        self.assertEqual(cells["st"], ["sssf...", "sfsu...", "sss----"])
        self.assertEqual(cells["tries"], [[1, 1, 2]])
        self.assertEqual(cells["mapped"], [[0, 3, 5, 1, 2, 1, 1]])
        self.assertEqual(cells["runs"]["version"], [2, 2, 1])
        older = self.world.ok("GET", f"{UI}/grid/etl/cells?runs=1&before={cells['runs']['key'][0]}")
        self.assertEqual((older["runs"]["id"], older["more"]), (["manual__failed"], True))
        self.assertEqual(self.world.ok("GET", UI + "/grid/etl/cells?state=success")["runs"]["id"], ["scheduled__1"])
        self.assertEqual(cells["hash"], self.world.ok("GET", UI + "/grid/etl/shape")["hash"])
        self.assertEqual(self.world.ok("GET", UI + "/grid/quiet/cells")["st"], [])

    def test_cells_of_ended_runs_are_kept_until_the_row_of_their_run_changes(self):
        read = lambda: self.world.ok("GET", UI + "/grid/etl/cells?runs=25")  # noqa: E731
        first = read()
        failed = first["runs"]["key"][1]
        change = lambda state: self.world.sql(f"UPDATE try SET state = {state} WHERE run_no = {failed} AND task = 0 AND state <> {state}")  # noqa: E731
        change(6)
        self.assertEqual({name: read()[name] for name in ("st", "tries", "mapped", "runs")}, {name: first[name] for name in ("st", "tries", "mapped", "runs")}, "it was read again")
        self.assertEqual(self.world.ok("GET", UI + f"/grid/etl/cells?runs=1&before={first['runs']['key'][0]}")["tries"], [[0, 1, 2]], "placed as on the other page")
        self.world.sql(f"UPDATE run SET updated_at = now() WHERE run_no = {failed}")
        self.assertEqual(read()["st"], [first["st"][0], "k" + first["st"][1][1:], first["st"][2]])
        change(4)
        self.world.sql(f"UPDATE run SET updated_at = now() WHERE run_no = {failed}")
        self.assertEqual(read()["st"], first["st"])

    def test_a_run(self):
        run = self.world.ok("GET", UI + "/run/etl/manual__1")
        self.assertEqual((run["st"], run["try"]), ("sssf...", [1, 1, 1, 1, 0, 0, 0]))
        self.assertEqual(run["mapped"], [[3, 5, 1, 2, 1, 1]])
        self.assertEqual(run["errors"], [[3, 1, 1, "exit code 3"]])
        self.assertEqual(run["run"]["params"], {"region": "us", "days": 3})
        self.assertEqual((run["previous_good"], run["older"], run["newer"]), ("scheduled__1", "manual__failed", None))
        self.assertEqual(run["worker"], ["w-1"] * 4 + [None] * 3)
        self.assertEqual(run["run"]["triggered_by"], "ada")
        self.assertEqual(self.world.get(UI + "/run/etl/no")[0], 404)

    def test_mapped_instances(self):
        mapped = self.world.ok("GET", UI + "/mapped/etl/manual__1/each")
        self.assertEqual((mapped["total"], mapped["st"], mapped["matches"]), (5, "sfrq.", 5))
        self.assertEqual([r["map_index"] for r in mapped["rows"]], [0, 1, 2, 3, 4])
        self.assertEqual(mapped["errors"], [["exit code 3", 1]])
        failed = self.world.ok("GET", UI + "/mapped/etl/manual__1/each?state=failed&from=1")
        self.assertEqual((failed["rows"], failed["errors"]), ([], mapped["errors"]), "they are those of all, whatever is shown")
        failed = self.world.ok("GET", UI + "/mapped/etl/manual__1/each?state=failed")
        self.assertEqual((failed["matches"], failed["rows"][0]["label"], failed["rows"][0]["error"]), (1, "orders-1", "exit code 3"))
        self.assertEqual(self.world.ok("GET", UI + "/mapped/etl/manual__1/each?q=ORDERS-0")["matches"], 1)
        self.assertEqual([r["map_index"] for r in self.world.ok("GET", UI + "/mapped/etl/manual__1/each?q=3")["rows"]], [1, 3], "by its error and by its number")
        self.assertEqual(self.world.ok("GET", UI + "/mapped/etl/manual__1/each?state=success,failed")["matches"], 2)
        self.assertEqual(self.world.ok("GET", UI + "/mapped/etl/manual__1/each?state=none_such")["matches"], 0)
        self.assertEqual((mapped["rows"][4]["state"], mapped["rows"][4]["try"]), ("none", 0), "without a row")
        self.assertEqual(self.world.get(UI + "/mapped/etl/manual__1/none_such")[0], 404)
        self.assertEqual(len(self.world.ok("GET", UI + "/mapped/etl/manual__1/each?from=3&limit=1")["rows"]), 1)

    def test_a_task(self):
        task = self.world.ok("GET", UI + "/task/etl/manual__failed/extract.orders/-1")
        self.assertEqual((task["state"], task["try"], task["max_tries"], task["operator"]), ("failed", 2, 3, "bash"))
        self.assertEqual([t["try"] for t in task["tries"]], [1, 2])
        self.assertEqual(task["tries"][0]["error"], "exit code 1: KeyError: 'id'")
        self.assertEqual((task["upstream"], task["downstream"]), (["arrived"], ["each"]))
        self.assertEqual(task["history"][-1]["to"], "failed")
        self.assertEqual(task["history"][-1]["sentence"], "its process failed")
        done = self.world.ok("GET", UI + "/task/etl/manual__1/extract.orders/-1")
        self.assertEqual((done["output"], done["output_bytes"]), ({"rows": 12}, 12))
        each = [self.world.ok("GET", UI + f"/task/etl/manual__1/{task}") for task in ("each/-1", "each/0", "extract.orders/-1")]
        self.assertEqual([page["is_mapped"] for page in each], [True, False, False])
        waiting = self.world.ok("GET", UI + "/task/etl/manual__1/load/-1")
        self.assertEqual((waiting["state"], waiting["tries"], waiting["pool"], waiting["trigger_rule"]), ("none", [], "db", "all_done"))
        self.assertEqual(self.world.get(UI + "/task/etl/manual__1/no/-1")[0], 404)

    def test_lists_of_runs_and_tasks_are_paged_by_place(self):
        runs = self.world.ok("GET", UI + "/runs?limit=2")
        self.assertEqual([r["run_id"] for r in runs["runs"]], ["manual__1", "manual__failed"])
        rest = self.world.ok("GET", f"{UI}/runs?limit=2&after={runs['next']}")
        self.assertEqual(([r["run_id"] for r in rest["runs"]], rest["next"]), (["scheduled__1"], None))
        self.assertEqual(runs["runs"][0]["done"], 5)
        self.assertEqual([r["run_id"] for r in self.world.ok("GET", UI + "/runs?state=failed,success&q=manual")["runs"]], ["manual__failed"])
        seen, after = [], ""
        while after is not None:
            page = self.world.ok("GET", f"{UI}/tasks?limit=4&after={after}")
            seen += [(t["run_id"], t["task_id"], t["map_index"]) for t in page["tasks"]]
            after = page["next"]
        self.assertEqual((len(seen), len(set(seen))), (14, 14))
        self.assertEqual([t["task_id"] for t in self.world.ok("GET", UI + "/tasks?state=failed&worker=w-1")["tasks"]], ["each", "extract.orders"])
        self.assertEqual(self.world.get(UI + "/tasks?after=x")[0], 422)

    def test_lists_are_narrowed_by_what_each_filter_says(self):
        runs = lambda query: [r["run_id"] for r in self.world.ok("GET", f"{UI}/runs?{query}")["runs"]]
        every = ["manual__1", "manual__failed", "scheduled__1"]
        for query, wanted in {"dag_id=etl": every, "dag_id=e*": every, "dag_id=quiet,et*": every, "dag_id=t*": [], "dag_id=et": [],
                              "duration_min=3600000&state=success": ["scheduled__1"], "duration_min=3600001&state=success": [],
                              "duration_max=3600000&state=success": ["scheduled__1"], "duration_max=3599999&state=success": []}.items():
            with self.subTest(query):
                self.assertEqual(runs(query), wanted)
        tasks = self.world.ok("GET", f"{UI}/tasks?limit=100")["tasks"]
        took = {t["task_id"]: t["end"] - t["start"] for t in tasks if t["start"] and t["end"]}
        longest = max(took.values())
        fits = {"try_min=2": lambda t: t["try"] >= 2, "try_max=1": lambda t: t["try"] <= 1, "try_min=1&try_max=1": lambda t: t["try"] == 1,
                "queue=default": lambda t: t["queue"] == "default", "queue=none_such": lambda t: False, "dag_id=et*&state=failed": lambda t: t["state"] == "failed",
                f"state=success&duration_min={longest}": lambda t: t["state"] == "success" and t["start"] and t["end"] - t["start"] >= longest,
                f"state=success&duration_max={longest - 1}": lambda t: t["state"] == "success" and t["start"] and t["end"] - t["start"] < longest}
        for query, fit in fits.items():
            with self.subTest(query):
                key = lambda t: (t["run_id"], t["task_id"], t["map_index"])
                self.assertEqual([key(t) for t in self.world.ok("GET", f"{UI}/tasks?limit=100&{query}")["tasks"]], [key(t) for t in tasks if fit(t)])
        self.assertEqual(self.world.get(UI + "/tasks?try_min=x")[0], 422)

    def test_further_pages(self):
        error = self.world.ok("GET", "/api/headrace/v1/import_errors")["import_errors"][0]
        self.assertEqual((error["line"], error["column"], error["advice"]), (12, 5, "write retries"))
        days = self.world.ok("GET", UI + "/calendar/etl?timezone=Europe/Berlin")["days"]
        self.assertEqual(sum(d[1] + d[2] + d[3] for d in days), 3)
        trends = self.world.ok("GET", UI + "/trends/etl")
        self.assertEqual((trends["runs"]["state"], trends["tasks"]["id"][0], len(trends["tasks"]["run_ms"][0])), ("sfr", "arrived", 3))
        kinds = {i["kind"] for i in self.world.ok("GET", UI + "/search?q=e")["items"]}
        self.assertLessEqual({"dag", "task", "run"}, kinds)
        self.assertEqual(self.world.ok("GET", UI + "/search?q=zzz")["items"], [])
        settings = {f"{s['section']}.{s['key']}": s for s in self.world.ok("GET", "/api/headrace/v1/settings")["settings"]}
        self.assertEqual(settings["api.port"]["value"], str(self.world.port))
        self.assertEqual((settings["database.conn"]["value"], settings["database.conn"]["secret"]), ("***", True))

    def usage(self, task, **query):
        return self.world.ok("GET", f"{UI}/usage/etl/{task}?" + "&".join(f"{name}={value}" for name, value in query.items()))

    def test_what_a_task_used_is_told_run_by_run(self):
        newest = "WHERE version_number = 2 AND dag_no = (SELECT dag_no FROM dag WHERE dag_id = 'etl')"
        self.world.sql(f"UPDATE dag_version SET ir = jsonb_set(ir, '{{tasks,1,memory_bytes}}', '268435456') {newest}")
        used = self.usage("extract.orders")
        self.world.sql(f"UPDATE dag_version SET ir = ir #- '{{tasks,1,memory_bytes}}' {newest}")
        self.assertEqual(used["run_id"], ["scheduled__1", "manual__failed", "manual__1"], "oldest first")
        self.assertEqual((used["version"], used["tries"], used["failed"]), ([1, 2, 2], [1, 2, 1], [False, True, False]))
        self.assertEqual((used["ran_ms"], used["cpu_ms"]), ([3000, 6000, 3000], [120, 240, 120]), "all tries of a run together")
        self.assertEqual((used["memory_peak_bytes"], used["memory_max_bytes"]), ([1048576] * 3, [None, 268435456, 268435456]))
        self.assertEqual(self.usage("extract.orders", runs=1)["run_id"], ["manual__1"], "the newest")

    def test_a_mapped_task_uses_what_its_instances_use(self):
        for query, wanted in (({}, (["manual__1"], [3], [True])), ({"map_index": 0}, (["manual__1"], [1], [False])), ({"map_index": 1}, (["manual__1"], [1], [True])),
                              ({"map_index": 3}, ([], [], []))):
            used = self.usage("each", **query)
            self.assertEqual((used["run_id"], used["tries"], used["failed"]), wanted, query)

    def test_runs_in_which_a_task_did_not_run_use_nothing(self):
        place = "task = 2 AND run_no = (SELECT max(run_no) FROM run WHERE run_id = 'manual__1')"
        self.world.sql(f"UPDATE try SET cleared = true WHERE {place}")
        self.assertEqual(self.usage("extract.people")["run_id"], ["scheduled__1", "manual__failed"])
        self.world.sql(f"UPDATE try SET cleared = false WHERE {place}")
        self.assertEqual(self.usage("report")["memory_peak_bytes"], [])
        self.assertEqual(self.usage("nothing")["run_id"], [])
        self.assertEqual(self.world.get(UI + "/usage/nothing/report")[0], 404)
        self.assertEqual(self.world.get(UI + "/usage/etl/report?map_index=-2")[0], 422)

    def test_workers_and_autoscaling(self):
        answer = self.world.ok("GET", "/api/headrace/v1/workers")
        worker = {w["name"]: w for w in answer["workers"]}["w-1"]
        self.assertEqual((worker["state"], worker["slots"], worker["used"]), ("present", 8, 2))
        self.assertEqual({(t["task_id"], t["map_index"]) for t in worker["tasks"]}, {("each", 2), ("each", 3)})
        self.assertEqual((worker["cpu_percent"], worker["memory_bytes"], worker["memory_total_bytes"]), (None, None, None), "it has not told")
        self.assertEqual(answer["queues"][0]["queue"], "default")
        self.world.sql("INSERT INTO autoscale_event (queue, at, demand, wanted, present, reason) "
                       "VALUES ('default', now() - interval '5 minutes', 21, 3, 2, '21 tasks want slots')")
        answer = self.world.ok("GET", "/api/headrace/v1/autoscaling")
        queue = answer["queues"][0]
        self.assertEqual((queue["max"], queue["wanted"], queue["events"][0]["kind"]), (4, 3, "out"))
        self.assertEqual((queue["demands"], queue["wanteds"], queue["presents"]), ([21, 2], [3, 3], [2, 1]), "its last point is how it is now")
        self.assertEqual(queue["demand"], 2)
        self.assertLess(abs(answer["now"] - queue["at"][-1]), 60_000)

    def test_a_worker_shows_the_load_that_it_told_until_it_is_gone(self):
        self.world.add_worker(21, "w-busy")
        loaded = "cpu_permille = 415, memory_used = 6000000000, memory_total = 8000000000"
        for state, wanted in ((0, (41.5, 6000000000, 8000000000)), (3, (None, None, None))):
            self.world.sql(f"UPDATE worker SET state = {state}, {loaded} WHERE worker_no = 21")
            worker = {w["name"]: w for w in self.world.ok("GET", "/api/headrace/v1/workers")["workers"]}["w-busy"]
            self.assertEqual((worker["cpu_percent"], worker["memory_bytes"], worker["memory_total_bytes"]), wanted)
        self.world.sql("DELETE FROM worker WHERE worker_no = 21")

    def test_a_worker_that_was_drained_and_has_ended_is_not_lost(self):
        for number, name, state, reason, age in ((11, "w-ended", 3, "drained, and ended", 3), (12, "w-away", 2, "nothing runs on it any more", 3),
                                                 (13, "w-idle", 2, "nothing runs on it any more", 0), (14, "w-slow", 0, "", 3)):
            self.world.add_worker(number, name, state=state)
            self.world.sql(f"UPDATE worker SET reason = '{reason}', seen_at = now() - interval '{age} minutes' WHERE worker_no = {number}")
        states = {w["name"]: w["state"] for w in self.world.ok("GET", "/api/headrace/v1/workers")["workers"]}
        self.assertEqual((states["w-ended"], states["w-away"], states["w-idle"], states["w-slow"]), ("ended", "ended", "drained", "present"))
        slots = self.world.ok("GET", UI + "/home?hours=24")["slots"]
        self.assertEqual((slots["workers"], slots["lost"]), (3, 0))
        self.world.sql("UPDATE worker SET state = 3, reason = 'no news from it for the length of a lease' WHERE name = 'w-slow'")
        states = {w["name"]: w["state"] for w in self.world.ok("GET", "/api/headrace/v1/workers")["workers"]}
        self.assertEqual((states["w-slow"], self.world.ok("GET", UI + "/home?hours=24")["slots"]["lost"]), ("lost", 1))
        self.world.sql("DELETE FROM worker WHERE worker_no > 10")

    def test_why_without_a_scheduler_says_that_there_is_none(self):
        why = self.world.ok("GET", "/api/headrace/v1/why?dag_id=etl&run_id=manual__1&task_id=load")
        self.assertEqual((why["state"], why["reasons"][0]["code"]), ("none", "scheduler"))
        ended = self.world.ok("GET", "/api/headrace/v1/why?dag_id=etl&run_id=manual__1&task_id=extract.orders")
        self.assertEqual(ended["reasons"][0]["sentence"], "its process ended well")
        self.assertEqual(self.world.get("/api/headrace/v1/why?dag_id=etl&run_id=no")[0], 404)
        self.assertEqual(self.world.get("/api/headrace/v1/why?dag_id=etl")[0], 422)

    def test_the_stream_begins_with_hello_and_resets_who_was_away(self):
        for query, wanted in {"topics=home,run:etl/manual__1": ["hello"], "topics=home&after=5": ["hello", "reset"]}.items():
            connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=10)
            connection.request("GET", "/api/headrace/v1/stream?" + query, headers={"Authorization": f"Bearer {self.world.token}"})
            answer = connection.getresponse()
            self.assertEqual(answer.headers["Content-Type"].split(";")[0], "text/event-stream")
            events = []
            while len(events) < len(wanted):
                line = answer.readline().decode().strip()
                if line.startswith("event: "):
                    events.append(line[7:])
            self.assertEqual(events, wanted)
            connection.close()
        self.assertEqual(self.world.get("/api/headrace/v1/stream?topics=colour")[0], 422)

    def test_the_stream_tells_changes_of_dags_and_workers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=20)
        connection.request("GET", "/api/headrace/v1/stream?topics=home,workers", headers={"Authorization": f"Bearer {self.world.token}"})
        answer = connection.getresponse()
        seen = []

        def until(word):
            while not any(word in s for s in seen):
                seen.append(answer.readline().decode().strip())
        until("event: dag")  # the first look tells all
        seen.clear()
        self.world.sql("UPDATE dag SET description = 'x', is_paused = false WHERE dag_id = 'quiet'; UPDATE worker SET slots = 9 WHERE name = 'w-2'")
        until('"dags":["quiet"]')
        until("event: workers")
        seen.clear()
        self.world.sql("UPDATE dag SET is_paused = true WHERE dag_id = 'quiet'; UPDATE worker SET slots = 4 WHERE name = 'w-2'")
        until('"dags":["quiet"]')
        until("event: workers")
        seen.clear()
        self.world.sql("UPDATE worker SET cpu_permille = 500 WHERE name = 'w-2'")
        until("event: loads")
        connection.close()


if __name__ == "__main__":
    unittest.main()
