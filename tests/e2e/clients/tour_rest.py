# SPDX-License-Identifier: Apache-2.0
"""Pools, variables, connections, and what tells about the system."""
import airflow_client.client as client
from airflow_client.client import models

from tour_base import API, CARD, EARLY, LATE, Tour, bulk_of, has


class Vault(Tour):
    def test_pools(self):
        api = client.PoolApi(API)
        made = api.post_pool(models.PoolBody(name="narrow", slots=2, description="few", include_deferred=True))
        self.assertEqual((made.name, made.slots, made.open_slots, made.include_deferred), ("narrow", 2, 2, True))
        self.refused(409, api.post_pool, models.PoolBody(name="narrow", slots=1))
        self.assertEqual(api.patch_pool("narrow", models.PoolPatchBody(slots=3), update_mask=["slots"]).slots, 3)
        self.assertEqual([p.name for p in api.get_pools(order_by=["-slots"], limit=10).pools], ["default_pool", "narrow"])
        self.assertEqual(api.get_pools(pool_name_pattern="nar%").total_entries, 1)
        self.assertEqual(api.get_pool("narrow").slots, 3)
        api.delete_pool("narrow")
        self.refused(404, api.get_pool, "narrow")
        self.refused(400, api.delete_pool, "default_pool")
        done = api.bulk_pools(bulk_of(models.BulkBodyPoolBody, {"action": "create", "action_on_existence": "overwrite", "entities": [{"name": "p1", "slots": 1}]},
                                  {"action": "delete", "entities": ["p1"]}))
        self.assertEqual((done.create.success, done.delete.success), (["p1"], ["p1"]))

    def test_variables(self):
        api = client.VariableApi(API)
        made = api.post_variable(models.VariableBody(key="city", value="Lisbon", description="where"))
        self.assertEqual((made.key, made.value, made.is_encrypted), ("city", "Lisbon", True))
        self.refused(409, api.post_variable, models.VariableBody(key="city", value="x"))
        self.assertEqual(api.patch_variable("city", models.VariableBody(key="city", value="Porto"), update_mask=["value"]).value, "Porto")
        self.assertEqual(api.get_variable("city").description, "where")
        self.assertEqual([v.key for v in api.get_variables(variable_key_pattern="ci%", order_by=["key"]).variables], ["city"])
        api.delete_variable("city")
        self.refused(404, api.get_variable, "city")
        done = api.bulk_variables(bulk_of(models.BulkBodyVariableBody, {"action": "create", "action_on_existence": "overwrite", "entities": [{"key": "v1", "value": "1"}]},
                                  {"action": "delete", "entities": ["v1"]}))
        self.assertEqual((done.create.success, done.delete.success), (["v1"], ["v1"]))

    def test_connections(self):
        api = client.ConnectionApi(API)
        body = models.ConnectionBody(connection_id="db", conn_type="postgres", host="h", login="l", password="geheim!", port=5432, schema="s",
                                     extra='{"sslmode": "require", "password": "geheim!"}')
        made = api.post_connection(body)
        self.assertEqual((made.connection_id, made.conn_type, made.port), ("db", "postgres", 5432))
        self.assertNotIn("geheim", str(made.to_dict()))
        self.refused(409, api.post_connection, body)
        changed = api.patch_connection("db", models.ConnectionBody(connection_id="db", conn_type="postgres", host="h2"), update_mask=["host"])
        self.assertEqual((changed.host, changed.login, changed.port), ("h2", "l", 5432))
        self.assertEqual([c.connection_id for c in api.get_connections(connection_id_pattern="d%", order_by=["connection_id"]).connections], ["db"])
        self.assertNotIn("geheim", str(api.get_connection("db").to_dict()))
        api.delete_connection("db")
        self.refused(404, api.get_connection, "db")
        done = api.bulk_connections(bulk_of(models.BulkBodyConnectionBody, {"action": "create", "action_on_existence": "overwrite", "entities": [{"connection_id": "c1", "conn_type": "http"}]},
                                  {"action": "delete", "entities": ["c1"]}))
        self.assertEqual((done.create.success, done.delete.success), (["c1"], ["c1"]))


class Rest(Tour):
    def test_the_audit_log(self):
        api = client.EventLogApi(API)
        client.PoolApi(API).post_pool(models.PoolBody(name="logged", slots=1))
        client.PoolApi(API).delete_pool("logged")
        found = api.get_event_logs(order_by=["-when"], owner="admin", included_events=["post_pool", "create_pool"], limit=5)
        self.assertGreaterEqual(found.total_entries, 1)
        one = api.get_event_log(found.event_logs[0].event_log_id)
        self.assertEqual((one.owner, one.event), ("admin", found.event_logs[0].event))
        self.assertEqual(api.get_event_logs(event_pattern="%pool%", after=LATE).total_entries, 0)
        self.assertEqual(api.get_event_logs(dag_id="no_such", before=EARLY, excluded_events=["x"]).total_entries, 0)
        self.refused(404, api.get_event_log, 99999999)

    def test_jobs(self):
        api = client.JobApi(API)
        alive = api.get_jobs(is_alive=True, job_type="SchedulerJob")
        self.assertEqual([(j.job_type, j.state) for j in alive.jobs], [("SchedulerJob", "running")])
        self.assertEqual(api.get_jobs(job_state="failed").total_entries, 0)
        self.assertEqual(api.get_jobs(start_date_gte=LATE, hostname="none").total_entries, 0)

    def test_health_version_config(self):
        health = client.MonitorApi(API).get_health()
        self.assertEqual((health.metadatabase.status, health.scheduler.status), ("healthy", "healthy"))
        self.assertTrue(client.VersionApi(API).get_version().version)
        config = client.ConfigApi(API)
        self.assertEqual([s.name for s in config.get_config(section="core", accept="application/json").sections], ["core"])
        value = config.get_config_value("core", "parallelism", accept="application/json")
        self.assertEqual(value.sections[0].options[0].to_dict()["key"], "parallelism")
        self.refused(404, config.get_config_value, "core", "no_such")

    def test_providers_and_plugins(self):
        self.assertGreaterEqual(client.ProviderApi(API).get_providers().total_entries, 0)
        self.assertEqual(client.PluginApi(API).get_plugins(limit=5, offset=0).total_entries, 0)
        if has(client.PluginApi, "import_errors"):
            self.assertEqual(client.PluginApi(API).import_errors().total_entries, 0)

    def test_no_token_and_a_wrong_one(self):
        stranger = client.ApiClient(client.Configuration(host=CARD["url"]))
        self.refused(401, client.DAGApi(stranger).get_dags)
        stranger.configuration.access_token = "wrong"
        self.refused(401, client.DAGApi(stranger).get_dags)
