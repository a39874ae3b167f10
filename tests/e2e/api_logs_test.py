# SPDX-License-Identifier: Apache-2.0
"""Logs that lie there as files: looked through piece by piece, and told of by a stream."""
import http.client
import json
import time
import unittest

from api_rows import fill
from api_world import ApiWorld

LOG = "/api/headrace/v1/ui/log/etl/manual__1/extract.orders/-1/1"


class Logs(unittest.TestCase):
    def setUp(self):
        self.world = ApiWorld().__enter__()
        self.addCleanup(lambda: self.world.__exit__(None, None, None))
        self.rows = fill(self.world)

    def write(self, attempt, texts):
        folder = self.world.home / "home/logs" / self.world.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{attempt}.log").write_text("".join(f"1795233600000 O {text}\n" for text in texts))
        (folder / f"{attempt}.end").touch()

    def stream(self, topics):
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", f"/api/headrace/v1/stream?topics={topics}", headers={"Authorization": f"Bearer {self.world.token}"})
        return connection.getresponse()

    def logs_told(self, answer, count):
        """{name: lines} of the next so many events of logs."""
        told, event, deadline = {}, None, time.monotonic() + 60
        while len(told) < count:
            self.assertLess(time.monotonic(), deadline, told)  # pings come for ever
            key, _, value = answer.readline().decode().rstrip("\n").partition(": ")
            event = value if key == "event" else event
            if key == "data" and event == "log":
                told[json.loads(value)["log"]] = json.loads(value)["lines"]
        return told

    def test_a_search_gives_way_to_others_and_is_gone_on_with(self):
        # Nearly what is wanted stands everywhere: the dearest of lines.
        self.write(self.rows["attempt"], ["a" * 900_000] * 30 + ["x" + "A" * 255 + "b"])
        search = f"{LOG}/search?q={'a' * 255}b"
        seconds = []
        for _ in range(5):
            begun = time.monotonic()
            self.assertGreater(self.world.ok("GET", search)["searched"], 0)
            seconds.append(time.monotonic() - begun)
        self.assertLess(min(seconds), 0.9)
        found, at, more = [], 0, True
        while more:
            answer = self.world.ok("GET", f"{search}&from={at}")
            self.assertGreater(answer["searched"], at)
            found, at, more = found + answer["lines"], answer["searched"], answer["more"]
        self.assertEqual((found, at), ([30], 31))
        self.assertEqual(self.world.ok("GET", f"{search}&case=true&from=30")["lines"], [])
        self.assertEqual(self.world.call("GET", f"{LOG}/search?q={'a' * 257}")[0], 422)

    def test_the_newest_try_that_has_a_log_is_found_without_its_number(self):
        newest = lambda task: self.world.call("GET", f"/api/headrace/v1/ui/log/etl/{task}/newest?tail=512", raw=True)  # noqa: E731
        tries = [self.world.add_try(self.rows["failed"], 3, 5, map_index=7, row_no=n, try_no=n) for n in (1, 2)]
        for attempt, said, number in ((None, "", "0"), (tries[0], "first", "1"), (tries[1], "second", "2")):
            if attempt:
                self.write(attempt, [said])
            status, headers, content = newest("manual__failed/each/7")
            self.assertEqual((status, headers["Log-Try"], content.decode().strip()[26:].strip()), (200, number, said))
        self.assertEqual(newest("manual__failed/each/-1")[1]["Log-Try"], "0", "a mapped task has none")
        self.assertEqual(newest("manual__failed/none_such/-1")[0], 404)

    def test_a_stream_tells_of_each_of_its_logs(self):
        run, names = self.rows["run"], []
        for index in range(10, 30):
            self.write(self.world.add_try(run, 3, 4, map_index=index), ["line"] * index)
            names.append(f"etl/manual__1/each/{index}/1")
        answer = self.stream(",".join(f"log:{name}" for name in names))
        self.assertEqual(self.logs_told(answer, 20), {name: index for index, name in zip(range(10, 30), names)})


if __name__ == "__main__":
    unittest.main()
