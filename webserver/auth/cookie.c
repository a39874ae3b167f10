// SPDX-License-Identifier: Apache-2.0
/* The cookies of sign-in: how they are called and what browsers are told about them. */
#include "webserver/auth/auth_inside.h"

/* A name with __Host- is taken by browsers from TLS alone, for this host alone. */
static const struct {
    const char *over_tls, *in_the_clear, *same_site;
} COOKIES[] = {
    [COOKIE_SESSION] = { "__Host-headrace", "headrace_session", "Strict" },
    /* Lax: it has to come along when the provider sends the browser back. */
    [COOKIE_OIDC] = { "__Host-headrace_oidc", "headrace_oidc", "Lax" },
};

const char *auth_cookie_name(const struct auth *auth, enum cookie cookie)
{
    return auth->options.is_tls ? COOKIES[cookie].over_tls : COOKIES[cookie].in_the_clear;
}

const char *auth_session_cookie(const struct auth *auth)
{
    return auth_cookie_name(auth, COOKIE_SESSION);
}

void auth_set_cookie(const struct auth *auth, struct http_request *request, enum cookie cookie,
                     struct str value, int64_t life_s)
{
    http_set_header(request, "Set-Cookie",
                    str_format(&request->arena,
                               "%s=%.*s; Path=/; HttpOnly; SameSite=%s; Max-Age=%lld%s",
                               auth_cookie_name(auth, cookie), STR_ARG(value),
                               COOKIES[cookie].same_site, (long long)life_s,
                               auth->options.is_tls ? "; Secure" : ""));
}
