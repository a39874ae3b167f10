// SPDX-License-Identifier: Apache-2.0
/* recover_rows - runs with their tries, outputs and expansions, from three results to structs. For
 * the files of this room alone. */
#ifndef HEADRACE_RECOVER_ROWS_H
#define HEADRACE_RECOVER_ROWS_H

#include "common/store/recover.h"
#include "common/store/statement.h"

/* Adds the three statements that read these runs (in rising order). */
void recover_rows_ask(struct pg_tx *tx, const int64_t *run_nos, uint32_t count);

/* Puts their answers together, run by run. */
void recover_rows(const struct pg_result *runs, const struct pg_result *tries,
                  const struct pg_result *expansions,
                  void (*on_run)(void *owner, const struct recovered_run *run), void *owner);

#endif
