// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/live.h"

#include "common/base/assert.h"
#include "common/store/request_store.h"
#include "common/text/json.h"
#include "webserver/api/live_inside.h"
#include "webserver/api/log_store.h"

/* ---- the ring ---- */

static void change_clear(struct change *change)
{
    free((char *)change->dag_id.bytes);
    *change = (struct change) { 0 };
}

void live_add(struct live *live, enum topic_event event, int64_t seq, struct str dag_id,
              struct str run_id, struct str json)
{
    struct change *change = &live->ring[live->ring_count++ % RING_SIZE];
    if (change->dag_id.bytes != NULL) {
        if (live->oldest_seq < change->seq)
            live->oldest_seq = change->seq;
        change_clear(change);
    }
    char *block = malloc(dag_id.size + run_id.size + json.size + 1);
    ASSERT(block != NULL);
    change->seq = seq;
    change->event = event;
    change->dag_id = str_place(&block, dag_id);
    change->run_id = str_place(&block, run_id);
    change->json = str_place(&block, json);
}

int64_t live_seq(const struct live *live)
{
    return live->samples[SAMPLES - 1];
}

/* ---- one client ---- */

void live_drop(struct stream_client *client)
{
    struct live *live = client->live;
    if (client->prev != NULL)
        client->prev->next = client->next;
    else
        live->first = client->next;
    if (client->next != NULL)
        client->next->prev = client->prev;
    if (live->first == NULL)
        live->left_ms = loop_now_ms();
    map_clear(&client->dags);
    http_stream_end(client->request); /* its arena holds the client */
}

/* False when the client was too slow and is gone. */
static bool write_event(struct stream_client *client, struct str text)
{
    if (http_stream_write(client->request, text) < HTTP_HIGH_WATER)
        return true;
    live_drop(client);
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

static bool may_see(const struct stream_client *client, struct str dag_id)
{
    uint64_t unused;
    return !client->is_narrowed || map_get_str(&client->dags, dag_id, &unused);
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
            !topics_want(&client->topics, event, change->dag_id, change->run_id) ||
            !may_see(client, change->dag_id))
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
        [EVENT_TASK] = { "ti", ",\"c\":[", "]" },    [EVENT_RUN] = { "run", ",\"c\":[", "]" },
        [EVENT_DAG] = { "dag", ",\"dags\":[", "]" }, [EVENT_WORKERS] = { "workers", "", "" },
        [EVENT_LOADS] = { "loads", "", "" },
    };
    struct buf lists[EVENT_COUNT] = { 0 }, out = { 0 };
    int64_t seqs[EVENT_COUNT] = { 0 };
    uint32_t counts[EVENT_COUNT];
    int last = -1;
    for (int event = EVENT_TASK; event < EVENT_COUNT; event++) {
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
        if (event < EVENT_WORKERS) /* of those that follow, nothing but that they came */
            buf_add_str(&out, buf_str(&lists[event]));
        buf_printf(&out, "%s}\n\n", EVENTS[event].after);
    }
    client->after = client->live->seq;
    if (counts[EVENT_TASK] > TASKS_AT_ONCE_MAX)
        (void)write_plain(client, "reset", client->live->seq);
    else if (last >= 0)
        (void)write_event(client, buf_str(&out));
    for (int event = EVENT_TASK; event < EVENT_COUNT; event++)
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

void live_tell(struct live *live)
{
    for (struct stream_client *client = live->first, *next; client != NULL; client = next) {
        next = client->next;
        bring_up_to_date(client);
    }
}

/* ---- logs ---- */

/* False when the client is gone. */
static bool write_log(struct stream_client *client, struct topic *topic)
{
    struct log_info info = { 0 };
    topic->has_changed = false;
    if (log_store_info(client->live->api->logs, topic->attempt, &info) < 0)
        return true;
    struct buf out = { 0 };
    char attempt[ID_TEXT_SIZE];
    id_text(topic->attempt, attempt);
    begin_event(&out, "log", 0, 0);
    buf_add_cstr(&out, ",\"log\":");
    json_write_string(&out, topic->name);
    buf_printf(&out, ",\"attempt\":\"%s\"", attempt);
    buf_printf(&out, ",\"lines\":%lld,\"bytes\":%lld,\"complete\":%s}\n\n", (long long)info.lines,
               (long long)info.bytes, info.is_complete ? "true" : "false");
    bool is_there = write_event(client, buf_str(&out));
    buf_clear(&out);
    return is_there;
}

static void tell_logs(struct live *live)
{
    for (struct stream_client *client = live->first, *next; client != NULL; client = next) {
        next = client->next;
        bool is_there = true;
        for (uint32_t i = 0; is_there && i < client->topics.count; i++)
            if (client->topics.items[i].has_changed)
                is_there = write_log(client, &client->topics.items[i]);
    }
}

void live_wake(struct live *live)
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
                live_wake(live);
            }
}

void live_reset(struct live *live)
{
    live->oldest_seq = ++live->seq;
    live_tell(live);
}

static void on_flush(struct timer *timer)
{
    struct live *live = timer->owner;
    tell_logs(live);
    live_flush(live);
}

static void on_ping(struct timer *timer)
{
    struct live *live = timer->owner;
    for (struct stream_client *client = live->first, *next; client != NULL; client = next) {
        next = client->next;
        if (client->is_narrowed && loop_now_ms() > client->until_ms)
            live_drop(client);
        else
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

static void on_marks_timer(struct timer *timer)
{
    live_look_at_marks(timer->owner);
    live_look_at_holders(timer->owner);
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
    live_forget_versions(live);
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
    if (live->is_busy || live->is_reading_marks || live->is_reading_holders ||
        live->resolving > 0) {
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
        live_drop(live->first);
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
    live_drop(call->state);
}

struct resolving {
    struct live *live;
    uint64_t client; /* its number: it may be gone */
    uint32_t topic;
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
        if (client->number != resolving.client || rc < 0 || count == 0)
            continue;
        struct topic *topic = &client->topics.items[resolving.topic];
        if (id_eq(topic->attempt, rows[0].attempt))
            continue;
        topic->attempt = rows[0].attempt;
        topic->has_changed = true;
        live_wake(resolving.live);
    }
}

static void resolve_log(struct stream_client *client, uint32_t at)
{
    const struct topic *topic = &client->topics.items[at];
    if (!may_see(client, topic->dag_id))
        return;
    struct resolving *resolving = calloc(1, sizeof *resolving);
    ASSERT(resolving != NULL);
    *resolving = (struct resolving) { client->live, client->number, at };
    client->live->resolving++;
    attempts_read(client->live->api->options.store, topic->dag_id, topic->run_id, topic->task_id,
                  topic->map_index, topic->try_no, on_attempts, resolving);
}

static void resolve_logs(struct stream_client *client)
{
    for (uint32_t i = 0; i < client->topics.count; i++)
        if (client->topics.items[i].kind == TOPIC_LOG)
            resolve_log(client, i);
}

void live_begins(struct live *live, struct str dag_id, struct str run_id, struct str task_id,
                 int32_t map_index)
{
    for (struct stream_client *client = live->first; client != NULL; client = client->next)
        for (uint32_t i = 0; i < client->topics.count; i++) {
            const struct topic *topic = &client->topics.items[i];
            if (topic->kind == TOPIC_LOG && topic->map_index == map_index &&
                str_eq(topic->task_id, task_id) && str_eq(topic->run_id, run_id) &&
                str_eq(topic->dag_id, dag_id))
                resolve_log(client, i);
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

static void open_stream(struct call *call)
{
    struct live *live = call->api->live;
    struct stream_client *client = call->state;
    if (live_refuse_one_more(client, call))
        return;
    client->number = ++live->client_count;
    client->next = live->first;
    if (live->first != NULL)
        live->first->prev = client;
    live->first = client;
    call->request->on_gone = on_gone;
    http_set_header(call->request, "X-Accel-Buffering", STR("no"));
    http_stream_start(call->request, 200, "text/event-stream; charset=utf-8");
    if (call->request->conn == NULL) {
        live_drop(client);
        return;
    }
    if (!write_plain(client, "hello", live->seq))
        return;
    resolve_logs(client);
    bring_up_to_date(client);
}

static void on_readable(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct live *live = call->api->live;
    struct stream_client *client = call->state;
    const struct value *dags = NULL;
    live->resolving--;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &dags, NULL);
    if (rc == 0 && live->is_closing)
        rc = ERR_UNAVAILABLE;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    for (uint32_t i = 0; i < dags->count; i++)
        map_put_str(&client->dags, value_text(dags->items[i], STR_EMPTY), 1);
    open_stream(call);
}

static void narrow(struct call *call)
{
    const struct reader *reader = call->reader;
    struct stream_client *client = call->state;
    struct bind binds[] = { BIND_NUMBER(reader->user_no), BIND_NUMBER(reader->rank),
                            BIND_TEXTS(reader->dags, reader->dag_count) };
    client->is_narrowed = true;
    client->until_ms = loop_now_ms() + NARROWED_FOR_MS;
    call->api->live->resolving++;
    document_read(call->api->options.store, DOCUMENT_auth_dags_read, binds, 3, on_readable, call);
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
    client->holder = live_holder(call);
    client->person = call->person.name;
    client->after = after > live->seq ? live->oldest_seq - 1 : after;
    call->state = client;
    if (call->reader == NULL)
        open_stream(call);
    else
        narrow(call);
}
