# SPDX-License-Identifier: Apache-2.0
"""Writes tests/oracle/trigger_rule_table.txt: what Airflow's own TriggerRuleDep says of every trigger rule and every combination of
states of up to three upstream tasks, mapped and not. Run it when a newer Airflow is to be followed:

    python3 tests/oracle/trigger_rule_table.py

Airflow comes from PyPI into a virtual environment below build/; the test that reads the table needs neither. A task is asked as
Airflow's scheduler asks it (flag_upstream_failed); the database behind it is stood in for by the rows that the question is about.
"""
import itertools
import os
import pathlib
import subprocess
import sys
import types

HERE = pathlib.Path(__file__).resolve().parent
VENV = HERE.parents[1] / "build" / "airflow-venv"
HOME = HERE.parents[1] / "build" / "airflow-home"
TABLE = HERE / "trigger_rule_table.txt"
RULES = ["all_success", "all_failed", "all_done", "all_done_min_one_success", "all_skipped", "one_success", "one_failed",
         "one_done", "none_failed", "none_failed_min_one_success", "none_skipped", "always"]
STATES = {"s": "success", "f": "failed", "u": "upstream_failed", "k": "skipped", "-": None}
HEAD = """\
# What Airflow {version} says of a task: R it runs, S it is skipped, U it is upstream_failed, W it waits.
# Written by tests/oracle/trigger_rule_table.py; read by tests/oracle/trigger_rule_test.c.
#
# Upstream tasks: s success, f failed, u upstream_failed, k skipped, - not ended; a mapped one has its instances in brackets.
# The letters behind stand for the rules, in this order:
# {rules}
# Behind "teardown" the setups stand first, up to the colon; there is one letter. Behind "scope" they stand first too: setups
# further up, in whose scope the task lies.
"""


def in_the_venv():
    """Goes on in the virtual environment, which is made when there is none."""
    python = VENV / "bin" / "python"
    if pathlib.Path(sys.prefix) == VENV:
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-r", HERE / "airflow.txt"], check=True)
    HOME.mkdir(exist_ok=True)
    environment = {**os.environ, "AIRFLOW_HOME": str(HOME), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONWARNINGS": "ignore"}
    os.execve(python, [str(python), __file__], environment)


class Rows:
    """Answers the one question that goes to the database: how many instances each upstream task has."""

    def __init__(self, upstreams):
        self.counts = [(f"up{number}", len(states)) for number, states in enumerate(upstreams)]

    def execute(self, _):
        return self.counts


class Instance:
    """The task that is asked about."""
    dag_id, run_id, map_index = "dag", "run", -1

    def __init__(self, task):
        self.task, self.state = task, None

    def get_dagrun(self, session):
        return None

    def set_state(self, state, session):
        self.state = state
        return True


def is_mapped(upstream):
    return len(upstream) > 1


def dag_of(upstreams, rule=None, setups=0):
    """One task `down` behind the upstream tasks; without a rule it is the teardown of the first ones. With both, these are setups
    before the others, and torn down behind `down`."""
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization
    with DAG("dag", schedule=None) as dag:
        tasks = [BashOperator.partial(task_id=f"up{number}").expand(bash_command=list(upstream)) if is_mapped(upstream)
                 else BashOperator(task_id=f"up{number}", bash_command="true") for number, upstream in enumerate(upstreams)]
        down = BashOperator(task_id="down", bash_command="true", **({"trigger_rule": rule} if rule else {}))
        if rule is not None and setups > 0:
            tasks[:setups] >> tasks[setups] >> down
            down >> BashOperator(task_id="after", bash_command="true").as_teardown(setups=tasks[:setups])
        else:
            tasks >> down
        if rule is None:
            down.as_teardown(setups=tasks[:setups])
    return DagSerialization.deserialize(DagSerialization.serialize(dag))


def verdict(dag, upstreams):
    from airflow.ti_deps.dep_context import DepContext
    from airflow.ti_deps.deps.trigger_rule_dep import TriggerRuleDep
    ended = [types.SimpleNamespace(task_id=f"up{number}", task=dag.get_task(f"up{number}"), state=STATES[letter],
                                   map_index=index if is_mapped(upstream) else -1)
             for number, upstream in enumerate(upstreams) for index, letter in enumerate(upstream) if letter != "-"]
    instance = Instance(dag.get_task("down"))
    context = DepContext(flag_upstream_failed=True, finished_tis=ended)
    statuses = list(TriggerRuleDep()._get_dep_statuses(instance, context, session=Rows(upstreams)))
    if instance.state is not None:
        return {"skipped": "S", "upstream_failed": "U"}[instance.state]
    return "R" if all(status.passed for status in statuses) else "W"


def written(upstream):
    return f"[{upstream}]" if is_mapped(upstream) else upstream


def rule_lines():
    upstream_kinds = list(STATES) + ["".join(pair) for pair in itertools.combinations_with_replacement(STATES, 2)]
    dags = {}
    for count in range(1, 4):
        for upstreams in itertools.combinations_with_replacement(upstream_kinds, count):
            shape = tuple(is_mapped(upstream) for upstream in upstreams)
            if shape not in dags:
                dags[shape] = [dag_of(upstreams, rule) for rule in RULES]
            yield " ".join(map(written, upstreams)) + "  " + "".join(verdict(dag, upstreams) for dag in dags[shape])


def teardown_lines():
    for setups, works in itertools.product((1, 2), (0, 1)):
        dag = dag_of(["-"] * (setups + works), setups=setups)
        for upstreams in itertools.product(STATES, repeat=setups + works):
            yield (f"teardown {' '.join(upstreams[:setups])} : {' '.join(upstreams[setups:])}".rstrip() +
                   f"  {verdict(dag, upstreams)}")


def scope_lines():
    for setups in (1, 2):
        dags = [dag_of(["-"] * (setups + 1), rule, setups) for rule in RULES]
        for upstreams in itertools.product(STATES, repeat=setups + 1):
            yield (f"scope {' '.join(upstreams[:setups])} : {upstreams[setups]}  " + "".join(verdict(dag, upstreams) for dag in dags))


def main():
    in_the_venv()
    import airflow
    lines = [*rule_lines(), *teardown_lines(), *scope_lines()]
    TABLE.write_text(HEAD.format(version=airflow.__version__, rules=" ".join(RULES)) + "\n".join(lines) + "\n")
    print(f"{TABLE}: {len(lines)} lines")


if __name__ == "__main__":
    main()
