#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The web UI against the real programs: whatever a person can do there is done, and the server says that it is so."""
from headrace import main
from ui_world import UiWorld


def every_action_on_dags_runs_and_tasks_does_what_it_says():
    with UiWorld(dags=("gated", "breaks")) as system:
        system.walk("actions.mjs")


def every_action_on_what_stands_beside_them_does_what_it_says():
    with UiWorld(dags=("gated", "breaks", "tells", "follows")) as system:
        system.walk("rooms.mjs")


if __name__ == "__main__":
    main(every_action_on_dags_runs_and_tasks_does_what_it_says, every_action_on_what_stands_beside_them_does_what_it_says)
