// SPDX-License-Identifier: Apache-2.0
/* Assets and their events. */
#include "common/text/json.h"
#include "webserver/api/command.h"
#include "webserver/api/handlers.h"

void assets_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_ASSETS))
        call_list_read(call, &query);
}

static void init_one(struct call *call, struct list_query *query, enum list list, int64_t number)
{
    list_query_init(query, list, call->arena, 1);
    list_query_only(query, "id", str_format(call->arena, "%lld", (long long)number));
}

void asset_get(struct call *call)
{
    struct list_query query;
    int64_t asset_id = call_param_int(call, "asset_id", 1, INT32_MAX);
    if (call_refuse_problems(call))
        return;
    init_one(call, &query, LIST_ASSETS, asset_id);
    call_list_one(call, &query);
}

/* ---- events ---- */

void asset_events_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_ASSET_EVENTS))
        call_list_read(call, &query);
}

/* What made the run: events that it has taken. */
void upstream_events_list(struct call *call)
{
    struct bind binds[] = { BIND_TEXT(call_param(call, "dag_id")),
                            BIND_TEXT(call_param(call, "dag_run_id")) };
    call_document(call, DOCUMENT_api_upstream_events, binds, 2);
}

/* ---- of one asset ---- */

/* The asset that `json` holds; NULL after an answer. */
static const struct value *asset_found(struct call *call, int rc, struct str json,
                                       const struct err *err)
{
    const struct value *asset = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &asset, NULL);
    if (rc == ERR_NOT_FOUND)
        call_refuse(call, 404, "there is no asset with this id");
    else if (rc < 0)
        call_fail(call, rc, err);
    return rc < 0 ? NULL : asset;
}

static void find_asset(struct call *call, int64_t asset_id,
                       void (*on_asset)(void *owner, int rc, struct str json,
                                        const struct err *err))
{
    struct list_query query;
    if (call_refuse_problems(call))
        return;
    init_one(call, &query, LIST_ASSETS, asset_id);
    list_read_one(call->api->options.store, &query, on_asset, call);
    list_query_clear(&query);
}

/* An asset is made anew by the one DAG that has a task which updates it. */
static void on_materialize(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct value *asset = asset_found(call, rc, json, err);
    const struct value *tasks = value_get(asset, "producing_tasks");
    struct str maker = STR_EMPTY;
    if (asset == NULL)
        return;
    for (uint32_t i = 0; i < tasks->count; i++) {
        struct str dag_id = value_text(value_get(tasks->items[i], "dag_id"), STR_EMPTY);
        if (maker.size > 0 && !str_eq(maker, dag_id)) {
            call_refuse(call, 400,
                        "More than one DAG materializes this asset: trigger one of them");
            return;
        }
        maker = dag_id;
    }
    if (maker.size == 0)
        call_refuse(call, 404, "No DAG materializes this asset: it is in no task's outlets");
    else
        trigger_run(call, maker, "materialize_asset");
}

void asset_materialize(struct call *call)
{
    find_asset(call, call_param_int(call, "asset_id", 1, INT32_MAX), on_materialize);
}

/* ---- what waits for the rest of a condition ---- */

static void init_queued(struct call *call, struct list_query *query)
{
    if (http_param(call->request, "dag_id").bytes != NULL)
        query->dag_id = call_param(call, "dag_id");
    if (http_param(call->request, "asset_id").bytes != NULL)
        list_query_only(query, "asset_id", call_param(call, "asset_id"));
}

/* Of a DAG, of an asset (aux 0), or of both (aux 1): then it is one. */
void queued_events_get(struct call *call)
{
    struct list_query query;
    if (http_param(call->request, "asset_id").bytes != NULL)
        (void)call_param_int(call, "asset_id", 1, INT32_MAX);
    if (!call_list(call, &query, LIST_QUEUED_EVENTS))
        return;
    init_queued(call, &query);
    if (call->route->aux == 1)
        call_list_one(call, &query);
    else
        call_list_read(call, &query);
}

static void on_dropped(struct call *call, const struct value *answer)
{
    (void)answer;
    call_empty(call, 204);
}

struct dropping {
    struct request request;
    int64_t before_ms; /* 0: all */
};

/* The leader knows events by their numbers. */
static void on_last(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct dropping *dropping = call->state;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    if (str_to_int(json, -1, INT64_MAX, &dropping->request.event_no) < 0 ||
        dropping->request.event_no < 0) {
        call_empty(call, 204); /* nothing was before that */
        return;
    }
    struct audit audit = call_audit(call, "delete_queued_events");
    command_send(call, &dropping->request, &audit, on_dropped);
}

static void find_last(struct call *call)
{
    struct dropping *dropping = call->state;
    struct bind before = BIND_NUMBER(dropping->before_ms);
    document_read(call->api->options.store, DOCUMENT_api_last_event, &before, 1, on_last, call);
}

static void on_dropping(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct dropping *dropping = call->state;
    const struct value *asset = asset_found(call, rc, json, err);
    if (asset == NULL)
        return;
    dropping->request.what = value_text(value_get(asset, "name"), STR_EMPTY);
    find_last(call);
}

void queued_events_delete(struct call *call)
{
    struct dropping *dropping = ARENA_NEW(call->arena, struct dropping);
    dropping->request.kind = REQUEST_DROP_EVENTS;
    dropping->before_ms = call_query_time(call, "before", 0);
    call->state = dropping;
    if (http_param(call->request, "dag_id").bytes != NULL)
        dropping->request.dag_id = call_param(call, "dag_id");
    if (http_param(call->request, "asset_id").bytes != NULL)
        find_asset(call, call_param_int(call, "asset_id", 1, INT32_MAX), on_dropping);
    else if (!call_refuse_problems(call))
        find_last(call);
}

/* ---- an event that a user tells of ---- */

static void on_told(struct call *call, const struct value *answer)
{
    struct list_query query;
    init_one(call, &query, LIST_ASSET_EVENTS, value_integer(value_get(answer, "id"), 0));
    call_list_one(call, &query);
}

static void on_asset(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct value *asset = asset_found(call, rc, json, err);
    if (asset == NULL)
        return;
    struct request request = { .kind = REQUEST_ASSET_EVENT,
                               .what = value_text(value_get(asset, "name"), STR_EMPTY),
                               .conf = body_map(call, "extra") };
    struct audit audit = call_audit(call, "create_asset_event");
    command_send(call, &request, &audit, on_told);
}

void asset_event_create(struct call *call)
{
    int64_t asset_id = body_int(call, "asset_id", 1, INT32_MAX, 0);
    (void)body_map(call, "extra");
    if (!body_has(call, "asset_id"))
        call_problem(call, "body", "asset_id", "missing", "Field required");
    find_asset(call, asset_id, on_asset);
}
