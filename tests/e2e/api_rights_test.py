# SPDX-License-Identifier: Apache-2.0
"""Every route with every role: what the served openapi.json says of the right that it needs is what happens, there and nowhere else."""
import json
import re
import unittest

from api_rows import fill
from api_world import SOURCE, ApiWorld

ROLES = ["Viewer", "User", "Op", "Admin"]
NOT_ASKED = {"get_stream"}  # it answers for as long as the client stays; api_live_test.py asks for it

# What a role may do it would do: the rows asked for are ones that do not exist, so that the next role finds the world as it was.
STRANGE = {"version_number": "9", "import_error_id": "999999", "try_number": "9", "task_try_number": "9", "map_index": "9", "event_log_id": "999999",
           "backfill_id": "999999", "asset_id": "999999"}
OWN = {"dag_id": "etl", "dag_run_id": "scheduled__1", "task_id": "arrived"}  # a run that has ended: `wait` answers at once


def rights():
    """word -> the least role, from the table itself."""
    table = (SOURCE / "webserver/auth/rights.def").read_text()
    return {word: role.title() for word, role in re.findall(r'^RIGHT\(\w+,\s*"([\w.]+)",\s*(\w+)\)', table, re.M)}


class Rights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = ApiWorld().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        fill(cls.world)
        cls.tokens = {}
        for role in ROLES:
            words = {"username": role.lower(), "password": f"{role}-password"}
            cls.world.ok("POST", "/api/headrace/v1/users", {**words, "role": role}, status=201)
            cls.tokens[role] = cls.world.ok("POST", "/auth/token", words, status=201, token=None)["access_token"]
        cls.least = rights()
        cls.document = cls.world.ok("GET", "/openapi.json", token=None)

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
                            self.assertNotIn(status, (401, 403), content)

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
