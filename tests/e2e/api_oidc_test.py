# SPDX-License-Identifier: Apache-2.0
"""Signing in at a provider of OpenID Connect: a real one (oidc-provider, from npm), and one that lies."""
import base64
import hashlib
import http.client
import http.cookies
import json
import pathlib
import re
import subprocess
import time
import unittest
import urllib.parse

from api_world import ApiWorld, free_port
from node_packages import folder_or_skip

SCRIPTS = pathlib.Path(__file__).parent / "oidc"
PACKAGES = folder_or_skip("oidc-provider@8.8.1")


class Script:
    """A program of the test on a port of its own, until stop."""

    def __init__(self, name, port, *args):
        self.process = subprocess.Popen(["node", SCRIPTS / name, PACKAGES, str(port), *args], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line == "ready\n":
                return
        raise AssertionError(f"{name} ended")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()


class Browser:
    """Keeps cookies by port, and follows no redirect by itself."""

    def __init__(self):
        self.cookies = {}

    def ask(self, url, form=None):
        """(status, where to, body)"""
        parts = urllib.parse.urlsplit(url)
        jar = self.cookies.setdefault(parts.port, {})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        connection.request("GET" if form is None else "POST", f"{parts.path}?{parts.query}" if parts.query else parts.path,
                           None if form is None else urllib.parse.urlencode(form), headers)
        answer = connection.getresponse()
        body = answer.read()
        for header in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(header).items():
                if morsel.value and morsel["max-age"] != "0":
                    jar[name] = morsel.value
                else:
                    jar.pop(name, None)
        connection.close()
        where = answer.headers["Location"]
        return answer.status, where and urllib.parse.urljoin(url, where), body


class World(ApiWorld):
    def __init__(self, provider_port, client, secret="", **more):
        settings = {"oidc__issuer": f"http://127.0.0.1:{provider_port}", "oidc__client_id": client, "oidc__client_secret": secret,
                    "oidc__scopes": "openid profile email groups", "oidc__label": "Example login", "oidc__roles": "ops=Op, devs=User", **more}
        super().__init__(settings, leader=False)
        self.settings["oidc__redirect_url"] = self.url("/auth/oidc/callback")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def me(self, browser):
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies[self.port].items())
        return self.call("GET", "/api/headrace/v1/me", token=None, headers={"Cookie": cookies})


class RealProvider(unittest.TestCase):
    more = ()

    def begin(self, client, secret="", **more):
        self.provider_port = free_port()
        self.world = World(self.provider_port, client, secret, **more)
        self.provider = self.start_provider()
        self.addCleanup(lambda: self.provider.stop())
        self.enterContext(self.world)

    def start_provider(self):
        return Script("provider.mjs", self.provider_port, self.world.url("/auth/oidc/callback"), *self.more)

    def sign_in(self, name, next_path="/dags/etl?tab=runs", browser=None):
        """Through the provider's forms, as a person would; gives (browser, where it ended)."""
        browser, self.asked_for_name = browser or Browser(), False
        _, where, _ = browser.ask(self.world.url("/auth/oidc/login?next=" + urllib.parse.quote(next_path)))
        self.assertEqual(urllib.parse.urlsplit(where).port, self.provider_port)
        deadline = time.monotonic() + 120
        while urllib.parse.urlsplit(where).port != self.world.port:
            self.assertLess(time.monotonic(), deadline, where)
            status, further, body = browser.ask(where)
            if further is None:
                self.assertEqual(status, 200, body)
                self.asked_for_name = self.asked_for_name or b'name="login"' in body
                form = {"prompt": "login", "login": name, "password": "x"} if b'name="login"' in body else {"prompt": "consent"}
                _, further, body = browser.ask(where, form)
            where = further
        self.callback = where
        status, where, _ = browser.ask(where)
        self.assertEqual(status, 303)
        return browser, urllib.parse.urlsplit(where)

    def sign_out(self, browser):
        """Where the browser is sent, or None."""
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies[self.world.port].items())
        headers = {"Cookie": cookies, "X-Headrace-CSRF": self.world.me(browser)[1]["csrf"]}
        url = self.world.ok("POST", "/auth/logout", token=None, headers=headers)["url"]
        self.assertEqual(self.world.me(browser)[0], 401)
        return url

    def test_somebody_new_gets_an_account_with_the_role_of_their_groups_and_keeps_it(self):
        self.begin("rsa", "s3cret:/+&", oidc__default_role="Public")
        methods = self.world.ok("GET", "/auth/methods", token=None)
        self.assertEqual(methods, {"password": True, "oidc": {"label": "Example login", "url": "/auth/oidc/login"}})
        browser, where = self.sign_in("ada.devs.ops")
        self.assertEqual((where.path, where.query), ("/dags/etl", "tab=runs"))
        status, me = self.world.me(browser)
        self.assertEqual((status, me["username"], me["role"], me["has_password"]), (200, "ada", "op", False))
        self.assertEqual([name for name in browser.cookies[self.world.port]], ["headrace_session"])
        user = next(u for u in self.world.ok("GET", "/api/headrace/v1/users")["users"] if u["username"] == "ada")
        self.assertEqual((user["email"], user["has_password"]), ("ada.devs.ops@example.org", False))
        # signing out here is not signing out there, unless that is wanted
        self.assertIsNone(self.sign_out(browser))
        self.assertEqual(self.world.sql("SELECT count(*) FROM session WHERE id_token IS NOT NULL"), "0")
        # in no group that has a role: the default; the code is worth nothing twice, nor in another browser
        browser, _ = self.sign_in("bob")
        self.assertEqual(self.world.me(browser)[1]["role"], "public")
        for again in (browser, Browser()):
            self.assertEqual(urllib.parse.urlsplit(again.ask(self.callback)[1]).query, "problem=lost")
        self.world.ok("PATCH", "/api/headrace/v1/users/bob", {"disabled": True})
        self.assertEqual(self.sign_in("bob")[1].query, "problem=refused")
        # the name is another account's, which its owner does not lose to whoever is called so elsewhere
        self.world.ok("POST", "/api/headrace/v1/users", {"username": "eve", "password": "eves-password-of-mine", "role": "Admin"}, status=201)
        self.assertEqual(self.sign_in("eve")[1].query, "problem=name_taken")
        # nobody signs in with an empty password where there is none
        self.assertEqual(self.world.call("POST", "/auth/token", {"username": "ada", "password": ""}, token=None)[0], 401)
        log = (self.world.home / "web.log").read_text()
        refusals = [line for line in log.splitlines() if "refused" in line and "bob" in line]
        self.assertEqual(len(refusals), 1, refusals)
        self.assertIn("the account is disabled", refusals[0])
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(self.callback).query)["code"][0]
        self.assertNotIn(code, log)
        self.assertIn("sign_in", self.world.sql("SELECT string_agg(event, ' ') FROM audit WHERE actor = 'ada' AND allowed"))

    def test_what_the_id_token_leaves_out_is_asked_for_and_who_signs_out_here_does_so_there(self):
        self.more = ("conforms",)
        self.begin("rsa", "s3cret:/+&", oidc__sign_out="true")
        browser, _ = self.sign_in("iris.devs")
        me = self.world.me(browser)[1]
        self.assertEqual((me["username"], me["role"]), ("iris", "user"))
        user = next(u for u in self.world.ok("GET", "/api/headrace/v1/users")["users"] if u["username"] == "iris")
        self.assertEqual(user["email"], "iris.devs@example.org")
        self.assertEqual(self.sign_in("jack")[1].query, "problem=refused")
        browser, _ = self.sign_in("kai.devs")
        self.assertTrue(self.asked_for_name)
        url = self.sign_out(browser)
        self.sign_in("kai.devs", browser=browser)
        self.assertFalse(self.asked_for_name, "there they were signed in still")
        url = self.sign_out(browser)
        status, _, body = browser.ask(url)
        self.assertEqual(status, 200, body)
        form = {"xsrf": re.search(r'name="xsrf" value="([^"]+)"', body.decode())[1], "logout": "yes"}
        action = re.search(r'action="([^"]+)"', body.decode())[1]
        status, where, _ = browser.ask(action, form)
        self.assertEqual((status, where), (303, self.world.url("/sign-in")))
        self.sign_in("kai.devs", browser=browser)
        self.assertTrue(self.asked_for_name)

    def test_a_public_client_with_elliptic_keys_that_change_meanwhile(self):
        self.begin("elliptic")
        browser, where = self.sign_in("gus.devs", next_path="//evil.example/")
        self.assertEqual((where.path, where.netloc), ("/", f"127.0.0.1:{self.world.port}"))
        self.assertEqual(self.world.me(browser)[1]["role"], "user")
        self.provider.stop()
        self.provider = self.start_provider()  # with new keys
        browser, where = self.sign_in("gus.ops")
        self.assertEqual(self.world.me(browser)[0], 401, "another subject of the same name")
        self.assertEqual(where.query, "problem=name_taken")
        browser, where = self.sign_in("gus.devs")
        self.assertEqual(self.world.me(browser)[1]["username"], "gus")
        self.assertEqual(self.sign_in("hal")[1].query, "problem=refused")
        self.provider.stop()
        status, where, _ = Browser().ask(self.world.url("/auth/oidc/login"))
        self.assertEqual(status, 303)  # what the provider published is known for an hour


class Liar(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.provider = Script("liar.mjs", cls.port)
        cls.addClassCleanup(cls.provider.stop)
        cls.world = World(cls.port, "us", oidc__default_role="Viewer").__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)

    def come_back(self, browser=None, state=None, **token):
        """There and back with a token; gives (browser, the query of where it ended)."""
        browser = browser or Browser()
        _, where, _ = browser.ask(self.world.url("/auth/oidc/login"))
        sent = {name: value[0] for name, value in urllib.parse.parse_qs(urllib.parse.urlsplit(where).query).items()}
        self.assertEqual((sent["response_type"], sent["code_challenge_method"], sent["client_id"]), ("code", "S256", "us"))
        now = int(time.time())
        claims = {"iss": f"http://127.0.0.1:{self.port}", "aud": "us", "sub": "1", "exp": now + 300, "iat": now, "nonce": sent["nonce"],
                  "preferred_username": "liam", **token.pop("claims", {})}
        claims = {name: value for name, value in claims.items() if value is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/next", json.dumps({"claims": claims, **token} if token.pop("sends", True) else {}))
        connection.getresponse().read()
        connection.close()
        query = {"code": "a-code", "state": sent["state"] if state is None else state}
        status, where, _ = browser.ask(self.world.url("/auth/oidc/callback?" + urllib.parse.urlencode(query)))
        self.assertEqual(status, 303)
        return browser, urllib.parse.urlsplit(where).query

    def test_what_is_right_in_every_part_is_let_in(self):
        for claims in ({}, {"aud": ["us"]}, {"aud": ["them", "us"], "azp": "us"}):
            browser, query = self.come_back(claims=claims)
            self.assertEqual((query, self.world.me(browser)[1]["username"]), ("", "liam"))

    def test_an_access_token_is_the_one_that_the_id_token_speaks_of(self):
        half = hashlib.sha256(b"x").digest()[:16]  # the access token of the liar is x
        told = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        self.assertEqual(self.come_back(claims={"at_hash": told})[1], "")
        for other in (told[:-1] + ("A" if told[-1] != "A" else "B"), "", 7):
            self.assertEqual(self.come_back(claims={"at_hash": other})[1], "problem=provider")

    def test_userinfo_adds_what_is_missing_and_changes_nothing_that_is_told(self):
        browser, query = self.come_back(claims={"sub": "9", "preferred_username": "mona", "groups": []},
                                        userinfo={"sub": "9", "email": "mona@example.org", "groups": ["ops"], "preferred_username": "root"})
        me = self.world.me(browser)[1]
        self.assertEqual((query, me["username"], me["role"]), ("", "mona", "viewer"))
        browser, _ = self.come_back(claims={"sub": "9", "preferred_username": "mona"}, userinfo={"sub": "9", "groups": ["ops"]})
        self.assertEqual(self.world.me(browser)[1]["role"], "op")

    def test_who_has_all_that_decides_is_let_in_while_userinfo_is_away(self):
        browser, query = self.come_back(claims={"sub": "8", "preferred_username": "nora", "groups": ["ops"]}, is_userinfo_away=True)
        self.assertEqual((query, self.world.me(browser)[1]["role"]), ("", "op"))
        self.assertEqual(self.come_back(claims={"sub": "8", "preferred_username": "nora"}, is_userinfo_away=True)[1], "problem=provider")

    def test_userinfo_of_somebody_else_is_none(self):
        for userinfo in ({"sub": "2", "groups": ["ops"]}, {"groups": ["ops"]}, ["ops"], "x"):
            with self.subTest(userinfo=userinfo):
                self.assertEqual(self.come_back(userinfo=userinfo)[1], "problem=provider")

    def test_whatever_is_wrong_in_one_part_is_not(self):
        now = int(time.time())
        wrong = [{"claims": {name: value}} for name, value in (
            ("iss", "https://other.example"), ("aud", "them"), ("aud", ["them"]), ("aud", ["them", "us"]), ("aud", None), ("exp", now - 300), ("exp", None),
            ("iat", now + 3600), ("iat", None), ("nbf", now + 3600), ("nonce", "another"), ("nonce", None), ("sub", None), ("sub", ""),
            ("preferred_username", "a b<script>"))]
        wrong += [{"alg": "none"}, {"alg": "HS256"}, {"key": "other"}, {"key": "unknown"}, {"sends": False}]
        for token in wrong:
            with self.subTest(**token):
                browser, query = self.come_back(**token)
                self.assertEqual(query, "problem=provider")
                self.assertNotIn("headrace_session", browser.cookies[self.world.port])

    def test_a_state_of_another_browser_is_none(self):
        for state in ("", "x" * 43):
            browser, query = self.come_back(state=state)
            self.assertEqual(query, "problem=lost")
            self.assertNotIn("headrace_session", browser.cookies[self.world.port])


class Unconfigured(unittest.TestCase):
    def test_without_a_provider_there_is_none(self):
        with ApiWorld(leader=False) as world:
            self.assertEqual(world.ok("GET", "/auth/methods", token=None), {"password": True, "oidc": None})
            for path in ("/auth/oidc/login", "/auth/oidc/callback?code=x&state=y"):
                self.assertEqual(world.get(path, token=None)[0], 404)


if __name__ == "__main__":
    unittest.main()
