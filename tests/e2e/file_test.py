# SPDX-License-Identifier: Apache-2.0
"""Files that start runs, seen from outside: each content once, also when the scheduler is killed."""
import os
import signal

from headrace import Standalone, main, wait_for

DAG = """
schedule: {files: {path: "%s/in/*.json", settle: 300ms}}
tasks:
  read: {bash: 'cat {{ conf.path | sh }}'}
"""


def runs(system):
    return system.patiently(lambda: system.request("GET", "/api/v2/dags/arrivals/dagRuns?order_by=id"), "the runs")["dag_runs"]


def names(system):
    return [os.path.basename(run["conf"]["path"]) for run in runs(system)]


def put(system, name, text):
    (system.home / "in" / name).write_text(text)


def each_content_starts_one_run():
    with Standalone() as system:
        (system.home / "in").mkdir()
        put(system, "a.json", "first")
        put(system, "a.txt", "does not match")
        system.write_dag("arrivals.yaml", DAG % system.home)
        system.wait_dag("arrivals")
        wait_for(lambda: names(system) == ["a.json"], "the run of the first file", 60)
        conf = runs(system)[0]["conf"]
        assert conf["size"] == 5 and conf["mtime"].startswith("20"), conf
        run = runs(system)[0]["dag_run_id"]
        assert system.wait_run("arrivals", run)["state"] == "success"
        assert "first" in system.log("arrivals", run, "read")
        put(system, "copy.json", "first")
        put(system, "b.json", "second")
        wait_for(lambda: "b.json" in names(system), "the run of the second file", 60)
        os.kill(system.pids_of("headrace-scheduler")[0], signal.SIGKILL)
        put(system, "c.json", "third")
        wait_for(lambda: "c.json" in names(system), "the run of the third file", 60)
        assert names(system) == ["a.json", "b.json", "c.json"], names(system)
        put(system, "a.json", "changed")
        wait_for(lambda: len(names(system)) == 4, "the run of the changed file", 60)
        assert names(system)[3] == "a.json"


main(each_content_starts_one_run)
