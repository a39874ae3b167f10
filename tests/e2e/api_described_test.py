# SPDX-License-Identifier: Apache-2.0
"""/openapi.json is complete and true: each operation says what it takes and gives, and takes just that. What it gives is held to it by every
other test of the API (tests/support/api_schema.py)."""
import copy
import json
import unittest
import urllib.parse

from api_rows import fill
from api_world import SOURCE, ApiWorld

GOOD = {"string": "x", "boolean": "true", "integer": "1", "number": "1.5", "date-time": "2026-11-21T06:00:00Z"}
OWN = {"timezone": "Europe/Zurich", "after": "1.1"}  # texts of a form
TOGETHER = {"verify_audit_log"}  # its parameters are given both, or neither
WRONG = {"boolean": "perhaps", "integer": "x", "number": "x", "date-time": "yesterday"}
# A run that has ended: `wait` answers at once.
PLACES = {"dag_id": "etl", "dag_run_id": "scheduled__1", "task_id": "arrived", "map_index": "-1", "name": "w-1", "version_number": "1"}


class Described(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = ApiWorld(leader=False).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        fill(cls.world)
        cls.document = cls.world.ok("GET", "/openapi.json", token=None)

    def operations(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def reading(self):
        """What can be asked for with what is there: GET, and all of its address known."""
        for method, path, operation in self.operations():
            if method == "GET" and path.startswith("/api/") and operation["operationId"] != "get_stream":
                address = path
                for name, value in PLACES.items():
                    address = address.replace("{" + name + "}", value)
                if "{" not in address and self.world.get(address)[0] == 200:
                    yield address, operation

    def queries(self, operation):
        for parameter in operation["parameters"]:
            if parameter["in"] == "query":
                schema = parameter["schema"]
                one = schema.get("items", schema)
                yield parameter["name"], one.get("enum"), one.get("format", one.get("type"))

    def test_every_operation_says_what_it_takes_and_gives(self):
        """Add a row to webserver/api/operations.def for what is named here."""
        self.assertEqual([operation["operationId"] for *_, operation in self.operations() if "x-undescribed" in operation], [])

    def test_what_refers_to_something_finds_it(self):
        ids = {operation["operationId"] for *_, operation in self.operations()}
        for *_, operation in self.operations():
            for response in operation["responses"].values():
                for name, link in response.get("links", {}).items():
                    self.assertIn(link["operationId"], ids)
        text, shapes = json.dumps(self.document), (SOURCE / "webserver/api/shapes.def").read_text()
        for name in self.document["components"]["schemas"]:
            is_part = f"...{name}," in shapes
            self.assertTrue(is_part or f'"#/components/schemas/{name}"' in text, f"nothing has the shape {name}")

    def test_every_parameter_is_taken_and_its_type_is_kept(self):
        asked = 0
        for address, operation in self.reading():
            for name, words, kind in self.queries(operation) if operation["operationId"] not in TOGETHER else ():
                with self.subTest(operation=operation["operationId"], parameter=name):
                    for word in words or [OWN.get(name, "x") if kind == "string" else GOOD[kind]]:
                        status, answer = self.world.get(f"{address}?{name}={urllib.parse.quote(str(word))}")
                        self.assertIn(status, (200, 404), answer)
                    if kind in WRONG:
                        self.assertEqual(self.world.get(f"{address}?{name}={WRONG[kind]}")[0], 422)
                    asked += 1
        self.assertGreater(asked, 200)

    def test_a_fault_in_an_answer_is_found(self):
        pool = {"pools": [self.world.ok("GET", "/api/v2/pools/db")], "total_entries": 1}
        operation = self.world.description.operation("GET", "/api/v2/pools")

        def faults(change):
            answer = copy.deepcopy(pool)
            change(answer["pools"][0])
            return self.world.description.faults(operation, 200, "application/json", json.dumps(answer))

        self.assertEqual(faults(lambda pool: None), [])
        self.assertEqual(faults(lambda pool: pool.pop("slots")), [".pools[0].slots is missing"])
        self.assertEqual(faults(lambda pool: pool.update(colour="red")), [".pools[0].colour is not described"])
        self.assertIn("string instead of integer", faults(lambda pool: pool.update(slots="2"))[0])
        self.assertIn("none of", self.world.description.faults(operation, 302, "application/json", "{}")[0])


if __name__ == "__main__":
    unittest.main()
