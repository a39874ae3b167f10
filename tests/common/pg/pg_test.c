// SPDX-License-Identifier: Apache-2.0
#include "common/pg/pg.h"

#include "common/pg/pg_pool.h"
#include "tests/support/pg_server.h"
#include "tests/support/test.h"

enum { ADD, GET, SLEEP, FAIL, RAISE, ONE, NOTIFY, PID, READ_ONLY, BIG, DEFERRED, STATEMENT_COUNT };

static const struct pg_statement statements[STATEMENT_COUNT] = {
    [ADD] = { "add", "INSERT INTO item (n, name) SELECT * FROM unnest($1::int[], $2::text[])" },
    [GET] = { "get", "SELECT n, name FROM item WHERE n >= $1 ORDER BY n" },
    [SLEEP] = { "sleep", "SELECT 1 FROM pg_sleep($1)" },
    [FAIL] = { "fail", "SELECT 1 / $1::int" },
    [RAISE] = { "raise", "SELECT lost()" },
    [ONE] = { "one", "SELECT $1::bigint" },
    [NOTIFY] = { "notify", "SELECT 1 FROM pg_notify('news', $1)" },
    [PID] = { "pid", "SELECT pg_backend_pid()" },
    [READ_ONLY] = { "read_only", "SELECT read_only()" },
    [BIG] = { "big", "SELECT length($1::text)" },
    [DEFERRED] = { "deferred", "INSERT INTO child VALUES ($1)" },
};

static const char schema[] =
    "CREATE TABLE item (n int PRIMARY KEY, name text);"
    "CREATE TABLE parent (n int PRIMARY KEY);"
    "CREATE TABLE child (n int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);"
    "CREATE FUNCTION lost() RETURNS int LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'another leader' USING ERRCODE = 'HR410', HINT = 'step down'; END "
    "$$;"
    "CREATE FUNCTION read_only() RETURNS int LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'cannot write' USING ERRCODE = '25006'; END $$;";

struct world {
    struct loop *loop;
    struct pg *pg;
    const char *conninfo;
    bool is_up, is_down, is_closed, done;
    int ups, downs;
    struct err down_err;

    int ends, results;
    int rc;
    enum pg_fate fate;
    int32_t failed_index;
    bool is_surprising;
    struct err err;
    char sqlstate[6];
    int64_t number;
    char text[64];
    char channel[32];
};

static void on_state(struct pg *pg, enum pg_state state, const struct err *err)
{
    struct world *world = pg_owner(pg);
    world->is_up = state == PG_UP;
    world->is_down |= state == PG_DOWN;
    world->ups += state == PG_UP;
    world->downs += state == PG_DOWN;
    if (state == PG_DOWN)
        world->down_err = *err;
}

static void on_notify(struct pg *pg, const char *channel, struct str payload)
{
    struct world *world = pg_owner(pg);
    snprintf(world->channel, sizeof world->channel, "%s", channel);
    snprintf(world->text, sizeof world->text, "%.*s", STR_ARG(payload));
    world->done = true;
}

static void on_closed(void *owner)
{
    ((struct world *)owner)->is_closed = true;
}

static void on_result(void *owner, const struct pg_result *result)
{
    struct world *world = owner;
    world->results++;
    if (pg_row_count(result) > 0)
        world->number = pg_get_int(result, 0, 0);
}

static void on_end(void *owner, const struct pg_outcome *outcome)
{
    struct world *world = owner;
    world->ends++;
    world->rc = outcome->rc;
    world->fate = outcome->fate;
    world->failed_index = outcome->failed_index;
    world->is_surprising = outcome->is_surprising;
    world->err = *outcome->err;
    snprintf(world->sqlstate, sizeof world->sqlstate, "%s", outcome->sqlstate);
    world->done = true;
}

static struct pg_options options_of(struct world *world)
{
    return (struct pg_options) { .conninfo = world->conninfo,
                                 .application_name = "test",
                                 .statements = statements,
                                 .statement_count = STATEMENT_COUNT,
                                 .on_state = on_state,
                                 .on_notify = on_notify,
                                 .owner = world };
}

static void setup(struct world *world)
{
    *world = (struct world) { .conninfo = pg_server_make_database(NULL) };
    pg_server_run(world->conninfo, schema);
    assert_int_equal(loop_new(&world->loop, NULL), 0);
    struct pg_options options = options_of(world);
    assert_int_equal(pg_open(&world->pg, world->loop, &options, NULL), 0);
    if (!loop_run_until(world->loop, &world->is_up, 10000))
        fail_msg("not up: %s", world->down_err.sentence);
}

static void teardown(struct world *world)
{
    pg_close(world->pg, on_closed, world);
    assert_true(loop_run_until(world->loop, &world->is_closed, 10000));
    loop_free(world->loop);
}

/* Sends and waits for the end. */
static void commit(struct world *world, struct pg_tx *tx)
{
    world->done = false;
    pg_send(world->pg, tx, on_end, world);
    assert_false(world->done);
    assert_true(loop_run_until(world->loop, &world->done, 20000));
}

static void add_items(struct pg_tx *tx, int from, int count)
{
    struct pg_params *params = pg_tx_add(tx, ADD, NULL, NULL);
    pg_put_array(params, PG_INT4);
    for (int i = 0; i < count; i++)
        pg_put_int4(params, from + i);
    pg_put_array_end(params);
    pg_put_array(params, PG_TEXT);
    for (int i = 0; i < count; i++)
        pg_put_text(params, STR("x"));
    pg_put_array_end(params);
}

static int64_t count_items(struct world *world)
{
    struct pg_sync *sync;
    struct pg_result *result;
    assert_int_equal(pg_sync_open(&sync, world->conninfo, NULL), 0);
    assert_int_equal(pg_sync_query(sync, "SELECT count(*) FROM item", NULL, &result, NULL), 0);
    int64_t count = pg_get_int(result, 0, 0);
    pg_result_free(result);
    pg_sync_close(sync);
    return count;
}

static void terminate_backends(struct world *world)
{
    char script[256];
    snprintf(script, sizeof script,
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
             "'test' AND datname = '%s'",
             pg_server_database(world->conninfo));
    pg_server_run(pg_server_conninfo("postgres"), script);
}

static void several_statements_commit_as_one(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    add_items(tx, 1, 3);
    pg_tx_expect(tx, 3);
    pg_put_int4(pg_tx_add(tx, GET, on_result, &world), 2);
    assert_int_equal(pg_tx_count(tx), 2);
    commit(&world, tx);
    assert_int_equal(world.rc, 0);
    assert_int_equal(world.fate, PG_COMMITTED);
    assert_false(world.is_surprising);
    assert_int_equal(world.failed_index, -1);
    assert_int_equal(world.results, 1);
    assert_int_equal(world.number, 2);
    teardown(&world);
}

static void a_failing_statement_undoes_the_others_and_is_named(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    add_items(tx, 1, 3);
    pg_put_int4(pg_tx_add(tx, FAIL, on_result, &world), 0);
    pg_put_int4(pg_tx_add(tx, GET, on_result, &world), 0);
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_INVALID);
    assert_int_equal(world.fate, PG_FAILED);
    assert_int_equal(world.failed_index, 1);
    assert_string_equal(world.sqlstate, "22012");
    assert_non_null(strstr(world.err.sentence, "fail: division by zero"));
    assert_int_equal(world.results, 0);
    assert_int_equal(count_items(&world), 0);
    /* The connection goes on. */
    tx = pg_tx_new();
    add_items(tx, 1, 3);
    commit(&world, tx);
    assert_int_equal(world.rc, 0);
    assert_int_equal(count_items(&world), 3);
    teardown(&world);
}

static void on_number(void *owner, const struct pg_outcome *outcome)
{
    assert_int_equal(outcome->rc, 0);
    *(int64_t *)owner = pg_get_int(outcome->results[0], 0, 0);
}

static int64_t ask_text(struct world *world, const char *sql, int64_t number)
{
    int64_t answer = INT64_MIN;
    struct pg_tx *tx = pg_tx_new();
    pg_put_int8(pg_tx_add_kept(tx, sql), number);
    pg_send(world->pg, tx, on_number, &answer);
    while (answer == INT64_MIN) {
        bool never = false;
        (void)loop_run_until(world->loop, &never, 1);
    }
    return answer;
}

static void a_text_that_comes_again_is_prepared_and_answers_as_before(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    static const char TWICE[] = "SELECT $1::bigint * 2",
                      KEPT[] = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE "
                               "'kept%' AND $1::bigint > 0";
    assert_int_equal(ask_text(&world, TWICE, 1), 2);
    assert_int_equal(ask_text(&world, KEPT, 1), 0); /* each came once */
    for (int i = 2; i < 6; i++)
        assert_int_equal(ask_text(&world, TWICE, i), 2 * i);
    assert_int_equal(ask_text(&world, KEPT, 1), 2);
    terminate_backends(&world); /* a new session has none of them */
    while (pg_state(world.pg) == PG_UP) {
        bool never = false;
        (void)loop_run_until(world.loop, &never, 1);
    }
    while (pg_state(world.pg) != PG_UP) {
        bool never = false;
        (void)loop_run_until(world.loop, &never, 1);
    }
    assert_int_equal(ask_text(&world, TWICE, 9), 18);
    assert_int_equal(ask_text(&world, KEPT, 1), 0);
    teardown(&world);
}

static void our_own_sqlstates_are_our_own_errors(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    (void)pg_tx_add(tx, RAISE, NULL, NULL);
    add_items(tx, 1, 1);
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_LOST);
    assert_int_equal(world.failed_index, 0);
    assert_string_equal(world.err.hint, "step down");
    tx = pg_tx_new();
    add_items(tx, 1, 1);
    add_items(tx, 1, 1);
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_EXISTS);
    assert_int_equal(world.failed_index, 1);
    teardown(&world);
}

static void an_error_at_commit_belongs_to_no_statement(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    add_items(tx, 1, 1);
    pg_put_int4(pg_tx_add(tx, DEFERRED, NULL, NULL), 5);
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_NOT_FOUND);
    assert_int_equal(world.fate, PG_FAILED);
    assert_int_equal(world.failed_index, -1);
    assert_int_equal(count_items(&world), 0);
    tx = pg_tx_new();
    pg_put_int8(pg_tx_add(tx, ONE, on_result, &world), 77);
    commit(&world, tx);
    assert_int_equal(world.rc, 0);
    assert_int_equal(world.number, 77);
    teardown(&world);
}

static void a_row_count_that_surprises_is_reported_after_the_commit(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    add_items(tx, 1, 2);
    pg_tx_expect(tx, 2);
    pg_put_int4(pg_tx_add(tx, GET, NULL, NULL), 2);
    pg_tx_expect(tx, 5);
    commit(&world, tx);
    assert_int_equal(world.rc, 0);
    assert_true(world.is_surprising);
    assert_int_equal(world.failed_index, 1);
    teardown(&world);
}

static void a_parameter_of_the_wrong_type_is_refused_before_it_is_sent(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    pg_put_int4(pg_tx_add(tx, ONE, NULL, NULL), 7);
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_INTERNAL);
    assert_non_null(strstr(world.err.sentence, "one: $1"));
    tx = pg_tx_new();
    (void)pg_tx_add(tx, ONE, NULL, NULL);
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_INTERNAL);
    assert_non_null(strstr(world.err.sentence, "takes 1 parameters, not 0"));
    assert_true(world.is_up);
    teardown(&world);
}

struct order {
    struct world *world;
    int64_t expected;
};

static void on_ordered(void *owner, const struct pg_outcome *outcome)
{
    struct order *order = owner;
    assert_int_equal(outcome->rc, 0);
    assert_int_equal(pg_get_int(outcome->results[0], 0, 0), order->expected);
    assert_int_equal(order->world->ends, order->expected);
    order->world->ends++;
    order->world->done = order->world->ends == 5000;
}

static void thousands_under_way_are_answered_in_order(void **state)
{
    (void)state;
    static struct order orders[5000];
    struct world world;
    setup(&world);
    for (int i = 0; i < 5000; i++) {
        orders[i] = (struct order) { &world, i };
        struct pg_tx *tx = pg_tx_new();
        pg_put_int8(pg_tx_add(tx, ONE, NULL, NULL), i);
        pg_send(world.pg, tx, on_ordered, &orders[i]);
    }
    assert_int_equal(pg_in_flight(world.pg), 5000);
    assert_true(loop_run_until(world.loop, &world.done, 30000));
    assert_int_equal(pg_in_flight(world.pg), 0);
    teardown(&world);
}

static void a_large_parameter_goes_through(void **state)
{
    (void)state;
    struct world world;
    struct arena arena = { 0 };
    setup(&world);
    size_t size = 20 << 20;
    char *bytes = arena_alloc(&arena, size);
    memset(bytes, 'x', size);
    struct pg_tx *tx = pg_tx_new();
    pg_put_text(pg_tx_add(tx, BIG, on_result, &world), (struct str) { bytes, size });
    commit(&world, tx);
    assert_int_equal(world.rc, 0);
    assert_int_equal(world.number, size);
    arena_clear(&arena);
    teardown(&world);
}

struct rows {
    uint32_t count, most;
    int64_t last;
};

static void on_rows(void *owner, const struct pg_result *result)
{
    struct rows *rows = owner;
    rows->count += pg_row_count(result);
    if (pg_row_count(result) > rows->most)
        rows->most = pg_row_count(result);
    rows->last = pg_get_int(result, pg_row_count(result) - 1, 0);
}

static void add_rows(struct pg_tx *tx, const char *sql, int64_t number, struct rows *rows)
{
    pg_put_int8(pg_tx_add_text(tx, sql), number);
    pg_tx_rows(tx, on_rows, rows);
}

static void rows_that_are_wanted_as_they_come_are_given_singly_and_not_kept(void **state)
{
    (void)state;
    static const char MANY[] = "SELECT n, repeat('x', 2000) FROM generate_series(1, $1) n";
    struct world world;
    struct rows rows[3] = { 0 };
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    pg_put_int8(pg_tx_add(tx, ONE, on_result, &world), 7);
    add_rows(tx, MANY, 5000, &rows[0]);
    add_rows(tx, MANY, 0, &rows[1]);
    pg_put_int8(pg_tx_add(tx, ONE, NULL, NULL), 8);
    add_rows(tx, MANY, 3, &rows[2]);
    pg_send(world.pg, tx, NULL, NULL);
    tx = pg_tx_new(); /* and again, as the first of a transaction behind it */
    add_rows(tx, MANY, 3, &rows[2]);
    commit(&world, tx);
    assert_int_equal(world.rc, 0);
    assert_int_equal(world.number, 7);
    assert_int_equal(rows[0].count, 5000);
    assert_int_equal(rows[0].last, 5000);
    assert_int_equal(rows[0].most, 1);
    assert_int_equal(rows[1].count, 0);
    assert_int_equal(rows[2].count, 6);
    assert_int_equal(rows[2].most, 1);
    teardown(&world);
}

static void a_statement_that_fails_after_its_first_rows_says_so_at_the_end(void **state)
{
    (void)state;
    struct world world;
    struct rows rows = { 0 };
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    add_rows(tx, "SELECT 1 / ($1 - n) FROM generate_series(1, 100000) n", 50000, &rows);
    commit(&world, tx);
    assert_true(rows.count > 0 && rows.count < 50000);
    assert_true(world.rc < 0);
    assert_string_equal(world.sqlstate, "22012");
    tx = pg_tx_new();
    pg_put_int8(pg_tx_add(tx, ONE, on_result, &world), 9);
    commit(&world, tx);
    assert_int_equal(world.number, 9);
    teardown(&world);
}

static void a_broken_connection_leaves_the_fate_unknown_and_comes_back(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    add_items(tx, 1, 1);
    pg_put_float8(pg_tx_add(tx, SLEEP, NULL, NULL), 100);
    pg_send(world.pg, tx, on_end, &world);
    (void)loop_run_until(world.loop, &world.done, 100);
    terminate_backends(&world);
    assert_true(loop_run_until(world.loop, &world.is_down, 10000));
    assert_int_equal(world.ends, 1);
    assert_true(world.fate == PG_UNKNOWN || world.fate == PG_FAILED);
    assert_true(world.rc == ERR_DB_UNKNOWN || world.rc == ERR_DB_CONNECTION);

    /* While it is away: refused, later, and certain. */
    tx = pg_tx_new();
    add_items(tx, 2, 1);
    world.ends = 0;
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_DB_CONNECTION);
    assert_int_equal(world.fate, PG_FAILED);

    assert_true(loop_run_until(world.loop, &world.is_up, 10000));
    tx = pg_tx_new();
    add_items(tx, 3, 1);
    commit(&world, tx);
    assert_int_equal(world.rc, 0);
    assert_int_equal(count_items(&world), 1);
    teardown(&world);
}

static void reconnecting_by_wish_makes_what_was_sent_unknown(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    pg_put_float8(pg_tx_add(tx, SLEEP, NULL, NULL), 100);
    pg_send(world.pg, tx, on_end, &world);
    pg_reconnect(world.pg, "the lease is over");
    assert_int_equal(world.ends, 0);
    assert_int_equal(pg_state(world.pg), PG_DOWN);
    assert_true(loop_run_until(world.loop, &world.is_down, 5000));
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.rc, ERR_DB_UNKNOWN);
    assert_int_equal(world.fate, PG_UNKNOWN);
    assert_string_equal(world.down_err.sentence, "the lease is over");
    world.is_up = false;
    assert_true(loop_run_until(world.loop, &world.is_up, 5000));
    assert_int_equal(world.ups, 2);
    teardown(&world);
}

static void a_restart_of_the_server_is_survived(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    pg_server_stop(true);
    assert_true(loop_run_until(world.loop, &world.is_down, 10000));
    pg_server_start();
    assert_true(loop_run_until(world.loop, &world.is_up, 60000));
    struct pg_tx *tx = pg_tx_new();
    pg_put_int8(pg_tx_add(tx, ONE, on_result, &world), 5);
    commit(&world, tx);
    assert_int_equal(world.number, 5);
    teardown(&world);
}

static void wait_for_sync_rep(struct pg_sync *sync)
{
    for (bool waits = false; !waits;) {
        struct pg_result *result;
        assert_int_equal(
            pg_sync_query(sync,
                          "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
                          NULL, &result, NULL),
            0);
        waits = pg_get_bool(result, 0, 0);
        pg_result_free(result);
    }
}

static void a_commit_that_the_standby_did_not_confirm_is_unknown(void **state)
{
    (void)state;
    struct world world;
    struct pg_sync *sync;
    setup(&world);
    assert_int_equal(pg_sync_open(&sync, pg_server_conninfo("postgres"), NULL), 0);
    assert_int_equal(
        pg_sync_exec(sync, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", NULL), 0);
    assert_int_equal(pg_sync_exec(sync, "SELECT pg_reload_conf()", NULL), 0);
    for (int i = 0; world.rc == 0 && i < 100; i++) { /* until the reload has come through */
        struct pg_tx *tx = pg_tx_new();
        add_items(tx, i, 1);
        world.done = false;
        pg_send(world.pg, tx, on_end, &world);
        if (loop_run_until(world.loop, &world.done, 100))
            continue;
        wait_for_sync_rep(sync);
        assert_int_equal(
            pg_sync_exec(
                sync,
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
                NULL),
            0);
        assert_true(loop_run_until(world.loop, &world.done, 5000));
    }
    assert_int_equal(world.rc, ERR_DB_UNKNOWN);
    assert_int_equal(world.fate, PG_UNKNOWN);
    assert_non_null(strstr(world.err.sentence, "standby"));
    assert_int_equal(pg_sync_exec(sync, "ALTER SYSTEM RESET synchronous_standby_names", NULL), 0);
    assert_int_equal(pg_sync_exec(sync, "SELECT pg_reload_conf()", NULL), 0);
    pg_sync_close(sync);
    teardown(&world);
}

static void a_silent_server_is_given_up(void **state)
{
    (void)state;
    struct world world = { .conninfo = pg_server_make_database(NULL) };
    pg_server_run(world.conninfo, schema);
    assert_int_equal(loop_new(&world.loop, NULL), 0);
    struct pg_options options = options_of(&world);
    options.silence_limit_ms = 300;
    assert_int_equal(pg_open(&world.pg, world.loop, &options, NULL), 0);
    assert_true(loop_run_until(world.loop, &world.is_up, 10000));
    struct pg_tx *tx = pg_tx_new();
    pg_put_float8(pg_tx_add(tx, SLEEP, NULL, NULL), 5);
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_DB_UNKNOWN);
    teardown(&world);
}

static void a_server_that_turned_read_only_is_left(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    (void)pg_tx_add(tx, READ_ONLY, NULL, NULL);
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_DB_CONNECTION);
    assert_int_equal(world.fate, PG_FAILED);
    world.is_up = false;
    assert_true(loop_run_until(world.loop, &world.is_up, 10000));
    teardown(&world);
}

static void statements_run_with_the_sessions_limits(void **state)
{
    (void)state;
    struct world world = { .conninfo = pg_server_make_database(NULL) };
    pg_server_run(world.conninfo, schema);
    assert_int_equal(loop_new(&world.loop, NULL), 0);
    struct pg_options options = options_of(&world);
    options.statement_timeout_ms = 50;
    assert_int_equal(pg_open(&world.pg, world.loop, &options, NULL), 0);
    assert_true(loop_run_until(world.loop, &world.is_up, 10000));
    struct pg_tx *tx = pg_tx_new();
    pg_put_float8(pg_tx_add(tx, SLEEP, NULL, NULL), 5);
    commit(&world, tx);
    assert_int_equal(world.rc, ERR_TIMEOUT);
    teardown(&world);
}

static void notifications_arrive_also_after_a_reconnect(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    pg_listen(world.pg, "news");
    for (int round = 0; round < 2; round++) {
        struct pg_tx *tx = pg_tx_new();
        pg_put_text(pg_tx_add(tx, NOTIFY, NULL, NULL), STR("hello"));
        world.text[0] = 0;
        commit(&world, tx);
        assert_int_equal(world.rc, 0);
        world.done = world.text[0] != 0;
        assert_true(loop_run_until(world.loop, &world.done, 5000));
        assert_string_equal(world.channel, "news");
        assert_string_equal(world.text, "hello");
        world.is_up = false;
        if (round == 0) {
            pg_reconnect(world.pg, "test");
            assert_true(loop_run_until(world.loop, &world.is_up, 5000));
        }
    }
    teardown(&world);
}

static void a_statement_that_does_not_prepare_keeps_the_connection_down_and_says_which(void **state)
{
    (void)state;
    static const struct pg_statement bad[] = { { "fine", "SELECT 1" },
                                               { "broken", "SELECT * FROM not_there" } };
    struct world world = { .conninfo = pg_server_make_database(NULL) };
    assert_int_equal(loop_new(&world.loop, NULL), 0);
    struct pg_options options = options_of(&world);
    options.statements = bad;
    options.statement_count = 2;
    assert_int_equal(pg_open(&world.pg, world.loop, &options, NULL), 0);
    assert_true(loop_run_until(world.loop, &world.is_down, 10000));
    assert_int_equal(world.ups, 0);
    assert_non_null(strstr(world.down_err.sentence, "broken"));
    assert_non_null(strstr(world.down_err.sentence, "not_there"));
    teardown(&world);
}

static void a_server_that_is_not_there_is_a_state_not_an_error(void **state)
{
    (void)state;
    static const char *const away[] = { "host=/nonexistent dbname=x",
                                        "host=127.0.0.1 port=1 dbname=x",
                                        "host=no-such-host.invalid dbname=x",
                                        "host=localhost port=1 dbname=x" };
    for (size_t i = 0; i < sizeof away / sizeof *away; i++) {
        struct world world = { .conninfo = away[i] };
        assert_int_equal(loop_new(&world.loop, NULL), 0);
        struct pg_options options = options_of(&world);
        assert_int_equal(pg_open(&world.pg, world.loop, &options, NULL), 0);
        assert_true(loop_run_until(world.loop, &world.is_down, 20000));
        assert_int_equal(world.down_err.code, ERR_DB_CONNECTION);
        teardown(&world);
    }
    struct world world = { .conninfo = "nonsense" };
    struct pg_options options = options_of(&world);
    struct err err = { 0 };
    assert_int_equal(pg_open(&world.pg, NULL, &options, &err), ERR_INVALID);
}

static void closing_ends_what_is_under_way_first(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    struct pg_tx *tx = pg_tx_new();
    pg_put_float8(pg_tx_add(tx, SLEEP, NULL, NULL), 100);
    pg_send(world.pg, tx, on_end, &world);
    teardown(&world);
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.rc, ERR_DB_UNKNOWN);
}

static void closing_at_once_after_opening_is_safe(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        struct world world = { .conninfo = round % 2 == 0 ? pg_server_conninfo("postgres")
                                                          : "host=localhost port=1" };
        bool never = false;
        assert_int_equal(loop_new(&world.loop, NULL), 0);
        struct pg_options options = options_of(&world);
        assert_int_equal(pg_open(&world.pg, world.loop, &options, NULL), 0);
        if (round >= 2)
            (void)loop_run_until(world.loop, &never, 1); /* in the middle of connecting */
        teardown(&world);
    }
}

static void on_pid(void *owner, const struct pg_result *result)
{
    *(int64_t *)owner = pg_get_int(result, 0, 0);
}

static void on_pool_closed(void *owner)
{
    ((struct world *)owner)->is_closed = true;
}

static void a_pool_spreads_and_survives_the_loss_of_connections(void **state)
{
    (void)state;
    struct world world = { .conninfo = pg_server_make_database(NULL) };
    struct pg_pool *pool;
    pg_server_run(world.conninfo, schema);
    assert_int_equal(loop_new(&world.loop, NULL), 0);
    struct pg_options options = options_of(&world);
    assert_int_equal(pg_pool_open(&pool, world.loop, &options, 3, NULL), 0);
    struct pg_tx *tx = pg_tx_new();
    pg_put_int8(pg_tx_add(tx, ONE, NULL, NULL), 1);
    pg_pool_send(pool, tx, on_end, &world);
    assert_true(loop_run_until(world.loop, &world.done, 1000));
    assert_int_equal(world.rc, ERR_DB_CONNECTION);
    while (world.ups < 3)
        (void)loop_run_until(world.loop, &world.is_closed, 5);
    assert_true(pg_pool_is_up(pool));

    /* Each finds the others' connections busy and takes one of its own. */
    int64_t pids[3] = { 0 };
    world.ends = 0;
    for (int i = 0; i < 3; i++) {
        tx = pg_tx_new();
        (void)pg_tx_add(tx, PID, on_pid, &pids[i]);
        pg_put_float8(pg_tx_add(tx, SLEEP, NULL, NULL), 0.01);
        pg_pool_send(pool, tx, on_end, &world);
    }
    while (world.ends < 3)
        (void)loop_run_until(world.loop, &world.is_closed, 5);
    assert_int_equal(world.rc, 0);
    assert_true(pids[0] != pids[1] && pids[1] != pids[2] && pids[0] != pids[2]);

    terminate_backends(&world);
    while (world.downs < 3)
        (void)loop_run_until(world.loop, &world.is_closed, 5);
    while (world.ups < 6)
        (void)loop_run_until(world.loop, &world.is_closed, 5);
    pg_pool_close(pool, on_pool_closed, &world);
    assert_true(loop_run_until(world.loop, &world.is_closed, 5000));
    loop_free(world.loop);
}

TESTS(CASE(several_statements_commit_as_one),
      CASE(a_failing_statement_undoes_the_others_and_is_named),
      CASE(a_text_that_comes_again_is_prepared_and_answers_as_before),
      CASE(our_own_sqlstates_are_our_own_errors), CASE(an_error_at_commit_belongs_to_no_statement),
      CASE(a_row_count_that_surprises_is_reported_after_the_commit),
      CASE(a_parameter_of_the_wrong_type_is_refused_before_it_is_sent),
      CASE(thousands_under_way_are_answered_in_order), CASE(a_large_parameter_goes_through),
      CASE(rows_that_are_wanted_as_they_come_are_given_singly_and_not_kept),
      CASE(a_statement_that_fails_after_its_first_rows_says_so_at_the_end),
      CASE(a_broken_connection_leaves_the_fate_unknown_and_comes_back),
      CASE(reconnecting_by_wish_makes_what_was_sent_unknown),
      CASE(a_restart_of_the_server_is_survived),
      CASE(a_commit_that_the_standby_did_not_confirm_is_unknown), CASE(a_silent_server_is_given_up),
      CASE(a_server_that_turned_read_only_is_left), CASE(statements_run_with_the_sessions_limits),
      CASE(notifications_arrive_also_after_a_reconnect),
      CASE(a_statement_that_does_not_prepare_keeps_the_connection_down_and_says_which),
      CASE(a_server_that_is_not_there_is_a_state_not_an_error),
      CASE(closing_ends_what_is_under_way_first), CASE(closing_at_once_after_opening_is_safe),
      CASE(a_pool_spreads_and_survives_the_loss_of_connections))
