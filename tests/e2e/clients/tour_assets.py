# SPDX-License-Identifier: Apache-2.0
"""Assets: their events, what waits for the rest of a condition, and the runs that come of it."""
import inspect

import airflow_client.client as client
from airflow_client.client import models

from tour_base import API, EARLY, LATE, Tour, delete_run, only_known, until


class Assets(Tour):
    api = client.AssetApi(API)
    runs = client.DagRunApi(API)

    def setUp(self):
        self.orders, self.customers = (self.api.get_assets(name_pattern=name).assets[0].id for name in ("orders", "customers"))
        self.api.delete_dag_asset_queued_events("taker")

    def tell(self, asset_id, **extra):
        return self.api.create_asset_event(models.CreateAssetEventsBody(asset_id=asset_id, extra=extra))

    def names(self, **filters):
        return [asset.name for asset in only_known(self.api.get_assets, **filters).assets]

    def events(self, **filters):
        return [event.id for event in only_known(self.api.get_asset_events, **filters).asset_events]

    def test_lists_filters_and_orders(self):
        known = inspect.signature(self.api.get_assets).parameters
        for filters, wanted in (
                ({"order_by": ["name"]}, ["customers", "orders"]), ({"order_by": ["-name"]}, ["orders", "customers"]),
                ({"name_pattern": "%ust%"}, ["customers"]), ({"uri_pattern": "ord%"}, ["orders"]), ({"name_prefix_pattern": "ord"}, ["orders"]),
                ({"uri_prefix_pattern": "no"}, []), ({"dag_ids": ["maker"]}, ["orders"]), ({"dag_ids": ["tour"]}, []),
                ({"only_active": True, "name_pattern": "orders"}, ["orders"]), ({"limit": 1, "offset": 1, "order_by": ["id"]}, ["customers"])):
            if next(iter(filters)) in known:
                with self.subTest(filters):
                    self.assertEqual(sorted(self.names(**filters)) if "dag_ids" in filters else self.names(**filters), wanted)

    def test_one(self):
        asset = self.api.get_asset(self.orders)
        self.assertEqual((asset.name, asset.uri, asset.aliases), ("orders", "orders", []))
        self.assertEqual([(t.dag_id, t.task_id) for t in asset.producing_tasks], [("maker", "extract")])
        self.assertEqual([(t.dag_id, t.task_id) for t in asset.consuming_tasks], [("taker", "report")])
        self.assertEqual([d.dag_id for d in asset.scheduled_dags], ["taker"])
        self.refused(404, self.api.get_asset, 999999)

    def test_aliases(self):
        self.assertEqual(self.api.get_asset_aliases(name_pattern="%").total_entries, 0)
        self.refused(404, self.api.get_asset_alias, 1)

    def test_events_that_are_told(self):
        told = self.tell(self.customers, rows=7)
        self.assertEqual((told.asset_id, told.name, told.extra["rows"], told.source_dag_id), (self.customers, "customers", 7, None))
        known = inspect.signature(self.api.get_asset_events).parameters
        for filters, is_there in (({"asset_id": self.customers}, True), ({"asset_id": self.orders}, False), ({"timestamp_gte": EARLY}, True),
                                  ({"timestamp_gt": LATE}, False), ({"source_dag_id": "maker"}, False), ({"source_run_id": "x"}, False),
                                  ({"name_pattern": "cust%"}, True), ({"name_prefix_pattern": "ord"}, False)):
            if next(iter(filters)) in known:
                with self.subTest(filters):
                    self.assertEqual(told.id in self.events(**filters, order_by=["-id"]), is_there)
        self.assertEqual(self.api.get_asset(self.customers).last_asset_event.id, told.id)
        self.refused(404, self.tell, 999999)

    def test_what_waits_is_shown_and_dropped(self):
        for show, drop, where in ((self.api.get_asset_queued_events, self.api.delete_asset_queued_events, (self.orders,)),
                                  (self.api.get_dag_asset_queued_events, self.api.delete_dag_asset_queued_events, ("taker",))):
            self.tell(self.orders)
            self.assertEqual([(e.dag_id, e.asset_id) for e in show(*where).queued_events], [("taker", self.orders)])
            self.assertEqual(show(*where, before=EARLY.isoformat()).total_entries, 0)
            drop(*where, before=EARLY.isoformat())
            self.assertEqual(show(*where).total_entries, 1)
            drop(*where)
            self.assertEqual(show(*where).total_entries, 0)
        self.tell(self.orders)
        self.assertEqual(self.api.get_dag_asset_queued_event("taker", self.orders).asset_id, self.orders)
        self.refused(404, self.api.get_dag_asset_queued_event, "taker", self.customers)
        self.api.delete_dag_asset_queued_event("taker", self.orders)
        self.refused(404, self.api.get_dag_asset_queued_event, "taker", self.orders)
        self.refused(404, self.api.get_dag_asset_queued_events, "no_such_dag")

    def materialize(self):
        if "materialize_asset_body" not in inspect.signature(self.api.materialize_asset).parameters:
            return self.api.materialize_asset(self.orders)
        run = self.api.materialize_asset(self.orders, models.MaterializeAssetBody(dag_run_id="made", conf={"by": "asset"}))
        self.assertEqual((run.dag_run_id, run.conf), ("made", {"by": "asset"}))
        return run

    def test_one_is_made_anew_and_starts_what_waits_for_it(self):
        before = {run.dag_run_id for run in self.runs.get_dag_runs("taker").dag_runs}
        waiting = self.tell(self.customers)
        made = self.materialize()
        self.assertEqual(made.dag_id, "maker")
        run = until(lambda: [r for r in self.runs.get_dag_runs("taker").dag_runs if r.dag_run_id not in before and r.state == "success"],
                    "the run of what waits")[0]
        self.assertEqual((run.run_type, run.logical_date), ("asset_triggered", None))
        upstream = self.runs.get_upstream_asset_events("taker", run.dag_run_id).asset_events
        starting = self.api.get_asset_events(source_dag_id="maker", source_task_id="extract", source_run_id=made.dag_run_id).asset_events
        self.assertEqual({event.id for event in upstream}, {waiting.id, starting[0].id})
        for event in upstream:
            of = event.created_dagruns[0]
            self.assertEqual((of.dag_id, of.run_id, of.state), ("taker", run.dag_run_id, "success"))
            if hasattr(of, "triggering"):
                self.assertEqual(of.triggering, event.id == starting[0].id)
        self.refused(404, self.api.materialize_asset, self.customers)
        self.refused(404, self.api.materialize_asset, 999999)
        delete_run("maker", made.dag_run_id)
