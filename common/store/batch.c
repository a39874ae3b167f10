// SPDX-License-Identifier: Apache-2.0
#include "common/store/batch.h"

#include "common/base/assert.h"
#include "common/text/json.h"

/* ---- text that is safe to store -------------------------------------------------------------- */

struct str batch_text(struct batch *batch, struct str text)
{
    if (str_find(text, '\0') < 0 && str_is_utf8(text))
        return text;
    return str_clean(&batch->arena, text);
}

struct str batch_json(struct batch *batch, struct str json)
{
    struct arena scratch = { 0 };
    const struct value *value;
    struct buf buf = { 0 };
    int rc = json_parse(&scratch, json, NULL, &value, NULL);

    arena_clear(&scratch);
    if (rc == 0)
        return json;
    json_write_string(&buf, batch_text(batch, json));
    json = str_copy(&batch->arena, buf_str(&buf));
    buf_clear(&buf);
    return json;
}

/* ---- what may become what -------------------------------------------------------------------- */

#define BIT(state) (1u << (state))

uint32_t batch_from_mask(enum task_state to, enum cause cause)
{
    static const uint32_t classes[] = {
        BIT(TASK_QUEUED) | BIT(TASK_RUNNING) | BIT(TASK_RESTARTING),
        BIT(TASK_SCHEDULED) | BIT(TASK_UP_FOR_RETRY) | BIT(TASK_UP_FOR_RESCHEDULE) |
            BIT(TASK_DEFERRED),
    };
    uint32_t mask = 0;

    for (uint32_t from = 0; from < TASK_STATE_COUNT; from++) {
        if (transition_is_legal(from, to, cause))
            mask |= BIT(from);
    }
    for (uint32_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if ((mask & classes[i]) != 0)
            mask |= classes[i];
    }
    return mask;
}

/* ---- keys ------------------------------------------------------------------------------------ */

struct key {
    int64_t run_no;
    uint32_t task;
    int32_t map_index;
    uint32_t row_no;
    uint32_t kind;
};

static struct str key_str(const struct key *key)
{
    return (struct str) { (const char *)key, sizeof *key };
}

static struct key try_key(const struct try_row *row)
{
    return (struct key) { row->run_no, row->task, row->map_index, row->row_no, 0 };
}

/* Where a row stands: in the array of the new ones, or of the changed ones. */
static uint64_t place_of(uint32_t index, bool is_changed)
{
    return (uint64_t)index * 2 + is_changed;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void add_run(struct batch *batch, const struct run_row *row)
{
    ASSERT(!map_get(&batch->run_index, (uint64_t)row->run_no, NULL));
    map_put(&batch->run_index, (uint64_t)row->run_no, place_of(batch->created.count, false));
    VEC_ADD(&batch->created, *row);
}

static void change_run(struct batch *batch, const struct run_row *change)
{
    uint64_t place;
    struct run_row *row;

    if (!map_get(&batch->run_index, (uint64_t)change->run_no, &place)) {
        map_put(&batch->run_index, (uint64_t)change->run_no, place_of(batch->runs.count, true));
        VEC_ADD(&batch->runs, *change);
        return;
    }
    row = place % 2 == 0 ? &batch->created.items[place / 2] : &batch->runs.items[place / 2];
    row->version_no = change->version_no;
    row->state = change->state;
    row->cause = change->cause;
    row->started_ms = change->started_ms;
    row->ended_ms = change->ended_ms;
    row->succeeded = change->succeeded;
    row->failed = change->failed;
    row->skipped = change->skipped;
}

/* ---- outputs --------------------------------------------------------------------------------- */

static void put_output(struct batch *batch, const struct batch_output *output)
{
    struct key key = { output->run_no, output->task, output->map_index, 0, 0 };
    uint64_t index;

    if (map_get_str(&batch->output_index, key_str(&key), &index)) {
        batch->outputs.items[index] = *output;
        return;
    }
    map_put_str(&batch->output_index, key_str(&key), batch->outputs.count);
    VEC_ADD(&batch->outputs, *output);
}

/* ---- tries ----------------------------------------------------------------------------------- */

static bool try_is_open(enum task_state state)
{
    return state == TASK_SCHEDULED || state == TASK_QUEUED || state == TASK_RUNNING;
}

/* A worker's exit code is one only when a process ran and a user did not set the outcome. */
static bool has_exit_code(const struct record *record)
{
    return record->type == WRITE_TRY_ENDED && record->try.started_ms != 0 &&
           record->try.cause != CAUSE_MARKED;
}

static void keep_newer(int64_t *value, int64_t newer)
{
    if (newer != 0)
        *value = newer;
}

static void merge_end(struct batch_try *into, const struct record *record)
{
    const struct try_row *change = &record->try;
    struct try_row *row = &into->row;

    keep_newer(&row->ended_ms, change->ended_ms);
    keep_newer(&row->cpu_ms, change->cpu_ms);
    keep_newer(&row->memory_peak_bytes, change->memory_peak_bytes);
    row->retry_ms = change->retry_ms;
    if (change->error.size > 0)
        row->error = change->error;
    if (has_exit_code(record)) {
        into->has_exit_code = true;
        row->exit_code = change->exit_code;
    }
}

/* What the second of two statements would do to the row. */
static void merge_try(struct batch_try *into, const struct record *record)
{
    const struct try_row *change = &record->try;
    struct try_row *row = &into->row;

    if (record->type == WRITE_TRY_CLEARED) {
        into->clears = true;
        row->retry_ms = 0;
        if (into->sets && try_is_open(row->state)) {
            row->state = TASK_RESTARTING;
            row->cause = change->cause;
        }
        if (row->ended_ms == 0)
            row->ended_ms = change->ended_ms;
        return;
    }
    into->sets = true;
    row->state = change->state;
    row->cause = change->cause;
    keep_newer(&row->started_ms, change->started_ms);
    if (record->type == WRITE_TRY_ENDED)
        merge_end(into, record);
}

static void place_try(struct batch *batch, const struct record *record)
{
    struct key key = try_key(&record->try);

    ASSERT(!map_get_str(&batch->try_index, key_str(&key), NULL));
    map_put_str(&batch->try_index, key_str(&key), place_of(batch->placed.count, false));
    VEC_ADD(&batch->placed, (struct batch_try) { .row = record->try, .sets = true });
}

/* Only what record.h says that a record of the type changes. */
static struct batch_try first_change(const struct record *record)
{
    const struct try_row *from = &record->try;
    struct batch_try change = {
        .row = { .run_no = from->run_no,
                 .task = from->task,
                 .map_index = from->map_index,
                 .row_no = from->row_no,
                 .attempt = from->attempt,
                 .cause = from->cause,
                 .error = STR_EMPTY },
    };

    if (record->type == WRITE_TRY_CLEARED) {
        change.from_mask = UINT32_MAX >> 1;
        change.clears = true;
        change.row.ended_ms = from->ended_ms;
        return change;
    }
    change.from_mask = batch_from_mask(from->state, from->cause);
    merge_try(&change, record);
    return change;
}

static void change_try(struct batch *batch, const struct record *record)
{
    struct key key = try_key(&record->try);
    uint64_t place;

    if (record->type == WRITE_TRY_CLEARED)
        put_output(batch, &(struct batch_output) { .run_no = record->try.run_no,
                                                   .task = record->try.task,
                                                   .map_index = record->try.map_index,
                                                   .is_dropped = true });
    if (map_get_str(&batch->try_index, key_str(&key), &place)) {
        merge_try(place % 2 == 0 ? &batch->placed.items[place / 2] : &batch->tries.items[place / 2],
                  record);
        return;
    }
    map_put_str(&batch->try_index, key_str(&key), place_of(batch->tries.count, true));
    VEC_ADD(&batch->tries, first_change(record));
}

/* ---- the rest: the last record of a key counts ----------------------------------------------- */

#define KEEP_LAST(batch, array, record, ...)                                                       \
    do {                                                                                           \
        struct key key = { __VA_ARGS__ };                                                          \
        uint64_t index;                                                                            \
        key.kind = (record)->type;                                                                 \
        if (map_get_str(&(batch)->last_index, key_str(&key), &index)) {                            \
            (batch)->array.items[index] = (record);                                                \
        } else {                                                                                   \
            map_put_str(&(batch)->last_index, key_str(&key), (batch)->array.count);                \
            VEC_ADD(&(batch)->array, (record));                                                    \
        }                                                                                          \
    } while (0)

static void collect_one(struct batch *batch, const struct record *record)
{
    switch (record->type) {
    case WRITE_RUN_CREATE:
        add_run(batch, &record->run);
        break;
    case WRITE_RUN_STATE:
        change_run(batch, &record->run);
        break;
    case WRITE_TRY_PLACED:
        place_try(batch, record);
        break;
    case WRITE_TRY_STARTED:
    case WRITE_TRY_ENDED:
    case WRITE_TRY_CLEARED:
        change_try(batch, record);
        break;
    case WRITE_OUTPUT:
        put_output(batch, &(struct batch_output) { .run_no = record->output.run_no,
                                                   .task = record->output.task,
                                                   .map_index = record->output.map_index,
                                                   .json = record->output.json });
        break;
    case WRITE_EXPANSION:
        KEEP_LAST(batch, expansions, record, record->expansion.run_no, record->expansion.task);
        break;
    case WRITE_REQUEST_DONE:
        KEEP_LAST(batch, requests, record, record->request.request_no);
        break;
    case WRITE_DAG_STATE:
        KEEP_LAST(batch, dags, record, record->dag.dag_no);
        break;
    case WRITE_WORKER:
        KEEP_LAST(batch, workers, record, record->worker.worker_no);
        break;
    case WRITE_AUTOSCALE:
        VEC_ADD(&batch->autoscales, record);
        break;
    case WRITE_RUN_DELETE:
        VEC_ADD(&batch->dropped_runs, record);
        break;
    case WRITE_DAG_DELETE:
        VEC_ADD(&batch->dropped_dags, record);
        break;
    case WRITE_BACKFILL:
        KEEP_LAST(batch, backfills, record, record->backfill.backfill_no);
        break;
    case WRITE_FILE_TAKEN:
        VEC_ADD(&batch->files, record);
        break;
    case WRITE_ASSET_EVENT:
        VEC_ADD(&batch->asset_events, record);
        break;
    case WRITE_ASSET_KEPT:
        VEC_ADD(&batch->assets_kept, record);
        break;
    case WRITE_ASSET_DROPPED:
        VEC_ADD(&batch->assets_dropped, record);
        break;
    case WRITE_ASSET_TAKEN:
        VEC_ADD(&batch->assets_taken, record);
        break;
    case WRITE_BACKFILL_RUN:
        VEC_ADD(&batch->backfill_runs, record);
        break;
    case WRITE_NOTIFICATION:
        VEC_ADD(&batch->notifications, record);
        break;
    case WRITE_NOTIFICATION_STATE:
        KEEP_LAST(batch, notification_states, record, (int64_t)record->notification.id.low,
                  (uint32_t)(record->notification.id.high >> 32),
                  (int32_t)(uint32_t)record->notification.id.high);
        break;
    case WRITE_WORKER_LOAD:
        KEEP_LAST(batch, worker_loads, record, record->worker_load.worker_no);
        break;
    }
}

static int compare_tries(const void *left, const void *right)
{
    const struct try_row *a = &((const struct batch_try *)left)->row,
                         *b = &((const struct batch_try *)right)->row;

    if (a->run_no != b->run_no)
        return a->run_no < b->run_no ? -1 : 1;
    if (a->task != b->task)
        return a->task < b->task ? -1 : 1;
    if (a->map_index != b->map_index)
        return a->map_index < b->map_index ? -1 : 1;
    return a->row_no < b->row_no ? -1 : a->row_no > b->row_no;
}

static void split_outputs(struct batch *batch)
{
    uint32_t kept = 0;

    VEC_EACH (&batch->outputs, i) {
        if (batch->outputs.items[i].is_dropped)
            VEC_ADD(&batch->dropped_outputs, batch->outputs.items[i]);
        else
            batch->outputs.items[kept++] = batch->outputs.items[i];
    }
    batch->outputs.count = kept;
}

void batch_collect(struct batch *batch, const struct record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        collect_one(batch, &records[i]);
    split_outputs(batch);
    if (batch->placed.count > 1)
        qsort(batch->placed.items, batch->placed.count, sizeof *batch->placed.items, compare_tries);
    if (batch->tries.count > 1)
        qsort(batch->tries.items, batch->tries.count, sizeof *batch->tries.items, compare_tries);
}

void batch_clear(struct batch *batch)
{
    VEC_CLEAR(&batch->created);
    VEC_CLEAR(&batch->runs);
    VEC_CLEAR(&batch->placed);
    VEC_CLEAR(&batch->tries);
    VEC_CLEAR(&batch->outputs);
    VEC_CLEAR(&batch->dropped_outputs);
    VEC_CLEAR(&batch->expansions);
    VEC_CLEAR(&batch->requests);
    VEC_CLEAR(&batch->dags);
    VEC_CLEAR(&batch->workers);
    VEC_CLEAR(&batch->autoscales);
    VEC_CLEAR(&batch->dropped_runs);
    VEC_CLEAR(&batch->dropped_dags);
    VEC_CLEAR(&batch->backfills);
    VEC_CLEAR(&batch->backfill_runs);
    VEC_CLEAR(&batch->files);
    VEC_CLEAR(&batch->asset_events);
    VEC_CLEAR(&batch->assets_kept);
    VEC_CLEAR(&batch->assets_dropped);
    VEC_CLEAR(&batch->assets_taken);
    VEC_CLEAR(&batch->notifications);
    VEC_CLEAR(&batch->notification_states);
    VEC_CLEAR(&batch->worker_loads);
    map_clear(&batch->run_index);
    map_clear(&batch->try_index);
    map_clear(&batch->output_index);
    map_clear(&batch->last_index);
    arena_clear(&batch->arena);
}
