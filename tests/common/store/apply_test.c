// SPDX-License-Identifier: Apache-2.0
#include "common/store/apply.h"

#include "common/base/civil.h"
#include "tests/support/store_world.h"
#include "tests/support/test.h"

static struct store_world world;
static int64_t run_no; /* of today, another one for each case */

#define ATTEMPT ((struct id128) { 0x0198000000007000, 0x8000000000000001 })

/* ---- records --------------------------------------------------------------------------------- */

static struct record run_created(int64_t number, const char *run_id)
{
    return (struct record) { .type = WRITE_RUN_CREATE,
                             .run = { .run_no = number,
                                      .dag_no = 7,
                                      .version_no = 70,
                                      .run_id = str_of(run_id),
                                      .type = RUN_MANUAL,
                                      .state = RUN_QUEUED,
                                      .run_after_ms = 1000,
                                      .queued_ms = 2000,
                                      .conf = STR("{\"a\": 1}"),
                                      .triggered_by = STR("ann"),
                                      .note = STR_EMPTY } };
}

static struct record run_state(int64_t number, enum run_state state)
{
    return (struct record) { .type = WRITE_RUN_STATE,
                             .run = { .run_no = number,
                                      .dag_no = 7,
                                      .version_no = 70,
                                      .state = state,
                                      .started_ms = state == RUN_QUEUED ? 0 : 3000,
                                      .ended_ms = run_state_is_final(state) ? 9000 : 0 } };
}

static struct record try_record(enum record_type type, enum task_state state, enum cause cause)
{
    return (struct record) { .type = type,
                             .try = { .run_no = run_no,
                                      .dag_no = 7,
                                      .task = 3,
                                      .map_index = -1,
                                      .try_no = 1,
                                      .row_no = 1,
                                      .state = state,
                                      .cause = cause,
                                      .attempt = ATTEMPT,
                                      .worker_no = 5,
                                      .credit = { 11, 12 },
                                      .pool = STR("default_pool"),
                                      .queue = STR("default"),
                                      .priority = 4,
                                      .queued_ms = 5000,
                                      .error = STR_EMPTY,
                                      .map_label = STR_EMPTY } };
}

static struct record try_ended(enum task_state state, enum cause cause, int32_t exit_code)
{
    struct record record = try_record(WRITE_TRY_ENDED, state, cause);

    record.try.started_ms = 6000;
    record.try.ended_ms = 7000;
    record.try.exit_code = exit_code;
    record.try.cpu_ms = 42;
    record.try.memory_peak_bytes = 1 << 20;
    return record;
}

static struct record output(const char *json)
{
    return (struct record) {
        .type = WRITE_OUTPUT,
        .output = { .run_no = run_no, .task = 3, .map_index = -1, .json = str_of(json) }
    };
}

#define APPLY(...)                                                                                 \
    do {                                                                                           \
        const struct record applied_records[] = { __VA_ARGS__ };                                   \
        struct err apply_err = { 0 };                                                              \
        if (store_world_apply(&world, applied_records,                                             \
                              sizeof applied_records / sizeof *applied_records, &apply_err) < 0)   \
            fail_msg("%s", apply_err.sentence);                                                    \
    } while (0)

#define APPLY_FAILS(code, ...)                                                                     \
    do {                                                                                           \
        const struct record refused_records[] = { __VA_ARGS__ };                                   \
        assert_int_equal(store_world_apply(&world, refused_records,                                \
                                           sizeof refused_records / sizeof *refused_records,       \
                                           NULL),                                                  \
                         (code));                                                                  \
    } while (0)

static int64_t ask(const char *what)
{
    char sql[512];

    (void)snprintf(sql, sizeof sql, what, (long long)run_no);
    return store_world_int(&world, sql);
}

static const char *text(const char *what)
{
    char sql[512];

    (void)snprintf(sql, sizeof sql, what, (long long)run_no);
    return store_world_text(&world, sql);
}

#define OF_TRY "FROM try WHERE run_no = %lld"

static int start_world(void **state)
{
    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    run_no = RUN_NO(
        store_world_int(&world, "SELECT (now() AT TIME ZONE 'UTC')::date - date '1970-01-01'"), 0,
        100);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    store_world_close(&world);
    return 0;
}

static int next_run(void **state)
{
    (void)state;
    run_no++;
    return 0;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void a_created_run_is_live_and_found_by_its_name(void **state)
{
    (void)state;
    APPLY(run_created(run_no, "first"));
    assert_int_equal(ask("SELECT count(*) FROM run WHERE run_no = %lld AND state = 0 AND run_id = "
                         "'first' AND conf ->> 'a' = '1'"
                         " AND logical_at IS NULL AND interval_start IS NULL AND started_at IS "
                         "NULL AND note IS NULL"),
                     1);
    assert_int_equal(
        ask("SELECT count(*) FROM run_key WHERE dag_no = 7 AND run_id = 'first' AND run_no = %lld"),
        1);
    assert_int_equal(ask("SELECT count(*) FROM live_run WHERE run_no = %lld"), 1);
    assert_string_equal(text("SELECT run_after::text FROM run WHERE run_no = %lld"),
                        "1970-01-01 00:00:01+00");
}

static void a_scheduled_run_keeps_its_dates(void **state)
{
    struct record record = run_created(run_no, "dates");

    (void)state;
    record.run.has_logical = true;
    record.run.logical_ms = 0; /* 1970 is a date like any other */
    record.run.interval_start_ms = 0;
    record.run.interval_end_ms = MS_PER_DAY;
    APPLY(record);
    assert_string_equal(text("SELECT concat_ws(' ', logical_at::date, interval_start::date, "
                             "interval_end::date) FROM run WHERE run_no = %lld"),
                        "1970-01-01 1970-01-01 1970-01-02");
}

static void a_run_that_ends_is_live_no_longer_until_it_is_cleared(void **state)
{
    (void)state;
    APPLY(run_created(run_no, "ends"));
    APPLY(run_state(run_no, RUN_RUNNING));
    assert_int_equal(ask("SELECT count(*) FROM live_run WHERE run_no = %lld"), 1);
    APPLY(run_state(run_no, RUN_FAILED));
    assert_int_equal(ask("SELECT count(*) FROM live_run WHERE run_no = %lld"), 0);
    assert_int_equal(ask("SELECT count(*) FROM run WHERE run_no = %lld AND state = 3 AND ended_at "
                         "IS NOT NULL AND clear_number = 0"),
                     1);
    APPLY(run_state(run_no, RUN_QUEUED));
    assert_int_equal(ask("SELECT count(*) FROM live_run WHERE run_no = %lld"), 1);
    assert_int_equal(ask("SELECT count(*) FROM run WHERE run_no = %lld AND state = 0 AND ended_at "
                         "IS NULL AND clear_number = 1"),
                     1);
}

static void a_run_created_and_ended_in_one_batch_is_one_insert(void **state)
{
    (void)state;
    APPLY(run_created(run_no, "at once"), run_state(run_no, RUN_RUNNING),
          run_state(run_no, RUN_SUCCESS));
    assert_int_equal(ask("SELECT state FROM run WHERE run_no = %lld"), RUN_SUCCESS);
    assert_int_equal(ask("SELECT count(*) FROM live_run WHERE run_no = %lld"), 0);
}

static void the_newest_run_of_a_name_owns_it(void **state)
{
    (void)state;
    APPLY(run_created(run_no, "twice"), run_created(run_no + 1, "twice"));
    APPLY(run_created(run_no + 2, "twice"));
    run_no += 2;
    assert_int_equal(ask("SELECT count(*) FROM run_key WHERE run_id = 'twice' AND run_no = %lld"),
                     1);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM run WHERE run_id = 'twice'"), 3);
}

static void changing_a_run_that_is_not_there_refuses_the_batch(void **state)
{
    (void)state;
    APPLY_FAILS(ERR_CONFLICT, run_created(run_no, "refused"), run_state(run_no + 1, RUN_RUNNING));
    assert_int_equal(ask("SELECT count(*) FROM run WHERE run_no = %lld"), 0);
}

static void a_deleted_run_leaves_nothing(void **state)
{
    (void)state;
    APPLY(run_created(run_no, "gone"), try_record(WRITE_TRY_PLACED, TASK_QUEUED, CAUSE_PLACED),
          output("1"),
          { .type = WRITE_EXPANSION,
            .expansion = { .run_no = run_no, .task = 4, .length = 1, .items = STR("[1]") } });
    APPLY({ .type = WRITE_RUN_DELETE,
            .run_delete = { .run_no = run_no, .dag_no = 7, .run_id = STR("gone") } });
    assert_int_equal(ask("SELECT (SELECT count(*) FROM run WHERE run_no = n) + (SELECT count(*) "
                         "FROM run_key WHERE run_no = n)"
                         " + (SELECT count(*) FROM live_run WHERE run_no = n) + (SELECT count(*) "
                         "FROM try WHERE run_no = n)"
                         " + (SELECT count(*) FROM output WHERE run_no = n) + (SELECT count(*) "
                         "FROM expansion WHERE run_no = n)"
                         " FROM (SELECT %lld::bigint AS n) numbers"),
                     0);
}

/* ---- tries ----------------------------------------------------------------------------------- */

static void a_try_is_one_row_from_its_placing_to_its_end(void **state)
{
    struct record started = try_record(WRITE_TRY_STARTED, TASK_RUNNING, CAUSE_STARTED);

    (void)state;
    started.try.started_ms = 6000;
    APPLY(try_record(WRITE_TRY_PLACED, TASK_QUEUED, CAUSE_PLACED));
    assert_int_equal(ask("SELECT count(*) " OF_TRY
                         " AND state = 2 AND cause = 10 AND worker_no = 5 AND incarnation = 11"
                         " AND credit_seq = 12 AND attempt = "
                         "'01980000-0000-7000-8000-000000000001' AND exit_code IS NULL"
                         " AND started_at IS NULL AND error IS NULL AND NOT cleared"),
                     1);
    APPLY(started);
    assert_int_equal(ask("SELECT count(*) " OF_TRY
                         " AND state = 3 AND started_at = 'epoch'::timestamptz + interval '6 s'"),
                     1);
    APPLY(try_ended(TASK_SUCCESS, CAUSE_EXIT_OK, 0));
    assert_int_equal(
        ask("SELECT count(*) " OF_TRY
            " AND state = 4 AND cause = 13 AND exit_code = 0 AND cpu_ms = 42"
            " AND memory_peak = 1048576 AND ended_at = 'epoch'::timestamptz + interval '7 s'"),
        1);
    assert_int_equal(ask("SELECT count(*) " OF_TRY), 1);
}

static void several_records_of_a_try_in_one_batch_are_one_write(void **state)
{
    (void)state;
    APPLY(try_record(WRITE_TRY_PLACED, TASK_QUEUED, CAUSE_PLACED));
    APPLY(try_record(WRITE_TRY_STARTED, TASK_RUNNING, CAUSE_STARTED),
          try_ended(TASK_FAILED, CAUSE_EXIT_FAILED, 3),
          try_record(WRITE_TRY_CLEARED, TASK_NONE, CAUSE_CLEARED));
    assert_int_equal(ask("SELECT count(*) " OF_TRY
                         " AND state = 5 AND cause = 14 AND exit_code = 3 AND cleared"),
                     1);
}

static void a_try_placed_and_marked_in_one_batch_is_one_insert(void **state)
{
    struct record marked = try_record(WRITE_TRY_ENDED, TASK_SUCCESS, CAUSE_MARKED);

    (void)state;
    marked.try.ended_ms = 8000;
    APPLY(try_record(WRITE_TRY_PLACED, TASK_QUEUED, CAUSE_PLACED), marked);
    assert_int_equal(
        ask("SELECT count(*) " OF_TRY " AND state = 4 AND cause = 25 AND exit_code IS NULL"), 1);
}

static void a_try_that_never_ran_has_no_attempt(void **state)
{
    struct record skipped = try_record(WRITE_TRY_PLACED, TASK_SKIPPED, CAUSE_NOT_CHOSEN);

    (void)state;
    skipped.try.attempt = (struct id128) { 0 };
    skipped.try.worker_no = 0;
    skipped.try.credit = (struct credit) { 0 };
    APPLY(skipped);
    assert_int_equal(ask("SELECT count(*) " OF_TRY
                         " AND state = 6 AND attempt IS NULL AND worker_no IS NULL"
                         " AND incarnation IS NULL AND credit_seq IS NULL"),
                     1);
}

static void clearing_keeps_the_state_as_history_and_takes_the_output(void **state)
{
    (void)state;
    APPLY(try_record(WRITE_TRY_PLACED, TASK_QUEUED, CAUSE_PLACED));
    APPLY(try_ended(TASK_SUCCESS, CAUSE_EXIT_OK, 0), output("[1, 2]"));
    assert_int_equal(ask("SELECT count(*) FROM output WHERE run_no = %lld AND value = '[1, 2]'"),
                     1);
    APPLY(try_record(WRITE_TRY_CLEARED, TASK_NONE, CAUSE_CLEARED));
    assert_int_equal(ask("SELECT count(*) " OF_TRY " AND state = 4 AND cause = 13 AND cleared"), 1);
    assert_int_equal(ask("SELECT count(*) FROM output WHERE run_no = %lld"), 0);
}

static void clearing_what_runs_makes_it_restart(void **state)
{
    (void)state;
    APPLY(try_record(WRITE_TRY_PLACED, TASK_QUEUED, CAUSE_PLACED));
    APPLY(try_record(WRITE_TRY_CLEARED, TASK_NONE, CAUSE_CLEARED));
    assert_int_equal(ask("SELECT count(*) " OF_TRY " AND state = 12 AND cause = 26 AND cleared"),
                     1);
}

static void the_result_of_another_attempt_refuses_the_batch(void **state)
{
    struct record other = try_ended(TASK_SUCCESS, CAUSE_EXIT_OK, 0);

    (void)state;
    other.try.attempt.low++;
    APPLY(try_record(WRITE_TRY_PLACED, TASK_QUEUED, CAUSE_PLACED));
    APPLY_FAILS(ERR_CONFLICT, other, run_created(run_no, "with it"));
    assert_int_equal(ask("SELECT state " OF_TRY), TASK_QUEUED);
    assert_int_equal(ask("SELECT count(*) FROM run WHERE run_no = %lld"), 0);
}

static void an_end_that_is_there_already_refuses_the_batch(void **state)
{
    (void)state;
    APPLY(try_record(WRITE_TRY_PLACED, TASK_QUEUED, CAUSE_PLACED));
    APPLY(try_ended(TASK_SUCCESS, CAUSE_EXIT_OK, 0));
    APPLY_FAILS(ERR_CONFLICT, try_ended(TASK_FAILED, CAUSE_EXIT_FAILED, 1));
    assert_int_equal(ask("SELECT state " OF_TRY), TASK_SUCCESS);
}

struct transition {
    enum task_state from, to;
    enum cause cause;
};

static void the_database_takes_every_transition_of_the_table(void **state)
{
    static const struct transition transitions[] = {
#define TRANSITION(from, to, cause, who) { from, to, cause },
#include "common/model/transition.def"
#undef TRANSITION
    };

    (void)state;
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
        const struct transition *t = &transitions[i];

        run_no++;
        const struct record placed = try_record(
            WRITE_TRY_PLACED, t->from == TASK_ANY ? TASK_RUNNING : t->from, CAUSE_PLACED);
        APPLY(placed);
        const struct record ended = try_ended(t->to, t->cause, 0);

        if (store_world_apply(&world, &ended, 1, NULL) < 0)
            fail_msg("%s -> %s (%s)", task_state_name(placed.try.state), task_state_name(t->to),
                     cause_name(t->cause));
        assert_int_equal(ask("SELECT state " OF_TRY), t->to);
    }
}

static void the_database_refuses_what_is_not_in_the_table(void **state)
{
    static const struct transition transitions[] = {
        { TASK_SUCCESS, TASK_RUNNING, CAUSE_STARTED },
        { TASK_SUCCESS, TASK_SUCCESS, CAUSE_EXIT_OK },
        { TASK_FAILED, TASK_SUCCESS, CAUSE_EXIT_OK },
        { TASK_SKIPPED, TASK_FAILED, CAUSE_LOST },
        { TASK_UPSTREAM_FAILED, TASK_QUEUED, CAUSE_PLACED },
        { TASK_REMOVED, TASK_UP_FOR_RETRY, CAUSE_EXIT_FAILED },
        { TASK_QUEUED, TASK_UPSTREAM_FAILED, CAUSE_RULE_UNMET },
        { TASK_RUNNING, TASK_SKIPPED, CAUSE_RULE_SKIPS },
        { TASK_UP_FOR_RETRY, TASK_SUCCESS, CAUSE_EXIT_OK },
    };

    (void)state;
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
        run_no++;
        APPLY(try_record(WRITE_TRY_PLACED, transitions[i].from, CAUSE_PLACED));
        APPLY_FAILS(ERR_CONFLICT, try_ended(transitions[i].to, transitions[i].cause, 0));
        assert_int_equal(ask("SELECT state " OF_TRY), transitions[i].from);
    }
}

/* ---- outputs --------------------------------------------------------------------------------- */

static void an_output_that_is_not_json_is_kept_as_text(void **state)
{
    (void)state;
    APPLY(output("{\"rows\": 3}"));
    APPLY(output("not json"));
    assert_string_equal(text("SELECT value::text FROM output WHERE run_no = %lld"), "\"not json\"");
    APPLY(output("\"a\\u0000b\"")); /* PostgreSQL cannot hold it as JSON */
    assert_string_equal(text("SELECT jsonb_typeof(value) FROM output WHERE run_no = %lld"),
                        "string");
}

static void text_that_postgresql_cannot_hold_does_not_stop_the_leader(void **state)
{
    struct record failed = try_ended(TASK_FAILED, CAUSE_EXIT_FAILED, 1);

    (void)state;
    failed.try.error = (struct str) { "a\0b\xff\xc3\xa4\xe2\x82", 8 };
    APPLY(try_record(WRITE_TRY_PLACED, TASK_QUEUED, CAUSE_PLACED));
    APPLY(failed);
    assert_string_equal(text("SELECT error " OF_TRY),
                        "a\xEF\xBF\xBD"
                        "b\xEF\xBF\xBD\xc3\xa4\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void an_expansion_can_be_replaced(void **state)
{
    struct record record = {
        .type = WRITE_EXPANSION,
        .expansion = { .run_no = run_no, .task = 4, .length = 2, .items = STR("[\"x\", \"y\"]") }
    };

    (void)state;
    APPLY(record);
    record.expansion.length = 1;
    record.expansion.items = STR("[\"z\"]");
    APPLY(record, record);
    assert_string_equal(text("SELECT length || items::text FROM expansion WHERE run_no = %lld"),
                        "1[\"z\"]");
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void an_answered_request_leaves_the_inbox(void **state)
{
    struct record record = { .type = WRITE_REQUEST_DONE };

    (void)state;
    record.request.request_no = store_world_int(
        &world, "INSERT INTO inbox (body, actor) VALUES ('{}', 'ann') RETURNING request_no");
    record.request.code = ERR_CONFLICT;
    record.request.answer = STR("the run is over");
    APPLY(record, record);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM inbox"), 0);
    assert_string_equal(store_world_text(&world, "SELECT code || answer::text FROM inbox_answer"),
                        "-5004\"the run is over\"");
}

static void a_dag_is_paused_and_its_next_fire_known(void **state)
{
    struct record record = { .type = WRITE_DAG_STATE };

    (void)state;
    record.dag.dag_no = (int32_t)store_world_int(
        &world, "INSERT INTO dag (dag_id, fileloc) VALUES ('d', 'f') RETURNING dag_no");
    record.dag.paused = true;
    record.dag.has_last = true;
    record.dag.last_fire_ms = 1000;
    record.dag.next_fire_ms = 2000;
    APPLY(record);
    record.dag.has_last = false;
    record.dag.next_fire_ms = 0;
    APPLY(record);
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM dag WHERE is_paused AND next_fire_at IS NULL"
                                " AND last_fire_at = 'epoch'::timestamptz + interval '1 s'"),
        1);
}

static void a_deleted_dag_takes_its_runs_along(void **state)
{
    struct record created = run_created(run_no, "of it"), deleted = { .type = WRITE_DAG_DELETE };

    (void)state;
    deleted.dag.dag_no = created.run.dag_no = (int32_t)store_world_int(
        &world, "INSERT INTO dag (dag_id, fileloc) VALUES ('deleted', 'f') RETURNING dag_no");
    (void)store_world_int(
        &world, "INSERT INTO dag_version (dag_no, version_number, hash, ir, source)"
                " SELECT dag_no, 1, '', '{}', '' FROM dag WHERE dag_id = 'deleted' RETURNING 1");
    APPLY(created);
    APPLY(deleted);
    assert_int_equal(store_world_int(&world, "SELECT (SELECT count(*) FROM dag WHERE dag_id = "
                                             "'deleted') + (SELECT count(*) FROM dag_version)"),
                     0);
    assert_int_equal(ask("SELECT (SELECT count(*) FROM run WHERE run_no = n) + (SELECT count(*) "
                         "FROM run_key WHERE run_no = n)"
                         " + (SELECT count(*) FROM live_run WHERE run_no = n) FROM (SELECT "
                         "%lld::bigint AS n) numbers"),
                     0);
}

static void a_worker_is_registered_and_keeps_its_row(void **state)
{
    struct record record = { .type = WRITE_WORKER };

    (void)state;
    record.worker = (typeof(record.worker)) { .worker_no = 1,
                                              .worker = STR("key"),
                                              .name = STR("w1"),
                                              .host = STR("h"),
                                              .version = STR("0.1"),
                                              .queues = STR("default, gpu"),
                                              .incarnation = 3,
                                              .state = WORKER_ACTIVE,
                                              .slots = 8,
                                              .seen_ms = 1000,
                                              .reason = STR_EMPTY };
    APPLY(record);
    record.worker.state = WORKER_DRAINING;
    record.worker.reason = STR("scale-in");
    APPLY(record);
    assert_int_equal(
        store_world_int(&world,
                        "SELECT count(*) FROM worker WHERE queues = '{default,gpu}' AND state = 1"
                        " AND reason = 'scale-in' AND incarnation = 3 AND slots = 8"),
        1);
}

static void the_loads_of_workers_are_set_at_once_and_their_rows_keep_the_rest(void **state)
{
    struct record workers[2] = { { .type = WRITE_WORKER }, { .type = WRITE_WORKER } };
    struct record loads[3] = { { .type = WRITE_WORKER_LOAD },
                               { .type = WRITE_WORKER_LOAD },
                               { .type = WRITE_WORKER_LOAD } };

    (void)state;
    for (int i = 0; i < 2; i++) {
        workers[i].worker =
            (typeof(workers[i].worker)) { .worker_no = 70 + i,
                                          .worker = i == 0 ? STR("k70") : STR("k71"),
                                          .name = STR("w"),
                                          .host = STR("h"),
                                          .version = STR("0.1"),
                                          .queues = STR("default"),
                                          .slots = 8,
                                          .seen_ms = 1000,
                                          .reason = STR_EMPTY };
        loads[i].worker_load.worker_no = 70 + i;
        loads[i].worker_load.load = (struct machine_load) { 1LL << 35, (1LL << 33) + i, 250 };
    }
    loads[2].worker_load.worker_no = 72; /* nobody's */
    APPLY(loads[0], workers[0], workers[1], loads[1], loads[2]);
    assert_int_equal(store_world_int(&world,
                                     "SELECT count(*) FROM worker WHERE worker_no IN (70, 71) AND"
                                     " cpu_permille = 250 AND memory_total = 1::int8 << 35"
                                     " AND memory_used = (1::int8 << 33) + worker_no - 70"
                                     " AND slots = 8"),
                     2);
    workers[0].worker.slots = 4;
    loads[1].worker_load.load = (struct machine_load) { 0 };
    APPLY(workers[0], loads[1]);
    assert_int_equal(
        store_world_int(
            &world, "SELECT count(*) FROM worker WHERE worker_no IN (70, 71) AND"
                    " (slots, cpu_permille, memory_total) IN ((4, 250, 1::int8 << 35), (8, 0, 0))"),
        2);
}

static void a_scaling_decision_is_an_event(void **state)
{
    struct record record = { .type = WRITE_AUTOSCALE };

    (void)state;
    record.autoscale = (typeof(record.autoscale)) { .queue = STR("default"),
                                                    .at_ms = 1000,
                                                    .demand = 9,
                                                    .wanted = 3,
                                                    .present = 1,
                                                    .reason = STR("9 tasks wait") };
    APPLY(record, record);
    assert_int_equal(
        store_world_int(
            &world,
            "SELECT count(*) FROM autoscale_event WHERE demand = 9 AND wanted = 3 AND present = 1"),
        2);
}

/* ---- the fence, and commits of unknown fate -------------------------------------------------- */

static void a_batch_of_another_epoch_writes_nothing(void **state)
{
    struct err err = { 0 };
    struct record record = run_created(run_no, "late");

    (void)state;
    world.epoch--;
    assert_int_equal(store_world_apply(&world, &record, 1, &err), ERR_LOST);
    world.epoch++;
    assert_non_null(strstr(err.sentence, "does not hold shard 0"));
    assert_int_equal(ask("SELECT count(*) FROM run WHERE run_no = %lld"), 0);
}

static void an_empty_batch_only_asks_the_fence(void **state)
{
    (void)state;
    assert_int_equal(store_world_apply(&world, NULL, 0, NULL), 0);
    world.epoch++;
    assert_int_equal(store_world_apply(&world, NULL, 0, NULL), ERR_LOST);
    world.epoch--;
}

struct fate {
    int rc;
    bool done;
};

static void on_fate(void *owner, const struct store_applied *applied)
{
    struct fate *fate = owner;

    fate->rc = applied->rc;
    fate->done = true;
}

static void a_batch_whose_answer_is_lost_is_unknown(void **state)
{
    struct fate fate = { 0 };
    struct record record = run_created(run_no, "unknown");
    bool never = false;

    (void)state;
    /* The batch waits for the lock of somebody who inserts the same key, until the connection
     * breaks. */
    assert_int_equal(pg_sync_exec(world.sync, "BEGIN", NULL), 0);
    assert_int_equal(pg_sync_exec(world.sync, "LOCK TABLE live_run", NULL), 0);
    store_apply(world.store, world.epoch, &record, 1, on_fate, &fate);
    while (store_world_int(&world, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0)
        (void)loop_run_until(world.loop, &never, 10);
    world.is_up = false;
    store_break(world.store, "test");
    store_world_wait(&world, &fate.done);
    assert_int_equal(fate.rc, ERR_DB_UNKNOWN);
    assert_int_equal(pg_sync_exec(world.sync, "ROLLBACK", NULL), 0);

    /* With the connection went the lock of the leader: it must lead anew, and what it reads then is
     * the truth. */
    store_world_wait(&world, &world.is_up);
    assert_int_equal(world.downs, 1);
    store_world_lead(&world);
    APPLY(run_created(run_no + 1, "after"));
}

#define CASE_RUN(name) cmocka_unit_test_setup(name, next_run)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_RUN(a_created_run_is_live_and_found_by_its_name),
        CASE_RUN(a_scheduled_run_keeps_its_dates),
        CASE_RUN(a_run_that_ends_is_live_no_longer_until_it_is_cleared),
        CASE_RUN(a_run_created_and_ended_in_one_batch_is_one_insert),
        CASE_RUN(the_newest_run_of_a_name_owns_it),
        CASE_RUN(changing_a_run_that_is_not_there_refuses_the_batch),
        CASE_RUN(a_deleted_run_leaves_nothing),
        CASE_RUN(a_try_is_one_row_from_its_placing_to_its_end),
        CASE_RUN(several_records_of_a_try_in_one_batch_are_one_write),
        CASE_RUN(a_try_placed_and_marked_in_one_batch_is_one_insert),
        CASE_RUN(a_try_that_never_ran_has_no_attempt),
        CASE_RUN(clearing_keeps_the_state_as_history_and_takes_the_output),
        CASE_RUN(clearing_what_runs_makes_it_restart),
        CASE_RUN(the_result_of_another_attempt_refuses_the_batch),
        CASE_RUN(an_end_that_is_there_already_refuses_the_batch),
        CASE_RUN(the_database_takes_every_transition_of_the_table),
        CASE_RUN(the_database_refuses_what_is_not_in_the_table),
        CASE_RUN(an_output_that_is_not_json_is_kept_as_text),
        CASE_RUN(text_that_postgresql_cannot_hold_does_not_stop_the_leader),
        CASE_RUN(an_expansion_can_be_replaced),
        CASE_RUN(an_answered_request_leaves_the_inbox),
        CASE_RUN(a_dag_is_paused_and_its_next_fire_known),
        CASE_RUN(a_deleted_dag_takes_its_runs_along),
        CASE_RUN(a_worker_is_registered_and_keeps_its_row),
        CASE_RUN(the_loads_of_workers_are_set_at_once_and_their_rows_keep_the_rest),
        CASE_RUN(a_scaling_decision_is_an_event),
        CASE_RUN(a_batch_of_another_epoch_writes_nothing),
        CASE_RUN(an_empty_batch_only_asks_the_fence),
        CASE_RUN(a_batch_whose_answer_is_lost_is_unknown),
    };

    return cmocka_run_group_tests(tests, start_world, end_world);
}
