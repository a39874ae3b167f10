// SPDX-License-Identifier: Apache-2.0
/* jwt - a signed token of somebody else (RFC 7515, 7519), checked with their keys (RFC 7517).
 *
 * RS256 and ES256 alone, and only by a key of that kind: "none" and signatures by a shared secret
 * are no signatures of a provider. Pure computation; whose token it is and until when is the
 * caller's to check. */
#ifndef HEADRACE_JWT_H
#define HEADRACE_JWT_H

#include "common/text/value.h"

/* `keys`: {"keys": [...]}. ERR_NOT_FOUND: none of the keys is the one that is named: they may have
 * been changed; ERR_INVALID: anything else. *out_claims lives in `arena`. */
MUST_USE int jwt_verify(struct arena *arena, struct str token, const struct value *keys,
                        const struct value **out_claims, struct err *err);

#endif
