// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

#include <stdio.h>

static uint32_t placed(struct story *s, const char *names)
{
    uint32_t count = 0;
    char name[2] = "";
    for (; *names != '\0'; names++) {
        name[0] = *names;
        count += story_is_placed(s, name);
    }
    return count;
}

static void the_heavier_goes_first_and_then_the_older(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("a b c");
    dag->tasks[1].weight = 10;
    story_dag(s, dag);
    story_trigger(s, "d", "r1");
    story_trigger(s, "d", "r2");
    story_worker(s, "w1", 1);
    const char *expected[] = { "b", "b", "a", "c", "a", "c" };
    const char *runs[] = { "r1", "r2", "r1", "r1", "r2", "r2" };
    for (int i = 0; i < 6; i++) {
        assert_string_equal(story_attempt(s, expected[i])->run, runs[i]);
        story_succeeds(s, expected[i]);
    }
    story_free(s);
}

/* One slot, a light task of an old run, and ever new heavy ones. */
static struct story *given_a_stream_of_heavy_ones(int64_t ageing_ms)
{
    struct core_limits limits = story_limits();
    limits.ageing_ms = ageing_ms;
    struct story *s = story_new_with(&limits);
    struct dag *light = dag_words("a"), *heavy = dag_words("b");
    heavy->tasks[0].weight = heavy->tasks[0].priority_weight = 4;
    heavy->id = STR("heavy");
    story_dag(s, light);
    story_dag(s, heavy);
    story_worker(s, "w1", 1);
    story_trigger(s, "heavy", "h0");
    story_trigger(s, "d", "light");
    return s;
}

/* After how many heavy ones, one each ten seconds, the light one has its turn; 0: never. */
static uint32_t overtaken(struct story *s, bool with_new_leader)
{
    char name[16];
    for (uint32_t i = 1; i < 30; i++) {
        (void)snprintf(name, sizeof name, "h%u", i);
        story_trigger(s, "heavy", name);
        story_wait(s, 10000);
        if (with_new_leader && i == 2)
            story_takeover(s);
        story_succeeds(s, "b");
        if (story_is_placed(s, "a"))
            return i;
    }
    return 0;
}

static void what_waits_long_is_not_overtaken_for_ever(void **state)
{
    (void)state;
    for (int takeover = 0; takeover < 2; takeover++) {
        struct story *s = given_a_stream_of_heavy_ones(20000);
        /* Three points of weight are three times twenty seconds. */
        assert_int_equal(overtaken(s, takeover != 0), 7);
        story_free(s);
    }
    struct story *s = given_a_stream_of_heavy_ones(0);
    assert_int_equal(overtaken(s, false), 0);
    story_free(s);
}

static void the_priority_of_a_dag_comes_before_weights(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *low = dag_words("a"), *high = dag_words("b");
    low->tasks[0].weight = 1000;
    high->id = STR("high");
    high->priority = 1;
    story_dag(s, low);
    story_dag(s, high);
    story_trigger(s, "d", "r1");
    story_trigger(s, "high", "r2");
    story_worker(s, "w1", 1);
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

static void a_full_pool_hides_nothing(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("a b c d");
    for (int i = 0; i < 3; i++) {
        dag->tasks[i].pool = STR("small");
        dag->tasks[i].weight = 100;
    }
    story_dag(s, dag);
    story_pool(s, "small", 1);
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    assert_true(story_is_placed(s, "a") && story_is_placed(s, "d"));
    assert_int_equal(placed(s, "abc"), 1);
    story_succeeds(s, "a");
    assert_true(story_is_placed(s, "b"));
    story_pool(s, "small", 2);
    assert_int_equal(placed(s, "bc"), 2);
    story_free(s);
}

static void a_big_task_does_not_hold_back_small_ones_of_its_pool(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("a b c");
    for (int i = 0; i < 3; i++)
        dag->tasks[i].pool = STR("p");
    dag->tasks[1].pool_slots = 3;
    dag->tasks[1].weight = 100;
    dag->tasks[0].weight = 200;
    story_dag(s, dag);
    story_pool(s, "p", 3);
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    assert_true(story_is_placed(s, "a") && story_is_placed(s, "c") && !story_is_placed(s, "b"));
    story_succeeds(s, "a");
    story_succeeds(s, "c");
    assert_true(story_is_placed(s, "b"));
    story_free(s);
}

static void a_run_at_its_limit_hides_no_other_run(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("a b c"), *other = dag_words("x");
    dag->max_active_tasks = 1;
    dag->priority = 5;
    other->id = STR("other");
    story_dag(s, dag);
    story_dag(s, other);
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    story_trigger(s, "other", "r2");
    assert_int_equal(placed(s, "abc"), 1);
    assert_true(story_is_placed(s, "x"));
    story_succeeds(s, "a");
    assert_int_equal(placed(s, "bc"), 1);
    story_free(s);
}

/* The first of a run's tasks that gets through its limit may wait for a full pool: the next one
 * must not wait with it. */
static void a_limit_and_a_full_pool_together_hide_nothing(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("a b c d");
    dag->max_active_tasks = 2;
    dag->tasks[1].pool = dag->tasks[2].pool = STR("none");
    dag->tasks[0].weight = 9;
    dag->tasks[1].weight = dag->tasks[2].weight = 5;
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    assert_true(story_is_placed(s, "a") && story_is_placed(s, "d"));
    story_free(s);
}

static void instances_of_a_task_are_limited_in_a_run_and_in_its_dag(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("a b");
    dag->tasks[0].for_each = dag_value(dag, "[1,2,3]");
    dag->tasks[0].max_active_tis_per_dagrun = 2;
    dag->tasks[1].max_active_tis_per_dag = 1;
    story_dag(s, dag);
    story_worker(s, "w1", 20);
    story_trigger(s, "d", "r1");
    story_trigger(s, "d", "r2");
    uint32_t a = 0, b = 0;
    for (uint32_t i = 0; i < s->workers.items[0]->attempts.count; i++) {
        a += s->workers.items[0]->attempts.items[i].task[0] == 'a';
        b += s->workers.items[0]->attempts.items[i].task[0] == 'b';
    }
    assert_int_equal(a, 4);
    assert_int_equal(b, 1);
    story_succeeds(s, "a[0]");
    assert_true(story_is_placed(s, "a[2]"));
    story_free(s);
}

static void parallelism_bounds_everything(void **state)
{
    (void)state;
    struct core_limits limits = story_limits();
    limits.parallelism = 2;
    struct story *s = story_new_with(&limits);
    story_dag(s, dag_words("a b c"));
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    assert_int_equal(placed(s, "abc"), 2);
    story_succeeds(s, "a");
    assert_int_equal(placed(s, "bc"), 2);
    story_free(s);
}

static void a_queue_is_served_by_its_workers_alone(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("a b");
    dag->tasks[0].queue = STR("gpu");
    dag->tasks[0].weight = 50;
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    story_trigger(s, "d", "r1");
    assert_false(story_is_placed(s, "a"));
    assert_true(story_is_placed(s, "b"));
    story_worker_of(s, "w2", 1, "gpu,other");
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void work_goes_to_the_worker_with_most_room(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, dag_words("a b c d"));
    struct story_worker *w1 = story_worker(s, "w1", 3), *w2 = story_worker(s, "w2", 3);
    story_trigger(s, "d", "r1");
    assert_int_equal(w1->attempts.count, 2);
    assert_int_equal(w2->attempts.count, 2);
    story_free(s);
}

static void runs_beyond_the_limit_wait_in_order(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_chain(1);
    dag->max_active_runs = 1;
    story_dag(s, dag);
    story_worker(s, "w1", 8);
    for (int i = 1; i <= 3; i++) {
        char id[8];
        snprintf(id, sizeof id, "r%d", i);
        story_trigger(s, "d", id);
    }
    assert_string_equal(story_attempt(s, "a")->run, "r1");
    story_succeeds(s, "a");
    assert_string_equal(story_attempt(s, "a")->run, "r2");
    story_takeover(s);
    story_succeeds(s, "a");
    assert_string_equal(story_attempt(s, "a")->run, "r3");
    story_free(s);
}

static void a_small_batch_does_everything_over_several_commits(void **state)
{
    (void)state;
    struct core_limits limits = story_limits();
    limits.batch_writes_max = 3;
    struct story *s = story_new_with(&limits);
    struct dag *dag =
        dag_words("a=empty b:a=empty c:b=empty d:c=empty e:d=empty f:e=empty g:f=empty h:g");
    story_dag(s, dag);
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    assert_true(story_is_placed(s, "h"));
    story_free(s);
}

static void nothing_is_sent_before_its_commit(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, dag_chain(2));
    story_worker(s, "w1", 1);
    s->hold_commits = true;
    story_trigger(s, "d", "r1");
    assert_false(story_is_placed(s, "a"));
    TRACE(s, "");
    story_commit(s);
    assert_true(story_is_placed(s, "a"));
    s->show_sends = true;
    (void)story_trace(s);
    story_succeeds(s, "a");
    TRACE(s, "");
    story_commit(s);
    TRACE(s, "[    0] a: queued -> success (its process ended well)\n"
             "[    0] b: none -> queued (given to a worker)\n"
             "[    0] -> w1: grant b try 1\n"
             "[    0] -> w1: ack 1\n");
    story_free(s);
}

TESTS(CASE(the_heavier_goes_first_and_then_the_older),
      CASE(what_waits_long_is_not_overtaken_for_ever),
      CASE(the_priority_of_a_dag_comes_before_weights), CASE(a_full_pool_hides_nothing),
      CASE(a_big_task_does_not_hold_back_small_ones_of_its_pool),
      CASE(a_run_at_its_limit_hides_no_other_run),
      CASE(a_limit_and_a_full_pool_together_hide_nothing),
      CASE(instances_of_a_task_are_limited_in_a_run_and_in_its_dag),
      CASE(parallelism_bounds_everything), CASE(a_queue_is_served_by_its_workers_alone),
      CASE(work_goes_to_the_worker_with_most_room), CASE(runs_beyond_the_limit_wait_in_order),
      CASE(a_small_batch_does_everything_over_several_commits),
      CASE(nothing_is_sent_before_its_commit))
