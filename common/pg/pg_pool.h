// SPDX-License-Identifier: Apache-2.0
/* pg_pool - a few pipelined connections for a server of many small requests. A transaction goes to
 * the connection with the fewest under way; two transactions of the same caller may therefore be
 * answered in any order. */
#ifndef HEADRACE_PG_POOL_H
#define HEADRACE_PG_POOL_H

#include "common/pg/pg.h"

struct pg_pool;

/* options->on_state is called with the connection that changed; options->on_notify serves the first
 * connection alone. */
MUST_USE int pg_pool_open(struct pg_pool **out, struct loop *loop, const struct pg_options *options,
                          uint32_t connection_count, struct err *err);
void pg_pool_close(struct pg_pool *pool, void (*done)(void *owner), void *owner);

/* As pg_send. ERR_DB_CONNECTION when none is up; ERR_LIMIT when 10 000 are under way. */
void pg_pool_send(struct pg_pool *pool, struct pg_tx *tx,
                  void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner);

bool pg_pool_is_up(const struct pg_pool *pool); /* at least one connection is */

#endif
