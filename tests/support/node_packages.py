# SPDX-License-Identifier: Apache-2.0
"""Test peers from npm, each pinned and in a folder of its own below build/node, so that a second run is quick.

    folder = folder_or_skip("oidc-provider@8.8.1")      # node_modules is in it
"""
import fcntl
import pathlib
import shutil
import subprocess
import sys

from clients import SKIPPED

HOME = pathlib.Path(__file__).parents[2] / "build/node"


def folder_or_skip(package):
    """Made when it is not there yet, by whoever comes first."""
    folder = HOME / package.replace("@", "-").replace("/", "-")
    if shutil.which("npm") is None:
        print("skipped: there is no npm")
        sys.exit(SKIPPED)
    HOME.mkdir(parents=True, exist_ok=True)
    with open(HOME / f"{folder.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists() and not _make(folder, package):
            print("skipped: the registry of npm cannot be reached")
            sys.exit(SKIPPED)
    return folder


def _make(folder, package):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text("{}")  # or npm would look further up
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=3", package], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode == 0:
        (folder / "complete").touch()
        return True
    print(f"{package} cannot be installed:\n{done.stderr[-2000:]}")
    shutil.rmtree(folder, ignore_errors=True)
    return False
