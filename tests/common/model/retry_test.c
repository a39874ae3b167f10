// SPDX-License-Identifier: Apache-2.0
#include "common/model/retry.h"

#include "common/base/civil.h"
#include "tests/support/test.h"

static struct task task_of(int64_t delay_ms, double backoff)
{
    return (struct task) { .retry_delay_ms = delay_ms,
                           .retry_backoff = backoff,
                           .max_retry_delay_ms = MS_PER_DAY };
}

static void the_wait_grows_exactly_as_written(void **state)
{
    (void)state;
    struct task task = task_of(10000, 1.5);
    assert_int_equal(retry_delay_ms(&task, 1, 0), 10000);
    assert_int_equal(retry_delay_ms(&task, 2, 0), 15000);
    assert_int_equal(retry_delay_ms(&task, 3, 0), 22500);
    assert_int_equal(retry_delay_ms(&task, 4, 0), 33750);
}

static void without_a_multiplier_the_wait_stays(void **state)
{
    (void)state;
    struct task task = task_of(300, 0);
    assert_int_equal(retry_delay_ms(&task, 1, 0), 300);
    assert_int_equal(retry_delay_ms(&task, 50, 0), 300);
}

static void the_wait_is_bounded_even_where_the_product_is_infinite(void **state)
{
    (void)state;
    struct task task = task_of(10000, 10);
    assert_int_equal(retry_delay_ms(&task, 10, 0), MS_PER_DAY);
    assert_int_equal(retry_delay_ms(&task, 4000, 0), MS_PER_DAY);
}

static void full_jitter_takes_a_part_of_the_wait(void **state)
{
    (void)state;
    struct task task = task_of(10000, 2);
    task.retry_jitter = JITTER_FULL;
    assert_int_equal(retry_delay_ms(&task, 2, 0), 0);
    assert_int_equal(retry_delay_ms(&task, 2, 0.25), 5000);
}

static struct value number(int64_t n)
{
    return (struct value) { .type = VALUE_INT, .integer = n };
}

static struct value word(const char *text)
{
    return (struct value) { .type = VALUE_STRING, .string = str_of(text) };
}

static void lists_of_codes_and_names_decide(void **state)
{
    (void)state;
    struct value seven = number(7), timed_out = word("timed_out"),
                 refused = word("ConnectionError");
    const struct value *items[] = { &seven, &timed_out, &refused };
    struct value list = { .type = VALUE_LIST, .count = 3, .items = items };
    struct result exit7 = { .outcome = OUTCOME_FAILED, .exit_code = 7 },
                  exit1 = { .outcome = OUTCOME_FAILED, .exit_code = 1 };
    struct result late = { .outcome = OUTCOME_TIMED_OUT, .exit_code = -9 };
    struct result raised = { .outcome = OUTCOME_FAILED,
                             .exit_code = 1,
                             .error = STR("ConnectionError: refused") };

    struct task only = { .retry_on = &list };
    assert_true(retry_is_wanted(&only, &exit7));
    assert_false(retry_is_wanted(&only, &exit1));
    assert_true(retry_is_wanted(&only, &late));
    assert_true(retry_is_wanted(&only, &raised));

    struct task never = { .no_retry_on = &list };
    assert_false(retry_is_wanted(&never, &exit7));
    assert_true(retry_is_wanted(&never, &exit1));
    assert_false(retry_is_wanted(&never, &raised));
}

static void a_hard_error_spends_no_retries(void **state)
{
    (void)state;
    struct task task = { 0 };
    struct result result = { .outcome = OUTCOME_FAILED, .exit_code = 1, .hard = true };
    assert_false(retry_is_wanted(&task, &result));
}

TESTS(CASE(the_wait_grows_exactly_as_written), CASE(without_a_multiplier_the_wait_stays),
      CASE(the_wait_is_bounded_even_where_the_product_is_infinite),
      CASE(full_jitter_takes_a_part_of_the_wait), CASE(lists_of_codes_and_names_decide),
      CASE(a_hard_error_spends_no_retries))
