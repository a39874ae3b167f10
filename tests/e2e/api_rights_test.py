# SPDX-License-Identifier: Apache-2.0
"""Every route with every role, on one's own and on foreign DAGs: what the served openapi.json says of the right that it needs is what
happens, there and nowhere else."""
import json
import re
import unittest

from api_rows import fill
from api_world import SOURCE, ApiWorld

ROLES = ["Viewer", "User", "Op", "Admin"]
LEVELS = ["Public", *ROLES]
NOT_ASKED = {"get_stream"}  # it answers for as long as the client stays; api_live_test.py asks for it

# What a role may do it would do: the rows asked for are ones that do not exist, so that the next role finds the world as it was.
FOREIGN = {"dag_id": "canary_dag", "dag_run_id": "canary_run", "task_id": "canary_task", "xcom_key": "return_value", "map_index": "-1", "try_number": "1",
           "task_try_number": "1", "version_number": "1"}
STRANGE = {"version_number": "9", "import_error_id": "999999", "try_number": "9", "task_try_number": "9", "map_index": "9", "event_log_id": "999999",
           "backfill_id": "999999", "asset_id": "999999", "token_id": "999999", "session_id": "999999", "grant_id": "999999", "view_id": "999999"}
OWN = {"dag_id": "etl", "dag_run_id": "scheduled__1", "task_id": "arrived"}  # a run that has ended: `wait` answers at once


def rights():
    """word -> the least role, from the table itself."""
    table = (SOURCE / "webserver/auth/rights.def").read_text()
    return {word: role.title() for word, role in re.findall(r'^RIGHT\(\w+,\s*"([\w.]+)",\s*(\w+)\)', table, re.M)}


class Rights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = ApiWorld({"core__test_connection": "Enabled"}).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        fill(cls.world)
        cls.fill_foreign()
        cls.tokens = {}
        for role in ROLES:
            words = {"username": role.lower(), "password": f"{role}-password-of-mine"}
            cls.world.ok("POST", "/api/headrace/v1/users", {**words, "role": role}, status=201)
            cls.tokens[role] = cls.world.ok("POST", "/auth/token", words, status=201, token=None)["access_token"]
        cls.least = rights()
        cls.document = cls.world.ok("GET", "/openapi.json", token=None)

    @classmethod
    def fill_foreign(cls):
        """A DAG that leaves its name wherever it is shown: runs, tries, an output, an error, a backfill, a notification."""
        world = cls.world
        world.add_dag("canary_dag", {"tags": ["canary_tag"], "owner": "canary_owner", "tasks": [{"id": "canary_task", "operator_kind": "bash"}]})
        for number, state in enumerate((1, 3)):
            run = world.add_run("canary_dag", "canary_run" if state == 1 else "canary_failed", state=state, ended="now()" if state == 3 else "NULL")
            world.add_try(run, 0, 3 if state == 1 else 5, error="canary_error")
            world.sql(f"INSERT INTO output VALUES ({run}, 0, -1, 'return_value', '\"canary_value\"', now())")
        world.sql("INSERT INTO import_error (path, dag_id, line, col, message, advice, excerpt, seen_at) VALUES "
                  "('canary_dag.yaml', 'canary_dag', 1, 1, 'canary_message', '', '', now()), ('new_canary.yaml', NULL, 1, 1, 'canary_message', '', '', now())")
        world.sql("INSERT INTO backfill (backfill_no, dag_no, from_at, to_at, max_active_runs, conf, is_paused, reprocess, is_backwards, triggered_by, "
                  "created_at, updated_at) SELECT 77, dag_no, now(), now(), 1, '{}', false, 0, false, 'canary_person', now(), now() FROM dag WHERE dag_id = 'canary_dag'")
        world.sql("INSERT INTO variable (key, sealed, key_no) VALUES ('canary_variable', '', 0); "
                  "INSERT INTO connection (connection_id, conn_type, sealed, key_no) VALUES ('canary_connection', 'http', '', 0)")

    def operations(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if operation["operationId"] not in NOT_ASKED:
                    yield method.upper(), path, operation["operationId"], operation["x-right"]

    def ask(self, method, path, token):
        """A body that nobody can do anything with: what is allowed goes as far as 4xx, and changes nothing."""
        body = None if method in ("GET", "DELETE") else "[]"
        headers = {} if body is None else {"Content-Type": "application/json"}
        status, _, content = self.world.call(method, path, body, token=token, headers=headers, raw=True)
        return status, content

    @staticmethod
    def filled(path, values):
        return re.sub(r"\{(\w+)\}", lambda name: values.get(name[1], STRANGE.get(name[1], "no_such")), path)

    @staticmethod
    def is_refused(status, content):
        """For want of a right; what is switched off for everybody is 403 too."""
        return status == 401 or (status == 403 and b'"forbidden"' in content)

    def test_the_description_has_every_route_of_the_table(self):
        table = (SOURCE / "webserver/api/routes.def").read_text()
        ids = re.findall(r'^ROUTE\(.*"(\w+)", \w+\)$', table, re.M)
        described = [operation["operationId"] for item in self.document["paths"].values() for operation in item.values()]
        self.assertEqual(sorted(described), sorted(ids))
        self.assertGreater(len(ids), 100)

    def test_every_route_with_every_role(self):
        for method, path, operation, right in self.operations():
            least = self.least[right]
            # Without a body there is nothing that a DELETE or PUT would stop at: those are asked for what does not exist alone.
            for values in ({}, OWN) if method in ("GET", "POST", "PATCH") else ({},):
                for role in ROLES:
                    if operation == "sign_out":
                        continue  # a token is no session: it would be ended
                    with self.subTest(operation=operation, role=role, own=bool(values)):
                        status, content = self.ask(method, self.filled(path, values), self.tokens[role])
                        forbidden = least in ROLES and ROLES.index(role) < ROLES.index(least)
                        if forbidden:
                            self.assertEqual(status, 403, content)
                            self.assertEqual(json.loads(content)["detail"]["reason"], "forbidden")
                        elif right != "anybody":
                            self.assertFalse(self.is_refused(status, content), content)

    def member_of(self, name, level, limits):
        """A token of somebody who is `level` on one DAG and nobody elsewhere: by a grant, or because the token is held to it."""
        words = {"username": name, "password": f"{name}-password-of-mine"}
        self.world.ok("POST", "/api/headrace/v1/users", {**words, "role": level if limits else "Public"}, status=201)
        if limits:
            return self.world.ok("POST", f"/api/headrace/v1/users/{name}/tokens", {"name": "t", **limits}, status=201)["token"]
        if level != "Public":
            self.world.ok("POST", "/api/headrace/v1/grants", {"username": name, "dags": "etl", "level": level}, status=201)
        return self.world.ok("POST", "/auth/token", words, status=201, token=None)["access_token"]

    def check_own(self, method, path, right, level, token):
        """A grant is worth what its level is worth, on the DAGs that it names."""
        status, content = self.ask(method, self.filled(path, {**OWN, **STRANGE}), token)
        if level == "Public":
            self.assertEqual(status, 404, content)
        elif LEVELS.index(level) < LEVELS.index(self.least[right]):
            self.assertEqual(status, 403, content)
        else:
            self.assertFalse(self.is_refused(status, content), content)

    @staticmethod
    def plain(content):
        return re.sub(rb'"request_id":"\w+"', b"", content)

    def check_foreign(self, method, path, token):
        """A foreign DAG is as one that is not there: the same words, and nothing of it."""
        status, content = self.ask(method, self.filled(path, FOREIGN), token)
        nowhere = self.ask(method, self.filled(path, {name: value.replace("canary_dag", "no_such_dg") for name, value in FOREIGN.items()}), token)
        self.assertEqual((status, self.plain(content.replace(b"canary_dag", b"no_such_dg"))), (nowhere[0], self.plain(nowhere[1])))
        self.assertEqual(status, 404, content)

    def ask_all(self, method, path, token):
        values = {"dag_id": "~", "dag_run_id": "~", "backfill_id": "77", "import_error_id": "2", "name": "canary"}
        query = "?q=canary&dag_ids=canary_dag&exclude_stale=false&dag_id=canary_dag&run_id=canary_run"
        return self.ask(method, self.filled(path, values) + query, token)

    def check_all(self, method, path, right, token):
        """Where no DAG is named: a list without what is foreign, or a refusal."""
        status, content = self.ask_all(method, path, token)
        self.assertNotIn(b"canary", content, (status, path))
        if right not in ("read", "logs.read", "signed_in", "anybody"):
            self.assertIn(status, (403, 404, 422) if path.endswith("/bulk") or path == "/api/v2/dags" else (403, 404), content)  # each row is asked about

    def test_every_route_with_own_and_foreign_dags(self):
        members = {"nobody": ("Public", None), "viewer_": ("Viewer", None), "user_": ("User", None), "op_": ("Op", None), "scoped": ("Op", {"dags": ["etl"]})}
        tokens = {}
        for name, (level, limits) in members.items():
            tokens[name] = self.member_of(name, level, limits)
        seen = 0
        self.shown_to_all = sum(b"canary" in self.ask_all(method, path, "owner")[1] for method, path, _, right in self.operations()
                                if method == "GET" and right == "read" and "{dag_id}" not in path)
        for method, path, operation, right in self.operations():
            if right == "anybody" or operation in ("sign_out", "sign_in"):
                continue
            for name, (level, _) in members.items():
                with self.subTest(operation=operation, member=name):
                    if "{dag_id}" in path:
                        if method in ("GET", "POST", "PATCH"):
                            self.check_own(method, path, right, level, tokens[name])
                        self.check_foreign(method, path, tokens[name])
                        seen += 1
                    self.check_all(method, path, right, tokens[name])
        self.assertGreater(seen, 5 * 40)
        self.assertGreater(self.shown_to_all, 10, "what everybody may see is not there to be hidden")
        self.assertEqual(self.world.sql("SELECT count(*) FROM dag WHERE dag_id = 'canary_dag'"), "1")

    def test_every_route_without_a_token(self):
        for method, path, operation, right in self.operations():
            if right == "anybody":
                continue
            with self.subTest(operation=operation):
                self.assertEqual(self.ask(method, self.filled(path, OWN), None)[0], 401)

    def test_what_is_forbidden_changed_nothing_and_is_on_record(self):
        self.assertEqual(self.ask("DELETE", "/api/v2/dags/etl", self.tokens["Viewer"])[0], 403)
        self.assertEqual(self.ask("DELETE", "/api/v2/pools/db", self.tokens["User"])[0], 403)
        self.assertEqual(self.world.sql("SELECT count(*) FROM dag WHERE dag_id = 'etl'"), "1")
        self.assertEqual(self.world.sql("SELECT count(*) FROM pool WHERE name = 'db'"), "1")
        denied = self.world.sql("SELECT count(*) FROM audit WHERE NOT allowed AND event IN ('delete_dag', 'delete_pool')")
        self.assertGreaterEqual(int(denied), 2)


if __name__ == "__main__":
    unittest.main()
