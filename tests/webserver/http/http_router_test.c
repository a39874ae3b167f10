// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct http_route ROUTES[] = {
    { VERB_GET, "/" },
    { VERB_GET, "/dags" },
    { VERB_GET, "/dags/{dag_id}" },
    { VERB_PATCH, "/dags/{dag_id}" },
    { VERB_GET, "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}" },
    { VERB_GET, "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}/{map_index}" },
    { VERB_GET, "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}/logs/{try}" },
    { VERB_POST, "/dags/{dag_id}/runs/{run_id}/tasks/list" },
};

static struct http_router *router;

static int open_router(void **state)
{
    (void)state;
    router = http_router_new(ROUTES, sizeof ROUTES / sizeof *ROUTES, sizeof *ROUTES);
    return 0;
}

static int close_router(void **state)
{
    (void)state;
    http_router_free(router);
    return 0;
}

/* "pattern name=value ..." of the route that serves it, or what is wrong. */
static void check(enum http_verb verb, const char *path, const char *wanted)
{
    struct http_request *request = http_request_new();
    request->verb = verb;
    request->path = str_of(path);
    uint32_t verbs = 0;
    struct buf got = { 0 };
    enum http_match match = http_router_find(router, request, &verbs);
    if (match == HTTP_MATCH_FOUND) {
        buf_add_cstr(&got, ((const struct http_route *)request->route)->pattern);
        for (uint32_t i = 0; i < request->param_count; i++)
            buf_printf(&got, " %.*s=%.*s", STR_ARG(request->params[i].name),
                       STR_ARG(request->params[i].value));
    } else if (match == HTTP_MATCH_VERB) {
        char allow[HTTP_ALLOW_SIZE];
        http_verbs_text(verbs, allow);
        buf_printf(&got, "405 %s", allow);
    } else {
        buf_add_cstr(&got, match == HTTP_MATCH_NOT_FOUND ? "404" : "400");
    }
    assert_string_equal(got.bytes, wanted);
    buf_clear(&got);
    http_request_free(request);
}

static void a_path_finds_its_route_and_its_parameters(void **state)
{
    (void)state;
    check(VERB_GET, "/", "/");
    check(VERB_GET, "/dags", "/dags");
    check(VERB_HEAD, "/dags/a.b", "/dags/{dag_id} dag_id=a.b");
    check(VERB_PATCH, "/dags/x", "/dags/{dag_id} dag_id=x");
    check(
        VERB_GET, "/dags/d/runs/manual__1%2B00%3A00/tasks/g.t",
        "/dags/{dag_id}/runs/{run_id}/tasks/{task_id} dag_id=d run_id=manual__1+00:00 task_id=g.t");
    check(VERB_GET, "/dags/d/runs/r+1/tasks/t/7",
          "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}/{map_index} dag_id=d run_id=r+1 task_id=t "
          "map_index=7");
    check(VERB_GET, "/dags/d/runs/r/tasks/t/logs/2",
          "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}/logs/{try} dag_id=d run_id=r task_id=t "
          "try=2");
}

static void a_literal_gives_way_to_a_parameter_where_it_leads_nowhere(void **state)
{
    (void)state;
    check(VERB_GET, "/dags/d/runs/r/tasks/list",
          "/dags/{dag_id}/runs/{run_id}/tasks/{task_id} dag_id=d run_id=r task_id=list");
    check(VERB_POST, "/dags/d/runs/r/tasks/list",
          "/dags/{dag_id}/runs/{run_id}/tasks/list dag_id=d run_id=r");
    check(VERB_GET, "/dags/d/runs/r/tasks/list/3",
          "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}/{map_index} dag_id=d run_id=r task_id=list "
          "map_index=3");
}

static void other_verbs_and_other_paths_are_told_apart(void **state)
{
    (void)state;
    check(VERB_DELETE, "/dags/x", "405 GET, HEAD, PATCH");
    check(VERB_POST, "/dags", "405 GET, HEAD");
    check(VERB_GET, "/dags/", "404");
    check(VERB_GET, "/dags//runs/r/tasks/t", "404");
    check(VERB_GET, "/nothing", "404");
    check(VERB_GET, "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26", "404");
}

static void a_path_that_climbs_or_hides_a_slash_is_invalid(void **state)
{
    (void)state;
    static const char *const PATHS[] = { "/dags/..",
                                         "/dags/%2e%2e",
                                         "/dags/.%2E/x",
                                         "/dags/a%2fb",
                                         "/dags/a%2Fb",
                                         "/dags/a%5cb",
                                         "/dags/%00",
                                         "/dags/a%00b",
                                         "/dags/%",
                                         "/dags/%4",
                                         "/dags/%zz",
                                         "/dags/%0a",
                                         "/dags/%ff",
                                         "/dags/.",
                                         "/dags/%7f",
                                         "/dags/%c0%ae",
                                         "" };
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++)
        check(VERB_GET, PATHS[i], "400");
    check(VERB_GET, "/dags/%252f", "/dags/{dag_id} dag_id=%2f"); /* decoded once */
    check(VERB_GET, "/dags/...", "/dags/{dag_id} dag_id=...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_finds_its_route_and_its_parameters),
        cmocka_unit_test(a_literal_gives_way_to_a_parameter_where_it_leads_nowhere),
        cmocka_unit_test(other_verbs_and_other_paths_are_told_apart),
        cmocka_unit_test(a_path_that_climbs_or_hides_a_slash_is_invalid),
    };
    return cmocka_run_group_tests(tests, open_router, close_router);
}
