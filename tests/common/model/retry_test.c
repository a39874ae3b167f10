// SPDX-License-Identifier: Apache-2.0
#include "common/model/retry.h"

#include "common/base/civil.h"
#include "common/base/rand.h"
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
    task.max_retry_delay_ms = 20000;
    assert_int_equal(retry_delay_ms(&task, 2, 0), 15000);
    assert_int_equal(retry_delay_ms(&task, 3, 0), 20000);
    assert_int_equal(retry_delay_ms(&task, 4, 0), 20000);
    struct task doubled = task_of(1000, 2.0);
    assert_int_equal(retry_delay_ms(&doubled, 1, 0), 1000);
    assert_int_equal(retry_delay_ms(&doubled, 2, 0), 2000);
    assert_int_equal(retry_delay_ms(&doubled, 3, 0), 4000);
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

static int64_t asked(const char *error)
{
    struct task task = task_of(1000, 0);
    struct result result = { .outcome = OUTCOME_FAILED, .error = str_of(error) };
    return retry_asked_ms(&task, &result);
}

static void a_failure_may_ask_to_be_left_alone_for_a_while(void **state)
{
    (void)state;
    assert_int_equal(asked("HttpError retry_after=30s: GET http://h/ answered 429"), 30000);
    assert_int_equal(asked("Busy retry_after=1m30s"), 90000);
    assert_int_equal(asked("HttpError retry_after=99999999s: never"), MS_PER_DAY);
    assert_int_equal(asked("HttpError: retry_after=30s"), 0);
    assert_int_equal(asked("HttpError: it said retry_after=30s: later"), 0);
    assert_int_equal(asked("HttpError retry_after=soon: busy"), 0);
    assert_int_equal(asked("HttpError retry_after=-5s: busy"), 0);
    assert_int_equal(asked("HttpError"), 0);
    assert_int_equal(asked(""), 0);
}

static void jitter_is_spread_evenly_over_the_whole_wait(void **state)
{
    (void)state;
    enum { RUNS = 1000, PARTS = 10 };
    static const int64_t waits_ms[] = { 10000, 15000, 22500, 33750 };
    struct task task = task_of(10000, 1.5);
    struct rand rand;
    rand_init(&rand, 7);
    task.retry_jitter = JITTER_FULL;
    for (uint32_t nth = 1; nth <= 4; nth++) {
        int counts[PARTS] = { 0 };
        for (int run = 0; run < RUNS; run++) {
            int64_t wait_ms = retry_delay_ms(&task, nth, rand_real(&rand));
            assert_in_range(wait_ms, 0, waits_ms[nth - 1]);
            counts[wait_ms == waits_ms[nth - 1] ? PARTS - 1
                                                : wait_ms * PARTS / waits_ms[nth - 1]]++;
        }
        /* A tenth is 100 of 1000, with a deviation of 9.5: six of them never happen by chance. */
        for (int part = 0; part < PARTS; part++)
            assert_in_range(counts[part], 43, 157);
    }
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
      CASE(full_jitter_takes_a_part_of_the_wait), CASE(jitter_is_spread_evenly_over_the_whole_wait),
      CASE(a_failure_may_ask_to_be_left_alone_for_a_while), CASE(lists_of_codes_and_names_decide),
      CASE(a_hard_error_spends_no_retries))
