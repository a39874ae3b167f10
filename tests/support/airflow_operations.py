# SPDX-License-Identifier: Apache-2.0
"""The operations of Airflow's REST API v2: as docs/api/airflow.md lists them, as routes.def has them, as a client of Airflow's knows them."""
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(__file__).parents[2]
COLUMNS = ("done", "empty", "refused", "absent")  # of the page's table, after the resource
HANDLERS = {"empty_list": "empty", "absent": "refused", "unsupported": "refused"}

# Each method of a client's api module has a twin that knows its verb and path. Read, not imported: that takes seconds.
LIST_THEM = """
import importlib.util, pathlib, re
for file in pathlib.Path(importlib.util.find_spec("airflow_client").submodule_search_locations[0]).glob("client/api/*_api.py"):
    for found in re.finditer(r"def _(\\w+)_serialize\\(.*?method='(\\w+)',\\s*resource_path='([^']+)'", file.read_text(), re.S):
        print(*found.groups())
"""


def of_the_page(text=None):
    """{operation: column}; an operation that stands there twice is an error."""
    text = text or (SOURCE / "docs/api/airflow.md").read_text()
    section = re.search(r"^## Operations$(.*?)^## ", text, re.S | re.M)[1]
    listed = {}
    for row in re.findall(r"^\| .*`.*$", section, re.M):
        for column, cell in zip(COLUMNS, row.strip("|").split("|")[1:], strict=True):
            for operation in re.findall(r"`(\w+)`", cell):
                assert operation not in listed, f"{operation} stands there twice"
                listed[operation] = column
    return listed


def of_the_routes():
    """{operation: (column, verb, path)} of what is below /api/v2."""
    text = (SOURCE / "webserver/api/routes.def").read_text()
    words = dict(re.findall(r'^#define (\w+) "([^"]+)"', text, re.M))
    routes = {}
    for verb, pattern, handler, operation in re.findall(r'^ROUTE\((\w+), ([^,]+), (\w+), \w+, "(\w+)"', text, re.M):
        path = "".join(part.strip('"') if part.startswith('"') else words[part] for part in pattern.split())
        if path.startswith("/api/v2/"):
            routes[operation] = (HANDLERS.get(handler, "done"), verb, path)
    return routes


def of_the_client(python):
    """{operation: (verb, path)} of the client that is installed beside `python`."""
    lines = subprocess.run([python, "-c", LIST_THEM], check=True, capture_output=True, text=True, timeout=120).stdout.splitlines()
    return {operation: (verb, path) for operation, verb, path in (line.split() for line in lines)}
