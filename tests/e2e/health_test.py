# SPDX-License-Identifier: Apache-2.0
"""Health is that of each part: one that is stopped is not called healthy, and one that goes on is again."""
import os
import signal

from headrace import Standalone, main, wait_for


def states(system):
    health = system.request("GET", "/api/v2/monitor/health", token=False)
    return {part: health[part]["status"] for part in ("metadatabase", "scheduler", "dag_processor", "triggerer")}


def a_scheduler_that_hangs_is_not_healthy():
    with Standalone({"scheduler.lease_ttl": "4s", "scheduler.lease_renew": "1s", "scheduler.lease_margin": "1s"}) as system:
        assert set(states(system).values()) == {"healthy"}, states(system)
        pid, = system.pids_of("headrace-scheduler")
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for(lambda: states(system)["scheduler"] == "unhealthy", "its lease is over", 60)
            seen = states(system)
            assert seen == {"metadatabase": "healthy", "scheduler": "unhealthy", "dag_processor": "unhealthy", "triggerer": "unhealthy"}, seen
            assert "headrace_scheduler_up 0" in system.raw("GET", "/metrics")[2]
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for(lambda: set(states(system).values()) == {"healthy"}, "it leads again", 120)
        wait_for(lambda: "headrace_scheduler_up 1" in system.raw("GET", "/metrics")[2], "it answers again", 60)


if __name__ == "__main__":
    main(a_scheduler_that_hangs_is_not_healthy)
