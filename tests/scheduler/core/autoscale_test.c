// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

enum { QUIET_MS = 60000 };

static struct story *given(uint32_t instances, uint32_t max_active_tasks)
{
    struct story *s = story_new();
    struct dag *dag = dag_words("a");
    char list[256] = "[0";
    size_t size = 2;
    for (uint32_t i = 1; i < instances; i++)
        size += (size_t)snprintf(list + size, sizeof list - size, ",%u", i);
    snprintf(list + size, sizeof list - size, "]");
    dag->tasks[0].for_each = dag_value(dag, list);
    dag->max_active_tasks = max_active_tasks;
    story_dag(s, dag);
    return s;
}

static void scaled(struct story *s, uint32_t min, uint32_t max, uint32_t present)
{
    story_autoscale(s, "default", min, max, 4, QUIET_MS, present);
}

static void workers_are_asked_for_at_once(void **state)
{
    (void)state;
    struct story *s = given(10, 100);
    scaled(s, 0, 5, 0);
    assert_int_equal(s->scale_wanted, 0);
    story_trigger(s, "d", "r1");
    assert_int_equal(s->scale_wanted, 3); /* 10 tasks, 4 slots each */
    story_trigger(s, "d", "r2");
    assert_int_equal(s->scale_wanted, 5);
    story_free(s);
}

static void the_least_number_is_asked_for_without_demand(void **state)
{
    (void)state;
    struct story *s = given(1, 1);
    scaled(s, 2, 5, 0);
    assert_int_equal(s->scale_wanted, 2);
    story_free(s);
}

static void what_a_limit_holds_back_is_no_demand(void **state)
{
    (void)state;
    struct story *s = given(20, 4);
    scaled(s, 0, 5, 0);
    story_trigger(s, "d", "r1");
    assert_int_equal(s->scale_wanted, 1);
    story_free(s);
}

static void what_a_pool_holds_back_is_no_demand(void **state)
{
    (void)state;
    struct story *s = given(20, 100);
    scaled(s, 0, 5, 0);
    story_pool(s, "default_pool", 8);
    story_trigger(s, "d", "r1");
    assert_int_equal(s->scale_wanted, 2);
    story_free(s);
}

static void a_paused_dag_is_no_demand(void **state)
{
    (void)state;
    struct story *s = given(20, 100);
    story_trigger(s, "d", "r1");
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\",\"paused\":true}");
    scaled(s, 0, 5, 0);
    assert_int_equal(s->scale_wanted, 0);
    story_request_json(s, "{\"kind\":\"pause\",\"dag_id\":\"d\"}");
    assert_int_equal(s->scale_wanted, 5);
    story_free(s);
}

static void scaling_in_drains_the_emptiest_after_the_quiet_period(void **state)
{
    (void)state;
    struct story *s = given(5, 100);
    scaled(s, 0, 5, 2);
    struct story_worker *w1 = story_worker(s, "w1", 4), *w2 = story_worker(s, "w2", 4);
    story_trigger(s, "d", "r1");
    while (w1->attempts.count > 0) {
        char name[16];
        snprintf(name, sizeof name, "a[%d]", w1->attempts.items[0].map_index);
        story_succeeds(s, name);
    }
    /* Two of them are left on w2: one worker is enough. */
    story_wait(s, QUIET_MS - 1000);
    assert_false(w1->draining || w2->draining);
    story_wait(s, 12000);
    assert_true(w1->draining && w1->stopped);
    assert_false(w2->draining);
    assert_string_equal(s->scale, "w1");
    assert_int_equal(s->scale_wanted, 1);
    /* it ends, which is no loss; the other one is not heard of any more, which is one */
    w2->stopped = true;
    story_wait(s, 400000);
    assert_true(str_is(s->store.workers.items[0].worker.reason, "drained, and ended"));
    assert_true(str_is(s->store.workers.items[1].worker.reason,
                       "no news from it for the length of a lease"));
    story_free(s);
}

static void a_queue_that_is_quiet_has_one_timer_however_often_it_is_looked_at(void **state)
{
    (void)state;
    struct story *s = given(5, 100);
    scaled(s, 0, 5, 3);
    uint32_t before = core_stats(s->core).timers;
    for (int i = 0; i < 50; i++) {
        story_wait(s, 10);
        scaled(s, 0, 5, 3);
    }
    assert_in_range(core_stats(s->core).timers, before, before + 1);
    story_free(s);
}

static void a_worker_that_still_runs_is_never_stopped(void **state)
{
    (void)state;
    struct story *s = given(2, 100);
    scaled(s, 0, 5, 2);
    struct story_worker *w1 = story_worker(s, "w1", 1), *w2 = story_worker(s, "w2", 1);
    story_trigger(s, "d", "r1");
    story_wait(s, 3 * QUIET_MS);
    struct story_worker *victim = w1->draining ? w1 : w2, *other = victim == w1 ? w2 : w1;
    assert_true(victim->draining && !victim->stopped && !other->draining);
    char name[16];
    snprintf(name, sizeof name, "a[%d]", victim->attempts.items[0].map_index);
    story_succeeds(s, name);
    story_wait(s, 10000);
    assert_true(victim->stopped);
    story_free(s);
}

static void demand_that_comes_back_keeps_the_worker(void **state)
{
    (void)state;
    struct story *s = given(2, 100);
    scaled(s, 0, 5, 2);
    struct story_worker *w1 = story_worker(s, "w1", 1), *w2 = story_worker(s, "w2", 1);
    story_trigger(s, "d", "r1");
    story_wait(s, 2 * QUIET_MS);
    assert_true(w1->draining || w2->draining);
    for (int i = 2; i < 6; i++) {
        char id[8];
        snprintf(id, sizeof id, "r%d", i);
        story_trigger(s, "d", id);
    }
    story_wait(s, 10000);
    assert_false(w1->draining || w2->draining);
    story_free(s);
}

TESTS(CASE(workers_are_asked_for_at_once), CASE(the_least_number_is_asked_for_without_demand),
      CASE(what_a_limit_holds_back_is_no_demand), CASE(what_a_pool_holds_back_is_no_demand),
      CASE(a_paused_dag_is_no_demand), CASE(scaling_in_drains_the_emptiest_after_the_quiet_period),
      CASE(a_queue_that_is_quiet_has_one_timer_however_often_it_is_looked_at),
      CASE(a_worker_that_still_runs_is_never_stopped),
      CASE(demand_that_comes_back_keeps_the_worker))
