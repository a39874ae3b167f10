# SPDX-License-Identifier: Apache-2.0
"""Holds what the web server answers to what its /openapi.json says, field by field.

    described = Description(document)
    described.check("GET", "/api/v2/dags?limit=1", 200, "application/json", b"{...}")      # AssertionError with every fault

The schemas are closed here: a field that is not in the tables is a fault as much as one that is missing."""
import json
import re

KNOWN = {"type", "properties", "required", "items", "anyOf", "enum", "$ref", "minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength",
         "pattern", "format", "prefixItems", "minItems", "maxItems"}
FORMATS = {
    "date-time": re.compile(r"^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"),
    "uuid": re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
}


def type_of(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return {int: "integer", float: "number", str: "string", list: "array", dict: "object"}[type(value)]


class Description:
    def __init__(self, document):
        self.document = document
        self.routes = []
        for path, item in document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "$")
            self.routes += [(path.count("{"), verb, pattern, operation) for verb, operation in item.items()]
        self.routes.sort(key=lambda route: route[0])  # what is fixed goes before what is a parameter

    def operations(self):
        return [operation for *_, operation in self.routes]

    def operation(self, method, url):
        path, verb = url.split("?")[0], "get" if method == "HEAD" else method.lower()
        return next((operation for _, of, pattern, operation in self.routes if of == verb and pattern.match(path)), None)

    def check(self, method, url, status, kind, body):
        operation = self.operation(method, url)
        if operation is None or method == "HEAD" or status == 304:
            return
        faults = self.faults(operation, status, (kind or "").split(";")[0].strip(), body)
        if faults:
            raise AssertionError(f"{method} {url}: {status} is not as /openapi.json says (webserver/api/operations.def, shapes.def):\n  "
                                 + "\n  ".join(faults[:20]) + f"\n{body[:600]!r}")

    def faults(self, operation, status, kind, body):
        responses = operation["responses"]
        response = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        if response is None:
            return [f"the status is none of {sorted(responses)}"]
        content = response.get("content")
        if not content:
            return [f"a body where none is described: {kind}"] if body else []
        if kind not in content:
            return [f"{kind!r} is none of {sorted(content)}"]
        schema = content[kind].get("schema")
        return [] if schema is None else list(self.differences(schema, json.loads(body), ""))

    def differences(self, schema, value, place):
        """What of `value` is not as `schema` says. Knows the words that our tables make, and refuses others."""
        assert not set(schema) - KNOWN, f"api_schema.py does not know {set(schema) - KNOWN}"
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in schema:
            yield from self._any_of(schema["anyOf"], value, place)
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place}: {value!r} is none of {schema['enum']}"
        kinds = schema.get("type")
        kind = type_of(value)
        if kinds is not None and kind not in kinds and not (kind == "integer" and "number" in kinds):
            yield f"{place}: {kind} instead of {kinds}: {value!r:.200}"
        elif kind == "object":
            yield from self._fields(schema, value, place)
        elif kind == "array" and "items" in schema:
            for i, item in enumerate(value):
                yield from self.differences(schema["items"], item, f"{place}[{i}]")
        elif kind in ("integer", "number"):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                yield f"{place}: {value} is out of range"
        elif kind == "string" and "format" in schema and not FORMATS[schema["format"]].match(value):
            yield f"{place}: {value!r} is no {schema['format']}"

    def _any_of(self, choices, value, place):
        found = [list(self.differences(choice, value, place)) for choice in choices]
        if all(found):
            yield from min(found, key=len)

    def _fields(self, schema, value, place):
        known = schema.get("properties")
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place}.{name} is missing"
        for name, item in value.items() if known is not None else ():
            if name in known:
                yield from self.differences(known[name], item, f"{place}.{name}")
            else:
                yield f"{place}.{name} is not described"
