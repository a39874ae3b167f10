// SPDX-License-Identifier: Apache-2.0
/* recover - rows back into memory. What was never written (none, scheduled) follows from the rest;
 * a recovered core decides as the one before would have. */
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

/* ---- one run --------------------------------------------------------------------------------- */

static void expansions_recover(struct core *core, struct run *run, const struct recovered_run *row)
{
    for (uint32_t i = 0; i < row->expansion_count; i++) {
        const struct value *values = NULL;
        uint32_t task = row->expansions[i].task;
        if (task >= run_dag(core, run)->task_count ||
            json_parse(&run->arena, row->expansions[i].items, NULL, &values, NULL) < 0 ||
            values->type != VALUE_LIST)
            continue;
        (void)expansion_new(core, run, task, values);
        if (values->count == 0)
            run->tasks[task].self.flags &= (uint8_t)~INSTANCE_MAPPED;
    }
}

/* Rows of elements beyond the present list: they were there before a clear. */
static struct instance *instance_room(struct core *core, struct run *run, struct ref ref)
{
    const struct task_slot *slot = &run->tasks[ref.task];
    if (ref.map >= 0 && slot->expansion != NONE)
        expansion_reserve(run, &run->expansions.items[slot->expansion], (uint32_t)ref.map + 1);
    return instance_at(core, ref);
}

static void attempt_recover(struct core *core, struct run *run, struct ref ref,
                            const struct recovered_try *row, bool dying)
{
    struct instance *instance = instance_at(core, ref);
    bool deferred = row->state == TASK_DEFERRED;
    uint32_t worker = NONE;
    if (!deferred) {
        worker = worker_by_no(core, row->worker_no);
        if (worker == NONE) /* its row is gone; whoever it was may still run it */
            worker =
                worker_add(core, str_format(&core->step, "worker %lld", (long long)row->worker_no),
                           row->worker_no);
    }
    uint32_t index = attempt_new(core, ref, worker, row->attempt);
    struct attempt *attempt = &core->attempts.items[index];
    instance->attempt = index;
    attempt->credit = row->credit;
    attempt->placed_wall_ms = row->queued_wall_ms;
    attempt->started_wall_ms = row->started_wall_ms;
    attempt->granted_ms = core->now_ms;
    if (deferred) {
        deferred_limit(core, index);
        return;
    }
    if (MUTANT(CORE_NO_AMNESTY)) {
        attempt->estimate_ms = core->now_ms - core->limits.lease_ms - core->limits.lease_grace_ms;
        timer_set(core, core->now_ms,
                  (struct timer) {
                      .kind = TIMER_LEASE, .index = index, .number = (int64_t)row->attempt.low });
    }
    const struct lane *lane =
        &core->lanes.items[core->versions.items[run->version].lanes[ref.task]];
    attempt_take_limits(core, attempt, lane->queue, lane->pool, lane->slots);
    attempt->started = attempt->written = row->state == TASK_RUNNING && !row->cleared;
    if (!dying) {
        run->live++;
        return;
    }
    run->dying++;
    attempt->dying = true;
    bool has_state = task_state_is_final(row->state); /* else it was cleared while it ran */
    attempt->kill_cause = has_state ? row->cause : CAUSE_CLEARED;
    attempt->died_state = has_state ? row->state : TASK_FAILED;
    attempt->row_no = row->row_no;
}

static void try_recover(struct core *core, struct run *run, const struct recovered_try *row)
{
    struct ref ref = { run->index, row->task, row->map_index };
    struct instance *instance =
        row->task < run_dag(core, run)->task_count ? instance_room(core, run, ref) : NULL;
    if (instance == NULL || row->row_no < instance->row_no)
        return;
    bool placed = row->state == TASK_QUEUED || row->state == TASK_RUNNING;
    bool dying = !placed || row->cleared
                     ? row->ended_wall_ms == 0 && row->worker_no != 0 && !id_is_zero(row->attempt)
                     : false;
    instance->row_no = row->row_no;
    instance->try_no = row->try_no;
    instance->try_base = row->cleared ? row->try_no : row->try_base;
    instance->infra_tries = row->cleared ? 0 : (uint8_t)row->infra_tries;
    instance->cause = (uint8_t)row->cause;
    instance->state = row->cleared ? TASK_NONE : (uint8_t)row->state;
    if (instance->state == TASK_SCHEDULED) {
        instance->try_no--; /* taken back or lost: the same try once more */
        if (row->cause != CAUSE_NEVER_STARTED)
            instance->infra_tries++;
        demand_count(core, ref, 1);
    }
    if ((placed && !row->cleared) || dying || instance->state == TASK_DEFERRED)
        attempt_recover(core, run, ref, row, dying);
    if (row->output.size > 0 && instance->state == TASK_SUCCESS)
        output_keep(core, run, ref.task, ref.map, row->output, false);
    if (instance->state == TASK_UP_FOR_RETRY && !MUTANT(CORE_FORGET_RETRY_TIMER))
        timer_set(core, ms_of_wall(core, row->retry_wall_ms),
                  (struct timer) { .kind = TIMER_RETRY,
                                   .ref = ref,
                                   .index = instance->row_no,
                                   .number = run->run_no });
}

/* The whole of a mapped task from its instances. One that was cleared as a whole has its list made
 * anew. */
static void whole_recover(struct core *core, struct run *run, uint32_t task)
{
    struct task_slot *slot = &run->tasks[task];
    struct expansion *expansion = &run->expansions.items[slot->expansion];
    for (uint32_t i = 0; i < expansion->length; i++)
        if (task_state_is_final(expansion->items[i].state))
            expansion_count(expansion, expansion->items[i].state, 1);
    mapped_forget(core, run, task);
    slot->self.state = TASK_NONE;
    if (expansion->done == expansion->length)
        slot->self.state = (uint8_t)expansion_state(&run_dag(core, run)->tasks[task], expansion);
}

static void counters_recover(struct core *core, struct run *run)
{
    const struct dag *dag = run_dag(core, run);
    for (uint32_t t = 0; t < dag->task_count; t++) {
        struct task_slot *slot = &run->tasks[t];
        if (slot->expansion != NONE && run->expansions.items[slot->expansion].length > 0)
            whole_recover(core, run, t);
        run->open_tasks -= task_state_is_final(slot->self.state);
        share_renew(core, run, t);
    }
    for (uint32_t t = 0; t < dag->task_count; t++)
        if (dag->tasks[t].operator_kind == OPERATOR_BRANCH ||
            dag->tasks[t].operator_kind == OPERATOR_SHORT_CIRCUIT)
            flow_exclude(core, run, t);
}

static void fields_recover(struct core *core, struct run *run, const struct recovered_run *row)
{
    const struct value *conf = NULL;
    run->state = row->state;
    run->type = row->type;
    run->has_logical = row->has_logical;
    run->logical_ms = row->logical_ms;
    run->interval_start_ms = row->interval_start_ms;
    run->interval_end_ms = row->interval_end_ms;
    run->run_after_ms = row->run_after_ms;
    run->queued_ms = row->queued_wall_ms;
    run->started_ms = row->started_wall_ms;
    run->ended_ms = row->ended_wall_ms;
    run->cause = row->cause;
    run->backfill_no = run_state_is_final(row->state) ? 0 : backfill_of_run(core, row->run_no);
    run_forced(run);
    if (row->conf.size > 0 && json_parse(&run->arena, row->conf, NULL, &conf, NULL) == 0 &&
        conf->type == VALUE_MAP) {
        run->conf = conf;
        run->conf_json = str_copy(&run->arena, row->conf);
    }
    if (dag_params(run_dag(core, run), run->conf, &run->arena, &run->params, NULL) < 0)
        run->params = NULL; /* they fitted once; the expressions that read them will say so */
}

static void run_resume(struct core *core, struct run *run)
{
    const struct dag *dag = run_dag(core, run);
    for (uint32_t t = 0; t < dag->task_count; t++) {
        const struct task_slot *slot = &run->tasks[t];
        if (slot->expansion == NONE && slot->self.state == TASK_SCHEDULED)
            ready_add(core, (struct ref) { run->index, t, -1 });
        uint32_t length =
            slot->expansion != NONE ? run->expansions.items[slot->expansion].length : 0;
        for (uint32_t i = 0; i < length; i++)
            if (run->expansions.items[slot->expansion].items[i].state == TASK_SCHEDULED)
                ready_add(core, (struct ref) { run->index, t, (int32_t)i });
        trigger_check(core, run, t);
        wait_resume(core, run, t);
    }
    run_evaluate_all(core, run);
    run_finish_if_done(core, run);
}

void recover_run(struct core *core, const struct recovered_run *row)
{
    uint64_t version = 0;
    /* In memory already; or deleted, and the rows were read before that was committed. */
    if (run_by_no(core, row->run_no) != NULL ||
        map_get(&core->deleted, (uint64_t)row->run_no, NULL))
        return;
    if (!map_get(&core->version_by_no, (uint64_t)row->version_no, &version)) {
        core->stats.dropped_messages++;
        return;
    }
    struct run *run = run_new(core, (uint32_t)version, row->run_no, row->run_id);
    struct dag_entry *dag = &core->dags.items[run->dag];
    fields_recover(core, run, row);
    if (run->state != RUN_QUEUED || row->try_count > 0 || row->expansion_count > 0) {
        run_tasks_new(core, run);
        expansions_recover(core, run, row);
        for (uint32_t i = 0; i < row->try_count; i++)
            try_recover(core, run, &row->tries[i]);
        counters_recover(core, run);
    }
    run->loaded = run_state_is_final(run->state);
    if (run->state == RUN_QUEUED)
        run_queue(core, run);
    if (run->state != RUN_RUNNING)
        return;
    if (!backfill_count(core, run, 1))
        dag->active++;
    run_timeout_set(core, run);
    past_ask(core, run);
    notify_deadline_set(core, run);
    if (core->deciding)
        run_resume(core, run);
}

/* ---- the rest -------------------------------------------------------------------------------- */

void recover_worker(struct core *core, const struct core_event *event)
{
    uint32_t index = worker_by_no(core, event->worker.worker_no);
    if (index == NONE)
        index = worker_add(core, event->worker.worker, event->worker.worker_no);
    /* Whether a drained one is so still, its inventory will tell. */
    core->workers.items[index].state =
        event->worker.state == WORKER_DRAINED ? WORKER_DRAINING : event->worker.state;
    core->workers.items[index].written_ms = core->now_ms;
}

void recover_done(struct core *core)
{
    core->deciding = true;
    VEC_EACH (&core->workers, i)
        send_now(core, (struct core_send) { .type = SEND_SYNC,
                                            .worker = core->workers.items[i].identity });
    VEC_EACH (&core->runs, i)
        if (core->runs.items[i] != NULL)
            past_ask(core, core->runs.items[i]);
    VEC_EACH (&core->runs, i)
        if (core->runs.items[i] != NULL && core->runs.items[i]->state == RUN_RUNNING)
            run_resume(core, core->runs.items[i]);
    for (uint32_t i = 0; i < core->dags.count; i++) {
        runs_start(core, &core->dags.items[i]);
        backfills_check(core, &core->dags.items[i]);
        schedule_check(core, &core->dags.items[i]);
    }
    VEC_EACH (&core->notifications, i)
        if (core->notifications.items[i].used)
            notify_ready(core, i);
    if (core->barrier)
        timer_set(core, core->led_ms + core->limits.amnesty_ms,
                  (struct timer) { .kind = TIMER_AMNESTY });
    barrier_check(core);
}
