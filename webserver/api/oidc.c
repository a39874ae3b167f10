// SPDX-License-Identifier: Apache-2.0
/* Signing in at a provider: the browser is sent there and comes back. */
#include "common/text/json.h"
#include "webserver/api/handlers.h"

void sign_in_methods(struct call *call)
{
    struct value *answer = value_map(call->arena), *oidc = value_map(call->arena);
    struct str label = call->api->options.conf->oidc_label;
    value_put(call->arena, oidc, STR("label"), value_string(call->arena, label));
    value_put(call->arena, oidc, STR("url"), value_string(call->arena, STR("/auth/oidc/login")));
    value_put(call->arena, answer, STR("password"), value_bool(call->arena, true));
    value_put(call->arena, answer, STR("oidc"),
              auth_has_oidc(call->api->options.auth) ? oidc : value_null(call->arena));
    call_json(call, 200, json_text(call->arena, answer));
}

static void redirect(struct call *call, struct str where)
{
    http_set_header(call->request, "Location", where);
    call_empty(call, 303);
}

/* The page knows these words; what happened exactly is in the log. */
static void redirect_to_problem(struct call *call, int rc)
{
    static const struct {
        int rc;
        const char *word;
    } WORDS[] = {
        { ERR_UNAUTHENTICATED, "lost" },
        { ERR_FORBIDDEN, "refused" },
        { ERR_EXISTS, "name_taken" },
        { ERR_TOO_MANY, "too_many" },
    };
    const char *word = "provider";
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (WORDS[i].rc == rc)
            word = WORDS[i].word;
    redirect(call, str_format(call->arena, "/sign-in?problem=%s", word));
}

static bool refuse_unconfigured(struct call *call)
{
    bool has_oidc = auth_has_oidc(call->api->options.auth);
    if (!has_oidc)
        call_refuse(call, 404, "no provider is configured: oidc.issuer");
    return !has_oidc;
}

static void on_url(struct http_request *request, int rc, struct str url, const struct err *err)
{
    (void)err;
    if (rc < 0)
        redirect_to_problem(request->context, rc);
    else
        redirect(request->context, url);
}

void oidc_start(struct call *call)
{
    struct str next = call_query(call, "next", STR("/"));
    if (!refuse_unconfigured(call))
        auth_oidc_start(call->api->options.auth, call->request,
                        call_is_local_path(next) ? next : STR("/"), on_url);
}

static void on_back(struct http_request *request, int rc, struct str next, const struct err *err)
{
    (void)err;
    if (rc < 0)
        redirect_to_problem(request->context, rc);
    else
        redirect(request->context, call_is_local_path(next) ? next : STR("/"));
}

void oidc_callback(struct call *call)
{
    struct str issuer = call_query(call, "iss", call->api->options.conf->oidc_issuer);
    bool is_theirs = str_eq(issuer, call->api->options.conf->oidc_issuer); /* RFC 9207 */
    if (!refuse_unconfigured(call))
        auth_oidc_end(call->api->options.auth, call->request,
                      is_theirs ? call_query(call, "state", STR_EMPTY) : STR_EMPTY,
                      call_query(call, "code", STR_EMPTY), on_back);
}
