# SPDX-License-Identifier: Apache-2.0
"""Builds the web UI where its sources are newer than what is built."""
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


def newest(*folders):
    return max((os.path.getmtime(os.path.join(d, f)) for folder in folders for d, _, files in os.walk(folder) for f in files), default=0)


def ui_build():
    for tool in ("node", "npm", "chromium"):
        if shutil.which(tool) is None:
            sys.exit(f"ui: {tool} is missing. Install it with: apt-get install nodejs npm chromium")
    marker = os.path.join(UI, "node_modules", ".package-lock.json")
    if not os.path.exists(marker) or os.path.getmtime(marker) < os.path.getmtime(os.path.join(UI, "package-lock.json")):
        run("fetch what it is built from", "npm", "ci", "--no-audit", "--no-fund")
    index = os.path.join(UI, "dist", "index.html")
    if not os.path.exists(index) or os.path.getmtime(index) < newest(os.path.join(UI, "src"), os.path.join(UI, "public"), os.path.join(UI, "tools")):
        run("build", "npm", "run", "build")
