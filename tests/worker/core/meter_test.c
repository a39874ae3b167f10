// SPDX-License-Identifier: Apache-2.0
#include "worker/core/meter.h"

#include "tests/support/test.h"

/* Two processors for ten seconds, half of the time busy; a quarter of 8 GiB in use. */
static const struct meter_look before = { .at_ms = 1000, .busy_ms = 500, .idle_ms = 500 };
static const struct meter_look now = { .at_ms = 11000,
                                       .cpu_count = 2,
                                       .busy_ms = 10500,
                                       .idle_ms = 10500,
                                       .memory_total_bytes = 8LL << 30,
                                       .memory_available_bytes = 6LL << 30 };

static void a_load_is_what_happened_between_two_looks(void **state)
{
    (void)state;
    struct machine_load load = { 0 };
    assert_true(meter_load(&before, &now, &load));
    assert_int_equal(load.cpu_permille, 500);
    assert_true(load.memory_used_bytes == 2LL << 30);
    assert_true(load.memory_total_bytes == 8LL << 30);
}

static void what_the_control_group_grants_is_the_whole(void **state)
{
    (void)state;
    struct machine_load load = { 0 };
    struct meter_look first = before, second = now;
    first.group.cpu_max_milli = second.group.cpu_max_milli = 500; /* half a processor */
    second.group.cpu_used_us = 4 * 1000 * 1000;
    second.group.memory_max_bytes = 1LL << 30;
    second.group.memory_used_bytes = 1LL << 29;
    assert_true(meter_load(&first, &second, &load));
    assert_int_equal(load.cpu_permille, 800);
    assert_true(load.memory_used_bytes == 1LL << 29);
    assert_true(load.memory_total_bytes == 1LL << 30);
    second.group.memory_max_bytes = INT64_MAX; /* version 1's word for no limit */
    assert_true(meter_load(&first, &second, &load));
    assert_true(load.memory_total_bytes == 8LL << 30);
    second.group.cpu_used_us = 6 * 1000 * 1000; /* a little more than granted */
    assert_true(meter_load(&first, &second, &load));
    assert_int_equal(load.cpu_permille, 1000);
}

static void a_group_that_may_use_more_than_there_is_has_no_limit(void **state)
{
    (void)state;
    struct machine_load load = { 0 };
    struct meter_look first = before, second = now;
    first.group.cpu_max_milli = second.group.cpu_max_milli = 64000;
    second.group.cpu_used_us = 4 * 1000 * 1000;
    assert_true(meter_load(&first, &second, &load));
    assert_int_equal(load.cpu_permille, 500);
}

static void looks_that_say_nothing_leave_the_load_as_it_was(void **state)
{
    (void)state;
    struct machine_load load = { .cpu_permille = 77 };
    struct meter_look nothing = { 0 }, unread = { .at_ms = 11000 };
    assert_false(meter_load(&nothing, &now, &load));
    assert_false(meter_load(&now, &now, &load));
    assert_false(meter_load(&before, &unread, &load));
    assert_int_equal(load.cpu_permille, 77);
}

TESTS(CASE(a_load_is_what_happened_between_two_looks),
      CASE(what_the_control_group_grants_is_the_whole),
      CASE(a_group_that_may_use_more_than_there_is_has_no_limit),
      CASE(looks_that_say_nothing_leave_the_load_as_it_was))
