# SPDX-License-Identifier: Apache-2.0
"""The web server outlives its database: it starts without it, says what is wrong, and recovers by itself."""
import json
import subprocess
import unittest

from api_rows import fill
from api_world import ApiWorld, wait_for


class Outage(unittest.TestCase):
    def test_the_database_goes_and_comes_back(self):
        with ApiWorld(leader=False) as world:
            fill(world)
            before = world.ok("GET", "/api/v2/dags")["total_entries"]
            world.pg.stop()
            wait_for(lambda: world.health()["metadatabase"]["status"] == "unhealthy", "the web server to notice")
            status, headers, body = world.get("/api/v2/dags", raw=True)
            self.assertEqual((status, headers["Retry-After"]), (503, "2"))
            self.assertIn("database", json.loads(body)["detail"])
            self.assertEqual(world.call("POST", "/api/v2/dags/etl/dagRuns", {})[0], 503)
            self.assertEqual(world.get("/api/v2/version")[0], 200)
            world.pg.start()
            wait_for(lambda: world.health()["metadatabase"]["status"] == "healthy", "the web server to recover", 60)
            self.assertEqual(world.ok("GET", "/api/v2/dags")["total_entries"], before)

    def test_it_starts_without_its_database_and_finds_it_later(self):
        with ApiWorld(leader=False) as world:
            world.stop()
            world.pg.stop()
            world._is_healthy = lambda: world.process.poll() is None and self.answers(world)
            world.start()
            self.assertEqual(world.health()["metadatabase"]["status"], "unhealthy")
            world.pg.start()
            wait_for(lambda: world.health()["metadatabase"]["status"] == "healthy", "the database to be found", 60)
            self.assertEqual(world.get("/api/v2/dags")[0], 200)

    def answers(self, world):
        try:
            return world.health()
        except OSError:
            return False

    def test_health_tells_the_scheduler_by_its_lease(self):
        with ApiWorld(leader=False) as world:
            self.assertEqual(world.health()["scheduler"]["status"], "unhealthy")
            world.sql("UPDATE lease SET holder = 's-1', epoch = 1, expires_at = now() + interval '10 seconds'")
            health = world.health()
            self.assertEqual((health["scheduler"]["status"], health["dag_processor"]["status"]), ("healthy", "healthy"))
            self.assertIn("T", health["scheduler"]["latest_scheduler_heartbeat"])

    def test_a_port_that_is_taken_is_said_and_ends_it(self):
        with ApiWorld(leader=False) as world:
            env = {"PATH": "/usr/bin:/bin", "HEADRACE_HOME": str(world.home / "home"), "HEADRACE__API__PORT": str(world.port),
                   "HEADRACE__LOGGING__PORT": "0", "HEADRACE__DATABASE__CONN": world.pg.conninfo()}
            done = subprocess.run([str(__import__("api_world").BIN / "headrace-webserver")], env=env, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(world.port), done.stderr)
            env["HEADRACE__API__HOST"] = "0.0.0.0"
            done = subprocess.run([str(__import__("api_world").BIN / "headrace-webserver")], env=env, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertIn("in the clear", done.stderr)


if __name__ == "__main__":
    unittest.main()
