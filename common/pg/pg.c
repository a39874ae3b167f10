// SPDX-License-Identifier: Apache-2.0
#include "common/pg/pg.h"

#include "common/base/assert.h"
#include "common/pg/inside.h"

#include <ctype.h>
#include <unistd.h>

enum {
    BACKOFF_MIN_MS = 1000,
    BACKOFF_MAX_MS = 30000,
    TICK_MS = 250,
    DIAL_LIMIT_MS = 15000,
    STATEMENT_TIMEOUT_MS = 10000,
    LOCK_TIMEOUT_MS = 3000,
    SILENCE_LIMIT_MS = 20000,
};

/* ---- ends of transactions -------------------------------------------------------------------- */

void pg_count_end(struct pg *pg, const struct pg_tx *tx)
{
    struct metric *end = pg->failed;
    if (tx->rc == 0)
        end = pg->committed;
    else if (tx->rc == ERR_DB_UNKNOWN)
        end = pg->unknown;
    metric_add(end, 1);
    if (tx->is_sent)
        metric_observe(pg->seconds, (double)(loop_now_ms() - tx->sent_ms) / 1000);
}

void pg_end_later(struct pg *pg, struct pg_tx *tx)
{
    tx->next = NULL;
    if (pg->ended_last != NULL)
        pg->ended_last->next = tx;
    else
        pg->ended_first = tx;
    pg->ended_last = tx;
    defer_call(&pg->deliver, pg->loop, pg_on_deliver, pg);
}

void pg_set_in_flight(struct pg *pg, uint32_t count)
{
    /* By difference: the connections of a pool share the gauge. */
    metric_add(pg->in_flight_gauge, (double)count - (double)pg->in_flight);
    pg->in_flight = count;
}

/* ---- going down ------------------------------------------------------------------------------ */

static void hang_up(struct pg *pg)
{
    /* The poll first, or libuv keeps a descriptor that will be somebody else's. */
    pg_socket_close(pg->socket);
    pg->socket = NULL;
    PQfinish(pg->conn);
    pg->conn = NULL;
}

/* Every answer that is still awaited will never come. */
void pg_break_off(struct pg *pg, const struct err *why)
{
    if (pg->state == PG_DOWN || pg->state == PG_CLOSED)
        return;
    pg->state = PG_DOWN;
    hang_up(pg);
    while (pg->first != NULL) {
        struct pg_tx *tx = pg->first;
        pg->first = tx->next;
        if (tx->rc == 0 && tx->is_sent)
            tx->rc = err_set(&tx->err, ERR_DB_UNKNOWN, "the connection broke before the answer: %s",
                             why->sentence);
        else if (tx->rc == 0)
            tx->rc =
                err_set(&tx->err, ERR_DB_CONNECTION, "the connection broke: %s", why->sentence);
        pg_end_later(pg, tx);
    }
    pg->last = NULL;
    pg_kept_clear(pg);
    pg_set_in_flight(pg, 0);
    pg->down_err = *why;
    pg->tell_down = true;
    defer_call(&pg->deliver, pg->loop, pg_on_deliver, pg);
}

void pg_break_with(struct pg *pg, const char *sentence)
{
    struct err why = { 0 };
    (void)err_set(&why, ERR_DB_CONNECTION, "%s", sentence);
    pg_break_off(pg, &why);
}

static void on_closed(void *owner)
{
    struct pg *pg = owner;
    if (--pg->open_count > 0)
        return;
    void (*done)(void *owner) = pg->done;
    void *done_owner = pg->done_owner;

    for (uint32_t i = 0; pg->types != NULL && i < pg->options.statement_count; i++)
        free(pg->types[i]);
    free(pg->types);
    pg_kept_clear(pg);
    free(pg->conninfo);
    arena_clear(&pg->session);
    arena_clear(&pg->target.arena);
    VEC_CLEAR(&pg->channels);
    free(pg);
    if (done != NULL)
        done(done_owner);
}

static void finish_close(struct pg *pg)
{
    /* The pool may still be looking up a name; its end comes here again. */
    if (pg->resolving.is_running || pg->is_finishing)
        return;
    pg->is_finishing = true;
    defer_cancel(&pg->deliver);
    timer_close(&pg->retry, on_closed);
    timer_close(&pg->tick, on_closed);
}

void pg_on_deliver(struct defer *defer)
{
    struct pg *pg = defer->owner;

    while (pg->ended_first != NULL) {
        struct pg_tx *tx = pg->ended_first;
        pg->ended_first = tx->next;
        if (pg->ended_first == NULL)
            pg->ended_last = NULL;
        pg_count_end(pg, tx);
        pg_tx_deliver(tx);
    }
    if (pg->state == PG_CLOSED) {
        finish_close(pg);
        return;
    }
    if (!pg->tell_down)
        return;
    pg->tell_down = false;
    int64_t wait_ms = 0;
    if (pg->backoff_ms > 0) /* full jitter, but never a busy loop */
        wait_ms = 50 + (int64_t)rand_below(&pg->rand, (uint64_t)pg->backoff_ms);
    pg->backoff_ms = pg->backoff_ms == 0 ? BACKOFF_MIN_MS : pg->backoff_ms * 2;
    if (pg->backoff_ms > BACKOFF_MAX_MS)
        pg->backoff_ms = BACKOFF_MAX_MS;
    timer_once(&pg->retry, wait_ms);
    pg->options.on_state(pg, PG_DOWN, &pg->down_err);
}

static void on_retry(struct timer *timer)
{
    struct pg *pg = timer->owner;
    if (pg->state == PG_DOWN && !pg->tell_down && !pg->resolving.is_running)
        pg_dial(pg);
}

/* ---- sending --------------------------------------------------------------------------------- */

static int check_types(const struct pg *pg, const struct step *step, struct err *err)
{
    if (step->type == STEP_TEXT)
        return 0; /* the server checks */
    ASSERT(step->statement < pg->options.statement_count);
    const char *name = pg->options.statements[step->statement].name;
    const uint32_t *types = pg->types[step->statement];
    if (step->params.count != types[0])
        return err_set(err, ERR_INTERNAL, "%s takes %u parameters, not %u", name, types[0],
                       step->params.count);
    for (uint32_t i = 0; i < step->params.count; i++)
        if (step->params.items[i].type != types[i + 1])
            return err_set(err, ERR_INTERNAL, "%s: $%u has type %u, and was bound as %u", name,
                           i + 1, types[i + 1], step->params.items[i].type);
    return 0;
}

static int send_statement(struct pg *pg, const struct step *step)
{
    const char *values[PG_PARAMS_MAX];
    int sizes[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
    Oid types[PG_PARAMS_MAX];
    char kept_name[PG_KEPT_NAME_SIZE];
    const char *name = kept_name;

    pg_kept_name(step->statement, kept_name);
    if (step->type == STEP_STATEMENT)
        name = pg->options.statements[step->statement].name;
    for (uint32_t i = 0; i < step->params.count; i++) {
        const struct pg_param *item = &step->params.items[i];
        values[i] = item->size < 0    ? NULL
                    : item->size == 0 ? ""
                                      : step->params.bytes.bytes + item->offset;
        sizes[i] = item->size;
        formats[i] = 1;
        types[i] = item->type;
    }
    if (step->type == STEP_KEEP)
        return PQsendPrepare(pg->conn, name, step->text, (int)step->params.count, types);
    if (step->type == STEP_TEXT && !step->is_prepared)
        return PQsendQueryParams(pg->conn, step->text, (int)step->params.count, types, values,
                                 sizes, formats, 1);
    return PQsendQueryPrepared(pg->conn, name, (int)step->params.count, values, sizes, formats, 1);
}

static int send_step(struct pg *pg, const struct step *step)
{
    const struct pg_statement *statements = pg->options.statements;
    switch (step->type) {
    case STEP_STATEMENT:
    case STEP_TEXT:
    case STEP_KEEP:
        return send_statement(pg, step);
    case STEP_PREPARE:
        return PQsendPrepare(pg->conn, statements[step->statement].name,
                             statements[step->statement].sql, 0, NULL);
    case STEP_DESCRIBE:
        return PQsendDescribePrepared(pg->conn, statements[step->statement].name);
    }
    UNREACHABLE();
}

void pg_send_now(struct pg *pg, struct pg_tx *tx)
{
    tx->results = calloc(tx->steps.count, sizeof *tx->results);
    ASSERT(tx->results != NULL);
    tx->sent_ms = loop_now_ms();
    tx->next = NULL;
    if (pg->last != NULL)
        pg->last->next = tx;
    else
        pg->first = tx;
    pg->last = tx;
    pg_set_in_flight(pg, pg->in_flight + 1);

    int ok = 1;
    for (uint32_t i = 0; ok && i < tx->steps.count; i++)
        ok = send_step(pg, &tx->steps.items[i]);
    if (ok) {
        /* From here on the server may have it: the Sync flushes. */
        tx->is_sent = true;
        ok = PQpipelineSync(pg->conn);
    }
    if (!ok) {
        struct err err = { 0 };
        (void)pg_error_of_conn(&err, "sending to the database", pg->conn);
        pg_break_off(pg, &err);
        return;
    }
    pg_flush(pg);
}

void pg_send(struct pg *pg, struct pg_tx *tx,
             void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner)
{
    ASSERT(tx->steps.count > 0);
    tx->on_end = on_end;
    tx->owner = owner;
    VEC_EACH (&tx->steps, i)
        if (tx->steps.items[i].is_kept && pg->state == PG_UP)
            pg_keep(pg, &tx->steps.items[i]);
    if (pg->state != PG_UP) {
        tx->rc = err_set(&tx->err, ERR_DB_CONNECTION, "there is no connection to the database");
        pg_end_later(pg, tx);
        return;
    }
    VEC_EACH (&tx->steps, i) {
        tx->rc = check_types(pg, &tx->steps.items[i], &tx->err);
        if (tx->rc < 0) {
            tx->failed_index = (int32_t)i;
            pg_end_later(pg, tx);
            return;
        }
    }
    pg_send_now(pg, tx);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void on_tick(struct timer *timer)
{
    struct pg *pg = timer->owner;
    int64_t now_ms = loop_now_ms();
    int64_t limit_ms = pg->options.silence_limit_ms;

    if (pg->state == PG_CONNECTING && !pg->resolving.is_running &&
        now_ms - pg->dial_began_ms > DIAL_LIMIT_MS)
        pg_break_with(pg, "connecting to the database took too long");
    else if (pg->first != NULL && now_ms - pg->first->sent_ms > limit_ms &&
             now_ms - pg->heard_ms > limit_ms)
        pg_break_with(pg, "the database has not answered for too long");
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void init_metrics(struct pg *pg)
{
    struct metrics *metrics = pg->options.metrics;
    struct metric *ends = metrics_counter(metrics, "headrace_pg_transactions_total",
                                          "Transactions by how they ended.");
    pg->committed = metric_with(ends, "end", STR("committed"));
    pg->failed = metric_with(ends, "end", STR("failed"));
    pg->unknown = metric_with(ends, "end", STR("unknown"));
    pg->connects =
        metrics_counter(metrics, "headrace_pg_connects_total", "Database sessions begun.");
    pg->in_flight_gauge =
        metrics_gauge(metrics, "headrace_pg_in_flight", "Transactions sent and not answered.");
    pg->seconds = metrics_histogram(metrics, "headrace_pg_transaction_seconds",
                                    "From sending to the answer.", NULL, 0);
}

int pg_open(struct pg **out, struct loop *loop, const struct pg_options *options, struct err *err)
{
    int rc = pg_target_check(options->conninfo, err);
    if (rc < 0)
        return rc;

    struct pg *pg = calloc(1, sizeof *pg);
    ASSERT(pg != NULL);
    pg->loop = loop;
    pg->options = *options;
    pg->conninfo = strdup(options->conninfo);
    pg->types = calloc(options->statement_count + 1, sizeof *pg->types);
    ASSERT(pg->conninfo != NULL && pg->types != NULL);
    if (pg->options.statement_timeout_ms == 0)
        pg->options.statement_timeout_ms = STATEMENT_TIMEOUT_MS;
    if (pg->options.lock_timeout_ms == 0)
        pg->options.lock_timeout_ms = LOCK_TIMEOUT_MS;
    if (pg->options.silence_limit_ms == 0)
        pg->options.silence_limit_ms = SILENCE_LIMIT_MS;
    rand_init(&pg->rand, (uint64_t)loop_wall_ms() ^ (uint64_t)getpid() << 32);
    init_metrics(pg);
    timer_open(&pg->retry, loop, on_retry, pg);
    timer_open(&pg->tick, loop, on_tick, pg);
    pg->open_count = 2;
    timer_every(&pg->tick, TICK_MS);
    timer_keep_loop(&pg->tick, false);
    timer_once(&pg->retry, 0);
    *out = pg;
    return 0;
}

void pg_close(struct pg *pg, void (*done)(void *owner), void *owner)
{
    ASSERT(pg->state != PG_CLOSED);
    pg_break_with(pg, "it is being closed");
    pg->tell_down = false;
    pg->state = PG_CLOSED;
    pg->done = done;
    pg->done_owner = owner;
    timer_stop(&pg->retry);
    defer_call(&pg->deliver, pg->loop, pg_on_deliver, pg);
}

void *pg_owner(const struct pg *pg)
{
    return pg->options.owner;
}

enum pg_state pg_state(const struct pg *pg)
{
    return pg->state;
}

uint32_t pg_in_flight(const struct pg *pg)
{
    return pg->in_flight;
}

void pg_listen(struct pg *pg, const char *channel)
{
    for (const char *at = channel; *at != 0; at++)
        ASSERT(islower((unsigned char)*at) || *at == '_');
    VEC_ADD(&pg->channels, channel);
    if (pg->state != PG_UP)
        return; /* the session begins with it */
    struct pg_tx *tx = pg_tx_new();
    pg_add_listen(pg, tx, channel);
    pg_send_now(pg, tx);
}

void pg_reconnect(struct pg *pg, const char *why)
{
    pg_break_with(pg, why);
}
