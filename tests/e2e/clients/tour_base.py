# SPDX-License-Identifier: Apache-2.0
"""What every part of the tour uses: a client that is signed in and keeps what came back, and small helpers around it."""
import datetime
import inspect
import json
import sys
import time
import unittest
import urllib.request

import airflow_client.client as client
from airflow_client.client import models
from airflow_client.client.exceptions import ApiException

CARD = json.loads(sys.argv.pop(1))


def sign_in():
    body = json.dumps({"username": CARD["username"], "password": CARD["password"]}).encode()
    request = urllib.request.Request(CARD["url"] + "/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
        return json.load(answer)["access_token"]


CONFIG = client.Configuration(host=CARD["url"])
CONFIG.access_token = sign_in()


class RecordingClient(client.ApiClient):
    """Keeps what came back, so that the contract of the release can be held against it."""
    answers = []

    def call_api(self, method, url, *words, **named):
        answer = super().call_api(method, url, *words, **named)
        answer.read()
        self.answers.append((method, url[len(CARD["url"]):], answer.status, answer.getheader("content-type") or "", answer.data))
        return answer


API = RecordingClient(CONFIG)
LATE = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
EARLY = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)


def has(api, method):
    return hasattr(api, method)


def only_known(method, **arguments):
    """Filters that the release does not know are left out."""
    known = inspect.signature(method).parameters
    return method(**{name: value for name, value in arguments.items() if name in known})


def bulk_of(model, *actions):
    """As a script that reads its actions from a file does."""
    return model.from_dict({"actions": list(actions)})


def clear_of(**fields):
    return models.ClearTaskInstancesBody.from_dict(fields)


def when_ended(call, *words):
    """What is under way is not deleted: until its last process has gone the answer is 409."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return call(*words)
        except ApiException as refusal:
            if refusal.status != 409 or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def until(look, what):
    """Looks again and again until there is something to see."""
    deadline = time.monotonic() + 120
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited two minutes for {what}"
        time.sleep(0.1)
    return seen


def delete_run(dag_id, run_id):
    when_ended(client.DagRunApi(API).delete_dag_run, dag_id, run_id)


class Tour(unittest.TestCase):
    def refused(self, status, call, *words, **named):
        with self.assertRaises(ApiException) as caught:
            call(*words, **named)
        self.assertEqual(caught.exception.status, status, caught.exception.body)
        self.assertIn("detail", json.loads(caught.exception.body))
