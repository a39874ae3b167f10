# SPDX-License-Identifier: Apache-2.0
"""A cluster made as docs/operations/install.md says, from the files in deploy/: each host is a home of its own, and every
connection between them has keys."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from api_world import Postgres
from headrace import BIN, end_with_parent, free_ports, main, wait_for

DEPLOY = pathlib.Path(__file__).parents[2] / "deploy"
QUICK = ("--scheduler.lease_ttl=5s", "--scheduler.lease_renew=1s", "--scheduler.lease_margin=1s",
         "--core.dags_are_paused_at_creation=false")
CHAIN = """
schedule: null
max_active_tasks: 100
tasks:
  work:
    for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    bash: echo "piece {{ item }}"; sleep 4
  last:
    depends_on: [work]
    bash: echo done
"""


class Cluster:
    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hr-", dir="/tmp"))
        self.programs = {}
        self.postgres = None
        try:
            self.folder.chmod(0o755)
            (self.folder / "db").mkdir()
            self.postgres = Postgres(self.folder / "db")
            subprocess.run(["psql", "-qX", "-d", self.postgres.conninfo("postgres"), "-c", "CREATE DATABASE headrace"], check=True)
            self.ports = dict(zip(("scheduler-1", "scheduler-2", "web", "intake"), free_ports(4)))
            subprocess.run([BIN / "headrace", "db", "migrate", f"--database.conn={self.postgres.conninfo()}"], check=True,
                           stdout=subprocess.DEVNULL, env=self.environment(self.folder / "anywhere"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for program in self.programs.values():
            if program.poll() is None:
                program.kill()
            program.wait()
        self.end_wardens()
        if self.postgres is not None:
            self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def end_wardens(self):
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self.folder).encode() in words and b"headrace-warden" in words:
                os.kill(int(entry.name), signal.SIGKILL)

    def environment(self, home):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")}
        return {**kept, "HEADRACE_HOME": str(home)}

    def make_host(self, name, kind, **keys):
        """A home whose headrace.cfg is that of deploy/cluster with this machine's addresses in it."""
        home = self.folder / name
        home.mkdir()
        text = (DEPLOY / "cluster" / f"{kind}.cfg").read_text()
        for pattern, value in {r"host=db\S+ .*": self.postgres.conninfo(), r"host = \*": "host = 127.0.0.1", r"tls_\w+ = .*\n": "",
                               r"(scheduler-\d)\.example\.com:8790": lambda m: f"127.0.0.1:{self.ports[m[1]]}",
                               r"web-1\.example\.com:8793": f"127.0.0.1:{self.ports['intake']}",
                               "port = 8790": f"port = {self.ports.get(name)}\ncurve = true", "port = 8080": f"port = {self.ports['web']}",
                               "port = 8793": f"port = {self.ports['intake']}", "the-public-key-of-the-schedulers": keys.get("scheduler", ""),
                               "the-public-key-of-the-web-servers": keys.get("web", ""), "/var/lib/headrace": str(home)}.items():
            text = re.sub(pattern, value if callable(value) else str(value).replace("\\", r"\\"), text)
        (home / "headrace.cfg").write_text(text)
        return home

    def start(self, name, program, *flags, home=None):
        home = home or self.folder / name
        with open(self.folder / f"{name}.log", "ab") as log:
            self.programs[name] = subprocess.Popen([BIN / program, "--logging.format=json", *flags], env=self.environment(home), stdin=subprocess.DEVNULL,
                                                   stdout=log, stderr=log, preexec_fn=end_with_parent)

    def said(self, name):
        lines = (self.folder / f"{name}.log").read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def key_of(self, name):
        """What a program says at its start."""
        def found():
            assert self.programs[name].poll() is None, (self.folder / f"{name}.log").read_text()
            return next((line["public"] for line in self.said(name) if line["event"].endswith("_key")), None)
        return wait_for(found, f"the key of {name}", 60)

    def allow(self, home, key, remark):
        (home / "keys").mkdir(mode=0o700, exist_ok=True)
        with open(home / "keys/allowed", "a") as file:
            file.write(f"{key} {remark}\n")

    def cli(self, *words, check=True):
        done = subprocess.run([BIN / "headrace", *words, "--url", f"http://127.0.0.1:{self.ports['web']}"], env=self.environment(self.folder / "web"),
                              capture_output=True, text=True, timeout=240)
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def workers(self):
        return {w["name"] for w in json.loads(self.cli("workers", "list", "-o", "json", check=False) or "[]") if w["state"] == "present"}

    def build(self):
        """Two schedulers, a web server; as many steps as the page has."""
        first = self.make_host("scheduler-1", "scheduler")
        (first / "dags").mkdir()
        (first / "dags/chain.yaml").write_text(CHAIN)
        self.start("scheduler-1", "headrace-scheduler", *QUICK)
        self.scheduler_key = self.key_of("scheduler-1")
        wait_for((first / "secret.pub").exists, "the pair of keys of variables and connections", 60)
        second = self.make_host("scheduler-2", "scheduler")
        for name in ("keys", "dags"):
            shutil.copytree(first / name, second / name)
        shutil.copy(first / "secret.key", second / "secret.key")
        self.start("scheduler-2", "headrace-scheduler", *QUICK)
        web = self.make_host("web", "webserver", scheduler=self.scheduler_key)
        shutil.copy(first / "secret.pub", web / "secret.pub")
        self.start("web", "headrace-webserver")
        self.web_key = self.key_of("web")
        self.schedulers = (first, second)
        for home in self.schedulers:
            self.allow(home, self.web_key, "web-1")

    def add_worker(self, name, home=None, **more):
        if home is None:
            home = self.make_host(name, "worker", scheduler=self.scheduler_key, web=self.web_key)
        self.start(name, "headrace-worker", f"--name={name}", f"--spool={self.folder / name}-spool", home=home, **more)
        return home

    def let_in(self, name):
        key = self.key_of(name)
        for home in (*self.schedulers, self.folder / "web"):
            self.allow(home, key, name)


def a_cluster_by_the_book_runs_its_dags_and_outlives_its_leader():
    with Cluster() as cluster:
        cluster.build()
        home = cluster.add_worker("worker-1")
        wait_for(lambda: "our key is not allowed there" in (cluster.folder / "worker-1.log").read_text(), "a worker that is refused and says why", 60)
        assert cluster.workers() == set(), "nobody gets in without a key that is allowed"
        cluster.let_in("worker-1")
        wait_for(lambda: cluster.workers() == {"worker-1"}, "the worker, without a restart of anything", 60)
        # A second one from the same image: the same key, a spool of its own.
        cluster.add_worker("worker-2", home=home)
        wait_for(lambda: cluster.workers() == {"worker-1", "worker-2"}, "both workers", 60)
        wait_for(lambda: "chain" in cluster.cli("dags", "list", check=False), "the DAG", 60)
        run = cluster.cli("dags", "trigger", "chain").strip()
        wait_for(lambda: "running" in cluster.cli("tasks", "states-for-dag-run", "chain", run), "tasks that run", 60)
        cluster.programs["scheduler-1"].kill()
        wait_for(lambda: cluster.cli("dags", "state", "chain", run).strip() == "success", "the end of the run under the other scheduler", 120)
        states = json.loads(cluster.cli("tasks", "states-for-dag-run", "chain", run, "-o", "json"))
        assert len(states) == 13 and all(row["state"] == "success" for row in states), states
        assert "piece 7" in cluster.cli("tasks", "logs", "chain", run, "work", "--map-index", "6"), "its log is with the web server"


def the_units_start_what_is_installed():
    with tempfile.TemporaryDirectory() as folder:
        units = []
        for unit in sorted((DEPLOY / "systemd").glob("*.service")):
            text = unit.read_text()
            program = re.search(r"^ExecStart=/usr/local/bin/(\S+)", text, re.M)[1]
            assert (BIN / program).exists(), f"{unit.name} starts {program}"
            units.append(pathlib.Path(folder) / unit.name)
            units[-1].write_text(text.replace("/usr/local/bin/", f"{BIN}/"))
        checked = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=120)
        mistakes = [line for line in checked.stderr.splitlines() if folder in line or ".service" in line.split(":")[0]]
        assert units and checked.returncode == 0 and not mistakes, checked.stderr


if __name__ == "__main__":
    main(a_cluster_by_the_book_runs_its_dags_and_outlives_its_leader, the_units_start_what_is_installed)
