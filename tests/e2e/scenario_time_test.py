# SPDX-License-Identifier: Apache-2.0
"""Schedules: the day that a run covers, clocks that change, days that were missed."""
import datetime
import time
import zoneinfo

from headrace import Standalone, main as main_alone, wait_for
from scenario import clear, folder_of, main, output, runs_of, span, time_of

UTC = datetime.timezone.utc
LISBON = zoneinfo.ZoneInfo("Europe/Lisbon")


def all_ended(system, dag, count, timeout=120):
    """Its runs in the order of their dates, when there are `count` and all have ended."""
    def look():
        runs = runs_of(system, dag)
        return runs if len(runs) >= count and all(run["state"] in ("success", "failed") for run in runs) else None
    runs = wait_for(look, f"{count} runs of {dag}", timeout, 0.2)
    assert len(runs) == count, [run["run_after"] for run in runs]
    return runs


def two_in_lisbon_before(now):
    local = now.astimezone(LISBON).replace(hour=2, minute=0, second=0, microsecond=0)
    return local if local <= now else local - datetime.timedelta(days=1)


def a_nightly_run_covers_the_day_before_on_the_clock_of_its_place(system):
    """Every night at two, Lisbon's time: the latest night is run once, and covers the day from two to two; which day, the task
    is told. Without catchup the nights before are left out."""
    system.write_dag("nightly.yaml", """
schedule: {cron: "0 2 * * *", interval: true}
timezone: Europe/Lisbon
start_date: 2026-01-01
tasks:
  check: {bash: echo "{{ data_interval_start }} {{ data_interval_end }} {{ ds }}"}
""")
    before = two_in_lisbon_before(datetime.datetime.now(UTC))
    run = all_ended(system, "nightly", 1)[0]
    after = two_in_lisbon_before(datetime.datetime.now(UTC))
    end = time_of(run["data_interval_end"])
    assert run["state"] == "success" and end in (before, after), run
    start = two_in_lisbon_before(end - datetime.timedelta(hours=12))
    assert time_of(run["data_interval_start"]) == start == time_of(run["logical_date"]), run
    told = output(system, "nightly", run["dag_run_id"], "check").split()
    assert [time_of(told[0]), time_of(told[1]), told[2]] == [start, end, start.astimezone(UTC).strftime("%Y-%m-%d")], told


def a_nightly_run_comes_once_on_the_days_when_clocks_change(system):
    """Half past one in Lisbon does not exist on the last Sunday of March: the run comes when the clock goes on. It exists twice on
    the last Sunday of October: the run comes once. One run at a time, in order."""
    text = """
schedule: "30 1 * * *"
timezone: Europe/Lisbon
start_date: {0}
end_date: {1}
catchup: true
max_active_runs: 1
tasks: {{check: {{bash: 'true'}}}}
"""
    system.write_dag("spring.yaml", text.format("2026-03-28", "2026-03-31"))
    system.write_dag("autumn.yaml", text.format("2026-10-24", "2026-10-27"))
    for dag, expected in {"spring": ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
                          "autumn": ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]}.items():
        runs = all_ended(system, dag, 3)
        assert [time_of(run["run_after"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M") for run in runs] == expected, runs
        spans = [span(run) for run in runs]
        assert all(one[1] <= next_one[0] for one, next_one in zip(spans, spans[1:])), "one after the other"


def thirty_days_are_caught_up_four_at_a_time_and_one_is_repaired(system):
    """Catchup makes a run for each of thirty days, four at a time. One fails; when it is repaired, only that one runs again, while
    the ordinary schedule goes on beside it."""
    folder = folder_of(system, "thirty")
    system.write_dag("thirty.yaml", f"""
schedule: "@daily"
start_date: 2026-05-01
end_date: 2026-05-30
catchup: true
max_active_runs: 4
tasks:
  load:
    bash: |
      echo {{{{ ds }}}} >> {folder}/loaded
      {{{{ "test -e " ~ "{folder}/repaired" if ds == "2026-05-13" else "sleep 0.1" }}}}
""")
    runs = all_ended(system, "thirty", 30)
    days = [f"2026-05-{day:02}" for day in range(1, 31)]
    assert [run["logical_date"][:10] for run in runs] == days
    assert [run["logical_date"][:10] for run in runs if run["state"] == "failed"] == ["2026-05-13"]
    moments = sorted([(begin, 1) for begin, _ in map(span, runs)] + [(end, -1) for _, end in map(span, runs)])
    active = most = 0
    for _, change in moments:
        active += change
        most = max(most, active)
    assert most == 4, f"{most} at a time"
    (folder / "repaired").touch()
    failed = runs[12]["dag_run_id"]
    clear(system, "thirty", failed, "load")
    assert system.wait_run("thirty", failed)["state"] == "success"
    loaded = (folder / "loaded").read_text().split()
    assert sorted(loaded) == sorted(days + ["2026-05-13"]), "nothing else ran again"


def what_a_system_misses_while_it_is_down_is_made_up_or_left_out():
    """The system is down over several fire times. With catchup each of them has its run afterwards, late, once and in order;
    without, only the latest has one."""
    with Standalone() as system:
        for name, catchup in (("made_up", "true"), ("left_out", "false")):
            system.write_dag(f"{name}.yaml", f"""
schedule: {{every: 2s}}
start_date: {datetime.datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}
catchup: {catchup}
max_active_runs: 1
tasks: {{go: {{bash: 'true'}}}}
""")
        for name in ("made_up", "left_out"):
            wait_for(lambda: any(run["state"] == "success" for run in runs_of(system, name)), f"a run of {name}", 60)
        system.stop()
        down = datetime.datetime.now(UTC)
        over = time.monotonic() + 9
        wait_for(lambda: time.monotonic() > over, "fire times that pass", 30)
        up = datetime.datetime.now(UTC)
        system.start()
        missed = datetime.timedelta(seconds=2)

        def dates(name):
            return [time_of(run["logical_date"]) for run in runs_of(system, name)]
        for name in ("made_up", "left_out"):
            wait_for(lambda: max(dates(name)) > up + missed and
                     all(run["state"] == "success" for run in runs_of(system, name)[:-2]), f"{name} goes on", 60)
        made_up, left_out = dates("made_up"), dates("left_out")
        assert made_up == [made_up[0] + number * missed for number in range(len(made_up))], made_up
        gaps = [date for date in left_out if down < date < up - missed]
        assert gaps == [] and left_out == sorted(set(left_out)), left_out


if __name__ == "__main__":
    main(lambda: Standalone({"autoscale.default.slots": 16}), a_nightly_run_covers_the_day_before_on_the_clock_of_its_place,
         a_nightly_run_comes_once_on_the_days_when_clocks_change, thirty_days_are_caught_up_four_at_a_time_and_one_is_repaired)
    main_alone(what_a_system_misses_while_it_is_down_is_made_up_or_left_out)
