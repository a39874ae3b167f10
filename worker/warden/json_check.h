// SPDX-License-Identifier: Apache-2.0
/* json_check - says whether a text is one JSON value as common/text reads it (no duplicate keys,
 * numbers of 64 bits, no NUL, at most JSON_CHECK_DEPTH deep), without building it. The warden links
 * no JSON library. */
#ifndef HEADRACE_JSON_CHECK_H
#define HEADRACE_JSON_CHECK_H

#include "common/base/buf.h"

enum { JSON_CHECK_DEPTH = 64 };

bool json_check(struct str text);

/* Appends `text` as a JSON string with its quotes; what is not UTF-8, and NUL, become U+FFFD. */
void json_quote(struct buf *out, struct str text);

#endif
