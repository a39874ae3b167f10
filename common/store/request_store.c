// SPDX-License-Identifier: Apache-2.0
#include "common/store/request_store.h"

#include "common/base/assert.h"
#include "common/store/op.h"
#include "common/store/owner.h"

struct putting {
    void (*on_end)(void *owner, int rc, int64_t request_no, bool is_led, const struct err *err);
    void *owner;
};

static void on_put(void *owner, const struct pg_outcome *outcome)
{
    struct putting putting = *(struct putting *)owner;
    free(owner);
    struct err err = { 0 };
    if (outcome->rc < 0) {
        putting.on_end(putting.owner, outcome->rc, 0, false, outcome->err);
        return;
    }
    const struct pg_result *result = outcome->results[outcome->result_count - 1];
    ASSERT(pg_row_count(result) == 1);
    int rc = 0;
    if (!pg_get_bool(result, 0, 1))
        rc = err_set(&err, ERR_CONFLICT, "this Idempotency-Key was used for another request");
    putting.on_end(putting.owner, rc, pg_get_int(result, 0, 0), pg_get_bool(result, 0, 2), &err);
}

void request_put(struct store *store, struct str body, const struct request_key *key,
                 const struct audit *audit,
                 void (*on_end)(void *owner, int rc, int64_t request_no, bool is_led,
                                const struct err *err),
                 void *owner)
{
    struct putting *putting = calloc(1, sizeof *putting);
    ASSERT(putting != NULL);
    *putting = (struct putting) { on_end, owner };
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    store_token_hash(key->sent, hash);
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, SQL_api_request_put, NULL, NULL);
    pg_put_jsonb(params, body);
    pg_put_text(params, audit->actor);
    pg_put_text(params, key->key);
    pg_put_bytea(params, (struct str) { (const char *)hash, sizeof hash });
    store_send(store, tx, on_put, putting);
}

struct asking {
    void (*on_answer)(void *owner, const struct request_answer *answer);
    void (*on_end)(void *owner, int rc, const struct err *err);
    void *owner;
};

static void on_answers(void *owner, const struct pg_outcome *outcome)
{
    struct asking asking = *(struct asking *)owner;
    free(owner);
    uint32_t count = outcome->rc < 0 ? 0 : pg_row_count(outcome->results[0]);
    for (uint32_t i = 0; i < count; i++) {
        const struct pg_result *result = outcome->results[0];
        struct request_answer answer = { pg_get_int(result, i, 0), (int)pg_get_int(result, i, 1),
                                         pg_get_text(result, i, 2) };
        asking.on_answer(asking.owner, &answer);
    }
    asking.on_end(asking.owner, outcome->rc, outcome->err);
}

void request_answers(struct store *store, const int64_t *request_nos, uint32_t count,
                     void (*on_answer)(void *owner, const struct request_answer *answer),
                     void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct asking *asking = calloc(1, sizeof *asking);
    ASSERT(asking != NULL);
    *asking = (struct asking) { on_answer, on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    pg_put_int8_array(pg_tx_add(tx, SQL_api_answers, NULL, NULL), request_nos, count);
    store_send(store, tx, on_answers, asking);
}

void note_put(struct store *store, struct str dag_id, struct str run_id, struct str task_id,
              int32_t map_index, struct str note, const struct audit *audit,
              void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    op->rc_when_none = ERR_NOT_FOUND;
    snprintf(op->what, sizeof op->what, "%s",
             task_id.size > 0 ? "this instance has not run" : "this run");
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params =
        pg_tx_add(tx, task_id.size > 0 ? SQL_api_try_note : SQL_api_run_note, NULL, NULL);
    pg_put_text(params, dag_id);
    pg_put_text(params, run_id);
    if (task_id.size > 0) {
        pg_put_text(params, task_id);
        pg_put_int4(params, map_index);
    }
    pg_put_text(params, note);
    store_send(store, tx, op_end, op);
}

struct attempts_reading {
    void (*on_end)(void *owner, int rc, const struct attempt_row *rows, uint32_t count,
                   const struct err *err);
    void *owner;
};

static void on_attempts(void *owner, const struct pg_outcome *outcome)
{
    struct attempts_reading reading = *(struct attempts_reading *)owner;
    free(owner);
    struct err err = { 0 };
    if (outcome->rc < 0) {
        reading.on_end(reading.owner, outcome->rc, NULL, 0, outcome->err);
        return;
    }
    const struct pg_result *result = outcome->results[0];
    struct arena arena = { 0 };
    struct attempt_row *rows = ARENA_ARRAY(&arena, struct attempt_row, pg_row_count(result));
    uint32_t count = 0;
    for (uint32_t i = 0; i < pg_row_count(result); i++)
        if (!pg_is_null(result, i, 0))
            rows[count++] = (struct attempt_row) {
                .attempt = pg_get_uuid(result, i, 0),
                .try_no = (int32_t)pg_get_int(result, i, 1),
                .state = (enum task_state)pg_get_int(result, i, 2),
                .has_ended = pg_get_bool(result, i, 3),
                .queued_ms = pg_get_time_ms(result, i, 4),
            };
    int rc = pg_row_count(result) > 0
                 ? 0
                 : err_set(&err, ERR_NOT_FOUND, "there is no such task instance");
    reading.on_end(reading.owner, rc, rows, count, &err);
    arena_clear(&arena);
}

void attempts_read(struct store *store, struct str dag_id, struct str run_id, struct str task_id,
                   int32_t map_index, int32_t try_no,
                   void (*on_end)(void *owner, int rc, const struct attempt_row *rows,
                                  uint32_t count, const struct err *err),
                   void *owner)
{
    struct attempts_reading *reading = calloc(1, sizeof *reading);
    ASSERT(reading != NULL);
    *reading = (struct attempts_reading) { on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_api_attempts, NULL, NULL);
    pg_put_text(params, dag_id);
    pg_put_text(params, run_id);
    pg_put_text(params, task_id);
    pg_put_int4(params, map_index);
    pg_put_int4(params, try_no);
    store_send(store, tx, on_attempts, reading);
}
