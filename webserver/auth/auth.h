// SPDX-License-Identifier: Apache-2.0
/* auth - who asks: browser sessions (a cookie), API tokens (Authorization: Bearer) and the token of
 * the home's owner.
 *
 * Secrets are 256 random bits; the database knows their SHA-256. Passwords are checked off the
 * loop, two at a time, with a short queue and a throttle for each account and each address; an
 * unknown account takes as long as a known one. */
#ifndef HEADRACE_AUTH_H
#define HEADRACE_AUTH_H

#include "common/store/store.h"
#include "webserver/auth/oidc.h"
#include "webserver/http/http_request.h"

struct auth;

struct auth_options {
    struct store *store; /* kept */
    const char *home;    /* where cli-token is read, or made */
    bool is_tls;         /* so browsers see it: cookies are Secure */
    int64_t session_lifetime_ms, session_idle_ms, sessions_max;
    int64_t cli_lifetime_ms;         /* of POST /auth/token/cli */
    const struct oidc_options *oidc; /* NULL: nobody signs in elsewhere; read while opening */
};

/* Makes $HEADRACE_HOME/cli-token (0600) when there is none. */
MUST_USE int auth_open(struct auth **out, struct loop *loop, const struct auth_options *options,
                       struct err *err);
/* Password checks under way are waited for. */
void auth_close(struct auth *auth, void (*done)(void *owner), void *owner);

/* What a personal token begins with: for scanners of secrets. */
#define AUTH_TOKEN_PREFIX "headrace_pat_"

struct person {
    int32_t user_no; /* 0: the owner of the home */
    struct str name; /* in the request's arena */
    enum role role;  /* of the account */
    bool is_browser, is_token;
    struct str csrf;
    /* Of a personal token: what it is held to. */
    rights_set rights;
    const struct str *dags; /* none: all */
    uint32_t dag_count;
};

/* Their role where no DAG is spoken of: a token that is held to DAGs is nobody elsewhere. */
enum role person_role(const struct person *person);

/* The one place that says yes or no. `role` is what they are there: person_role, or their rank on
 * the DAG that was found (common/store/access_store.h). */
bool person_may(const struct person *person, enum role role, enum right right);

/* on_end: ERR_UNAUTHENTICATED when nobody can be made of it, ERR_DB_CONNECTION, ... `request` may
 * have lost its client meanwhile; it still is to be answered. */
void auth_check(struct auth *auth, struct http_request *request,
                void (*on_end)(struct http_request *request, int rc, const struct person *person,
                               const struct err *err));

/* Of the secret that came along, in hexadecimal: what the database knows it by. */
struct str auth_secret_hash(const struct auth *auth, struct http_request *request);

/* What the cookie of a session is called here. */
const char *auth_session_cookie(const struct auth *auth);

/* For a method that changes something, with a cookie: ERR_FORBIDDEN unless the token of the session
 * came along, from our own pages. */
MUST_USE int auth_check_csrf(const struct http_request *request, const struct person *person,
                             struct err *err);

/* SIGN_IN_PROVE: says whether the password is right, and opens nothing. */
enum sign_in { SIGN_IN_BROWSER, SIGN_IN_TOKEN, SIGN_IN_CLI, SIGN_IN_PROVE };

struct signed_in {
    struct str token; /* of SIGN_IN_TOKEN and CLI; lives as long as the request */
    struct str name;
    enum role role;
};

/* Borrows the texts (copies). With SIGN_IN_BROWSER the cookie is set on `request`.
 * ERR_UNAUTHENTICATED: wrong; ERR_TOO_MANY: *out_retry_ms says when. */
void auth_sign_in(struct auth *auth, struct http_request *request, enum sign_in how,
                  struct str name, struct str password,
                  void (*on_end)(struct http_request *request, int rc, const struct signed_in *in,
                                 int64_t retry_ms, const struct err *err));

/* Ends the session or token that the request came with, and takes the cookie back. `url`: where the
 * browser goes to sign out at its provider, too; empty: nowhere. */
void auth_sign_out(struct auth *auth, struct http_request *request, const struct person *person,
                   void (*on_end)(struct http_request *request, int rc, struct str url,
                                  const struct err *err));

/* ---- at a provider: oidc.h ---- */

bool auth_has_oidc(const struct auth *auth);

/* Where to send the browser, which gets a cookie to come back with; `next` is a path of ours, to go
 * on to then. */
void auth_oidc_start(struct auth *auth, struct http_request *request, struct str next,
                     void (*on_end)(struct http_request *request, int rc, struct str url,
                                    const struct err *err));

/* It came back: the account is found or made, and a session opened. ERR_UNAUTHENTICATED: it was not
 * sent from here; ERR_FORBIDDEN: nobody of ours; ERR_EXISTS: the name belongs to another account.
 */
void auth_oidc_end(struct auth *auth, struct http_request *request, struct str state,
                   struct str code,
                   void (*on_end)(struct http_request *request, int rc, struct str next,
                                  const struct err *err));

/* ---- passwords of accounts ---- */

/* 1 to 100 letters, no blanks, none of /\"'<>,; */
bool auth_name_is_good(struct str name);

/* Off the loop, as sign-in does. `hash` dies when on_end returns. ERR_TOO_MANY when the queue is
 * full. */
void auth_hash(struct auth *auth, struct str password, void *owner,
               void (*on_end)(void *owner, int rc, struct str hash, const struct err *err));

/* password.c: 12 letters at least, 1024 bytes at most, and not put together of what is tried first:
 * `name`, whose it is, is some of that. ERR_UNPROCESSABLE. */
MUST_USE int auth_check_password(struct str password, struct str name, struct err *err);

#endif
