# SPDX-License-Identifier: Apache-2.0
"""The web server and whoever speaks to it badly: malformed requests, too many of them, and clients that are slow or do nothing."""
import json
import os
import pathlib
import re
import socket
import time
import unittest

os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"  # so that memory tells what the program keeps

from api_rows import fill
from api_world import ApiWorld, wait_for
from crowd import Crowd
from malformed import all_kinds

ROUNDS = 3
MEBIBYTE = 1 << 20


def rss_bytes(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def read_all(sock):
    got = b""
    while True:
        try:
            part = sock.recv(65536)
        except (ConnectionResetError, TimeoutError):
            return got
        if not part:
            return got
        got += part


def exchange(port, row):
    what, data, status = row
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        try:
            sock.sendall(data)
            if status == 0:
                sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it had all; the answer is there nevertheless
        return read_all(sock)


def status_of(answer):
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return int(found[1]) if found else 0


class Malformed(unittest.TestCase):
    def check(self, row, answer):
        """None, or what is wrong with the answer."""
        what, data, status = row
        got = status_of(answer)
        if got != status:
            return f"{what}: {got} instead of {status}; {answer[-300:]!r}"
        if len(re.findall(rb"HTTP/1\.1 \d{3} ", answer)) != (1 if status else 0):
            return f"{what}: more than one answer"
        if status == 0:
            return None
        head, _, body = answer.partition(b"\r\n\r\n")
        if b"\r\nConnection: close" not in head or b"\r\nContent-Type: application/" not in head:
            return f"{what}: {head!r}"
        if status == 405 and b"\r\nAllow: " not in head:
            return f"{what}: no Allow"
        if not json.loads(body)["detail"]:
            return f"{what}: {body!r}"

    def test_each_gets_its_documented_answer_at_once_and_leaves_nothing_behind(self):
        with ApiWorld(leader=False) as world:
            fill(world)
            rows = all_kinds(world.token)
            self.assertGreater(len(rows), 500)
            wrong, quickest = [], [60.0] * len(rows)
            sizes = []
            for turn in range(ROUNDS):
                for index, row in enumerate(rows):
                    started = time.monotonic()
                    answer = exchange(world.port, row)
                    quickest[index] = min(quickest[index], time.monotonic() - started)
                    complaint = self.check(row, answer) if turn == 0 else None
                    if complaint:
                        wrong.append(complaint)
                    elif turn > 0:
                        self.assertEqual(status_of(answer), row[2], row[0])
                self.assertEqual(wrong, [], "\n" + "\n".join(wrong))
                self.assertEqual(world.get("/api/v2/dags")[0], 200)
                sizes.append(rss_bytes(world.process.pid))
            # The quickest of the rounds: this is about the server, not about what else the machine does.
            slow = [(row[0], seconds) for row, seconds in zip(rows, quickest) if seconds > 1]
            self.assertEqual(slow, [])
            self.assertLess(sizes[-1] - sizes[0], 16 * MEBIBYTE, f"memory by round: {sizes}")


def latencies(world, count):
    """Seconds of requests on connections of their own."""
    taken = []
    for _ in range(count):
        started = time.monotonic()
        status, _ = world.get("/api/v2/dags")
        taken.append(time.monotonic() - started)
        assert status == 200, status
    return sorted(taken)


class Slow(unittest.TestCase):
    def test_a_thousand_slow_and_a_thousand_idle_clients_hold_up_nobody(self):
        with ApiWorld(leader=False) as world:
            fill(world)
            alone = latencies(world, 200)
            answer_bytes = len(world.call("GET", "/openapi.json", token=None, raw=True)[2])
            before = rss_bytes(world.process.pid)
            with Crowd(world.port, idle=1000, slow=1000) as crowd:
                beside = latencies(world, 200)
                wait_for(lambda: crowd.ended["head", 408] >= 300 and crowd.ended["body", 408] >= 300, "the slow ones to be sent away", 90)
                beside = sorted(beside + latencies(world, 200))
                grown = rss_bytes(world.process.pid) - before
                self.assertEqual({key for key in crowd.ended if key[0] != "answer"}, {("head", 408), ("body", 408)})
            p99 = beside[len(beside) * 99 // 100]
            # The machine may be slow by itself: then the crowd must not have made it much slower.
            self.assertTrue(p99 < 0.2 or p99 < 4 * alone[len(alone) * 99 // 100],
                            f"p99 {p99 * 1000:.0f} ms, alone {alone[len(alone) * 99 // 100] * 1000:.0f} ms")
            # One answer for each of those who do not read it, and what connections take.
            self.assertLess(grown, 64 * MEBIBYTE + 334 * answer_bytes)
            print(f"p99 {p99 * 1000:.1f} ms beside them, {alone[len(alone) * 99 // 100] * 1000:.1f} ms alone; {grown / MEBIBYTE:.1f} MiB more; {dict(crowd.ended)}")


class Polling(unittest.TestCase):
    POLLED = ["/api/v2/dags", "/api/v2/dags/etl", "/api/v2/dags/etl/details", "/api/v2/dags/etl/tasks", "/api/v2/dags/etl/dagRuns?state=failed",
              "/api/v2/dags/etl/dagRuns/manual__failed", "/api/v2/dags/etl/dagRuns/manual__failed/taskInstances", "/api/v2/dags/etl/dagVersions",
              "/api/v2/dags/etl/dagRuns/manual__failed/taskInstances/arrived", "/api/v2/importErrors", "/api/v2/pools", "/api/v2/version",
              "/api/headrace/v1/ui/grid/etl/shape"]

    def test_what_has_not_changed_is_told_without_being_sent(self):
        with ApiWorld(leader=False) as world:
            fill(world)
            for path in self.POLLED:
                with self.subTest(path):
                    status, headers, body = world.get(path, raw=True)
                    tag = headers["ETag"]
                    self.assertEqual((status, headers["Cache-Control"]), (200, "private, no-cache"))
                    status, head, nothing = world.call("HEAD", path, raw=True)
                    self.assertEqual((status, head["ETag"], head["Content-Length"], nothing), (200, tag, str(len(body)), b""))
                    for known in (tag, f'"other", {tag}', "*", tag.removeprefix("W/"), "W/" + tag.removeprefix("W/")):
                        for method in ("GET", "HEAD"):
                            status, again, nothing = world.call(method, path, headers={"If-None-Match": known}, raw=True)
                            self.assertEqual((status, again["ETag"], nothing), (304, tag, b""))
                    self.assertEqual(world.get(path, headers={"If-None-Match": '"other"'}, raw=True)[2], body)

    def test_a_change_has_another_tag_and_secrets_and_changes_have_none(self):
        with ApiWorld(leader=False) as world:
            fill(world)
            path = "/api/v2/dags/etl"
            before = world.get(path, raw=True)[1]["ETag"]
            world.sql("UPDATE dag SET is_paused = true WHERE dag_id = 'etl'")
            status, headers, body = world.get(path, headers={"If-None-Match": before}, raw=True)
            self.assertEqual((status, json.loads(body)["is_paused"]), (200, True))
            self.assertNotEqual(headers["ETag"], before)
            self.assertEqual(world.get("/api/v2/dags/no", headers={"If-None-Match": "*"})[0], 404)
            self.assertEqual(world.get(path, headers={"If-None-Match": "*"}, token=None)[0], 401)
            world.ok("POST", "/api/v2/variables", {"key": "k", "value": "v"}, status=201)
            for method, path, body in (("GET", "/api/v2/variables/k", None), ("GET", "/api/v2/connections", None),
                                       ("POST", "/api/v2/dags/~/dagRuns/list", {})):
                status, headers, _ = world.call(method, path, body, headers={"If-None-Match": "*"}, raw=True)
                self.assertEqual((status, headers["ETag"], headers["Cache-Control"]), (200, None, "no-store"))


class Budgets(unittest.TestCase):
    def test_a_client_that_asks_for_too_much_is_told_when_to_come_again_and_others_are_served(self):
        with ApiWorld(settings={"api__requests_per_second": 2, "api__triggers_per_second": 1}, leader=False) as world:
            fill(world)

            def refused(method, path, body=None, token="owner"):
                status, headers, content = world.call(method, path, body, token=token, raw=True)
                return headers if status == 429 else None

            def allowed(path, token="owner"):
                return world.get(path, token=token)[0] != 429
            wait_for(lambda: refused("GET", "/api/v2/version", token=None), "an address to have asked too much", 60, 0)
            wait_for(lambda: allowed("/api/v2/dags"), "the address to be heard again", 60)
            headers = wait_for(lambda: refused("POST", "/api/v2/dags/etl/dagRuns", {"note": 1}), "a user to have triggered too much", 60, 0)
            self.assertGreaterEqual(int(headers["Retry-After"]), 1)
            wait_for(lambda: allowed("/api/v2/dags"), "the user to read", 60)
            text = wait_for(lambda: self.metric(world), "the metrics", 60)
            self.assertGreater(text, 0)

    def metric(self, world):
        status, _, content = world.get("/metrics", raw=True)
        found = re.search(rb"headrace_api_throttled_total (\d+)", content)
        return int(found[1]) if status == 200 and found else 0


if __name__ == "__main__":
    unittest.main()
