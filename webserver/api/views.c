// SPDX-License-Identifier: Apache-2.0
/* Saved views: the filters of lists that somebody has given names. They are of the person, so that
 * they follow them from browser to browser, and of nobody else. */
#include "common/store/view_store.h"
#include "webserver/api/handlers.h"

enum { VIEWS_MAX = 100, NAME_LENGTH_MAX = 100, QUERY_LENGTH_MAX = 2000 }; /* as in shapes.def */

/* True after an answer. What a program reads through a token, it does not arrange for people. */
static bool refuse_nobody(struct call *call)
{
    if (call_refuse_problems(call) || call_refuse_token(call))
        return true;
    bool is_nobody = call->person.user_no == 0;
    if (is_nobody)
        call_refuse(call, 409, "the owner of the home has no account that views could be of");
    return is_nobody;
}

static bool is_line(struct str text, size_t length_max)
{
    size_t length = 0;
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.bytes[i] < ' ')
            return false;
        length += ((unsigned char)text.bytes[i] & 0xC0) != 0x80; /* where a character begins */
    }
    return length > 0 && length <= length_max && str_is_utf8(text);
}

/* A text of the body in one line; empty when it is not `needed` and absent. */
static struct str line(struct call *call, const char *name, size_t length_max, bool needed)
{
    struct str text = body_text(call, name, STR_EMPTY);
    if ((needed || body_gives(call, name)) && !is_line(text, length_max))
        call_problem(call, "body", name, "value_error", "one line of 1 to %zu characters is needed",
                     length_max);
    return text;
}

void views_get(struct call *call)
{
    struct bind binds[] = { BIND_NUMBER(call->person.user_no), BIND_NUMBER(0), BIND_TEXT(STR_EMPTY),
                            BIND_TEXT(STR_EMPTY) };
    call_document(call, DOCUMENT_auth_views, binds, 4);
}

/* True after an answer about what went wrong. */
static bool refused(struct call *call, int rc, const struct err *err)
{
    const struct view *view = call->state;
    if (rc == ERR_EXISTS)
        call_refuse(call, 409, "you have a view %.*s of this page already: choose another name",
                    STR_ARG(view->name));
    else if (rc == ERR_CONFLICT)
        call_refuse(call, 409, "you have %d views, and that is as many as can be: delete one",
                    VIEWS_MAX);
    else if (rc < 0)
        call_fail(call, rc, err);
    return rc < 0;
}

static void on_put(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    const struct view *view = call->state;
    struct bind binds[] = { BIND_NUMBER(view->user_no), BIND_NUMBER(0), BIND_TEXT(view->page),
                            BIND_TEXT(view->name) };
    if (!refused(call, rc, err))
        document_read(call->api->options.store, DOCUMENT_auth_views, binds, 4, call_pass_created,
                      call);
}

void view_create(struct call *call)
{
    struct view *view = ARENA_NEW(call->arena, struct view);
    *view = (struct view) { .user_no = call->person.user_no };
    view->page = body_text(call, "page", STR_EMPTY);
    view->name = line(call, "name", NAME_LENGTH_MAX, true);
    view->query = line(call, "query", QUERY_LENGTH_MAX, true);
    if (!str_is(view->page, "runs") && !str_is(view->page, "tasks"))
        call_problem(call, "body", "page", "enum", "Input should be 'runs' or 'tasks'");
    call->state = view;
    if (!refuse_nobody(call))
        view_put(call->api->options.store, view, VIEWS_MAX, on_put, call);
}

static void on_changed(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    const struct view *view = call->state;
    struct bind binds[] = { BIND_NUMBER(view->user_no), BIND_NUMBER(view->view_no),
                            BIND_TEXT(STR_EMPTY), BIND_TEXT(STR_EMPTY) };
    if (!refused(call, rc, err))
        call_document(call, DOCUMENT_auth_views, binds, 4);
}

static int32_t view_no(struct call *call)
{
    return (int32_t)call_param_int(call, "view_id", 1, INT32_MAX);
}

void view_patch(struct call *call)
{
    struct view *view = ARENA_NEW(call->arena, struct view);
    *view = (struct view) { .user_no = call->person.user_no, .view_no = view_no(call) };
    view->name = line(call, "name", NAME_LENGTH_MAX, false);
    view->query = line(call, "query", QUERY_LENGTH_MAX, false);
    if (body_gives(call, "is_default"))
        view->is_default = body_bool(call, "is_default", false) ? STR("true") : STR("false");
    call->state = view;
    if (!refuse_nobody(call))
        view_change(call->api->options.store, view, on_changed, call);
}

void view_remove(struct call *call)
{
    int32_t number = view_no(call);
    if (!refuse_nobody(call))
        view_delete(call->api->options.store, call->person.user_no, number, call_pass_empty, call);
}
