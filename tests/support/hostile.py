# SPDX-License-Identifier: Apache-2.0
"""Texts that must stay text wherever they are shown, and a database that has them in every field that anybody may fill, also
in those where the compiler and the API would refuse them. Each would set window.breached, or load what the content policy reports."""
from api_world import literal, new_attempt

HOSTILE = {
    "script": "<script>window.breached=1</script>",
    "image": "<img src=x onerror=window.breached=1>",
    "svg": "<svg/onload=window.breached=1>",
    "quote": "\"'><b onmouseover=window.breached=1 autofocus onfocus=window.breached=1>",
    "link": "[go](javascript:window.breached=1) <a href='javascript:window.breached=1'>x</a>",
    "data": "![x](data:text/html,<script>window.breached=1</script>)",
    "template": "{{ '<img src=x onerror=window.breached=1>' }}",
    "close": "</script></style></title><script>window.breached=1</script>",
    "ansi": "\x1b]8;;javascript:window.breached=1\x07click\x1b]8;;\x07 \x1b[31m<img src=x onerror=window.breached=1>\x1b[0m",
    "bidi": "\u202e<iframe srcdoc='<script>parent.breached=1</script>'>",
    "url": "javascript:window.breached=1",
    "path": "../..//evil?x=1#y&z=%2F%00;",
}


def name_of(text):
    """What of it can be asked for: the web server refuses an encoded slash and signs that control a terminal in a path, and takes
    a comma for the end of a name."""
    return "".join(sign for sign in text if sign not in "/," and sign >= " ")


def fill(world):
    """One DAG for each text, every name, word and value in it that text."""
    for number, text in enumerate(HOSTILE.values()):
        name = name_of(text)
        _dag(world, name, text)
        run = world.add_run(name, name, state=3, conf={text: text}, triggered_by=text, note=text, ended="now()", counts=(1, 2, 0))
        world.add_run(name, "still_runs", state=1)
        world.sql(f"INSERT INTO expansion VALUES ({run}, 2, 2, {literal([text, text])})")
        attempt = world.add_try(run, 0, 5, cause=14, error=text, exit_code=3, pool=text, worker_no=number + 1)
        world.add_try(run, 1, 4, worker_no=number + 1)
        for index in (0, 1):
            world.add_try(run, 2, 5 - index, map_index=index, label=text, error=text)
        world.sql(f"INSERT INTO output VALUES ({run}, 0, -1, 'return_value', {literal([text])}, now()), ({run}, 1, -1, {literal(text)}, '1', now())")
        _log(world, attempt, text)
        _beside(world, number, run, name, text)


def _dag(world, name, text):
    group = name.replace(".", "")  # a task's id has that of its group before a dot
    task = {"operator_kind": "bash", "operator_args": {"bash": text}, "queue": text, "pool": text, "doc_md": text, "outlets": [text], "inlets": [text]}
    source = f"# {text}\n"
    for version in (1, 2):
        world.add_dag(name, {
            "description": text, "owner": text, "tags": [text], "doc_md": f"# {text}\n\n{text}\n\n* {text}\n\n`{text}` **{text}**\n",
            "display_name": text, "params": {text: {"type": "string", "default": text, "title": text, "description": text, "enum": [text]}},
            "schedule": {"assets": [text]}, "groups": [{"id": group}],
            "tasks": [{"id": name, **task}, {"id": f"{group}.{name}", "upstream": [0], **task}, {"id": f"{name}[]", "upstream": [0], "for_each": text, "map_label": text, **task}],
        }, source=source * version, fileloc=text)


def _log(world, attempt, text):
    folder = world.home / "home/logs" / world.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{attempt}.log").write_text("".join(f"1795233600000 {stream} {text}\n" for stream in "OEH"))
    (folder / f"{attempt}.end").touch()


def _beside(world, number, run, name, text):
    word, dag = literal(text), literal(name)
    world.sql(f"""
        INSERT INTO worker (worker_no, identity, name, host, release, queues, slots, incarnation, state, reason, seen_at)
        VALUES ({number + 1}, 'id-{number}', {dag}, {word}, {word}, ARRAY[{word}], 4, 1, 1, {word}, now());
        INSERT INTO pool (name, slots, description) VALUES ({word}, 2, {word});
        INSERT INTO user_account (name, role, email) VALUES ({word}, 'Viewer', {word});
        INSERT INTO import_error (path, dag_id, line, col, message, advice, excerpt, seen_at) VALUES ({word}, {word}, 1, 1, {word}, {word}, {word}, now());
        INSERT INTO autoscale_event (queue, at, demand, wanted, present, reason) VALUES ('default', now(), 1, 1, {number % 2}, {word});
        INSERT INTO audit (actor, event, dag_id, run_id, task_id, allowed, address, detail, chain)
        VALUES ({word}, {word}, {dag}, {dag}, {dag}, true, {word}, {literal({text: text})}, '');
        INSERT INTO asset_event SELECT {number + 1}, asset_no, now(), dag_no, {run}, 0, -1, {literal({text: text})} FROM asset, dag WHERE name = {word} AND dag_id = {dag};
        INSERT INTO notification (id, run_no, dag_no, task, map_index, try_no, event, kind, target, queue, sealed, key_no, state, made_at, ended_at, error)
        SELECT {literal(new_attempt())}, {run}, dag_no, 0, -1, 1, {word}, {word}, {word}, {word}, '', 1, 2, now(), now(), {word} FROM dag WHERE dag_id = {dag}""")
    world.call("POST", "/api/v2/variables", {"key": text, "value": text, "description": text})
    world.call("POST", "/api/v2/connections", {"connection_id": text, "conn_type": text, "host": text, "login": text, "schema": text, "description": text})
