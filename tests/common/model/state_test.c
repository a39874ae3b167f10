// SPDX-License-Identifier: Apache-2.0
#include "common/model/state.h"

#include "tests/support/test.h"

static void names_are_airflows_and_are_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < TASK_STATE_COUNT; i++) {
        enum task_state parsed = TASK_ANY;
        assert_int_equal(task_state_parse(str_of(task_state_name(i)), &parsed), 0);
        assert_int_equal(parsed, i);
    }
    for (int i = 0; i < RUN_STATE_COUNT; i++) {
        enum run_state parsed = RUN_STATE_COUNT;
        assert_int_equal(run_state_parse(str_of(run_state_name(i)), &parsed), 0);
        assert_int_equal(parsed, i);
    }
    for (int i = 0; i < RUN_TYPE_COUNT; i++) {
        enum run_type parsed = RUN_TYPE_COUNT;
        assert_int_equal(run_type_parse(str_of(run_type_name(i)), &parsed), 0);
        assert_int_equal(parsed, i);
    }
    enum task_state parsed = TASK_NONE;
    assert_int_equal(task_state_parse(STR("asleep"), &parsed), ERR_INVALID);
}

static void every_cause_has_a_word_and_a_sentence(void **state)
{
    (void)state;
    for (int i = 1; i < CAUSE_COUNT; i++) {
        assert_true(strlen(cause_name(i)) > 0);
        assert_true(strlen(cause_sentence(i)) > 0);
    }
    assert_string_equal(cause_name(CAUSE_UPSTREAMS_DONE), "upstreams_done");
    assert_string_equal(cause_sentence(CAUSE_LOST), "its worker was lost");
}

static void only_the_table_allows_a_change(void **state)
{
    (void)state;
    assert_true(transition_is_legal(TASK_SCHEDULED, TASK_QUEUED, CAUSE_PLACED));
    assert_true(transition_is_legal(TASK_RUNNING, TASK_SUCCESS, CAUSE_EXIT_OK));
    assert_true(transition_is_legal(TASK_DEFERRED, TASK_FAILED, CAUSE_MARKED)); /* TASK_ANY */
    assert_false(transition_is_legal(TASK_SUCCESS, TASK_FAILED, CAUSE_EXIT_FAILED));
    assert_false(transition_is_legal(TASK_NONE, TASK_RUNNING, CAUSE_STARTED));
    assert_false(transition_is_legal(TASK_SCHEDULED, TASK_QUEUED, CAUSE_STARTED));
}

static void nothing_leaves_a_final_state_but_by_a_user(void **state)
{
    (void)state;
    for (int from = 0; from < TASK_STATE_COUNT; from++) {
        if (!task_state_is_final(from))
            continue;
        for (int to = 0; to < TASK_STATE_COUNT; to++)
            for (int cause = 0; cause < CAUSE_COUNT; cause++)
                if (to != from &&
                    transition_is_legal(from, to,
                                        cause)) /* its process may end later: the same state */
                    assert_true(cause == CAUSE_CLEARED || cause == CAUSE_MARKED);
    }
}

TESTS(CASE(names_are_airflows_and_are_read_back), CASE(every_cause_has_a_word_and_a_sentence),
      CASE(only_the_table_allows_a_change), CASE(nothing_leaves_a_final_state_but_by_a_user))
