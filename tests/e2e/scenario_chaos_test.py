# SPDX-License-Identifier: Apache-2.0
"""Scenarios once undisturbed, and again while the scheduler, a worker or the database is killed in the middle of them: what comes
out is the same, and nobody is told twice."""
import os
import signal

from headrace import Standalone, main, wait_for
from scenario import Service, check, connect_store, output, time_of, tries
from scenario_chain_test import deliver, loaded, put, write_chain

# Short leases: what was lost is taken up again within seconds instead of minutes.
SETTINGS = {"scheduler.lease_ttl": "4s", "scheduler.lease_renew": "1s", "scheduler.lease_margin": "1s", "scheduler.credit_ttl": "5s",
            "scheduler.attempt_lease": "20s", "worker.inventory_interval": "500ms", "autoscale.default.slots": 32}
KINDS = [None, "headrace-scheduler", "headrace-worker", "postgres"]
BACKOFF = [1, 1.5, 2.25]

service = Service()

GATE = "until [ -e {folder}/go ]; do sleep 0.1; done"

DAGS = {
    "manifest": """
schedule: {{files: {{path: "{folder}/delivered/manifest*.json", settle: 200ms}}}}
tasks:
  read: {{bash: 'cat {{{{ conf.path }}}}'}}
  part: {{depends_on: [read], for_each: "{{{{ (xcom.read | fromjson).files }}}}", bash: '""" + GATE + """; wc -l < {folder}/delivered/{{{{ item }}}}'}}
  merge: {{depends_on: [part], bash: 'cd {folder}/delivered; cat {{{{ (xcom.read | fromjson).files | sh }}}} | wc -l'}}
""",
    "backoff": """
tasks:
  fails: {{retries: 3, retry_delay: 1s, retry_exponential_backoff: 1.5, bash: 'exit 1'}}
  caught: {{depends_on: [fails], trigger_rule: one_failed, http: {{url: "{url}/caught", json: {{}}}}}}
""",
    "job": """
tasks:
  submit: {{bash: 'echo 17'}}
  over: {{depends_on: [submit], wait_for: {{http: {{url: "{url}/status", expect: [200]}}, poke_interval: 1s, timeout: 3m}}}}
  choose:
    depends_on: [over]
    branch: {{cases: [{{when: "{{{{ xcom.over.state == 'SUCCEEDED' }}}}", then: [use]}}], default: [give_up]}}
  use: {{depends_on: [choose], bash: 'echo job {{{{ xcom.submit }}}}'}}
  give_up: {{depends_on: [choose], bash: 'exit 1'}}
""",
    "parallel": """
on_success: [{{webhook: "{url}/over"}}]
tasks:
  aggregate: {{bash: '""" + GATE + """; echo 5'}}
  enrich: {{bash: '""" + GATE + """; exit 3'}}
  tell:
    depends_on: [aggregate, enrich]
    trigger_rule: all_done
    http: {{url: "{url}/told", json: {{aggregate: "{{{{ xcom.aggregate }}}}", enrich: "{{{{ xcom.enrich | default('failed') }}}}"}}}}
""",
}


class Round:
    """All of the scenarios under names of their own, in the middle of their runs."""

    def __init__(self, system, name):
        self.system, self.name, self.url = system, name, f"{service.url}/{name}"
        self.folder = system.home / f"round_{name}"
        for folder in (self.folder, self.folder / "delivered"):
            folder.mkdir()
        service.answers.update({f"/{name}/{path}": [200] for path in ("caught", "told", "over")})
        service.answers[f"/{name}/status"] = [lambda body: (200, {"state": "SUCCEEDED"}) if (self.folder / "go").exists() else (202, {})]
        write_chain(system, f"chain_{name}", self.folder)
        for dag, text in DAGS.items():
            system.write_dag(f"{dag}_{name}.yaml", f"dag_id: {dag}_{name}\n" + text.format(folder=self.folder, url=self.url))
        for dag in DAGS:
            system.wait_dag(f"{dag}_{name}")

    def begin(self):
        for number in (1, 2, 3):
            put(self.folder / "delivered" / f"p{number}.csv", "row\n" * number)
        put(self.folder / "delivered" / "manifest.json", {"files": ["p1.csv", "p2.csv", "p3.csv"]})
        self.runs = {dag: self.system.trigger(f"{dag}_{self.name}") for dag in DAGS if dag != "manifest"}
        for day in (1, 2, 3):
            deliver(self.folder, str(day), ["positive"] * day)
        self.runs["manifest"] = wait_for(self.manifest_run, "the run of the manifest", 60)
        wait_for(self.is_in_the_middle, "the middle of all runs", 60)

    def manifest_run(self):
        runs = self.system.request("GET", f"/api/v2/dags/manifest_{self.name}/dagRuns")["dag_runs"]
        return runs[0]["dag_run_id"] if runs else None

    def states(self, dag):
        return self.system.states(f"{dag}_{self.name}", self.runs[dag])

    def is_in_the_middle(self):
        return (self.states("manifest").get(("part", 2)) == "running" and self.states("job").get("over") == "deferred" and
                self.states("parallel").get("enrich") == "running" and self.states("backoff")["fails"] in ("up_for_retry", "failed") and
                loaded(self.system, f"chain_{self.name}") != "")

    def kill(self, kind):
        for pid in self.system.pids_of(kind)[:1]:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.system.pids_of(kind), f"{kind} again", 60)

    def waits(self):
        """Whether each wait before a retry was as long as it should be, also when the scheduler was away meanwhile."""
        rows = self.system.patiently(lambda: tries(self.system, f"backoff_{self.name}", self.runs["backoff"], "fails"), "the tries")
        rows = [row for row in rows if row["start_date"]]  # one that a kill met on its way to a worker never started
        lengths = [(time_of(after["start_date"]) - time_of(before["end_date"])).total_seconds() for before, after in zip(rows, rows[1:])]
        return [round(least, 3) for least, length in zip(BACKOFF, lengths) if least - .01 <= length < least + 60]

    def results(self):
        """What is to be the same whatever was killed."""
        (self.folder / "go").touch()
        ends = {dag: self.system.wait_run(f"{dag}_{self.name}", run, 180)["state"] for dag, run in self.runs.items()}
        wait_for(lambda: loaded(self.system, f"chain_{self.name}") == "1:1 2:2 3:3", "all three days", 120)
        wait_for(lambda: service.asked_for(f"/{self.name}/over"), "the end is told", 60)
        assert len(self.system.request("GET", f"/api/v2/dags/manifest_{self.name}/dagRuns")["dag_runs"]) == 1
        return {"ends": ends, "states": {dag: self.states(dag) for dag in DAGS}, "waits": self.waits(),
                "merged": output(self.system, f"manifest_{self.name}", self.runs["manifest"], "merge"),
                "parts": [output(self.system, f"manifest_{self.name}", self.runs["manifest"], "part", index) for index in range(3)],
                "job": output(self.system, f"job_{self.name}", self.runs["job"], "use"),
                "tries": len(tries(self.system, f"parallel_{self.name}", self.runs["parallel"], "enrich")),
                "caught": service.asked_for(f"/{self.name}/caught"), "told": service.asked_for(f"/{self.name}/told"),
                "over": len(service.asked_for(f"/{self.name}/over"))}


def what_is_killed_in_the_middle_changes_no_result():
    """A manifest, three days of chained pipelines, waits between retries, a job elsewhere, two jobs side by side with somebody who
    is told: each kill comes while all of them are on their way."""
    with Standalone(SETTINGS) as system:
        connect_store(system)
        expected = None
        for kind in KINDS:
            one = Round(system, (kind or "calm").replace("headrace-", ""))
            one.begin()
            if kind is not None:
                one.kill(kind)
            results = one.results()
            print(f"  {one.name}: {results}", flush=True)
            if expected is None:
                expected = results
                assert results["waits"] == BACKOFF and results["told"] == [{"aggregate": "5", "enrich": "failed"}], results
                assert (results["merged"], results["parts"], results["job"]) == ("6", ["1", "2", "3"], "job 17"), results
                assert results["over"] == len(results["caught"]) == 1, results
                check(results["ends"], manifest="success", backoff="success", job="success", parallel="success")
            assert results == expected, one.name


if __name__ == "__main__":
    main(what_is_killed_in_the_middle_changes_no_result)
