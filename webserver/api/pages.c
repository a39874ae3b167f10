// SPDX-License-Identifier: Apache-2.0
/* The pages of the web application: docs/api/ui.md. PostgreSQL makes each answer; here its
 * parameters are read. */
#include "common/base/civil.h"
#include "webserver/api/causes.h"
#include "webserver/api/grid.h"
#include "webserver/api/handlers.h"
#include "webserver/api/live.h"
#include "webserver/api/mapped.h"
#include "webserver/api/pages.h"

#include <string.h>

#define CALENDAR_MAX_MS 253402300799000 /* the end of the year 9999 */

enum { HOURS_MAX = 24 * 31, ROWS_MAX = 1000, MAPPED_ROWS_MAX = 500 };

static struct bind position(struct call *call)
{
    return BIND_NUMBER(live_seq(call->api->live));
}

/* All values of a query key; "a,b" is two. */
static struct bind texts(struct call *call, const char *name)
{
    uint32_t room = 0, count = 0;
    for (uint32_t i = 0; i < call->query.count; i++)
        room += str_is(call->query.pairs[i].name, name)
                    ? 1 + (uint32_t)call->query.pairs[i].value.size
                    : 0;
    struct str *values = ARENA_ARRAY(call->arena, struct str, room);
    for (uint32_t i = 0; i < call->query.count; i++) {
        struct str rest = call->query.pairs[i].value, part;
        bool is_it = str_is(call->query.pairs[i].name, name);
        while (is_it && str_split(&rest, ',', &part))
            if (part.size > 0)
                values[count++] = part;
    }
    return BIND_TEXTS(values, count);
}

static struct bind text(struct call *call, const char *name)
{
    return BIND_TEXT(call_query(call, name, STR_EMPTY));
}

static struct bind param(struct call *call, const char *name)
{
    return BIND_TEXT(call_param(call, name));
}

static struct bind number(struct call *call, const char *name, int64_t min, int64_t max,
                          int64_t otherwise)
{
    return BIND_NUMBER(call_query_int(call, name, min, max, otherwise));
}

#define ANSWER(call, document, ...)                                                                \
    do {                                                                                           \
        struct bind binds[] = { __VA_ARGS__ };                                                     \
        call_document((call), DOCUMENT_##document, binds, sizeof binds / sizeof *binds);           \
    } while (0)

void ui_home(struct call *call)
{
    ANSWER(call, ui_home, position(call), number(call, "hours", 1, HOURS_MAX, 24), causes_bind());
}

void ui_activity(struct call *call)
{
    ANSWER(call, ui_activity, position(call), number(call, "hours", 1, HOURS_MAX, 24));
}

void ui_lanes(struct call *call)
{
    ANSWER(call, ui_lanes, position(call), number(call, "hours", 1, HOURS_MAX, 24));
}

/* "true", "false", or empty for both. */
static struct bind either(struct call *call, const char *name)
{
    struct str value = call_query(call, name, STR_EMPTY);
    if (value.size > 0 && !str_is(value, "true") && !str_is(value, "false"))
        call_problem(call, "query", name, "bool_parsing", "true or false is expected");
    return BIND_TEXT(value);
}

void ui_dags(struct call *call)
{
    ANSWER(call, ui_dags, position(call), text(call, "q"), texts(call, "tag"), texts(call, "owner"),
           either(call, "paused"), texts(call, "state"), text(call, "order_by"),
           number(call, "runs", 0, 50, 14), number(call, "limit", 0, ROWS_MAX, 100),
           number(call, "offset", 0, INT32_MAX, 0), texts(call, "dag_id"),
           BIND_NUMBER(call->person.user_no), either(call, "is_favorite"));
}

static void shape_binds(struct call *call, struct bind binds[2])
{
    binds[0] = param(call, "dag_id");
    binds[1] = number(call, "version", 1, INT32_MAX, -1);
}

static void say_what_shape(struct call *call)
{
    const struct str *etag = call->state;
    bool is_fixed = call_query(call, "version", STR_EMPTY).size > 0;
    http_set_header(call->request, "ETag", *etag);
    http_set_header(call->request, "Cache-Control",
                    is_fixed ? STR("private, max-age=31536000, immutable")
                             : STR("private, no-cache"));
}

static void on_shape(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    if (!http_pile_has_failed(call->request))
        say_what_shape(call);
    http_answer_pile(call->request, 200, "application/json");
}

/* A shape of 5 000 tasks takes a long time to make, and never changes once it has a number. */
static void on_shape_tag(void *owner, int rc, struct str tag, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct str *etag = ARENA_NEW(call->arena, struct str);
    *etag = str_format(call->arena, "\"%.*s-" HEADRACE_VERSION "\"", STR_ARG(tag));
    call->state = etag;
    if (http_etag_matches(http_header(call->request, "If-None-Match"), *etag)) {
        say_what_shape(call);
        call_empty(call, 304);
        return;
    }
    struct bind binds[2];
    shape_binds(call, binds);
    call_read(call, NULL, DOCUMENT_ui_shape, binds, 2, on_shape);
}

void ui_shape(struct call *call)
{
    struct bind binds[2];
    shape_binds(call, binds);
    if (!call_refuse_problems(call))
        document_read(call->api->options.store, DOCUMENT_ui_shape_tag, binds, 2, on_shape_tag,
                      call);
}

void ui_cells(struct call *call)
{
    const struct bind binds[GRID_BINDS] = { position(call),
                                            param(call, "dag_id"),
                                            number(call, "runs", 1, 365, 25),
                                            number(call, "before", 0, INT64_MAX, 0),
                                            texts(call, "run_type"),
                                            texts(call, "state") };
    if (!call_refuse_problems(call))
        grid_answer(call, binds);
}

void ui_run(struct call *call)
{
    ANSWER(call, ui_run, position(call), param(call, "dag_id"), param(call, "dag_run_id"),
           causes_bind());
}

void ui_mapped(struct call *call)
{
    const struct mapped_asked asked = {
        .seq = live_seq(call->api->live),
        .from = call_query_int(call, "from", 0, INT32_MAX, 0),
        .limit = call_query_int(call, "limit", 0, MAPPED_ROWS_MAX, 100),
        .states = texts(call, "state"),
        .text = call_query(call, "q", STR_EMPTY),
    };
    if (!call_refuse_problems(call))
        mapped_answer(call, &asked);
}

void ui_task(struct call *call)
{
    ANSWER(call, ui_task, position(call), param(call, "dag_id"), param(call, "dag_run_id"),
           param(call, "task_id"), BIND_NUMBER(call_param_int(call, "map_index", -1, INT32_MAX)),
           causes_bind(), cause_names_bind());
}

void ui_import_errors(struct call *call)
{
    call_document(call, DOCUMENT_ui_import_errors, NULL, 0);
}

/* PostgreSQL knows the zones; one that it does not know is all that can be invalid. */
static void on_calendar(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc == ERR_INVALID)
        call_problem(call, "query", "timezone", "value_error", "there is no such time zone");
    if (!call_refuse_problems(call))
        call_pass_read(call, rc, err);
}

void ui_calendar(struct call *call)
{
    int64_t now_ms = loop_wall_ms();
    struct bind binds[] = { param(call, "dag_id"),
                            number(call, "from", 0, CALENDAR_MAX_MS, now_ms - 365 * MS_PER_DAY),
                            number(call, "to", 0, CALENDAR_MAX_MS, now_ms + MS_PER_DAY),
                            BIND_TEXT(call_query(call, "timezone", STR("UTC"))) };
    if (!call_refuse_problems(call))
        call_read(call, NULL, DOCUMENT_ui_calendar, binds, 4, on_calendar);
}

void ui_trends(struct call *call)
{
    ANSWER(call, ui_trends, param(call, "dag_id"), number(call, "runs", 1, 365, 100));
}

void ui_usage(struct call *call)
{
    ANSWER(call, ui_usage, position(call), param(call, "dag_id"), param(call, "task_id"),
           number(call, "map_index", -1, INT32_MAX, -1), number(call, "runs", 1, 365, 100));
}

void ui_backfills(struct call *call)
{
    ANSWER(call, ui_backfills, position(call), param(call, "dag_id"));
}

static struct bind may(struct call *call, enum right right)
{
    return BIND_NUMBER(person_may(&call->person, person_role(&call->person), right));
}

void ui_search(struct call *call)
{
    ANSWER(call, ui_search, text(call, "q"), may(call, RIGHT_VARIABLES_READ),
           may(call, RIGHT_CONNECTIONS_READ));
}

/* ---- lists that are acted on (bulk.c) ---- */

static uint32_t put_binds(struct bind *out, const struct bind *binds, uint32_t count)
{
    memcpy(out, binds, count * sizeof *binds);
    return count;
}

static int64_t place_part(struct call *call, struct str text, int64_t min)
{
    int64_t number = 0;
    if (text.size > 0 && str_to_int(text, min, INT64_MAX, &number) < 0)
        call_problem(call, "query", "after", "value_error", "this is no place of a list");
    return number;
}

static uint32_t runs_binds(struct call *call, int64_t limit, struct str after, struct bind *out)
{
    const struct bind binds[] = { position(call),
                                  text(call, "q"),
                                  texts(call, "dag_id"),
                                  texts(call, "state"),
                                  texts(call, "run_type"),
                                  number(call, "from", 0, CALENDAR_MAX_MS, 0),
                                  number(call, "to", 0, CALENDAR_MAX_MS, 0),
                                  BIND_NUMBER(limit),
                                  BIND_NUMBER(place_part(call, after, 1)),
                                  number(call, "duration_min", 0, CALENDAR_MAX_MS, 0),
                                  number(call, "duration_max", 0, CALENDAR_MAX_MS, 0) };
    return put_binds(out, binds, sizeof binds / sizeof *binds);
}

/* A place is "run.place" of the last row that was shown. */
static uint32_t tasks_binds(struct call *call, int64_t limit, struct str after, struct bind *out)
{
    struct str rest = after, run = STR_EMPTY;
    (void)str_split(&rest, '.', &run);
    const struct bind binds[] = { position(call),
                                  text(call, "q"),
                                  texts(call, "dag_id"),
                                  texts(call, "state"),
                                  texts(call, "worker"),
                                  number(call, "from", 0, CALENDAR_MAX_MS, 0),
                                  number(call, "to", 0, CALENDAR_MAX_MS, 0),
                                  BIND_NUMBER(limit),
                                  BIND_NUMBER(place_part(call, run, 1)),
                                  BIND_NUMBER(place_part(call, rest, 0)),
                                  causes_bind(),
                                  texts(call, "pool"),
                                  texts(call, "queue"),
                                  number(call, "duration_min", 0, CALENDAR_MAX_MS, 0),
                                  number(call, "duration_max", 0, CALENDAR_MAX_MS, 0),
                                  number(call, "try_min", 0, INT32_MAX, 0),
                                  number(call, "try_max", 0, INT32_MAX, 0) };
    if (after.size > 0 && (run.size == 0 || rest.size == 0))
        call_problem(call, "query", "after", "value_error", "this is no place of a list");
    return put_binds(out, binds, sizeof binds / sizeof *binds);
}

const struct page_list PAGE_RUNS = { DOCUMENT_ui_runs, "runs", runs_binds },
                       PAGE_TASKS = { DOCUMENT_ui_tasks, "tasks", tasks_binds };

static void answer_list(struct call *call, const struct page_list *list)
{
    struct bind binds[PAGE_BINDS_MAX];
    uint32_t count = list->binds(call, call_query_int(call, "limit", 0, ROWS_MAX, 100),
                                 call_query(call, "after", STR_EMPTY), binds);
    call_document(call, list->document, binds, count);
}

void ui_runs(struct call *call)
{
    answer_list(call, &PAGE_RUNS);
}

void ui_tasks(struct call *call)
{
    answer_list(call, &PAGE_TASKS);
}
