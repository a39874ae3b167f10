// SPDX-License-Identifier: Apache-2.0
/* denials - which refusals go on record. Rows of the audit log are written one after the other and
 * kept for ever: who keeps asking for what they may not have writes a few, and their count. */
#ifndef HEADRACE_DENIALS_H
#define HEADRACE_DENIALS_H

#include "webserver/auth/throttle.h"

enum { DENIALS_AT_ONCE = 20, DENIALS_EVERY_MS = 10000 };

struct denials {
    struct throttle throttle;
    struct map left_out; /* person -> how many since their last row */
};

void denials_init(struct denials *denials);
void denials_clear(struct denials *denials);

/* Whether this one of `person` is recorded: then *out_left_out says how many before it were not. */
bool denials_take(struct denials *denials, struct str person, int64_t now_ms,
                  uint64_t *out_left_out);

#endif
