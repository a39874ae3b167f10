// SPDX-License-Identifier: Apache-2.0
#include "common/store/errand_store.h"

#include "tests/support/store_world.h"
#include "tests/support/test.h"

static struct store_world world;

struct answer {
    int rc;
    bool yes, done;
    char seen[512]; /* notifications, one after the other */
};

static void on_yes_or_no(void *owner, int rc, bool yes)
{
    *(struct answer *)owner = (struct answer) { .rc = rc, .yes = yes, .done = true };
}

static bool has_succeeded(const char *dag_id, const char *task_id, int64_t logical_ms)
{
    struct answer answer = { 0 };
    store_task_succeeded(world.store, str_of(dag_id), str_of(task_id), logical_ms, on_yes_or_no,
                         &answer);
    store_world_wait(&world, &answer.done);
    assert_int_equal(answer.rc, 0);
    return answer.yes;
}

static bool was_updated(const char *asset, int64_t since_ms)
{
    struct answer answer = { 0 };
    store_asset_updated(world.store, str_of(asset), since_ms, on_yes_or_no, &answer);
    store_world_wait(&world, &answer.done);
    assert_int_equal(answer.rc, 0);
    return answer.yes;
}

static int setup(void **state)
{
    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_world_close(&world);
    return 0;
}

/* DAG d of tasks a and b has a run that has succeeded at second 1, and one that goes on at second
 * 2: there a has failed and then succeeded, and b, which is mapped, has one of two. */
static void add_runs(void)
{
    pg_server_run(
        world.conninfo,
        "INSERT INTO dag (dag_no, dag_id, fileloc) OVERRIDING SYSTEM VALUE VALUES (1, 'd', "
        "'d.yaml');"
        "INSERT INTO dag_version (version_no, dag_no, version_number, hash, ir, source) OVERRIDING "
        "SYSTEM VALUE VALUES (1, 1, 1, '', '{\"tasks\":[{\"id\":\"a\"},{\"id\":\"b\"}]}', '');"
        "CREATE TEMP TABLE today AS SELECT (current_date - date '1970-01-01')::bigint << 32 AS n;"
        "INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, logical_at, run_after, "
        "queued_at, state, updated_at) SELECT n + s, 1, 1, 0, 'r' || s, to_timestamp(s), now(), "
        "now(), CASE s WHEN 1 THEN 2 ELSE 1 END, now() FROM today, generate_series(1, 2) s;"
        "INSERT INTO live_run SELECT 0, n + 2 FROM today;"
        "INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, attempt, "
        "worker_no, priority, pool, queue, queued_at, state, cause, cleared) SELECT n + 2, t.task, "
        "t.map, t.row_no, 1, 1, 0, gen_random_uuid(), 0, 1, 'p', 'q', now(), t.state, 0, t.cleared "
        "FROM today, (VALUES (0, -1, 1, 5, false), (0, -1, 2, 4, false), (1, 0, 1, 4, false), "
        "(1, 1, 1, 3, false)) t (task, map, row_no, state, cleared)");
}

static void what_is_waited_for_is_a_run_or_every_instance_of_a_task_of_one_date(void **state)
{
    (void)state;
    add_runs();
    assert_true(has_succeeded("d", "", 1000));
    assert_false(has_succeeded("d", "", 2000));
    assert_false(has_succeeded("d", "", 3000));
    assert_true(has_succeeded("d", "a", 2000));  /* its newest row counts */
    assert_false(has_succeeded("d", "b", 2000)); /* one of two goes on */
    assert_false(has_succeeded("d", "c", 2000));
    assert_false(has_succeeded("e", "a", 2000));
    pg_server_run(world.conninfo, "UPDATE try SET state = 4 WHERE task = 1");
    assert_true(has_succeeded("d", "b", 2000));
    pg_server_run(world.conninfo, "UPDATE try SET cleared = true WHERE task = 0 AND row_no = 2");
    assert_false(has_succeeded("d", "a", 2000)); /* it is to be done again */
}

static void an_asset_counts_from_the_asked_time_on(void **state)
{
    (void)state;
    struct record event = {
        .type = WRITE_ASSET_EVENT,
        .asset_event = { .event_no = 1, .asset = STR("table"), .at_ms = 5000, .extra = STR("{}") }
    };
    assert_int_equal(store_world_apply(&world, &event, 1, NULL), 0);
    assert_true(was_updated("table", 5000));
    assert_false(was_updated("table", 5001));
    assert_false(was_updated("another", 0));
}

static void on_notification(void *owner, const struct notification_row *row)
{
    struct answer *answer = owner;
    size_t used = strlen(answer->seen);
    snprintf(answer->seen + used, sizeof answer->seen - used, "%.*s %.*s %s\n", STR_ARG(row->event),
             STR_ARG(row->payload), row->state == NOTIFICATION_FAILED ? "failed" : "");
}

static void on_end(void *owner, int rc, const struct err *err)
{
    struct answer *answer = owner;
    (void)err;
    answer->rc = rc;
    answer->done = true;
}

static void check_notifications(const char *expected)
{
    struct answer answer = { 0 };
    store_notifications_read(world.store, on_notification, on_end, &answer);
    store_world_wait(&world, &answer.done);
    assert_int_equal(answer.rc, 0);
    assert_string_equal(answer.seen, expected);
}

static void add_notification(uint64_t id, int64_t run_no, const char *event, int64_t made_ms)
{
    struct record record = { .type = WRITE_NOTIFICATION };
    record.notification = (struct notification_row) { .id = { 1, id },
                                                      .run_no = run_no,
                                                      .dag_no = 1,
                                                      .task = -1,
                                                      .map_index = -1,
                                                      .event = str_of(event),
                                                      .kind = STR("webhook"),
                                                      .target = STR("t"),
                                                      .queue = STR("q"),
                                                      .payload = STR("{\"secret\": 1}"),
                                                      .state = NOTIFICATION_PENDING,
                                                      .made_ms = made_ms,
                                                      .next_ms = made_ms,
                                                      .error = STR_EMPTY };
    assert_int_equal(store_world_apply(&world, &record, 1, NULL), 0);
}

static void those_that_wait_are_read_oldest_first_and_deadlines_of_live_runs_too(void **state)
{
    (void)state;
    add_runs();
    int64_t today = store_world_int(&world, "SELECT min(run_no) - 1 FROM run");
    add_notification(1, today + 1, "on_success", 3000);
    add_notification(2, today + 2, "on_failure", 2000);
    add_notification(3, today + 2, "on_deadline", 1000);
    add_notification(4, today + 1, "on_deadline", 500);
    pg_server_run(world.conninfo, "UPDATE notification SET state = 1 WHERE event = 'on_deadline' "
                                  "OR event = 'on_success'");
    /* What was told of an ended run is no news; of one that lives it must not be told again. */
    check_notifications("on_deadline {\"secret\": 1} \non_failure {\"secret\": 1} \n");
}

static void one_that_cannot_be_unsealed_comes_as_failed_and_stops_nobody(void **state)
{
    (void)state;
    add_runs();
    add_notification(1, 1, "on_success", 1000);
    add_notification(2, 1, "on_failure", 2000);
    pg_server_run(world.conninfo,
                  "UPDATE notification SET sealed = '\\x00' WHERE event = 'on_success'");
    check_notifications("on_success  failed\non_failure {\"secret\": 1} \n");
}

#define STORE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(STORE(what_is_waited_for_is_a_run_or_every_instance_of_a_task_of_one_date),
      STORE(an_asset_counts_from_the_asked_time_on),
      STORE(those_that_wait_are_read_oldest_first_and_deadlines_of_live_runs_too),
      STORE(one_that_cannot_be_unsealed_comes_as_failed_and_stops_nobody))
