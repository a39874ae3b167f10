# SPDX-License-Identifier: Apache-2.0
"""The system that a client is shown around in: its DAGs, their runs at an end, a broken file, and the words a client needs to get in."""
import json

from headrace import Standalone, wait_for

DAGS = {
    "tour.yaml": """
description: Shown to clients
owner: ada
tags: [tour, shown]
schedule: "0 6 * * *"
catchup: false
params: {region: {type: string, default: eu, description: where}}
defaults: {retries: 1, retry_delay: 100ms}
tasks:
  list_parts: {bash: "echo listing; echo '[\\"a\\", \\"b\\", \\"c\\"]'"}
  each: {depends_on: [list_parts], for_each: "{{ xcom.list_parts | fromjson }}", bash: "echo part {{ item | sh }}"}
  last: {depends_on: [each], bash: "echo done"}
""",
    "failing.yaml": "tasks: {bad: {bash: 'echo oh; exit 3', retries: 1, retry_delay: 100ms}, after: {depends_on: [bad], bash: 'true'}}\n",
    "slow.yaml": "tasks: {sleep: {bash: 'sleep 60'}}\n",
    "spare.yaml": "tags: [spare]\ntasks: {only: {bash: 'true'}}\n",
    "doomed.yaml": "tasks: {only: {bash: 'true'}}\n",
    "daily.yaml": """
schedule: "0 0 * * *"
start_date: 2099-01-01
tasks: {load: {bash: 'sleep {{ conf.takes | default(0) }}'}}
""",
    "caller.yaml": "tasks: {call: {trigger_dag: {dag_id: called}}}\n",
    "called.yaml": "tasks: {only: {bash: 'true'}}\n",
    "maker.yaml": "tasks: {extract: {bash: 'true', outlets: [orders]}}\n",
    "taker.yaml": "schedule: {assets: [orders, customers]}\ntasks: {report: {bash: 'true', inlets: [orders]}}\n",
    "broken.yaml": "tasks: {a: {bsh: 'true'}}\n",
}


class TourWorld(Standalone):
    """A Standalone with the runs of the tour; `card` is what a tour gets as its argument."""

    def __enter__(self):
        super().__enter__()
        try:
            for name, text in DAGS.items():
                self.write_dag(name, text)
            for dag in (name.removesuffix(".yaml") for name in DAGS if name != "broken.yaml"):
                self.wait_dag(dag)
            wait_for(lambda: self.request("GET", "/api/v2/importErrors")["total_entries"], "the import error")
            self.trigger("tour", {"region": "us"}, "shown")
            self.trigger("failing", run_id="failed")
            self.trigger("spare", run_id="spare_1")
            self.trigger("caller", run_id="calls")
            states = [self.wait_run(dag, run)["state"] for dag, run in (("tour", "shown"), ("failing", "failed"), ("spare", "spare_1"), ("caller", "calls"))]
            assert states == ["success", "failed", "success", "success"], states
        except BaseException as problem:
            self.__exit__(type(problem), problem, None)
            raise
        return self

    def card(self):
        return json.dumps({"url": f"http://127.0.0.1:{self.web_port}", "username": "admin", "password": self.password()})
