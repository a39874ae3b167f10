// SPDX-License-Identifier: Apache-2.0
// The same random operations against PostgreSQL and the model store, on which the simulator runs,
// give the same answers, the same rows and the same recovery: batches good and bad, of this epoch
// and of another, and batches whose answer is lost. Every kind of record comes, every table that
// records write is looked at.
#include "common/store/date_store.h"
#include "common/store/errand_store.h"
#include "common/store/recover.h"
#include "tests/store/conformance/play.h"
#include "tests/store/conformance/recovered.h"
#include "tests/support/test.h"

#ifndef HEADRACE_SOURCE_DIR
#define HEADRACE_SOURCE_DIR "."
#endif

enum { SEEDS = 6, BATCHES = 120, SQL_BYTES_MAX = 1 << 20 };

/* ---- every kind ------------------------------------------------------------------------------ */

enum { KINDS_MAX = 64 };

/* How often each kind was written, over all seeds. */
static uint32_t written[KINDS_MAX];

/* A switch without a default: a kind that does not stand here does not compile. NULL behind the
 * last. */
static const char *kind_name(enum record_type type)
{
#define KIND(name)                                                                                 \
    case name:                                                                                     \
        return #name
    switch (type) {
        KIND(WRITE_RUN_CREATE);
        KIND(WRITE_RUN_STATE);
        KIND(WRITE_TRY_PLACED);
        KIND(WRITE_TRY_STARTED);
        KIND(WRITE_TRY_ENDED);
        KIND(WRITE_TRY_CLEARED);
        KIND(WRITE_OUTPUT);
        KIND(WRITE_EXPANSION);
        KIND(WRITE_REQUEST_DONE);
        KIND(WRITE_DAG_STATE);
        KIND(WRITE_WORKER);
        KIND(WRITE_AUTOSCALE);
        KIND(WRITE_RUN_DELETE);
        KIND(WRITE_DAG_DELETE);
        KIND(WRITE_BACKFILL);
        KIND(WRITE_BACKFILL_RUN);
        KIND(WRITE_FILE_TAKEN);
        KIND(WRITE_ASSET_EVENT);
        KIND(WRITE_ASSET_KEPT);
        KIND(WRITE_ASSET_TAKEN);
        KIND(WRITE_ASSET_DROPPED);
        KIND(WRITE_NOTIFICATION);
        KIND(WRITE_NOTIFICATION_STATE);
        KIND(WRITE_WORKER_LOAD);
    }
#undef KIND
    return NULL;
}

static void count_kinds(const struct play *play)
{
    for (uint32_t i = 0; i < play->count; i++) {
        int type = play->records[i].type;

        assert_true(type < KINDS_MAX);
        written[type]++;
    }
}

static void check_every_kind_was_written(void)
{
    for (int type = 0; kind_name((enum record_type)type) != NULL; type++) {
        if (written[type] == 0)
            fail_msg("no batch that was committed held a %s: it needs a maker",
                     kind_name((enum record_type)type));
    }
}

/* ---- a batch --------------------------------------------------------------------------------- */

static void make_batch(struct play *play)
{
    static void (*const makers[])(struct play *) = {
        make_run,           make_run,        make_run_state,    make_placed,
        make_placed,        make_placed,     make_change,       make_change,
        make_change,        make_output,     make_expansion,    make_worker,
        make_answer,        make_run_delete, make_dag_state,    make_dag_delete,
        make_autoscale,     make_backfill,   make_backfill_run, make_asset_event,
        make_asset_taken,   make_file,       make_notification, make_notification_state,
        make_asset_dropped,
    };

    play_dags(play);
    arena_reset(&play->arena);
    play->count = 0;
    play->is_bad = play->is_full = false;
    for (uint64_t i = 1 + pick(play, RECORDS_MAX); i > 0; i--)
        makers[pick(play, sizeof makers / sizeof *makers)](play);
    if (pick(play, 6) == 0)
        (pick(play, 2) == 0 ? make_bad_change : make_bad_double)(play);
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
    struct err err = { 0 };
    struct buf model = { 0 }, database = { 0 };
    bool same;

    if (rows_of_database(play->world.sync, &database, &err) < 0)
        fail_msg("%s", err.sentence);
    rows_of_model(&play->model, &model);
    same = is_same(play, buf_str(&model), buf_str(&database), must);
    buf_clear(&model);
    buf_clear(&database);
    return same;
}

static void check_recovery(struct play *play)
{
    struct buf model = { 0 }, database = { 0 };

    recovered_of_model(&play->model, &model);
    recovered_of_database(&play->world, &database);
    (void)is_same(play, buf_str(&model), buf_str(&database), true);
    buf_clear(&model);
    buf_clear(&database);
}

/* ---- the same answers to questions ----------------------------------------------------------- */

struct answer {
    struct lines lines;
    bool done, yes;
};

static void on_run_read(void *owner, int rc, const struct recovered_run *run, const struct err *err)
{
    struct answer *answer = owner;

    if (rc < 0 && rc != ERR_NOT_FOUND)
        fail_msg("reading a run: %s", err->sentence);
    if (rc == 0)
        recovered_run_line(&answer->lines, run);
    answer->done = true;
}

static void on_yes_or_no(void *owner, int rc, bool yes)
{
    struct answer *answer = owner;

    assert_int_equal(rc, 0);
    answer->yes = yes;
    answer->done = true;
}

static void feed_run(void *owner, struct core_event *event)
{
    const struct recovered_run *run = event->type == CORE_FOUND ? event->found.run : event->run;

    if (run != NULL)
        recovered_run_line(owner, run);
}

static void compare_answers(struct play *play, struct lines *model, struct answer *answer)
{
    struct buf left = { 0 }, right = { 0 };

    store_world_wait(&play->world, &answer->done);
    lines_join(model, &left);
    lines_join(&answer->lines, &right);
    (void)is_same(play, buf_str(&left), buf_str(&right), true);
    buf_clear(&left);
    buf_clear(&right);
}

static void ask_for_run_before(struct play *play)
{
    struct core_find find = { .dag_no = pick_dag(play)->dag_no,
                              .logical_ms = (int64_t)pick(play, 1000),
                              .scheduled = pick(play, 2) == 0 };
    struct answer answer = { 0 };
    struct lines model = { 0 };

    model_store_find(&play->model, &find, false, &model, feed_run);
    store_run_before(play->world.store, find.dag_no, find.logical_ms, find.scheduled, on_run_read,
                     &answer);
    compare_answers(play, &model, &answer);
}

static void dated_runs_line(struct lines *lines, const struct dated_run *runs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        lines_add(lines, "%lld %lld %d", (long long)runs[i].run_no, (long long)runs[i].logical_ms,
                  (int)runs[i].state);
}

static void feed_dates(void *owner, struct core_event *event)
{
    dated_runs_line(owner, event->found.dates, event->found.date_count);
}

static void on_dates_read(void *owner, int rc, const struct dated_run *runs, uint32_t count,
                          const struct err *err)
{
    struct answer *answer = owner;
    if (rc < 0)
        fail_msg("reading dates: %s", err->sentence);
    dated_runs_line(&answer->lines, runs, count);
    answer->done = true;
}

static void ask_for_dates(struct play *play)
{
    int64_t dates[500];
    struct core_find find = {
        .what = FIND_DATES, .dag_no = pick_dag(play)->dag_no, .dates = dates, .date_count = 500
    };
    struct answer answer = { 0 };
    struct lines model = { 0 };

    for (uint32_t i = 0; i < find.date_count; i++)
        dates[i] = 2 * i;
    model_store_find(&play->model, &find, false, &model, feed_dates);
    store_dated_runs(play->world.store, find.dag_no, dates, find.date_count, on_dates_read,
                     &answer);
    compare_answers(play, &model, &answer);
}

static void ask_for_run(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct answer answer = { 0 };
    struct lines model = { 0 };
    struct arena arena = { 0 };

    if (run == NULL)
        return;
    (void)model_store_recover_run(&play->model, run->row.dag_no, run->row.run_id, &model, feed_run);
    store_run_read(play->world.store, str_format(&arena, "d%d", run->row.dag_no), run->row.run_id,
                   on_run_read, &answer);
    compare_answers(play, &model, &answer);
    arena_clear(&arena);
}

/* Of the run itself and of each task. */
static void ask_for_success(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct arena arena = { 0 };

    for (int task = -1; run != NULL && task < TASKS; task++) {
        struct str dag_id = str_format(&arena, "d%d", run->row.dag_no);
        struct str task_id = task < 0 ? STR_EMPTY : str_format(&arena, "%c", 'a' + task);
        struct answer answer = { 0 };
        bool yes = model_store_succeeded(
            &play->model,
            str_format(&arena, "{\"dag_id\":\"%.*s\",\"task_id\":\"%.*s\",\"logical_ms\":\"%lld\"}",
                       STR_ARG(dag_id), STR_ARG(task_id), (long long)run->row.logical_ms));

        store_task_succeeded(play->world.store, dag_id, task_id, run->row.logical_ms, on_yes_or_no,
                             &answer);
        store_world_wait(&play->world, &answer.done);
        assert_int_equal(yes, answer.yes);
    }
    arena_clear(&arena);
}

static void ask_for_asset(struct play *play)
{
    struct str asset = pick(play, 2) == 0 ? STR("a") : STR("b");
    int64_t since_ms = (int64_t)pick(play, 110);
    struct arena arena = { 0 };
    struct answer answer = { 0 };
    bool yes = model_store_updated(&play->model,
                                   str_format(&arena, "{\"asset\":\"%.*s\",\"since_ms\":%lld}",
                                              STR_ARG(asset), (long long)since_ms));

    store_asset_updated(play->world.store, asset, since_ms, on_yes_or_no, &answer);
    store_world_wait(&play->world, &answer.done);
    assert_int_equal(yes, answer.yes);
    arena_clear(&arena);
}

/* ---- a batch, and how it ends ---------------------------------------------------------------- */

static int apply_to_model(struct play *play)
{
    int rc = model_store_apply(&play->model, play->records, play->count, 0, NULL);

    if (rc < 0) /* nothing of it holds */
        model_store_lose(&play->model, play->model.log.count);
    return rc;
}

/* What a guard refuses, and what a unique or a foreign key does, is the same to the model. */
static int refusal(int rc)
{
    return rc == ERR_EXISTS || rc == ERR_NOT_FOUND ? ERR_CONFLICT : rc;
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
    if (refusal(rc) != expected)
        fail_msg("seed %llu: the model says %s, PostgreSQL %s: %s", (unsigned long long)play->seed,
                 err_name(expected), err_name(rc), err.sentence);
    if (rc == 0)
        count_kinds(play);
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
    static void (*const questions[])(struct play *) = { ask_for_run_before, ask_for_dates,
                                                        ask_for_run, ask_for_success,
                                                        ask_for_asset };
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
        play_dags(&play);
        questions[pick(&play, sizeof questions / sizeof *questions)](&play);
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
    check_every_kind_was_written();
}

static void every_table_that_records_write_is_compared(void **state)
{
    static const char *const files[] = { "apply", "errand" };
    struct arena arena = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct str path = str_format(&arena, HEADRACE_SOURCE_DIR "/sql/queries/%s.sql", files[i]);
        FILE *file = fopen(str_cstr(&arena, path), "r");
        char *text = arena_alloc(&arena, SQL_BYTES_MAX);
        size_t size;

        assert_non_null(file);
        size = fread(text, 1, SQL_BYTES_MAX, file);
        (void)fclose(file);
        assert_in_range(size, 1000, SQL_BYTES_MAX - 1);
        assert_str(rows_unknown_tables((struct str) { text, size }, &arena), "");
    }
    arena_clear(&arena);
}

TESTS(CASE(postgresql_and_the_model_give_the_same_answers),
      CASE(every_table_that_records_write_is_compared))
