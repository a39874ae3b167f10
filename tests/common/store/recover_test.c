// SPDX-License-Identifier: Apache-2.0
#include "common/store/recover.h"

#include "common/base/civil.h"
#include "common/store/dag_file.h"
#include "common/store/inbox.h"
#include "tests/support/store_world.h"
#include "tests/support/test.h"

/* What was given, in order, as text: one line each. */
struct story {
    struct buf text;
    int64_t run_no_next, worker_no_next, wall_ms;
    uint32_t runs;
    int rc;
    bool done;
};

static void on_numbers(void *owner, const struct recovered_numbers *numbers)
{
    struct story *story = owner;

    buf_printf(&story->text, "numbers\n");
    story->run_no_next = numbers->run_no_next;
    story->worker_no_next = numbers->worker_no_next;
    story->wall_ms = numbers->wall_ms;
}

static void on_dag(void *owner, const struct recovered_dag *dag)
{
    buf_printf(&((struct story *)owner)->text, "dag %.*s %.*s%s%s%s %lld in %.*s\n",
               STR_ARG(dag->dag_id), STR_ARG(dag->ir), dag->is_newest ? " newest" : "",
               dag->is_stale ? " stale" : "", dag->is_paused ? " paused" : "",
               dag->has_last ? (long long)dag->last_fire_ms : -1, STR_ARG(dag->path));
}

static void on_pool(void *owner, const struct pool_row *pool)
{
    buf_printf(&((struct story *)owner)->text, "pool %.*s %d\n", STR_ARG(pool->name), pool->slots);
}

static void on_variable(void *owner, const struct variable_row *variable)
{
    buf_printf(&((struct story *)owner)->text, "variable %.*s=%.*s\n", STR_ARG(variable->key),
               STR_ARG(variable->value));
}

static void on_connection(void *owner, const struct connection_row *connection)
{
    buf_printf(&((struct story *)owner)->text, "connection %.*s\n",
               STR_ARG(connection->connection_id));
}

static void on_worker(void *owner, const struct recovered_worker *worker)
{
    buf_printf(&((struct story *)owner)->text, "worker %lld %.*s %.*s %d %llu\n",
               (long long)worker->worker_no, STR_ARG(worker->worker), STR_ARG(worker->name),
               (int)worker->state, (unsigned long long)worker->incarnation);
}

static void on_asset(void *owner, const struct recovered_event *event)
{
    buf_printf(&((struct story *)owner)->text, "asset %.*s event %lld of dag %d\n",
               STR_ARG(event->asset), (long long)event->event_no, event->dag_no);
}

static void on_length(void *owner, int32_t dag_no, int64_t length_ms)
{
    buf_printf(&((struct story *)owner)->text, "length %d %lld\n", dag_no, (long long)length_ms);
}

static void on_backfill(void *owner, const struct recovered_backfill *backfill)
{
    struct buf *text = &((struct story *)owner)->text;
    const struct backfill_row *row = &backfill->row;

    buf_printf(text,
               "backfill %lld dag %d %lld to %lld max %d %s%s%s %.*s by %.*s cursor %lld made %lld "
               "ended %lld",
               (long long)row->backfill_no, row->dag_no, (long long)row->from_ms,
               (long long)row->to_ms, row->max_active_runs, reprocess_name(row->reprocess),
               row->backwards ? " backwards" : "", row->paused ? " paused" : "", STR_ARG(row->conf),
               STR_ARG(row->triggered_by), row->has_cursor ? (long long)row->cursor_ms : -1,
               (long long)row->created_ms, (long long)row->ended_ms);
    for (uint32_t i = 0; i < backfill->run_count; i++)
        buf_printf(text, " run %lld", (long long)(backfill->run_nos[i] & 0xffffff));
    for (uint32_t i = 0; i < backfill->date_count; i++)
        buf_printf(text, " date %lld", (long long)backfill->dates[i]);
    buf_add_byte(text, '\n');
}

static void on_run(void *owner, const struct recovered_run *run)
{
    struct story *story = owner;

    story->runs++;
    buf_printf(&story->text, "run %lld %.*s %s %s version %lld logical %lld after %lld %.*s\n",
               (long long)(run->run_no & 0xffffff), STR_ARG(run->run_id),
               run_state_name(run->state), run_type_name(run->type), (long long)run->version_no,
               run->has_logical ? (long long)run->logical_ms : -1, (long long)run->run_after_ms,
               STR_ARG(run->conf));
    for (uint32_t i = 0; i < run->try_count; i++) {
        const struct recovered_try *try = &run->tries[i];

        buf_printf(&story->text,
                   "  try %u[%d] row %u try %u+%u %s%s attempt %llx worker %lld credit %llu/%llu "
                   "retry %lld output %.*s\n",
                   try->task, try->map_index, try->row_no, try->try_no, try->infra_tries,
                   task_state_name(try->state), try->cleared ? " cleared" : "",
                   (unsigned long long)try->attempt.low, (long long)try->worker_no,
                   (unsigned long long)try->credit.incarnation, (unsigned long long)try->credit.seq,
                   (long long)try->retry_wall_ms, STR_ARG(try->output));
    }
    for (uint32_t i = 0; i < run->expansion_count; i++)
        buf_printf(&story->text, "  expansion %u %.*s\n", run->expansions[i].task,
                   STR_ARG(run->expansions[i].items));
}

static void on_end(void *owner, int rc, const struct err *err)
{
    struct story *story = owner;

    (void)err;
    story->rc = rc;
    story->done = true;
}

static const struct recover_handler handler = { .on_numbers = on_numbers,
                                                .on_dag = on_dag,
                                                .on_pool = on_pool,
                                                .on_variable = on_variable,
                                                .on_connection = on_connection,
                                                .on_worker = on_worker,
                                                .on_asset = on_asset,
                                                .on_backfill = on_backfill,
                                                .on_run = on_run,
                                                .on_length = on_length,
                                                .on_end = on_end };

static struct story recover(struct store_world *world)
{
    struct story story = { 0 };

    store_recover(world->store, &handler, &story);
    store_world_wait(world, &story.done);
    assert_int_equal(story.rc, 0);
    return story;
}

static int64_t today(struct store_world *world)
{
    return store_world_int(world, "SELECT (now() AT TIME ZONE 'UTC')::date - date '1970-01-01'");
}

static void apply(struct store_world *world, const struct record *records, uint32_t count)
{
    struct err err = { 0 };

    if (store_world_apply(world, records, count, &err) < 0)
        fail_msg("%s", err.sentence);
}

static void an_empty_database_gives_numbers_and_the_default_pool(void **state)
{
    struct store_world world;
    struct story story;

    (void)state;
    store_world_open(&world);
    story = recover(&world);
    assert_str(buf_str(&story.text), "numbers\npool default_pool 128\n");
    assert_int_equal(story.run_no_next, RUN_NO(today(&world), 0, 1));
    assert_int_equal(story.worker_no_next, 1);
    assert_true(llabs(story.wall_ms - loop_wall_ms()) < 5000);
    buf_clear(&story.text);
    store_world_close(&world);
}

static void put_dags(struct store_world *world)
{
    pg_server_run(
        world->conninfo,
        "INSERT INTO dag (dag_no, dag_id, fileloc, is_paused, is_stale, last_fire_at, version_no) "
        "VALUES"
        " (1, 'old', 'old.yaml', false, true, NULL, 11), (2, 'new', 'new.yaml', true, false, "
        "to_timestamp(5), 22),"
        " (3, 'unused', 'u.yaml', false, true, NULL, 33);"
        "INSERT INTO dag_version (version_no, dag_no, version_number, hash, ir, source) VALUES"
        " (11, 1, 1, 'a', '{\"v\": 11}', ''), (21, 2, 1, 'b', '{\"v\": 21}', ''), (22, 2, 2, 'c', "
        "'{\"v\": 22}', ''),"
        " (20, 2, 3, 'd', '{\"v\": 20}', ''), (33, 3, 1, 'e', '{\"v\": 33}', '')");
}

/* Of the DAG that asks, the last twenty that succeeded; nothing of the other one. */
static void lengths_are_those_of_the_last_twenty_good_runs(void **state)
{
    struct store_world world;
    struct buf expected = { 0 };

    (void)state;
    store_world_open(&world);
    pg_server_run(
        world.conninfo,
        "INSERT INTO dag (dag_no, dag_id, fileloc, version_no) VALUES (1, 'asks', 'a.yaml', 11), "
        "(2, 'not', 'b.yaml', 12);"
        "INSERT INTO dag_version (version_no, dag_no, version_number, hash, ir, source) VALUES"
        " (11, 1, 1, 'a', '{\"deadline_percentile\": 95}', ''), (12, 2, 1, 'b', '{}', '');"
        "INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after, queued_at, "
        "state, ended_at, updated_at) SELECT (((now() AT TIME ZONE 'UTC')::date - date "
        "'1970-01-01')::bigint << 32) + n, 1 + n / 100, 11, 0, n, now(), now(), "
        "CASE WHEN n = 22 THEN 3 ELSE 2 END, now() + n * interval '1.5 s', now() "
        "FROM generate_series(1, 123) n WHERE n < 26 OR n > 120");
    struct story story = recover(&world);
    for (int n = 5; n < 26; n++)
        if (n != 22)
            buf_printf(&expected, "length 1 %d\n", n * 1500);
    struct str text = buf_str(&story.text);
    const char *lengths = memmem(text.bytes, text.size, "length", 6);
    assert_non_null(lengths);
    assert_true(
        str_eq(str_slice(text, (size_t)(lengths - text.bytes), text.size), buf_str(&expected)));
    buf_clear(&expected);
    buf_clear(&story.text);
    store_world_close(&world);
}

static struct record try_of(int64_t run_no, uint32_t row_no, enum task_state task_state)
{
    return (struct record) { .type = WRITE_TRY_PLACED,
                             .try = { .run_no = run_no,
                                      .dag_no = 2,
                                      .task = 1,
                                      .map_index = -1,
                                      .try_no = 1,
                                      .infra_tries = 2,
                                      .row_no = row_no,
                                      .state = task_state,
                                      .cause = CAUSE_PLACED,
                                      .attempt = { 1, row_no + 0xa0 },
                                      .worker_no = 4,
                                      .credit = { 6, 7 },
                                      .pool = STR("p"),
                                      .queue = STR("q"),
                                      .queued_ms = 1,
                                      .retry_ms = task_state == TASK_UP_FOR_RETRY ? 99 : 0,
                                      .error = STR_EMPTY,
                                      .map_label = STR_EMPTY } };
}

static void put_runs(struct store_world *world)
{
    int64_t base = RUN_NO(today(world), 0, 0);
    struct record records[] = {
        { .type = WRITE_RUN_CREATE,
          .run = { .run_no = base + 1,
                   .dag_no = 1,
                   .version_no = 11,
                   .run_id = STR("r1"),
                   .type = RUN_MANUAL,
                   .state = RUN_RUNNING,
                   .run_after_ms = 8,
                   .queued_ms = 1,
                   .started_ms = 2,
                   .conf = STR("{}"),
                   .triggered_by = STR_EMPTY,
                   .note = STR_EMPTY } },
        { .type = WRITE_RUN_CREATE,
          .run = { .run_no = base + 2,
                   .dag_no = 2,
                   .version_no = 21,
                   .run_id = STR("r2"),
                   .type = RUN_SCHEDULED,
                   .state = RUN_QUEUED,
                   .has_logical = true,
                   .logical_ms = 7,
                   .run_after_ms = 9,
                   .queued_ms = 1,
                   .conf = STR("{\"k\": 1}"),
                   .triggered_by = STR_EMPTY,
                   .note = STR_EMPTY } },
        { .type = WRITE_RUN_CREATE,
          .run = { .run_no = base + 3,
                   .dag_no = 2,
                   .version_no = 20,
                   .run_id = STR("over"),
                   .type = RUN_MANUAL,
                   .state = RUN_SUCCESS,
                   .run_after_ms = 9,
                   .queued_ms = 1,
                   .conf = STR("{}"),
                   .triggered_by = STR_EMPTY,
                   .note = STR_EMPTY } },
        try_of(base + 1, 0, TASK_FAILED),
        try_of(base + 1, 1, TASK_UP_FOR_RETRY),
        try_of(base + 2, 0, TASK_SUCCESS),
        try_of(base + 3, 0, TASK_SUCCESS),
        { .type = WRITE_OUTPUT,
          .output = { .run_no = base + 2, .task = 1, .map_index = -1, .json = STR("[1]") } },
        { .type = WRITE_OUTPUT,
          .output = { .run_no = base + 3, .task = 1, .map_index = -1, .json = STR("\"o\"") } },
        { .type = WRITE_EXPANSION,
          .expansion = { .run_no = base + 2, .task = 5, .length = 2, .items = STR("[1, 2]") } },
        { .type = WRITE_WORKER,
          .worker = { .worker_no = 4,
                      .worker = STR("key4"),
                      .name = STR("w4"),
                      .host = STR("h"),
                      .version = STR("1"),
                      .queues = STR("q"),
                      .incarnation = 6,
                      .state = WORKER_GONE,
                      .slots = 1,
                      .seen_ms = 1,
                      .reason = STR_EMPTY } },
    };

    apply(world, records, sizeof records / sizeof *records);
}

static void everything_that_lives_comes_back_and_nothing_else(void **state)
{
    struct variable_row variable = { .key = STR("v"), .value = STR("x"), .description = STR_EMPTY };
    struct store_world world;
    struct story story, put = { 0 };

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    put_dags(&world);
    put_runs(&world);
    store_variable_put(world.store, &variable, on_end, &put);
    store_world_wait(&world, &put.done);
    story = recover(&world);
    assert_str(
        buf_str(&story.text),
        "numbers\n"
        "dag old {\"v\": 11} newest stale -1 in old.yaml\n"
        "dag new {\"v\": 21} paused 5000 in new.yaml\n"
        "dag new {\"v\": 22} newest paused 5000 in new.yaml\n"
        "dag unused {\"v\": 33} newest stale -1 in u.yaml\n"
        "pool default_pool 128\n"
        "variable v=x\n"
        "worker 4 key4 w4 3 6\n"
        "run 1 r1 running manual version 11 logical -1 after 8 {}\n"
        "  try 1[-1] row 1 try 1+2 up_for_retry attempt a1 worker 4 credit 6/7 retry 99 output \n"
        "run 2 r2 queued scheduled version 21 logical 7 after 9 {\"k\": 1}\n"
        "  try 1[-1] row 0 try 1+2 success attempt a0 worker 4 credit 6/7 retry 0 output [1]\n"
        "  expansion 5 [1, 2]\n");
    assert_int_equal(story.run_no_next, RUN_NO(today(&world), 0, 4));
    assert_int_equal(story.worker_no_next, 5);
    buf_clear(&story.text);
    store_world_close(&world);
}

static void numbers_of_deleted_runs_are_not_given_again(void **state)
{
    struct store_world world;
    struct story story;
    struct record deleted = { .type = WRITE_DAG_DELETE };

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    put_runs(&world);
    deleted.dag.dag_no = 2; /* of runs 2 and 3 */
    apply(&world, &deleted, 1);
    story = recover(&world);
    assert_int_equal(story.runs, 1);
    assert_int_equal(story.run_no_next, RUN_NO(today(&world), 0, 4));
    buf_clear(&story.text);
    store_world_close(&world);
}

static void many_runs_come_in_portions_and_all_once(void **state)
{
    enum { RUNS = 901 };
    struct store_world world;
    struct story story;

    (void)state;
    store_world_open(&world);
    pg_server_run(world.conninfo,
                  "INSERT INTO live_run SELECT 0, ((current_date - date '1970-01-01' - n % "
                  "2)::bigint << 32) + n FROM generate_series(1, 901) n;"
                  "INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after, "
                  "queued_at, state, updated_at)"
                  " SELECT run_no, 1, 1, 0, 'r', now(), now(), 1, now() FROM live_run;"
                  "INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, "
                  "priority, pool, queue, queued_at, state, cause)"
                  " SELECT run_no, 1, -1, 0, 1, 1, 0, 1, 'p', 'q', now(), 4, 0 FROM live_run;"
                  "INSERT INTO dag (dag_no, dag_id, fileloc, version_no) SELECT n, 'd' || n, 'f', "
                  "n FROM generate_series(1, 120) n;"
                  "INSERT INTO dag_version (version_no, dag_no, version_number, hash, ir, source)"
                  " SELECT n, n, 1, 'h', '{}', '' FROM generate_series(1, 120) n");
    story = recover(&world);
    assert_int_equal(story.runs, RUNS);
    int tries = 0, dags = 0;
    for (struct str rest = buf_str(&story.text), line;
         rest.size > 0 && str_split(&rest, '\n', &line);) {
        tries += str_starts(line, "  try 1[-1] row 0");
        dags += str_starts(line, "dag ");
    }
    assert_int_equal(tries, RUNS);
    assert_int_equal(dags, 120);
    buf_clear(&story.text);
    store_world_close(&world);
}

/* ---- one run, one version -------------------------------------------------------------------- */

static void on_one_run(void *owner, int rc, const struct recovered_run *run, const struct err *err)
{
    struct story *story = owner;

    (void)err;
    story->rc = rc;
    story->done = true;
    if (rc == 0)
        on_run(story, run);
}

static void on_one_dag(void *owner, int rc, const struct recovered_dag *dag, const struct err *err)
{
    struct story *story = owner;

    (void)err;
    story->rc = rc;
    story->done = true;
    if (rc == 0)
        on_dag(story, dag);
}

static void a_run_that_is_over_can_be_read_by_its_name(void **state)
{
    struct store_world world;
    struct story story = { 0 };

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    put_dags(&world);
    put_runs(&world);
    store_run_read(world.store, STR("new"), STR("over"), on_one_run, &story);
    store_world_wait(&world, &story.done);
    assert_str(
        buf_str(&story.text),
        "run 3 over success manual version 20 logical -1 after 9 {}\n"
        "  try 1[-1] row 0 try 1+2 success attempt a0 worker 4 credit 6/7 retry 0 output \"o\"\n");
    buf_clear(&story.text);

    story.done = false;
    store_run_read(world.store, STR("new"), STR("none"), on_one_run, &story);
    store_world_wait(&world, &story.done);
    assert_int_equal(story.rc, ERR_NOT_FOUND);
    assert_int_equal(story.runs, 1);
    store_world_close(&world);
}

static void a_version_can_be_read_by_its_number(void **state)
{
    struct store_world world;
    struct story story = { 0 };

    (void)state;
    store_world_open(&world);
    put_dags(&world);
    store_dag_version_read(world.store, 20, on_one_dag, &story);
    store_world_wait(&world, &story.done);
    assert_str(buf_str(&story.text), "dag new {\"v\": 20} paused 5000 in new.yaml\n");
    buf_clear(&story.text);
    story.done = false;
    store_dag_version_read(world.store, 99, on_one_dag, &story);
    store_world_wait(&world, &story.done);
    assert_int_equal(story.rc, ERR_NOT_FOUND);
    store_world_close(&world);
}

static void recovery_ends_with_the_error_when_the_database_is_away(void **state)
{
    struct store_world world;
    struct story story = { 0 };

    (void)state;
    store_world_open(&world);
    pg_server_stop(true);
    store_recover(world.store, &handler, &story);
    store_world_wait(&world, &story.done);
    assert_true(story.rc == ERR_DB_CONNECTION || story.rc == ERR_DB_UNKNOWN);
    pg_server_start();
    buf_clear(&story.text);
    pg_sync_close(world.sync);
    world.sync = NULL;
    store_world_close(&world);
}

/* Of DAG 2, whose schedule has fired at 5000. */
static struct record backfill_of(int64_t backfill_no, int64_t ended_ms)
{
    return (struct record) { .type = WRITE_BACKFILL,
                             .backfill = { .backfill_no = backfill_no,
                                           .dag_no = 2,
                                           .from_ms = 7,
                                           .to_ms = 9000,
                                           .max_active_runs = 3,
                                           .reprocess = REPROCESS_FAILED,
                                           .backwards = true,
                                           .conf = STR("{\"k\": 1}"),
                                           .triggered_by = STR("ada"),
                                           .created_ms = 11,
                                           .ended_ms = ended_ms } };
}

static void backfills_come_back_with_their_live_runs_and_dates(void **state)
{
    struct store_world world;
    struct story story;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    put_dags(&world);
    put_runs(&world);
    int64_t base = RUN_NO(today(&world), 0, 0);
    struct record records[] = {
        backfill_of(4, 12),
        { .type = WRITE_BACKFILL_RUN, .backfill_run = { 4, 6000, base + 2, STR_EMPTY } },
        backfill_of(5, 0),
        { .type = WRITE_BACKFILL_RUN, .backfill_run = { 5, 7000, base + 2, STR_EMPTY } },
        { .type = WRITE_BACKFILL_RUN, .backfill_run = { 5, 8000, 0, STR("already exists") } },
    };
    apply(&world, records, sizeof records / sizeof *records);
    struct record moved = backfill_of(5, 0);
    moved.backfill.has_cursor = moved.backfill.paused = true;
    moved.backfill.cursor_ms = 8000;
    apply(&world, &moved, 1);
    story = recover(&world);
    buf_add_byte(&story.text, '\0');
    const char *text = strstr(story.text.bytes, "backfill ");
    static const char expected[] =
        "backfill 4 dag 2 7 to 9000 max 3 failed backwards {\"k\": 1} by ada cursor -1 made 11 "
        "ended 12 date 6000\n"
        "backfill 5 dag 2 7 to 9000 max 3 failed backwards paused {\"k\": 1} by ada cursor 8000 "
        "made 11 ended 0 run 2 date 7000\n";
    assert_non_null(text);
    assert_memory_equal(text, expected, sizeof expected - 1);
    buf_clear(&story.text);
    store_world_close(&world);
}

static void on_before(void *owner, int rc, const struct recovered_run *run, const struct err *err)
{
    struct story *story = owner;

    (void)err;
    story->rc = rc;
    story->done = true;
    if (rc == 0)
        on_run(story, run);
}

static struct story before(struct store_world *world, int32_t dag_no, int64_t logical_ms,
                           bool scheduled)
{
    struct story story = { 0 };

    store_run_before(world->store, dag_no, logical_ms, scheduled, on_before, &story);
    store_world_wait(world, &story.done);
    return story;
}

static void the_run_before_a_date_is_found(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    put_dags(&world);
    put_runs(&world);
    struct story at = before(&world, 2, 7, true), early = before(&world, 2, 6, false),
                 other = before(&world, 1, 1000, false);
    assert_true(str_starts(buf_str(&at.text), "run 2 r2 queued scheduled"));
    assert_int_equal(early.rc, ERR_NOT_FOUND);
    assert_int_equal(other.rc, ERR_NOT_FOUND); /* it has no logical date */
    buf_clear(&at.text);
    store_world_close(&world);
}

/* ---- inbox ----------------------------------------------------------------------------------- */

static void on_row(void *owner, const struct inbox_row *row)
{
    buf_printf(&((struct story *)owner)->text, "%lld %.*s %.*s run %lld\n",
               (long long)row->request_no, STR_ARG(row->actor), STR_ARG(row->body),
               (long long)(row->run_no & 0xffffff));
}

static void on_read(void *owner, int rc, uint32_t count, const struct err *err)
{
    struct story *story = owner;

    (void)err;
    story->rc = rc;
    story->runs = count;
    story->done = true;
}

static void the_inbox_is_read_whole_but_for_what_is_in_hand(void **state)
{
    const int64_t in_hand[] = { 1, 77 };
    struct store_world world;
    struct story story = { 0 };

    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    put_dags(&world);
    put_runs(&world);
    pg_server_run(world.conninfo,
                  "INSERT INTO inbox (body, actor) VALUES ('{\"kind\": \"pause\"}', 'ann'),"
                  " ('{\"dag_id\": \"new\", \"run_id\": \"over\"}', 'bob'),"
                  " ('{\"dag_id\": \"new\", \"run_id\": \"none\"}', 'cleo')");
    store_inbox_read(world.store, in_hand, 2, on_row, on_read, &story);
    store_world_wait(&world, &story.done);
    assert_int_equal(story.rc, 0);
    assert_int_equal(story.runs, 2);
    assert_str(buf_str(&story.text), "2 bob {\"dag_id\": \"new\", \"run_id\": \"over\"} run 3\n"
                                     "3 cleo {\"dag_id\": \"new\", \"run_id\": \"none\"} run 0\n");
    buf_reset(&story.text);
    story.done = false;
    store_inbox_read(world.store, NULL, 0, on_row, on_read, &story);
    store_world_wait(&world, &story.done);
    assert_int_equal(story.runs, 3);
    assert_true(str_starts(buf_str(&story.text), "1 ann {\"kind\": \"pause\"} run 0\n"));
    buf_clear(&story.text);
    store_world_close(&world);
}

TESTS(CASE(an_empty_database_gives_numbers_and_the_default_pool),
      CASE(everything_that_lives_comes_back_and_nothing_else),
      CASE(lengths_are_those_of_the_last_twenty_good_runs),
      CASE(numbers_of_deleted_runs_are_not_given_again),
      CASE(many_runs_come_in_portions_and_all_once),
      CASE(a_run_that_is_over_can_be_read_by_its_name), CASE(a_version_can_be_read_by_its_number),
      CASE(the_inbox_is_read_whole_but_for_what_is_in_hand),
      CASE(backfills_come_back_with_their_live_runs_and_dates),
      CASE(the_run_before_a_date_is_found),
      CASE(recovery_ends_with_the_error_when_the_database_is_away))
