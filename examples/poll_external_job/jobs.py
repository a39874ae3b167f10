#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a system that runs jobs: an HTTP server on this host, whose address stands in $JOBS_FOLDER/address.

    jobs.py serve       serves until it is released, three minutes at most
    jobs.py submit --name NAME --seconds 10 --outcome SUCCEEDED     its output is {"id", "url"}
    jobs.py release     ends the server

    GET /jobs/ID        202 while it runs; then 200 with outcome, seconds, and level_mm or reason
"""
import argparse
import hashlib
import http.server
import json
import os
import pathlib
import time
import urllib.request

FOLDER = pathlib.Path(os.environ["JOBS_FOLDER"])
LIFE_S = 180


class Jobs(http.server.BaseHTTPRequestHandler):
    jobs = {}
    released = False

    def do_PUT(self):
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.jobs.setdefault(self.path, job | {"ends": time.monotonic() + job["seconds"]})
        self.answer(201, {})

    def do_GET(self):
        job = self.jobs.get(self.path)
        if job is None:
            self.answer(404, {"reason": "there is no such job"})
        elif time.monotonic() < job["ends"]:
            self.answer(202, {"id": job["id"], "state": "RUNNING"})
        else:
            good = job["outcome"] == "SUCCEEDED"
            end = {"level_mm": 400 + int(job["id"], 16) % 200} if good else {"reason": "the gauge did not answer"}
            self.answer(200, {name: job[name] for name in ("id", "outcome", "seconds")} | end)

    def do_DELETE(self):
        Jobs.released = True
        self.answer(200, {})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def serve():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with http.server.HTTPServer(("127.0.0.1", 0), Jobs) as server:
        server.timeout = 1
        draft = FOLDER / "address.new"
        draft.write_text(f"http://127.0.0.1:{server.server_port}")
        draft.rename(FOLDER / "address")  # whole or not at all
        end = time.monotonic() + LIFE_S
        while not Jobs.released and time.monotonic() < end:
            server.handle_request()


def ask(method, path, body=None):
    url = (FOLDER / "address").read_text() + path
    data = None if body is None else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, data, method=method), timeout=20):
        return url


def submit(name, seconds, outcome):
    ident = hashlib.sha256(name.encode()).hexdigest()[:12]  # of the run: also its second try submits this job
    url = ask("PUT", f"/jobs/{ident}", {"id": ident, "seconds": seconds, "outcome": outcome})
    print(f"submitted {url}")
    pathlib.Path(os.environ["HEADRACE_OUTPUT"]).write_text(json.dumps({"id": ident, "url": url}))


def release():
    try:
        ask("DELETE", "/")
    except OSError as problem:
        print(f"there is nothing to release: {problem}")


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("serve")
    verbs.add_parser("release")
    one = verbs.add_parser("submit")
    one.add_argument("--name", required=True)
    one.add_argument("--seconds", type=int, required=True)
    one.add_argument("--outcome", required=True)
    args = parser.parse_args()
    if args.verb == "submit":
        submit(args.name, args.seconds, args.outcome)
    else:
        {"serve": serve, "release": release}[args.verb]()


main()
