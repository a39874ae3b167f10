#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The web UI against the real programs: a browser signs in, triggers, follows, clears, drains."""
import json
import shlex

from headrace import main
from hostile import HOSTILE
from ui_world import UiWorld


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
    with UiWorld(dags=("every_state", "daily", "tells", "follows")) as system:
        system.write_broken()
        system.write_dag("hostile.yaml", hostile_dag())
        system.write_dag("hostile_error.yaml", json.dumps({"dag_id": "hostile_error", "tasks": {"x": {"bash": "true", HOSTILE["image"]: HOSTILE["script"]}}}))
        system.wait_dag("hostile")
        system.request("POST", "/api/v2/variables", {"key": "db_password", "value": "kept!"})
        system.request("POST", "/api/v2/connections", {"connection_id": "kept", "conn_type": "http", "host": "a.example", "password": "kept!"})
        sealed = "SELECT encode(sealed, 'hex') FROM variable WHERE key = 'db_password' UNION ALL SELECT encode(sealed, 'hex') FROM connection WHERE connection_id = 'kept'"
        before = system.sql(sealed)
        system.walk("real.mjs")
        assert before and system.sql(sealed) == before, "a form that was saved without touching the secret changed it"
        edited = system.sql("SELECT count(*) FROM (SELECT description FROM variable UNION ALL SELECT description FROM connection) d WHERE description = 'edited'")
        assert str(edited).strip() == "2", edited


if __name__ == "__main__":
    main(a_person_at_the_browser)
