// SPDX-License-Identifier: Apache-2.0
/* audit_store - who did what, or was not allowed to: rows that are only ever added, each chained to
 * the one before it by a hash. A change carries its row in its own transaction; a denial stands
 * alone. */
#ifndef HEADRACE_AUDIT_STORE_H
#define HEADRACE_AUDIT_STORE_H

#include "common/store/store.h"

struct pg_tx;

/* Empty texts are unknown. All borrowed. */
struct audit {
    struct str actor;
    struct str event; /* "trigger_dag", "sign_in" */
    struct str dag_id, run_id, task_id;
    int32_t map_index; /* AUDIT_NO_MAP_INDEX: none */
    bool allowed;
    struct str address;
    struct str detail; /* JSON object; empty = {} */
};

enum { AUDIT_NO_MAP_INDEX = -2 };

/* For the files of this room: the row, as part of a transaction. */
void audit_add(struct pg_tx *tx, const struct audit *audit);

/* A row alone. on_end may be NULL: a denial is not held up by its record. */
void audit_write(struct store *store, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
