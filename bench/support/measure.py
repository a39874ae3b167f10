# SPDX-License-Identifier: Apache-2.0
"""What the benches share: the machine's limits measured in the same run, a table on the terminal, a JSON file in results/."""
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
BUILD = pathlib.Path(os.environ.get("HEADRACE_BIN_DIR", ROOT / "build/release/bin")).parent
RESULTS = ROOT / "bench/results"
STAMP = BUILD / "bench/stamp"


def limits(system):
    """One commit, one message there and back, one process: p50 and p99 in microseconds; spawns per second."""
    conn = system.cli("config", "get-value", "database", "conn").stdout.strip()
    done = subprocess.run([BUILD / "bench/limits", conn, STAMP], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def pss_megabytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def report(name, rows, **facts):
    """rows: (what, value, unit, ratio or None)."""
    width = max(len(row[0]) for row in rows)
    for what, value, unit, ratio in rows:
        beside = "" if ratio is None else f"   {ratio:5.2f} x"
        print(f"  {what:{width}}  {value:10.2f} {unit}{beside}")
    RESULTS.mkdir(exist_ok=True)
    content = {"bench": name, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cores": os.cpu_count(),
               "rows": [dict(zip(("what", "value", "unit", "ratio"), row)) for row in rows], **facts}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
