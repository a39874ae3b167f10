#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The web UI: builds it, runs its unit tests, then drives it in a browser against its mock server."""
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UI = os.path.join(ROOT, "ui")


def run(what, *command, cwd=UI):
    print(f"-- {what}", flush=True)
    code = subprocess.run(command, cwd=cwd).returncode
    if code != 0:
        sys.exit(f"ui: {what} failed ({code}): {' '.join(command)}")


def newest(folder):
    times = [os.path.getmtime(os.path.join(d, f)) for d, _, files in os.walk(folder) for f in files]
    return max(times, default=0)


def main():
    for tool in ("node", "npm", "chromium"):
        if shutil.which(tool) is None:
            sys.exit(f"ui: {tool} is missing. Install it with: apt-get install nodejs npm chromium")
    lock = os.path.join(UI, "package-lock.json")
    marker = os.path.join(UI, "node_modules", ".package-lock.json")
    if not os.path.exists(marker) or os.path.getmtime(marker) < os.path.getmtime(lock):
        run("fetch what it is built from", "npm", "ci", "--no-audit", "--no-fund")
    index = os.path.join(UI, "dist", "index.html")
    if not os.path.exists(index) or os.path.getmtime(index) < max(newest(os.path.join(UI, "src")), newest(os.path.join(UI, "public"))):
        run("build", "npm", "run", "build")
    run("unit tests", "npm", "test")
    run("browser tests", "node", os.path.join(ROOT, "tests", "e2e", "ui", "mock.mjs"), cwd=ROOT)


if __name__ == "__main__":
    main()
