// SPDX-License-Identifier: Apache-2.0
/* vault - what tasks use: pools, variables and connections. Values of variables, and passwords and
 * extras of connections, are sealed (seal.h): a web server that has only the public half can write
 * and not read. */
#ifndef HEADRACE_VAULT_H
#define HEADRACE_VAULT_H

#include "common/store/store.h"

struct pool_row {
    struct str name;
    int32_t slots; /* -1 = no limit */
    struct str description;
    bool include_deferred;
};

struct variable_row {
    struct str key;
    struct str value;
    struct str description;
    bool is_unreadable; /* sealed with a key that this process has not: value is empty */
    int64_t updated_ms;
};

struct connection_row {
    struct str connection_id;
    struct str conn_type, description;
    struct str host, login, schema;
    int32_t port;               /* 0 = none */
    struct str password, extra; /* sealed */
    bool is_unreadable;
    int64_t updated_ms;
};

/* By name. A reader without the private half gets every value as unreadable. */
void store_pools_read(struct store *store,
                      void (*on_pool)(void *owner, const struct pool_row *pool),
                      void (*on_end)(void *owner, int rc, const struct err *err), void *owner);
void store_variables_read(struct store *store,
                          void (*on_variable)(void *owner, const struct variable_row *variable),
                          void (*on_end)(void *owner, int rc, const struct err *err), void *owner);
void store_variables_read_some(struct store *store, const struct str *keys, uint32_t count,
                               void (*on_variable)(void *owner,
                                                   const struct variable_row *variable),
                               void (*on_end)(void *owner, int rc, const struct err *err),
                               void *owner);
void store_connections_read(struct store *store,
                            void (*on_connection)(void *owner,
                                                  const struct connection_row *connection),
                            void (*on_end)(void *owner, int rc, const struct err *err),
                            void *owner);
void store_connections_read_some(struct store *store, const struct str *ids, uint32_t count,
                                 void (*on_connection)(void *owner,
                                                       const struct connection_row *connection),
                                 void (*on_end)(void *owner, int rc, const struct err *err),
                                 void *owner);

/* New or changed. on_end: rc 0, ERR_INVALID, ...; ERR_UNAVAILABLE when the store has no seal. */
void store_pool_put(struct store *store, const struct pool_row *pool,
                    void (*on_end)(void *owner, int rc, const struct err *err), void *owner);
void store_variable_put(struct store *store, const struct variable_row *variable,
                        void (*on_end)(void *owner, int rc, const struct err *err), void *owner);
void store_connection_put(struct store *store, const struct connection_row *connection,
                          void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* ERR_NOT_FOUND; ERR_FORBIDDEN for default_pool. */
void store_pool_delete(struct store *store, struct str name,
                       void (*on_end)(void *owner, int rc, const struct err *err), void *owner);
void store_variable_delete(struct store *store, struct str key,
                           void (*on_end)(void *owner, int rc, const struct err *err), void *owner);
void store_connection_delete(struct store *store, struct str connection_id,
                             void (*on_end)(void *owner, int rc, const struct err *err),
                             void *owner);

#endif
