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
    const struct value *asset = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &asset, NULL);
    if (rc == ERR_NOT_FOUND) {
        call_refuse(call, 404, "there is no asset with this id");
        return;
    }
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct request request = { .kind = REQUEST_ASSET_EVENT,
                               .what = value_text(value_get(asset, "name"), STR_EMPTY),
                               .conf = body_map(call, "extra") };
    struct audit audit = call_audit(call, "create_asset_event");
    command_send(call, &request, &audit, on_told);
}

void asset_event_create(struct call *call)
{
    struct list_query query;
    int64_t asset_id = body_int(call, "asset_id", 1, INT32_MAX, 0);
    (void)body_map(call, "extra");
    if (!body_has(call, "asset_id"))
        call_problem(call, "body", "asset_id", "missing", "Field required");
    if (call_refuse_problems(call))
        return;
    init_one(call, &query, LIST_ASSETS, asset_id);
    list_read_one(call->api->options.store, &query, on_asset, call);
    list_query_clear(&query);
}
