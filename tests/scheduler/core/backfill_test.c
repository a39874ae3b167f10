// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

enum { HOUR_MS = 3600000 };

/* Hourly, and the world begins at midnight: the dates before are past. The DAG itself starts
 * tomorrow. */
static struct dag *hourly(const char *words)
{
    struct dag *dag = dag_words(words);
    dag->schedule = dag_value(dag, "{\"cron\":[\"0 * * * *\"]}");
    dag->start_ms = STORY_WALL + 24 * (int64_t)HOUR_MS;
    dag->max_active_runs = 1;
    return dag;
}

static struct story *given(struct dag *dag)
{
    struct story *s = story_new();
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    return s;
}

/* For hours before midnight; `more` may be "". The number of the request is that of the backfill.
 */
static int64_t backfill(struct story *s, int from, int to, const char *more)
{
    char json[400];
    snprintf(json, sizeof json,
             "{\"kind\":\"backfill\",\"dag_id\":\"d\",\"actor\":\"ada\",\"from_ms\":%lld,\"to_ms\":"
             "%lld%s%s}",
             (long long)(STORY_WALL - (int64_t)from * HOUR_MS),
             (long long)(STORY_WALL - (int64_t)to * HOUR_MS),
             strstr(more, "max_active_runs") == NULL ? ",\"max_active_runs\":10" : "", more);
    story_request_json(s, json);
    return s->request_no;
}

static void set(struct story *s, int64_t backfill_no, const char *what)
{
    char json[200];
    snprintf(json, sizeof json,
             "{\"kind\":\"backfill_set\",\"dag_id\":\"d\",\"backfill_no\":%lld,\"what\":\"%s\"}",
             (long long)backfill_no, what);
    story_request_json(s, json);
}

static struct model_backfill *newest(struct story *s)
{
    return &VEC_LAST(&s->store.backfills);
}

/* What became of its dates, in order: a name or a reason each. */
static const char *dates(struct story *s)
{
    struct buf text = { 0 };
    VEC_EACH (&newest(s)->dates, i) {
        const struct record *date = &newest(s)->dates.items[i];
        const struct model_run *run = model_store_run(&s->store, date->backfill_run.run_no);
        struct str name = run != NULL ? run->row.run_id : date->backfill_run.reason;
        buf_printf(&text, "%s%.*s", i > 0 ? ", " : "", STR_ARG(name));
    }
    const char *answer = str_cstr(&s->arena, buf_str(&text));
    buf_clear(&text);
    return answer;
}

static uint32_t running(const struct story *s)
{
    uint32_t count = 0;
    VEC_EACH (&s->store.runs, i)
        count += s->store.runs.items[i].row.state == RUN_RUNNING;
    return count;
}

static void runs_come_in_order_and_as_many_as_its_own_limit_allows(void **state)
{
    (void)state;
    struct story *s = given(hourly("a"));
    backfill(s, 3, 1, ",\"max_active_runs\":2");
    assert_int_equal(s->answer_code, 0);
    assert_int_equal(running(s), 2); /* beyond the DAG's max_active_runs */
    story_succeeds(s, "a");
    story_succeeds(s, "a");
    story_succeeds(s, "a");
    assert_string_equal(dates(s),
                        "backfill__2025-12-31T21:00:00+00:00, backfill__2025-12-31T22:00:00+00:00, "
                        "backfill__2025-12-31T23:00:00+00:00");
    assert_int_not_equal(newest(s)->row.ended_ms, 0);
    assert_int_equal(core_stats(s->core).runs_live, 0);
    story_free(s);
}

static void it_may_go_backwards(void **state)
{
    (void)state;
    struct story *s = given(hourly("a=empty"));
    backfill(s, 3, 2, ",\"backwards\":true");
    assert_string_equal(dates(s),
                        "backfill__2025-12-31T22:00:00+00:00, backfill__2025-12-31T21:00:00+00:00");
    assert_int_not_equal(newest(s)->row.ended_ms, 0);
    story_free(s);
}

static void intervals_are_counted_by_their_begin(void **state)
{
    (void)state;
    struct dag *dag = hourly("a=empty");
    dag->schedule = dag_value(dag, "{\"cron\":[\"0 * * * *\"],\"interval\":true}");
    struct story *s = given(dag);
    backfill(s, 3, 0, ""); /* that of midnight is not over */
    assert_string_equal(dates(s),
                        "backfill__2025-12-31T21:00:00+00:00, backfill__2025-12-31T22:00:00+00:00, "
                        "backfill__2025-12-31T23:00:00+00:00");
    backfill(s, 3, 0, ",\"backwards\":true,\"reprocess\":\"completed\"");
    assert_string_equal(dates(s),
                        "backfill__2025-12-31T23:00:00+00:00, backfill__2025-12-31T22:00:00+00:00, "
                        "backfill__2025-12-31T21:00:00+00:00");
    story_free(s);
}

static void fixed_distances_keep_their_phase(void **state)
{
    (void)state;
    struct dag *dag = hourly("a=empty");
    dag->schedule = dag_value(dag, "{\"every_ms\":3600000}");
    dag->start_ms += 1800000;
    struct story *s = given(dag);
    backfill(s, 2, 1, "");
    assert_string_equal(dates(s), "backfill__2025-12-31T22:30:00+00:00");
    story_free(s);
}

static void its_conf_reaches_the_runs(void **state)
{
    (void)state;
    struct dag *dag = hourly("a");
    dag->tasks[0].operator_args = dag_value(dag, "{\"command\":\"echo {{ conf.x }}\"}");
    struct story *s = given(dag);
    backfill(s, 1, 1, ",\"conf\":{\"x\":7}");
    story_takeover(s);
    assert_string_equal(story_attempt(s, "a")->command, "echo 7");
    story_free(s);
}

/* One that succeeded, one that failed. */
static struct story *with_history(void)
{
    struct story *s = given(hourly("a"));
    backfill(s, 3, 2, ",\"max_active_runs\":1");
    story_succeeds(s, "a");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    assert_int_not_equal(newest(s)->row.ended_ms, 0);
    return s;
}

static void dates_that_have_a_run_are_left_out(void **state)
{
    (void)state;
    struct story *s = with_history();
    backfill(s, 3, 1, "");
    assert_string_equal(dates(s),
                        "already exists, already exists, backfill__2025-12-31T23:00:00+00:00");
    story_free(s);
}

static void failed_runs_may_be_run_again(void **state)
{
    (void)state;
    struct story *s = with_history();
    backfill(s, 3, 2, ",\"reprocess\":\"failed\"");
    assert_string_equal(dates(s), "already exists, backfill__2025-12-31T22:00:00+00:00");
    story_succeeds(s, "a");
    assert_int_equal(s->store.runs.items[1].row.state, RUN_SUCCESS);
    assert_int_not_equal(newest(s)->row.ended_ms, 0);
    story_free(s);
}

static void ended_runs_may_be_run_again(void **state)
{
    (void)state;
    struct story *s = with_history();
    backfill(s, 3, 2, ",\"reprocess\":\"completed\",\"max_active_runs\":1");
    story_takeover(s);
    assert_int_equal(running(s), 1);
    story_succeeds(s, "a");
    story_succeeds(s, "a");
    assert_int_not_equal(newest(s)->row.ended_ms, 0);
    story_free(s);
}

static void a_run_that_is_on_its_way_is_left_alone(void **state)
{
    (void)state;
    struct story *s = given(hourly("a"));
    story_request_json(
        s,
        "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"logical_ms\":1767222000000}");
    backfill(s, 1, 1, ",\"reprocess\":\"completed\"");
    assert_string_equal(dates(s), "in flight");
    story_free(s);
}

static void it_goes_on_under_the_next_leader_where_it_stood(void **state)
{
    (void)state;
    struct story *s = given(hourly("a"));
    backfill(s, 5, 1, ",\"max_active_runs\":2");
    story_succeeds(s, "a");
    for (int i = 0; i < 4; i++) {
        story_takeover(s);
        assert_int_equal(running(s), i < 3 ? 2 : 1);
        story_succeeds(s, "a");
    }
    assert_int_equal(newest(s)->dates.count, 5);
    assert_int_equal(s->store.runs.count, 5);
    assert_int_not_equal(newest(s)->row.ended_ms, 0);
    story_free(s);
}

static void it_stands_still_while_it_is_paused(void **state)
{
    (void)state;
    struct story *s = given(hourly("a"));
    int64_t number = backfill(s, 3, 1, ",\"max_active_runs\":1");
    set(s, number, "pause");
    story_succeeds(s, "a");
    story_takeover(s);
    assert_int_equal(running(s), 0);
    set(s, number, "unpause");
    assert_int_equal(running(s), 1);
    story_free(s);
}

static void it_stands_still_while_its_dag_is_paused(void **state)
{
    (void)state;
    struct story *s = given(hourly("a"));
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\",\"paused\":true}");
    backfill(s, 3, 1, "");
    assert_int_equal(s->store.runs.count, 0);
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\",\"paused\":false}");
    assert_int_equal(running(s), 3);
    story_free(s);
}

static void cancelled_it_makes_no_more_runs_and_lets_those_that_run_end(void **state)
{
    (void)state;
    struct story *s = given(hourly("a"));
    int64_t number = backfill(s, 9, 1, ",\"max_active_runs\":2");
    set(s, number, "cancel");
    assert_int_not_equal(newest(s)->row.ended_ms, 0);
    story_takeover(s);
    story_succeeds(s, "a");
    story_succeeds(s, "a");
    assert_int_equal(s->store.runs.count, 2);
    assert_int_equal(core_stats(s->core).runs_live, 0);
    set(s, number, "unpause");
    assert_int_equal(s->answer_code, ERR_CONFLICT);
    story_free(s);
}

static void a_dry_run_says_which_dates_it_would_do(void **state)
{
    (void)state;
    struct story *s = with_history();
    backfill(s, 3, 1, ",\"dry_run\":true,\"reprocess\":\"failed\"");
    assert_string_equal(
        s->answer,
        "{\"count\":2,\"dates\":[\"2025-12-31T22:00:00+00:00\",\"2025-12-31T23:00:00+00:00\"]}");
    assert_int_equal(s->store.backfills.count, 1);
    assert_int_equal(s->store.runs.count, 2);
    story_free(s);
}

static void a_dry_run_counts_the_dates_that_it_does_not_list(void **state)
{
    (void)state;
    struct dag *dag = hourly("a");
    dag->schedule = dag_value(dag, "{\"cron\":[\"* * * * *\"]}");
    struct story *s = given(dag);
    backfill(s, 168, 1, ",\"dry_run\":true");
    assert_non_null(strstr(s->answer, "\"count\":10021,"));
    story_free(s);
}

static void a_dry_run_asks_about_thousands_of_dates_in_a_few_questions(void **state)
{
    (void)state;
    struct dag *dag = hourly("a");
    dag->schedule = dag_value(dag, "{\"cron\":[\"* * * * *\"]}");
    struct story *s = given(dag);
    backfill(s, 168, 1, ",\"dry_run\":true");
    assert_in_range(s->find_count, 1, 10);
    assert_non_null(strstr(s->answer, "\"count\":10021,"));
    story_free(s);
}

static void a_dry_run_leaves_out_what_came_while_the_database_was_asked(void **state)
{
    (void)state;
    struct story *s = given(hourly("a"));
    char trigger[200];
    s->hold_finds = true;
    backfill(s, 3, 1, ",\"dry_run\":true");
    snprintf(trigger, sizeof trigger,
             "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"by_hand\",\"logical_ms\":%lld}",
             (long long)(STORY_WALL - 2 * HOUR_MS));
    story_request_json(s, trigger);
    assert_int_equal(s->answer_code, 0);
    story_answer(s);
    assert_string_equal(
        s->answer,
        "{\"count\":2,\"dates\":[\"2025-12-31T21:00:00+00:00\",\"2025-12-31T23:00:00+00:00\"]}");
    story_free(s);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct dag *dag = hourly("a");
    struct story *s = given(dag);
    backfill(s, 1, 3, "");
    assert_int_equal(s->answer_code, ERR_UNPROCESSABLE);
    backfill(s, -1, -2, "");
    assert_non_null(strstr(s->answer, "in the future"));
    backfill(s, 3, 1, ",\"max_active_runs\":0");
    assert_non_null(strstr(s->answer, "max_active_runs"));
    backfill(s, 3, 1, "");
    backfill(s, 3, 1, "");
    assert_int_equal(s->answer_code, ERR_CONFLICT);
    assert_non_null(strstr(s->answer, "there can be only one"));
    story_free(s);

    dag = hourly("a");
    dag->tasks[0].depends_on_past = true;
    s = given(dag);
    backfill(s, 3, 1, ",\"backwards\":true");
    assert_non_null(strstr(s->answer, "depends_on_past"));
    story_free(s);

    s = given(dag_words("a"));
    backfill(s, 3, 1, "");
    assert_non_null(strstr(s->answer, "no schedule"));
    story_free(s);
}

static void the_schedule_makes_no_run_for_a_date_that_a_backfill_has_done(void **state)
{
    (void)state;
    struct dag *dag = hourly("a");
    dag->start_ms = STORY_WALL - 4 * (int64_t)HOUR_MS;
    dag->catchup = true;
    struct story *s = given(dag); /* 20:00 runs, 21:00 is queued; then the schedule waits */
    backfill(s, 1, 1, "");
    for (int i = 0; i < 5; i++)
        story_succeeds(s, "a");
    story_takeover(s);
    assert_false(story_is_placed(s, "a"));
    assert_int_equal(s->store.runs.count, 5); /* 20:00 to 00:00, each once */
    story_free(s);
}

static void what_is_done_is_remembered_by_the_next_leader(void **state)
{
    (void)state;
    struct dag *dag = hourly("a");
    dag->start_ms = STORY_WALL - 4 * (int64_t)HOUR_MS;
    dag->catchup = true;
    struct story *s = given(dag);
    backfill(s, 1, 1, "");
    story_takeover(s);
    for (int i = 0; i < 5; i++)
        story_succeeds(s, "a");
    assert_int_equal(s->store.runs.count, 5);
    story_free(s);
}

static void a_cleared_run_that_the_next_one_waits_for_starts_beyond_the_limit(void **state)
{
    (void)state;
    struct dag *dag = hourly("a");
    dag->tasks[0].depends_on_past = true;
    struct story *s = given(dag);
    backfill(s, 3, 1, ",\"max_active_runs\":1");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_request_json(s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"backfill__2025-12-"
                          "31T21:00:00+00:00\",\"whole_run\":true}");
    story_takeover(s);
    story_succeeds(s, "a");
    story_succeeds(s, "a");
    story_succeeds(s, "a");
    assert_int_not_equal(newest(s)->row.ended_ms, 0);
    story_free(s);
}

TESTS(CASE(runs_come_in_order_and_as_many_as_its_own_limit_allows), CASE(it_may_go_backwards),
      CASE(intervals_are_counted_by_their_begin), CASE(fixed_distances_keep_their_phase),
      CASE(its_conf_reaches_the_runs), CASE(dates_that_have_a_run_are_left_out),
      CASE(failed_runs_may_be_run_again), CASE(ended_runs_may_be_run_again),
      CASE(a_run_that_is_on_its_way_is_left_alone),
      CASE(it_goes_on_under_the_next_leader_where_it_stood),
      CASE(it_stands_still_while_it_is_paused), CASE(it_stands_still_while_its_dag_is_paused),
      CASE(cancelled_it_makes_no_more_runs_and_lets_those_that_run_end),
      CASE(a_dry_run_says_which_dates_it_would_do),
      CASE(a_dry_run_counts_the_dates_that_it_does_not_list),
      CASE(a_dry_run_asks_about_thousands_of_dates_in_a_few_questions),
      CASE(a_dry_run_leaves_out_what_came_while_the_database_was_asked),
      CASE(what_makes_no_sense_is_refused),
      CASE(the_schedule_makes_no_run_for_a_date_that_a_backfill_has_done),
      CASE(what_is_done_is_remembered_by_the_next_leader),
      CASE(a_cleared_run_that_the_next_one_waits_for_starts_beyond_the_limit))
