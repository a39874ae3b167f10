// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

static struct story *given(const char *schedule, bool catchup, int64_t start_ms)
{
    struct story *s = story_new();
    struct dag *dag = dag_words("a=empty");
    dag->schedule = dag_value(dag, schedule);
    dag->catchup = catchup;
    dag->start_ms = start_ms;
    story_dag(s, dag);
    return s;
}

static void a_schedule_makes_a_run_at_each_of_its_times(void **state)
{
    (void)state;
    struct story *s = given("{\"cron\":[\"*/10 * * * *\"]}", false, INT64_MIN);
    story_wait(s, 600000);
    TRACE(s,
          "[600000] run scheduled__2026-01-01T00:10:00+00:00: queued (its schedule fired)\n"
          "[600000] run scheduled__2026-01-01T00:10:00+00:00: running (its schedule fired)\n"
          "[600000] a: none -> success (there was nothing to run)\n"
          "[600000] run scheduled__2026-01-01T00:10:00+00:00: success (all its tasks are done)\n");
    story_wait(s, 600000);
    assert_int_equal(s->store.runs.count, 2);
    story_wait(s, 599999);
    assert_int_equal(s->store.runs.count, 2);
    story_wait(s, 1);
    assert_int_equal(s->store.runs.count, 3);
    story_free(s);
}

/* The clock that wakes us and the one on the wall are read one after the other, and the latter may
 * be set: what comes too early comes again. */
static void a_clock_that_lags_delays_a_time_and_loses_none(void **state)
{
    (void)state;
    static const int64_t lags_ms[] = { 1, 2000, 3600000 };
    for (size_t i = 0; i < sizeof lags_ms / sizeof lags_ms[0]; i++) {
        struct story *s = given("{\"cron\":[\"*/10 * * * *\"]}", false, INT64_MIN);
        s->wall_ms -= lags_ms[i];
        story_wait(s, 600000);
        assert_int_equal(s->store.runs.count, 0);
        story_wait(s, lags_ms[i] - 1);
        assert_int_equal(s->store.runs.count, 0);
        story_wait(s, 1);
        assert_int_equal(s->store.runs.count, 1);
        story_wait(s, 600000);
        assert_int_equal(s->store.runs.count, 2);
        story_free(s);
    }
}

static void a_clock_that_is_set_forward_delays_no_time(void **state)
{
    (void)state;
    struct story *s = given("{\"cron\":[\"0 12 * * *\"]}", false, INT64_MIN);
    story_wait(s, 1000);
    s->wall_ms += 12 * 3600000;
    story_wait(s, 1);
    assert_int_equal(s->store.runs.count, 1);
    s->wall_ms -= 13 * 3600000; /* and back: the same time makes no second run */
    story_wait(s, 14 * 3600000);
    assert_int_equal(s->store.runs.count, 1);
    story_free(s);
}

static void a_change_of_leader_neither_repeats_nor_forgets_a_time(void **state)
{
    (void)state;
    struct story *s = given("{\"cron\":[\"*/10 * * * *\"]}", true, STORY_WALL);
    uint32_t before = s->store.runs.count;
    story_wait(s, 600000);
    story_takeover(s);
    assert_int_equal(s->store.runs.count, before + 1);
    story_wait(s, 600000);
    assert_int_equal(s->store.runs.count, before + 2);
    story_free(s);
}

static void catching_up_makes_a_run_for_every_missed_time(void **state)
{
    (void)state;
    struct story *s = given("{\"cron\":[\"0 * * * *\"]}", true, STORY_WALL - 3 * 3600000);
    assert_int_equal(s->store.runs.count, 4); /* 21:00 22:00 23:00 00:00 */
    story_free(s);
}

static void without_catching_up_only_the_latest_is_made(void **state)
{
    (void)state;
    struct story *s = given("{\"cron\":[\"0 * * * *\"]}", false, STORY_WALL - 30 * 3600000LL);
    assert_int_equal(s->store.runs.count, 1);
    assert_str(s->store.runs.items[0].row.run_id, "scheduled__2026-01-01T00:00:00+00:00");
    story_free(s);
}

static void catching_up_waits_behind_max_active_runs(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_chain(1);
    dag->schedule = dag_value(dag, "{\"every_ms\":60000}");
    dag->catchup = true;
    dag->start_ms = STORY_WALL - 100 * 60000;
    dag->max_active_runs = 2;
    story_dag(s, dag);
    assert_true(s->store.runs.count <= 4);
    story_worker(s, "w1", 1);
    for (int i = 0; i < 101; i++)
        story_succeeds(s, "a");
    assert_int_equal(s->store.runs.count, 101);
    assert_false(story_is_placed(s, "a"));
    story_free(s);
}

static void a_paused_schedule_fires_nothing_and_then_the_latest(void **state)
{
    (void)state;
    struct story *s = given("{\"cron\":[\"0 * * * *\"]}", false, INT64_MIN);
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\",\"paused\":true}");
    story_wait(s, 3 * 3600000);
    assert_int_equal(s->store.runs.count, 0);
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\"}");
    assert_int_equal(s->store.runs.count, 1);
    assert_str(s->store.runs.items[0].row.run_id, "scheduled__2026-01-01T03:00:00+00:00");
    story_free(s);
}

static void once_is_once(void **state)
{
    (void)state;
    struct story *s = given("{\"once\":true}", false, INT64_MIN);
    story_takeover(s);
    story_wait(s, 100000);
    assert_int_equal(s->store.runs.count, 1);
    story_free(s);
}

static void continuous_begins_again_when_it_has_ended(void **state)
{
    (void)state;
    struct story *s = given("{\"continuous\":true}", false, INT64_MIN);
    story_wait(s, 10000);
    assert_int_equal(s->store.runs.count, 11); /* one a second, when runs end at once */
    story_free(s);
}

static void a_dag_whose_file_is_gone_fires_no_more(void **state)
{
    (void)state;
    struct story *s = given("{\"every_ms\":60000}", false, INT64_MIN);
    story_dag_gone(s, 1);
    story_wait(s, 600000);
    assert_int_equal(s->store.runs.count, 0);
    story_trigger(s, "d", "r1");
    assert_int_equal(s->answer_code, ERR_CONFLICT);
    story_free(s);
}

TESTS(CASE(a_schedule_makes_a_run_at_each_of_its_times),
      CASE(a_clock_that_lags_delays_a_time_and_loses_none),
      CASE(a_clock_that_is_set_forward_delays_no_time),
      CASE(a_change_of_leader_neither_repeats_nor_forgets_a_time),
      CASE(catching_up_makes_a_run_for_every_missed_time),
      CASE(without_catching_up_only_the_latest_is_made),
      CASE(catching_up_waits_behind_max_active_runs),
      CASE(a_paused_schedule_fires_nothing_and_then_the_latest), CASE(once_is_once),
      CASE(continuous_begins_again_when_it_has_ended), CASE(a_dag_whose_file_is_gone_fires_no_more))
