// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/mapped.h"

#include "common/text/json.h"
#include "webserver/api/causes.h"
#include "webserver/api/map_view.h"

struct mapped {
    struct arena arena; /* not the call's, which lives until the client has read the answer */
    struct mapped_asked asked;
    struct buf out;
};

static void end(struct call *call, int rc, const struct err *err)
{
    struct mapped *mapped = call->state;
    arena_clear(&mapped->arena);
    buf_clear(&mapped->out);
    call_pass_read(call, rc, err);
}

/* {"errors": ..., "rows": ...}, which becomes the rest of the answer. */
static void on_rows(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct mapped *mapped = call->state;
    if (rc == 0) {
        buf_add_byte(&mapped->out, ',');
        buf_add_str(&mapped->out, str_slice(json, 1, json.size));
        http_pile_add(call->request, buf_str(&mapped->out));
    }
    end(call, rc, err);
}

/* A bit each. A word that names no state fits none. */
static uint32_t states_of(const struct bind *words)
{
    uint32_t states = words->count == 0 ? MAP_FILTER_ANY_STATE : 0;
    enum task_state state;
    for (uint32_t i = 0; i < words->count; i++)
        if (task_state_parse(words->texts[i], &state) == 0)
            states |= 1U << state;
    return states;
}

static struct bind picked(struct arena *arena, const struct map_view *view,
                          const struct map_filter *filter, int64_t from, int64_t limit,
                          uint32_t *out_matches)
{
    int64_t *indexes;
    uint32_t count;
    *out_matches = map_view_pick(arena, view, filter, from, limit, &indexes, &count);
    return BIND_NUMBERS(indexes, count);
}

/* `lines`: what ui_mapped_states gives behind its JSON, which is `read`. */
static void read_rows(struct call *call, const struct value *read, struct str lines)
{
    struct mapped *mapped = call->state;
    const struct mapped_asked *asked = &mapped->asked;
    struct map_view view;
    struct str tries = STR_EMPTY, again = STR_EMPTY;
    (void)str_split(&lines, '\n', &tries);
    (void)str_split(&lines, '\n', &again);
    map_view_read(&mapped->arena, (uint32_t)value_integer(value_get(read, "total"), 0), tries,
                  again, &view);
    struct map_filter wanted = { states_of(&asked->states), asked->text, lines };
    static const struct map_filter FAILED = { 1U << TASK_FAILED | 1U << TASK_UPSTREAM_FAILED,
                                              STR_EMPTY, STR_EMPTY };
    uint32_t matches, failed;
    const struct bind binds[] = {
        BIND_NUMBER(value_integer(value_get(read, "run_no"), 0)),
        BIND_NUMBER(value_integer(value_get(read, "task"), 0)),
        picked(&mapped->arena, &view, &wanted, asked->from, asked->limit, &matches),
        picked(&mapped->arena, &view, &FAILED, 0, INT64_MAX, &failed),
        causes_bind(),
    };
    buf_printf(&mapped->out, "{\"seq\":%lld,\"now\":%lld,\"total\":%u,\"matches\":%u,\"st\":\"",
               (long long)asked->seq, (long long)value_integer(value_get(read, "now"), 0),
               view.count, matches);
    buf_add_str(&mapped->out, map_view_letters(&mapped->arena, &view));
    buf_add_byte(&mapped->out, '"');
    /* For everybody: that the DAG may be read was asked before (reach.h). */
    document_read(call->api->options.store, DOCUMENT_ui_mapped_rows, binds,
                  sizeof binds / sizeof *binds, on_rows, call);
}

static void on_states(void *owner, int rc, struct str lines, const struct err *err)
{
    struct call *call = owner;
    struct mapped *mapped = call->state;
    const struct value *read = NULL;
    struct str json = STR_EMPTY;
    if (rc == 0) {
        (void)str_split(&lines, '\n', &json);
        rc = json_parse(&mapped->arena, json, NULL, &read, NULL);
    }
    if (rc == 0)
        read_rows(call, read, lines);
    else
        end(call, rc, err);
}

void mapped_answer(struct call *call, const struct mapped_asked *asked)
{
    struct mapped *mapped = ARENA_NEW(call->arena, struct mapped);
    mapped->asked = *asked;
    call->state = mapped;
    const struct bind binds[] = { BIND_TEXT(call_param(call, "dag_id")),
                                  BIND_TEXT(call_param(call, "dag_run_id")),
                                  BIND_TEXT(call_param(call, "task_id")), BIND_TEXT(asked->text),
                                  causes_bind() };
    document_read(call->api->options.store, DOCUMENT_ui_mapped_states, binds,
                  sizeof binds / sizeof *binds, on_states, call);
}
