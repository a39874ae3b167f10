// SPDX-License-Identifier: Apache-2.0
#include "common/model/dag.h"

#include "common/text/json.h"
#include "tests/support/test.h"

static void upstream_set(struct dag *dag, uint32_t task, uint32_t count, const uint32_t *upstream)
{
    dag->tasks[task].upstream = arena_copy(&dag->arena, upstream, count * sizeof *upstream);
    dag->tasks[task].upstream_count = count;
}

/* a -> b -> d, a -> c -> d */
static struct dag *diamond(void)
{
    struct dag *dag = dag_new(4);
    const char *ids[] = { "a", "b", "c", "d" };
    for (int i = 0; i < 4; i++)
        dag->tasks[i].id = str_of(ids[i]);
    upstream_set(dag, 1, 1, (uint32_t[]) { 0 });
    upstream_set(dag, 2, 1, (uint32_t[]) { 0 });
    upstream_set(dag, 3, 2, (uint32_t[]) { 1, 2 });
    return dag;
}

static void building_derives_edges_weights_and_who_decides(void **state)
{
    (void)state;
    struct dag *dag = diamond();
    dag->tasks[3].priority_weight = 10;
    assert_int_equal(dag_build(dag, NULL), 0);
    assert_int_equal(dag->tasks[0].downstream_count, 2);
    assert_int_equal(dag->tasks[0].weight, 13); /* d counts once although two ways lead to it */
    assert_int_equal(dag->tasks[1].weight, 11);
    assert_int_equal(dag->tasks[3].weight, 10);
    assert_true(dag->tasks[3].decides);
    assert_false(dag->tasks[0].decides);
    assert_int_equal(dag_find_task(dag, STR("c")), 2);
    assert_int_equal(dag_find_task(dag, STR("x")), -1);
    dag_free(dag);
}

static void weights_count_upstream_or_not_at_all_as_the_rule_says(void **state)
{
    (void)state;
    struct dag *dag = diamond();
    dag->tasks[3].weight_rule = WEIGHT_UPSTREAM;
    dag->tasks[0].weight_rule = WEIGHT_ABSOLUTE;
    assert_int_equal(dag_build(dag, NULL), 0);
    assert_int_equal(dag->tasks[3].weight, 4);
    assert_int_equal(dag->tasks[0].weight, 1);
    dag_free(dag);
}

static void weights_reach_over_more_than_one_block(void **state)
{
    (void)state;
    struct dag *dag = dag_new(200);
    for (uint32_t i = 0; i < 200; i++) {
        dag->tasks[i].id = str_format(&dag->arena, "t%u", i);
        if (i > 0)
            upstream_set(dag, i, 1, (uint32_t[]) { i - 1 });
    }
    assert_int_equal(dag_build(dag, NULL), 0);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(dag->tasks[i].weight, 200 - (int)i);
    dag_free(dag);
}

static void a_teardown_does_not_decide(void **state)
{
    (void)state;
    struct dag *dag = diamond();
    dag->tasks[3].teardown = value_list(&dag->arena);
    assert_int_equal(dag_build(dag, NULL), 0);
    assert_false(dag->tasks[3].decides);
    assert_true(dag->tasks[1].decides && dag->tasks[2].decides);
    dag_free(dag);
}

static void a_cycle_is_named(void **state)
{
    (void)state;
    struct dag *dag = diamond();
    upstream_set(dag, 1, 2, (uint32_t[]) { 0, 3 });
    struct err err = { 0 };
    assert_int_equal(dag_build(dag, &err), ERR_INVALID);
    assert_string_equal(err.sentence, "these tasks wait for each other: b -> d -> b");
    dag_free(dag);
}

static void two_tasks_of_one_id_are_refused(void **state)
{
    (void)state;
    struct dag *dag = diamond();
    dag->tasks[2].id = STR("b");
    struct err err = { 0 };
    assert_int_equal(dag_build(dag, &err), ERR_INVALID);
    assert_string_equal(err.sentence, "two tasks have the id b");
    dag_free(dag);
}

static void the_same_dag_gives_the_same_bytes_and_is_read_back(void **state)
{
    (void)state;
    struct dag *dag = diamond();
    struct arena arena = { 0 };
    dag->id = STR("d1");
    dag->schedule = value_null(&dag->arena);
    dag->fail_fast = true;
    dag->start_ms = 5;
    dag->groups = ARENA_NEW(&dag->arena, struct dag_group);
    dag->groups[0] = (struct dag_group) { STR("g"), STR("tip"), -1 };
    dag->group_count = 1;
    dag->tasks[1].operator_kind = OPERATOR_BASH;
    struct value *args = value_map(&dag->arena);
    value_put(&dag->arena, args, STR("command"), value_string(&dag->arena, STR("echo {{ ds }}")));
    dag->tasks[1].operator_args = args;
    dag->tasks[1].trigger_rule = RULE_ONE_DONE;
    dag->tasks[1].retry_backoff = 1.5;
    dag->tasks[1].retry_jitter = JITTER_FULL;
    dag->tasks[1].tolerate_failures = (struct tolerance) { 3, 2.5 };
    assert_int_equal(dag_build(dag, NULL), 0);

    struct str json = dag_to_json(dag, &arena);
    struct dag *again = NULL;
    struct err err = { 0 };
    assert_int_equal(dag_from_json(json, &again, &err), 0);
    assert_true(str_eq(json, dag_to_json(again, &arena)));
    assert_true(again->fail_fast);
    assert_int_equal(again->max_active_runs, 16);
    assert_int_equal(again->tasks[1].trigger_rule, RULE_ONE_DONE);
    assert_int_equal(again->tasks[1].tolerate_failures.count, 3);
    assert_int_equal(again->tasks[3].upstream_count, 2);
    assert_int_equal(again->tasks[0].weight, 4);
    assert_str(again->groups[0].tooltip, "tip");
    dag_free(again);
    dag_free(dag);
    arena_clear(&arena);
}

static void a_stored_form_that_does_not_fit_says_where(void **state)
{
    (void)state;
    struct dag *dag = NULL;
    struct err err = { 0 };
    assert_int_equal(
        dag_from_json(STR("{\"id\":\"x\",\"tasks\":[{\"id\":\"a\",\"retries\":\"two\"}]}"), &dag,
                      &err),
        ERR_INVALID);
    assert_string_equal(
        err.sentence,
        "reading the stored form of a DAG: task number 0: field retries does not fit");
    assert_int_equal(
        dag_from_json(STR("{\"id\":\"x\",\"tasks\":[{\"id\":\"a\",\"upstream\":[4]}]}"), &dag,
                      &err),
        ERR_INVALID);
    assert_int_equal(dag_from_json(STR("[]"), &dag, &err), ERR_INVALID);
    assert_null(dag);
}

TESTS(CASE(building_derives_edges_weights_and_who_decides),
      CASE(weights_count_upstream_or_not_at_all_as_the_rule_says),
      CASE(weights_reach_over_more_than_one_block), CASE(a_teardown_does_not_decide),
      CASE(a_cycle_is_named), CASE(two_tasks_of_one_id_are_refused),
      CASE(the_same_dag_gives_the_same_bytes_and_is_read_back),
      CASE(a_stored_form_that_does_not_fit_says_where))
