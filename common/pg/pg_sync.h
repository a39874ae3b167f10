// SPDX-License-Identifier: Apache-2.0
/* pg_sync - a connection that waits: for migrations, the command line and tests. Never on a loop.
 */
#ifndef HEADRACE_PG_SYNC_H
#define HEADRACE_PG_SYNC_H

#include "common/base/err.h"
#include "common/pg/pg_params.h"
#include "common/pg/pg_result.h"

struct pg_sync;

/* With the session settings of pg.h, but no statement_timeout. */
MUST_USE int pg_sync_open(struct pg_sync **out, const char *conninfo, struct err *err);
void pg_sync_close(struct pg_sync *sync); /* NULL allowed */

/* A script of any number of statements, as one transaction unless it says otherwise itself. */
MUST_USE int pg_sync_exec(struct pg_sync *sync, const char *script, struct err *err);

/* One statement. *out may be NULL when nobody looks; else pg_result_free. `params` NULL = none. */
MUST_USE int pg_sync_query(struct pg_sync *sync, const char *sql, const struct pg_params *params,
                           struct pg_result **out, struct err *err);
void pg_result_free(struct pg_result *result); /* NULL allowed */

/* Types that the server infers for a statement: oids of parameters and of columns, in `arena`. For
 * the test of the store. */
struct pg_types {
    uint32_t param_count, column_count;
    uint32_t *params, *columns;
};
MUST_USE int pg_sync_describe(struct pg_sync *sync, const char *sql, struct arena *arena,
                              struct pg_types *out, struct err *err);

#endif
