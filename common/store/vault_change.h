// SPDX-License-Identifier: Apache-2.0
/* vault_change - what a user does to pools, variables and connections: the row, its audit row and
 * the message to the leader in one transaction. */
#ifndef HEADRACE_VAULT_CHANGE_H
#define HEADRACE_VAULT_CHANGE_H

#include "common/store/audit_store.h"
#include "common/store/vault.h"

enum vault_kind { VAULT_POOL, VAULT_VARIABLE, VAULT_CONNECTION };
enum vault_change { VAULT_CREATE, VAULT_UPDATE, VAULT_DELETE };

struct vault_row {
    enum vault_kind kind;
    enum vault_change change;
    struct str name; /* of what is changed */
    union {
        struct pool_row pool;
        struct variable_row variable;
        struct connection_row connection;
    };
};

/* `message` is a request (request_write) for the inbox. ERR_EXISTS for VAULT_CREATE of what is
 * there, ERR_NOT_FOUND for the others of what is not; ERR_INVALID to delete default_pool;
 * ERR_UNAVAILABLE without a key to seal with. */
void vault_change(struct store *store, const struct vault_row *row, struct str message,
                  const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
