// SPDX-License-Identifier: Apache-2.0
/* Runs: listing, triggering, marking, clearing, deleting, waiting. */
#include "common/base/civil.h"
#include "common/model/context.h"
#include "common/store/request_store.h"
#include "common/text/json.h"
#include "webserver/api/command.h"
#include "webserver/api/handlers.h"

#include <sys/random.h>

enum { RUN_ID_MAX = 250 };

static struct str scope_of(struct call *call, const char *name)
{
    struct str id = call_param(call, name);
    return str_is(id, "~") ? STR_EMPTY : id;
}

void runs_list(struct call *call)
{
    struct list_query query;
    if (!call_list(call, &query, LIST_RUNS))
        return;
    query.dag_id = scope_of(call, "dag_id");
    call_list_read(call, &query);
}

static void run_query(struct call *call, struct list_query *query, struct str run_id)
{
    list_query_init(query, LIST_RUNS, call->arena, 1);
    query->dag_id = call_param(call, "dag_id");
    query->run_id = run_id;
}

static void read_run(struct call *call, struct str run_id)
{
    struct list_query query;
    run_query(call, &query, run_id);
    call_list_one(call, &query);
}

void run_get(struct call *call)
{
    read_run(call, call_param(call, "dag_run_id"));
}

/* ---- a list asked for by a body ---- */

static void put_pair(struct call *call, struct list_query *query, struct str name,
                     const struct value *value)
{
    struct err err = { 0 };
    struct str text = value->type == VALUE_STRING ? value->string : json_text(call->arena, value);
    if (list_query_put(query, name, text, call->api->options.conf->api_maximum_page_limit, &err) <
        0)
        call_problem(call, "body", str_cstr(call->arena, name), "value_error", "%s", err.sentence);
}

/* The names of a body differ from those of a query string; a list is several values. */
void list_body(struct call *call, struct list_query *query)
{
    static const struct {
        const char *body, *query;
    } NAMES[] = {
        { "dag_ids", "dag_id" },    { "dag_run_ids", "run_id" }, { "states", "state" },
        { "task_ids", "task_id" },  { "page_limit", "limit" },   { "page_offset", "offset" },
        { "executor", "executor" },
    };
    for (uint32_t i = 0;
         call->body != NULL && call->body->type == VALUE_MAP && i < call->body->count; i++) {
        const struct value_entry *entry = &call->body->entries[i];
        struct str name = entry->key;
        for (size_t k = 0; k < sizeof NAMES / sizeof *NAMES; k++)
            if (str_is(name, NAMES[k].body))
                name = str_of(NAMES[k].query);
        if (entry->value->type == VALUE_LIST)
            for (uint32_t k = 0; k < entry->value->count; k++)
                put_pair(call, query, name, entry->value->items[k]);
        else if (entry->value->type != VALUE_NULL)
            put_pair(call, query, name, entry->value);
    }
}

void runs_list_by_body(struct call *call)
{
    struct list_query query;
    list_query_init(&query, LIST_RUNS, call->arena,
                    call->api->options.conf->api_maximum_page_limit);
    query.dag_id = scope_of(call, "dag_id");
    list_body(call, &query);
    if (call_refuse_problems(call))
        list_query_clear(&query);
    else
        call_list_read(call, &query);
}

/* ---- triggering ---- */

static bool run_id_is_good(struct str id)
{
    if (id.size == 0 || id.size > RUN_ID_MAX || str_is(id, ".") || str_is(id, ".."))
        return false; /* dots alone could stand in no path */
    for (size_t i = 0; i < id.size; i++) {
        unsigned char byte = (unsigned char)id.bytes[i];
        bool is_word = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z');
        if (!is_word && (byte == 0 || strchr("_.~:+-", byte) == NULL))
            return false;
    }
    return true;
}

/* "manual__2026-11-21T03:33:47.123456+00:00_x7Qa": unique without a logical date, which is unique
 * by itself. */
static struct str make_run_id(struct call *call, const struct request *request)
{
    int64_t now_ms = request->has_logical ? request->logical_ms : loop_wall_ms();
    struct str time = context_time(call->arena, now_ms);
    if (request->has_logical)
        return str_format(call->arena, "manual__%.*s", STR_ARG(time));
    uint32_t random = 0;
    (void)!getrandom(&random, sizeof random, 0);
    return str_format(call->arena, "manual__%.*s_%08x", STR_ARG(time), random);
}

static void on_triggered(struct call *call, const struct value *answer)
{
    const struct request *request = call->state;
    read_run(call, value_text(value_get(answer, "run_id"), request->run_id));
}

static void read_interval(struct call *call, struct request *request)
{
    bool has_start = body_time(call, "data_interval_start", &request->interval_start_ms),
         has_end = body_time(call, "data_interval_end", &request->interval_end_ms);
    if (has_start != has_end)
        call_problem(call, "body", has_start ? "data_interval_end" : "data_interval_start",
                     "value_error",
                     "data_interval_start and data_interval_end are given both, or neither");
    else if (request->interval_end_ms < request->interval_start_ms)
        call_problem(call, "body", "data_interval_end", "value_error",
                     "the interval ends before it begins");
}

void run_trigger(struct call *call)
{
    struct request *request = ARENA_NEW(call->arena, struct request);
    *request = (struct request) { .kind = REQUEST_TRIGGER,
                                  .dag_id = call_param(call, "dag_id"),
                                  .run_type = RUN_MANUAL };
    request->run_id = body_text(call, "dag_run_id", STR_EMPTY);
    request->has_logical = body_time(call, "logical_date", &request->logical_ms);
    (void)body_time(call, "run_after", &request->run_after_ms);
    read_interval(call, request);
    request->conf = body_map(call, "conf");
    request->note = body_text(call, "note", STR_EMPTY);
    if (request->run_id.size > 0 && !run_id_is_good(request->run_id))
        call_problem(
            call, "body", "dag_run_id", "string_pattern_mismatch",
            "String should match pattern '^[A-Za-z0-9_.~:+-]+$', with at most 250 letters");
    if (call_refuse_problems(call))
        return;
    if (request->run_id.size == 0)
        request->run_id = make_run_id(call, request);
    call->state = request;
    struct audit audit = call_audit(call, "trigger_dag_run");
    command_send(call, request, &audit, on_triggered);
}

/* ---- changing ---- */

static void on_changed(struct call *call, const struct value *answer)
{
    (void)answer;
    read_run(call, call_param(call, "dag_run_id"));
}

static void on_noted(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        on_changed(call, NULL);
}

static void put_note(struct call *call, struct str note)
{
    struct audit audit = call_audit(call, "note_dag_run");
    audit.dag_id = call_param(call, "dag_id");
    audit.run_id = call_param(call, "dag_run_id");
    note_put(call->api->options.store, audit.dag_id, audit.run_id, STR_EMPTY, MAP_INDEX_NONE, note,
             &audit, on_noted, call);
}

static void on_marked(struct call *call, const struct value *answer)
{
    (void)answer;
    if (body_has(call, "note"))
        put_note(call, body_text(call, "note", STR_EMPTY));
    else
        on_changed(call, NULL);
}

void run_patch(struct call *call)
{
    struct request request = { .kind = REQUEST_MARK_RUN,
                               .dag_id = call_param(call, "dag_id"),
                               .run_id = call_param(call, "dag_run_id") };
    struct str state = body_text(call, "state", STR_EMPTY);
    struct str note = body_text(call, "note", STR_EMPTY);
    if (state.size > 0 &&
        (run_state_parse(state, &request.run_state) < 0 || request.run_state == RUN_RUNNING))
        call_problem(call, "body", "state", "enum",
                     "Input should be 'queued', 'success' or 'failed'");
    if (state.size == 0 && !body_has(call, "note"))
        call_problem(call, "body", "state", "missing", "state or note is needed");
    if (note.size > 1000)
        call_problem(call, "body", "note", "string_too_long",
                     "String should have at most 1000 characters");
    if (call_refuse_problems(call))
        return;
    if (state.size == 0) {
        put_note(call, note);
        return;
    }
    struct audit audit = call_audit(call, "mark_dag_run");
    command_send(call, &request, &audit, on_marked);
}

static void on_deleted(struct call *call, const struct value *answer)
{
    (void)answer;
    call_empty(call, 204);
}

void run_delete(struct call *call)
{
    struct request request = { .kind = REQUEST_DELETE_RUN,
                               .dag_id = call_param(call, "dag_id"),
                               .run_id = call_param(call, "dag_run_id") };
    struct audit audit = call_audit(call, "delete_dag_run");
    command_send(call, &request, &audit, on_deleted);
}

/* A dry run answers the instances that would be cleared; otherwise the run is answered. */
void run_clear(struct call *call)
{
    bool dry_run = body_bool(call, "dry_run", true);
    struct request request = { .kind = REQUEST_CLEAR,
                               .dag_id = call_param(call, "dag_id"),
                               .run_id = call_param(call, "dag_run_id"),
                               .whole_run = true };
    request.only_failed = body_bool(call, "only_failed", false);
    request.latest_version = body_bool(call, "run_on_latest_version", false);
    if (call_refuse_problems(call))
        return;
    if (dry_run) {
        struct list_query query;
        list_query_init(&query, LIST_RUN_INSTANCES, call->arena, INT32_MAX);
        query.dag_id = request.dag_id;
        query.run_id = request.run_id;
        if (request.only_failed) {
            list_query_only(&query, "state", STR("failed"));
            list_query_only(&query, "state", STR("upstream_failed"));
        }
        call_list_read(call, &query);
        return;
    }
    struct audit audit = call_audit(call, "clear_dag_run");
    command_send(call, &request, &audit, on_changed);
}
