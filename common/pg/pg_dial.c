// SPDX-License-Identifier: Apache-2.0
/* Coming up: names are resolved on the pool, then PQconnectPoll, then the session's first
 * transaction. */
#include "common/base/assert.h"
#include "common/pg/inside.h"

/* What the server says of itself. Of all warnings one matters: a commit that the standby has not
 * confirmed. */
static void on_notice(void *owner, const PGresult *notice)
{
    struct pg *pg = owner;
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
    if (function != NULL && strcmp(function, "SyncRepWaitForLSN") == 0 && pg->first != NULL)
        pg->first->is_in_doubt = true;
}

static void remember_types(struct pg *pg, uint32_t statement, const PGresult *result)
{
    uint32_t count = (uint32_t)PQnparams(result);
    uint32_t *types = malloc((count + 1) * sizeof *types);
    ASSERT(types != NULL);
    types[0] = count;
    for (uint32_t i = 0; i < count; i++)
        types[i + 1] = PQparamtype(result, (int)i);
    free(pg->types[statement]);
    pg->types[statement] = types;
}

static void on_session(void *owner, const struct pg_outcome *outcome)
{
    struct pg *pg = owner;
    if (outcome->rc < 0) {
        if (pg->state == PG_CONNECTING)
            pg_break_off(pg, outcome->err);
        return;
    }
    /* Called by `drain` alone: an ended connection never gets here with rc 0. */
    for (uint32_t i = 0; i < pg->options.statement_count; i++)
        remember_types(pg, i, (const PGresult *)outcome->results[outcome->result_count - 1 - i]);
    pg->state = PG_UP;
    pg->backoff_ms = 0;
    metric_add(pg->connects, 1);
    pg->options.on_state(pg, PG_UP, NULL);
}

void pg_add_listen(struct pg *pg, struct pg_tx *tx, const char *channel)
{
    struct step *step = pg_tx_step(tx, STEP_TEXT);
    step->text = str_format(&pg->session, "LISTEN %s", channel).bytes;
}

/* The first transaction of a session: settings, LISTENs, then every statement prepared, then
 * described (in reverse, so that the answers can be found from the end). */
static void begin_session(struct pg *pg)
{
    const struct pg_options *options = &pg->options;
    struct pg_tx *tx = pg_tx_new();

    arena_reset(&pg->session);
    struct step *step = pg_tx_step(tx, STEP_TEXT);
    step->text =
        pg_session_sql(&pg->session, options->statement_timeout_ms, options->lock_timeout_ms).bytes;
    VEC_EACH (&pg->channels, i)
        pg_add_listen(pg, tx, pg->channels.items[i]);
    for (uint32_t i = 0; i < options->statement_count; i++) {
        step = pg_tx_step(tx, STEP_PREPARE);
        step->statement = i;
    }
    for (uint32_t i = options->statement_count; i-- > 0;) {
        step = pg_tx_step(tx, STEP_DESCRIBE);
        step->statement = i;
    }
    tx->on_end = on_session;
    tx->owner = pg;
    pg_send_now(pg, tx);
}

static int watch_socket(struct pg *pg, int wanted, struct err *err)
{
    int rc = pg_socket_open(&pg->socket, pg->loop, PQsocket(pg->conn), pg_on_io, pg, err);
    if (rc == 0)
        pg_socket_want(pg->socket, wanted);
    return rc;
}

void pg_advance_dial(struct pg *pg)
{
    struct err err = { 0 };
    int rc = 0;

    /* libpq may close its socket in this call and open another, even one of the same number: no
     * poll may be kept. */
    pg_socket_close(pg->socket);
    pg->socket = NULL;
    PostgresPollingStatusType status = PQconnectPoll(pg->conn);
    switch (status) {
    case PGRES_POLLING_READING:
        rc = watch_socket(pg, POLL_READABLE, &err);
        break;
    case PGRES_POLLING_WRITING:
        rc = watch_socket(pg, POLL_WRITABLE, &err);
        break;
    case PGRES_POLLING_OK:
        rc = watch_socket(pg, POLL_READABLE, &err);
        if (rc == 0 && (PQsetnonblocking(pg->conn, 1) != 0 || PQenterPipelineMode(pg->conn) != 1))
            rc = pg_error_of_conn(&err, "beginning the pipeline", pg->conn);
        if (rc == 0)
            begin_session(pg);
        break;
    default:
        rc = pg_error_of_conn(&err, "connecting to the database", pg->conn);
        break;
    }
    if (rc < 0)
        pg_break_off(pg, &err);
}

static void dial_target(struct pg *pg)
{
    struct err err = { 0 };

    if (pg->state == PG_CLOSED) {
        defer_call(&pg->deliver, pg->loop, pg_on_deliver, pg);
        return;
    }
    if (pg->state != PG_CONNECTING) { /* broken off while a name was looked up */
        timer_once(&pg->retry, 0);
        return;
    }
    if (pg->resolve_rc < 0) {
        pg_break_off(pg, &pg->resolve_err);
        return;
    }
    pg->conn = PQconnectStartParams(pg->target.keywords, pg->target.values, 0);
    ASSERT(pg->conn != NULL);
    (void)PQsetNoticeReceiver(pg->conn, on_notice, pg);
    if (PQstatus(pg->conn) == CONNECTION_BAD) {
        (void)pg_error_of_conn(&err, "connecting to the database", pg->conn);
        pg_break_off(pg, &err);
        return;
    }
    int rc = watch_socket(pg, POLL_WRITABLE,
                          &err); /* as libpq's manual wants it: as if it had said WRITING */
    if (rc < 0)
        pg_break_off(pg, &err);
}

static void resolve_on_pool(struct work *work)
{
    struct pg *pg = work->owner;
    arena_clear(&pg->target.arena);
    pg->resolve_rc = pg_target_resolve(&pg->target, pg->conninfo, pg->options.application_name,
                                       &pg->resolve_err);
}

static void on_resolved(struct work *work)
{
    dial_target(work->owner);
}

void pg_dial(struct pg *pg)
{
    pg->state = PG_CONNECTING;
    pg->dial_began_ms = loop_now_ms();
    pg->options.on_state(pg, PG_CONNECTING, NULL);
    if (pg->state != PG_CONNECTING)
        return;
    if (pg_target_has_names(pg->conninfo)) {
        loop_work(pg->loop, &pg->resolving, resolve_on_pool, on_resolved, pg);
        return;
    }
    pg->resolving.owner = pg;
    resolve_on_pool(&pg->resolving);
    dial_target(pg);
}
