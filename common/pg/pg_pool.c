// SPDX-License-Identifier: Apache-2.0
#include "common/pg/pg_pool.h"

#include "common/base/assert.h"

enum { CONNECTIONS_MAX = 32, IN_FLIGHT_MAX = 10000 };

/* A transaction that cannot be sent: its end has to come later, as everybody's does. */
struct refused {
    struct refused *next;
    int rc;
    void (*on_end)(void *owner, const struct pg_outcome *outcome);
    void *owner;
};

struct pg_pool {
    struct loop *loop;
    struct pg *connections[CONNECTIONS_MAX];
    uint32_t count, open_count;
    struct defer refuse;
    struct refused *refused;
    void (*done)(void *owner);
    void *done_owner;
};

static void on_closed(void *owner)
{
    struct pg_pool *pool = owner;
    if (--pool->open_count > 0)
        return;
    void (*done)(void *owner) = pool->done;
    void *done_owner = pool->done_owner;
    ASSERT(pool->refused == NULL);
    free(pool);
    if (done != NULL)
        done(done_owner);
}

int pg_pool_open(struct pg_pool **out, struct loop *loop, const struct pg_options *options,
                 uint32_t connection_count, struct err *err)
{
    ASSERT(connection_count > 0 && connection_count <= CONNECTIONS_MAX);
    struct pg_pool *pool = calloc(1, sizeof *pool);
    ASSERT(pool != NULL);
    pool->loop = loop;
    for (uint32_t i = 0; i < connection_count; i++) {
        struct pg_options one = *options;
        if (i > 0)
            one.on_notify = NULL;
        int rc = pg_open(&pool->connections[i], loop, &one, err);
        if (rc < 0) { /* a conninfo that cannot be read: found with the first */
            ASSERT(i == 0);
            free(pool);
            return rc;
        }
        pool->count++;
    }
    *out = pool;
    return 0;
}

static void on_refuse(struct defer *defer)
{
    struct pg_pool *pool = defer->owner;

    while (pool->refused != NULL) {
        struct refused *item = pool->refused;
        struct err err = { 0 };
        pool->refused = item->next;
        (void)err_set(&err, item->rc, "%s",
                      item->rc == ERR_LIMIT ? "too many requests wait for the database"
                                            : "there is no connection to the database");
        item->on_end(item->owner, &(struct pg_outcome) { .rc = item->rc,
                                                         .fate = PG_FAILED,
                                                         .err = &err,
                                                         .failed_index = -1,
                                                         .sqlstate = "" });
        free(item);
    }
}

void pg_pool_close(struct pg_pool *pool, void (*done)(void *owner), void *owner)
{
    pool->done = done;
    pool->done_owner = owner;
    pool->open_count = pool->count;
    for (uint32_t i = 0; i < pool->count; i++)
        pg_close(pool->connections[i], on_closed, pool);
}

static void refuse(struct pg_pool *pool, struct pg_tx *tx, int rc,
                   void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner)
{
    pg_tx_free(tx);
    if (on_end == NULL)
        return;
    struct refused *item = malloc(sizeof *item);
    ASSERT(item != NULL);
    *item = (struct refused) { NULL, rc, on_end, owner };
    struct refused **link = &pool->refused;
    while (*link != NULL)
        link = &(*link)->next;
    *link = item;
    defer_call(&pool->refuse, pool->loop, on_refuse, pool);
}

void pg_pool_send(struct pg_pool *pool, struct pg_tx *tx,
                  void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner)
{
    struct pg *best = NULL;
    uint32_t in_flight = 0;

    for (uint32_t i = 0; i < pool->count; i++) {
        struct pg *pg = pool->connections[i];
        in_flight += pg_in_flight(pg);
        if (pg_state(pg) == PG_UP && (best == NULL || pg_in_flight(pg) < pg_in_flight(best)))
            best = pg;
    }
    if (best == NULL)
        refuse(pool, tx, ERR_DB_CONNECTION, on_end, owner);
    else if (in_flight >= IN_FLIGHT_MAX)
        refuse(pool, tx, ERR_LIMIT, on_end, owner);
    else
        pg_send(best, tx, on_end, owner);
}

bool pg_pool_is_up(const struct pg_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (pg_state(pool->connections[i]) == PG_UP)
            return true;
    return false;
}
