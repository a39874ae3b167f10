# SPDX-License-Identifier: Apache-2.0
"""Airflow's metrics by UDP, as a StatsD gets them."""
import pathlib
import re
import socket

from headrace import Standalone, main, wait_for

LINE = re.compile(r"[A-Za-z0-9_.\-]+:-?[0-9.e+\-]+\|(c|g|ms)")
PAGE = pathlib.Path(__file__).parents[2] / "docs/operations/metrics.md"


class Receiver:
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.port = self.socket.getsockname()[1]
        self.sums, self.last, self.times, self.sizes = {}, {}, {}, []

    def take(self):
        """Whatever has come, summed by name; the answer is true so that it can stand before an `and`."""
        while True:
            try:
                datagram = self.socket.recv(65536)
            except TimeoutError:
                return True
            self.sizes.append(len(datagram))
            for line in datagram.decode().splitlines():
                assert LINE.fullmatch(line), line
                name, value = line.split(":")
                number = float(value.split("|")[0])
                if value.endswith("|c"):
                    self.sums[name] = self.sums.get(name, 0) + number
                elif value.endswith("|ms"):
                    self.times.setdefault(name, []).append(number)
                else:
                    self.last[name] = number


def what_happens_is_counted_under_the_names_of_airflow():
    receiver = Receiver()
    with Standalone({"metrics.statsd_on": "true", "metrics.statsd_host": "127.0.0.1", "metrics.statsd_port": receiver.port,
                     "metrics.statsd_prefix": "etl"}) as system:
        system.cli("pools", "set", "odd name:1|c", "3")
        system.write_dag("three.yaml", "tasks: {a: {bash: 'true'}, b: {bash: 'true', depends_on: [a]}, bad: {bash: 'false'}}")
        run = system.trigger("three")
        assert system.wait_run("three", run)["state"] == "failed"
        wanted = {"etl.ti.start": 3, "etl.ti.finish": 3, "etl.ti_successes": 2, "etl.ti_failures": 1}
        wait_for(lambda: receiver.take() and {name: receiver.sums.get(name) for name in wanted} == wanted, f"{wanted}, not less", 90)
        wait_for(lambda: receiver.take() and receiver.last.get("etl.pool.open_slots.odd_name_1_c") == 3, "the pool's gauge", 60)
        wait_for(lambda: receiver.take() and receiver.sums.get("etl.scheduler_heartbeat", 0) > 0, "the scheduler's heartbeat", 60)
        assert receiver.last["etl.dagbag_size"] == 1 and receiver.last["etl.executor.running_tasks"] == 0, receiver.last
        assert receiver.last["etl.pool.open_slots.default_pool"] == 128, receiver.last
        beats = receiver.sums["etl.scheduler_heartbeat"]
        wait_for(lambda: receiver.take() and receiver.sums["etl.scheduler_heartbeat"] > beats, "the next time that all is told", 60)
        assert {name: receiver.sums.get(name) for name in wanted} == wanted, "nothing is counted twice"
        assert max(receiver.sizes) <= 1400, receiver.sizes
        _, _, text = system.raw("GET", "/metrics")
        for name in ("airflow_ti_successes 2", "airflow_ti_failures 1", "airflow_ti_start 3", 'airflow_pool_open_slots{pool_name="default_pool"} 128'):
            assert name in text, name
    receiver.socket.close()


def how_long_runs_and_tasks_took_is_told():
    receiver = Receiver()
    with Standalone({"metrics.statsd_on": "true", "metrics.statsd_host": "127.0.0.1", "metrics.statsd_port": receiver.port}) as system:
        system.write_dag("good.yaml", "tasks: {a: {bash: 'sleep 0.3'}, b: {bash: 'sleep 0.3', depends_on: [a]}}")
        system.write_dag("bad.yaml", "tasks: {a: {bash: 'false', retries: 1, retry_delay: 0}, never: {bash: 'true', depends_on: [a]}}")
        system.write_dag("due.yaml", "schedule: '0 0 1 1 *'\nstart_date: 2025-01-01\nend_date: 2025-01-02\ncatchup: true\ntasks: {a: {bash: 'true'}}")
        assert system.wait_run("good", system.trigger("good"))["state"] == "success"
        assert system.wait_run("bad", system.trigger("bad"))["state"] == "failed"
        # of good: 2; of bad: 2 tries, and nothing of what never began; of due: 1
        wanted = {"airflow.task.duration": 5, "airflow.task.queued_duration": 5, "airflow.dagrun.duration.success": 2,
                  "airflow.dagrun.duration.failed": 1, "airflow.dagrun.schedule_delay": 1}
        wait_for(lambda: receiver.take() and {name: len(receiver.times.get(name, [])) for name in wanted} == wanted, f"{wanted}, not less", 120)
        assert max(receiver.times["airflow.dagrun.duration.success"]) >= 600, receiver.times
        assert sorted(receiver.times["airflow.task.duration"])[-2] >= 300, receiver.times
        year_ms = 365 * 86400000
        assert receiver.times["airflow.dagrun.schedule_delay"][0] > year_ms / 2, receiver.times
        wait_for(lambda: receiver.take() and receiver.times.get("airflow.scheduler.scheduler_loop_duration"), "the loop's mean", 60)
        assert all(0 < mean < 60000 for mean in receiver.times["airflow.scheduler.scheduler_loop_duration"]), receiver.times
        _, _, text = system.raw("GET", "/metrics")
        for name, count in wanted.items():
            assert f"{name.replace('.', '_')}_count {count}\n" in text, name
        every_name_of_the_page_is_sent_and_no_other(receiver, text)
    receiver.socket.close()


def every_name_of_the_page_is_sent_and_no_other(receiver, text):
    rows = re.findall(r"^\| `([^`]+)` \| `(airflow_[^`]+)` \|", PAGE.read_text(), re.M)
    assert len(rows) > 20, rows
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"^(airflow_\w+)", text, re.M)}
    assert shown == {metric for _, metric in rows}, shown ^ {metric for _, metric in rows}
    patterns = [re.compile("airflow" + r"\." + re.sub(r"\\\.(POOL|QUEUE)$", r"\\..+", re.escape(name))) for name, _ in rows]
    sent = {*receiver.sums, *receiver.last, *receiver.times}
    assert all(any(pattern.fullmatch(name) for pattern in patterns) for name in sent), sent
    missing = [pattern.pattern for pattern in patterns if not any(pattern.fullmatch(name) for name in sent)]
    assert missing == [], missing


if __name__ == "__main__":
    main(what_happens_is_counted_under_the_names_of_airflow, how_long_runs_and_tasks_took_is_told)
