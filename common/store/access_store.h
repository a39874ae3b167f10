// SPDX-License-Identifier: Apache-2.0
/* access_store - who may less, and who may more: personal tokens, and grants on DAGs. */
#ifndef HEADRACE_ACCESS_STORE_H
#define HEADRACE_ACCESS_STORE_H

#include "common/store/audit_store.h"
#include "common/store/owner.h"
#include "common/store/reader.h"

struct token_row {
    int32_t user_no;
    struct str name, role;    /* of its user */
    const struct str *rights; /* what it is held to; none: all */
    uint32_t right_count;
    const struct str *dags;
    uint32_t dag_count;
};

/* ERR_NOT_FOUND: unknown, over, or its user is not active. */
void token_read(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE],
                void (*on_end)(void *owner, int rc, const struct token_row *token,
                               const struct err *err),
                void *owner);

struct new_token {
    struct str user, name, made_by;
    int64_t lifetime_ms;
    const struct str *rights, *dags;
    uint32_t right_count, dag_count;
};

/* ERR_EXISTS: the user has one of that name; ERR_NOT_FOUND: there is no such user. */
void token_put(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE],
               const struct new_token *token, const struct audit *audit,
               void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* ERR_NOT_FOUND. */
void token_delete(struct store *store, struct str user, int64_t token_no, const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

struct new_grant {
    struct str user, role; /* one of them is empty */
    struct str dags, level, made_by;
};

/* ERR_NOT_FOUND: there is no such user. */
void grant_put(struct store *store, const struct new_grant *grant, const struct audit *audit,
               void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* ERR_NOT_FOUND. */
void grant_delete(struct store *store, int32_t grant_no, const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* The rank of `reader` on a DAG: of that id, or of that backfill when it is not 0. ERR_NOT_FOUND
 * when there is none. */
void dag_rank_read(struct store *store, const struct reader *reader, struct str dag_id,
                   int64_t backfill_no,
                   void (*on_end)(void *owner, int rc, int32_t rank, const struct err *err),
                   void *owner);

/* The highest rank that `reader` may have on some DAG. */
void highest_rank_read(struct store *store, const struct reader *reader,
                       void (*on_end)(void *owner, int rc, int32_t rank, const struct err *err),
                       void *owner);

#endif
