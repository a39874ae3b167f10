// SPDX-License-Identifier: Apache-2.0
/* reader - somebody who may not read every DAG: what lists and documents are narrowed to.
 *
 * A statement that is read for a reader has its tables of DAGs, runs and the like shadowed by
 * queries of the same names that hold only what dag_rank (sql/migrations/0005_access.sql) allows.
 * A statement can forget a condition; it cannot forget this one. */
#ifndef HEADRACE_READER_H
#define HEADRACE_READER_H

#include "common/base/buf.h"

struct pg_params;

struct reader {
    int32_t user_no;
    int32_t rank;           /* enum role of webserver/auth/right.h */
    const struct str *dags; /* of a token; patterns of dag_fits */
    uint32_t dag_count;     /* 0: no limit of its own */
};

enum { READER_PARAMS = 3 };

/* For the files of this room. The queries that shadow, "WITH dag AS (...), ...": a statement goes
 * behind them; the reader's parameters follow the `param_count` of the statement. */
void reader_shadow(struct buf *out, uint32_t param_count);
/* The same with the statement, which may begin with a WITH of its own, but not be recursive. */
void reader_narrow(struct buf *out, const char *sql, uint32_t param_count);
void reader_bind(const struct reader *reader, struct pg_params *params);

#endif
