// SPDX-License-Identifier: Apache-2.0
#include "common/store/op.h"

#include "common/base/assert.h"

struct op *op_new(struct store *store, void (*on_end)(void *owner, int rc, const struct err *err),
                  void *owner)
{
    struct op *op = calloc(1, sizeof *op);

    ASSERT(op != NULL);
    *op = (struct op) { .store = store, .on_end = on_end, .owner = owner };
    return op;
}

void op_end(void *owner, const struct pg_outcome *outcome)
{
    struct op *op = owner;
    int rc = outcome->rc;
    const struct err *err = outcome->err;

    if (rc == 0 && op->rc_when_none != 0 &&
        pg_affected(outcome->results[outcome->result_count - 1]) == 0) {
        rc = op->rc_when_none == ERR_NOT_FOUND
                 ? err_set(&op->err, ERR_NOT_FOUND, "there is no %s", op->what)
                 : err_set(&op->err, op->rc_when_none, "%s: %s", op->what,
                           err_sentence(op->rc_when_none));
        err = &op->err;
    }
    op->on_end(op->owner, rc, err);
    free(op);
}

bool op_has_row(const struct pg_outcome *outcome, const char *what, struct err *err)
{
    if (outcome->rc < 0) {
        *err = *outcome->err;
        err->code = outcome->rc;
        return false;
    }
    if (pg_row_count(outcome->results[0]) > 0)
        return true;
    (void)err_set(err, ERR_NOT_FOUND, "there is no such %s", what);
    return false;
}

static void on_fail(struct defer *defer)
{
    struct op *op = defer->owner;

    op->on_end(op->owner, op->err.code, &op->err);
    free(op);
}

void op_fail(struct op *op)
{
    ASSERT(op->err.code < 0);
    defer_call(&op->defer, store_loop(op->store), on_fail, op);
}
