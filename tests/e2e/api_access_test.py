# SPDX-License-Identifier: Apache-2.0
"""Accounts, grants on DAGs, personal tokens, sessions, the check of the audit log: docs/api/access.md, call by call."""
import concurrent.futures
import http.client
import json
import time
import unittest

from api_rows import fill
from api_world import ApiWorld, wait_for

V1 = "/api/headrace/v1"


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = ApiWorld({"api__streams_per_user": 4}).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        fill(cls.world)
        cls.world.add_dag("finance.daily", {"tags": ["finance"], "tasks": [{"id": "a", "operator_kind": "empty"}]})
        cls.world.add_dag("finance_old", {"tasks": [{"id": "a", "operator_kind": "empty"}]})
        cls.world.add_run("finance.daily", "manual__f", state=2, ended="now()")

    def account(self, name, role="Viewer"):
        words = {"username": name, "password": f"{name}-password-of-mine"}
        self.world.ok("POST", f"{V1}/users", {**words, "role": role}, status=201)
        return self.world.ok("POST", "/auth/token", words, status=201, token=None)["access_token"]

    def grant(self, dags, level, **to):
        return self.world.ok("POST", f"{V1}/grants", {"dags": dags, "level": level, **to}, status=201)

    def dags(self, token):
        return [dag["dag_id"] for dag in self.world.ok("GET", "/api/v2/dags", token=token)["dags"]]

    def audit(self, event):
        return self.world.sql(f"SELECT actor || ' ' || detail FROM audit WHERE event = '{event}' ORDER BY audit_no DESC LIMIT 1")

    # ---- favourites ----

    def favourites(self, token, more=""):
        rest = self.world.ok("GET", f"/api/v2/dags?is_favorite=true{more}", token=token)
        page = self.world.ok("GET", f"{V1}/ui/dags?is_favorite=true{more}", token=token)
        self.assertEqual((rest["total_entries"], page["total_entries"]), (len(rest["dags"]), len(rest["dags"])))
        self.assertTrue(all(dag["is_favorite"] for dag in rest["dags"] + page["dags"]))
        self.assertEqual([dag["dag_id"] for dag in rest["dags"]], [dag["dag_id"] for dag in page["dags"]])
        return [dag["dag_id"] for dag in rest["dags"]]

    def test_favourites_are_of_who_marked_them(self):
        star, moon = self.account("star"), self.account("moon")
        for dag in ("quiet", "etl", "quiet"):  # twice is no fault
            self.world.ok("POST", f"/api/v2/dags/{dag}/favorite", token=star, status=204)
        self.world.ok("POST", "/api/v2/dags/finance_old/favorite", token=moon, status=204)
        self.assertEqual(self.favourites(star), ["etl", "quiet"])
        self.assertEqual(self.favourites(star, "&dag_id=quiet"), ["quiet"])
        self.assertEqual(self.favourites(moon), ["finance_old"])
        self.assertEqual(self.favourites("owner"), [])
        others = [dag["dag_id"] for dag in self.world.ok("GET", "/api/v2/dags?is_favorite=false", token=moon)["dags"]]
        self.assertEqual(others, ["etl", "finance.daily", "quiet"])
        for path in ("quiet", "quiet/details"):
            self.assertEqual([self.world.ok("GET", f"/api/v2/dags/{path}", token=token)["is_favorite"] for token in (star, moon)], [True, False])
        self.world.ok("POST", "/api/v2/dags/quiet/unfavorite", token=star, status=204)
        self.assertEqual(self.favourites(star), ["etl"])
        self.world.ok("DELETE", f"{V1}/users/star", status=204)
        self.world.sql("DELETE FROM dag WHERE dag_id = 'finance_old'")
        self.assertEqual((self.favourites(moon), self.world.sql("SELECT count(*) FROM favourite")), ([], "0"))
        self.world.add_dag("finance_old", {"tasks": [{"id": "a", "operator_kind": "empty"}]})

    def test_what_cannot_be_a_favourite_says_why(self):
        token = self.account("sun")
        self.assertEqual(self.world.ok("POST", "/api/v2/dags/no_such/favorite", token=token, status=404)["detail"], "there is no DAG no_such")
        self.assertEqual(self.world.call("POST", "/api/v2/dags/no_such/unfavorite", token=token)[0], 404)
        self.assertIn("not marked", self.world.ok("POST", "/api/v2/dags/etl/unfavorite", token=token, status=409)["detail"])
        self.assertIn("has no account", self.world.ok("POST", "/api/v2/dags/etl/favorite", status=409)["detail"])
        narrow = self.account("comet", "Public")
        self.grant("quiet", "Viewer", username="comet")
        self.assertEqual(self.world.call("POST", "/api/v2/dags/etl/favorite", token=narrow)[0], 404)
        self.world.ok("POST", "/api/v2/dags/quiet/favorite", token=narrow, status=204)
        self.assertEqual(self.favourites(narrow), ["quiet"])

    # ---- saved views ----

    def view(self, token, name="late", page="runs", query="state=failed", status=201):
        return self.world.ok("POST", f"{V1}/me/views", {"page": page, "name": name, "query": query}, token=token, status=status)

    def views(self, token):
        return [(view["page"], view["name"], view["query"], view["is_default"]) for view in self.world.ok("GET", f"{V1}/me/views", token=token)["views"]]

    def test_views_are_of_who_saved_them(self):
        mine, hers = self.account("viewer-one", "Public"), self.account("viewer-two")
        late = self.view(mine)
        self.assertEqual((late["page"], late["name"], late["query"], late["is_default"]), ("runs", "late", "state=failed", False))
        self.view(mine, page="tasks")
        self.view(hers, query="state=running")
        self.assertEqual(self.views(mine), [("runs", "late", "state=failed", False), ("tasks", "late", "state=failed", False)])
        for method, body in (("PATCH", {"name": "stolen"}), ("DELETE", None)):
            self.assertEqual(self.world.call(method, f"{V1}/me/views/{late['id']}", body, token=hers)[0], 404)
        changed = self.world.ok("PATCH", f"{V1}/me/views/{late['id']}", {"name": "very late", "query": "state=failed&range=7d"}, token=mine)
        self.assertEqual(changed, {**late, "name": "very late", "query": "state=failed&range=7d"})
        self.world.ok("DELETE", f"{V1}/me/views/{late['id']}", token=mine, status=204)
        self.assertEqual((self.views(mine), self.views(hers)), ([("tasks", "late", "state=failed", False)], [("runs", "late", "state=running", False)]))
        self.world.ok("DELETE", f"{V1}/users/viewer-one", status=204)
        self.assertEqual(self.world.sql("SELECT count(*) FROM saved_view v JOIN user_account u USING (user_no) WHERE u.name = 'viewer-one'"), "0")

    def test_a_page_has_one_default_view(self):
        token = self.account("viewer-three")
        one, two, other = self.view(token, "one"), self.view(token, "two"), self.view(token, "other", page="tasks")
        default = lambda view, yes: self.world.ok("PATCH", f"{V1}/me/views/{view['id']}", {"is_default": yes}, token=token)["is_default"]
        defaults = lambda: [name for _, name, _, is_default in self.views(token) if is_default]
        self.assertTrue(default(one, True) and default(other, True) and default(two, True))
        self.assertEqual(defaults(), ["two", "other"])
        self.assertTrue(default(two, True), "said twice it stays")
        self.assertFalse(default(one, False))
        self.assertEqual(defaults(), ["two", "other"])
        self.assertFalse(default(two, False))
        self.assertEqual(defaults(), ["other"])
        self.assertEqual(self.world.ok("PATCH", f"{V1}/me/views/{other['id']}", {"name": "renamed"}, token=token)["is_default"], True)

    def test_of_two_defaults_at_once_one_stays(self):
        token = self.account("viewer-eight")
        views = [self.view(token, f"view {n}") for n in range(6)]
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda view: self.world.ok("PATCH", f"{V1}/me/views/{view['id']}", {"is_default": True}, token=token), views))
        self.assertEqual(sum(is_default for *_, is_default in self.views(token)), 1)

    def test_a_views_name_is_counted_in_characters_and_null_is_absent(self):
        token = self.account("viewer-nine")
        view = self.view(token, 100 * "视")
        self.assertEqual(self.world.call("POST", f"{V1}/me/views", {"page": "runs", "name": 101 * "视", "query": "q=x"}, token=token)[0], 422)
        self.world.ok("PATCH", f"{V1}/me/views/{view['id']}", {"is_default": True}, token=token)
        self.assertEqual(self.world.ok("PATCH", f"{V1}/me/views/{view['id']}", {"name": None, "query": None, "is_default": None}, token=token), {**view, "is_default": True})

    def test_what_cannot_be_a_view_says_why(self):
        token = self.account("viewer-four")
        first = self.view(token)
        self.assertIn("have a view late of this page already", self.view(token, status=409)["detail"])
        second = self.view(token, "other")
        self.assertIn("already", self.world.ok("PATCH", f"{V1}/me/views/{second['id']}", {"name": "late"}, token=token, status=409)["detail"])
        for wrong in ({"page": "dags"}, {"name": ""}, {"name": "x" * 101}, {"name": "two\nlines"}, {"query": ""}, {"query": "q=" + "x" * 2000}, {"name": 7}):
            with self.subTest(wrong):
                self.assertEqual(self.world.call("POST", f"{V1}/me/views", {"page": "runs", "name": "n", "query": "q=x", **wrong}, token=token)[0], 422)
        self.assertEqual(self.world.call("PATCH", f"{V1}/me/views/{first['id']}", {"name": ""}, token=token)[0], 422)
        self.assertEqual(self.world.ok("GET", f"{V1}/me/views")["views"], [])
        self.assertIn("has no account", self.view("owner", status=409)["detail"])
        narrow = self.world.ok("POST", f"{V1}/users/viewer-four/tokens", {"name": "reads", "read_only": True}, status=201)["token"]
        self.assertEqual(len(self.views(narrow)), 2)
        for method, path, body in (("POST", "", {"page": "runs", "name": "n", "query": "q=x"}), ("PATCH", f"/{first['id']}", {"name": "m"}), ("DELETE", f"/{first['id']}", None)):
            status, answer = self.world.call(method, f"{V1}/me/views{path}", body, token=narrow)
            self.assertEqual((status, answer["detail"]["reason"]), (403, "token"))
        self.assertEqual([name for _, name, _, _ in self.views(token)], ["late", "other"])

    def test_views_are_so_many_at_most(self):
        token = self.account("viewer-five")
        self.view(token, "the first")
        self.world.sql("INSERT INTO saved_view (user_no, page, name, query) SELECT user_no, 'runs', 'view ' || n, 'q=x' FROM user_account, generate_series(1, 98) n WHERE name = 'viewer-five'")
        last = self.view(token, "the last")
        self.assertIn("100 views", self.view(token, "one more", status=409)["detail"])
        self.world.ok("DELETE", f"{V1}/me/views/{last['id']}", token=token, status=204)
        self.view(token, "one more")

    def test_a_search_finds_what_who_asks_may_read(self):
        self.world.sql("INSERT INTO variable (key, sealed, key_no) VALUES ('sought_variable', '', 0); "
                       "INSERT INTO connection (connection_id, conn_type, sealed, key_no) VALUES ('sought_connection', 'http', '', 0); "
                       "INSERT INTO pool (name, slots, description) VALUES ('sought_pool', 1, '')")
        found = {role: {item["id"] for item in self.world.ok("GET", f"{V1}/ui/search?q=sought", token=self.account(f"seeker-{role}", role))["items"]}
                 for role in ("Viewer", "User", "Op")}
        self.assertEqual(found, {"Viewer": {"sought_pool"}, "User": {"sought_pool"}, "Op": {"sought_pool", "sought_variable", "sought_connection"}})

    def test_somebody_has_so_many_streams_at_once(self):
        token, other = self.account("wide"), self.account("narrow", "Public")
        self.grant("etl", "Viewer", username="narrow")

        def stream(token):
            connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=60)
            self.addCleanup(connection.close)
            connection.request("GET", f"{V1}/stream?topics=dags", headers={"Authorization": f"Bearer {token}"})
            return connection, connection.getresponse()

        for who in (token, other):
            streams = [stream(who) for _ in range(4)]
            self.assertEqual({answer.status for _, answer in streams}, {200})
            refused = stream(who)[1]
            self.assertEqual((refused.status, refused.headers["Retry-After"]), (429, "10"))
            self.assertIn("4 streams", json.loads(refused.read())["detail"])
            streams[0][1].close()
            streams[0][0].close()
            wait_for(lambda: stream(who)[1].status == 200, "a place", timeout=60)

    # ---- accounts ----

    def test_a_changed_role_and_a_disabled_account_end_the_sessions(self):
        token = self.account("ann", "User")
        user = self.world.ok("PATCH", f"{V1}/users/ann", {"role": "op", "email": "ann@example.org"})
        self.assertEqual((user["role"], user["email"], user["disabled"], user["sessions"]), ("Op", "ann@example.org", False, 0))
        self.assertEqual(self.world.get("/api/v2/dags", token=token)[0], 401)
        words = {"username": "ann", "password": "ann-password-of-mine"}
        token = self.world.ok("POST", "/auth/token", words, status=201, token=None)["access_token"]
        made = self.world.ok("POST", f"{V1}/users/ann/tokens", {"name": "of-ann"}, status=201)["token"]
        self.world.ok("PATCH", f"{V1}/users/ann", {"disabled": True})
        for refused in (token, made):
            self.assertEqual(self.world.get("/api/v2/dags", token=refused)[0], 401)
        self.assertEqual(self.world.call("POST", "/auth/token", words, token=None)[0], 401)
        self.world.ok("PATCH", f"{V1}/users/ann", {"disabled": False})
        self.assertEqual(self.world.get("/api/v2/dags", token=made)[0], 200)
        self.assertIn('"disabled": false', self.audit("patch_user"))

    def test_what_cannot_be_patched_says_why(self):
        self.account("fred")
        for name, body, status in (("nobody", {"role": "Op"}, 404), ("fred", {}, 422), ("fred", {"role": "King"}, 422), ("fred", {"disabled": 1}, 422)):
            with self.subTest(body=body):
                self.assertEqual(self.world.call("PATCH", f"{V1}/users/{name}", body)[0], status)
        self.world.ok("POST", f"{V1}/users", {"username": "boss", "password": "boss-password-of-mine", "role": "Admin"}, status=201)
        admins = self.world.sql("SELECT name FROM user_account WHERE role = 'Admin' AND is_active AND name <> 'boss'").split()
        for name in admins:
            self.world.ok("PATCH", f"{V1}/users/{name}", {"disabled": True})
        for body in ({"disabled": True}, {"role": "Viewer"}):
            status, answer = self.world.call("PATCH", f"{V1}/users/boss", body)
            self.assertEqual((status, answer["detail"]), (409, "boss is the last administrator"))
        for name in admins:
            self.world.ok("PATCH", f"{V1}/users/{name}", {"disabled": False})
        self.world.ok("PATCH", f"{V1}/users/boss", {"disabled": True})

    def test_roles_say_what_they_may(self):
        token = self.account("eve", "Public")
        roles = self.world.ok("GET", f"{V1}/roles", token=token)
        self.assertEqual([r["role"] for r in roles["roles"]], ["Public", "Viewer", "User", "Op", "Admin"])
        self.assertEqual(roles["roles"][0]["rights"], [])
        self.assertIn({"right": "runs.trigger", "role": "User"}, roles["rights"])

    def test_i_change_my_password_when_i_know_the_old_one(self):
        token = self.account("gus")
        path = f"{V1}/me/password"
        status, answer = self.world.call("POST", path, {"current": "wrong", "password": "another-one-of-his"}, token=token)
        self.assertEqual((status, answer["detail"]["reason"]), (403, "password"))
        self.assertEqual(self.world.call("POST", path, {"current": "gus-password-of-mine", "password": "short"}, token=token)[0], 422)
        self.assertEqual(self.world.call("POST", path, {"current": "gus-password-of-mine", "password": "another-one-of-his"}, token=token)[0], 204)
        self.assertEqual(self.world.get("/api/v2/dags", token=token)[0], 401)
        self.world.ok("POST", "/auth/token", {"username": "gus", "password": "another-one-of-his"}, status=201, token=None)

    # ---- grants ----

    def test_without_a_grant_public_sees_nothing_and_a_grant_shows_its_dags_alone(self):
        token = self.account("pia", "Public")
        self.assertEqual(self.dags(token), [])
        self.assertEqual(self.world.get("/api/v2/dags/etl", token=token)[0], 404)
        self.grant("etl", "Viewer", username="pia")
        self.assertEqual(self.dags(token), ["etl"])
        self.assertEqual(self.world.get("/api/v2/dags/etl", token=token)[0], 200)
        self.assertEqual(self.world.call("POST", "/api/v2/dags/etl/dagRuns", {}, token=token)[0], 403)
        self.grant("etl", "User", username="pia")
        run = self.world.ok("POST", "/api/v2/dags/etl/dagRuns", {"dag_run_id": "by_pia"}, token=token)
        self.assertEqual(run["triggering_user_name"], "pia")
        status, answer = self.world.call("POST", "/api/v2/dags/quiet/dagRuns", {}, token=token)
        nowhere = self.world.call("POST", "/api/v2/dags/no_such/dagRuns", {}, token=token)
        self.assertEqual((status, answer["detail"].replace("quiet", "no_such")), (nowhere[0], nowhere[1]["detail"]))
        self.assertEqual(status, 404)
        runs = self.world.ok("GET", "/api/v2/dags/~/dagRuns", token=token)["dag_runs"]
        self.assertEqual({run["dag_id"] for run in runs}, {"etl"})
        mine = self.world.ok("GET", f"{V1}/me/dags/etl", token=token)
        self.assertEqual(mine["level"], "User")
        self.assertIn("runs.trigger", mine["permissions"])
        lifted = self.world.ok("GET", f"{V1}/me/dags", token=token)
        self.assertEqual((lifted["dags"], lifted["permissions"]["User"]), ({"etl": "User"}, mine["permissions"]))
        self.assertNotIn("runs.trigger", lifted["permissions"]["Viewer"])
        self.assertEqual(self.world.ok("GET", f"{V1}/me/dags")["dags"], {})
        self.assertEqual(self.world.get(f"{V1}/me/dags/quiet", token=token)[0], 404)
        me = self.world.ok("GET", f"{V1}/me", token=token)
        self.assertEqual((me["role"], me["permissions"], me["grants"]), ("public", [], [{"dags": "etl", "level": "User"}]))

    def test_of_many_rows_each_is_allowed_or_refused_by_its_own_dag(self):
        token = self.account("rae", "Public")

        def bulk(body, query=""):
            status, _, text = self.world.call("POST", f"{V1}/ui/runs/bulk{query}", body, token=token, raw=True)
            return [json.loads(line) for line in text.splitlines()] if status == 200 else status

        rows = [{"dag_id": dag, "run_id": "manual__f"} for dag in ("etl", "finance.daily", "quiet", "no_such")]
        body = {"action": "success", "items": rows}
        self.assertEqual(bulk(body), 403)  # who may it nowhere
        self.grant("quiet", "Viewer", username="rae")
        self.assertEqual(bulk(body), 403)
        self.grant("finance.*", "User", username="rae")
        before = len(self.world.answers)
        told = {line["dag_id"]: (line.get("status"), line.get("refused")) for line in bulk(body)[1:-1]}
        nowhere = (404, "there is no such DAG")
        self.assertEqual((told.pop("quiet")[0], told), (403, {"etl": nowhere, "no_such": nowhere, "finance.daily": (None, None)}))
        self.assertEqual([request["dag_id"] for request in self.world.answers[before:]], ["finance.daily"])
        denied = self.world.sql("SELECT count(*) FROM audit WHERE actor = 'rae' AND NOT allowed AND event = 'ui_runs_bulk'")
        self.assertEqual(denied, "5")  # twice the whole, three rows
        # what a query finds is what they may read
        found = [line["dag_id"] for line in bulk({"action": "success", "expected": 1}, "?state=success,failed,running")[1:-1]]
        self.assertEqual(found, ["finance.daily"])

    def test_many_dags_are_paused_as_far_as_grants_go(self):
        token = self.account("pam", "Public")
        self.grant("etl", "Viewer", username="pam")
        self.assertEqual(self.world.call("PATCH", "/api/v2/dags", {"is_paused": True}, token=token)[0], 403)
        self.grant("finance.*", "User", username="pam")
        before = len(self.world.answers)
        paused = self.world.ok("PATCH", "/api/v2/dags?dag_id_pattern=%25", {"is_paused": True}, token=token)
        self.assertEqual([dag["dag_id"] for dag in paused["dags"]], ["finance.daily"])
        self.assertEqual([request["dag_id"] for request in self.world.answers[before:]], ["finance.daily"])
        self.assertEqual(self.world.ok("PATCH", "/api/v2/dags?dag_id_pattern=etl", {"is_paused": True}, token=token)["total_entries"], 0)

    def test_a_grant_names_dags_by_beginning_and_by_tag(self):
        token = self.account("quin", "Public")
        self.grant("finance.*", "Viewer", username="quin")
        self.assertEqual(self.dags(token), ["finance.daily"])  # and not finance_old
        self.grant("tag:finance", "Viewer", username="quin")
        self.assertEqual(self.dags(token), ["etl", "finance.daily"])
        for dags in ("fin*", "*x", "", "a b", "tag:", "etl/*", "x" * 300):
            status, answer = self.world.call("POST", f"{V1}/grants", {"dags": dags, "level": "User", "username": "quin"})
            self.assertEqual(status, 422, dags)
        for body, status in (({"level": "User", "dags": "etl"}, 422), ({"level": "Admin", "dags": "etl", "username": "quin"}, 422),
                             ({"level": "User", "dags": "etl", "username": "quin", "role": "Viewer"}, 422),
                             ({"level": "User", "dags": "etl", "username": "nobody"}, 404)):
            self.assertEqual(self.world.call("POST", f"{V1}/grants", body)[0], status, body)

    def test_a_grant_to_a_role_is_for_it_and_those_above_until_it_is_taken_back(self):
        public, viewer = self.account("rob", "Public"), self.account("ros", "Viewer")
        grant = self.grant("quiet", "User", role="Viewer")
        self.assertEqual((grant["role"], grant["username"], grant["level"]), ("Viewer", None, "User"))
        self.assertEqual(self.world.call("POST", "/api/v2/dags/quiet/dagRuns", {}, token=public)[0], 404)
        self.assertEqual(self.world.call("POST", "/api/v2/dags/quiet/dagRuns", {}, token=viewer)[0], 200)
        self.assertEqual(self.world.call("POST", "/api/v2/dags/etl/dagRuns", {}, token=viewer)[0], 403)
        self.assertIn(grant, self.world.ok("GET", f"{V1}/grants")["grants"])
        self.assertEqual(self.world.call("DELETE", f"{V1}/grants/{grant['id']}")[0], 204)
        self.assertEqual(self.world.call("DELETE", f"{V1}/grants/{grant['id']}")[0], 404)
        self.assertEqual(self.world.call("POST", "/api/v2/dags/quiet/dagRuns", {}, token=viewer)[0], 403)

    def test_what_names_its_dag_in_the_body_or_not_at_all_is_asked_for_that_dag(self):
        token = self.account("sam", "Public")
        self.grant("finance.daily", "User", username="sam")
        dates = {"from_date": "2026-01-01T00:00:00Z", "to_date": "2026-01-02T00:00:00Z"}
        self.assertEqual(self.world.call("POST", "/api/v2/backfills", {"dag_id": "etl", **dates}, token=token)[0], 404)
        for dag_id, status in (("etl", 404), ("finance.daily", 200)):
            self.assertEqual(self.world.call("POST", "/api/v2/backfills/dry_run", {"dag_id": dag_id, **dates}, token=token)[0], status)
        self.world.sql("INSERT INTO backfill (backfill_no, dag_no, from_at, to_at, max_active_runs, conf, is_paused, reprocess, is_backwards, triggered_by, created_at, updated_at) "
                       "SELECT 100 + dag_no, dag_no, now(), now(), 1, '{}', false, 0, false, '', now(), now() FROM dag WHERE dag_id IN ('etl', 'finance.daily')")
        numbers = dict(line.split("|") for line in self.world.sql("SELECT dag_id, max(backfill_no) FROM backfill JOIN dag USING (dag_no) GROUP BY 1").splitlines())
        for dag_id, status in (("etl", 404), ("finance.daily", 200)):
            self.assertEqual(self.world.get(f"/api/v2/backfills/{numbers[dag_id]}", token=token)[0], status)
            self.assertEqual(self.world.call("PUT", f"/api/v2/backfills/{numbers[dag_id]}/pause", token=token)[0], status)
        listed = self.world.ok("GET", "/api/v2/backfills", token=token)["backfills"]
        self.assertEqual({b["dag_id"] for b in listed}, {"finance.daily"})
        self.assertEqual(self.world.get(f"{V1}/why?dag_id=etl&run_id=manual__1", token=token)[0], 404)
        self.assertEqual(self.world.get(f"{V1}/why?dag_id=finance.daily&run_id=manual__f", token=token)[0], 200)
        # the path says one DAG, the body another: the path counts, and lists of the body are narrowed
        answer = self.world.ok("POST", "/api/v2/dags/~/dagRuns/list", {"dag_ids": ["etl", "finance.daily"]}, token=token)
        self.assertEqual({run["dag_id"] for run in answer["dag_runs"]}, {"finance.daily"})

    def test_pages_count_what_their_reader_may_read_alone(self):
        token = self.account("liz", "Public")
        whole = self.world.ok("GET", f"{V1}/ui/home")
        self.assertGreater(whole["runs"]["running"] + len(whole["failures"]), 0)
        self.assertGreater(whole["slots"]["workers"], 0)
        page = self.world.ok("GET", f"{V1}/ui/home", token=token)
        for part in ("dags", "runs", "tasks", "slots"):
            self.assertEqual({name: count for name, count in page[part].items() if count}, {}, part)
        bars = self.world.ok("GET", f"{V1}/ui/activity", token=token)
        self.assertEqual((sum(bars["success"]) + sum(bars["failed"]), bars["runs"]), (0, {"success": 0, "failed": 0}))
        self.assertEqual(self.world.ok("GET", f"{V1}/ui/lanes", token=token)["lanes"], [])
        self.grant("finance.daily", "Viewer", username="liz")
        page = self.world.ok("GET", f"{V1}/ui/home", token=token)
        self.assertEqual(page["dags"]["total"], 1)
        self.assertEqual(self.world.ok("GET", f"{V1}/ui/activity", token=token)["runs"], {"success": 1, "failed": 0})

    def test_a_stream_tells_of_the_dags_that_its_reader_may_read(self):
        token = self.account("max", "Public")
        self.grant("finance.daily", "Viewer", username="max")
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=120)
        self.addCleanup(connection.close)
        connection.request("GET", f"{V1}/stream?topics=dags,home,dag:quiet", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        seen = []
        for line in answer:
            seen.append(line)
            # At its beginning, and again when it has been silent for a while: what changes before it follows is not told.
            if line.startswith((b"event: hello", b": ping")):
                # the one that may not be told of changes first, so that it had its chance when the other is told
                for dag_id in ("quiet", "finance.daily"):
                    self.world.sql(f"UPDATE dag SET is_paused = NOT is_paused WHERE dag_id = '{dag_id}'")
            if b"finance.daily" in line:
                break
        self.assertIn(b"finance.daily", seen[-1])
        self.assertNotIn(b"quiet", b"".join(seen))

    def listen(self, token):
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=120)
        self.addCleanup(connection.close)
        connection.request("GET", f"{V1}/stream?topics=dags,home", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.readline()), (200, b"event: hello\n"))
        return answer

    def test_a_stream_ends_with_the_session_or_token_that_it_came_with(self):
        def signed_out(name, token):
            self.world.ok("POST", "/auth/logout", token=token)

        def expired(name, token):
            self.world.sql(f"UPDATE session SET expires_at = now() FROM user_account u WHERE session.user_no = u.user_no AND u.name = '{name}'")

        def revoked(name, token):
            for row in self.world.ok("GET", f"{V1}/users/{name}/tokens")["tokens"]:
                self.world.ok("DELETE", f"{V1}/users/{name}/tokens/{row['id']}", status=204)

        def disabled(name, token):
            self.world.ok("PATCH", f"{V1}/users/{name}", {"disabled": True})

        def another_role(name, token):
            self.world.ok("PATCH", f"{V1}/users/{name}", {"role": "User"})

        def stream(name, role, is_token):
            token = self.account(name, role)
            self.grant("finance.daily", "Viewer", username=name)
            if is_token:
                token = self.world.ok("POST", f"{V1}/users/{name}/tokens", {"name": "stream"}, status=201)["token"]
            return token, self.listen(token)

        others = [self.listen(self.world.token), stream("somebody.else", "Viewer", False)[1]]
        streams = {}
        # Public reads one DAG: its stream ends after a minute in any case, and comes last so that this is not what ends it.
        for role, ends in (("Viewer", (signed_out, expired, revoked, disabled, another_role)), ("Public", (signed_out, revoked))):
            for end in ends:
                name = f"{end.__name__}.{role}"
                streams[name] = (end, *stream(name, role, is_token=end not in (signed_out, expired)))
        for name, (end, token, _) in reversed(streams.items()):
            end(name, token)
        began = time.monotonic()
        for name, (*_, answer) in reversed(streams.items()):
            answer.read()  # up to its end
            self.assertTrue(name.endswith("Viewer") or time.monotonic() - began < 50, f"{name} has run its minute")
        self.world.sql("UPDATE dag SET is_paused = NOT is_paused WHERE dag_id = 'finance.daily'")
        for answer in others:
            self.assertTrue(any(b"finance.daily" in line for line in answer), "it should have gone on")

    # ---- tokens ----

    def test_a_token_is_shown_once_and_is_kept_as_a_hash(self):
        session = self.account("tom", "User")
        self.assertEqual(self.world.ok("GET", f"{V1}/tokens", token=session), {"tokens": []})
        made = self.world.ok("POST", f"{V1}/tokens", {"name": "ci", "expires_in_days": 7}, status=201, token=session)
        self.assertRegex(made["token"], r"^headrace_pat_[A-Za-z0-9_-]{43}$")
        self.assertAlmostEqual((made["expires_at"] - made["created_at"]) / 86400000, 7, places=3)
        listed = self.world.ok("GET", f"{V1}/tokens", token=session)["tokens"]
        self.assertEqual(listed, [{k: v for k, v in made.items() if k != "token"}])
        dump = self.world.sql("SELECT (SELECT json_agg(t) FROM api_token t)::text || (SELECT json_agg(a) FROM audit a)::text")
        self.assertNotIn(made["token"][13:], dump)
        self.assertNotIn(made["token"][13:], (self.world.home / "web.log").read_text())
        me = self.world.ok("GET", f"{V1}/me", token=made["token"])
        self.assertEqual((me["username"], me["role"], me["token"]), ("tom", "user", {"rights": [], "dags": []}))
        used = self.world.ok("GET", f"{V1}/tokens", token=session)["tokens"][0]["last_used_at"]
        self.assertGreaterEqual(used, made["created_at"])
        self.assertEqual(self.world.call("POST", f"{V1}/tokens", {"name": "ci"}, token=session)[0], 409)
        self.assertEqual(self.world.get("/api/v2/dags", token=None, headers={"Cookie": f"headrace_session={made['token']}"})[0], 401)
        self.assertEqual(self.world.call("DELETE", f"{V1}/tokens/{made['id']}", token=session)[0], 204)
        self.assertEqual(self.world.get(f"{V1}/me", token=made["token"])[0], 401)
        self.assertEqual(self.world.call("DELETE", f"{V1}/tokens/{made['id']}", token=session)[0], 404)
        self.assertIn('tom {', self.audit("create_token"))

    def test_a_token_ends_when_its_time_is_over(self):
        session = self.account("una")
        made = self.world.ok("POST", f"{V1}/tokens", {"name": "short"}, status=201, token=session)
        self.assertEqual(self.world.get("/api/v2/dags", token=made["token"])[0], 200)
        self.world.sql("UPDATE api_token SET expires_at = now() WHERE name = 'short'")
        self.assertEqual(self.world.get("/api/v2/dags", token=made["token"])[0], 401)
        self.assertTrue(self.world.ok("GET", f"{V1}/tokens", token=session)["tokens"][0]["is_expired"])

    def test_a_token_may_at_most_what_it_is_held_to_and_what_its_owner_may(self):
        session = self.account("vic", "Op")

        def make(name, **limits):
            return self.world.ok("POST", f"{V1}/tokens", {"name": name, **limits}, status=201, token=session)["token"]
        reading = make("reading", read_only=True)
        self.assertEqual(self.world.get("/api/v2/dags", token=reading)[0], 200)
        self.assertEqual(self.world.get("/api/v2/variables", token=reading)[0], 200)
        status, answer = self.world.call("POST", "/api/v2/pools", {"name": "p", "slots": 1}, token=reading)
        self.assertEqual((status, answer["detail"]["reason"]), (403, "forbidden"))
        named = make("named", rights=["runs.trigger"])
        self.assertEqual(self.world.get("/api/v2/dags", token=named)[0], 403)
        self.assertEqual(self.world.call("POST", "/api/v2/dags/etl/dagRuns", {}, token=named)[0], 200)
        only = make("only", dags=["finance.*"])
        self.assertEqual(self.dags(only), ["finance.daily"])
        self.assertEqual(self.world.call("POST", "/api/v2/dags/finance.daily/dagRuns", {}, token=only)[0], 200)
        self.assertEqual(self.world.call("POST", "/api/v2/dags/etl/dagRuns", {}, token=only)[0], 404)
        self.assertEqual(self.world.get("/api/v2/variables", token=only)[0], 403)
        self.assertEqual(self.world.ok("GET", f"{V1}/me", token=only)["token"]["dags"], ["finance.*"])
        self.world.ok("PATCH", f"{V1}/users/vic", {"role": "Viewer"})
        self.assertEqual(self.world.call("POST", "/api/v2/dags/etl/dagRuns", {}, token=named)[0], 403)

    def test_a_token_makes_no_tokens_and_changes_no_account_of_its_owner(self):
        session = self.account("wim", "Admin")
        made = self.world.ok("POST", f"{V1}/tokens", {"name": "all"}, status=201, token=session)
        for method, path, body in (("POST", "tokens", {"name": "more"}), ("DELETE", f"tokens/{made['id']}", None), ("DELETE", "sessions/1", None),
                                   ("POST", "users/wim/tokens", {"name": "more"}), ("POST", "me/password", {"current": "x", "password": "long-enough-for-us"})):
            status, answer = self.world.call(method, f"{V1}/{path}", body, token=made["token"])
            self.assertEqual((status, answer["detail"]["reason"]), (403, "token"), path)

    def test_a_token_that_cannot_be_made_says_why(self):
        session = self.account("xia")
        for body in ({}, {"name": ""}, {"name": "x", "expires_in_days": 100000}, {"name": "x", "rights": ["fly"]}, {"name": "x", "dags": ["fin*"]},
                     {"name": "x", "rights": ["read"], "read_only": True}, {"name": "x", "rights": "read"}):
            self.assertEqual(self.world.call("POST", f"{V1}/tokens", body, token=session)[0], 422, body)
        self.assertEqual(self.world.call("POST", f"{V1}/tokens", {"name": "x"})[0], 409)  # the owner of the home is no account
        self.assertEqual(self.world.call("POST", f"{V1}/users/nobody/tokens", {"name": "x"})[0], 404)
        self.assertEqual(self.world.get(f"{V1}/users/nobody/tokens")[0], 404)

    # ---- sessions ----

    def test_i_see_my_sessions_and_end_one(self):
        first = self.account("yan")
        words = {"username": "yan", "password": "yan-password-of-mine"}
        status, headers, _ = self.world.call("POST", "/auth/login", words, token=None, raw=True, headers={"User-Agent": "Browser/1"})
        cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        mine = self.world.ok("GET", f"{V1}/sessions", token=first)["sessions"]
        self.assertEqual(sorted((s["kind"], s["is_current"]) for s in mine), [("browser", False), ("token", True)])
        browser = next(s for s in mine if s["kind"] == "browser")
        self.assertEqual((browser["address"], browser["agent"]), ("127.0.0.1", "Browser/1"))
        other = self.account("zoe")
        self.assertEqual(self.world.call("DELETE", f"{V1}/sessions/{browser['id']}", token=other)[0], 404)
        self.assertEqual(self.world.get(f"{V1}/me", token=None, headers=cookie)[0], 200)
        self.assertEqual(self.world.call("DELETE", f"{V1}/sessions/{browser['id']}", token=first)[0], 204)
        self.assertEqual(self.world.get(f"{V1}/me", token=None, headers=cookie)[0], 401)
        self.assertEqual(self.world.call("DELETE", f"{V1}/users/yan/sessions")[0], 204)
        self.assertEqual(self.world.get(f"{V1}/me", token=first)[0], 401)
        self.assertEqual(self.world.get(f"{V1}/me", token=other)[0], 200)


    def test_a_session_ends_when_it_was_not_used_and_when_its_time_is_over(self):
        words = {"username": "kim", "password": "kim-password-of-mine"}
        self.account("kim")
        for column in ("seen_at", "expires_at"):
            _, headers, _ = self.world.call("POST", "/auth/login", words, token=None, raw=True)
            cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
            self.assertEqual(self.world.get(f"{V1}/me", token=None, headers=cookie)[0], 200)
            self.world.sql(f"UPDATE session s SET {column} = now() - interval '13 hours' FROM user_account u WHERE u.user_no = s.user_no "
                           "AND u.name = 'kim' AND s.kind = 'browser'")
            self.assertEqual(self.world.get(f"{V1}/me", token=None, headers=cookie)[0], 401, column)


class AuditLog(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(ApiWorld(leader=False))

    def verify(self, query=""):
        return self.world.ok("GET", f"{V1}/audit/verify{query}")

    def parts(self, limit):
        """(ok, rows, broken_at) of each, until there is no next."""
        parts, next_row = [], None
        while not parts or next_row:
            part = self.verify(f"?limit={limit}" + (f"&from={next_row}" if next_row else ""))
            parts.append((part["ok"], part["rows"], part["broken_at"]))
            next_row = part["next"]
        return parts

    def fill(self, count):
        """Denials, several at once: each is a row."""
        def deny(number):
            return self.world.call("POST", "/auth/token", {"username": f"nobody{number}", "password": "x"}, token=None)[0]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(deny, range(count))), {401})
        # a denial is not held up by its record
        wait_for(lambda: self.world.sql("SELECT count(*) FROM audit") == str(count), "the rows", timeout=60)

    def test_rows_that_are_written_at_once_make_one_chain_and_a_changed_one_breaks_it(self):
        self.fill(24)
        good = self.verify()
        self.assertEqual((good["ok"], good["rows"], good["broken_at"]), (True, 24, None))
        numbers = [int(n) for n in self.world.sql("SELECT audit_no FROM audit ORDER BY audit_no").split()]
        seventh = numbers[7]
        for column, value in (("actor", "'somebody'"), ("allowed", "true"), ("detail", "'{\"a\": 1}'"), ("at", "at + interval '1 s'"), ("address", "''"),
                              ("run_id", "'r'"), ("map_index", "0")):
            with self.subTest(column=column):
                before = self.world.sql(f"SELECT to_json(a) FROM audit a WHERE audit_no = {seventh}")
                self.world.sql(f"UPDATE audit SET {column} = {value} WHERE audit_no = {seventh}")
                bad = self.verify()
                self.assertEqual((bad["ok"], bad["broken_at"], bad["after"]), (False, seventh, numbers[6]))
                old = "'" + str(json.loads(before)[column]).replace("'", '"') + "'" if column == "detail" else f"r.{column}"
                self.world.sql(f"UPDATE audit a SET {column} = r.{column} FROM json_populate_record(NULL::audit, '{before}') r WHERE a.audit_no = {seventh}")
                self.assertTrue(self.verify()["ok"])
        self.assertEqual(self.parts(7), [(True, 7, None), (True, 7, None), (True, 7, None), (True, 3, None)])
        self.world.sql(f"UPDATE audit SET address = 'a' || address WHERE audit_no = {seventh}")  # the first of the second part
        self.assertEqual([part[2] for part in self.parts(7)], [None, seventh, None, None])
        self.world.sql(f"UPDATE audit SET address = substr(address, 2) WHERE audit_no = {seventh}")
        self.world.sql(f"DELETE FROM audit WHERE audit_no = {numbers[10]}")
        self.assertEqual(self.verify()["broken_at"], numbers[11])

    def test_rows_cut_off_at_the_end_are_missed_when_the_head_was_noted(self):
        self.fill(5)
        head = self.verify()["head"]
        noted = f"?id={head['id']}&hash={head['hash']}"
        self.assertTrue(self.verify(noted)["noted_is_there"])
        self.world.sql(f"DELETE FROM audit WHERE audit_no = {head['id']}")
        self.assertTrue(self.verify()["ok"])
        cut = self.verify(noted)
        self.assertEqual((cut["ok"], cut["noted_is_there"], cut["broken_at"]), (False, False, None))
        self.assertEqual(self.world.get(f"{V1}/audit/verify?id=3")[0], 422)


if __name__ == "__main__":
    unittest.main()
