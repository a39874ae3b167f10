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


def what_waits_for_the_rest_of_a_condition_is_shown_and_dropped():
    with Standalone() as system:
        system.write_dag("producer.yaml", PRODUCER)
        system.write_dag("consumer.yaml", CONSUMER)
        system.wait_dag("consumer")
        ids = {row["name"]: row["id"] for row in system.request("GET", "/api/v2/assets")["assets"]}
        made = system.request("POST", f"/api/v2/assets/{ids['orders']}/materialize", {"dag_run_id": "made", "conf": {"by": "asset"}})
        assert (made["dag_id"], made["dag_run_id"], made["conf"]) == ("producer", "made", {"by": "asset"}), made
        system.wait_run("producer", "made")
        of_dag, of_asset = "/api/v2/dags/consumer/assets", f"/api/v2/assets/{ids['orders']}/queuedEvents"
        queued = system.request("GET", f"{of_dag}/queuedEvents")
        assert queued["total_entries"] == 1, queued
        one = queued["queued_events"][0]
        assert (one["dag_id"], one["asset_id"]) == ("consumer", ids["orders"]), one
        assert system.request("GET", of_asset)["queued_events"] == [one]
        assert system.request("GET", f"{of_dag}/{ids['orders']}/queuedEvents") == one
        assert system.raw("GET", f"{of_dag}/{ids['customers']}/queuedEvents")[0] == 404
        assert system.raw("GET", "/api/v2/dags/no/assets/queuedEvents")[0] == 404
        assert system.raw("DELETE", "/api/v2/dags/no/assets/queuedEvents")[0] == 404
        for nothing in (f"{of_dag}/queuedEvents?before=2000-01-01T00:00:00Z", f"{of_dag}/{ids['customers']}/queuedEvents"):
            assert system.raw("DELETE", nothing)[0] == 204
            assert system.request("GET", of_asset)["total_entries"] == 1, nothing
        assert system.raw("DELETE", f"{of_dag}/{ids['orders']}/queuedEvents")[0] == 204
        assert system.request("GET", of_asset)["total_entries"] == 0
        told = [system.request("POST", "/api/v2/assets/events", {"asset_id": ids[name]}) for name in ("customers", "orders", "orders")]
        run = wait_for(lambda: consumer_runs(system), "the run of the consumer", 60)
        assert len(run) == 1, "what was dropped has started a run"
        events = {event["id"]: event for event in system.request("GET", "/api/v2/assets/events")["asset_events"]}
        assert [events[event["id"]]["created_dagruns"][0]["triggering"] for event in told[:2]] == [False, True], events
        assert system.request("GET", of_asset)["total_entries"] == 1
        assert system.raw("DELETE", of_asset)[0] == 204
        assert system.request("GET", of_asset)["total_entries"] == 0
        assert system.raw("POST", "/api/v2/assets/999999/materialize", {})[0] == 404
        system.write_dag("other.yaml", "tasks: {a: {bash: 'true', outlets: [orders]}, b: {bash: 'true', inlets: [nobody]}}")
        system.wait_dag("other")
        nobody = system.request("GET", "/api/v2/assets?name_pattern=nobody")["assets"][0]["id"]
        assert system.raw("POST", f"/api/v2/assets/{ids['orders']}/materialize", {})[0] == 400
        assert system.raw("POST", f"/api/v2/assets/{nobody}/materialize", {})[0] == 404


main(what_waits_for_the_rest_of_a_condition_is_shown_and_dropped,
     an_update_starts_the_dag_that_waits_also_after_the_scheduler_was_killed)
