# SPDX-License-Identifier: Apache-2.0
"""TLS: the certificate, its reload, secure cookies, and what is refused."""
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import unittest

from api_world import ApiWorld, wait_for


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    f"/CN={name}", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    (folder / "key.pem").chmod(0o600)


class TlsWorld(ApiWorld):
    def __enter__(self):
        self.certs = self.home / "home"
        make_certificate(self.certs, "first.example")
        self.settings = {"api__tls_cert": self.certs / "cert.pem", "api__tls_key": self.certs / "key.pem"}
        return super().__enter__()

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=ssl._create_unverified_context())

    def openapi(self):
        return json.loads(self.exchange("GET", "/openapi.json")[2])

    def exchange(self, method, path, body=None, headers=None):
        connection = self.connect()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        name = connection.sock.getpeercert(True) if connection.sock else None
        connection.close()
        return answer.status, answer.headers, content, name


class Tls(unittest.TestCase):
    def test_tls_from_handshake_to_reload(self):
        with TlsWorld(leader=False) as world:
            status, headers, body, first = world.exchange("GET", "/api/v2/version")
            self.assertEqual(status, 200)
            self.assertIn("max-age", headers["Strict-Transport-Security"])
            world.sql("INSERT INTO user_account (name, role) VALUES ('x', 'Admin')")
            token = {"Authorization": "Bearer " + (world.home / "home/cli-token").read_text().strip(), "Content-Type": "application/json"}
            self.assertEqual(world.exchange("POST", "/api/headrace/v1/users", '{"username": "ada", "password": "adas-password-of-mine", "role": "User"}', token)[0], 201)
            status, headers, _, _ = world.exchange("POST", "/auth/login", '{"username": "ada", "password": "adas-password-of-mine"}', {"Content-Type": "application/json"})
            self.assertEqual(status, 204)
            self.assertTrue(headers["Set-Cookie"].startswith("__Host-headrace="))
            self.assertIn("; Secure", headers["Set-Cookie"])
            # ---- many requests on one connection, and a body over several records
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", world.port, timeout=10, context=context)
            for _ in range(20):
                connection.request("POST", "/auth/token", b"username=" + b"a" * 60000 + b"&password=x", {"Content-Type": "application/x-www-form-urlencoded"})
                answer = connection.getresponse()
                self.assertIn(answer.status, (401, 429))
                answer.read()
            connection.close()
            # ---- old TLS and plain HTTP are refused
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            old.maximum_version = ssl.TLSVersion.TLSv1_1
            with self.assertRaises((ssl.SSLError, OSError, ValueError)):
                old.wrap_socket(socket.create_connection(("127.0.0.1", world.port)))
            plain = socket.create_connection(("127.0.0.1", world.port))
            plain.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1 200", plain.recv(1000))
            plain.close()
            # ---- a new certificate by SIGHUP
            make_certificate(world.certs, "second.example")
            world.process.send_signal(signal.SIGHUP)
            wait_for(lambda: self.subject(world) == "second.example", "the new certificate")
            # ---- a broken one is refused, the old one stays
            (world.certs / "cert.pem").write_text("nonsense")
            world.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "certificate_not_reloaded" in (world.home / "web.log").read_text(), "the refusal")
            self.assertEqual(self.subject(world), "second.example")

    def subject(self, world):
        pem = ssl.get_server_certificate(("127.0.0.1", world.port))
        text = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=pem, text=True, capture_output=True).stdout
        return text.strip().split("=")[-1].strip()

    def test_a_key_that_others_can_read_is_refused(self):
        world = TlsWorld(leader=False)
        make_certificate(world.home / "home", "x")
        (world.home / "home/key.pem").chmod(0o644)
        env = {"PATH": os.environ["PATH"], "HEADRACE_HOME": str(world.home / "home"), "HEADRACE__API__PORT": "0", "HEADRACE__LOGGING__PORT": "0",
               "HEADRACE__API__TLS_CERT": str(world.home / "home/cert.pem"), "HEADRACE__API__TLS_KEY": str(world.home / "home/key.pem"),
               "HEADRACE__DATABASE__CONN": "host=/nowhere"}
        binary = pathlib.Path(__import__("api_world").BIN) / "headrace-webserver"
        done = subprocess.run([binary], env=env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod 600", done.stderr)
        subprocess.run(["rm", "-rf", str(world.home)])


if __name__ == "__main__":
    unittest.main()
