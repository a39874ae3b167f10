// SPDX-License-Identifier: Apache-2.0
/* rows - the same rows as text, of the model store and of PostgreSQL: every row, and what recovery
 * makes of the live ones. */
#ifndef HEADRACE_CONFORMANCE_ROWS_H
#define HEADRACE_CONFORMANCE_ROWS_H

#include "common/base/buf.h"
#include "common/store/recover.h"
#include "tests/support/model_store.h"

/* Runs, tries, outputs, expansions, workers, answers: one a line, sorted. */
void rows_of_model(const struct model_store *store, struct buf *out);
extern const char rows_sql[];

/* One recovered run or worker, as one text. */
struct str rows_recovered_run(struct arena *arena, const struct recovered_run *run);

/* Sorts texts and puts them together. */
struct lines {
    struct arena arena;
    VEC(struct str) texts;
};
void lines_add(struct lines *lines, struct str text);
void lines_join(struct lines *lines, struct buf *out); /* clears */

#endif
