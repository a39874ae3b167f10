# SPDX-License-Identifier: Apache-2.0
"""Assets, seen from outside: what a task updates starts the DAGs that wait for it."""
import os
import signal

from headrace import Standalone, main, wait_for

PRODUCER = """
tasks:
  extract: {bash: 'true', outlets: [orders]}
  fails: {bash: 'false', outlets: [customers]}
"""

CONSUMER = """
schedule: {assets: [orders, customers]}
tasks:
  report: {bash: 'true', inlets: [orders]}
"""


def consumer_runs(system):
    return system.request("GET", "/api/v2/dags/consumer/dagRuns?order_by=id")["dag_runs"]


def an_update_starts_the_dag_that_waits_also_after_the_scheduler_was_killed():
    with Standalone() as system:
        system.write_dag("producer.yaml", PRODUCER)
        system.write_dag("consumer.yaml", CONSUMER)
        system.wait_dag("consumer")
        run = system.trigger("producer")
        system.wait_run("producer", run)
        assets = {row["name"]: row for row in system.request("GET", "/api/v2/assets")["assets"]}
        assert set(assets) == {"orders", "customers"}, assets
        assert [task["task_id"] for task in assets["orders"]["producing_tasks"]] == ["extract"], assets
        assert [task["task_id"] for task in assets["orders"]["consuming_tasks"]] == ["report"], assets
        assert [dag["dag_id"] for dag in assets["orders"]["scheduled_dags"]] == ["consumer"], assets
        events = system.request("GET", "/api/v2/assets/events")["asset_events"]
        assert [(event["name"], event["source_task_id"], event["source_run_id"]) for event in events] == [("orders", "extract", run)], events
        assert consumer_runs(system) == []
        os.kill(system.pids_of("headrace-scheduler")[0], signal.SIGKILL)
        body = {"asset_id": assets["customers"]["id"], "extra": {"rows": 7}}
        told = system.patiently(lambda: system.request("POST", "/api/v2/assets/events", body), "an event")
        assert told["extra"] == {"rows": 7} and told["source_dag_id"] is None, told
        made = wait_for(lambda: consumer_runs(system), "the run of the consumer", 60)[0]
        assert made["run_type"] == "asset_triggered" and made["logical_date"] is None, made
        assert system.wait_run("consumer", made["dag_run_id"])["state"] == "success"
        upstream = system.request("GET", f"/api/v2/dags/consumer/dagRuns/{made['dag_run_id'].replace('+', '%2B')}/upstreamAssetEvents")
        assert {event["name"] for event in upstream["asset_events"]} == {"orders", "customers"}, upstream
        assert upstream["asset_events"][0]["created_dagruns"][0]["run_id"] == made["dag_run_id"], upstream
        assert system.raw("POST", "/api/v2/assets/events", {"asset_id": 999999})[0] == 404
        assert system.raw("GET", "/api/v2/assets/999999")[0] == 404


main(an_update_starts_the_dag_that_waits_also_after_the_scheduler_was_killed)
