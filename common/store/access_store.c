// SPDX-License-Identifier: Apache-2.0
#include "common/store/access_store.h"

#include "common/base/assert.h"
#include "common/store/op.h"

static struct str bytes_of(const uint8_t hash[STORE_TOKEN_HASH_SIZE])
{
    return (struct str) { (const char *)hash, STORE_TOKEN_HASH_SIZE };
}

/* ---- tokens ---- */

struct token_reading {
    void (*on_end)(void *owner, int rc, const struct token_row *token, const struct err *err);
    void *owner;
};

static void on_token(void *owner, const struct pg_outcome *outcome)
{
    struct token_reading reading = *(struct token_reading *)owner;
    free(owner);
    struct err err = { 0 };
    if (!op_has_row(outcome, "token", &err)) {
        reading.on_end(reading.owner, err.code, NULL, &err);
        return;
    }
    const struct pg_result *result = outcome->results[0];
    struct arena arena = { 0 };
    struct token_row token = {
        .user_no = (int32_t)pg_get_int(result, 0, 0),
        .name = pg_get_text(result, 0, 1),
        .role = pg_get_text(result, 0, 2),
    };
    token.rights = pg_get_text_array(result, 0, 3, &arena, &token.right_count);
    token.dags = pg_get_text_array(result, 0, 4, &arena, &token.dag_count);
    reading.on_end(reading.owner, 0, &token, &err);
    arena_clear(&arena);
}

void token_read(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE],
                void (*on_end)(void *owner, int rc, const struct token_row *token,
                               const struct err *err),
                void *owner)
{
    struct token_reading *reading = calloc(1, sizeof *reading);
    ASSERT(reading != NULL);
    *reading = (struct token_reading) { on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    pg_put_bytea(pg_tx_add(tx, SQL_auth_token, NULL, NULL), bytes_of(hash));
    store_send(store, tx, on_token, reading);
}

static struct op *op_on(struct store *store, const char *noun, struct str name,
                        void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    op->rc_when_none = ERR_NOT_FOUND;
    snprintf(op->what, sizeof op->what, "%s %.*s", noun, STR_ARG(name));
    return op;
}

static struct op *op_on_number(struct store *store, const char *noun, int64_t number,
                               void (*on_end)(void *owner, int rc, const struct err *err),
                               void *owner)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return op_on(store, noun, str_of(text), on_end, owner);
}

void token_put(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE],
               const struct new_token *token, const struct audit *audit,
               void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_token_put, NULL, NULL);
    pg_put_text(params, token->user);
    pg_put_bytea(params, bytes_of(hash));
    pg_put_text(params, token->name);
    pg_put_text(params, token->made_by);
    pg_put_int8(params, token->lifetime_ms);
    pg_put_text_array(params, token->rights, token->right_count);
    pg_put_text_array(params, token->dags, token->dag_count);
    store_send(store, tx, op_end, op_on(store, "user", token->user, on_end, owner));
}

void token_delete(struct store *store, struct str user, int64_t token_no, const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_token_delete, NULL, NULL);
    pg_put_text(params, user);
    pg_put_int8(params, token_no);
    store_send(store, tx, op_end, op_on_number(store, "token", token_no, on_end, owner));
}

/* ---- grants ---- */

void grant_put(struct store *store, const struct new_grant *grant, const struct audit *audit,
               void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_grant_put, NULL, NULL);
    pg_put_text(params, grant->user);
    pg_put_text(params, grant->role);
    pg_put_text(params, grant->dags);
    pg_put_text(params, grant->level);
    pg_put_text(params, grant->made_by);
    store_send(store, tx, op_end, op_on(store, "user", grant->user, on_end, owner));
}

void grant_delete(struct store *store, int32_t grant_no, const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    pg_put_int4(pg_tx_add(tx, SQL_auth_grant_delete, NULL, NULL), grant_no);
    store_send(store, tx, op_end, op_on_number(store, "grant", grant_no, on_end, owner));
}

/* ---- what somebody is on a DAG ---- */

struct ranking {
    void (*on_end)(void *owner, int rc, int32_t rank, const struct err *err);
    void *owner;
};

static struct ranking *
ranking_new(void (*on_end)(void *owner, int rc, int32_t rank, const struct err *err), void *owner)
{
    struct ranking *ranking = calloc(1, sizeof *ranking);
    ASSERT(ranking != NULL);
    *ranking = (struct ranking) { on_end, owner };
    return ranking;
}

static void on_rank(void *owner, const struct pg_outcome *outcome)
{
    struct ranking ranking = *(struct ranking *)owner;
    free(owner);
    struct err err = { 0 };
    if (!op_has_row(outcome, "DAG", &err))
        ranking.on_end(ranking.owner, err.code, 0, &err);
    else
        ranking.on_end(ranking.owner, 0, (int32_t)pg_get_int(outcome->results[0], 0, 0), &err);
}

void dag_rank_read(struct store *store, const struct reader *reader, struct str dag_id,
                   int64_t backfill_no,
                   void (*on_end)(void *owner, int rc, int32_t rank, const struct err *err),
                   void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_auth_dag_rank, NULL, NULL);
    reader_bind(reader, params);
    pg_put_text(params, dag_id);
    pg_put_int8(params, backfill_no);
    store_send(store, tx, on_rank, ranking_new(on_end, owner));
}

void highest_rank_read(struct store *store, const struct reader *reader,
                       void (*on_end)(void *owner, int rc, int32_t rank, const struct err *err),
                       void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_auth_highest_rank, NULL, NULL);
    pg_put_int4(params, reader->user_no);
    pg_put_int4(params, reader->rank);
    store_send(store, tx, on_rank, ranking_new(on_end, owner));
}
