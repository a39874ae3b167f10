// SPDX-License-Identifier: Apache-2.0
#include "common/store/request_store.h"

#include "common/base/assert.h"
#include "common/store/owner.h"
#include "common/store/statement.h"

struct putting {
    void (*on_end)(void *owner, int rc, int64_t request_no, const struct err *err);
    void *owner;
};

static void on_put(void *owner, const struct pg_outcome *outcome)
{
    struct putting putting = *(struct putting *)owner;
    free(owner);
    struct err err = { 0 };
    if (outcome->rc < 0) {
        putting.on_end(putting.owner, outcome->rc, 0, outcome->err);
        return;
    }
    const struct pg_result *result = outcome->results[1];
    ASSERT(pg_row_count(result) == 1);
    int rc = 0;
    if (!pg_get_bool(result, 0, 1))
        rc = err_set(&err, ERR_CONFLICT, "this Idempotency-Key was used for another request");
    putting.on_end(putting.owner, rc, pg_get_int(result, 0, 0), &err);
}

void request_put(struct store *store, struct str body, struct str key, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, int64_t request_no, const struct err *err), void *owner)
{
    struct putting *putting = calloc(1, sizeof *putting);
    ASSERT(putting != NULL);
    *putting = (struct putting){ on_end, owner };
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    store_token_hash(body, hash);
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, SQL_api_request_put, NULL, NULL);
    pg_put_jsonb(params, body);
    pg_put_text(params, audit->actor);
    pg_put_text(params, key.bytes == NULL ? STR_EMPTY : key);
    pg_put_bytea(params, (struct str){ (const char *)hash, sizeof hash });
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
        struct request_answer answer = { pg_get_int(result, i, 0), (int)pg_get_int(result, i, 1), pg_get_text(result, i, 2) };
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
    *asking = (struct asking){ on_answer, on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    pg_put_int8_array(pg_tx_add(tx, SQL_api_answers, NULL, NULL), request_nos, count);
    store_send(store, tx, on_answers, asking);
}
