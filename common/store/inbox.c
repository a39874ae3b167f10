// SPDX-License-Identifier: Apache-2.0
#include "common/store/inbox.h"

#include "common/base/assert.h"
#include "common/store/statement.h"

struct reading {
    void (*on_row)(void *owner, const struct inbox_row *row);
    void (*on_end)(void *owner, int rc, uint32_t row_count, const struct err *err);
    void *owner;
};

enum { INBOX_NO, INBOX_BODY, INBOX_ACTOR, INBOX_MADE, INBOX_RUN_NO };

static void on_read(void *owner, const struct pg_outcome *outcome)
{
    struct reading *reading = owner;
    uint32_t count = 0;

    if (outcome->rc == 0) {
        const struct pg_result *result = outcome->results[0];

        for (count = 0; count < pg_row_count(result); count++)
            reading->on_row(reading->owner,
                            &(struct inbox_row) {
                                .request_no = pg_get_int(result, count, INBOX_NO),
                                .body = pg_get_text(result, count, INBOX_BODY),
                                .actor = pg_get_text(result, count, INBOX_ACTOR),
                                .made_ms = pg_get_time_ms(result, count, INBOX_MADE),
                                .run_no = pg_get_int(result, count, INBOX_RUN_NO),
                            });
    }
    reading->on_end(reading->owner, outcome->rc, count, outcome->err);
    free(reading);
}

void store_inbox_read(struct store *store, const int64_t *in_hand, uint32_t in_hand_count,
                      void (*on_row)(void *owner, const struct inbox_row *row),
                      void (*on_end)(void *owner, int rc, uint32_t row_count,
                                     const struct err *err),
                      void *owner)
{
    struct reading *reading = malloc(sizeof *reading);
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_inbox_read, NULL, NULL);

    ASSERT(reading != NULL);
    *reading = (struct reading) { on_row, on_end, owner };
    pg_put_int8_array(params, in_hand, in_hand_count);
    pg_put_int8(params, STORE_INBOX_MAX);
    store_send(store, tx, on_read, reading);
}
