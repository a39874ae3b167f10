// SPDX-License-Identifier: Apache-2.0
/* Records of all that stands beside runs. */
#include "tests/store/conformance/play.h"

/* ---- DAGs, workers, requests ----------------------------------------------------------------- */

/* Before, at and after the time from which on the dates of a backfill matter no longer. */
static int64_t pick_fire_ms(struct play *play)
{
    return (int64_t)(1 + pick(play, 3)) * 300 * 86400000;
}

/* A fire time is never forgotten. */
void make_dag_state(struct play *play)
{
    const struct model_dag *dag = pick_dag(play);
    struct record record = { .type = WRITE_DAG_STATE };

    record.dag = (typeof(record.dag)) { .dag_no = dag->dag_no,
                                        .paused = pick(play, 2) == 0,
                                        .has_last = dag->has_last || pick(play, 2) == 0,
                                        .last_fire_ms = pick_fire_ms(play),
                                        .next_fire_ms = (int64_t)pick(play, 3) * 1000 };
    for (uint32_t i = 0; i < play->count; i++) {
        const struct record *before = &play->records[i];

        if (before->type == WRITE_DAG_STATE && before->dag.dag_no == dag->dag_no)
            record.dag.has_last |= before->dag.has_last;
    }
    play_add(play, record);
}

/* Alone: what else happened to the DAG in the same transaction would go with it, or be refused. */
void make_dag_delete(struct play *play)
{
    struct record record = { .type = WRITE_DAG_DELETE };

    if (play->count > 0 || pick(play, 8) != 0)
        return;
    record.dag.dag_no = pick_dag(play)->dag_no;
    play_add(play, record);
    play->is_full = true;
}

void make_worker(struct play *play)
{
    struct record record = { .type = WRITE_WORKER };
    int64_t worker_no = 1 + (int64_t)pick(play, 4);

    record.worker =
        (typeof(record.worker)) { .worker_no = worker_no,
                                  .worker = str_format(&play->arena, "key%d", (int)worker_no),
                                  .name = pick(play, 2) == 0 ? STR("w") : STR("v"),
                                  .host = STR("h"),
                                  .version = pick(play, 2) == 0 ? STR("1") : STR("2"),
                                  .queues = pick(play, 2) == 0 ? STR("q") : STR("q,r"),
                                  .incarnation = 1 + pick(play, 9),
                                  .state = (enum worker_state)pick(play, 4),
                                  .slots = (uint32_t)pick(play, 9),
                                  .seen_ms = (int64_t)pick(play, 9),
                                  .reason = pick(play, 2) == 0 ? STR_EMPTY : STR("because") };
    play_add(play, record);
    if (pick(play, 2) == 0)
        return;
    record = (struct record) { .type = WRITE_WORKER_LOAD };
    record.worker_load.worker_no = worker_no;
    record.worker_load.load.cpu_permille = (int32_t)pick(play, 1001);
    record.worker_load.load.memory_used_bytes = (int64_t)pick(play, 9) << 32;
    record.worker_load.load.memory_total_bytes = (int64_t)pick(play, 9) << 33;
    play_add(play, record);
}

void make_autoscale(struct play *play)
{
    struct record record = { .type = WRITE_AUTOSCALE };

    record.autoscale = (typeof(record.autoscale)) { .queue = STR("q"),
                                                    .at_ms = (int64_t)pick(play, 99),
                                                    .demand = (uint32_t)pick(play, 9),
                                                    .wanted = (uint32_t)pick(play, 9),
                                                    .present = (uint32_t)pick(play, 9),
                                                    .reason = STR("because") };
    play_add(play, record);
}

void make_answer(struct play *play)
{
    struct record record = { .type = WRITE_REQUEST_DONE };
    struct str answer;
    int code;

    if (play->inbox.count == 0)
        return;
    record.request.request_no = play->inbox.items[pick(play, play->inbox.count)];
    record.request.code = -(int)pick(play, 3);
    record.request.answer = STR("{\"a\": 1}");
    if (model_store_answered(&play->model, record.request.request_no, &code, &answer))
        return;
    for (uint32_t i = 0; i < play->count; i++) {
        if (play->records[i].type == WRITE_REQUEST_DONE &&
            play->records[i].request.request_no == record.request.request_no)
            return;
    }
    play_add(play, record);
}

/* ---- backfills ------------------------------------------------------------------------------- */

static const struct model_backfill *any_backfill(struct play *play)
{
    const typeof(play->model.backfills) *backfills = &play->model.backfills;

    return backfills->count > 0 ? &backfills->items[pick(play, backfills->count)] : NULL;
}

void make_backfill(struct play *play)
{
    const struct model_backfill *known = pick(play, 2) == 0 ? any_backfill(play) : NULL;
    struct record record = { .type = WRITE_BACKFILL };

    if (known != NULL)
        record.backfill = known->row;
    else
        record.backfill =
            (struct backfill_row) { .backfill_no = ++play->backfill_last,
                                    .dag_no = pick_dag(play)->dag_no,
                                    .from_ms = 1000,
                                    .to_ms = pick_fire_ms(play),
                                    .max_active_runs = 1 + (int32_t)pick(play, 4),
                                    .reprocess = (enum reprocess)pick(play, REPROCESS_COUNT),
                                    .backwards = pick(play, 2) == 0,
                                    .conf = STR("{\"a\": 1}"),
                                    .triggered_by = STR("x"),
                                    .created_ms = (int64_t)pick(play, 99) };
    record.backfill.paused = pick(play, 2) == 0;
    record.backfill.has_cursor = pick(play, 2) == 0;
    record.backfill.cursor_ms = record.backfill.has_cursor ? (int64_t)pick(play, 99) : 0;
    record.backfill.ended_ms = (int64_t)pick(play, 2) * 99;
    play_add(play, record);
}

/* A run has one date, and so it comes once in a backfill. */
static bool is_run_of(const struct play *play, const struct model_backfill *backfill,
                      int64_t run_no)
{
    VEC_EACH (&backfill->dates, i) {
        if (backfill->dates.items[i].backfill_run.run_no == run_no)
            return true;
    }
    for (uint32_t i = 0; i < play->count; i++) {
        if (play->records[i].type == WRITE_BACKFILL_RUN &&
            play->records[i].backfill_run.run_no == run_no)
            return true;
    }
    return false;
}

void make_backfill_run(struct play *play)
{
    const struct model_backfill *backfill = any_backfill(play);
    const struct model_run *run = pick(play, 3) > 0 ? pick_run(play) : NULL;
    struct record record = { .type = WRITE_BACKFILL_RUN };

    if (backfill == NULL || (run != NULL && is_run_of(play, backfill, run->row.run_no)))
        return;
    record.backfill_run = (typeof(record.backfill_run)) {
        .backfill_no = backfill->row.backfill_no,
        .logical_ms = pick_fire_ms(play) + ++play->date_last,
        .run_no = run != NULL ? run->row.run_no : 0,
        .reason = run != NULL ? STR_EMPTY : STR("because"),
    };
    play_add(play, record);
}

/* ---- assets and files ------------------------------------------------------------------------ */

void make_asset_event(struct play *play)
{
    const struct model_run *run = pick(play, 3) > 0 ? pick_run(play) : NULL;
    struct record record = { .type = WRITE_ASSET_EVENT };

    if (play->count + DAGS >= RECORDS_MAX)
        return;
    record.asset_event = (struct asset_event) { .event_no = ++play->event_last,
                                                .asset = pick(play, 2) == 0 ? STR("a") : STR("b"),
                                                .extra = STR("{\"a\": 1}"),
                                                .at_ms = (int64_t)pick(play, 99),
                                                .dag_no = run != NULL ? run->row.dag_no : 0,
                                                .run_no = run != NULL ? run->row.run_no : 0,
                                                .task = (int32_t)pick(play, TASKS),
                                                .map_index = (int32_t)pick(play, 2) - 1 };
    play_add(play, record);
    VEC_EACH (&play->model.dags, i) {
        const struct model_dag *dag = &play->model.dags.items[i];
        struct record kept = { .type = WRITE_ASSET_KEPT };

        kept.asset_kept = (typeof(kept.asset_kept)) { dag->dag_no, play->event_last };
        if (!dag->deleted && pick(play, 2) == 0)
            play_add(play, kept);
    }
}

/* Of events that were there before: what one transaction keeps and takes is kept first. */
void make_asset_taken(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_ASSET_TAKEN };
    int64_t event_next = model_store_event_no_next(&play->model);

    if (run == NULL || pick(play, 3) > 0)
        return;
    record.asset_taken = (typeof(record.asset_taken)) { run->row.dag_no, run->row.run_no,
                                                        (int64_t)pick(play, (uint64_t)event_next) };
    play_add(play, record);
}

/* Before anything is taken: the store drops first, whatever the order of a batch. */
void make_asset_dropped(struct play *play)
{
    const typeof(play->model.kept) *kept = &play->model.kept;
    struct record record = { .type = WRITE_ASSET_DROPPED };

    for (uint32_t i = 0; i < play->count; i++)
        if (play->records[i].type == WRITE_ASSET_TAKEN)
            return;
    if (kept->count == 0)
        return;
    const struct model_kept *one = &kept->items[pick(play, kept->count)];
    record.asset_kept = (typeof(record.asset_kept)) { one->dag_no, one->event_no };
    if (one->run_no == 0)
        play_add(play, record);
}

void make_file(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_FILE_TAKEN };

    if (run == NULL)
        return;
    record.file = (typeof(record.file)) { .dag_no = run->row.dag_no,
                                          .content = { 7, ++play->id_last },
                                          .path = STR("/f"),
                                          .size = (int64_t)pick(play, 99),
                                          .mtime_ms = (int64_t)pick(play, 99),
                                          .run_no = run->row.run_no };
    play_add(play, record);
}

/* ---- notifications --------------------------------------------------------------------------- */

void make_notification(struct play *play)
{
    const struct model_run *run = pick_run(play);
    bool is_broken = pick(play, 4) == 0;
    struct record record = { .type = WRITE_NOTIFICATION };

    if (run == NULL)
        return;
    record.notification =
        (struct notification_row) { .id = { 9, ++play->id_last },
                                    .run_no = run->row.run_no,
                                    .dag_no = run->row.dag_no,
                                    .task = (int32_t)pick(play, TASKS) - 1,
                                    .map_index = (int32_t)pick(play, 2) - 1,
                                    .try_no = (uint16_t)pick(play, 3),
                                    .event =
                                        pick(play, 2) == 0 ? STR("on_failure") : STR("on_deadline"),
                                    .kind = STR("webhook"),
                                    .target = STR("h"),
                                    .queue = STR("q"),
                                    .payload = STR("{\"url\": \"http://h/secret\"}"),
                                    .state = is_broken ? NOTIFICATION_FAILED : NOTIFICATION_PENDING,
                                    .made_ms = (int64_t)pick(play, 9),
                                    .error = is_broken ? STR("error") : STR_EMPTY };
    play_add(play, record);
}

static const struct notification_row *any_notification(struct play *play)
{
    const typeof(play->model.notifications) *rows = &play->model.notifications;

    return rows->count > 0 ? &rows->items[pick(play, rows->count)] : NULL;
}

static void change_notification(struct play *play, const struct notification_row *row)
{
    struct record record = { .type = WRITE_NOTIFICATION_STATE };

    for (uint32_t i = 0; i < play->count; i++) {
        if (play->records[i].type == WRITE_NOTIFICATION_STATE &&
            id_eq(play->records[i].notification.id, row->id))
            return;
    }
    record.notification =
        (struct notification_row) { .id = row->id,
                                    .state = (enum notification_state)pick(play, 3),
                                    .tries = row->tries + 1,
                                    .next_ms = (int64_t)pick(play, 2) * 77,
                                    .event = STR_EMPTY,
                                    .kind = STR_EMPTY,
                                    .target = STR_EMPTY,
                                    .queue = STR_EMPTY,
                                    .payload = STR_EMPTY,
                                    .error = STR("error") };
    play_add(play, record);
}

void make_notification_state(struct play *play)
{
    const struct notification_row *row = any_notification(play);

    if (row != NULL && row->state == NOTIFICATION_PENDING)
        change_notification(play, row);
}

/* ---- what is there already ------------------------------------------------------------------- */

static bool double_event(struct play *play, struct record *record)
{
    const typeof(play->model.events) *events = &play->model.events;

    record->type = WRITE_ASSET_EVENT;
    if (events->count > 0)
        record->asset_event = events->items[pick(play, events->count)];
    return events->count > 0;
}

static bool double_date(struct play *play, struct record *record)
{
    const struct model_backfill *backfill = any_backfill(play);

    if (backfill == NULL || backfill->dates.count == 0)
        return false;
    *record = backfill->dates.items[pick(play, backfill->dates.count)];
    return true;
}

static bool double_file(struct play *play, struct record *record)
{
    const typeof(play->model.files) *files = &play->model.files;

    if (files->count > 0)
        *record = files->items[pick(play, files->count)];
    return files->count > 0;
}

static bool double_notification(struct play *play, struct record *record)
{
    const struct notification_row *row = any_notification(play);

    record->type = WRITE_NOTIFICATION;
    if (row != NULL)
        record->notification = *row;
    return row != NULL;
}

static bool told_again(struct play *play, struct record *record)
{
    const struct notification_row *row = any_notification(play);

    record->type = WRITE_NOTIFICATION_STATE;
    if (row != NULL)
        record->notification = *row;
    return row != NULL && row->state != NOTIFICATION_PENDING;
}

void make_bad_double(struct play *play)
{
    static bool (*const doubles[])(struct play *,
                                   struct record *) = { double_event, double_date, double_file,
                                                        double_notification, told_again };
    struct record record = { 0 };

    if (play->count == RECORDS_MAX || play->is_full ||
        !doubles[pick(play, sizeof doubles / sizeof *doubles)](play, &record))
        return;
    play_add(play, record);
    play->is_bad = true;
}
