// SPDX-License-Identifier: Apache-2.0
/* The server's answers, in the order of what was sent: one after another for each statement, one
 * for each Sync. */
#include "common/base/assert.h"
#include "common/pg/inside.h"

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
    pg_set_in_flight(pg, pg->in_flight - 1);
    if (tx->rc == 0 && tx->is_in_doubt)
        tx->rc = err_set(&tx->err, ERR_DB_UNKNOWN, "the standby did not confirm the commit");
    bool is_read_only = strcmp(tx->sqlstate, "25006") == 0;
    pg_count_end(pg, tx);
    pg_tx_deliver(tx);
    /* A failover has made this server a standby: the primary is elsewhere. */
    if (is_read_only)
        pg_break_with(pg, "the server has become read-only");
}

/* Asks libpq not to collect the rows of the statement whose answer comes next. It may be asked only
 * before it has looked at any of them, and says no as long as it is at something else. */
static void want_rows_singly(struct pg *pg, const struct pg_tx *tx)
{
    if (tx->cursor < tx->steps.count && tx->steps.items[tx->cursor].on_rows != NULL)
        (void)PQsetSingleRowMode(pg->conn);
}

static void give_rows(const struct pg_tx *tx, const PGresult *result)
{
    const struct step *step = &tx->steps.items[tx->cursor];
    if (step->on_rows != NULL && tx->rc == 0 && PQntuples(result) > 0)
        step->on_rows(step->owner, (const struct pg_result *)result);
}

/* One answer. False: nothing more at the moment. */
static bool take_result(struct pg *pg, uint32_t *nulls)
{
    struct pg_tx *tx = pg->first;

    if (tx == NULL)
        return false;
    want_rows_singly(pg, tx);
    if (PQisBusy(pg->conn))
        return false;
    PGresult *result = PQgetResult(pg->conn);
    if (result == NULL) {
        /* Ends the answer of one statement. More than two in a row: libpq and we disagree about
         * what is awaited. */
        if (tx->cursor < tx->steps.count && (tx->results[tx->cursor] != NULL || tx->rc < 0))
            tx->cursor++;
        if (++*nulls <= 2)
            return true;
        if (PQstatus(pg->conn) != CONNECTION_BAD)
            pg_break_with(pg, "the answers do not fit the questions");
        return false;
    }
    *nulls = 0;
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        give_rows(tx, result);
        PQclear(result);
        return true;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        ASSERT(tx->cursor < tx->steps.count && tx->results[tx->cursor] == NULL);
        give_rows(tx, result);
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

    /* A callback may break the connection off, and even close: `conn` is compared, `pg` outlives
     * this call. */
    while (pg->conn == conn && take_result(pg, &nulls))
        continue;
    if (pg->conn == conn)
        take_notifications(pg);
}

void pg_check_alive(struct pg *pg)
{
    if (pg->conn == NULL || PQstatus(pg->conn) != CONNECTION_BAD)
        return;
    struct err err = { 0 };
    (void)pg_error_of_conn(&err, "talking to the database", pg->conn);
    pg_break_off(pg, &err);
}

void pg_flush(struct pg *pg)
{
    if (pg->conn == NULL)
        return;
    int rest = PQflush(pg->conn);
    if (rest < 0)
        pg_check_alive(pg);
    else
        pg_socket_want(pg->socket, rest > 0 ? POLL_READABLE | POLL_WRITABLE : POLL_READABLE);
}

void pg_on_io(void *owner, int ready)
{
    struct pg *pg = owner;
    PGconn *conn = pg->conn;

    if (PQpipelineStatus(conn) == PQ_PIPELINE_OFF) {
        pg_advance_dial(pg);
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
    pg_check_alive(pg);
    pg_flush(pg);
}
