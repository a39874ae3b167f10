# SPDX-License-Identifier: Apache-2.0
"""What 100 000 waiting tasks cost a scheduler's core: bytes, and time of a processor for their looks."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
subprocess.run([ROOT / "build" / "release" / "bench" / "waiting"], check=True)
