# SPDX-License-Identifier: Apache-2.0
"""The contract of a release of Airflow's REST API: the OpenAPI document inside the client's package, held against real answers."""
import json
import re
import urllib.parse

import jsonschema
import yaml

# The tour calls every operation but these, and they fit what is answered or are refused with a sentence.
LEFT_OUT = set("""
get_hitl_detail get_hitl_detail_try_detail update_hitl_detail
get_asset_alias get_external_log_url
test_connection create_default_connections login logout
""".split())
# What came with 3.3 and is not served: state that outlives a try, and operations on many runs at once.
LATER = set("""
clear_asset_state_store delete_asset_state_store get_asset_state_store list_asset_state_store set_asset_state_store
clear_task_state_store delete_task_state_store get_task_state_store list_task_state_store patch_task_state_store set_task_state_store
bulk_dag_runs clear_dag_runs clear_dag_run_partitions patch_task_group_instances patch_task_group_instances_dry_run
enqueue_connection_test get_connection_test
""".split())
# Fields that are answered as the release of the client knows them: no description can say both.
BY_RELEASE = {"run_type", "retry_exponential_backoff", "triggering"}


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
