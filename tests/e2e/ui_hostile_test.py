#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile text in every field of the database, looked at on every page of the web UI: it stays text."""
import json
import os

from api_world import ApiWorld
from headrace import main
from hostile import HOSTILE, fill, name_of
from ui_build import ROOT, ui_build
from ui_world import walk


def text_that_wants_to_be_a_script_stays_text_in_every_field():
    ui_build()
    with ApiWorld(settings={"api__ui_folder": os.path.join(ROOT, "ui/dist"), "autoscale_default__max": 4}, leader=False) as world:
        fill(world)
        world.ok("POST", "/api/headrace/v1/users", {"username": "eye", "password": "eye-password-of-mine", "role": "Admin"}, status=201)
        walk("hostile.mjs", world.port, "eye", "eye-password-of-mine", HEADRACE_HOSTILE=json.dumps([[name_of(text), text] for text in HOSTILE.values()]))


if __name__ == "__main__":
    main(text_that_wants_to_be_a_script_stays_text_in_every_field)
