#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The web UI beside a system that works: it stands still under the pointer, keeps its size, and survives the loss of its server."""
from headrace import main
from ui_world import UiWorld


def the_pages_are_steady_while_the_system_works():
    with UiWorld(dags=("gated", "breaks", "busy")) as system:
        system.walk("steady.mjs")


if __name__ == "__main__":
    main(the_pages_are_steady_while_the_system_works)
