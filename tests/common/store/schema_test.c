// SPDX-License-Identifier: Apache-2.0
#include "common/store/schema.h"

#include "common/store/schema_list.h"
#include "tests/support/pg_server.h"
#include "tests/support/test.h"

static const struct migration two_steps[] = {
    { 1, "first", "CREATE TABLE one (n int); INSERT INTO one VALUES (1)" },
    { 2, "second", "ALTER TABLE one ADD name text" },
};

static int64_t ask(const char *conninfo, const char *sql)
{
    struct pg_result *result = NULL;
    struct pg_sync *sync;
    struct err err = { 0 };
    int64_t number;

    if (pg_sync_open(&sync, conninfo, &err) < 0 ||
        pg_sync_query(sync, sql, NULL, &result, &err) < 0)
        fail_msg("%s: %s", sql, err.sentence);
    number = pg_get_int(result, 0, 0);
    pg_result_free(result);
    pg_sync_close(sync);
    return number;
}

static void count_step(void *owner, int32_t number, const char *title)
{
    (void)number;
    (void)title;
    ++*(int *)owner;
}

static void an_empty_database_is_migrated_and_then_fits(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    struct schema_state schema;
    struct err err = { 0 };
    int steps = 0;

    (void)state;
    assert_int_equal(store_schema_check(conninfo, &err), ERR_CONFLICT);
    assert_string_equal(err.sentence, "the database is empty");
    assert_string_equal(err.hint, "run `headrace db migrate`");
    assert_int_equal(store_migrate(conninfo, 128, count_step, &steps, &err), 0);
    assert_int_equal(store_schema(conninfo, &schema, &err), 0);
    assert_int_equal(schema.applied, schema.known);
    assert_int_equal(steps, schema.known);
    assert_int_equal(store_schema_check(conninfo, &err), 0);
    /* yesterday to a week ahead: nine days of three tables */
    assert_true(ask(conninfo, "SELECT count(*) FROM pg_inherits") >= 28);
}

static void migrating_twice_changes_nothing(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    int steps = 0;

    (void)state;
    assert_int_equal(store_migrate(conninfo, 128, NULL, NULL, NULL), 0);
    assert_int_equal(store_migrate(conninfo, 128, count_step, &steps, NULL), 0);
    assert_int_equal(steps, 0);
}

static void a_new_database_has_the_slots_of_the_settings_and_keeps_what_was_said_later(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    const char *slots = "SELECT slots FROM pool WHERE name = 'default_pool'";

    (void)state;
    assert_int_equal(store_migrate(conninfo, 7, NULL, NULL, NULL), 0);
    assert_int_equal(ask(conninfo, slots), 7);
    assert_int_equal(store_migrate(conninfo, 9, NULL, NULL, NULL), 0);
    assert_int_equal(ask(conninfo, slots), 7);
}

static void a_failed_migration_leaves_nothing_and_the_next_run_goes_on_from_there(void **state)
{
    const struct migration broken[] = { two_steps[0],
                                        { 2, "second", "CREATE TABLE two (n int); SELECT 1 / 0" } };
    const char *conninfo = pg_server_make_database(NULL);
    struct schema_state schema;
    struct err err = { 0 };
    int steps = 0;

    (void)state;
    assert_true(schema_list_apply(conninfo, broken, 2, NULL, NULL, &err) < 0);
    assert_non_null(strstr(err.sentence, "applying migration 0002_second: "));
    assert_int_equal(schema_list_state(conninfo, two_steps, 2, &schema, &err), 0);
    assert_int_equal(schema.applied, 1);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM pg_tables WHERE tablename = 'two'"), 0);
    assert_int_equal(schema_list_apply(conninfo, two_steps, 2, count_step, &steps, &err), 0);
    assert_int_equal(steps, 1);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM one WHERE name IS NULL"), 1);
}

static void a_newer_database_is_refused(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    struct schema_state schema;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(schema_list_apply(conninfo, two_steps, 2, NULL, NULL, &err), 0);
    assert_int_equal(schema_list_state(conninfo, two_steps, 1, &schema, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.sentence,
                           "the database is newer than this program: it has migration 2 (second)"));
    assert_non_null(strstr(err.hint, "install release "));
    assert_int_equal(schema_list_apply(conninfo, two_steps, 1, NULL, NULL, &err), ERR_CONFLICT);
}

static void a_migration_applied_with_another_text_is_refused(void **state)
{
    const struct migration edited[] = { { 1, "first", "CREATE TABLE one (n bigint)" },
                                        two_steps[1] };
    const char *conninfo = pg_server_make_database(NULL);
    struct schema_state schema;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(schema_list_apply(conninfo, two_steps, 2, NULL, NULL, &err), 0);
    assert_int_equal(schema_list_state(conninfo, edited, 2, &schema, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.sentence, "migration 1 (first) was applied with another text"));
}

static void a_database_of_somebody_else_is_left_alone(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    struct err err = { 0 };

    (void)state;
    pg_server_run(conninfo, "CREATE TABLE invoices (n int)");
    assert_int_equal(store_migrate(conninfo, 128, NULL, NULL, &err), ERR_CONFLICT);
    assert_string_equal(err.sentence, "the database holds 1 tables that are not Headrace's");
    assert_int_equal(store_schema_reset(conninfo, &err), ERR_CONFLICT);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM pg_tables WHERE tablename = 'invoices'"),
                     1);
}

static void a_reset_database_can_be_migrated_again(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    struct schema_state schema;

    (void)state;
    assert_int_equal(store_migrate(conninfo, 128, NULL, NULL, NULL), 0);
    assert_int_equal(store_schema_reset(conninfo, NULL), 0);
    assert_int_equal(store_schema(conninfo, &schema, NULL), 0);
    assert_int_equal(schema.applied, 0);
    assert_int_equal(store_migrate(conninfo, 128, NULL, NULL, NULL), 0);
    assert_int_equal(store_schema_check(conninfo, NULL), 0);
}

static void a_database_with_a_leader_is_not_reset(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    struct err err = { 0 };

    (void)state;
    assert_int_equal(store_migrate(conninfo, 128, NULL, NULL, NULL), 0);
    pg_server_run(conninfo,
                  "UPDATE lease SET holder = 'one', expires_at = now() + interval '1 hour'");
    assert_int_equal(store_schema_reset(conninfo, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.hint, "stop it first"));
    pg_server_run(conninfo, "UPDATE lease SET expires_at = now() - interval '1 second'");
    assert_int_equal(store_schema_reset(conninfo, &err), 0);
}

static void an_unreachable_database_is_no_empty_one(void **state)
{
    struct schema_state schema = { .applied = 5 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(store_schema("host=/nonexistent dbname=x", &schema, &err), ERR_DB_CONNECTION);
    assert_int_equal(schema.applied, 5);
}

static void cleaning_drops_old_partitions_and_keeps_what_live_runs_need(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    int32_t dropped = 0;

    (void)state;
    assert_int_equal(store_migrate(conninfo, 128, NULL, NULL, NULL), 0);
    /* Months of a closed past: January to February 2020, of which a run of 31 January still lives.
     */
    pg_server_run(conninfo, "SELECT ensure_partitions('2020-01-01', '2020-02-29');"
                            "INSERT INTO live_run VALUES (0, ((date '2020-01-31' - date "
                            "'1970-01-01')::bigint << 32) + 1);"
                            "INSERT INTO run_key SELECT 1, 'old', ((date '2020-02-10' - date "
                            "'1970-01-01')::bigint << 32) + 1;"
                            "INSERT INTO run_key SELECT 1, 'kept', ((date '2020-01-31' - date "
                            "'1970-01-01')::bigint << 32) + 1");
    assert_int_equal(store_clean(conninfo, 30, &dropped, NULL), 0);
    assert_int_equal(dropped, 60 * 3 + 2 - 3 - 1);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM pg_class WHERE relname IN ('run_202001', "
                                   "'try_20200131', 'output_20200131', 'expansion_20200131')"),
                     4);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM pg_class WHERE relname IN ('run_202002', "
                                   "'try_20200130', 'try_20200201')"),
                     0);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM run_key WHERE run_id = 'kept'"), 1);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM run_key"), 1);
    assert_true(ask(conninfo, "SELECT count(*) FROM pg_inherits") >= 28 + 4);
}

static void cleaning_takes_old_runs_out_of_a_month_that_stays(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    int32_t dropped = 0;

    (void)state;
    assert_int_equal(store_migrate(conninfo, 128, NULL, NULL, NULL), 0);
    pg_server_run(conninfo, "SELECT ensure_partitions('2020-01-01', '2020-01-02');"
                            "INSERT INTO live_run VALUES (0, ((date '2020-01-01' - date "
                            "'1970-01-01')::bigint << 32) + 1);"
                            "INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, "
                            "run_after, queued_at, state, updated_at)"
                            " SELECT ((date '2020-01-01' - date '1970-01-01')::bigint << 32) + n, "
                            "1, 1, 0, 'r' || n, now(), now(), 2, now()"
                            " FROM generate_series(1, 3) n;"
                            "INSERT INTO run_key SELECT dag_no, run_id, run_no FROM run");
    assert_int_equal(store_clean(conninfo, 30, &dropped, NULL), 0);
    assert_int_equal(dropped,
                     3); /* of 2 January: the month and 1 January serve the run that lives */
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM run WHERE run_id = 'r1'"), 1);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM run"), 1);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM run_key"), 1);
}

static void cleaning_takes_old_events_and_notifications(void **state)
{
    const char *conninfo = pg_server_make_database(NULL);
    int32_t dropped = 0;

    (void)state;
    assert_int_equal(store_migrate(conninfo, 128, NULL, NULL, NULL), 0);
    pg_server_run(conninfo,
                  "INSERT INTO asset (name) VALUES ('a');"
                  "INSERT INTO asset_event SELECT n, 1, now() - (3 - n) * interval '20 days', NULL"
                  ", NULL, 0, -1, '{}' FROM generate_series(1, 3) n;"
                  "INSERT INTO notification SELECT lpad(n::text, 32, '0')::uuid, 7, 1, 0, -1, 1, "
                  "'on_failure', 'webhook', '', '', '', 0, 1, 0, now() - (3 - n) * interval '20 "
                  "days' FROM generate_series(1, 3) n");
    assert_int_equal(store_clean(conninfo, 30, &dropped, NULL), 0);
    assert_int_equal(ask(conninfo, "SELECT min(event_no) FROM asset_event"), 2);
    assert_int_equal(ask(conninfo, "SELECT count(*) FROM notification"), 2);
}

TESTS(CASE(an_empty_database_is_migrated_and_then_fits), CASE(migrating_twice_changes_nothing),
      CASE(a_new_database_has_the_slots_of_the_settings_and_keeps_what_was_said_later),
      CASE(a_failed_migration_leaves_nothing_and_the_next_run_goes_on_from_there),
      CASE(a_newer_database_is_refused), CASE(a_migration_applied_with_another_text_is_refused),
      CASE(a_database_of_somebody_else_is_left_alone), CASE(a_reset_database_can_be_migrated_again),
      CASE(a_database_with_a_leader_is_not_reset), CASE(an_unreachable_database_is_no_empty_one),
      CASE(cleaning_drops_old_partitions_and_keeps_what_live_runs_need),
      CASE(cleaning_takes_old_runs_out_of_a_month_that_stays),
      CASE(cleaning_takes_old_events_and_notifications))
