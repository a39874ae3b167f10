// SPDX-License-Identifier: Apache-2.0
/* Signing in and out: tokens for programs, sessions for browsers; and the accounts. */
#include "common/store/user_store.h"
#include "common/text/json.h"
#include "webserver/api/handlers.h"

/* ---- tokens ---- */

/* False after an answer. */
static bool read_credentials(struct call *call, struct str *out_name, struct str *out_password)
{
    if (call->body == NULL || call->body->type != VALUE_MAP) {
        call_refuse(call, 400, "username and password are needed, as JSON or as a form");
        return false;
    }
    *out_name = body_text(call, "username", STR_EMPTY);
    *out_password = body_text(call, "password", STR_EMPTY);
    if (!body_has(call, "username"))
        call_problem(call, "body", "username", "missing", "Field required");
    if (!body_has(call, "password"))
        call_problem(call, "body", "password", "missing", "Field required");
    return !call_refuse_problems(call);
}

static void refuse_sign_in(struct call *call, int rc, int64_t retry_ms, const struct err *err)
{
    if (rc == ERR_TOO_MANY)
        http_set_header(call->request, "Retry-After",
                        str_format(call->arena, "%lld", (long long)(retry_ms + 999) / 1000));
    call_fail(call, rc, err);
}

static void on_token(struct http_request *request, int rc, const struct signed_in *in,
                     int64_t retry_ms, const struct err *err)
{
    struct call *call = request->context;
    if (rc < 0)
        refuse_sign_in(call, rc, retry_ms, err);
    else
        call_json(call, 201,
                  str_format(call->arena, "{\"access_token\":\"%.*s\"}", STR_ARG(in->token)));
}

void token_create(struct call *call)
{
    struct str name, password;
    if (read_credentials(call, &name, &password))
        auth_sign_in(call->api->options.auth, call->request,
                     call->route->aux == 1 ? SIGN_IN_CLI : SIGN_IN_TOKEN, name, password, on_token);
}

void token_without_password(struct call *call)
{
    call_refuse(call, 403,
                "This method is only allowed when everybody is an administrator, which Headrace "
                "never lets be");
}

/* Only paths of this server: an address elsewhere would make us a way to lead people astray. */
void login_redirect(struct call *call)
{
    struct str next = call_query(call, "next", STR("/"));
    bool is_ours = str_starts(next, "/") && !str_starts(next, "//") && !str_starts(next, "/\\");
    struct buf target = { 0 };
    buf_add_cstr(&target, "/sign-in?next=");
    http_encode(&target, is_ours ? next : STR("/"));
    http_set_header(call->request, "Location", buf_str(&target));
    buf_clear(&target);
    call_empty(call, 307);
}

/* ---- sessions ---- */

static void on_session(struct http_request *request, int rc, const struct signed_in *in,
                       int64_t retry_ms, const struct err *err)
{
    struct call *call = request->context;
    (void)in;
    if (rc < 0)
        refuse_sign_in(call, rc, retry_ms, err);
    else
        call_empty(call, 204);
}

void session_create(struct call *call)
{
    struct str name, password, site = http_header(call->request, "Sec-Fetch-Site");
    if (site.bytes != NULL && !str_is(site, "same-origin") && !str_is(site, "none")) {
        call_refuse_reason(call, 403, "csrf", "sign-in comes from Headrace's own pages alone");
        return;
    }
    if (read_credentials(call, &name, &password))
        auth_sign_in(call->api->options.auth, call->request, SIGN_IN_BROWSER, name, password,
                     on_session);
}

static void on_signed_out(struct http_request *request, int rc, const struct err *err)
{
    struct call *call = request->context;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_empty(call, 204);
}

void session_delete_own(struct call *call)
{
    auth_sign_out(call->api->options.auth, call->request, &call->person, on_signed_out);
}

void me_get(struct call *call)
{
    struct buf out = { 0 };
    struct str role = str_of(role_name(call->person.role));
    buf_add_cstr(&out, "{\"username\":");
    json_write_string(&out, call->person.name);
    buf_printf(&out, ",\"role\":\"%c%.*s\"", role.bytes[0] - 'A' + 'a',
               STR_ARG(str_slice(role, 1, role.size)));
    buf_add_cstr(&out, ",\"csrf\":");
    json_write_string(&out, call->person.csrf);
    buf_printf(&out,
               ",\"version\":\"%s\",\"now\":%lld,\"instance_name\":\"Headrace\",\"permissions\":",
               HEADRACE_VERSION, (long long)loop_wall_ms());
    rights_write(&out, call->person.role);
    buf_add_byte(&out, '}');
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}

/* ---- accounts ---- */

void users_get(struct call *call)
{
    call_document(call, DOCUMENT_auth_users, NULL, 0);
}

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
    struct buf out = { 0 };
    buf_add_cstr(&out, "{\"username\":");
    json_write_string(&out, user->name);
    buf_printf(&out, ",\"role\":\"%s\",\"disabled\":false}", role_name(user->role));
    call_json(call, 201, buf_str(&out));
    buf_clear(&out);
}

static struct audit user_audit(struct call *call, const char *event, struct str name)
{
    struct audit audit = call_audit(call, event);
    struct value *detail = value_map(call->arena);
    value_put(call->arena, detail, STR("username"), value_string(call->arena, name));
    audit.detail = json_text(call->arena, detail);
    return audit;
}

static void on_new_hash(void *owner, int rc, struct str hash, const struct err *err)
{
    struct call *call = owner;
    const struct new_user *user = call->state;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct audit audit = user_audit(call, "create_user", user->name);
    user_put(call->api->options.store, user->name, hash, str_of(role_name(user->role)), user->email,
             &audit, on_user_put, call);
}

static bool name_is_good(struct str name)
{
    if (name.size == 0 || name.size > 100)
        return false;
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.bytes[i] <= ' ' || name.bytes[i] == 0x7F ||
            strchr("/\\\"'<>,;", name.bytes[i]) != NULL)
            return false;
    return true;
}

void user_create(struct call *call)
{
    struct new_user *user = ARENA_NEW(call->arena, struct new_user);
    struct err err = { 0 };
    user->name = body_text(call, "username", STR_EMPTY);
    user->email = body_text(call, "email", STR_EMPTY);
    struct str password = body_text(call, "password", STR_EMPTY);
    if (!name_is_good(user->name))
        call_problem(call, "body", "username", "value_error",
                     "1 to 100 letters, without blanks and without any of /\\\"'<>,;");
    if (role_parse(body_text(call, "role", STR("Viewer")), &user->role) < 0)
        call_problem(call, "body", "role", "enum",
                     "Input should be 'Viewer', 'User', 'Op' or 'Admin'");
    if (auth_check_password(password, &err) < 0)
        call_problem(call, "body", "password", "string_too_short", "%s", err.sentence);
    if (call_refuse_problems(call))
        return;
    call->state = user;
    auth_hash(call->api->options.auth, password, call, on_new_hash);
}

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
    struct audit audit = user_audit(call, "delete_user", call_param(call, "name"));
    user_delete(call->api->options.store, call_param(call, "name"), &audit, on_gone, call);
}

static void on_changed_hash(void *owner, int rc, struct str hash, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct audit audit = user_audit(call, "set_password", call_param(call, "name"));
    user_password_set(call->api->options.store, call_param(call, "name"), hash, &audit, on_gone,
                      call);
}

void user_set_password(struct call *call)
{
    struct err err = { 0 };
    struct str password = body_text(call, "password", STR_EMPTY);
    if (auth_check_password(password, &err) < 0)
        call_problem(call, "body", "password", "string_too_short", "%s", err.sentence);
    if (!call_refuse_problems(call))
        auth_hash(call->api->options.auth, password, call, on_changed_hash);
}
