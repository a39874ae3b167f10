# SPDX-License-Identifier: Apache-2.0
"""What the parts say of themselves: the leading scheduler's figures in /metrics, and a line in each log."""
import re

from headrace import Standalone, main, wait_for


def figures(system):
    _, _, text = system.raw("GET", "/metrics")
    text = text if isinstance(text, str) else text.decode()
    families = re.findall(r"^# TYPE (\S+)", text, re.M)
    assert len(families) == len(set(families)), "each family stands once"
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.M)}


def words(system):
    return "".join(log.read_text(errors="replace") for log in [system.home / "standalone.log",
                                                               *(system.home / "run").glob("*.log")])


def the_leaders_figures_are_in_metrics_under_our_names_and_airflows():
    with Standalone() as system:
        system.write_dag("two.yaml", "tasks: {a: {bash: 'true'}, b: {bash: 'exit 1'}}")
        system.wait_run("two", system.trigger("two"))
        wait_for(lambda: figures(system).get("headrace_scheduler_ended_total") == 2, "two attempts that ended")
        now = figures(system)
        assert now["headrace_scheduler_up"] == 1
        assert now["headrace_scheduler_placed_total"] == now["airflow_ti_start"] == 2
        assert now["airflow_ti_finish"] == 2
        assert now["headrace_scheduler_lost_total"] == now["airflow_task_instances_without_heartbeats_killed"] == 0
        assert now["headrace_scheduler_workers"] == 1
        assert now["headrace_scheduler_step_seconds_count"] > 5
        assert now["headrace_scheduler_pg_transaction_seconds_count"] > 0
        assert now['headrace_scheduler_wire_received_total{socket="scheduler"}'] > 0
        wait_for(lambda: figures(system)["airflow_scheduler_heartbeat"] > 0, "a renewal of the lease")
        system.stop()
        lines = re.findall(r".*figures.*", words(system))
        assert any("placed=2" in line or '"placed":2' in line for line in lines), lines
        assert any("started=2" in line or '"started":2' in line for line in lines), lines


if __name__ == "__main__":
    main(the_leaders_figures_are_in_metrics_under_our_names_and_airflows)
