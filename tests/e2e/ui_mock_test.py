#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The web UI by itself: its unit tests, then a browser against its mock server."""
import os

from ui_build import ROOT, run, ui_build

if __name__ == "__main__":
    ui_build()
    run("unit tests", "npm", "test")
    run("browser tests", "node", os.path.join(ROOT, "tests", "e2e", "ui", "mock.mjs"), cwd=ROOT)
