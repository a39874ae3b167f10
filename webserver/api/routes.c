// SPDX-License-Identifier: Apache-2.0
/* The table of routes, and the description that is made of it: /openapi.json. */
#include "common/store/vault_change.h"
#include "common/text/json.h"
#include "webserver/api/handlers.h"

#define ROUTE(verb_word, path, handler, right_word, id, what)                                      \
    { .http.verb = VERB_##verb_word,                                                               \
      .http.pattern = path,                                                                        \
      .handle = handler,                                                                           \
      .right = RIGHT_##right_word,                                                                 \
      .operation = id,                                                                             \
      .aux = what },
static const struct route ROUTES[] = {
#include "webserver/api/routes.def"
};
#undef ROUTE

enum { ROUTE_COUNT = sizeof ROUTES / sizeof *ROUTES };

const struct route *routes_table(uint32_t *out_count)
{
    *out_count = ROUTE_COUNT;
    return ROUTES;
}

static void write_parameters(struct buf *out, const char *pattern)
{
    const char *comma = "";
    buf_add_cstr(out, "\"parameters\":[");
    for (const char *open = strchr(pattern, '{'); open != NULL; open = strchr(open + 1, '{')) {
        const char *close = strchr(open, '}');
        buf_printf(out,
                   "%s{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":"
                   "\"string\"}}",
                   comma, (int)(close - open - 1), open + 1);
        comma = ",";
    }
    buf_add_byte(out, ']');
}

static void write_operation(struct buf *out, const struct route *route)
{
    static const char *const VERBS[] = { "get", "head", "post", "put", "patch", "delete" };
    buf_printf(out, "\"%s\":{\"operationId\":\"%s\",",
               VERBS[__builtin_ctz((unsigned)route->http.verb)], route->operation);
    write_parameters(out, route->http.pattern);
    buf_printf(out, ",\"x-right\":\"%s\"", right_word(route->right));
    if (route->right == RIGHT_ANYBODY)
        buf_add_cstr(out, ",\"security\":[]");
    buf_add_cstr(
        out, ",\"responses\":{\"2XX\":{\"description\":\"done\"},\"4XX\":{\"description\":"
             "\"refused\",\"content\":{"
             "\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}}}");
}

static bool is_first_of_path(uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(ROUTES[i].http.pattern, ROUTES[index].http.pattern) == 0)
            return false;
    return true;
}

static void write_paths(struct buf *out)
{
    const char *comma = "";
    for (uint32_t i = 0; i < ROUTE_COUNT; i++) {
        if (!is_first_of_path(i))
            continue;
        buf_printf(out, "%s\"%s\":{", comma, ROUTES[i].http.pattern);
        comma = "";
        for (uint32_t k = i; k < ROUTE_COUNT; k++) {
            if (strcmp(ROUTES[i].http.pattern, ROUTES[k].http.pattern) != 0)
                continue;
            buf_add_cstr(out, comma);
            write_operation(out, &ROUTES[k]);
            comma = ",";
        }
        buf_add_byte(out, '}');
    }
}

void openapi_get(struct call *call)
{
    struct buf out = { 0 };
    buf_add_cstr(
        &out,
        "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Headrace\",\"version\":\"" HEADRACE_VERSION
        "\","
        "\"description\":\"Airflow's public REST API v2 under /api/v2, Headrace's own under "
        "/api/headrace/v1.\"},"
        "\"security\":[{\"bearer\":[]},{\"cookie\":[]}],\"paths\":{");
    write_paths(&out);
    buf_add_cstr(
        &out, "},\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":"
              "\"bearer\"},"
              "\"cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"headrace_session\"}},"
              "\"schemas\":{\"Problem\":{\"type\":\"object\",\"properties\":{\"detail\":{}},"
              "\"required\":[\"detail\"]}}}}");
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}
