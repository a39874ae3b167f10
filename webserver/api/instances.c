// SPDX-License-Identifier: Apache-2.0
/* Task instances: listing, tries, marking, clearing. */
#include "common/store/request_store.h"
#include "common/text/json.h"
#include "webserver/api/command.h"
#include "webserver/api/handlers.h"
#include "webserver/api/over_runs.h"

enum { NOTE_MAX = 1000 };

#define YEAR_9999_MS 253402300799000 /* later than any date that PostgreSQL and people write */

static struct str unless_all(struct str id)
{
    return str_is(id, "~") ? STR_EMPTY : id;
}

/* Of one run all instances; of several those that have a row. */
static void init_query(struct call *call, struct list_query *query, int64_t limit)
{
    struct str dag_id = unless_all(call_param(call, "dag_id")),
               run_id = unless_all(call_param(call, "dag_run_id"));
    bool is_one_run = dag_id.size > 0 && run_id.size > 0;
    list_query_init(query, is_one_run ? LIST_RUN_INSTANCES : LIST_INSTANCES, call->arena, limit);
    query->dag_id = dag_id;
    query->run_id = run_id;
}

static bool list_of_run(struct call *call, struct list_query *query)
{
    struct list_query scope;
    init_query(call, &scope, 0);
    if (!call_list(call, query, scope.list))
        return false;
    query->dag_id = scope.dag_id;
    query->run_id = scope.run_id;
    return true;
}

void instances_list(struct call *call)
{
    struct list_query query;
    if (list_of_run(call, &query))
        call_list_read(call, &query);
}

void instances_list_by_body(struct call *call)
{
    struct list_query query;
    init_query(call, &query, call->api->options.conf->api_maximum_page_limit);
    list_body(call, &query);
    if (call_refuse_problems(call))
        list_query_clear(&query);
    else
        call_list_read(call, &query);
}

void instances_list_mapped(struct call *call)
{
    struct list_query query;
    if (!list_of_run(call, &query))
        return;
    list_query_only(&query, "task_id", call_param(call, "task_id"));
    call_list_read(call, &query);
}

int32_t call_map_index(struct call *call, int32_t otherwise)
{
    struct str in_path = http_param(call->request, "map_index");
    if (in_path.bytes != NULL)
        return (int32_t)call_param_int(call, "map_index", -1, INT32_MAX);
    return (int32_t)call_query_int(call, "map_index", -1, INT32_MAX, otherwise);
}

void instance_get(struct call *call)
{
    struct list_query query;
    int32_t map_index = call_map_index(call, MAP_INDEX_NONE);
    if (call_refuse_problems(call))
        return;
    init_query(call, &query, 1);
    list_query_only(&query, "task_id", call_param(call, "task_id"));
    list_query_only(&query, "map_index", str_format(call->arena, "%d", map_index));
    call_list_one(call, &query);
}

void instance_tries(struct call *call)
{
    int32_t map_index = call_map_index(call, MAP_INDEX_NONE);
    bool is_one = http_param(call->request, "task_try_number").bytes != NULL;
    int64_t try_no = is_one ? call_param_int(call, "task_try_number", 0, INT16_MAX) : -1;
    struct bind binds[] = { BIND_TEXT(call_param(call, "dag_id")),
                            BIND_TEXT(call_param(call, "dag_run_id")),
                            BIND_TEXT(call_param(call, "task_id")), BIND_NUMBER(map_index),
                            BIND_NUMBER(try_no) };
    call_document(call, DOCUMENT_api_tries, binds, 5);
}

/* ---- what a clear touches, and a mark with what is around it ---- */

struct clearing {
    struct request request;
    struct list_query query; /* of the instances that are touched */
    bool dry_run, only_running;
};

static void on_cleared(struct call *call, const struct value *answer)
{
    (void)answer;
    struct clearing *clearing = call->state;
    call_list_read(call, &clearing->query);
}

/* ["load", -1, "failed"] of api_instance_keys, which knows whole tasks: those that are named, and
 * what goes along. */
static void add_key(struct call *call, struct clearing *clearing, const struct value *key)
{
    struct str id = value_text(key->items[0], STR_EMPTY);
    int64_t map_index = value_integer(key->items[1], -1);
    bool is_named = false, is_meant = false;
    for (uint32_t i = 0; i < clearing->request.task_count; i++) {
        const struct request_task *task = &clearing->request.tasks[i];
        if (!str_eq(task->task_id, id))
            continue;
        is_named = true;
        is_meant |= task->map_index == MAP_INDEX_ALL || task->map_index == map_index;
    }
    if (is_meant || !is_named)
        list_query_only(&clearing->query, "instance",
                        str_format(call->arena, "%.*s:%lld", STR_ARG(id), (long long)map_index));
}

static void on_keys(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct clearing *clearing = call->state;
    const struct value *keys = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &keys, NULL);
    if (rc < 0) {
        list_query_clear(&clearing->query);
        call_fail(call, rc, err);
        return;
    }
    const struct value *tasks = value_get(keys, "tasks");
    list_query_only(&clearing->query, "instance",
                    STR_EMPTY); /* an empty set is no instance, not all of them */
    for (uint32_t i = 0; i < tasks->count; i++)
        if (tasks->items[i]->items[0]->type == VALUE_STRING)
            add_key(call, clearing, tasks->items[i]);
    if (clearing->dry_run) {
        call_list_read(call, &clearing->query);
        return;
    }
    struct audit audit = call_audit(call, "clear_task_instances");
    command_send(call, &clearing->request, &audit, on_cleared);
}

static uint32_t states_of(const struct clearing *clearing, struct str states[3])
{
    if (clearing->request.only_failed) {
        states[0] = STR("failed");
        states[1] = STR("upstream_failed");
        return 2;
    }
    states[0] = STR("running");
    return clearing->only_running ? 1 : 0;
}

/* Which instances there are to be touched; then on_keys. */
static void clearing_ask(struct call *call, struct clearing *clearing)
{
    const struct request *request = &clearing->request;
    list_query_init(&clearing->query, LIST_RUN_INSTANCES, call->arena, INT32_MAX);
    clearing->query.dag_id = request->dag_id;
    clearing->query.run_id = request->run_id;
    call->state = clearing;
    struct str *ids = ARENA_ARRAY(call->arena, struct str, request->task_count), states[3];
    for (uint32_t i = 0; i < request->task_count; i++)
        ids[i] = request->tasks[i].task_id;
    struct bind binds[] = { BIND_TEXT(request->dag_id),
                            BIND_TEXT(request->run_id),
                            BIND_TEXTS(ids, request->task_count),
                            BIND_NUMBER(request->include_upstream),
                            BIND_NUMBER(request->include_downstream),
                            BIND_TEXTS(states, states_of(clearing, states)) };
    document_read(call->api->options.store, DOCUMENT_api_instance_keys, binds, 6, on_keys, call);
}

/* ---- marking ---- */

static void answer_instances(struct call *call)
{
    struct list_query query;
    int32_t map_index = call_map_index(call, MAP_INDEX_ALL);
    init_query(call, &query, INT32_MAX);
    list_query_only(&query, "task_id", call_param(call, "task_id"));
    if (map_index != MAP_INDEX_ALL)
        list_query_only(&query, "map_index", str_format(call->arena, "%d", map_index));
    call_list_read(call, &query);
}

static void on_noted(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        answer_instances(call);
}

static void on_marked(struct call *call, const struct value *answer)
{
    (void)answer;
    if (!body_has(call, "note")) {
        answer_instances(call);
        return;
    }
    int32_t map_index = call_map_index(call, MAP_INDEX_NONE);
    struct audit audit = call_audit(call, "note_task_instance");
    audit.dag_id = call_param(call, "dag_id");
    audit.run_id = call_param(call, "dag_run_id");
    audit.task_id = call_param(call, "task_id");
    audit.map_index = map_index;
    note_put(call->api->options.store, audit.dag_id, audit.run_id, audit.task_id, map_index,
             body_text(call, "note", STR_EMPTY), &audit, on_noted, call);
}

static void on_over_runs(struct call *call, struct over_runs *over)
{
    if (call->route->aux == 1)
        over_runs_list(call, over, NULL, 0);
    else
        over_runs_send(call, over);
}

static void on_over_runs_end(struct call *call, struct over_runs *over)
{
    over_runs_list(call, over, NULL, 0);
}

/* aux 1: a dry run, which says which instances would be marked. */
void instance_patch(struct call *call)
{
    struct request_task *task = ARENA_NEW(call->arena, struct request_task);
    struct request request = { .kind = REQUEST_MARK_TASKS,
                               .dag_id = call_param(call, "dag_id"),
                               .run_id = call_param(call, "dag_run_id"),
                               .tasks = task,
                               .task_count = 1 };
    *task =
        (struct request_task) { call_param(call, "task_id"), call_map_index(call, MAP_INDEX_ALL) };
    struct str state = body_text(call, "new_state", STR_EMPTY);
    struct str note = body_text(call, "note", STR_EMPTY);
    bool is_markable = state.size == 0 ||
                       (task_state_parse(state, &request.task_state) == 0 &&
                        (request.task_state == TASK_SUCCESS || request.task_state == TASK_FAILED ||
                         request.task_state == TASK_SKIPPED));
    if (!is_markable)
        call_problem(call, "body", "new_state", "enum",
                     "Input should be 'success', 'failed' or 'skipped'");
    if (state.size == 0 && !body_has(call, "note"))
        call_problem(call, "body", "new_state", "missing", "new_state or note is needed");
    if (note.size > NOTE_MAX)
        call_problem(call, "body", "note", "string_too_long",
                     "String should have at most 1000 characters");
    request.include_upstream = body_bool(call, "include_upstream", false);
    request.include_downstream = body_bool(call, "include_downstream", false);
    bool past = body_bool(call, "include_past", false),
         future = body_bool(call, "include_future", false);
    if (call_refuse_problems(call))
        return;
    if ((past || future) && state.size > 0) {
        struct over_runs *over = ARENA_NEW(call->arena, struct over_runs);
        *over = (struct over_runs) { .request = request,
                                     .past = past,
                                     .future = future,
                                     .event = "mark_task_instance",
                                     .on_runs = on_over_runs,
                                     .on_end = on_over_runs_end };
        over_runs_find(call, over);
        return;
    }
    if (call->route->aux == 1 && (request.include_upstream || request.include_downstream)) {
        struct clearing *clearing = ARENA_NEW(call->arena, struct clearing);
        *clearing = (struct clearing) { .request = request, .dry_run = true };
        clearing_ask(call, clearing);
        return;
    }
    if (call->route->aux == 1 || state.size == 0) {
        if (call->route->aux == 1)
            answer_instances(call);
        else
            on_marked(call, NULL);
        return;
    }
    struct audit audit = call_audit(call, "mark_task_instance");
    command_send(call, &request, &audit, on_marked);
}

/* ---- clearing ---- */

/* "load", or ["load", 3]. */
static void read_task_ids(struct call *call, struct request *request)
{
    const struct value *list = body_list(call, "task_ids");
    if (list == NULL)
        return;
    request->tasks = ARENA_ARRAY(call->arena, struct request_task, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *item = list->items[i];
        bool is_pair = item->type == VALUE_LIST && item->count == 2 &&
                       item->items[0]->type == VALUE_STRING && item->items[1]->type == VALUE_INT;
        if (item->type != VALUE_STRING && !is_pair)
            call_problem(call, "body", "task_ids", "value_error",
                         "each is a task id, or [task id, map index]");
        else if (is_pair)
            request->tasks[request->task_count++] =
                (struct request_task) { item->items[0]->string, (int32_t)item->items[1]->integer };
        else
            request->tasks[request->task_count++] =
                (struct request_task) { item->string, MAP_INDEX_ALL };
    }
}

/* ---- clearing over runs ---- */

static void list_cleared(struct call *call, struct over_runs *over)
{
    struct str states[3];
    struct clearing clearing = { .request = over->request,
                                 .only_running = over->request.only_running };
    bool dry_run = body_bool(call, "dry_run", true);
    over_runs_list(call, over, states, dry_run ? states_of(&clearing, states) : 0);
}

static void on_clear_runs(struct call *call, struct over_runs *over)
{
    if (body_bool(call, "dry_run", true))
        list_cleared(call, over);
    else
        over_runs_send(call, over);
}

/* With the past or the future of a run, or, without one, all runs of a range of logical dates. */
static bool clears_over_runs(struct call *call, const struct request *request)
{
    struct over_runs *over = ARENA_NEW(call->arena, struct over_runs);
    *over = (struct over_runs) { .request = *request,
                                 .event = "clear_task_instances",
                                 .to_ms = YEAR_9999_MS,
                                 .on_runs = on_clear_runs,
                                 .on_end = list_cleared };
    over->past = body_bool(call, "include_past", false);
    over->future = body_bool(call, "include_future", false);
    bool has_from = body_time(call, "start_date", &over->from_ms),
         has_to = body_time(call, "end_date", &over->to_ms);
    over->has_dates = request->run_id.size == 0 && (has_from || has_to);
    if (request->run_id.size == 0 && !over->has_dates)
        call_problem(call, "body", "dag_run_id", "missing",
                     "name the run, or give start_date and end_date");
    if (call_refuse_problems(call))
        return true;
    if (request->run_id.size > 0 && !over->past && !over->future)
        return false;
    over_runs_find(call, over);
    return true;
}

void instances_clear(struct call *call)
{
    struct clearing *clearing = ARENA_NEW(call->arena, struct clearing);
    struct request *request = &clearing->request;
    *request = (struct request) { .kind = REQUEST_CLEAR, .dag_id = call_param(call, "dag_id") };
    request->run_id = body_text(call, "dag_run_id", STR_EMPTY);
    clearing->dry_run = body_bool(call, "dry_run", true);
    request->only_failed = body_bool(call, "only_failed", true);
    clearing->only_running = request->only_running = body_bool(call, "only_running", false);
    request->include_upstream = body_bool(call, "include_upstream", false);
    request->include_downstream = body_bool(call, "include_downstream", false);
    request->latest_version = body_bool(call, "run_on_latest_version", false);
    read_task_ids(call, request);
    request->whole_run = request->task_count == 0;
    if (clears_over_runs(call, request))
        return;
    clearing_ask(call, clearing);
}
