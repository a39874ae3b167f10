// SPDX-License-Identifier: Apache-2.0
/* reveal - variables and connections as they are answered. The database gives stars; a server that
 * holds the key fills in the values of variables that no name calls secret, and null for the
 * password of a connection that has none. */
#ifndef HEADRACE_REVEAL_H
#define HEADRACE_REVEAL_H

#include "common/store/vault_change.h"
#include "webserver/api/call.h"

/* VAULT_VARIABLE or VAULT_CONNECTION. Clears the query. */
void reveal_list(struct call *call, enum vault_kind kind, struct list_query *query);
void reveal_one(struct call *call, enum vault_kind kind, struct str name, int status);

#endif
