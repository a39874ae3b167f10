// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/api.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/text/json.h"
#include "webserver/api/call.h"
#include "webserver/api/cells.h"
#include "webserver/api/command.h"
#include "webserver/api/handlers.h"
#include "webserver/api/leader.h"
#include "webserver/api/live.h"
#include "webserver/api/log_store.h"
#include "webserver/api/reach.h"
#include "webserver/http/http_address.h"

enum { BODY_DEPTH_MAX = 32 };

/* ---- opening ---- */

static void on_notes(void *owner, const struct message_note *notes, uint32_t count, bool restarted)
{
    struct api *api = owner;
    live_notes(api->live, notes, count, restarted);
    commands_look(api->commands);
}

static int open_parts(struct api *api, struct err *err)
{
    const struct api_options *options = &api->options;
    const struct conf *conf = options->conf;
    struct leader_options leader = {
        .wire = options->wire,
        .addresses = conf->api_schedulers.items,
        .address_count = conf->api_schedulers.count,
        .key = options->key,
        .server_key = conf->api_scheduler_key,
        .on_notes = on_notes,
        .owner = api,
    };
    struct log_store_options logs = {
        .wire = options->wire,
        .base = conf->logging_base_folder,
        .host = conf->logging_host,
        .port = (int)conf->logging_port,
        .key = options->key,
        .allowed_keys = conf->api_allowed_keys,
        .retention_ms = conf->logging_retention_ms,
    };
    int rc = leader_open(&api->leader, options->loop, &leader, err);
    if (rc < 0)
        return rc;
    rc = log_store_open(&api->logs, options->loop, &logs, err);
    if (rc < 0)
        return rc;
    return 0;
}

int api_open(struct api **out, const struct api_options *options, struct err *err)
{
    struct api *api = calloc(1, sizeof *api);
    ASSERT(api != NULL);
    api->options = *options;
    api->started_ms = loop_wall_ms();
    denials_init(&api->denials);
    int rc = open_parts(api, err);
    if (rc < 0) {
        if (api->leader != NULL)
            leader_close(api->leader, NULL, NULL);
        free(api);
        return rc;
    }
    uint32_t count;
    const struct route *routes = routes_table(&count);
    api->router = http_router_new(routes, count, sizeof *routes);
    api->cells = cells_new();
    api->commands = commands_new(api);
    api->live = live_new(api);
    *out = api;
    return 0;
}

static void on_part_closed(void *owner)
{
    struct api *api = owner;
    if (--api->open_parts > 0)
        return;
    http_router_free(api->router);
    cells_free(api->cells);
    budgets_clear(&api->budgets);
    denials_clear(&api->denials);
    map_clear(&api->metric_index);
    VEC_CLEAR(&api->metric_names);
    buf_clear(&api->openapi);
    arena_clear(&api->metric_arena);
    void (*done)(void *owner) = api->done;
    void *done_owner = api->done_owner;
    free(api);
    if (done != NULL)
        done(done_owner);
}

void api_close(struct api *api, void (*done)(void *owner), void *owner)
{
    api->done = done;
    api->done_owner = owner;
    api->open_parts = 4;
    commands_close(api->commands, on_part_closed, api);
    live_close(api->live, on_part_closed, api);
    leader_close(api->leader, on_part_closed, api);
    log_store_close(api->logs, on_part_closed, api);
}

void api_set_conf(struct api *api, const struct conf *conf)
{
    api->options.conf = conf;
}

void api_end_streams(struct api *api)
{
    live_end_streams(api->live);
    run_waits_end(api);
}

void api_on_store(struct api *api, bool is_up)
{
    api->store_is_up = is_up;
}

/* ---- a request's way to its handler ---- */

uint64_t api_body_max(void *owner, const struct http_request *request)
{
    struct api *api = owner;
    (void)request;
    return (uint64_t)api->options.conf->api_max_body_bytes;
}

void api_on_answered(void *owner, const struct http_request *request)
{
    (void)owner;
    log_debug("http", LOG_STR("request", request->id), LOG_STR("address", request->peer),
              LOG_STR("method", request->method), LOG_STR("path", request->path),
              LOG_INT("status", request->status), LOG_INT("bytes", request->answer_size),
              LOG_INT("ms", loop_now_ms() - request->begun_ms));
}

/* Browsers may not read our answers from other sites, unless a setting names them. */
static void allow_origin(const struct api *api, struct http_request *request)
{
    const struct conf_list *origins = &api->options.conf->api_access_control_allow_origins;
    struct str origin = http_header(request, "Origin");
    for (uint32_t i = 0; origin.bytes != NULL && i < origins->count; i++) {
        if (!str_eq(origins->items[i], origin))
            continue;
        http_set_header(request, "Access-Control-Allow-Origin", origin);
        http_set_header(request, "Access-Control-Allow-Headers",
                        STR("Authorization, Content-Type"));
        http_set_header(request, "Access-Control-Allow-Methods",
                        STR("GET, POST, PUT, PATCH, DELETE"));
        http_set_header(request, "Vary", STR("Origin"));
    }
}

/* What is not the API's is the application's: its files, and any address of its pages. */
static bool is_page(const struct http_request *request)
{
    static const char *const OURS[] = { "/api/", "/auth/", "/metrics", "/openapi.json" };
    if (request->verb != VERB_GET && request->verb != VERB_HEAD)
        return false;
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (str_starts(request->path, OURS[i]))
            return false;
    return true;
}

static const char NO_PAGES[] =
    "<!doctype html><html lang=\"en\"><head><meta "
    "charset=\"utf-8\"><title>Headrace</title></head><body><h1>Headrace</h1>"
    "<p>The web server runs. Its pages are not built: run <code>./dev build</code> in the "
    "source folder, or name the built "
    "ones with the setting <code>api.ui_folder</code>, and restart it.</p>"
    "<p>The API is at <a href=\"/api/v2/monitor/health\">/api/v2</a>, described in <a "
    "href=\"/openapi.json\">/openapi.json</a>."
    "</p></body></html>\n";

static void answer_page(struct api *api, struct http_request *request)
{
    if (api->options.files != NULL)
        http_static_answer(api->options.files, request);
    else
        http_answer(request, 200, "text/html; charset=utf-8",
                    (struct str) { NO_PAGES, sizeof NO_PAGES - 1 });
}

static int read_json(struct call *call, struct err *err)
{
    static const struct json_limits LIMITS = { 64 << 20, BODY_DEPTH_MAX };
    struct str text = buf_str(&call->request->body);
    if (!str_is_utf8(text))
        return err_set(err, ERR_INVALID, "the body is not UTF-8");
    int rc = json_parse(call->arena, text, &LIMITS, &call->body, err);
    return rc < 0 ? err_wrap(err, ERR_INVALID, "the body is not JSON") : 0;
}

/* Forms are read as a map of texts, so that handlers need not know. Only sign-in takes them. */
static int read_form(struct call *call, struct err *err)
{
    struct http_form form;
    if (http_form_parse(call->arena, buf_str(&call->request->body), &form) < 0)
        return err_set(err, ERR_INVALID, "the body is not a form");
    struct value *map = value_map(call->arena);
    for (uint32_t i = 0; i < form.count; i++)
        value_put(call->arena, map, form.pairs[i].name,
                  value_string(call->arena, form.pairs[i].value));
    call->body = map;
    return 0;
}

bool call_read_body(struct call *call)
{
    struct http_request *request = call->request;
    if (request->body.size == 0 || call->body != NULL)
        return true;
    struct err err = { 0 };
    struct str header = http_header(request, "Content-Type");
    struct str type = header.bytes == NULL ? STR_EMPTY : http_media_type(call->arena, header);
    int rc = ERR_UNSUPPORTED;
    if (str_is(type, "application/json") || str_ends(type, "+json"))
        rc = read_json(call, &err);
    else if (str_is(type, "application/x-www-form-urlencoded") &&
             str_starts(request->path, "/auth/token"))
        rc = read_form(call, &err);
    if (rc == ERR_UNSUPPORTED)
        call_refuse(call, 415, "the body has to be application/json");
    else if (rc < 0)
        call_refuse(call, 400, "%s", err.sentence);
    return rc == 0;
}

/* Missing where operations.def wants one; signing in has words of its own. False after an answer.
 */
static bool check_body(struct call *call)
{
    const struct http_request *request = call->request;
    bool is_missing = call->body == NULL && call->route->right != RIGHT_ANYBODY &&
                      operation_needs_body(call->route->operation);
    if (is_missing && !request->has_length && !request->is_chunked) {
        call_refuse(call, 411, "a body is needed, and there is no Content-Length");
        return false;
    }
    if (is_missing)
        call_problem(call, "body", "", "missing", "Field required");
    else if (call->body != NULL && call->body->type != VALUE_MAP)
        call_problem(call, "body", "", "dict_type", "a mapping is expected, not %s",
                     value_type_name(call->body->type));
    return !call_refuse_problems(call);
}

/* If-Match asks for a strong tag (RFC 9110, 13.1.1), and ours are weak: none fits. Better no change
 * than one that somebody thought to have made sure of. */
static bool refuse_condition(struct call *call)
{
    const struct http_request *request = call->request;
    struct str wanted = http_header(request, "If-Match");
    bool changes = request->verb != VERB_GET && request->verb != VERB_HEAD;
    if (!changes || wanted.bytes == NULL || str_is(str_trim(wanted), "*"))
        return false;
    call_refuse(call, 412, "ETags are weak here: nothing can be changed under If-Match");
    return true;
}

static void handle(struct call *call)
{
    if (!refuse_condition(call) && call_read_body(call) && check_body(call))
        call->route->handle(call);
}

/* False after an answer. */
static bool is_within_budget(struct call *call, int64_t wait_ms)
{
    if (wait_ms == 0)
        return true;
    struct metrics *metrics = call->api->options.metrics;
    metric_add(metrics_counter(metrics, "headrace_api_throttled_total",
                               "Requests refused because their client had asked for too many."),
               1);
    int64_t wait_s = (wait_ms + 999) / 1000;
    http_set_header(call->request, "Retry-After",
                    str_format(call->arena, "%lld", (long long)wait_s));
    call_refuse(call, 429, "too many requests: wait for %lld s", (long long)wait_s);
    return false;
}

static void on_person(struct http_request *request, int rc, const struct person *person,
                      const struct err *err)
{
    struct call *call = request->context;
    struct err refusal = { 0 };
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    call->person = *person;
    struct api *api = call->api;
    budget_return_address(&api->budgets, http_client_key(request));
    if (!is_within_budget(call, budget_take_user(&api->budgets, api->options.conf, person->name,
                                                 call->route->right, loop_now_ms())))
        return;
    if (auth_check_csrf(request, person, &refusal) < 0) {
        call_refuse_reason(call, 403, "csrf", "%s", refusal.sentence);
        return;
    }
    reach_check(call, handle);
}

static void begin_call(struct api *api, struct http_request *request)
{
    struct call *call = ARENA_NEW(&request->arena, struct call);
    *call = (struct call) {
        .api = api, .request = request, .arena = &request->arena, .route = request->route
    };
    call->last_problem = &call->problems;
    call->person.name = STR_EMPTY;
    request->context = call;
    allow_origin(api, request);
    if (!is_within_budget(call, budget_take_address(&api->budgets, api->options.conf,
                                                    http_client_key(request), loop_now_ms())))
        return;
    if (http_form_parse(call->arena, request->query, &call->query) < 0)
        call_refuse(call, 400, "the query cannot be decoded");
    else if (call->route->right == RIGHT_ANYBODY)
        handle(call);
    else
        auth_check(api->options.auth, request, on_person);
}

void api_on_request(void *owner, struct http_request *request)
{
    struct api *api = owner;
    char allow[HTTP_ALLOW_SIZE];
    uint32_t verbs = 0;
    switch (http_router_find(api->router, request, &verbs)) {
    case HTTP_MATCH_FOUND:
        begin_call(api, request);
        break;
    case HTTP_MATCH_INVALID:
        http_answer_problem(request, 400, "the path cannot be decoded, or tries to climb");
        break;
    case HTTP_MATCH_VERB:
        http_verbs_text(verbs, allow);
        http_set_header(request, "Allow", str_of(allow));
        allow_origin(api, request);
        if (request->verb == VERB_OPTIONS)
            http_answer(request, 204, NULL, STR_EMPTY);
        else
            http_answer_problem(request, 405, "%.*s is not allowed here; %s are",
                                STR_ARG(request->method), allow);
        break;
    case HTTP_MATCH_NOT_FOUND:
        if (is_page(request))
            answer_page(api, request);
        else
            http_answer_problem(request, 404, "there is no such address: %.*s",
                                STR_ARG(str_slice(request->path, 0, 200)));
        break;
    }
}
