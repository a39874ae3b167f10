// SPDX-License-Identifier: Apache-2.0
/* auth_inside - the parts of auth: auth.c says who asks, sign_in.c takes passwords, external.c
 * those who come back from a provider, cookie.c says what browsers keep. For these alone. */
#ifndef HEADRACE_AUTH_INSIDE_H
#define HEADRACE_AUTH_INSIDE_H

#include "common/store/owner.h"
#include "webserver/auth/auth.h"
#include "webserver/auth/hasher.h"
#include "webserver/auth/throttle.h"
#include "webserver/http/http_address.h"

struct auth {
    struct loop *loop;
    struct auth_options options;
    uint8_t owner_hash[STORE_TOKEN_HASH_SIZE];
    char dummy_hash[STORE_PASSWORD_HASH_SIZE]; /* for accounts that are not there */
    struct throttle accounts, addresses;
    struct hasher hasher;
    struct oidc *oidc; /* NULL: not configured */
    int open_parts;
    void (*done)(void *owner);
    void *done_owner;
};

/* Somebody who is signing in; lives in the request's arena. */
struct signing {
    struct auth *auth;
    struct http_request *request;
    enum sign_in how;
    struct str name, password;
    int32_t user_no;
    struct signed_in in;
    char token[STORE_TOKEN_SIZE], csrf[STORE_TOKEN_SIZE];
    struct str id_token; /* of who came back from a provider */
    void (*on_end)(struct http_request *request, int rc, const struct signed_in *in,
                   int64_t retry_ms, const struct err *err);
    void (*then)(struct signing *signing, int rc, const struct err *err); /* instead, when set */
};

/* A session or token for signing->user_no, and the cookie of a session; then on_end. */
void auth_open_session(struct signing *signing);

/* On record and in the log. */
void auth_record_refusal(const struct signing *signing, const char *why);

/* How long this address has to wait; 0: not at all. */
int64_t auth_throttle(struct auth *auth, struct http_request *request, struct err *err);

/* ---- cookie.c ---- */

enum cookie { COOKIE_SESSION, COOKIE_OIDC };

const char *auth_cookie_name(const struct auth *auth, enum cookie cookie);

/* life_s 0: takes it back. */
void auth_set_cookie(const struct auth *auth, struct http_request *request, enum cookie cookie,
                     struct str value, int64_t life_s);

#endif
