// SPDX-License-Identifier: Apache-2.0
/* Grants on DAGs, and the check of the audit log. */
#include "webserver/api/access.h"

#include "common/store/access_store.h"
#include "common/text/json.h"
#include "webserver/api/handlers.h"

enum { PATTERN_MAX = 250, VERIFIED_MAX = 20000 };

static bool is_id(struct str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.bytes[i];
        bool is_word = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z');
        if (!is_word && (byte == 0 || strchr("_-.", byte) == NULL))
            return false;
    }
    return text.size > 0;
}

static bool pattern_is_good(struct str pattern)
{
    if (pattern.size > PATTERN_MAX || !str_is_utf8(pattern))
        return false;
    if (str_is(pattern, "*"))
        return true;
    if (str_starts(pattern, "tag:"))
        return pattern.size > 4;
    if (!str_ends(pattern, "*"))
        return is_id(pattern);
    struct str stem = str_slice(pattern, 0, pattern.size - 1);
    return is_id(stem) && strchr("_-.", stem.bytes[stem.size - 1]) != NULL;
}

void access_check_dags(struct call *call, struct str pattern)
{
    if (!pattern_is_good(pattern))
        call_problem(call, "body", "dags", "value_error",
                     "'%.*s' is none of: the id of a DAG; the beginning of ids up to a '.', '_' or "
                     "'-', and a star; tag:NAME; a star for all",
                     STR_ARG(str_cut(pattern, PATTERN_MAX)));
}

struct audit access_audit(struct call *call, const char *event, struct str user)
{
    struct audit audit = call_audit(call, event);
    audit.detail = str_format(call->arena, "{\"username\":%.*s,\"request\":%.*s}",
                              STR_ARG(json_text(call->arena, value_string(call->arena, user))),
                              STR_ARG(call_body_text(call)));
    return audit;
}

/* ---- grants ---- */

void grants_get(struct call *call)
{
    struct bind binds[] = { BIND_TEXT(STR_EMPTY), BIND_TEXT(STR_EMPTY), BIND_TEXT(STR_EMPTY) };
    call_document(call, DOCUMENT_auth_grants, binds, 3);
}

static void on_granted(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    const struct new_grant *grant = call->state;
    struct bind binds[] = { BIND_TEXT(grant->user), BIND_TEXT(grant->role),
                            BIND_TEXT(grant->dags) };
    if (rc < 0)
        call_fail(call, rc, err);
    else
        document_read(call->api->options.store, DOCUMENT_auth_grants, binds, 3, call_pass_created,
                      call);
}

/* The word of a role from Public or Viewer to Op; Admin is everywhere anyway. */
static struct str role_word(struct call *call, const char *field, struct str word, enum role least)
{
    enum role role;
    if (role_parse(word, &role) == 0 && role >= least && role <= ROLE_OP)
        return str_of(role_name(role));
    call_problem(call, "body", field, "enum", "Input should be %s'Viewer', 'User' or 'Op'",
                 least == ROLE_PUBLIC ? "'Public', " : "");
    return word;
}

void grant_create(struct call *call)
{
    struct new_grant *grant = ARENA_NEW(call->arena, struct new_grant);
    *grant = (struct new_grant) { .made_by = call->person.name };
    grant->user = body_text(call, "username", STR_EMPTY);
    grant->role = body_text(call, "role", STR_EMPTY);
    grant->dags = body_text(call, "dags", STR_EMPTY);
    grant->level = role_word(call, "level", body_text(call, "level", STR_EMPTY), ROLE_VIEWER);
    if ((grant->user.size > 0) == (grant->role.size > 0))
        call_problem(call, "body", "username", "value_error",
                     "a grant is for a username or for a role, one of the two");
    else if (grant->role.size > 0)
        grant->role = role_word(call, "role", grant->role, ROLE_PUBLIC);
    access_check_dags(call, grant->dags);
    if (call_refuse_problems(call))
        return;
    struct audit audit = access_audit(call, "create_grant", grant->user);
    call->state = grant;
    grant_put(call->api->options.store, grant, &audit, on_granted, call);
}

void grant_remove(struct call *call)
{
    int64_t grant_no = call_param_int(call, "grant_id", 1, INT32_MAX);
    struct audit audit = call_audit(call, "delete_grant");
    audit.detail = str_format(call->arena, "{\"grant\":%lld}", (long long)grant_no);
    if (!call_refuse_problems(call))
        grant_delete(call->api->options.store, (int32_t)grant_no, &audit, call_pass_empty, call);
}

/* ---- the audit log ---- */

/* A part of the log an answer, so that no statement takes as long as the log is. */
void audit_verify(struct call *call)
{
    struct str hash = call_query(call, "hash", STR_EMPTY);
    int64_t audit_no = call_query_int(call, "id", 1, INT64_MAX, 0);
    if ((audit_no > 0) != (hash.size > 0))
        call_problem(call, "query", "hash", "missing", "id and hash are given both, or neither");
    call_document(call, DOCUMENT_audit_verify,
                  (struct bind[]) {
                      BIND_NUMBER(audit_no), BIND_TEXT(hash),
                      BIND_NUMBER(call_query_int(call, "from", 1, INT64_MAX, 0)),
                      BIND_NUMBER(call_query_int(call, "limit", 1, VERIFIED_MAX, VERIFIED_MAX)) },
                  4);
}
