# SPDX-License-Identifier: Apache-2.0
"""Reading Airflow's REST API v2: shapes, required keys, filters, orders, pages, refusals."""
import re
import unittest

from api_rows import fill
from api_world import ApiWorld

REQUIRED = {  # what a generated client cannot do without
    "dag": "dag_id dag_display_name is_paused is_stale fileloc file_token tags owners max_active_tasks max_consecutive_failed_dag_runs "
           "has_task_concurrency_limits has_import_errors timetable_partitioned",
    "run": "dag_run_id dag_id dag_display_name run_after run_type state dag_versions",
    "instance": "id task_id dag_id dag_run_id map_index run_after try_number max_tries task_display_name dag_display_name pool pool_slots "
                "executor_config",
    "task": "depends_on_past wait_for_downstream retry_exponential_backoff extra_links",
    "pool": "name slots occupied_slots running_slots queued_slots scheduled_slots open_slots deferred_slots include_deferred",
}
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$")


class Reading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = ApiWorld(leader=False).__enter__()
        cls.rows = fill(cls.world)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)

    def has(self, thing, kind):
        for key in REQUIRED[kind].split():
            self.assertIn(key, thing)

    def ids(self, path, key, member):
        return [item[member] for item in self.world.ok("GET", path)[key]]

    # ---- DAGs ----

    def test_dags_have_what_a_client_needs(self):
        answer = self.world.ok("GET", "/api/v2/dags")
        self.assertEqual(answer["total_entries"], 2)
        etl = answer["dags"][0]
        self.has(etl, "dag")
        self.assertEqual([t["name"] for t in etl["tags"]], ["demo", "finance"])
        self.assertEqual((etl["timetable_summary"], etl["owners"]), ("0 6 * * *", ["data"]))
        self.assertEqual(self.world.ok("GET", "/api/v2/dags/etl"), etl)

    def test_dags_are_filtered_ordered_and_paged(self):
        for query, wanted in {
            "": ["etl", "quiet"], "paused=true": ["quiet"], "paused=false": ["etl"], "tags=demo": ["etl"], "tags=no": [],
            "tags=demo&tags=no": ["etl"], "tags=demo&tags=no&tags_match_mode=all": [], "tags=demo&tags=finance&tags_match_mode=all": ["etl"],
            "owners=data": ["etl"], "dag_id_pattern=qui": ["quiet"], "dag_id_pattern=%25t%25": ["etl", "quiet"], "dag_id_pattern=q%25": ["quiet"],
            "dag_id_pattern=etl | quiet": ["etl", "quiet"], "order_by=-dag_id": ["quiet", "etl"], "limit=1": ["etl"], "limit=1&offset=1": ["quiet"],
            "limit=0": [], "unknown=7": ["etl", "quiet"], "dag_run_state=running": ["etl"], "has_import_errors=true": [],
        }.items():
            with self.subTest(query):
                self.assertEqual(self.ids("/api/v2/dags?" + query.replace(" ", "%20"), "dags", "dag_id"), wanted)

    def test_wrong_queries_are_refused_with_their_place(self):
        for query, status in {"limit=x": 422, "limit=-1": 422, "offset=-1": 422, "paused=perhaps": 422, "order_by=colour": 400,
                              "dag_run_start_date_gte=yesterday": 422, "exclude_stale=perhaps": 422}.items():
            with self.subTest(query):
                got, body = self.world.get("/api/v2/dags?" + query)
                self.assertEqual(got, status, body)
                self.assertTrue(body["detail"])
                if status == 422:
                    self.assertEqual(body["detail"][0]["loc"][0], "query")

    def test_details_have_params_limits_and_times(self):
        dag = self.world.ok("GET", "/api/v2/dags/etl/details")
        self.has(dag, "dag")
        self.assertEqual(dag["params"]["region"]["value"], "eu")
        self.assertEqual(dag["params"]["region"]["schema"], {"type": "string"})
        self.assertEqual(dag["params"]["days"]["value"], 3)
        self.assertEqual((dag["dag_run_timeout"], dag["catchup"], dag["doc_md"]), ("PT3600S", True, "# etl"))
        self.assertEqual(dag["latest_dag_version"]["version_number"], 2)
        self.assertRegex(dag["latest_dag_version"]["id"], UUID)

    def test_what_is_not_there_is_404_with_a_detail(self):
        for path in ("/dags/no", "/dags/no/details", "/dags/no/tasks", "/dags/etl/tasks/no", "/dags/no/dagRuns", "/dags/etl/dagRuns/no",
                     "/dags/etl/dagRuns/no/taskInstances", "/dags/etl/dagRuns/manual__1/taskInstances/no", "/dagSources/no", "/pools/no",
                     "/dags/etl/dagRuns/manual__1/taskInstances/load/xcomEntries/return_value", "/dags/etl/dagVersions/9",
                     "/importErrors/999", "/variables/no", "/connections/no", "/config/section/no/option/no", "/nothing"):
            with self.subTest(path):
                status, body = self.world.get("/api/v2" + path)
                self.assertEqual(status, 404, body)
                self.assertIn("detail", body)
        for path, sentence in (("/dags/no", "DAG no"), ("/dags/etl/dagRuns/no", "run no of DAG etl"), ("/pools/no", "pool no"),
                               ("/variables/no", "variable no"), ("/dags/etl/dagVersions/9", "version 9 of DAG etl"),
                               ("/dags/etl/dagRuns/manual__1/taskInstances/no", "task no of run manual__1 of DAG etl")):
            self.assertEqual(self.world.get("/api/v2" + path)[1]["detail"], "there is no " + sentence)

    def test_tasks_have_their_neighbours(self):
        answer = self.world.ok("GET", "/api/v2/dags/etl/tasks")
        self.assertEqual(answer["total_entries"], 7)
        load = self.world.ok("GET", "/api/v2/dags/etl/tasks/load")
        self.has(load, "task")
        self.assertEqual(load["downstream_task_ids"], ["report"])
        self.assertEqual((load["trigger_rule"], load["pool"], load["is_mapped"]), ("all_done", "db", False))
        self.assertEqual(load["retry_delay"], {"__type": "TimeDelta", "days": 0, "seconds": 300, "microseconds": 0})
        self.assertTrue(answer["tasks"][3]["is_mapped"])

    def test_versions_and_sources(self):
        self.assertEqual(self.ids("/api/v2/dags/etl/dagVersions?order_by=-version_number", "dag_versions", "version_number"), [2, 1])
        self.assertEqual(self.world.ok("GET", "/api/v2/dags/etl/dagVersions/1")["version_number"], 1)
        self.assertIn("tasks", self.world.ok("GET", "/api/v2/dagSources/etl")["content"])
        status, headers, text = self.world.get("/api/v2/dagSources/etl", headers={"Accept": "text/plain"}, raw=True)
        self.assertTrue(text.startswith(b"dag_id: etl"))

    def test_statistics_tags_and_import_errors(self):
        stats = {s["state"]: s["count"] for s in self.world.ok("GET", "/api/v2/dagStats?dag_ids=etl")["dags"][0]["stats"]}
        self.assertEqual(stats, {"queued": 0, "running": 1, "success": 1, "failed": 1})
        self.assertEqual(self.world.ok("GET", "/api/v2/dagTags"), {"tags": ["demo", "finance"], "total_entries": 2})
        error = self.world.ok("GET", "/api/v2/importErrors")["import_errors"][0]
        self.assertIn("retrys", error["stack_trace"])
        self.assertEqual(self.world.ok("GET", f"/api/v2/importErrors/{error['import_error_id']}"), error)

    # ---- runs ----

    def test_runs_have_what_a_client_needs(self):
        run = self.world.ok("GET", "/api/v2/dags/etl/dagRuns/manual__1")
        self.has(run, "run")
        self.assertEqual((run["state"], run["run_type"], run["conf"]), ("running", "manual", {"region": "us"}))
        self.assertEqual(run["dag_versions"][0]["version_number"], 2)
        self.assertRegex(run["run_after"], RFC3339)
        self.assertIsNone(run["logical_date"])

    def test_runs_are_filtered_over_one_dag_and_over_all(self):
        runs = ["scheduled__1", "manual__failed", "manual__1"]
        for query, wanted in {"": runs, "state=failed": runs[1:2], "state=failed&state=running": runs[1:], "order_by=-id": runs[::-1],
                              "order_by=-run_after&limit=1": runs[2:], "run_id_pattern=manual%25": runs[1:], "start_date_gte=2100-01-01": [],
                              "duration_gte=700": runs[:1], "run_type=scheduled": [], "conf_contains=us": runs[2:], "dag_version=1": runs[:1]}.items():
            with self.subTest(query):
                for dag in ("etl", "~"):
                    self.assertEqual(self.ids(f"/api/v2/dags/{dag}/dagRuns?" + query, "dag_runs", "dag_run_id"), wanted)
        self.assertEqual(self.ids("/api/v2/dags/quiet/dagRuns", "dag_runs", "dag_run_id"), [])
        batch = self.world.ok("POST", "/api/v2/dags/~/dagRuns/list", {"dag_ids": ["etl"], "states": ["success"], "page_limit": 10})
        self.assertEqual([r["dag_run_id"] for r in batch["dag_runs"]], ["scheduled__1"])

    # ---- instances ----

    def test_every_task_of_a_run_is_an_instance_also_without_a_row(self):
        answer = self.world.ok("GET", "/api/v2/dags/etl/dagRuns/manual__1/taskInstances")
        self.assertEqual(answer["total_entries"], 3 + 5 + 3)
        states = [(i["task_id"], i["map_index"], i["state"]) for i in answer["task_instances"]]
        self.assertEqual(states, [("arrived", -1, "success"), ("extract.orders", -1, "success"), ("extract.people", -1, "success"),
                                  ("each", 0, "success"), ("each", 1, "failed"), ("each", 2, "running"), ("each", 3, "queued"), ("each", 4, None),
                                  ("load", -1, None), ("report", -1, None), ("never", -1, None)])
        for instance in answer["task_instances"]:
            self.has(instance, "instance")
            self.assertRegex(instance["id"], UUID)
        self.assertEqual(len({i["id"] for i in answer["task_instances"]}), 11)

    def test_a_run_of_an_older_version_has_its_own_tasks(self):
        answer = self.world.ok("GET", "/api/v2/dags/etl/dagRuns/scheduled__1/taskInstances")
        self.assertEqual(answer["total_entries"], 3)
        self.assertEqual(answer["task_instances"][0]["dag_version"]["version_number"], 1)

    def test_instances_are_filtered(self):
        base = "/api/v2/dags/etl/dagRuns/manual__1/taskInstances"
        for query, wanted in {"state=failed": 1, "state=none": 4, "task_id=each": 5, "task_group_id=extract": 2, "pool=db": 1, "map_index=2": 1,
                              "task_display_name_pattern=e%25": 7, "operator=python": 1, "try_number=1": 7, "limit=2": 11}.items():
            with self.subTest(query):
                self.assertEqual(self.world.ok("GET", f"{base}?{query}")["total_entries"], wanted)
        self.assertEqual(self.world.ok("GET", base + "/each/listMapped")["total_entries"], 5)
        self.assertEqual(self.world.ok("GET", "/api/v2/dags/~/dagRuns/~/taskInstances?state=failed")["total_entries"], 2)
        batch = self.world.ok("POST", "/api/v2/dags/~/dagRuns/~/taskInstances/list", {"dag_ids": ["etl"], "state": ["failed", "running"]})
        self.assertEqual(batch["total_entries"], 3)

    def test_one_instance_by_path_and_by_query(self):
        base = "/api/v2/dags/etl/dagRuns/manual__1/taskInstances"
        one = self.world.ok("GET", base + "/each/1")
        self.assertEqual((one["state"], one["rendered_map_index"], one["hostname"]), ("failed", "orders-1", "node-1"))
        self.assertEqual(self.world.ok("GET", base + "/each?map_index=1"), one)
        self.assertIsNone(self.world.ok("GET", base + "/load")["state"])
        self.assertEqual(self.world.get(base + "/each/x")[0], 422)

    def test_tries_are_all_attempts(self):
        base = "/api/v2/dags/etl/dagRuns/manual__failed/taskInstances/extract.orders"
        tries = self.world.ok("GET", base + "/tries")
        self.assertEqual([(t["try_number"], t["state"]) for t in tries["task_instances"]], [(1, "up_for_retry"), (2, "failed")])
        self.assertEqual(self.world.ok("GET", base + "/tries/2")["state"], "failed")
        self.assertEqual(self.world.get(base + "/tries/7")[0], 404)

    def test_outputs(self):
        base = "/api/v2/dags/etl/dagRuns/manual__1/taskInstances/extract.orders/xcomEntries"
        self.assertEqual(self.world.ok("GET", base)["xcom_entries"][0]["key"], "return_value")
        self.assertEqual(self.world.ok("GET", base + "/return_value")["value"], {"rows": 12})
        self.assertEqual(self.world.ok("GET", base + "/return_value?stringify=true")["value"], '{"rows": 12}')

    # ---- the rest ----

    def test_pools_count_their_slots(self):
        pools = {p["name"]: p for p in self.world.ok("GET", "/api/v2/pools")["pools"]}
        self.has(pools["db"], "pool")
        default = pools["default_pool"]
        self.assertEqual((default["running_slots"], default["queued_slots"], default["open_slots"]), (1, 1, 126))

    def test_config_jobs_and_openapi(self):
        sections = self.world.ok("GET", "/api/v2/config")["sections"]
        self.assertIn("core", [s["name"] for s in sections])
        conn = self.world.ok("GET", "/api/v2/config/section/database/option/conn")["sections"][0]["options"][0]["value"]
        self.assertEqual(conn, "***")
        self.assertEqual(self.world.ok("GET", "/api/v2/jobs?job_type=WorkerJob")["total_entries"], 2)
        description = self.world.ok("GET", "/openapi.json", token=None)
        self.assertEqual(description["paths"]["/api/v2/dags/{dag_id}"]["patch"]["operationId"], "patch_dag")
        self.assertGreater(len(description["paths"]), 90)

    def test_a_change_on_a_condition_that_no_tag_fits_is_none(self):
        pool = {"description": "another", "include_deferred": False, "slots": 2}
        _, headers, _ = self.world.get("/api/v2/pools/db", raw=True)
        for wanted in (headers["ETag"], '"x"', headers["ETag"].removeprefix("W/")):
            status, answer = self.world.call("PATCH", "/api/v2/pools/db?update_mask=description", pool, headers={"If-Match": wanted})
            self.assertEqual((status, "If-Match" in answer["detail"]), (412, True))
        self.assertEqual(self.world.ok("GET", "/api/v2/pools/db", headers={"If-Match": '"x"'})["description"], "the database")
        self.world.ok("PATCH", "/api/v2/pools/db?update_mask=description", {**pool, "description": "the database"}, headers={"If-Match": "*"})

    def test_what_there_is_not_says_so(self):
        task = "/api/v2/dags/etl/dagRuns/manual__1/taskInstances/load"
        for method, path, status, says in (("GET", f"{task}/externalLogUrl/1", 400, "logs"), ("GET", f"{task}/-1/hitlDetails", 404, "waits for a person"),
                                           ("PATCH", f"{task}/-1/hitlDetails", 404, "waits for a person"),
                                           ("GET", f"{task}/-1/hitlDetails/tries/1", 404, "waits for a person"),
                                           ("GET", "/api/v2/assets/aliases/1", 404, "aliases"), ("POST", "/api/v2/connections/defaults", 501, "default connections")):
            answer = self.world.ok(method, path, {} if method == "PATCH" else None, status=status)
            self.assertIn(says, answer["detail"])
        self.assertEqual(self.world.ok("GET", "/api/v2/assets/aliases"), {"asset_aliases": [], "total_entries": 0})

    def test_metrics_are_prometheus_text(self):
        status, headers, text = self.world.get("/metrics", raw=True, token=None)
        self.assertEqual((status, headers["Content-Type"].split(";")[0]), (200, "text/plain"))
        lines = dict(line.rsplit(" ", 1) for line in text.decode().splitlines() if not line.startswith("#"))
        self.assertEqual(lines['airflow_pool_running_slots{pool_name="default_pool"}'], "1")
        self.assertEqual(lines["airflow_scheduler_dagruns_running"], "1")
        self.assertEqual(lines["airflow_dag_processing_import_errors"], "1")
        self.assertEqual((lines["headrace_database_up"], lines["headrace_scheduler_up"]), ("1", "0"))
        self.assertTrue(any(name.startswith("headrace_http_requests_total{") for name in lines))


if __name__ == "__main__":
    unittest.main()
