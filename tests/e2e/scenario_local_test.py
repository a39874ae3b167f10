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
  store:
    sql: {connection: warehouse, file: sql/stor.sql}
  count:
    python: {callable: "counts:main", path: [lib, library]}
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


MOCKED = """\
tasks:
  arrived: {wait_for: {file: /data/in/manifest.json}}
  extract: {depends_on: [arrived], sql: {connection: warehouse, statement: "select id from parts"}}
  load: {depends_on: [extract], retries: 2, retry_delay: 10ms, http: {url: "{{ conn.lake.host }}/load"}}
  check: {depends_on: [load], for_each: "{{ xcom.extract }}", exec: [/opt/etl/check, "{{ item }}"]}
  choose:
    depends_on: [check]
    trigger_rule: none_failed
    branch: {cases: [{when: "{{ xcom.load.rows > 5 }}", then: [publish]}], default: [alert]}
  publish: {depends_on: [choose], bash: "echo {{ xcom.load.rows }} rows, {{ xcom.check | tojson | sh }}"}
  alert: {depends_on: [choose], bash: "exit 1"}
"""

RESULTS = """\
arrived: {output: /data/in/manifest.json}
extract: {output: [17, 18]}
load:
  - {error: "ConnectionError: refused"}
  - {outcome: timed_out}
  - {output: {rows: 7}}
check: {output: good}
check[1]: {outcome: skipped}
"""


def headrace(folder, *words):
    env = {"PATH": os.environ["PATH"], "HEADRACE_HOME": f"{folder}/home"}
    return subprocess.run([BIN / "headrace", *words], env=env, capture_output=True, text=True, timeout=120)


def mistakes_are_shown_all_at_once_with_their_lines():
    """A missing upstream task, a missing operator, an unknown name, a wrong value and files that are not there are all reported, each
    with its line and what to write instead; nothing runs."""
    with tempfile.TemporaryDirectory(prefix="hr-") as folder:
        file = pathlib.Path(folder) / "bad.yaml"
        file.write_text(BAD)
        (pathlib.Path(folder) / "lib").mkdir()
        for words in (["dags", "check", file], ["dags", "test", file]):
            done = headrace(folder, *words)
            assert done.returncode == 1, done
            for place, word in {"4:27": "did you mean 'ds'", "6:18": "did you mean 'extract'", "8:3": "no operator",
                                "10:5": "'spark_submit'", "13:14": "'many'", "16:40": f"there is no {folder}/sql/stor.sql",
                                "18:51": f"there is no {folder}/library"}.items():
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


def results_are_made_up_by_task_and_try():
    """Tasks that need what a laptop does not have - a warehouse, a service, a file that comes - get their results from a file, one for
    each try; what decides between them decides as it would, and what has none is run. What happened is written down once and
    compared from then on: a difference is shown line by line and fails the test."""
    with tempfile.TemporaryDirectory(prefix="hr-") as folder:
        dag, mocks, history = (pathlib.Path(folder) / name for name in ("mocked.yaml", "mocks.yaml", "history.txt"))
        dag.write_text(MOCKED)
        mocks.write_text(RESULTS)
        done = headrace(folder, "dags", "test", dag, "--mocks", mocks, "--history", history)
        assert done.returncode == 0, done
        assert "load: up_for_retry: ConnectionError: refused; try 2 of 3" in done.stdout, done.stdout
        assert 'publish | 7 rows, ["good",null]' in done.stdout, done.stdout
        assert history.read_text().split("\n") == [
            "arrived: success", "extract: success", "load: up_for_retry", "load: up_for_retry", "load: success",
            "check[0]: success", "check[1]: skipped", "choose: success", "alert: skipped", "publish: success", "mocked: success",
            ""], history.read_text()
        assert headrace(folder, "dags", "test", dag, "--mocks", mocks, "--expect", history).returncode == 0
        mocks.write_text(RESULTS.replace("rows: 7", "rows: 3"))
        done = headrace(folder, "dags", "test", dag, "--mocks", mocks, "--expect", history)
        assert done.returncode == 1, done
        for line in ("  load: success", "- alert: skipped", "+ publish: skipped", "- mocked: success", "+ mocked: failed"):
            assert line in done.stderr.splitlines(), (line, done.stderr)
        assert "differ from" in done.stderr.splitlines()[-1], done.stderr
        headrace(folder, "dags", "test", dag, "--mocks", mocks, "--history", history)
        assert headrace(folder, "dags", "test", dag, "--mocks", mocks, "--expect", history).returncode == 0, "it fails as it should"
        done = headrace(folder, "dags", "test", dag, "--mocks", mocks, "--expect", f"{folder}/none")
        assert done.returncode == 1 and "none" in done.stderr and "arrived" not in done.stdout, done


def a_made_up_result_for_what_is_not_there_is_named():
    """A result for a task that the DAG does not have, for one that decides by itself, or one that cannot be read: all are said with
    their lines, and nothing runs. An instance of a mapped task that was forgotten fails by that name."""
    with tempfile.TemporaryDirectory(prefix="hr-") as folder:
        dag, mocks = pathlib.Path(folder) / "mocked.yaml", pathlib.Path(folder) / "mocks.yaml"
        dag.write_text(MOCKED)
        mocks.write_text("extrakt: {output: 1}\nchoose: {output: x}\nload:\n  - {outptu: 1}\n  - {outcome: vanished}\n  - 7\n"
                         "publish[1]: {output: 1}\ncheck: []\n")
        done = headrace(folder, "dags", "test", dag, "--mocks", mocks)
        assert done.returncode == 1 and done.stdout == "", done
        for place, words in {"1:1": "Did you mean 'extract'?", "2:1": "decides and runs nothing", "4:6": "a result has no 'outptu'",
                             "5:15": "outcome takes success", "6:5": "not a whole number", "7:1": "no instance of publish",
                             "8:8": "at least one"}.items():
            line = next((line for line in done.stderr.splitlines() if line.startswith(f"{mocks}:{place}:")), "")
            assert words in line, (place, done.stderr)
        mocks.write_text(RESULTS.replace("check: {output: good}\n", ""))
        done = headrace(folder, "dags", "test", dag, "--mocks", mocks)
        assert "check[0]: failed: NoMock:" in done.stdout and "check[1]: skipped" in done.stdout and done.returncode == 1, done.stdout


if __name__ == "__main__":
    main(mistakes_are_shown_all_at_once_with_their_lines, a_run_on_a_laptop_decides_as_the_cluster_would,
         results_are_made_up_by_task_and_try, a_made_up_result_for_what_is_not_there_is_named)
