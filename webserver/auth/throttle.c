// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/throttle.h"

void throttle_init(struct throttle *throttle, double burst, int64_t every_ms)
{
    *throttle = (struct throttle) { .burst = burst, .per_ms = 1.0 / (double)every_ms };
}

void throttle_clear(struct throttle *throttle)
{
    map_clear(&throttle->index);
    VEC_CLEAR(&throttle->buckets);
}

static struct throttle_bucket *bucket_of(struct throttle *throttle, struct str key, int64_t now_ms)
{
    uint64_t index;
    if (map_get_str(&throttle->index, key, &index))
        return &throttle->buckets.items[index];
    if (throttle->buckets.count >= THROTTLE_KEYS_MAX)
        throttle_clear(throttle);
    map_put_str(&throttle->index, key, throttle->buckets.count);
    VEC_ADD(&throttle->buckets, (struct throttle_bucket) { throttle->burst, now_ms });
    return &VEC_LAST(&throttle->buckets);
}

int64_t throttle_take(struct throttle *throttle, struct str key, int64_t now_ms)
{
    struct throttle_bucket *bucket = bucket_of(throttle, key, now_ms);
    bucket->tokens += (double)(now_ms - bucket->at_ms) * throttle->per_ms;
    bucket->at_ms = now_ms;
    if (bucket->tokens > throttle->burst)
        bucket->tokens = throttle->burst;
    if (bucket->tokens < 1)
        return (int64_t)((1 - bucket->tokens) / throttle->per_ms) + 1;
    bucket->tokens -= 1;
    return 0;
}

void throttle_return(struct throttle *throttle, struct str key)
{
    uint64_t index;
    if (map_get_str(&throttle->index, key, &index))
        throttle->buckets.items[index].tokens += 1;
}
