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

/* A run of 40 days ago that lives, 2, and one of today, 3. */
static void add_runs(struct store_world *world)
{
    pg_server_run(world->conninfo,
                  "SELECT ensure_partitions((now() AT TIME ZONE 'UTC')::date - 40, "
                  "(now() AT TIME ZONE 'UTC')::date);"
                  "INSERT INTO dag (dag_no, dag_id, fileloc, last_fire_at)"
                  " VALUES (1, 'd', '', now()), (2, 'fires_no_more', '', NULL);"
                  "CREATE VIEW the_run AS SELECT (((now() AT TIME ZONE 'UTC')::date - date "
                  "'1970-01-01' - 40)::bigint << 32) + 1 AS old, (((now() AT TIME ZONE 'UTC')::date"
                  " - date '1970-01-01')::bigint << 32) + 1 AS new;"
                  "INSERT INTO live_run SELECT 0, old FROM the_run");
}

static void asset_events_that_nobody_needs_go(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    add_runs(&world);
    pg_server_run(world.conninfo,
                  "INSERT INTO asset (name) VALUES ('a');"
                  "INSERT INTO asset_event SELECT n, 1, now() - interval '31 days', NULL, NULL, 0, "
                  "-1, '{}' FROM generate_series(1, 6) n;"
                  "UPDATE asset_event SET at = now() WHERE event_no = 2;"
                  "INSERT INTO asset_kept VALUES (1, 3);"
                  "INSERT INTO asset_taken SELECT new, 4 FROM the_run;"
                  "INSERT INTO asset_taken SELECT old, 5 FROM the_run");
    assert_int_equal(upkeep(&world, 0).rc, 0);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM asset_event"), 6);
    assert_int_equal(upkeep(&world, 30).rc, 0);
    /* Young, kept, of a run that is there, and the newest. */
    assert_string_equal(store_world_text(&world, "SELECT string_agg(event_no::text, ' ' ORDER BY "
                                                 "event_no) FROM asset_event"),
                        "2 3 4 6");
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM asset_taken"), 1);
    store_world_close(&world);
}

static void backfills_go_when_recovery_has_no_use_for_them(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    add_runs(&world);
    pg_server_run(world.conninfo,
                  "CREATE FUNCTION fill(no bigint, dag int, until text, ended text) RETURNS void "
                  "LANGUAGE sql AS $$ INSERT INTO backfill SELECT no, dag, now() - interval '999 "
                  "days', now() - until::interval, 1, 0, false, false, '{}', '', NULL, now(), now()"
                  ", now() - ended::interval; INSERT INTO backfill_run VALUES (no, now(), NULL, '')"
                  " $$;"
                  "SELECT fill(1, 1, '400 days', '31 days'), fill(2, 1, '400 days', '29 days'),"
                  " fill(3, 1, '400 days', NULL), fill(4, 1, '300 days', '31 days'),"
                  " fill(5, 2, '400 days', '31 days'), fill(6, 1, '400 days', '31 days');"
                  "UPDATE backfill_run SET run_no = old FROM the_run WHERE backfill_no = 6");
    assert_int_equal(upkeep(&world, 30).rc, 0);
    /* Young, not ended, its dates may come by schedule (twice), and its run lives. */
    assert_string_equal(store_world_text(&world, "SELECT string_agg(backfill_no::text, ' ' ORDER "
                                                 "BY backfill_no) FROM backfill"),
                        "2 3 4 5 6");
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM backfill_run"), 5);
    store_world_close(&world);
}

static void notifications_go_with_the_runs_that_they_tell_of(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    add_runs(&world);
    pg_server_run(world.conninfo,
                  "CREATE FUNCTION tell(no int, run bigint, st int, age text) RETURNS void LANGUAGE"
                  " sql AS $$ INSERT INTO notification (id, run_no, dag_no, task, map_index, try_no"
                  ", event, kind, target, queue, sealed, key_no, state, made_at) VALUES "
                  "(lpad(no::text, 32, '0')::uuid, run, 1, 0, -1, 1, 'on_failure', 'webhook', '', "
                  "'', '', 0, st, now() - age::interval) $$;"
                  "SELECT tell(1, 7, 1, '31 days'), tell(2, 7, 1, '29 days'),"
                  " tell(3, 7, 0, '31 days'), tell(4, old, 2, '31 days') FROM the_run");
    assert_int_equal(upkeep(&world, 0).rc, 0);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM notification"), 4);
    assert_int_equal(upkeep(&world, 30).rc, 0);
    /* Young, pending, and of a run that lives. */
    assert_string_equal(store_world_text(&world, "SELECT string_agg(right(id::text, 1), ' ' ORDER "
                                                 "BY id) FROM notification"),
                        "2 3 4");
    store_world_close(&world);
}

static void what_a_file_has_started_is_never_forgotten(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    add_runs(&world);
    pg_server_run(world.conninfo,
                  "INSERT INTO file_taken SELECT 1, lpad('1', 32, '0')::uuid, '/f', 1, now(), old, "
                  "now() - interval '9 years' FROM the_run");
    assert_int_equal(upkeep(&world, 30).rc, 0);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM file_taken"), 1);
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
      CASE(what_is_too_old_goes_and_the_rest_stays), CASE(asset_events_that_nobody_needs_go),
      CASE(backfills_go_when_recovery_has_no_use_for_them),
      CASE(notifications_go_with_the_runs_that_they_tell_of),
      CASE(what_a_file_has_started_is_never_forgotten), CASE(who_does_not_lead_drops_nothing),
      CASE(a_busy_table_is_left_for_the_next_round))
