// SPDX-License-Identifier: Apache-2.0
/* vault_inside - statements of vault.c as parts of another transaction. For the files of this room
 * alone. */
#ifndef HEADRACE_VAULT_INSIDE_H
#define HEADRACE_VAULT_INSIDE_H

#include "common/store/statement.h"
#include "common/store/vault.h"

void vault_add_pool(struct pg_tx *tx, const struct pool_row *pool);

/* The store has to have a seal. */
void vault_add_variable(const struct store *store, struct pg_tx *tx,
                        const struct variable_row *variable);
void vault_add_connection(const struct store *store, struct pg_tx *tx,
                          const struct connection_row *connection);

/* What is not sealed, of rows that exist. */
void vault_add_variable_open(struct pg_tx *tx, const struct variable_row *variable);
void vault_add_connection_open(struct pg_tx *tx, const struct connection_row *connection);

#endif
