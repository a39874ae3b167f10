// SPDX-License-Identifier: Apache-2.0
/* oidc_claims - what a provider says of somebody: whether its ID token is meant for us, now and for
 * this sign-in, and who that makes them here. For oidc.c; computation alone. */
#ifndef HEADRACE_OIDC_CLAIMS_H
#define HEADRACE_OIDC_CLAIMS_H

#include "common/text/value.h"
#include "webserver/auth/oidc.h"

/* OpenID Connect Core, 3.1.3.7 and 3.1.3.8, but for the signature (jwt.h). ERR_INVALID names the
 * claim that does not fit. */
MUST_USE int oidc_check_claims(const struct oidc_options *options, const struct value *claims,
                               struct str nonce, struct str access_token, int64_t now_s,
                               struct err *err);

/* Whether something that a person is made of is to be asked for at the userinfo endpoint. */
bool oidc_lacks_claims(const struct oidc_options *options, const struct value *claims);
/* Whether nobody can be let in without it: what decides about a role. */
bool oidc_lacks_groups(const struct oidc_options *options, const struct value *claims);

/* The ID token's claims and, where it has none of that name, those of userinfo. ERR_INVALID: they
 * are of somebody else. *out lives in `arena` and borrows from both. */
MUST_USE int oidc_join_claims(struct arena *arena, const struct value *claims,
                              const struct value *userinfo, const struct value **out,
                              struct err *err);

/* Borrows from claims and options. */
void oidc_read_person(const struct oidc_options *options, const struct value *claims,
                      struct oidc_person *out);

/* "admins=Admin" -> the group, and its role. ERR_INVALID. */
MUST_USE int oidc_read_rule(struct str rule, struct str *out_group, enum role *out_role);

#endif
