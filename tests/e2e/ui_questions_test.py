#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What somebody new asks of the web UI on a running system is answered within three clicks."""
from headrace import main
from ui_world import UiWorld


def twelve_questions_are_answered_within_three_clicks():
    with UiWorld(dags=("gated", "breaks", "daily")) as system:
        system.walk("questions.mjs")


if __name__ == "__main__":
    main(twelve_questions_are_answered_within_three_clicks)
