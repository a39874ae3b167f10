// SPDX-License-Identifier: Apache-2.0
/* One action upon many runs or task instances: those that are named, or all that a list's query
 * finds. Each is a request of its own to the leader, a few at a time; a JSON line of each says what
 * became of it. Who stops listening stops it: what is under way is done, nothing more is begun. */
#include "common/base/assert.h"
#include "common/text/json.h"
#include "webserver/api/command.h"
#include "webserver/api/handlers.h"
#include "webserver/api/pages.h"
#include "webserver/api/reach.h"

enum { PAGE_ROWS = 100, UNDER_WAY_MAX = 8 };

struct bulk_action {
    const char *word, *event; /* of the body; of the audit row */
    struct request request;
};

static const struct bulk_action RUN_ACTIONS[] = {
    { "clear", "clear_dag_run", { .kind = REQUEST_CLEAR, .whole_run = true } },
    { "clear_failed",
      "clear_dag_run",
      { .kind = REQUEST_CLEAR, .whole_run = true, .only_failed = true } },
    { "success", "mark_dag_run", { .kind = REQUEST_MARK_RUN, .run_state = RUN_SUCCESS } },
    { "failed", "mark_dag_run", { .kind = REQUEST_MARK_RUN, .run_state = RUN_FAILED } },
    { "delete", "delete_dag_run", { .kind = REQUEST_DELETE_RUN } },
    { 0 },
};

static const struct bulk_action TASK_ACTIONS[] = {
    { "clear", "clear_task_instances", { .kind = REQUEST_CLEAR } },
    { "success", "mark_task_instance", { .kind = REQUEST_MARK_TASKS, .task_state = TASK_SUCCESS } },
    { "failed", "mark_task_instance", { .kind = REQUEST_MARK_TASKS, .task_state = TASK_FAILED } },
    { "skipped", "mark_task_instance", { .kind = REQUEST_MARK_TASKS, .task_state = TASK_SKIPPED } },
    { 0 },
};

struct bulk {
    struct call *call;
    const struct page_list *list;
    const struct bulk_action *action;
    int64_t expected; /* so many were shown to the one who asks; -1: rows are named */
    struct arena page_arena;
    const struct value *rows; /* of one page */
    uint32_t next_row, under_way;
    struct str after; /* the place behind this page; empty: there is no other */
    struct str stop;  /* why nothing more is begun; bytes NULL: it goes on */
    bool is_reading;
};

/* One row under way: its call is the bulk's, with an arena that ends with the page. */
struct step {
    struct call call;
    struct bulk *bulk;
    const struct value *row;
    struct request request;
    struct request_task task;
};

static void go_on(struct bulk *bulk);

/* ---- lines ---- */

static void tell(struct bulk *bulk, struct arena *arena, struct value *line)
{
    (void)http_stream_write(bulk->call->request,
                            str_format(arena, "%.*s\n", STR_ARG(json_text(arena, line))));
}

static void tell_total(struct bulk *bulk, int64_t total)
{
    struct value *line = value_map(bulk->call->arena);
    value_put(bulk->call->arena, line, STR("total"), value_int(bulk->call->arena, total));
    tell(bulk, bulk->call->arena, line);
}

static void finish(struct bulk *bulk)
{
    struct http_request *request = bulk->call->request;
    struct arena *arena = bulk->call->arena;
    struct value *line = value_map(arena);
    bool is_whole = bulk->stop.bytes == NULL;
    value_put(arena, line, STR("end"), value_string(arena, is_whole ? STR("all") : STR("stopped")));
    if (!is_whole)
        value_put(arena, line, STR("why"), value_string(arena, bulk->stop));
    request->on_more = request->on_gone = NULL;
    tell(bulk, arena, line);
    arena_clear(&bulk->page_arena);
    http_stream_end(request); /* its arena holds the bulk */
}

/* ---- one row ---- */

static struct str row_text(const struct value *row, const char *name)
{
    return value_text(value_get(row, name), STR_EMPTY);
}

static void step_end(struct step *step, const struct refusal *refusal)
{
    struct bulk *bulk = step->bulk;
    struct arena *arena = step->call.arena;
    struct value *line = value_map(arena);
    static const char *const NAMES[] = { "dag_id", "run_id", "task_id", "map_index" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (value_get(step->row, NAMES[i]) != NULL)
            value_put(arena, line, str_of(NAMES[i]), value_get(step->row, NAMES[i]));
    if (refusal != NULL) {
        value_put(arena, line, STR("status"), value_int(arena, refusal->status));
        value_put(arena, line, STR("refused"), value_string(arena, refusal->sentence));
    }
    tell(bulk, arena, line);
    if (refusal != NULL && refusal->ends_all && bulk->stop.bytes == NULL)
        bulk->stop = str_copy(bulk->call->arena, refusal->sentence);
    bulk->under_way--;
    go_on(bulk);
}

static void on_done(struct call *call, const struct value *answer)
{
    (void)answer;
    step_end(call->state, NULL);
}

static void on_refused(struct call *call, const struct refusal *refusal)
{
    step_end(call->state, refusal);
}

static void send_step(struct call *call, const struct refusal *refusal)
{
    struct step *step = call->state;
    struct bulk *bulk = step->bulk;
    if (refusal != NULL) {
        step_end(step, refusal);
        return;
    }
    struct audit audit = call_audit(bulk->call, bulk->action->event);
    audit.detail = str_format(&bulk->page_arena, "{\"bulk\":\"%s\",\"action\":\"%s\"}",
                              bulk->expected < 0 ? "named" : "by query", bulk->action->word);
    command_send_one(call, &step->request, &audit, on_done, on_refused);
}

static void begin_step(struct bulk *bulk, const struct value *row)
{
    struct step *step = ARENA_NEW(&bulk->page_arena, struct step);
    struct request *request = &step->request;
    *step = (struct step) {
        .call = *bulk->call, .bulk = bulk, .row = row, .request = bulk->action->request
    };
    step->call.arena = &bulk->page_arena;
    step->call.state = step;
    /* Nor is there a first one, which has the bare key: asked again, a query may find another. */
    step->call.command_count = 1;
    request->dag_id = row_text(row, "dag_id");
    request->run_id = row_text(row, "run_id");
    if (bulk->list == &PAGE_TASKS) {
        step->task = (struct request_task) { row_text(row, "task_id"),
                                             (int32_t)value_integer(value_get(row, "map_index"),
                                                                    MAP_INDEX_NONE) };
        request->tasks = &step->task;
        request->task_count = 1;
    }
    bulk->under_way++;
    reach_row(&step->call, request->dag_id, send_step);
}

/* ---- page after page ---- */

static void on_page(void *owner, int rc, struct str json, const struct err *err)
{
    struct bulk *bulk = owner;
    const struct value *page = NULL;
    bulk->is_reading = false;
    bulk->after = STR_EMPTY;
    if (rc == 0)
        rc = json_parse(&bulk->page_arena, json, NULL, &page, NULL);
    if (rc < 0 && bulk->stop.bytes == NULL)
        bulk->stop =
            str_copy(bulk->call->arena,
                     str_of(err_http_status(rc) >= 500 ? err_sentence(rc) : err->sentence));
    if (rc == 0) {
        bulk->rows = value_get(page, bulk->list->rows);
        bulk->after = str_copy(bulk->call->arena, value_text(value_get(page, "next"), STR_EMPTY));
    }
    go_on(bulk);
}

static void read_page(struct bulk *bulk)
{
    struct bind binds[PAGE_BINDS_MAX];
    struct call *call = bulk->call;
    uint32_t count = bulk->list->binds(call, PAGE_ROWS, bulk->after, binds);
    arena_clear(&bulk->page_arena);
    bulk->rows = NULL;
    bulk->next_row = 0;
    bulk->is_reading = true;
    document_read_for(call->api->options.store, call->reader, bulk->list->document, binds, count,
                      on_page, bulk);
}

static void go_on(struct bulk *bulk)
{
    if (bulk->call->request->conn == NULL && bulk->stop.bytes == NULL)
        bulk->stop = STR("the one who asked has gone");
    if (bulk->is_reading)
        return;
    uint32_t count = bulk->rows == NULL ? 0 : bulk->rows->count;
    while (bulk->stop.bytes == NULL && bulk->under_way < UNDER_WAY_MAX && bulk->next_row < count &&
           http_stream_queued(bulk->call->request) < HTTP_HIGH_WATER)
        begin_step(bulk, bulk->rows->items[bulk->next_row++]);
    if (bulk->under_way > 0)
        return;
    if (bulk->stop.bytes != NULL || (bulk->next_row == count && bulk->after.size == 0))
        finish(bulk);
    else if (bulk->next_row == count)
        read_page(bulk);
}

static void on_change(struct http_request *request)
{
    struct call *call = request->context;
    go_on(call->state);
}

/* ---- beginning ---- */

static void start(struct bulk *bulk, int64_t total)
{
    struct http_request *request = bulk->call->request;
    bulk->call->state = bulk;
    http_stream_start(request, 200, "application/x-ndjson");
    tell_total(bulk, total);
    request->on_more = on_change;
    request->on_gone = on_change;
    if (bulk->expected < 0)
        go_on(bulk);
    else
        read_page(bulk);
}

static void on_count(void *owner, int rc, struct str json, const struct err *err)
{
    struct bulk *bulk = owner;
    struct call *call = bulk->call;
    const struct value *page = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &page, NULL);
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    int64_t total = value_integer(value_get(page, "matches"), 0);
    if (total > PAGE_MATCHES_MAX)
        call_refuse(call, 422, "more than %d match: choose fewer", PAGE_MATCHES_MAX);
    /* One in a hundred more may have come while the question was read. */
    else if (total > bulk->expected + bulk->expected / 100)
        call_refuse_reason(call, 409, "more_match", "%lld match now, not %lld: look again",
                           (long long)total, (long long)bulk->expected);
    else
        start(bulk, total);
}

static void count_matches(struct bulk *bulk)
{
    struct bind binds[PAGE_BINDS_MAX];
    struct call *call = bulk->call;
    uint32_t count = bulk->list->binds(call, 0, STR_EMPTY, binds);
    if (!call_refuse_problems(call))
        document_read_for(call->api->options.store, call->reader, bulk->list->document, binds,
                          count, on_count, bulk);
}

static const struct bulk_action *read_action(struct call *call, const struct bulk_action *actions)
{
    struct str word = body_text(call, "action", STR_EMPTY);
    struct str known = STR_EMPTY;
    for (const struct bulk_action *action = actions; action->word != NULL; action++) {
        if (str_is(word, action->word))
            return action;
        known = str_format(call->arena, "%.*s%s%s", STR_ARG(known), known.size > 0 ? ", " : "",
                           action->word);
    }
    call_problem(call, "body", "action", "enum", "one of %.*s is expected", STR_ARG(known));
    return NULL;
}

static void read_rows(struct bulk *bulk)
{
    struct call *call = bulk->call;
    bool is_task = bulk->list == &PAGE_TASKS;
    for (uint32_t i = 0; i < bulk->rows->count; i++) {
        const struct value *row = bulk->rows->items[i];
        if (row_text(row, "dag_id").size == 0 || row_text(row, "run_id").size == 0 ||
            (is_task && row_text(row, "task_id").size == 0)) {
            call_problem(call, "body", "items", "value_error", "item %u needs dag_id, run_id%s", i,
                         is_task ? ", task_id" : "");
            return;
        }
    }
    if (bulk->rows->count > PAGE_MATCHES_MAX)
        call_problem(call, "body", "items", "too_long", "at most %d items", PAGE_MATCHES_MAX);
}

static void bulk_begin(struct call *call, const struct page_list *list,
                       const struct bulk_action *actions)
{
    struct bulk *bulk = ARENA_NEW(call->arena, struct bulk);
    *bulk = (struct bulk) { .call = call, .list = list, .after = STR_EMPTY };
    bulk->action = read_action(call, actions);
    bulk->rows = body_list(call, "items");
    bulk->expected =
        bulk->rows != NULL ? -1 : body_int(call, "expected", 0, PAGE_MATCHES_MAX, INT64_MIN);
    if (bulk->rows != NULL)
        read_rows(bulk);
    else if (bulk->expected == INT64_MIN)
        call_problem(call, "body", "expected", "missing",
                     "name the items, or say how many the query is expected to find");
    if (call_refuse_problems(call) || !command_read_key(call))
        return;
    if (bulk->rows != NULL)
        start(bulk, bulk->rows->count);
    else
        count_matches(bulk);
}

void runs_bulk(struct call *call)
{
    bulk_begin(call, &PAGE_RUNS, RUN_ACTIONS);
}

void tasks_bulk(struct call *call)
{
    bulk_begin(call, &PAGE_TASKS, TASK_ACTIONS);
}
