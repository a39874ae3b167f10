// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/throttle.h"

#include "tests/support/test.h"

static void a_burst_is_free_then_tries_come_back_one_by_one(void **state)
{
    (void)state;
    struct throttle throttle;
    throttle_init(&throttle, 3, 1000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(throttle_take(&throttle, STR("ada"), 0), 0);
    int64_t wait_ms = throttle_take(&throttle, STR("ada"), 0);
    assert_true(wait_ms > 900 && wait_ms <= 1001);
    assert_int_equal(throttle_take(&throttle, STR("bob"), 0), 0); /* each key has its own */
    assert_true(throttle_take(&throttle, STR("ada"), 500) > 0);
    assert_int_equal(throttle_take(&throttle, STR("ada"), 1100), 0);
    assert_true(throttle_take(&throttle, STR("ada"), 1100) > 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(throttle_take(&throttle, STR("ada"), 1000000),
                         0); /* no more than the burst */
    assert_true(throttle_take(&throttle, STR("ada"), 1000000) > 0);
    throttle_return(&throttle, STR("ada"));
    assert_int_equal(throttle_take(&throttle, STR("ada"), 1000000), 0);
    throttle_clear(&throttle);
}

static void many_keys_do_not_fill_the_memory(void **state)
{
    (void)state;
    struct throttle throttle;
    throttle_init(&throttle, 1, 1000);
    for (int i = 0; i < 3 * THROTTLE_KEYS_MAX; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(throttle_take(&throttle, str_of(key), 0), 0);
    }
    assert_true(throttle.young.all.count + throttle.old.all.count <= THROTTLE_KEYS_MAX);
    throttle_clear(&throttle);
}

static void a_flood_of_other_keys_does_not_free_who_is_being_guessed_at(void **state)
{
    (void)state;
    struct throttle throttle;
    throttle_init(&throttle, 1, 1000);
    assert_int_equal(throttle_take(&throttle, STR("ada"), 0), 0);
    for (int i = 0; i < 3 * THROTTLE_KEYS_MAX; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        (void)throttle_take(&throttle, str_of(key), 0);
        if (i % 1000 == 0)
            assert_true(throttle_take(&throttle, STR("ada"), 0) > 0);
    }
    throttle_return(&throttle, STR("ada"));
    assert_int_equal(throttle_take(&throttle, STR("ada"), 0), 0);
    throttle_clear(&throttle);
}

TESTS(CASE(a_burst_is_free_then_tries_come_back_one_by_one), CASE(many_keys_do_not_fill_the_memory),
      CASE(a_flood_of_other_keys_does_not_free_who_is_being_guessed_at))
