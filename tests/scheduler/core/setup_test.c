// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

/* s prepares, t takes away; both a and b lie between. */
static struct dag *scoped(const char *words)
{
    struct dag *dag = dag_words(words);
    dag_task(dag, "s")->setup = true;
    dag_task(dag, "t")->teardown = dag_value(dag, "[\"s\"]");
    assert_int_equal(dag_build(dag, NULL), 0);
    return dag;
}

static struct story *given(struct dag *dag)
{
    struct story *s = story_new();
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    return s;
}

static void clear(struct story *s, const char *task, const char *more)
{
    char json[300];
    snprintf(json, sizeof json,
             "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{\"task_id\":\"%"
             "s\"}]%s}",
             task, more);
    story_request_json(s, json);
}

static void mark_run(struct story *s, const char *state)
{
    char json[200];
    snprintf(json, sizeof json,
             "{\"kind\":\"mark_run\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"run_state\":\"%s\"}",
             state);
    story_request_json(s, json);
}

static const struct run_row *run_row(struct story *s)
{
    return &s->store.runs.items[0].row;
}

static void a_teardown_runs_whatever_came_between(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s b:a t:s,b"));
    story_succeeds(s, "s");
    (void)story_trace(s);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    TRACE(s, "[    0] a: queued -> failed (its process failed)\n"
             "[    0] b: none -> upstream_failed (its trigger rule can no longer be met)\n"
             "[    0] t: none -> queued (given to a worker)\n");
    story_succeeds(s, "t");
    assert_int_equal(run_row(s)->state, RUN_FAILED);
    story_free(s);
}

static void a_teardown_does_not_run_without_its_setup(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s t:s,a"));
    story_ends(s, "s", OUTCOME_FAILED, 1);
    assert_int_equal(story_state(s, "t"), TASK_UPSTREAM_FAILED);
    assert_int_equal(run_row(s)->state, RUN_FAILED);
    story_free(s);
}

static void what_lies_between_does_not_run_without_the_setup(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s b:a?all_done x?always t:s,b,x"));
    assert_true(story_is_placed(s, "x"));
    story_ends(s, "s", OUTCOME_FAILED, 1);
    assert_int_equal(story_state(s, "b"), TASK_UPSTREAM_FAILED);
    story_free(s);
}

static void a_task_between_waits_for_the_setup_and_says_so(void **state)
{
    (void)state;
    /* p is upstream of b and s is too, but only over a, which b does not wait for. */
    struct story *s = given(scoped("s p a:s b:p,a?one_success t:s,b"));
    story_succeeds(s, "p");
    assert_false(story_is_placed(s, "b"));
    assert_string_equal(
        story_why(s, "r1", 3, -1),
        "1 of 2 upstream tasks have not ended (trigger rule one_success): a (none)\n"
        "its setup s has not ended (running)");
    story_succeeds(s, "s");
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

static void a_failed_teardown_does_not_fail_the_run(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s t:s,a"));
    story_succeeds(s, "s");
    story_succeeds(s, "a");
    story_ends(s, "t", OUTCOME_FAILED, 1);
    assert_int_equal(run_row(s)->state, RUN_SUCCESS);
    story_free(s);
}

static void a_failed_teardown_fails_the_run_when_it_is_to(void **state)
{
    (void)state;
    struct dag *dag = scoped("s a:s t:s,a");
    dag_task(dag, "t")->teardown_decides = true;
    assert_int_equal(dag_build(dag, NULL), 0);
    struct story *s = given(dag);
    story_succeeds(s, "s");
    story_succeeds(s, "a");
    story_ends(s, "t", OUTCOME_FAILED, 1);
    assert_int_equal(run_row(s)->state, RUN_FAILED);
    story_free(s);
}

static void fail_fast_leaves_the_teardown(void **state)
{
    (void)state;
    struct dag *dag = scoped("s a:s b:s t:s,a,b");
    dag->fail_fast = true;
    struct story *s = given(dag);
    story_succeeds(s, "s");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    assert_int_equal(story_state(s, "b"), TASK_FAILED);
    assert_true(story_is_placed(s, "t"));
    story_free(s);
}

static void a_run_that_is_marked_failed_runs_its_teardowns_first(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s t:s,a"));
    story_succeeds(s, "s");
    (void)story_trace(s);
    mark_run(s, "failed");
    TRACE(s, "[    0] a: queued -> failed (the run was stopped)\n"
             "[    0] run r1: running (the run was stopped)\n"
             "[    0] t: none -> queued (given to a worker)\n");
    story_takeover(s); /* the next leader knows how it is to end */
    story_succeeds(s, "t");
    assert_int_equal(run_row(s)->state, RUN_FAILED);
    story_free(s);
}

static void a_run_that_is_marked_success_ends_so_after_its_teardowns(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s t:s,a"));
    story_succeeds(s, "s");
    mark_run(s, "success");
    assert_int_equal(run_row(s)->state, RUN_RUNNING);
    story_takeover(s);
    story_ends(s, "t", OUTCOME_FAILED, 1);
    assert_int_equal(run_row(s)->state, RUN_SUCCESS);
    story_free(s);
}

static void a_stopped_run_goes_on_when_it_is_cleared_before_its_teardowns_end(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s t:s,a"));
    story_succeeds(s, "s");
    mark_run(s, "failed");
    story_request_json(
        s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"whole_run\":true}");
    story_ends(s, "a", OUTCOME_KILLED, -15); /* those of before */
    story_ends(s, "t", OUTCOME_KILLED, -15);
    story_succeeds(s, "s");
    story_succeeds(s, "a");
    story_succeeds(s, "t");
    assert_int_equal(run_row(s)->state, RUN_SUCCESS);
    story_free(s);
}

static void a_run_that_takes_too_long_leaves_nothing_behind(void **state)
{
    (void)state;
    struct dag *dag = scoped("s a:s t:s,a");
    dag->run_timeout_ms = 10000;
    struct story *s = given(dag);
    story_succeeds(s, "s");
    story_wait(s, 11000);
    assert_int_equal(story_state(s, "t"), TASK_SKIPPED);
    assert_int_equal(run_row(s)->state, RUN_FAILED);
    story_free(s);
}

static void a_cleared_task_takes_its_setup_and_teardown_along(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s b:a t:s,b"));
    story_succeeds(s, "s");
    story_succeeds(s, "a");
    story_succeeds(s, "b");
    story_succeeds(s, "t");
    clear(s, "b", "");
    assert_true(story_is_placed(s, "s"));
    assert_int_equal(story_state(s, "a"), TASK_SUCCESS);
    assert_int_equal(story_state(s, "b"), TASK_NONE);
    assert_int_equal(story_state(s, "t"), TASK_NONE);
    story_succeeds(s, "s");
    story_succeeds(s, "b");
    story_succeeds(s, "t");
    assert_int_equal(run_row(s)->state, RUN_SUCCESS);
    story_free(s);
}

static void a_cleared_setup_takes_its_teardown_along(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s t:s,a after:a"));
    const char *all[] = { "s", "a", "t", "after" };
    for (int i = 0; i < 4; i++)
        story_succeeds(s, all[i]);
    clear(s, "s", "");
    assert_int_equal(story_state(s, "t"), TASK_NONE);
    assert_int_equal(story_state(s, "a"), TASK_SUCCESS);
    story_free(s);
}

static void clearing_only_what_failed_leaves_the_setup(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s t:s,a"));
    story_succeeds(s, "s");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_succeeds(s, "t");
    clear(s, "a", ",\"only_failed\":true");
    assert_int_equal(story_state(s, "s"), TASK_SUCCESS);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void a_short_circuit_leaves_the_teardown(void **state)
{
    (void)state;
    struct dag *dag = scoped("s c:s=short_circuit a:c t:s,a");
    dag_task(dag, "c")->operator_args = dag_value(dag, "{\"condition\":\"1 > 2\"}");
    struct story *s = given(dag);
    story_succeeds(s, "s");
    assert_int_equal(story_state(s, "a"), TASK_SKIPPED);
    assert_true(story_is_placed(s, "t"));
    story_free(s);
}

static void a_branch_does_not_skip_the_teardown(void **state)
{
    (void)state;
    struct dag *dag = scoped("s c:s=branch a:c t:s,c");
    dag_task(dag, "c")->operator_args = dag_value(dag, "{\"cases\":[],\"default\":[\"a\"]}");
    struct story *s = given(dag);
    story_succeeds(s, "s");
    assert_true(story_is_placed(s, "a"));
    assert_true(story_is_placed(s, "t"));
    story_free(s);
}

static void about_a_setup_directly_before_it_a_task_decides_by_its_rule(void **state)
{
    (void)state;
    struct story *s = given(scoped("s a:s?one_failed b:a?always c:a t:s,b,c"));
    story_ends(s, "s", OUTCOME_FAILED, 1);
    assert_true(story_is_placed(s, "a"));
    assert_true(story_is_placed(s, "b"));
    assert_int_equal(story_state(s, "c"), TASK_UPSTREAM_FAILED);
    story_free(s);
}

TESTS(CASE(a_teardown_runs_whatever_came_between), CASE(a_teardown_does_not_run_without_its_setup),
      CASE(what_lies_between_does_not_run_without_the_setup),
      CASE(a_task_between_waits_for_the_setup_and_says_so),
      CASE(a_failed_teardown_does_not_fail_the_run),
      CASE(a_failed_teardown_fails_the_run_when_it_is_to), CASE(fail_fast_leaves_the_teardown),
      CASE(a_run_that_is_marked_failed_runs_its_teardowns_first),
      CASE(a_run_that_is_marked_success_ends_so_after_its_teardowns),
      CASE(a_stopped_run_goes_on_when_it_is_cleared_before_its_teardowns_end),
      CASE(a_run_that_takes_too_long_leaves_nothing_behind),
      CASE(a_cleared_task_takes_its_setup_and_teardown_along),
      CASE(a_cleared_setup_takes_its_teardown_along),
      CASE(clearing_only_what_failed_leaves_the_setup),
      CASE(about_a_setup_directly_before_it_a_task_decides_by_its_rule),
      CASE(a_short_circuit_leaves_the_teardown), CASE(a_branch_does_not_skip_the_teardown))
