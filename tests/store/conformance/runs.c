// SPDX-License-Identifier: Apache-2.0
/* Records of runs: their rows, tries, outputs and expansions. */
#include "tests/store/conformance/play.h"

static const struct model_try *pick_try(struct play *play)
{
    const struct model_run *run = pick_run(play);

    return run == NULL || run->tries.count == 0 ? NULL
                                                : &run->tries.items[pick(play, run->tries.count)];
}

/* ---- runs ------------------------------------------------------------------------------------ */

/* Now and then one that another run of the DAG has already, perhaps of the same batch: a history
 * that the core does not hold may know it. */
static struct str draw_run_id(struct play *play, int32_t dag_no)
{
    const struct model_run *run = pick_run(play);
    const struct record *before = play->count == 0 ? NULL : &play->records[play->count - 1];

    if (pick(play, 3) != 0)
        return str_format(&play->arena, "r%u", play->run_seq);
    if (before != NULL && before->type == WRITE_RUN_CREATE && before->run.dag_no == dag_no)
        return before->run.run_id;
    return run == NULL ? STR("first") : run->row.run_id;
}

void make_run(struct play *play)
{
    struct record record = { .type = WRITE_RUN_CREATE };
    /* Of any day that has partitions, so that batches cross them. */
    int64_t day = play->day - 1 + (int64_t)pick(play, 5);

    const struct model_dag *dag = pick_dag(play);

    if (play->model.runs.count >= RUNS_MAX || dag == NULL)
        return;
    play->run_seq++;
    struct str run_id = draw_run_id(play, dag->dag_no);
    record.run = (struct run_row) { .run_no = RUN_NO(day, 0, play->run_seq),
                                    .dag_no = dag->dag_no,
                                    .version_no = dag->version_no - (int64_t)pick(play, 2),
                                    .run_id = run_id,
                                    .type = (enum run_type)pick(play, RUN_TYPE_COUNT),
                                    .state = (enum run_state)pick(play, 2),
                                    .run_after_ms = 1 + (int64_t)pick(play, 9),
                                    .queued_ms = 1 + (int64_t)pick(play, 9),
                                    .conf = pick(play, 2) == 0 ? STR("{}") : STR("{\"a\": 1}"),
                                    .triggered_by = STR("x"),
                                    .note = pick(play, 2) == 0 ? STR_EMPTY : STR("n") };
    if (pick(play, 2) == 0) {
        record.run.has_logical = true;
        record.run.logical_ms = (int64_t)pick(play, 1000);
        record.run.interval_start_ms = (int64_t)pick(play, 1000);
        record.run.interval_end_ms = (int64_t)pick(play, 1000);
    }
    play_add(play, record);
}

void make_run_state(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_RUN_STATE };

    if (run == NULL || is_touched(play, run->row.run_no))
        return;
    record.run = (struct run_row) { .run_no = run->row.run_no,
                                    .version_no = run->row.version_no ^ (int64_t)pick(play, 2),
                                    .cause = (enum cause)pick(play, CAUSE_COUNT),
                                    .state = (enum run_state)pick(play, RUN_STATE_COUNT),
                                    .started_ms = (int64_t)pick(play, 99),
                                    .ended_ms = (int64_t)pick(play, 99),
                                    .succeeded = (uint32_t)pick(play, 9),
                                    .failed = (uint32_t)pick(play, 9),
                                    .skipped = (uint32_t)pick(play, 9) };
    play_add(play, record);
}

void make_run_delete(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_RUN_DELETE };

    if (run == NULL || is_touched(play, run->row.run_no) || pick(play, 4) != 0)
        return;
    record.run_delete.run_no = run->row.run_no;
    play_add(play, record);
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
                              .priority = (int32_t)pick(play, 3),
                              .queued_ms = 1,
                              .error = STR_EMPTY,
                              .map_label = pick(play, 2) == 0 ? STR_EMPTY : STR("l") };
}

static void randomise_end(struct play *play, struct try_row *try)
{
    try->started_ms = (int64_t)pick(play, 3) * 50;
    try->ended_ms = 70 + (int64_t)pick(play, 3);
    try->retry_ms = (int64_t)pick(play, 2) * 90;
    try->cpu_ms = (int64_t)pick(play, 3);
    try->memory_peak_bytes = (int64_t)pick(play, 3);
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
            play_add(play, (struct record) { .type = WRITE_TRY_STARTED, .try = change });
        } else {
            randomise_end(play, &change);
            play_add(play, (struct record) { .type = WRITE_TRY_ENDED, .try = change });
        }
        steps--;
    }
    if (pick(play, 3) == 0) {
        try.cause = CAUSE_CLEARED;
        try.ended_ms = (int64_t)pick(play, 2) * 88;
        play_add(play, (struct record) { .type = WRITE_TRY_CLEARED, .try = try });
    }
}

void make_placed(struct play *play)
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
    play_add(play, (struct record) { .type = WRITE_TRY_PLACED, .try = try });
    if (pick(play, 3) == 0)
        add_steps(play, try, try.state);
}

void make_change(struct play *play)
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

void make_output(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_OUTPUT };

    if (run == NULL || is_touched(play, run->row.run_no))
        return;
    record.output =
        (typeof(record.output)) { run->row.run_no, (uint32_t)pick(play, TASKS),
                                  (int32_t)pick(play, 2) - 1,
                                  str_format(&play->arena, "%d", (int)pick(play, 1000)) };
    play_add(play, record);
    if (pick(play, 4) == 0)
        play_add(play, record);
}

void make_expansion(struct play *play)
{
    const struct model_run *run = pick_run(play);
    struct record record = { .type = WRITE_EXPANSION };

    if (run == NULL || is_touched(play, run->row.run_no))
        return;
    record.expansion =
        (typeof(record.expansion)) { run->row.run_no, (uint32_t)pick(play, TASKS), 1,
                                     str_format(&play->arena, "[%d]", (int)pick(play, 1000)) };
    play_add(play, record);
}

/* ---- what must be refused -------------------------------------------------------------------- */

void make_bad_change(struct play *play)
{
    const struct model_try *known = pick_try(play);
    struct record record = { .type = WRITE_TRY_ENDED };

    if (known == NULL || play->count == RECORDS_MAX || play->is_full ||
        is_touched(play, known->row.run_no))
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
    play_add(play, record);
    play->is_bad = true;
}
