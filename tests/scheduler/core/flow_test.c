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

static void an_upstream_failure_is_passed_on_and_all_done_runs(void **state)
{
    (void)state;
    struct story *s = given(dag_words("a b:a c:b d:c?all_done"));
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    TRACE(s, "[    0] a: queued -> failed (its process failed)\n"
             "[    0] b: none -> upstream_failed (its trigger rule can no longer be met)\n"
             "[    0] c: none -> upstream_failed (its trigger rule can no longer be met)\n"
             "[    0] d: none -> queued (given to a worker)\n");
    story_succeeds(s, "d");
    TRACE(s, "[    0] d: queued -> success (its process ended well)\n"
             "[    0] run r1: success (all its tasks are done)\n");
    story_free(s);
}

static void who_is_upstream_failed_says_because_of_whom(void **state)
{
    (void)state;
    struct story *s = given(dag_words("a b c:a,b d:c"));
    story_trigger(s, "d", "r1");
    story_ends(s, "b", OUTCOME_FAILED, 1);
    const struct model_run *run = &s->store.runs.items[0];
    assert_true(str_is(model_store_newest(run, 2, -1)->row.error,
                       "its trigger rule all_success can no longer be met: task b failed"));
    assert_true(
        str_is(model_store_newest(run, 3, -1)->row.error,
               "its trigger rule all_success can no longer be met: task c is upstream_failed"));
    story_free(s);
}

static void one_success_starts_before_the_others_end(void **state)
{
    (void)state;
    struct story *s = given(dag_words("a b c:a,b?one_success"));
    story_trigger(s, "d", "r1");
    story_succeeds(s, "b");
    assert_true(story_is_placed(s, "c"));
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void an_empty_task_ends_inside_the_scheduler(void **state)
{
    (void)state;
    struct story *s = given(dag_words("a=empty b:a=empty c:b=empty"));
    story_trigger(s, "d", "r1");
    TRACE(s, "[    0] run r1: queued (requested by a user)\n"
             "[    0] run r1: running (requested by a user)\n"
             "[    0] a: none -> success (there was nothing to run)\n"
             "[    0] b: none -> success (there was nothing to run)\n"
             "[    0] c: none -> success (there was nothing to run)\n"
             "[    0] run r1: success (all its tasks are done)\n");
    story_free(s);
}

static void a_false_condition_skips(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b:a");
    dag->tasks[0].when = STR("conf.go | default(false)");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    assert_int_equal(story_state(s, "a"), TASK_SKIPPED);
    assert_int_equal(story_state(s, "b"), TASK_SKIPPED);
    story_request_json(
        s, "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"r2\",\"conf\":{\"go\":true}}");
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void an_expression_that_cannot_be_evaluated_fails_its_task(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b:a");
    dag->tasks[1].operator_args = dag_value(dag, "{\"command\":\"echo {{ xcom.a.x }}\"}");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    assert_int_equal(story_state(s, "b"), TASK_FAILED);
    const struct model_run *run = &s->store.runs.items[0];
    assert_non_null(strstr(str_cstr(&s->arena, model_store_newest(run, 1, -1)->row.error),
                           "task a has no output"));
    story_free(s);
}

static void outputs_reach_those_who_read_them(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a b:a");
    dag->tasks[1].operator_args =
        dag_value(dag, "{\"command\":\"echo {{ xcom.a.n + 1 }} {{ ti.try_number }}\"}");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_outputs(s, "a", "{\"n\":41}");
    assert_string_equal(story_attempt(s, "b")->command, "echo 42 1");
    story_free(s);
}

static struct dag *branching(void)
{
    struct dag *dag =
        dag_words("a b:a=branch left:b right:b both:left,right?none_failed_min_one_success b2:b");
    dag_task(dag, "b")->operator_args = dag_value(
        dag, "{\"cases\":[{\"when\":\"xcom.a > 5\",\"then\":[\"left\"]}],\"default\":[\"right\"]}");
    return dag;
}

static void a_branch_skips_what_it_does_not_choose(void **state)
{
    (void)state;
    struct story *s = given(branching());
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    story_outputs(s, "a", "7");
    TRACE(s, "[    0] a: queued -> success (its process ended well)\n"
             "[    0] b: none -> success (there was nothing to run)\n"
             "[    0] right: none -> skipped (the branch took another way)\n"
             "[    0] b2: none -> skipped (the branch took another way)\n"
             "[    0] left: none -> queued (given to a worker)\n");
    assert_str(story_output(s, "b"), "[\"left\"]");
    story_succeeds(s, "left");
    assert_true(story_is_placed(s, "both"));
    story_free(s);
}

static void a_branch_decision_holds_for_what_is_cleared_without_it(void **state)
{
    (void)state;
    struct story *s = given(branching());
    story_trigger(s, "d", "r1");
    story_outputs(s, "a", "1");
    assert_int_equal(story_state(s, "left"), TASK_SKIPPED);
    story_takeover(s);
    story_request_json(s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{"
                          "\"task_id\":\"left\"}]}");
    assert_int_equal(story_state(s, "left"), TASK_SKIPPED);
    assert_false(story_is_placed(s, "left"));
    story_free(s);
}

static void what_lies_behind_a_chosen_task_is_kept(void **state)
{
    (void)state;
    struct dag *dag = dag_words("b=branch work:b join:b,work?none_failed_min_one_success other:b");
    dag_task(dag, "b")->operator_args = dag_value(dag, "{\"cases\":[],\"default\":[\"work\"]}");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "work");
    assert_true(story_is_placed(s, "join"));
    assert_int_equal(story_state(s, "other"), TASK_SKIPPED);
    story_free(s);
}

static void a_short_circuit_skips_everything_behind_it(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a=short_circuit b:a c:b?all_done d");
    dag_task(dag, "a")->operator_args = dag_value(dag, "{\"condition\":\"1 > 2\"}");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    assert_int_equal(story_state(s, "a"), TASK_SUCCESS);
    assert_int_equal(story_state(s, "b"), TASK_SKIPPED);
    assert_int_equal(story_state(s, "c"), TASK_SKIPPED);
    assert_true(story_is_placed(s, "d"));
    story_free(s);
}

static void a_short_circuit_may_leave_the_rest_to_their_rules(void **state)
{
    (void)state;
    struct dag *dag = dag_words("a=short_circuit b:a c:b?all_done");
    dag_task(dag, "a")->operator_args =
        dag_value(dag, "{\"condition\":\"false\",\"respect_trigger_rules\":true}");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    assert_int_equal(story_state(s, "b"), TASK_SKIPPED);
    assert_true(story_is_placed(s, "c"));
    story_free(s);
}

static struct dag *mapped(const char *for_each)
{
    struct dag *dag = dag_words("a b:a c:b");
    dag_task(dag, "b")->for_each = dag_value(dag, for_each);
    dag_task(dag, "b")->operator_args = dag_value(dag, "{\"command\":\"do {{ item | tojson }}\"}");
    dag_task(dag, "c")->operator_args =
        dag_value(dag, "{\"command\":\"sum {{ xcom.b | tojson }}\"}");
    return dag;
}

static void a_mapped_task_has_an_instance_for_each_element(void **state)
{
    (void)state;
    struct story *s = given(mapped("\"{{ xcom.a }}\""));
    story_trigger(s, "d", "r1");
    story_outputs(s, "a", "[\"x\",\"y\"]");
    assert_string_equal(story_attempt(s, "b[1]")->command, "do \"y\"");
    story_outputs(s, "b[1]", "20");
    assert_false(story_is_placed(s, "c"));
    story_outputs(s, "b[0]", "10");
    assert_string_equal(story_attempt(s, "c")->command, "sum [10,20]");
    story_free(s);
}

static void a_rule_counts_each_instance_of_a_mapped_task(void **state)
{
    (void)state;
    struct dag *dag = dag_words("b c:b?one_failed d:b?all_failed e:b");
    dag_task(dag, "b")->for_each = dag_value(dag, "[1,2]");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_ends(s, "b[1]", OUTCOME_FAILED, 1);
    assert_true(story_is_placed(s, "c"));
    assert_int_equal(story_state(s, "d"), TASK_NONE);
    assert_int_equal(story_state(s, "e"), TASK_UPSTREAM_FAILED);
    story_succeeds(s, "b[0]");
    assert_int_equal(story_state(s, "d"), TASK_SKIPPED);
    story_free(s);
}

static void one_that_tolerates_failures_counts_as_a_whole(void **state)
{
    (void)state;
    struct dag *dag = dag_words("b c:b?one_failed d:b");
    dag_task(dag, "b")->for_each = dag_value(dag, "[1,2]");
    dag_task(dag, "b")->tolerate_failures.count = 1;
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_ends(s, "b[1]", OUTCOME_FAILED, 1);
    assert_int_equal(story_state(s, "c"), TASK_NONE);
    story_succeeds(s, "b[0]");
    assert_int_equal(story_state(s, "c"), TASK_SKIPPED);
    assert_true(story_is_placed(s, "d"));
    story_free(s);
}

static void an_instance_that_is_cleared_no_longer_counts(void **state)
{
    (void)state;
    struct dag *dag = dag_words("b c:b?all_done d:b?one_success");
    dag_task(dag, "b")->for_each = dag_value(dag, "[1,2]");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_ends(s, "b[0]", OUTCOME_FAILED, 1);
    story_request_json(s, "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r1\",\"tasks\":[{"
                          "\"task_id\":\"b\",\"map_index\":0}]}");
    story_ends(s, "b[1]", OUTCOME_FAILED, 1);
    assert_int_equal(story_state(s, "c"), TASK_NONE);
    assert_int_equal(story_state(s, "d"), TASK_NONE);
    story_succeeds(s, "b[0]");
    assert_true(story_is_placed(s, "c"));
    assert_true(story_is_placed(s, "d"));
    story_free(s);
}

static void a_mapping_of_lists_gives_all_combinations(void **state)
{
    (void)state;
    struct story *s = given(mapped("{\"p\":[1,2],\"q\":[\"a\",\"b\",\"c\"]}"));
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    assert_string_equal(story_attempt(s, "b[0]")->command, "do {\"p\":1,\"q\":\"a\"}");
    assert_string_equal(story_attempt(s, "b[5]")->command, "do {\"p\":2,\"q\":\"c\"}");
    assert_false(story_is_placed(s, "b[6]"));
    story_free(s);
}

static struct str label_of(struct story *s, int32_t map_index)
{
    return model_store_newest(&s->store.runs.items[0], 1, map_index)->row.map_label;
}

static void an_instance_of_a_mapped_task_has_a_label(void **state)
{
    (void)state;
    struct dag *dag = mapped("[{\"city\":\"Lisboa\"},{\"city\":\"Porto\"}]");
    dag_task(dag, "b")->map_label = STR("{{ ti.map_index }}: {{ item.city }} ({{ xcom.a }})");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_outputs(s, "a", "\"x\"");
    assert_str(label_of(s, 0), "0: Lisboa (x)");
    assert_str(label_of(s, 1), "1: Porto (x)");
    story_free(s);
}

static void a_label_that_cannot_be_made_is_left_out(void **state)
{
    (void)state;
    struct dag *dag = mapped("[{\"city\":\"Lisboa\"},{\"town\":\"Sintra\"}]");
    dag_task(dag, "b")->map_label = STR("{{ item.city }}");
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    assert_str(label_of(s, 0), "Lisboa");
    assert_str(label_of(s, 1), "");
    assert_true(story_is_placed(s, "b[1]"));
    story_free(s);
}

static void a_label_shows_no_secret(void **state)
{
    (void)state;
    struct dag *dag = mapped("[1]");
    struct core_out out;
    dag_task(dag, "b")->map_label = STR("{{ var.value.db_password }}");
    struct story *s = given(dag);
    core_step(s->core,
              &(struct core_event) {
                  .type = CORE_VARIABLE,
                  .now_ms = s->now_ms,
                  .wall_ms = s->wall_ms,
                  .variable = { STR("db_password"), dag_value(dag, "\"hunter2\""), true } },
              &out);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    assert_str(label_of(s, 0), "");
    story_free(s);
}

static void a_label_is_cut_between_characters(void **state)
{
    (void)state;
    struct dag *dag = mapped("[1]");
    struct buf label = { 0 };
    buf_add_byte(&label, 'x');
    for (int i = 0; i < 200; i++)
        buf_add_cstr(&label, "\xC3\xA9");
    dag_task(dag, "b")->map_label = str_copy(&dag->arena, buf_str(&label));
    buf_clear(&label);
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    assert_int_equal(label_of(s, 0).size, 249);
    story_free(s);
}

static void an_empty_list_skips(void **state)
{
    (void)state;
    struct story *s = given(mapped("[]"));
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    assert_int_equal(story_state(s, "b"), TASK_SKIPPED);
    assert_int_equal(story_state(s, "c"), TASK_SKIPPED);
    story_free(s);
}

static void a_list_that_is_too_long_fails(void **state)
{
    (void)state;
    struct core_limits limits = story_limits();
    limits.map_length_max = 2;
    struct story *s = story_new_with(&limits);
    story_dag(s, mapped("[1,2,3]"));
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    assert_int_equal(story_state(s, "b"), TASK_FAILED);
    story_free(s);
}

static void some_failures_of_a_mapped_task_may_be_tolerated(void **state)
{
    (void)state;
    struct dag *dag = mapped("[1,2,3]");
    dag_task(dag, "b")->tolerate_failures.percent = 34;
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    story_ends(s, "b[0]", OUTCOME_FAILED, 1);
    story_succeeds(s, "b[1]");
    story_succeeds(s, "b[2]");
    assert_true(story_is_placed(s, "c"));
    story_free(s);
}

static void one_failure_fails_a_mapped_task(void **state)
{
    (void)state;
    struct story *s = given(mapped("[1,2]"));
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    story_ends(s, "b[0]", OUTCOME_FAILED, 1);
    story_succeeds(s, "b[1]");
    assert_int_equal(story_state(s, "c"), TASK_UPSTREAM_FAILED);
    story_free(s);
}

static void a_mapped_task_goes_on_under_the_next_leader(void **state)
{
    (void)state;
    struct dag *dag = mapped("[1,2,3,4]");
    dag->max_active_tasks = 2;
    struct story *s = given(dag);
    story_trigger(s, "d", "r1");
    story_succeeds(s, "a");
    story_outputs(s, "b[0]", "1");
    story_takeover(s);
    story_outputs(s, "b[1]", "2");
    story_outputs(s, "b[2]", "3");
    story_outputs(s, "b[3]", "4");
    assert_string_equal(story_attempt(s, "c")->command, "sum [1,2,3,4]");
    story_free(s);
}

static struct story *triggering_with(bool wait, uint16_t retries, int64_t execution_timeout_ms)
{
    struct dag *parent = dag_words("t=trigger_dag after:t"), *child = dag_chain(1);
    parent->id = STR("parent");
    child->id = STR("child");
    parent->tasks[0].operator_args =
        dag_value(parent, wait ? "{\"dag_id\":\"child\",\"wait\":true,\"conf\":{\"n\":1}}"
                               : "{\"dag_id\":\"child\"}");
    parent->tasks[0].execution_timeout_ms = execution_timeout_ms;
    parent->tasks[0].retries = retries;
    parent->tasks[0].retry_delay_ms = 10000;
    struct story *s = given(parent);
    story_dag(s, child);
    story_trigger(s, "parent", "r1");
    return s;
}

static struct story *triggering(bool wait)
{
    return triggering_with(wait, 0, 0);
}

/* a starts b and b starts a, each with this conf. */
static struct story *circling(const char *a_args, const char *b_args)
{
    struct dag *a = dag_words("t=trigger_dag"), *b = dag_words("u=trigger_dag");
    a->id = STR("a");
    b->id = STR("b");
    a->tasks[0].operator_args = dag_value(a, a_args);
    b->tasks[0].operator_args = dag_value(b, b_args);
    struct story *s = given(a);
    story_dag(s, b);
    story_trigger(s, "a", "r1");
    return s;
}

static void
dags_that_start_each_other_and_wait_are_told_so_instead_of_going_on_for_ever(void **state)
{
    (void)state;
    struct story *s =
        circling("{\"dag_id\":\"b\",\"wait\":true}", "{\"dag_id\":\"a\",\"wait\":true}");
    assert_int_equal(s->store.runs.count, 2);
    assert_int_equal(s->store.runs.items[0].row.state, RUN_FAILED);
    assert_int_equal(s->store.runs.items[1].row.state, RUN_FAILED);
    assert_str(s->store.runs.items[1].tries.items[0].row.error,
               "trigger_dag: a -> b -> a: each waits for the next, so that none would ever end; "
               "give the run another conf, or do not wait for it");
    story_free(s);
}

static void a_circle_is_seen_by_another_leader_too(void **state)
{
    (void)state;
    struct dag *a = dag_words("t=trigger_dag"), *b = dag_words("first u:first=trigger_dag");
    a->id = STR("a");
    b->id = STR("b");
    a->tasks[0].operator_args = dag_value(a, "{\"dag_id\":\"b\",\"wait\":true,\"conf\":{\"n\":1}}");
    b->tasks[1].operator_args = dag_value(b, "{\"dag_id\":\"a\",\"wait\":true,\"conf\":{\"n\":1}}");
    struct story *s = given(a);
    story_dag(s, b);
    story_trigger(s, "a", "r1"); /* has no conf: it may have been another thing */
    story_takeover(s);
    story_succeeds(s, "first");
    assert_int_equal(s->store.runs.count, 3);
    VEC_EACH (&s->store.runs, i)
        assert_int_equal(s->store.runs.items[i].row.state, RUN_FAILED);
    story_free(s);
}

static void a_recursion_that_changes_its_conf_comes_to_its_end(void **state)
{
    (void)state;
    struct dag *dag = dag_words("goes_on=short_circuit t:goes_on=trigger_dag");
    dag->id = STR("down");
    dag->tasks[0].operator_args = dag_value(dag, "{\"condition\":\"{{ params.n > 0 }}\"}");
    dag->tasks[1].operator_args = dag_value(
        dag, "{\"dag_id\":\"down\",\"wait\":true,\"conf\":{\"n\":\"{{ params.n - 1 }}\"}}");
    struct story *s = given(dag);
    story_request_json(
        s, "{\"kind\":\"trigger\",\"dag_id\":\"down\",\"run_id\":\"r1\",\"conf\":{\"n\":3}}");
    assert_int_equal(s->store.runs.count, 4);
    VEC_EACH (&s->store.runs, i)
        assert_int_equal(s->store.runs.items[i].row.state, RUN_SUCCESS);
    story_free(s);
}

static void a_task_triggers_a_run_of_another_dag(void **state)
{
    (void)state;
    struct story *s = triggering(false);
    assert_true(story_is_placed(s, "after"));
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void a_task_may_wait_for_the_run_it_triggers(void **state)
{
    (void)state;
    struct story *s = triggering(true);
    assert_false(story_is_placed(s, "after"));
    story_takeover(s);
    story_succeeds(s, "a");
    assert_true(story_is_placed(s, "after"));
    story_free(s);
}

static void the_waiting_task_fails_with_its_run(void **state)
{
    (void)state;
    struct story *s = triggering(true);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    assert_false(story_is_placed(s, "after"));
    assert_int_equal(s->store.runs.items[0].row.state, RUN_FAILED);
    story_free(s);
}

static enum task_state state_of_trigger(const struct story *s)
{
    return model_store_newest(&s->store.runs.items[0], 0, -1)->row.state;
}

static void a_run_that_fails_is_triggered_anew_as_the_retries_say(void **state)
{
    (void)state;
    struct story *s = triggering_with(true, 1, 0);
    story_ends(s, "a", OUTCOME_FAILED, 1);
    assert_int_equal(state_of_trigger(s), TASK_UP_FOR_RETRY);
    story_takeover(s);
    story_wait(s, 10000);
    assert_int_equal(state_of_trigger(s), TASK_DEFERRED);
    story_succeeds(s, "a");
    assert_true(story_is_placed(s, "after"));
    story_free(s);
}

static void a_task_that_waits_for_its_run_too_long_triggers_another_one(void **state)
{
    (void)state;
    struct story *s = triggering_with(true, 1, 60000);
    story_takeover(s);
    story_wait(s, 59000);
    assert_int_equal(state_of_trigger(s), TASK_DEFERRED);
    story_wait(s, 1001);
    assert_int_equal(state_of_trigger(s), TASK_UP_FOR_RETRY);
    assert_int_equal(s->store.runs.count, 2);
    story_wait(s, 10000);
    assert_int_equal(state_of_trigger(s), TASK_DEFERRED);
    assert_int_equal(s->store.runs.count, 3);
    assert_int_equal(s->store.runs.items[1].row.state, RUN_RUNNING); /* nobody stops it */
    story_wait(s, 60001);
    assert_int_equal(state_of_trigger(s), TASK_FAILED);
    story_free(s);
}

TESTS(CASE(an_upstream_failure_is_passed_on_and_all_done_runs),
      CASE(who_is_upstream_failed_says_because_of_whom),
      CASE(one_success_starts_before_the_others_end), CASE(an_empty_task_ends_inside_the_scheduler),
      CASE(a_false_condition_skips), CASE(an_expression_that_cannot_be_evaluated_fails_its_task),
      CASE(outputs_reach_those_who_read_them), CASE(a_branch_skips_what_it_does_not_choose),
      CASE(a_branch_decision_holds_for_what_is_cleared_without_it),
      CASE(what_lies_behind_a_chosen_task_is_kept),
      CASE(a_short_circuit_skips_everything_behind_it),
      CASE(a_short_circuit_may_leave_the_rest_to_their_rules),
      CASE(a_mapped_task_has_an_instance_for_each_element),
      CASE(a_rule_counts_each_instance_of_a_mapped_task),
      CASE(one_that_tolerates_failures_counts_as_a_whole),
      CASE(an_instance_that_is_cleared_no_longer_counts),
      CASE(a_mapping_of_lists_gives_all_combinations),
      CASE(an_instance_of_a_mapped_task_has_a_label), CASE(a_label_that_cannot_be_made_is_left_out),
      CASE(a_label_shows_no_secret), CASE(a_label_is_cut_between_characters),
      CASE(an_empty_list_skips), CASE(a_list_that_is_too_long_fails),
      CASE(some_failures_of_a_mapped_task_may_be_tolerated), CASE(one_failure_fails_a_mapped_task),
      CASE(a_mapped_task_goes_on_under_the_next_leader),
      CASE(dags_that_start_each_other_and_wait_are_told_so_instead_of_going_on_for_ever),
      CASE(a_circle_is_seen_by_another_leader_too),
      CASE(a_recursion_that_changes_its_conf_comes_to_its_end),
      CASE(a_task_triggers_a_run_of_another_dag), CASE(a_task_may_wait_for_the_run_it_triggers),
      CASE(the_waiting_task_fails_with_its_run),
      CASE(a_run_that_fails_is_triggered_anew_as_the_retries_say),
      CASE(a_task_that_waits_for_its_run_too_long_triggers_another_one))
