# SPDX-License-Identifier: Apache-2.0
"""What schemathesis makes of /openapi.json, against a live system: no answer is a fault of the server, and each is as described.

HEADRACE_SCHEMA_EXAMPLES=200 asks that often for each operation (the whole: more than 20 000 requests); otherwise a bounded share is asked for."""
import json
import os
import pathlib
import subprocess
import sys

from clients import environment_or_skip
from headrace import main

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "clients"))
from tour_world import TourWorld  # noqa: E402

# The same each time, so that it is steady: what is new is found by the whole, whose seed it tells.
SHARE = ["--phases", "fuzzing,stateful", "--seed", "1", "--max-examples", "6", "--max-time", "150"]


def world_of(world):
    asset_ids = [str(asset["id"]) for asset in world.request("GET", "/api/v2/assets")["assets"]]
    spare = world.request("POST", "/auth/token", {"username": "admin", "password": world.password()}, token=False)["access_token"]
    return {
        "known": {"dag_id": ["tour", "failing", "spare", "slow", "~"], "dag_run_id": ["shown", "failed", "spare_1", "~"],
                  "task_id": ["last", "each", "bad", "only"], "pool_name": ["default_pool"], "xcom_key": ["return_value"],
                  "map_index": ["-1", "0"], "version_number": ["1"], "try_number": ["1"], "asset_id": asset_ids,
                  "section": ["core"], "option": ["parallelism"]},
        "ended": {"dag_id": "tour", "dag_run_id": "shown"},
        "token": world.token, "spare": spare,
        "count": str(world.home / "schemathesis-count"),
    }


def every_answer_is_as_described():
    python = environment_or_skip("schemathesis==4.32.5")
    examples = os.environ.get("HEADRACE_SCHEMA_EXAMPLES")
    bound = ["--max-examples", examples] if examples else SHARE
    with TourWorld() as world:
        world.sign_in()
        env = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE / "api_schema"), "WORLD": json.dumps(world_of(world))}
        done = subprocess.run([python.parent / "schemathesis", "--config-file", HERE / "api_schema/schemathesis.toml", "run", "--no-color", *bound,
                               f"http://127.0.0.1:{world.web_port}/openapi.json"], env=env, cwd=world.home, stdin=subprocess.DEVNULL)
        count = (world.home / "schemathesis-count").stat().st_size
        print(f"{count} requests", flush=True)
        assert done.returncode == 0, "schemathesis found something: the commands above repeat it"
        assert count > (20000 if examples else 100), f"only {count} requests were made"


if __name__ == "__main__":
    main(every_answer_is_as_described)
