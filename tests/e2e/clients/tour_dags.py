# SPDX-License-Identifier: Apache-2.0
"""DAGs, their tasks, versions, tags, files."""
import inspect

import airflow_client.client as client
from airflow_client.client import models

from tour_base import API, LATE, Tour, only_known


class Dags(Tour):
    api = client.DAGApi(API)

    def ids(self, **filters):
        return [dag.dag_id for dag in only_known(self.api.get_dags, **filters).dags]

    def test_lists_filters_and_orders(self):
        everything = ["failing", "slow", "spare", "tour"]
        for filters, wanted in (
                ({}, everything), ({"tags": ["tour"]}, ["tour"]), ({"tags": ["tour", "spare"]}, ["spare", "tour"]),
                ({"tags": ["tour", "spare"], "tags_match_mode": "all"}, []), ({"owners": ["ada"]}, ["tour"]),
                ({"dag_id_pattern": "%ou%"}, ["tour"]), ({"dag_display_name_pattern": "s%"}, ["slow", "spare"]),
                ({"paused": True}, []), ({"limit": 2, "dag_id_pattern": "s%"}, everything[1:3]), ({"limit": 2, "offset": 1, "dag_id_pattern": "s%"}, everything[2:3]),
                ({"order_by": ["-dag_id"]}, everything[::-1]), ({"last_dag_run_state": models.DagRunState("failed")}, ["failing"]),
                ({"dag_run_state": ["failed"]}, ["failing"]), ({"dag_run_start_date_gte": LATE}, []),
                ({"dag_run_end_date_lt": LATE, "dag_id_pattern": "failing"}, ["failing"]), ({"exclude_stale": True}, everything)):
            with self.subTest(filters):
                got = self.ids(**filters)
                self.assertEqual([d for d in got if d in everything], wanted)

    def test_filters_of_later_releases(self):
        known = inspect.signature(self.api.get_dags).parameters
        for filters, wanted in (({"has_import_errors": True}, []), ({"bundle_name": "no-such"}, []), ({"has_asset_schedule": True}, ["taker"]),
                                ({"has_asset_schedule": False, "dag_id_pattern": "ta%"}, []), ({"asset_dependency": "orders"}, ["taker"]),
                                ({"is_favorite": True}, []), ({"dag_id_prefix_pattern": "to"}, ["tour"]),
                                ({"timetable_type": ["no.such.Timetable"]}, [])):
            if next(iter(filters)) in known:
                with self.subTest(filters):
                    self.assertEqual(self.ids(**filters), wanted)

    def test_one_dag_and_its_details(self):
        dag = self.api.get_dag("tour")
        self.assertEqual((dag.description, dag.timetable_summary, dag.owners, dag.is_paused), ("Shown to clients", "0 6 * * *", ["ada"], False))
        details = self.api.get_dag_details("tour")
        self.assertEqual(details.params["region"]["value"], "eu")
        self.assertEqual((details.catchup, details.latest_dag_version.version_number), (False, 1))
        self.refused(404, self.api.get_dag, "no_such_dag")
        self.refused(404, self.api.get_dag_details, "no_such_dag")

    def test_pausing_one_and_several(self):
        self.assertTrue(self.api.patch_dag("spare", models.DAGPatchBody(is_paused=True), update_mask=["is_paused"]).is_paused)
        self.assertEqual(self.ids(paused=True), ["spare"])
        self.assertFalse(self.api.patch_dag("spare", models.DAGPatchBody(is_paused=False)).is_paused)
        many = self.api.patch_dags(models.DAGPatchBody(is_paused=True), dag_id_pattern="s%", update_mask=["is_paused"])
        self.assertEqual([(d.dag_id, d.is_paused) for d in many.dags], [("slow", True), ("spare", True)])
        self.api.patch_dags(models.DAGPatchBody(is_paused=False), dag_id_pattern="s%")
        self.refused(404, self.api.patch_dag, "no_such_dag", models.DAGPatchBody(is_paused=False))

    def test_favourites(self):
        if not hasattr(self.api, "favorite_dag"):
            return  # older than 3.1
        self.api.favorite_dag("tour")
        self.assertEqual((self.ids(is_favorite=True), self.api.get_dag_details("tour").to_dict().get("is_favorite", True)), (["tour"], True))
        self.api.unfavorite_dag("tour")
        self.assertEqual(self.ids(is_favorite=True), [])
        self.refused(409, self.api.unfavorite_dag, "tour")
        self.refused(404, self.api.favorite_dag, "no_such_dag")

    def test_tags(self):
        tags = self.api.get_dag_tags()
        self.assertEqual(tags.tags, ["shown", "spare", "tour"])
        self.assertEqual(self.api.get_dag_tags(tag_name_pattern="%par%").tags, ["spare"])
        self.assertEqual(self.api.get_dag_tags(limit=1, order_by=["-name"]).tags, ["tour"])

    def test_versions_sources_statistics_warnings(self):
        versions = client.DagVersionApi(API)
        found = versions.get_dag_versions("tour", order_by=["-version_number"])
        self.assertEqual([(v.version_number, v.dag_id) for v in found.dag_versions], [(1, "tour")])
        self.assertEqual(versions.get_dag_version("tour", 1).id, found.dag_versions[0].id)
        self.assertEqual(versions.get_dag_versions("tour", version_number=7).total_entries, 0)
        source = client.DagSourceApi(API).get_dag_source("tour", accept="application/json")
        self.assertIn("list_parts", source.content)
        self.assertEqual(client.DagSourceApi(API).get_dag_source("tour", version_number=1).version_number, 1)
        stats = client.DagStatsApi(API).get_dag_stats(dag_ids=["tour", "failing"])
        counts = {d.dag_id: {s.state: s.count for s in d.stats} for d in stats.dags}
        self.assertEqual((counts["failing"]["failed"], counts["tour"]["success"] >= 1), (1, True))
        self.assertEqual(client.DagWarningApi(API).list_dag_warnings().total_entries, 0)

    def test_import_errors(self):
        api = client.ImportErrorApi(API)
        found = api.get_import_errors()
        name = found.import_errors[0].filename
        self.assertEqual((found.total_entries, name.endswith("broken.yaml")), (1, True))
        self.assertIn("bsh", found.import_errors[0].stack_trace)
        self.assertEqual(api.get_import_error(found.import_errors[0].import_error_id).filename, name)
        self.assertEqual(api.get_import_errors(filename_pattern="none%").total_entries, 0)
        self.refused(404, api.get_import_error, 999999)

    def test_a_file_is_read_again(self):
        token = self.api.get_dag("tour").file_token
        client.DAGParsingApi(API).reparse_dag_file(token)
        self.refused(404, client.DAGParsingApi(API).reparse_dag_file, "bm90aGluZw")

    def test_deleting(self):
        self.api.delete_dag("doomed")
        self.assertNotIn("doomed", self.ids())
        self.refused(404, self.api.delete_dag, "doomed")


class Tasks(Tour):
    api = client.TaskApi(API)

    def test_tasks(self):
        tasks = self.api.get_tasks("tour")
        self.assertEqual([t.task_id for t in tasks.tasks], ["list_parts", "each", "last"])
        self.assertEqual([t.task_id for t in self.api.get_tasks("tour", order_by="task_id").tasks], ["each", "last", "list_parts"])
        self.assertEqual([t.task_id for t in self.api.get_tasks("tour", order_by="-task_id").tasks], ["list_parts", "last", "each"])
        each = self.api.get_task("tour", "each")
        self.assertEqual((each.is_mapped, each.downstream_task_ids, each.retries), (True, ["last"], 1))
        self.assertEqual(each.retry_delay.microseconds, 100000)
        self.refused(404, self.api.get_task, "tour", "no_such_task")
