# SPDX-License-Identifier: Apache-2.0
"""A tour over every operation of the REST API with apache-airflow-client, run inside its environment: tour.py CARD (tour_world.py).

What the installed release does not have yet is passed over: `has` asks for the method. All answers go through the client's own models."""
import datetime
import json
import pathlib
import re
import unittest
import urllib.request

import airflow_client.client as client
from airflow_client.client import models

import contract
import fit
from tour_assets import Assets
from tour_backfills import Backfills
from tour_base import API, CARD, RecordingClient, Tour
from tour_dags import Dags, Tasks
from tour_rest import Rest, Vault
from tour_runs import Instances, Outputs, Runs

__all__ = ["Assets", "Backfills", "Dags", "Instances", "Outputs", "Rest", "Runs", "SmokeTest", "Tasks", "Vault", "ZContract"]  # what unittest looks for


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


def described_by(url):
    with urllib.request.urlopen(url + "/openapi.json") as answer:
        return json.load(answer)


class ZContract(Tour):
    """Runs last, by its name: every answer of the tour fits the description that came with the client, and no operation is left out."""

    described = contract.Contract(pathlib.Path(client.__file__).parents[2] / "v2.yaml")

    def test_every_answer_is_as_described(self):
        for method, path, status, kind, body in RecordingClient.answers:
            operation = self.described.operation(method, path)
            with self.subTest(f"{operation} {status}"):
                self.assertEqual(self.described.faults(operation, status, kind, body), [])

    def test_every_operation_was_called(self):
        called = {self.described.operation(method, path) for method, path, status, *_ in RecordingClient.answers if status < 400}
        wanted = self.described.operations() - contract.LEFT_OUT - contract.LATER
        self.assertGreater(len(wanted), 90)
        self.assertEqual(sorted(wanted - called), [])
        self.assertEqual(sorted(called - wanted), [], "these are no longer left out")

    def test_whatever_may_be_answered_can_be_read(self):
        ours = described_by(CARD["url"])
        for operation in sorted(self.described.operations() - contract.LEFT_OUT - contract.LATER):
            with self.subTest(operation):
                faults = fit.misfits(ours, self.described.document, operation)
                self.assertEqual([fault for fault in faults if not contract.BY_RELEASE & set(re.split(r"\W+", fault.split(": ")[0]))], [])

    def test_a_misfit_is_found(self):
        ours = described_by(CARD["url"])
        pool = ours["components"]["schemas"]["Pool"]
        pool["required"].remove("slots")
        pool["properties"].update(name={"type": ["string", "null"]}, include_deferred={"type": "string"})
        self.assertEqual(sorted(fit.misfits(ours, self.described.document, "get_pool")),
                         ["get_pool.include_deferred: string, which is not boolean", "get_pool.name: null, which is not string",
                          "get_pool.slots: may be missing"])
        ours["components"]["schemas"]["DagRun"]["properties"]["state"] = {"enum": ["queued", "lost"]}
        self.assertIn("get_dag_runs.dag_runs[].state: ['queued', 'lost'] instead of", "\n".join(fit.misfits(ours, self.described.document, "get_dag_runs")))


if __name__ == "__main__":
    unittest.main()
