# SPDX-License-Identifier: Apache-2.0
"""What the command line says of a DAG file alone: no server, no database, no home."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["HEADRACE_BIN_DIR"]) / "headrace"
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


class LocalTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hr-cli-")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, text, name="etl.yaml"):
        path = pathlib.Path(self.folder.name) / name
        path.write_text(text)
        return str(path)

    def headrace(self, *words):
        return subprocess.run([PROGRAM, *words], env={"PATH": os.environ["PATH"], "HEADRACE_HOME": self.folder.name + "/home"},
                              capture_output=True, text=True, timeout=60)

    def test_a_good_file_is_good(self):
        done = self.headrace("dags", "check", self.write("tasks: {a: {bash: echo}}\n---\ndag_id: two\ntasks: {b: {empty: {}}}\n"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("etl is good: 1 tasks", done.stdout)
        self.assertIn("two is good: 1 tasks", done.stdout)

    def test_a_mistake_is_shown_at_its_place_with_what_was_meant(self):
        path = self.write("tasks:\n  a: {bash: echo, retris: 3}\n")
        done = self.headrace("dags", "check", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}:2:19: ", done.stderr)
        self.assertIn("did you mean 'retries'?", done.stderr)
        self.assertIn("     2 |   a: {bash: echo, retris: 3}\n       |                   ^\n", done.stderr)

    def test_a_folder_is_checked_with_all_its_files(self):
        os.makedirs(self.folder.name + "/dags/deep")
        self.write("tasks: {a: {bash: echo}}", "dags/good.yaml")
        self.write("tasks: 3", "dags/deep/bad.yml")
        self.write("import airflow.DAG", "dags/old.py")
        self.write("def helper(): {", "dags/helper.py")
        done = self.headrace("dags", "check", self.folder.name + "/dags")
        self.assertEqual(done.returncode, 1)
        self.assertIn("good is good", done.stdout)
        self.assertIn("old.py:1:1: DAGs in Python files are not read yet", done.stderr)
        self.assertIn("2 of 4 files cannot be used", done.stderr)

    def test_a_file_without_a_dag_is_no_good_file(self):
        done = self.headrace("dags", "check", self.write("# later\n"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("it holds no DAG", done.stderr)

    def test_one_bad_file_fails_and_the_others_are_still_checked(self):
        bad, good = self.write("tasks: 3", "bad.yaml"), self.write("tasks: {a: {bash: echo}}", "good.yaml")
        done = self.headrace("dags", "check", bad, good)
        self.assertEqual(done.returncode, 1)
        self.assertIn("good is good", done.stdout)
        self.assertIn("1 of 2 files cannot be used", done.stderr)

    def test_a_file_that_is_not_there_is_named(self):
        done = self.headrace("dags", "check", "/nowhere/etl.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/etl.yaml: No such file", done.stderr)

    def test_the_examples_are_good(self):
        done = self.headrace("dags", "check", *sorted(map(str, EXAMPLES.glob("*.yaml"))))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_coming_fire_times_in_utc_one_a_line(self):
        path = self.write('schedule: "30 2 * * *"\ntimezone: Europe/Lisbon\nstart_date: 2026-01-01\ntasks: {a: {bash: echo}}\n')
        done = self.headrace("dags", "next-execution", path, "--num-executions", "3", "--from", "2026-03-27T12:00:00Z", "-o", "plain")
        # Clocks go from 1:00 to 2:00 on the 29th: 2:30 is an hour earlier in UTC from then on.
        self.assertEqual(done.stdout, "2026-03-28T02:30:00Z\n2026-03-29T01:30:00Z\n2026-03-30T01:30:00Z\n")

    def test_intervals_stand_beside_fire_times(self):
        path = self.write('schedule: {cron: "0 6 * * *", interval: true}\nstart_date: 2026-01-01\ntasks: {a: {bash: echo}}\n')
        row, = json.loads(self.headrace("dags", "next-execution", path, "--from", "2026-05-01", "-o", "json").stdout)
        self.assertEqual(row, {"run_after": "2026-05-01T06:00:00Z", "logical_date": "2026-04-30T06:00:00Z",
                               "data_interval_start": "2026-04-30T06:00:00Z", "data_interval_end": "2026-05-01T06:00:00Z"})

    def test_a_dag_without_schedule_has_no_fire_times(self):
        done = self.headrace("dags", "next-execution", self.write("tasks: {a: {bash: echo}}"), "-o", "plain")
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_tasks_are_shown_in_their_order(self):
        path = self.write("tasks: {c: {bash: x, depends_on: [b]}, a: {bash: x}, b: {bash: x, depends_on: [a]}}")
        lines = self.headrace("dags", "show", path, "-o", "plain").stdout.splitlines()
        self.assertEqual([line.split("\t")[:2] for line in lines], [["1", "a"], ["2", "b"], ["3", "c"]])

    def test_the_schema_is_json(self):
        self.assertIn("properties", json.loads(self.headrace("dags", "schema").stdout))


if __name__ == "__main__":
    unittest.main()
