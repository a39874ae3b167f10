// SPDX-License-Identifier: Apache-2.0
/* /openapi.json: the routes, what they take and what they give. All of it comes from tables that
 * the code uses or that the tests hold it to: routes.def, operations.def, shapes.def, links.def,
 * and the filters and orders of common/store's lists. */
#include "common/base/assert.h"
#include "common/store/list_describe.h"
#include "common/store/vault_change.h"
#include "webserver/api/handlers.h"
#include "webserver/api/shape.h"

struct operation {
    const char *id;
    int status;
    enum list list; /* LIST_COUNT: none */
    const char *answer, *body, *query;
};

#define OPERATION(id, status, answer, body, query) { #id, status, LIST_COUNT, answer, body, query },
#define LISTED(id, list, item, query)              { #id, 200, list, item, "", query },
static const struct operation OPERATIONS[] = {
#include "webserver/api/operations.def"
};
#undef OPERATION
#undef LISTED

#define LINK(from, to, parameters) { #from, #to, parameters },
static const struct {
    const char *from, *to, *parameters;
} LINKS[] = {
#include "webserver/api/links.def"
};
#undef LINK

/* Parts of addresses that are no text. */
static const struct {
    const char *name, *type;
} PARAMETERS[] = {
    { "version_number", "serial" },
    { "import_error_id", "number_of" },
    { "task_try_number", "try_number" },
    { "try_number", "try_number" },
    { "map_index", "map_index" },
    { "event_log_id", "number_of" },
    { "backfill_id", "long_serial" },
    { "session_id", "serial" },
    { "token_id", "serial" },
    { "grant_id", "serial" },
    { "view_id", "serial" },
    { "asset_id", "serial" },
};

static const struct operation *find_operation(const char *id)
{
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof *OPERATIONS; i++)
        if (strcmp(OPERATIONS[i].id, id) == 0)
            return &OPERATIONS[i];
    return NULL; /* tests/e2e/api_schema_test.py names it */
}

bool operation_needs_body(const char *id)
{
    const struct operation *operation = find_operation(id);
    return operation != NULL && operation->body[0] != 0 && !str_ends(str_of(operation->body), "?");
}

/* ---- parameters ---- */

struct parameters {
    struct buf *out;
    const char *comma;
};

static void begin_parameter(struct parameters *to, struct str name, const char *in, bool is_needed)
{
    buf_printf(to->out, "%s{\"name\":\"%.*s\",\"in\":\"%s\",\"required\":%s,\"schema\":", to->comma,
               STR_ARG(name), in, is_needed ? "true" : "false");
    to->comma = ",";
}

static void add_path(struct parameters *to, const char *pattern)
{
    for (const char *open = strchr(pattern, '{'); open != NULL; open = strchr(open + 1, '{')) {
        struct str name = { open + 1, (size_t)(strchr(open, '}') - open - 1) };
        const char *type = "word";
        for (size_t i = 0; i < sizeof PARAMETERS / sizeof *PARAMETERS; i++)
            if (str_is(name, PARAMETERS[i].name))
                type = PARAMETERS[i].type;
        begin_parameter(to, name, "path", true);
        shape_write_type(to->out, str_of(type));
        buf_add_byte(to->out, '}');
    }
}

static void add_query(struct parameters *to, struct str fields)
{
    struct shape_field field;
    while (shape_next_field(&fields, &field)) {
        begin_parameter(to, field.name, "query", !field.is_optional);
        shape_write_type(to->out, field.type);
        buf_add_byte(to->out, '}');
    }
}

static void add_filter(void *owner, struct str name, enum list_value value, bool repeats)
{
    static const char *const TYPES[] = {
        [LIST_VALUE_TEXT] = "text",         [LIST_VALUE_BOOL] = "bool",
        [LIST_VALUE_INT] = "filter_number", [LIST_VALUE_REAL] = "number",
        [LIST_VALUE_TIME] = "time",
    };
    struct parameters *to = owner;
    begin_parameter(to, name, "query", false);
    if (repeats)
        buf_add_cstr(to->out, "{\"type\":\"array\",\"items\":");
    shape_write_type(to->out, str_of(TYPES[value]));
    buf_add_cstr(to->out, repeats ? "}}" : "}");
}

static void add_orders(struct parameters *to, enum list list)
{
    const char *name;
    begin_parameter(to, STR("order_by"), "query", false);
    buf_add_cstr(to->out, "{\"type\":\"array\",\"items\":{\"enum\":[");
    for (uint32_t i = 0; (name = list_order(list, i)) != NULL; i++)
        buf_printf(to->out, "%s\"%s\",\"-%s\"", i == 0 ? "" : ",", name, name);
    buf_add_cstr(to->out, "]}}}");
}

static void write_parameters(struct buf *out, const struct route *route,
                             const struct operation *operation)
{
    struct parameters to = { out, "" };
    buf_add_cstr(out, ",\"parameters\":[");
    add_path(&to, route->http.pattern);
    if (operation->list != LIST_COUNT) {
        add_query(&to, STR("limit?: number_of, offset?: number_of"));
        add_orders(&to, operation->list);
        list_describe(operation->list, add_filter, &to);
    }
    add_query(&to, str_of(operation->query));
    buf_add_byte(out, ']');
}

/* ---- bodies and answers ---- */

static void write_body(struct buf *out, struct str type)
{
    bool is_optional = str_ends(type, "?");
    if (type.size == 0)
        return;
    buf_printf(out,
               ",\"requestBody\":{\"required\":%s,\"content\":{\"application/json\":{\"schema\":",
               is_optional ? "false" : "true");
    shape_write_type(out, is_optional ? str_slice(type, 0, type.size - 1) : type);
    buf_add_cstr(out, "}}}");
}

/* {"dags": [...], "total_entries": 2} */
static void write_list(struct buf *out, const struct operation *operation)
{
    buf_printf(out, "{\"type\":\"object\",\"properties\":{\"%s\":{\"type\":\"array\",\"items\":",
               list_key(operation->list));
    shape_write_type(out, str_of(operation->answer));
    buf_add_cstr(out, "},\"total_entries\":");
    shape_write_type(out, STR("count"));
    buf_printf(out, "},\"required\":[\"%s\",\"total_entries\"]}", list_key(operation->list));
}

static bool is_media(struct str type)
{
    return str_find(type, '/') >= 0;
}

/* Of "DagRun | Dag | text/plain" those that are JSON, then the others. */
static void write_content(struct buf *out, struct str types)
{
    struct str rest = types, type;
    const char *comma = "";
    buf_add_cstr(out, ",\"content\":{");
    if (!is_media(types) || str_find(types, '|') >= 0)
        buf_add_cstr(out, "\"application/json\":{\"schema\":{\"anyOf\":[");
    bool has_json = buf_str(out).bytes[out->size - 1] == '[';
    while (str_split(&rest, '|', &type)) {
        if (is_media(type))
            continue;
        buf_add_cstr(out, comma);
        shape_write_type(out, str_trim(type));
        comma = ",";
    }
    if (has_json)
        buf_add_cstr(out, "]}}");
    comma = has_json ? "," : "";
    for (rest = types; str_split(&rest, '|', &type);)
        if (is_media(type)) {
            buf_printf(out, "%s\"%.*s\":{}", comma, STR_ARG(str_trim(type)));
            comma = ",";
        }
    buf_add_byte(out, '}');
}

static void write_links(struct buf *out, const char *operation)
{
    const char *comma = "";
    buf_add_cstr(out, ",\"links\":{");
    for (size_t i = 0; i < sizeof LINKS / sizeof *LINKS; i++) {
        if (strcmp(LINKS[i].from, operation) != 0)
            continue;
        buf_printf(out, "%s\"%s\":{\"operationId\":\"%s\",\"parameters\":{", comma, LINKS[i].to,
                   LINKS[i].to);
        struct str rest = str_of(LINKS[i].parameters), pair, name;
        for (const char *inner = ""; str_split(&rest, ' ', &pair); inner = ",") {
            (void)str_split(&pair, '=', &name);
            buf_printf(out, "%s\"%.*s\":\"$response.body#%.*s\"", inner, STR_ARG(name),
                       STR_ARG(pair));
        }
        buf_add_cstr(out, "}}");
        comma = ",";
    }
    buf_add_byte(out, '}');
}

/* With application/json under Airflow's addresses; with RFC 9457's own type where it is ours, and
 * before a request has an address. */
static void write_refusal(struct buf *out, const char *status, const char *sentence,
                          const char *shape)
{
    static const char *const MEDIA[] = { "application/json", "application/problem+json" };
    buf_printf(out, ",\"%s\":{\"description\":\"%s\",\"content\":{", status, sentence);
    for (size_t i = 0; i < sizeof MEDIA / sizeof *MEDIA; i++) {
        buf_printf(out, "%s\"%s\":{\"schema\":", i == 0 ? "" : ",", MEDIA[i]);
        shape_write_type(out, str_of(shape));
        buf_add_byte(out, '}');
    }
    buf_add_cstr(out, "}}");
}

static void write_answers(struct buf *out, const struct route *route,
                          const struct operation *operation)
{
    buf_printf(out, ",\"responses\":{\"%d\":{\"description\":\"done\"", operation->status);
    if (operation->list != LIST_COUNT) {
        buf_add_cstr(out, ",\"content\":{\"application/json\":{\"schema\":");
        write_list(out, operation);
        buf_add_cstr(out, "}}");
    } else if (operation->answer[0] != 0) {
        write_content(out, str_of(operation->answer));
    }
    write_links(out, operation->id);
    buf_add_byte(out, '}');
    write_refusal(out, "422", "what was sent does not fit: all that is wrong", "Problems");
    write_refusal(out, "4XX", "refused", "Problem");
    write_refusal(out, "503", "not at the moment", "Problem");
    if (route->handle == unsupported)
        write_refusal(out, "501", "not there: the sentence says what is instead", "Problem");
    buf_add_byte(out, '}');
}

/* ---- the whole ---- */

static void write_operation(struct buf *out, const struct route *route)
{
    static const char *const VERBS[] = { "get", "head", "post", "put", "patch", "delete" };
    static const struct operation UNKNOWN = {
        .id = "", .status = 200, .list = LIST_COUNT, .answer = "any", .body = "", .query = ""
    };
    const struct operation *operation = find_operation(route->operation);
    buf_printf(out, "\"%s\":{\"operationId\":\"%s\",\"x-right\":\"%s\"",
               VERBS[__builtin_ctz((unsigned)route->http.verb)], route->operation,
               right_word(route->right));
    if (route->right == RIGHT_ANYBODY)
        buf_add_cstr(out, ",\"security\":[]");
    if (operation == NULL) {
        buf_add_cstr(out, ",\"x-undescribed\":true");
        operation = &UNKNOWN;
    }
    write_parameters(out, route, operation);
    write_body(out, str_of(operation->body));
    write_answers(out, route, operation);
    buf_add_byte(out, '}');
}

static bool is_first_of_path(const struct route *routes, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(routes[i].http.pattern, routes[index].http.pattern) == 0)
            return false;
    return true;
}

static void write_paths(struct buf *out)
{
    uint32_t count;
    const struct route *routes = routes_table(&count);
    const char *comma = "";
    for (uint32_t i = 0; i < count; i++) {
        if (!is_first_of_path(routes, i))
            continue;
        buf_printf(out, "%s\"%s\":{", comma, routes[i].http.pattern);
        comma = "";
        for (uint32_t k = i; k < count; k++) {
            if (strcmp(routes[i].http.pattern, routes[k].http.pattern) != 0)
                continue;
            buf_add_cstr(out, comma);
            write_operation(out, &routes[k]);
            comma = ",";
        }
        buf_add_byte(out, '}');
    }
}

static void write_document(struct buf *out, const char *cookie)
{
    buf_add_cstr(
        out,
        "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Headrace\",\"version\":\"" HEADRACE_VERSION
        "\",\"description\":\"Airflow's public REST API v2 under /api/v2, Headrace's own under "
        "/api/headrace/v1.\"},\"security\":[{\"bearer\":[]},{\"cookie\":[]}],\"paths\":{");
    write_paths(out);
    buf_printf(out,
               "},\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":"
               "\"bearer\"},\"cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":"
               "\"%s\"}},\"schemas\":{",
               cookie);
    shape_write_all(out);
    buf_add_cstr(out, "}}}");
}

void openapi_get(struct call *call)
{
    struct buf *document = &call->api->openapi;
    if (document->size == 0)
        write_document(document, auth_session_cookie(call->api->options.auth));
    call_json(call, 200, buf_str(document));
}
