# SPDX-License-Identifier: Apache-2.0
"""Jobs: one after the other, side by side, short ones beside long ones, and ones that want more than the machine has."""
import datetime
import os
import pathlib
import signal
import time

from headrace import Standalone, main as main_alone, wait_for
from scenario import Service, check, clear, folder_of, instance, main, output, overlap, runs_of, span, time_of, tries, why

service = Service()
SETTINGS = {"autoscale.default.slots": 16, "autoscale.slow.min": 1, "autoscale.slow.max": 1, "autoscale.slow.slots": 1}


def is_gone(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def pid_in(file):
    return int(wait_for(lambda: file.exists() and file.read_text().strip(), f"{file.name}", 60))


# ---- one after the other ----

JOBS = """
params: {{input: {{type: string, default: none}}, b: {{type: string, default: "true"}}}}
tasks:
  a: {{bash: 'echo a {{{{ params.input }}}} $HEADRACE_ATTEMPT_ID >> {folder}/submitted; echo job-a'}}
  b: {{depends_on: [a], kill_grace: 1s, bash: 'echo b $HEADRACE_ATTEMPT_ID >> {folder}/submitted; {{{{ params.b }}}}; echo job-b'}}
  c: {{depends_on: [b], bash: 'echo c >> {folder}/submitted; echo job-c after {{{{ xcom.b }}}}'}}
"""


def jobs_run_in_order_and_stop_where_one_fails(system):
    """A, then B, then C, on demand and with the input's path; each has its id and its log. When B fails C is not submitted; when
    the run is stopped in the middle of B the whole process tree of B ends."""
    folder = folder_of(system, "jobs")
    system.write_dag("jobs.yaml", JOBS.format(folder=folder))
    run = system.trigger("jobs", {"input": "/data/in"})
    assert system.wait_run("jobs", run)["state"] == "success"
    assert [line.split()[0] for line in (folder / "submitted").read_text().splitlines()] == ["a", "b", "c"]
    assert (folder / "submitted").read_text().startswith("a /data/in ")
    assert output(system, "jobs", run, "c") == "job-c after job-b" and "job-b" in system.log("jobs", run, "b")
    begins = [time_of(instance(system, "jobs", run, task)["start_date"]) for task in "abc"]
    assert begins == sorted(begins)

    run = system.trigger("jobs", {"b": "exit 4"})
    assert system.wait_run("jobs", run)["state"] == "failed"
    check(system.states("jobs", run), a="success", b="failed", c="upstream_failed")

    run = system.trigger("jobs", {"b": f"sleep 4567 & echo $! > {folder}/child; echo $$ > {folder}/shell; wait"})
    pids = [pid_in(folder / "child"), pid_in(folder / "shell")]
    system.request("PATCH", f"/api/v2/dags/jobs/dagRuns/{run}", {"state": "failed"})
    assert system.wait_run("jobs", run)["state"] == "failed"
    wait_for(lambda: all(map(is_gone, pids)), "the end of B's processes", 60)
    assert system.states("jobs", run)["c"] not in ("success", "running", "queued"), system.states("jobs", run)


def a_stopped_run_cancels_what_it_has_submitted_elsewhere(system):
    """Submitting a job to another system sets something up, cancelling it takes that away: also when the run is stopped in the
    middle - while a task watches the job, or while it is waited for without a slot - and not when nothing was submitted."""
    service.answers.update({"/elsewhere/submit": [(200, {"id": 17}), (200, {"id": 18}), 500], "/elsewhere/cancel": [200],
                            "/elsewhere/status": [202]})
    system.write_dag("elsewhere.yaml", f"""
params: {{watched: {{type: boolean, default: true}}}}
tasks:
  submit: {{setup: true, http: {{method: POST, url: "{service.url}/elsewhere/submit", json: {{}}}}}}
  over:
    depends_on: [submit]
    when: "{{{{ not params.watched }}}}"
    wait_for: {{http: {{url: "{service.url}/elsewhere/status", expect: [200]}}, poke_interval: 1s}}
  watch: {{depends_on: [submit], when: "{{{{ params.watched }}}}", kill_grace: 1s, bash: sleep 4568}}
  cancel: {{depends_on: [watch, over], teardown: [submit], http: {{url: "{service.url}/elsewhere/cancel", json: {{id: "{{{{ xcom.submit.id }}}}"}}}}}}
""")
    run = system.trigger("elsewhere")
    wait_for(lambda: system.states("elsewhere", run).get("watch") in ("queued", "running"), "the job is watched", 60)
    system.request("PATCH", f"/api/v2/dags/elsewhere/dagRuns/{run}", {"state": "failed"})
    assert system.wait_run("elsewhere", run)["state"] == "failed"
    wait_for(lambda: service.asked_for("/elsewhere/cancel") == [{"id": 17}], "the job is cancelled", 60)
    run = system.trigger("elsewhere", {"watched": False})
    wait_for(lambda: system.states("elsewhere", run).get("over") == "deferred", "the job is waited for", 60)
    system.request("PATCH", f"/api/v2/dags/elsewhere/dagRuns/{run}", {"state": "failed"})
    assert system.wait_run("elsewhere", run)["state"] == "failed"
    wait_for(lambda: service.asked_for("/elsewhere/cancel") == [{"id": 17}, {"id": 18}], "this one too", 60)
    asked = len(service.asked_for("/elsewhere/status"))
    run = system.trigger("elsewhere")
    assert system.wait_run("elsewhere", run)["state"] == "failed"
    check(system.states("elsewhere", run), submit="failed", watch="upstream_failed", cancel="upstream_failed")
    assert len(service.asked_for("/elsewhere/cancel")) == 2
    assert len(service.asked_for("/elsewhere/status")) <= asked + 1, "nobody asks after what was stopped"


def a_job_outlives_the_scheduler_and_the_worker_that_submitted_it():
    """Scheduler and worker are killed in the middle of B: B is taken up again, not submitted anew, and C follows it."""
    with Standalone({"scheduler.lease_ttl": "4s", "scheduler.lease_renew": "1s", "scheduler.lease_margin": "1s"}) as system:
        folder = folder_of(system, "jobs")
        system.write_dag("jobs.yaml", JOBS.format(folder=folder))
        run = system.trigger("jobs", {"b": f"echo $$ > {folder}/shell; until [ -e {folder}/go ]; do sleep 0.1; done"})
        pid = pid_in(folder / "shell")
        for program in ("headrace-scheduler", "headrace-worker"):
            for one in system.pids_of(program):
                os.kill(one, signal.SIGKILL)
        wait_for(lambda: system.pids_of("headrace-scheduler") and system.pids_of("headrace-worker"), "both again", 60)
        assert not is_gone(pid)
        (folder / "go").touch()
        assert system.wait_run("jobs", run)["state"] == "success"
        assert [line.split()[0] for line in (folder / "submitted").read_text().splitlines()] == ["a", "b", "c"]
        assert instance(system, "jobs", run, "b")["try_number"] == 1


# ---- side by side ----

def two_jobs_start_together_and_the_result_of_both_is_told(system):
    """An aggregate into a table and a join with a reference set have the same cause and start in the same moment. Whoever tells
    waits for both, runs also when one of them failed, and says which."""
    service.answers["/both/told"] = [200]
    system.sql("CREATE SCHEMA both_jobs; CREATE TABLE both_jobs.sales (item text, n int); "
               "INSERT INTO both_jobs.sales VALUES ('a', 1), ('a', 2), ('b', 5); CREATE TABLE both_jobs.total (item text, n int)")
    system.write_dag("both.yaml", f"""
params: {{reference: {{type: object, default: {{a: apple, b: pear}}}}}}
tasks:
  begin: {{bash: 'true'}}
  aggregate:
    depends_on: [begin]
    sql: {{connection: store, statement: "INSERT INTO both_jobs.total SELECT item, sum(n) FROM both_jobs.sales GROUP BY 1 RETURNING item, n"}}
  enrich:
    depends_on: [begin]
    bash: 'echo {{{{ params.reference | tojson | sh }}}} | grep -o pear'
  tell:
    depends_on: [aggregate, enrich]
    trigger_rule: all_done
    http:
      url: "{service.url}/both/told"
      json: {{aggregate: "{{{{ xcom.aggregate | default('failed') }}}}", enrich: "{{{{ xcom.enrich | default('failed') }}}}"}}
""")
    run = system.trigger("both")
    assert system.wait_run("both", run)["state"] == "success", system.states("both", run)
    placed = [time_of(instance(system, "both", run, task)["queued_when"]) for task in ("aggregate", "enrich")]
    assert abs((placed[0] - placed[1]).total_seconds()) < 0.01, "one decision, one commit"
    bad = system.trigger("both", {"reference": {}})
    assert system.wait_run("both", bad)["state"] == "success", "all_done: telling is the end of it"
    check(system.states("both", bad), aggregate="success", enrich="failed", tell="success")
    told = [{name: value if isinstance(value, str) else len(value) for name, value in body.items()}
            for body in service.asked_for("/both/told")]
    assert told == [{"aggregate": 2, "enrich": "pear"}, {"aggregate": 2, "enrich": "failed"}], told


def a_pool_decides_how_many_jobs_of_a_kind_run_at_once(system):
    """Two finished jobs are joined and reported once. With one slot in their pool the two run one after the other, with two slots
    together. When the join fails, the rerun does not repeat the two."""
    folder = folder_of(system, "blend")
    system.cli("pools", "set", "blend", "1", "for the blend")
    system.write_dag("blend.yaml", f"""
params: {{meet: {{type: boolean, default: false}}, join: {{type: string, default: "true"}}}}
tasks:
  engagement: &job
    pool: blend
    bash: |
      echo {{{{ task.task_id }}}} >> {folder}/{{{{ run_id }}}}
      until [ $(wc -l < {folder}/{{{{ run_id }}}}) = 2 ] || {{{{ "false" if params.meet else "true" }}}}; do sleep 0.1; done
  forecast: *job
  join: {{depends_on: [engagement, forecast], bash: '{{{{ params.join }}}}'}}
  report: {{depends_on: [join], bash: 'echo report >> {folder}/{{{{ run_id }}}}'}}
""")
    run = system.trigger("blend")
    assert system.wait_run("blend", run)["state"] == "success"
    one, other = (span(instance(system, "blend", run, task)) for task in ("engagement", "forecast"))
    assert not overlap(one, other), (one, other)
    system.cli("pools", "set", "blend", "2", "for the blend")
    run = system.trigger("blend", {"meet": True})
    assert system.wait_run("blend", run)["state"] == "success", "each waits for the other: they run together"

    run = system.trigger("blend", {"join": f"test -e {folder}/fixed"})
    assert system.wait_run("blend", run)["state"] == "failed"
    (folder / "fixed").touch()
    clear(system, "blend", run, "join", include_downstream=True)
    assert system.wait_run("blend", run)["state"] == "success"
    assert sorted((folder / run).read_text().split()) == ["engagement", "forecast", "report"], "nothing is repeated"


def a_list_from_another_service_is_worked_through_by_a_second_workflow(system):
    """A script asks another service and hands a list of files to a second workflow, which handles each of them once. One that
    fails every time is put aside with its error, somebody is told of it, and it does not stop the others. A program that is not
    there, or is no program, says so."""
    folder = folder_of(system, "handed")
    (folder / "no_program").write_text("text\n")
    service.answers["/handed/list"] = [(200, {"files": ["a", "poison", "b", "c"]})]
    service.answers["/handed/dead"] = [200]
    system.write_dag("handles.yaml", f"""
params: {{files: {{type: array, default: []}}}}
tasks:
  handle:
    for_each: "{{{{ params.files }}}}"
    retries: 2
    retry_delay: 100ms
    tolerate_failures: 1
    on_failure: [{{webhook: "{service.url}/handed/dead", subject: "{{{{ item }}}}"}}]
    bash: |
      echo {{{{ item }}}} >> {folder}/handled
      if [ {{{{ item }}}} = poison ]; then echo "HEADRACE_ERROR BadFile: poison cannot be read" >&2; exit 1; fi
      echo {{{{ item }}}} done
  aside:
    depends_on: [handle]
    bash: 'echo {{{{ xcom.handle | tojson | sh }}}} > {folder}/results'
""")
    system.wait_dag("handles")
    system.write_dag("hands.yaml", f"""
tasks:
  ask: {{http: {{url: "{service.url}/handed/list"}}}}
  hand_over: {{depends_on: [ask], trigger_dag: {{dag_id: handles, conf: {{files: "{{{{ xcom.ask.files }}}}"}}, wait: true}}}}
  missing: {{exec: ["{folder}/no_such_script"]}}
  no_program: {{exec: ["{folder}/no_program"]}}
""")
    run = system.trigger("hands")
    assert system.wait_run("hands", run)["state"] == "failed"
    check(system.states("hands", run), ask="success", hand_over="success", missing="failed", no_program="failed")
    assert "no_such_script" in why(system, "hands", run, "missing"), why(system, "hands", run, "missing")
    assert "ermission denied" in why(system, "hands", run, "no_program"), why(system, "hands", run, "no_program")
    assert len(tries(system, "hands", run, "missing")) == 1, "it would not be there the next time either"
    second = runs_of(system, "handles")
    assert len(second) == 1
    handled = (folder / "handled").read_text().split()
    assert sorted(handled) == ["a", "b", "c", "poison", "poison", "poison"], handled
    assert "cannot be read" in why(system, "handles", second[0]["dag_run_id"], "handle", 1)
    assert len(tries(system, "handles", second[0]["dag_run_id"], "handle", 1)) == 3
    assert (folder / "results").read_text().strip() == '["a done",null,"b done","c done"]'
    dead = wait_for(lambda: service.asked_for("/handed/dead"), "word of the poisoned one", 60)
    assert len(dead) == 1 and dead[0]["subject"] == "poison" and "cannot be read" in dead[0]["message"], dead


def a_scheduled_producer_is_held_back_by_a_slow_consumer(system):
    """A workflow on a schedule hands list after list to one that takes one at a time: the runs of the consumer wait in order, none is
    lost, and the producer goes no further than its own limit allows. A list that is longer than may be is refused in words."""
    folder = folder_of(system, "pressure")
    system.write_dag("consumer.yaml", f"""
max_active_runs: 1
params: {{number: {{type: integer, default: 0}}, length: {{type: integer, default: 2}}}}
tasks:
  list: {{exec: [python3, -c, "print(list(range({{{{ params.length }}}})))"]}}
  gate: {{bash: 'until [ -e {folder}/go ]; do sleep 0.1; done'}}
  handle:
    depends_on: [list, gate]
    for_each: "{{{{ xcom.list | fromjson }}}}"
    bash: 'echo {{{{ params.number }}}}.{{{{ item }}}} >> {folder}/handled'
""")
    system.wait_dag("consumer")
    begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=50)
    system.write_dag("producer.yaml", f"""
schedule: {{every: 10s}}
start_date: {begin:%Y-%m-%dT%H:%M:%SZ}
end_date: {begin + datetime.timedelta(seconds=49):%Y-%m-%dT%H:%M:%SZ}
catchup: true
max_active_runs: 3
tasks:
  hand_over: {{trigger_dag: {{dag_id: consumer, conf: {{number: "{{{{ ts | strftime('%s') | int }}}}"}}, wait: true}}}}
""")
    wait_for(lambda: len(runs_of(system, "consumer")) == 3, "as many as the producer may have", 60)
    states = [run["state"] for run in runs_of(system, "consumer")]
    assert sorted(states) == ["queued", "queued", "running"], states
    (folder / "go").touch()
    wait_for(lambda: [run["state"] for run in runs_of(system, "producer")] == ["success"] * 5, "all five", 90)
    spans = sorted(span(run) for run in runs_of(system, "consumer"))
    assert len(spans) == 5 and all(one[1] <= after[0] for one, after in zip(spans, spans[1:])), "one at a time"
    handled = (folder / "handled").read_text().split()
    assert len(handled) == len(set(handled)) == 10, handled
    long = system.trigger("consumer", {"length": 1025})
    assert system.wait_run("consumer", long)["state"] == "failed"
    assert "1025" in why(system, "consumer", long, "handle") and "1024" in why(system, "consumer", long, "handle")


# ---- short ones beside long ones ----

def short_tasks_do_not_wait_behind_long_ones(system):
    """One long task has the only slot of its queue and more of its kind wait behind it, all of them more important than a
    hundred short ones elsewhere: the short ones do not wait for any of them. In one queue the more important short ones go first,
    and the long one still has its turn."""
    folder = folder_of(system, "lengths")
    system.cli("pools", "set", "narrow", "1", "one at a time")
    system.write_dag("long.yaml", f"""
max_active_tasks: 100
priority: 10
tasks:
  long:
    for_each: {list(range(5))}
    queue: slow
    priority_weight: 100
    bash: 'until [ -e {folder}/over ]; do sleep 0.1; done'
  pooled:
    for_each: {list(range(5))}
    pool: narrow
    priority_weight: 100
    bash: 'until [ -e {folder}/over ]; do sleep 0.1; done'
""")
    system.write_dag("short.yaml", f"max_active_tasks: 100\ntasks: {{short: {{for_each: {list(range(100))}, bash: sleep 0.05}}}}\n")
    long = system.trigger("long")
    wait_for(lambda: system.states("long", long).get(("long", 0)) == "running", "a long one runs", 60)
    short = system.trigger("short")
    assert system.wait_run("short", short)["state"] == "success"
    states = list(system.states("long", long).values())
    assert states.count("running") == 2 and "success" not in states, "one of the queue, one of the pool, and the rest waits"
    began = time_of(system.run("short", short)["start_date"])
    waits = sorted((time_of(row["start_date"]) - began).total_seconds() for row in system.tasks("short", short))
    lengths = [(time_of(row["end_date"]) - time_of(row["start_date"])).total_seconds() for row in system.tasks("short", short)]
    print(f"  of 100 short tasks on 16 slots the 95th began after {waits[94]:.2f} s, beside {sum(lengths) / 16:.2f} s of work", flush=True)
    # What they wait for is one another: the slots' share of their work, and starting each of them.
    assert waits[94] < sum(lengths) / 16 + 10, waits
    (folder / "over").touch()
    assert system.wait_run("long", long)["state"] == "success"

    system.write_dag("one_queue.yaml", """
tasks:
  first: {queue: slow, priority_weight: 50, bash: sleep 0.5}
  long: {queue: slow, bash: sleep 1}
  short: {queue: slow, priority_weight: 10, for_each: [1, 2, 3, 4, 5], bash: 'true'}
""")
    run = system.trigger("one_queue")
    assert system.wait_run("one_queue", run)["state"] == "success"
    begins = {(row["task_id"], row["map_index"]): time_of(row["start_date"]) for row in system.tasks("one_queue", run)}
    assert max(begins, key=begins.get) == ("long", -1) and min(begins, key=begins.get) == ("first", -1), begins


def a_light_task_has_its_turn_among_ever_new_heavy_ones():
    """One slot and a stream of tasks that are heavier: where waiting adds weight, the light one that came first is not overtaken for
    ever; where it does not, every one of them goes before it."""
    for ageing, is_overtaken in (("1s", False), ("0s", True)):
        with Standalone({"autoscale.default.slots": 1, "scheduler.priority_ageing": ageing}) as system:
            folder = folder_of(system, "stream")
            system.write_dag("light.yaml", "tasks: {light: {bash: 'true'}}")
            system.write_dag("heavy.yaml", f"""
max_active_runs: 100
tasks: {{heavy: {{priority_weight: 3, bash: 'until [ -e {folder}/{{{{ run_id }}}} ]; do sleep 0.05; done'}}}}
""")
            system.wait_dag("light")

            def running():
                return [run for run in heavy if system.states("heavy", run).get("heavy") == "running"]
            heavy = [system.trigger("heavy", run_id="h0")]
            wait_for(running, "the first heavy one runs", 60)
            light = system.trigger("light")
            for number in range(1, 6):  # one ends, the next one is there already, and more than a second goes by
                heavy.append(system.trigger("heavy", run_id=f"h{number}"))
                after = time.monotonic() + 1.2
                wait_for(lambda: time.monotonic() > after, "a second", 30)
                before = running()
                (folder / before[0]).touch() if before else None
                wait_for(lambda: running() != before and running() or system.run("light", light)["state"] == "success", "the next", 60)
            overtaken = system.run("light", light)["state"] != "success"
            assert overtaken == is_overtaken, (ageing, system.states("light", light))
            for run in heavy:
                (folder / run).touch()
            assert system.wait_run("light", light)["state"] == "success"


# ---- more than the machine has ----

def a_task_that_wants_too_much_is_stopped_alone(system):
    """Each of these exceeds a limit of its own: memory, processes, open files, disk. It fails and says which; its neighbours go
    on."""
    programs = {"memory": "x = bytearray(512 << 20); print(len(x))",
                "processes": "import os, time; [os.fork() or time.sleep(60) or os._exit(0) for i in range(60)]",
                "files": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32)); "
                         "x = [open('/dev/null') for i in range(64)]"}
    system.write_dag("greedy.yaml", f"""
defaults: {{resources: {{memory: 64Mi, pids: 20}}}}
tasks:
  memory: {{exec: [python3, -c, "{programs['memory']}"]}}
  processes: {{exec: [python3, -c, "{programs['processes']}"]}}
  files: {{exec: [python3, -c, "{programs['files']}"]}}
  disk: {{bash: 'cat /dev/zero > /dev/full'}}
  neighbour: {{bash: 'sleep 2; echo well'}}
""")
    run = system.trigger("greedy")
    assert system.wait_run("greedy", run)["state"] == "failed"
    check(system.states("greedy", run), memory="failed", processes="failed", files="failed", disk="failed", neighbour="success")
    assert "emory" in why(system, "greedy", run, "memory"), why(system, "greedy", run, "memory")
    for task, words in {"processes": "esource temporarily unavailable", "files": "Too many open files", "disk": "No space left"}.items():
        assert words in system.log("greedy", run, task), (task, system.log("greedy", run, task))


if __name__ == "__main__":
    main(lambda: Standalone(SETTINGS), jobs_run_in_order_and_stop_where_one_fails,
         a_stopped_run_cancels_what_it_has_submitted_elsewhere,
         two_jobs_start_together_and_the_result_of_both_is_told, a_pool_decides_how_many_jobs_of_a_kind_run_at_once,
         a_list_from_another_service_is_worked_through_by_a_second_workflow,
         a_scheduled_producer_is_held_back_by_a_slow_consumer, short_tasks_do_not_wait_behind_long_ones,
         a_task_that_wants_too_much_is_stopped_alone)
    main_alone(a_job_outlives_the_scheduler_and_the_worker_that_submitted_it, a_light_task_has_its_turn_among_ever_new_heavy_ones)
