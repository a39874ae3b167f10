// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

static const char *const hook = "[{\"webhook\": \"https://hooks.example.org/secret\", \"message\": "
                                "\"{{ ti.task_id }} of {{ run_id }}\"}]";

static void tells(struct dag *dag, struct task *task, const char *event)
{
    const char *text = str_format(&dag->arena, "{\"%s\": %s}", event, hook).bytes;
    if (task != NULL)
        task->notify = dag_value(dag, text);
    else
        dag->notify = dag_value(
            dag, str_format(&dag->arena,
                            "{\"%s\": [{\"webhook\": \"https://hooks.example.org/x\"}]}", event)
                     .bytes);
}

static void are(struct story *s, const char *expected)
{
    const char *text = story_notifications(s);
    if (strcmp(text, expected) != 0)
        fail_msg("the notifications are\n%s\nand not\n%s", text, expected);
}

static struct story *story_of(struct dag *dag)
{
    struct story *s = story_new();
    story_dag(s, dag);
    story_worker(s, "w1", 4);
    story_trigger(s, "d", "r1");
    return s;
}

static void a_failure_is_told_from_the_commit_on_and_not_before(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    tells(dag, &dag->tasks[0], "on_failure");
    struct story *s = story_of(dag);
    s->hold_commits = true;
    story_ends(s, "a", OUTCOME_FAILED, 1);
    are(s, "on_failure webhook https://hooks.example.org: pending\n");
    assert_int_equal(s->errands.count, 0);
    story_commit(s);
    struct story_errand *errand = story_errand(s, "a of r1");
    assert_non_null(errand);
    assert_string_equal(errand->worker, ""); /* from here: it goes out with no worker at all */
    assert_non_null(strstr(errand->payload, "\"event\":\"on_failure\""));
    s->hold_commits = false;
    story_commit(s);
    story_answers(s, "a of r1", ERRAND_DONE, "", "");
    are(s, "on_failure webhook https://hooks.example.org: delivered\n");
    story_free(s);
}

static void the_message_says_what_happened_when_it_names_none(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    dag->tasks[0].notify =
        dag_value(dag, "{\"on_failure\": [{\"email\": [\"a@example.org\", \"b@example.org\"]}]}");
    struct story *s = story_of(dag);
    story_result(s, "a",
                 (struct result) {
                     .outcome = OUTCOME_FAILED, .exit_code = 3, .error = STR("ValueError: no") });
    are(s, "on_failure email a@example.org, b@example.org: pending\n");
    assert_non_null(story_errand(s, "\"subject\":\"d.a: failed\""));
    assert_non_null(story_errand(s, "run r1, try 1: its process failed\\nValueError: no"));
    story_free(s);
}

static void each_event_of_a_task_has_its_own(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    struct task *task = &dag->tasks[0];
    task->retries = 1;
    task->retry_delay_ms = 1000;
    task->notify = dag_value(dag, "{\"on_execute\": [{\"webhook\": \"http://e\"}], \"on_retry\": "
                                  "[{\"webhook\": \"http://r\"}],"
                                  "\"on_success\": [{\"webhook\": \"http://s\"}], \"on_failure\": "
                                  "[{\"webhook\": \"http://f\"}]}");
    struct story *s = story_of(dag);
    story_starts(s, "a");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_wait(s, 1000);
    story_result(
        s, "a",
        (struct result) { .outcome = OUTCOME_SUCCESS, .started_unix_ms = STORY_WALL + 1000 });
    are(s, "on_execute webhook http://e: pending\n"
           "on_retry webhook http://r: pending\n"
           "on_execute webhook http://e: pending\n" /* nobody had said yet that it began */
           "on_success webhook http://s: pending\n");
    story_free(s);
}

static void of_skips_only_what_the_task_asks_for_is_told(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b:a");
    tells(dag, &dag->tasks[0], "on_skipped");
    tells(dag, &dag->tasks[1], "on_skipped");
    struct story *s = story_of(dag);
    story_ends(s, "a", OUTCOME_SKIPPED, 99);
    assert_int_equal(story_state(s, "b"), TASK_SKIPPED);
    assert_int_equal(s->store.notifications.count, 1);
    story_free(s);
}

static void what_a_user_sets_is_not_told(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(2);
    tells(dag, &dag->tasks[0], "on_failure");
    tells(dag, NULL, "on_failure");
    struct story *s = story_of(dag);
    story_request_json(s, "{\"kind\":\"mark_tasks\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{"
                          "\"task_id\":\"a\"}],"
                          "\"task_state\":\"failed\"}");
    are(s, "on_failure webhook https://hooks.example.org: pending\n"); /* the run's own end */
    story_trigger(s, "d", "r2");
    story_request_json(
        s, "{\"kind\":\"mark_run\",\"dag_id\":\"d\",\"run_id\":\"r2\",\"run_state\":\"failed\"}");
    assert_int_equal(s->store.notifications.count, 1);
    story_free(s);
}

static void a_run_tells_of_its_end(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    tells(dag, NULL, "on_success");
    struct story *s = story_of(dag);
    story_succeeds(s, "a");
    assert_non_null(story_errand(s, "d: success\\nrun r1: all its tasks are done"));
    assert_null(strstr(s->errands.items[0].payload, "task_id"));
    story_free(s);
}

static void a_deadline_is_told_once_also_by_a_new_leader(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    dag->deadline_ms = 60000;
    tells(dag, NULL, "on_deadline");
    struct story *s = story_of(dag);
    story_wait(s, 59000);
    assert_int_equal(s->store.notifications.count, 0);
    story_takeover(s);
    story_wait(s, 1000);
    assert_int_equal(s->store.notifications.count, 1);
    story_answers(s, "not over at its deadline", ERRAND_DONE, "", "");
    story_takeover(s);
    story_wait(s, 60000);
    are(s, "on_deadline webhook https://hooks.example.org: delivered\n");
    story_free(s);
}

static void a_run_that_ends_in_time_misses_no_deadline(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    dag->deadline_ms = 60000;
    tells(dag, NULL, "on_deadline");
    struct story *s = story_of(dag);
    story_succeeds(s, "a");
    story_wait(s, 120000);
    assert_int_equal(s->store.notifications.count, 0);
    story_free(s);
}

/* Runs that take 1, 2, 3 ... s. */
static void story_runs(struct story *s, int count)
{
    char name[16];
    for (int i = 1; i <= count; i++) {
        (void)snprintf(name, sizeof name, "past%d", i);
        story_trigger(s, "d", name);
        story_wait(s, i * 1000);
        story_succeeds(s, "a");
    }
}

/* After how many ms a run that goes on is told of. */
static int64_t told_after_ms(struct story *s)
{
    uint32_t before = s->store.notifications.count;
    story_trigger(s, "d", "slow");
    for (int64_t ms = 0; ms < 120000; ms += 500) {
        if (s->store.notifications.count > before)
            return ms;
        story_wait(s, 500);
    }
    return -1;
}

static void a_deadline_may_be_what_most_runs_before_took(void **state)
{
    (void)state;
    static const struct {
        int runs;
        bool takeover;
        uint32_t percentile;
        int64_t deadline_ms, told_ms;
    } cases[] = {
        { 20, false, 95, 0, 19000 },     { 20, true, 95, 0, 19000 },
        { 20, false, 100, 0, 20000 },    { 20, false, 50, 0, 10000 },
        { 22, true, 95, 0, 21000 }, /* the last twenty count */
        { 19, false, 95, 0, -1 },        { 19, true, 95, 60000, 60000 },
        { 20, false, 95, 60000, 19000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct story *s = story_new();
        struct dag *dag = dag_chain(1);
        dag->deadline_percentile = cases[i].percentile;
        dag->deadline_ms = cases[i].deadline_ms;
        tells(dag, NULL, "on_deadline");
        story_dag(s, dag);
        story_worker(s, "w1", 1);
        story_runs(s, cases[i].runs);
        if (cases[i].takeover)
            story_takeover(s);
        /* From the 21st on each of them takes longer than most. */
        assert_int_equal(s->store.notifications.count, cases[i].runs > 20 ? cases[i].runs - 20 : 0);
        assert_int_equal(told_after_ms(s), cases[i].told_ms);
        story_free(s);
    }
}

static void a_receiver_that_is_away_is_asked_later_and_later_and_delays_no_other(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b c d e f g");
    for (int i = 0; i < 6; i++)
        tells(dag, &dag->tasks[i], "on_failure");
    dag->tasks[6].notify =
        dag_value(dag, "{\"on_failure\": [{\"webhook\": \"https://other.example.org/y\"}]}");
    struct story *s = story_new();
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
    for (int i = 0; i < 6; i++)
        story_ends(s, names[i], OUTCOME_FAILED, 1);
    assert_int_equal(s->errands.count, 4); /* at most so many to one receiver */
    while (s->errands.count > 0)
        story_answers(s, "of r1", ERRAND_UNREACHABLE, "", "ConnectionError: refused");
    story_ends(s, "g", OUTCOME_FAILED, 1);
    story_answers(s, "other.example.org", ERRAND_DONE, "", "");
    story_wait(s, 39000);
    assert_int_equal(s->errands.count, 0);
    story_wait(s, 1000); /* 5 s times 2 to the third: four have failed */
    assert_int_equal(s->errands.count, 1);
    story_answers(s, "of r1", ERRAND_DONE, "", "");
    assert_int_equal(s->errands.count, 4); /* it is back */
    story_free(s);
}

static void one_that_is_refused_is_tried_again_by_itself(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b");
    tells(dag, &dag->tasks[0], "on_failure");
    tells(dag, &dag->tasks[1], "on_failure");
    struct story *s = story_of(dag);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_answers(s, "a of r1", ERRAND_NOT_YET, "", "HttpError: 500");
    are(s, "on_failure webhook https://hooks.example.org: pending, HttpError: 500\n");
    story_ends(s, "b", OUTCOME_FAILED, 1);
    assert_non_null(story_errand(s, "b of r1"));
    assert_null(story_errand(s, "a of r1"));
    story_wait(s, 5000);
    story_answers(s, "a of r1", ERRAND_DONE, "", "");
    story_free(s);
}

static void what_nobody_takes_for_a_day_has_failed_and_says_why(void **state)
{
    (void)state;
    struct core_limits limits = story_limits();
    limits.notify_give_up_ms = 60000;
    struct story *s = story_new_with(&limits);
    struct dag *dag = dag_chain(1);
    tells(dag, &dag->tasks[0], "on_failure");
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    for (int i = 0; i < 2; i++) {
        story_answers(s, "a of r1", ERRAND_UNREACHABLE, "", "refused");
        story_wait(s, 40000);
    }
    story_answers(s, "a of r1", ERRAND_UNREACHABLE, "", "refused");
    are(s,
        "on_failure webhook https://hooks.example.org: failed, given up after 3 tries: refused\n");
    story_free(s);
}

static void a_delivery_without_an_answer_is_made_again(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    tells(dag, &dag->tasks[0], "on_failure");
    struct story *s = story_of(dag);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    VEC_RESET(&s->errands);
    story_wait(s, 95000);
    story_answers(s, "a of r1", ERRAND_DONE, "", "");
    are(s, "on_failure webhook https://hooks.example.org: delivered\n");
    story_free(s);
}

static void a_new_leader_delivers_what_is_left(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    tells(dag, &dag->tasks[0], "on_failure");
    struct story *s = story_of(dag);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    VEC_RESET(&s->errands);
    story_takeover(s);
    story_answers(s, "a of r1", ERRAND_DONE, "", "");
    are(s, "on_failure webhook https://hooks.example.org: delivered\n");
    story_free(s);
}

static void a_program_runs_on_a_worker_and_waits_for_one(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_chain(1);
    dag->tasks[0].operator_kind = OPERATOR_EMPTY;
    dag->tasks[0].notify =
        dag_value(dag, "{\"on_success\": [{\"exec\": [\"/bin/alarm\", \"{{ run_id }}\"]}]}");
    story_dag(s, dag);
    story_trigger(s, "d", "r1");
    assert_int_equal(s->errands.count, 0);
    story_worker(s, "w1", 1);
    story_wait(s, 2000);
    assert_string_equal(story_errand(s, "[\"/bin/alarm\",\"r1\"]")->worker, "w1");
    are(s, "on_success exec /bin/alarm: pending\n");
    story_free(s);
}

static void one_that_cannot_be_rendered_is_seen_as_failed(void **state)
{
    (void)state;
    struct dag *dag = dag_chain(1);
    dag->tasks[0].notify = dag_value(
        dag,
        "{\"on_success\": [{\"webhook\": \"http://h\", \"message\": \"{{ var.value.nix }}\"}]}");
    struct story *s = story_of(dag);
    story_succeeds(s, "a");
    assert_int_equal(s->errands.count, 0);
    assert_non_null(strstr(story_notifications(s), "on_success webhook http://h: failed, "));
    assert_non_null(strstr(story_notifications(s), "there is no variable nix"));
    assert_int_equal(story_state(s, "a"), TASK_SUCCESS);
    story_free(s);
}

TESTS(CASE(a_failure_is_told_from_the_commit_on_and_not_before),
      CASE(the_message_says_what_happened_when_it_names_none),
      CASE(each_event_of_a_task_has_its_own), CASE(of_skips_only_what_the_task_asks_for_is_told),
      CASE(what_a_user_sets_is_not_told), CASE(a_run_tells_of_its_end),
      CASE(a_deadline_is_told_once_also_by_a_new_leader),
      CASE(a_run_that_ends_in_time_misses_no_deadline),
      CASE(a_deadline_may_be_what_most_runs_before_took),
      CASE(a_receiver_that_is_away_is_asked_later_and_later_and_delays_no_other),
      CASE(one_that_is_refused_is_tried_again_by_itself),
      CASE(what_nobody_takes_for_a_day_has_failed_and_says_why),
      CASE(a_delivery_without_an_answer_is_made_again), CASE(a_new_leader_delivers_what_is_left),
      CASE(a_program_runs_on_a_worker_and_waits_for_one),
      CASE(one_that_cannot_be_rendered_is_seen_as_failed))
