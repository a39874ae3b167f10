// SPDX-License-Identifier: Apache-2.0
// The same random operations against PostgreSQL and the model store, on which the simulator runs,
// give the same answers, the same rows and the same recovery: batches good and bad, of this epoch
// and of another, and batches whose answer is lost.
#include "common/base/rand.h"
#include "tests/store/conformance/rows.h"
#include "tests/support/store_world.h"
#include "tests/support/test.h"

enum { SEEDS = 6, BATCHES = 120, RECORDS_MAX = 12, TASKS = 3, DAGS = 3, RUNS_MAX = 40 };

struct play {
    struct store_world world;
    struct model_store model;
    VEC(int64_t) inbox;
    struct rand rand;
    uint64_t seed;
    int64_t day;
    uint32_t run_seq;
    uint64_t attempt_last;
    struct arena arena; /* of the batch */
    struct record records[RECORDS_MAX];
    uint32_t count;
    bool is_bad; /* the batch holds a record that must be refused */
};

static uint64_t pick(struct play *play, uint64_t bound)
{
    return rand_below(&play->rand, bound);
}

/* Any that is not deleted, or NULL. */
static const struct model_run *pick_run(struct play *play)
{
    for (int tries = 0; tries < 20 && play->model.runs.count > 0; tries++) {
        const struct model_run *run = &play->model.runs.items[pick(play, play->model.runs.count)];

        if (!run->deleted)
            return run;
    }
    return NULL;
}

static const struct model_try *pick_try(struct play *play)
{
    const struct model_run *run = pick_run(play);

    return run == NULL || run->tries.count == 0 ? NULL
                                                : &run->tries.items[pick(play, run->tries.count)];
}

static bool is_touched(const struct play *play, int64_t run_no)
{
    for (uint32_t i = 0; i < play->count; i++) {
        const struct record *record = &play->records[i];
        int64_t touched = 0;

        switch (record->type) {
        case WRITE_RUN_CREATE:
        case WRITE_RUN_STATE:
            touched = record->run.run_no;
            break;
        case WRITE_TRY_PLACED:
        case WRITE_TRY_STARTED:
        case WRITE_TRY_ENDED:
        case WRITE_TRY_CLEARED:
            touched = record->try.run_no;
            break;
        case WRITE_OUTPUT:
            touched = record->output.run_no;
            break;
        case WRITE_EXPANSION:
            touched = record->expansion.run_no;
            break;
        case WRITE_RUN_DELETE:
            touched = record->run_delete.run_no;
            break;
        default:
            break;
        }
        if (touched == run_no)
            return true;
    }
    return false;
}

static void add(struct play *play, struct record record)
{
    if (play->count < RECORDS_MAX)
        play->records[play->count++] = record;
}

/* ---- what may be written --------------------------------------------------------------------- */

static void add_run(struct play *play)
{
    struct record record = { .type = WRITE_RUN_CREATE };
    /* Of any day that has partitions, so that batches cross them. */
    int64_t day = play->day - 1 + (int64_t)pick(play, 5);

    if (play->model.runs.count >= RUNS_MAX)
        return;
    play->run_seq++;
    record.run = (struct run_row) { .run_no = RUN_NO(day, 0, play->run_seq),
                                    .dag_no = 1 + (int32_t)pick(play, DAGS),
                                    .version_no = 1 + (int64_t)pick(play, 9),
                                    .run_id = str_format(&play->arena, "r%u", play->run_seq),
                                    .type = (enum run_type)pick(play, RUN_TYPE_COUNT),
                                    .state = (enum run_state)pick(play, 2),
                                    .run_after_ms = 1 + (int64_t)pick(play, 9),
                                    .queued_ms = 1 + (int64_t)pick(play, 9),
                                    .conf = pick(play, 2) == 0 ? STR("{}") : STR("{\"a\": 1}"),
                                    .triggered_by = STR("x"),
                                    .note = STR_EMPTY };
    if (pick(play, 2) == 0) {
        record.run.has_logical = true;
        record.run.logical_ms = (int64_t)pick(play, 1000);
        record.run.interval_start_ms = (int64_t)pick(play, 1000);
        record.run.interval_end_ms = (int64_t)pick(play, 1000);
    }
    add(play, record);
}

static void add_run_state(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_RUN_STATE };

    if (run == NULL || is_touched(play, run->row.run_no))
        return;
    record.run = (struct run_row) { .run_no = run->row.run_no,
                                    .version_no = run->row.version_no,
                                    .cause = (enum cause)pick(play, CAUSE_COUNT),
                                    .state = (enum run_state)pick(play, RUN_STATE_COUNT),
                                    .started_ms = (int64_t)pick(play, 99),
                                    .ended_ms = (int64_t)pick(play, 99),
                                    .succeeded = (uint32_t)pick(play, 9) };
    add(play, record);
}

static void add_run_delete(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_RUN_DELETE };

    if (run == NULL || is_touched(play, run->row.run_no) || pick(play, 4) != 0)
        return;
    record.run_delete.run_no = run->row.run_no;
    add(play, record);
}

static struct try_row random_try(struct play *play, const struct model_run *run)
{
    return (struct try_row) { .run_no = run->row.run_no,
                              .dag_no = run->row.dag_no,
                              .task = (uint32_t)pick(play, TASKS),
                              .map_index = (int32_t)pick(play, 2) - 1,
                              .try_no = (uint16_t)pick(play, 4),
                              .infra_tries = (uint16_t)pick(play, 3),
                              .worker_no = (int64_t)pick(play, 3),
                              .credit = { pick(play, 3), pick(play, 3) },
                              .pool = STR("p"),
                              .queue = STR("q"),
                              .queued_ms = 1,
                              .error = STR_EMPTY,
                              .map_label = STR_EMPTY };
}

static void randomise_end(struct play *play, struct try_row *try)
{
    try->started_ms = (int64_t)pick(play, 3) * 50;
    try->ended_ms = 70 + (int64_t)pick(play, 3);
    try->retry_ms = (int64_t)pick(play, 2) * 90;
    try->cpu_ms = (int64_t)pick(play, 3);
    try->exit_code = (int32_t)pick(play, 3);
    if (pick(play, 2) == 0)
        try->error = str_format(&play->arena, "error %d", (int)pick(play, 9));
}

static const struct {
    enum task_state from, to;
    enum cause cause;
} transitions[] = {
#define TRANSITION(from, to, cause, who) { from, to, cause },
#include "common/model/transition.def"
#undef TRANSITION
};

enum { TRANSITIONS = sizeof transitions / sizeof *transitions };

/* Several lawful steps of one row, as they come when batches gather under load. */
static void add_steps(struct play *play, struct try_row try, enum task_state state)
{
    for (uint64_t steps = 1 + pick(play, 3), tries = 0; steps > 0 && tries < 200; tries++) {
        uint64_t i = pick(play, TRANSITIONS);

        if (transitions[i].from != state && transitions[i].from != TASK_ANY)
            continue;
        struct try_row change = try;

        change.state = state = transitions[i].to;
        change.cause = transitions[i].cause;
        if (state == TASK_RUNNING) {
            change.started_ms = 40;
            add(play, (struct record) { .type = WRITE_TRY_STARTED, .try = change });
        } else {
            randomise_end(play, &change);
            add(play, (struct record) { .type = WRITE_TRY_ENDED, .try = change });
        }
        steps--;
    }
    if (pick(play, 3) == 0) {
        try.cause = CAUSE_CLEARED;
        add(play, (struct record) { .type = WRITE_TRY_CLEARED, .try = try });
    }
}

static void add_placed(struct play *play)
{
    const struct model_run *run = pick_run(play);
    const struct model_try *newest;
    struct try_row try;

    if (run == NULL || is_touched(play, run->row.run_no))
        return;
    try = random_try(play, run);
    newest = model_store_newest(run, try.task, try.map_index);
    try.row_no = newest != NULL ? newest->row.row_no + 1 : 0;
    if (pick(play, 4) != 0)
        try.attempt = (struct id128) { 1, ++play->attempt_last };
    try.state = pick(play, 2) == 0 ? TASK_QUEUED : TASK_SKIPPED;
    try.cause = CAUSE_PLACED;
    add(play, (struct record) { .type = WRITE_TRY_PLACED, .try = try });
    if (pick(play, 3) == 0)
        add_steps(play, try, try.state);
}

static void add_change(struct play *play)
{
    const struct model_try *known = pick_try(play);
    struct try_row try;

    if (known == NULL || is_touched(play, known->row.run_no))
        return;
    try = (struct try_row) { .run_no = known->row.run_no,
                             .task = known->row.task,
                             .map_index = known->row.map_index,
                             .row_no = known->row.row_no,
                             .attempt = known->row.attempt,
                             .error = STR_EMPTY };
    add_steps(play, try, known->row.state);
}

static void add_output(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_OUTPUT };

    if (run == NULL || is_touched(play, run->row.run_no))
        return;
    record.output =
        (typeof(record.output)) { run->row.run_no, (uint32_t)pick(play, TASKS),
                                  (int32_t)pick(play, 2) - 1,
                                  str_format(&play->arena, "%d", (int)pick(play, 1000)) };
    add(play, record);
    if (pick(play, 4) == 0)
        add(play, record);
}

static void add_expansion(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_EXPANSION };

    if (run == NULL || is_touched(play, run->row.run_no))
        return;
    record.expansion =
        (typeof(record.expansion)) { run->row.run_no, (uint32_t)pick(play, TASKS), 1,
                                     str_format(&play->arena, "[%d]", (int)pick(play, 1000)) };
    add(play, record);
}

static void add_worker(struct play *play)
{
    struct record record = { .type = WRITE_WORKER };
    int64_t worker_no = 1 + (int64_t)pick(play, 4);

    record.worker =
        (typeof(record.worker)) { .worker_no = worker_no,
                                  .worker = str_format(&play->arena, "key%d", (int)worker_no),
                                  .name = STR("w"),
                                  .host = STR("h"),
                                  .version = STR("1"),
                                  .queues = STR("q"),
                                  .incarnation = 1 + pick(play, 9),
                                  .state = (enum worker_state)pick(play, 4),
                                  .slots = 1,
                                  .seen_ms = 1,
                                  .reason = STR_EMPTY };
    add(play, record);
}

static void add_answer(struct play *play)
{
    struct record record = { .type = WRITE_REQUEST_DONE };
    struct str answer;
    int code;

    if (play->inbox.count == 0)
        return;
    record.request.request_no = play->inbox.items[pick(play, play->inbox.count)];
    record.request.code = -(int)pick(play, 3);
    record.request.answer = STR("{\"a\": 1}");
    if (model_store_answered(&play->model, record.request.request_no, &code, &answer))
        return;
    for (uint32_t i = 0; i < play->count; i++) {
        if (play->records[i].type == WRITE_REQUEST_DONE &&
            play->records[i].request.request_no == record.request.request_no)
            return;
    }
    add(play, record);
}

/* ---- what must be refused -------------------------------------------------------------------- */

static void add_bad(struct play *play)
{
    const struct model_try *known = pick_try(play);
    struct record record = { .type = WRITE_TRY_ENDED };

    if (known == NULL || play->count == RECORDS_MAX || is_touched(play, known->row.run_no))
        return;
    record.try = (struct try_row) { .run_no = known->row.run_no,
                                    .task = known->row.task,
                                    .map_index = known->row.map_index,
                                    .row_no = known->row.row_no,
                                    .attempt = known->row.attempt,
                                    .state = TASK_SUCCESS,
                                    .cause = CAUSE_EXIT_OK,
                                    .error = STR_EMPTY };
    switch (pick(play, 4)) {
    case 0:
        record.try.attempt = (struct id128) { 1, ++play->attempt_last };
        break;
    case 1:
        record.try.row_no += 1000;
        break;
    case 2: /* never lawful */
        record.try.state = TASK_QUEUED;
        record.try.cause = CAUSE_EXIT_OK;
        break;
    default:
        record.type = WRITE_RUN_STATE;
        record.run =
            (struct run_row) { .run_no = RUN_NO(play->day, 0, 1 << 20), .state = RUN_RUNNING };
        break;
    }
    add(play, record);
    play->is_bad = true;
}

/* ---- a batch --------------------------------------------------------------------------------- */

static void make_batch(struct play *play)
{
    static void (*const makers[])(struct play *) = {
        add_run,    add_run,    add_run_state, add_placed,    add_placed, add_placed, add_change,
        add_change, add_change, add_output,    add_expansion, add_worker, add_answer, add_run_delete
    };

    arena_reset(&play->arena);
    play->count = 0;
    play->is_bad = false;
    for (uint64_t i = 1 + pick(play, RECORDS_MAX); i > 0; i--)
        makers[pick(play, sizeof makers / sizeof *makers)](play);
    if (pick(play, 6) == 0)
        add_bad(play);
}

static void add_request(struct play *play)
{
    VEC_ADD(
        &play->inbox,
        store_world_int(&play->world,
                        "INSERT INTO inbox (body, actor) VALUES ('{}', 'x') RETURNING request_no"));
}

/* ---- the same rows --------------------------------------------------------------------------- */

static bool is_same(struct play *play, struct str model, struct str database, bool must)
{
    struct str left, right;

    if (str_eq(model, database) || !must)
        return str_eq(model, database);
    while (str_split(&model, '\n', &left) && str_split(&database, '\n', &right) &&
           str_eq(left, right))
        ;
    fail_msg("seed %llu: the model says \"%.*s\", PostgreSQL \"%.*s\"",
             (unsigned long long)play->seed, STR_ARG(left), STR_ARG(right));
    return false;
}

static bool has_same_rows(struct play *play, bool must)
{
    struct pg_result *result;
    struct err err = { 0 };
    struct buf model = { 0 };
    bool same;

    if (pg_sync_query(play->world.sync, rows_sql, NULL, &result, &err) < 0)
        fail_msg("%s", err.sentence);
    rows_of_model(&play->model, &model);
    same = is_same(play, buf_str(&model), pg_get_text(result, 0, 0), must);
    buf_clear(&model);
    pg_result_free(result);
    return same;
}

/* ---- the same recovery ----------------------------------------------------------------------- */

struct recovering {
    struct lines lines;
    bool done;
};

static void on_run(void *owner, const struct recovered_run *run)
{
    struct recovering *recovering = owner;

    lines_add(&recovering->lines, rows_recovered_run(&recovering->lines.arena, run));
}

static void on_end(void *owner, int rc, const struct err *err)
{
    if (rc < 0)
        fail_msg("recovering: %s", err->sentence);
    ((struct recovering *)owner)->done = true;
}

static void feed(void *owner, struct core_event *event)
{
    if (event->type == CORE_RUN_RECOVERED)
        on_run(owner, event->run);
}

static void check_recovery(struct play *play)
{
    static const struct recover_handler handler = { .on_run = on_run, .on_end = on_end };
    struct recovering of_model = { 0 }, of_database = { 0 };
    struct buf model = { 0 }, database = { 0 };

    model_store_recover(&play->model, &of_model, feed);
    lines_join(&of_model.lines, &model);
    store_recover(play->world.store, &handler, &of_database);
    store_world_wait(&play->world, &of_database.done);
    lines_join(&of_database.lines, &database);
    (void)is_same(play, buf_str(&model), buf_str(&database), true);
    buf_clear(&model);
    buf_clear(&database);
}

/* ---- a batch, and how it ends ---------------------------------------------------------------- */

static int apply_to_model(struct play *play)
{
    int rc = model_store_apply(&play->model, play->records, play->count, 0, NULL);

    if (rc < 0) /* nothing of it holds */
        model_store_lose(&play->model, play->model.log.count);
    return rc;
}

static void play_batch(struct play *play)
{
    bool is_late = pick(play, 15) == 0;
    struct err err = { 0 };
    int rc, expected;

    make_batch(play);
    play->world.epoch -= is_late;
    rc = store_world_apply(&play->world, play->records, play->count, &err);
    play->world.epoch += is_late;
    expected = is_late ? ERR_LOST : apply_to_model(play);
    if (!is_late)
        assert_int_equal(expected,
                         play->is_bad ? ERR_CONFLICT : 0); /* the generator and the model agree */
    if (rc != expected)
        fail_msg("seed %llu: the model says %s, PostgreSQL %s: %s", (unsigned long long)play->seed,
                 err_name(expected), err_name(rc), err.sentence);
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

/* Breaks the connection while a batch is on its way: it happened as a whole or not at all. */
static void play_lost_answer(struct play *play)
{
    uint32_t before = play->model.log.count;
    struct fate fate = { 0 };
    bool never = false;

    make_batch(play);
    store_apply(play->world.store, play->world.epoch, play->records, play->count, on_fate, &fate);
    (void)loop_run_until(play->world.loop, &never, (int64_t)pick(play, 3));
    play->world.is_up = false;
    store_break(play->world.store, "test");
    store_world_wait(&play->world, &fate.done);
    store_world_wait(&play->world, &play->world.is_up);
    store_world_lead(&play->world); /* fences off what may still be under way */
    if (apply_to_model(play) < 0)
        return;
    if (has_same_rows(play, fate.rc == 0))
        assert_true(fate.rc == 0 || fate.rc == ERR_DB_UNKNOWN);
    else
        model_store_lose(&play->model, before);
}

static void play_seed(uint64_t seed)
{
    struct play play = { .seed = seed };

    rand_init(&play.rand, seed);
    model_store_init(&play.model);
    store_world_open(&play.world);
    store_world_lead(&play.world);
    play.day =
        store_world_int(&play.world, "SELECT (now() AT TIME ZONE 'UTC')::date - date '1970-01-01'");
    for (int i = 0; i < BATCHES; i++) {
        if (pick(&play, 5) == 0)
            add_request(&play);
        if (pick(&play, 25) == 0)
            play_lost_answer(&play);
        else
            play_batch(&play);
        (void)has_same_rows(&play, true);
        if (i % 5 == 0)
            check_recovery(&play);
    }
    arena_clear(&play.arena);
    VEC_CLEAR(&play.inbox);
    model_store_clear(&play.model);
    store_world_close(&play.world);
}

static void postgresql_and_the_model_give_the_same_answers(void **state)
{
    const char *seed = getenv("HEADRACE_SEED");

    (void)state;
    if (seed != NULL) {
        play_seed(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t i = 1; i <= SEEDS; i++)
        play_seed(i);
}

TESTS(CASE(postgresql_and_the_model_give_the_same_answers))
