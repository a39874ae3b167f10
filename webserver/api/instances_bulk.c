// SPDX-License-Identifier: Apache-2.0
/* Many task instances at once: Airflow's bulk PATCH. Each is a request of its own to the leader,
 * one after the other; the answer says of each what became of it. */
#include "common/text/json.h"
#include "webserver/api/command.h"
#include "webserver/api/handlers.h"
#include "webserver/api/pages.h"

struct instances_bulk {
    const struct value *actions;
    uint32_t action, entity;
    struct value *success, *errors;
};

static void go_on(struct call *call);

static const struct value *entity_of(const struct instances_bulk *bulk)
{
    return value_get(bulk->actions->items[bulk->action], "entities")->items[bulk->entity];
}

/* As Airflow names one: dag.run.task[map index]. */
static struct str name_of(struct call *call)
{
    const struct value *entity = entity_of(call->state);
    return str_format(call->arena, "%.*s.%.*s.%.*s[%lld]", STR_ARG(call_param(call, "dag_id")),
                      STR_ARG(call_param(call, "dag_run_id")),
                      STR_ARG(value_text(value_get(entity, "task_id"), STR_EMPTY)),
                      (long long)value_integer(value_get(entity, "map_index"), MAP_INDEX_NONE));
}

static void on_marked(struct call *call, const struct value *answer)
{
    struct instances_bulk *bulk = call->state;
    (void)answer;
    value_add(call->arena, bulk->success, value_string(call->arena, name_of(call)));
    bulk->entity++;
    go_on(call);
}

static void add_error(struct call *call, const struct refusal *refusal)
{
    struct instances_bulk *bulk = call->state;
    struct value *error = value_map(call->arena);
    struct str text =
        str_format(call->arena, "%.*s: %.*s", STR_ARG(name_of(call)), STR_ARG(refusal->sentence));
    value_put(call->arena, error, STR("error"), value_string(call->arena, text));
    value_put(call->arena, error, STR("status_code"), value_int(call->arena, refusal->status));
    value_add(call->arena, bulk->errors, error);
}

static void on_refused(struct call *call, const struct refusal *refusal)
{
    struct instances_bulk *bulk = call->state;
    struct str policy = value_text(
        value_get(bulk->actions->items[bulk->action], "action_on_non_existence"), STR("fail"));
    if (refusal->status >= 500) {
        call_refuse_reason(call, refusal->status, "not_yet_done", "%.*s",
                           STR_ARG(refusal->sentence));
        return;
    }
    if (refusal->ends_all) {
        call_refuse(call, refusal->status, "%.*s", STR_ARG(refusal->sentence));
        return;
    }
    if (refusal->status != 404 || !str_is(policy, "skip"))
        add_error(call, refusal);
    bulk->entity++;
    go_on(call);
}

static bool read_state(const struct value *entity, enum task_state *out)
{
    return task_state_parse(value_text(value_get(entity, "new_state"), STR_EMPTY), out) == 0 &&
           (*out == TASK_SUCCESS || *out == TASK_FAILED || *out == TASK_SKIPPED);
}

static void mark(struct call *call, const struct value *entity)
{
    struct request_task *task = ARENA_NEW(call->arena, struct request_task);
    struct request request = { .kind = REQUEST_MARK_TASKS,
                               .dag_id = call_param(call, "dag_id"),
                               .run_id = call_param(call, "dag_run_id"),
                               .tasks = task,
                               .task_count = 1 };
    *task = (struct request_task) { value_text(value_get(entity, "task_id"), STR_EMPTY),
                                    (int32_t)value_integer(value_get(entity, "map_index"),
                                                           MAP_INDEX_ALL) };
    request.include_upstream = value_boolean(value_get(entity, "include_upstream"), false);
    request.include_downstream = value_boolean(value_get(entity, "include_downstream"), false);
    if (!read_state(entity, &request.task_state)) {
        on_refused(call, &(struct refusal) {
                             422, STR("new_state has to be success, failed or skipped"), false });
        return;
    }
    struct audit audit = call_audit(call, "mark_task_instance");
    audit.detail = json_text(call->arena, entity);
    command_send_one(call, &request, &audit, on_marked, on_refused);
}

static void answer(struct call *call)
{
    const struct instances_bulk *bulk = call->state;
    struct value *whole = value_map(call->arena), *part = value_map(call->arena);
    value_put(call->arena, part, STR("success"), bulk->success);
    value_put(call->arena, part, STR("errors"), bulk->errors);
    value_put(call->arena, whole, STR("create"), value_null(call->arena));
    value_put(call->arena, whole, STR("update"), part);
    value_put(call->arena, whole, STR("delete"), value_null(call->arena));
    call_json(call, 200, json_text(call->arena, whole));
}

static void go_on(struct call *call)
{
    struct instances_bulk *bulk = call->state;
    while (bulk->action < bulk->actions->count) {
        const struct value *entities = value_get(bulk->actions->items[bulk->action], "entities");
        if (bulk->entity < entities->count) {
            mark(call, entity_of(bulk));
            return;
        }
        bulk->action++;
        bulk->entity = 0;
    }
    answer(call);
}

void instances_bulk(struct call *call)
{
    struct instances_bulk *bulk = ARENA_NEW(call->arena, struct instances_bulk);
    uint64_t count = 0;
    bulk->actions = body_list(call, "actions");
    bulk->success = value_list(call->arena);
    bulk->errors = value_list(call->arena);
    if (bulk->actions == NULL)
        call_problem(call, "body", "actions", "missing", "Field required");
    for (uint32_t i = 0; bulk->actions != NULL && i < bulk->actions->count; i++) {
        const struct value *action = bulk->actions->items[i];
        const struct value *entities = value_get(action, "entities");
        if (!str_is(value_text(value_get(action, "action"), STR_EMPTY), "update"))
            call_problem(call, "body", "actions", "value_error",
                         "instances can be updated, not created or deleted in bulk");
        else if (entities == NULL || entities->type != VALUE_LIST)
            call_problem(call, "body", "actions", "value_error", "entities has to be a list");
        else
            count += entities->count;
        call_check_policies(call, action);
    }
    if (count > PAGE_MATCHES_MAX)
        call_problem(call, "body", "actions", "too_long", "at most %d entities", PAGE_MATCHES_MAX);
    call->state = bulk;
    if (!call_refuse_problems(call) && command_read_key(call))
        go_on(call);
}
