// SPDX-License-Identifier: Apache-2.0
#include "tests/support/model_store.h"

#include "common/base/assert.h"
#include "common/text/json.h"

void model_store_init(struct model_store *store)
{
    *store = (struct model_store) { 0 };
}

static void tables_clear(struct model_store *store)
{
    VEC_EACH (&store->runs, i) {
        VEC_CLEAR(&store->runs.items[i].tries);
        VEC_CLEAR(&store->runs.items[i].outputs);
        VEC_CLEAR(&store->runs.items[i].expansions);
    }
    VEC_CLEAR(&store->runs);
    map_clear(&store->run_index);
    VEC_CLEAR(&store->workers);
    VEC_CLEAR(&store->loads);
    VEC_CLEAR(&store->autoscales);
    VEC_CLEAR(&store->requests);
    VEC_EACH (&store->backfills, i)
        VEC_CLEAR(&store->backfills.items[i].dates);
    VEC_CLEAR(&store->backfills);
    VEC_CLEAR(&store->events);
    VEC_CLEAR(&store->kept);
    VEC_CLEAR(&store->files);
    VEC_CLEAR(&store->notifications);
}

void model_store_clear(struct model_store *store)
{
    tables_clear(store);
    VEC_CLEAR(&store->dags);
    VEC_CLEAR(&store->versions);
    VEC_CLEAR(&store->log);
    arena_clear(&store->arena);
}

struct model_dag *model_store_dag_row(struct model_store *store, int32_t dag_no)
{
    VEC_EACH (&store->dags, i)
        if (store->dags.items[i].dag_no == dag_no)
            return &store->dags.items[i];
    return NULL;
}

void model_store_dag(struct model_store *store, int32_t dag_no, int64_t version_no,
                     const struct dag *dag, bool paused)
{
    struct model_dag *row = model_store_dag_row(store, dag_no);
    if (row == NULL) {
        VEC_ADD(&store->dags,
                (struct model_dag) { .dag_no = dag_no, .began_paused = paused, .paused = paused });
        row = &VEC_LAST(&store->dags);
    }
    row->version_no = version_no;
    VEC_ADD(&store->versions,
            (struct model_version) { dag_no, version_no, dag_to_json(dag, &store->arena),
                                     dag->deadline_percentile > 0 });
}

/* ---- rows ------------------------------------------------------------------------------------ */

struct model_run *model_store_run(struct model_store *store, int64_t run_no)
{
    uint64_t index = 0;
    return map_get(&store->run_index, (uint64_t)run_no, &index) ? &store->runs.items[index] : NULL;
}

const struct model_try *model_store_newest(const struct model_run *run, uint32_t task,
                                           int32_t map_index)
{
    const struct model_try *newest = NULL;
    VEC_EACH (&run->tries, i) {
        const struct model_try *row = &run->tries.items[i];
        if (row->row.task == task && row->row.map_index == map_index &&
            (newest == NULL || row->row.row_no > newest->row.row_no))
            newest = row;
    }
    return newest;
}

static struct model_try *try_of(struct model_run *run, const struct try_row *row)
{
    for (uint32_t i = run->tries.count; i-- > 0;) {
        struct model_try *at = &run->tries.items[i];
        if (at->row.task == row->task && at->row.map_index == row->map_index &&
            at->row.row_no == row->row_no)
            return at;
    }
    return NULL;
}

static int conflict(struct err *err, const struct record *record, const char *what)
{
    return err_set(err, ERR_CONFLICT, "record type %d, run %lld task %u map %d row %u to %s: %s",
                   record->type, (long long)record->try.run_no, record->try.task,
                   record->try.map_index, record->try.row_no, task_state_name(record->try.state),
                   what);
}

/* As common/store guards it: queued, running and restarting count as one, and so do those that
 * wait. */
static bool may_become(enum task_state from, enum task_state to, enum cause cause)
{
    static const enum task_state open[] = { TASK_QUEUED, TASK_RUNNING, TASK_RESTARTING };
    static const enum task_state waiting[] = { TASK_SCHEDULED, TASK_UP_FOR_RETRY,
                                               TASK_UP_FOR_RESCHEDULE, TASK_DEFERRED };
    bool is_open = false, is_waiting = false, legal = transition_is_legal(from, to, cause);
    for (int i = 0; i < 3; i++)
        is_open |= from == open[i];
    for (int i = 0; i < 4; i++)
        is_waiting |= from == waiting[i];
    for (int i = 0; i < 3 && is_open; i++)
        legal |= transition_is_legal(open[i], to, cause);
    for (int i = 0; i < 4 && is_waiting; i++)
        legal |= transition_is_legal(waiting[i], to, cause);
    return legal;
}

static int try_place(struct model_store *store, const struct record *record, struct err *err)
{
    struct model_run *run = model_store_run(store, record->try.run_no);
    if (run == NULL || run->deleted)
        return conflict(err, record, "there is no such run");
    if (try_of(run, &record->try) != NULL)
        return conflict(err, record, "there is such a row");
    VEC_ADD(&run->tries, (struct model_try) { .row = record->try });
    return 0;
}

/* What is not known now stays as it was known before. */
static void try_end(struct try_row *row, const struct try_row *end)
{
    if (end->ended_ms != 0)
        row->ended_ms = end->ended_ms;
    if (end->cpu_ms != 0)
        row->cpu_ms = end->cpu_ms;
    if (end->memory_peak_bytes != 0)
        row->memory_peak_bytes = end->memory_peak_bytes;
    if (end->error.size > 0)
        row->error = end->error;
    if (end->started_ms != 0 && end->cause != CAUSE_MARKED)
        row->exit_code = end->exit_code;
    row->retry_ms = end->retry_ms;
}

static int try_change(struct model_store *store, const struct record *record, struct err *err)
{
    struct model_run *run = model_store_run(store, record->try.run_no);
    struct model_try *row = run != NULL ? try_of(run, &record->try) : NULL;
    if (row == NULL)
        return conflict(err, record, "there is no such row");
    if (!id_is_zero(record->try.attempt) && !id_eq(record->try.attempt, row->row.attempt))
        return conflict(err, record, "the row has another attempt");
    if (record->type == WRITE_TRY_CLEARED) {
        row->cleared = true;
        if (row->row.state == TASK_SCHEDULED || row->row.state == TASK_QUEUED ||
            row->row.state == TASK_RUNNING) {
            row->row.state = TASK_RESTARTING;
            row->row.cause = record->try.cause;
        }
        if (row->row.ended_ms == 0)
            row->row.ended_ms = record->try.ended_ms;
        row->row.retry_ms = 0;
        for (uint32_t i = 0; i < run->outputs.count; i++)
            if (run->outputs.items[i].task == record->try.task &&
                run->outputs.items[i].map_index == record->try.map_index)
                run->outputs.items[i].json = STR_EMPTY;
        return 0;
    }
    if (!may_become(row->row.state, record->try.state, record->try.cause))
        return conflict(err, record, task_state_name(row->row.state));
    row->row.state = record->try.state;
    row->row.cause = record->try.cause;
    if (record->try.started_ms != 0)
        row->row.started_ms = record->try.started_ms;
    if (record->type == WRITE_TRY_STARTED)
        return 0;
    try_end(&row->row, &record->try);
    return 0;
}

/* Whether a new run is found by its name. One that was is so no more, and never again. */
static bool take_name(struct model_store *store, const struct run_row *row)
{
    VEC_EACH (&store->runs, i) {
        struct model_run *run = &store->runs.items[i];
        if (run->deleted || !run->has_name || run->row.dag_no != row->dag_no ||
            !str_eq(run->row.run_id, row->run_id))
            continue;
        if (run->row.run_no > row->run_no)
            return false;
        run->has_name = false;
    }
    return true;
}

static int run_create(struct model_store *store, const struct record *record, struct err *err)
{
    if (model_store_run(store, record->run.run_no) != NULL)
        return err_set(err, ERR_CONFLICT, "there is a run number %lld already",
                       (long long)record->run.run_no);
    map_put(&store->run_index, (uint64_t)record->run.run_no, store->runs.count);
    bool has_name = take_name(store, &record->run);
    VEC_ADD(&store->runs, (struct model_run) { .row = record->run, .has_name = has_name });
    return 0;
}

static int run_change(struct model_store *store, const struct record *record, struct err *err)
{
    struct model_run *run = model_store_run(store, record->run.run_no);
    if (run == NULL || run->deleted)
        return err_set(err, ERR_CONFLICT, "there is no run number %lld",
                       (long long)record->run.run_no);
    run->row.version_no = record->run.version_no;
    run->row.state = record->run.state;
    run->row.cause = record->run.cause;
    run->row.started_ms = record->run.started_ms;
    run->row.ended_ms = record->run.ended_ms;
    run->row.succeeded = record->run.succeeded;
    run->row.failed = record->run.failed;
    run->row.skipped = record->run.skipped;
    return 0;
}

static void output_put(struct model_store *store, const struct record *record)
{
    struct model_run *run = model_store_run(store, record->output.run_no);
    ASSERT(run != NULL);
    VEC_EACH (&run->outputs, i) {
        if (run->outputs.items[i].task != record->output.task ||
            run->outputs.items[i].map_index != record->output.map_index)
            continue;
        run->outputs.items[i].json = record->output.json;
        return;
    }
    VEC_ADD(&run->outputs, (struct model_output) { record->output.task, record->output.map_index,
                                                   record->output.json });
}

static void expansion_put(struct model_store *store, const struct record *record)
{
    struct model_run *run = model_store_run(store, record->expansion.run_no);
    ASSERT(run != NULL);
    VEC_EACH (&run->expansions, i) {
        if (run->expansions.items[i].task != record->expansion.task)
            continue;
        run->expansions.items[i].length = record->expansion.length;
        run->expansions.items[i].items = record->expansion.items;
        return;
    }
    VEC_ADD(&run->expansions,
            (struct model_expansion) { record->expansion.task, record->expansion.length,
                                       record->expansion.items });
}

static int run_delete(struct model_store *store, const struct record *record, struct err *err)
{
    struct model_run *run = model_store_run(store, record->run_delete.run_no);
    if (run == NULL)
        return err_set(err, ERR_CONFLICT, "there is no run to delete");
    run->deleted = true;
    VEC_CLEAR(&run->tries);
    VEC_CLEAR(&run->outputs);
    VEC_CLEAR(&run->expansions);
    return 0;
}

static void worker_put(struct model_store *store, const struct record *record)
{
    VEC_EACH (&store->workers, i) {
        if (store->workers.items[i].worker.worker_no != record->worker.worker_no)
            continue;
        store->workers.items[i] = *record;
        return;
    }
    VEC_ADD(&store->workers, *record);
}

static bool worker_is_known(const struct model_store *store, int64_t worker_no)
{
    VEC_EACH (&store->workers, i)
        if (store->workers.items[i].worker.worker_no == worker_no)
            return true;
    return false;
}

struct machine_load model_store_load(const struct model_store *store, int64_t worker_no)
{
    VEC_EACH (&store->loads, i)
        if (store->loads.items[i].worker_load.worker_no == worker_no)
            return store->loads.items[i].worker_load.load;
    return (struct machine_load) { 0 };
}

static void worker_load_set(struct model_store *store, const struct record *record)
{
    VEC_EACH (&store->loads, i) {
        if (store->loads.items[i].worker_load.worker_no != record->worker_load.worker_no)
            continue;
        store->loads.items[i] = *record;
        return;
    }
    if (worker_is_known(store, record->worker_load.worker_no))
        VEC_ADD(&store->loads, *record);
}

/* ---- DAGs ------------------------------------------------------------------------------------ */

static void dag_put(struct model_store *store, const struct record *record)
{
    struct model_dag *dag = model_store_dag_row(store, record->dag.dag_no);
    ASSERT(dag != NULL);
    dag->paused = record->dag.paused;
    dag->next_fire_ms = record->dag.next_fire_ms;
    if (record->dag.has_last) {
        dag->has_last = true;
        dag->last_fire_ms = record->dag.last_fire_ms;
    }
}

#define DROP_IF(vec, ...)                                                                          \
    do {                                                                                           \
        uint32_t left = 0;                                                                         \
        VEC_EACH ((vec), i) {                                                                      \
            typeof((vec)->items) row = &(vec)->items[i];                                           \
            if (!(__VA_ARGS__))                                                                    \
                (vec)->items[left++] = *row;                                                       \
        }                                                                                          \
        (vec)->count = left;                                                                       \
    } while (0)

/* As the foreign keys do it. */
static void dag_drop(struct model_store *store, int32_t dag_no)
{
    model_store_dag_row(store, dag_no)->deleted = true;
    VEC_EACH (&store->runs, i)
        store->runs.items[i].deleted |= store->runs.items[i].row.dag_no == dag_no;
    VEC_EACH (&store->backfills, i)
        if (store->backfills.items[i].row.dag_no == dag_no)
            VEC_CLEAR(&store->backfills.items[i].dates);
    DROP_IF(&store->backfills, row->row.dag_no == dag_no);
    DROP_IF(&store->kept, row->dag_no == dag_no && row->run_no == 0);
    DROP_IF(&store->files, row->file.dag_no == dag_no);
}

/* ---- backfills, assets, files, notifications ------------------------------------------------- */

static struct model_backfill *backfill_of(struct model_store *store, int64_t backfill_no)
{
    VEC_EACH (&store->backfills, i)
        if (store->backfills.items[i].row.backfill_no == backfill_no)
            return &store->backfills.items[i];
    return NULL;
}

static void backfill_put(struct model_store *store, const struct record *record)
{
    struct model_backfill *backfill = backfill_of(store, record->backfill.backfill_no);
    if (backfill == NULL) {
        VEC_ADD(&store->backfills, (struct model_backfill) { .row = record->backfill });
        return;
    }
    backfill->row.paused = record->backfill.paused;
    backfill->row.has_cursor = record->backfill.has_cursor;
    backfill->row.cursor_ms = record->backfill.cursor_ms;
    backfill->row.ended_ms = record->backfill.ended_ms;
}

static int backfill_date_put(struct model_store *store, const struct record *record,
                             struct err *err)
{
    struct model_backfill *backfill = backfill_of(store, record->backfill_run.backfill_no);
    if (backfill == NULL)
        return err_set(err, ERR_CONFLICT, "there is no backfill %lld",
                       (long long)record->backfill_run.backfill_no);
    VEC_EACH (&backfill->dates, i)
        if (backfill->dates.items[i].backfill_run.logical_ms == record->backfill_run.logical_ms)
            return err_set(err, ERR_CONFLICT, "backfill %lld has done that date",
                           (long long)backfill->row.backfill_no);
    VEC_ADD(&backfill->dates, *record);
    return 0;
}

static int asset_keep(struct model_store *store, const struct record *record, struct err *err)
{
    VEC_EACH (&store->kept, i)
        if (store->kept.items[i].dag_no == record->asset_kept.dag_no &&
            store->kept.items[i].event_no == record->asset_kept.event_no)
            return err_set(err, ERR_CONFLICT, "event %lld is kept twice",
                           (long long)record->asset_kept.event_no);
    VEC_ADD(&store->kept,
            (struct model_kept) { record->asset_kept.dag_no, record->asset_kept.event_no, 0 });
    return 0;
}

static void asset_drop(struct model_store *store, const struct record *record)
{
    uint32_t left = 0;
    VEC_EACH (&store->kept, i)
        if (store->kept.items[i].dag_no != record->asset_kept.dag_no ||
            store->kept.items[i].event_no != record->asset_kept.event_no ||
            store->kept.items[i].run_no != 0)
            store->kept.items[left++] = store->kept.items[i];
    store->kept.count = left;
}

static void asset_take(struct model_store *store, const struct record *record)
{
    VEC_EACH (&store->kept, i) {
        struct model_kept *kept = &store->kept.items[i];
        if (kept->dag_no == record->asset_taken.dag_no &&
            kept->event_no <= record->asset_taken.last_event_no && kept->run_no == 0)
            kept->run_no = record->asset_taken.run_no;
    }
}

bool model_store_file_known(const struct model_store *store, int32_t dag_no, struct id128 content)
{
    VEC_EACH (&store->files, i)
        if (store->files.items[i].file.dag_no == dag_no &&
            id_eq(store->files.items[i].file.content, content))
            return true;
    return false;
}

static int file_put(struct model_store *store, const struct record *record, struct err *err)
{
    if (model_store_file_known(store, record->file.dag_no, record->file.content))
        return err_set(err, ERR_CONFLICT, "that file has started a run already");
    VEC_ADD(&store->files, *record);
    return 0;
}

static int event_put(struct model_store *store, const struct record *record, struct err *err)
{
    VEC_EACH (&store->events, i)
        if (store->events.items[i].event_no == record->asset_event.event_no)
            return err_set(err, ERR_CONFLICT, "there is an event %lld already",
                           (long long)record->asset_event.event_no);
    VEC_ADD(&store->events, record->asset_event);
    return 0;
}

struct notification_row *model_store_notification(struct model_store *store, struct id128 id)
{
    VEC_EACH (&store->notifications, i)
        if (id_eq(store->notifications.items[i].id, id))
            return &store->notifications.items[i];
    return NULL;
}

static int notification_change(struct model_store *store, const struct record *record,
                               struct err *err)
{
    struct notification_row *row = model_store_notification(store, record->notification.id);
    if (row == NULL || row->state != NOTIFICATION_PENDING)
        return err_set(err, ERR_CONFLICT, "there is no such notification that waits");
    row->state = record->notification.state;
    row->tries = record->notification.tries;
    row->next_ms = record->notification.next_ms;
    row->error = record->notification.error;
    return 0;
}

static int apply_one(struct model_store *store, const struct record *record, struct err *err)
{
    switch (record->type) {
    case WRITE_RUN_CREATE:
        return run_create(store, record, err);
    case WRITE_RUN_STATE:
        return run_change(store, record, err);
    case WRITE_TRY_PLACED:
        return try_place(store, record, err);
    case WRITE_TRY_STARTED:
    case WRITE_TRY_ENDED:
    case WRITE_TRY_CLEARED:
        return try_change(store, record, err);
    case WRITE_OUTPUT:
        output_put(store, record);
        return 0;
    case WRITE_EXPANSION:
        expansion_put(store, record);
        return 0;
    case WRITE_REQUEST_DONE:
        VEC_ADD(&store->requests,
                (struct model_request) { record->request.request_no, record->request.code,
                                         record->request.answer });
        return 0;
    case WRITE_DAG_STATE:
        dag_put(store, record);
        return 0;
    case WRITE_WORKER:
        worker_put(store, record);
        return 0;
    case WRITE_WORKER_LOAD:
        worker_load_set(store, record);
        return 0;
    case WRITE_AUTOSCALE:
        VEC_ADD(&store->autoscales, *record);
        return 0;
    case WRITE_RUN_DELETE:
        return run_delete(store, record, err);
    case WRITE_BACKFILL:
        backfill_put(store, record);
        return 0;
    case WRITE_FILE_TAKEN:
        return file_put(store, record, err);
    case WRITE_ASSET_EVENT:
        return event_put(store, record, err);
    case WRITE_ASSET_KEPT:
        return asset_keep(store, record, err);
    case WRITE_ASSET_DROPPED:
        asset_drop(store, record);
        return 0;
    case WRITE_ASSET_TAKEN:
        asset_take(store, record);
        return 0;
    case WRITE_BACKFILL_RUN:
        return backfill_date_put(store, record, err);
    case WRITE_DAG_DELETE:
        dag_drop(store, record->dag.dag_no);
        return 0;
    case WRITE_NOTIFICATION:
        if (model_store_notification(store, record->notification.id) != NULL)
            return err_set(err, ERR_CONFLICT, "there is such a notification already");
        VEC_ADD(&store->notifications, record->notification);
        return 0;
    case WRITE_NOTIFICATION_STATE:
        return notification_change(store, record, err);
    }
    return 0;
}

/* Strings in records belong to the core. */
void model_store_keep(struct arena *arena, struct record *record)
{
#define KEEP(field) record->field = str_copy(arena, record->field)
    switch (record->type) {
    case WRITE_RUN_CREATE:
    case WRITE_RUN_STATE:
        KEEP(run.run_id);
        KEEP(run.conf);
        KEEP(run.triggered_by);
        KEEP(run.note);
        break;
    case WRITE_TRY_PLACED:
    case WRITE_TRY_STARTED:
    case WRITE_TRY_ENDED:
    case WRITE_TRY_CLEARED:
        KEEP(try.pool);
        KEEP(try.queue);
        KEEP(try.error);
        KEEP(try.map_label);
        break;
    case WRITE_OUTPUT:
        KEEP(output.json);
        break;
    case WRITE_EXPANSION:
        KEEP(expansion.items);
        break;
    case WRITE_REQUEST_DONE:
        KEEP(request.answer);
        break;
    case WRITE_WORKER:
        KEEP(worker.worker);
        KEEP(worker.name);
        KEEP(worker.host);
        KEEP(worker.version);
        KEEP(worker.queues);
        KEEP(worker.reason);
        break;
    case WRITE_AUTOSCALE:
        KEEP(autoscale.queue);
        KEEP(autoscale.reason);
        break;
    case WRITE_RUN_DELETE:
        KEEP(run_delete.run_id);
        break;
    case WRITE_BACKFILL:
        KEEP(backfill.conf);
        KEEP(backfill.triggered_by);
        break;
    case WRITE_FILE_TAKEN:
        KEEP(file.path);
        break;
    case WRITE_ASSET_EVENT:
        KEEP(asset_event.asset);
        KEEP(asset_event.extra);
        break;
    case WRITE_ASSET_KEPT:
    case WRITE_ASSET_DROPPED:
    case WRITE_ASSET_TAKEN:
    case WRITE_WORKER_LOAD:
        break;
    case WRITE_BACKFILL_RUN:
        KEEP(backfill_run.reason);
        break;
    case WRITE_NOTIFICATION:
    case WRITE_NOTIFICATION_STATE:
        KEEP(notification.event);
        KEEP(notification.kind);
        KEEP(notification.target);
        KEEP(notification.queue);
        KEEP(notification.payload);
        KEEP(notification.error);
        break;
    case WRITE_DAG_STATE:
    case WRITE_DAG_DELETE:
        break;
    }
#undef KEEP
}

int model_store_apply(struct model_store *store, const struct record *records, uint32_t count,
                      int64_t at_ms, struct err *err)
{
    struct record *kept = arena_copy(&store->arena, records, count * sizeof *records);
    for (uint32_t i = 0; i < count; i++) {
        model_store_keep(&store->arena, &kept[i]);
        int rc = apply_one(store, &kept[i], err);
        if (rc < 0)
            return rc;
    }
    VEC_ADD(&store->log, (struct model_log) { kept, count, at_ms });
    return 0;
}

void model_store_lose(struct model_store *store, uint32_t kept)
{
    tables_clear(store);
    VEC_EACH (&store->dags, i) {
        struct model_dag *dag = &store->dags.items[i];
        dag->paused = dag->began_paused;
        dag->has_last = dag->deleted = false;
        dag->next_fire_ms = 0;
    }
    store->log.count = kept < store->log.count ? kept : store->log.count;
    VEC_EACH (&store->log, i) {
        for (uint32_t k = 0; k < store->log.items[i].count; k++) {
            int rc = apply_one(store, &store->log.items[i].records[k], NULL);
            ASSERT(rc == 0);
        }
    }
}

bool model_store_answered(const struct model_store *store, int64_t request_no, int *out_code,
                          struct str *out_answer)
{
    VEC_EACH (&store->requests, i) {
        if (store->requests.items[i].request_no != request_no)
            continue;
        *out_code = store->requests.items[i].code;
        *out_answer = store->requests.items[i].answer;
        return true;
    }
    return false;
}

int64_t model_store_run_no_next(const struct model_store *store)
{
    int64_t next = 0;
    VEC_EACH (&store->runs, i)
        if (store->runs.items[i].row.run_no >= next)
            next = store->runs.items[i].row.run_no + 1;
    return next;
}

int64_t model_store_event_no_next(const struct model_store *store)
{
    int64_t next = 1;
    VEC_EACH (&store->events, i)
        if (store->events.items[i].event_no >= next)
            next = store->events.items[i].event_no + 1;
    return next;
}
