// SPDX-License-Identifier: Apache-2.0
/* pg_tx - statements that commit together: sent as one pipeline under one Sync, which is one
 * implicit transaction.
 *
 *     struct pg_tx *tx = pg_tx_new();
 *     struct pg_params *params = pg_tx_add(tx, SQL_task_place, on_placed, owner);
 *     pg_put_int8(params, run_no);
 *     pg_tx_expect(tx, 1);
 *     pg_send(pg, tx, on_end, owner);
 *
 * All statements are sent before any has answered, so none can depend on another's answer in C:
 * what must hold is said in SQL (raise, or a guard in the WHERE), and pg_tx_expect tells afterwards
 * that a guard did not hold. */
#ifndef HEADRACE_PG_TX_H
#define HEADRACE_PG_TX_H

#include "common/pg/pg_params.h"
#include "common/pg/pg_result.h"

enum pg_fate {
    PG_COMMITTED,
    PG_FAILED,  /* certainly nothing of it is in the database */
    PG_UNKNOWN, /* sent, and the connection was lost (or the standby did not confirm) before the
                   answer */
};

struct pg_outcome {
    int rc; /* 0; ERR_DB_UNKNOWN; ERR_DB_CONNECTION: never sent; else what SQLSTATE means, see
               pg_error.h */
    enum pg_fate fate;
    const struct err *err; /* the sentence names the statement; empty when rc is 0 */
    int32_t failed_index;  /* which statement of the transaction, counted from 0; -1 = none in
                              particular */
    bool is_surprising;    /* committed, but a pg_tx_expect did not hold: failed_index says which */
    const char *sqlstate;  /* "" or five letters: for logs */

    /* Answers by order of addition, when committed. They die when on_end returns. */
    const struct pg_result *const *results;
    uint32_t result_count;
};

struct pg_tx;

/* Freed by pg_send's end, or by pg_tx_free when it was never sent (NULL allowed). */
struct pg_tx *pg_tx_new(void);
void pg_tx_free(struct pg_tx *tx);

/* Adds a prepared statement by its index in the connection's table. The parameters are to be put
 * before the next add. on_result (may be NULL) gets the answer, in order, just before on_end, and
 * only when all of it is committed. */
struct pg_params *pg_tx_add(struct pg_tx *tx, uint32_t statement,
                            void (*on_result)(void *owner, const struct pg_result *result),
                            void *owner);

/* Adds a statement that is planned for its values each time: a list whose conditions a client
 * chooses. `sql` is made of our own constants alone, and copied; what a client sent goes by the
 * parameters, whose types are those they are bound as. */
struct pg_params *pg_tx_add_text(struct pg_tx *tx, const char *sql);

/* The same, but planned for any values once it has come twice on a connection: for what is asked
 * for again and again. */
struct pg_params *pg_tx_add_kept(struct pg_tx *tx, const char *sql);

/* Of the statement added last: its rows are given as they come, some at a time, and not kept, so
 * that an answer of any size needs little memory. The end is not known yet: it may still fail, and
 * of its rows on_end sees none. */
void pg_tx_rows(struct pg_tx *tx, void (*on_rows)(void *owner, const struct pg_result *rows),
                void *owner);

/* Of the statement added last: exactly so many rows must be affected. */
void pg_tx_expect(struct pg_tx *tx, int64_t row_count);

uint32_t pg_tx_count(const struct pg_tx *tx);

#endif
