// SPDX-License-Identifier: Apache-2.0
#include "common/store/lease.h"

#include "tests/support/store_world.h"
#include "tests/support/test.h"

enum { TTL_MS = 15000 };

struct answer {
    struct store_lease lease;
    char holder[64];
    char sentence[256];
    bool done;
};

static void on_lease(void *owner, const struct store_lease *lease)
{
    struct answer *answer = owner;

    answer->lease = *lease;
    (void)snprintf(answer->holder, sizeof answer->holder, "%.*s", STR_ARG(lease->holder));
    (void)snprintf(answer->sentence, sizeof answer->sentence, "%s", lease->err->sentence);
    answer->done = true;
}

static struct answer try_to_lead(struct store_world *world, const char *holder)
{
    struct answer answer = { 0 };

    store_lease_try(world->store, holder, TTL_MS, on_lease, &answer);
    store_world_wait(world, &answer.done);
    return answer;
}

static struct answer renew(struct store_world *world, uint64_t epoch)
{
    struct answer answer = { 0 };

    store_lease_renew(world->store, epoch, TTL_MS, on_lease, &answer);
    store_world_wait(world, &answer.done);
    return answer;
}

static struct answer resign(struct store_world *world, uint64_t epoch)
{
    struct answer answer = { 0 };

    store_lease_resign(world->store, epoch, on_lease, &answer);
    store_world_wait(world, &answer.done);
    return answer;
}

static void the_first_who_asks_leads(void **state)
{
    struct store_world world;
    struct answer answer;
    int64_t before_ms = loop_now_ms();

    (void)state;
    store_world_open(&world);
    answer = try_to_lead(&world, "one");
    assert_int_equal(answer.lease.rc, 0);
    assert_int_equal(answer.lease.epoch, (1LL << 32) + 1); /* timeline 1, first counter */
    assert_int_equal(answer.lease.left_ms, 0);
    assert_int_equal(answer.lease.failover_age_ms, -1);
    assert_true(answer.lease.ends_ms >= before_ms + TTL_MS);
    assert_true(answer.lease.ends_ms <= loop_now_ms() + TTL_MS);
    assert_true(llabs(answer.lease.wall_ms - loop_wall_ms()) < 5000);
    store_world_close(&world);
}

static void a_standby_is_told_who_leads(void **state)
{
    struct store_world one, two;
    struct answer answer;

    (void)state;
    store_world_open(&one);
    store_world_join(&two, &one);
    (void)try_to_lead(&one, "one");
    answer = try_to_lead(&two, "two");
    assert_int_equal(answer.lease.rc, ERR_CONFLICT);
    assert_string_equal(answer.holder, "one");
    assert_string_equal(answer.sentence, "one leads");
    assert_true(answer.lease.left_ms > TTL_MS / 2);
    assert_int_equal(renew(&two, (1LL << 32) + 2).lease.rc, ERR_LOST);
    store_world_close(&two);
    store_world_close(&one);
}

static void a_dead_leader_is_followed_at_once(void **state)
{
    struct store_world one, two;
    struct answer answer;
    uint64_t epoch;

    (void)state;
    store_world_open(&one);
    store_world_join(&two, &one);
    epoch = try_to_lead(&one, "one").lease.epoch;
    one.is_up = false;
    store_break(one.store, "test");
    store_world_wait(&one, &one.is_up);
    /* The server notices the closed socket on its own time. */
    do
        answer = try_to_lead(&two, "two");
    while (answer.lease.rc == ERR_CONFLICT);
    assert_int_equal(answer.lease.rc, 0);
    assert_int_equal(answer.lease.epoch, epoch + 1);
    assert_string_equal(answer.holder, "one");
    assert_true(answer.lease.left_ms > TTL_MS / 2); /* so long may the old one still trust itself */
    one.epoch = epoch;
    assert_int_equal(store_world_apply(&one, NULL, 0, NULL), ERR_LOST);
    assert_int_equal(renew(&one, epoch).lease.rc, ERR_LOST);
    store_world_close(&two);
    store_world_close(&one);
}

static void a_silent_leader_loses_its_session_when_its_lease_is_over(void **state)
{
    struct store_world one, two;
    struct answer answer;

    (void)state;
    store_world_open(&one);
    store_world_join(&two, &one);
    (void)try_to_lead(&one, "one");
    (void)store_world_int(&one, "UPDATE lease SET expires_at = now() - interval '1 s' RETURNING 1");
    /* `one` is not run: as if it were stopped. */
    do
        answer = try_to_lead(&two, "two");
    while (answer.lease.rc == ERR_CONFLICT);
    assert_int_equal(answer.lease.rc, 0);
    assert_int_equal(answer.lease.left_ms, 0);
    store_world_close(&two);
    store_world_close(&one);
}

static void renewing_moves_the_end_and_not_the_epoch(void **state)
{
    struct store_world world;
    struct answer answer;
    uint64_t epoch;

    (void)state;
    store_world_open(&world);
    epoch = try_to_lead(&world, "one").lease.epoch;
    (void)store_world_int(&world,
                          "UPDATE lease SET expires_at = now() + interval '1 s' RETURNING 1");
    answer = renew(&world, epoch);
    assert_int_equal(answer.lease.rc, 0);
    assert_int_equal(answer.lease.epoch, epoch);
    assert_true(answer.lease.wall_ms > 0);
    assert_int_equal(
        store_world_int(&world, "SELECT (expires_at > now() + interval '10 s')::int FROM lease"),
        1);
    store_world_close(&world);
}

static void a_promoted_database_ends_the_lease_and_raises_the_epoch(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    (void)try_to_lead(&world, "one");
    /* An epoch of an earlier timeline, as a promoted standby finds it. */
    assert_int_equal(store_world_int(&world, "UPDATE lease SET epoch = 77 RETURNING epoch"), 77);
    assert_int_equal(renew(&world, 77).lease.rc, ERR_LOST);
    struct answer answer = try_to_lead(&world, "one");
    assert_int_equal(answer.lease.epoch, (1LL << 32) + 1);
    assert_in_range(answer.lease.failover_age_ms, 0, 60000);
    store_world_close(&world);
}

/* The leader after the one that found it has to know too. */
static void a_failover_is_remembered_for_the_next_leader(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    (void)try_to_lead(&world, "one");
    (void)store_world_int(&world,
                          "UPDATE lease SET epoch = 77, failed_over_at = '-infinity' RETURNING 1");
    (void)try_to_lead(&world, "one");
    (void)store_world_int(
        &world, "UPDATE lease SET failed_over_at = failed_over_at - interval '1 hour' RETURNING 1");
    assert_in_range(try_to_lead(&world, "one").lease.failover_age_ms, 3600000, 3660000);
    store_world_close(&world);
}

static void who_resigns_is_followed_without_waiting(void **state)
{
    struct store_world one, two;
    struct answer answer;
    uint64_t epoch;

    (void)state;
    store_world_open(&one);
    store_world_join(&two, &one);
    epoch = try_to_lead(&one, "one").lease.epoch;
    assert_int_equal(resign(&one, epoch).lease.rc, 0);
    answer = try_to_lead(&two, "two");
    assert_int_equal(answer.lease.rc, 0);
    assert_int_equal(answer.lease.left_ms, 0);
    assert_int_equal(resign(&one, epoch).lease.rc, 0); /* once more: nothing to give back */
    assert_int_equal(renew(&two, answer.lease.epoch).lease.rc, 0);
    store_world_close(&two);
    store_world_close(&one);
}

static void taking_over_waits_for_a_batch_that_has_passed_the_fence(void **state)
{
    struct store_world one, two;
    struct answer answer = { 0 };
    bool never = false;
    char sql[128];

    (void)state;
    store_world_open(&one);
    store_world_join(&two, &one);
    store_world_lead(&one);
    /* A transaction of the old epoch, on a connection that lives on while the old leader's lock is
     * gone. */
    (void)snprintf(sql, sizeof sql, "BEGIN; SELECT fence(0::smallint, %lld)", (long long)one.epoch);
    assert_int_equal(pg_sync_exec(one.sync, sql, NULL), 0);
    one.is_up = false;
    store_break(one.store, "test");
    store_world_wait(&one, &one.is_up);
    while (
        store_world_int(
            &two,
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1212498244") >
        0)
        (void)loop_run_until(two.loop, &never, 5);
    store_lease_try(two.store, "two", TTL_MS, on_lease, &answer);
    while (store_world_int(&two, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0)
        (void)loop_run_until(two.loop, &never, 5);
    assert_false(answer.done);
    assert_int_equal(pg_sync_exec(one.sync, "COMMIT", NULL), 0);
    store_world_wait(&two, &answer.done);
    assert_int_equal(answer.lease.rc, 0);
    assert_int_equal(pg_sync_exec(one.sync, sql, NULL), ERR_LOST);
    store_world_close(&two);
    store_world_close(&one);
}

static void a_renewal_does_not_wait_for_a_batch(void **state)
{
    struct store_world world;
    char sql[128];

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    (void)snprintf(sql, sizeof sql, "BEGIN; SELECT fence(0::smallint, %lld)",
                   (long long)world.epoch);
    assert_int_equal(pg_sync_exec(world.sync, sql, NULL), 0);
    assert_int_equal(renew(&world, world.epoch).lease.rc, 0);
    assert_int_equal(pg_sync_exec(world.sync, "COMMIT", NULL), 0);
    store_world_close(&world);
}

TESTS(CASE(the_first_who_asks_leads), CASE(a_standby_is_told_who_leads),
      CASE(a_dead_leader_is_followed_at_once),
      CASE(a_silent_leader_loses_its_session_when_its_lease_is_over),
      CASE(renewing_moves_the_end_and_not_the_epoch),
      CASE(a_promoted_database_ends_the_lease_and_raises_the_epoch),
      CASE(a_failover_is_remembered_for_the_next_leader),
      CASE(who_resigns_is_followed_without_waiting),
      CASE(taking_over_waits_for_a_batch_that_has_passed_the_fence),
      CASE(a_renewal_does_not_wait_for_a_batch))
