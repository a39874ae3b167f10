// SPDX-License-Identifier: Apache-2.0
#include "common/pg/pg_tx.h"

#include "common/base/assert.h"
#include "common/pg/inside.h"
#include "common/pg/pg_error.h"

struct pg_tx *pg_tx_new(void)
{
    struct pg_tx *tx = calloc(1, sizeof *tx);
    ASSERT(tx != NULL);
    tx->failed_index = -1;
    return tx;
}

void pg_tx_free(struct pg_tx *tx)
{
    if (tx == NULL)
        return;
    VEC_EACH (&tx->steps, i) {
        pg_params_clear(&tx->steps.items[i].params);
        free(tx->steps.items[i].owned_text);
        if (tx->results != NULL)
            PQclear(tx->results[i]);
    }
    VEC_CLEAR(&tx->steps);
    free(tx->results);
    free(tx);
}

struct step *pg_tx_step(struct pg_tx *tx, enum step_type type)
{
    ASSERT(!tx->is_sent);
    VEC_ADD(&tx->steps, (struct step) { .type = type });
    return &VEC_LAST(&tx->steps);
}

struct pg_params *pg_tx_add(struct pg_tx *tx, uint32_t statement,
                            void (*on_result)(void *owner, const struct pg_result *result),
                            void *owner)
{
    struct step *step = pg_tx_step(tx, STEP_STATEMENT);
    step->statement = statement;
    step->on_result = on_result;
    step->owner = owner;
    return &step->params;
}

struct pg_params *pg_tx_add_text(struct pg_tx *tx, const char *sql)
{
    struct step *step = pg_tx_step(tx, STEP_TEXT);
    step->owned_text = strdup(sql);
    ASSERT(step->owned_text != NULL);
    step->text = step->owned_text;
    return &step->params;
}

struct pg_params *pg_tx_add_kept(struct pg_tx *tx, const char *sql)
{
    struct pg_params *params = pg_tx_add_text(tx, sql);
    VEC_LAST(&tx->steps).is_kept = true;
    return params;
}

void pg_tx_rows(struct pg_tx *tx, void (*on_rows)(void *owner, const struct pg_result *rows),
                void *owner)
{
    struct step *step = &VEC_LAST(&tx->steps);
    ASSERT(step->on_result == NULL);
    step->on_rows = on_rows;
    step->owner = owner;
}

void pg_tx_expect(struct pg_tx *tx, int64_t row_count)
{
    struct step *step = &VEC_LAST(&tx->steps);
    step->is_guarded = true;
    step->expected_rows = row_count;
}

uint32_t pg_tx_count(const struct pg_tx *tx)
{
    return tx->steps.count;
}

void pg_tx_fail(struct pg_tx *tx, int32_t index, const char *statement, const PGresult *result)
{
    if (tx->rc < 0)
        return;
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(tx->sqlstate, sizeof tx->sqlstate, "%s", sqlstate != NULL ? sqlstate : "");
    tx->failed_index = index;
    tx->rc = pg_error_of_result(&tx->err, statement, result);
}

/* The first guard that does not hold, or -1. */
static int32_t find_surprise(const struct pg_tx *tx)
{
    VEC_EACH (&tx->steps, i) {
        const struct step *step = &tx->steps.items[i];
        if (step->is_guarded &&
            pg_affected((const struct pg_result *)tx->results[i]) != step->expected_rows)
            return (int32_t)i;
    }
    return -1;
}

void pg_tx_deliver(struct pg_tx *tx)
{
    struct pg_outcome outcome = {
        .rc = tx->rc,
        .fate = tx->rc == 0                ? PG_COMMITTED
                : tx->rc == ERR_DB_UNKNOWN ? PG_UNKNOWN
                                           : PG_FAILED,
        .err = &tx->err,
        .failed_index = tx->failed_index,
        .sqlstate = tx->sqlstate,
    };
    if (outcome.fate == PG_COMMITTED) {
        outcome.results = (const struct pg_result *const *)tx->results;
        outcome.result_count = tx->steps.count;
        outcome.failed_index = find_surprise(tx);
        outcome.is_surprising = outcome.failed_index >= 0;
        VEC_EACH (&tx->steps, i)
            if (tx->steps.items[i].on_result != NULL)
                tx->steps.items[i].on_result(tx->steps.items[i].owner, outcome.results[i]);
    }
    if (tx->on_end != NULL)
        tx->on_end(tx->owner, &outcome);
    pg_tx_free(tx);
}

/* ---- errors ---------------------------------------------------------------------------------- */

int pg_error_of_result(struct err *err, const char *doing, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    int rc = pg_error_code(sqlstate != NULL ? sqlstate : "08");

    if (primary == NULL)
        primary = "no reason was given";
    (void)err_set(err, rc, "%s: %s%s%s", doing, primary, detail != NULL ? ": " : "",
                  detail != NULL ? detail : "");
    if (hint != NULL)
        err_hint(err, "%s", hint);
    return rc;
}

int pg_error_of_conn(struct err *err, const char *doing, const PGconn *conn)
{
    char text[400];
    size_t size = 0;

    /* One line: the message of a multi-host attempt has one for each host. */
    for (const char *at = PQerrorMessage(conn); *at != 0 && size + 2 < sizeof text; at++) {
        if (*at != '\n')
            text[size++] = *at;
        else if (at[1] != 0 && size > 0 && text[size - 1] != ' ')
            text[size++] = ' ';
    }
    text[size] = 0;
    return err_set(err, ERR_DB_CONNECTION, "%s: %s", doing,
                   size > 0 ? text : "the connection is lost");
}
