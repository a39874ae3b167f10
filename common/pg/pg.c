// SPDX-License-Identifier: Apache-2.0
#include "common/pg/pg.h"

#include "common/base/assert.h"
#include "common/base/rand.h"
#include "common/loop/timer.h"
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

struct pg {
    struct loop *loop;
    struct pg_options options;
    char *conninfo;
    enum pg_state state;

    struct work resolving;
    struct pg_target target;
    int resolve_rc;
    struct err resolve_err;
    PGconn *conn;
    struct pg_socket *socket;
    int64_t dial_began_ms, heard_ms;

    struct pg_tx *first, *last;             /* sent, in order of their answers */
    struct pg_tx *ended_first, *ended_last; /* to be called back by `deliver` */
    uint32_t in_flight;
    struct arena session;                   /* texts of the session's first transaction */
    uint32_t **types;                       /* of each statement: count, then oids; NULL until described */
    VEC(const char *) channels;

    struct defer deliver;
    bool tell_down, is_finishing;
    struct err down_err;
    struct timer retry, tick;
    int64_t backoff_ms;
    struct rand rand;

    void (*done)(void *owner);
    void *done_owner;
    int open_count;
    struct metric *committed, *failed, *unknown, *connects, *in_flight_gauge, *seconds;
};

static void dial(struct pg *pg);
static void on_io(void *owner, int ready);
static void send_now(struct pg *pg, struct pg_tx *tx);

/* ---- ends of transactions ---------------------------------------------------------------------------------------- */

static void count_end(struct pg *pg, const struct pg_tx *tx)
{
    metric_add(tx->rc == 0 ? pg->committed : tx->rc == ERR_DB_UNKNOWN ? pg->unknown : pg->failed, 1);
    if (tx->is_sent)
        metric_observe(pg->seconds, (double)(loop_now_ms() - tx->sent_ms) / 1000);
}

static void on_deliver(struct defer *defer);

static void end_later(struct pg *pg, struct pg_tx *tx)
{
    tx->next = NULL;
    if (pg->ended_last != NULL)
        pg->ended_last->next = tx;
    else
        pg->ended_first = tx;
    pg->ended_last = tx;
    defer_call(&pg->deliver, pg->loop, on_deliver, pg);
}

static void set_in_flight(struct pg *pg, uint32_t count)
{
    pg->in_flight = count;
    metric_set(pg->in_flight_gauge, count);
}

/* ---- going down -------------------------------------------------------------------------------------------------- */

static void hang_up(struct pg *pg)
{
    /* The poll first, or libuv keeps a descriptor that will be somebody else's. */
    pg_socket_close(pg->socket);
    pg->socket = NULL;
    PQfinish(pg->conn);
    pg->conn = NULL;
}

/* Every answer that is still awaited will never come. */
static void break_off(struct pg *pg, const struct err *why)
{
    if (pg->state == PG_DOWN || pg->state == PG_CLOSED)
        return;
    pg->state = PG_DOWN;
    hang_up(pg);
    while (pg->first != NULL) {
        struct pg_tx *tx = pg->first;
        pg->first = tx->next;
        if (tx->rc == 0 && tx->is_sent)
            tx->rc = err_set(&tx->err, ERR_DB_UNKNOWN, "the connection broke before the answer: %s", why->sentence);
        else if (tx->rc == 0)
            tx->rc = err_set(&tx->err, ERR_DB_CONNECTION, "the connection broke: %s", why->sentence);
        end_later(pg, tx);
    }
    pg->last = NULL;
    set_in_flight(pg, 0);
    pg->down_err = *why;
    pg->tell_down = true;
    defer_call(&pg->deliver, pg->loop, on_deliver, pg);
}

static void break_with(struct pg *pg, const char *sentence)
{
    struct err why = { 0 };
    (void)err_set(&why, ERR_DB_CONNECTION, "%s", sentence);
    break_off(pg, &why);
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

static void on_deliver(struct defer *defer)
{
    struct pg *pg = defer->owner;

    while (pg->ended_first != NULL) {
        struct pg_tx *tx = pg->ended_first;
        pg->ended_first = tx->next;
        if (pg->ended_first == NULL)
            pg->ended_last = NULL;
        count_end(pg, tx);
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

/* ---- coming up --------------------------------------------------------------------------------------------------- */

static void on_retry(struct timer *timer)
{
    struct pg *pg = timer->owner;
    if (pg->state == PG_DOWN && !pg->tell_down && !pg->resolving.is_running)
        dial(pg);
}

/* What the server says of itself. Of all warnings one matters: a commit that the standby has not confirmed. */
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
            break_off(pg, outcome->err);
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

static void add_listen(struct pg *pg, struct pg_tx *tx, const char *channel)
{
    struct step *step = pg_tx_step(tx, STEP_TEXT);
    step->text = str_format(&pg->session, "LISTEN %s", channel).bytes;
}

/* The first transaction of a session: settings, LISTENs, then every statement prepared, then described (in reverse, so that
 * the answers can be found from the end). */
static void begin_session(struct pg *pg)
{
    const struct pg_options *options = &pg->options;
    struct pg_tx *tx = pg_tx_new();

    arena_reset(&pg->session);
    struct step *step = pg_tx_step(tx, STEP_TEXT);
    step->text = pg_session_sql(&pg->session, options->statement_timeout_ms, options->lock_timeout_ms).bytes;
    VEC_EACH(&pg->channels, i)
        add_listen(pg, tx, pg->channels.items[i]);
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
    send_now(pg, tx);
}

static int watch_socket(struct pg *pg, int wanted, struct err *err)
{
    int rc = pg_socket_open(&pg->socket, pg->loop, PQsocket(pg->conn), on_io, pg, err);
    if (rc == 0)
        pg_socket_want(pg->socket, wanted);
    return rc;
}

static void advance_dial(struct pg *pg)
{
    struct err err = { 0 };
    int rc = 0;

    /* libpq may close its socket in this call and open another, even one of the same number: no poll may be kept. */
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
        break_off(pg, &err);
}

static void dial_target(struct pg *pg)
{
    struct err err = { 0 };

    if (pg->state == PG_CLOSED) {
        defer_call(&pg->deliver, pg->loop, on_deliver, pg);
        return;
    }
    if (pg->state != PG_CONNECTING) { /* broken off while a name was looked up */
        timer_once(&pg->retry, 0);
        return;
    }
    if (pg->resolve_rc < 0) {
        break_off(pg, &pg->resolve_err);
        return;
    }
    pg->conn = PQconnectStartParams(pg->target.keywords, pg->target.values, 0);
    ASSERT(pg->conn != NULL);
    (void)PQsetNoticeReceiver(pg->conn, on_notice, pg);
    if (PQstatus(pg->conn) == CONNECTION_BAD) {
        (void)pg_error_of_conn(&err, "connecting to the database", pg->conn);
        break_off(pg, &err);
        return;
    }
    int rc = watch_socket(pg, POLL_WRITABLE, &err); /* as libpq's manual wants it: as if it had said WRITING */
    if (rc < 0)
        break_off(pg, &err);
}

static void resolve_on_pool(struct work *work)
{
    struct pg *pg = work->owner;
    arena_clear(&pg->target.arena);
    pg->resolve_rc = pg_target_resolve(&pg->target, pg->conninfo, pg->options.application_name, &pg->resolve_err);
}

static void on_resolved(struct work *work)
{
    dial_target(work->owner);
}

static void dial(struct pg *pg)
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

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static const char *step_name(const struct pg *pg, const struct pg_tx *tx, uint32_t index)
{
    if (index >= tx->steps.count)
        return "commit";
    const struct step *step = &tx->steps.items[index];
    if (step->owned_text != NULL)
        return "list";
    return step->type == STEP_TEXT ? "session" : pg->options.statements[step->statement].name;
}

static void on_failed_result(struct pg *pg, struct pg_tx *tx, const PGresult *result)
{
    bool is_commit = tx->cursor >= tx->steps.count;
    pg_tx_fail(tx, is_commit ? -1 : (int32_t)tx->cursor, step_name(pg, tx, tx->cursor), result);
    /* A server that goes away while it commits may have committed. */
    if (is_commit && tx->rc == ERR_DB_CONNECTION)
        tx->rc = tx->err.code = ERR_DB_UNKNOWN;
}

static void on_sync(struct pg *pg, struct pg_tx *tx)
{
    pg->first = tx->next;
    if (pg->first == NULL)
        pg->last = NULL;
    set_in_flight(pg, pg->in_flight - 1);
    if (tx->rc == 0 && tx->is_in_doubt)
        tx->rc = err_set(&tx->err, ERR_DB_UNKNOWN, "the standby did not confirm the commit");
    bool is_read_only = strcmp(tx->sqlstate, "25006") == 0;
    count_end(pg, tx);
    pg_tx_deliver(tx);
    /* A failover has made this server a standby: the primary is elsewhere. */
    if (is_read_only)
        break_with(pg, "the server has become read-only");
}

/* One answer. False: nothing more at the moment. */
static bool take_result(struct pg *pg, uint32_t *nulls)
{
    struct pg_tx *tx = pg->first;

    if (tx == NULL || PQisBusy(pg->conn))
        return false;
    PGresult *result = PQgetResult(pg->conn);
    if (result == NULL) {
        /* Ends the answer of one statement. More than two in a row: libpq and we disagree about what is awaited. */
        if (tx->cursor < tx->steps.count && (tx->results[tx->cursor] != NULL || tx->rc < 0))
            tx->cursor++;
        if (++*nulls <= 2)
            return true;
        if (PQstatus(pg->conn) != CONNECTION_BAD)
            break_with(pg, "the answers do not fit the questions");
        return false;
    }
    *nulls = 0;
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        ASSERT(tx->cursor < tx->steps.count && tx->results[tx->cursor] == NULL);
        tx->results[tx->cursor] = result;
        return true;
    case PGRES_PIPELINE_SYNC:
        PQclear(result);
        on_sync(pg, tx);
        return true;
    case PGRES_PIPELINE_ABORTED:
        PQclear(result);
        return true;
    default:
        on_failed_result(pg, tx, result);
        PQclear(result);
        return true;
    }
}

static void take_notifications(struct pg *pg)
{
    PGconn *conn = pg->conn;
    PGnotify *notify;

    while (pg->conn == conn && (notify = PQnotifies(conn)) != NULL) {
        if (pg->options.on_notify != NULL && pg->state == PG_UP)
            pg->options.on_notify(pg, notify->relname, str_of(notify->extra));
        PQfreemem(notify);
    }
}

static void drain(struct pg *pg)
{
    PGconn *conn = pg->conn;
    uint32_t nulls = 0;

    /* A callback may break the connection off, and even close: `conn` is compared, `pg` outlives this call. */
    while (pg->conn == conn && take_result(pg, &nulls))
        continue;
    if (pg->conn == conn)
        take_notifications(pg);
}

static void check_alive(struct pg *pg)
{
    if (pg->conn == NULL || PQstatus(pg->conn) != CONNECTION_BAD)
        return;
    struct err err = { 0 };
    (void)pg_error_of_conn(&err, "talking to the database", pg->conn);
    break_off(pg, &err);
}

static void flush(struct pg *pg)
{
    if (pg->conn == NULL)
        return;
    int rest = PQflush(pg->conn);
    if (rest < 0)
        check_alive(pg);
    else
        pg_socket_want(pg->socket, rest > 0 ? POLL_READABLE | POLL_WRITABLE : POLL_READABLE);
}

static void on_io(void *owner, int ready)
{
    struct pg *pg = owner;
    PGconn *conn = pg->conn;

    if (PQpipelineStatus(conn) == PQ_PIPELINE_OFF) {
        advance_dial(pg);
        return;
    }
    if (ready & POLL_READABLE) {
        /* Answers that came before the end of the connection still count. */
        (void)PQconsumeInput(conn);
        pg->heard_ms = loop_now_ms();
        drain(pg);
    }
    if (pg->conn != conn)
        return;
    check_alive(pg);
    flush(pg);
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static int check_types(const struct pg *pg, const struct step *step, struct err *err)
{
    const char *name = pg->options.statements[step->statement].name;
    const uint32_t *types = pg->types[step->statement];

    if (step->type == STEP_TEXT)
        return 0; /* the server checks */
    if (step->params.count != types[0])
        return err_set(err, ERR_INTERNAL, "%s takes %u parameters, not %u", name, types[0], step->params.count);
    for (uint32_t i = 0; i < step->params.count; i++)
        if (step->params.items[i].type != types[i + 1])
            return err_set(err, ERR_INTERNAL, "%s: $%u has type %u, and was bound as %u", name, i + 1, types[i + 1],
                           step->params.items[i].type);
    return 0;
}

static int send_statement(struct pg *pg, const struct step *step)
{
    const char *values[PG_PARAMS_MAX];
    int sizes[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
    Oid types[PG_PARAMS_MAX];

    for (uint32_t i = 0; i < step->params.count; i++) {
        const struct pg_param *item = &step->params.items[i];
        values[i] = item->size < 0 ? NULL : item->size == 0 ? "" : step->params.bytes.bytes + item->offset;
        sizes[i] = item->size;
        formats[i] = 1;
        types[i] = item->type;
    }
    if (step->type == STEP_TEXT)
        return PQsendQueryParams(pg->conn, step->text, (int)step->params.count, types, values, sizes, formats, 1);
    return PQsendQueryPrepared(pg->conn, pg->options.statements[step->statement].name, (int)step->params.count, values,
                               sizes, formats, 1);
}

static int send_step(struct pg *pg, const struct step *step)
{
    const struct pg_statement *statement = &pg->options.statements[step->statement];
    switch (step->type) {
    case STEP_STATEMENT:
    case STEP_TEXT:
        return send_statement(pg, step);
    case STEP_PREPARE:
        return PQsendPrepare(pg->conn, statement->name, statement->sql, 0, NULL);
    case STEP_DESCRIBE:
        return PQsendDescribePrepared(pg->conn, statement->name);
    }
    UNREACHABLE();
}

static void send_now(struct pg *pg, struct pg_tx *tx)
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
    set_in_flight(pg, pg->in_flight + 1);

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
        break_off(pg, &err);
        return;
    }
    flush(pg);
}

void pg_send(struct pg *pg, struct pg_tx *tx, void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner)
{
    ASSERT(tx->steps.count > 0);
    tx->on_end = on_end;
    tx->owner = owner;
    if (pg->state != PG_UP) {
        tx->rc = err_set(&tx->err, ERR_DB_CONNECTION, "there is no connection to the database");
        end_later(pg, tx);
        return;
    }
    VEC_EACH(&tx->steps, i) {
        ASSERT(tx->steps.items[i].statement < pg->options.statement_count);
        tx->rc = check_types(pg, &tx->steps.items[i], &tx->err);
        if (tx->rc < 0) {
            tx->failed_index = (int32_t)i;
            end_later(pg, tx);
            return;
        }
    }
    send_now(pg, tx);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void on_tick(struct timer *timer)
{
    struct pg *pg = timer->owner;
    int64_t now_ms = loop_now_ms();
    int64_t limit_ms = pg->options.silence_limit_ms;

    if (pg->state == PG_CONNECTING && !pg->resolving.is_running && now_ms - pg->dial_began_ms > DIAL_LIMIT_MS)
        break_with(pg, "connecting to the database took too long");
    else if (pg->first != NULL && now_ms - pg->first->sent_ms > limit_ms && now_ms - pg->heard_ms > limit_ms)
        break_with(pg, "the database has not answered for too long");
}

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

static void init_metrics(struct pg *pg)
{
    struct metrics *metrics = pg->options.metrics;
    struct metric *ends = metrics_counter(metrics, "headrace_pg_transactions_total", "Transactions by how they ended.");
    pg->committed = metric_with(ends, "end", STR("committed"));
    pg->failed = metric_with(ends, "end", STR("failed"));
    pg->unknown = metric_with(ends, "end", STR("unknown"));
    pg->connects = metrics_counter(metrics, "headrace_pg_connects_total", "Database sessions begun.");
    pg->in_flight_gauge = metrics_gauge(metrics, "headrace_pg_in_flight", "Transactions sent and not answered.");
    pg->seconds = metrics_histogram(metrics, "headrace_pg_transaction_seconds", "From sending to the answer.", NULL, 0);
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
    break_with(pg, "it is being closed");
    pg->tell_down = false;
    pg->state = PG_CLOSED;
    pg->done = done;
    pg->done_owner = owner;
    timer_stop(&pg->retry);
    defer_call(&pg->deliver, pg->loop, on_deliver, pg);
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
    add_listen(pg, tx, channel);
    send_now(pg, tx);
}

void pg_reconnect(struct pg *pg, const char *why)
{
    break_with(pg, why);
}
