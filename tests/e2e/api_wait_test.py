# SPDX-License-Identifier: Apache-2.0
"""Clients that wait for the end of a run: what they are told when the server stops, and that one that has gone is not looked for on."""
import http.client
import json
import pathlib
import unittest

from api_world import ApiWorld, wait_for

WAIT = "/api/v2/dags/etl/dagRuns/first/wait?interval=0.1"
LINES, JSON = "application/x-ndjson", "application/json"
CLOSE_WAIT = "08"


def begin_to_wait(world, accept):
    """(connection, answer), after the first look: the head of the answer is there."""
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=120)
    connection.request("GET", WAIT, headers={"Authorization": f"Bearer {world.token}", "Accept": accept})
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    return connection, answer


def left_by_their_clients(world):
    """Connections of the web server of which the other side is closed."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row for row in rows if int(row[1].split(":")[1], 16) == world.port and row[3] == CLOSE_WAIT]


class Waiting(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(ApiWorld(leader=False))
        self.world.add_dag("etl", {"tasks": [{"id": "load"}]})
        self.world.add_run("etl", "first")

    def test_the_end_is_told_in_lines_and_as_one_value(self):
        waits = [begin_to_wait(self.world, accept) for accept in (LINES, JSON)]
        self.world.sql("UPDATE run SET state = 2, ended_at = now()")
        lines, value = [answer.read() for _, answer in waits]
        self.assertEqual(json.loads(lines.splitlines()[0]), {"state": "running"})
        self.assertEqual(json.loads(lines.splitlines()[-1]), {"state": "success"})
        self.assertEqual(json.loads(value), {"state": "success"})

    def test_a_server_that_stops_ends_each_wait_with_the_state_it_saw(self):
        waits = [begin_to_wait(self.world, accept) for accept in (LINES, JSON)]
        self.world.stop()
        lines, value = [answer.read() for _, answer in waits]  # IncompleteRead, had it been cut off
        self.assertEqual({json.loads(line)["state"] for line in lines.splitlines()}, {"running"})
        self.assertEqual(json.loads(value), {"state": "running"})

    def test_a_client_that_has_gone_is_noticed_however_it_was_answered(self):
        for accept, first in ((LINES, b"{"), (JSON, b"\n")):
            with self.subTest(accept=accept):
                connection, answer = begin_to_wait(self.world, accept)
                self.assertEqual(answer.read(1), first)  # of what is sent at every look, while nothing has happened
                answer.close()
                connection.close()
                wait_for(lambda: not left_by_their_clients(self.world), "the web server to let the connection go", 60)


if __name__ == "__main__":
    unittest.main()
