# SPDX-License-Identifier: Apache-2.0
"""`headrace dags test FILE`: one run to its end, with the decisions of a cluster, and neither server nor database."""
import glob
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

PROGRAM = pathlib.Path(os.environ["HEADRACE_BIN_DIR"]) / "headrace"
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


class DagsTestTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hr-cli-")
        self.env = {"PATH": os.environ["PATH"], "HEADRACE_HOME": self.folder.name + "/home"}

    def tearDown(self):
        self.folder.cleanup()

    def write(self, text, name="etl.yaml"):
        path = pathlib.Path(self.folder.name) / name
        path.write_text(text)
        return str(path)

    def run_dag(self, text, *options, env=None):
        return subprocess.run([PROGRAM, "dags", "test", self.write(text), *options], env={**self.env, **(env or {})},
                              capture_output=True, text=True, timeout=120)

    def test_a_run_goes_to_its_end_with_all_that_it_printed(self):
        done = self.run_dag("""
params: {name: {type: string, default: world}}
tasks:
  list: {bash: "echo '[1, 2]'"}
  each: {depends_on: [list], for_each: "{{ xcom.list | fromjson }}", bash: "echo {{ params.name }} {{ item }}"}
  sum: {depends_on: [each], python: {callable: "builtins:len", args: ["{{ xcom.each }}"]}}
""", "--conf", '{"name": "Lisbon"}')
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("each[1] | Lisbon 2\n", done.stdout)
        self.assertIn("sum: output 2\n", done.stdout)
        self.assertTrue(done.stdout.endswith("etl: success\n"), done.stdout)

    def test_tasks_see_what_a_worker_would_pass_on_and_nothing_else(self):
        done = self.run_dag("tasks: {a: {bash: 'echo [$GIVEN] [$KEPT]'}}",
                            env={"HEADRACE__WORKER__PASS_ENV": "GIVEN", "GIVEN": "seen", "KEPT": "not seen"})
        self.assertIn("a | [seen] []\n", done.stdout)

    def test_a_failure_says_why_and_exits_with_1(self):
        done = self.run_dag("tasks: {a: {bash: 'echo oh >&2; exit 3'}, b: {bash: echo, depends_on: [a]}}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a | oh\n", done.stdout)
        self.assertRegex(done.stdout, "a: failed: .*exit code 3")
        self.assertIn("b: upstream_failed", done.stdout)
        self.assertTrue(done.stdout.endswith("etl: failed\n"), done.stdout)

    def test_retries_wait_and_hard_errors_do_not(self):
        done = self.run_dag("""
defaults: {retries: 3, retry_delay: 200ms}
tasks:
  soft: {bash: "test {{ ti.try_number }} -ge 2"}
  hard: {bash: "echo HEADRACE_HARD_ERROR no such day >&2; exit 1"}
""")
        self.assertEqual(done.returncode, 1)
        self.assertIn("try 2 of 4 in 0.2 s", done.stdout)
        self.assertIn("soft: success", done.stdout)
        self.assertIn("hard: failed: no such day", done.stdout)

    def test_variables_and_connections_come_from_files_and_the_environment(self):
        variables = self.write('{"city": "Lisbon"}', "variables.json")
        connections = self.write('{"db": "postgres://ann@host/sales", "web": {"conn_type": "http", "host": "example.org"}}', "c.json")
        done = self.run_dag("""tasks: {a: {bash: "echo {{ var.value.city }} {{ var.value.day }} {{ conn.db.login }} {{ conn.web.host }}
            {{ conn.other.host }}"}}""", "--variables", variables, "--connections", connections,
                            env={"AIRFLOW_VAR_DAY": "Monday", "AIRFLOW_CONN_OTHER": "http://there"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Lisbon Monday ann example.org", done.stdout)

    def test_what_is_missing_is_named(self):
        done = self.run_dag("tasks: {a: {bash: 'echo {{ var.value.nothing }}'}}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no variable nothing", done.stdout + done.stderr)

    def test_params_are_checked_before_anything_runs(self):
        done = self.run_dag("params: {n: {type: integer, default: 1}}\ntasks: {a: {bash: echo}}", "--conf", '{"n": "many"}')
        self.assertEqual(done.returncode, 1)
        self.assertIn("n", done.stderr)
        self.assertNotIn("a |", done.stdout)

    def test_a_bad_file_is_shown_and_nothing_runs(self):
        done = self.run_dag("tasks: {a: {bsh: echo}}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'bash'", done.stderr)

    def test_the_branch_error_path_and_another_dag_of_the_file(self):
        done = self.run_dag("""
dag_id: one
tasks:
  fails: {bash: exit 1}
  caught: {bash: echo caught, depends_on: [fails], trigger_rule: one_failed}
  call: {trigger_dag: {dag_id: two, wait: true}, depends_on: [caught]}
---
dag_id: two
schedule: "* * * * *"
tasks: {x: {bash: sleep 0.1}}
""")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("call: success", done.stdout)
        self.assertTrue(done.stdout.endswith("one: success\n"), done.stdout)

    def test_the_error_path_of_the_example(self):
        text = (EXAMPLES / "retry_and_catch.yaml").read_text().replace("retry_delay: 10s", "retry_delay: 100ms")
        done = self.run_dag(text, "--conf", '{"failures": 9}', env={"AIRFLOW_VAR_DATA_FOLDER": self.folder.name + "/data",
                                                                    "AIRFLOW_VAR_EXAMPLES_FOLDER": str(EXAMPLES)})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("in 0.2 s", done.stdout)  # 100, 150, 225 ms
        self.assertIn("call_service: failed", done.stdout)
        self.assertIn("on_failure: exec to ", done.stdout)
        self.assertIn("use_yesterday: success", done.stdout)

    def test_an_interrupt_ends_the_tasks_too_and_leaves_nothing(self):
        mark = f"4321.{os.getpid()}"
        process = subprocess.Popen([PROGRAM, "dags", "test", self.write(f"tasks: {{a: {{bash: 'echo on; sleep {mark}'}}}}")],
                                   env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "a | on\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 1)
        self.assertIn("interrupted", process.stderr.read())
        process.stdout.close()
        process.stderr.close()
        deadline = time.monotonic() + 10
        while subprocess.run(["pgrep", "-f", f"sleep {mark}"], capture_output=True).stdout:
            self.assertLess(time.monotonic(), deadline, "the task goes on")
            time.sleep(0.05)

    def test_nothing_is_left_unless_it_is_to_be_kept(self):
        before = set(glob.glob("/tmp/headrace-dag-*"))
        self.run_dag("tasks: {a: {bash: echo}}")
        self.assertEqual(set(glob.glob("/tmp/headrace-dag-*")) - before, set())

    def run_task(self, text, *words):
        return subprocess.run([PROGRAM, "tasks", "test", self.write(text), *words], env=self.env, capture_output=True, text=True, timeout=120)

    def test_one_task_is_run_and_the_others_count_as_done(self):
        dag = """
tasks:
  before: {bash: "echo never; exit 1"}
  wait: {wait_for: {file: /no/such/file}}
  one: {depends_on: [before, wait], bash: "echo got {{ xcom.before.rows }}"}
  after: {depends_on: [one], bash: "echo never"}
"""
        mocks = self.write("before: {output: {rows: 3}}", "mocks.yaml")
        done = self.run_task(dag, "one", "--mocks", mocks)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("one | got 3", done.stdout)
        self.assertNotIn("never", done.stdout)
        self.assertNotIn("after: success", done.stdout)
        done = self.run_task(dag, "before")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("before: failed", done.stdout)
        done = self.run_task(dag, "none")
        self.assertEqual(done.returncode, 1)
        self.assertIn("etl has no task none", done.stderr)


if __name__ == "__main__":
    unittest.main()
