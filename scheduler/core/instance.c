// SPDX-License-Identifier: Apache-2.0
/* instance - one instance of a task: its state, its end, and what its end means for the whole and
 * for what is downstream. */
#include "common/base/buf.h"
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

enum { REF_RUN_BITS = 24, REF_TASK_BITS = 20, REF_MAP_BITS = 20 };

uint64_t ref_pack(struct ref ref)
{
    ASSERT(ref.run < 1u << REF_RUN_BITS && ref.task < 1u << REF_TASK_BITS &&
           ref.map + 1 < 1 << REF_MAP_BITS);
    return (uint64_t)ref.run << (REF_TASK_BITS + REF_MAP_BITS) |
           (uint64_t)ref.task << REF_MAP_BITS | (uint64_t)(ref.map + 1);
}

struct ref ref_unpack(uint64_t item)
{
    return (struct ref) {
        .run = (uint32_t)(item >> (REF_TASK_BITS + REF_MAP_BITS)),
        .task = (uint32_t)(item >> REF_MAP_BITS) & ((1u << REF_TASK_BITS) - 1),
        .map = (int32_t)(item & ((1u << REF_MAP_BITS) - 1)) - 1,
    };
}

/* NULL when the run has no such instance (any more). */
struct instance *instance_at(struct core *core, struct ref ref)
{
    struct run *run = run_get(core, ref.run);
    if (run == NULL || run->tasks == NULL || ref.task >= run_dag(core, run)->task_count)
        return NULL;
    struct task_slot *slot = &run->tasks[ref.task];
    if (ref.map < 0)
        return &slot->self;
    if (slot->expansion == NONE ||
        (uint32_t)ref.map >= run->expansions.items[slot->expansion].capacity)
        return NULL;
    return &run->expansions.items[slot->expansion].items[ref.map];
}

void instance_each(struct core *core, struct run *run, uint32_t task,
                   void (*act)(struct core *core, struct ref ref))
{
    uint32_t expansion = run->tasks[task].expansion;
    if (expansion == NONE) {
        act(core, (struct ref) { run->index, task, -1 });
        return;
    }
    for (uint32_t i = 0; i < run->expansions.items[expansion].length; i++)
        act(core, (struct ref) { run->index, task, (int32_t)i });
}

const struct task *task_at(const struct core *core, struct ref ref)
{
    return &run_dag(core, run_get(core, ref.run))->tasks[ref.task];
}

void instance_set(struct core *core, struct ref ref, enum task_state state, enum cause cause)
{
    struct instance *instance = instance_at(core, ref);
    ASSERT(transition_is_legal(instance->state, state, cause));
    bool waited = instance->state == TASK_SCHEDULED, waits = state == TASK_SCHEDULED;
    instance->state = (uint8_t)state;
    instance->cause = (uint8_t)cause;
    if (waited != waits)
        demand_count(core, ref, waits ? 1 : -1);
}

void instance_end(struct core *core, struct ref ref, enum task_state state, enum cause cause,
                  struct str error)
{
    struct instance *instance = instance_at(core, ref);
    ASSERT(task_state_is_final(state));
    instance->row_no++;
    instance_set(core, ref, state, cause);
    struct record *record = write_try(core, WRITE_TRY_PLACED, ref, state, cause);
    record->try.ended_ms = core->wall_ms;
    record->try.error = str_clean(batch_arena(core), error);
    note_instance(core, ref, cause);
    notify_instance(core, ref, cause, error);
    instance_settled(core, ref);
}

void instance_kill(struct core *core, struct ref ref, enum task_state state, enum cause cause)
{
    struct instance *instance = instance_at(core, ref);
    struct attempt *attempt = &core->attempts.items[instance->attempt];
    struct run *run = run_get(core, ref.run);
    ASSERT(instance->attempt != NONE && !attempt->dying);
    instance_set(core, ref, state, cause);
    struct record *record = write_try(core, WRITE_TRY_ENDED, ref, state, cause);
    record->try.attempt = attempt->id;
    record->try.started_ms = attempt->started_wall_ms;
    note_instance(core, ref, cause);
    if (attempt->worker == NONE) { /* deferred: nothing runs */
        record->try.ended_ms = core->wall_ms;
        attempt_release_limits(core, attempt);
        attempt_free(core, instance->attempt);
        instance->attempt = NONE;
    } else {
        attempt->dying = true;
        attempt->kill_cause = cause;
        attempt->died_state = state;
        attempt->row_no = instance->row_no;
        attempt_spec_drop(core, attempt);
        run->live--;
        run->dying++;
        hold_send(core,
                  (struct core_send) { .type = SEND_KILL,
                                       .worker = core->workers.items[attempt->worker].identity,
                                       .kill = { attempt->id, cause } });
    }
    if (task_state_is_final(state))
        instance_settled(core, ref);
}

/* ---- the whole of a mapped task -------------------------------------------------------------- */

void expansion_count(struct expansion *expansion, enum task_state state, int by)
{
    uint32_t change = (uint32_t)by;
    expansion->done += change;
    switch (state) {
    case TASK_SUCCESS:
        expansion->success += change;
        break;
    case TASK_FAILED:
        expansion->failed += change;
        break;
    case TASK_UPSTREAM_FAILED:
        expansion->upstream_failed += change;
        break;
    default:
        expansion->skipped += change;
        break;
    }
}

static bool failures_are_tolerated(const struct tolerance *tolerance, uint32_t failed,
                                   uint32_t length)
{
    return failed <= tolerance->count ||
           (double)failed * 100 <= tolerance->percent * (double)length;
}

enum task_state expansion_state(const struct task *task, const struct expansion *expansion)
{
    ASSERT(expansion->done == expansion->length);
    uint32_t failed = expansion->failed + expansion->upstream_failed;
    if (failed > 0 && !failures_are_tolerated(&task->tolerate_failures, failed, expansion->length))
        return expansion->failed > 0 ? TASK_FAILED : TASK_UPSTREAM_FAILED;
    return expansion->success + failed > 0 ? TASK_SUCCESS : TASK_SKIPPED;
}

/* ---- ends and what follows ------------------------------------------------------------------- */

/* Trigger rules count each instance of a mapped task, as in Airflow. One that tolerates failures
 * has no end but that of the whole, and counts as one task. */
static struct upstream_counts share_of(const struct core *core, const struct run *run,
                                       uint32_t task)
{
    const struct task_slot *slot = &run->tasks[task];
    const struct tolerance *tolerance = &run_dag(core, run)->tasks[task].tolerate_failures;
    bool is_whole =
        (slot->self.flags & INSTANCE_MAPPED) == 0 || tolerance->count > 0 || tolerance->percent > 0;
    struct upstream_counts share = { .total = 1 };
    if (!is_whole) {
        const struct expansion *expansion = &run->expansions.items[slot->expansion];
        share = (struct upstream_counts) {
            .total = expansion->length,
            .success = expansion->success,
            .failed = expansion->failed,
            .upstream_failed = expansion->upstream_failed,
            .skipped = expansion->skipped,
            .done = expansion->done,
        };
    } else if (task_state_is_final(slot->self.state)) {
        upstream_counts_add(&share, slot->self.state);
    }
    return share;
}

void share_renew(struct core *core, struct run *run, uint32_t task)
{
    const struct task *model = &run_dag(core, run)->tasks[task];
    struct upstream_counts share = share_of(core, run, task);
    for (uint32_t i = 0; i < model->downstream_count; i++)
        upstream_counts_replace(&run->tasks[model->downstream[i]].upstream, &run->tasks[task].share,
                                &share);
    run->tasks[task].share = share;
}

static void downstream_tell(struct core *core, struct run *run, uint32_t task)
{
    const struct task *model = &run_dag(core, run)->tasks[task];
    share_renew(core, run, task);
    for (uint32_t i = 0; i < model->downstream_count; i++)
        task_evaluate(core, run, model->downstream[i]);
}

/* The task as a whole has ended. */
static void whole_settled(struct core *core, struct run *run, uint32_t task, enum task_state state)
{
    const struct dag *dag = run_dag(core, run);
    ASSERT(run->open_tasks > 0);
    run->open_tasks--;
    downstream_tell(core, run, task);
    if (dag->tasks[task].setup)
        setup_settled(core, run, task);
    past_settled(core, run);
    if (state == TASK_SUCCESS)
        wait_task_ended(core, run, dag->tasks[task].id);
    if (state == TASK_FAILED && dag->fail_fast && run->state == RUN_RUNNING && !run->forced)
        run_stop(core, run, TASK_FAILED, TASK_SKIPPED, CAUSE_FAIL_FAST, false);
    run_finish_if_done(core, run);
}

void instance_settled(struct core *core, struct ref ref)
{
    struct run *run = run_get(core, ref.run);
    struct task_slot *slot = &run->tasks[ref.task];
    enum task_state state = instance_at(core, ref)->state;
    ASSERT(task_state_is_final(state));
    asset_outlets(core, ref);
    if (ref.map >= 0) {
        struct expansion *expansion = &run->expansions.items[slot->expansion];
        expansion_count(expansion, state, 1);
        if (expansion->done < expansion->length) {
            downstream_tell(core, run, ref.task);
            return;
        }
        state = expansion_state(task_at(core, ref), expansion);
        slot->self.state = (uint8_t)state;
    }
    whole_settled(core, run, ref.task, state);
}

/* A mapped task none of whose instances has a state has its list made anew. */
void mapped_forget(struct core *core, struct run *run, uint32_t task)
{
    struct task_slot *slot = &run->tasks[task];
    const struct expansion *expansion = &run->expansions.items[slot->expansion];
    for (uint32_t i = 0; i < expansion->length; i++)
        if (expansion->items[i].state != TASK_NONE)
            return;
    slot->self.flags &= (uint8_t)~INSTANCE_MAPPED;
    share_renew(core, run, task);
}

static void unschedule_instance(struct core *core, struct ref ref)
{
    const struct instance *instance = instance_at(core, ref);
    if (instance->state == TASK_SCHEDULED && instance->cause == CAUSE_UPSTREAMS_DONE)
        instance_set(core, ref, TASK_NONE, CAUSE_CLEARED);
}

/* What waited for a slot because its upstream was done waits for its upstream again. (It has no row
 * yet, so that a new leader would see it so too.) */
static void unschedule(struct core *core, struct run *run, uint32_t task)
{
    struct task_slot *slot = &run->tasks[task];
    if (slot->self.state != TASK_SCHEDULED)
        return;
    if (slot->expansion == NONE) {
        unschedule_instance(core, (struct ref) { run->index, task, -1 });
        return;
    }
    uint32_t expansion = slot->expansion;
    for (uint32_t i = 0; i < run->expansions.items[expansion].length; i++)
        unschedule_instance(core, (struct ref) { run->index, task, (int32_t)i });
    slot->self.state = TASK_NONE;
    mapped_forget(core, run, task);
}

void instance_unsettled(struct core *core, struct ref ref, enum task_state was)
{
    struct run *run = run_get(core, ref.run);
    struct task_slot *slot = &run->tasks[ref.task];
    const struct task *model = task_at(core, ref);
    bool was_whole = true;
    if (ref.map >= 0) {
        struct expansion *expansion = &run->expansions.items[slot->expansion];
        was_whole = expansion->done == expansion->length;
        expansion_count(expansion, was, -1);
        slot->self.state = TASK_NONE; /* evaluated anew; INSTANCE_MAPPED says that the list stays */
    }
    run->open_tasks += was_whole;
    share_renew(core, run, ref.task);
    for (uint32_t i = 0; i < model->downstream_count; i++)
        unschedule(core, run, model->downstream[i]);
}

/* ---- outputs --------------------------------------------------------------------------------- */

static uint64_t output_key(uint32_t task, int32_t map)
{
    return (uint64_t)task << 32 | (uint32_t)(map + 1);
}

/* JSON goes in as it is, anything else as a string: PostgreSQL must be able to take it. */
static struct str output_json(struct arena *arena, struct str text)
{
    struct arena scratch = { 0 };
    const struct value *value = NULL;
    bool is_json = json_parse(&scratch, text, NULL, &value, NULL) == 0;
    arena_clear(&scratch);
    if (is_json)
        return str_copy(arena, text);
    struct buf quoted = { 0 };
    json_write_string(&quoted, str_clean(arena, text));
    struct str json = str_copy(arena, buf_str(&quoted));
    buf_clear(&quoted);
    return json;
}

void output_keep(struct core *core, struct run *run, uint32_t task, int32_t map, struct str text,
                 bool write)
{
    struct str json = output_json(&core->step, text);
    if (write)
        write_output(core, run, task, map, json);
    if (!core->versions.items[run->version].output_read[task])
        return;
    uint64_t index = 0;
    if (!map_get(&run->output_index, output_key(task, map), &index)) {
        index = run->outputs.count;
        map_put(&run->output_index, output_key(task, map), index);
        VEC_ADD(&run->outputs, (struct output) { STR_EMPTY });
    }
    run->outputs.items[index].json = str_copy(&run->arena, json);
}

void output_drop(struct run *run, uint32_t task, int32_t map)
{
    (void)map_remove(&run->output_index, output_key(task, map));
}
