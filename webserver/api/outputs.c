// SPDX-License-Identifier: Apache-2.0
/* Outputs (XCom) of task instances; and the deletion of an instance's rows, which is as little the
 * scheduler's business: both touch only what no leader holds in memory. */
#include "common/store/output_store.h"
#include "common/text/json.h"
#include "webserver/api/handlers.h"

enum { KEY_MAX = 250 };

/* ---- reading ---- */

void outputs_list(struct call *call)
{
    struct list_query query;
    if (!call_list(call, &query, LIST_OUTPUTS))
        return;
    query.dag_id = call_param(call, "dag_id");
    query.run_id = call_param(call, "dag_run_id");
    if (!str_is(call_param(call, "task_id"), "~"))
        list_query_only(&query, "task_id", call_param(call, "task_id"));
    call_list_read(call, &query);
}

static void read_output(struct call *call, struct str key, int32_t map_index, bool as_text,
                        void (*on_end)(void *call, int rc, const struct err *err))
{
    struct bind binds[] = { BIND_TEXT(call_param(call, "dag_id")),
                            BIND_TEXT(call_param(call, "dag_run_id")),
                            BIND_TEXT(call_param(call, "task_id")),
                            BIND_NUMBER(map_index),
                            BIND_TEXT(key),
                            BIND_NUMBER(as_text) };
    call_read(call, NULL, DOCUMENT_api_output, binds, 6, on_end);
}

void output_get(struct call *call)
{
    int32_t map_index = call_map_index(call, MAP_INDEX_NONE);
    bool as_text = call_query_bool(call, "stringify", false);
    if (!call_refuse_problems(call))
        read_output(call, call_param(call, "xcom_key"), map_index, as_text, call_pass_read);
}

/* ---- writing ---- */

struct writing {
    enum output_change change;
    struct str key, json;
    int32_t map_index;
    struct audit audit;
};

static void on_created(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        http_answer_pile(call->request, 201, "application/json");
}

static void on_written(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    const struct writing *writing = call->state;
    if (rc < 0)
        call_fail(call, rc, err);
    else if (writing->change == OUTPUT_REMOVE)
        call_empty(call, 204);
    else
        read_output(call, writing->key, writing->map_index, false,
                    writing->change == OUTPUT_ADD ? on_created : call_pass_read);
}

/* The scheduler holds what tasks gave back as long as their run goes on. */
static void on_place(void *owner, int rc, const struct output_place *place, const struct err *err)
{
    struct call *call = owner;
    const struct writing *writing = call->state;
    if (rc < 0)
        call_fail(call, rc, err);
    else if (writing->change != OUTPUT_ADD && !place->is_there)
        call_refuse(call, 404, "there is no output %.*s of this task", STR_ARG(writing->key));
    else if (writing->change == OUTPUT_ADD && place->is_there)
        call_refuse(call, 409, "there is an output %.*s of this task already",
                    STR_ARG(writing->key));
    else if (place->is_live && str_is(writing->key, "return_value"))
        call_refuse(call, 409,
                    "the run is under way: what its tasks give back is theirs. Another key can be "
                    "written at any time");
    else
        output_write(call->api->options.store, writing->change, place, writing->key, writing->json,
                     &writing->audit, on_written, call);
}

static void write_output(struct call *call, struct writing *writing, const char *event)
{
    if (writing->key.size == 0 || writing->key.size > KEY_MAX)
        call_problem(call, "body", "key", "value_error", "1 to 250 letters");
    if (call_refuse_problems(call))
        return;
    call->state = writing;
    writing->audit = call_audit(call, event);
    writing->audit.dag_id = call_param(call, "dag_id");
    writing->audit.run_id = call_param(call, "dag_run_id");
    writing->audit.task_id = call_param(call, "task_id");
    writing->audit.map_index = writing->map_index;
    output_find(call->api->options.store, writing->audit.dag_id, writing->audit.run_id,
                writing->audit.task_id, writing->map_index, writing->key, on_place, call);
}

/* Any JSON, also null. */
static struct str read_value(struct call *call)
{
    if (body_has(call, "value"))
        return json_text(call->arena, value_get(call->body, "value"));
    call_problem(call, "body", "value", "missing", "Field required");
    return STR_EMPTY;
}

void output_create(struct call *call)
{
    struct writing *writing = ARENA_NEW(call->arena, struct writing);
    writing->change = OUTPUT_ADD;
    writing->key = body_text(call, "key", STR_EMPTY);
    writing->json = read_value(call);
    writing->map_index = (int32_t)body_int(call, "map_index", -1, INT32_MAX, MAP_INDEX_NONE);
    write_output(call, writing, "create_xcom_entry");
}

void output_update(struct call *call)
{
    struct writing *writing = ARENA_NEW(call->arena, struct writing);
    writing->change = OUTPUT_CHANGE;
    writing->key = call_param(call, "xcom_key");
    writing->json = read_value(call);
    writing->map_index = (int32_t)body_int(call, "map_index", -1, INT32_MAX, MAP_INDEX_NONE);
    write_output(call, writing, "update_xcom_entry");
}

void output_delete(struct call *call)
{
    struct writing *writing = ARENA_NEW(call->arena, struct writing);
    writing->change = OUTPUT_REMOVE;
    writing->key = call_param(call, "xcom_key");
    writing->map_index = call_map_index(call, MAP_INDEX_NONE);
    write_output(call, writing, "delete_xcom_entry");
}

/* ---- an instance's rows ---- */

static void on_instance_gone(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_json(call, 200, STR("null"));
}

static void on_instance(void *owner, int rc, const struct output_place *place,
                        const struct err *err)
{
    struct call *call = owner;
    struct writing *writing = call->state;
    if (rc < 0)
        call_fail(call, rc, err);
    else if (place->is_live)
        call_refuse(call, 409, "the run is under way: mark it first, or clear the task");
    else
        instance_delete(call->api->options.store, place, &writing->audit, on_instance_gone, call);
}

void instance_remove(struct call *call)
{
    struct writing *writing = ARENA_NEW(call->arena, struct writing);
    int32_t map_index = call_map_index(call, MAP_INDEX_NONE);
    if (call_refuse_problems(call))
        return;
    call->state = writing;
    writing->audit = call_audit(call, "delete_task_instance");
    writing->audit.dag_id = call_param(call, "dag_id");
    writing->audit.run_id = call_param(call, "dag_run_id");
    writing->audit.task_id = call_param(call, "task_id");
    writing->audit.map_index = map_index;
    output_find(call->api->options.store, writing->audit.dag_id, writing->audit.run_id,
                writing->audit.task_id, map_index, STR_EMPTY, on_instance, call);
}
