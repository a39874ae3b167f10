// SPDX-License-Identifier: Apache-2.0
/* probe - tests of connections: asked for by a person, made by a worker as an errand, answered to
 * the web server that asked. Nobody else remembers one: a leader that goes takes them along, and
 * who asked is told by his web server that no answer came. */
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

enum {
    PROBES_MAX = 100,
    PATIENCE_MS = 45000, /* the worker's helper gives up before */
    NO_WORKER_MS = 500,  /* how often is looked whether the worker that was asked for is there */
};

static void answer(struct core *core, struct str asker, uint64_t question_no, bool ok,
                   struct str text)
{
    send_now(core,
             (struct core_send) { .type = SEND_PROBED,
                                  .worker = str_copy(&core->step, asker),
                                  .probed = { question_no, ok, str_copy(&core->step, text) } });
}

/* A queue that somebody waits at keeps one worker at least. */
static void queue_leave(struct core *core, struct probe *probe)
{
    if (probe->queue == NONE)
        return;
    core->queues.items[probe->queue].looked_for--;
    core->queues.items[probe->queue].dirty = true;
    probe->queue = NONE;
}

static void queue_join(struct core *core, struct probe *probe, uint32_t queue)
{
    probe->queue = queue;
    core->queues.items[queue].looked_for++;
    core->queues.items[queue].dirty = true;
}

static uint32_t scaled_queue(const struct core *core)
{
    VEC_EACH (&core->queues, i)
        if (core->queues.items[i].scaled && core->queues.items[i].max > 0)
            return i;
    return NONE;
}

static void probe_end(struct core *core, uint32_t index, bool ok, struct str text)
{
    struct probe *probe = &core->probes.items[index];
    errand_over(core, probe->worker);
    queue_leave(core, probe);
    answer(core, probe->asker, probe->question_no, ok, text);
    arena_clear(&probe->arena);
    *probe = VEC_LAST(&core->probes);
    core->probes.count--;
}

uint32_t probe_find(const struct core *core, struct id128 id)
{
    VEC_EACH (&core->probes, i)
        if (id_eq(core->probes.items[i].id, id))
            return i;
    return NONE;
}

/* ---- what is tested -------------------------------------------------------------------------- */

static struct str text_of(struct core *core, const struct value *value)
{
    if (value == NULL || value->type == VALUE_NULL)
        return STR_EMPTY;
    return value->type == VALUE_STRING ? value->string : json_text(&core->step, value);
}

/* A kept password goes to where it was kept for and nowhere else: else a test would be a way to
 * have it sent to oneself. `extra` and `schema` may name a host too. */
static const char *elsewhere(struct core *core, const struct value *given, const struct value *kept)
{
    static const char *const PLACE[] = { "conn_type", "host", "port", "schema", "extra" };
    if (value_get(given, "password") != NULL ||
        text_of(core, value_get(kept, "password")).size == 0)
        return NULL;
    for (size_t i = 0; i < sizeof PLACE / sizeof *PLACE; i++) {
        const struct value *now = value_get(given, PLACE[i]);
        if (now != NULL && !str_eq(text_of(core, now), text_of(core, value_get(kept, PLACE[i]))))
            return PLACE[i];
    }
    return NULL;
}

/* What is given, and what is kept where nothing is given. */
static struct str payload_of(struct core *core, const struct value *given, const struct value *kept)
{
    static const char *const FIELDS[] = { "conn_type", "host",     "port", "login",
                                          "schema",    "password", "extra" };
    struct value *connection = value_map(&core->step), *payload = value_map(&core->step);
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
        const struct value *value = value_get(given, FIELDS[i]);
        if (value == NULL)
            value = value_get(kept, FIELDS[i]);
        if (value != NULL)
            value_put(&core->step, connection, str_of(FIELDS[i]), value);
    }
    value_put(&core->step, payload, STR("connection"), connection);
    return json_text(&core->step, payload);
}

static const struct value *kept_of(const struct core *core, struct str connection_id)
{
    uint64_t index = 0;
    return map_get_str(&core->connections, connection_id, &index)
               ? core->connection_list.items[index]
               : NULL;
}

/* ---- asked, answered, lost ------------------------------------------------------------------- */

/* To a worker as soon as there is one. */
static void give(struct core *core, struct probe *probe)
{
    probe->worker = errand_worker(core, NONE);
    if (probe->worker == NONE)
        return;
    queue_leave(core, probe);
    errand_give(core, probe->worker,
                (struct errand) { probe->id, 1, ERRAND_CONNECT, probe->payload });
}

static void arm(struct core *core, const struct probe *probe)
{
    int64_t next_ms = core->now_ms + NO_WORKER_MS;
    if (probe->worker != NONE || next_ms > probe->until_ms)
        next_ms = probe->until_ms;
    timer_set(core, next_ms,
              (struct timer) { .kind = TIMER_PROBE, .number = (int64_t)probe->id.low });
}

static void begin(struct core *core, const struct core_event *event, const struct value *kept,
                  uint32_t queue)
{
    struct probe probe = { .id = id_make(core),
                           .worker = NONE,
                           .queue = NONE,
                           .question_no = event->probe.question_no,
                           .until_ms = core->now_ms + PATIENCE_MS };
    probe.asker = str_copy(&probe.arena, event->probe.asker);
    probe.payload = str_copy(&probe.arena, payload_of(core, event->probe.given, kept));
    VEC_ADD(&core->probes, probe);
    struct probe *kept_probe = &VEC_LAST(&core->probes);
    if (queue != NONE)
        queue_join(core, kept_probe, queue);
    give(core, kept_probe);
    arm(core, kept_probe);
}

void probe_ask(struct core *core, const struct core_event *event)
{
    const struct value *kept = kept_of(core, event->probe.connection_id);
    const char *place = kept == NULL ? NULL : elsewhere(core, event->probe.given, kept);
    uint32_t queue = scaled_queue(core);
    struct str refusal = STR_EMPTY;
    if (place != NULL)
        refusal = str_format(&core->step,
                             "the kept password is not sent elsewhere: with another %s give the "
                             "password too",
                             place);
    else if (core->probes.count == PROBES_MAX)
        refusal = STR("too many connections are being tested: try again in a minute");
    else if (queue == NONE && errand_worker(core, NONE) == NONE)
        refusal = STR("no worker is there to open it: connections are tested by workers");
    if (refusal.size > 0)
        answer(core, event->probe.asker, event->probe.question_no, false, refusal);
    else
        begin(core, event, kept, queue);
}

void probe_answer(struct core *core, uint32_t index, const struct errand_answer *got)
{
    bool ok = got->outcome == ERRAND_DONE;
    struct str text = got->text;
    if (text.size == 0)
        text = ok ? STR("Connection successfully tested") : STR("the test failed without a word");
    probe_end(core, index, ok, text);
}

static struct str too_late(struct core *core, const struct probe *probe)
{
    if (probe->worker == NONE)
        return str_format(&core->step, "no worker has come within %d s to open it",
                          PATIENCE_MS / 1000);
    return str_format(&core->step, "worker %.*s did not answer within %d s",
                      STR_ARG(core->workers.items[probe->worker].name), PATIENCE_MS / 1000);
}

void probe_timer(struct core *core, const struct timer *timer)
{
    VEC_EACH (&core->probes, i) {
        struct probe *probe = &core->probes.items[i];
        if ((int64_t)probe->id.low != timer->number)
            continue;
        if (core->now_ms >= probe->until_ms) {
            probe_end(core, i, false, too_late(core, probe));
            return;
        }
        if (probe->worker == NONE)
            give(core, probe);
        arm(core, probe);
        return;
    }
}

void probes_clear(struct core *core)
{
    VEC_EACH (&core->probes, i)
        arena_clear(&core->probes.items[i].arena);
    VEC_CLEAR(&core->probes);
}
