// SPDX-License-Identifier: Apache-2.0
/* statement - for the files of this room alone: the table of SQL and how a transaction is sent.
 * Nobody else includes this.
 *
 *     struct pg_tx *tx = pg_tx_new();
 *     struct pg_params *params = pg_tx_add(tx, SQL_pool_put, NULL, NULL);
 *     pg_put_text(params, pool->name);
 *     store_send(store, tx, on_pool_put, op);
 *
 * Each block of sql/queries begins with what it takes and gives, which
 * tests/store/statements_test.c compares with what PostgreSQL infers:
 *     -- name: pool_put
 *     -- takes: text int4 text bool
 *     -- gives: int4 */
#ifndef HEADRACE_STATEMENT_H
#define HEADRACE_STATEMENT_H

#include "common/pg/pg.h"
#include "common/store/store.h"

enum statement {
#define SQL(name, text) SQL_##name,
#include "sql/queries.def"
#undef SQL
    STATEMENT_COUNT
};

extern const struct pg_statement store_statements[STATEMENT_COUNT];

/* What goes row by row when it is older than so many days: their only parameter. */
#define SQL_OF_RETENTION                                                                           \
    SQL_run_retire, SQL_asset_events_drop, SQL_backfills_drop, SQL_notifications_drop

/* Both take `tx`. Reads and everything of a web server go by the first. Writes of a leader that
 * must keep their order go by the second, which only a store with is_writing has. */
void store_send(struct store *store, struct pg_tx *tx,
                void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner);
void store_send_write(struct store *store, struct pg_tx *tx,
                      void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner);

/* First statement of a leader's transaction: ERR_LOST unless `epoch` holds the store's shard. */
void store_fence(struct store *store, struct pg_tx *tx, uint64_t epoch);

const struct seal *store_seal(const struct store *store);

/* What the sealed payload of a notification is bound to. */
struct str store_notification_label(struct arena *arena, struct id128 id);
struct loop *store_loop(const struct store *store);

#endif
