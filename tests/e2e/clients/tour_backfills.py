# SPDX-License-Identifier: Apache-2.0
"""Backfills: what one would do, what it does, and how it is held up and ended."""
import datetime

import airflow_client.client as client
from airflow_client.client import models

from tour_base import API, Tour, delete_run, until


def body(first, last, **fields):
    def at(day):
        return datetime.datetime(2026, 3, day, tzinfo=datetime.timezone.utc)
    return models.BackfillPostBody.from_dict({"dag_id": "daily", "from_date": at(first), "to_date": at(last), **fields})


class Backfills(Tour):
    api = client.BackfillApi(API)
    runs = client.DagRunApi(API)

    def would(self, *days, **fields):
        return [row.logical_date.day for row in self.api.create_backfill_dry_run(body(*days, **fields)).backfills]

    def test_one_runs_to_its_end(self):
        self.assertEqual(self.would(1, 4), [1, 2, 3, 4])
        self.assertEqual(self.would(1, 4, run_backwards=True), [4, 3, 2, 1])
        made = self.api.create_backfill(body(2, 3, max_active_runs=2, dag_run_conf={"takes": 0}))
        self.assertEqual((made.dag_id, made.from_date.day, made.to_date.day, made.max_active_runs, made.reprocess_behavior, made.dag_run_conf),
                         ("daily", 2, 3, 2, "none", {"takes": 0}))
        self.assertIsNone(made.completed_at)
        until(lambda: self.api.get_backfill(made.id).completed_at, "the end of the backfill")
        runs = self.runs.get_dag_runs("daily", run_type=["backfill"], logical_date_lte=body(1, 4).to_date, order_by=["logical_date"]).dag_runs
        self.assertEqual([(run.logical_date.day, run.state) for run in runs], [(2, "success"), (3, "success")])
        self.assertEqual((self.would(1, 4), self.would(1, 4, reprocess_behavior="failed")), ([1, 4], [1, 4]))
        self.assertEqual(self.would(1, 4, reprocess_behavior="completed"), [1, 2, 3, 4])

    def test_one_is_held_up_and_cancelled(self):
        made = self.api.create_backfill(body(11, 16, max_active_runs=1, run_backwards=True, dag_run_conf={"takes": 600}))
        self.refused(409, self.api.create_backfill, body(11, 16))
        self.assertTrue(self.api.pause_backfill(made.id).is_paused)
        self.assertTrue(self.api.get_backfill(made.id).is_paused)
        self.assertFalse(self.api.unpause_backfill(made.id).is_paused)
        self.assertEqual([row.id for row in self.api.list_backfills("daily", limit=1, order_by=["-id"]).backfills], [made.id])
        self.assertEqual(self.api.list_backfills("tour").total_entries, 0)
        self.assertIsNotNone(self.api.cancel_backfill(made.id).completed_at)
        for change in (self.api.cancel_backfill, self.api.pause_backfill, self.api.unpause_backfill):
            self.refused(409, change, made.id)
            self.refused(404, change, 999999)
        runs = self.runs.get_dag_runs("daily", logical_date_gte=body(11, 16).from_date).dag_runs
        self.assertEqual([run.logical_date.day for run in runs], [16])
        self.runs.patch_dag_run("daily", runs[0].dag_run_id, models.DAGRunPatchBody(state="failed"))
        delete_run("daily", runs[0].dag_run_id)

    def test_what_makes_no_sense_is_refused(self):
        for ask in (self.api.create_backfill, self.api.create_backfill_dry_run):
            self.refused(422, ask, body(5, 4))
            self.refused(404, ask, body(1, 2, dag_id="no_such_dag"))
            self.refused(422, ask, body(1, 2, dag_id="spare"))
        self.refused(404, self.api.get_backfill, 999999)
