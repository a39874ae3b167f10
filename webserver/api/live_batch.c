// SPDX-License-Identifier: Apache-2.0
/* From notes, which name things by number, to changes with names: one query for the facts of a
 * batch, and one for the task ids of a DAG version that has not been met before. */
#include "common/base/assert.h"
#include "common/model/state.h"
#include "common/text/json.h"
#include "webserver/api/live_inside.h"

static const struct version *find_version(const struct live *live, int64_t version_no)
{
    VEC_EACH (&live->versions, i)
        if (live->versions.items[i]->version_no == version_no)
            return live->versions.items[i];
    return NULL;
}

static void free_version(struct version *version)
{
    arena_clear(&version->arena);
    free(version);
}

void live_forget_versions(struct live *live)
{
    VEC_EACH (&live->versions, i)
        free_version(live->versions.items[i]);
    VEC_CLEAR(&live->versions);
}

static void add_version(struct live *live, int64_t version_no, struct str json)
{
    struct version *version = calloc(1, sizeof *version);
    ASSERT(version != NULL);
    version->version_no = version_no;
    const struct value *map = NULL;
    if (json_parse(&version->arena, json, NULL, &map, NULL) == 0) {
        const struct value *tasks = value_get(map, "tasks");
        version->count = tasks == NULL ? 0 : tasks->count;
        version->tasks = ARENA_ARRAY(&version->arena, struct str, version->count);
        for (uint32_t i = 0; i < version->count; i++)
            version->tasks[i] = value_text(tasks->items[i], STR_EMPTY);
    }
    if (live->versions.count == VERSIONS_MAX) {
        free_version(live->versions.items[0]);
        memmove(live->versions.items, live->versions.items + 1,
                (VERSIONS_MAX - 1) * sizeof *live->versions.items);
        live->versions.count--;
    }
    VEC_ADD(&live->versions, version);
}

static const struct value *fact(const struct value *row, uint32_t column)
{
    return row->type == VALUE_LIST && column < row->count ? row->items[column] : NULL;
}

enum { RUN_NO, RUN_DAG, RUN_ID, RUN_VERSION, RUN_STATE, RUN_TYPE, RUN_AFTER, RUN_START, RUN_END };
enum { TRY_AT, TRY_STATE, TRY_NO, TRY_START, TRY_END, TRY_WORKER };

static void add_time(struct buf *out, const struct value *value)
{
    if (value == NULL || value->type != VALUE_INT)
        buf_add_cstr(out, ",null");
    else
        buf_printf(out, ",%lld", (long long)value->integer);
}

/* ["etl","manual__1",77,"running","manual",after,start,end] */
static void add_run(struct live *live, const struct value *run, int64_t seq)
{
    struct buf json = { 0 };
    struct str dag_id = value_text(fact(run, RUN_DAG), STR_EMPTY),
               run_id = value_text(fact(run, RUN_ID), STR_EMPTY);
    buf_add_byte(&json, '[');
    json_write_string(&json, dag_id);
    buf_add_byte(&json, ',');
    json_write_string(&json, run_id);
    add_time(&json, fact(run, RUN_NO));
    buf_printf(&json, ",\"%.*s\",\"%.*s\"", STR_ARG(value_text(fact(run, RUN_STATE), STR_EMPTY)),
               STR_ARG(value_text(fact(run, RUN_TYPE), STR_EMPTY)));
    add_time(&json, fact(run, RUN_AFTER));
    add_time(&json, fact(run, RUN_START));
    add_time(&json, fact(run, RUN_END));
    buf_add_byte(&json, ']');
    live_add(live, EVENT_RUN, seq, dag_id, run_id, buf_str(&json));
    buf_clear(&json);
}

/* The database's state, unless the note is ahead of it: running is recorded late. */
static enum task_state state_of(const struct message_note *note, const struct value *row)
{
    if (row == NULL)
        return (enum task_state)note->state;
    enum task_state recorded = (enum task_state)value_integer(fact(row, TRY_STATE), note->state);
    bool is_ahead = note->state == TASK_RUNNING && recorded == TASK_QUEUED;
    return is_ahead ? TASK_RUNNING : recorded;
}

/* ["etl","manual__1","load",-1,"running",1,start,end,"w-1"] */
static void add_task(struct live *live, const struct message_note *note, const struct value *run,
                     const struct value *row, int64_t seq)
{
    const struct version *version = find_version(live, value_integer(fact(run, RUN_VERSION), 0));
    if (version == NULL || note->task < 0 || (uint32_t)note->task >= version->count)
        return;
    struct str dag_id = value_text(fact(run, RUN_DAG), STR_EMPTY),
               run_id = value_text(fact(run, RUN_ID), STR_EMPTY);
    enum task_state state = state_of(note, row);
    struct buf json = { 0 };
    buf_add_byte(&json, '[');
    json_write_string(&json, dag_id);
    buf_add_byte(&json, ',');
    json_write_string(&json, run_id);
    buf_add_byte(&json, ',');
    json_write_string(&json, version->tasks[note->task]);
    buf_printf(&json, ",%d,\"%s\",%lld", note->map_index, task_state_name(state),
               (long long)value_integer(row == NULL ? NULL : fact(row, TRY_NO), note->try_no));
    bool has_start =
        row != NULL && fact(row, TRY_START) != NULL && fact(row, TRY_START)->type == VALUE_INT;
    if (!has_start && state == TASK_RUNNING)
        buf_printf(&json, ",%lld", (long long)note->at_ms);
    else
        add_time(&json, row == NULL ? NULL : fact(row, TRY_START));
    add_time(&json, row == NULL ? NULL : fact(row, TRY_END));
    buf_add_byte(&json, ',');
    struct str worker = value_text(row == NULL ? NULL : fact(row, TRY_WORKER), STR_EMPTY);
    if (worker.size > 0)
        json_write_string(&json, worker);
    else
        buf_add_cstr(&json, "null");
    buf_add_byte(&json, ']');
    live_add(live, EVENT_TASK, seq, dag_id, run_id, buf_str(&json));
    if (state == TASK_QUEUED || state == TASK_RUNNING)
        live_begins(live, dag_id, run_id, version->tasks[note->task], note->map_index);
    buf_clear(&json);
}

static void end_batch(struct live *live)
{
    VEC_RESET(&live->batch);
    live->facts = NULL;
    arena_reset(&live->batch_arena);
    live->is_busy = false;
    live_tell(live);
    if (live->is_closing || live->pending.count > 0 || live->is_overfull)
        live_wake(live);
}

static void publish(struct live *live)
{
    const struct value *runs = value_get(live->facts, "runs"),
                       *tries = value_get(live->facts, "tries");
    struct map by_run = { 0 }, by_note = { 0 };
    for (uint32_t i = 0; i < runs->count; i++)
        map_put(&by_run, (uint64_t)value_integer(fact(runs->items[i], RUN_NO), 0), i);
    for (uint32_t i = 0; i < tries->count; i++)
        map_put(&by_note, (uint64_t)value_integer(fact(tries->items[i], TRY_AT), 0), i);
    int64_t task_seq = ++live->seq;
    uint64_t task_at = 0;
    VEC_EACH (&live->batch, i) {
        const struct message_note *note = &live->batch.items[i];
        uint64_t at = note->task < 0 ? 0 : task_at++, run, try;
        if (note->task < 0 || !map_get(&by_run, (uint64_t)note->run_no, &run))
            continue;
        add_task(live, note, runs->items[run],
                 map_get(&by_note, at, &try) ? tries->items[try] : NULL, task_seq);
    }
    int64_t run_seq = ++live->seq;
    VEC_EACH (&live->batch, i) {
        const struct message_note *note = &live->batch.items[i];
        uint64_t run;
        if (note->task < 0 && map_get(&by_run, (uint64_t)note->run_no, &run))
            add_run(live, runs->items[run], run_seq);
    }
    int64_t now_ms = loop_now_ms();
    live->wants_workers = true;
    if (now_ms - live->workers_told_ms >= WORKERS_EVERY_MS) {
        live->workers_told_ms = now_ms;
        live->wants_workers = false;
        live_add(live, EVENT_WORKERS, ++live->seq, STR_EMPTY, STR_EMPTY, STR_EMPTY);
    }
    map_clear(&by_run);
    map_clear(&by_note);
    end_batch(live);
}

static void load_versions(struct live *live);

/* The database is away: what changed cannot be told, so everything is to be read again when it is
 * back. */
static void cannot_tell(struct live *live)
{
    live->oldest_seq = ++live->seq;
    end_batch(live);
}

static void on_tasks(void *owner, int rc, struct str json, const struct err *err)
{
    struct live *live = owner;
    (void)err;
    if (rc < 0 && rc != ERR_NOT_FOUND) {
        cannot_tell(live);
        return;
    }
    const struct value *runs = value_get(live->facts, "runs");
    int64_t missing = 0;
    for (uint32_t i = 0; missing == 0 && i < runs->count; i++)
        if (find_version(live, value_integer(fact(runs->items[i], RUN_VERSION), 0)) == NULL)
            missing = value_integer(fact(runs->items[i], RUN_VERSION), 0);
    if (missing != 0)
        add_version(live, missing, rc < 0 ? STR("{}") : json);
    load_versions(live);
}

/* One after the other; nearly always there already. */
static void load_versions(struct live *live)
{
    const struct value *runs = value_get(live->facts, "runs");
    for (uint32_t i = 0; i < runs->count; i++) {
        int64_t version_no = value_integer(fact(runs->items[i], RUN_VERSION), 0);
        if (find_version(live, version_no) != NULL)
            continue;
        document_read(live->api->options.store, DOCUMENT_live_tasks,
                      (struct bind[]) { BIND_NUMBER(version_no) }, 1, on_tasks, live);
        return;
    }
    publish(live);
}

static void on_facts(void *owner, int rc, struct str json, const struct err *err)
{
    struct live *live = owner;
    (void)err;
    if (rc == 0)
        rc = json_parse(&live->batch_arena, json, NULL, &live->facts, NULL);
    if (rc < 0) {
        cannot_tell(live);
        return;
    }
    load_versions(live);
}

void live_flush(struct live *live)
{
    if (live->is_busy || live->pending.count == 0) {
        if (live->is_overfull && !live->is_busy) {
            live->is_overfull = false;
            live_reset(live);
        }
        return;
    }
    live->is_busy = true;
    uint32_t count = live->pending.count;
    struct arena *arena = &live->batch_arena;
    int64_t *runs = ARENA_ARRAY(arena, int64_t, count),
            *task_runs = ARENA_ARRAY(arena, int64_t, count);
    int64_t *tasks = ARENA_ARRAY(arena, int64_t, count), *maps = ARENA_ARRAY(arena, int64_t, count);
    uint32_t run_count = 0, task_count = 0;
    struct map seen = { 0 };
    VEC_EACH (&live->pending, i) {
        const struct message_note *note = &live->pending.items[i];
        VEC_ADD(&live->batch, live->pending.items[i]);
        if (!map_get(&seen, (uint64_t)note->run_no, NULL)) {
            map_put(&seen, (uint64_t)note->run_no, 1);
            runs[run_count++] = note->run_no;
        }
        if (note->task < 0)
            continue;
        task_runs[task_count] = note->run_no;
        tasks[task_count] = note->task;
        maps[task_count++] = note->map_index;
    }
    map_clear(&seen);
    VEC_RESET(&live->pending);
    map_clear(&live->pending_index);
    struct bind binds[] = { BIND_NUMBERS(runs, run_count), BIND_NUMBERS(task_runs, task_count),
                            BIND_NUMBERS(tasks, task_count), BIND_NUMBERS(maps, task_count) };
    document_read(live->api->options.store, DOCUMENT_live_facts, binds, 4, on_facts, live);
}

void live_notes(struct live *live, const struct message_note *notes, uint32_t count, bool restarted)
{
    if (restarted)
        live_reset(live);
    if (live->first == NULL && loop_now_ms() - live->left_ms > LEFT_FOR_MS) {
        /* Nobody listens: whoever comes after this reads everything again. */
        if (count > 0)
            live->oldest_seq = ++live->seq;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        char key[24];
        uint64_t index;
        memcpy(key, &notes[i].run_no, 8);
        memcpy(key + 8, &notes[i].task, 4);
        memcpy(key + 12, &notes[i].map_index, 4);
        struct str bytes = { key, 16 };
        if (map_get_str(&live->pending_index, bytes, &index)) {
            live->pending.items[index] = notes[i];
            continue;
        }
        if (live->pending.count >= PENDING_MAX) {
            VEC_RESET(&live->pending);
            map_clear(&live->pending_index);
            live->is_overfull = true;
        }
        map_put_str(&live->pending_index, bytes, live->pending.count);
        VEC_ADD(&live->pending, notes[i]);
    }
    if (count > 0)
        live_wake(live);
}
