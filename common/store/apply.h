// SPDX-License-Identifier: Apache-2.0
/* apply - writes what the core decided: one batch, one transaction, one round trip, one flush.
 *
 * The first statement is the fence; then one statement per kind of row, whatever the size of the
 * batch. Several records of one row become one write. Each change says from which states it is
 * legal (transition.def) and of which attempt: when a row is not what the core believes it to be,
 * the whole batch is refused with ERR_CONFLICT, and the leader recovers. */
#ifndef HEADRACE_APPLY_H
#define HEADRACE_APPLY_H

#include "common/model/record.h"
#include "common/store/store.h"

struct store_applied {
    int rc; /* 0: all of it is committed. Otherwise see store.h: only ERR_DB_UNKNOWN may have been
             */
    const struct err *err;
    uint32_t statements; /* for metrics */
    uint32_t rows;
};

/* Batches may be sent while others are under way: they commit in order. After one that failed the
 * caller steps down, so that none is decided on top of it; those already sent are refused by the
 * fence once the next epoch stands. */
void store_apply(struct store *store, uint64_t epoch, const struct record *records,
                 uint32_t record_count,
                 void (*on_end)(void *owner, const struct store_applied *applied), void *owner);

#endif
