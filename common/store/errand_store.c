// SPDX-License-Identifier: Apache-2.0
#include "common/store/errand_store.h"

#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/store/op.h"
#include "common/store/seal.h"

struct asking {
    void (*on_end)(void *owner, int rc, bool yes);
    void *owner;
};

static void on_asked(void *owner, const struct pg_outcome *outcome)
{
    struct asking asking = *(struct asking *)owner;

    free(owner);
    asking.on_end(asking.owner, outcome->rc,
                  outcome->rc == 0 && pg_get_bool(outcome->results[0], 0, 0));
}

static struct asking *asking_new(void (*on_end)(void *owner, int rc, bool yes), void *owner)
{
    struct asking *asking = calloc(1, sizeof *asking);

    ASSERT(asking != NULL);
    *asking = (struct asking) { on_end, owner };
    return asking;
}

void store_task_succeeded(struct store *store, struct str dag_id, struct str task_id,
                          int64_t logical_ms, void (*on_end)(void *owner, int rc, bool succeeded),
                          void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_task_succeeded, NULL, NULL);

    pg_put_text(params, dag_id);
    pg_put_text(params, task_id);
    pg_put_time_ms(params, logical_ms);
    store_send(store, tx, on_asked, asking_new(on_end, owner));
}

void store_asset_updated(struct store *store, struct str asset, int64_t since_ms,
                         void (*on_end)(void *owner, int rc, bool updated), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_asset_updated, NULL, NULL);

    pg_put_text(params, asset);
    pg_put_time_ms(params, since_ms);
    store_send(store, tx, on_asked, asking_new(on_end, owner));
}

/* ---- notifications --------------------------------------------------------------------------- */

enum {
    NOTIFICATION_ID,
    NOTIFICATION_RUN,
    NOTIFICATION_DAG,
    NOTIFICATION_TASK,
    NOTIFICATION_MAP,
    NOTIFICATION_TRY,
    NOTIFICATION_EVENT,
    NOTIFICATION_KIND,
    NOTIFICATION_TARGET,
    NOTIFICATION_QUEUE,
    NOTIFICATION_SEALED,
    NOTIFICATION_KEY,
    NOTIFICATION_STATE,
    NOTIFICATION_TRIES,
    NOTIFICATION_MADE,
    NOTIFICATION_NEXT,
    NOTIFICATION_ERROR,
};

struct str store_notification_label(struct arena *arena, struct id128 id)
{
    char text[ID_TEXT_SIZE];

    id_text(id, text);
    return str_format(arena, "notification:%s", text);
}

static struct notification_row row_of(const struct pg_result *result, uint32_t row)
{
    return (struct notification_row) {
        .id = pg_get_uuid(result, row, NOTIFICATION_ID),
        .run_no = pg_get_int(result, row, NOTIFICATION_RUN),
        .dag_no = (int32_t)pg_get_int(result, row, NOTIFICATION_DAG),
        .task = (int32_t)pg_get_int(result, row, NOTIFICATION_TASK),
        .map_index = (int32_t)pg_get_int(result, row, NOTIFICATION_MAP),
        .try_no = (uint16_t)pg_get_int(result, row, NOTIFICATION_TRY),
        .event = pg_get_text(result, row, NOTIFICATION_EVENT),
        .kind = pg_get_text(result, row, NOTIFICATION_KIND),
        .target = pg_get_text(result, row, NOTIFICATION_TARGET),
        .queue = pg_get_text(result, row, NOTIFICATION_QUEUE),
        .payload = STR_EMPTY,
        .state = (enum notification_state)pg_get_int(result, row, NOTIFICATION_STATE),
        .tries = (uint32_t)pg_get_int(result, row, NOTIFICATION_TRIES),
        .made_ms = pg_get_time_ms(result, row, NOTIFICATION_MADE),
        .next_ms = pg_get_time_ms(result, row, NOTIFICATION_NEXT),
        .error = pg_get_text(result, row, NOTIFICATION_ERROR),
    };
}

static void on_notifications(void *owner, const struct pg_outcome *outcome)
{
    struct op *op = owner;
    void (*give)(void *, const struct notification_row *) =
        (void (*)(void *, const struct notification_row *))op->on_row;
    const struct seal *seal = store_seal(op->store);

    for (uint32_t i = 0; outcome->rc == 0 && i < pg_row_count(outcome->results[0]); i++) {
        const struct pg_result *result = outcome->results[0];
        struct notification_row row = row_of(result, i);
        struct arena arena = { 0 };
        struct buf plain = { 0 };
        int rc = seal == NULL
                     ? ERR_UNAVAILABLE
                     : seal_read(seal, (int32_t)pg_get_int(result, i, NOTIFICATION_KEY),
                                 store_notification_label(&arena, row.id),
                                 pg_get_text(result, i, NOTIFICATION_SEALED), &plain, NULL);
        if (rc < 0)
            row.state = NOTIFICATION_FAILED;
        row.payload = buf_str(&plain);
        give(op->owner, &row);
        buf_clear(&plain);
        arena_clear(&arena);
    }
    op_end(op, outcome);
}

void store_notifications_read(
    struct store *store, void (*on_notification)(void *owner, const struct notification_row *row),
    void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    struct pg_tx *tx = pg_tx_new();

    op->on_row = (void (*)(void))on_notification;
    (void)pg_tx_add(tx, SQL_notifications_read, NULL, NULL);
    store_send(store, tx, on_notifications, op);
}
