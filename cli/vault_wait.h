// SPDX-License-Identifier: Apache-2.0
/* vault_wait - the vault of the metadata database (common/store/vault.h) for a command that waits:
 * what an installation begins with is there before the first program starts. Makes the secret key
 * of a new home. */
#ifndef HEADRACE_CLI_VAULT_WAIT_H
#define HEADRACE_CLI_VAULT_WAIT_H

#include "common/store/vault.h"

struct vault_wait;

/* Connects; `key_path` is the home's secret.key. ERR_TIMEOUT when the database does not answer. */
MUST_USE int vault_wait_open(struct vault_wait **out, const char *conninfo, const char *key_path,
                             struct err *err);
void vault_wait_close(struct vault_wait *vault); /* NULL allowed */

MUST_USE int vault_wait_put_variable(struct vault_wait *vault, const struct variable_row *variable,
                                     struct err *err);
MUST_USE int vault_wait_put_connection(struct vault_wait *vault,
                                       const struct connection_row *connection, struct err *err);

/* `on_connection` for each, as store_connections_read. */
MUST_USE int vault_wait_connections(struct vault_wait *vault,
                                    void (*on_connection)(void *owner,
                                                          const struct connection_row *connection),
                                    void *owner, struct err *err);

#endif
