// SPDX-License-Identifier: Apache-2.0
/* Backfills: listing, making, dry runs, pausing, cancelling. */
#include "common/text/json.h"
#include "webserver/api/command.h"
#include "webserver/api/handlers.h"

enum { MAX_ACTIVE_RUNS = 10, MAX_ACTIVE_RUNS_MOST = 100000 };

void backfills_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_BACKFILLS))
        call_list_read(call, &query);
}

static void init_one(struct call *call, struct list_query *query, int64_t backfill_no)
{
    list_query_init(query, LIST_BACKFILLS, call->arena, 1);
    list_query_only(query, "id", str_format(call->arena, "%lld", (long long)backfill_no));
}

static void read_one(struct call *call, int64_t backfill_no)
{
    struct list_query query;
    init_one(call, &query, backfill_no);
    call_list_one(call, &query);
}

void backfill_get(struct call *call)
{
    int64_t backfill_no = call_param_int(call, "backfill_id", 1, INT64_MAX);
    if (!call_refuse_problems(call))
        read_one(call, backfill_no);
}

/* ---- making ---- */

static void on_made(struct call *call, const struct value *answer)
{
    read_one(call, value_integer(value_get(answer, "id"), 0));
}

static void on_dry(struct call *call, const struct value *answer)
{
    const struct value *dates = value_get(answer, "dates");
    struct value *body = value_map(call->arena), *list = value_list(call->arena);
    for (uint32_t i = 0; dates != NULL && i < dates->count; i++) {
        struct value *item = value_map(call->arena);
        value_put(call->arena, item, STR("logical_date"), dates->items[i]);
        value_put(call->arena, item, STR("partition_key"), value_null(call->arena));
        value_put(call->arena, item, STR("partition_date"), value_null(call->arena));
        value_add(call->arena, list, item);
    }
    value_put(call->arena, body, STR("backfills"), list);
    value_put(call->arena, body, STR("total_entries"),
              value_int(call->arena, value_integer(value_get(answer, "count"), list->count)));
    call_json(call, 200, json_text(call->arena, body));
}

/* aux 1: a dry run, which only says which dates would be done. */
void backfill_create(struct call *call)
{
    struct request request = { .kind = REQUEST_BACKFILL, .dry_run = call->route->aux == 1 };
    struct str reprocess = body_text(call, "reprocess_behavior", STR("none"));
    request.dag_id = body_text(call, "dag_id", STR_EMPTY);
    request.max_active_runs =
        (int32_t)body_int(call, "max_active_runs", 1, MAX_ACTIVE_RUNS_MOST, MAX_ACTIVE_RUNS);
    request.backwards = body_bool(call, "run_backwards", false);
    request.conf = body_map(call, "dag_run_conf");
    (void)body_bool(call, "run_on_latest_version", true);
    if (request.dag_id.size == 0)
        call_problem(call, "body", "dag_id", "missing", "Field required");
    if (!body_time(call, "from_date", &request.from_ms) && !body_has(call, "from_date"))
        call_problem(call, "body", "from_date", "missing", "Field required");
    if (!body_time(call, "to_date", &request.to_ms) && !body_has(call, "to_date"))
        call_problem(call, "body", "to_date", "missing", "Field required");
    if (reprocess_parse(reprocess, &request.reprocess) < 0)
        call_problem(call, "body", "reprocess_behavior", "enum",
                     "Input should be 'failed', 'completed' or 'none'");
    if (call_refuse_problems(call))
        return;
    struct audit audit =
        call_audit(call, request.dry_run ? "create_backfill_dry_run" : "create_backfill");
    command_send(call, &request, &audit, request.dry_run ? on_dry : on_made);
}

/* ---- changing ---- */

static const struct {
    const char *what, *event;
} CHANGES[] = {
    { "cancel", "cancel_backfill" },
    { "pause", "pause_backfill" },
    { "unpause", "unpause_backfill" },
};

static void on_set(struct call *call, const struct value *answer)
{
    (void)answer;
    backfill_get(call);
}

static void on_found(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct value *row = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &row, NULL);
    if (rc == ERR_NOT_FOUND) {
        call_refuse(call, 404, "there is no backfill %.*s",
                    STR_ARG(call_param(call, "backfill_id")));
        return;
    }
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct request request = { .kind = REQUEST_BACKFILL_SET,
                               .dag_id = value_text(value_get(row, "dag_id"), STR_EMPTY),
                               .backfill_no = value_integer(value_get(row, "id"), 0),
                               .what = str_of(CHANGES[call->route->aux].what) };
    struct audit audit = call_audit(call, CHANGES[call->route->aux].event);
    command_send(call, &request, &audit, on_set);
}

/* aux: which of CHANGES. */
void backfill_set(struct call *call)
{
    struct list_query query;
    int64_t backfill_no = call_param_int(call, "backfill_id", 1, INT64_MAX);
    if (call_refuse_problems(call))
        return;
    init_one(call, &query, backfill_no);
    list_read_one(call->api->options.store, &query, on_found, call);
    list_query_clear(&query);
}
