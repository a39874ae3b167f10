// SPDX-License-Identifier: Apache-2.0
#include "common/store/upkeep.h"

#include "common/base/assert.h"
#include "common/store/statement.h"

struct upkeep {
    bool drops;
    void (*on_end)(void *owner, const struct upkeep_done *done);
    void *owner;
};

/* Behind the fence and the patience. */
enum { RESULT_MADE = 2, RESULT_DROPPED = 3 };

static void on_done(void *owner, const struct pg_outcome *outcome)
{
    struct upkeep *upkeep = owner;
    struct upkeep_done done = { .rc = outcome->rc, .err = outcome->err };

    if (done.rc == 0) {
        done.partitions_made = (int32_t)pg_get_int(outcome->results[RESULT_MADE], 0, 0);
        if (upkeep->drops)
            done.partitions_dropped = (int32_t)pg_get_int(outcome->results[RESULT_DROPPED], 0, 0);
    }
    upkeep->on_end(upkeep->owner, &done);
    free(upkeep);
}

void store_upkeep(struct store *store, uint64_t epoch, int32_t retention_days,
                  void (*on_end)(void *owner, const struct upkeep_done *done), void *owner)
{
    static const uint32_t statements[] = { SQL_answers_drop, SQL_idempotency_keys_drop, SQL_autoscale_events_drop,
                                           SQL_workers_drop, SQL_sessions_drop };
    struct upkeep *upkeep = malloc(sizeof *upkeep);
    struct pg_tx *tx = pg_tx_new();

    ASSERT(upkeep != NULL);
    *upkeep = (struct upkeep){ retention_days > 0, on_end, owner };
    store_fence(store, tx, epoch);
    (void)pg_tx_add(tx, SQL_upkeep_patience, NULL, NULL);
    (void)pg_tx_add(tx, SQL_partitions_ensure, NULL, NULL);
    if (upkeep->drops) {
        pg_put_int4(pg_tx_add(tx, SQL_partitions_drop, NULL, NULL), retention_days);
        pg_put_int4(pg_tx_add(tx, SQL_run_retire, NULL, NULL), retention_days);
    }
    for (uint32_t i = 0; i < sizeof statements / sizeof *statements; i++)
        (void)pg_tx_add(tx, statements[i], NULL, NULL);
    store_send(store, tx, on_done, upkeep);
}
