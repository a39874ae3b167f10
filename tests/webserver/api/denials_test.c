// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/denials.h"

#include "tests/support/test.h"

static bool take(struct denials *denials, const char *person, int64_t now_ms, uint64_t wanted)
{
    uint64_t left_out = 0;
    bool is_recorded = denials_take(denials, str_of(person), now_ms, &left_out);
    assert_int_equal(left_out, wanted);
    return is_recorded;
}

static void who_keeps_asking_is_recorded_now_and_then_with_the_count_of_the_others(void **state)
{
    (void)state;
    struct denials denials;
    denials_init(&denials);
    for (int i = 0; i < DENIALS_AT_ONCE; i++)
        assert_true(take(&denials, "ada", 0, 0));
    for (int i = 0; i < 1000; i++)
        assert_false(take(&denials, "ada", 0, 0));
    assert_true(take(&denials, "bob", 0, 0)); /* each has their own */
    assert_true(take(&denials, "ada", DENIALS_EVERY_MS + 100, 1000));
    assert_false(take(&denials, "ada", DENIALS_EVERY_MS + 100, 0));
    assert_true(take(&denials, "ada", 2 * DENIALS_EVERY_MS + 200, 1));
    denials_clear(&denials);
}

TESTS(CASE(who_keeps_asking_is_recorded_now_and_then_with_the_count_of_the_others))
