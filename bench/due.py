# SPDX-License-Identifier: Apache-2.0
"""10 000 DAGs due in the same second: how long from that second until all of them are run rows, and until the first task starts,
beside the same rows written by bare statements in the same database. Some bursts, far enough apart to end; the median counts.
`./dev bench due quick` has a thousand DAGs."""
import datetime
import pathlib
import re
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import measure
from headrace import Standalone, wait_for

DAGS = 1000 if "quick" in sys.argv[1:] else 10000
DOCUMENTS_A_FILE = 2000
BURSTS, APART_S, LOADING_S = 3, DAGS // 100 + 20, 45
LOOK_S = 0.002

# What a burst writes about runs, with nobody deciding: the rows alone, and all that goes with them.
FLOORS = {
    "rows": """
INSERT INTO due.run (run_no, dag_no, version_no, run_type, run_id, run_after, queued_at, state, updated_at)
SELECT n, n, n, 1, 'scheduled__' || n, now(), now(), 1, now() FROM generate_series(1, {count}) n""",
    "all": """
INSERT INTO due.run (run_no, dag_no, version_no, run_type, run_id, run_after, queued_at, state, updated_at)
SELECT n, n, n, 1, 'scheduled__' || n, now(), now(), 1, now() FROM generate_series(1, {count}) n;
INSERT INTO due.run_key SELECT n, 'scheduled__' || n, n FROM generate_series(1, {count}) n;
INSERT INTO due.live_run SELECT 0, n FROM generate_series(1, {count}) n;
UPDATE due.dag SET last_fire_at = now(), next_fire_at = now()""",
}
TABLES = ("run", "run_key", "live_run", "dag")


def write_dags(system, path, times):
    at = ", ".join(datetime.datetime.fromtimestamp(time, datetime.timezone.utc).isoformat() for time in times)
    for first in range(0, DAGS, DOCUMENTS_A_FILE):
        system.write_dag(f"due_{first}.yaml", "---\n".join(
            f'dag_id: due_{first + i}\nschedule: {{at: [{at}]}}\ntasks: {{a: {{exec: ["{measure.STAMP}", "{path}"]}}}}\n'
            for i in range(min(DOCUMENTS_A_FILE, DAGS - first))))
    wait_for(lambda: int(system.sql("SELECT count(*) FROM dag WHERE next_fire_at IS NOT NULL")) == DAGS, f"{DAGS} DAGs", 600, 0.2)
    assert time.time() < times[0] - 5, "loading took too long: nothing is measured"


class Looks:
    """Looks at the highest run number every few milliseconds, in one session: (unix seconds, number)."""

    def __init__(self, system, file):
        conn = system.cli("config", "get-value", "database", "conn").stdout.strip()
        self.file = file
        query = "SELECT extract(epoch FROM clock_timestamp()), coalesce(max(run_no), 0) FROM run"
        self.process = subprocess.Popen(["psql", "-X", "-A", "-t", "-d", conn, "-o", file], stdin=subprocess.PIPE, text=True)
        self.process.stdin.write(f"{query} \\watch {LOOK_S}\n")
        self.process.stdin.flush()

    def end(self):
        self.process.terminate()
        self.process.wait()
        found = re.findall(r"^([0-9.]+)\|([0-9]+)$", self.file.read_text(), re.M)
        return [(float(at), int(number)) for at, number in found]


def burst(system, path, due):
    """Seconds from `due` to the first row, to the last one and to the first start."""
    wait_for(lambda: time.time() > due - 2, "the time to look", APART_S + LOADING_S)
    boot_minus_unix = time.clock_gettime(time.CLOCK_BOOTTIME) - time.time()
    base = int(system.sql("SELECT coalesce(max(run_no), 0) FROM run"))
    path.unlink(missing_ok=True)
    looks = Looks(system, system.home / "looks")
    wait_for(lambda: int(system.sql(f"SELECT count(*) FROM run WHERE run_no > {base}")) == DAGS, "a run of each DAG", 60, 1)
    seen = looks.end()
    wait_for(lambda: system.sql("SELECT count(*) FROM live_run") == "0", "the end of all runs", APART_S, 0.5)
    assert time.time() < due + APART_S - 3, "the tasks took too long: the next burst would meet them"
    first_row = next(at for at, number in seen if number > base)
    newest = max(number for _, number in seen)
    last_row = next(at for at, number in seen if number == newest)
    start = min(struct.iter_unpack("=qq", path.read_bytes()))[0] / 1e9 - boot_minus_unix
    return first_row - due, last_row - due, start - due


def floor_seconds(system, name):
    system.sql("CREATE SCHEMA due; " + "; ".join(f"CREATE TABLE due.{table} (LIKE {table} INCLUDING ALL)" for table in TABLES) +
               "; INSERT INTO due.dag SELECT * FROM dag")
    began = time.monotonic()
    system.sql("SELECT 1")
    nothing = time.monotonic() - began
    began = time.monotonic()
    system.sql(FLOORS[name].format(count=DAGS))
    taken = time.monotonic() - began - nothing
    system.sql("DROP SCHEMA due CASCADE")
    return taken


def main():
    with Standalone({"autoscale.default.slots": 16}) as system:
        system.home.chmod(0o755)
        path = system.home / "stamps"
        begin = int(time.time()) + LOADING_S
        times = [begin + number * APART_S for number in range(BURSTS)]
        write_dags(system, path, times)
        bursts = []
        for due in times:
            bursts.append(burst(system, path, due))
            print("  first row {:.3f} s, last row {:.3f} s, first start {:.3f} s after the second".format(*bursts[-1]), flush=True)
        floors = {name: min(floor_seconds(system, name) for _ in range(3)) for name in FLOORS}
    first_row, last_row, start = (measure.percentile(values, .5) for values in zip(*bursts))
    measure.report("due", [
        (f"{DAGS} DAGs are run rows after", last_row, "s", last_row / floors["all"]),
        ("first row after", first_row, "s", None),
        ("first start after", start, "s", None),
        (f"floor: {DAGS} run rows by one bare INSERT", floors["rows"], "s", None),
        ("floor: and their keys, the live ones, the DAGs' last fire", floors["all"], "s", None),
    ], dags=DAGS, bursts=[dict(zip(("first_row_s", "last_row_s", "first_start_s"), values)) for values in bursts])


if __name__ == "__main__":
    main()
