// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/over_runs.h"

#include "common/text/json.h"
#include "webserver/api/command.h"

/* ---- which runs ---- */

static void on_found(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct over_runs *over = call->state;
    const struct value *found = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &found, NULL);
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    const struct value *runs = value_get(found, "runs");
    if (runs->count > OVER_RUNS_MAX) {
        call_problem(call, "body", "", "value_error", "these are more than %d runs: choose fewer",
                     OVER_RUNS_MAX);
        (void)call_refuse_problems(call);
        return;
    }
    over->run_ids = ARENA_ARRAY(call->arena, struct str, runs->count);
    over->run_count = runs->count;
    for (uint32_t i = 0; i < runs->count; i++)
        over->run_ids[i] = value_text(runs->items[i], STR_EMPTY);
    over->on_runs(call, over);
}

void over_runs_find(struct call *call, struct over_runs *over)
{
    struct bind binds[] = { BIND_TEXT(over->request.dag_id),
                            BIND_TEXT(over->request.run_id),
                            BIND_NUMBER(over->past),
                            BIND_NUMBER(over->future),
                            BIND_NUMBER(over->has_dates ? over->from_ms : 1),
                            BIND_NUMBER(over->has_dates ? over->to_ms : 0),
                            BIND_NUMBER(OVER_RUNS_MAX + 1) };
    call->state = over;
    document_read(call->api->options.store, DOCUMENT_api_runs_around, binds, 7, on_found, call);
}

/* ---- one after another ---- */

static void on_done(struct call *call, const struct value *answer)
{
    (void)answer;
    over_runs_send(call, call->state);
}

static struct str detail_of_others(struct call *call, struct str first_run)
{
    struct value *detail = value_map(call->arena);
    value_put(call->arena, detail, STR("as_for_run"), value_string(call->arena, first_run));
    return json_text(call->arena, detail);
}

void over_runs_send(struct call *call, struct over_runs *over)
{
    if (over->next == over->run_count) {
        over->on_end(call, over);
        return;
    }
    struct request request = over->request;
    request.run_id = over->run_ids[over->next++];
    request.over_runs = true;
    struct audit audit = call_audit(call, over->event);
    if (over->next > 1) /* what was asked for stands in the row of the first */
        audit.detail = detail_of_others(call, over->run_ids[0]);
    command_send(call, &request, &audit, on_done);
}

void over_runs_list(struct call *call, const struct over_runs *over, const struct str *states,
                    uint32_t state_count)
{
    struct list_query query;
    list_query_init(&query, LIST_INSTANCES, call->arena, INT32_MAX);
    query.dag_id = over->request.dag_id;
    list_query_only(&query, "run_id", STR_EMPTY); /* an empty set is no run, not all of them */
    for (uint32_t i = 0; i < over->run_count; i++)
        list_query_only(&query, "run_id", over->run_ids[i]);
    for (uint32_t i = 0; i < over->request.task_count; i++)
        if (!over->request.include_upstream && !over->request.include_downstream)
            list_query_only(&query, "task_id", over->request.tasks[i].task_id);
    for (uint32_t i = 0; i < state_count; i++)
        list_query_only(&query, "state", states[i]);
    call_list_read(call, &query);
}
