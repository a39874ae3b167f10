#!/usr/bin/env python3
"""Calls a flaky service once. The service is here too: a server on a free port of this machine, for as long as the call.

How often it was called in this run stands in a file, so that it knows when it has failed often enough."""
import http.server
import json
import os
import re
import sys
import threading
import urllib.error
import urllib.request

TRY_AGAIN_LATER = 75  # EX_TEMPFAIL of sysexits.h


def count_call(run_id):
    folder = os.environ["SERVICE_FOLDER"]
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, re.sub(r"[^A-Za-z0-9_.-]", "_", run_id) + ".calls")
    with open(path, "a") as file:
        file.write(".")
    return os.path.getsize(path)


def start_service(run_id, failures):
    class Service(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            calls = count_call(run_id)
            status, answer = (503, {"error": f"overloaded (call {calls})"}) if calls <= failures else (
                200, {"level_mm": 1742, "calls": calls})
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main(run_id, failures):
    port = start_service(run_id, int(failures))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/level", timeout=10) as answer:
            text = answer.read().decode()
            print(text)
            with open(os.environ["HEADRACE_OUTPUT"], "w") as output:
                output.write(text)
    except urllib.error.HTTPError as error:
        print(f"the service answered {error.code}: {error.read().decode()}", file=sys.stderr)
        sys.exit(TRY_AGAIN_LATER)


main(*sys.argv[1:])
