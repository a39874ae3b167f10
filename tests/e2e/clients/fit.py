# SPDX-License-Identifier: Apache-2.0
"""Whether what one API describes can be read by who goes by the description of another: both are OpenAPI documents.

    misfits(ours, theirs, "get_pool")      # ["pool.slots: null, which is none of integer"]

Asked for every field that a reader insists on and every type and word that it may meet, also those that no answer of a test has."""


def misfits(ours, theirs, operation):
    given, read = (_answer(document, operation) for document in (ours, theirs))
    return [f"{operation}{place}: {what}" for place, what in _faults(_Side(ours).parts(given), _Side(theirs).parts(read), "")]


def _answer(document, operation):
    """What a JSON answer of success looks like; {}: it is not said."""
    for item in document["paths"].values():
        for described in item.values():
            if isinstance(described, dict) and described.get("operationId") == operation:
                for status, response in described["responses"].items():
                    if status.startswith("2"):
                        return response.get("content", {}).get("application/json", {}).get("schema", {})
                return {}
    raise AssertionError(f"{operation} is not described")


class _Side:
    def __init__(self, document):
        self.named = document["components"]["schemas"]

    def parts(self, schema):
        """The things that `schema` lets through, each (type or None, schema, side); one without a type is anything."""
        choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if "$ref" in schema:
            found = self.parts(self.named[schema["$ref"].rsplit("/", 1)[1]])
        elif choices:
            found = [part for choice in choices for part in self.parts(choice)]
        else:
            kinds = schema.get("type") or ("string" if "enum" in schema else None)
            found = [(kind, schema, self) for kind in (kinds if isinstance(kinds, list) else [kinds])]
        return found + ([("null", {}, self)] if schema.get("nullable") else [])


def _faults(given, read, place):
    for part in given:
        faults = [list(_part_faults(part, choice, place)) for choice in read]
        if all(faults):
            yield from min(faults, key=len)


def _part_faults(given, read, place):
    (kind, schema, side), (wanted, limit, reader) = given, read
    if kind is None or wanted is None:
        return
    if kind != wanted and (kind, wanted) != ("integer", "number"):
        yield place, f"{kind}, which is not {wanted}"
    elif "enum" in limit and not set(schema.get("enum", ["any text"])) <= set(limit["enum"]):
        yield place, f"{schema.get('enum', 'any text')} instead of {limit['enum']}"
    elif kind == "array":
        yield from _faults(side.parts(schema.get("items", {})), reader.parts(limit.get("items", {})), place + "[]")
    elif kind == "object" and "properties" in schema:
        known = limit.get("properties", {})
        yield from ((f"{place}.{name}", "may be missing") for name in limit.get("required", []) if name not in schema.get("required", []))
        for name in schema["properties"].keys() & known.keys():
            yield from _faults(side.parts(schema["properties"][name]), reader.parts(known[name]), f"{place}.{name}")
