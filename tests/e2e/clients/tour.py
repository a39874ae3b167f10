# SPDX-License-Identifier: Apache-2.0
"""A tour over every operation of the REST API with apache-airflow-client, run inside its environment: tour.py CARD (tour_world.py).

What the installed release does not have yet is passed over: `has` asks for the method. All answers go through the client's own models."""
import datetime
import inspect
import json
import pathlib
import sys
import time
import unittest

import airflow_client.client as client
from airflow_client.client import models
import contract
from airflow_client.client.exceptions import ApiException

CARD = json.loads(sys.argv.pop(1))


def sign_in():
    import urllib.request
    body = json.dumps({"username": CARD["username"], "password": CARD["password"]}).encode()
    request = urllib.request.Request(CARD["url"] + "/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
        return json.load(answer)["access_token"]


CONFIG = client.Configuration(host=CARD["url"])
CONFIG.access_token = sign_in()


class RecordingClient(client.ApiClient):
    """Keeps what came back, so that the contract of the release can be held against it."""
    answers = []

    def call_api(self, method, url, *words, **named):
        answer = super().call_api(method, url, *words, **named)
        answer.read()
        self.answers.append((method, url[len(CARD["url"]):], answer.status, answer.getheader("content-type") or "", answer.data))
        return answer


API = RecordingClient(CONFIG)
LATE = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
EARLY = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)


def has(api, method):
    return hasattr(api, method)


def only_known(method, **arguments):
    """Filters that the release does not know are left out."""
    known = inspect.signature(method).parameters
    return method(**{name: value for name, value in arguments.items() if name in known})


def bulk_of(model, *actions):
    """As a script that reads its actions from a file does."""
    return model.from_dict({"actions": list(actions)})


def clear_of(**fields):
    return models.ClearTaskInstancesBody.from_dict(fields)


def when_ended(call, *words):
    """What is under way is not deleted: until its last process has gone the answer is 409."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return call(*words)
        except ApiException as refusal:
            if refusal.status != 409 or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def delete_run(dag_id, run_id):
    when_ended(client.DagRunApi(API).delete_dag_run, dag_id, run_id)


class Tour(unittest.TestCase):
    def refused(self, status, call, *words, **named):
        with self.assertRaises(ApiException) as caught:
            call(*words, **named)
        self.assertEqual(caught.exception.status, status, caught.exception.body)
        self.assertIn("detail", json.loads(caught.exception.body))


class SmokeTest(Tour):
    """In the order of the client's own smoke test."""

    def test_the_clients_smoke_test_passes(self):
        dags = client.DAGApi(API).get_dags()
        self.assertGreaterEqual(dags.total_entries, 4)
        tasks = client.TaskApi(API).get_tasks("spare")
        self.assertEqual([t.task_id for t in tasks.tasks], ["only"])
        run_id = f"smoke_{datetime.datetime.now().timestamp()}"
        run = client.DagRunApi(API).trigger_dag_run("spare", models.TriggerDAGRunPostBody(dag_run_id=run_id, logical_date=None))
        self.assertEqual((run.dag_run_id, run.run_type), (run_id, "manual"))
        config = client.ConfigApi(API).get_config()
        self.assertIn("core", [section.name for section in config.sections])


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
        for filters, wanted in (({"has_import_errors": True}, []), ({"bundle_name": "no-such"}, []), ({"has_asset_schedule": True}, []),
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


class Vault(Tour):
    def test_pools(self):
        api = client.PoolApi(API)
        made = api.post_pool(models.PoolBody(name="narrow", slots=2, description="few", include_deferred=True))
        self.assertEqual((made.name, made.slots, made.open_slots, made.include_deferred), ("narrow", 2, 2, True))
        self.refused(409, api.post_pool, models.PoolBody(name="narrow", slots=1))
        self.assertEqual(api.patch_pool("narrow", models.PoolPatchBody(slots=3), update_mask=["slots"]).slots, 3)
        self.assertEqual([p.name for p in api.get_pools(order_by=["-slots"], limit=10).pools], ["default_pool", "narrow"])
        self.assertEqual(api.get_pools(pool_name_pattern="nar%").total_entries, 1)
        self.assertEqual(api.get_pool("narrow").slots, 3)
        api.delete_pool("narrow")
        self.refused(404, api.get_pool, "narrow")
        self.refused(400, api.delete_pool, "default_pool")
        done = api.bulk_pools(bulk_of(models.BulkBodyPoolBody, {"action": "create", "action_on_existence": "overwrite", "entities": [{"name": "p1", "slots": 1}]},
                                  {"action": "delete", "entities": ["p1"]}))
        self.assertEqual((done.create.success, done.delete.success), (["p1"], ["p1"]))

    def test_variables(self):
        api = client.VariableApi(API)
        made = api.post_variable(models.VariableBody(key="city", value="Lisbon", description="where"))
        self.assertEqual((made.key, made.value, made.is_encrypted), ("city", "Lisbon", True))
        self.refused(409, api.post_variable, models.VariableBody(key="city", value="x"))
        self.assertEqual(api.patch_variable("city", models.VariableBody(key="city", value="Porto"), update_mask=["value"]).value, "Porto")
        self.assertEqual(api.get_variable("city").description, "where")
        self.assertEqual([v.key for v in api.get_variables(variable_key_pattern="ci%", order_by=["key"]).variables], ["city"])
        api.delete_variable("city")
        self.refused(404, api.get_variable, "city")
        done = api.bulk_variables(bulk_of(models.BulkBodyVariableBody, {"action": "create", "action_on_existence": "overwrite", "entities": [{"key": "v1", "value": "1"}]},
                                  {"action": "delete", "entities": ["v1"]}))
        self.assertEqual((done.create.success, done.delete.success), (["v1"], ["v1"]))

    def test_connections(self):
        api = client.ConnectionApi(API)
        body = models.ConnectionBody(connection_id="db", conn_type="postgres", host="h", login="l", password="geheim!", port=5432, schema="s",
                                     extra='{"sslmode": "require", "password": "geheim!"}')
        made = api.post_connection(body)
        self.assertEqual((made.connection_id, made.conn_type, made.port), ("db", "postgres", 5432))
        self.assertNotIn("geheim", str(made.to_dict()))
        self.refused(409, api.post_connection, body)
        changed = api.patch_connection("db", models.ConnectionBody(connection_id="db", conn_type="postgres", host="h2"), update_mask=["host"])
        self.assertEqual((changed.host, changed.login, changed.port), ("h2", "l", 5432))
        self.assertEqual([c.connection_id for c in api.get_connections(connection_id_pattern="d%", order_by=["connection_id"]).connections], ["db"])
        self.assertNotIn("geheim", str(api.get_connection("db").to_dict()))
        api.delete_connection("db")
        self.refused(404, api.get_connection, "db")
        done = api.bulk_connections(bulk_of(models.BulkBodyConnectionBody, {"action": "create", "action_on_existence": "overwrite", "entities": [{"connection_id": "c1", "conn_type": "http"}]},
                                  {"action": "delete", "entities": ["c1"]}))
        self.assertEqual((done.create.success, done.delete.success), (["c1"], ["c1"]))


class Rest(Tour):
    def test_the_audit_log(self):
        api = client.EventLogApi(API)
        client.PoolApi(API).post_pool(models.PoolBody(name="logged", slots=1))
        client.PoolApi(API).delete_pool("logged")
        found = api.get_event_logs(order_by=["-when"], owner="admin", included_events=["post_pool", "create_pool"], limit=5)
        self.assertGreaterEqual(found.total_entries, 1)
        one = api.get_event_log(found.event_logs[0].event_log_id)
        self.assertEqual((one.owner, one.event), ("admin", found.event_logs[0].event))
        self.assertEqual(api.get_event_logs(event_pattern="%pool%", after=LATE).total_entries, 0)
        self.assertEqual(api.get_event_logs(dag_id="no_such", before=EARLY, excluded_events=["x"]).total_entries, 0)
        self.refused(404, api.get_event_log, 99999999)

    def test_jobs(self):
        api = client.JobApi(API)
        alive = api.get_jobs(is_alive=True, job_type="SchedulerJob")
        self.assertEqual([(j.job_type, j.state) for j in alive.jobs], [("SchedulerJob", "running")])
        self.assertEqual(api.get_jobs(job_state="failed").total_entries, 0)
        self.assertEqual(api.get_jobs(start_date_gte=LATE, hostname="none").total_entries, 0)

    def test_health_version_config(self):
        health = client.MonitorApi(API).get_health()
        self.assertEqual((health.metadatabase.status, health.scheduler.status), ("healthy", "healthy"))
        self.assertTrue(client.VersionApi(API).get_version().version)
        config = client.ConfigApi(API)
        self.assertEqual([s.name for s in config.get_config(section="core", accept="application/json").sections], ["core"])
        value = config.get_config_value("core", "parallelism", accept="application/json")
        self.assertEqual(value.sections[0].options[0].to_dict()["key"], "parallelism")
        self.refused(404, config.get_config_value, "core", "no_such")

    def test_providers_and_plugins(self):
        self.assertGreaterEqual(client.ProviderApi(API).get_providers().total_entries, 0)
        self.assertEqual(client.PluginApi(API).get_plugins(limit=5, offset=0).total_entries, 0)
        if has(client.PluginApi, "import_errors"):
            self.assertEqual(client.PluginApi(API).import_errors().total_entries, 0)

    def test_no_token_and_a_wrong_one(self):
        stranger = client.ApiClient(client.Configuration(host=CARD["url"]))
        self.refused(401, client.DAGApi(stranger).get_dags)
        stranger.configuration.access_token = "wrong"
        self.refused(401, client.DAGApi(stranger).get_dags)


class ZContract(Tour):
    """Runs last, by its name: every answer of the tour fits the description that came with the client, and no operation was left out."""

    def test_every_answer_is_as_described(self):
        described = contract.Contract(pathlib.Path(client.__file__).parents[2] / "v2.yaml")
        for method, path, status, kind, body in RecordingClient.answers:
            operation = described.operation(method, path)
            with self.subTest(f"{operation} {status}"):
                self.assertEqual(described.faults(operation, status, kind, body), [])

    def test_every_operation_was_called(self):
        described = contract.Contract(pathlib.Path(client.__file__).parents[2] / "v2.yaml")
        called = {described.operation(method, path) for method, path, status, *_ in RecordingClient.answers if status < 400}
        self.assertEqual(sorted(described.operations() & contract.WANTED - called), [])


if __name__ == "__main__":
    unittest.main()
