# SPDX-License-Identifier: Apache-2.0
"""database.lock_timeout and database.statement_timeout are those of the programs' own connections."""
import threading

from headrace import Lock, Standalone, main

LONGER_THAN_THE_DEFAULT_S = 5


def a_longer_limit_outwaits_a_lock_that_the_default_would_not():
    with Standalone({"database.lock_timeout": "60s", "database.statement_timeout": "60s"}) as system:
        assert system.request("GET", "/api/v2/pools")["total_entries"] >= 1
        lock = Lock(system, "LOCK TABLE pool")
        release = threading.Timer(LONGER_THAN_THE_DEFAULT_S, lock.release)
        release.start()
        try:
            assert system.request("GET", "/api/v2/pools", timeout=60)["total_entries"] >= 1
            assert lock.is_released, "it has waited for the lock"
        finally:
            release.join()


if __name__ == "__main__":
    main(a_longer_limit_outwaits_a_lock_that_the_default_would_not)
