// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/denials.h"

void denials_init(struct denials *denials)
{
    *denials = (struct denials) { 0 };
    throttle_init(&denials->throttle, DENIALS_AT_ONCE, DENIALS_EVERY_MS);
}

void denials_clear(struct denials *denials)
{
    throttle_clear(&denials->throttle);
    map_clear(&denials->left_out);
}

/* Only persons with an account come here: that bounds the map. */
bool denials_take(struct denials *denials, struct str person, int64_t now_ms,
                  uint64_t *out_left_out)
{
    uint64_t count = 0;
    (void)map_get_str(&denials->left_out, person, &count);
    if (throttle_take(&denials->throttle, person, now_ms) > 0) {
        map_put_str(&denials->left_out, person, count + 1);
        return false;
    }
    (void)map_remove_str(&denials->left_out, person);
    *out_left_out = count;
    return true;
}
