// SPDX-License-Identifier: Apache-2.0
/* op - one operation under way whose callback is told a code and an error: what most operations of
 * this room are. For the files of this room alone. */
#ifndef HEADRACE_OP_H
#define HEADRACE_OP_H

#include "common/store/statement.h"

struct op {
    struct store *store;
    void (*on_end)(void *owner, int rc, const struct err *err);
    void *owner;
    void (*on_row)(void); /* cast by whoever reads rows */
    int rc_when_none;     /* 0, or what an operation says that touched no row */
    char what[96];        /* "variable x": for the sentence of rc_when_none */
    struct defer defer;
    struct err err;
};

struct op *op_new(struct store *store, void (*on_end)(void *owner, int rc, const struct err *err),
                  void *owner);

/* on_end of a transaction: passes on how it ended and frees the op. */
void op_end(void *op, const struct pg_outcome *outcome);

/* For readings of one row: whether its transaction gave it. If not, `err` says why: how the
 * transaction failed, or ERR_NOT_FOUND "there is no such WHAT". */
bool op_has_row(const struct pg_outcome *outcome, const char *what, struct err *err);

/* Ends without a transaction, in the next iteration of the loop: op->err says why. */
void op_fail(struct op *op);

#endif
