# SPDX-License-Identifier: Apache-2.0
"""database.lock_timeout and database.statement_timeout are those of the programs' own connections."""
import threading

from headrace import Standalone, main, wait_for

HELD = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'pool'::regclass AND granted"


def a_longer_limit_outwaits_a_lock_that_the_default_would_not():
    with Standalone({"database.lock_timeout": "60s", "database.statement_timeout": "60s"}) as system:
        assert system.request("GET", "/api/v2/pools")["total_entries"] >= 1
        holder = threading.Thread(target=system.sql, args=("BEGIN; LOCK TABLE pool; SELECT pg_sleep(5); COMMIT",))
        holder.start()
        try:
            wait_for(lambda: system.sql(HELD) == "1", "the lock")
            assert system.request("GET", "/api/v2/pools", timeout=60)["total_entries"] >= 1
        finally:
            holder.join()


if __name__ == "__main__":
    main(a_longer_limit_outwaits_a_lock_that_the_default_would_not)
