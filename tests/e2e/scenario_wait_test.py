# SPDX-License-Identifier: Apache-2.0
"""Pipelines that wait: for a job elsewhere, for a file, for one another - with no slot of a worker meanwhile - and who is told when
it takes too long."""

from headrace import Standalone, wait_for
from scenario import Service, check, ends, folder_of, main, output, why

service = Service()
SETTINGS = {"autoscale.default.slots": 16, "autoscale.one.min": 1, "autoscale.one.max": 1, "autoscale.one.slots": 1}


def told(path):
    return [body["subject"] + "\n" + body["message"] for body in service.asked_for(path)]


def is_deferred(system, dag, run, task):
    return wait_for(lambda: system.states(dag, run).get(task) == "deferred", f"{task} waits", 60)


# ---- a job elsewhere ----

def a_job_is_submitted_waited_for_and_judged(system):
    """A job is submitted to another system and asked after until it is over, with the only slot of its queue free all the while;
    what became of it decides which way the run goes. An unknown answer takes the default way, a status call that fails is
    repeated, and a job that never ends runs into the limit of the wait."""
    running = (202, {"state": "RUNNING"})
    service.answers.update({"/job/good": [500, running, 500, running, (200, {"state": "SUCCEEDED"})],
                            "/job/bad": [running, (200, {"state": "FAILED"})], "/job/odd": [(200, {"state": "PUZZLED"})],
                            "/job/endless": [running]})
    system.write_dag("job.yaml", f"""
params: {{job: {{type: string, default: good}}, input: {{type: string, default: /data/in}}}}
defaults: {{queue: one}}
tasks:
  submit: {{bash: 'echo {service.url}/job/{{{{ params.job }}}}'}}
  over:
    depends_on: [submit]
    wait_for: {{http: {{url: "{{{{ xcom.submit }}}}", expect: [200]}}, poke_interval: 1s, timeout: 15s}}
  choose:
    depends_on: [over]
    branch:
      cases:
        - {{when: "{{{{ (xcom.over).state == 'SUCCEEDED' }}}}", then: [use]}}
        - {{when: "{{{{ (xcom.over).state == 'FAILED' }}}}", then: [give_up]}}
      default: [ask_somebody]
  use: {{depends_on: [choose], bash: 'true'}}
  give_up: {{depends_on: [choose], bash: 'exit 1'}}
  ask_somebody: {{depends_on: [choose], bash: 'true'}}
""")
    system.write_dag("beside.yaml", "tasks: {work: {queue: one, bash: 'true'}}")
    system.wait_dag("job")
    endless = system.trigger("job", {"job": "endless"})
    is_deferred(system, "job", endless, "over")
    ends(system, "beside", "success")
    assert system.states("job", endless)["over"] == "deferred", "the slot was free although it waits"
    check(system.states("job", ends(system, "job", "success", {"job": "good"})), over="success", use="success", give_up="skipped")
    assert len(service.asked_for("/job/good")) == 5
    check(system.states("job", ends(system, "job", "failed", {"job": "bad"})), give_up="failed", use="skipped")
    check(system.states("job", ends(system, "job", "success", {"job": "odd"})), ask_somebody="success", use="skipped")
    assert system.wait_run("job", endless)["state"] == "failed"
    check(system.states("job", endless), over="failed", choose="upstream_failed")
    assert "did not come within 15" in why(system, "job", endless, "over"), why(system, "job", endless, "over")


# ---- files ----

def a_missing_part_is_waited_for_and_then_named(system):
    """A manifest may come before its files. Each entry is waited for: what comes later is used, and what never comes fails the
    run by its name."""
    folder = folder_of(system, "late")
    system.write_dag("late.yaml", f"""
tasks:
  part:
    for_each: "{{{{ conf.files }}}}"
    wait_for: {{file: "{folder}/{{{{ item }}}}", poke_interval: 1s, timeout: 12s}}
  merge: {{depends_on: [part], bash: 'cat {{{{ xcom.part | sh }}}}'}}
""")
    (folder / "a").write_text("rows of a\n")
    system.wait_dag("late")
    run = system.trigger("late", {"files": ["a", "b"]})
    vain = system.trigger("late", {"files": ["a", "never"]})
    wait_for(lambda: system.states("late", run).get(("part", 0)) == "success", "what is there", 60)
    (folder / "b").write_text("rows of b\n")
    assert system.wait_run("late", run)["state"] == "success", system.states("late", run)
    assert output(system, "late", run, "merge") == "rows of b"
    assert system.wait_run("late", vain)["state"] == "failed"
    states = system.states("late", vain)
    assert (states["part", 0], states["part", 1], states["merge"]) == ("success", "failed", "upstream_failed"), states
    assert f"{folder}/never" in why(system, "late", vain, "part", 1), why(system, "late", vain, "part", 1)


def missing_feedback_is_told_when_the_wait_is_over(system):
    """The nightly run waits for all feedback; when it does not come in time the run fails and the team is told what was
    missing. A wait that may be in vain skips instead."""
    service.answers["/feedback/mail"] = [503, 200]
    system.write_dag("feedback.yaml", f"""
on_failure: [{{webhook: "{service.url}/feedback/mail", subject: "{{{{ dag.dag_id }}}} failed"}}]
tasks:
  arrived:
    wait_for: {{file: "{system.home}/no-feedback-*", poke_interval: 1s, timeout: 2s}}
    on_failure: [{{webhook: "{service.url}/feedback/mail"}}]
  if_any: {{wait_for: {{file: "{system.home}/no-feedback-*", poke_interval: 1s, timeout: 2s, soft_fail: true}}}}
  join: {{depends_on: [arrived], bash: 'true'}}
  extra: {{depends_on: [if_any], bash: 'true'}}
""")
    run = ends(system, "feedback", "failed")
    check(system.states("feedback", run), arrived="failed", join="upstream_failed", if_any="skipped", extra="skipped")
    wait_for(lambda: len(service.asked_for("/feedback/mail")) >= 3, "both messages, one of them at the second try", 60)
    texts = " ".join(told("/feedback/mail"))
    assert "feedback.arrived: failed" in texts and "feedback failed" in texts and "did not come within" in texts, texts


# ---- other pipelines ----

def pipelines_that_wait_for_one_another_say_so_and_give_up(system):
    """One waits for a pipeline that never runs, and fails or is skipped, as its author wants; the slots stay free. Two that wait
    for each other say what they wait for while they do, and end."""
    text = """
tasks:
  before: {{bash: 'true'}}
  other: {{wait_for: {{task: {{dag_id: {other}, task_id: after}}, poke_interval: 1s, timeout: 10s, soft_fail: {soft}}}}}
  after: {{depends_on: [before, other], bash: 'true'}}
"""
    system.write_dag("idle.yaml", "tasks: {after: {bash: 'true'}}")
    for dag, other, soft in (("waits_hard", "idle", "false"), ("waits_soft", "idle", "true"),
                             ("circle_a", "circle_b", "false"), ("circle_b", "circle_a", "false")):
        system.write_dag(f"{dag}.yaml", text.format(other=other, soft=soft))
    dags = {"waits_hard": "failed", "waits_soft": "skipped", "circle_a": "failed", "circle_b": "failed"}
    runs = {}
    for dag in dags:
        system.wait_dag(dag)
        runs[dag] = system.request("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": "2026-02-03T04:05:06+00:00"})["dag_run_id"]
    is_deferred(system, "circle_a", runs["circle_a"], "other")
    reason = wait_for(lambda: why(system, "circle_a", runs["circle_a"], "other"), "why it waits", 30)
    assert "circle_b" in reason, reason
    for dag, state in dags.items():
        system.wait_run(dag, runs[dag])
        check(system.states(dag, runs[dag]), before="success", other=state)


# ---- deadlines ----

def who_waits_for_a_late_run_is_told_once_while_it_still_runs(system):
    """A run that is not over at its deadline is told of once, while it runs; one that ends in time is not. One that has not even
    begun, because the queue of its task has no worker, is told of too."""
    service.answers["/deadline"] = [200]
    text = """
deadline: 8s
on_deadline: [{{webhook: "{url}/deadline", subject: "{{{{ dag.dag_id }}}} {{{{ run_id }}}}"}}]
tasks: {{work: {{queue: {queue}, bash: '{command}'}}}}
"""
    go = system.home / "deadline-go"
    system.write_dag("tardy.yaml", text.format(url=service.url, queue="default", command=f"until [ -e {go} ]; do sleep 0.1; done"))
    system.write_dag("punctual.yaml", text.format(url=service.url, queue="default", command="true"))
    system.write_dag("stuck.yaml", text.format(url=service.url, queue="nobody", command="true"))
    for dag in ("tardy", "punctual", "stuck"):
        system.wait_dag(dag)
    in_time = system.trigger("punctual")
    assert system.wait_run("punctual", in_time)["state"] == "success"
    tardy, stuck = system.trigger("tardy"), system.trigger("stuck")

    def subjects():
        return sorted(body["subject"] for body in service.asked_for("/deadline"))
    wait_for(lambda: len(subjects()) == 2, "both late ones are told of", 60)
    assert system.run("tardy", tardy)["state"] == "running", "while it still runs"
    go.touch()
    assert system.wait_run("tardy", tardy)["state"] == "success"
    system.request("PATCH", f"/api/v2/dags/stuck/dagRuns/{stuck}", {"state": "failed"})
    later = ends(system, "tardy", "success")
    assert subjects() == sorted([f"tardy {tardy}", f"stuck {stuck}"]), (subjects(), later)


def a_run_that_takes_longer_than_most_before_it_is_told_of(system):
    """The deadline is the 95th percentile of the last twenty runs. While there are fewer nobody is told; then a run that takes longer
    is told of once, while it still runs. One that is quicker is not."""
    service.answers["/usual"] = [200]
    go = system.home / "usual-go"
    text = """
deadline_percentile: 95
on_deadline: [{{webhook: "{url}/usual", subject: "{{{{ dag.dag_id }}}} {{{{ run_id }}}}"}}]
max_active_runs: 30
tasks: {{work: {{bash: '{{{{ conf.do | default("sleep 3") }}}}'}}}}
"""
    system.write_dag("usual.yaml", text.format(url=service.url))
    system.write_dag("unusual.yaml", text.format(url=service.url))
    until_go = {"do": f"until [ -e {go} ]; do sleep 0.1; done"}

    def subjects(dag):
        return [body["subject"] for body in service.asked_for("/usual") if body["subject"].startswith(f"{dag} ")]
    few = system.trigger("unusual", {"do": "sleep 2"})
    usual = [system.trigger("usual") for _ in range(20)]  # more than there are slots: the last ones take twice as long
    assert {system.wait_run("usual", run)["state"] for run in usual} == {"success"}
    assert system.wait_run("unusual", few)["state"] == "success" and subjects("unusual") == [], "one run says nothing"
    quick = system.trigger("usual", {"do": "true"})
    assert system.wait_run("usual", quick)["state"] == "success"
    slow = system.trigger("usual", until_go)
    wait_for(lambda: f"usual {slow}" in subjects("usual"), "the slow one is told of", 90)
    assert system.run("usual", slow)["state"] == "running", "while it still runs"
    go.touch()
    assert system.wait_run("usual", slow)["state"] == "success"
    assert subjects("usual").count(f"usual {slow}") == 1 and f"usual {quick}" not in subjects("usual"), subjects("usual")


if __name__ == "__main__":
    main(lambda: Standalone(SETTINGS), a_job_is_submitted_waited_for_and_judged, a_missing_part_is_waited_for_and_then_named,
         missing_feedback_is_told_when_the_wait_is_over, pipelines_that_wait_for_one_another_say_so_and_give_up,
         who_waits_for_a_late_run_is_told_once_while_it_still_runs, a_run_that_takes_longer_than_most_before_it_is_told_of)
