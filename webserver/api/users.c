// SPDX-License-Identifier: Apache-2.0
/* Accounts and roles. */
#include "common/store/session_store.h"
#include "common/store/user_store.h"
#include "common/text/json.h"
#include "webserver/api/access.h"
#include "webserver/api/handlers.h"

void users_get(struct call *call)
{
    call_document(call, DOCUMENT_auth_users, (struct bind[]) { BIND_TEXT(STR_EMPTY) }, 1);
}

void roles_get(struct call *call)
{
    struct buf out = { 0 };
    buf_add_cstr(&out, "{\"roles\":");
    for (int role = ROLE_PUBLIC; role <= ROLE_ADMIN; role++) {
        buf_printf(&out, "%s{\"role\":\"%s\",\"rights\":", role == ROLE_PUBLIC ? "[" : ",",
                   role_name((enum role)role));
        rights_write(&out, (enum role)role, RIGHTS_ALL);
        buf_add_byte(&out, '}');
    }
    buf_add_cstr(&out, "],\"rights\":");
    for (int right = RIGHT_SIGNED_IN + 1; right < RIGHT_COUNT; right++)
        buf_printf(&out, "%s{\"right\":\"%s\",\"role\":\"%s\"}",
                   right == RIGHT_SIGNED_IN + 1 ? "[" : ",", right_word((enum right)right),
                   role_name(right_role((enum right)right)));
    buf_add_cstr(&out, "]}");
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}

/* ---- making ---- */

struct new_user {
    struct str name, email;
    enum role role;
};

static void on_user_put(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    const struct new_user *user = call->state;
    if (rc == ERR_EXISTS) {
        call_refuse(call, 409, "there is an account %.*s already", STR_ARG(user->name));
        return;
    }
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    document_read(call->api->options.store, DOCUMENT_auth_users,
                  (struct bind[]) { BIND_TEXT(user->name) }, 1, call_pass_created, call);
}

static void on_new_hash(void *owner, int rc, struct str hash, const struct err *err)
{
    struct call *call = owner;
    const struct new_user *user = call->state;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct audit audit = access_audit(call, "create_user", user->name);
    user_put(call->api->options.store, user->name, hash, str_of(role_name(user->role)), user->email,
             &audit, on_user_put, call);
}

void user_create(struct call *call)
{
    struct new_user *user = ARENA_NEW(call->arena, struct new_user);
    struct err err = { 0 };
    user->name = body_text(call, "username", STR_EMPTY);
    user->email = body_text(call, "email", STR_EMPTY);
    struct str password = body_text(call, "password", STR_EMPTY);
    if (!auth_name_is_good(user->name))
        call_problem(call, "body", "username", "value_error",
                     "1 to 100 letters, without blanks and without any of /\\\"'<>,;");
    if (role_parse(body_text(call, "role", STR("Viewer")), &user->role) < 0)
        call_problem(call, "body", "role", "enum",
                     "Input should be 'Public', 'Viewer', 'User', 'Op' or 'Admin'");
    if (auth_check_password(password, user->name, &err) < 0)
        call_problem(call, "body", "password", "value_error", "%s", err.sentence);
    if (call_refuse_problems(call))
        return;
    call->state = user;
    auth_hash(call->api->options.auth, password, call, on_new_hash);
}

/* ---- changing ---- */

/* Which of the two it was that nothing could be deleted for. */
static void on_kept(void *owner, int rc, const struct user_row *user, const struct err *err)
{
    struct call *call = owner;
    (void)user;
    if (rc == 0)
        call_refuse(call, 409, "%.*s is the last administrator", STR_ARG(call_param(call, "name")));
    else if (rc == ERR_NOT_FOUND)
        call_refuse(call, 404, "there is no user %.*s", STR_ARG(call_param(call, "name")));
    else
        call_fail(call, rc, err);
}

static void on_gone(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc == ERR_CONFLICT)
        user_read(call->api->options.store, call_param(call, "name"), on_kept, call);
    else if (rc < 0)
        call_fail(call, rc, err);
    else
        call_empty(call, 204);
}

void user_remove(struct call *call)
{
    struct audit audit = access_audit(call, "delete_user", call_param(call, "name"));
    user_delete(call->api->options.store, call_param(call, "name"), &audit, on_gone, call);
}

static void on_patched(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    struct bind name = BIND_TEXT(call_param(call, "name"));
    if (rc < 0)
        on_gone(call, rc, err);
    else
        call_document(call, DOCUMENT_auth_users, &name, 1);
}

void user_patch(struct call *call)
{
    enum role role = ROLE_NONE;
    struct str role_word = body_text(call, "role", STR_EMPTY);
    struct str disabled = STR_EMPTY;
    if (role_word.size > 0 && role_parse(role_word, &role) < 0)
        call_problem(call, "body", "role", "enum",
                     "Input should be 'Public', 'Viewer', 'User', 'Op' or 'Admin'");
    if (body_has(call, "disabled"))
        disabled = body_bool(call, "disabled", false) ? STR("true") : STR("false");
    struct str email = body_text(call, "email", STR_EMPTY);
    if (role == ROLE_NONE && disabled.size == 0 && email.size == 0)
        call_problem(call, "body", "", "missing", "one of role, disabled and email is needed");
    if (call_refuse_problems(call))
        return;
    struct audit audit = access_audit(call, "patch_user", call_param(call, "name"));
    user_change(call->api->options.store, call_param(call, "name"),
                role == ROLE_NONE ? STR_EMPTY : str_of(role_name(role)), disabled, email, &audit,
                on_patched, call);
}

void user_sign_out(struct call *call)
{
    struct audit audit = access_audit(call, "end_sessions", call_param(call, "name"));
    sessions_end(call->api->options.store, call_param(call, "name"), &audit, on_gone, call);
}

static void on_changed_hash(void *owner, int rc, struct str hash, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct audit audit = access_audit(call, "set_password", call_param(call, "name"));
    user_password_set(call->api->options.store, call_param(call, "name"), hash, &audit, on_gone,
                      call);
}

void user_set_password(struct call *call)
{
    struct err err = { 0 };
    struct str password = body_text(call, "password", STR_EMPTY);
    if (auth_check_password(password, call_param(call, "name"), &err) < 0)
        call_problem(call, "body", "password", "value_error", "%s", err.sentence);
    if (!call_refuse_problems(call))
        auth_hash(call->api->options.auth, password, call, on_changed_hash);
}
