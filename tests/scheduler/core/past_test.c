// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

enum { HOUR_MS = 3600000 };

/* Two runs with logical dates; the later one comes first by name: r1, then r2. */
static void triggered(struct story *s, const char *run_id, int hour)
{
    char json[300];
    snprintf(json, sizeof json,
             "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"%s\",\"logical_ms\":%lld}",
             run_id, (long long)(STORY_WALL + (int64_t)hour * HOUR_MS));
    story_request_json(s, json);
}

static void asked(struct story *s, const char *kind, const char *run_id, const char *more)
{
    char json[300];
    snprintf(json, sizeof json, "{\"kind\":\"%s\",\"dag_id\":\"d\",\"run_id\":\"%s\"%s}", kind,
             run_id, more);
    story_request_json(s, json);
}

static struct story *given(const char *words, uint32_t max_active_runs)
{
    struct dag *dag = dag_words(words);
    dag->tasks[0].depends_on_past = true;
    dag->max_active_runs = max_active_runs;
    struct story *s = story_new();
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    return s;
}

static void the_first_run_does_not_wait(void **state)
{
    (void)state;
    struct story *s = given("a", 16);
    triggered(s, "r1", 0);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void a_told_waits_for_itself_in_the_run_before_and_says_so(void **state)
{
    (void)state;
    struct story *s = given("a b", 16);
    triggered(s, "r1", 0);
    triggered(s, "r2", 1);
    assert_string_equal(story_attempt(s, "a")->run, "r1");
    assert_string_equal(story_why(s, "r2", 0, -1),
                        "task a of the run before, r1, is queued and must have succeeded or been "
                        "skipped (depends_on_past)");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    assert_false(story_is_placed(s, "a"));
    asked(s, "mark_tasks", "r1", ",\"tasks\":[{\"task_id\":\"a\"}],\"task_state\":\"skipped\"");
    assert_string_equal(story_attempt(s, "a")->run, "r2");
    story_free(s);
}

static void a_run_that_has_ended_long_ago_is_looked_up(void **state)
{
    (void)state;
    struct story *s = given("a", 16);
    triggered(s, "r1", 0);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_takeover(s);
    triggered(s, "r2", 1);
    assert_false(story_is_placed(s, "a"));
    asked(s, "clear", "r1", ",\"whole_run\":true");
    assert_string_equal(story_attempt(s, "a")->run, "r1");
    story_succeeds(s, "a");
    assert_string_equal(story_attempt(s, "a")->run, "r2");
    story_free(s);
}

static void the_past_holds_under_the_next_leader(void **state)
{
    (void)state;
    struct story *s = given("a", 16);
    triggered(s, "r1", 0);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    triggered(s, "r2", 1);
    s->hold_finds = true;
    story_takeover(s);
    assert_string_equal(story_why(s, "r2", 0, -1), "the run before it is being looked up");
    story_answer(s);
    assert_false(story_is_placed(s, "a"));
    story_free(s);
}

static void what_is_not_committed_counts_as_the_past_too(void **state)
{
    (void)state;
    struct story *s = given("a", 16);
    s->hold_finds = true;
    triggered(s, "r1", 0);
    story_answer(s);
    s->hold_finds = s->hold_commits = true;
    triggered(s, "r2", 1);
    triggered(s, "r3", 2);
    s->hold_commits = false;
    story_commit(s);
    story_answer(s);
    assert_non_null(strstr(story_why(s, "r3", 0, -1), "r2"));
    story_free(s);
}

static void a_run_that_comes_between_is_the_past_from_then_on(void **state)
{
    (void)state;
    struct story *s = given("a", 16);
    triggered(s, "r1", 0);
    story_succeeds(s, "a");
    triggered(s, "r3", 4);
    assert_string_equal(story_attempt(s, "a")->run, "r3");
    story_succeeds(s, "a");
    triggered(s, "r5", 8);
    assert_string_equal(story_attempt(s, "a")->run, "r5");
    asked(s, "clear", "r5", ",\"whole_run\":true");
    triggered(s, "r4", 6);
    story_ends(s, "a", OUTCOME_KILLED, -15);
    assert_string_equal(story_attempt(s, "a")->run, "r4");
    story_succeeds(s, "a");
    assert_string_equal(story_attempt(s, "a")->run, "r5");
    story_free(s);
}

static void a_past_that_is_deleted_holds_nothing_back(void **state)
{
    (void)state;
    struct story *s = given("a", 16);
    triggered(s, "r1", 0);
    story_succeeds(s, "a");
    triggered(s, "r2", 1);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    triggered(s, "r3", 2);
    assert_false(story_is_placed(s, "a"));
    asked(s, "delete_run", "r2", "");
    assert_string_equal(story_attempt(s, "a")->run, "r3");
    story_free(s);
}

static void a_run_without_a_logical_date_has_no_past(void **state)
{
    (void)state;
    struct story *s = given("a", 16);
    triggered(s, "r1", 0);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_trigger(s, "d", "r2");
    assert_string_equal(story_attempt(s, "a")->run, "r2");
    story_free(s);
}

static void what_is_skipped_is_skipped_at_once(void **state)
{
    (void)state;
    struct dag *dag = dag_words("s=short_circuit a:s");
    dag->tasks[1].depends_on_past = true;
    dag_task(dag, "s")->operator_args =
        dag_value(dag, "{\"condition\":\"conf.go | default(false)\"}");
    struct story *s = story_new();
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    story_request_json(s, "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"logical_ms\":"
                          "1,\"conf\":{\"go\":true}}");
    triggered(s, "r2", 1);
    assert_string_equal(story_attempt(s, "a")->run, "r1");
    assert_int_equal(story_state(s, "a"), TASK_SKIPPED);
    story_free(s);
}

static void a_task_may_wait_for_what_is_downstream_in_the_run_before(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b:a c:b");
    dag->tasks[0].wait_for_downstream = true;
    struct story *s = story_new();
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    triggered(s, "r1", 0);
    triggered(s, "r2", 1);
    story_succeeds(s, "a");
    assert_false(story_is_placed(s, "a"));
    assert_string_equal(story_why(s, "r2", 0, -1),
                        "the next task b of the run before, r1, is queued and must have succeeded "
                        "or been skipped (wait_for_downstream)");
    story_succeeds(s, "b");
    assert_string_equal(story_attempt(s, "a")->run, "r2");
    assert_string_equal(story_attempt(s, "c")->run, "r1");
    story_free(s);
}

static void with_catchup_only_scheduled_runs_count(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a");
    dag->tasks[0].depends_on_past = true;
    dag->catchup = true;
    dag->max_active_runs = 2;
    dag->start_ms = STORY_WALL - 2 * HOUR_MS;
    dag->end_ms = STORY_WALL + HOUR_MS / 2;
    dag->schedule = dag_value(dag, "{\"every_ms\":3600000}");
    struct story *s = story_new();
    story_worker(s, "w1", 8);
    story_dag(s, dag);
    assert_string_equal(story_attempt(s, "a")->run, "scheduled__2025-12-31T22:00:00+00:00");
    story_succeeds(s, "a");
    assert_string_equal(story_attempt(s, "a")->run, "scheduled__2025-12-31T23:00:00+00:00");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    assert_false(story_is_placed(s, "a"));
    /* Between the two, by date, and it does not help: the past is the scheduled run. */
    story_request_json(
        s, "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"m\",\"logical_ms\":1767224000000}");
    assert_false(story_is_placed(s, "a"));
    asked(s, "mark_tasks", "scheduled__2025-12-31T23:00:00+00:00",
          ",\"tasks\":[{\"task_id\":\"a\"}],\"task_state\":\"success\"");
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void a_cleared_past_starts_beyond_max_active_runs(void **state)
{
    (void)state;
    struct story *s = given("a", 1);
    triggered(s, "r1", 0);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    triggered(s, "r2", 1); /* runs, and waits */
    triggered(s, "r3", 2);
    asked(s, "clear", "r1", ",\"whole_run\":true");
    assert_string_equal(story_attempt(s, "a")->run, "r1");
    story_succeeds(s, "a");
    assert_string_equal(story_attempt(s, "a")->run, "r2");
    story_free(s);
}

static void ended_runs_leave_memory_however_long_the_chain(void **state)
{
    (void)state;
    struct story *s = given("a", 16);
    char name[16];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "r%d", i);
        triggered(s, name, i);
        story_succeeds(s, "a");
    }
    assert_int_equal(core_stats(s->core).runs_live, 0);
    story_free(s);
}

TESTS(CASE(the_first_run_does_not_wait),
      CASE(a_told_waits_for_itself_in_the_run_before_and_says_so),
      CASE(a_run_that_has_ended_long_ago_is_looked_up), CASE(the_past_holds_under_the_next_leader),
      CASE(what_is_not_committed_counts_as_the_past_too),
      CASE(a_run_that_comes_between_is_the_past_from_then_on),
      CASE(a_past_that_is_deleted_holds_nothing_back),
      CASE(a_run_without_a_logical_date_has_no_past), CASE(what_is_skipped_is_skipped_at_once),
      CASE(a_task_may_wait_for_what_is_downstream_in_the_run_before),
      CASE(with_catchup_only_scheduled_runs_count),
      CASE(a_cleared_past_starts_beyond_max_active_runs),
      CASE(ended_runs_leave_memory_however_long_the_chain))
