// SPDX-License-Identifier: Apache-2.0
/* Signing in at a provider: what the browser keeps meanwhile, and the account of who comes back. */
#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/store/user_store.h"
#include "common/text/base64.h"
#include "webserver/auth/auth_inside.h"

enum { COOKIE_LIFE_S = 600, NEXT_MAX = 1000 };

/* ---- there ---- */

struct going {
    struct http_request *request;
    void (*on_end)(struct http_request *request, int rc, struct str url, const struct err *err);
};

static void on_url(void *owner, int rc, struct str url, const struct err *err)
{
    const struct going *going = owner;
    if (rc < 0)
        log_warn("oidc_failed", LOG_STR("why", err->sentence));
    going->on_end(going->request, rc, url, err);
}

bool auth_has_oidc(const struct auth *auth)
{
    return auth->oidc != NULL;
}

void auth_oidc_start(struct auth *auth, struct http_request *request, struct str next,
                     void (*on_end)(struct http_request *request, int rc, struct str url,
                                    const struct err *err))
{
    char secret[STORE_TOKEN_SIZE];
    ASSERT(auth->oidc != NULL);
    struct going *going = ARENA_NEW(&request->arena, struct going);
    *going = (struct going) { request, on_end };
    store_token_make(secret);
    struct str place = base64url_encode(&request->arena, str_cut(next, NEXT_MAX));
    auth_set_cookie(auth, request, COOKIE_OIDC,
                    str_format(&request->arena, "%s.%.*s", secret, STR_ARG(place)), COOKIE_LIFE_S);
    oidc_begin(auth->oidc, str_of(secret), on_url, going);
}

/* ---- and back ---- */

struct coming {
    struct signing signing; /* first */
    struct str next;
    void (*on_end)(struct http_request *request, int rc, struct str next, const struct err *err);
};

static void refuse_coming(struct coming *coming, int rc, const struct err *err)
{
    auth_record_refusal(&coming->signing, err->sentence);
    coming->on_end(coming->signing.request, rc, coming->next, err);
}

static void on_open(struct signing *signing, int rc, const struct err *err)
{
    struct coming *coming = (struct coming *)signing;
    if (rc == 0)
        throttle_return(&signing->auth->addresses, http_client_key(signing->request));
    coming->on_end(signing->request, rc, coming->next, err);
}

static void on_account(void *owner, int rc, const struct user_row *user, const struct err *err)
{
    struct coming *coming = owner;
    struct err refusal = { 0 };
    if (rc == ERR_NOT_FOUND)
        rc =
            err_set(&refusal, ERR_EXISTS, "there is an account of this name, and it is not theirs");
    else if (rc == 0 && (!user->is_active || role_parse(user->role, &coming->signing.in.role) < 0))
        rc = err_set(&refusal, ERR_FORBIDDEN, "the account is disabled");
    if (rc < 0) {
        refuse_coming(coming, rc, refusal.code < 0 ? &refusal : err);
        return;
    }
    coming->signing.user_no = user->user_no;
    coming->signing.name = str_copy(&coming->signing.request->arena, user->name);
    auth_open_session(&coming->signing);
}

static void on_person(void *owner, int rc, const struct oidc_person *person, const struct err *err)
{
    struct coming *coming = owner;
    struct auth *auth = coming->signing.auth;
    struct err refusal = { 0 };
    if (rc == 0) {
        coming->signing.name = str_copy(&coming->signing.request->arena, person->name);
        coming->signing.id_token = str_copy(&coming->signing.request->arena, person->id_token);
    }
    if (rc == 0 && !auth_name_is_good(person->name))
        rc = err_set(&refusal, ERR_INVALID,
                     "the name that the provider gives is none for an account");
    else if (rc == 0 && person->role == ROLE_NONE)
        rc = err_set(&refusal, ERR_FORBIDDEN, "none of their groups is let in");
    if (rc < 0) {
        refuse_coming(coming, rc, refusal.code < 0 ? &refusal : err);
        return;
    }
    struct external_user user = { person->issuer, person->subject, person->name,
                                  str_of(role_name(person->role)), person->email };
    user_external(auth->options.store, &user, on_account, coming);
}

/* "secret.next" of the cookie. */
static struct str read_cookie(const struct auth *auth, struct http_request *request,
                              struct str *out_next)
{
    struct str rest = http_cookie(request, auth_cookie_name(auth, COOKIE_OIDC));
    struct str secret = STR_EMPTY;
    *out_next = STR("/");
    if (rest.bytes == NULL || !str_split(&rest, '.', &secret))
        return STR_EMPTY;
    if (rest.bytes != NULL && base64url_decode(&request->arena, rest, out_next) < 0)
        *out_next = STR("/");
    return secret;
}

void auth_oidc_end(struct auth *auth, struct http_request *request, struct str state,
                   struct str code,
                   void (*on_end)(struct http_request *request, int rc, struct str next,
                                  const struct err *err))
{
    struct err err = { 0 };
    struct coming *coming = ARENA_NEW(&request->arena, struct coming);
    *coming = (struct coming) {
        .signing = { .auth = auth,
                     .request = request,
                     .how = SIGN_IN_BROWSER,
                     .name = STR("somebody of the provider"),
                     .password = STR_EMPTY,
                     .then = on_open },
        .on_end = on_end,
    };
    ASSERT(auth->oidc != NULL);
    struct str secret = read_cookie(auth, request, &coming->next);
    auth_set_cookie(auth, request, COOKIE_OIDC, STR_EMPTY, 0);
    if (auth_throttle(auth, request, &err) > 0)
        on_end(request, err.code, coming->next, &err);
    else if (!oidc_is_state(secret, state))
        refuse_coming(coming, err_set(&err, ERR_UNAUTHENTICATED, "this browser was not sent there"),
                      &err);
    else if (code.size == 0)
        refuse_coming(coming, err_set(&err, ERR_UNAUTHENTICATED, "the provider gave no code"),
                      &err);
    else
        oidc_finish(auth->oidc, secret, code, on_person, coming);
}
