#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The web UI against the real programs: a browser signs in, triggers, follows, clears, drains."""
import json
import os
import shlex
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

BROKEN = """dag_id: broken
tasks:
  x:
    bash: "true"
    retrys: 3
"""


# What must stay text wherever it is shown. Each would set window.breached, or load what the content policy reports.
HOSTILE = {
    "script": "<script>window.breached=1</script>",
    "image": "<img src=x onerror=window.breached=1>",
    "svg": "<svg/onload=window.breached=1>",
    "quote": "\"'><b onmouseover=window.breached=1 autofocus onfocus=window.breached=1>",
    "link": "[go](javascript:window.breached=1) <a href='javascript:window.breached=1'>x</a>",
    "data": "![x](data:text/html,<script>window.breached=1</script>)",
    "template": "{{ '<img src=x onerror=window.breached=1>' }}",
    "close": "</script></style></title><script>window.breached=1</script>",
    "ansi": "\x1b]8;;javascript:window.breached=1\x07click\x1b]8;;\x07 \x1b[31m<img src=x onerror=window.breached=1>\x1b[0m",
    "bidi": "\u202e<iframe srcdoc='<script>parent.breached=1</script>'>",
}


def hostile_dag():
    every = "\n\n".join(HOSTILE.values())
    text = {name: value for name, value in HOSTILE.items() if name not in ("ansi", "template")}
    say = [f"printf '%s\\n' {shlex.quote(value)}" for name, value in HOSTILE.items() if name != "template"]
    return json.dumps({
        "dag_id": "hostile", "description": HOSTILE["image"], "owner": HOSTILE["svg"], "tags": [HOSTILE["image"][:60], "demo"],
        "doc_md": every.replace("\x1b", "").replace("\x07", ""),
        "params": {"word": {"type": "string", "default": HOSTILE["script"], "title": HOSTILE["image"], "description": HOSTILE["svg"]},
                   "pick": {"type": "string", "enum": list(text.values()), "default": HOSTILE["quote"]}},
        "tasks": {"prints": {"bash": "\n".join([*say, "printf '%s' " + shlex.quote(json.dumps(text)) + ' > "$HEADRACE_OUTPUT"']), "doc_md": HOSTILE["image"]},
                  "fails": {"depends_on": ["prints"], "bash": f"echo {shlex.quote(HOSTILE['image'])} >&2; exit 3"},
                  "maps": {"depends_on": ["prints"], "for_each": list(text.values()), "bash": "true"}},
    })


def a_person_at_the_browser():
    ui_build()
    settings = {"api.ui_folder": os.path.join(ROOT, "ui", "dist"), "notifications.give_up": "1s"}
    with Standalone(settings) as system:
        system.write_dag("every_state.yaml", EVERY_STATE)
        for name, text in (("daily", DAILY), ("tells", TELLS), ("follows", FOLLOWS)):
            system.write_dag(f"{name}.yaml", text)
        system.write_dag("broken.yaml", BROKEN)
        system.write_dag("hostile.yaml", hostile_dag())
        system.write_dag("hostile_error.yaml", json.dumps({"dag_id": "hostile_error", "tasks": {"x": {"bash": "true", HOSTILE["image"]: HOSTILE["script"]}}}))
        system.wait_dag("every_state")
        for name in ("hostile", "daily", "tells", "follows"):
            system.wait_dag(name)
        system.request("POST", "/api/v2/variables", {"key": "db_password", "value": "kept!"})
        system.request("POST", "/api/v2/connections", {"connection_id": "kept", "conn_type": "http", "host": "a.example", "password": "kept!"})
        sealed = "SELECT encode(sealed, 'hex') FROM variable WHERE key = 'db_password' UNION ALL SELECT encode(sealed, 'hex') FROM connection WHERE connection_id = 'kept'"
        before = system.sql(sealed)
        script = os.path.join(ROOT, "tests", "e2e", "ui", "real.mjs")
        done = subprocess.run(["node", script, f"http://127.0.0.1:{system.web_port}", system.password()], timeout=600)
        assert done.returncode == 0, "the browser found something wrong; see above"
        assert before and system.sql(sealed) == before, "a form that was saved without touching the secret changed it"
        edited = system.sql("SELECT count(*) FROM (SELECT description FROM variable UNION ALL SELECT description FROM connection) d WHERE description = 'edited'")
        assert str(edited).strip() == "2", edited


if __name__ == "__main__":
    main(a_person_at_the_browser)
