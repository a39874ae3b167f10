# SPDX-License-Identifier: Apache-2.0
"""Who may do what: tokens, browser sessions, roles, throttling, and what every answer carries."""
import http.client
import json
import time
import unittest

from api_rows import fill
from api_world import ApiWorld

ROLES = ["Viewer", "User", "Op", "Admin"]


class SignIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = ApiWorld(leader=False).__enter__()
        cls.rows = fill(cls.world)
        cls.tokens = {}
        for role in ROLES:
            user = {"username": role.lower(), "password": f"{role}-password-of-mine", "role": role}
            cls.world.ok("POST", "/api/headrace/v1/users", user, status=201)
            cls.tokens[role] = cls.world.ok("POST", "/auth/token", {"username": role.lower(), "password": f"{role}-password-of-mine"}, status=201,
                                            token=None)["access_token"]

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)

    def sign_in(self, name="op", password="Op-password-of-mine"):
        status, headers, body = self.world.call("POST", "/auth/login", {"username": name, "password": password}, token=None, raw=True)
        self.assertEqual(status, 204, body)
        cookie = headers["Set-Cookie"]
        for word in ("headrace_session=", "; Path=/", "; HttpOnly", "; SameSite=Strict"):
            self.assertIn(word, cookie)
        return {"Cookie": cookie.split(";")[0]}

    def test_a_token_by_json_by_form_and_for_the_command_line(self):
        form = "username=viewer&password=Viewer-password-of-mine"
        for path in ("/auth/token", "/auth/token/cli"):
            answer = self.world.ok("POST", path, form, status=201, token=None, headers={"Content-Type": "application/x-www-form-urlencoded"})
            self.assertEqual(self.world.ok("GET", "/api/headrace/v1/me", token=answer["access_token"])["username"], "viewer")
        self.assertEqual(self.world.get("/auth/token", token=None)[0], 403)
        for body, status in (({"username": "viewer", "password": "wrong"}, 401), ({"username": "nobody", "password": "wrong"}, 401),
                             ({"username": "viewer"}, 422), (None, 400)):
            self.assertEqual(self.world.call("POST", "/auth/token", body, token=None)[0], status, body)
        self.assertEqual(self.world.call("POST", "/auth/token", "<x/>", token=None, headers={"Content-Type": "text/xml"})[0], 415)
        self.assertNotIn(self.tokens["Op"], self.world.sql("SELECT string_agg(encode(token_hash, 'escape'), ' ') FROM session"))

    def test_without_a_good_token_everything_is_401(self):
        for token in (None, "x" * 43, self.tokens["Op"][:-1]):
            status, headers, body = self.world.get("/api/v2/dags", token=token, raw=True)
            self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"))
            self.assertIn("detail", json.loads(body))

    def test_each_role_may_what_the_table_says(self):
        may = [  # method, path, body, the least role
            ("GET", "/api/v2/dags", None, "Viewer"),
            ("POST", "/api/v2/dags/no/dagRuns", {"conf": 1}, "User"),
            ("PATCH", "/api/v2/dags/etl", {}, "User"),
            ("POST", "/api/v2/dags/etl/clearTaskInstances", {}, "User"),
            ("POST", "/api/v2/pools", {}, "Op"),
            ("GET", "/api/v2/variables", None, "Op"),
            ("POST", "/api/v2/connections", {}, "Op"),
            ("GET", "/api/v2/config", None, "Op"),
            ("GET", "/api/v2/eventLogs", None, "Op"),
            ("POST", "/api/headrace/v1/workers/no/drain", None, "Op"),
            ("GET", "/api/headrace/v1/users", None, "Admin"),
            ("POST", "/api/headrace/v1/users", {}, "Admin"),
        ]
        for method, path, body, least in may:
            for role in ROLES:
                with self.subTest(path=path, role=role):
                    status, answer = self.world.call(method, path, body, token=self.tokens[role])
                    allowed = ROLES.index(role) >= ROLES.index(least)
                    self.assertEqual(status == 403, not allowed, answer)
                    if not allowed:
                        self.assertEqual(answer["detail"]["reason"], "forbidden")
                        self.assertIn(least, answer["detail"]["message"])
        self.assertIn("Your Airflow administrator chose", self.world.get("/api/v2/config", token=self.tokens["Viewer"])[1]["detail"]["message"])
        denied = self.world.sql("SELECT count(*) FROM audit WHERE NOT allowed AND actor = 'viewer' AND event = 'post_pool'")
        self.assertEqual(denied, "1")

    def test_who_keeps_asking_for_what_they_may_not_have_does_not_fill_the_audit_log(self):
        self.world.ok("POST", "/api/headrace/v1/users", {"username": "pat", "password": "pats-own-password", "role": "Viewer"}, status=201)
        token = self.world.ok("POST", "/auth/token", {"username": "pat", "password": "pats-own-password"}, status=201, token=None)["access_token"]
        began = time.monotonic()
        for _ in range(200):
            self.assertEqual(self.world.call("DELETE", "/api/v2/pools/no", token=token)[0], 403)
        rows = int(self.world.sql("SELECT count(*) FROM audit WHERE NOT allowed AND actor = 'pat'"))
        self.assertLessEqual(rows, 20 + 1 + (time.monotonic() - began) / 10)  # at once, and one each 10 s
        self.assertGreater(rows, 0)

    def test_a_browser_session_needs_its_csrf_token_to_change_anything(self):
        cookie = self.sign_in()
        me = self.world.ok("GET", "/api/headrace/v1/me", token=None, headers=cookie)
        self.assertEqual((me["username"], me["role"]), ("op", "op"))
        self.assertIn("pools.edit", me["permissions"])
        self.assertNotIn("users.edit", me["permissions"])
        body = {"name": "from-browser", "slots": 1}
        for extra in ({}, {"X-Headrace-CSRF": "x" * 43}, {"X-Headrace-CSRF": me["csrf"], "Sec-Fetch-Site": "cross-site"}):
            status, answer = self.world.call("POST", "/api/v2/pools", body, token=None, headers={**cookie, **extra})
            self.assertEqual((status, answer["detail"]["reason"]), (403, "csrf"))
        good = {**cookie, "X-Headrace-CSRF": me["csrf"], "Sec-Fetch-Site": "same-origin"}
        self.assertEqual(self.world.call("POST", "/api/v2/pools", body, token=None, headers=good)[0], 201)
        # a session's secret is no bearer token, a token no cookie
        self.assertEqual(self.world.get("/api/v2/dags", token=cookie["Cookie"].split("=")[1])[0], 401)
        self.assertEqual(self.world.get("/api/v2/dags", token=None, headers={"Cookie": f"headrace_session={self.tokens['Op']}"})[0], 401)
        self.assertEqual(self.world.call("POST", "/auth/logout", token=None, headers=good), (200, {"url": None}))
        self.assertEqual(self.world.get("/api/headrace/v1/me", token=None, headers=cookie)[0], 401)

    def test_a_changed_password_ends_the_sessions(self):
        self.world.ok("POST", "/api/headrace/v1/users", {"username": "eve", "password": "eves-password-of-mine", "role": "Viewer"}, status=201)
        cookie = self.sign_in("eve", "eves-password-of-mine")
        self.assertEqual(self.world.call("POST", "/api/headrace/v1/users/eve/password", {"password": "another-one-of-hers"})[0], 204)
        self.assertEqual(self.world.get("/api/v2/dags", token=None, headers=cookie)[0], 401)
        cookie = self.sign_in("eve", "another-one-of-hers")
        self.assertEqual(self.world.call("DELETE", "/api/headrace/v1/users/eve")[0], 204)
        self.assertEqual(self.world.get("/api/v2/dags", token=None, headers=cookie)[0], 401)
        for name, refused in (("eve", (404, "there is no user eve")), ("admin", (409, "admin is the last administrator"))):
            status, answer = self.world.call("DELETE", f"/api/headrace/v1/users/{name}")
            self.assertEqual((status, answer["detail"]), refused)
        for body, status in (({"username": "op", "password": "long-enough-for-us"}, 409), ({"username": "x", "password": "just-short."}, 422), ({"username": "x", "password": "Password1234"}, 422),
                             ({"username": "a b", "password": "long-enough-for-us"}, 422), ({"username": "y", "password": "long-enough-for-us", "role": "Root"}, 422)):
            self.assertEqual(self.world.call("POST", "/api/headrace/v1/users", body)[0], status, body)

    def test_names_and_passwords_may_be_of_any_length(self):
        wrong = {"detail": "the name or the password is wrong"}
        long, cut = "x" * 1025, "a" + "é" * 200  # more bytes than are kept of a name, and no letter ends there
        for name, password in (("op", long), (cut, "Op-password")):
            status, answer = self.world.call("POST", "/auth/token", {"username": name, "password": password}, token=None)
            self.assertEqual((status, {"detail": answer["detail"]}), (401, wrong))
        for password, word in ((long, "1024 bytes at most"), ("", "12 letters at least")):
            status, answer = self.world.call("POST", "/api/headrace/v1/users", {"username": "new", "password": password})
            self.assertEqual(status, 422)
            self.assertIn(word, json.dumps(answer))

    def test_guessing_is_slowed_down(self):
        seen = []
        for _ in range(8):
            status, headers, _ = self.world.call("POST", "/auth/token", {"username": "target", "password": "x"}, token=None, raw=True)
            seen.append(status)
            if status == 429:
                self.assertGreater(int(headers["Retry-After"]), 0)
        self.assertEqual((seen[0], seen[-1]), (401, 429))

    def test_every_answer_carries_the_security_headers(self):
        for path in ("/api/v2/dags", "/api/v2/nothing", "/", "/dags/etl/runs/x"):
            status, headers, _ = self.world.get(path, raw=True)
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Cross-Origin-Opener-Policy"], "same-origin")
            self.assertTrue(headers["X-Request-Id"])
            self.assertNotIn("Access-Control-Allow-Origin", headers)

    def test_redirects_stay_here(self):
        for wanted, given in {"/sign-in?next=%2Fdags": "/dags", "/sign-in?next=%2F": "//evil.example", "/sign-in?next=%2F": "https://evil.example"}.items():
            status, headers, _ = self.world.get("/api/v2/auth/login?next=" + given, raw=True, token=None)
            self.assertEqual((status, headers["Location"]), (307, wanted))

    def test_strange_requests_get_their_status(self):
        for method, path, status in (("GET", "/api/v2/dags/%2e%2e", 400), ("GET", "/api/v2/dags/a%2fb", 400), ("GET", "/api/v2/dags/%00", 400),
                                     ("PUT", "/api/v2/dags", 405), ("BREW", "/", 501), ("TRACE", "/", 405), ("GET", "/" + "a" * 9000, 414)):
            with self.subTest(path=path[:40]):
                got, headers, _ = self.world.call(method, path, raw=True)
                self.assertEqual(got, status)
        got, _ = self.world.call("POST", "/api/v2/pools", "{", headers={"Content-Type": "application/json"})
        self.assertEqual(got, 400)
        got, _ = self.world.call("POST", "/api/v2/pools", '{"name": "a", "name": "b"}', headers={"Content-Type": "application/json"})
        self.assertEqual(got, 400)
        got, _ = self.world.call("POST", "/api/v2/pools", "[" * 40 + "]" * 40, headers={"Content-Type": "application/json"})
        self.assertEqual(got, 400)
        got, _ = self.world.call("POST", "/api/v2/pools", b'{"name": "\xff"}', headers={"Content-Type": "application/json"})
        self.assertEqual(got, 400)
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port)
        connection.putrequest("POST", "/api/v2/pools")
        connection.putheader("Content-Length", str(2 << 20))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)
        connection.close()


if __name__ == "__main__":
    unittest.main()
