// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/throttle.h"

void throttle_init(struct throttle *throttle, double burst, int64_t every_ms)
{
    *throttle = (struct throttle) { .burst = burst, .per_ms = 1.0 / (double)every_ms };
}

static void clear(struct throttle_buckets *buckets)
{
    map_clear(&buckets->index);
    VEC_CLEAR(&buckets->all);
}

void throttle_clear(struct throttle *throttle)
{
    clear(&throttle->young);
    clear(&throttle->old);
}

static struct throttle_bucket *find(struct throttle_buckets *buckets, struct str key)
{
    uint64_t index;
    return map_get_str(&buckets->index, key, &index) ? &buckets->all.items[index] : NULL;
}

static struct throttle_bucket *find_any(struct throttle *throttle, struct str key)
{
    struct throttle_bucket *bucket = find(&throttle->young, key);
    return bucket != NULL ? bucket : find(&throttle->old, key);
}

/* Half of the keys are young at most: then they are the old ones, and those go. */
static void change_generations(struct throttle *throttle)
{
    clear(&throttle->old);
    throttle->old = throttle->young;
    throttle->young = (struct throttle_buckets) { 0 };
}

/* Asked for, a bucket is young again. */
static struct throttle_bucket *bucket_of(struct throttle *throttle, struct str key, int64_t now_ms)
{
    struct throttle_buckets *young = &throttle->young;
    struct throttle_bucket *known = find(young, key);
    if (known != NULL)
        return known;
    known = find(&throttle->old, key);
    struct throttle_bucket bucket = { throttle->burst, now_ms };
    if (known != NULL)
        bucket = *known;
    if (young->all.count >= THROTTLE_KEYS_MAX / 2)
        change_generations(throttle);
    map_put_str(&young->index, key, young->all.count);
    VEC_ADD(&young->all, bucket);
    return &VEC_LAST(&young->all);
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
    struct throttle_bucket *bucket = find_any(throttle, key);
    if (bucket != NULL)
        bucket->tokens += 1;
}
