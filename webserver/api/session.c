// SPDX-License-Identifier: Apache-2.0
/* Signing in and out: tokens for programs, sessions for browsers; and what somebody is told of
 * themselves. */
#include "common/store/access_store.h"
#include "common/store/session_store.h"
#include "common/store/user_store.h"
#include "common/text/json.h"
#include "webserver/api/handlers.h"
#include "webserver/api/reach.h"

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

bool call_is_local_path(struct str path)
{
    for (size_t i = 0; i < path.size; i++)
        if ((unsigned char)path.bytes[i] < ' ' || path.bytes[i] == 0x7F || path.bytes[i] == '\\')
            return false;
    return str_starts(path, "/") && !str_starts(path, "//");
}

void login_redirect(struct call *call)
{
    struct str next = call_query(call, "next", STR("/"));
    bool is_ours = call_is_local_path(next);
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

static void on_signed_out(struct http_request *request, int rc, struct str url,
                          const struct err *err)
{
    struct call *call = request->context;
    struct value *answer = value_map(call->arena);
    value_put(call->arena, answer, STR("url"),
              url.size > 0 ? value_string(call->arena, url) : value_null(call->arena));
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_json(call, 200, json_text(call->arena, answer));
}

void session_delete_own(struct call *call)
{
    auth_sign_out(call->api->options.auth, call->request, &call->person, on_signed_out);
}

/* ---- me ---- */

static void write_token_limits(struct buf *out, const struct person *person)
{
    const char *comma = "";
    buf_add_cstr(out, "{\"rights\":");
    if (person->rights == RIGHTS_ALL)
        buf_add_cstr(out, "[]");
    else
        rights_write(out, ROLE_ADMIN, person->rights);
    buf_add_cstr(out, ",\"dags\":[");
    for (uint32_t i = 0; i < person->dag_count; i++) {
        buf_add_cstr(out, comma);
        json_write_string(out, person->dags[i]);
        comma = ",";
    }
    buf_add_cstr(out, "]}");
}

static void on_my_grants(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct person *person = &call->person;
    struct buf out = { 0 };
    struct str role = str_of(role_name(person->role));
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    buf_add_cstr(&out, "{\"username\":");
    json_write_string(&out, person->name);
    buf_printf(&out, ",\"role\":\"%c%.*s\"", role.bytes[0] - 'A' + 'a',
               STR_ARG(str_slice(role, 1, role.size)));
    buf_add_cstr(&out, ",\"csrf\":");
    json_write_string(&out, person->csrf);
    buf_printf(&out,
               ",\"version\":\"%s\",\"now\":%lld,\"instance_name\":\"Headrace\",\"permissions\":",
               HEADRACE_VERSION, (long long)loop_wall_ms());
    rights_write(&out, person_role(person), person->rights);
    buf_add_cstr(&out, ",\"token\":");
    if (person->is_token)
        write_token_limits(&out, person);
    else
        buf_add_cstr(&out, "null");
    buf_printf(&out, ",%.*s", STR_ARG(str_slice(json, 1, json.size))); /* "grants", ... } */
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}

void me_get(struct call *call)
{
    struct bind binds[] = { BIND_NUMBER(call->person.user_no), BIND_NUMBER(call->person.role) };
    if (call->person.user_no == 0)
        on_my_grants(call, 0, STR("{\"grants\":[],\"has_password\":false}"), NULL);
    else
        document_read(call->api->options.store, DOCUMENT_auth_my_grants, binds, 2, on_my_grants,
                      call);
}

static void on_my_dag(void *owner, int rc, int32_t rank, const struct err *err)
{
    struct call *call = owner;
    struct buf out = { 0 };
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    buf_add_cstr(&out, "{\"dag_id\":");
    json_write_string(&out, call_param(call, "dag_id"));
    buf_printf(&out, ",\"level\":\"%s\",\"permissions\":", role_name((enum role)rank));
    rights_write(&out, (enum role)rank, call->person.rights);
    buf_add_byte(&out, '}');
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}

void me_dag_get(struct call *call)
{
    struct reader reader = reach_reader(call);
    dag_rank_read(call->api->options.store, &reader, call_param(call, "dag_id"), 0, on_my_dag,
                  call);
}

static void on_my_dags(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct buf out = { 0 };
    const char *before = "{\"permissions\":{";
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    for (enum role role = ROLE_VIEWER; role <= ROLE_ADMIN; role++) {
        buf_printf(&out, "%s\"%s\":", before, role_name(role));
        rights_write(&out, role, call->person.rights);
        before = ",";
    }
    buf_printf(&out, "},%.*s", STR_ARG(str_slice(json, 1, json.size))); /* "dags": {...} } */
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}

void me_dags_get(struct call *call)
{
    const struct person *person = &call->person;
    struct bind binds[] = { BIND_NUMBER(person->user_no), BIND_NUMBER(person->role),
                            BIND_TEXTS(person->dags, person->dag_count) };
    document_read(call->api->options.store, DOCUMENT_auth_my_dags, binds, 3, on_my_dags, call);
}

/* ---- my sessions and my password ---- */

bool call_refuse_token(struct call *call)
{
    bool is_token = call->person.is_token;
    if (is_token)
        call_refuse_reason(call, 403, "token",
                           "A token does not do this: sign in, with a password or in the browser.");
    return is_token;
}

void sessions_get(struct call *call)
{
    struct str hash = auth_secret_hash(call->api->options.auth, call->request);
    struct bind binds[] = { BIND_NUMBER(call->person.user_no), BIND_TEXT(hash),
                            BIND_NUMBER(call->api->options.conf->api_session_idle_ms) };
    call_document(call, DOCUMENT_auth_sessions, binds, 3);
}

void session_end(struct call *call)
{
    int64_t session_no = call_param_int(call, "session_id", 1, INT64_MAX);
    struct audit audit = call_audit(call, "end_session");
    if (!call_refuse_problems(call) && !call_refuse_token(call))
        session_end_one(call->api->options.store, call->person.user_no, session_no, &audit,
                        call_pass_empty, call);
}

static void on_new_password(void *owner, int rc, struct str hash, const struct err *err)
{
    struct call *call = owner;
    struct audit audit = call_audit(call, "set_password");
    if (rc < 0)
        call_fail(call, rc, err);
    else
        user_password_set(call->api->options.store, call->person.name, hash, &audit,
                          call_pass_empty, call);
}

static void on_proved(struct http_request *request, int rc, const struct signed_in *in,
                      int64_t retry_ms, const struct err *err)
{
    struct call *call = request->context;
    (void)in;
    if (rc == ERR_UNAUTHENTICATED)
        call_refuse_reason(call, 403, "password", "the current password is another one");
    else if (rc < 0)
        refuse_sign_in(call, rc, retry_ms, err);
    else
        auth_hash(call->api->options.auth, body_text(call, "password", STR_EMPTY), call,
                  on_new_password);
}

void me_set_password(struct call *call)
{
    struct err err = { 0 };
    struct str current = body_text(call, "current", STR_EMPTY);
    if (auth_check_password(body_text(call, "password", STR_EMPTY), call->person.name, &err) < 0)
        call_problem(call, "body", "password", "value_error", "%s", err.sentence);
    if (!body_has(call, "current"))
        call_problem(call, "body", "current", "missing", "Field required");
    if (call_refuse_problems(call) || call_refuse_token(call))
        return;
    if (call->person.user_no == 0)
        call_refuse(call, 409, "the owner of the home has no password: reset that of an account");
    else
        auth_sign_in(call->api->options.auth, call->request, SIGN_IN_PROVE, call->person.name,
                     current, on_proved);
}
