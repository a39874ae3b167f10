// SPDX-License-Identifier: Apache-2.0
/* batch - what one transaction writes, and what may be said once it is committed. */
#include "common/base/buf.h"
#include "scheduler/core/core_calls.h"

bool batch_is_full(const struct core *core)
{
    return core->open->writes.count >= core->limits.batch_writes_max;
}

struct arena *batch_arena(struct core *core)
{
    return &core->open->arena;
}

static struct record *add(struct core *core, enum record_type type)
{
    VEC_ADD(&core->open->writes, (struct record) { .type = type });
    return &VEC_LAST(&core->open->writes);
}

/* Remembers that the open batch speaks of this run, so that it is not freed before. */
static void touch(struct core *core, struct run *run)
{
    run->last_batch = core->open->batch_no;
    if (run_state_is_final(run->state))
        VEC_ADD(&core->open->ended_runs, run->index);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static struct run_row run_row(struct core *core, const struct run *run)
{
    struct arena *arena = batch_arena(core);
    return (struct run_row) {
        .run_no = run->run_no,
        .dag_no = core->dags.items[run->dag].dag_no,
        .version_no = core->versions.items[run->version].version_no,
        .run_id = str_copy(arena, run->run_id),
        .type = run->type,
        .state = run->state,
        .has_logical = run->has_logical,
        .logical_ms = run->logical_ms,
        .interval_start_ms = run->interval_start_ms,
        .interval_end_ms = run->interval_end_ms,
        .run_after_ms = run->run_after_ms,
        .queued_ms = run->queued_ms,
        .started_ms = run->started_ms,
        .ended_ms = run->ended_ms,
        .conf = str_copy(arena, run->conf_json),
        .triggered_by = str_copy(arena, run->triggered_by),
        .note = str_copy(arena, run->note),
        .cause = run->cause,
    };
}

static void count_tasks(const struct run *run, const struct dag *dag, struct run_row *row)
{
    for (uint32_t t = 0; run->tasks != NULL && t < dag->task_count; t++) {
        const struct task_slot *slot = &run->tasks[t];
        const struct expansion *mapped =
            slot->expansion != NONE ? &run->expansions.items[slot->expansion] : NULL;
        if (mapped != NULL && mapped->length == 0)
            mapped = NULL;
        uint32_t count = mapped != NULL ? mapped->length : 1;
        for (uint32_t i = 0; i < count; i++) {
            uint8_t state = mapped != NULL ? mapped->items[i].state : slot->self.state;
            row->succeeded += state == TASK_SUCCESS;
            row->failed += state == TASK_FAILED || state == TASK_UPSTREAM_FAILED;
            row->skipped += state == TASK_SKIPPED;
        }
    }
}

void write_run_create(struct core *core, const struct run *run)
{
    add(core, WRITE_RUN_CREATE)->run = run_row(core, run);
    note_run(core, run);
}

void write_run_state(struct core *core, struct run *run)
{
    struct record *record = add(core, WRITE_RUN_STATE);
    record->run = run_row(core, run);
    if (run_state_is_final(run->state))
        count_tasks(run, run_dag(core, run), &record->run);
    touch(core, run);
    note_run(core, run);
}

void write_run_delete(struct core *core, const struct run *run)
{
    struct record *record = add(core, WRITE_RUN_DELETE);
    record->run_delete.run_no = run->run_no;
    record->run_delete.dag_no = core->dags.items[run->dag].dag_no;
    record->run_delete.run_id = str_copy(batch_arena(core), run->run_id);
    map_put(&core->deleted, (uint64_t)run->run_no, core->open->batch_no);
    VEC_ADD(&core->open->deleted_runs, run->run_no);
}

void write_dag_state(struct core *core, const struct dag_entry *dag)
{
    struct record *record = add(core, WRITE_DAG_STATE);
    record->dag.dag_no = dag->dag_no;
    record->dag.paused = dag->paused;
    record->dag.has_last = dag->has_last;
    record->dag.last_fire_ms = dag->last_fire_ms;
    record->dag.next_fire_ms = dag->has_next ? dag->next.fire_ms : 0;
}

void write_request_done(struct core *core, int64_t request_no, int code, struct str answer)
{
    struct record *record = add(core, WRITE_REQUEST_DONE);
    record->request.request_no = request_no;
    record->request.code = code;
    record->request.answer = str_copy(batch_arena(core), answer);
}

void write_worker(struct core *core, const struct worker *worker, const char *reason)
{
    struct arena *arena = batch_arena(core);
    struct record *record = add(core, WRITE_WORKER);
    record->worker.worker_no = worker->worker_no;
    record->worker.worker = str_clean(arena, worker->identity);
    record->worker.name = str_clean(arena, worker->name);
    record->worker.host = str_clean(arena, worker->host);
    record->worker.version = str_clean(arena, worker->version);
    record->worker.queues = str_clean(arena, worker->queues);
    record->worker.incarnation = worker->incarnation;
    record->worker.state = worker->state;
    record->worker.slots = worker->slots;
    record->worker.seen_ms = core->wall_ms - (core->now_ms - worker->heard_ms);
    record->worker.reason = str_of(reason);
}

void write_worker_load(struct core *core, const struct worker *worker)
{
    struct record *record = add(core, WRITE_WORKER_LOAD);
    record->worker_load.worker_no = worker->worker_no;
    record->worker_load.load = worker->load;
}

void write_output(struct core *core, struct run *run, uint32_t task, int32_t map, struct str json)
{
    struct record *record = add(core, WRITE_OUTPUT);
    record->output.run_no = run->run_no;
    record->output.task = task;
    record->output.map_index = map;
    record->output.json = str_copy(batch_arena(core), json);
    touch(core, run);
}

void write_expansion(struct core *core, struct run *run, uint32_t task, uint32_t length,
                     struct str items)
{
    struct record *record = add(core, WRITE_EXPANSION);
    record->expansion.run_no = run->run_no;
    record->expansion.task = task;
    record->expansion.length = length;
    record->expansion.items = str_copy(batch_arena(core), items);
    touch(core, run);
}

struct record *write_try(struct core *core, enum record_type type, struct ref ref,
                         enum task_state state, enum cause cause)
{
    struct run *run = run_get(core, ref.run);
    const struct instance *instance = instance_at(core, ref);
    const struct task *task = task_at(core, ref);
    struct record *record = add(core, type);
    record->try = (struct try_row) {
        .run_no = run->run_no,
        .dag_no = core->dags.items[run->dag].dag_no,
        .task = ref.task,
        .map_index = ref.map,
        .try_no = instance->try_no,
        .infra_tries = instance->infra_tries,
        .row_no = instance->row_no,
        .state = state,
        .cause = cause,
        .pool = str_copy(batch_arena(core), task->pool),
        .queue = str_copy(batch_arena(core), task->queue),
        .priority = task->weight,
        .queued_ms = core->wall_ms,
        .error = STR_EMPTY,
        .map_label =
            type == WRITE_TRY_PLACED ? instance_label(core, ref, batch_arena(core)) : STR_EMPTY,
    };
    touch(core, run);
    return record;
}

/* ---- notes and messages ---------------------------------------------------------------------- */

void note_instance(struct core *core, struct ref ref, enum cause cause)
{
    const struct run *run = run_get(core, ref.run);
    const struct instance *instance = instance_at(core, ref);
    VEC_ADD(&core->open->notes, (struct core_note) { .run_no = run->run_no,
                                                     .dag_no = core->dags.items[run->dag].dag_no,
                                                     .task = (int32_t)ref.task,
                                                     .map_index = ref.map,
                                                     .try_no = instance->try_no,
                                                     .state = instance->state,
                                                     .cause = cause,
                                                     .at_ms = core->wall_ms });
}

void note_row(struct core *core, struct ref ref, enum cause cause)
{
    if (MUTANT(CORE_NOTE_ONCE))
        return;
    note_instance(core, ref, cause);
    VEC_LAST(&core->open->notes).is_known = true;
}

void note_run(struct core *core, const struct run *run)
{
    VEC_ADD(&core->open->notes, (struct core_note) { .run_no = run->run_no,
                                                     .dag_no = core->dags.items[run->dag].dag_no,
                                                     .task = -1,
                                                     .map_index = -1,
                                                     .state = (uint8_t)run->state,
                                                     .cause = run->cause,
                                                     .at_ms = core->wall_ms });
}

void hold_send(struct core *core, struct core_send send)
{
    send.epoch = core->epoch;
    VEC_ADD(&core->open->sends, send);
}

void send_now(struct core *core, struct core_send send)
{
    send.epoch = core->epoch;
    VEC_ADD(&core->sends, send);
}

static void send_acks(struct core *core, uint32_t worker, const struct id128 *attempts,
                      uint32_t count)
{
    send_now(core,
             (struct core_send) {
                 .type = SEND_ACK,
                 .worker = core->workers.items[worker].identity,
                 .ack = { arena_copy(&core->step, attempts, count * sizeof *attempts), count } });
}

void hold_ack(struct core *core, uint32_t worker, struct id128 attempt)
{
    if (MUTANT(CORE_ACK_EARLY)) {
        send_acks(core, worker, &attempt, 1);
        return;
    }
    VEC_ADD(&core->open->acks, (struct batch_ack) { worker, attempt });
}

void grant_send(struct core *core, uint32_t index)
{
    struct attempt *attempt = &core->attempts.items[index];
    const struct worker *worker = &core->workers.items[attempt->worker];
    const struct run *run = run_get(core, attempt->ref.run);
    const struct instance *instance = instance_at(core, attempt->ref);
    attempt->granted_ms = core->now_ms;
    send_now(core, (struct core_send) { .type = SEND_GRANT,
                                        .worker = worker->identity,
                                        .grant = { .attempt = attempt->id,
                                                   .credit = attempt->credit,
                                                   .stamp_ms = attempt->stamp_ms,
                                                   .credit_ttl_ms = core->limits.credit_ttl_ms,
                                                   .lease_ms = core->limits.lease_ms,
                                                   .dag_id = run_dag(core, run)->id,
                                                   .run_id = run->run_id,
                                                   .task_id = task_at(core, attempt->ref)->id,
                                                   .map_index = attempt->ref.map,
                                                   .try_no = instance->try_no,
                                                   .fence = instance->row_no,
                                                   .spec = attempt->spec } });
}

void hold_grant(struct core *core, uint32_t attempt)
{
    if (MUTANT(CORE_GRANT_EARLY)) {
        grant_send(core, attempt);
        return;
    }
    VEC_ADD(&core->open->grants, attempt);
    VEC_ADD(&core->open->grant_ids, core->attempts.items[attempt].id);
}

/* ---- its life -------------------------------------------------------------------------------- */

static void batch_reset(struct batch *batch)
{
    VEC_RESET(&batch->writes);
    VEC_RESET(&batch->sends);
    VEC_RESET(&batch->acks);
    VEC_RESET(&batch->grants);
    VEC_RESET(&batch->grant_ids);
    VEC_RESET(&batch->notes);
    VEC_RESET(&batch->ended_runs);
    VEC_RESET(&batch->deleted_runs);
    VEC_RESET(&batch->notifications);
    arena_reset(&batch->arena);
}

/* Acknowledgements to one worker go out together, in the order in which workers come up first. */
static void release_acks(struct core *core, struct batch *batch)
{
    struct id128 *ids = ARENA_ARRAY(&core->step, struct id128, batch->acks.count);
    for (uint32_t i = 0; i < batch->acks.count; i++) {
        uint32_t worker = batch->acks.items[i].worker, count = 0;
        if (worker == NONE)
            continue;
        for (uint32_t k = i; k < batch->acks.count; k++) {
            if (batch->acks.items[k].worker != worker)
                continue;
            ids[count++] = batch->acks.items[k].attempt;
            batch->acks.items[k].worker = NONE;
        }
        send_acks(core, worker, ids, count);
    }
}

static void release_grants(struct core *core, struct batch *batch)
{
    for (uint32_t i = 0; i < batch->grants.count; i++) {
        const struct attempt *attempt = &core->attempts.items[batch->grants.items[i]];
        if (attempt->used && id_eq(attempt->id, batch->grant_ids.items[i]) && !attempt->dying &&
            attempt->spec != NULL)
            grant_send(core, batch->grants.items[i]);
    }
}

/* The batch's own arena is used again before the shell reads what is sent now. */
static void release_send(struct core *core, struct core_send send)
{
    if (send.type == SEND_SCALE) {
        send.scale.stop_worker = str_copy(&core->step, send.scale.stop_worker);
        send.scale.reason = str_copy(&core->step, send.scale.reason);
    }
    if (send.type == SEND_ERRANDS) {
        struct errand *items =
            arena_copy(&core->step, send.errands.items, send.errands.count * sizeof *items);
        for (uint32_t i = 0; i < send.errands.count; i++)
            items[i].payload = str_copy(&core->step, items[i].payload);
        send.errands.items = items;
    }
    VEC_ADD(&core->sends, send);
}

static void release(struct core *core, struct batch *batch)
{
    release_grants(core, batch);
    release_acks(core, batch);
    VEC_EACH (&batch->sends, i)
        release_send(core, batch->sends.items[i]);
    VEC_RESET(&batch->sends);
    VEC_RESET(&batch->acks);
}

void batch_committed(struct core *core, uint64_t batch_no)
{
    struct batch *batch = core->flight;
    ASSERT(batch != NULL && batch->batch_no == batch_no);
    core->flight = NULL;
    release(core, batch);
    VEC_EACH (&batch->notes, i)
        VEC_ADD(&core->notes, batch->notes.items[i]);
    VEC_EACH (&batch->ended_runs, i)
        run_free_if_done(core, batch->ended_runs.items[i], batch_no);
    VEC_EACH (&batch->deleted_runs, i)
        (void)map_remove(&core->deleted, (uint64_t)batch->deleted_runs.items[i]);
    core->deletions += batch->deleted_runs.count;
    VEC_EACH (&batch->notifications, i)
        notify_ready(core, batch->notifications.items[i]);
    barrier_check(core);
}

const struct core_batch *batch_begin(struct core *core)
{
    struct batch *batch = core->open;
    if (core->flight != NULL)
        return NULL;
    if (batch->writes.count ==
        0) { /* what is held waited for batches before, and they are committed */
        release(core, batch);
        return NULL;
    }
    core->flight = batch;
    core->open = batch == &core->batches[0] ? &core->batches[1] : &core->batches[0];
    batch_reset(core->open);
    core->open->batch_no = ++core->batch_no;
    batch->view = (struct core_batch) { batch->batch_no, core->epoch, batch->writes.items,
                                        batch->writes.count };
    return &batch->view;
}
