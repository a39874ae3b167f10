// SPDX-License-Identifier: Apache-2.0
#include "common/store/upkeep.h"

#include "common/base/assert.h"
#include "common/store/statement.h"

struct upkeep {
    struct store *store;
    uint64_t epoch;
    int32_t retention_days;
    struct upkeep_done done;
    void (*on_end)(void *owner, const struct upkeep_done *done);
    void *owner;
};

/* Of either transaction, behind the fence and the patience. */
enum { RESULT_PARTITIONS = 2 };

static struct pg_tx *begin(struct upkeep *upkeep)
{
    struct pg_tx *tx = pg_tx_new();

    store_fence(upkeep->store, tx, upkeep->epoch);
    (void)pg_tx_add(tx, SQL_upkeep_patience, NULL, NULL);
    return tx;
}

static void finish(struct upkeep *upkeep)
{
    upkeep->on_end(upkeep->owner, &upkeep->done);
    free(upkeep);
}

/* ---- behind ---------------------------------------------------------------------------------- */

static void on_dropped(void *owner, const struct pg_outcome *outcome)
{
    struct upkeep *upkeep = owner;

    upkeep->done.err = outcome->err;
    upkeep->done.put_off = outcome->err;
    if (outcome->rc == 0)
        upkeep->done.partitions_dropped =
            (int32_t)pg_get_int(outcome->results[RESULT_PARTITIONS], 0, 0);
    else if (outcome->rc != ERR_UNAVAILABLE)
        upkeep->done.rc = outcome->rc;
    finish(upkeep);
}

static void drop_old(struct upkeep *upkeep)
{
    static const enum statement statements[] = { SQL_partitions_drop, SQL_OF_RETENTION };
    struct pg_tx *tx = begin(upkeep);

    for (uint32_t i = 0; i < sizeof statements / sizeof *statements; i++)
        pg_put_int4(pg_tx_add(tx, statements[i], NULL, NULL), upkeep->retention_days);
    store_send(upkeep->store, tx, on_dropped, upkeep);
}

/* ---- ahead ----------------------------------------------------------------------------------- */

static void on_made(void *owner, const struct pg_outcome *outcome)
{
    struct upkeep *upkeep = owner;
    static const struct err none;

    upkeep->done =
        (struct upkeep_done) { .rc = outcome->rc, .err = outcome->err, .put_off = &none };
    if (outcome->rc == 0)
        upkeep->done.partitions_made =
            (int32_t)pg_get_int(outcome->results[RESULT_PARTITIONS], 0, 0);
    if (outcome->rc == 0 && upkeep->retention_days > 0)
        drop_old(upkeep);
    else
        finish(upkeep);
}

void store_upkeep(struct store *store, uint64_t epoch, int32_t retention_days,
                  void (*on_end)(void *owner, const struct upkeep_done *done), void *owner)
{
    static const uint32_t statements[] = { SQL_partitions_ensure,     SQL_answers_drop,
                                           SQL_idempotency_keys_drop, SQL_autoscale_events_drop,
                                           SQL_workers_drop,          SQL_sessions_drop };
    struct upkeep *upkeep = calloc(1, sizeof *upkeep);
    struct pg_tx *tx;

    ASSERT(upkeep != NULL);
    *upkeep = (struct upkeep) { .store = store,
                                .epoch = epoch,
                                .retention_days = retention_days,
                                .on_end = on_end,
                                .owner = owner };
    tx = begin(upkeep);
    for (uint32_t i = 0; i < sizeof statements / sizeof *statements; i++)
        (void)pg_tx_add(tx, statements[i], NULL, NULL);
    store_send(store, tx, on_made, upkeep);
}
