// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

/* DAG d has task a, which updates x, and b, which updates y; DAG c waits. */
static struct story *given(const char *condition)
{
    struct dag *producer = dag_words("a b"), *consumer = dag_words("c");
    dag_task(producer, "a")->outlets = dag_value(producer, "[\"x\"]");
    dag_task(producer, "b")->outlets = dag_value(producer, "[\"y\"]");
    consumer->id = STR("c");
    char schedule[200];
    snprintf(schedule, sizeof schedule, "{\"assets\":%s}", condition);
    consumer->schedule = dag_value(consumer, schedule);
    struct story *s = story_new();
    story_dag(s, producer);
    story_dag(s, consumer);
    story_worker(s, "w1", 8);
    return s;
}

static uint32_t runs(const struct story *s)
{
    uint32_t count = 0;
    VEC_EACH (&s->store.runs, i)
        count += s->store.runs.items[i].row.type == RUN_ASSET_TRIGGERED;
    return count;
}

static void an_update_starts_the_dag_that_waits_for_it(void **state)
{
    (void)state;
    struct story *s = given("[\"x\"]");
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    assert_int_equal(s->store.events.count, 1);
    const struct asset_event *event = &s->store.events.items[0];
    assert_str(event->asset, "x");
    assert_int_equal(event->run_no, s->store.runs.items[0].row.run_no);
    assert_int_equal(event->task, 0);
    assert_int_equal(runs(s), 1);
    assert_true(s->store.kept.items[0].run_no == s->store.runs.items[1].row.run_no);
    assert_true(story_is_placed(s, "c"));
    story_free(s);
}

static void the_event_is_in_the_transaction_of_the_success(void **state)
{
    (void)state;
    struct story *s = given("[\"x\"]");
    story_trigger(s, "d", "r1");
    s->hold_commits = true;
    story_succeeds(s, "a");
    const struct model_log *last = &VEC_LAST(&s->store.log);
    bool ended = false, updated = false, made = false;
    for (uint32_t i = 0; i < last->count; i++) {
        ended |=
            last->records[i].type == WRITE_TRY_ENDED && last->records[i].try.state == TASK_SUCCESS;
        updated |= last->records[i].type == WRITE_ASSET_EVENT;
        made |= last->records[i].type == WRITE_RUN_CREATE;
    }
    assert_true(ended && updated && made);
    s->hold_commits = false;
    story_commit(s);
    story_free(s);
}

static void a_failure_updates_nothing_and_neither_does_a_user(void **state)
{
    (void)state;
    struct story *s = given("[\"x\"]");
    story_trigger(s, "d", "r1");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    story_request_json(s, "{\"kind\":\"mark_tasks\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{"
                          "\"task_id\":\"a\"}],\"task_state\":\"success\"}");
    assert_int_equal(s->store.events.count, 0);
    story_free(s);
}

static void all_assets_must_have_been_updated_since_the_last_run(void **state)
{
    (void)state;
    struct story *s = given("[\"x\",\"y\"]");
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    story_takeover(s); /* what is kept comes back */
    assert_int_equal(runs(s), 0);
    story_succeeds(s, "b");
    assert_int_equal(runs(s), 1);
    story_trigger(s, "d", "r2");
    story_succeeds(s, "a");
    assert_int_equal(runs(s), 1);
    story_free(s);
}

static void any_asset_is_enough_where_it_says_so(void **state)
{
    (void)state;
    struct story *s = given("{\"any\":[\"x\",\"y\"]}");
    story_trigger(s, "d", "r1");
    story_succeeds(s, "b");
    assert_int_equal(runs(s), 1);
    story_succeeds(s, "a");
    assert_int_equal(runs(s), 2);
    story_free(s);
}

static void conditions_nest(void **state)
{
    (void)state;
    struct story *s = given("{\"all\":[\"x\",{\"any\":[\"y\",\"z\"]}]}");
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"z\",\"conf\":{\"n\":1}}");
    assert_int_equal(s->answer_code, 0);
    assert_str(s->store.events.items[0].extra, "{\"n\":1}");
    assert_int_equal(runs(s), 0);
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"x\"}");
    assert_int_equal(runs(s), 1);
    story_free(s);
}

static void one_run_takes_all_events_that_are_kept(void **state)
{
    (void)state;
    struct story *s = given("[\"x\",\"y\"]");
    for (int i = 0; i < 3; i++)
        story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"x\"}");
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"y\"}");
    assert_int_equal(runs(s), 1);
    VEC_EACH (&s->store.kept, i)
        assert_true(s->store.kept.items[i].run_no != 0);
    assert_int_equal(s->store.kept.count, 4);
    story_free(s);
}

static void a_paused_dag_keeps_nothing(void **state)
{
    (void)state;
    struct story *s = given("[\"x\",\"y\"]");
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"x\"}");
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"c\",\"paused\":true}");
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"y\"}");
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"c\",\"paused\":false}");
    assert_int_equal(runs(s), 0);
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"y\"}"); /* x was kept before */
    assert_int_equal(runs(s), 1);
    story_free(s);
}

static void what_a_user_drops_is_waited_for_again(void **state)
{
    (void)state;
    struct story *s = given("[\"x\",\"y\"]");
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"x\"}");
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"x\"}");
    story_request_json(s, "{\"kind\":\"drop_events\",\"dag_id\":\"c\",\"what\":\"y\"}");
    assert_int_equal(s->store.kept.count, 2); /* another asset's */
    char first[100];
    snprintf(first, sizeof first, "{\"kind\":\"drop_events\",\"event_no\":%lld}",
             (long long)s->store.events.items[0].event_no);
    story_request_json(s, first);
    assert_int_equal(s->store.kept.count, 1); /* the second is newer */
    story_request_json(s, "{\"kind\":\"drop_events\",\"dag_id\":\"c\",\"what\":\"x\"}");
    assert_int_equal(s->store.kept.count, 0);
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"y\"}");
    assert_int_equal(runs(s), 0);
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"x\"}");
    assert_int_equal(runs(s), 1);
    story_free(s);
}

static void each_instance_of_a_mapped_task_updates(void **state)
{
    (void)state;
    struct dag *dag = dag_words("m=empty");
    dag->tasks[0].outlets = dag_value(dag, "[\"x\"]");
    dag->tasks[0].for_each = dag_value(dag, "[1,2]");
    struct story *s = story_new();
    story_dag(s, dag);
    story_trigger(s, "d", "r1");
    assert_int_equal(s->store.events.count, 2);
    assert_int_equal(s->store.events.items[1].map_index, 1);
    story_free(s);
}

static void a_new_version_may_wait_for_something_else(void **state)
{
    (void)state;
    struct story *s = given("[\"x\"]");
    struct dag *dag = dag_words("c");
    dag->id = STR("c");
    dag->schedule = dag_value(dag, "{\"assets\":[\"y\"]}");
    struct core_out out;
    core_step(s->core,
              &(struct core_event) {
                  .type = CORE_DAG,
                  .now_ms = s->now_ms,
                  .wall_ms = s->wall_ms,
                  .dag = { .dag_no = 2, .version_no = 77, .dag = dag, .newest = true } },
              &out);
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"x\"}");
    assert_int_equal(s->store.kept.count, 0);
    story_request_json(s, "{\"kind\":\"asset_event\",\"what\":\"y\"}");
    assert_int_equal(runs(s), 1);
    story_free(s);
}

TESTS(CASE(an_update_starts_the_dag_that_waits_for_it),
      CASE(the_event_is_in_the_transaction_of_the_success),
      CASE(a_failure_updates_nothing_and_neither_does_a_user),
      CASE(all_assets_must_have_been_updated_since_the_last_run),
      CASE(any_asset_is_enough_where_it_says_so), CASE(conditions_nest),
      CASE(one_run_takes_all_events_that_are_kept), CASE(a_paused_dag_keeps_nothing),
      CASE(what_a_user_drops_is_waited_for_again), CASE(each_instance_of_a_mapped_task_updates),
      CASE(a_new_version_may_wait_for_something_else))
