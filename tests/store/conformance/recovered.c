// SPDX-License-Identifier: Apache-2.0
#include "tests/store/conformance/recovered.h"

#include "common/store/recover.h"
#include "tests/support/test.h"

void recovered_run_line(struct lines *lines, const struct recovered_run *run)
{
    struct buf text = { 0 };

    buf_printf(
        &text,
        "run %lld dag %d version %lld %.*s %d %d %d %s %lld %lld %lld after %lld queued %lld "
        "started %lld ended %lld %.*s",
        (long long)run->run_no, run->dag_no, (long long)run->version_no, STR_ARG(run->run_id),
        (int)run->state, (int)run->cause, (int)run->type, run->has_logical ? "logical" : "",
        (long long)run->logical_ms, (long long)run->interval_start_ms,
        (long long)run->interval_end_ms, (long long)run->run_after_ms,
        (long long)run->queued_wall_ms, (long long)run->started_wall_ms,
        (long long)run->ended_wall_ms, STR_ARG(run->conf));
    for (uint32_t i = 0; i < run->try_count; i++) {
        const struct recovered_try *try = &run->tries[i];

        buf_printf(&text,
                   "; %u[%d] row %u try %u %u+%u state %d %d%s attempt %llx%016llx %lld %llu/%llu "
                   "%lld %lld %lld %lld %.*s",
                   try->task, try->map_index, try->row_no, try->try_no, try->try_base,
                   try->infra_tries, (int)try->state, (int)try->cause,
                   try->cleared ? " cleared" : "", (unsigned long long)try->attempt.high,
                   (unsigned long long)try->attempt.low, (long long)try->worker_no,
                   (unsigned long long)try->credit.incarnation, (unsigned long long)try->credit.seq,
                   (long long)try->queued_wall_ms, (long long)try->started_wall_ms,
                   (long long)try->ended_wall_ms, (long long)try->retry_wall_ms,
                   STR_ARG(try->output));
    }
    /* The model gives expansions as they came, the database by task. */
    for (uint32_t task = 0; task < 16; task++) {
        for (uint32_t i = 0; i < run->expansion_count; i++) {
            if (run->expansions[i].task == task)
                buf_printf(&text, "; expansion %u %.*s", task, STR_ARG(run->expansions[i].items));
        }
    }
    lines_add(lines, "%.*s", STR_ARG(buf_str(&text)));
    buf_clear(&text);
}

static void dag_line(struct lines *lines, int32_t dag_no, int64_t version_no, bool is_newest,
                     bool is_paused, bool has_last, int64_t last_fire_ms)
{
    lines_add(lines, "dag %d version %lld%s%s last %lld", dag_no, (long long)version_no,
              is_newest ? " newest" : "", is_paused ? " paused" : "",
              has_last ? (long long)last_fire_ms : -1LL);
}

static void worker_line(struct lines *lines, int64_t worker_no, struct str identity,
                        enum worker_state state)
{
    lines_add(lines, "worker %lld %.*s %d", (long long)worker_no, STR_ARG(identity), (int)state);
}

static void asset_line(struct lines *lines, const struct recovered_event *event)
{
    lines_add(lines, "kept by %d: %lld %.*s", event->dag_no, (long long)event->event_no,
              STR_ARG(event->asset));
}

static int compare_numbers(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

static void add_numbers(struct buf *text, const int64_t *numbers, uint32_t count)
{
    struct arena arena = { 0 };
    int64_t *sorted = arena_copy(&arena, numbers, count * sizeof *numbers);

    if (count > 1)
        qsort(sorted, count, sizeof *sorted, compare_numbers);
    for (uint32_t i = 0; i < count; i++)
        buf_printf(text, " %lld", (long long)sorted[i]);
    arena_clear(&arena);
}

static void backfill_line(struct lines *lines, const struct recovered_backfill *backfill)
{
    const struct backfill_row *row = &backfill->row;
    struct buf text = { 0 };

    buf_printf(&text,
               "backfill %lld of %d: %lld %lld %d %d%s%s %.*s %.*s cursor %lld %lld %lld runs",
               (long long)row->backfill_no, row->dag_no, (long long)row->from_ms,
               (long long)row->to_ms, row->max_active_runs, (int)row->reprocess,
               row->backwards ? " backwards" : "", row->paused ? " paused" : "", STR_ARG(row->conf),
               STR_ARG(row->triggered_by), row->has_cursor ? (long long)row->cursor_ms : -1LL,
               (long long)row->created_ms, (long long)row->ended_ms);
    add_numbers(&text, backfill->run_nos, backfill->run_count);
    buf_printf(&text, " dates");
    add_numbers(&text, backfill->dates, backfill->date_count);
    lines_add(lines, "%.*s", STR_ARG(buf_str(&text)));
    buf_clear(&text);
}

static void notification_line(struct lines *lines, const struct notification_row *row)
{
    lines_add(lines, "notification %llu of %lld %d %d[%d] %d %.*s %.*s %.*s %.*s %.*s %d %u %lld",
              (unsigned long long)row->id.low, (long long)row->run_no, row->dag_no, row->task,
              row->map_index, row->try_no, STR_ARG(row->event), STR_ARG(row->kind),
              STR_ARG(row->target), STR_ARG(row->queue), STR_ARG(row->payload), (int)row->state,
              row->tries, (long long)row->next_ms);
}

static void length_line(struct lines *lines, int32_t dag_no, int64_t length_ms)
{
    lines_add(lines, "a run of %d took %lld", dag_no, (long long)length_ms);
}

/* ---- of the model ---------------------------------------------------------------------------- */

static void feed(void *owner, struct core_event *event)
{
    struct lines *lines = owner;

    switch (event->type) {
    case CORE_DAG:
        dag_line(lines, event->dag.dag_no, event->dag.version_no, event->dag.newest,
                 event->dag.paused, event->dag.has_last, event->dag.last_fire_ms);
        dag_free(event->dag.dag);
        break;
    case CORE_WORKER_RECOVERED:
        worker_line(lines, event->worker.worker_no, event->worker.worker, event->worker.state);
        break;
    case CORE_ASSET_RECOVERED:
        asset_line(lines, event->asset);
        break;
    case CORE_BACKFILL_RECOVERED:
        backfill_line(lines, event->backfill);
        break;
    case CORE_RUN_RECOVERED:
        recovered_run_line(lines, event->run);
        break;
    case CORE_LENGTH:
        length_line(lines, event->length.dag_no, event->length.ms);
        break;
    case CORE_NOTIFICATION:
        notification_line(lines, event->notification);
        break;
    default:
        fail_msg("recovery of the model gives an event of type %d", (int)event->type);
    }
}

void recovered_of_model(struct model_store *store, struct buf *out)
{
    struct lines lines = { 0 };

    model_store_recover(store, &lines, feed);
    lines_add(&lines, "next asset event %lld", (long long)model_store_event_no_next(store));
    lines_join(&lines, out);
}

/* ---- of the database ------------------------------------------------------------------------- */

struct reading {
    struct lines lines;
    bool done;
};

static void on_numbers(void *owner, const struct recovered_numbers *numbers)
{
    struct reading *reading = owner;

    lines_add(&reading->lines, "next asset event %lld", (long long)numbers->event_no_next);
}

static void on_dag(void *owner, const struct recovered_dag *dag)
{
    struct reading *reading = owner;

    dag_line(&reading->lines, dag->dag_no, dag->version_no, dag->is_newest, dag->is_paused,
             dag->has_last, dag->last_fire_ms);
}

static void on_worker(void *owner, const struct recovered_worker *worker)
{
    struct reading *reading = owner;

    worker_line(&reading->lines, worker->worker_no, worker->worker, worker->state);
}

static void on_asset(void *owner, const struct recovered_event *event)
{
    asset_line(&((struct reading *)owner)->lines, event);
}

static void on_backfill(void *owner, const struct recovered_backfill *backfill)
{
    backfill_line(&((struct reading *)owner)->lines, backfill);
}

static void on_length(void *owner, int32_t dag_no, int64_t length_ms)
{
    length_line(&((struct reading *)owner)->lines, dag_no, length_ms);
}

static void on_run(void *owner, const struct recovered_run *run)
{
    recovered_run_line(&((struct reading *)owner)->lines, run);
}

static void on_notification(void *owner, const struct notification_row *row)
{
    notification_line(&((struct reading *)owner)->lines, row);
}

static void on_end(void *owner, int rc, const struct err *err)
{
    if (rc < 0)
        fail_msg("recovering: %s", err->sentence);
    ((struct reading *)owner)->done = true;
}

void recovered_of_database(struct store_world *world, struct buf *out)
{
    static const struct recover_handler handler = { .on_numbers = on_numbers,
                                                    .on_dag = on_dag,
                                                    .on_worker = on_worker,
                                                    .on_asset = on_asset,
                                                    .on_backfill = on_backfill,
                                                    .on_length = on_length,
                                                    .on_run = on_run,
                                                    .on_notification = on_notification,
                                                    .on_end = on_end };
    struct reading reading = { 0 };

    store_recover(world->store, &handler, &reading);
    store_world_wait(world, &reading.done);
    lines_join(&reading.lines, out);
}
