// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/call.h"

#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/log/log.h"
#include "common/text/json.h"
#include "webserver/api/older.h"

#include <limits.h>

/* ---- what was sent ---- */

struct str call_param(const struct call *call, const char *name)
{
    struct str value = http_param(call->request, name);
    ASSERT(value.bytes != NULL);
    return value;
}

struct str call_query(const struct call *call, const char *name, struct str otherwise)
{
    struct str value = http_form_get(&call->query, name);
    return value.bytes == NULL ? otherwise : value;
}

int64_t call_query_int(struct call *call, const char *name, int64_t min, int64_t max,
                       int64_t otherwise)
{
    struct str text = http_form_get(&call->query, name);
    int64_t number = otherwise;
    if (text.bytes != NULL && text.size > 0 && str_to_int(text, min, max, &number) < 0)
        call_problem(call, "query", name, "int_parsing",
                     "a whole number from %lld to %lld is expected", (long long)min,
                     (long long)max);
    return number;
}

bool call_query_bool(struct call *call, const char *name, bool otherwise)
{
    struct str text = http_form_get(&call->query, name);
    if (text.bytes == NULL || text.size == 0)
        return otherwise;
    bool is_true = str_is(text, "true") || str_is(text, "True") || str_is(text, "1");
    if (!is_true && !str_is(text, "false") && !str_is(text, "False") && !str_is(text, "0"))
        call_problem(call, "query", name, "bool_parsing", "true or false is expected");
    return is_true;
}

int64_t call_query_time(struct call *call, const char *name, int64_t otherwise)
{
    struct str text = http_form_get(&call->query, name);
    int64_t time_ms = otherwise;
    bool has_zone;
    if (text.bytes != NULL && civil_parse(text, &time_ms, &has_zone) < 0)
        call_problem(call, "query", name, "datetime_parsing",
                     "a time as in 2026-11-21T06:00:00Z is expected");
    return time_ms;
}

int64_t call_param_int(struct call *call, const char *name, int64_t min, int64_t max)
{
    int64_t number = min;
    if (str_to_int(call_param(call, name), min, max, &number) < 0)
        call_problem(call, "path", name, "int_parsing",
                     "a whole number from %lld to %lld is expected", (long long)min,
                     (long long)max);
    return number;
}

static const struct value *field(const struct call *call, const char *name)
{
    const struct value *value = value_get(call->body, name);
    return value == NULL || value->type == VALUE_NULL ? NULL : value;
}

/* The field, if it has the type; else NULL and, when it is there, a problem. */
static const struct value *field_of(struct call *call, const char *name, enum value_type type,
                                    const char *word, const char *wanted)
{
    const struct value *value = field(call, name);
    if (value == NULL || value->type == type)
        return value;
    call_problem(call, "body", name, word, "%s is expected, not %s", wanted,
                 value_type_name(value->type));
    return NULL;
}

struct str body_text(struct call *call, const char *name, struct str otherwise)
{
    const struct value *value = field_of(call, name, VALUE_STRING, "string_type", "a text");
    return value == NULL ? otherwise : value->string;
}

bool body_bool(struct call *call, const char *name, bool otherwise)
{
    const struct value *value = field_of(call, name, VALUE_BOOL, "bool_type", "true or false");
    return value == NULL ? otherwise : value->boolean;
}

int64_t body_int(struct call *call, const char *name, int64_t min, int64_t max, int64_t otherwise)
{
    const struct value *value = field_of(call, name, VALUE_INT, "int_type", "a whole number");
    if (value == NULL)
        return otherwise;
    if (value->integer < min || value->integer > max)
        call_problem(call, "body", name, "int_range",
                     "a whole number from %lld to %lld is expected", (long long)min,
                     (long long)max);
    return value->integer;
}

bool body_time(struct call *call, const char *name, int64_t *out_ms)
{
    const struct value *value =
        field_of(call, name, VALUE_STRING, "datetime_type", "a time as in 2026-11-21T06:00:00Z");
    bool has_zone = false;
    if (value == NULL)
        return false;
    if (civil_parse(value->string, out_ms, &has_zone) < 0)
        call_problem(call, "body", name, "datetime_parsing",
                     "a time as in 2026-11-21T06:00:00Z is expected");
    else if (!has_zone)
        call_problem(call, "body", name, "timezone_aware",
                     "the time needs a zone: Z, or an offset as in +01:00");
    return true;
}

const struct value *body_map(struct call *call, const char *name)
{
    return field_of(call, name, VALUE_MAP, "dict_type", "a mapping");
}

const struct value *body_list(struct call *call, const char *name)
{
    return field_of(call, name, VALUE_LIST, "list_type", "a list");
}

bool body_has(const struct call *call, const char *name)
{
    return value_get(call->body, name) != NULL;
}

bool body_gives(const struct call *call, const char *name)
{
    return field(call, name) != NULL;
}

/* "OpenAPI-Generator/3.2.2/python" */
int call_client_release(const struct call *call)
{
    struct str rest = http_header(call->request, "User-Agent"), major, minor;
    int64_t high, low;
    if (rest.bytes == NULL || !str_starts(rest, "OpenAPI-Generator/"))
        return INT_MAX;
    rest = str_slice(rest, strlen("OpenAPI-Generator/"), rest.size);
    if (!str_split(&rest, '.', &major) || !str_split(&rest, '.', &minor) ||
        str_to_int(major, 0, 99, &high) < 0 || str_to_int(minor, 0, 99, &low) < 0)
        return INT_MAX;
    return (int)(high * 100 + low);
}

void call_problem(struct call *call, const char *place, const char *name, const char *type,
                  const char *fmt, ...)
{
    struct problem *problem = ARENA_NEW(call->arena, struct problem);
    va_list args;
    va_start(args, fmt);
    *problem = (struct problem) { .place = place,
                                  .type = type,
                                  .message = str_formatv(call->arena, fmt, args) };
    va_end(args);
    problem->field = str_copy(call->arena, str_of(name));
    *call->last_problem = problem;
    call->last_problem = &problem->next;
}

/* ---- answers ---- */

bool call_refuse_problems(struct call *call)
{
    if (call->problems == NULL)
        return false;
    struct buf body = { 0 };
    const char *comma = "";
    buf_add_cstr(&body, "{\"detail\":[");
    for (const struct problem *problem = call->problems; problem != NULL; problem = problem->next) {
        buf_printf(&body, "%s{\"type\":\"%s\",\"loc\":[\"%s\"", comma, problem->type,
                   problem->place);
        struct str rest = problem->field, part;
        while (problem->field.size > 0 && str_split(&rest, '.', &part)) {
            buf_add_byte(&body, ',');
            json_write_string(&body, part);
        }
        buf_add_cstr(&body, "],\"msg\":");
        json_write_string(&body, problem->message);
        buf_add_cstr(&body, ",\"input\":null}");
        comma = ",";
    }
    buf_add_cstr(&body, "]}");
    http_answer(call->request, 422, "application/json", buf_str(&body));
    buf_clear(&body);
    return true;
}

void call_refuse_body(struct call *call, struct str sentence)
{
    call_problem(call, "body", "", "value_error", "%.*s", STR_ARG(sentence));
    (void)call_refuse_problems(call);
}

/* What clients poll: a tag lets them be told that nothing has changed. Secrets and what changes
 * with the clock have none. */
static bool is_polled(const struct call *call)
{
    const struct http_request *request = call->request;
    return (request->verb == VERB_GET || request->verb == VERB_HEAD) &&
           (call->route->right == RIGHT_READ || call->route->right == RIGHT_ANYBODY) &&
           str_starts(request->path, "/api/v2/");
}

/* Weak: the same content, whatever a proxy makes of its bytes. True after answering 304. */
static bool is_unchanged(struct call *call, uint64_t hash)
{
    struct str etag = str_format(call->arena, "W/\"%016llx\"", (unsigned long long)hash);
    http_set_header(call->request, "ETag", etag);
    http_set_header(call->request, "Cache-Control", STR("private, no-cache"));
    if (!http_etag_matches(http_header(call->request, "If-None-Match"), etag))
        return false;
    http_answer(call->request, 304, NULL, STR_EMPTY);
    return true;
}

void call_json(struct call *call, int status, struct str json)
{
    if (status == 200 && is_polled(call) && is_unchanged(call, str_fingerprint(json)))
        return;
    http_answer(call->request, status, "application/json", json);
}

void call_empty(struct call *call, int status)
{
    http_answer(call->request, status, NULL, STR_EMPTY);
}

void call_refuse(struct call *call, int status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str detail = str_formatv(call->arena, fmt, args);
    va_end(args);
    http_answer_problem(call->request, status, "%.*s", STR_ARG(detail));
}

void call_refuse_reason(struct call *call, int status, const char *reason, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str message = str_formatv(call->arena, fmt, args);
    va_end(args);
    struct buf body = { 0 };
    buf_printf(&body, "{\"detail\":{\"reason\":\"%s\",\"message\":", reason);
    json_write_string(&body, message);
    buf_add_cstr(&body, "}}");
    http_answer(call->request, status, "application/json", buf_str(&body));
    buf_clear(&body);
}

static bool is_private(int rc)
{
    return rc == ERR_DB || rc == ERR_INTERNAL || rc == ERR_DB_UNKNOWN || rc == ERR_DB_CONNECTION ||
           rc == ERR_IO || rc == ERR_LIMIT || err_http_status(rc) >= 500;
}

/* "there is no task load of run r1 of DAG etl", from what the path names: innermost first. Empty
 * when it names nothing of these. */
static struct str absent_sentence(const struct call *call)
{
    static const struct {
        const char *param, *noun;
    } THINGS[] = {
        { "xcom_key", "output" },
        { "version_number", "version" },
        { "task_try_number", "try" },
        { "try_number", "try" },
        { "task_id", "task" },
        { "dag_run_id", "run" },
        { "dag_id", "DAG" },
        { "pool_name", "pool" },
        { "variable_key", "variable" },
        { "connection_id", "connection" },
    };
    struct str text = STR_EMPTY;

    for (size_t i = 0; i < sizeof THINGS / sizeof *THINGS; i++) {
        struct str value = http_param(call->request, THINGS[i].param);
        if (value.bytes != NULL && !str_is(value, "~"))
            text = str_format(call->arena, "%.*s%s%s %.*s", STR_ARG(text),
                              text.size == 0 ? "there is no " : " of ", THINGS[i].noun,
                              STR_ARG(value));
    }
    return text;
}

void call_fail(struct call *call, int rc, const struct err *err)
{
    int status = err_http_status(rc);
    const char *sentence = err == NULL || err->sentence[0] == 0 ? err_sentence(rc) : err->sentence;
    if (is_private(rc)) {
        log_warn("request_failed", LOG_STR("request", call->request->id),
                 LOG_STR("path", call->request->path), LOG_RC(rc), LOG_STR("why", sentence));
        sentence = rc == ERR_UNAVAILABLE || rc == ERR_UNSUPPORTED ? sentence : err_sentence(rc);
    }
    if (rc == ERR_DB_CONNECTION)
        sentence = "the metadata database is not available at the moment";
    struct str absent = rc == ERR_NOT_FOUND && strncmp(sentence, "there is no such ", 17) == 0
                            ? absent_sentence(call)
                            : STR_EMPTY;
    if (status == 503)
        http_set_header(call->request, "Retry-After", STR("2"));
    if (rc == ERR_UNAUTHENTICATED)
        http_set_header(call->request, "WWW-Authenticate", STR("Bearer"));
    if (absent.size > 0)
        http_answer_problem(call->request, status, "%.*s", STR_ARG(absent));
    else if (status == 422)
        call_refuse_body(call, str_of(sentence));
    else
        http_answer_problem(call->request, status, "%s", sentence);
}

void call_pass(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_json(call, 200, older_text(call, call->arena, json));
}

/* What is rewritten for a client of an older release is held whole: no more of it than this. */
enum { OLDER_SIZE_MAX = 4 << 20 };

static void pass_older(struct call *call)
{
    if (http_pile_size(call->request) <= OLDER_SIZE_MAX) {
        struct arena arena = { 0 }; /* not the call's, which lives until the client has read it */
        call_json(call, 200, older_text(call, &arena, http_pile_text(call->request, &arena)));
        arena_clear(&arena);
    } else if (older_may_differ(call)) {
        call_problem(call, "query", "limit", "value_error",
                     "the answer would be larger than the %d MiB that a client of this release of "
                     "Airflow is given: ask for fewer rows",
                     OLDER_SIZE_MAX >> 20);
        (void)call_refuse_problems(call);
    } else {
        http_answer_pile(call->request, 200, "application/json");
    }
}

void call_pass_read(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else if (http_pile_has_failed(call->request))
        http_answer_pile(call->request, 200, "application/json"); /* no ETag for a 503 */
    else if (older_is_asking(call))
        pass_older(call);
    else if (!is_polled(call) || !is_unchanged(call, http_pile_hash(call->request)))
        http_answer_pile(call->request, 200, "application/json");
}

void call_pass_created(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_json(call, 201, json);
}

void call_pass_empty(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_empty(call, 204);
}

/* ---- parts of handlers ---- */

void call_check_policies(struct call *call, const struct value *action)
{
    static const char *const NAMES[] = { "action_on_existence", "action_on_non_existence" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const struct value *policy = value_get(action, NAMES[i]);
        struct str word = value_text(policy, STR_EMPTY);
        bool fits = policy == NULL || policy->type == VALUE_NULL || str_is(word, "fail") ||
                    str_is(word, "skip") || (i == 0 && str_is(word, "overwrite"));
        if (!fits)
            call_problem(call, "body", "actions", "enum", "%s: Input should be 'fail'%s or 'skip'",
                         NAMES[i], i == 0 ? ", 'overwrite'" : "");
    }
}

bool call_list(struct call *call, struct list_query *query, enum list list)
{
    const struct conf *conf = call->api->options.conf;
    list_query_init(query, list, call->arena, conf->api_fallback_page_limit);
    for (uint32_t i = 0; i < call->query.count; i++) {
        struct err err = { 0 };
        const struct http_pair *pair = &call->query.pairs[i];
        int rc = list_query_put(query, pair->name, pair->value, conf->api_maximum_page_limit, &err);
        if (rc == ERR_UNPROCESSABLE)
            call_problem(call, "query", str_cstr(call->arena, pair->name), "value_error", "%s",
                         err.sentence);
        else if (rc < 0) {
            list_query_clear(query);
            call_fail(call, rc, &err);
            return false;
        }
    }
    if (call->problems == NULL)
        return true;
    list_query_clear(query); /* first: with the answer the call is gone, and a query of its arena */
    return !call_refuse_problems(call);
}

static void on_piece(void *owner, struct str piece)
{
    http_pile_add(((struct call *)owner)->request, piece);
}

/* The query may be the call's, which is gone when the store answers at once. */
void call_list_read(struct call *call, struct list_query *query)
{
    struct list_query ours = *query;
    ours.reader = call->reader;
    ours.asker = call->person.user_no;
    list_read_pieces(call->api->options.store, &ours,
                     &(struct pieces) { on_piece, call_pass_read, call });
    list_query_clear(&ours);
}

void call_list_one(struct call *call, struct list_query *query)
{
    query->reader = call->reader;
    query->asker = call->person.user_no;
    list_read_one(call->api->options.store, query, call_pass, call);
    list_query_clear(query);
}

void call_read(struct call *call, const struct reader *reader, enum document document,
               const struct bind *binds, uint32_t count,
               void (*on_end)(void *call, int rc, const struct err *err))
{
    document_read_pieces(call->api->options.store, reader, document, binds, count,
                         &(struct pieces) { on_piece, on_end, call });
}

void call_document(struct call *call, enum document document, const struct bind *binds,
                   uint32_t count)
{
    if (!call_refuse_problems(call))
        call_read(call, call->reader, document, binds, count, call_pass_read);
}

struct audit call_audit(const struct call *call, const char *event)
{
    return (struct audit) { .actor = call->person.name,
                            .event = str_of(event),
                            .map_index = AUDIT_NO_MAP_INDEX,
                            .allowed = true,
                            .address = str_of(call->request->peer) };
}

static bool is_secret(struct str key)
{
    return str_is(key, "password") || str_is(key, "value") || str_is(key, "extra");
}

struct str call_body_text(struct call *call)
{
    if (call->body == NULL || call->body->type != VALUE_MAP)
        return STR("{}");
    struct value *shown = value_map(call->arena);
    for (uint32_t i = 0; i < call->body->count; i++) {
        const struct value_entry *entry = &call->body->entries[i];
        value_put(call->arena, shown, entry->key,
                  is_secret(entry->key) ? value_string(call->arena, STR("***")) : entry->value);
    }
    return json_text(call->arena, shown);
}
