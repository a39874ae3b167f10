// SPDX-License-Identifier: Apache-2.0
#include "common/store/session_store.h"

#include "common/base/assert.h"
#include "common/store/op.h"

struct session_reading {
    void (*on_end)(void *owner, int rc, const struct session_row *session, const struct err *err);
    void *owner;
};

static void on_session(void *owner, const struct pg_outcome *outcome)
{
    struct session_reading reading = *(struct session_reading *)owner;
    free(owner);
    struct err err = { 0 };
    if (!op_has_row(outcome, "session", &err)) {
        reading.on_end(reading.owner, err.code, NULL, &err);
        return;
    }
    const struct pg_result *result = outcome->results[0];
    struct session_row session = {
        .user_no = (int32_t)pg_get_int(result, 0, 0),
        .name = pg_get_text(result, 0, 1),
        .role = pg_get_text(result, 0, 2),
        .is_browser = str_is(pg_get_text(result, 0, 3), "browser"),
        .csrf = pg_get_text(result, 0, 4),
    };
    reading.on_end(reading.owner, 0, &session, &err);
}

static struct str bytes_of(const uint8_t hash[STORE_TOKEN_HASH_SIZE])
{
    return (struct str) { (const char *)hash, STORE_TOKEN_HASH_SIZE };
}

void session_read(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE], int64_t idle_ms,
                  void (*on_end)(void *owner, int rc, const struct session_row *session,
                                 const struct err *err),
                  void *owner)
{
    struct session_reading *reading = calloc(1, sizeof *reading);
    ASSERT(reading != NULL);
    *reading = (struct session_reading) { on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_auth_session, NULL, NULL);
    pg_put_bytea(params, bytes_of(hash));
    pg_put_int8(params, idle_ms);
    store_send(store, tx, on_session, reading);
}

void session_put(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE],
                 const struct new_session *session, int64_t sessions_max, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_session_put, NULL, NULL);
    pg_put_bytea(params, bytes_of(hash));
    pg_put_text(params, session->csrf.size > 0 ? STR("browser") : STR("token"));
    pg_put_int4(params, session->user_no);
    pg_put_text(params, session->name);
    pg_put_text(params, session->csrf);
    pg_put_int8(params, session->lifetime_ms);
    pg_put_text(params, session->address);
    pg_put_text(params, session->agent);
    pg_put_text(params, session->id_token.size > 0 ? session->id_token : STR_EMPTY);
    params = pg_tx_add(tx, SQL_auth_session_trim, NULL, NULL);
    pg_put_int4(params, session->user_no);
    pg_put_int8(params, sessions_max);
    store_send(store, tx, op_end, op_new(store, on_end, owner));
}

struct deleting {
    void (*on_end)(void *owner, int rc, struct str id_token, const struct err *err);
    void *owner;
};

static void on_deleted(void *owner, const struct pg_outcome *outcome)
{
    struct deleting deleting = *(struct deleting *)owner;
    struct str id_token = STR_EMPTY;
    free(owner);
    if (outcome->rc == 0) {
        const struct pg_result *result = outcome->results[outcome->result_count - 1];
        if (pg_row_count(result) > 0 && !pg_is_null(result, 0, 0))
            id_token = pg_get_text(result, 0, 0);
    }
    deleting.on_end(deleting.owner, outcome->rc, id_token, outcome->err);
}

void session_delete(struct store *store, const uint8_t hash[STORE_TOKEN_HASH_SIZE],
                    const struct audit *audit,
                    void (*on_end)(void *owner, int rc, struct str id_token, const struct err *err),
                    void *owner)
{
    struct deleting *deleting = calloc(1, sizeof *deleting);
    ASSERT(deleting != NULL);
    *deleting = (struct deleting) { on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    pg_put_bytea(pg_tx_add(tx, SQL_auth_session_delete, NULL, NULL), bytes_of(hash));
    store_send(store, tx, on_deleted, deleting);
}

void session_end_one(struct store *store, int32_t user_no, int64_t session_no,
                     const struct audit *audit,
                     void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    struct op *op = op_new(store, on_end, owner);
    op->rc_when_none = ERR_NOT_FOUND;
    snprintf(op->what, sizeof op->what, "session %lld of yours", (long long)session_no);
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_session_end, NULL, NULL);
    pg_put_int4(params, user_no);
    pg_put_int8(params, session_no);
    store_send(store, tx, op_end, op);
}

void sessions_end(struct store *store, struct str user, const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    pg_put_text(pg_tx_add(tx, SQL_auth_sessions_end, NULL, NULL), user);
    store_send(store, tx, op_end, op_new(store, on_end, owner));
}
