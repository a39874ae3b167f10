// SPDX-License-Identifier: Apache-2.0
/* past - depends_on_past and wait_for_downstream: the run before, by logical date, as Airflow
 * counts it. With catchup only scheduled runs count.
 *
 * Which run that is is asked of the database when a run is queued or recovered, for the run before
 * has often ended and left memory. Found, it is kept in memory for as long as a live run looks at
 * it (`pins`); so whatever becomes of it - it ends, is cleared, marked, deleted - is seen as it
 * happens. */
#include "scheduler/core/core_calls.h"

static bool task_looks_back(const struct task *task)
{
    return task->depends_on_past || task->wait_for_downstream;
}

bool past_is_read(const struct dag *dag)
{
    for (uint32_t t = 0; t < dag->task_count; t++)
        if (task_looks_back(&dag->tasks[t]))
            return true;
    return false;
}

static bool looks_back(const struct core *core, const struct run *run)
{
    return run->has_logical && core->versions.items[run->version].reads_past;
}

/* ---- which run it is ------------------------------------------------------------------------- */

/* Whether `before` may stand before `run`, whatever else there is. */
static bool is_before(const struct core *core, const struct run *before, const struct run *run)
{
    return before != run && before->dag == run->dag && before->has_logical &&
           before->logical_ms < run->logical_ms &&
           (!run_dag(core, run)->catchup || before->type == RUN_SCHEDULED);
}

static void past_set(struct core *core, struct run *run, uint32_t past)
{
    uint32_t was = run->past;
    run->past = past;
    if (past != NONE)
        run_get(core, past)->pins++;
    if (was == NONE)
        return;
    struct run *old = run_get(core, was);
    ASSERT(old->pins > 0);
    old->pins--;
    run_free_if_done(core, was,
                     core->flight != NULL ? core->flight->batch_no - 1 : core->open->batch_no - 1);
}

void past_ask(struct core *core, struct run *run)
{
    if (!core->deciding || !looks_back(core, run) || run->past_known != PAST_UNKNOWN)
        return;
    run->past_known = PAST_ASKED;
    find_ask(core, (struct core_find) { .what = FIND_PAST,
                                        .number = run->run_no,
                                        .dag_no = core->dags.items[run->dag].dag_no,
                                        .logical_ms = run->logical_ms - 1,
                                        .scheduled = run_dag(core, run)->catchup });
}

void past_ask_again(struct core *core, int64_t run_no)
{
    struct run *run = run_by_no(core, run_no);
    if (run == NULL || run->past_known != PAST_ASKED)
        return;
    run->past_known = PAST_UNKNOWN;
    past_ask(core, run);
}

/* What is not committed yet the database cannot know: the nearest of both counts. */
void past_found(struct core *core, int64_t run_no, struct run *found)
{
    struct run *run = run_by_no(core, run_no);
    if (run == NULL || run->past_known != PAST_ASKED || run_state_is_final(run->state))
        return;
    struct run *past = found;
    VEC_EACH (&core->runs, i) {
        struct run *other = core->runs.items[i];
        if (other != NULL && is_before(core, other, run) &&
            (past == NULL || other->logical_ms > past->logical_ms))
            past = other;
    }
    run->past_known = PAST_KNOWN;
    past_set(core, run, past != NULL ? past->index : NONE);
    if (run->state == RUN_RUNNING)
        run_evaluate_all(core, run);
    struct dag_entry *dag = &core->dags.items[run->dag]; /* what it waits for may be queued */
    runs_start(core, dag);
    backfills_check(core, dag);
}

/* It may have come between a run and what was before that. */
void past_created(struct core *core, const struct run *created)
{
    if (!looks_back(core, created))
        return;
    VEC_EACH (&core->runs, i) {
        struct run *run = core->runs.items[i];
        if (run == NULL || run->past_known != PAST_KNOWN || !is_before(core, created, run))
            continue;
        if (run->past == NONE || run_get(core, run->past)->logical_ms < created->logical_ms)
            past_set(core, run, created->index);
    }
}

void past_drop(struct core *core, struct run *run)
{
    run->past_known = PAST_UNKNOWN;
    past_set(core, run, NONE);
}

/* It was deleted: who looked at it looks further back. */
void past_gone(struct core *core, struct run *gone)
{
    past_drop(core, gone);
    for (uint32_t i = 0; i < core->runs.count && gone->pins > 0; i++) {
        struct run *run = core->runs.items[i];
        if (run == NULL || run->past != gone->index)
            continue;
        run->past = NONE;
        gone->pins--;
        run->past_known = PAST_UNKNOWN;
        past_ask(core, run);
    }
}

/* ---- what follows of it ---------------------------------------------------------------------- */

static bool is_good(uint8_t state)
{
    return state == TASK_SUCCESS || state == TASK_SKIPPED;
}

/* A task that was not there yet in the run before has nothing to wait for. */
static bool was_good(const struct core *core, const struct run *before, struct str task_id)
{
    int32_t task = dag_find_task(run_dag(core, before), task_id);
    return task < 0 || (before->tasks != NULL && is_good(before->tasks[task].self.state));
}

enum past_verdict past_verdict(const struct core *core, const struct run *run, uint32_t task,
                               struct str *out_task)
{
    const struct dag *dag = run_dag(core, run);
    const struct task *model = &dag->tasks[task];
    *out_task = model->id;
    if (!task_looks_back(model) || !run->has_logical || MUTANT(CORE_PAST_IGNORED))
        return PAST_HOLDS;
    if (run->past_known != PAST_KNOWN)
        return PAST_IS_SOUGHT;
    if (run->past == NONE)
        return PAST_HOLDS;
    const struct run *before = run_get(core, run->past);
    if (!was_good(core, before, model->id))
        return PAST_TASK_WAITS;
    for (uint32_t i = 0; model->wait_for_downstream && i < model->downstream_count; i++) {
        *out_task = dag->tasks[model->downstream[i]].id;
        if (!was_good(core, before, *out_task))
            return PAST_DOWNSTREAM_WAITS;
    }
    return PAST_HOLDS;
}

void past_settled(struct core *core, const struct run *past)
{
    uint32_t left = past->pins;
    for (uint32_t i = 0; i < core->runs.count && left > 0; i++) {
        struct run *run = core->runs.items[i];
        if (run == NULL || run->past != past->index)
            continue;
        left--;
        for (uint32_t t = 0; run->state == RUN_RUNNING && t < run_dag(core, run)->task_count; t++)
            if (task_looks_back(&run_dag(core, run)->tasks[t]))
                task_evaluate(core, run, t);
    }
}

/* Whether a run that is running waits for it, perhaps over others that wait themselves. */
bool past_is_awaited(const struct core *core, const struct run *past)
{
    for (uint32_t hops = 0; past->pins > 0 && hops < core->runs.count; hops++) {
        const struct run *next = NULL;
        VEC_EACH (&core->runs, i) {
            const struct run *run = core->runs.items[i];
            if (run == NULL || run->past != past->index)
                continue;
            if (run->state == RUN_RUNNING)
                return true;
            next = run;
        }
        if (next == NULL)
            return false;
        past = next;
    }
    return false;
}

struct run *past_awaited(const struct core *core, const struct dag_entry *dag)
{
    if (!core->versions.items[dag->version].reads_past)
        return NULL;
    VEC_EACH (&core->runs, i) {
        struct run *run = core->runs.items[i];
        if (run != NULL && run->dag == dag_index(core, dag) && run->state == RUN_QUEUED &&
            run->due && backfill_by_no(core, run->backfill_no) == NULL &&
            past_is_awaited(core, run))
            return run;
    }
    return NULL;
}

struct str past_sentence(const struct core *core, const struct run *run, uint32_t task,
                         struct arena *arena)
{
    struct str id = STR_EMPTY;
    enum past_verdict verdict = past_verdict(core, run, task, &id);
    if (verdict == PAST_HOLDS)
        return STR_EMPTY;
    if (verdict == PAST_IS_SOUGHT)
        return STR("the run before it is being looked up");
    const struct run *before = run_get(core, run->past);
    int32_t at = dag_find_task(run_dag(core, before), id);
    uint8_t state = before->tasks != NULL ? before->tasks[at].self.state : TASK_NONE;
    return str_format(
        arena,
        "%s %.*s of the run before, %.*s, is %s and must have succeeded or been skipped (%s)",
        verdict == PAST_TASK_WAITS ? "task" : "the next task", STR_ARG(id), STR_ARG(before->run_id),
        task_state_name(state),
        verdict == PAST_TASK_WAITS ? "depends_on_past" : "wait_for_downstream");
}
