// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

static void says(struct story *s, const char *run, uint32_t task, const char *expected)
{
    const char *why = story_why(s, run, task, -1);
    if (strcmp(why, expected) != 0)
        fail_msg("it says\n%s\nand not\n%s", why, expected);
}

static void a_waiting_task_says_what_it_waits_for(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("a b:a c:a,b x");
    dag->max_active_runs = 1;
    dag->max_active_tasks = 2;
    dag->tasks[3].pool = STR("big");
    dag->tasks[3].pool_slots = 3;
    story_dag(s, dag);
    story_trigger(s, "d", "r1");
    story_trigger(s, "d", "r2");
    says(s, "r1", 0, "no worker serves queue default");
    says(
        s, "r1", 2,
        "2 of 2 upstream tasks have not ended (trigger rule all_success): a (scheduled), b (none)");
    says(s, "r1", 3, "there is no pool big\nno worker serves queue default");
    story_pool(s, "big", 2);
    says(s, "r1", 3,
         "pool big has 0 of 2 slots taken, and it needs 3\nno worker serves queue default");
    says(s, "r2", 0, "1 of 1 runs of the DAG are running (max_active_runs); 1 wait");
    story_worker(s, "w1", 1);
    says(s, "r1", 0, "worker w1 has it and has not said yet that its process runs");
    story_starts(s, "a");
    says(s, "r1", 0, "");
    says(s, "r1", 3,
         "pool big has 0 of 2 slots taken, and it needs 3\n"
         "no slot is free: 1 of 1 are taken on the 1 workers of queue default");
    story_free(s);
}

static void a_task_between_tries_says_so(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_chain(1);
    dag->tasks[0].retries = 2;
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_ends(s, "a", OUTCOME_FAILED, 1);
    says(s, "r1", 0, "try 1 of 3 failed (its process failed); it waits before the next one");
    story_free(s);
}

static void limits_are_named_with_their_figures(void **state)
{
    (void)state;
    struct core_limits limits = story_limits();
    limits.parallelism = 1;
    struct story *s = story_new_with(&limits);
    struct dag *dag = dag_words("a b");
    dag->max_active_tasks = 1;
    story_dag(s, dag);
    story_worker(s, "w1", 4);
    story_trigger(s, "d", "r1");
    says(s, "r1", 1,
         "1 of 1 tasks of this run are running (max_active_tasks)\n"
         "1 tasks are running over all DAGs, as many as may (core.parallelism)");
    story_free(s);
}

static void what_is_not_there_needs_no_reason(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct arena arena = { 0 };
    assert_int_equal(core_why(s->core, 4711, 0, -1, &arena).size, 0);
    arena_clear(&arena);
    story_free(s);
}

TESTS(CASE(a_waiting_task_says_what_it_waits_for), CASE(a_task_between_tries_says_so),
      CASE(limits_are_named_with_their_figures), CASE(what_is_not_there_needs_no_reason))
