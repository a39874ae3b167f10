// SPDX-License-Identifier: Apache-2.0
/* Waiting for the end of a run: a JSON line a look, or one JSON value at the end for who does not
 * take lines. */
#include "common/base/assert.h"
#include "common/loop/timer.h"
#include "common/text/json.h"
#include "webserver/api/handlers.h"

enum { WAIT_EVERY_S = 2, RESULTS_MAX = 100, STATE_SIZE = 16 };

struct run_wait {
    struct run_wait *next, **link; /* of api->waits */
    struct call *call;
    struct timer timer;
    int64_t every_ms;
    struct str results[RESULTS_MAX]; /* tasks whose outputs are wanted */
    uint32_t result_count;
    bool as_lines, is_reading, is_gone, is_stopping, has_begun;
    char seen[STATE_SIZE]; /* the state's word at the last look */
};

static void on_timer_closed(void *owner)
{
    free(owner);
}

static void close_wait(struct run_wait *waiting)
{
    *waiting->link = waiting->next;
    if (waiting->next != NULL)
        waiting->next->link = waiting->link;
    timer_close(&waiting->timer, on_timer_closed);
}

static void end_wait(struct run_wait *waiting)
{
    http_stream_end(waiting->call->request);
    close_wait(waiting);
}

/* After the first look; until then a refusal can be answered. */
static void begin(struct run_wait *waiting)
{
    if (!waiting->has_begun)
        http_stream_start(waiting->call->request, 200,
                          waiting->as_lines ? "application/x-ndjson" : "application/json");
    waiting->has_begun = true;
}

static void on_results(void *owner, int rc, struct str json, const struct err *err)
{
    struct run_wait *waiting = owner;
    (void)err;
    waiting->is_reading = false;
    if (!waiting->is_gone)
        (void)http_stream_write(waiting->call->request,
                                str_format(waiting->call->arena,
                                           "{\"state\":\"%s\",\"results\":%.*s}\n", waiting->seen,
                                           STR_ARG(rc < 0 ? STR("null") : json)));
    end_wait(waiting);
}

static void read_results(struct run_wait *waiting)
{
    struct call *call = waiting->call;
    struct bind binds[] = { BIND_TEXT(call_param(call, "dag_id")),
                            BIND_TEXT(call_param(call, "dag_run_id")),
                            BIND_TEXTS(waiting->results, waiting->result_count) };
    waiting->is_reading = true;
    document_read(call->api->options.store, DOCUMENT_api_run_results, binds, 3, on_results,
                  waiting);
}

static void tell_state(struct run_wait *waiting)
{
    char line[STATE_SIZE + 16];
    snprintf(line, sizeof line, "{\"state\":\"%s\"}\n", waiting->seen);
    (void)http_stream_write(waiting->call->request, str_of(line));
}

/* After a look. Without lines there is white space instead: a client whose machine has gone is
 * noticed by what it does not take, and proxies cut off what is silent. */
static void go_on(struct run_wait *waiting)
{
    bool is_over = strcmp(waiting->seen, "success") == 0 || strcmp(waiting->seen, "failed") == 0;
    if (is_over && waiting->result_count > 0) {
        read_results(waiting);
        return;
    }
    if (is_over || waiting->is_stopping || waiting->as_lines)
        tell_state(waiting);
    else
        (void)http_stream_write(waiting->call->request, STR("\n"));
    if (is_over || waiting->is_stopping)
        end_wait(waiting);
    else
        timer_once(&waiting->timer, waiting->every_ms);
}

static void on_run(void *owner, int rc, struct str json, const struct err *err)
{
    struct run_wait *waiting = owner;
    struct call *call = waiting->call;
    waiting->is_reading = false;
    if (waiting->is_gone) {
        end_wait(waiting);
        return;
    }
    if (rc < 0) {
        if (waiting->has_begun)
            http_stream_end(
                call->request); /* deleted meanwhile, or the database is gone: no more lines */
        else
            call_fail(call, rc, err);
        close_wait(waiting);
        return;
    }
    if (call->request->conn == NULL && !waiting->has_begun) {
        call_empty(call, 200); /* nobody is there to read it */
        close_wait(waiting);
        return;
    }
    begin(waiting);
    struct arena arena = { 0 };
    const struct value *run = NULL;
    (void)!json_parse(&arena, json, NULL, &run, NULL);
    struct str state = value_text(value_get(run, "state"), STR_EMPTY);
    snprintf(waiting->seen, sizeof waiting->seen, "%.*s", STR_ARG(state));
    arena_clear(&arena);
    go_on(waiting);
}

static void look(struct run_wait *waiting)
{
    struct list_query query;
    struct call *call = waiting->call;
    list_query_init(&query, LIST_RUNS, call->arena, 1);
    query.dag_id = call_param(call, "dag_id");
    query.run_id = call_param(call, "dag_run_id");
    waiting->is_reading = true;
    list_read_one(call->api->options.store, &query, on_run, waiting);
    list_query_clear(&query);
}

static void on_timer(struct timer *timer)
{
    look(timer->owner);
}

static void on_gone(struct http_request *request)
{
    struct call *call = request->context;
    struct run_wait *waiting = call->state;
    waiting->is_gone = true;
    if (!waiting->is_reading)
        end_wait(waiting);
}

/* Those that wait say how far their run is; their clients ask again elsewhere. */
void run_waits_end(struct api *api)
{
    for (struct run_wait *waiting = api->waits, *next; waiting != NULL; waiting = next) {
        next = waiting->next;
        waiting->is_stopping = true; /* a look that is under way is the last */
        if (waiting->is_reading)
            continue;
        if (!waiting->as_lines)
            tell_state(waiting);
        end_wait(waiting);
    }
}

/* Airflow's client asks for both kinds, JSON first, and can read JSON alone. */
static bool wants_lines(struct call *call)
{
    struct str accept = http_header(call->request, "Accept");
    return accept.bytes == NULL || !http_accepts(accept, "application/json") ||
           str_starts(accept, "*/*") || str_starts(accept, "application/x-ndjson");
}

static double interval_s(struct call *call)
{
    double seconds = WAIT_EVERY_S;
    struct str text = call_query(call, "interval", STR_EMPTY);
    if (text.size > 0 && (str_to_real(text, &seconds) < 0 || !(seconds > 0 && seconds <= 3600)))
        call_problem(call, "query", "interval", "greater_than",
                     "Input should be greater than 0, and at most an hour");
    return seconds;
}

void run_wait(struct call *call)
{
    double seconds = interval_s(call);
    if (call_refuse_problems(call))
        return;
    struct run_wait *waiting = calloc(1, sizeof *waiting);
    ASSERT(waiting != NULL);
    waiting->call = call;
    waiting->every_ms = seconds < 0.1 ? 100 : (int64_t)(seconds * 1000);
    waiting->as_lines = wants_lines(call);
    for (uint32_t i = 0; i < call->query.count && waiting->result_count < RESULTS_MAX; i++)
        if (str_is(call->query.pairs[i].name, "result"))
            waiting->results[waiting->result_count++] = call->query.pairs[i].value;
    timer_open(&waiting->timer, call->api->options.loop, on_timer, waiting);
    waiting->next = call->api->waits;
    waiting->link = &call->api->waits;
    if (waiting->next != NULL)
        waiting->next->link = &waiting->next;
    call->api->waits = waiting;
    call->state = waiting;
    call->request->on_gone = on_gone;
    look(waiting);
}
