// SPDX-License-Identifier: Apache-2.0
/* throttle - how often something may be tried under a key (an account, an address): a bucket of
 * tokens that fills again. */
#ifndef HEADRACE_THROTTLE_H
#define HEADRACE_THROTTLE_H

#include "common/base/map.h"
#include "common/base/vec.h"

struct throttle_bucket {
    double tokens;
    int64_t at_ms;
};

struct throttle_buckets {
    struct map index; /* key -> bucket */
    VEC(struct throttle_bucket) all;
};

struct throttle {
    double burst;                       /* tries at once */
    double per_ms;                      /* tokens that come back */
    struct throttle_buckets young, old; /* asked for since the last change of generations; before */
};

enum { THROTTLE_KEYS_MAX = 10000 };

/* `burst` tries, then one each `every_ms`. */
void throttle_init(struct throttle *throttle, double burst, int64_t every_ms);
void throttle_clear(struct throttle *throttle);

/* Takes a try. 0, or after how many ms there is one. Memory is bounded: of more than
 * THROTTLE_KEYS_MAX keys those are forgotten that were asked for longest ago, so that a flood of
 * new ones does not free who is being guessed at. */
int64_t throttle_take(struct throttle *throttle, struct str key, int64_t now_ms);

/* It was a good one: gives the token back. */
void throttle_return(struct throttle *throttle, struct str key);

#endif
