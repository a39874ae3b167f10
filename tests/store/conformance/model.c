// SPDX-License-Identifier: Apache-2.0
#include "tests/store/conformance/model.h"

#define FIND(vec, condition)                                                                       \
    do {                                                                                           \
        VEC_EACH((vec), i) {                                                                       \
            typeof((vec)->items) row = &(vec)->items[i];                                           \
            if (condition)                                                                         \
                return row;                                                                        \
        }                                                                                          \
        return NULL;                                                                               \
    } while (0)

#define REMOVE(vec, condition)                                                                     \
    do {                                                                                           \
        uint32_t kept = 0;                                                                         \
        VEC_EACH((vec), i) {                                                                       \
            typeof((vec)->items) row = &(vec)->items[i];                                           \
            if (!(condition))                                                                      \
                (vec)->items[kept++] = *row;                                                       \
        }                                                                                          \
        (vec)->count = kept;                                                                       \
    } while (0)

#define COPY(to, from)                                                                             \
    do {                                                                                           \
        VEC_EACH((from), i) VEC_ADD((to), (from)->items[i]);                                       \
    } while (0)

void model_clear(struct model *model)
{
    VEC_CLEAR(&model->runs);
    VEC_CLEAR(&model->tries);
    VEC_CLEAR(&model->outputs);
    VEC_CLEAR(&model->keys);
    VEC_CLEAR(&model->answers);
    VEC_CLEAR(&model->workers);
    VEC_CLEAR(&model->inbox);
}

void model_copy(struct model *to, const struct model *from)
{
    COPY(&to->runs, &from->runs);
    COPY(&to->tries, &from->tries);
    COPY(&to->outputs, &from->outputs);
    COPY(&to->keys, &from->keys);
    COPY(&to->answers, &from->answers);
    COPY(&to->workers, &from->workers);
    COPY(&to->inbox, &from->inbox);
}

struct model_run *model_find_run(const struct model *model, int64_t run_no)
{
    FIND(&model->runs, row->run_no == run_no);
}

struct model_try *model_find_try(const struct model *model, int64_t run_no, uint32_t task, int32_t map_index,
                                 uint32_t row_no)
{
    FIND(&model->tries,
         row->run_no == run_no && row->task == task && row->map_index == map_index && row->row_no == row_no);
}

static struct model_key *find_key(const struct model *model, int32_t dag_no, const char *run_id)
{
    FIND(&model->keys, row->dag_no == dag_no && strcmp(row->run_id, run_id) == 0);
}

static struct model_worker *find_worker(const struct model *model, int64_t worker_no)
{
    FIND(&model->workers, row->worker_no == worker_no);
}

/* ---- one record -------------------------------------------------------------------------------------------------- */

static int create_run(struct model *model, const struct run_row *run)
{
    struct model_run row = { .run_no = run->run_no, .dag_no = run->dag_no, .version_no = run->version_no,
                             .state = run->state, .is_live = !run_state_is_final(run->state) };
    struct model_key *key;

    (void)snprintf(row.run_id, sizeof row.run_id, "%.*s", STR_ARG(run->run_id));
    VEC_ADD(&model->runs, row);
    key = find_key(model, run->dag_no, row.run_id);
    if (key == NULL) {
        struct model_key new = { .dag_no = run->dag_no, .run_no = run->run_no };

        memcpy(new.run_id, row.run_id, sizeof new.run_id);
        VEC_ADD(&model->keys, new);
    } else if (key->run_no < run->run_no) {
        key->run_no = run->run_no;
    }
    return 0;
}

static int change_run(struct model *model, const struct run_row *run)
{
    struct model_run *row = model_find_run(model, run->run_no);

    if (row == NULL)
        return ERR_CONFLICT;
    row->clear_number += run_state_is_final(row->state) && !run_state_is_final(run->state);
    row->state = run->state;
    row->version_no = run->version_no;
    row->started_ms = run->started_ms;
    row->ended_ms = run->ended_ms;
    row->succeeded = run->succeeded;
    row->is_live = !run_state_is_final(run->state);
    return 0;
}

static int place_try(struct model *model, const struct try_row *try)
{
    VEC_ADD(&model->tries, (struct model_try){ .run_no = try->run_no, .task = try->task, .map_index = try->map_index,
                                               .row_no = try->row_no, .attempt = try->attempt.low, .state = try->state,
                                               .cause = try->cause });
    return 0;
}

/* A row says less than the leader knows: it is queued while the task runs, and up_for_retry while it waits for a slot. */
static bool may_become(enum task_state from, enum task_state to, enum cause cause)
{
    static const enum task_state open[] = { TASK_QUEUED, TASK_RUNNING, TASK_RESTARTING },
                                 waiting[] = { TASK_SCHEDULED, TASK_UP_FOR_RETRY, TASK_UP_FOR_RESCHEDULE, TASK_DEFERRED };
    bool is_open = from == TASK_QUEUED || from == TASK_RUNNING || from == TASK_RESTARTING;
    bool is_waiting = from == TASK_SCHEDULED || from == TASK_UP_FOR_RETRY || from == TASK_UP_FOR_RESCHEDULE
        || from == TASK_DEFERRED;

    for (size_t i = 0; is_open && i < sizeof open / sizeof *open; i++) {
        if (transition_is_legal(open[i], to, cause))
            return true;
    }
    for (size_t i = 0; is_waiting && i < sizeof waiting / sizeof *waiting; i++) {
        if (transition_is_legal(waiting[i], to, cause))
            return true;
    }
    return transition_is_legal(from, to, cause);
}

static int64_t newer(int64_t old, int64_t new)
{
    return new != 0 ? new : old;
}

static int change_try(struct model *model, enum record_type type, const struct try_row *try)
{
    struct model_try *row = model_find_try(model, try->run_no, try->task, try->map_index, try->row_no);

    if (row == NULL || (try->attempt.low != 0 && row->attempt != try->attempt.low)
        || !may_become(row->state, try->state, try->cause))
        return ERR_CONFLICT;
    row->state = try->state;
    row->cause = try->cause;
    row->started_ms = newer(row->started_ms, try->started_ms);
    row->retry_ms = 0;
    if (type == WRITE_TRY_STARTED)
        return 0;
    row->ended_ms = newer(row->ended_ms, try->ended_ms);
    row->cpu_ms = newer(row->cpu_ms, try->cpu_ms);
    row->retry_ms = try->retry_ms;
    if (try->started_ms != 0 && try->cause != CAUSE_MARKED) {
        row->has_exit_code = true;
        row->exit_code = try->exit_code;
    }
    if (try->error.size > 0)
        (void)snprintf(row->error, sizeof row->error, "%.*s", STR_ARG(try->error));
    return 0;
}

static int clear_try(struct model *model, const struct try_row *try)
{
    struct model_try *found = model_find_try(model, try->run_no, try->task, try->map_index, try->row_no);

    if (found == NULL || (try->attempt.low != 0 && found->attempt != try->attempt.low))
        return ERR_CONFLICT;
    found->cleared = true;
    found->retry_ms = 0;
    if (found->state == TASK_SCHEDULED || found->state == TASK_QUEUED || found->state == TASK_RUNNING) {
        found->state = TASK_RESTARTING;
        found->cause = try->cause;
    }
    if (found->ended_ms == 0)
        found->ended_ms = try->ended_ms;
    REMOVE(&model->outputs, row->run_no == try->run_no && row->task == try->task && row->map_index == try->map_index);
    return 0;
}

static int put_output(struct model *model, const struct record *record)
{
    struct model_output output = { record->output.run_no, record->output.task, record->output.map_index, 0 };

    (void)!str_to_int(record->output.json, 0, INT32_MAX, &output.value);
    REMOVE(&model->outputs,
           row->run_no == output.run_no && row->task == output.task && row->map_index == output.map_index);
    VEC_ADD(&model->outputs, output);
    return 0;
}

static int answer(struct model *model, int64_t request_no, int code)
{
    REMOVE(&model->inbox, *row == request_no);
    REMOVE(&model->answers, row->request_no == request_no);
    VEC_ADD(&model->answers, (struct model_answer){ request_no, code });
    return 0;
}

static int put_worker(struct model *model, const struct record *record)
{
    struct model_worker new = { record->worker.worker_no, record->worker.incarnation, record->worker.state };
    struct model_worker *known = find_worker(model, new.worker_no);

    if (known != NULL)
        *known = new;
    else
        VEC_ADD(&model->workers, new);
    return 0;
}

static int delete_run(struct model *model, int64_t run_no)
{
    REMOVE(&model->runs, row->run_no == run_no);
    REMOVE(&model->tries, row->run_no == run_no);
    REMOVE(&model->outputs, row->run_no == run_no);
    REMOVE(&model->keys, row->run_no == run_no);
    return 0;
}

static int apply_one(struct model *model, const struct record *record)
{
    switch (record->type) {
    case WRITE_RUN_CREATE: return create_run(model, &record->run);
    case WRITE_RUN_STATE: return change_run(model, &record->run);
    case WRITE_TRY_PLACED: return place_try(model, &record->try);
    case WRITE_TRY_STARTED:
    case WRITE_TRY_ENDED: return change_try(model, record->type, &record->try);
    case WRITE_TRY_CLEARED: return clear_try(model, &record->try);
    case WRITE_OUTPUT: return put_output(model, record);
    case WRITE_REQUEST_DONE: return answer(model, record->request.request_no, record->request.code);
    case WRITE_WORKER: return put_worker(model, record);
    case WRITE_RUN_DELETE: return delete_run(model, record->run_delete.run_no);
    default: return 0;
    }
}

int model_apply(struct model *model, const struct record *records, uint32_t count)
{
    struct model after = { 0 };
    int rc = 0;

    model_copy(&after, model);
    for (uint32_t i = 0; rc == 0 && i < count; i++)
        rc = apply_one(&after, &records[i]);
    model_clear(rc == 0 ? model : &after);
    if (rc == 0)
        *model = after;
    return rc;
}

/* ---- as text ----------------------------------------------------------------------------------------------------- */

#define BY(field)                                                                                  \
    do {                                                                                           \
        if (a->field != b->field)                                                                  \
            return a->field < b->field ? -1 : 1;                                                   \
    } while (0)

static int compare_runs(const void *left, const void *right)
{
    const struct model_run *a = left, *b = right;

    BY(run_no);
    return 0;
}

static int compare_tries(const void *left, const void *right)
{
    const struct model_try *a = left, *b = right;

    BY(run_no);
    BY(task);
    BY(map_index);
    BY(row_no);
    return 0;
}

static int compare_outputs(const void *left, const void *right)
{
    const struct model_output *a = left, *b = right;

    BY(run_no);
    BY(task);
    BY(map_index);
    return 0;
}

static int compare_keys(const void *left, const void *right)
{
    const struct model_key *a = left, *b = right;

    BY(dag_no);
    return strcmp(a->run_id, b->run_id);
}

static int compare_answers(const void *left, const void *right)
{
    const struct model_answer *a = left, *b = right;

    BY(request_no);
    return 0;
}

static int compare_workers(const void *left, const void *right)
{
    const struct model_worker *a = left, *b = right;

    BY(worker_no);
    return 0;
}

#define SORT(vec, compare)                                                                         \
    do {                                                                                           \
        if ((vec)->count > 1)                                                                      \
            qsort((vec)->items, (vec)->count, sizeof *(vec)->items, (compare));                    \
    } while (0)

static void dump_runs(const struct model *model, struct buf *out)
{
    VEC_EACH(&model->runs, i) {
        const struct model_run *run = &model->runs.items[i];

        buf_printf(out, "run %lld %d %lld %s %d %lld %lld %u %d%s\n", (long long)run->run_no, run->dag_no,
                   (long long)run->version_no, run->run_id, (int)run->state, (long long)run->started_ms,
                   (long long)run->ended_ms, run->succeeded, run->clear_number, run->is_live ? " live" : "");
    }
}

static void dump_tries(const struct model *model, struct buf *out)
{
    VEC_EACH(&model->tries, i) {
        const struct model_try *try = &model->tries.items[i];

        buf_printf(out, "try %lld %u %d %u %llu %d %d%s %lld %lld %lld %lld %d %s\n", (long long)try->run_no, try->task,
                   try->map_index, try->row_no, (unsigned long long)try->attempt, (int)try->state, (int)try->cause,
                   try->cleared ? " cleared" : "", (long long)try->started_ms, (long long)try->ended_ms,
                   (long long)try->retry_ms, (long long)try->cpu_ms, try->has_exit_code ? try->exit_code : -1, try->error);
    }
}

void model_dump(const struct model *model, struct buf *out)
{
    struct model sorted = { 0 };

    model_copy(&sorted, model);
    SORT(&sorted.runs, compare_runs);
    SORT(&sorted.tries, compare_tries);
    SORT(&sorted.outputs, compare_outputs);
    SORT(&sorted.keys, compare_keys);
    SORT(&sorted.answers, compare_answers);
    SORT(&sorted.workers, compare_workers);
    dump_runs(&sorted, out);
    dump_tries(&sorted, out);
    VEC_EACH(&sorted.outputs, i) {
        const struct model_output *output = &sorted.outputs.items[i];

        buf_printf(out, "output %lld %u %d %lld\n", (long long)output->run_no, output->task, output->map_index,
                   (long long)output->value);
    }
    VEC_EACH(&sorted.keys, i)
        buf_printf(out, "key %d %s %lld\n", sorted.keys.items[i].dag_no, sorted.keys.items[i].run_id,
                   (long long)sorted.keys.items[i].run_no);
    VEC_EACH(&sorted.answers, i)
        buf_printf(out, "answer %lld %d\n", (long long)sorted.answers.items[i].request_no, sorted.answers.items[i].code);
    VEC_EACH(&sorted.workers, i)
        buf_printf(out, "worker %lld %llu %d\n", (long long)sorted.workers.items[i].worker_no,
                   (unsigned long long)sorted.workers.items[i].incarnation, (int)sorted.workers.items[i].state);
    VEC_EACH(&sorted.inbox, i) buf_printf(out, "inbox %lld\n", (long long)sorted.inbox.items[i]);
    model_clear(&sorted);
}

#define MS(column) "coalesce((extract(epoch FROM " column ") * 1000)::bigint, 0)"

const char model_dump_sql[] =
    "SELECT coalesce(string_agg(line || E'\\n', '' ORDER BY part, sort), '') FROM ("
    " SELECT 1 AS part, ARRAY[r.run_no] AS sort, format('run %s %s %s %s %s %s %s %s %s%s', r.run_no, dag_no, version_no, run_id, state, "
    MS("started_at") ", " MS("ended_at") ", n_success, clear_number, CASE WHEN l.run_no IS NULL THEN '' ELSE ' live' END) AS line"
    " FROM run r LEFT JOIN live_run l ON l.run_no = r.run_no"
    " UNION ALL SELECT 2, ARRAY[run_no, task, map_index, row_no], format('try %s %s %s %s %s %s %s%s %s %s %s %s %s %s', run_no, task,"
    " map_index, row_no, coalesce(('x' || right(attempt::text, 12))::bit(48)::bigint, 0), state, cause,"
    " CASE WHEN cleared THEN ' cleared' ELSE '' END, " MS("started_at") ", " MS("ended_at") ", " MS("retry_at") ","
    " coalesce(cpu_ms, 0), coalesce(exit_code, -1), coalesce(error, '')) FROM try"
    " UNION ALL SELECT 3, ARRAY[run_no, task, map_index], format('output %s %s %s %s', run_no, task, map_index, value) FROM output"
    " UNION ALL SELECT 4, ARRAY[dag_no, ascii(substr(run_id, 2))], format('key %s %s %s', dag_no, run_id, run_no) FROM run_key"
    " UNION ALL SELECT 5, ARRAY[request_no], format('answer %s %s', request_no, code) FROM inbox_answer"
    " UNION ALL SELECT 6, ARRAY[worker_no], format('worker %s %s %s', worker_no, incarnation, state) FROM worker"
    " UNION ALL SELECT 7, ARRAY[request_no], format('inbox %s', request_no) FROM inbox) lines";
