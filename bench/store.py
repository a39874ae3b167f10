# SPDX-License-Identifier: Apache-2.0
"""What the leader's writes cost: store_apply alone, by size of the batch and number of partitions. Once on a PostgreSQL in memory
(what is computed), once on the disk, all durable (what an installation sees), each beside the commit of `limits` on the same
PostgreSQL: one row updated, one inserted."""
import json
import os
import pathlib
import pwd
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import measure

SECONDS = 4
COMPUTED = [(9, 1), (9, 64), (9, 512), (40, 1), (40, 8), (40, 64), (40, 512), (100, 1), (100, 64), (100, 512)]
DURABLE = [(40, 1), (40, 64), (40, 512)]


class Cluster:
    """A PostgreSQL of our own with the settings of an installation."""

    def __init__(self, where):
        self.where = where

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="hr-bench-", dir=self.where)
        self.bin = pathlib.Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.run("initdb", "-D", f"{self.folder}/data", "-U", "headrace", "--auth=trust", "--no-sync")
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o",
                 f"-c listen_addresses= -c unix_socket_directories={self.folder} -c shared_buffers=512MB -c max_wal_size=8GB"
                 " -c checkpoint_timeout=30min -c wal_compression=lz4", "start")
        return self

    def run(self, program, *words):
        as_user = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run([self.bin / program, *words], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **as_user)

    def database(self, name):
        self.run("createdb", "-h", self.folder, "-U", "headrace", name)
        return f"host={self.folder} user=headrace dbname={name}"

    def __exit__(self, kind, value, trace):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")
        subprocess.run(["rm", "-rf", self.folder], check=True)


def load(cluster, partitions, batch):
    conn = cluster.database(f"p{partitions}_b{batch}")
    done = subprocess.run([measure.BUILD / "bench/store_load", conn, str(partitions), str(batch), str(SECONDS)],
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def measure_cases(title, where, cases, rows, facts):
    with Cluster(where) as cluster:
        limits = subprocess.run([measure.BUILD / "bench/limits", cluster.database("limits"), measure.STAMP],
                                capture_output=True, text=True, check=True, timeout=300)
        commit = 1e6 / json.loads(limits.stdout)["commit"]["p50_us"]
        rows.append((f"{title}: commits one after the other", commit, "1/s", None))
        for partitions, batch in cases:
            name = f"{title}, {partitions} partitions, batches of {batch}"
            facts[name] = found = load(cluster, partitions, batch)
            rows.append((name, found["attempts_per_s"], "attempts/s", found["attempts_per_s"] / commit))
    return found


def main():
    rows, facts = [], {}
    found = measure_cases("in memory", "/dev/shm", COMPUTED, rows, facts)
    measure_cases("on disk", None, DURABLE, rows, facts)
    rows += [("WAL per attempt, batches of 512", found["wal_bytes_per_attempt"], "B", None),
             ("table and index per attempt", found["disk_bytes_per_attempt"], "B", None),
             ("HOT share of the updates", 100 * found["hot_share"], "%", None),
             ("CPU of the leader per attempt", found["cpu_us_per_attempt"], "us", None)]
    measure.report("store", rows, cases=facts)


if __name__ == "__main__":
    main()
