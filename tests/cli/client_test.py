# SPDX-License-Identifier: Apache-2.0
"""The command line against a server that answers as docs/api/ui.md and Airflow's API say: what is asked, and what is shown."""
import http.server
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

PROGRAM = pathlib.Path(os.environ["HEADRACE_BIN_DIR"]) / "headrace"
RUN = "/api/v2/dags/etl/dagRuns"
PAGE = "/api/headrace/v1/ui/run/etl/r%3A1"


class Server(http.server.ThreadingHTTPServer):
    """Answers from a table (method, path) -> (status, JSON or text, headers) or a list of them, one after the other."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = {}, []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def on(self, method, path, answer, status=200, headers=None):
        self.answers.setdefault((method, path), []).append((status, answer, headers or {}))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        self.server.asked.append((self.command, self.path, body, self.headers.get("Authorization")))
        path, _, query = self.path.partition("?")
        answers = self.server.answers.get((self.command, self.path)) or self.server.answers.get((self.command, path))
        if callable(answers and answers[0][1]):
            status, answer, headers = 200, answers[0][1](urllib.parse.parse_qs(query)), {}
        elif answers:
            status, answer, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        else:
            status, answer, headers = 404, {"detail": f"there is no {path}"}, {}
        text = answer if isinstance(answer, str) else "" if answer is None else json.dumps(answer)
        data = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = serve

    def log_message(self, *_):
        pass


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.home = tempfile.TemporaryDirectory(prefix="hr-cli-")
        (pathlib.Path(self.home.name) / "cli-token").write_text("secret-token\n")
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.home.cleanup()

    def headrace(self, *words, url=True, env=None, stdin=""):
        environment = {"PATH": os.environ["PATH"], "HEADRACE_HOME": self.home.name, "HOME": self.home.name, **(env or {})}
        return subprocess.run([PROGRAM, *words, *(["--url", self.url] if url else [])], env=environment, input=stdin,
                              capture_output=True, text=True, timeout=60)

    def bodies(self, method, path):
        return [body for verb, asked, body, _ in self.server.asked if (verb, asked) == (method, path)]

    # ---- who asks whom ----

    def test_the_owners_token_goes_with_every_request(self):
        self.server.on("GET", "/api/v2/variables/a", {"key": "a", "value": "1"})
        self.assertEqual(self.headrace("variables", "get", "a").stdout, "1\n")
        self.assertEqual(self.server.asked[0][3], "Bearer secret-token")

    def test_a_profile_names_another_server_and_its_token(self):
        folder = pathlib.Path(self.home.name) / ".config/headrace"
        folder.mkdir(parents=True)
        (folder / "profiles.yaml").write_text(f'prod: {{url: "{self.url}/", token: "of-prod"}}\n')
        self.server.on("GET", "/api/v2/variables/a", {"key": "a", "value": "1"})
        done = self.headrace("variables", "get", "a", "--profile", "prod", url=False)
        self.assertEqual((done.returncode, done.stdout), (0, "1\n"))
        self.assertEqual(self.server.asked[0][3], "Bearer of-prod")
        done = self.headrace("variables", "get", "a", "--profile", "test", url=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("has no profile test", done.stderr)

    def test_the_instance_of_this_home_is_found_by_what_it_wrote_down(self):
        folder = pathlib.Path(self.home.name) / "run"
        folder.mkdir()
        (folder / "instance.json").write_text(json.dumps({"url": self.url, "pid": 1}))
        self.server.on("GET", "/api/v2/variables/a", {"key": "a", "value": "1"})
        self.assertEqual(self.headrace("variables", "get", "a", url=False).stdout, "1\n")
        done = self.headrace("variables", "get", "a", "--api.port=1", url=False)
        self.assertIn("no answer from http://127.0.0.1:1", done.stderr)

    def test_no_server_says_where_it_asked_and_how_to_start_one(self):
        done = self.headrace("dags", "list", "--url", "http://127.0.0.1:9", url=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no answer from http://127.0.0.1:9", done.stderr)
        self.assertIn("headrace standalone", done.stderr)

    def test_the_server_of_another_home_is_not_taken_for_ours(self):
        port = self.url.rsplit(":", 1)[1]
        self.server.on("GET", "/api/v2/monitor/health", {})
        self.server.on("GET", "/api/v2/dags", {"detail": "the session or token is not known here"}, 401)
        folder = pathlib.Path(self.home.name) / "run"
        folder.mkdir()
        (folder / "instance.json").write_text(json.dumps({"url": self.url, "pid": 2 ** 30, "started": 1}))
        done = self.headrace("doctor", "-o", "json", url=False)
        found = {row["what"]: (row["verdict"], row["found"]) for row in json.loads(done.stdout)}
        self.assertEqual(done.returncode, 1)
        self.assertEqual(found["sign-in"][0], "wrong")
        self.assertEqual(found["supervisor"][0], "wrong")
        self.assertIn("is not known here", self.headrace("dags", "list", url=False).stderr)
        (folder / "instance.json").unlink()
        for words in (["dags", "list"], ["doctor"]):
            done = self.headrace(*words, f"--api.port={port}", url=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("standalone` started runs in " + self.home.name, done.stderr + done.stdout)

    def test_doctor_counts_files_and_not_their_mistakes(self):
        self.server.on("GET", "/api/v2/monitor/health", {})
        self.server.on("GET", "/api/v2/dags", {"dags": [], "total_entries": 0})
        self.server.on("GET", "/api/headrace/v1/import_errors", {"import_errors": [{"file": "a.yaml"}, {"file": "b.yaml"}, {"file": "a.yaml"}]})
        found = {row["what"]: (row["verdict"], row["found"]) for row in json.loads(self.headrace("doctor", "-o", "json").stdout)}
        self.assertEqual((found["sign-in"][0], found["DAG files"]), ("ok", ("wrong", "2 cannot be used")))

    # ---- what the server refuses ----

    def test_the_servers_sentence_is_shown_and_the_exit_is_1(self):
        self.server.on("GET", "/api/v2/dags/x/details", {"detail": "The DAG x was not found"}, 404)
        done = self.headrace("dags", "details", "x")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "headrace: The DAG x was not found\n")

    def test_fields_that_are_not_valid_are_named(self):
        self.server.on("POST", "/api/v2/pools", {"detail": [{"loc": ["body", "slots"], "msg": "must be -1 or more"}]}, 422)
        self.assertIn("body, slots: must be -1 or more", self.headrace("pools", "set", "p", "5").stderr)

    def test_something_that_is_no_headrace_is_recognised(self):
        self.server.on("GET", "/api/v2/dags", "<html>hello</html>")
        self.assertIn("is it a Headrace web server?", self.headrace("dags", "list").stderr)

    def test_wrong_use_exits_with_2_and_shows_the_usage(self):
        for words in (["dags"] + ["lst"], ["dags", "trigger"], ["dags", "list", "--limit", "many"], ["dags", "list", "-o", "xml"],
                      ["dags", "trigger", "x", "--conf", "[1]"], ["nothing"]):
            done = self.headrace(*words)
            self.assertEqual(done.returncode, 2, words)
        self.assertIn("did you mean: headrace dags list", self.headrace("dags", "lst").stderr)
        self.assertIn("usage: headrace dags trigger DAG_ID", self.headrace("dags", "trigger").stderr)

    # ---- listings ----

    def dags(self, count):
        rows = [{"dag_id": f"d{i:03}", "is_paused": i == 1, "owners": ["ann", "bob"], "tags": [{"name": "x", "dag_id": "d"}]}
                for i in range(count)]
        self.server.on("GET", "/api/v2/dags", lambda query: {
            "dags": rows[int(query["offset"][0]):][:int(query["limit"][0])], "total_entries": count})

    def test_a_listing_walks_all_pages(self):
        self.dags(230)
        lines = self.headrace("dags", "list", "-o", "plain").stdout.splitlines()
        self.assertEqual([line.split("\t")[0] for line in lines], [f"d{i:03}" for i in range(230)])
        self.assertEqual(len(self.server.asked), 3)

    def test_every_format_of_a_listing(self):
        self.dags(2)
        table = self.headrace("dags", "list").stdout.splitlines()
        self.assertTrue(table[0].startswith("DAG_ID"))
        self.assertEqual(table[2].split()[:2], ["d001", "true"])
        self.assertIn("ann, bob", table[1])
        self.assertEqual(json.loads(self.headrace("dags", "list", "-o", "json").stdout)[1]["is_paused"], True)
        self.assertIn("- dag_id: d000\n  is_paused: false\n", self.headrace("dags", "list", "--output=yaml").stdout)
        self.assertEqual(self.headrace("dags", "list", "--limit", "1", "-o", "plain").stdout.count("\n"), 1)

    # ---- runs ----

    def run_page(self, letters, state, errors=()):
        return {"run": {"state": state, "version": 3}, "st": letters, "mapped": [[1, 10, 4, 2, 3, 1]], "errors": list(errors)}

    def test_trigger_prints_the_run_id_and_waits_for_the_end(self):
        self.server.on("POST", RUN, {"dag_run_id": "r:1"})
        self.server.on("GET", PAGE, self.run_page("r..", "running"))
        self.server.on("GET", PAGE, self.run_page("sss", "success"))
        done = self.headrace("dags", "trigger", "etl", "--conf", '{"region": "eu"}', "--wait")
        self.assertEqual((done.returncode, done.stdout), (0, "r:1\n"))
        self.assertEqual(self.bodies("POST", RUN), [{"conf": {"region": "eu"}, "logical_date": None}])

    def test_a_failed_run_exits_with_1_and_says_which_task(self):
        self.server.on("POST", RUN, {"dag_run_id": "r:1"})
        self.server.on("GET", PAGE, self.run_page("ssf", "failed", [[2, -1, 2, "exit code 7: no disk"]]))
        self.server.on("GET", "/api/headrace/v1/ui/grid/etl/shape?version=3", {"id": ["a", "b", "load"]})
        done = self.headrace("dags", "trigger", "etl", "-w", "--progress")
        self.assertEqual(done.returncode, 1)
        self.assertIn("load (try 2): exit code 7: no disk", done.stderr)
        # Two plain tasks, and the mapped one with its ten instances: six of twelve have ended.
        self.assertIn("6 of 12 tasks done, 2 at work, 2 failed", done.stderr)

    def test_clearing_shows_first_what_it_would_clear(self):
        path = "/api/v2/dags/etl/clearTaskInstances"
        self.server.on("POST", path, {"task_instances": [{"task_id": "load", "map_index": -1, "state": "failed"}]})
        done = self.headrace("tasks", "clear", "etl", "r1", "-t", "load", "--downstream")
        self.assertEqual(done.returncode, 1)  # nobody could be asked
        self.assertIn("--yes", done.stderr)
        self.headrace("tasks", "clear", "etl", "r1", "-t", "load", "--downstream", "--yes")
        dry, again, real = self.bodies("POST", path)
        self.assertEqual((dry["dry_run"], again["dry_run"], real["dry_run"]), (True, True, False))
        self.assertEqual((real["task_ids"], real["include_downstream"], real["only_failed"]), (["load"], True, False))

    def test_the_audit_log_is_verified_part_by_part(self):
        path, head = "/api/headrace/v1/audit/verify", {"id": 30000, "hash": "9f3a", "at": 1}
        parts = [{"ok": True, "rows": 20000, "next": 20001, "head": head}, {"ok": True, "rows": 9999, "next": None, "head": head}]
        for part in parts:
            self.server.on("GET", path, part)
        done = self.headrace("audit", "verify", "--expect", "7:ab+c")
        first, all_of_them, noted = done.stdout.splitlines()
        self.assertEqual((done.returncode, first, noted), (0, "20000 rows are as they were written; going on with row 20001", "30000:9f3a"), done.stderr)
        self.assertTrue(all_of_them.startswith("29999 rows, "), all_of_them)
        asked = [urllib.parse.parse_qs(urllib.parse.urlsplit(url).query) for _, url, *_ in self.server.asked]
        self.assertEqual([query.get("from") for query in asked], [None, ["20001"]])
        self.assertEqual({(query["id"][0], query["hash"][0]) for query in asked}, {("7", "ab+c")})
        self.server.answers.clear()
        self.server.on("GET", path, parts[0])
        self.server.on("GET", path, {"ok": False, "rows": 9999, "next": None, "broken_at": 20007, "head": head})
        done = self.headrace("audit", "verify")
        self.assertEqual((done.returncode, "--expect" in done.stdout), (1, False))
        self.assertIn("row 20007 does not follow", done.stderr)

    def test_a_dry_run_says_when_it_shows_not_all_dates(self):
        for total, said in ((1, ""), (12000, "these are the first of 12000 dates\n")):
            self.server.answers.clear()
            self.server.on("POST", "/api/v2/backfills/dry_run", {"backfills": [{"logical_date": "2026-03-01T00:00:00Z"}], "total_entries": total})
            done = self.headrace("backfill", "create", "etl", "--from-date", "2026-03-01", "--to-date", "2026-03-02", "--dry-run", "-o", "json")
            self.assertEqual((done.stderr, len(json.loads(done.stdout))), (said, 1))

    def test_logs_follow_to_the_end(self):
        self.server.on("GET", "/api/headrace/v1/ui/task/etl/r1/load/-1", {"try": 2})
        log = "/api/headrace/v1/ui/log/etl/r1/load/-1/2"
        first = "2026-11-21T06:00:00.123Z o one\n2026-11-21T06:00:00.200Z e two\n"
        self.server.on("GET", f"{log}?from=0&lines=2000", first, headers={"Log-Lines": "2", "Log-Complete": "false"})
        self.server.on("GET", f"{log}?from=2&lines=2000", "", headers={"Log-Lines": "2", "Log-Complete": "false"})
        self.server.on("GET", f"{log}?from=2&lines=2000", "2026-11-21T06:00:01.000Z h ended\n",
                       headers={"Log-Lines": "3", "Log-Complete": "true"})
        done = self.headrace("tasks", "logs", "-f", "etl", "r1", "load")
        self.assertEqual(done.stdout, "06:00:00.123 one\n06:00:00.200 two\n06:00:01.000 ended\n")

    def test_a_waiting_task_has_its_reason(self):
        self.server.on("GET", "/api/headrace/v1/ui/task/etl/r1/load/-1", {"state": "scheduled"})
        self.server.on("GET", "/api/headrace/v1/why", {"reasons": [
            {"sentence": "Waiting for a slot in pool db.", "advice": "Raise the pool's slots."}]})
        self.assertEqual(self.headrace("tasks", "state", "etl", "r1", "load").stdout,
                         "scheduled\n  Waiting for a slot in pool db. Raise the pool's slots.\n")
        self.assertEqual(self.headrace("tasks", "state", "etl", "r1", "load", "-o", "plain").stdout, "scheduled\n")

    # ---- pools, variables, connections ----

    def test_setting_what_is_there_changes_it(self):
        self.server.on("POST", "/api/v2/variables", {"detail": "exists"}, 409)
        self.server.on("PATCH", "/api/v2/variables/a%20b", {"key": "a b", "value": "2"})
        self.assertEqual(self.headrace("variables", "set", "a b", "-", stdin="2").returncode, 0)
        self.assertEqual(self.bodies("PATCH", "/api/v2/variables/a%20b"), [{"key": "a b", "value": "2"}])

    def test_what_was_exported_can_be_imported(self):
        self.server.on("GET", "/api/v2/pools", {"pools": [{"name": "p", "slots": 4, "description": "d", "include_deferred": False,
                                                           "occupied_slots": 1}], "total_entries": 1})
        self.server.on("POST", "/api/v2/pools", {}, 201)
        path = os.path.join(self.home.name, "pools.json")
        self.assertEqual(self.headrace("pools", "export", path).returncode, 0)
        self.assertEqual(json.loads(pathlib.Path(path).read_text()), {"p": {"slots": 4, "description": "d", "include_deferred": False}})
        self.assertIn("1 pool imported", self.headrace("pools", "import", path).stdout)
        self.assertEqual(self.bodies("POST", "/api/v2/pools"),
                         [{"name": "p", "slots": 4, "description": "d", "include_deferred": False}])

    def test_variables_are_exported_as_plain_pairs(self):
        self.server.on("GET", "/api/v2/variables", {"variables": [{"key": "a", "value": "1"}], "total_entries": 1})
        self.server.on("POST", "/api/v2/variables", {}, 201)
        self.assertEqual(json.loads(self.headrace("variables", "export", "-").stdout), {"a": "1"})
        path = os.path.join(self.home.name, "v.json")
        pathlib.Path(path).write_text('{"a": "1", "b": {"c": 2}}')
        self.headrace("variables", "import", path)
        self.assertEqual(self.bodies("POST", "/api/v2/variables"), [{"key": "a", "value": "1"}, {"key": "b", "value": '{"c":2}'}])

    def test_stars_go_to_no_file_and_come_from_none(self):
        self.server.on("GET", "/api/v2/connections", {"connections": [{"connection_id": "w", "conn_type": "http", "host": "h", "password": "***",
                                                                       "extra": None}], "total_entries": 1})
        self.server.on("GET", "/api/v2/variables", {"variables": [{"key": "a", "value": "1"}, {"key": "api_token", "value": "***"}],
                                                    "total_entries": 2})
        for kind, shown in (("connections", {"w": {"conn_type": "http", "host": "h"}}), ("variables", {"a": "1"})):
            done = self.headrace(kind, "export", "-")
            self.assertEqual(json.loads(done.stdout), shown)
            self.assertIn("1 secret left out", done.stderr)
        self.server.on("POST", "/api/v2/connections", {}, 201)
        self.server.on("POST", "/api/v2/variables", {}, 201)
        path = os.path.join(self.home.name, "old.json")
        pathlib.Path(path).write_text('{"w": {"conn_type": "http", "password": "***"}}')
        self.assertIn("1 secret passed over", self.headrace("connections", "import", path).stdout)
        self.assertEqual(self.bodies("POST", "/api/v2/connections"), [{"connection_id": "w", "conn_type": "http"}])
        pathlib.Path(path).write_text('{"a": "1", "api_token": "***"}')
        self.assertIn("1 variable imported\n1 secret passed over", self.headrace("variables", "import", path).stdout)
        self.assertEqual(self.bodies("POST", "/api/v2/variables"), [{"key": "a", "value": "1"}])

    def test_a_file_that_cannot_be_read_is_said_with_its_line(self):
        path = os.path.join(self.home.name, "v.json")
        pathlib.Path(path).write_text('{"a": 1,\n "a": 2}')
        done = self.headrace("variables", "import", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("v.json, line 2", done.stderr)

    def test_a_connection_comes_from_a_uri_and_options(self):
        self.server.on("POST", "/api/v2/connections", {}, 201)
        done = self.headrace("connections", "add", "w", "--conn-uri", "postgres://ann:x@db:5433/sales", "--conn-login", "bob",
                             "--conn-password", "-", stdin="s3cret\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.bodies("POST", "/api/v2/connections"), [
            {"connection_id": "w", "conn_type": "postgres", "host": "db", "port": 5433, "schema": "sales", "login": "bob",
             "password": "s3cret"}])
        self.assertEqual(self.headrace("connections", "add", "w", "--conn-host", "db").returncode, 2)

    def test_a_connection_that_is_replaced_keeps_nothing_of_the_old_one(self):
        self.server.on("POST", "/api/v2/connections", {"detail": "there is one"}, 409)
        self.server.on("PATCH", "/api/v2/connections/w", {})
        self.assertEqual(self.headrace("connections", "set", "w", "--conn-type", "http", "--conn-host", "elsewhere").returncode, 0)
        body, = self.bodies("PATCH", "/api/v2/connections/w")
        self.assertEqual((body["host"], body["password"], body["login"], body["extra"]), ("elsewhere", "", "", ""))

    def test_a_new_account_gets_a_password_that_is_printed_once(self):
        self.server.on("POST", "/api/headrace/v1/users", {}, 201)
        done = self.headrace("users", "create", "ann", "--role", "Op")
        body, = self.bodies("POST", "/api/headrace/v1/users")
        self.assertEqual((body["username"], body["role"]), ("ann", "Op"))
        self.assertEqual(done.stdout.splitlines()[-1], body["password"])
        self.assertGreaterEqual(len(body["password"]), 16)

    def test_a_masked_value_is_never_taken_for_the_secret(self):
        self.server.on("GET", "/api/v2/variables/api_password", {"key": "api_password", "value": "***"})
        done = self.headrace("variables", "get", "api_password")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("is secret", done.stderr)

    def test_a_date_stands_for_its_first_moment_in_utc(self):
        self.server.on("POST", "/api/v2/dags/etl/dagRuns", {"dag_run_id": "r"})
        self.headrace("dags", "trigger", "etl", "-e", "2026-01-01")
        self.headrace("dags", "trigger", "etl", "-e", "2026-01-01T06:00:00+02:00")
        self.assertEqual([body["logical_date"] for body in self.bodies("POST", "/api/v2/dags/etl/dagRuns")],
                         ["2026-01-01T00:00:00Z", "2026-01-01T04:00:00Z"])

    def test_what_airflows_command_line_says_is_understood_or_translated(self):
        for words, here in ((["db", "init"], "headrace db migrate"), (["info"], "headrace doctor"), (["jobs", "check"], "headrace doctor"),
                            (["tasks", "run", "a", "b"], "headrace tasks clear"), (["celery", "worker"], "headrace worker")):
            done = self.headrace(*words, url=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("Airflow's is here: " + here, done.stderr)
        self.server.on("GET", "/api/v2/dags/etl/dagRuns", {"dag_runs": [], "total_entries": 0})
        self.assertEqual(self.headrace("dags", "list-runs", "-d", "etl").returncode, 0)
        self.assertEqual(self.headrace("dags", "list-runs").returncode, 2)
        self.server.on("POST", "/api/v2/connections", {}, 201)
        self.headrace("connections", "add", "w", "--conn-json", '{"conn_type": "http", "host": "h", "port": 80}', "--conn-host", "other")
        self.assertEqual(self.bodies("POST", "/api/v2/connections"), [{"connection_id": "w", "conn_type": "http", "host": "other", "port": 80}])
        self.server.on("POST", "/api/headrace/v1/users", {}, 201)
        self.assertEqual(self.headrace("users", "create", "-u", "ann", "-p", "long-enough-for-us").returncode, 0)
        self.assertEqual(self.bodies("POST", "/api/headrace/v1/users")[0]["username"], "ann")
        self.server.on("POST", "/api/v2/variables", {}, 201)
        self.assertEqual(self.headrace("variables", "set", "--json", "v", '{"a": 1}').returncode, 0)
        self.assertEqual(self.headrace("variables", "set", "--json", "v", "{oops").returncode, 1)
        self.assertEqual(self.bodies("POST", "/api/v2/variables"), [{"key": "v", "value": '{"a": 1}'}])

    def test_what_cannot_be_meant_is_wrong_use(self):
        for words in (["dags", "trigger", "etl", "-e", "soon"], ["connections", "add", "bad", "--conn-type", "http", "--conn-extra", "{oops"],
                      ["dags", "list-runs", "etl", "--state", "wibble"]):
            self.assertEqual(self.headrace(*words).returncode, 2, words)
        self.assertEqual(self.server.asked, [])

    def test_a_run_is_stopped_and_a_task_is_marked(self):
        run = "/api/v2/dags/etl/dagRuns/r1"
        self.server.on("PATCH", run, {})
        self.assertIn("r1 is marked failed", self.headrace("dags", "stop", "etl", "r1").stdout)
        self.assertEqual(self.bodies("PATCH", run + "?update_mask=state"), [{"state": "failed"}])
        self.server.on("PATCH", run + "/taskInstances/load/2", {})
        self.assertEqual(self.headrace("tasks", "mark", "etl", "r1", "load", "success", "--map-index", "2", "-d").returncode, 0)
        self.assertEqual(self.bodies("PATCH", run + "/taskInstances/load/2"),
                         [{"new_state": "success", "include_upstream": False, "include_downstream": True}])
        self.assertEqual(self.headrace("tasks", "mark", "etl", "r1", "load", "good").returncode, 2)

    def test_options_of_every_command_may_stand_in_front(self):
        self.dags(1)
        for front in (["--url", self.url], [f"--url={self.url}", "-o", "plain"]):
            self.assertIn("d000", self.headrace(*front, "dags", "list", url=False).stdout)
        done = self.headrace("--home", self.home.name, "--url", self.url, "version", url=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    # ---- without a server ----

    def test_help_for_a_command_is_of_that_command_alone(self):
        done = self.headrace("help", "dags", "trigger", url=False)
        self.assertEqual((done.returncode, done.stdout.split("\n", 1)[0].split(" DAG_ID")[0]), (0, "headrace dags trigger"))
        for program in ("headrace-scheduler", "headrace-worker", "headrace-webserver"):
            done = subprocess.run([PROGRAM.parent / program, "--help"], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout.startswith(program + ": ")), (0, True), done)

    def test_settings_are_listed_with_their_origin(self):
        (pathlib.Path(self.home.name) / "headrace.cfg").write_text("[api]\nport = 9001\n")
        rows = json.loads(self.headrace("config", "list", "--changed", "-o", "json", "--core.parallelism=3", url=False,
                                        env={"HEADRACE__WORKER__SLOTS": "5"}).stdout)
        found = {(row["section"], row["key"]): (row["value"], row["origin"].rsplit("/", 1)[-1]) for row in rows}
        self.assertEqual(found, {("api", "port"): ("9001", "headrace.cfg:2"), ("core", "parallelism"): ("3", "--core.parallelism"),
                                 ("worker", "slots"): ("5", "HEADRACE__WORKER__SLOTS")})
        self.assertEqual(self.headrace("config", "get-value", "api", "port", url=False).stdout, "9001\n")
        done = self.headrace("config", "get-value", "api", "prt", url=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("port", done.stderr)

    def test_completion_knows_groups_verbs_options_and_dags(self):
        self.dags(2)
        script = self.headrace("completion", "bash", url=False).stdout
        def complete(*words):
            line = "COMP_WORDS=(" + " ".join(f"'{word}'" for word in words) + f"); COMP_CWORD={len(words) - 1}; _headrace; "
            done = subprocess.run(["bash", "-c", script + line + 'printf "%s\n" "${COMPREPLY[@]}"'], capture_output=True, text=True,
                                  env={"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "HEADRACE_HOME": self.home.name})
            self.assertEqual(done.stderr, "")
            return done.stdout.split()
        self.assertEqual(complete("headrace", "var"), ["variables"])
        self.assertEqual(complete("headrace", "dags", "tr"), ["trigger"])
        self.assertEqual(complete("headrace", "dags", "trigger", "etl", "--wa"), ["--wait"])
        self.assertEqual(complete("headrace", "dags", "list", "-o", "y"), ["yaml"])
        folder = pathlib.Path(self.home.name) / "run"
        folder.mkdir()
        (folder / "instance.json").write_text(json.dumps({"url": self.url}))
        self.assertEqual(complete("headrace", "dags", "trigger", "d"), ["d000", "d001"])
        self.server.on("GET", "/api/v2/dags/my_dag/dagRuns", {"dag_runs": [{"dag_run_id": "manual__2026-11-28T16:00_a"}], "total_entries": 1})
        self.server.on("GET", "/api/v2/dags/my_dag/tasks", {"tasks": [{"task_id": "load_PARTS"}]})
        self.assertEqual(complete("headrace", "dags", "state", "my_dag", ""), ["manual__2026-11-28T16:00_a"])
        self.assertEqual(complete("headrace", "tasks", "logs", "my_dag", "r", "l"), ["load_PARTS"])
        self.assertEqual(complete("headrace", "tasks", "clear", "my_dag", "r", "-t", "l"), ["load_PARTS"])

    def test_every_command_has_help(self):
        listing = self.headrace("help", url=False).stdout
        self.assertIn("dags trigger", listing)
        self.assertIn("headrace dags trigger DAG_ID", self.headrace("help", "dags", "trigger", url=False).stdout)
        self.assertIn("Options of every command", self.headrace("dags", "trigger", "--help", url=False).stdout)


if __name__ == "__main__":
    unittest.main()
