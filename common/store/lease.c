// SPDX-License-Identifier: Apache-2.0
#include "common/store/lease.h"

#include "common/base/assert.h"
#include "common/store/statement.h"

struct asking {
    uint64_t epoch;
    int64_t ttl_ms;
    int64_t asked_ms;
    void (*on_end)(void *owner, const struct store_lease *lease);
    void *owner;
};

static struct asking *asking_new(uint64_t epoch, int64_t ttl_ms,
                                 void (*on_end)(void *owner, const struct store_lease *lease),
                                 void *owner)
{
    struct asking *asking = malloc(sizeof *asking);

    ASSERT(asking != NULL);
    *asking = (struct asking) { epoch, ttl_ms, loop_now_ms(), on_end, owner };
    return asking;
}

static struct store_lease lease_of(const struct asking *asking, const struct pg_outcome *outcome)
{
    return (struct store_lease) {
        .rc = outcome->rc,
        .err = outcome->err,
        .epoch = asking->epoch,
        /* From when it was asked for: a slow answer stretches nothing. */
        .ends_ms = asking->asked_ms + asking->ttl_ms,
        .holder = STR_EMPTY,
        .failover_age_ms = -1,
        .asked_ms = asking->asked_ms,
        .answered_ms = loop_now_ms(),
    };
}

static void finish(struct asking *asking, const struct store_lease *lease)
{
    asking->on_end(asking->owner, lease);
    free(asking);
}

/* ---- taking ---------------------------------------------------------------------------------- */

enum { TRY_IS_TAKEN, TRY_EPOCH, TRY_HOLDER, TRY_LEFT, TRY_CLOCK, TRY_FAILOVER_AGE };

static void on_tried(void *owner, const struct pg_outcome *outcome)
{
    struct asking *asking = owner;
    struct store_lease lease = lease_of(asking, outcome);
    struct err err = { 0 };

    if (lease.rc == 0) {
        const struct pg_result *result = outcome->results[0];

        ASSERT(pg_row_count(result) == 1);
        lease.epoch = (uint64_t)pg_get_int(result, 0, TRY_EPOCH);
        lease.holder = pg_get_text(result, 0, TRY_HOLDER);
        lease.left_ms = pg_get_int(result, 0, TRY_LEFT);
        lease.wall_ms = pg_get_time_ms(result, 0, TRY_CLOCK);
        lease.failover_age_ms = pg_get_int(result, 0, TRY_FAILOVER_AGE);
        if (!pg_get_bool(result, 0, TRY_IS_TAKEN)) {
            lease.rc = err_set(&err, ERR_CONFLICT, "%.*s leads", STR_ARG(lease.holder));
            lease.err = &err;
        }
    }
    finish(asking, &lease);
}

void store_lease_try(struct store *store, const char *holder, int64_t ttl_ms,
                     void (*on_end)(void *owner, const struct store_lease *lease), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_lease_try, NULL, NULL);

    pg_put_int2(params, store_shard(store));
    pg_put_text(params, str_of(holder));
    pg_put_int8(params, ttl_ms);
    params = pg_tx_add(tx, SQL_lease_evict, NULL, NULL);
    pg_put_int2(params, store_shard(store));
    store_send_write(store, tx, on_tried, asking_new(0, ttl_ms, on_end, owner));
}

/* ---- keeping and giving back ----------------------------------------------------------------- */

static void on_renewed(void *owner, const struct pg_outcome *outcome)
{
    struct asking *asking = owner;
    struct store_lease lease = lease_of(asking, outcome);
    struct err err = { 0 };

    if (lease.rc == 0 && pg_row_count(outcome->results[0]) == 0) {
        lease.rc = err_set(&err, ERR_LOST,
                           "another scheduler has taken the lease, or the database failed over");
        lease.err = &err;
    } else if (lease.rc == 0) {
        lease.wall_ms = pg_get_time_ms(outcome->results[0], 0, 0);
    }
    finish(asking, &lease);
}

void store_lease_renew(struct store *store, uint64_t epoch, int64_t ttl_ms,
                       void (*on_end)(void *owner, const struct store_lease *lease), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_lease_renew, NULL, NULL);

    pg_put_int2(params, store_shard(store));
    pg_put_int8(params, (int64_t)epoch);
    pg_put_int8(params, ttl_ms);
    store_send(store, tx, on_renewed, asking_new(epoch, ttl_ms, on_end, owner));
}

static void on_resigned(void *owner, const struct pg_outcome *outcome)
{
    struct asking *asking = owner;
    struct store_lease lease = lease_of(asking, outcome);

    lease.ends_ms = 0;
    finish(asking, &lease);
}

void store_lease_resign(struct store *store, uint64_t epoch,
                        void (*on_end)(void *owner, const struct store_lease *lease), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_lease_resign, NULL, NULL);

    pg_put_int2(params, store_shard(store));
    pg_put_int8(params, (int64_t)epoch);
    (void)pg_tx_add(tx, SQL_lease_unlock, NULL, NULL);
    store_send_write(store, tx, on_resigned, asking_new(epoch, 0, on_end, owner));
}
