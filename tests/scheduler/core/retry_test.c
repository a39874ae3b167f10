// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

static struct story *given(uint32_t retries)
{
    struct story *s = story_new();
    struct dag *dag = dag_chain(1);
    dag->tasks[0].retries = retries;
    dag->tasks[0].retry_delay_ms = 10000;
    dag->tasks[0].retry_backoff = 1.5;
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    return s;
}

static void a_failed_task_is_tried_again_after_its_wait(void **state)
{
    (void)state;
    struct story *s = given(2);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_wait(s, 9999);
    assert_false(story_is_placed(s, "a"));
    story_wait(s, 1);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_wait(s, 14999);
    assert_false(story_is_placed(s, "a"));
    story_wait(s, 1);
    story_ends(s, "a", OUTCOME_FAILED, 7);
    TRACE(s, "[    0] a: queued -> up_for_retry (its process failed)\n"
             "[10000] a: up_for_retry -> queued (given to a worker)\n"
             "[10000] a: queued -> up_for_retry (its process failed)\n"
             "[25000] a: up_for_retry -> queued (given to a worker)\n"
             "[25000] a: queued -> failed (its process failed)\n"
             "[25000] run r1: failed (a task that decides failed)\n");
    story_free(s);
}

static void a_failure_that_asks_for_time_gets_it_within_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *error;
        int64_t wait_ms;
    } cases[] = {
        { "HttpError retry_after=25s: GET http://h/ answered 503", 25000 },
        { "HttpError retry_after=2s: the author's own wait is longer", 10000 },
        { "HttpError retry_after=1d: longer than the author lets it be", 60000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct story *s = story_new();
        struct dag *dag = dag_chain(1);
        dag->tasks[0].retries = 1;
        dag->tasks[0].retry_delay_ms = 10000;
        dag->tasks[0].max_retry_delay_ms = 60000;
        story_dag(s, dag);
        story_worker(s, "w1", 1);
        story_trigger(s, "d", "r1");
        story_result(s, "a",
                     (struct result) { .outcome = OUTCOME_FAILED,
                                       .exit_code = 1,
                                       .error = str_of(cases[i].error) });
        story_wait(s, cases[i].wait_ms - 1);
        assert_false(story_is_placed(s, "a"));
        story_wait(s, 1);
        assert_true(story_is_placed(s, "a"));
        story_free(s);
    }
}

static void a_hard_error_spends_no_retries(void **state)
{
    (void)state;
    struct story *s = given(2);
    story_result(s, "a",
                 (struct result) { .outcome = OUTCOME_FAILED, .exit_code = 1, .hard = true });
    assert_int_equal(story_state(s, "a"), TASK_FAILED);
    story_free(s);
}

static void a_timeout_is_a_failure_of_the_author(void **state)
{
    (void)state;
    struct story *s = given(0);
    story_ends(s, "a", OUTCOME_TIMED_OUT, -9);
    TRACE(s, "[    0] a: queued -> failed (it ran longer than its execution_timeout)\n"
             "[    0] run r1: failed (a task that decides failed)\n");
    story_free(s);
}

static void losses_that_are_ours_do_not_use_up_retries(void **state)
{
    (void)state;
    struct story *s = given(0);
    for (int i = 0; i < 3; i++)
        story_ends(s, "a", OUTCOME_LOST, 0);
    assert_true(story_is_placed(s, "a"));
    assert_int_equal(story_attempt(s, "a")->try_no, 1);
    story_succeeds(s, "a");
    assert_int_equal(story_state(s, "a"), TASK_SUCCESS);
    story_free(s);
}

static void the_fourth_loss_ends_it(void **state)
{
    (void)state;
    struct story *s = given(5);
    for (int i = 0; i < 4; i++)
        story_ends(s, "a", OUTCOME_LOST, 0);
    assert_int_equal(story_state(s, "a"), TASK_FAILED);
    story_free(s);
}

static void losses_are_counted_over_a_change_of_leader(void **state)
{
    (void)state;
    struct story *s = given(5);
    for (int i = 0; i < 3; i++) {
        story_ends(s, "a", OUTCOME_LOST, 0);
        story_takeover(s);
    }
    story_ends(s, "a", OUTCOME_LOST, 0);
    assert_int_equal(story_state(s, "a"), TASK_FAILED);
    story_free(s);
}

static void a_wait_goes_on_under_the_next_leader(void **state)
{
    (void)state;
    struct story *s = given(1);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_wait(s, 4000);
    story_takeover(s);
    story_wait(s, 5999);
    assert_false(story_is_placed(s, "a"));
    story_wait(s, 1);
    assert_true(story_is_placed(s, "a"));
    assert_int_equal(story_attempt(s, "a")->try_no, 2);
    story_free(s);
}

static void full_jitter_stays_within_the_wait(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_chain(1);
    dag->tasks[0].retries = 1;
    dag->tasks[0].retry_delay_ms = 10000;
    dag->tasks[0].retry_jitter = JITTER_FULL;
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_wait(s, 10000);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

TESTS(CASE(a_failed_task_is_tried_again_after_its_wait),
      CASE(a_failure_that_asks_for_time_gets_it_within_bounds),
      CASE(a_hard_error_spends_no_retries), CASE(a_timeout_is_a_failure_of_the_author),
      CASE(losses_that_are_ours_do_not_use_up_retries), CASE(the_fourth_loss_ends_it),
      CASE(losses_are_counted_over_a_change_of_leader), CASE(a_wait_goes_on_under_the_next_leader),
      CASE(full_jitter_stays_within_the_wait))
