// SPDX-License-Identifier: Apache-2.0
/* run - one run of a DAG: made, queued behind max_active_runs, started, ended, forgotten. */
#include "common/base/civil.h"
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

struct run *run_get(const struct core *core, uint32_t index)
{
    return index < core->runs.count ? core->runs.items[index] : NULL;
}

struct run *run_by_no(const struct core *core, int64_t run_no)
{
    uint64_t index = 0;
    return map_get(&core->run_by_no, (uint64_t)run_no, &index) ? core->runs.items[index] : NULL;
}

struct run *run_by_id(const struct core *core, const struct dag_entry *dag, struct str run_id)
{
    uint64_t index = 0;
    return map_get_str(&dag->run_ids, run_id, &index) ? core->runs.items[index] : NULL;
}

const struct dag *run_dag(const struct core *core, const struct run *run)
{
    return core->versions.items[run->version].dag;
}

/* ---- made ------------------------------------------------------------------------------------ */

/* A DAG's runs are found without looking at those of all others. */
static void run_link(struct core *core, struct dag_entry *dag, struct run *run)
{
    run->previous_of_dag = NONE;
    run->next_of_dag = dag->first_run;
    if (dag->first_run != NONE)
        core->runs.items[dag->first_run]->previous_of_dag = run->index;
    dag->first_run = run->index;
}

static void run_unlink(struct core *core, struct dag_entry *dag, const struct run *run)
{
    if (run->previous_of_dag != NONE)
        core->runs.items[run->previous_of_dag]->next_of_dag = run->next_of_dag;
    else
        dag->first_run = run->next_of_dag;
    if (run->next_of_dag != NONE)
        core->runs.items[run->next_of_dag]->previous_of_dag = run->previous_of_dag;
}

struct run *run_new(struct core *core, uint32_t version, int64_t run_no, struct str run_id)
{
    struct run *run = calloc(1, sizeof *run);
    ASSERT(run != NULL);
    if (core->runs_free.count > 0) {
        run->index = core->runs_free.items[--core->runs_free.count];
        core->runs.items[run->index] = run;
    } else {
        run->index = core->runs.count;
        VEC_ADD(&core->runs, run);
    }
    run->run_no = run_no;
    run->version = version;
    run->dag = core->versions.items[version].dag_index;
    run->run_id = str_copy(&run->arena, run_id);
    run->triggered_by = run->note = STR_EMPTY;
    run->conf_json = STR("{}");
    run->gate = run->past = NONE;
    core->versions.items[version].runs++;
    struct dag_entry *dag = &core->dags.items[run->dag];
    dag->live++;
    run_link(core, dag, run);
    map_put(&core->run_by_no, (uint64_t)run_no, run->index);
    map_put_str(&dag->run_ids, run->run_id, run->index);
    core->runs_live++;
    return run;
}

static void slots_init(struct run *run, const struct dag *dag)
{
    for (uint32_t i = 0; i < dag->task_count; i++)
        run->tasks[i] = (struct task_slot) {
            .self.attempt = NONE,
            .upstream.total = dag->tasks[i].upstream_count,
            .share.total = 1,
            .expansion = NONE,
        };
}

void run_tasks_new(struct core *core, struct run *run)
{
    const struct dag *dag = run_dag(core, run);
    struct version *version = &core->versions.items[run->version];
    ASSERT(run->tasks == NULL);
    run->tasks = ARENA_ARRAY(&run->arena, struct task_slot, dag->task_count);
    slots_init(run, dag);
    run->open_tasks = dag->task_count;
    run->gate = gate_new(core, dag->max_active_tasks);
    if (!version->has_run_gates)
        return;
    run->task_gates = ARENA_ARRAY(&run->arena, uint32_t, dag->task_count);
    for (uint32_t i = 0; i < dag->task_count; i++) {
        uint32_t limit = dag->tasks[i].max_active_tis_per_dagrun;
        run->task_gates[i] = limit > 0 ? gate_new(core, limit) : NONE;
    }
}

/* Rises for ever, also when the wall clock steps back over midnight. */
static int64_t run_no_make(struct core *core)
{
    int64_t today = RUN_NO(core->wall_ms / MS_PER_DAY, 0, 1);
    if (core->run_no_next < today)
        core->run_no_next = today;
    return core->run_no_next++;
}

static struct str run_id_make(struct core *core, const struct run_wish *wish)
{
    int64_t at_ms = wish->has_logical ? wish->logical_ms : wish->run_after_ms;
    struct str time = context_time(&core->step, at_ms);
    if (wish->has_logical && wish->type != RUN_MANUAL)
        return str_format(&core->step, "%s__%.*s", run_type_name(wish->type), STR_ARG(time));
    return str_format(&core->step, "%s__%.*s_%08x", run_type_name(wish->type), STR_ARG(time),
                      (unsigned)rand_next(&core->rand));
}

int run_create(struct core *core, const struct run_wish *wish, struct run **out, struct err *err)
{
    struct dag_entry *dag = &core->dags.items[wish->dag];
    const struct value *params = NULL;
    if (dag->version == NONE)
        return err_set(err, ERR_CONFLICT, "DAG %.*s has no version that could run",
                       STR_ARG(dag->id));
    if (core->runs_live >= core->limits.runs_max)
        return err_set(err, ERR_LIMIT, "there are %u live runs already", core->runs_live);
    struct str run_id = wish->run_id.size > 0 ? wish->run_id : run_id_make(core, wish);
    if (run_by_id(core, dag, run_id) != NULL)
        return err_set(err, ERR_EXISTS, "DAG %.*s has a run %.*s already", STR_ARG(dag->id),
                       STR_ARG(run_id));
    int rc =
        dag_params(core->versions.items[dag->version].dag, wish->conf, &core->step, &params, err);
    if (rc < 0)
        return rc;
    struct run *run = run_new(core, dag->version, run_no_make(core), run_id);
    run->type = wish->type;
    run->has_logical = wish->has_logical;
    run->logical_ms = wish->logical_ms;
    run->interval_start_ms = wish->interval_start_ms;
    run->interval_end_ms = wish->interval_end_ms;
    run->run_after_ms = wish->run_after_ms;
    run->queued_ms = core->wall_ms;
    run->triggered_by = str_copy(&run->arena, wish->triggered_by);
    run->note = str_clean(&run->arena, wish->note);
    run->cause = wish->cause;
    run->params = value_copy(&run->arena, params);
    if (wish->conf != NULL && wish->conf->type == VALUE_MAP) {
        run->conf = value_copy(&run->arena, wish->conf);
        run->conf_json = json_text(&run->arena, run->conf);
    }
    write_run_create(core, run);
    if (wish->backfill_no != 0)
        backfill_take(core, run, wish->backfill_no);
    past_created(core, run);
    run_queue(core, run);
    *out = run;
    return 0;
}

/* ---- queued and started ---------------------------------------------------------------------- */

void run_queue(struct core *core, struct run *run)
{
    struct dag_entry *dag = &core->dags.items[run->dag];
    ASSERT(run->state == RUN_QUEUED);
    if (backfill_by_no(core, run->backfill_no) != NULL) {
        past_ask(core, run);
        backfill_check(core, run->backfill_no);
        return;
    }
    heap_push(&dag->queued,
              (struct heap_entry) { run->run_after_ms, (uint64_t)run->run_no, run->index });
    dag->queued_count++;
    notify_deadline_set(core, run);
    /* Once due it stays so, also when the wall clock steps back. */
    run->due = run->run_after_ms <= core->wall_ms;
    if (!run->due)
        timer_set_wall(core, run->run_after_ms,
                       (struct timer) { .kind = TIMER_RUN_AFTER, .number = run->run_no });
    past_ask(core, run);
    if (core->deciding)
        runs_start(core, dag);
}

void run_unqueue(struct core *core, const struct run *run)
{
    if (run->state == RUN_QUEUED && backfill_by_no(core, run->backfill_no) == NULL)
        core->dags.items[run->dag].queued_count--;
}

/* Against its backfill's limit, or the DAG's. */
static void count_active(struct core *core, const struct run *run, int by)
{
    if (!backfill_count(core, run, by))
        core->dags.items[run->dag].active += (uint32_t)by;
}

void run_timeout_set(struct core *core, const struct run *run)
{
    int64_t timeout_ms = run_dag(core, run)->run_timeout_ms;
    if (timeout_ms > 0)
        timer_set(core, ms_of_wall(core, run->started_ms + timeout_ms),
                  (struct timer) { .kind = TIMER_RUN_TIMEOUT,
                                   .number = run->run_no,
                                   .index = (uint32_t)run->started_ms });
}

void run_start(struct core *core, struct run *run)
{
    run->state = RUN_RUNNING;
    run->started_ms = core->wall_ms;
    run->ended_ms = 0;
    run->forced = false;
    count_active(core, run, 1);
    if (run->tasks == NULL)
        run_tasks_new(core, run);
    write_run_state(core, run);
    run_timeout_set(core, run);
    run_evaluate_all(core, run);
    run_finish_if_done(core, run);
}

/* Queued runs in order of their time, as many as max_active_runs allows. */
void runs_start(struct core *core, struct dag_entry *dag)
{
    while (core->deciding && !dag->paused && dag->version != NONE) {
        const struct heap_entry *first = heap_peek(&dag->queued);
        if (first == NULL)
            return;
        struct run *run = run_get(core, (uint32_t)first->item);
        bool counts = run != NULL && (uint64_t)run->run_no == first->tie &&
                      run->state == RUN_QUEUED && run->run_after_ms == first->key;
        if (counts && !run->due)
            return;
        if (counts && dag->active >= core->versions.items[dag->version].dag->max_active_runs) {
            run = past_awaited(core, dag);
            if (run == NULL)
                return;
        } else {
            (void)heap_pop(&dag->queued);
        }
        if (!counts)
            continue;
        dag->queued_count--;
        run_start(core, run);
    }
}

void run_evaluate_all(struct core *core, struct run *run)
{
    uint32_t count = run_dag(core, run)->task_count;
    for (uint32_t t = 0; t < count; t++)
        task_evaluate(core, run, t);
}

/* ---- ended ----------------------------------------------------------------------------------- */

static bool tasks_failed(const struct run *run, const struct dag *dag)
{
    for (uint32_t t = 0; t < dag->task_count; t++) {
        uint8_t state = run->tasks[t].self.state;
        if (dag->tasks[t].decides && (state == TASK_FAILED || state == TASK_UPSTREAM_FAILED))
            return true;
    }
    return false;
}

static void failures_count(struct core *core, struct dag_entry *dag, const struct run *run)
{
    uint32_t max = run_dag(core, run)->max_consecutive_failed_runs;
    dag->failed_in_row = run->state == RUN_FAILED ? dag->failed_in_row + 1 : 0;
    if (max > 0 && dag->failed_in_row >= max && !dag->paused)
        dag_pause(core, dag, true);
}

void run_finish_if_done(struct core *core, struct run *run)
{
    struct dag_entry *dag = &core->dags.items[run->dag];
    if (run->open_tasks > 0 || run->state != RUN_RUNNING)
        return;
    bool bad =
        run->forced ? run->forced_state == RUN_FAILED : tasks_failed(run, run_dag(core, run));
    run->state = bad ? RUN_FAILED : RUN_SUCCESS;
    if (!run->forced)
        run->cause = bad ? CAUSE_TASKS_FAILED : CAUSE_TASKS_DONE;
    run->ended_ms = core->wall_ms;
    count_active(core, run, -1);
    write_run_state(core, run);
    if (!bad)
        length_note(core, dag, run->ended_ms - run->queued_ms);
    past_drop(core, run);
    backfill_left(core, run);
    notify_run(core, run);
    trigger_run_ended(core, run);
    if (run->state == RUN_SUCCESS)
        wait_task_ended(core, run, STR_EMPTY);
    failures_count(core, dag, run);
    runs_start(core, dag);
    schedule_check(core, dag);
}

void run_reopen(struct core *core, struct run *run)
{
    if (run->state == RUN_QUEUED)
        return;
    if (run->state == RUN_RUNNING) {
        if (run->forced) { /* its teardowns were still at work: now it goes on after all */
            run->forced = false;
            run->cause = CAUSE_CLEARED;
            write_run_state(core, run);
        }
        run_evaluate_all(core, run);
        return;
    }
    run->loaded = false;
    run->forced = false;
    run->state = RUN_QUEUED;
    run->queued_ms = core->wall_ms;
    run->started_ms = run->ended_ms = 0;
    run->cause = CAUSE_CLEARED;
    if (run->run_after_ms > core->wall_ms)
        run->run_after_ms = core->wall_ms;
    write_run_state(core, run);
    run_queue(core, run);
}

static void stop_instance(struct core *core, struct ref ref, enum task_state live,
                          enum task_state idle, enum cause cause)
{
    struct instance *instance = instance_at(core, ref);
    if (task_state_is_final(instance->state))
        return;
    bool is_live = instance->state == TASK_QUEUED || instance->state == TASK_RUNNING;
    if (is_live || instance->state == TASK_DEFERRED)
        instance_kill(core, ref, is_live ? live : idle, cause);
    else
        instance_end(core, ref, idle, cause, STR_EMPTY);
}

void run_stop(struct core *core, struct run *run, enum task_state live, enum task_state idle,
              enum cause cause, bool teardowns_too)
{
    const struct dag *dag = run_dag(core, run);
    if (run->stopping)
        return;
    run->stopping = true;
    for (uint32_t t = 0; t < dag->task_count; t++) {
        bool stays =
            !teardowns_too && dag->tasks[t].teardown != NULL && !MUTANT(CORE_STOPS_TEARDOWNS);
        if (stays || task_state_is_final(run->tasks[t].self.state))
            continue;
        uint32_t expansion = run->tasks[t].expansion;
        if (expansion == NONE || run->expansions.items[expansion].length == 0) {
            stop_instance(core, (struct ref) { run->index, t, -1 }, live, idle, cause);
            continue;
        }
        for (uint32_t i = 0; i < run->expansions.items[expansion].length; i++)
            stop_instance(core, (struct ref) { run->index, t, (int32_t)i }, live, idle, cause);
    }
    run->stopping = false;
}

/* Ends the run with this state, whatever its tasks say. As in Airflow a run that a user ends has
 * its teardowns run before; until then its cause tells a new leader how it is to end (run_forced).
 * One that took too long has not. */
void run_force(struct core *core, struct run *run, enum run_state state, enum cause cause)
{
    if (run->tasks == NULL)
        run_tasks_new(core, run);
    run_unqueue(core, run);
    if (run->state != RUN_RUNNING)
        count_active(core, run, 1);
    if (run->started_ms == 0)
        run->started_ms = core->wall_ms;
    run->state = RUN_RUNNING;
    run->forced = true;
    run->forced_state = state;
    run->cause = cause;
    if (state == RUN_SUCCESS)
        run_stop(core, run, TASK_SUCCESS, TASK_SUCCESS, CAUSE_MARKED, false);
    else if (cause == CAUSE_RUN_TIMED_OUT)
        run_stop(core, run, TASK_SKIPPED, TASK_SKIPPED, cause, true);
    else
        run_stop(core, run, TASK_FAILED, TASK_SKIPPED, CAUSE_RUN_STOPPED, false);
    run_finish_if_done(core, run);
    if (run->state != RUN_RUNNING)
        return;
    if (state == RUN_FAILED)
        run->cause = CAUSE_RUN_STOPPED;
    write_run_state(core, run);
}

void run_forced(struct run *run)
{
    run->forced = run->state == RUN_RUNNING &&
                  (run->cause == CAUSE_MARKED || run->cause == CAUSE_RUN_STOPPED);
    run->forced_state = run->cause == CAUSE_MARKED ? RUN_SUCCESS : RUN_FAILED;
}

/* `started` tells which of its starts the timer was for. */
void run_timed_out(struct core *core, struct run *run, uint32_t started)
{
    if (run->state != RUN_RUNNING || (uint32_t)run->started_ms != started)
        return;
    run_force(core, run, RUN_FAILED, CAUSE_RUN_TIMED_OUT);
}

/* ---- forgotten ------------------------------------------------------------------------------- */

void run_free_if_done(struct core *core, uint32_t index, uint64_t committed)
{
    struct run *run = run_get(core, index);
    if (run != NULL && run_state_is_final(run->state) && run->dying == 0 && run->pins == 0 &&
        run->last_batch <= committed)
        run_free(core, run);
}

void run_forget_if_unchanged(struct core *core, struct run *run)
{
    if (run != NULL && run->loaded && run_state_is_final(run->state) && run->last_batch == 0 &&
        run->dying == 0 && run->pins == 0)
        run_free(core, run);
}

void run_free(struct core *core, struct run *run)
{
    struct dag_entry *dag = &core->dags.items[run->dag];
    ASSERT(run->live == 0 && run->dying == 0);
    past_gone(core, run);
    if (run->gate != NONE)
        gate_free(core, run->gate);
    uint32_t count = run->task_gates != NULL ? run_dag(core, run)->task_count : 0;
    for (uint32_t i = 0; i < count; i++)
        if (run->task_gates[i] != NONE)
            gate_free(core, run->task_gates[i]);
    bool known = map_remove(&core->run_by_no, (uint64_t)run->run_no);
    known &= map_remove_str(&dag->run_ids, run->run_id);
    ASSERT(known);
    run_unlink(core, dag, run);
    dag->live--;
    dag->forgotten++;
    core->runs_live--;
    core->runs.items[run->index] = NULL;
    VEC_ADD(&core->runs_free, run->index);
    uint32_t version = run->version;
    map_clear(&run->output_index);
    VEC_CLEAR(&run->outputs);
    demand_forget(core, run);
    VEC_CLEAR(&run->expansions);
    arena_clear(&run->arena);
    free(run);
    version_release(core, version);
}
