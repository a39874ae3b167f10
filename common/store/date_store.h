// SPDX-License-Identifier: Apache-2.0
/* date_store - which dates of a DAG have runs. */
#ifndef HEADRACE_DATE_STORE_H
#define HEADRACE_DATE_STORE_H

#include "common/model/record.h"
#include "common/store/store.h"

/* The runs of a DAG with one of these logical dates, in order of their numbers: one statement,
 * however many dates. Borrows `dates` until it returns; the runs die when on_end returns. */
void store_dated_runs(struct store *store, int32_t dag_no, const int64_t *dates, uint32_t count,
                      void (*on_end)(void *owner, int rc, const struct dated_run *runs,
                                     uint32_t count, const struct err *err),
                      void *owner);

#endif
