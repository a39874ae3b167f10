// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

static struct story *given(struct dag *dag)
{
    struct story *s = story_new();
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    return s;
}

static void says(struct story *s, int code, const char *answer)
{
    if (s->answer_code != code || strstr(s->answer, answer) == NULL)
        fail_msg("answered %s: %s", err_name(s->answer_code), s->answer);
}

static void a_trigger_is_answered_with_its_run(void **state)
{
    (void)state;
    struct story *s = given(dag_chain(1));
    story_request_json(s, "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"logical_ms\":1767225600000}");
    says(s, 0, "\"run_id\":\"manual__2026-01-01T00:00:00+00:00_");
    story_trigger(s, "d", "mine");
    says(s, 0, "\"run_id\":\"mine\"");
    story_free(s);
}

static void a_trigger_that_cannot_be_is_refused_with_a_reason(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    dag->params = dag_value(dag, "{\"n\":{\"type\":\"integer\"}}");
    struct story *s = given(dag);
    story_trigger(s, "nobody", "r1");
    says(s, ERR_NOT_FOUND, "there is no DAG nobody");
    story_trigger(s, "d", "r1");
    says(s, ERR_UNPROCESSABLE, "n is required and has no default");
    story_request_json(
        s, "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"conf\":{\"n\":1}}");
    says(s, 0, "r1");
    story_request_json(
        s, "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"conf\":{\"n\":1}}");
    says(s, ERR_EXISTS, "has a run r1 already");
    story_request_json(
        s,
        "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"scheduled__x\",\"conf\":{\"n\":1}}");
    says(s, ERR_UNPROCESSABLE, "run_id");
    story_free(s);
}

static void the_name_of_a_run_that_has_ended_is_taken_too(void **state)
{
    (void)state;
    struct story *s = given(dag_words("a=empty"));
    story_trigger(s, "d", "r1");
    assert_int_equal(core_stats(s->core).runs_live, 0);
    story_trigger(s, "d", "r1");
    says(s, ERR_EXISTS, "already");
    story_free(s);
}

static void a_run_begins_when_its_time_has_come(void **state)
{
    (void)state;
    struct story *s = given(dag_chain(1));
    story_request_json(
        s,
        "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"run_after_ms\":1767225660000}");
    story_wait(s, 59999);
    assert_false(story_is_placed(s, "a"));
    story_wait(s, 1);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void a_run_begins_when_the_clock_is_set_past_its_time(void **state)
{
    (void)state;
    struct story *s = given(dag_chain(1));
    story_request_json(
        s,
        "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"run_after_ms\":1767225660000}");
    s->wall_ms += 60000;
    story_wait(s, 1);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void clearing_runs_a_task_and_what_is_downstream_again(void **state)
{
    (void)state;
    struct story *s = given(dag_chain(3));
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    story_ends(s, "b", OUTCOME_FAILED, 1);
    (void)story_trace(s);
    story_request_json(s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{"
                          "\"task_id\":\"b\"}],\"include_downstream\":true}");
    says(s, 0, "\"cleared\":2");
    TRACE(s, "[    0] b: failed -> none (cleared by a user)\n"
             "[    0] c: upstream_failed -> none (cleared by a user)\n"
             "[    0] run r1: queued (cleared by a user)\n"
             "[    0] run r1: running (cleared by a user)\n"
             "[    0] b: none -> queued (given to a worker)\n");
    assert_int_equal(story_attempt(s, "b")->try_no, 2);
    story_succeeds(s, "b");
    story_succeeds(s, "c");
    assert_int_equal(s->store.runs.items[0].row.state, RUN_SUCCESS);
    story_free(s);
}

static void only_what_failed_is_cleared_when_asked_so(void **state)
{
    (void)state;
    struct story *s = given(dag_words("a b"));
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    story_ends(s, "b", OUTCOME_FAILED, 1);
    story_request_json(s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"whole_run\":"
                          "true,\"only_failed\":true}");
    says(s, 0, "\"cleared\":1");
    assert_true(story_is_placed(s, "b"));
    assert_false(story_is_placed(s, "a"));
    story_free(s);
}

static void a_cleared_task_has_all_its_retries_again(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    dag->tasks[0].retries = 1;
    dag->tasks[0].retry_delay_ms = 1000;
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    for (int round = 0; round < 2; round++) {
        story_ends(s, "a", OUTCOME_FAILED, 1);
        story_takeover(s);
        story_wait(s, 1000);
        story_ends(s, "a", OUTCOME_FAILED, 1);
        assert_int_equal(story_state(s, "a"), TASK_FAILED);
        story_request_json(
            s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"whole_run\":true}");
    }
    assert_int_equal(story_attempt(s, "a")->try_no, 5);
    story_free(s);
}

/* Two processes of one task never live at once: the new one waits until the old one is known to be
 * gone. */
static void clearing_a_running_task_kills_it_first(void **state)
{
    (void)state;
    struct story *s = given(dag_chain(1));
    story_trigger(s, "d", "r1");
    story_starts(s, "a");
    struct id128 first = story_attempt(s, "a")->id;
    story_request_json(
        s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"whole_run\":true}");
    assert_true(story_attempt(s, "a")->told_kill);
    assert_true(id_eq(story_attempt(s, "a")->id, first));
    assert_non_null(strstr(story_why(s, "r1", 0, -1), "its earlier process is being stopped"));
    story_takeover(s);
    assert_true(id_eq(story_attempt(s, "a")->id, first));
    story_ends(s, "a", OUTCOME_KILLED, -15);
    assert_false(id_eq(story_attempt(s, "a")->id, first));
    story_free(s);
}

static void one_instance_of_a_mapped_task_may_be_cleared(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b:a");
    dag->tasks[0].for_each = dag_value(dag, "[1,2,3]");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a[0]");
    story_ends(s, "a[1]", OUTCOME_FAILED, 1);
    story_succeeds(s, "a[2]");
    assert_int_equal(story_state(s, "b"), TASK_UPSTREAM_FAILED);
    story_request_json(s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{"
                          "\"task_id\":\"a\",\"map_index\":1}],\"include_downstream\":true}");
    says(s, 0, "\"cleared\":2");
    assert_true(story_is_placed(s, "a[1]") && !story_is_placed(s, "a[0]"));
    story_succeeds(s, "a[1]");
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

static void a_mapped_task_that_is_cleared_as_a_whole_has_its_list_made_anew(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b:a");
    dag->tasks[1].for_each = dag_value(dag, "\"{{ xcom.a }}\"");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_outputs(s, "a", "[1,2,3]");
    for (int i = 0; i < 3; i++) {
        const char *names[] = { "b[0]", "b[1]", "b[2]" };
        story_succeeds(s, names[i]);
    }
    story_request_json(
        s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"whole_run\":true}");
    story_takeover(s);
    story_outputs(s, "a", "[7]");
    assert_true(story_is_placed(s, "b[0]"));
    assert_false(story_is_placed(s, "b[1]"));
    story_succeeds(s, "b[0]");
    assert_int_equal(s->store.runs.items[0].row.state, RUN_SUCCESS);
    story_free(s);
}

/* Its list had elements, then none: it waits as one again. */
static void a_run_is_stopped_although_a_mapped_task_was_emptied(void **state)
{
    (void)state;
    static const char clear[] =
        "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"whole_run\":true}";
    struct dag *dag = dag_words("a b:a");
    dag->tasks[1].for_each = dag_value(dag, "\"{{ xcom.a }}\"");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_outputs(s, "a", "[1]");
    story_succeeds(s, "b[0]");
    story_request_json(s, clear);
    story_outputs(s, "a", "[]");
    assert_int_equal(story_state(s, "b"), TASK_SKIPPED);
    story_request_json(s, clear);
    story_request_json(
        s, "{\"kind\":\"mark_run\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"run_state\":\"failed\"}");
    assert_int_equal(s->store.runs.items[0].row.state, RUN_FAILED);
    story_free(s);
}

static void marking_sets_what_a_task_is(void **state)
{
    (void)state;
    struct story *s = given(dag_chain(2));
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    story_request_json(s, "{\"kind\":\"mark_tasks\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{"
                          "\"task_id\":\"a\"}],\"task_state\":\"success\"}");
    says(s, 0, "\"marked\":1");
    TRACE(s, "[    0] a: queued -> success (set by a user)\n"
             "[    0] b: none -> queued (given to a worker)\n");
    assert_true(story_attempt(s, "a")->told_kill);
    story_ends(s, "a", OUTCOME_KILLED, -15);
    assert_int_equal(story_state(s, "a"), TASK_SUCCESS);
    story_free(s);
}

static void marking_a_run_ends_it(void **state)
{
    (void)state;
    struct story *s = given(dag_words("a b:a"));
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    story_request_json(
        s, "{\"kind\":\"mark_run\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"run_state\":\"failed\"}");
    TRACE(s, "[    0] a: queued -> failed (the run was stopped)\n"
             "[    0] b: none -> skipped (the run was stopped)\n"
             "[    0] run r1: failed (set by a user)\n");
    story_ends(s, "a", OUTCOME_KILLED, -15);
    assert_int_equal(core_stats(s->core).runs_live, 0);
    story_request_json(
        s, "{\"kind\":\"mark_run\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"run_state\":\"queued\"}");
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void a_paused_dag_starts_nothing(void **state)
{
    (void)state;
    struct story *s = given(dag_chain(2));
    story_trigger(s, "d", "r1");
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\",\"paused\":true}");
    story_succeeds(s, "a");
    assert_false(story_is_placed(s, "b"));
    story_trigger(s, "d", "r2");
    assert_false(story_is_placed(s, "a"));
    assert_string_equal(story_why(s, "r2", 0, -1), "DAG d is paused");
    story_takeover(s);
    assert_false(story_is_placed(s, "b"));
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\"}");
    assert_true(story_is_placed(s, "a") && story_is_placed(s, "b"));
    story_free(s);
}

static void a_run_is_deleted_when_it_has_ended(void **state)
{
    (void)state;
    struct story *s = given(dag_chain(1));
    story_trigger(s, "d", "r1");
    story_request_json(s, "{\"kind\":\"delete_run\",\"dag_id\":\"d\",\"run_id\":\"r1\"}");
    says(s, ERR_CONFLICT, "is running");
    story_succeeds(s, "a");
    story_request_json(s, "{\"kind\":\"delete_run\",\"dag_id\":\"d\",\"run_id\":\"r1\"}");
    says(s, 0, "{}");
    assert_true(s->store.runs.items[0].deleted);
    story_request_json(
        s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"whole_run\":true}");
    says(s, ERR_NOT_FOUND, "has no run r1");
    story_free(s);
}

static void a_dag_is_deleted_when_nothing_of_it_runs(void **state)
{
    (void)state;
    struct story *s = given(dag_chain(1));
    story_trigger(s, "d", "r1");
    story_request_json(s, "{\"kind\":\"delete_dag\",\"dag_id\":\"d\"}");
    says(s, ERR_CONFLICT, "has 1 live runs");
    story_succeeds(s, "a");
    story_request_json(s, "{\"kind\":\"delete_dag\",\"dag_id\":\"d\"}");
    says(s, 0, "{}");
    story_trigger(s, "d", "r2");
    says(s, ERR_NOT_FOUND, "there is no DAG d");
    story_free(s);
}

static void a_run_that_takes_too_long_is_failed_and_its_tasks_are_skipped(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b:a");
    dag->run_timeout_ms = 60000;
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_wait(s, 30000);
    story_takeover(s);
    (void)story_trace(s);
    story_wait(s, 30000);
    assert_int_equal(story_state(s, "a"), TASK_SKIPPED);
    assert_int_equal(story_state(s, "b"), TASK_SKIPPED);
    assert_int_equal(s->store.runs.items[0].row.state, RUN_FAILED);
    assert_true(story_attempt(s, "a")->told_kill);
    story_free(s);
}

static void the_first_failure_stops_a_run_that_is_fail_fast(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b c:b");
    dag->fail_fast = true;
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    TRACE(s, "[    0] b: queued -> running (its process started)\n"
             "[    0] a: queued -> failed (its process failed)\n"
             "[    0] b: running -> failed (another task failed and the DAG is fail_fast)\n"
             "[    0] c: none -> skipped (another task failed and the DAG is fail_fast)\n"
             "[    0] run r1: failed (a task that decides failed)\n");
    story_free(s);
}

static void runs_that_fail_one_after_the_other_pause_the_dag(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    dag->max_consecutive_failed_runs = 2;
    struct story *s = given(dag);
    for (int i = 0; i < 2; i++) {
        story_trigger(s, "d", i == 0 ? "r1" : "r2");
        story_ends(s, "a", OUTCOME_FAILED, 1);
    }
    assert_true(s->store.dags.items[0].paused);
    story_free(s);
}

static void a_clear_over_runs_passes_over_tasks_that_a_version_has_not(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, dag_words("a"));
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    story_request_json(s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"over_runs\":"
                          "true,\"tasks\":[{\"task_id\":\"later\"},{\"task_id\":\"a\"}]}");
    assert_int_equal(s->answer_code, 0);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

TESTS(CASE(a_clear_over_runs_passes_over_tasks_that_a_version_has_not),
      CASE(a_trigger_is_answered_with_its_run),
      CASE(a_trigger_that_cannot_be_is_refused_with_a_reason),
      CASE(the_name_of_a_run_that_has_ended_is_taken_too),
      CASE(a_run_begins_when_its_time_has_come),
      CASE(a_run_begins_when_the_clock_is_set_past_its_time),
      CASE(clearing_runs_a_task_and_what_is_downstream_again),
      CASE(a_run_is_stopped_although_a_mapped_task_was_emptied),
      CASE(only_what_failed_is_cleared_when_asked_so),
      CASE(a_cleared_task_has_all_its_retries_again), CASE(clearing_a_running_task_kills_it_first),
      CASE(one_instance_of_a_mapped_task_may_be_cleared),
      CASE(a_mapped_task_that_is_cleared_as_a_whole_has_its_list_made_anew),
      CASE(marking_sets_what_a_task_is), CASE(marking_a_run_ends_it),
      CASE(a_paused_dag_starts_nothing), CASE(a_run_is_deleted_when_it_has_ended),
      CASE(a_dag_is_deleted_when_nothing_of_it_runs),
      CASE(a_run_that_takes_too_long_is_failed_and_its_tasks_are_skipped),
      CASE(the_first_failure_stops_a_run_that_is_fail_fast),
      CASE(runs_that_fail_one_after_the_other_pause_the_dag))
