# SPDX-License-Identifier: Apache-2.0
"""Many clients of a web server that are slow or do nothing, driven by one thread.

    with Crowd(port, idle=1000, slow=1000) as crowd:
        ...
        crowd.ended   # how often the server ended a slow one, by kind and status
"""
import collections
import resource
import socket
import threading

BYTE_EVERY_S = 0.5
HEAD = b"GET /api/v2/version HTTP/1.1\r\nHost: h\r\nX-Slow: "
BODY = b"POST /auth/token HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"
ANSWER = b"GET /openapi.json HTTP/1.1\r\nHost: h\r\n\r\n" * 16


def raise_descriptors(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard) if hard != resource.RLIM_INFINITY else wanted, hard))


class Client:
    """kind: "head" and "body" send a byte now and then, "answer" reads one."""

    def __init__(self, port, kind):
        self.port, self.kind = port, kind
        self.open()

    def open(self):
        self.sock = socket.socket()
        if self.kind == "answer":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.sock.settimeout(180)
        self.sock.connect(("127.0.0.1", self.port))
        self.sock.sendall({"head": HEAD, "body": BODY, "answer": ANSWER, "idle": b""}[self.kind])
        self.sock.setblocking(False)

    def step(self):
        """None, or the status that the server ended it with (0: without a word)."""
        try:
            if self.kind == "answer":
                return None if self.sock.recv(1) else 0
            got = self.sock.recv(4096)
            return int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0
        except BlockingIOError:
            pass
        except OSError:
            return 0
        if self.kind in ("head", "body"):
            try:
                self.sock.send(b"x")
            except OSError:
                return None  # the next look tells why
        return None


class Crowd:
    def __init__(self, port, idle, slow):
        raise_descriptors(2 * (idle + slow) + 100)
        self.port, self.ended, self.stops = port, collections.Counter(), threading.Event()
        kinds = ["idle"] * idle + [("head", "body", "answer")[n % 3] for n in range(slow)]
        self.clients = [Client(port, kind) for kind in kinds]
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stops.set()
        self.thread.join()
        for client in self.clients:
            client.sock.close()

    def _run(self):
        slow = [client for client in self.clients if client.kind != "idle"]
        while not self.stops.wait(BYTE_EVERY_S):
            for client in slow:
                status = client.step()
                if status is None:
                    continue
                self.ended[client.kind, status] += 1
                client.sock.close()
                client.open()
