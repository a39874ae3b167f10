# SPDX-License-Identifier: Apache-2.0
"""Airflow's metrics by UDP, as a StatsD gets them."""
import re
import socket

from headrace import Standalone, main, wait_for

LINE = re.compile(r"[A-Za-z0-9_.\-]+:-?[0-9.e+\-]+\|[cg]")


class Receiver:
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.port = self.socket.getsockname()[1]
        self.sums, self.last, self.sizes = {}, {}, []

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


if __name__ == "__main__":
    main(what_happens_is_counted_under_the_names_of_airflow)
