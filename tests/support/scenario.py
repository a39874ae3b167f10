# SPDX-License-Identifier: Apache-2.0
"""What scenarios share: one running system for several of them, a stub of somebody else's service, and short ways to ask.

    def a_late_file_is_waited_for(system): ...

    if __name__ == "__main__":
        main(lambda: Standalone(SETTINGS), a_late_file_is_waited_for, ...)
"""
import concurrent.futures
import datetime
import getpass
import http.server
import json
import sys
import threading
import time
import traceback
import urllib.parse

AT_ONCE = 6


# ---- asking ----

def output(system, dag, run, task, map_index=-1):
    path = f"/api/v2/dags/{dag}/dagRuns/{urllib.parse.quote(run)}/taskInstances/{task}/xcomEntries/return_value?map_index={map_index}"
    return system.request("GET", path)["value"]


def instance(system, dag, run, task, map_index=-1):
    return next(row for row in system.tasks(dag, run) if (row["task_id"], row["map_index"]) == (task, map_index))


def tries(system, dag, run, task, map_index=-1):
    """All its tries, the first one first."""
    index = f"/{map_index}" if map_index >= 0 else ""
    path = f"/api/v2/dags/{dag}/dagRuns/{urllib.parse.quote(run)}/taskInstances/{task}{index}/tries"
    return sorted(system.request("GET", path)["task_instances"], key=lambda row: row["try_number"])


def why(system, dag, run, task, map_index=-1):
    """Its reasons, or the cause of its end, as one text."""
    query = urllib.parse.urlencode({"dag_id": dag, "run_id": run, "task_id": task, "map_index": map_index})
    return " ".join(reason["sentence"] for reason in system.request("GET", f"/api/headrace/v1/why?{query}")["reasons"])


def time_of(text):
    return datetime.datetime.fromisoformat(text)


def span(row):
    return time_of(row["start_date"]), time_of(row["end_date"])


def overlap(one, other):
    return one[0] < other[1] and other[0] < one[1]


def runs_of(system, dag):
    """In the order of their times; none while the DAG's file has not been read."""
    if not system.has_dag(dag):
        return []
    return system.request("GET", f"/api/v2/dags/{dag}/dagRuns?limit=100&order_by=run_after")["dag_runs"]


def clear(system, dag, run, task, **options):
    body = {"dry_run": False, "dag_run_id": run, "task_ids": [task], "only_failed": False, **options}
    return system.request("POST", f"/api/v2/dags/{dag}/clearTaskInstances", body)


def connect_store(system):
    """The connection `store`: the system's own database, where scenarios keep their tables in schemas of their own."""
    conn = system.cli("config", "get-value", "database", "conn").stdout.strip()
    words = dict(word.split("=", 1) for word in conn.split())
    system.cli("connections", "add", "store", "--conn-type", "postgres", "--conn-host", words["host"].strip("'"),
               "--conn-login", words.get("user", getpass.getuser()), "--conn-schema", words["dbname"])


def ends(system, dag, state, conf=None):
    """Triggers it and waits for its end, which must be so; the run's id."""
    run = system.trigger(dag, conf)
    assert system.wait_run(dag, run)["state"] == state, system.states(dag, run)
    return run


def check(states, **expected):
    different = {task: (states.get(task), state) for task, state in expected.items() if states.get(task) != state}
    assert not different, f"(is, should be): {different}"


def folder_of(system, name):
    folder = system.home / name
    folder.mkdir()
    return folder


# ---- somebody else's service ----

class Service:
    """A service on a free port: `answers` maps a path to what it says, one element a request and the last one for ever; an
    element is a status, a (status, value), a (status, value, headers) or a function of the request's body that gives one. `asked` lists
    (path, body)."""

    def __init__(self):
        self.answers, self.asked, self.lock = {}, [], threading.Lock()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body, headers = service.answer(self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, body):
        with self.lock:
            self.asked.append((path, json.loads(body) if body else None))
            rest = self.answers.get(path, [404])
            said = rest.pop(0) if len(rest) > 1 else rest[0]
        if callable(said):
            said = said(json.loads(body) if body else None)
        said = said if isinstance(said, tuple) else (said,)
        status, value, headers = said + (None, {})[len(said) - 1:]
        body = value.encode() if isinstance(value, str) else b"" if value is None else json.dumps(value).encode()
        return status, body, headers

    def asked_for(self, path):
        with self.lock:
            return [body for asked, body in self.asked if asked == path]


# ---- running them ----

def run_one(scenario, system):
    began = time.monotonic()
    try:
        scenario(system)
    except Exception:  # the others still say what they know
        traceback.print_exc()
        print(f"FAILED {scenario.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        return False
    print(f"ok     {scenario.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    return True


def main(start, *scenarios):
    """Runs those named on the command line, or all, several at once on one system; each scenario has DAGs, pools and files of
    its own names, and disturbs no other."""
    wanted = [word for word in sys.argv[1:] if word != "-k"]
    chosen = [scenario for scenario in scenarios if not wanted or any(word in scenario.__name__ for word in wanted)]
    with start() as system, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        system.sign_in()  # once, for all threads
        connect_store(system)
        results = list(pool.map(lambda scenario: run_one(scenario, system), chosen))
        assert all(results), "not every scenario went well"
