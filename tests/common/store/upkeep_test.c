// SPDX-License-Identifier: Apache-2.0
#include "common/store/upkeep.h"

#include "tests/support/store_world.h"
#include "tests/support/test.h"

struct answer {
    int rc;
    int32_t made, dropped;
    bool is_put_off;
    bool done;
};

static void on_done(void *owner, const struct upkeep_done *done)
{
    struct answer *answer = owner;

    *answer = (struct answer) { done->rc, done->partitions_made, done->partitions_dropped,
                                done->put_off->code < 0, true };
}

static struct answer upkeep(struct store_world *world, int32_t retention_days)
{
    struct answer answer = { 0 };

    store_upkeep(world->store, world->epoch, retention_days, on_done, &answer);
    store_world_wait(world, &answer.done);
    return answer;
}

static void partitions_are_made_ahead_and_dropped_behind(void **state)
{
    struct store_world world;
    struct answer answer;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    assert_int_equal(upkeep(&world, 0).made, 0);
    pg_server_run(world.conninfo, "DO $$ BEGIN EXECUTE 'DROP TABLE try_' || to_char(now() + "
                                  "interval '7 days', 'YYYYMMDD'); END $$;"
                                  "SELECT ensure_partitions('2020-03-30', '2020-04-02')");
    answer = upkeep(&world, 0);
    assert_int_equal(answer.rc, 0);
    assert_int_equal(answer.made, 1);
    assert_int_equal(answer.dropped, 0);
    answer = upkeep(&world, 30);
    assert_int_equal(answer.dropped, 4 * 3 + 2);
    assert_int_equal(upkeep(&world, 30).dropped, 0);
    store_world_close(&world);
}

static void runs_of_a_month_that_is_not_over_go_one_by_one(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    /* A long month of our own, so that the case is the same on every day of the calendar. */
    pg_server_run(world.conninfo,
                  "DO $$ DECLARE leaf record; BEGIN FOR leaf IN SELECT inhrelid::regclass AS name "
                  "FROM pg_inherits WHERE inhparent = 'run'::regclass"
                  " LOOP EXECUTE 'DROP TABLE ' || leaf.name; END LOOP; END $$;"
                  "CREATE TABLE run_all PARTITION OF run DEFAULT;"
                  "INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after, "
                  "queued_at, state, updated_at)"
                  " SELECT ((current_date - date '1970-01-01' - n)::bigint << 32) + 1, 1, 1, 0, "
                  "'r' || n, now(), now(), 2, now()"
                  " FROM generate_series(0, 9) n;"
                  "INSERT INTO run_key SELECT dag_no, run_id, run_no FROM run;"
                  "INSERT INTO live_run SELECT 0, run_no FROM run WHERE run_id = 'r9'");
    pg_server_run(world.conninfo, "DO $$ BEGIN EXECUTE 'ALTER TABLE run_all RENAME TO run_' || "
                                  "to_char(now(), 'YYYYMM'); END $$");
    assert_int_equal(upkeep(&world, 5).rc, 0);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM run"),
                     7); /* today and five days, and the one that lives */
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM run_key"), 7);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM run WHERE run_id = 'r9'"), 1);
    store_world_close(&world);
}

static void what_is_too_old_goes_and_the_rest_stays(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    pg_server_run(world.conninfo,
                  "INSERT INTO inbox_answer VALUES (1, 0, '{}', now() - interval '25 hours'), (2, "
                  "0, '{}', now());"
                  "INSERT INTO idempotency_key VALUES ('a', 'x', '', 1, now() - interval '25 "
                  "hours'), ('b', 'x', '', 2, now());"
                  "INSERT INTO autoscale_event (queue, at, demand, wanted, present, reason) VALUES "
                  "('q', now() - interval '31 days', 0, 0, 0, ''),"
                  " ('q', now(), 0, 0, 0, '');"
                  "INSERT INTO worker (worker_no, identity, name, host, release, queues, slots, "
                  "incarnation, state, seen_at) VALUES"
                  " (1, 'a', '', '', '', '{}', 1, 1, 3, now() - interval '31 days'), (2, 'b', '', "
                  "'', '', '{}', 1, 1, 0, now() - interval '31 days'),"
                  " (3, 'c', '', '', '', '{}', 1, 1, 3, now());"
                  "INSERT INTO user_account (name, role) VALUES ('ann', 'User');"
                  "INSERT INTO session (token_hash, kind, user_no, expires_at) SELECT 'old', "
                  "'browser', user_no, now() - interval '1 s' FROM user_account;"
                  "INSERT INTO session (token_hash, kind, user_no, expires_at) SELECT 'new', "
                  "'browser', user_no, now() + interval '1 h' FROM user_account");
    assert_int_equal(upkeep(&world, 0).rc, 0);
    assert_int_equal(store_world_int(&world, "SELECT sum(request_no)::int FROM inbox_answer"), 2);
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM idempotency_key WHERE key = 'b'"), 1);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM idempotency_key"), 1);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM autoscale_event"), 1);
    assert_int_equal(store_world_int(&world, "SELECT sum(worker_no)::int FROM worker"), 5);
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM session WHERE token_hash = 'new'"), 1);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM session"), 1);
    store_world_close(&world);
}

static void who_does_not_lead_drops_nothing(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    pg_server_run(world.conninfo, "SELECT ensure_partitions('2020-03-30', '2020-03-30')");
    world.epoch--;
    assert_int_equal(upkeep(&world, 30).rc, ERR_LOST);
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM pg_class WHERE relname = 'try_20200330'"), 1);
    store_world_close(&world);
}

static void a_busy_table_is_left_for_the_next_round(void **state)
{
    struct store_world world;
    struct answer answer;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    pg_server_run(world.conninfo, "SELECT ensure_partitions('2020-03-30', '2020-03-30')");
    assert_int_equal(pg_sync_exec(world.sync, "BEGIN; SELECT count(*) FROM try", NULL), 0);
    answer = upkeep(&world, 30);
    assert_int_equal(answer.rc, 0);
    assert_true(answer.is_put_off);
    assert_int_equal(answer.dropped, 0);
    assert_int_equal(pg_sync_exec(world.sync, "COMMIT", NULL), 0);
    answer = upkeep(&world, 30);
    assert_false(answer.is_put_off);
    assert_int_equal(answer.dropped, 4);
    store_world_close(&world);
}

TESTS(CASE(partitions_are_made_ahead_and_dropped_behind),
      CASE(runs_of_a_month_that_is_not_over_go_one_by_one),
      CASE(what_is_too_old_goes_and_the_rest_stays), CASE(who_does_not_lead_drops_nothing),
      CASE(a_busy_table_is_left_for_the_next_round))
