// SPDX-License-Identifier: Apache-2.0
/* session_store - browser sessions and API tokens, known by the SHA-256 of their secret (owner.h).
 * Deleting a row ends it at the next request. */
#ifndef HEADRACE_SESSION_STORE_H
#define HEADRACE_SESSION_STORE_H

#include "common/store/audit_store.h"
#include "common/store/owner.h"

struct session_row {
    int32_t user_no;
    struct str name, role;
    bool is_browser;
    struct str csrf; /* of a browser session */
};

/* ERR_NOT_FOUND: unknown, over, idle for too long, or its user is not active. */
void session_read(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE], int64_t idle_ms,
                  void (*on_end)(void *owner, int rc, const struct session_row *session,
                                 const struct err *err),
                  void *owner);

struct new_session {
    int32_t user_no;
    struct str csrf; /* empty: a token */
    struct str name, address, agent;
    int64_t lifetime_ms;
    struct str id_token; /* empty: not opened at a provider, or not to be closed there */
};

/* New; of browser sessions the newest `sessions_max` of the user stay. */
void session_put(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE],
                 const struct new_session *session, int64_t sessions_max, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* `id_token`: as above; dies when on_end returns. One that is not there is no fault. */
void session_delete(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE],
                    const struct audit *audit,
                    void (*on_end)(void *owner, int rc, struct str id_token, const struct err *err),
                    void *owner);

/* One of a user, by its number. ERR_NOT_FOUND. */
void session_end_one(struct store *store, int32_t user_no, int64_t session_no,
                     const struct audit *audit,
                     void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* All of an account. */
void sessions_end(struct store *store, struct str user, const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
