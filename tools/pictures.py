#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/pictures anew: a system of its own, the DAGs of tools/pictures, real runs of them, and a browser that looks at every
page. `./dev pictures [NAME...]`."""
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))
from headrace import Standalone, wait_for
from ui_build import ui_build

DAGS = ROOT / "tools/pictures"
PATIENCE = 300
BACKFILL_DAYS = ("2026-10-29", "2026-11-20")
WAITS = "model_training"  # comes when the past is made: each of its days would start a run
SHARDS, REGIONS = 2000, 40


def shard_rebuild():
    """A graph that is too large to be drawn open."""
    each = SHARDS // REGIONS
    group = lambda region: {"tasks": {f"shard_{n:04}": {"empty": {}} for n in range(region * each, region * each + each)}, "depends_on": ["plan"]}
    return {"dag_id": "shard_rebuild", "description": "Builds the search index anew, shard by shard", "owner": "search", "tags": ["large"],
            "groups": {f"region_{region:02}": group(region) for region in range(REGIONS)},
            "tasks": {"plan": {"empty": {}}, "swap": {"empty": {}, "depends_on": [f"region_{region:02}" for region in range(REGIONS)]}}}


def write_dags(system):
    text = (DAGS / "etl_daily.yaml").read_text()
    system.write_dag("etl_daily.yaml", text.replace("sleep 0.6", "sleep 0.2").replace("  publish:", "  # publish:"))
    for path in DAGS.glob("*.yaml"):
        if path.stem not in ("etl_daily", WAITS):
            system.write_dag(path.name, path.read_text())
    system.write_dag("shard_rebuild.yaml", json.dumps(shard_rebuild()))
    for name in ("etl_daily", "billing_close", "inventory_sync", "shard_rebuild"):
        system.wait_dag(name)
    return text


def backfill(system, first, last, **more):
    system.request("POST", "/api/v2/backfills", {"dag_id": "etl_daily", "from_date": f"{first}T00:00:00Z", "to_date": f"{last}T23:00:00Z",
                                                 "max_active_runs": 3, "reprocess_behavior": "none", "dag_run_conf": {}, **more})
    wait_for(lambda: all(b["completed_at"] for b in system.request("GET", "/api/v2/backfills?dag_id=etl_daily")["backfills"]),
             "the end of the backfill", PATIENCE, 0.5)


def things_kept(system):
    for body in ({"name": "gpu", "slots": 1, "description": "the one card"}, {"name": "warehouse", "slots": 8, "description": "connections to the warehouse"}):
        system.request("POST", "/api/v2/pools", body)
    for body in ({"key": "region", "value": "eu", "description": "where it runs"}, {"key": "api_token", "value": "kept", "description": "token of the partner"}):
        system.request("POST", "/api/v2/variables", body)
    for body in ({"connection_id": "shop", "conn_type": "postgres", "host": "shop.internal", "port": 5432, "login": "reader", "schema": "orders", "password": "kept"},
                 {"connection_id": "partner", "conn_type": "http", "host": "partner.example", "password": "kept", "description": "prices"}):
        system.request("POST", "/api/v2/connections", body)
    for name, role in (("ada", "Op"), ("grace", "Viewer")):
        system.request("POST", "/api/headrace/v1/users", {"username": name, "password": "a-long-password", "role": role})


def history(system, text):
    """Days of the past by a backfill, with a new version of the file in the middle; then what runs and waits now."""
    backfill(system, BACKFILL_DAYS[0], "2026-11-10")
    system.write_dag("etl_daily.yaml", text)
    wait_for(lambda: system.request("GET", "/api/v2/dags/etl_daily/dagVersions")["total_entries"] == 2, "the second version", PATIENCE)
    backfill(system, "2026-11-11", BACKFILL_DAYS[1])
    for dag in ("billing_close", "shard_rebuild"):
        system.wait_run(dag, system.trigger(dag), PATIENCE)
    failed = [r for r in system.request("GET", "/api/v2/dags/etl_daily/dagRuns?state=failed&order_by=-logical_date")["dag_runs"] if r["logical_date"]][0]
    system.request("PATCH", run_of("etl_daily", failed["dag_run_id"]), {"note": "Order 48213 has no customer; the shop is told."})
    system.write_dag(f"{WAITS}.yaml", (DAGS / f"{WAITS}.yaml").read_text())
    held = [system.trigger(WAITS) for _ in range(2)]
    train_of = lambda run: system.states(WAITS, run)["train"] or "none"
    wait_for(lambda: sorted(train_of(run) for run in held) == ["none", "running"], "a training, and one that waits", PATIENCE)
    return {"failed": failed["dag_run_id"], "held": sorted(held, key=train_of), "billing": system.request("GET", "/api/v2/dags/billing_close/dagRuns")["dag_runs"][0]["dag_run_id"]}


def run_of(dag, run):
    return f"/api/v2/dags/{dag}/dagRuns/{urllib.parse.quote(run, safe='')}"


def main():
    ui_build()
    settings = {"api.ui_folder": ROOT / "ui/dist", "notifications.give_up": "1s", "autoscale.default.min": 2, "autoscale.default.max": 4, "autoscale.default.slots": 4}
    with Standalone(settings) as system:
        text = write_dags(system)
        things_kept(system)
        card = history(system, text)
        done = subprocess.run(["node", ROOT / "ui/tools/pictures.mjs", f"http://127.0.0.1:{system.web_port}", "admin", system.password(), json.dumps(card), *sys.argv[1:]], env=os.environ)
        for run in card["held"]:
            system.request("PATCH", run_of(WAITS, run), {"state": "failed"})
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
