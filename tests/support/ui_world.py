# SPDX-License-Identifier: Apache-2.0
"""A system with DAGs that show what there is to see, and the walks that a browser makes through it.

    with UiWorld() as system:
        system.walk("actions.mjs")
"""
import os
import subprocess

from headrace import Standalone, wait_for
from ui_build import ROOT, ui_build

# Its slow task prints until the file GATE is there.
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
      slow: {bash: "i=0; until [ $i -gt 8 -a -e GATE ]; do i=$((i + 1)); echo line $i; sleep 0.3; done"}
      quick: {bash: "echo hi"}
tasks:
  many: {depends_on: [extract], for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], bash: "echo {{ item }}"}
  bad: {depends_on: [many], retries: 1, retry_delay: 1s, bash: "echo about to fail; echo try {{ ti.try_number }} >&2; exit 3"}
  after: {depends_on: [bad], bash: "true"}
  other: {depends_on: [many], bash: "echo '{\\"rows\\": 3}' > $HEADRACE_OUTPUT"}
  never: {depends_on: [other], when: "false", bash: "true"}
"""

# One task a day; it waits for the file that its run's conf names.
DAILY = """
dag_id: daily
schedule: "0 0 * * *"
timezone: Pacific/Auckland
catchup: false
tasks:
  load:
    bash: until [ -e "{{ conf.gate | default('/') }}" ]; do sleep 0.1; done
    outlets: [day_loaded]
"""

# Its receiver is away, and is given up on at once.
TELLS = """
dag_id: tells
on_failure: [{webhook: "http://127.0.0.1:9/nobody"}]
tasks:
  fails: {bash: "exit 1"}
"""

FOLLOWS = """
dag_id: follows
schedule: {assets: [day_loaded]}
tasks:
  after: {bash: "true"}
"""

# Stands still at `hold` until the file that its run's conf names is there.
GATED = """
dag_id: gated
description: Waits where it is told to
tags: [held]
owner: ada
params: {gate: {type: string, default: "/"}}
tasks:
  first: {bash: "echo first of {{ params.gate | sh }}"}
  hold: {depends_on: [first], bash: 'until [ -e {{ params.gate | sh }} ]; do sleep 0.1; done'}
  last: {depends_on: [hold], bash: "true"}
"""

BREAKS = """
dag_id: breaks
doc_md: |
  # What it is for
  A task of it fails, each time.
tasks:
  good: {bash: "echo fine"}
  bad: {depends_on: [good], bash: "echo about to fail >&2; exit 3"}
  after: {depends_on: [bad], bash: "true"}
  each: {depends_on: [good], for_each: [first, second, third], map_label: "the {{ item }}", bash: 'echo {{ item }}; [ {{ item }} != second ]'}
"""

# Thirty tasks that cost nothing but their changes.
BUSY = "dag_id: busy\ntasks:\n" + "".join(f"  t{n:02}: {{empty: {{}}{f', depends_on: [t{n - 3:02}]' if n > 2 else ''}}}\n" for n in range(30))

BROKEN = """dag_id: broken
tasks:
  x:
    bash: "true"
    retrys: 3
"""

DAGS = {"every_state": EVERY_STATE, "daily": DAILY, "tells": TELLS, "follows": FOLLOWS, "gated": GATED, "breaks": BREAKS, "busy": BUSY}


def walk(script, port, user, password, timeout=780, **environment):
    """Runs a walk of tests/e2e/ui; `environment` are words that it asks for by name."""
    command = ["node", os.path.join(ROOT, "tests/e2e/ui", script), f"http://127.0.0.1:{port}", user, password]
    done = subprocess.run(command, timeout=timeout, env={**os.environ, **environment})
    assert done.returncode == 0, "the browser found something wrong; see above"


class UiWorld(Standalone):
    def __init__(self, dags=tuple(DAGS), settings=None):
        super().__init__({"api.ui_folder": os.path.join(ROOT, "ui", "dist"), "notifications.give_up": "1s", **(settings or {})})
        self.dags = dags

    def __enter__(self):
        ui_build()
        super().__enter__()
        for name in self.dags:
            self.write_dag(f"{name}.yaml", DAGS[name].replace("GATE", str(self.home / "gate")))
        for name in self.dags:
            self.wait_dag(name)
        return self

    def write_broken(self):
        """A file that cannot be loaded: retrys for retries, in line 5."""
        self.write_dag("broken.yaml", BROKEN)
        wait_for(lambda: self.request("GET", "/api/v2/importErrors")["total_entries"], "its import error")

    def walk(self, script):
        walk(script, self.web_port, "admin", self.password(), HEADRACE_DAGS=str(self.home / "dags"), HEADRACE_GATE=str(self.home / "gate"), HEADRACE_STANDALONE_PID=str(self.process.pid))
