# SPDX-License-Identifier: Apache-2.0
"""headrace-task http, notify and fail against a small server of our own."""
import email.utils
import http.server
import json
import os
import pathlib
import socketserver
import subprocess
import tempfile
import threading
import time
import urllib.parse

PROGRAM = pathlib.Path(os.environ["HEADRACE_BIN_DIR"]) / "headrace-task"


class Stub(http.server.BaseHTTPRequestHandler):
    seen = []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        Stub.seen.append((self.command, self.path, dict(self.headers), body))
        kind = self.path.split("?")[0]
        if kind == "/moved":
            self.send_response(302)
            self.send_header("Location", "/plain")
            self.end_headers()
            return
        if kind == "/slow":
            threading.Event().wait(3)
        status, content = {"/plain": (200, b"just text\n"), "/json": (200, b'{"n": 1}'), "/none": (204, b""),
                           "/broken": (503, b"come back later"), "/busy": (429, b""), "/gone": (410, b""),
                           "/big": (200, b"x" * (17 << 20))}.get(kind, (200, b"ok"))
        self.send_response(status)
        if "after=" in self.path:
            self.send_header("Retry-After", urllib.parse.unquote(self.path.split("after=")[1]))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except OSError:
            pass

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def log_message(self, *args):
        pass


class Mail(socketserver.StreamRequestHandler):
    received = []

    def handle(self):
        def say(line):
            self.wfile.write(line.encode() + b"\r\n")
        say("220 stub")
        commands, text, in_data = [], [], False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if in_data:
                if line == ".":
                    in_data = False
                    say("250 ok")
                else:
                    text.append(line)
                continue
            commands.append(line)
            if line == "DATA":
                in_data = True
                say("354 go")
            elif line == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        Mail.received.append((commands, text))


def run(verb, payload=None, arguments=()):
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "output"
        done = subprocess.run([PROGRAM, verb, *arguments], input=None if payload is None else json.dumps(payload), text=True,
                              capture_output=True, timeout=60, env={"HEADRACE_OUTPUT": str(output), "PATH": "/usr/bin:/bin"},
                              stdin=subprocess.DEVNULL if payload is None else None)
        return done.returncode, output.read_text() if output.exists() else None, done.stdout, done.stderr


def serve(kind, handler):
    server = kind(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def the_body_of_the_answer_is_the_output(base):
    assert run("http", {"url": base + "/json"})[:2] == (0, '{"n": 1}')
    status, output, log, _ = run("http", {"url": base + "/plain"})
    assert (status, output) == (0, "just text\n") and "GET " + base + "/plain: 200 OK, 10 bytes in" in log
    assert run("http", {"url": base + "/none"})[:2] == (0, None)


def method_headers_and_body_are_sent(base):
    Stub.seen.clear()
    run("http", {"url": base + "/x", "json": {"day": "2026-02-03"}, "headers": {"X-Token": "t", "X-Number": 7}})
    run("http", {"url": base + "/y", "method": "put", "body": "raw words"})
    run("http", {"url": base + "/z", "connection": {"login": "me", "password": "secret"}})
    run("http", {"url": "/w", "connection": {"host": "127.0.0.1", "port": int(base.rsplit(":", 1)[1])}})
    (command, path, headers, body), put, auth, relative = Stub.seen
    assert (command, path, json.loads(body)) == ("POST", "/x", {"day": "2026-02-03"})
    assert headers["Content-Type"] == "application/json" and headers["X-Token"] == "t" and headers["X-Number"] == "7"
    assert put[0] == "PUT" and put[3] == "raw words"
    assert auth[2]["Authorization"] == "Basic bWU6c2VjcmV0"
    assert relative[1] == "/w"


def an_unexpected_status_fails_in_words(base):
    status, output, _, error = run("http", {"url": base + "/broken"})
    assert (status, output) == (1, None)
    assert f"HEADRACE_ERROR HttpError: GET {base}/broken answered 503 Service Unavailable: come back later" in error, error
    assert run("http", {"url": base + "/broken", "expect": [503]})[0] == 0
    assert run("http", {"url": base + "/broken", "expect": ["2xx", "5xx"]})[0] == 0
    assert run("http", {"url": base + "/plain", "expect": [201]})[0] == 1


def a_busy_server_says_when_to_come_again(base):
    assert "HEADRACE_ERROR HttpError retry_after=7s: GET " in run("http", {"url": base + "/busy?after=7"})[3]
    assert "HEADRACE_ERROR HttpError retry_after=120s: GET " in run("http", {"url": base + "/broken?after=120"})[3]
    date = urllib.parse.quote(email.utils.formatdate(time.time() + 3600, usegmt=True))
    error = run("http", {"url": f"{base}/busy?after={date}"})[3]
    assert 3500 < int(error.split("retry_after=")[1].split("s:")[0]) <= 3600, error
    for path in ("/busy", "/busy?after=soon", "/gone?after=7"):
        assert "HEADRACE_ERROR HttpError: GET " in run("http", {"url": base + path})[3]


def redirects_are_followed_only_when_asked(base):
    assert "answered 302" in run("http", {"url": base + "/moved"})[3]
    assert run("http", {"url": base + "/moved", "follow_redirects": True})[:2] == (0, "just text\n")


def failures_have_names(base):
    assert "HEADRACE_ERROR ConnectionError: GET http://127.0.0.1:1/" in run("http", {"url": "http://127.0.0.1:1/"})[3]
    assert "HEADRACE_ERROR TimeoutError: " in run("http", {"url": base + "/slow", "timeout": 0.2})[3]
    assert "HEADRACE_HARD_ERROR AnswerTooLarge: " in run("http", {"url": base + "/big"})[3]
    assert "HEADRACE_HARD_ERROR ValueError: " in run("http", {"url": "file:///etc/passwd"})[3]
    assert "HEADRACE_HARD_ERROR ValueError: header X holds" in run("http", {"url": base, "headers": {"X": "a\r\nY: b"}})[3]
    status, _, _, error = run("http", {})
    assert status == 1 and "has no url" in error


def a_webhook_gets_the_message(base):
    Stub.seen.clear()
    status, _, _, error = run("notify", {"webhook": base + "/hook", "subject": "it failed", "message": "look at it"})
    assert status == 0, error
    assert json.loads(Stub.seen[0][3]) == {"text": "it failed\nlook at it", "subject": "it failed", "message": "look at it"}
    assert run("notify", {"webhook": base + "/broken", "message": "x"})[0] == 1


def an_email_goes_through_the_connection(base):
    server = serve(socketserver.ThreadingTCPServer, Mail)
    payload = {"email": ["a@example.org", "b@example.org"], "subject": "schön", "message": "one\n.\ntwo",
               "connection": {"host": "127.0.0.1", "port": server.server_address[1], "extra": {"from_email": "h@example.org"}}}
    status, _, log, error = run("notify", payload)
    assert status == 0, error
    assert "e-mail to 2 addresses" in log
    commands, text = Mail.received[0]
    assert "MAIL FROM:<h@example.org>" in " ".join(commands) and "RCPT TO:<b@example.org>" in " ".join(commands)
    assert "Subject: =?utf-8?Q?=73=63=68=C3=B6=6E?=" in text and text[-3:] == ["one", "..", "two"]
    assert "is not an e-mail address" in run("notify", {**payload, "email": "a@b\r\nBcc: c@d"})[3]
    server.shutdown()


def authors_report_their_own_errors(base):
    assert run("fail", arguments=["no file for today"]) == (1, None, "", "HEADRACE_ERROR TaskError: no file for today\n")
    assert run("fail", arguments=["--hard", "--name", "BadInput", "two\nlines"])[3] == "HEADRACE_HARD_ERROR BadInput: two lines\n"
    assert run("fail", arguments=["--name", "not a name", "x"])[0] == 2
    assert run("nonsense")[0] == 2
    assert "is not JSON" in run("http", None)[3]


if __name__ == "__main__":
    stub = serve(http.server.ThreadingHTTPServer, Stub)
    for test in (the_body_of_the_answer_is_the_output, method_headers_and_body_are_sent, an_unexpected_status_fails_in_words,
                 a_busy_server_says_when_to_come_again,
                 redirects_are_followed_only_when_asked, failures_have_names, a_webhook_gets_the_message,
                 an_email_goes_through_the_connection, authors_report_their_own_errors):
        test(f"http://127.0.0.1:{stub.server_port}")
        print("ok", test.__name__, flush=True)
