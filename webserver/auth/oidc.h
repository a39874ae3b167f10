// SPDX-License-Identifier: Apache-2.0
/* oidc - signing in at somebody else's: OpenID Connect's authorization code flow with PKCE.
 *
 * The browser is sent to the provider and comes back with a code, which is worth nothing without
 * the secret that the browser keeps in a cookie meanwhile: state, nonce and verifier are derived
 * from it, so that nothing has to be remembered here and any web server can take up what another
 * began. What the provider publishes is kept for an hour; its keys until one is missing. */
#ifndef HEADRACE_OIDC_H
#define HEADRACE_OIDC_H

#include "common/loop/loop.h"
#include "webserver/auth/right.h"

struct oidc;

struct oidc_options { /* all kept */
    struct str issuer, client_id, client_secret, redirect_url, scopes;
    struct str username_claim, groups_claim;
    const struct str *roles; /* "group=Role" */
    uint32_t role_count;
    enum role default_role; /* of who is in none of these groups; ROLE_NONE: is not let in */
    bool signs_out;         /* signing out here is signing out there */
};

/* Who came back; all texts die with the callback. */
struct oidc_person {
    struct str issuer, subject, name, email;
    enum role role;      /* ROLE_NONE: not let in */
    struct str id_token; /* to sign out with; empty unless that is wanted */
};

/* ERR_INVALID names the setting that does not fit. */
MUST_USE int oidc_open(struct oidc **out, struct loop *loop, const struct oidc_options *options,
                       struct err *err);
void oidc_close(struct oidc *oidc, void (*done)(void *owner), void *owner);

/* Where to send the browser that keeps `secret`. ERR_UNAVAILABLE, ERR_INVALID: the provider. */
void oidc_begin(struct oidc *oidc, struct str secret,
                void (*on_end)(void *owner, int rc, struct str url, const struct err *err),
                void *owner);

/* Whether the browser that keeps `secret` was sent with this state. */
bool oidc_is_state(struct str secret, struct str state);

/* Turns the code into a person. */
void oidc_finish(struct oidc *oidc, struct str secret, struct str code,
                 void (*on_end)(void *owner, int rc, const struct oidc_person *person,
                                const struct err *err),
                 void *owner);

/* Where to send a browser that has signed out here, so that it does there; it comes back to
 * /sign-in. Empty: the provider has no such place. */
void oidc_leave(struct oidc *oidc, struct str id_token,
                void (*on_end)(void *owner, int rc, struct str url, const struct err *err),
                void *owner);

#endif
