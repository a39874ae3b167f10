# SPDX-License-Identifier: Apache-2.0
"""Tests of connections: a worker opens them, nobody else, and what is kept secret does not come back."""
import base64
import getpass
import http.server
import json
import socket
import socketserver
import threading

from headrace import ApiError, Standalone, main, wait_for

ENABLED = {"core.test_connection": "Enabled"}


class Site(http.server.BaseHTTPRequestHandler):
    """Whoever knows the password gets in."""

    def do_GET(self):
        known = "Basic " + base64.b64encode(b"ann:s3cret").decode()
        self.send_response(200 if self.headers.get("Authorization") == known else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class MailServer(socketserver.StreamRequestHandler):
    """Speaks no TLS, and would take a password."""
    logins = []

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"AUTH":
                self.wfile.write(b"334 \r\n")
                MailServer.logins.append(base64.b64decode(self.rfile.readline()))
            answers = {b"QUIT": b"221 bye\r\n", b"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", b"AUTH": b"235 it is you\r\n"}
            self.wfile.write(answers.get(word, b"250 fine\r\n"))


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test(system, **connection):
    answer = system.request("POST", "/api/v2/connections/test", {"connection_id": "new", **connection}, timeout=90)
    assert set(answer) == {"status", "message"}, answer
    assert "s3cret" not in json.dumps(answer), answer
    return answer["status"], answer["message"]


def it_is_forbidden_unless_a_setting_allows_it():
    with Standalone({"autoscale.default.max": 0, "autoscale.default.min": 0}) as system:
        try:
            system.request("POST", "/api/v2/connections/test", {"connection_id": "x", "conn_type": "http"})
            raise AssertionError("it was tested")
        except ApiError as problem:
            assert problem.status == 403, problem
            assert json.loads(problem.body)["detail"] == ("Testing connections is disabled in Airflow configuration. "
                                                          "Contact your deployment admin to enable it."), problem.body


def a_worker_opens_it_as_its_type_asks():
    site = serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site))
    mail = serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer))
    closed = socket.create_server(("127.0.0.1", 0))
    nobody = closed.getsockname()[1]
    closed.close()
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections and says nothing
    with Standalone({**ENABLED, "autoscale.default.min": 0}) as system:
        at_site = {"conn_type": "http", "host": "127.0.0.1", "port": site.server_port, "login": "ann"}
        opens, message = test(system, **at_site, password="s3cret")
        assert opens and message.startswith("Connection successfully tested") and "200" in message, message
        opens, message = test(system, **at_site, password="wrong")
        assert not opens and "401" in message, message
        opens, message = test(system, conn_type="http", host="127.0.0.1", port=nobody)
        assert not opens and "ConnectionError" in message, message
        opens, message = test(system, conn_type="http", host="no-such-host.invalid")
        assert not opens and "no-such-host.invalid" in message, message
        opens, message = test(system, conn_type="http", host="127.0.0.1", port=silent.getsockname()[1])
        assert not opens and "TimeoutError" in message, message
        opens, message = test(system, conn_type="smtp", host="127.0.0.1", port=mail.server_address[1])
        assert opens and "takes mail" in message, message
        at_mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": mail.server_address[1], "login": "ann", "password": "s3cret"}
        for extra in ({}, {"starttls": False}):
            opens, message = test(system, **at_mail, extra=json.dumps(extra))
            assert not opens and not MailServer.logins, (message, MailServer.logins)  # no password without TLS
            assert "STARTTLS" in message, message
        opens, message = test(system, **at_mail, extra=json.dumps({"disable_tls": True}))
        assert opens and MailServer.logins == [b"\0ann\0s3cret"], (message, MailServer.logins)
        opens, message = test(system, conn_type="ssh", host="127.0.0.1")
        assert not opens and "a connection of type ssh cannot be tested; postgres, http, https and smtp can" in message, message

        # Real PostgreSQL, with a password that is really looked at.
        words = dict(word.split("=", 1) for word in system.cli("config", "get-value", "database", "conn").stdout.split())
        folder = words["host"].strip("'")
        system.sql("CREATE ROLE ann LOGIN PASSWORD 's3cret'")
        hba = system.sql("SHOW hba_file")
        with open(hba) as rules:
            kept = rules.read()
        with open(hba, "w") as rules:
            rules.write("local all ann scram-sha-256\n" + kept)
        system.sql("SELECT pg_reload_conf()")
        wait_for(lambda: system.sql("SELECT count(*) FROM pg_hba_file_rules WHERE 'ann' = ANY(user_name)") == "1", "the new rule")
        base = {"conn_type": "postgres", "host": folder, "schema": words["dbname"]}
        wait_for(lambda: not test(system, **base, login="ann", password="wrong")[0], "the rule is in force", 60)
        opens, message = test(system, **base, login="ann", password="wrong")
        assert not opens and "password authentication failed" in message, message
        opens, message = test(system, **base, login="ann", password="s3cret")
        assert opens and "PostgreSQL" in message and "as ann" in message, message
        opens, message = test(system, conn_type="postgres", host="/no/such/folder", schema="x")
        assert not opens and "ConnectionError" in message, message
        assert test(system, **base, login=words.get("user", getpass.getuser()))[0]

        # What is kept is used where nothing is given, and goes nowhere else.
        system.request("POST", "/api/v2/connections", {"connection_id": "kept", **at_site, "password": "s3cret"})
        assert test(system, connection_id="kept", conn_type="http", password="***")[0]
        assert "successfully" in system.cli("connections", "test", "kept").stdout
        other = serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site))
        opens, message = test(system, connection_id="kept", conn_type="http", port=other.server_port)
        assert not opens and "the kept password is not sent elsewhere" in message, message
        system.cli("connections", "set", "kept", "--conn-type", "http", "--conn-host", "127.0.0.1", "--conn-port", str(nobody))
        done = system.cli("connections", "test", "kept", check=False)
        assert done.returncode == 1 and "ConnectionError" in done.stderr, done
        assert system.cli("connections", "test", "nothing", check=False).returncode == 1
        events = system.request("GET", "/api/v2/eventLogs?event=test_connection")["event_logs"]
        assert events and "s3cret" not in json.dumps(events), events
        for log in system.home.glob("**/*.log"):
            assert "s3cret" not in log.read_text(errors="replace"), log
        other.shutdown()
    for server in (site, mail):
        server.shutdown()
    silent.close()


if __name__ == "__main__":
    main(it_is_forbidden_unless_a_setting_allows_it, a_worker_opens_it_as_its_type_asks)
