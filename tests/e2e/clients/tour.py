# SPDX-License-Identifier: Apache-2.0
"""A tour over every operation of the REST API with apache-airflow-client, run inside its environment: tour.py CARD (tour_world.py).

What the installed release does not have yet is passed over: `has` asks for the method. All answers go through the client's own models."""
import datetime
import pathlib
import unittest

import airflow_client.client as client
from airflow_client.client import models

import contract
from tour_assets import Assets
from tour_backfills import Backfills
from tour_base import API, RecordingClient, Tour
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
