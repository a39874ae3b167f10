# SPDX-License-Identifier: Apache-2.0
"""A DAG is tried out before it is deployed: on a laptop, with neither a server nor a database."""
import os
import pathlib
import subprocess
import tempfile

from headrace import BIN, main

BAD = """\
schedule: "0 2 * * *"
tasks:
  extract:
    bash: cat /data/in/{{ dss }}
  load:
    depends_on: [extrct]
    bash: 'true'
  spark:
    depends_on: [load]
    spark_submit: job.py
  tell:
    depends_on: [spark]
    retries: many
    bash: 'true'
"""

GOOD = """\
params: {day: {type: string, default: "2026-01-01"}}
tasks:
  list: {bash: "echo '[1, 2]'"}
  each: {depends_on: [list], for_each: "{{ xcom.list | fromjson }}", bash: "echo {{ params.day }} part {{ item }}"}
  unreachable: {depends_on: [each], sql: {connection: warehouse, statement: "select 1"}}
  no_file: {depends_on: [each], exec: [/opt/etl/no_such_script, "{{ params.day }}"]}
  tell: {depends_on: [unreachable, no_file], trigger_rule: all_done, bash: echo told}
"""


def headrace(folder, *words):
    env = {"PATH": os.environ["PATH"], "HEADRACE_HOME": f"{folder}/home"}
    return subprocess.run([BIN / "headrace", *words], env=env, capture_output=True, text=True, timeout=120)


def mistakes_are_shown_all_at_once_with_their_lines():
    """A missing upstream task, a missing operator, an unknown name and a wrong value are all reported, each with its line and what
    to write instead; nothing runs."""
    with tempfile.TemporaryDirectory(prefix="hr-") as folder:
        file = pathlib.Path(folder) / "bad.yaml"
        file.write_text(BAD)
        for words in (["dags", "check", file], ["dags", "test", file]):
            done = headrace(folder, *words)
            assert done.returncode == 1, done
            for place, word in {"4:27": "did you mean 'ds'", "6:18": "did you mean 'extract'", "8:3": "no operator",
                                "10:5": "'spark_submit'", "13:14": "'many'"}.items():
                line = next((line for line in done.stderr.splitlines() if line.startswith(f"{file}:{place}:")), "")
                assert word in line, (place, done.stderr)
            assert "extract |" not in done.stdout


def a_run_on_a_laptop_decides_as_the_cluster_would():
    """All of a run goes to its end with its parameters; an unknown connection and a missing program fail their tasks by name,
    and what has another trigger rule goes on. The exit code tells scripts how the run ended, and nothing is left behind."""
    with tempfile.TemporaryDirectory(prefix="hr-") as folder:
        file = pathlib.Path(folder) / "good.yaml"
        file.write_text(GOOD)
        done = headrace(folder, "dags", "test", file, "--conf", '{"day": "2026-02-03"}')
        assert "each[1] | 2026-02-03 part 2" in done.stdout, done.stdout
        assert "unreachable: failed: there is no connection warehouse" in done.stdout, done.stdout
        assert "no_file: failed: the command /opt/etl/no_such_script cannot be run: No such file" in done.stdout, done.stdout
        assert "tell | told" in done.stdout and done.returncode == 0, "its last task went well"
        file.write_text(GOOD.replace(", trigger_rule: all_done", ""))
        done = headrace(folder, "dags", "test", file)
        assert "tell: upstream_failed" in done.stdout and done.returncode == 1, done.stdout
        assert done.stdout.splitlines()[-1] == "good: failed"
        assert os.listdir(folder) in (["good.yaml"], ["good.yaml", "home"], ["home", "good.yaml"])


if __name__ == "__main__":
    main(mistakes_are_shown_all_at_once_with_their_lines, a_run_on_a_laptop_decides_as_the_cluster_would)
