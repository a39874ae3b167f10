// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

static struct story *given(void)
{
    struct dag *dag = dag_words("a");
    dag->schedule = dag_value(dag, "{\"files\":{\"path\":\"/in/*\",\"settle_ms\":2000}}");
    dag->tasks[0].operator_args =
        dag_value(dag, "{\"command\":\"load {{ conf.path }} {{ conf.size }} {{ conf.mtime }}\"}");
    struct story *s = story_new();
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    return s;
}

static const struct id128 first = { 1, 1 }, second = { 1, 2 };

static bool is_taken(struct story *s, struct id128 content)
{
    return core_file_is_done(s->core, 1, content);
}

static void a_file_starts_a_run_that_knows_it(void **state)
{
    (void)state;
    struct story *s = given();
    struct core_file_schedule schedule;
    assert_int_equal(core_file_schedules(s->core, &schedule, 1), 1);
    assert_str(schedule.path, "/in/*");
    assert_int_equal(schedule.settle_ms, 2000);
    story_file(s, 1, first, "/in/a");
    assert_string_equal(story_attempt(s, "a")->command, "load /in/a 5 2026-01-01T00:00:00+00:00");
    assert_true(s->store.files.items[0].file.run_no == s->store.runs.items[0].row.run_no);
    assert_true(is_taken(s, first));
    story_free(s);
}

static void the_same_content_starts_no_second_run(void **state)
{
    (void)state;
    struct story *s = given();
    s->hold_commits = true; /* also while the database does not know it yet */
    story_file(s, 1, first, "/in/a");
    story_file(s, 1, first, "/in/b");
    s->hold_commits = false;
    story_commit(s);
    story_file(s, 1, second, "/in/c");
    assert_int_equal(s->store.runs.count, 2);
    story_free(s);
}

static void the_next_leader_knows_what_was_taken(void **state)
{
    (void)state;
    struct story *s = given();
    story_file(s, 1, first, "/in/a");
    story_takeover(s);
    assert_false(is_taken(s, first)); /* so it is offered once more */
    story_file(s, 1, first, "/in/a");
    assert_true(is_taken(s, first));
    assert_int_equal(s->store.runs.count, 1);
    story_free(s);
}

static void a_paused_dag_takes_no_file_and_has_it_later(void **state)
{
    (void)state;
    struct story *s = given();
    struct core_file_schedule schedule;
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\",\"paused\":true}");
    assert_int_equal(core_file_schedules(s->core, &schedule, 1), 0);
    story_file(s, 1, first, "/in/a");
    assert_false(is_taken(s, first));
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\",\"paused\":false}");
    story_file(s, 1, first, "/in/a");
    assert_int_equal(s->store.runs.count, 1);
    story_free(s);
}

TESTS(CASE(a_file_starts_a_run_that_knows_it), CASE(the_same_content_starts_no_second_run),
      CASE(the_next_leader_knows_what_was_taken), CASE(a_paused_dag_takes_no_file_and_has_it_later))
