# SPDX-License-Identifier: Apache-2.0
"""What 100 000 waiting tasks cost a scheduler's core: bytes, and time of a processor for their looks."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import measure

said = subprocess.run([measure.BUILD / "bench/waiting"], check=True, capture_output=True, text=True).stdout
tasks, size, looks, look_us, share = (float(number) for number in re.findall(r"[0-9.]+", said.replace("of one while", ""))[:5])
measure.report("waiting", [
    ("bytes of a waiting task", size, "B", None),
    ("time of a processor for a look", look_us, "us", None),
    ("all of them, looked for once a minute, of one processor", share, "%", None),
], tasks=int(tasks), looks=int(looks))
