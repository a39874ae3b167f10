#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages of accounts, grants, roles and tokens against the real programs: who was given something has that, and nothing else."""
from headrace import main
from ui_world import UiWorld


def what_was_granted_can_be_done_and_nothing_else():
    with UiWorld(dags=("gated", "breaks")) as system:
        system.walk("access.mjs")


if __name__ == "__main__":
    main(what_was_granted_can_be_done_and_nothing_else)
