# SPDX-License-Identifier: Apache-2.0
"""What the web server holds for clients that take their time with large answers: little, and no more for a larger answer."""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import socket
import subprocess
import unittest

os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"  # so that memory tells what the program keeps

from api_world import ApiWorld, wait_for

MEBIBYTE = 1 << 20
READERS, ROWS, ROW_BYTES = 40, 100, 64 * 1024
EVENTS = f"/api/v2/eventLogs?limit={ROWS}"
BOUND = 64 * MEBIBYTE  # docs/operations/day-to-day.md: half a MiB a client; the rest is the sanitizer's


def fill(world):
    """Rows of letters that differ, so that nothing makes less of them."""
    world.sql(f"""INSERT INTO audit (at, actor, event, allowed, chain, detail) SELECT now(), 'ada', 'put', true, '\\x00', jsonb_build_object('text', (
        SELECT string_agg(md5((n * 1000000 + k)::text), '') FROM generate_series(1, {ROW_BYTES // 32}) k)) FROM generate_series(1, {ROWS}) n""")


def memory_bytes(world):
    """What it has, and the most that it has had."""
    status = pathlib.Path(f"/proc/{world.process.pid}/status").read_text()
    return [int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024 for name in ("VmRSS", "VmHWM")]


class SlowReader:
    """Asks, and reads nothing but what it is told to."""

    def __init__(self, world, path):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(120)
        self.socket.connect(("127.0.0.1", world.port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer {world.token}\r\n\r\n".encode())

    def begin(self):
        self.got = self.socket.recv(100)

    def read_all(self):
        parts = [self.got]
        while parts[-1]:
            parts.append(self.socket.recv(1 << 20))
        head, _, body = b"".join(parts).partition(b"\r\n\r\n")
        return head, body


class Memory(unittest.TestCase):
    def test_many_slow_readers_of_a_large_list_cost_no_more_than_the_stated_bound_and_get_all_of_it(self):
        with ApiWorld(settings={"api__requests_per_second": 0}, leader=False) as world:
            fill(world)
            _, _, wanted = world.call("GET", EVENTS, raw=True)
            self.assertGreater(len(wanted), ROWS * ROW_BYTES)
            world.stop()
            world.start()  # what it has needed until now does not count
            world.get("/api/v2/dags")
            before = memory_bytes(world)
            with contextlib.ExitStack() as stack:
                readers = [SlowReader(world, EVENTS) for _ in range(READERS)]
                for reader in readers:
                    stack.enter_context(reader.socket)
                    reader.begin()
                grown = [now - then for now, then in zip(memory_bytes(world), before)]
                self.assertLess(max(grown), BOUND, f"{READERS} readers of {len(wanted)} bytes each: {grown}")
                for reader in readers[:3]:
                    head, body = reader.read_all()
                    self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
                    self.assertEqual(hashlib.sha256(body).digest(), hashlib.sha256(wanted).digest())
                self.assertEqual(list(world.home.glob("home/.answer*")), [])
            wait_for(lambda: files_without_a_name(world) == 0, "the files of those who left to be closed", 60)
            self.assertEqual(world.get("/api/v2/dags")[0], 200)

    def test_a_large_answer_that_is_polled_is_sent_once(self):
        with ApiWorld(leader=False) as world:
            source = "# " + "x" * MEBIBYTE
            world.sql(f"""INSERT INTO dag (dag_id, fileloc) VALUES ('large', 'large.yaml');
                INSERT INTO dag_version (dag_no, version_number, hash, ir, source) SELECT dag_no, 1, '\\x01', '{{"id": "large", "tasks": []}}', '{source}' FROM dag;
                UPDATE dag SET version_no = (SELECT version_no FROM dag_version)""")
            status, headers, body = world.call("GET", "/api/v2/dagSources/large", headers={"Accept": "application/json"}, raw=True)
            self.assertEqual((status, json.loads(body)["content"]), (200, source))
            status, _, body = world.call("GET", "/api/v2/dagSources/large", headers={"If-None-Match": headers["ETag"]}, raw=True)
            self.assertEqual((status, body), (304, b""))
            status, _, body = world.call("GET", "/api/v2/dagSources/large", headers={"Accept": "text/plain"}, raw=True)
            self.assertEqual((status, body.decode()), (200, source))

    def test_a_client_of_an_older_release_is_told_when_a_list_is_too_large_to_be_told_its_way(self):
        with ApiWorld(leader=False) as world:
            fill(world)
            world.add_dag("wide", {"tasks": [{"id": "a", "operator_kind": "bash"}]})
            for n in range(ROWS):
                world.add_run("wide", f"run_{n}")
            world.sql("UPDATE run SET conf = (SELECT detail FROM audit ORDER BY audit_no DESC LIMIT 1)")
            older = {"User-Agent": "OpenAPI-Generator/3.0.2/python"}
            answer = world.ok("GET", f"/api/v2/dags/wide/dagRuns?limit={ROWS}", headers=older, status=422)
            self.assertEqual(answer["detail"][0]["loc"], ["query", "limit"])
            self.assertIn("ask for fewer rows", answer["detail"][0]["msg"])
            world.description = None  # which is of what newer clients are told
            status, _, body = world.call("GET", "/api/v2/dags/wide/dagRuns?limit=20", headers=older, raw=True)
            self.assertEqual((status, len(json.loads(body)["dag_runs"])), (200, 20))
            self.assertEqual(len(world.ok("GET", EVENTS, headers=older)["event_logs"]), ROWS)  # of which it knows all

    def test_an_answer_for_which_there_is_no_room_is_refused_and_not_remembered(self):
        with ApiWorld(leader=False) as world:
            fill(world)
            (world.home / "home").rename(world.home / "away")  # where such answers wait
            for headers in ({}, {"User-Agent": "OpenAPI-Generator/3.0.2/python"}):
                status, told, _ = world.call("GET", EVENTS, headers=headers, raw=True)
                self.assertEqual((status, told.get("ETag")), (503, None))


def files_without_a_name(world):
    links = subprocess.run(["find", f"/proc/{world.process.pid}/fd", "-lname", "*/.answer-*"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return len(links.splitlines())  # find passes over what is closed while it looks


if __name__ == "__main__":
    unittest.main()
