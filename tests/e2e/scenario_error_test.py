# SPDX-License-Identifier: Apache-2.0
"""Pipelines that go wrong: bad data, bad code, services that are away, and what is done about each."""
import email.utils
import textwrap
import time

from headrace import Standalone, wait_for
from scenario import Service, check, clear, ends, folder_of, instance, main, output, runs_of, time_of, tries, why

service = Service()


# ---- bad data ----

def bad_data_is_a_hard_error_and_spends_no_retry(system):
    """A CSV is expected and JSON comes: no retry can help. Nothing behind it runs, somebody is told what was wrong, and the
    retries that its author gave are not spent - whether the task says itself that it is hopeless, or the DAG knows the error."""
    folder = folder_of(system, "hard")
    (folder / "feedback.csv").write_text('{"not": "csv"}')
    (folder / "feedback_reader.py").write_text(textwrap.dedent("""
        class NotCsv(Exception): pass
        def read(path):
            line = open(path).readline()
            if line.startswith("{"):
                raise NotCsv(f"{path}: JSON instead of CSV in line 1")
    """))
    service.answers.update({"/hard/mail": [200], "/hard/told": [200]})
    system.write_dag("hard.yaml", f"""
defaults: {{retries: 5, retry_delay: 1h, on_failure: [{{webhook: "{service.url}/hard/told"}}]}}
tasks:
  known: {{python: {{callable: "feedback_reader:read", args: ["{folder}/feedback.csv"], path: "{folder}"}}, no_retry_on: [NotCsv]}}
  says_so: {{bash: 'echo "HEADRACE_HARD_ERROR NotCsv: feedback.csv is JSON" >&2; exit 1'}}
  join: {{depends_on: [known, says_so], bash: 'true'}}
  publish: {{depends_on: [join], bash: 'true'}}
  mail: {{depends_on: [join], trigger_rule: one_failed, http: {{url: "{service.url}/hard/mail", json: {{run: "{{{{ run_id }}}}"}}}}}}
""")
    run = ends(system, "hard", "failed")
    check(system.states("hard", run), known="failed", says_so="failed", join="upstream_failed", publish="upstream_failed", mail="success")
    for task, word in {"known": "JSON instead of CSV", "says_so": "feedback.csv is JSON"}.items():
        assert instance(system, "hard", run, task)["try_number"] == 1
        assert word in why(system, "hard", run, task), why(system, "hard", run, task)
    assert service.asked_for("/hard/mail") == [{"run": run}]
    wait_for(lambda: len(service.asked_for("/hard/told")) == 2, "a message for each", 60)
    texts = "\n".join(body["message"] for body in service.asked_for("/hard/told"))
    assert "JSON instead of CSV in line 1" in texts and "feedback.csv is JSON" in texts, texts


def a_bad_batch_is_kept_for_investigation_and_the_last_good_one_stays(system):
    """The transformed data fail their quality rules: the batch goes to quarantine, what is published stays the last good one,
    and nothing downstream reads the bad one. A rule that only warns lets a batch pass with a mark. A later good batch unblocks;
    a roll-back that fails itself is loud."""
    folder = folder_of(system, "quality")
    for name in ("published", "quarantine"):
        (folder / name).mkdir()
    system.write_dag("quality.yaml", f"""
params: {{rows: {{type: array, default: [1]}}, batch: {{type: string, default: none}}, warn_only: {{type: boolean, default: false}}}}
env: {{BATCH: "{folder}/batch-{{{{ params.batch }}}}", HOME_OF_DATA: "{folder}"}}
tasks:
  transform: {{bash: 'echo {{{{ params.rows | tojson | sh }}}} > $BATCH'}}
  judge:
    depends_on: [transform]
    bash: |
      grep -q -- -1 $BATCH || {{ echo clean; exit 0; }}
      {{{{ "echo marked; exit 0" if params.warn_only else "echo \\"HEADRACE_HARD_ERROR Quality: a negative row\\" >&2; exit 1" }}}}
  publish: {{depends_on: [judge], bash: 'mv $BATCH $HOME_OF_DATA/published/current'}}
  report: {{depends_on: [publish], bash: 'cat $HOME_OF_DATA/published/current'}}
  roll_back: {{depends_on: [judge], trigger_rule: one_failed, bash: 'mv $BATCH $HOME_OF_DATA/quarantine/'}}
""")
    good = ends(system, "quality", "success", {"rows": [1, 2], "batch": "a"})
    check(system.states("quality", good), report="success", roll_back="skipped")
    bad = ends(system, "quality", "failed", {"rows": [3, -1], "batch": "b"})
    check(system.states("quality", bad), judge="failed", publish="upstream_failed", report="upstream_failed", roll_back="success")
    assert (folder / "published/current").read_text().strip() == "[1,2]", "the last good one stays"
    assert (folder / "quarantine/batch-b").read_text().strip() == "[3,-1]", "the bad one is kept"
    assert "negative row" in why(system, "quality", bad, "judge")
    marked = ends(system, "quality", "success", {"rows": [-1], "batch": "c", "warn_only": True})
    assert output(system, "quality", marked, "judge") == "marked"
    again = ends(system, "quality", "success", {"rows": [5], "batch": "d"})
    assert output(system, "quality", again, "report") == "[5]"
    (folder / "quarantine/batch-e").mkdir()
    (folder / "quarantine/batch-e/batch-e").mkdir()
    loud = ends(system, "quality", "failed", {"rows": [-1], "batch": "e"})
    check(system.states("quality", loud), judge="failed", roll_back="failed")


# ---- bad code ----

VERSION = """
description: {version}
tasks:
  extract: {{bash: 'echo {version} >> {folder}/extracted'}}
  gate: {{depends_on: [extract], bash: 'until [ -e {folder}/go-{version} ]; do sleep 0.1; done'}}
  transform: {{depends_on: [gate], bash: '{transform}'}}
  load: {{depends_on: [transform], bash: 'echo "{{{{ xcom.transform }}}}"'}}
"""


def a_broken_version_of_a_dag_hurts_only_its_own_runs(system):
    """Version 2 has a bug: its runs fail, runs of version 1 end on version 1. Version 3 serves new runs; what the broken one left
    is repaired by clearing what failed, which repeats nothing that went well. A file that cannot be compiled is shown as such,
    and the version before stays active."""
    folder = folder_of(system, "code")
    script = folder / "transform.sh"

    def deploy(version, transform):
        system.write_dag("code.yaml", VERSION.format(version=version, folder=folder, transform=transform))
        wait_for(lambda: (system.has_dag("code") or {}).get("description") == version, f"version {version}", 60)

    deploy("v1", "echo from v1")
    first = system.trigger("code")
    wait_for(lambda: system.states("code", first)["extract"] == "success", "the run of version 1 is on its way", 60)
    script.write_text("exit 7\n")
    deploy("v2", f"bash {script}")
    (folder / "go-v2").touch()
    second = ends(system, "code", "failed")
    check(system.states("code", second), extract="success", transform="failed", load="upstream_failed")
    (folder / "go-v1").touch()
    assert system.wait_run("code", first)["state"] == "success"
    assert output(system, "code", first, "load") == "from v1"

    script.write_text("echo mended\n")
    deploy("v3", "echo from v3")
    (folder / "go-v3").touch()
    before = (folder / "extracted").read_text()
    clear(system, "code", second, "transform", include_downstream=True, only_failed=True)
    assert system.wait_run("code", second)["state"] == "success"
    assert (folder / "extracted").read_text() == before, "what went well is not repeated"
    assert output(system, "code", second, "load") == "mended"
    third = ends(system, "code", "success")
    assert output(system, "code", third, "load") == "from v3"

    system.write_dag("code.yaml", "description: v4\ntasks: {extract: {bash: 'true'}, load: {depends_on: [extrakt], bash: 'true'}}\n")

    def error():
        listed = system.request("GET", "/api/v2/importErrors")["import_errors"]
        return [row for row in listed if row["filename"].endswith("code.yaml")]
    row = wait_for(error, "the import error", 60)[0]
    assert "extrakt" in row["stack_trace"] and "2" in row["stack_trace"], row
    assert system.has_dag("code")["description"] == "v3" and system.has_dag("code")["has_import_errors"]
    assert output(system, "code", ends(system, "code", "success"), "load") == "from v3"


# ---- services that are away ----

def a_service_that_is_away_for_a_moment_is_asked_again(system):
    """Twice nobody listens, then 503, then an answer: the fourth try succeeds, and the history says what each of them met. A
    service that never answers is cut off by the time limit; one without TLS is told apart from one that is away."""
    service.answers["/away/data"] = [503, (200, {"rows": 3})]
    service.answers["/away/hangs"] = [lambda body: wait_for(lambda: False, "nothing", 20)]
    closed = "http://127.0.0.1:1"
    system.write_dag("away.yaml", f"""
defaults: {{retry_delay: 100ms}}
tasks:
  ask:
    retries: 3
    http: {{url: "{{{{ '{closed}' if ti.try_number <= 2 else '{service.url}' }}}}/away/data"}}
  hangs: {{execution_timeout: 2s, kill_grace: 1s, http: {{url: "{service.url}/away/hangs"}}}}
  no_tls: {{retries: 4, retry_on: [timed_out], http: {{url: "{service.url.replace('http:', 'https:')}/x"}}}}
  use: {{depends_on: [ask], bash: 'echo {{{{ xcom.ask.rows }}}}'}}
""")
    run = ends(system, "away", "failed")
    check(system.states("away", run), ask="success", use="success", hangs="failed", no_tls="failed")
    assert [row["state"] for row in tries(system, "away", run, "ask")] == ["up_for_retry"] * 3 + ["success"] or \
        [row["state"] for row in tries(system, "away", run, "ask")] == ["failed"] * 3 + ["success"]
    logs = [system.log("away", run, "ask", number) for number in (1, 2, 3)]
    assert all("ConnectionError" in log for log in logs[:2]) and "answered 503" in logs[2], logs
    assert output(system, "away", run, "use") == "3" and len(service.asked_for("/away/data")) == 2
    assert instance(system, "away", run, "no_tls")["try_number"] == 1, "retry_on does not name it"
    assert "execution_timeout" in why(system, "away", run, "hangs"), why(system, "away", run, "hangs")


def a_service_that_says_when_to_come_again_is_left_alone_until_then(system):
    """429 or 503 with Retry-After - seconds, or a date - put off the next try until then, though the author's own wait is shorter; an
    author whose bound is lower is not kept longer than that; and where the own wait is longer it stays."""
    def later(seconds):
        return email.utils.formatdate(time.time() + seconds, usegmt=True)
    service.answers.update({
        "/busy/seconds": [(429, None, {"Retry-After": "3"}), (200, {})],
        "/busy/date": [lambda body: (503, None, {"Retry-After": later(5)}), (200, {})],
        "/busy/bounded": [(429, None, {"Retry-After": "86400"}), (200, {})],
        "/busy/own": [(503, None, {"Retry-After": "1"}), (200, {})],
        "/busy/other": [(500, None, {"Retry-After": "86400"}), (200, {})]})
    system.write_dag("busy.yaml", f"""
defaults: {{retries: 1, retry_delay: 100ms}}
tasks:
  seconds: {{http: {{url: "{service.url}/busy/seconds"}}}}
  date: {{http: {{url: "{service.url}/busy/date"}}}}
  bounded: {{max_retry_delay: 2s, http: {{url: "{service.url}/busy/bounded"}}}}
  own: {{retry_delay: 4s, http: {{url: "{service.url}/busy/own"}}}}
  other: {{http: {{url: "{service.url}/busy/other"}}}}
""")
    run = ends(system, "busy", "success")

    def waited(task):
        first, second = tries(system, "busy", run, task)
        return (time_of(second["start_date"]) - time_of(first["end_date"])).total_seconds()
    least = {"seconds": 3, "date": 3, "bounded": 2, "own": 4, "other": .1}
    waits = {task: waited(task) for task in least}
    assert all(waits[task] + .01 >= seconds for task, seconds in least.items()), waits
    assert "retry_after=3s" in system.log("busy", run, "seconds", 1)


def an_extract_that_was_stored_is_not_fetched_again(system):
    """A scheduled run fetches rows from a service and stores them, once, and nobody is told. Garbage from the service is a hard
    error: one message, nothing stored. Whether an empty answer is good is the author's to say. When storing fails after the fetch,
    the rerun begins at the store."""
    service.answers["/extract/rows"] = [(200, [{"n": 1}, {"n": 2}])]
    service.answers["/extract/garbage"] = [(200, "<html>sorry</html>")]
    service.answers["/extract/nothing"] = [(200, [])]
    service.answers["/extract/topic"] = [200]
    system.sql("CREATE SCHEMA extract; CREATE TABLE extract.rows (run text, n int)")
    system.write_dag("extract.yaml", f"""
schedule: "@once"
start_date: 2026-01-01
params:
  path: {{type: string, default: rows}}
  table: {{type: string, default: extract.rows}}
  may_be_empty: {{type: boolean, default: false}}
tasks:
  fetch: {{http: {{url: "{service.url}/extract/{{{{ params.path }}}}"}}}}
  judge:
    depends_on: [fetch]
    bash: |
      if [ {{{{ xcom.fetch | length }}}} = 0 ] && {{{{ "false" if params.may_be_empty else "true" }}}}; then
        echo "HEADRACE_HARD_ERROR Empty: the service has no rows" >&2; exit 1
      fi
  store:
    depends_on: [judge]
    retries: 3
    retry_delay: 1h
    no_retry_on: [DataError, ProgrammingError]
    sql:
      connection: store
      statement: "INSERT INTO {{{{ params.table }}}} SELECT $1, (e->>'n')::int FROM json_array_elements($2::json) e"
      parameters: ["{{{{ run_id }}}}", "{{{{ xcom.fetch | tojson }}}}"]
  tell: {{depends_on: [store], trigger_rule: one_failed, http: {{url: "{service.url}/extract/topic", json: {{run: "{{{{ run_id }}}}"}}}}}}
""")
    scheduled = wait_for(lambda: runs_of(system, "extract"), "the scheduled run", 60)[0]
    assert scheduled["run_type"] == "scheduled" and system.wait_run("extract", scheduled["dag_run_id"])["state"] == "success"
    assert system.sql("SELECT string_agg(n::text, ',' ORDER BY n) FROM extract.rows") == "1,2"
    assert service.asked_for("/extract/topic") == []

    garbage = ends(system, "extract", "success", {"path": "garbage"})  # its last task is the one that tells
    check(system.states("extract", garbage), fetch="success", store="failed", tell="success")
    assert system.sql("SELECT count(*) FROM extract.rows") == "2" and service.asked_for("/extract/topic") == [{"run": garbage}]

    allowed = ends(system, "extract", "success", {"path": "nothing", "may_be_empty": True})
    check(system.states("extract", allowed), judge="success", store="success", tell="skipped")
    empty = ends(system, "extract", "success", {"path": "nothing"})
    check(system.states("extract", empty), judge="failed", store="upstream_failed", tell="success")
    assert "no rows" in why(system, "extract", empty, "judge")
    assert system.sql("SELECT count(*) FROM extract.rows") == "2"
    assert service.asked_for("/extract/topic") == [{"run": garbage}, {"run": empty}]

    late = ends(system, "extract", "success", {"table": "extract.later"})
    fetched = len(service.asked_for("/extract/rows"))
    system.sql("CREATE TABLE extract.later (run text, n int)")
    clear(system, "extract", late, "store", include_downstream=True)
    assert system.wait_run("extract", late)["state"] == "success"
    check(system.states("extract", late), store="success", tell="skipped")
    assert system.sql("SELECT count(*) FROM extract.later") == "2" and len(service.asked_for("/extract/rows")) == fetched


# ---- what depends on what failed ----

def a_failure_is_passed_on_and_rules_decide_who_still_runs(system):
    """What needs a failed task is upstream_failed, down the whole chain, and says because of whom. Tasks with other rules catch
    the failure, clean up, or go on without what was skipped."""
    system.write_dag("passed.yaml", """
tasks:
  fails: {bash: exit 3}
  skips: {bash: exit 99}
  works: {bash: 'true'}
  needs: {depends_on: [fails, works], bash: 'true'}
  needs_that: {depends_on: [needs], bash: 'true'}
  catches: {depends_on: [fails, works], trigger_rule: one_failed, bash: 'true'}
  cleans_up: {depends_on: [fails, skips, needs_that], trigger_rule: all_done, bash: 'true'}
  goes_on: {depends_on: [skips, works], trigger_rule: none_failed, bash: 'true'}
  wants_all: {depends_on: [skips, works], bash: 'true'}
  not_after_failure: {depends_on: [skips, fails], trigger_rule: none_failed, bash: 'true'}
""")
    run = ends(system, "passed", "failed")
    check(system.states("passed", run), fails="failed", skips="skipped", needs="upstream_failed", needs_that="upstream_failed",
          catches="success", cleans_up="success", goes_on="success", wants_all="skipped", not_after_failure="upstream_failed")
    assert "fails" in why(system, "passed", run, "needs"), why(system, "passed", run, "needs")
    assert "needs" in why(system, "passed", run, "needs_that"), why(system, "passed", run, "needs_that")


if __name__ == "__main__":
    main(lambda: Standalone({"autoscale.default.slots": 16}), bad_data_is_a_hard_error_and_spends_no_retry,
         a_bad_batch_is_kept_for_investigation_and_the_last_good_one_stays, a_broken_version_of_a_dag_hurts_only_its_own_runs,
         a_service_that_is_away_for_a_moment_is_asked_again, a_service_that_says_when_to_come_again_is_left_alone_until_then,
         an_extract_that_was_stored_is_not_fetched_again, a_failure_is_passed_on_and_rules_decide_who_still_runs)
