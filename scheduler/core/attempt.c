// SPDX-License-Identifier: Apache-2.0
/* attempt - one try of an instance, from its placing to its end: results, losses, proofs that it
 * never started. */
#include "common/model/retry.h"
#include "common/text/duration.h"
#include "scheduler/core/core_calls.h"

/* ---- the table ------------------------------------------------------------------------------- */

struct id128 id_make(struct core *core)
{
    uint64_t high = rand_next(&core->rand);
    return id_v7(core->wall_ms, high, rand_next(&core->rand));
}

static uint64_t id_key(struct id128 id)
{
    return id.low ^ (id.high << 1 | id.high >> 63);
}

uint32_t attempt_find(const struct core *core, struct id128 id)
{
    uint64_t index = 0;
    if (!map_get(&core->attempt_by_id, id_key(id), &index))
        return NONE;
    return id_eq(core->attempts.items[index].id, id) ? (uint32_t)index : NONE;
}

static void worker_link(struct core *core, uint32_t index)
{
    struct attempt *attempt = &core->attempts.items[index];
    struct worker *worker = &core->workers.items[attempt->worker];
    attempt->previous = NONE;
    attempt->next = worker->first_attempt;
    if (attempt->next != NONE)
        core->attempts.items[attempt->next].previous = index;
    worker->first_attempt = index;
    worker->attempt_count++;
}

static void worker_unlink(struct core *core, uint32_t index)
{
    struct attempt *attempt = &core->attempts.items[index];
    struct worker *worker = &core->workers.items[attempt->worker];
    if (attempt->previous != NONE)
        core->attempts.items[attempt->previous].next = attempt->next;
    else
        worker->first_attempt = attempt->next;
    if (attempt->next != NONE)
        core->attempts.items[attempt->next].previous = attempt->previous;
    worker->attempt_count--;
}

uint32_t attempt_new(struct core *core, struct ref ref, uint32_t worker, struct id128 id)
{
    uint32_t index = core->attempts.count;
    if (core->attempts_free.count > 0)
        index = core->attempts_free.items[--core->attempts_free.count];
    else
        VEC_ADD(&core->attempts, (struct attempt) { 0 });
    ASSERT(!map_get(&core->attempt_by_id, id_key(id), NULL));
    core->attempts.items[index] = (struct attempt) {
        .id = id,
        .used = true,
        .ref = ref,
        .worker = worker,
        .queue = NONE,
        .pool = NONE,
        .estimate_ms = core->now_ms,
        .placed_wall_ms = core->wall_ms,
        .wait = NONE,
    };
    map_put(&core->attempt_by_id, id_key(id), index);
    if (worker != NONE) {
        worker_link(core, index);
        core->active++;
        timer_set(
            core, core->now_ms + core->limits.lease_ms + core->limits.lease_grace_ms,
            (struct timer) { .kind = TIMER_LEASE, .index = index, .number = (int64_t)id.low });
    } else {
        pool_take_deferred(core, &core->attempts.items[index]);
    }
    return index;
}

void attempt_spec_drop(struct core *core, struct attempt *attempt)
{
    (void)core;
    arena_clear(&attempt->arena);
    attempt->spec = NULL;
}

void attempt_free(struct core *core, uint32_t index)
{
    struct attempt *attempt = &core->attempts.items[index];
    ASSERT(attempt->used);
    uint32_t worker = attempt->worker;
    if (attempt->wait != NONE)
        wait_free(core, attempt->wait);
    if (worker != NONE) {
        worker_unlink(core, index);
        core->active--;
    }
    attempt_spec_drop(core, attempt);
    bool known = map_remove(&core->attempt_by_id, id_key(attempt->id));
    ASSERT(known);
    attempt->used = false;
    VEC_ADD(&core->attempts_free, index);
    if (worker != NONE)
        worker_check_drained(core, worker);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* Frees the attempt and writes its end; the instance is in `state` from now on. */
static struct record *attempt_close(struct core *core, uint32_t index, enum task_state state,
                                    enum cause cause)
{
    struct attempt *attempt = &core->attempts.items[index];
    struct ref ref = attempt->ref;
    struct instance *instance = instance_at(core, ref);
    struct run *run = run_get(core, ref.run);
    ASSERT(instance->attempt == index && !attempt->dying);
    instance_set(core, ref, state, cause);
    struct record *record = write_try(core, WRITE_TRY_ENDED, ref, state, cause);
    record->try.attempt = attempt->id;
    record->try.worker_no =
        attempt->worker != NONE ? core->workers.items[attempt->worker].worker_no : 0;
    record->try.credit = attempt->credit;
    record->try.queued_ms = attempt->placed_wall_ms;
    record->try.started_ms = attempt->started_wall_ms;
    record->try.ended_ms = core->wall_ms;
    if (attempt->worker != NONE)
        run->live--;
    instance->attempt = NONE;
    if (!MUTANT(CORE_POOL_LEAK) || task_state_is_final(state))
        attempt_release_limits(core, attempt);
    attempt_free(core, index);
    core->stats.ended++;
    return record;
}

/* The author's wait, or what the other side asked for if that is longer. */
static int64_t retry_wait_ms(struct core *core, const struct task *task, uint32_t tries,
                             const struct result *result)
{
    int64_t own_ms = retry_delay_ms(task, tries, rand_real(&core->rand));
    int64_t asked_ms = retry_asked_ms(task, result);
    return own_ms > asked_ms ? own_ms : asked_ms;
}

void attempt_failed(struct core *core, uint32_t index, const struct result *result,
                    enum cause cause)
{
    struct attempt *attempt = &core->attempts.items[index];
    struct ref ref = attempt->ref;
    struct instance *instance = instance_at(core, ref);
    const struct task *task = task_at(core, ref);
    uint32_t tries = (uint32_t)(instance->try_no - instance->try_base);
    bool again = tries <= task->retries && retry_is_wanted(task, result);
    int64_t delay_ms = again ? retry_wait_ms(core, task, tries, result) : 0;
    struct record *record =
        attempt_close(core, index, again ? TASK_UP_FOR_RETRY : TASK_FAILED, cause);
    record->try.exit_code = result->exit_code;
    record->try.error = str_clean(batch_arena(core), result->error);
    record->try.cpu_ms = result->cpu_ms;
    record->try.memory_peak_bytes = result->memory_peak_bytes;
    record->try.retry_ms = again ? core->wall_ms + delay_ms : 0;
    note_instance(core, ref, cause);
    notify_instance(core, ref, cause, result->error);
    if (!again) {
        instance_settled(core, ref);
        return;
    }
    core->stats.retried++;
    timer_set(core, core->now_ms + delay_ms,
              (struct timer) { .kind = TIMER_RETRY,
                               .ref = ref,
                               .index = instance->row_no,
                               .number = run_get(core, ref.run)->run_no });
}

/* Ours, not the author's: it is placed again, a few times, without using up `retries`. */
static void lost(struct core *core, uint32_t index, enum cause cause, struct str error)
{
    struct ref ref = core->attempts.items[index].ref;
    struct instance *instance = instance_at(core, ref);
    bool again = instance->infra_tries < core->limits.infra_retries_max;
    core->stats.lost++;
    struct record *record = attempt_close(core, index, again ? TASK_SCHEDULED : TASK_FAILED, cause);
    if (instance->infra_tries <
        UINT8_MAX) /* after its row, which keeps the count it began with: see recovery */
        instance->infra_tries++;
    record->try.error = str_clean(batch_arena(core), error);
    note_instance(core, ref, cause);
    notify_instance(core, ref, cause, error);
    if (again) {
        if (!MUTANT(CORE_LOSS_COSTS_RETRY))
            instance->try_no--; /* the next placing counts it anew */
        ready_add(core, ref);
    } else {
        instance_settled(core, ref);
    }
}

static void succeeded(struct core *core, uint32_t index, const struct result *result,
                      enum task_state state, enum cause cause)
{
    struct ref ref = core->attempts.items[index].ref;
    struct record *record = attempt_close(core, index, state, cause);
    record->try.exit_code = result->exit_code;
    record->try.cpu_ms = result->cpu_ms;
    record->try.memory_peak_bytes = result->memory_peak_bytes;
    record->try.error = str_clean(batch_arena(core), result->error);
    note_instance(core, ref, cause);
    if (result->output.size > 0 && state == TASK_SUCCESS)
        output_keep(core, run_get(core, ref.run), ref.task, ref.map, result->output, true);
    notify_instance(core, ref, cause, result->error);
    instance_settled(core, ref);
}

void attempt_result(struct core *core, uint32_t index, const struct result *result)
{
    struct attempt *attempt = &core->attempts.items[index];
    if (attempt->dying) {
        attempt_died(core, index);
        return;
    }
    if (result->started_unix_ms > 0 && attempt->started_wall_ms == 0)
        attempt->started_wall_ms = result->started_unix_ms;
    if (!attempt->started && result->started_unix_ms > 0)
        notify_started(core, index); /* it has ended before anybody said that it began */
    switch (result->outcome) {
    case OUTCOME_SUCCESS:
        succeeded(core, index, result, TASK_SUCCESS, CAUSE_EXIT_OK);
        break;
    case OUTCOME_SKIPPED:
        succeeded(core, index, result, TASK_SKIPPED, CAUSE_EXIT_SKIPPED);
        break;
    case OUTCOME_FAILED:
        attempt_failed(core, index, result, CAUSE_EXIT_FAILED);
        break;
    case OUTCOME_TIMED_OUT:
        attempt_failed(core, index, result, CAUSE_TIMED_OUT);
        break;
    case OUTCOME_OOM:
        attempt_failed(core, index, result, CAUSE_OUT_OF_MEMORY);
        break;
    case OUTCOME_OUTPUT_TOO_LARGE:
        attempt_failed(core, index, result, CAUSE_OUTPUT_TOO_LARGE);
        break;
    case OUTCOME_LEASE_OVER:
        lost(core, index, CAUSE_LEASE_OVER, result->error);
        break;
    case OUTCOME_NOT_STARTED:
        if (result->hard)
            attempt_failed(core, index, result, CAUSE_SPAWN_FAILED);
        else
            lost(core, index, CAUSE_SPAWN_FAILED, result->error);
        break;
    default:
        lost(core, index, CAUSE_LOST, result->error);
        break; /* lost, or killed and not by us */
    }
}

/* Nothing can have started: it costs nothing. */
void attempt_take_back(struct core *core, uint32_t index)
{
    struct ref ref = core->attempts.items[index].ref;
    struct instance *instance = instance_at(core, ref);
    core->stats.taken_back++;
    (void)attempt_close(core, index, TASK_SCHEDULED, CAUSE_NEVER_STARTED);
    note_instance(core, ref, CAUSE_NEVER_STARTED);
    instance->try_no--;
    ready_add(core, ref);
}

static int64_t lost_at_ms(const struct core *core, const struct attempt *attempt)
{
    int64_t lease_ms = MUTANT(CORE_LOST_EARLY) ? core->limits.lease_ms / 2 : core->limits.lease_ms;
    int64_t at_ms = attempt->estimate_ms + lease_ms + core->limits.lease_grace_ms;
    int64_t amnesty_ms = core->led_ms + core->limits.amnesty_ms;
    if (MUTANT(CORE_NO_AMNESTY))
        return at_ms;
    return at_ms > amnesty_ms ? at_ms : amnesty_ms;
}

void attempt_lease_over(struct core *core, uint32_t index)
{
    struct attempt *attempt = &core->attempts.items[index];
    int64_t at_ms = lost_at_ms(core, attempt);
    if (at_ms > core->now_ms) { /* renewed since */
        timer_set(core, at_ms,
                  (struct timer) {
                      .kind = TIMER_LEASE, .index = index, .number = (int64_t)attempt->id.low });
        return;
    }
    if (attempt->dying)
        attempt_died(core, index);
    else
        lost(core, index, CAUSE_LOST, STR("no news from its worker until its lease was over"));
}

void attempt_started(struct core *core, uint32_t index, int64_t started_unix_ms)
{
    struct attempt *attempt = &core->attempts.items[index];
    attempt_spec_drop(core, attempt);
    if (attempt->started || attempt->dying || attempt->granted_ms == 0)
        return;
    attempt->started = true;
    attempt->started_wall_ms = started_unix_ms > 0 ? started_unix_ms : core->wall_ms;
    if (instance_at(core, attempt->ref)->state == TASK_QUEUED)
        instance_set(core, attempt->ref, TASK_RUNNING, CAUSE_STARTED);
    const struct run *run = run_get(core, attempt->ref.run);
    VEC_ADD(&core->notes, (struct core_note) { .run_no = run->run_no,
                                               .dag_no = core->dags.items[run->dag].dag_no,
                                               .task = (int32_t)attempt->ref.task,
                                               .map_index = attempt->ref.map,
                                               .try_no = instance_at(core, attempt->ref)->try_no,
                                               .state = TASK_RUNNING,
                                               .cause = CAUSE_STARTED,
                                               .at_ms = attempt->started_wall_ms });
    notify_started(core, index);
    timer_set(core, core->now_ms + core->limits.running_write_ms,
              (struct timer) {
                  .kind = TIMER_RUNNING, .index = index, .number = (int64_t)attempt->id.low });
}

void attempt_write_running(struct core *core, uint32_t index)
{
    struct attempt *attempt = &core->attempts.items[index];
    if (attempt->written || attempt->dying)
        return;
    attempt->written = true;
    struct record *record =
        write_try(core, WRITE_TRY_STARTED, attempt->ref, TASK_RUNNING, CAUSE_STARTED);
    record->try.attempt = attempt->id;
    record->try.queued_ms = attempt->placed_wall_ms;
    record->try.started_ms = attempt->started_wall_ms;
    note_row(core, attempt->ref,
             CAUSE_STARTED); /* whoever read since its start has read "queued" */
}

/* ---- killed ones ----------------------------------------------------------------------------- */

/* The row has had its state since the kill; now it gets the time of its end, and whoever waited for
 * it may go on. */
void attempt_died(struct core *core, uint32_t index)
{
    struct attempt *attempt = &core->attempts.items[index];
    struct ref ref = attempt->ref;
    struct run *run = run_get(core, ref.run);
    struct instance *instance = instance_at(core, ref);
    ASSERT(attempt->dying && instance->attempt == index);
    struct record *record =
        write_try(core, WRITE_TRY_ENDED, ref, attempt->died_state, attempt->kill_cause);
    record->try.row_no = attempt->row_no;
    record->try.attempt = attempt->id;
    record->try.started_ms = attempt->started_wall_ms;
    record->try.ended_ms = core->wall_ms;
    note_row(core, ref, attempt->kill_cause);
    run->dying--;
    instance->attempt = NONE;
    attempt_release_limits(core, attempt);
    attempt_free(core, index);
    if (instance->state == TASK_SCHEDULED)
        ready_add(core, ref);
}

/* A deferred one has what it waited for, or will not get it. */
void deferred_end(struct core *core, uint32_t index, enum task_state state, enum cause cause,
                  struct str error)
{
    struct ref ref = core->attempts.items[index].ref;
    struct record *record = attempt_close(core, index, state, cause);
    record->try.error = str_clean(batch_arena(core), error);
    note_instance(core, ref, cause);
    notify_instance(core, ref, cause, error);
    instance_settled(core, ref);
}

/* A try without a worker: placed where it is, and on record as one that waits. */
uint32_t deferred_begin(struct core *core, struct ref ref)
{
    struct instance *instance = instance_at(core, ref);
    if (instance->state == TASK_NONE)
        instance_set(core, ref, TASK_SCHEDULED, CAUSE_UPSTREAMS_DONE);
    uint32_t index = attempt_new(core, ref, NONE, id_make(core));
    instance->attempt = index;
    instance->row_no++;
    instance_set(core, ref, TASK_DEFERRED, CAUSE_WAITS_OUTSIDE);
    struct record *record =
        write_try(core, WRITE_TRY_PLACED, ref, TASK_DEFERRED, CAUSE_WAITS_OUTSIDE);
    record->try.attempt = core->attempts.items[index].id;
    note_instance(core, ref, CAUSE_WAITS_OUTSIDE);
    return index;
}

/* What waits without a worker is a try as any other, and nobody but us can end it. A wait of just
 * that length is not too long. */
void deferred_limit(struct core *core, uint32_t index)
{
    const struct attempt *attempt = &core->attempts.items[index];
    int64_t limit_ms = task_at(core, attempt->ref)->execution_timeout_ms;
    if (limit_ms > 0 && !MUTANT(CORE_WAIT_NO_LIMIT))
        timer_set(core, ms_of_wall(core, attempt->placed_wall_ms + limit_ms + 1),
                  (struct timer) {
                      .kind = TIMER_DEFERRED, .index = index, .number = (int64_t)attempt->id.low });
}

void deferred_timed_out(struct core *core, uint32_t index)
{
    const struct task *task = task_at(core, core->attempts.items[index].ref);
    struct str limit = duration_text(&core->step, task->execution_timeout_ms);
    struct result result = {
        .outcome = OUTCOME_TIMED_OUT,
        .output = STR_EMPTY,
        .error = str_format(&core->step,
                            "TimeoutError: it waited longer than its execution_timeout of %.*s",
                            STR_ARG(limit)),
    };
    if (value_boolean(value_get(task->operator_args, "soft_fail"), false))
        deferred_end(core, index, TASK_SKIPPED, CAUSE_WAITED_TOO_LONG, result.error);
    else
        attempt_failed(core, index, &result, CAUSE_TIMED_OUT);
}
