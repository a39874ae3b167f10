// SPDX-License-Identifier: Apache-2.0
#include "common/store/store.h"

#include "common/base/assert.h"
#include "common/pg/pg_pool.h"
#include "common/store/statement.h"

const struct pg_statement store_statements[STATEMENT_COUNT] = {
#define SQL(name, text) [SQL_##name] = { #name, text },
#include "sql/queries.def"
#undef SQL
};

struct store {
    struct loop *loop;
    struct store_options options;
    struct pg *writer; /* NULL without is_writing */
    struct pg_pool *pool;
    bool is_up;
    bool is_told; /* that it is up or down: nothing is at first */
    bool is_closing;
    void (*done)(void *owner);
    void *done_owner;
};

static bool writer_is_up(const struct store *store)
{
    return store->writer != NULL && pg_state(store->writer) == PG_UP;
}

/* With a writing connection that alone decides, once all have been up: a lost reader costs a read,
 * not the leadership. */
static bool store_is_up_now(const struct store *store)
{
    if (!store->options.is_writing)
        return store->pool != NULL && pg_pool_is_up(store->pool);
    if (!writer_is_up(store))
        return false;
    return store->is_up || (store->pool != NULL && pg_pool_is_up(store->pool));
}

static void on_settings(void *owner, const struct pg_outcome *outcome)
{
    (void)owner;
    (void)outcome; /* without them it is slower, not wrong */
}

static void on_pg_state(struct pg *pg, enum pg_state state, const struct err *err)
{
    struct store *store = pg_owner(pg);
    bool is_up = store_is_up_now(store);
    bool decides = pg == store->writer || !store->options.is_writing;
    bool is_news = is_up != store->is_up || (state == PG_DOWN && decides && !store->is_told);

    if (pg == store->writer && state == PG_UP) {
        struct pg_tx *tx = pg_tx_new();

        (void)pg_tx_add(tx, SQL_session_generic_plans, NULL, NULL);
        pg_send(pg, tx, on_settings, store);
    }
    if (store->is_closing || !is_news)
        return;
    store->is_up = is_up;
    store->is_told = true;
    if (store->options.on_state != NULL)
        store->options.on_state(store, is_up, err);
}

int store_open(struct store **out, struct loop *loop, const struct store_options *options,
               struct err *err)
{
    struct store *store = calloc(1, sizeof *store);
    struct pg_options pg = {
        .conninfo = options->conninfo,
        .application_name = options->application_name,
        .statements = store_statements,
        .statement_count = STATEMENT_COUNT,
        .metrics = options->metrics,
        .statement_timeout_ms = options->statement_timeout_ms,
        .lock_timeout_ms = options->lock_timeout_ms,
        .on_state = on_pg_state,
        .owner = store,
    };
    int rc;

    ASSERT(store != NULL);
    ASSERT(options->readers > 0);
    store->loop = loop;
    store->options = *options;
    store->options.conninfo = NULL; /* pg copies it */
    rc = pg_pool_open(&store->pool, loop, &pg, options->readers, err);
    if (rc == 0 && options->is_writing) {
        rc = pg_open(&store->writer, loop, &pg, err);
        ASSERT(rc == 0 || store->writer == NULL);
    }
    if (rc < 0) {
        /* The pool read the same conninfo, so that only the first of the two can refuse it. */
        ASSERT(store->pool == NULL);
        free(store);
        return err_wrap(err, rc, "opening the database");
    }
    *out = store;
    return 0;
}

static void on_pool_closed(void *owner)
{
    struct store *store = owner;
    void (*done)(void *) = store->done;
    void *done_owner = store->done_owner;

    free(store);
    if (done != NULL)
        done(done_owner);
}

static void on_writer_closed(void *owner)
{
    struct store *store = owner;

    store->writer = NULL;
    pg_pool_close(store->pool, on_pool_closed, store);
}

void store_close(struct store *store, void (*done)(void *owner), void *owner)
{
    ASSERT(!store->is_closing);
    store->is_closing = true;
    store->is_up = false;
    store->done = done;
    store->done_owner = owner;
    if (store->writer != NULL)
        pg_close(store->writer, on_writer_closed, store);
    else
        pg_pool_close(store->pool, on_pool_closed, store);
}

bool store_is_up(const struct store *store)
{
    return store->is_up;
}

void *store_owner(const struct store *store)
{
    return store->options.owner;
}

int16_t store_shard(const struct store *store)
{
    return store->options.shard;
}

void store_break(struct store *store, const char *why)
{
    ASSERT(store->writer != NULL);
    pg_reconnect(store->writer, why);
}

void store_send(struct store *store, struct pg_tx *tx,
                void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner)
{
    pg_pool_send(store->pool, tx, on_end, owner);
}

void store_send_write(struct store *store, struct pg_tx *tx,
                      void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner)
{
    ASSERT(store->writer != NULL);
    pg_send(store->writer, tx, on_end, owner);
}

void store_fence(struct store *store, struct pg_tx *tx, uint64_t epoch)
{
    struct pg_params *params = pg_tx_add(tx, SQL_fence, NULL, NULL);

    pg_put_int2(params, store->options.shard);
    pg_put_int8(params, (int64_t)epoch);
}

struct loop *store_loop(const struct store *store)
{
    return store->loop;
}

const struct seal *store_seal(const struct store *store)
{
    return store->options.seal;
}
