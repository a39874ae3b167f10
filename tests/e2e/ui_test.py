#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The web UI against the real programs: a browser signs in, triggers, follows, clears, drains."""
import os
import subprocess

from headrace import Standalone, main
from ui_build import ROOT, ui_build

EVERY_STATE = """
dag_id: every_state
description: A small DAG of nearly every kind of state
tags: [demo]
params:
  region: {type: string, enum: [eu, us], default: eu}
  n: {type: integer, minimum: 1, maximum: 9, default: 3}
groups:
  extract:
    tasks:
      slow: {bash: "for i in $(seq 1 40); do echo line $i; sleep 0.3; done"}
      quick: {bash: "echo hi"}
tasks:
  many: {depends_on: [extract], for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], bash: "echo {{ item }}"}
  bad: {depends_on: [many], retries: 1, retry_delay: 1s, bash: "echo about to fail >&2; exit 3"}
  after: {depends_on: [bad], bash: "true"}
  other: {depends_on: [many], bash: "echo '{\\"rows\\": 3}' > $HEADRACE_OUTPUT"}
  never: {depends_on: [other], when: "false", bash: "true"}
"""

BROKEN = """dag_id: broken
tasks:
  x:
    bash: "true"
    retrys: 3
"""


def a_person_at_the_browser():
    ui_build()
    settings = {"api.ui_folder": os.path.join(ROOT, "ui", "dist")}
    with Standalone(settings) as system:
        system.write_dag("every_state.yaml", EVERY_STATE)
        system.write_dag("broken.yaml", BROKEN)
        system.wait_dag("every_state")
        script = os.path.join(ROOT, "tests", "e2e", "ui", "real.mjs")
        done = subprocess.run(["node", script, f"http://127.0.0.1:{system.web_port}", system.password()], timeout=600)
        assert done.returncode == 0, "the browser found something wrong; see above"


if __name__ == "__main__":
    main(a_person_at_the_browser)
