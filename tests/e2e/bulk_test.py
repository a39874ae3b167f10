# SPDX-License-Identifier: Apache-2.0
"""One action upon all that a list's query finds: a line of each says what became of it."""
import http.client
import json

from headrace import Standalone, main

UI = "/api/headrace/v1/ui"

DAG = """
tasks:
  load: {bash: 'exit 1'}
  report: {depends_on: [load], bash: 'true'}
"""


def bulk(system, kind, query, body):
    """The lines: how many, one of each, how it ended."""
    status, _, text = system.raw("POST", f"{UI}/{kind}/bulk{query}", body, timeout=300)
    assert status == 200, (status, text)
    lines = [json.loads(line) for line in text.splitlines()]
    return lines[0]["total"], lines[1:-1], lines[-1]


def refused(system, kind, query, body):
    status, _, text = system.raw("POST", f"{UI}/{kind}/bulk{query}", body)
    return status, text


def matches(system, kind, query):
    return system.request("GET", f"{UI}/{kind}?limit=0&{query}")["matches"]


def failed_runs(system, count):
    system.write_dag("days.yaml", DAG)
    system.wait_dag("days")
    runs = [system.trigger("days", run_id=f"r{number}") for number in range(count)]
    for run in runs:
        assert system.wait_run("days", run)["state"] == "failed"
    return runs


def what_a_query_finds_is_cleared_marked_and_deleted():
    with Standalone() as system:
        runs = failed_runs(system, 12)
        failed = "state=failed&dag_id=days"
        assert matches(system, "runs", failed) == 12 and matches(system, "tasks", "state=failed") == 12
        assert matches(system, "runs", "state=success") == 0
        assert matches(system, "tasks", "state=failed&pool=default_pool") == 12 and matches(system, "tasks", "pool=other") == 0
        total, lines, end = bulk(system, "tasks", "?state=failed", {"action": "success", "expected": 12})
        assert total == 12 and end == {"end": "all"}, end
        assert sorted(line["run_id"] for line in lines) == sorted(runs) and {line["task_id"] for line in lines} == {"load"}, lines
        assert not any("refused" in line for line in lines), lines
        assert {system.states("days", run)["load"] for run in runs} == {"success"}
        total, lines, end = bulk(system, "runs", f"?{failed}", {"action": "clear", "expected": 12})
        assert total == 12 and end == {"end": "all"} and not any("refused" in line for line in lines), lines
        for run in runs:
            assert system.wait_run("days", run)["state"] == "failed"
            assert [task["try_number"] for task in system.tasks("days", run) if task["task_id"] == "load"] == [2]
        assert system.sql("SELECT count(*) FROM audit WHERE event = 'clear_dag_run'") == "12"
        total, lines, end = bulk(system, "runs", f"?{failed}&q=r1", {"action": "delete", "expected": 3})
        assert sorted(line["run_id"] for line in lines) == ["r1", "r10", "r11"] and end == {"end": "all"}, lines
        assert matches(system, "runs", "dag_id=days") == 9


def a_list_longer_than_a_page_is_walked_to_its_end():
    with Standalone() as system:
        system.write_dag("many.yaml", "tasks:\n  one: {for_each: [%s], bash: 'exit 1'}\n" % ", ".join(map(str, range(230))))
        run = system.trigger("many")
        assert system.wait_run("many", run, timeout=300)["state"] == "failed"
        total, lines, end = bulk(system, "tasks", "?state=failed", {"action": "skipped", "expected": 230})
        assert total == 230 and end == {"end": "all"}, end
        assert sorted(line["map_index"] for line in lines) == list(range(230))
        assert set(system.states("many", run).values()) == {"skipped"}


def what_cannot_be_done_is_told_of_each_and_does_not_stop_the_rest():
    with Standalone() as system:
        failed_runs(system, 2)
        items = [{"dag_id": "days", "run_id": run} for run in ("r0", "nothing", "r1")]
        total, lines, end = bulk(system, "runs", "", {"action": "success", "items": items})
        assert total == 3 and end == {"end": "all"}
        told = {line["run_id"]: line.get("status") for line in lines}
        assert told == {"r0": None, "nothing": 404, "r1": None}, lines
        assert "nothing" in next(line["refused"] for line in lines if "refused" in line), lines
        assert {system.run("days", run)["state"] for run in ("r0", "r1")} == {"success"}


def a_question_that_is_out_of_date_or_incomplete_changes_nothing():
    with Standalone() as system:
        failed_runs(system, 2)
        status, text = refused(system, "runs", "?state=failed", {"action": "delete", "expected": 1})
        assert status == 409 and "2 match now, not 1" in text, text
        for body in ({"action": "explode", "expected": 2}, {"action": "delete"}, {"action": "skipped", "expected": 2},
                     {"action": "delete", "items": [{"dag_id": "days"}]}, []):
            status, text = refused(system, "runs", "?state=failed", body)
            assert status == 422, (body, status, text)
        assert matches(system, "runs", "state=failed") == 2


def who_stops_listening_stops_it():
    many = 10000
    with Standalone() as system:
        system.sign_in()
        items = [{"dag_id": "nothing", "run_id": f"r{number}"} for number in range(many)]
        connection = http.client.HTTPConnection("127.0.0.1", system.web_port, timeout=60)
        connection.request("POST", f"{UI}/runs/bulk", json.dumps({"action": "delete", "items": items}),
                           {"Authorization": f"Bearer {system.token}", "Content-Type": "application/json"})
        response = connection.getresponse()
        assert json.loads(response.readline()) == {"total": many}
        assert json.loads(response.readline())["status"] == 404
        connection.sock.close()
        response.close()
        asked = lambda: int(system.sql("SELECT count(*) FROM audit WHERE event = 'delete_dag_run' AND run_id LIKE 'r%'"))
        ours = [{"dag_id": "nothing", "run_id": f"ours{number}"} for number in range(200)]
        counts = []
        for _ in range(2):  # while it still went on, as many of its would be asked for as of ours
            assert bulk(system, "runs", "", {"action": "delete", "items": ours})[2] == {"end": "all"}
            counts.append(asked())
        assert 0 < counts[0] == counts[1] < many, counts


main(what_a_query_finds_is_cleared_marked_and_deleted, a_list_longer_than_a_page_is_walked_to_its_end,
     what_cannot_be_done_is_told_of_each_and_does_not_stop_the_rest,
     a_question_that_is_out_of_date_or_incomplete_changes_nothing, who_stops_listening_stops_it)
