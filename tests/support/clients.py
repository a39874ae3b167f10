# SPDX-License-Identifier: Apache-2.0
"""Airflow's clients from PyPI, each pinned and in a virtual environment of its own below build/clients, so that a second run is quick.

    python = environment("apache-airflow-client==3.3.2")      # None: PyPI cannot be reached
"""
import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys

HOME = pathlib.Path(__file__).parents[2] / "build/clients"
SKIPPED = 77  # what ctest is told to take as "skipped" (cmake/tests.cmake)


def environment(*requirements):
    """The python of an environment with `requirements`; made when it is not there yet, by whoever comes first."""
    name = requirements[0].replace("==", "-") + "-" + hashlib.sha256(" ".join(requirements).encode()).hexdigest()[:6]
    folder = HOME / name
    HOME.mkdir(parents=True, exist_ok=True)
    with open(HOME / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists() and not _make(folder, requirements):
            return None
    return folder / "bin/python"


def _make(folder, requirements):
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for _ in range(3):
        done = subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "3",
                               "--timeout", "30", *requirements], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode == 0:
            (folder / "complete").touch()
            return True
    print(f"{' '.join(requirements)} cannot be installed:\n{done.stderr[-2000:]}")
    shutil.rmtree(folder, ignore_errors=True)
    return False


def environment_or_skip(*requirements):
    python = environment(*requirements)
    if python is None:
        print("skipped: PyPI cannot be reached")
        sys.exit(SKIPPED)
    return python
