// SPDX-License-Identifier: Apache-2.0
/* Workers, autoscaling, and why something waits. */
#include "common/text/json.h"
#include "webserver/api/causes.h"
#include "webserver/api/command.h"
#include "webserver/api/handlers.h"
#include "webserver/api/leader.h"
#include "webserver/api/live.h"

void workers_get(struct call *call)
{
    call_document(call, DOCUMENT_ui_workers,
                  (struct bind[]) { BIND_NUMBER(live_seq(call->api->live)) }, 1);
}

/* ---- draining ---- */

static void on_drained(struct call *call, const struct value *answer)
{
    (void)answer;
    call_json(call, 202, STR("{}"));
}

static void on_worker(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct value *worker = NULL;
    bool drain = call->route->aux == 1;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &worker, NULL);
    if (rc == ERR_NOT_FOUND) {
        call_refuse(call, 404, "there is no worker %.*s", STR_ARG(call_param(call, "name")));
        return;
    }
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    static const char *const STATES[] = { "present", "draining", "drained", "lost" };
    int64_t state = value_integer(value_get(worker, "state"), 3);
    bool fits = drain ? state == 0 : state == 1 || state == 2;
    if (!fits) {
        call_refuse(call, 409, "the worker is %s", STATES[state & 3]);
        return;
    }
    struct request request = { .kind = REQUEST_DRAIN_WORKER,
                               .drain = drain,
                               .worker_no = value_integer(value_get(worker, "worker_no"), 0) };
    request.note = body_text(call, "reason", STR_EMPTY);
    if (call_refuse_problems(call))
        return;
    struct audit audit = call_audit(call, drain ? "drain_worker" : "resume_worker");
    struct value *detail = value_map(call->arena);
    value_put(call->arena, detail, STR("worker"),
              value_string(call->arena, call_param(call, "name")));
    value_put(call->arena, detail, STR("reason"), value_string(call->arena, request.note));
    audit.detail = json_text(call->arena, detail);
    command_send(call, &request, &audit, on_drained);
}

void worker_drain(struct call *call)
{
    document_read(call->api->options.store, DOCUMENT_ui_worker_no,
                  (struct bind[]) { BIND_TEXT(call_param(call, "name")) }, 1, on_worker, call);
}

/* ---- autoscaling ---- */

static const struct value *events_of(const struct value *history, struct str queue)
{
    const struct value *queues = value_get(history, "queues");
    for (uint32_t i = 0; queues != NULL && i < queues->count; i++)
        if (str_eq(value_text(value_get(queues->items[i], "queue"), STR_EMPTY), queue))
            return queues->items[i];
    return NULL;
}

static const struct value *or_else(const struct value *value, const struct value *otherwise)
{
    return value == NULL ? otherwise : value;
}

static struct value *queue_value(struct arena *arena, const struct conf_autoscale *scale,
                                 const struct value *history)
{
    struct value *queue = value_map(arena);
    const struct value *none = value_list(arena), *zero = value_int(arena, 0);
    const struct value *known = events_of(history, scale->queue);
    value_put(arena, queue, STR("queue"), value_string(arena, scale->queue));
    value_put(arena, queue, STR("provider"), value_string(arena, scale->provider));
    value_put(arena, queue, STR("min"), value_int(arena, scale->min));
    value_put(arena, queue, STR("max"), value_int(arena, scale->max));
    value_put(arena, queue, STR("slots"), value_int(arena, scale->slots));
    value_put(arena, queue, STR("quiet_ms"), value_int(arena, scale->quiet_ms));
    static const char *const NUMBERS[] = { "demand", "wanted", "present", "draining" };
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        value_put(arena, queue, str_of(NUMBERS[i]), or_else(value_get(known, NUMBERS[i]), zero));
    const struct value *events = or_else(value_get(known, "events"), none);
    const struct value *latest = events->count > 0 ? events->items[0] : NULL;
    bool has_failed = str_is(value_text(value_get(latest, "kind"), STR_EMPTY), "failed");
    value_put(arena, queue, STR("healthy"), value_bool(arena, !has_failed));
    value_put(arena, queue, STR("error"),
              has_failed ? value_get(latest, "reason") : value_null(arena));
    static const char *const SERIES[] = { "at", "demands", "wanteds", "presents" };
    for (size_t i = 0; i < sizeof SERIES / sizeof *SERIES; i++)
        value_put(arena, queue, str_of(SERIES[i]), or_else(value_get(known, SERIES[i]), none));
    value_put(arena, queue, STR("events"), events);
    return queue;
}

static void on_autoscaling(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct conf *conf = call->api->options.conf;
    const struct value *history = NULL;
    struct str wanted = call_query(call, "queue", STR_EMPTY);
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &history, NULL);
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct value *answer = value_map(call->arena), *queues = value_list(call->arena);
    for (uint32_t i = 0; i < conf->autoscale_count; i++)
        if (wanted.size == 0 || str_eq(wanted, conf->autoscales[i].queue))
            value_add(call->arena, queues, queue_value(call->arena, &conf->autoscales[i], history));
    value_put(call->arena, answer, STR("now"), value_int(call->arena, loop_wall_ms()));
    value_put(call->arena, answer, STR("queues"), queues);
    call_json(call, 200, json_text(call->arena, answer));
}

void autoscaling_get(struct call *call)
{
    int64_t hours = call_query_int(call, "hours", 1, 24 * 31, 6);
    struct str queue = call_query(call, "queue", STR_EMPTY);
    if (call_refuse_problems(call))
        return;
    struct bind binds[] = { BIND_NUMBER(hours), BIND_TEXTS(&queue, queue.size > 0 ? 1 : 0) };
    document_read(call->api->options.store, DOCUMENT_ui_autoscaling, binds, 2, on_autoscaling,
                  call);
}

/* ---- why ---- */

struct asking {
    struct call *call;
    struct str state, sentence;
    const struct value *since;
    bool has_leader, as_dependencies;
};

static struct value *reason_value(const struct asking *asking, const char *code,
                                  struct str sentence, const char *advice)
{
    struct arena *arena = asking->call->arena;
    struct value *reason = value_map(arena);
    value_put(arena, reason, STR("code"), value_string(arena, str_of(code)));
    value_put(arena, reason, STR("sentence"), value_string(arena, sentence));
    value_put(arena, reason, STR("since"),
              asking->since == NULL ? value_null(arena) : asking->since);
    value_put(arena, reason, STR("until"), value_null(arena));
    value_put(arena, reason, STR("object"), value_null(arena));
    value_put(arena, reason, STR("advice"),
              advice[0] == 0 ? value_null(arena) : value_string(arena, str_of(advice)));
    return reason;
}

static void answer_why(const struct asking *asking, const struct value *reasons)
{
    struct call *call = asking->call;
    struct value *answer = value_map(call->arena);
    if (asking->as_dependencies) {
        struct value *list = value_list(call->arena);
        for (uint32_t i = 0; i < reasons->count; i++) {
            struct value *item = value_map(call->arena);
            value_put(call->arena, item, STR("name"), value_get(reasons->items[i], "code"));
            value_put(call->arena, item, STR("reason"), value_get(reasons->items[i], "sentence"));
            value_add(call->arena, list, item);
        }
        value_put(call->arena, answer, STR("dependencies"), list);
    } else {
        value_put(call->arena, answer, STR("now"), value_int(call->arena, loop_wall_ms()));
        value_put(call->arena, answer, STR("state"), value_string(call->arena, asking->state));
        value_put(call->arena, answer, STR("reasons"), reasons);
    }
    call_json(call, 200, json_text(call->arena, answer));
}

static void answer_one(const struct asking *asking, const char *code, struct str sentence,
                       const char *advice)
{
    struct value *reasons = value_list(asking->call->arena);
    value_add(asking->call->arena, reasons, reason_value(asking, code, sentence, advice));
    answer_why(asking, reasons);
}

/* The scheduler answers in sentences; what they are about is found by their words. The first that
 * fits counts. */
static const struct {
    const char *words, *code, *object, *before,
        *after; /* the object's id stands between the last two */
} REASONS[] = {
    { "is paused", "paused", "dag", "DAG ", " is paused" },
    { "the run begins at", "not_due", NULL, NULL, NULL },
    { "(max_active_runs)", "run_limit", NULL, NULL, NULL },
    { "upstream tasks have not ended", "upstream", NULL, NULL, NULL },
    { "(max_active_tasks)", "dag_active_tasks", NULL, NULL, NULL },
    { "(core.parallelism)", "dag_active_tasks", NULL, NULL, NULL },
    { "(max_active_tis_per_", "task_concurrency", NULL, NULL, NULL },
    { "there is no pool ", "pool", "pool", "there is no pool ", "" },
    { "slots taken", "pool", "pool", "pool ", " has " },
    { "no worker serves queue", "no_worker", "queue", "no worker serves queue ", "" },
    { "are draining", "no_worker", "queue", "of queue ", " are draining" },
    { "no slot is free", "worker_full", "queue", "of queue ", "" },
    { "waits before the next one", "retry", NULL, NULL, NULL },
    { "waits for the run of another DAG", "deferred", NULL, NULL, NULL },
    { "has not said yet that its process runs", "granted", "worker", "worker ", " has it" },
};

enum { REASON_COUNT = sizeof REASONS / sizeof *REASONS };

static const struct value *object_of(struct arena *arena, uint32_t index, struct str line)
{
    const char *text = str_cstr(arena, line);
    const char *begin = REASONS[index].object == NULL ? NULL : strstr(text, REASONS[index].before);
    if (begin == NULL)
        return value_null(arena);
    begin += strlen(REASONS[index].before);
    const char *end =
        REASONS[index].after[0] == 0 ? begin + strlen(begin) : strstr(begin, REASONS[index].after);
    struct value *object = value_map(arena);
    value_put(arena, object, STR("kind"), value_string(arena, str_of(REASONS[index].object)));
    value_put(arena, object, STR("id"),
              value_string(arena, str_slice(str_of(begin), 0,
                                            end == NULL ? SIZE_MAX : (size_t)(end - begin))));
    return object;
}

/* "2 of 3 tasks wait" -> "2 of 3 tasks wait.", with a capital. */
static struct str sentence_of(struct arena *arena, struct str line)
{
    char *text = (char *)str_format(arena, "%.*s.", STR_ARG(line)).bytes;
    if (text[0] >= 'a' && text[0] <= 'z')
        text[0] = (char)(text[0] - 'a' + 'A');
    return str_of(text);
}

static void add_reason(const struct asking *asking, struct value *reasons, struct str line)
{
    struct arena *arena = asking->call->arena;
    uint32_t index = 0;
    while (index < REASON_COUNT && strstr(str_cstr(arena, line), REASONS[index].words) == NULL)
        index++;
    bool is_known = index < REASON_COUNT;
    struct value *reason = reason_value(asking, is_known ? REASONS[index].code : "unknown",
                                        sentence_of(arena, line), "");
    if (is_known)
        value_put(arena, reason, STR("object"), object_of(arena, index, line));
    value_add(arena, reasons, reason);
}

static void on_why(void *owner, int rc, struct str text)
{
    const struct asking *asking = owner;
    struct call *call = asking->call;
    if (rc < 0) {
        answer_one(asking, "scheduler",
                   asking->has_leader
                       ? STR("The scheduler that leads did not answer in time.")
                       : STR("No scheduler has reported for a while; nothing is being scheduled. "
                             "Running tasks continue."),
                   "Look at the scheduler: headrace doctor");
        return;
    }
    if (text.size == 0) {
        answer_one(asking, "running", STR("Its process runs."), "");
        return;
    }
    struct value *reasons = value_list(call->arena);
    struct str rest = str_copy(call->arena, text), line;
    while (str_split(&rest, '\n', &line))
        if (line.size > 0)
            add_reason(asking, reasons, line);
    answer_why(asking, reasons);
}

static bool is_final(struct str state)
{
    return str_is(state, "success") || str_is(state, "failed") || str_is(state, "skipped") ||
           str_is(state, "upstream_failed") || str_is(state, "removed");
}

static void on_subject(void *owner, int rc, struct str json, const struct err *err)
{
    struct asking *asking = owner;
    struct call *call = asking->call;
    const struct value *subject = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &subject, NULL);
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    asking->state = value_text(value_get(subject, "state"), STR("none"));
    asking->sentence = value_text(value_get(subject, "sentence"), STR_EMPTY);
    asking->since = value_get(subject, "since");
    asking->has_leader = value_boolean(value_get(subject, "leader"), false);
    int64_t task = value_integer(value_get(subject, "task"), -1);
    if (is_final(asking->state) && asking->as_dependencies) {
        answer_why(asking, value_list(call->arena)); /* nothing holds it back */
        return;
    }
    if (is_final(asking->state)) {
        answer_one(asking, "ended",
                   asking->sentence.size > 0 ? asking->sentence : STR("It has ended."), "");
        return;
    }
    leader_ask_why(call->api->leader, value_integer(value_get(subject, "run_no"), 0),
                   task < 0 ? UINT32_MAX : (uint32_t)task,
                   (int32_t)value_integer(value_get(subject, "map_index"), -1), on_why, asking);
}

static void ask(struct call *call, struct str dag_id, struct str run_id, struct str task_id,
                int64_t map_index, bool as_dependencies)
{
    struct asking *asking = ARENA_NEW(call->arena, struct asking);
    *asking = (struct asking) { .call = call, .as_dependencies = as_dependencies };
    struct bind binds[] = { BIND_TEXT(dag_id), BIND_TEXT(run_id), BIND_TEXT(task_id),
                            BIND_NUMBER(map_index), causes_bind() };
    if (!call_refuse_problems(call))
        document_read(call->api->options.store, DOCUMENT_ui_why_subject, binds, 5, on_subject,
                      asking);
}

void why_get(struct call *call)
{
    int64_t map_index = call_query_int(call, "map_index", -1, INT32_MAX, -1);
    struct str dag_id = call_query(call, "dag_id", STR_EMPTY),
               run_id = call_query(call, "run_id", STR_EMPTY);
    if (dag_id.size == 0)
        call_problem(call, "query", "dag_id", "missing", "Field required");
    if (run_id.size == 0)
        call_problem(call, "query", "run_id", "missing", "Field required");
    ask(call, dag_id, run_id, call_query(call, "task_id", STR_EMPTY), map_index, false);
}

void instance_dependencies(struct call *call)
{
    bool is_in_path = http_param(call->request, "map_index").bytes != NULL;
    int64_t map_index = is_in_path ? call_param_int(call, "map_index", -1, INT32_MAX)
                                   : call_query_int(call, "map_index", -1, INT32_MAX, -1);
    ask(call, call_param(call, "dag_id"), call_param(call, "dag_run_id"),
        call_param(call, "task_id"), map_index, true);
}
