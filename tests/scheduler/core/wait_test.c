// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

/* w waits, b comes after it. */
static struct dag *waiting(const char *args)
{
    struct dag *dag = dag_words("w b:w");
    dag->tasks[0].operator_kind = OPERATOR_WAIT_FOR;
    dag->tasks[0].operator_args = dag_value(dag, args);
    return dag;
}

static void says(struct story *s, const char *expected)
{
    const char *why = story_why(s, "r1", 0, -1);
    if (strcmp(why, expected) != 0)
        fail_msg("it says\n%s\nand not\n%s", why, expected);
}

static void triggered(struct story *s, const char *dag_id, const char *run_id, int64_t logical_ms)
{
    struct request request = { .kind = REQUEST_TRIGGER,
                               .dag_id = str_of(dag_id),
                               .run_id = str_of(run_id),
                               .actor = STR("u"),
                               .note = STR_EMPTY,
                               .has_logical = true,
                               .logical_ms = logical_ms };
    story_request(s, request);
}

static void a_length_of_time_is_waited_without_a_worker(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"duration\": \"90s\"}"));
    story_trigger(s, "d", "r1");
    says(s, "waits until 2026-01-01T00:01:30+00:00, in 90 s, and holds no slot");
    story_wait(s, 89999);
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED);
    story_wait(s, 1);
    TRACE(s, "[    0] run r1: queued (requested by a user)\n"
             "[    0] run r1: running (requested by a user)\n"
             "[    0] w: none -> deferred (it waits for something outside)\n"
             "[90000] w: deferred -> success (what it waited for happened)\n");
    assert_int_equal(s->errands.count, 0);
    story_free(s);
}

static void a_wait_for_a_time_ends_when_the_clock_is_set_past_it(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"duration\": \"90m\"}"));
    story_trigger(s, "d", "r1");
    s->wall_ms += 90 * 60000;
    story_wait(s, 1);
    assert_int_equal(story_state(s, "w"), TASK_SUCCESS);
    story_free(s);
}

static void counts_deferred(struct story *s, bool does)
{
    story_request_json(
        s, does ? "{\"kind\":\"pool\",\"pool\":\"small\",\"slots\":1,\"include_deferred\":true}"
                : "{\"kind\":\"pool\",\"pool\":\"small\",\"slots\":1}");
}

static void a_wait_takes_the_slots_of_a_pool_that_counts_it(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("w b");
    dag->tasks[0].operator_kind = OPERATOR_WAIT_FOR;
    dag->tasks[0].operator_args = dag_value(dag, "{\"duration\": \"90s\"}");
    dag->tasks[0].pool = dag->tasks[1].pool = STR("small");
    story_dag(s, dag);
    counts_deferred(s, true);
    story_trigger(s, "d", "r1");
    story_worker(s, "w1", 8);
    says(s, "waits until 2026-01-01T00:01:30+00:00, in 90 s\n"
            "pool small counts tasks that wait: this one holds 1 of its slots");
    assert_false(story_is_placed(s, "b"));
    story_takeover(s);
    counts_deferred(s, true); /* a story's store keeps no pools */
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED);
    assert_false(story_is_placed(s, "b"));
    story_wait(s, 90000);
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

static void a_pool_may_begin_to_count_waits_and_end_it(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("w b c");
    dag->tasks[0].operator_kind = OPERATOR_WAIT_FOR;
    dag->tasks[0].operator_args = dag_value(dag, "{\"duration\": \"1h\"}");
    for (int i = 0; i < 3; i++)
        dag->tasks[i].pool = STR("small");
    story_dag(s, dag);
    counts_deferred(s, false);
    story_trigger(s, "d", "r1");
    story_worker(s, "w1", 8);
    const char *first = story_is_placed(s, "b") ? "b" : "c", *second = first[0] == 'b' ? "c" : "b";
    assert_true(story_is_placed(s, first) && !story_is_placed(s, second));
    counts_deferred(s, true);
    story_succeeds(s, first);
    assert_false(story_is_placed(s, second));
    counts_deferred(s, false);
    assert_true(story_is_placed(s, second));
    story_free(s);
}

static void a_time_is_waited_for_and_survives_a_new_leader(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"time\": \"2026-01-01T01:00:00Z\"}"));
    story_trigger(s, "d", "r1");
    story_wait(s, 1000);
    story_takeover(s);
    story_wait(s, 3598999);
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED);
    story_wait(s, 1);
    assert_int_equal(story_state(s, "w"), TASK_SUCCESS);
    story_free(s);
}

static void a_time_behind_the_timeout_is_given_up(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"duration\": \"1h\", \"timeout_ms\": 60000}"));
    story_trigger(s, "d", "r1");
    story_wait(s, 60000);
    assert_int_equal(story_state(s, "w"), TASK_FAILED);
    story_free(s);
}

static void a_file_is_looked_for_again_until_it_is_there(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"file\": \"/data/{{ run_id }}\", \"poke_interval_ms\": 30000}"));
    story_trigger(s, "d", "r1");
    story_wait(s, 3000);
    says(s, "waits for file /data/r1; no worker of its queue could look yet; gives up in 6 d");
    story_worker(s, "w1", 1);
    story_wait(s, 6000);
    assert_string_equal(story_errand(s, "/data/r1")->worker, "w1");
    says(s, "waits for file /data/r1; looks for the first time; gives up in 6 d");
    story_answers(s, "/data/r1", ERRAND_NOT_YET, "", "Permission denied");
    assert_null(story_errand(s, "/data/r1"));
    story_wait(s, 5000);
    says(s, "waits for file /data/r1; looked 1 time, last 5 s ago (Permission denied); gives up in "
            "6 d");
    story_wait(s, 26000);
    story_answers(s, "/data/r1", ERRAND_DONE, "\"/data/r1\"", "");
    assert_int_equal(story_state(s, "w"), TASK_SUCCESS);
    assert_true(str_is(story_output(s, "w"), "\"/data/r1\""));
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

static void a_lost_look_is_made_again_and_its_late_answer_means_nothing(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"file\": \"/x\"}"));
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    assert_int_equal(s->errands.count, 1);
    story_wait(s, 91000);
    assert_int_equal(s->errands.count, 2);
    story_answers(s, "/x", ERRAND_NOT_YET, "", "");
    assert_int_equal(core_stats(s->core).dropped_messages, 1);
    story_answers(s, "/x", ERRAND_DONE, "", "");
    assert_int_equal(story_state(s, "w"), TASK_SUCCESS);
    assert_int_equal(core_stats(s->core).looks_lost, 1);
    story_free(s);
}

static void waiting_takes_no_slot_of_worker_pool_or_run(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("w1 w2 w3 b");
    dag->max_active_tasks = 1;
    for (int i = 0; i < 3; i++) {
        dag->tasks[i].operator_kind = OPERATOR_WAIT_FOR;
        dag->tasks[i].operator_args = dag_value(dag, "{\"file\": \"/x\"}");
    }
    story_dag(s, dag);
    story_worker(s, "w", 1);
    story_trigger(s, "d", "r1");
    assert_int_equal(s->errands.count, 3);
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

static void a_timeout_fails_without_retries_and_soft_fail_skips(void **state)
{
    (void)state;
    for (int soft = 0; soft < 2; soft++) {
        struct story *s = story_new();
        struct dag *dag =
            waiting(soft ? "{\"file\": \"/x\", \"timeout_ms\": 100000, \"soft_fail\": true}"
                         : "{\"file\": \"/x\", \"timeout_ms\": 100000}");
        dag->tasks[0].retries = 3;
        story_dag(s, dag);
        story_worker(s, "w1", 1);
        story_trigger(s, "d", "r1");
        story_answers(s, "/x", ERRAND_NOT_YET, "", "");
        story_wait(s, 100000);
        assert_int_equal(story_state(s, "w"), soft ? TASK_SKIPPED : TASK_FAILED);
        assert_int_equal(story_state(s, "b"), soft ? TASK_SKIPPED : TASK_UPSTREAM_FAILED);
        const struct str error = model_store_newest(&s->store.runs.items[0], 0, -1)->row.error;
        assert_true(str_starts(error, "TimeoutError: file /x did not come within 1m40s"));
        story_free(s);
    }
}

static void the_timeout_counts_from_the_begin_also_for_a_new_leader(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"file\": \"/x\", \"timeout_ms\": 3600000}"));
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_wait(s, 3000000);
    story_takeover(s);
    story_wait(s, 599000);
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED);
    story_wait(s, 1000);
    assert_int_equal(story_state(s, "w"), TASK_FAILED);
    story_free(s);
}

static void an_execution_timeout_ends_a_wait_and_spends_a_retry(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = waiting("{\"file\": \"/x\"}");
    dag->tasks[0].execution_timeout_ms = 100000;
    dag->tasks[0].retries = 1;
    dag->tasks[0].retry_delay_ms = 10000;
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_answers(s, "/x", ERRAND_NOT_YET, "", "");
    says(s, "waits for file /x; looked 1 time, last 0 s ago; gives up in 100 s");
    story_wait(s, 100000);
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED); /* not longer than that */
    story_wait(s, 1);
    assert_int_equal(story_state(s, "w"), TASK_UP_FOR_RETRY);
    story_wait(s, 10000);
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED);
    story_wait(s, 50000);
    story_takeover(s); /* who counts from the begin of the try */
    story_wait(s, 49000);
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED);
    story_wait(s, 1001);
    assert_int_equal(story_state(s, "w"), TASK_FAILED);
    const struct str error = model_store_newest(&s->store.runs.items[0], 0, -1)->row.error;
    assert_true(
        str_is(error, "TimeoutError: it waited longer than its execution_timeout of 1m40s"));
    story_free(s);
}

static void soft_fail_skips_what_its_execution_timeout_ends(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = waiting("{\"duration\": \"1h\", \"soft_fail\": true}");
    dag->tasks[0].execution_timeout_ms = 60000;
    dag->tasks[0].retries = 1;
    story_dag(s, dag);
    story_trigger(s, "d", "r1");
    story_wait(s, 60001);
    assert_int_equal(story_state(s, "w"), TASK_SKIPPED);
    story_free(s);
}

static void a_wait_of_just_its_execution_timeout_is_not_too_long(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = waiting("{\"duration\": \"1m\"}");
    dag->tasks[0].execution_timeout_ms = 60000;
    story_dag(s, dag);
    story_trigger(s, "d", "r1");
    story_wait(s, 60001);
    assert_int_equal(story_state(s, "w"), TASK_SUCCESS);
    story_free(s);
}

static void a_new_leader_looks_anew(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"file\": \"/x\", \"poke_interval_ms\": 5000}"));
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_takeover(s);
    VEC_RESET(&s->errands); /* the answer went to the one before */
    story_wait(s, 11000);
    story_answers(s, "/x", ERRAND_DONE, "", "");
    assert_int_equal(story_state(s, "w"), TASK_SUCCESS);
    story_free(s);
}

static void what_cannot_be_looked_for_is_a_failure_with_the_authors_retries(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = waiting("{\"sql\": {\"connection\": \"c\", \"statement\": \"select\"}}");
    dag->tasks[0].retries = 1;
    dag->tasks[0].retry_delay_ms = 10000;
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    assert_int_equal(story_state(s, "w"),
                     TASK_FAILED); /* there is no connection c: no retry helps */
    story_free(s);
    s = story_new();
    dag = waiting("{\"http\": {\"url\": \"http://h/\"}}");
    dag->tasks[0].retries = 1;
    dag->tasks[0].retry_delay_ms = 10000;
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    story_answers(s, "http://h/", ERRAND_HOPELESS, "", "ValueError: no URL");
    story_wait(s, 10000);
    story_answers(s, "http://h/", ERRAND_HOPELESS, "", "ValueError: no URL");
    TRACE(s, "[    0] w: deferred -> up_for_retry (what it waits for cannot be looked for)\n"
             "[10000] w: up_for_retry -> deferred (it waits for something outside)\n"
             "[10000] w: deferred -> failed (what it waits for cannot be looked for)\n"
             "[10000] b: none -> upstream_failed (its trigger rule can no longer be met)\n"
             "[10000] run r1: failed (a task that decides failed)\n");
    story_free(s);
}

static void clearing_marking_and_stopping_end_the_wait(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"file\": \"/x\"}"));
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_request_json(
        s,
        "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{\"task_id\":\"w\"}]}");
    assert_int_equal(s->errands.count, 2); /* the first look, and that of the new wait */
    story_answers(s, "/x", ERRAND_DONE, "", "");
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED);
    story_request_json(s, "{\"kind\":\"mark_tasks\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{"
                          "\"task_id\":\"w\"}],"
                          "\"task_state\":\"success\"}");
    assert_int_equal(story_state(s, "w"), TASK_SUCCESS);
    assert_int_equal(core_stats(s->core).waiting, 0);
    story_trigger(s, "d", "r2");
    assert_int_equal(core_stats(s->core).waiting, 1);
    story_request_json(
        s, "{\"kind\":\"mark_run\",\"dag_id\":\"d\",\"run_id\":\"r2\",\"run_state\":\"failed\"}");
    assert_int_equal(story_state(s, "w"), TASK_SKIPPED);
    assert_int_equal(core_stats(s->core).waiting, 0);
    story_free(s);
}

static void the_timeout_of_the_run_ends_the_wait(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = waiting("{\"duration\": \"1h\"}");
    dag->run_timeout_ms = 60000;
    story_dag(s, dag);
    story_trigger(s, "d", "r1");
    story_wait(s, 60000);
    assert_int_equal(story_state(s, "w"), TASK_SKIPPED);
    assert_int_equal(core_stats(s->core).waiting, 0);
    story_free(s);
}

static void a_task_of_another_dag_is_heard_of_when_it_ends(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *other = dag_words("a b:a");
    other->id = STR("other");
    story_dag(s, other);
    story_dag(s, waiting("{\"task\": {\"dag_id\": \"other\", \"task_id\": \"a\"}}"));
    story_worker(s, "w1", 4);
    triggered(s, "other", "o1", STORY_WALL);
    triggered(s, "d", "r0", STORY_WALL - 86400000); /* of another day: goes on waiting */
    triggered(s, "d", "r1", STORY_WALL);
    story_database_answers(s);
    says(s, "waits for task a of DAG other; looked 1 time, last 0 s ago; gives up in 7 d");
    (void)story_trace(s);
    story_succeeds(s, "a");
    TRACE(s, "[    0] a: queued -> success (its process ended well)\n"
             "[    0] w: deferred -> success (what it waited for happened)\n"
             "[    0] b: none -> queued (given to a worker)\n"
             "[    0] b: none -> queued (given to a worker)\n");
    assert_int_equal(core_stats(s->core).waiting, 1);
    story_free(s);
}

static void of_a_run_that_is_no_longer_in_memory_the_database_knows(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *other = dag_words("a");
    other->id = STR("other");
    story_dag(s, other);
    story_dag(s, waiting("{\"task\": {\"dag_id\": \"other\"}}"));
    story_worker(s, "w1", 4);
    triggered(s, "other", "o1", STORY_WALL);
    story_succeeds(s, "a");
    triggered(s, "d", "r1", STORY_WALL);
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED);
    story_database_answers(s);
    assert_int_equal(story_state(s, "w"), TASK_SUCCESS);
    story_free(s);
}

static void a_task_that_failed_is_waited_for_until_it_succeeds(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *other = dag_words("a");
    other->id = STR("other");
    story_dag(s, other);
    story_dag(s, waiting("{\"task\": {\"dag_id\": \"other\", \"task_id\": \"a\"}}"));
    story_worker(s, "w1", 4);
    triggered(s, "other", "o1", STORY_WALL);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    triggered(s, "d", "r1", STORY_WALL);
    story_database_answers(s);
    story_wait(s, 61000);
    story_database_answers(s);
    assert_int_equal(story_state(s, "w"), TASK_DEFERRED);
    story_request_json(s, "{\"kind\":\"mark_tasks\",\"dag_id\":\"other\",\"run_id\":\"o1\","
                          "\"tasks\":[{\"task_id\":\"a\"}],"
                          "\"task_state\":\"success\"}");
    story_wait(s, 61000);
    story_database_answers(s);
    assert_int_equal(story_state(s, "w"), TASK_SUCCESS);
    story_free(s);
}

static void two_dags_that_wait_for_each_other_are_told_of_the_circle(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *other = dag_words("v");
    other->id = STR("other");
    other->tasks[0].operator_kind = OPERATOR_WAIT_FOR;
    other->tasks[0].operator_args =
        dag_value(other, "{\"task\": {\"dag_id\": \"d\", \"task_id\": \"w\"}}");
    story_dag(s, other);
    story_dag(s, waiting("{\"task\": {\"dag_id\": \"other\"}}"));
    triggered(s, "other", "o1", STORY_WALL + 1000); /* of another date: no circle */
    triggered(s, "d", "r1", STORY_WALL);
    assert_null(strstr(story_why(s, "r1", 0, -1), "circle"));
    triggered(s, "other", "o2", STORY_WALL);
    assert_non_null(strstr(story_why(s, "r1", 0, -1),
                           "; but task v of DAG other waits for this in turn: a circle"));
    assert_null(strstr(story_why(s, "o1", 0, -1), "circle"));
    assert_non_null(strstr(story_why(s, "o2", 0, -1),
                           "; but task w of DAG d waits for this in turn: a circle"));
    story_free(s);
}

static void a_run_without_a_logical_date_cannot_wait_for_one(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"task\": {\"dag_id\": \"other\"}}"));
    story_trigger(s, "d", "r1");
    assert_int_equal(story_state(s, "w"), TASK_FAILED);
    story_free(s);
}

static void a_mapped_wait_has_one_look_an_element(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = waiting("{\"file\": \"/in/{{ item }}\"}");
    dag->tasks[0].for_each = dag_value(dag, "[\"a\", \"b\"]");
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_answers(s, "/in/a", ERRAND_DONE, "\"/in/a\"", "");
    story_takeover(s);
    VEC_RESET(&s->errands);
    story_wait(s, 11000);
    story_answers(s, "/in/b", ERRAND_DONE, "\"/in/b\"", "");
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

static void more_looks_than_a_worker_takes_wait_their_turn(void **state)
{
    (void)state;
    struct core_limits limits = story_limits();
    limits.map_length_max = 2000;
    limits.batch_writes_max = 4096;
    struct story *s = story_new_with(&limits);
    struct dag *dag = waiting("{\"file\": \"/in/{{ item }}.x\"}");
    struct buf text = { 0 };
    buf_add_byte(&text, '[');
    for (int i = 0; i < 1500; i++)
        buf_printf(&text, "%s%d", i > 0 ? "," : "", i);
    buf_add_byte(&text, ']');
    dag->tasks[0].for_each = dag_value(dag, text.bytes);
    buf_clear(&text);
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    assert_int_equal(s->errands.count, 1000);
    while (s->errands.count > 0)
        story_answers(s, ".x", ERRAND_DONE, "", "");
    story_wait(s, 6000);
    assert_int_equal(s->errands.count, 500);
    story_free(s);
}

static struct dag *writer(void)
{
    struct dag *dag = dag_words("a");
    dag->id = STR("writer");
    dag->tasks[0].outlets = dag_value(dag, "[\"orders\"]");
    return dag;
}

static void an_update_of_an_asset_is_heard_of_at_once(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, waiting("{\"asset\": \"orders\"}"));
    story_dag(s, writer());
    story_worker(s, "w1", 2);
    story_trigger(s, "d", "r1");
    story_database_answers(s);
    story_wait(s, 1000);
    says(s, "waits for an update of asset orders; looked 1 time, last 1 s ago; gives up in 6 d");
    story_trigger(s, "writer", "r2");
    story_succeeds(s, "a");
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

/* What came while nobody listened, but since the run is there. */
static void an_update_of_an_asset_is_found_in_the_database_too(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("p w:p b:w");
    dag->tasks[1].operator_kind = OPERATOR_WAIT_FOR;
    dag->tasks[1].operator_args = dag_value(dag, "{\"asset\": \"orders\"}");
    story_dag(s, dag);
    story_dag(s, writer());
    story_worker(s, "w1", 2);
    story_trigger(s, "writer", "r0");
    story_succeeds(s, "a");
    story_wait(s, 1000);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "p");
    story_database_answers(s);
    assert_false(story_is_placed(s, "b")); /* that was before */
    story_wait(s, 1000);
    story_trigger(s, "d", "r2");
    story_trigger(s, "writer", "r3");
    story_succeeds(s, "a");
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

TESTS(CASE(an_update_of_an_asset_is_heard_of_at_once),
      CASE(an_update_of_an_asset_is_found_in_the_database_too),
      CASE(a_length_of_time_is_waited_without_a_worker),
      CASE(a_wait_for_a_time_ends_when_the_clock_is_set_past_it),
      CASE(a_wait_takes_the_slots_of_a_pool_that_counts_it),
      CASE(a_pool_may_begin_to_count_waits_and_end_it),
      CASE(a_time_is_waited_for_and_survives_a_new_leader),
      CASE(a_time_behind_the_timeout_is_given_up),
      CASE(a_file_is_looked_for_again_until_it_is_there),
      CASE(a_lost_look_is_made_again_and_its_late_answer_means_nothing),
      CASE(waiting_takes_no_slot_of_worker_pool_or_run),
      CASE(a_timeout_fails_without_retries_and_soft_fail_skips),
      CASE(the_timeout_counts_from_the_begin_also_for_a_new_leader),
      CASE(an_execution_timeout_ends_a_wait_and_spends_a_retry),
      CASE(soft_fail_skips_what_its_execution_timeout_ends),
      CASE(a_wait_of_just_its_execution_timeout_is_not_too_long), CASE(a_new_leader_looks_anew),
      CASE(what_cannot_be_looked_for_is_a_failure_with_the_authors_retries),
      CASE(clearing_marking_and_stopping_end_the_wait), CASE(the_timeout_of_the_run_ends_the_wait),
      CASE(a_task_of_another_dag_is_heard_of_when_it_ends),
      CASE(of_a_run_that_is_no_longer_in_memory_the_database_knows),
      CASE(a_task_that_failed_is_waited_for_until_it_succeeds),
      CASE(two_dags_that_wait_for_each_other_are_told_of_the_circle),
      CASE(a_run_without_a_logical_date_cannot_wait_for_one),
      CASE(a_mapped_wait_has_one_look_an_element),
      CASE(more_looks_than_a_worker_takes_wait_their_turn))
