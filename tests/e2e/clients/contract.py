# SPDX-License-Identifier: Apache-2.0
"""The contract of a release of Airflow's REST API: the OpenAPI document inside the client's package, held against real answers."""
import json
import re
import urllib.parse

import jsonschema
import yaml

# Operations that a user would miss, of priority A and B. Assets and backfills are shown by tests of their own.
WANTED = set("""
get_dags get_dag get_dag_details patch_dag patch_dags delete_dag get_dag_tags
get_dag_runs trigger_dag_run get_list_dag_runs_batch delete_dag_run get_dag_run patch_dag_run clear_dag_run
get_upstream_asset_events wait_dag_run_until_finished get_tasks get_task
post_clear_task_instances get_task_instances bulk_task_instances get_task_instances_batch delete_task_instance get_task_instance
patch_task_instance get_task_instance_dependencies patch_task_instance_dry_run get_mapped_task_instances get_log get_task_instance_tries
get_task_instance_try_details get_mapped_task_instance patch_task_instance_by_map_index get_task_instance_dependencies_by_map_index
patch_task_instance_dry_run_by_map_index get_mapped_task_instance_tries get_mapped_task_instance_try_details
get_xcom_entries create_xcom_entry delete_xcom_entry get_xcom_entry update_xcom_entry
get_connections bulk_connections post_connection delete_connection get_connection patch_connection
get_variables bulk_variables post_variable delete_variable get_variable patch_variable
get_pools bulk_pools post_pool delete_pool get_pool patch_pool
get_dag_versions get_dag_version get_dag_source get_dag_stats list_dag_warnings get_import_errors get_import_error
get_event_logs get_event_log get_jobs get_health get_version get_config get_providers reparse_dag_file
""".split())


def as_json_schema(node):
    """OpenAPI 3.0 says `nullable`, JSON Schema lists null among the types. Of `oneOf` the document has two that fit the same answers."""
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {"anyOf" if key == "oneOf" else key: as_json_schema(value) for key, value in node.items() if key not in ("nullable", "example", "discriminator")}
    if node.get("nullable"):
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


class Contract:
    def __init__(self, path):
        self.document = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.schemas = as_json_schema({"components": self.document["components"]})
        self.routes = []
        for path_, item in self.document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path_)) + "$")
            for method, operation in item.items():
                if isinstance(operation, dict) and "operationId" in operation:
                    self.routes.append((path_.count("{"), method, pattern, operation))
        self.routes.sort(key=lambda route: route[0])  # what is fixed goes before what is a parameter
        self.by_id = {operation["operationId"]: operation for *_, operation in self.routes}

    def operations(self):
        return set(self.by_id)

    def operation(self, method, url):
        path = urllib.parse.urlsplit(url).path
        for _, verb, pattern, operation in self.routes:
            if verb == method.lower() and pattern.match(path):
                return operation["operationId"]
        raise AssertionError(f"the contract knows no {method} {path}")

    def faults(self, operation, status, kind, body):
        responses = self.by_id[operation]["responses"]
        response = responses.get(str(status))
        if response is None and status >= 400:  # every client reads a refusal by its class and its detail
            return [] if "detail" in json.loads(body) else [f"{operation} {status} has no detail"]
        if response is None:
            return [f"{operation} answers {status}, described are {sorted(responses)}"]
        content = response.get("content", {}).get(kind.split(";")[0])
        if content is None:
            return [f"{operation} answers {kind!r}"] if body and response.get("content") else []
        schema = {**as_json_schema(content.get("schema", {})), **self.schemas}
        if "json" not in kind:
            return []
        validator = jsonschema.Draft202012Validator(schema)
        return [f"{operation}: {'.'.join(map(str, fault.absolute_path))}: {fault.message[:300]}" for fault in validator.iter_errors(json.loads(body))]
