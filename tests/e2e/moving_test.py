# SPDX-License-Identifier: Apache-2.0
"""The page for those who move: what it tells people to type is typed here, block by block, and does what it says."""
import pathlib
import re
import subprocess
import textwrap

from clients import environment_or_skip
from headrace import Standalone, main, wait_for

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs/api/moving.md").read_text()
README = (ROOT / "README.md").read_text()


def blocks(text, words):
    """The blocks that begin with ```words, dedented as they stand."""
    return re.findall(rf"^```{re.escape(words)}\n(.*?)^```$", text, re.M | re.S)


def hello():
    """The DAG of the README."""
    return next(block for block in blocks(README, "yaml") if "hello.yaml" in block)


def all_of_it_works():
    client = environment_or_skip("apache-airflow-client==3.3.2", "PyYAML==6.0.2", "jsonschema==4.23.0")
    airflowctl = environment_or_skip("apache-airflow-ctl==0.1.5")
    shell, ctl, python, action = (blocks(PAGE, words) for words in ("sh", "sh airflowctl", "python", "yaml"))
    assert len(shell) == 4 and len(ctl) == len(python) == len(action) == 1, "a block that nobody runs"
    step = textwrap.dedent(action[0].split("run: |\n")[1])
    with Standalone() as system:
        system.write_dag("hello.yaml", hello())
        system.wait_dag("hello")
        env = {**system.env, "URL": f"http://127.0.0.1:{system.web_port}", "PASSWORD": system.password(), "AIRFLOW_HOME": str(system.home / "ctl"),
               "HOME": str(system.home), "NO_COLOR": "1", "PATH": f"{system.bin}:{airflowctl.parent}:{system.env['PATH']}"}

        def run(what, *command):
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, f"{what}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            return done.stdout

        # One shell for all: later blocks use what earlier ones set.
        run("the blocks in sh", "bash", "-euo", "pipefail", "-c", "\n".join(shell))
        run("the block in Python", client, "-c", python[0])
        assert "hello" in run("the block of airflowctl", "bash", "-euo", "pipefail", "-c", ctl[0])
        system.sign_in()
        env["TOKEN"] = system.token
        run("the step of the action", "bash", "-euo", "pipefail", "-c", step)
        runs = lambda: system.request("GET", "/api/v2/dags/hello/dagRuns")["dag_runs"]
        wait_for(lambda: [row["state"] for row in runs()] == ["success"] * 4, "four runs, one of each way", 120)

        # A file that is not moved yet says where to read on.
        system.write_dag("old.py", "from airflow import DAG\nDAG('old')\n")
        error = wait_for(lambda: system.request("GET", "/api/v2/importErrors")["import_errors"], "the import error", 60)[0]
        assert error["filename"].endswith("old.py") and "docs/api/moving.md" in error["stack_trace"], error


if __name__ == "__main__":
    main(all_of_it_works)
