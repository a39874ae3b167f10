// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

static struct story *given(struct story_worker **out_worker)
{
    struct story *s = story_new();
    story_dag(s, dag_chain(1));
    *out_worker = story_worker(s, "w1", 1);
    s->show_sends = true;
    (void)story_trace(s);
    return s;
}

static void a_lost_grant_is_sent_again_while_its_credit_is_open(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    s->lose_grants = true;
    story_trigger(s, "d", "r1");
    story_inventory(s, w); /* it may still be on its way */
    TRACE(s, "[    0] run r1: queued (requested by a user)\n"
             "[    0] run r1: running (requested by a user)\n"
             "[    0] a: none -> queued (given to a worker)\n"
             "[    0] -> w1: grant a try 1\n");
    s->lose_grants = false;
    story_wait(s, 5000);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void an_attempt_whose_credit_is_closed_never_started(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    s->lose_grants = true;
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    VEC_RESET(&w->open); /* withdrawn; a new one takes its place */
    s->lose_grants = false;
    story_inventory(s, w);
    TRACE(s, "[    0] a: queued -> scheduled (the worker proved that it never started)\n"
             "[    0] a: scheduled -> queued (given to a worker)\n"
             "[    0] -> w1: grant a try 1\n");
    story_free(s);
}

static void a_worker_that_started_anew_without_the_attempt_proves_it_too(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    w->attempts.count = 0; /* its host lost power before the journal was written */
    w->incarnation = 2;
    w->next_seq = 1;
    w->epoch = 0;
    story_inventory(s, w);
    story_inventory(s, w);
    TRACE(s, "[    0] -> w1: sync\n"
             "[    0] a: queued -> scheduled (the worker proved that it never started)\n"
             "[    0] a: scheduled -> queued (given to a worker)\n"
             "[    0] -> w1: grant a try 1\n");
    story_free(s);
}

static void a_silent_worker_loses_its_attempt_when_the_lease_is_over(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    story_wait(s, 100000); /* the amnesty of the leader's own start is part of this */
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    w->stopped = true;
    story_wait(s, 309999);
    assert_int_equal(story_state(s, "a"), TASK_QUEUED);
    story_wait(s, 1);
    assert_int_equal(story_state(s, "a"), TASK_SCHEDULED);
    story_worker(s, "w2", 1);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

/* It is a row of history, for later leaders too, and does not count among those that there may be.
 */
static void a_worker_that_is_gone_stays_gone_until_it_comes_back(void **state)
{
    (void)state;
    struct core_limits limits = story_limits();
    limits.workers_max = 1;
    struct story *s = story_new_with(&limits);
    story_dag(s, dag_chain(1));
    struct story_worker *w = story_worker(s, "w1", 1);
    w->stopped = true;
    story_wait(s, 400000);
    assert_int_equal(s->store.workers.items[0].worker.state, WORKER_GONE);
    story_takeover_silently(s);
    story_wait(s, 400000);
    assert_int_equal(s->store.workers.items[0].worker.state, WORKER_GONE);
    story_worker(s, "w2", 1);
    assert_int_equal(s->store.workers.count, 2);
    w->stopped = false;
    story_wait(s, 10000);
    assert_int_equal(s->store.workers.items[0].worker.state, WORKER_ACTIVE);
    story_free(s);
}

static void a_new_leader_waits_for_the_amnesty(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    story_trigger(s, "d", "r1");
    w->stopped = true;
    story_wait(s, 200000);
    story_takeover(s);
    story_wait(s, 329000);
    assert_int_equal(story_state(s, "a"), TASK_QUEUED);
    story_wait(s, 1000);
    assert_int_equal(story_state(s, "a"), TASK_SCHEDULED);
    story_free(s);
}

static void inventories_renew_leases(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    story_trigger(s, "d", "r1");
    (void)story_trace(s);
    story_wait(s, 5000);
    TRACE(s, "[ 4000] a: queued -> running (its process started)\n"
             "[ 4000] -> w1: renewed\n");
    story_wait(s, 1000000);
    assert_int_equal(story_state(s, "a"), TASK_RUNNING);
    story_free(s);
}

static void a_long_task_is_written_as_running_and_a_short_one_is_not(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    story_trigger(s, "d", "r1");
    story_starts(s, "a");
    story_wait(s, 999);
    assert_int_equal(story_state(s, "a"), TASK_QUEUED);
    story_wait(s, 1);
    assert_int_equal(story_state(s, "a"), TASK_RUNNING);
    story_free(s);
}

static void what_nobody_knows_is_acknowledged_or_killed(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    VEC_ADD(&w->attempts,
            (struct story_attempt) { .id = { 1, 2 },
                                     .map_index = -1,
                                     .ended = true,
                                     .result = { .output = STR("1"), .error = STR("") } });
    VEC_ADD(&w->attempts, (struct story_attempt) { .id = { 1, 3 }, .map_index = -1 });
    w->slots = 2;
    VEC_RESET(&w->open);
    story_inventory(s, w);
    TRACE(s, "[    0] -> w1: kill (its worker was lost)\n"
             "[    0] -> w1: ack 1\n");
    story_free(s);
}

static void a_result_counts_once_however_often_it_comes(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    s->hold_commits = true;
    story_trigger(s, "d", "r1");
    story_commit(s);
    (void)story_trace(s);
    story_succeeds(s, "a");
    story_inventory(s, w);
    story_inventory(s, w);
    TRACE(s, "");
    story_commit(s);
    story_commit(s);
    TRACE(s, "[    0] a: queued -> success (its process ended well)\n"
             "[    0] run r1: success (all its tasks are done)\n"
             "[    0] -> w1: ack 1\n"
             "[    0] -> w1: ack 2\n");
    story_free(s);
}

static void an_inventory_of_a_later_leader_means_nothing_to_an_earlier_one(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    w->epoch = 99;
    story_inventory(s, w);
    uint64_t dropped = core_stats(s->core).dropped_messages;
    assert_true(dropped > 0);
    story_free(s);
}

static void a_drained_worker_gets_nothing_and_ends_its_work(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    story_trigger(s, "d", "r1");
    story_trigger(s, "d", "r2");
    (void)story_trace(s);
    story_request_json(s, "{\"kind\":\"drain_worker\",\"worker_no\":1,\"drain\":true}");
    story_succeeds(s, "a");
    assert_false(story_is_placed(s, "a"));
    story_inventory(s, w);
    assert_int_equal(s->store.workers.items[0].worker.state, WORKER_DRAINED);
    story_request_json(s, "{\"kind\":\"drain_worker\",\"worker_no\":1,\"drain\":false}");
    story_inventory(s, w);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

static void a_worker_that_is_asked_to_leave_is_drained_and_stopped(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    w->leaving = true;
    story_inventory(s, w);
    story_inventory(s, w);
    TRACE(s, "[    0] -> w1: drain\n"
             "[    0] -> w1: stop\n");
    story_free(s);
}

/* How often the load of a worker was written. */
static uint32_t load_writes(const struct story *s, int64_t worker_no)
{
    uint32_t count = 0;
    VEC_EACH (&s->store.log, i)
        for (uint32_t r = 0; r < s->store.log.items[i].count; r++) {
            const struct record *record = &s->store.log.items[i].records[r];
            count +=
                record->type == WRITE_WORKER_LOAD && record->worker_load.worker_no == worker_no;
        }
    return count;
}

static void loads_that_moved_are_written_together_and_at_most_every_ten_seconds(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    struct story_worker *other = story_worker(s, "w2", 1);
    story_wait(s, 10000);
    w->load = (struct machine_load) { 1000, 100, 10 };
    other->load = (struct machine_load) { 2000, 100, 20 };
    story_inventory(s, w);
    story_inventory(s, other);
    assert_int_equal(load_writes(s, 1), 1); /* it is the first: at once */
    assert_int_equal(load_writes(s, 2), 0);
    story_wait(s, 15000); /* with reports of both */
    assert_int_equal(model_store_load(&s->store, 2).memory_total_bytes, 2000);
    assert_int_equal(load_writes(s, 1), 1);
    assert_int_equal(load_writes(s, 2), 1);
    for (int i = 0; i < 60; i++) { /* restless, for a minute */
        w->load.cpu_permille = i % 2 == 0 ? 900 : 10;
        story_wait(s, 1000);
        story_inventory(s, w);
    }
    assert_in_range(load_writes(s, 1), 5, 7);
    assert_int_equal(load_writes(s, 2), 1);
    story_free(s);
}

static void small_movements_of_a_load_and_loads_not_told_are_not_written(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    story_wait(s, 30000);
    assert_int_equal(load_writes(s, 1), 0); /* a worker of the release before tells none */
    w->load = (struct machine_load) { 1000, 100, 100 };
    story_wait(s, 30000);
    assert_int_equal(load_writes(s, 1), 1);
    for (int i = 0; i < 10; i++) {
        w->load.cpu_permille = 100 + i * 4;
        w->load.memory_used_bytes = 100 + i * 2;
        story_wait(s, 10000);
    }
    assert_int_equal(load_writes(s, 1), 1);
    w->load.memory_used_bytes = 130;
    story_wait(s, 20000);
    assert_int_equal(load_writes(s, 1), 2);
    w->load = (struct machine_load) { 0 }; /* it was put back to the release before */
    story_wait(s, 20000);
    assert_int_equal(load_writes(s, 1), 3);
    assert_int_equal(model_store_load(&s->store, 1).memory_total_bytes, 0);
    story_free(s);
}

/* Its row may have been deleted meanwhile. */
static void a_worker_that_comes_back_has_its_load_written_anew(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    w->load = (struct machine_load) { 1000, 100, 100 };
    story_wait(s, 30000);
    w->stopped = true;
    story_wait(s, 400000);
    assert_int_equal(load_writes(s, 1), 1);
    w->stopped = false;
    story_wait(s, 20000);
    assert_int_equal(load_writes(s, 1), 2);
    story_free(s);
}

static void a_new_leader_writes_the_loads_anew(void **state)
{
    (void)state;
    struct story_worker *w = NULL;
    struct story *s = given(&w);
    w->load = (struct machine_load) { 1000, 100, 100 };
    story_wait(s, 30000);
    story_takeover(s);
    story_wait(s, 30000);
    assert_int_equal(load_writes(s, 1), 2);
    story_free(s);
}

TESTS(CASE(a_lost_grant_is_sent_again_while_its_credit_is_open),
      CASE(an_attempt_whose_credit_is_closed_never_started),
      CASE(a_worker_that_started_anew_without_the_attempt_proves_it_too),
      CASE(a_silent_worker_loses_its_attempt_when_the_lease_is_over),
      CASE(a_new_leader_waits_for_the_amnesty), CASE(inventories_renew_leases),
      CASE(a_long_task_is_written_as_running_and_a_short_one_is_not),
      CASE(what_nobody_knows_is_acknowledged_or_killed),
      CASE(a_result_counts_once_however_often_it_comes),
      CASE(an_inventory_of_a_later_leader_means_nothing_to_an_earlier_one),
      CASE(a_worker_that_is_gone_stays_gone_until_it_comes_back),
      CASE(a_drained_worker_gets_nothing_and_ends_its_work),
      CASE(a_worker_that_is_asked_to_leave_is_drained_and_stopped),
      CASE(loads_that_moved_are_written_together_and_at_most_every_ten_seconds),
      CASE(small_movements_of_a_load_and_loads_not_told_are_not_written),
      CASE(a_worker_that_comes_back_has_its_load_written_anew),
      CASE(a_new_leader_writes_the_loads_anew))
