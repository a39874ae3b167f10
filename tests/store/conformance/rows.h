// SPDX-License-Identifier: Apache-2.0
/* rows - the same rows as text, of the model store and of PostgreSQL: every row of every table that
 * records write, one a line, sorted. */
#ifndef HEADRACE_CONFORMANCE_ROWS_H
#define HEADRACE_CONFORMANCE_ROWS_H

#include "common/pg/pg_sync.h"
#include "tests/support/model_store.h"

void rows_of_model(const struct model_store *store, struct buf *out);
MUST_USE int rows_of_database(struct pg_sync *sync, struct buf *out, struct err *err);

/* Tables that statements of this text write and that nobody compares, as a list in `arena`. */
struct str rows_unknown_tables(struct str sql, struct arena *arena);

/* Sorts texts and puts them together. */
struct lines {
    struct arena arena;
    VEC(struct str) texts;
};
void lines_add(struct lines *lines, const char *fmt, ...) FORMAT(2, 3);
void lines_join(struct lines *lines, struct buf *out); /* clears */

#endif
