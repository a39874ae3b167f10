// SPDX-License-Identifier: Apache-2.0
/* base64 - RFC 4648: the standard alphabet with padding, and the URL-safe one without. Decoding is
 * strict: no blanks, exact padding, unused bits zero, so that every text has one meaning. */
#ifndef HEADRACE_BASE64_H
#define HEADRACE_BASE64_H

#include "common/base/str.h"

struct str base64_encode(struct arena *arena, struct str bytes);
struct str base64url_encode(struct arena *arena, struct str bytes);
MUST_USE int base64_decode(struct arena *arena, struct str text, struct str *out);
MUST_USE int base64url_decode(struct arena *arena, struct str text, struct str *out);

#endif
