// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/live.h"

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/loop/timer.h"
#include "common/model/state.h"
#include "common/store/request_store.h"
#include "common/text/json.h"
#include "webserver/api/live_topic.h"
#include "webserver/api/log_store.h"

enum {
    COLLECT_MS = 100,
    PING_MS = 15000,
    MARKS_MS = 2000,
    SAMPLE_MS = 1000,
    WORKERS_EVERY_MS = 1000,
    RING_SIZE = 16384,
    TASKS_AT_ONCE_MAX = 2000, /* more for one stream: it reads everything again */
    PENDING_MAX = 50000,
    VERSIONS_MAX = 256,
    SAMPLES = 3,
};

/* One changed object, as it stands in an event. */
struct change {
    int64_t seq;
    enum topic_event event;
    struct str dag_id, run_id, json; /* one block, owned */
};

struct stream_client {
    struct stream_client *next, *prev;
    struct live *live;
    struct http_request *request;
    struct topics topics;
    int64_t after; /* it has all up to this position */
};

/* The task ids of a DAG version: what notes call by number. */
struct version {
    int64_t version_no;
    struct arena arena;
    struct str *tasks;
    uint32_t count;
};

struct pending {
    struct message_note note;
};

struct live {
    struct api *api;
    struct stream_client *first;
    struct timer flush_timer, ping_timer, marks_timer, sample_timer;
    int64_t seq, oldest_seq; /* what the ring can tell: everything after oldest_seq */
    int64_t samples[SAMPLES];
    struct change *ring; /* RING_SIZE */
    uint64_t ring_count; /* ever added */
    VEC(struct pending) pending;
    struct map pending_index;
    bool is_overfull;
    /* The batch under way. */
    VEC(struct pending) batch;
    const struct value *facts;
    struct arena batch_arena;
    bool is_busy, wants_workers, is_closing;
    int64_t workers_told_ms;
    VEC(struct version *) versions;
    struct map dag_marks; /* dag_id -> hash */
    char dags_mark[80], workers_mark[80];
    bool is_reading_marks;
    uint32_t resolving; /* topics whose attempt is being looked up */
    int open_timers;
    void (*done)(void *owner);
    void *done_owner;
};

/* ---- the ring ---- */

static void change_clear(struct change *change)
{
    free((char *)change->dag_id.bytes);
    *change = (struct change) { 0 };
}

static struct str place(char **at, struct str text)
{
    struct str placed = { *at, text.size };
    memcpy(*at, text.bytes, text.size);
    *at += text.size;
    return placed;
}

static void add_change(struct live *live, enum topic_event event, int64_t seq, struct str dag_id,
                       struct str run_id, struct str json)
{
    struct change *change = &live->ring[live->ring_count++ % RING_SIZE];
    if (change->dag_id.bytes != NULL) {
        live->oldest_seq = change->seq;
        change_clear(change);
    }
    char *block = malloc(dag_id.size + run_id.size + json.size + 1);
    ASSERT(block != NULL);
    change->seq = seq;
    change->event = event;
    change->dag_id = place(&block, dag_id);
    change->run_id = place(&block, run_id);
    change->json = place(&block, json);
}

int64_t live_seq(const struct live *live)
{
    return live->samples[SAMPLES - 1];
}

/* ---- one client ---- */

static void drop_client(struct stream_client *client)
{
    struct live *live = client->live;
    if (client->prev != NULL)
        client->prev->next = client->next;
    else
        live->first = client->next;
    if (client->next != NULL)
        client->next->prev = client->prev;
    http_stream_end(client->request); /* its arena holds the client */
}

/* False when the client was too slow and is gone. */
static bool write_event(struct stream_client *client, struct str text)
{
    if (http_stream_write(client->request, text) < HTTP_HIGH_WATER)
        return true;
    drop_client(client);
    return false;
}

static void begin_event(struct buf *out, const char *name, int64_t id, int64_t seq)
{
    if (id > 0)
        buf_printf(out, "id: %lld\n", (long long)id);
    buf_printf(out, "event: %s\ndata: {", name);
    if (seq > 0)
        buf_printf(out, "\"seq\":%lld,", (long long)seq);
    buf_printf(out, "\"now\":%lld", (long long)loop_wall_ms());
}

static bool write_plain(struct stream_client *client, const char *name, int64_t seq)
{
    struct buf out = { 0 };
    begin_event(&out, name, 0, seq);
    if (strcmp(name, "hello") == 0)
        buf_add_cstr(&out, ",\"version\":\"" HEADRACE_VERSION "\"");
    buf_add_cstr(&out, "}\n\n");
    bool is_there = write_event(client, buf_str(&out));
    buf_clear(&out);
    return is_there;
}

/* All changes of one kind that the client has not seen, as one event. */
static uint32_t collect(struct stream_client *client, enum topic_event event, int64_t up_to,
                        struct buf *out, int64_t *out_seq)
{
    const struct live *live = client->live;
    uint64_t begin = live->ring_count > RING_SIZE ? live->ring_count - RING_SIZE : 0;
    uint64_t at = live->ring_count;
    while (at > begin && live->ring[(at - 1) % RING_SIZE].seq > client->after)
        at--;
    uint32_t count = 0;
    for (; at < live->ring_count; at++) {
        const struct change *change = &live->ring[at % RING_SIZE];
        if (change->event != event || change->seq > up_to ||
            !topics_want(&client->topics, event, change->dag_id, change->run_id))
            continue;
        buf_add_cstr(out, count++ == 0 ? "" : ",");
        buf_add_str(out, change->json);
        *out_seq = change->seq;
    }
    return count;
}

/* One event a kind. The last of them alone carries the id: a client that loses the connection
 * between two gets all again. */
static void write_changes(struct stream_client *client)
{
    static const struct {
        const char *name, *before, *after;
    } EVENTS[] = {
        [EVENT_TASK] = {"ti",       ",\"c\":[",    "]"},
        [EVENT_RUN] = { "run",     ",\"c\":[",    "]"},
        [EVENT_DAG] = { "dag",     ",\"dags\":[", "]"},
        [EVENT_WORKERS] = { "workers", "",            "" },
    };
    struct buf lists[EVENT_WORKERS + 1] = { 0 }, out = { 0 };
    int64_t seqs[EVENT_WORKERS + 1] = { 0 };
    uint32_t counts[EVENT_WORKERS + 1];
    int last = -1;
    for (int event = EVENT_TASK; event <= EVENT_WORKERS; event++) {
        counts[event] = collect(client, (enum topic_event)event, client->live->seq, &lists[event],
                                &seqs[event]);
        last = counts[event] > 0 ? event : last;
    }
    for (int event = EVENT_TASK; event <= last && counts[EVENT_TASK] <= TASKS_AT_ONCE_MAX;
         event++) {
        if (counts[event] == 0)
            continue;
        begin_event(&out, EVENTS[event].name, event == last ? client->live->seq : 0, seqs[event]);
        buf_add_cstr(&out, EVENTS[event].before);
        if (event != EVENT_WORKERS)
            buf_add_str(&out, buf_str(&lists[event]));
        buf_printf(&out, "%s}\n\n", EVENTS[event].after);
    }
    client->after = client->live->seq;
    if (counts[EVENT_TASK] > TASKS_AT_ONCE_MAX)
        (void)write_plain(client, "reset", client->live->seq);
    else if (last >= 0)
        (void)write_event(client, buf_str(&out));
    for (int event = EVENT_TASK; event <= EVENT_WORKERS; event++)
        buf_clear(&lists[event]);
    buf_clear(&out);
}

static void bring_up_to_date(struct stream_client *client)
{
    const struct live *live = client->live;
    if (client->after >= live->seq)
        return;
    if (client->after < live->oldest_seq) {
        client->after = live->seq;
        (void)write_plain(client, "reset", live->seq);
        return;
    }
    write_changes(client);
}

static void tell_all(struct live *live)
{
    for (struct stream_client *client = live->first, *next; client != NULL; client = next) {
        next = client->next;
        bring_up_to_date(client);
    }
}

/* ---- logs ---- */

static void write_log(struct stream_client *client, struct topic *topic)
{
    struct log_info info = { 0 };
    topic->has_changed = false;
    if (log_store_info(client->live->api->logs, topic->attempt, &info) < 0)
        return;
    struct buf out = { 0 };
    begin_event(&out, "log", 0, 0);
    buf_add_cstr(&out, ",\"log\":");
    json_write_string(&out, topic->name);
    buf_printf(&out, ",\"lines\":%lld,\"bytes\":%lld,\"complete\":%s}\n\n", (long long)info.lines,
               (long long)info.bytes, info.is_complete ? "true" : "false");
    (void)write_event(client, buf_str(&out));
    buf_clear(&out);
}

static struct topic *changed_topic(struct stream_client *client)
{
    for (uint32_t i = 0; i < client->topics.count; i++)
        if (client->topics.items[i].has_changed)
            return &client->topics.items[i];
    return NULL;
}

static void tell_logs(struct live *live)
{
    for (struct stream_client *client = live->first, *next; client != NULL; client = next) {
        next = client->next;
        struct topic *topic = changed_topic(client);
        if (topic != NULL)
            write_log(client, topic);
    }
}

static void wake(struct live *live)
{
    if (!timer_is_set(&live->flush_timer) && !live->is_closing)
        timer_once(&live->flush_timer, COLLECT_MS);
}

static void on_log_change(void *owner, struct id128 attempt)
{
    struct live *live = owner;
    for (struct stream_client *client = live->first; client != NULL; client = client->next)
        for (uint32_t i = 0; i < client->topics.count; i++)
            if (client->topics.items[i].kind == TOPIC_LOG &&
                id_eq(client->topics.items[i].attempt, attempt)) {
                client->topics.items[i].has_changed = true;
                wake(live);
            }
}

/* ---- a batch of notes ---- */

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
    add_change(live, EVENT_RUN, seq, dag_id, run_id, buf_str(&json));
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
    add_change(live, EVENT_TASK, seq, dag_id, run_id, buf_str(&json));
    buf_clear(&json);
}

static void flush(struct live *live);

static void end_batch(struct live *live)
{
    VEC_RESET(&live->batch);
    live->facts = NULL;
    arena_reset(&live->batch_arena);
    live->is_busy = false;
    tell_all(live);
    if (live->is_closing || live->pending.count > 0 || live->is_overfull)
        wake(live);
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
        const struct message_note *note = &live->batch.items[i].note;
        uint64_t at = note->task < 0 ? 0 : task_at++, run, try;
        if (note->task < 0 || !map_get(&by_run, (uint64_t)note->run_no, &run))
            continue;
        add_task(live, note, runs->items[run],
                 map_get(&by_note, at, &try) ? tries->items[try] : NULL, task_seq);
    }
    int64_t run_seq = ++live->seq;
    VEC_EACH (&live->batch, i) {
        const struct message_note *note = &live->batch.items[i].note;
        uint64_t run;
        if (note->task < 0 && map_get(&by_run, (uint64_t)note->run_no, &run))
            add_run(live, runs->items[run], run_seq);
    }
    int64_t now_ms = loop_now_ms();
    live->wants_workers = true;
    if (now_ms - live->workers_told_ms >= WORKERS_EVERY_MS) {
        live->workers_told_ms = now_ms;
        live->wants_workers = false;
        add_change(live, EVENT_WORKERS, ++live->seq, STR_EMPTY, STR_EMPTY, STR_EMPTY);
    }
    map_clear(&by_run);
    map_clear(&by_note);
    end_batch(live);
}

static void load_versions(struct live *live);

static void on_tasks(void *owner, int rc, struct str json, const struct err *err)
{
    struct live *live = owner;
    (void)err;
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

static void reset_all(struct live *live)
{
    live->oldest_seq = ++live->seq;
    tell_all(live);
}

static void on_facts(void *owner, int rc, struct str json, const struct err *err)
{
    struct live *live = owner;
    (void)err;
    if (rc == 0)
        rc = json_parse(&live->batch_arena, json, NULL, &live->facts, NULL);
    if (rc < 0) {
        /* The database is away: what changed cannot be told, so everything is to be read again when
         * it is back. */
        live->oldest_seq = ++live->seq;
        end_batch(live);
        return;
    }
    load_versions(live);
}

static void flush(struct live *live)
{
    tell_logs(live);
    if (live->is_busy || live->pending.count == 0) {
        if (live->is_overfull && !live->is_busy) {
            live->is_overfull = false;
            reset_all(live);
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
        const struct message_note *note = &live->pending.items[i].note;
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

static void on_flush(struct timer *timer)
{
    flush(timer->owner);
}

void live_notes(struct live *live, const struct message_note *notes, uint32_t count, bool restarted)
{
    if (restarted)
        reset_all(live);
    if (live->first == NULL) {
        /* Nobody listens: whoever comes back after this reads everything again. */
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
            live->pending.items[index].note = notes[i];
            continue;
        }
        if (live->pending.count >= PENDING_MAX) {
            VEC_RESET(&live->pending);
            map_clear(&live->pending_index);
            live->is_overfull = true;
        }
        map_put_str(&live->pending_index, bytes, live->pending.count);
        VEC_ADD(&live->pending, (struct pending) { notes[i] });
    }
    if (count > 0)
        wake(live);
}

/* ---- what nobody notes: DAGs and workers ---- */

static void on_dag_marks(void *owner, int rc, struct str json, const struct err *err)
{
    struct live *live = owner;
    struct arena arena = { 0 };
    const struct value *map = NULL;
    (void)err;
    live->is_reading_marks = false;
    if (rc == 0)
        rc = json_parse(&arena, json, NULL, &map, NULL);
    const struct value *dags = rc < 0 ? NULL : value_get(map, "dags");
    int64_t seq = live->seq + 1;
    for (uint32_t i = 0; dags != NULL && i < dags->count; i++) {
        struct str dag_id = value_text(fact(dags->items[i], 0), STR_EMPTY);
        uint64_t mark = (uint64_t)value_integer(fact(dags->items[i], 1), 0), known;
        bool is_known = map_get_str(&live->dag_marks, dag_id, &known);
        if (is_known && known == mark)
            continue;
        map_put_str(&live->dag_marks, dag_id, mark);
        live->seq = seq;
        add_change(live, EVENT_DAG, seq, dag_id, STR_EMPTY,
                   str_format(&arena, "\"%.*s\"", STR_ARG(dag_id)));
    }
    arena_clear(&arena);
    tell_all(live);
    if (live->is_closing)
        wake(live);
}

static bool mark_changed(char mark[80], struct str now)
{
    bool is_first = mark[0] == 0;
    bool is_same = str_is(now, mark);
    snprintf(mark, 80, "%.*s", STR_ARG(now));
    return !is_same && !is_first;
}

static void on_marks(void *owner, int rc, struct str json, const struct err *err)
{
    struct live *live = owner;
    struct arena arena = { 0 };
    const struct value *map = NULL;
    (void)err;
    if (rc == 0)
        rc = json_parse(&arena, json, NULL, &map, NULL);
    if (rc == 0 &&
        (mark_changed(live->workers_mark, value_text(value_get(map, "workers"), STR_EMPTY)) ||
         live->wants_workers)) {
        live->wants_workers = false;
        live->workers_told_ms = loop_now_ms();
        add_change(live, EVENT_WORKERS, ++live->seq, STR_EMPTY, STR_EMPTY, STR_EMPTY);
    }
    bool is_first = live->dags_mark[0] == 0;
    bool dags_changed =
        rc == 0 &&
        (mark_changed(live->dags_mark, value_text(value_get(map, "dags"), STR_EMPTY)) || is_first);
    arena_clear(&arena);
    if (dags_changed && !live->is_closing) {
        document_read(live->api->options.store, DOCUMENT_live_dag_marks, NULL, 0, on_dag_marks,
                      live);
        return;
    }
    live->is_reading_marks = false;
    tell_all(live);
    if (live->is_closing)
        wake(live);
}

static void on_marks_timer(struct timer *timer)
{
    struct live *live = timer->owner;
    if (live->first == NULL || live->is_reading_marks)
        return;
    live->is_reading_marks = true;
    document_read(live->api->options.store, DOCUMENT_live_marks, NULL, 0, on_marks, live);
}

static void on_ping(struct timer *timer)
{
    struct live *live = timer->owner;
    for (struct stream_client *client = live->first, *next; client != NULL; client = next) {
        next = client->next;
        (void)write_event(client, STR(": ping\n\n"));
    }
}

static void on_sample(struct timer *timer)
{
    struct live *live = timer->owner;
    for (int i = SAMPLES - 1; i > 0; i--)
        live->samples[i] = live->samples[i - 1];
    live->samples[0] = live->seq;
}

/* ---- opening and closing ---- */

struct live *live_new(struct api *api)
{
    struct live *live = calloc(1, sizeof *live);
    ASSERT(live != NULL);
    live->api = api;
    live->ring = calloc(RING_SIZE, sizeof *live->ring);
    ASSERT(live->ring != NULL);
    /* Milliseconds: positions of the process before this one are lower, and clients that have them
     * read again. */
    live->seq = live->oldest_seq = loop_wall_ms();
    for (int i = 0; i < SAMPLES; i++)
        live->samples[i] = live->seq;
    timer_open(&live->flush_timer, api->options.loop, on_flush, live);
    timer_open(&live->ping_timer, api->options.loop, on_ping, live);
    timer_open(&live->marks_timer, api->options.loop, on_marks_timer, live);
    timer_open(&live->sample_timer, api->options.loop, on_sample, live);
    timer_every(&live->ping_timer, PING_MS);
    timer_every(&live->marks_timer, MARKS_MS);
    timer_every(&live->sample_timer, SAMPLE_MS);
    log_store_watch(api->logs, on_log_change, live);
    return live;
}

static void free_live(struct live *live)
{
    for (uint32_t i = 0; i < RING_SIZE; i++)
        change_clear(&live->ring[i]);
    free(live->ring);
    VEC_EACH (&live->versions, i)
        free_version(live->versions.items[i]);
    VEC_CLEAR(&live->versions);
    VEC_CLEAR(&live->pending);
    VEC_CLEAR(&live->batch);
    map_clear(&live->pending_index);
    map_clear(&live->dag_marks);
    arena_clear(&live->batch_arena);
    free(live);
}

static void on_timer_closed(void *owner)
{
    struct live *live = owner;
    if (--live->open_timers > 0)
        return;
    void (*done)(void *owner) = live->done;
    void *done_owner = live->done_owner;
    free_live(live);
    done(done_owner);
}

/* Answers of the database that are under way come first: the store is closed after us. */
static void on_close_look(struct timer *timer)
{
    struct live *live = timer->owner;
    if (live->is_busy || live->is_reading_marks || live->resolving > 0) {
        timer_once(&live->flush_timer, 10);
        return;
    }
    live->open_timers = 4;
    timer_close(&live->flush_timer, on_timer_closed);
    timer_close(&live->ping_timer, on_timer_closed);
    timer_close(&live->marks_timer, on_timer_closed);
    timer_close(&live->sample_timer, on_timer_closed);
}

void live_end_streams(struct live *live)
{
    while (live->first != NULL)
        drop_client(live->first);
}

void live_close(struct live *live, void (*done)(void *owner), void *owner)
{
    live->is_closing = true;
    live->done = done;
    live->done_owner = owner;
    live_end_streams(live);
    timer_stop(&live->marks_timer);
    live->flush_timer.on_fire = on_close_look;
    timer_once(&live->flush_timer, 0);
}

/* ---- GET stream ---- */

static void on_gone(struct http_request *request)
{
    struct call *call = request->context;
    drop_client(call->state);
}

struct resolving {
    struct live *live;
    struct http_request *request; /* compared, not followed: it may be gone */
    struct topic *topic;
};

static void on_attempts(void *owner, int rc, const struct attempt_row *rows, uint32_t count,
                        const struct err *err)
{
    struct resolving resolving = *(struct resolving *)owner;
    free(owner);
    (void)err;
    resolving.live->resolving--;
    for (struct stream_client *client = resolving.live->first; client != NULL;
         client = client->next) {
        if (client->request != resolving.request || rc < 0 || count == 0)
            continue;
        resolving.topic->attempt = rows[0].attempt;
        resolving.topic->is_known = true;
        resolving.topic->has_changed = true;
        wake(resolving.live);
    }
}

static void resolve_logs(struct stream_client *client)
{
    for (uint32_t i = 0; i < client->topics.count; i++) {
        struct topic *topic = &client->topics.items[i];
        if (topic->kind != TOPIC_LOG)
            continue;
        struct resolving *resolving = calloc(1, sizeof *resolving);
        ASSERT(resolving != NULL);
        *resolving = (struct resolving) { client->live, client->request, topic };
        client->live->resolving++;
        attempts_read(client->live->api->options.store, topic->dag_id, topic->run_id,
                      topic->task_id, topic->map_index, topic->try_no, on_attempts, resolving);
    }
}

static int64_t position_of(struct call *call, int64_t otherwise)
{
    struct str last = http_header(call->request, "Last-Event-ID");
    int64_t position = 0;
    if (last.bytes != NULL && str_to_int(last, 0, INT64_MAX, &position) == 0)
        return position;
    return call_query_int(call, "after", 0, INT64_MAX, otherwise);
}

void live_stream(struct call *call)
{
    struct live *live = call->api->live;
    struct err err = { 0 };
    struct stream_client *client = ARENA_NEW(call->arena, struct stream_client);
    if (topics_parse(call->arena, call_query(call, "topics", STR("home")), &client->topics, &err) <
        0)
        call_problem(call, "query", "topics", "value_error", "%s", err.sentence);
    int64_t after = position_of(call, live->seq);
    if (call_refuse_problems(call))
        return;
    client->live = live;
    client->request = call->request;
    client->after = after > live->seq ? live->oldest_seq - 1 : after;
    client->next = live->first;
    if (live->first != NULL)
        live->first->prev = client;
    live->first = client;
    call->state = client;
    call->request->on_gone = on_gone;
    http_set_header(call->request, "X-Accel-Buffering", STR("no"));
    http_stream_start(call->request, 200, "text/event-stream; charset=utf-8");
    if (call->request->conn == NULL) {
        drop_client(client);
        return;
    }
    if (!write_plain(client, "hello", live->seq))
        return;
    resolve_logs(client);
    bring_up_to_date(client);
}
