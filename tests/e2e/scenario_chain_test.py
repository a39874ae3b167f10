# SPDX-License-Identifier: Apache-2.0
"""Pipelines that start one another: files that arrive, data that were updated, and days that are done again."""
import json
import os
import urllib.parse

from headrace import Standalone, wait_for
from scenario import check, clear, folder_of, instance, main, output, runs_of, span, why


def put(path, content):
    """As who delivers does it: written beside, then renamed."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(content if isinstance(content, str) else json.dumps(content))
    beside.rename(path)


def run_where(system, dag, is_meant, what, state="success", timeout=90):
    """The run for which that holds, when it has ended, as it should."""
    def look():
        return next((run for run in runs_of(system, dag) if is_meant(run) and run["state"] in ("success", "failed")), None)
    run = wait_for(look, what, timeout, 0.1)
    assert run["state"] == state, (what, system.states(dag, run["dag_run_id"]))
    return run


# ---- a delivery with a manifest ----

MANIFEST = """
schedule: {{files: {{path: "{folder}/in/manifest*.json", settle: 200ms}}}}
max_active_runs: 4
tasks:
  read:
    bash: |
      python3 - <<'END'
      import json, os, sys
      try:
          entries = json.load(open("{{{{ conf.path }}}}"))["files"]
      except ValueError as problem:
          sys.exit(f"HEADRACE_HARD_ERROR BadManifest: {{{{ conf.path }}}} is not JSON: {{problem}}")
      print(json.dumps(entries))
      END
  check_entry:
    depends_on: [read]
    for_each: "{{{{ xcom.read | fromjson }}}}"
    max_active_tis_per_dagrun: {at_once}
    map_label: "{{{{ item }}}}"
    {tolerate}
    bash: |
      cd {folder}/in
      [ -e {{{{ item | sh }}}} ] || {{ echo "HEADRACE_HARD_ERROR Missing: {{{{ item }}}} is not there" >&2; exit 1; }}
      case {{{{ item | sh }}}} in *.csv) ;; *) echo "HEADRACE_HARD_ERROR BadFormat: {{{{ item }}}} is no CSV" >&2; exit 1;; esac
      wc -l < {{{{ item | sh }}}}
  merge:
    depends_on: [check_entry]
    trigger_rule: none_failed
    bash: |
      cd {folder}/in
      for part in {{{{ xcom.read | fromjson | sh }}}}; do [ -e $part ] && cat $part; done > {folder}/{{{{ conf.path | split("/") | last }}}}.merged
      wc -l < {folder}/{{{{ conf.path | split("/") | last }}}}.merged
"""


def a_manifest_starts_one_run_that_reads_what_it_lists(system):
    """Parts alone start nothing. The manifest that lists them starts one run, which checks each entry and merges all rows; the same
    manifest delivered again starts none, and neither does a name that has the word only in its middle. What is wrong with
    a manifest fails its run by name: an entry that is missing, one of another format, text that is no JSON. An empty list is
    merged into nothing, an entry that is listed twice counts twice. The run names all four files that it was made from."""
    folder = folder_of(system, "manifest")
    (folder / "in").mkdir()
    system.write_dag("manifest.yaml", MANIFEST.format(folder=folder, at_once=10, tolerate="tolerate_failures: 0"))
    system.wait_dag("manifest")

    def ended(name, state="success"):
        return run_where(system, "manifest", lambda run: run["conf"]["path"].endswith(name), f"the run of {name}", state)
    for number, part in enumerate(("p1.csv", "p2.csv", "p3.csv")):
        put(folder / "in" / part, "row\n" * (number + 1))
    put(folder / "in" / "a-manifest-1.json", {"files": ["p1.csv"]})
    put(folder / "in" / "manifest-0042.json", {"files": ["p1.csv", "p2.csv", "p3.csv"]})
    run = ended("/manifest-0042.json")
    assert output(system, "manifest", run["dag_run_id"], "merge") == "6"
    counted = [output(system, "manifest", run["dag_run_id"], "check_entry", index) for index in range(3)]
    assert counted == ["1", "2", "3"], counted
    labels = [instance(system, "manifest", run["dag_run_id"], "check_entry", index)["rendered_map_index"] for index in range(3)]
    assert [run["conf"]["path"].split("/")[-1], *labels] == ["manifest-0042.json", "p1.csv", "p2.csv", "p3.csv"]

    put(folder / "in" / "manifest-0042.json", {"files": ["p1.csv", "p2.csv", "p3.csv"]})  # delivered again
    put(folder / "in" / "manifest-bad.json", "{files:")
    put(folder / "in" / "manifest-empty.json", {"files": []})
    put(folder / "in" / "manifest-lacks.json", {"files": ["p1.csv", "p9.csv"]})
    put(folder / "in" / "p4.json", "{}")
    put(folder / "in" / "manifest-twice.json", {"files": ["p1.csv", "p2.csv", "p1.csv"]})
    put(folder / "in" / "manifest-format.json", {"files": ["p4.json"]})
    bad, lacks, other = (ended(f"/manifest-{name}.json", "failed") for name in ("bad", "lacks", "format"))
    assert "is not JSON" in why(system, "manifest", bad["dag_run_id"], "read")
    assert "p9.csv is not there" in why(system, "manifest", lacks["dag_run_id"], "check_entry", 1)
    assert "p4.json is no CSV" in why(system, "manifest", other["dag_run_id"], "check_entry", 0)
    check(system.states("manifest", lacks["dag_run_id"]), read="success", merge="upstream_failed")
    empty = ended("/manifest-empty.json")
    check(system.states("manifest", empty["dag_run_id"]), check_entry="skipped", merge="success")
    assert output(system, "manifest", ended("/manifest-twice.json")["dag_run_id"], "merge") == "4"
    assert len(runs_of(system, "manifest")) == 6, [run["conf"]["path"] for run in runs_of(system, "manifest")]


# `HEADRACE_ENTRIES=10000 ./dev one tests/e2e/scenario_chain large` is the whole; it takes minutes.
ENTRIES, AT_ONCE = int(os.environ.get("HEADRACE_ENTRIES", 1000)), 40


def a_large_manifest_with_a_few_bad_entries_is_merged_all_the_same(system):
    """Of thousands of entries one in fifty is not there: within the five percent that are tolerated, so the rest is merged; and
    never more than forty at once were checked. With one in ten the run fails."""
    folder = folder_of(system, "large")
    (folder / "in").mkdir()
    system.write_dag("large.yaml", "max_active_tasks: 100\n" +
                     MANIFEST.format(folder=folder, at_once=AT_ONCE, tolerate="tolerate_failures: 5%"))
    system.wait_dag("large")
    for number in range(ENTRIES):
        (folder / "in" / f"{number}.csv").write_text("row\n")

    def deliver(name, entries, gone):
        put(folder / "in" / f"manifest-{name}.json",
            {"files": [f"{number}.csv" if number % gone else f"gone-{number}.csv" for number in range(entries)]})
        return run_where(system, "large", lambda run: run["conf"]["path"].endswith(f"-{name}.json"), f"the run of {name}",
                         "success" if gone == 50 else "failed", 600)["dag_run_id"]
    run = deliver("few", ENTRIES, 50)
    assert output(system, "large", run, "merge") == str(ENTRIES - ENTRIES // 50)
    moments = sorted(moment for row in system.tasks("large", run) if row["task_id"] == "check_entry"
                     for moment in zip(span(row), (1, -1)))
    assert len(moments) == 2 * ENTRIES
    active = most = 0
    for _, change in sorted(moments, key=lambda moment: (moment[0], moment[1])):
        active += change
        most = max(most, active)
    print(f"  {ENTRIES} entries, {most} at once", flush=True)
    assert most <= AT_ONCE, f"{most} at once"
    many = deliver("many", 100, 10)
    check(system.states("large", many), merge="upstream_failed")


# ---- three pipelines, one after the other ----

COLLECT = """
schedule: {{files: {{path: "{folder}/in/day-*.csv", settle: 200ms}}}}
max_active_runs: 1
env: {{DAY: "{{{{ conf.path | split('/') | last | replace('day-', '') | replace('.csv', '') }}}}"}}
tasks:
  validate: {{bash: '! grep -vxE "positive|negative|neutral" {{{{ conf.path | sh }}}}'}}
  curate:
    depends_on: [validate]
    bash: 'cp {{{{ conf.path | sh }}}} {folder}/curated-$DAY; touch {folder}/to_enrich/$DAY'
    outlets: [{name}_curated]
"""

# What a run takes it keeps: a rerun of the tasks behind `take` is about the same day.
TAKE = """
  take: {{{{bash: 'cd {{folder}}/{queue}; day=$(ls -tr | head -1); test -n "$day" || exit 99; rm $day; echo $day'}}}}
"""

ENRICH = """
schedule: {{assets: [{name}_curated]}}
max_active_runs: 1
tasks:""" + TAKE.format(queue="to_enrich") + """
  enrich:
    depends_on: [take]
    bash: |
      cd {folder}
      test ! -e broken-{{{{ xcom.take }}}}
      sed "s/$/,{{{{ xcom.take }}}}/" curated-{{{{ xcom.take }}}} > enriched-{{{{ xcom.take }}}}
      touch to_load/{{{{ xcom.take }}}}
    outlets: [{name}_enriched]
"""

LOAD = """
schedule: {{assets: [{name}_enriched]}}
max_active_runs: 1
tasks:""" + TAKE.format(queue="to_load") + """
  read: {{depends_on: [take], bash: 'python3 -c "import json; print(json.dumps(open(\\"{folder}/enriched-{{{{ xcom.take }}}}\\").read()))"'}}
  load:
    depends_on: [read]
    sql: {{connection: store, file: "{name}_load.sql", parameters: ["{{{{ xcom.take }}}}", "{{{{ xcom.read | fromjson }}}}"]}}
  count:
    depends_on: [load]
    sql:
      connection: store
      statement: "SELECT kind, count(*) AS n FROM {name}.feedback WHERE day = $1 GROUP BY 1 ORDER BY 1"
      parameters: ["{{{{ xcom.take }}}}"]
"""

# Beside the DAG's file. Replaces the day, so that a day that is loaded again doubles nothing.
LOAD_SQL = """
WITH old AS (DELETE FROM {name}.feedback WHERE day = $1), history AS (INSERT INTO {name}.loads (day) VALUES ($1))
INSERT INTO {name}.feedback SELECT $1, split_part(line, ',', 1) FROM unnest(string_to_array(trim($2, chr(10)), chr(10))) line
"""


def write_chain(system, name, folder):
    """The three pipelines and their table, in the schema of that name."""
    for queue in ("in", "to_enrich", "to_load"):
        (folder / queue).mkdir()
    system.sql(f"CREATE SCHEMA {name}; CREATE TABLE {name}.feedback (day text, kind text); "
               f"CREATE TABLE {name}.loads (no serial, day text)")
    system.write_dag(f"{name}_load.sql", LOAD_SQL.format(name=name))
    for dag, text in (("collect", COLLECT), ("enrich", ENRICH), ("load", LOAD)):
        system.write_dag(f"{name}_{dag}.yaml", text.format(folder=folder, name=name))
        system.wait_dag(f"{name}_{dag}")


def loaded(system, name):
    """"1:3 2:1": how many rows of each day there are."""
    return system.sql("SELECT coalesce(string_agg(day || ':' || n, ' ' ORDER BY day), '') FROM "
                      f"(SELECT day, count(*) n FROM {name}.feedback GROUP BY 1) d")


def loads(system, name):
    """The days in the order in which they were loaded."""
    return system.sql(f"SELECT coalesce(string_agg(day, ' ' ORDER BY no), '') FROM {name}.loads")


def deliver(folder, day, rows):
    put(folder / "in" / f"day-{day}.csv", "".join(f"{kind}\n" for kind in rows))


def lineage(system, dag, run, first):
    """From a run back to one of the DAG `first`, event by event: [(asset, task that updated it), ...] and that run."""
    trail = []
    while dag != first:
        path = f"/api/v2/dags/{dag}/dagRuns/{urllib.parse.quote(run['dag_run_id'])}/upstreamAssetEvents"
        event = system.request("GET", path)["asset_events"][0]
        trail.append((event["name"], event["source_task_id"]))
        dag = event["source_dag_id"]
        run = system.run(dag, event["source_run_id"])
    return trail, run


def three_pipelines_in_a_chain_load_each_day_exactly_once(system):
    """A file starts the first pipeline, its data the second, and that one's the third, which loads a table and counts. Each day's
    counts are exact. A day whose second pipeline fails is not loaded; when it is repaired, a day later, the load follows. A day
    that is late comes after the next one. A day that is delivered again replaces its rows, alone, and doubles nothing; one with
    bad rows goes no further than the first pipeline. From a load one can go back, event by event, to the file."""
    folder = folder_of(system, "chain")
    write_chain(system, "chain", folder)
    deliver(folder, "1", ["positive", "negative", "positive", "neutral"])
    wait_for(lambda: loaded(system, "chain") == "1:4", "day 1", 60)
    load = run_where(system, "chain_load", lambda run: True, "the load of day 1")
    assert output(system, "chain_load", load["dag_run_id"], "count") == [
        {"kind": "negative", "n": 1}, {"kind": "neutral", "n": 1}, {"kind": "positive", "n": 2}]

    (folder / "broken-2").touch()
    deliver(folder, "2", ["negative"])
    failed = run_where(system, "chain_enrich", lambda run: run["state"] == "failed", "day 2 fails", "failed")["dag_run_id"]
    assert loaded(system, "chain") == "1:4" and len(runs_of(system, "chain_load")) == 1, "what failed updates nothing"
    (folder / "broken-2").unlink()
    clear(system, "chain_enrich", failed, "enrich")
    wait_for(lambda: loaded(system, "chain") == "1:4 2:1", "day 2, repaired", 60)

    deliver(folder, "4", ["positive", "positive"])
    wait_for(lambda: loaded(system, "chain") == "1:4 2:1 4:2", "day 4", 60)
    deliver(folder, "3", ["positive", "negative", "neutral"])
    wait_for(lambda: loaded(system, "chain") == "1:4 2:1 3:3 4:2", "day 3, which is late", 60)
    deliver(folder, "5", ["positive", "bad"])
    run_where(system, "chain_collect", lambda run: run["conf"]["path"].endswith("day-5.csv"), "day 5 is refused", "failed")
    deliver(folder, "1", ["positive"])
    wait_for(lambda: loaded(system, "chain") == "1:1 2:1 3:3 4:2", "day 1 again: replaced, not doubled", 60)
    assert loads(system, "chain") == "1 2 4 3 1", "each once, the repaired one in its turn, the old one alone"
    assert len(runs_of(system, "chain_load")) == 5 and len(runs_of(system, "chain_enrich")) == 5

    newest = runs_of(system, "chain_load")[-1]
    run_where(system, "chain_load", lambda run: run["dag_run_id"] == newest["dag_run_id"], "its load has ended")
    trail, first = lineage(system, "chain_load", newest, "chain_collect")
    assert trail == [("chain_enriched", "enrich"), ("chain_curated", "curate")], trail
    assert first["conf"]["path"].endswith("day-1.csv")


def two_updates_in_quick_succession_are_loaded_one_after_the_other(system):
    """The second update comes while the load of the first one runs: it waits for its turn, and both are loaded, once each."""
    folder = folder_of(system, "quick")
    system.write_dag("quick_update.yaml", "params: {day: {type: string, default: none}}\n"
                     f"tasks: {{update: {{bash: 'echo {{{{ params.day }}}} >> {folder}/updates', outlets: [quick_data]}}}}\n")
    system.write_dag("quick_load.yaml", f"""
schedule: {{assets: [quick_data]}}
max_active_runs: 1
tasks: {{load: {{bash: 'touch {folder}/loads; until [ -e {folder}/go ]; do sleep 0.1; done; echo load >> {folder}/loaded'}}}}
""")
    system.wait_dag("quick_load")

    def update(day):
        assert system.wait_run("quick_update", system.trigger("quick_update", {"day": day}))["state"] == "success"
    update("1")
    wait_for((folder / "loads").exists, "the first load runs", 60)
    update("2")
    wait_for(lambda: [run["state"] for run in runs_of(system, "quick_load")] == ["running", "queued"], "the second waits", 60)
    (folder / "go").touch()
    wait_for(lambda: [run["state"] for run in runs_of(system, "quick_load")] == ["success"] * 2, "both", 60)
    spans = [span(run) for run in runs_of(system, "quick_load")]
    assert spans[0][1] <= spans[1][0], "one after the other"
    assert (folder / "loaded").read_text().split() == ["load"] * 2 and (folder / "updates").read_text().split() == ["1", "2"]


def a_load_that_fails_half_way_leaves_the_table_as_it_was(system):
    """Two statements of one load: when the second one fails the first is taken back."""
    system.sql("CREATE SCHEMA half; CREATE TABLE half.rows (n int); INSERT INTO half.rows VALUES (1)")
    system.write_dag("half.yaml", """
tasks:
  load: {sql: {connection: store, statement: "BEGIN; DELETE FROM half.rows; INSERT INTO half.rows SELECT 1/0; COMMIT"}}
""")
    run = system.trigger("half")
    assert system.wait_run("half", run)["state"] == "failed"
    assert system.sql("SELECT n FROM half.rows") == "1" and "division by zero" in why(system, "half", run, "load")


def a_report_waits_for_both_of_its_sources(system):
    """Two sources must both have been updated: one alone starts nothing, one that is updated twice counts once, and the report
    is made once."""
    system.write_dag("sources.yaml", """
params: {which: {type: string, default: none}}
tasks:
  engagement: {when: "{{ params.which == 'engagement' }}", bash: 'true', outlets: [blend_engagement]}
  sales: {when: "{{ params.which == 'sales' }}", bash: 'true', outlets: [blend_sales]}
""")
    system.write_dag("blended.yaml", "schedule: {assets: [blend_engagement, blend_sales]}\ntasks: {report: {bash: 'true'}}\n")
    system.wait_dag("blended")

    def update(which):
        assert system.wait_run("sources", system.trigger("sources", {"which": which}))["state"] == "success"
    update("engagement")
    update("engagement")
    assert runs_of(system, "blended") == []
    update("sales")
    run_where(system, "blended", lambda run: True, "the report")
    update("sales")
    assert len(runs_of(system, "blended")) == 1, "a new report needs both again"
    update("engagement")
    wait_for(lambda: len(runs_of(system, "blended")) == 2, "the second report", 60)


# ---- days that are done again ----

def days_are_backfilled_and_failed_ones_run_again(system):
    """Thirty days are filled in, four at a time, while the ordinary schedule goes on; one fails. A second backfill over the same
    days runs that one alone, or all of them, as asked; one that would run none makes none. One that is cancelled half-way starts
    nothing new."""
    folder = folder_of(system, "filled")
    system.write_dag("filled.yaml", f"""
schedule: "@daily"
start_date: 2026-01-01
max_active_runs: 2
tasks:
  load: {{bash: 'echo {{{{ ds }}}} >> {folder}/loaded; {{{{ "test -e {folder}/repaired" if ds == "2026-06-13" else conf.do | default("true") }}}}'}}
""")
    system.wait_dag("filled")

    def backfill(**options):
        made = system.request("POST", "/api/v2/backfills", {"dag_id": "filled", "from_date": "2026-06-01T00:00:00Z",
                                                            "to_date": "2026-06-30T00:00:00Z", "max_active_runs": 4, **options})
        return made["id"]

    def ended(number):
        return wait_for(lambda: system.request("GET", f"/api/v2/backfills/{number}")["completed_at"], "the end of the backfill", 90)

    def states():
        return {run["logical_date"][:10]: run["state"] for run in runs_of(system, "filled") if run["run_type"] == "backfill"}
    ended(backfill())
    days = [f"2026-06-{day:02}" for day in range(1, 31)]
    assert states() == {day: "failed" if day == "2026-06-13" else "success" for day in days}
    spans = [span(run) for run in runs_of(system, "filled") if run["run_type"] == "backfill"]
    assert max(sum(other[0] <= one[0] < other[1] for other in spans) for one in spans) <= 4
    assert any(run["run_type"] == "scheduled" for run in runs_of(system, "filled")), "the ordinary schedule goes on"

    (folder / "repaired").touch()
    before = len((folder / "loaded").read_text().split())
    ended(backfill(reprocess_behavior="failed"))
    assert states() == dict.fromkeys(days, "success")
    assert len((folder / "loaded").read_text().split()) == before + 1, "that one alone"
    ended(backfill(reprocess_behavior="completed", to_date="2026-06-03T00:00:00Z"))
    assert len((folder / "loaded").read_text().split()) == before + 4, "three good days, done again by choice"

    ended(backfill(reprocess_behavior="none"))
    assert len((folder / "loaded").read_text().split()) == before + 4, "all are there: nothing is done"

    number = backfill(from_date="2026-07-01T00:00:00Z", to_date="2026-07-30T00:00:00Z", max_active_runs=1,
                      dag_run_conf={"do": f"until [ -e {folder}/go ]; do sleep 0.1; done"})
    wait_for(lambda: states().get("2026-07-01") == "running", "its first day", 60)
    system.request("PUT", f"/api/v2/backfills/{number}/cancel")
    (folder / "go").touch()
    run_where(system, "filled", lambda run: (run["logical_date"] or "")[:10] == "2026-07-01", "what runs ends well")
    ended(number)
    july = {day: state for day, state in states().items() if day.startswith("2026-07")}
    assert sum(state == "success" for state in july.values()) == 1, july


if __name__ == "__main__":
    main(lambda: Standalone({"autoscale.default.slots": 48, "core.max_map_length": 10000}), a_manifest_starts_one_run_that_reads_what_it_lists,
         a_large_manifest_with_a_few_bad_entries_is_merged_all_the_same, three_pipelines_in_a_chain_load_each_day_exactly_once,
         two_updates_in_quick_succession_are_loaded_one_after_the_other,
         a_load_that_fails_half_way_leaves_the_table_as_it_was, a_report_waits_for_both_of_its_sources,
         days_are_backfilled_and_failed_ones_run_again)
