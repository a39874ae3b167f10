# SPDX-License-Identifier: Apache-2.0
"""Behind a proxy that speaks TLS: what cookies are for, and who is counted as whom."""
import subprocess
import tempfile
import time
import unittest

from api_world import BIN, ApiWorld, wait_for


class BehindProxy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = ApiWorld({"api__behind_tls": "true", "api__trusted_proxies": "127.0.0.1, 10.0.0.0/8"}, leader=False).__enter__()
        cls.world.ok("POST", "/api/headrace/v1/users", {"username": "ada", "password": "adas-own-password", "role": "User"}, status=201)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)

    def guess_until_refused(self, address_of):
        """As fast as tries may come: with a password too long to be compared."""
        deadline, tries = time.monotonic() + 120, 0
        while self.sign_in(address_of(tries), f"nobody-{tries}", "x" * 2000)[0] != 429:
            self.assertLess(time.monotonic(), deadline)
            tries += 1
        self.assertGreaterEqual(tries, 30)

    def sign_in(self, address, name="ada", password="adas-own-password"):
        return self.world.call("POST", "/auth/login", {"username": name, "password": password}, token=None, raw=True,
                               headers={"X-Forwarded-For": address})

    def test_cookies_are_for_tls_alone_though_there_is_no_certificate(self):
        status, headers, body = self.sign_in("192.0.2.1")
        self.assertEqual(status, 204, body)
        self.assertTrue(headers["Set-Cookie"].startswith("__Host-headrace="), headers["Set-Cookie"])
        self.assertIn("; Secure", headers["Set-Cookie"])
        cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        me = self.world.ok("GET", "/api/headrace/v1/me", token=None, headers=cookie)
        self.assertEqual(me["username"], "ada")
        status, headers, _ = self.world.call("POST", "/auth/logout", token=None, raw=True, headers={**cookie, "X-Headrace-CSRF": me["csrf"]})
        self.assertEqual(status, 200)
        self.assertRegex(headers["Set-Cookie"], "^__Host-headrace=; .*Max-Age=0; Secure$")

    def test_the_description_names_the_cookie_as_it_is_called_here(self):
        schemes = self.world.get("/openapi.json", token=None)[1]["components"]["securitySchemes"]
        self.assertEqual(schemes["cookie"]["name"], "__Host-headrace")

    def test_who_guesses_passwords_locks_out_nobody_else_behind_the_same_proxy(self):
        # what a client writes into the header itself does not make it another
        self.guess_until_refused(lambda i: f"192.0.2.{i % 256}, 198.51.100.9, 10.0.0.3")
        self.assertEqual(self.sign_in("192.0.2.2")[0], 204)
        denied = "SELECT count(*) FROM audit WHERE event = 'sign_in' AND NOT allowed AND address = '198.51.100.9'"
        wait_for(lambda: int(self.world.sql(denied)) >= 30, "the record of the guesses", 120)

    def test_all_of_a_clients_64_bits_are_one(self):
        self.guess_until_refused(lambda i: f"2001:db8:1:2::{i + 1:x}")
        self.assertEqual(self.sign_in("2001:db8:1:3::1")[0], 204)


class Refusal(unittest.TestCase):
    def test_a_proxy_that_is_no_address_is_refused_by_name(self):
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run([BIN / "headrace-webserver", "--api.trusted_proxies=10.0.0.0/8, proxy.example"], capture_output=True, text=True,
                                  env={"HEADRACE_HOME": home}, timeout=120)
        self.assertEqual(done.returncode, 1)
        self.assertIn("api.trusted_proxies: 'proxy.example' is no address", done.stderr)


if __name__ == "__main__":
    unittest.main()
