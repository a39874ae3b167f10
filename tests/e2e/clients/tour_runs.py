# SPDX-License-Identifier: Apache-2.0
"""Runs, what their tasks did, and what tasks gave to each other."""
import datetime
import inspect
import json

import airflow_client.client as client
from airflow_client.client import models

from tour_base import API, EARLY, LATE, Tour, bulk_of, clear_of, delete_run, has, only_known, when_ended


class Runs(Tour):
    api = client.DagRunApi(API)

    def ids(self, dag="tour", **filters):
        return [run.dag_run_id for run in only_known(self.api.get_dag_runs, dag_id=dag, **filters).dag_runs]

    def test_lists_filters_and_orders(self):
        for filters, wanted in (
                ({"run_id_pattern": "shown"}, ["shown"]), ({"state": ["success"], "run_id_pattern": "shown"}, ["shown"]),
                ({"state": ["failed"]}, []), ({"run_type": ["backfill"]}, []), ({"run_after_gte": LATE}, []), ({"logical_date_lt": EARLY}, []),
                ({"start_date_gt": EARLY, "end_date_lte": LATE, "run_id_pattern": "shown"}, ["shown"]), ({"updated_at_gte": LATE}, []),
                ({"duration_gt": 100000.0}, []), ({"conf_contains": "us"}, ["shown"]), ({"conf_contains": "nowhere"}, []),
                ({"dag_version": [1], "run_id_pattern": "shown"}, ["shown"]), ({"dag_version": [9]}, []),
                ({"bundle_version": "none"}, []), ({"triggering_user_name_pattern": "adm%", "run_id_pattern": "shown"}, ["shown"]),
                ({"triggering_user_name_pattern": "bob"}, []), ({"dag_id_pattern": "fail%"}, []), ({"partition_key_pattern": "x"}, []),
                ({"limit": 1, "order_by": ["-id"], "run_id_pattern": "shown"}, ["shown"])):
            if next(iter(filters)) in inspect.signature(self.api.get_dag_runs).parameters:
                with self.subTest(filters):
                    self.assertEqual(self.ids(**filters), wanted)
        if "dag_id_pattern" in inspect.signature(self.api.get_dag_runs).parameters:
            self.assertEqual(self.ids("~", dag_id_pattern="fail%"), ["failed"])
        for order in ("id", "state", "dag_id", "logical_date", "run_after", "start_date", "end_date", "updated_at", "conf", "duration",
                      "run_type", "triggering_user_name", "dag_run_id"):
            with self.subTest(order):
                self.ids("~", order_by=[order])
                self.ids("~", order_by=["-" + order])
        self.refused(404, self.api.get_dag_runs, "no_such_dag")

    def test_a_page_by_body(self):
        runs = self.api.get_list_dag_runs_batch("~", models.DAGRunsBatchBody(dag_ids=["failing", "tour"], states=["failed"], page_limit=10,
                                                                            order_by="-start_date"))
        self.assertEqual([r.dag_run_id for r in runs.dag_runs], ["failed"])

    def test_one_run(self):
        run = self.api.get_dag_run("tour", "shown")
        self.assertEqual((run.state, run.conf, run.triggered_by, run.triggering_user_name), ("success", {"region": "us"}, "rest_api", "admin"))
        self.assertEqual([v.version_number for v in run.dag_versions], [1])
        self.assertGreater(run.end_date, run.start_date)
        self.refused(404, self.api.get_dag_run, "tour", "no_such_run")

    def test_a_run_that_a_task_has_started(self):
        word = "operator_triggered" if hasattr(models.DagRunType, "OPERATOR_TRIGGERED") else "manual"
        run = self.api.get_dag_runs("called").dag_runs[0]
        self.assertEqual((run.run_type, self.api.get_dag_run("called", run.dag_run_id).run_type), (word, word))

    def test_trigger_mark_note_wait_clear_delete(self):
        body = models.TriggerDAGRunPostBody(dag_run_id="by_client", logical_date=None, conf={}, note="first")
        run = self.api.trigger_dag_run("slow", body)
        self.assertEqual((run.dag_run_id, run.note, run.state in ("queued", "running")), ("by_client", "first", True))
        self.refused(409, self.api.trigger_dag_run, "slow", body)
        self.refused(404, self.api.trigger_dag_run, "no_such_dag", body)
        run = self.api.patch_dag_run("slow", "by_client", models.DAGRunPatchBody(state="success", note="second"))
        self.assertEqual((run.state, run.note), ("success", "second"))
        run = self.api.patch_dag_run("slow", "by_client", models.DAGRunPatchBody(note="third"), update_mask=["note"])
        self.assertEqual((run.state, run.note), ("success", "third"))
        waiting = client.ExperimentalApi(API) if has(client.ExperimentalApi, "wait_dag_run_until_finished") else self.api
        self.assertEqual(waiting.wait_dag_run_until_finished("slow", "by_client", interval=1)["state"], "success")
        # The model of 3.3 cannot tell its own two kinds of instances apart, whoever answers: read without it.
        would = self.api.clear_dag_run_without_preload_content("slow", "by_client", models.DAGRunClearBody(dry_run=True))
        self.assertEqual([i["task_id"] for i in json.loads(would.data)["task_instances"]], ["sleep"])
        cleared = self.api.clear_dag_run("slow", "by_client", models.DAGRunClearBody(dry_run=False)).actual_instance
        self.assertIn(cleared.state, ("queued", "running"))
        self.api.patch_dag_run("slow", "by_client", models.DAGRunPatchBody(state="failed"))
        delete_run("slow", "by_client")
        self.refused(404, self.api.get_dag_run, "slow", "by_client")
        self.refused(404, self.api.delete_dag_run, "slow", "by_client")

    def test_a_logical_date_and_an_interval(self):
        at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
        body = models.TriggerDAGRunPostBody(logical_date=at, data_interval_start=at, data_interval_end=at + datetime.timedelta(hours=1))
        run = self.api.trigger_dag_run("spare", body)
        self.assertEqual((run.logical_date, run.data_interval_start, run.data_interval_end), (at, at, at + datetime.timedelta(hours=1)))
        self.assertTrue(run.dag_run_id.startswith("manual__2026-01-02T03:04:05"), run.dag_run_id)
        self.refused(409, self.api.trigger_dag_run, "spare", body)
        delete_run("spare", run.dag_run_id)

    def test_asset_events_that_caused_a_run(self):
        self.assertEqual(self.api.get_upstream_asset_events("tour", "shown").total_entries, 0)


class Instances(Tour):
    api = client.TaskInstanceApi(API)
    failed = ("failing", "failed")
    shown = ("tour", "shown")

    def keys(self, dag="tour", run="shown", **filters):
        found = only_known(self.api.get_task_instances, dag_id=dag, dag_run_id=run, **filters).task_instances
        return [(i.task_id, i.map_index) for i in found]

    def test_lists_filters_and_orders(self):
        everything = [("list_parts", -1), ("each", 0), ("each", 1), ("each", 2), ("last", -1)]
        known = inspect.signature(self.api.get_task_instances).parameters
        for filters, wanted in (
                ({}, everything), ({"state": ["success"]}, everything), ({"state": ["failed"]}, []), ({"task_id": "last"}, everything[4:]),
                ({"task_display_name_pattern": "ea%"}, everything[1:4]), ({"map_index": [1]}, everything[2:3]), ({"limit": 2}, everything[:2]),
                ({"pool": ["none"]}, []), ({"pool": ["default_pool"]}, everything), ({"pool_name_pattern": "def%"}, everything),
                ({"queue": ["default"]}, everything), ({"queue_name_pattern": "no%"}, []), ({"executor": ["LocalExecutor"]}, []),
                ({"version_number": [1]}, everything), ({"version_number": [8]}, []), ({"try_number": [1]}, everything), ({"try_number": [5]}, []),
                ({"operator": ["bash"]}, everything), ({"operator_name_pattern": "py%"}, []), ({"run_after_gt": LATE}, []),
                ({"start_date_gte": EARLY, "end_date_lt": LATE}, everything), ({"updated_at_gte": LATE}, []), ({"duration_gt": 9999.0}, []),
                ({"task_group_id": "no_such"}, []), ({"dag_id_pattern": "x%"}, []), ({"run_id_pattern": "sho%"}, everything)):
            if not filters or next(iter(filters)) in known:
                with self.subTest(filters):
                    self.assertEqual(self.keys(**filters), wanted)
        self.assertEqual(self.keys("~", "~", state=["failed"], dag_id_pattern="failing"), [("bad", -1)])
        for order in ("id", "state", "duration", "start_date", "end_date", "map_index", "try_number", "logical_date", "run_after",
                      "data_interval_start", "data_interval_end", "rendered_map_index", "operator"):
            with self.subTest(order):
                self.assertEqual(sorted(self.keys(order_by=["-" + order])), sorted(everything))
        self.refused(404, self.api.get_task_instances, "tour", "no_such_run")

    def test_a_page_by_body(self):
        body = models.TaskInstancesBatchBody(dag_ids=["failing", "tour"], state=["failed", "upstream_failed"], page_limit=50, order_by="task_id")
        self.assertEqual([i.task_id for i in self.api.get_task_instances_batch("~", "~", body).task_instances], ["after", "bad"])

    def test_one_and_mapped_ones(self):
        one = self.api.get_task_instance(*self.failed, "bad")
        self.assertEqual((one.state, one.try_number, one.max_tries, one.dag_version.version_number), ("failed", 2, 1, 1))
        mapped = self.api.get_mapped_task_instance(*self.shown, "each", 2)
        self.assertEqual((mapped.map_index, mapped.state), (2, "success"))
        self.assertEqual(self.api.get_mapped_task_instances(*self.shown, "each", state=["success"], map_index=[0, 2]).total_entries, 2)
        self.refused(404, self.api.get_task_instance, *self.shown, "each")
        self.refused(404, self.api.get_mapped_task_instance, *self.shown, "each", 7)

    def test_tries(self):
        tries = self.api.get_task_instance_tries(*self.failed, "bad")
        self.assertEqual([(t.try_number, t.state) for t in tries.task_instances][-1], (2, "failed"))
        self.assertEqual(tries.total_entries, 2)
        self.assertEqual(self.api.get_task_instance_try_details(*self.failed, "bad", 1).try_number, 1)
        self.assertEqual(self.api.get_mapped_task_instance_tries(*self.shown, "each", 1).total_entries, 1)
        self.assertEqual(self.api.get_mapped_task_instance_try_details(*self.shown, "each", 1, 1).map_index, 1)
        self.refused(404, self.api.get_task_instance_try_details, *self.failed, "bad", 9)

    def test_dependencies_links_and_people_in_the_loop(self):
        self.assertEqual(self.api.get_task_instance_dependencies(*self.shown, "last").dependencies, [])
        self.assertEqual(self.api.get_task_instance_dependencies_by_map_index(*self.shown, "each", 1).dependencies, [])
        links = self.api if has(self.api, "get_extra_links") else client.ExtraLinksApi(API)
        self.assertEqual(links.get_extra_links(*self.shown, "last").total_entries, 0)
        if has(self.api, "get_hitl_details"):
            self.assertEqual(self.api.get_hitl_details("~", "~").total_entries, 0)

    def test_logs(self):
        log = self.api.get_log(*self.failed, "bad", 1, full_content=True, accept="application/json", map_index=-1)
        self.assertIn("oh", str(log.to_dict()))
        log = self.api.get_log(*self.shown, "each", 1, map_index=1, accept="application/json")
        self.assertIn("part b", str(log.to_dict()))
        self.refused(404, self.api.get_log, *self.shown, "no_such_task", 1)

    def test_marking_and_its_dry_run(self):
        runs = client.DagRunApi(API)
        runs.trigger_dag_run("slow", models.TriggerDAGRunPostBody(dag_run_id="to_mark", logical_date=None))
        as_failed = models.PatchTaskInstanceBody(new_state="failed", note="by hand")
        would = self.api.patch_task_instance_dry_run("slow", "to_mark", "sleep", as_failed)
        self.assertEqual([i.task_id for i in would.task_instances], ["sleep"])
        would = self.api.patch_task_instance_dry_run_by_map_index(*self.shown, "each", 1, models.PatchTaskInstanceBody(new_state="failed"))
        self.assertEqual([(i.task_id, i.map_index, i.state) for i in would.task_instances], [("each", 1, "success")])
        done = self.api.patch_task_instance("slow", "to_mark", "sleep", as_failed)
        self.assertEqual([(i.state, i.note) for i in done.task_instances], [("failed", "by hand")])
        noted = self.api.patch_task_instance_by_map_index(*self.shown, "each", 1, models.PatchTaskInstanceBody(note="seen"), update_mask=["note"])
        self.assertEqual([(i.map_index, i.note) for i in noted.task_instances], [(1, "seen")])
        self.refused(404, self.api.patch_task_instance, "slow", "to_mark", "no_such_task", as_failed)
        delete_run("slow", "to_mark")

    def test_several_at_once(self):
        runs = client.DagRunApi(API)
        runs.trigger_dag_run("slow", models.TriggerDAGRunPostBody(dag_run_id="to_bulk", logical_date=None))
        update = {"action": "update", "action_on_non_existence": "skip", "entities": [
            {"task_id": "sleep", "new_state": "success"}, {"task_id": "no_such", "new_state": "success"}]}
        answer = self.api.bulk_task_instances("slow", "to_bulk", bulk_of(models.BulkBodyBulkTaskInstanceBody, update))
        self.assertEqual(len(answer.update.success), 1, answer)
        self.assertEqual(self.api.get_task_instance("slow", "to_bulk", "sleep").state, "success")
        delete_run("slow", "to_bulk")

    def test_clearing(self):
        would = self.api.post_clear_task_instances("failing", models.ClearTaskInstancesBody(dag_run_id="failed"))
        self.assertEqual(sorted(i.task_id for i in would.task_instances), ["after", "bad"])
        would = self.api.post_clear_task_instances("failing", clear_of(dag_run_id="failed", task_ids=["bad"], include_downstream=True,
                                                                            only_failed=False))
        self.assertEqual(sorted(i.task_id for i in would.task_instances), ["after", "bad"])
        would = self.api.post_clear_task_instances("tour", clear_of(dag_run_id="shown", task_ids=[["each", 1]], only_failed=False))
        self.assertEqual([(i.task_id, i.map_index) for i in would.task_instances], [("each", 1)])
        runs = client.DagRunApi(API)
        runs.trigger_dag_run("slow", models.TriggerDAGRunPostBody(dag_run_id="to_clear", logical_date=None))
        runs.patch_dag_run("slow", "to_clear", models.DAGRunPatchBody(state="failed"))
        done = self.api.post_clear_task_instances("slow", models.ClearTaskInstancesBody(dag_run_id="to_clear", dry_run=False, only_failed=False))
        self.assertEqual([i.task_id for i in done.task_instances], ["sleep"])
        self.assertIn(runs.get_dag_run("slow", "to_clear").state, ("queued", "running"))
        runs.patch_dag_run("slow", "to_clear", models.DAGRunPatchBody(state="failed"))
        delete_run("slow", "to_clear")

    def test_deleting(self):
        runs = client.DagRunApi(API)
        runs.trigger_dag_run("slow", models.TriggerDAGRunPostBody(dag_run_id="to_delete", logical_date=None))
        runs.patch_dag_run("slow", "to_delete", models.DAGRunPatchBody(state="failed"))
        when_ended(self.api.delete_task_instance, "slow", "to_delete", "sleep")
        self.assertEqual(self.api.get_task_instance("slow", "to_delete", "sleep").state, None)
        self.refused(404, self.api.delete_task_instance, "slow", "to_delete", "no_such_task")
        delete_run("slow", "to_delete")


class Outputs(Tour):
    api = client.XComApi(API)
    where = {"dag_id": "tour", "dag_run_id": "shown"}

    def test_reading(self):
        found = self.api.get_xcom_entries(**self.where, task_id="list_parts")
        self.assertEqual([(x.key, x.task_id, x.map_index) for x in found.xcom_entries], [("return_value", "list_parts", -1)])
        self.assertEqual(self.api.get_xcom_entries(**self.where, task_id="~", xcom_key="return_value", limit=2).total_entries, 5)
        for filters, wanted in (({"xcom_key_pattern": "ret%"}, 5), ({"task_id_pattern": "ea%"}, 3), ({"map_index_filter": 1}, 1),
                                ({"run_id_pattern": "sh%"}, 5), ({"dag_display_name_pattern": "to%"}, 5), ({"run_after_gte": LATE}, 0),
                                ({"logical_date_gte": LATE}, 0)):
            if next(iter(filters)) in inspect.signature(self.api.get_xcom_entries).parameters:
                with self.subTest(filters):
                    self.assertEqual(self.api.get_xcom_entries(**self.where, task_id="~", **filters).total_entries, wanted)
        entry = self.api.get_xcom_entry(**self.where, task_id="list_parts", xcom_key="return_value", deserialize=False, stringify=True)
        self.assertIn('"b"', entry.actual_instance.value)
        self.refused(404, self.api.get_xcom_entry, **self.where, task_id="list_parts", xcom_key="none")

    def test_writing(self):
        where = {**self.where, "task_id": "last"}
        made = self.api.create_xcom_entry(**where, x_com_create_body=models.XComCreateBody(key="by_hand", value={"n": 1}))
        self.assertEqual((made.key, made.value), ("by_hand", {"n": 1}))
        self.refused(409, self.api.create_xcom_entry, **where, x_com_create_body=models.XComCreateBody(key="by_hand", value=2))
        changed = self.api.update_xcom_entry(**where, xcom_key="by_hand", x_com_update_body=models.XComUpdateBody(value=[1, 2]))
        self.assertEqual(changed.value, [1, 2])
        self.refused(404, self.api.update_xcom_entry, **where, xcom_key="none", x_com_update_body=models.XComUpdateBody(value=1))
        if has(self.api, "delete_xcom_entry"):
            self.api.delete_xcom_entry(**where, xcom_key="by_hand")
            self.refused(404, self.api.get_xcom_entry, **where, xcom_key="by_hand")
