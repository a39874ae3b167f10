// SPDX-License-Identifier: Apache-2.0
#include "common/store/apply.h"

#include "common/base/assert.h"
#include "common/store/batch.h"
#include "common/store/seal.h"
#include "common/store/statement.h"
#include "common/text/json.h"

struct apply {
    uint32_t statements;
    void (*on_end)(void *owner, const struct store_applied *applied);
    void *owner;
};

/* One array parameter: an element per item, which the expression names as `row`. */
#define COLUMN(params, element, items_type, vec, put, ...)                                         \
    do {                                                                                           \
        pg_put_array((params), PG_##element);                                                      \
        VEC_EACH ((vec), column_i) {                                                               \
            items_type row = &(vec)->items[column_i];                                              \
            put((params), __VA_ARGS__);                                                            \
        }                                                                                          \
        pg_put_array_end(params);                                                                  \
    } while (0)

#define RUN_COLUMN(element, put, ...)                                                              \
    COLUMN(params, element, const struct run_row *, rows, put, __VA_ARGS__)
#define TRY_COLUMN(element, put, ...)                                                              \
    COLUMN(params, element, const struct batch_try *, rows, put, __VA_ARGS__)
#define OUTPUT_COLUMN(element, put, ...)                                                           \
    COLUMN(params, element, const struct batch_output *, rows, put, __VA_ARGS__)
#define RECORD_COLUMN(element, put, ...)                                                           \
    COLUMN(params, element, const struct record *const *, rows, put, __VA_ARGS__)

/* ---- values that may be NULL ----------------------------------------------------------------- */

static void put_time_if(struct pg_params *params, bool is_there, int64_t unix_ms)
{
    if (is_there)
        pg_put_time_ms(params, unix_ms);
    else
        pg_put_null(params, PG_TIMESTAMPTZ);
}

static void put_int8_or_null(struct pg_params *params, int64_t value)
{
    if (value != 0)
        pg_put_int8(params, value);
    else
        pg_put_null(params, PG_INT8);
}

static void put_exit_code(struct pg_params *params, const struct batch_try *row)
{
    if (row->has_exit_code)
        pg_put_int4(params, row->row.exit_code);
    else
        pg_put_null(params, PG_INT4);
}

static void put_attempt(struct pg_params *params, struct id128 attempt)
{
    if (id_is_zero(attempt))
        pg_put_null(params, PG_UUID);
    else
        pg_put_uuid(params, attempt);
}

/* The lowest and the highest run number of a statement's rows: they let the executor skip the other
 * partitions. */
struct bounds {
    int64_t low, high;
};

static struct bounds bounds_add(struct bounds bounds, int64_t run_no)
{
    return (struct bounds) { run_no < bounds.low ? run_no : bounds.low,
                             run_no > bounds.high ? run_no : bounds.high };
}

static void put_bounds(struct pg_params *params, struct bounds bounds)
{
    pg_put_int8(params, bounds.low);
    pg_put_int8(params, bounds.high);
}

#define BOUNDS_OF(item_type, vec, ...)                                                             \
    struct bounds bounds = { INT64_MAX, INT64_MIN };                                               \
    VEC_EACH ((vec), bounds_i) {                                                                   \
        item_type row = &(vec)->items[bounds_i];                                                   \
        bounds = bounds_add(bounds, __VA_ARGS__);                                                  \
    }

/* ---- runs ------------------------------------------------------------------------------------ */

static void write_created_runs(struct batch *batch, struct pg_tx *tx, int16_t shard)
{
    const typeof(batch->created) *rows = &batch->created;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_run_create, NULL, NULL);
    RUN_COLUMN(INT8, pg_put_int8, row->run_no);
    RUN_COLUMN(INT4, pg_put_int4, row->dag_no);
    RUN_COLUMN(INT8, pg_put_int8, row->version_no);
    RUN_COLUMN(INT2, pg_put_int2, (int16_t)row->type);
    RUN_COLUMN(TEXT, pg_put_text, batch_text(batch, row->run_id));
    RUN_COLUMN(TIMESTAMPTZ, put_time_if, row->has_logical, row->logical_ms);
    RUN_COLUMN(TIMESTAMPTZ, put_time_if, row->has_logical, row->interval_start_ms);
    RUN_COLUMN(TIMESTAMPTZ, put_time_if, row->has_logical, row->interval_end_ms);
    RUN_COLUMN(TIMESTAMPTZ, pg_put_time_ms, row->run_after_ms);
    RUN_COLUMN(TIMESTAMPTZ, pg_put_time_ms, row->queued_ms);
    RUN_COLUMN(JSONB, pg_put_jsonb, row->conf.size > 0 ? row->conf : STR("{}"));
    RUN_COLUMN(TEXT, pg_put_text, batch_text(batch, row->triggered_by));
    RUN_COLUMN(INT2, pg_put_int2, (int16_t)row->state);
    RUN_COLUMN(INT2, pg_put_int2, (int16_t)row->cause);
    RUN_COLUMN(INT4, pg_put_int4, (int32_t)row->succeeded);
    RUN_COLUMN(INT4, pg_put_int4, (int32_t)row->failed);
    RUN_COLUMN(INT4, pg_put_int4, (int32_t)row->skipped);
    RUN_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->started_ms);
    RUN_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->ended_ms);
    RUN_COLUMN(TEXT, pg_put_text_or_null, batch_text(batch, row->note));
    pg_tx_expect(tx, rows->count);

    params = pg_tx_add(tx, SQL_run_key_put, NULL, NULL);
    RUN_COLUMN(INT4, pg_put_int4, row->dag_no);
    RUN_COLUMN(TEXT, pg_put_text, batch_text(batch, row->run_id));
    RUN_COLUMN(INT8, pg_put_int8, row->run_no);

    params = pg_tx_add(tx, SQL_live_run_add, NULL, NULL);
    pg_put_int2(params, shard);
    pg_put_array(params, PG_INT8);
    VEC_EACH (rows, i) {
        if (!run_state_is_final(rows->items[i].state))
            pg_put_int8(params, rows->items[i].run_no);
    }
    pg_put_array_end(params);
}

static void write_live(struct batch *batch, struct pg_tx *tx, int16_t shard, bool is_live,
                       uint32_t statement)
{
    struct pg_params *params = NULL;

    VEC_EACH (&batch->runs, i) {
        if (run_state_is_final(batch->runs.items[i].state) == is_live)
            continue;
        if (params == NULL) {
            params = pg_tx_add(tx, statement, NULL, NULL);
            pg_put_int2(params, shard);
            pg_put_array(params, PG_INT8);
        }
        pg_put_int8(params, batch->runs.items[i].run_no);
    }
    if (params != NULL)
        pg_put_array_end(params);
}

static void write_changed_runs(struct batch *batch, struct pg_tx *tx, int16_t shard)
{
    const typeof(batch->runs) *rows = &batch->runs;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_run_set, NULL, NULL);
    pg_put_int8(params, rows->count);
    RUN_COLUMN(INT8, pg_put_int8, row->run_no);
    RUN_COLUMN(INT8, pg_put_int8, row->version_no);
    RUN_COLUMN(INT2, pg_put_int2, (int16_t)row->state);
    RUN_COLUMN(INT2, pg_put_int2, (int16_t)row->cause);
    RUN_COLUMN(INT4, pg_put_int4, (int32_t)row->succeeded);
    RUN_COLUMN(INT4, pg_put_int4, (int32_t)row->failed);
    RUN_COLUMN(INT4, pg_put_int4, (int32_t)row->skipped);
    RUN_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->started_ms);
    RUN_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->ended_ms);
    write_live(batch, tx, shard, true, SQL_live_run_add);
    write_live(batch, tx, shard, false, SQL_live_run_end);
}

/* ---- tries ----------------------------------------------------------------------------------- */

static void write_placed_tries(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->placed) *rows = &batch->placed;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_try_place, NULL, NULL);
    TRY_COLUMN(INT8, pg_put_int8, row->row.run_no);
    TRY_COLUMN(INT4, pg_put_int4, (int32_t)row->row.task);
    TRY_COLUMN(INT4, pg_put_int4, row->row.map_index);
    TRY_COLUMN(INT4, pg_put_int4, (int32_t)row->row.row_no);
    TRY_COLUMN(INT4, pg_put_int4, row->row.dag_no);
    TRY_COLUMN(INT2, pg_put_int2, (int16_t)row->row.try_no);
    TRY_COLUMN(INT2, pg_put_int2, (int16_t)row->row.infra_tries);
    TRY_COLUMN(UUID, put_attempt, row->row.attempt);
    TRY_COLUMN(INT8, put_int8_or_null, row->row.worker_no);
    TRY_COLUMN(INT8, put_int8_or_null, (int64_t)row->row.credit.incarnation);
    TRY_COLUMN(INT8, put_int8_or_null, (int64_t)row->row.credit.seq);
    TRY_COLUMN(INT4, pg_put_int4, row->row.priority);
    TRY_COLUMN(TEXT, pg_put_text, row->row.pool);
    TRY_COLUMN(TEXT, pg_put_text, row->row.queue);
    TRY_COLUMN(TEXT, pg_put_text_or_null, batch_text(batch, row->row.map_label));
    TRY_COLUMN(TIMESTAMPTZ, pg_put_time_ms, row->row.queued_ms);
    TRY_COLUMN(INT2, pg_put_int2, (int16_t)row->row.state);
    TRY_COLUMN(INT2, pg_put_int2, (int16_t)row->row.cause);
    TRY_COLUMN(BOOL, pg_put_bool, row->clears);
    TRY_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->row.started_ms);
    TRY_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->row.ended_ms);
    TRY_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->row.retry_ms);
    TRY_COLUMN(INT4, put_exit_code, row);
    TRY_COLUMN(INT8, put_int8_or_null, row->row.cpu_ms);
    TRY_COLUMN(INT8, put_int8_or_null, row->row.memory_peak_bytes);
    TRY_COLUMN(TEXT, pg_put_text_or_null, batch_text(batch, row->row.error));
    pg_tx_expect(tx, rows->count);
}

/* As try_set of apply.sql reads them. */
enum { TRY_SETS = 1, TRY_CLEARS = 2 };

static void write_changed_tries(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->tries) *rows = &batch->tries;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_try_set, NULL, NULL);
    pg_put_int8(params, rows->count);
    TRY_COLUMN(INT8, pg_put_int8, row->row.run_no);
    TRY_COLUMN(INT4, pg_put_int4, (int32_t)row->row.task);
    TRY_COLUMN(INT4, pg_put_int4, row->row.map_index);
    TRY_COLUMN(INT4, pg_put_int4, (int32_t)row->row.row_no);
    TRY_COLUMN(UUID, put_attempt, row->row.attempt);
    TRY_COLUMN(INT4, pg_put_int4, (int32_t)row->from_mask);
    TRY_COLUMN(INT2, pg_put_int2,
               (int16_t)((row->sets ? TRY_SETS : 0) | (row->clears ? TRY_CLEARS : 0)));
    TRY_COLUMN(INT2, pg_put_int2, (int16_t)row->row.state);
    TRY_COLUMN(INT2, pg_put_int2, (int16_t)row->row.cause);
    TRY_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->row.started_ms);
    TRY_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->row.ended_ms);
    TRY_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, row->row.retry_ms);
    TRY_COLUMN(INT4, put_exit_code, row);
    TRY_COLUMN(INT8, put_int8_or_null, row->row.cpu_ms);
    TRY_COLUMN(INT8, put_int8_or_null, row->row.memory_peak_bytes);
    TRY_COLUMN(TEXT, pg_put_text_or_null, batch_text(batch, row->row.error));
}

/* ---- outputs and expansions ------------------------------------------------------------------ */

static void write_outputs(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->outputs) *rows = &batch->outputs;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_output_put, NULL, NULL);
    OUTPUT_COLUMN(INT8, pg_put_int8, row->run_no);
    OUTPUT_COLUMN(INT4, pg_put_int4, (int32_t)row->task);
    OUTPUT_COLUMN(INT4, pg_put_int4, row->map_index);
    OUTPUT_COLUMN(JSONB, pg_put_jsonb, batch_json(batch, row->json));
}

static void drop_outputs(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->dropped_outputs) *rows = &batch->dropped_outputs;
    struct pg_params *params;
    BOUNDS_OF(const struct batch_output *, rows, row->run_no)

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_output_drop, NULL, NULL);
    put_bounds(params, bounds);
    OUTPUT_COLUMN(INT8, pg_put_int8, row->run_no);
    OUTPUT_COLUMN(INT4, pg_put_int4, (int32_t)row->task);
    OUTPUT_COLUMN(INT4, pg_put_int4, row->map_index);
}

static void write_expansions(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->expansions) *rows = &batch->expansions;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_expansion_put, NULL, NULL);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->expansion.run_no);
    RECORD_COLUMN(INT4, pg_put_int4, (int32_t)(*row)->expansion.task);
    RECORD_COLUMN(INT4, pg_put_int4, (int32_t)(*row)->expansion.length);
    RECORD_COLUMN(JSONB, pg_put_jsonb, batch_json(batch, (*row)->expansion.items));
}

/* ---- requests, DAGs, workers, scaling -------------------------------------------------------- */

/* An answer is JSON, or a sentence; nothing is null. */
static struct str answer_json(struct batch *batch, struct str answer)
{
    return answer.size > 0 ? batch_json(batch, answer) : STR("null");
}

static void write_requests(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->requests) *rows = &batch->requests;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_request_answer, NULL, NULL);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->request.request_no);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->request.code);
    RECORD_COLUMN(JSONB, pg_put_jsonb, answer_json(batch, (*row)->request.answer));
    params = pg_tx_add(tx, SQL_request_done, NULL, NULL);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->request.request_no);
}

static void write_dags(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->dags) *rows = &batch->dags;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_dag_set, NULL, NULL);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->dag.dag_no);
    RECORD_COLUMN(BOOL, pg_put_bool, (*row)->dag.paused);
    RECORD_COLUMN(TIMESTAMPTZ, put_time_if, (*row)->dag.has_last, (*row)->dag.last_fire_ms);
    RECORD_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, (*row)->dag.next_fire_ms);
}

static void write_workers(struct batch *batch, struct pg_tx *tx)
{
    VEC_EACH (&batch->workers, i) {
        const typeof(batch->workers.items[i]->worker) *worker = &batch->workers.items[i]->worker;
        struct pg_params *params = pg_tx_add(tx, SQL_worker_put, NULL, NULL);
        struct str rest = worker->queues, queue;

        pg_put_int8(params, worker->worker_no);
        pg_put_text(params, batch_text(batch, worker->worker));
        pg_put_text(params, batch_text(batch, worker->name));
        pg_put_text(params, batch_text(batch, worker->host));
        pg_put_text(params, batch_text(batch, worker->version));
        pg_put_array(params, PG_TEXT);
        while (rest.size > 0 && str_split(&rest, ',', &queue))
            pg_put_text(params, batch_text(batch, str_trim(queue)));
        pg_put_array_end(params);
        pg_put_int4(params, (int32_t)worker->slots);
        pg_put_int8(params, (int64_t)worker->incarnation);
        pg_put_int2(params, (int16_t)worker->state);
        pg_put_text(params, batch_text(batch, worker->reason));
        pg_put_time_ms(params, worker->seen_ms);
    }
}

static void write_worker_loads(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->worker_loads) *rows = &batch->worker_loads;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_worker_loads_set, NULL, NULL);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->worker_load.worker_no);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->worker_load.load.cpu_permille);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->worker_load.load.memory_used_bytes);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->worker_load.load.memory_total_bytes);
}

static void write_autoscales(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->autoscales) *rows = &batch->autoscales;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_autoscale_add, NULL, NULL);
    RECORD_COLUMN(TEXT, pg_put_text, (*row)->autoscale.queue);
    RECORD_COLUMN(TIMESTAMPTZ, pg_put_time_ms, (*row)->autoscale.at_ms);
    RECORD_COLUMN(INT4, pg_put_int4, (int32_t)(*row)->autoscale.demand);
    RECORD_COLUMN(INT4, pg_put_int4, (int32_t)(*row)->autoscale.wanted);
    RECORD_COLUMN(INT4, pg_put_int4, (int32_t)(*row)->autoscale.present);
    RECORD_COLUMN(TEXT, pg_put_text, batch_text(batch, (*row)->autoscale.reason));
}

/* ---- what goes ------------------------------------------------------------------------------- */

/* ---- notifications: rare, so each has a statement of its own --------------------------------- */

static void add_notification(struct batch *batch, struct store *store, struct pg_tx *tx,
                             const struct notification_row *row)
{
    struct pg_params *params = pg_tx_add(tx, SQL_notification_add, NULL, NULL);
    struct buf sealed = { 0 };

    if (store_seal(store) != NULL)
        seal_close(store_seal(store), store_notification_label(&batch->arena, row->id),
                   row->payload, &sealed);
    pg_put_uuid(params, row->id);
    pg_put_int8(params, row->run_no);
    pg_put_int4(params, row->dag_no);
    pg_put_int4(params, row->task);
    pg_put_int4(params, row->map_index);
    pg_put_int4(params, row->try_no);
    pg_put_text(params, row->event);
    pg_put_text(params, row->kind);
    pg_put_text(params, batch_text(batch, row->target));
    pg_put_text(params, batch_text(batch, row->queue));
    pg_put_bytea(params, buf_str(&sealed));
    pg_put_int4(params, store_seal(store) != NULL ? seal_key_no(store_seal(store)) : 0);
    pg_put_int2(params, (int16_t)row->state);
    pg_put_time_ms(params, row->made_ms);
    put_time_if(params, row->state != NOTIFICATION_PENDING, row->made_ms);
    pg_put_text(params, batch_text(batch, row->error));
    buf_clear(&sealed);
}

static void write_notifications(struct batch *batch, struct store *store, struct pg_tx *tx)
{
    VEC_EACH (&batch->notifications, i)
        add_notification(batch, store, tx, &batch->notifications.items[i]->notification);
    VEC_EACH (&batch->notification_states, i) {
        const struct notification_row *row = &batch->notification_states.items[i]->notification;
        struct pg_params *params = pg_tx_add(tx, SQL_notification_set, NULL, NULL);

        pg_put_uuid(params, row->id);
        pg_put_int2(params, (int16_t)row->state);
        pg_put_int4(params, (int32_t)row->tries);
        pg_put_time_ms_or_null(params, row->next_ms);
        pg_put_text(params, batch_text(batch, row->error));
    }
}

static void drop_runs(struct batch *batch, struct pg_tx *tx, int16_t shard)
{
    static const uint32_t by_bounds[] = { SQL_run_drop_tries, SQL_run_drop_outputs,
                                          SQL_run_drop_expansions, SQL_run_drop };
    const typeof(batch->dropped_runs) *rows = &batch->dropped_runs;
    struct pg_params *params;
    BOUNDS_OF(const struct record *const *, rows, (*row)->run_delete.run_no)

    if (rows->count == 0)
        return;
    for (uint32_t i = 0; i < sizeof by_bounds / sizeof *by_bounds; i++) {
        params = pg_tx_add(tx, by_bounds[i], NULL, NULL);
        put_bounds(params, bounds);
        RECORD_COLUMN(INT8, pg_put_int8, (*row)->run_delete.run_no);
    }
    params = pg_tx_add(tx, SQL_run_drop_keys, NULL, NULL);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->run_delete.run_no);
    params = pg_tx_add(tx, SQL_live_run_end, NULL, NULL);
    pg_put_int2(params, shard);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->run_delete.run_no);
}

static void drop_dags(struct batch *batch, struct pg_tx *tx)
{
    static const uint32_t statements[] = { SQL_dag_drop_runs, SQL_dag_drop_keys, SQL_dag_drop };
    const typeof(batch->dropped_dags) *rows = &batch->dropped_dags;

    for (uint32_t i = 0; rows->count > 0 && i < sizeof statements / sizeof *statements; i++) {
        struct pg_params *params = pg_tx_add(tx, statements[i], NULL, NULL);

        RECORD_COLUMN(INT4, pg_put_int4, (*row)->dag.dag_no);
    }
}

/* ---- backfills ------------------------------------------------------------------------------- */

static void write_backfills(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->backfills) *rows = &batch->backfills;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_backfill_put, NULL, NULL);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->backfill.backfill_no);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->backfill.dag_no);
    RECORD_COLUMN(TIMESTAMPTZ, pg_put_time_ms, (*row)->backfill.from_ms);
    RECORD_COLUMN(TIMESTAMPTZ, pg_put_time_ms, (*row)->backfill.to_ms);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->backfill.max_active_runs);
    RECORD_COLUMN(INT2, pg_put_int2, (int16_t)(*row)->backfill.reprocess);
    RECORD_COLUMN(BOOL, pg_put_bool, (*row)->backfill.backwards);
    RECORD_COLUMN(BOOL, pg_put_bool, (*row)->backfill.paused);
    RECORD_COLUMN(JSONB, pg_put_jsonb, batch_json(batch, (*row)->backfill.conf));
    RECORD_COLUMN(TEXT, pg_put_text, batch_text(batch, (*row)->backfill.triggered_by));
    RECORD_COLUMN(TIMESTAMPTZ, put_time_if, (*row)->backfill.has_cursor,
                  (*row)->backfill.cursor_ms);
    RECORD_COLUMN(TIMESTAMPTZ, pg_put_time_ms, (*row)->backfill.created_ms);
    RECORD_COLUMN(TIMESTAMPTZ, pg_put_time_ms_or_null, (*row)->backfill.ended_ms);
}

static void write_backfill_runs(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->backfill_runs) *rows = &batch->backfill_runs;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_backfill_run_put, NULL, NULL);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->backfill_run.backfill_no);
    RECORD_COLUMN(TIMESTAMPTZ, pg_put_time_ms, (*row)->backfill_run.logical_ms);
    RECORD_COLUMN(INT8, put_int8_or_null, (*row)->backfill_run.run_no);
    RECORD_COLUMN(TEXT, pg_put_text_or_null, batch_text(batch, (*row)->backfill_run.reason));
}

/* ---- assets ---------------------------------------------------------------------------------- */

static void write_asset_events(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->asset_events) *rows = &batch->asset_events;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_asset_event_put, NULL, NULL);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->asset_event.event_no);
    RECORD_COLUMN(TEXT, pg_put_text, batch_text(batch, (*row)->asset_event.asset));
    RECORD_COLUMN(TIMESTAMPTZ, pg_put_time_ms, (*row)->asset_event.at_ms);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->asset_event.dag_no);
    RECORD_COLUMN(INT8, put_int8_or_null, (*row)->asset_event.run_no);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->asset_event.task);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->asset_event.map_index);
    RECORD_COLUMN(JSONB, pg_put_jsonb, batch_json(batch, (*row)->asset_event.extra));
}

static void write_asset_rows(const typeof(((struct batch *)0)->assets_kept) *rows,
                             enum statement statement, struct pg_tx *tx)
{
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, statement, NULL, NULL);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->asset_kept.dag_no);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->asset_kept.event_no);
}

/* What is kept and dropped or taken in one transaction is kept first. */
static void write_asset_queues(struct batch *batch, struct pg_tx *tx)
{
    struct pg_params *params;

    write_asset_rows(&batch->assets_kept, SQL_asset_keep, tx);
    write_asset_rows(&batch->assets_dropped, SQL_asset_drop, tx);
    VEC_EACH (&batch->assets_taken, i) {
        const typeof(batch->assets_taken.items[i]->asset_taken) *taken =
            &batch->assets_taken.items[i]->asset_taken;

        params = pg_tx_add(tx, SQL_asset_take, NULL, NULL);
        pg_put_int4(params, taken->dag_no);
        pg_put_int8(params, taken->run_no);
        pg_put_int8(params, taken->last_event_no);
    }
}

static void write_files(struct batch *batch, struct pg_tx *tx)
{
    const typeof(batch->files) *rows = &batch->files;
    struct pg_params *params;

    if (rows->count == 0)
        return;
    params = pg_tx_add(tx, SQL_file_take, NULL, NULL);
    RECORD_COLUMN(INT4, pg_put_int4, (*row)->file.dag_no);
    RECORD_COLUMN(UUID, pg_put_uuid, (*row)->file.content);
    RECORD_COLUMN(TEXT, pg_put_text, batch_text(batch, (*row)->file.path));
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->file.size);
    RECORD_COLUMN(TIMESTAMPTZ, pg_put_time_ms, (*row)->file.mtime_ms);
    RECORD_COLUMN(INT8, pg_put_int8, (*row)->file.run_no);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void on_applied(void *owner, const struct pg_outcome *outcome)
{
    struct apply *apply = owner;
    struct store_applied applied = { .rc = outcome->rc,
                                     .err = outcome->err,
                                     .statements = apply->statements };

    for (uint32_t i = 0; outcome->rc == 0 && i < outcome->result_count; i++)
        applied.rows += (uint32_t)pg_affected(outcome->results[i]);
    apply->on_end(apply->owner, &applied);
    free(apply);
}

void store_apply(struct store *store, uint64_t epoch, const struct record *records,
                 uint32_t record_count,
                 void (*on_end)(void *owner, const struct store_applied *applied), void *owner)
{
    struct apply *apply = malloc(sizeof *apply);
    struct pg_tx *tx = pg_tx_new();
    struct batch batch = { 0 };
    int16_t shard = store_shard(store);

    ASSERT(apply != NULL);
    batch_collect(&batch, records, record_count);
    store_fence(store, tx, epoch);
    write_created_runs(&batch, tx, shard);
    write_changed_runs(&batch, tx, shard);
    write_placed_tries(&batch, tx);
    write_changed_tries(&batch, tx);
    drop_outputs(&batch, tx);
    write_outputs(&batch, tx);
    write_expansions(&batch, tx);
    write_requests(&batch, tx);
    write_dags(&batch, tx);
    write_workers(&batch, tx);
    write_worker_loads(&batch, tx);
    write_autoscales(&batch, tx);
    write_backfills(&batch, tx);
    write_backfill_runs(&batch, tx);
    write_asset_events(&batch, tx);
    write_asset_queues(&batch, tx);
    write_files(&batch, tx);
    write_notifications(&batch, store, tx);
    drop_runs(&batch, tx, shard);
    drop_dags(&batch, tx);
    batch_clear(&batch);

    *apply = (struct apply) { .statements = pg_tx_count(tx), .on_end = on_end, .owner = owner };
    store_send_write(store, tx, on_applied, apply);
}
