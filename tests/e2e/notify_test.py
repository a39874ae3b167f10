# SPDX-License-Identifier: Apache-2.0
"""Notifications against real receivers: a webhook that is away at first, a mail server, a program, and one that never answers."""
import http.server
import json
import socketserver
import threading

from headrace import Standalone, main, wait_for


class Hook(http.server.BaseHTTPRequestHandler):
    got = []
    refusals = 1

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refused, Hook.refusals = Hook.refusals > 0, Hook.refusals - 1
        if not refused:
            Hook.got.append(body)
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes."""
    got = []

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        mail = {"to": []}
        self.say("220 here")
        for line in iter(lambda: self.rfile.readline().decode().strip(), ""):
            word = line.split(" ")[0].split(":")[0].upper()
            if word == "EHLO":
                self.say("250 here")
            elif word == "MAIL":
                mail["from"] = line.split(":", 1)[1]
                self.say("250 ok")
            elif word == "RCPT":
                mail["to"].append(line.split(":", 1)[1])
                self.say("250 ok")
            elif word == "DATA":
                self.say("354 go on")
                lines = list(iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), "."))
                mail["text"] = "\n".join(lines)
                Mail.got.append(mail)
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


def notifications(system, **filters):
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return system.request("GET", f"/api/headrace/v1/notifications?order_by=made_at&{query}")["notifications"]


def who_is_to_be_told_is_told():
    hooks = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    mails = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)
    for server in (hooks, mails):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {"smtp.smtp_host": "127.0.0.1", "smtp.smtp_port": mails.server_address[1], "smtp.smtp_starttls": "false",
                "smtp.smtp_mail_from": "headrace@example.org"}
    with Standalone(settings) as system:
        told = system.home / "told"
        system.write_dag("tells.yaml", f"""
deadline: 2s
on_failure: [{{webhook: "http://127.0.0.1:{hooks.server_port}/secret-path", subject: "{{{{ dag.dag_id }}}} failed"}}]
on_deadline: [{{exec: [/bin/sh, -c, 'echo "$HEADRACE_CTX_EVENT $HEADRACE_SUBJECT" >> {told}']}}]
tasks:
  fails:
    bash: echo broken; exit 3
    on_failure: [{{email: [ops@example.org, data@example.org], message: "{{{{ ti.task_id }}}} of {{{{ run_id }}}}"}}]
  away:
    bash: 'true'
    on_success: [{{webhook: "http://127.0.0.1:1/nobody"}}]
  slow: {{bash: sleep 3}}
  by_task:
    notify: {{email: someone@example.org, subject: grüezi, message: as a task}}
""")
        run = system.trigger("tells")
        assert system.wait_run("tells", run)["state"] == "failed"
        wait_for(lambda: Hook.got and len(Mail.got) == 2 and told.exists(), "everybody is told", 60)
        assert Hook.got[0]["subject"] == "tells failed" and Hook.got[0]["about"]["dag_id"] == "tells", Hook.got
        mail = next(mail for mail in Mail.got if len(mail["to"]) == 2)
        assert mail["to"] == ["<ops@example.org>", "<data@example.org>"] and mail["from"].startswith("<headrace@example.org>")
        assert f"fails of {run}" in mail["text"] and "Subject: tells.fails: failed" in mail["text"], mail
        assert told.read_text() == "on_deadline tells: not over at its deadline\n", told.read_text()
        assert system.states("tells", run)["by_task"] == "success"
        delivered = lambda rows: rows if len(rows) == 3 else None  # noqa: E731
        rows = wait_for(lambda: delivered(notifications(system, state="delivered")), "their rows say so", 60)
        assert {row["kind"] for row in rows} == {"webhook", "email", "exec"}, rows
        hook = next(row for row in rows if row["kind"] == "webhook")
        assert hook["tries"] == 2 and "secret-path" not in json.dumps(rows), rows
        away = wait_for(lambda: [row for row in notifications(system, state="pending") if row["error"]], "the failure is seen", 30)
        assert len(away) == 1 and away[0]["task_id"] == "away" and "ConnectionError" in away[0]["error"], away
        _, _, metrics = system.raw("GET", "/metrics")
        assert 'headrace_notifications{state="pending"} 1' in (metrics if isinstance(metrics, str) else metrics.decode())
        stored = system.sql("SELECT count(*) FROM notification WHERE encode(sealed, 'escape') LIKE '%secret-path%'")
        assert stored.strip() == "0", "payloads are sealed"
    for server in (hooks, mails):
        server.shutdown()


if __name__ == "__main__":
    main(who_is_to_be_told_is_told)
