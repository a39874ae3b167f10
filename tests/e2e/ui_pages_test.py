#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every page of the web UI on real data: none is left out, each answers, and axe finds nothing on it."""
from headrace import main
from ui_world import UiWorld


def every_page_answers_and_can_be_read_by_everyone():
    with UiWorld(dags=("gated", "breaks", "tells", "daily", "follows")) as system:
        system.write_broken()
        system.walk("pages.mjs")


if __name__ == "__main__":
    main(every_page_answers_and_can_be_read_by_everyone)
