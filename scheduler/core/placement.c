// SPDX-License-Identifier: Apache-2.0
/* placement - which ready instance goes to which worker next: the best one whose pool, queue and
 * gates have room. What is blocked steps aside, so that it hides nothing that could run. */
#include "common/base/civil.h"
#include "common/model/operator.h"
#include "scheduler/core/core_calls.h"

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* All grow older at the same pace, so who overtakes whom is known when they come: an order among
 * heaps need never be made anew. Older runs have fewer points. */
static int64_t ageing_points(const struct core *core, const struct run *run)
{
    int64_t since_ms = run->queued_ms - civil_days(2020, 1, 1) * MS_PER_DAY;
    return core->limits.ageing_ms > 0
               ? clamp(since_ms / core->limits.ageing_ms, 0, (int64_t)1 << 38)
               : 0;
}

/* Priority of the DAG, then weight, then age (the run's number), then task and map index, as one
 * pair of numbers. It is made from what the database knows, so that a new leader has the same
 * order: key  priority 16 bits, weight 24 bits, run 23 bits    tie  run 17 bits, task 23 bits, map
 * index 24 bits */
struct heap_entry ready_key(const struct core *core, struct ref ref)
{
    const struct run *run = run_get(core, ref.run);
    const struct dag *dag = run_dag(core, run);
    int64_t priority = clamp(dag->priority, -32768, 32767),
            weight = clamp(dag->tasks[ref.task].weight, -(1 << 23), (1 << 23) - 1);
    int64_t day = clamp(RUN_NO_DAY(run->run_no) - civil_days(2020, 1, 1), 0, 65535);
    uint64_t age = (uint64_t)day << 24 | ((uint64_t)run->run_no & RUN_SEQ_MAX); /* 40 bits */
    int64_t rank = ageing_points(core, run) - (priority * (1 << 24) + weight);
    return (struct heap_entry) {
        .key = rank * (1 << 23) + (int64_t)(age >> 17),
        .tie = (age & 0x1FFFF) << 47 | (uint64_t)ref.task << 24 | (uint64_t)(ref.map + 1),
        .item = ref_pack(ref),
    };
}

void attempt_release_limits(struct core *core, struct attempt *attempt)
{
    uint32_t gates[4];
    if (attempt->pool != NONE)
        pool_give(core, attempt->pool, attempt->pool_slots);
    attempt->pool = NONE;
    if (attempt->queue == NONE)
        return;
    core->queues.items[attempt->queue].live--;
    core->queues.items[attempt->queue].dirty = true;
    attempt->queue = NONE;
    uint32_t count = gates_of(core, attempt->ref, gates);
    for (uint32_t i = 1; i < count; i++)
        gate_give(core, gates[i]);
    demand_update(core, run_get(core, attempt->ref.run));
}

/* Takes slots and passes gates for an attempt; gates[0] is the DAG's pause, which counts nothing.
 */
void attempt_take_limits(struct core *core, struct attempt *attempt, uint32_t queue, uint32_t pool,
                         int32_t slots)
{
    uint32_t gates[4];
    attempt->queue = queue;
    attempt->pool = pool;
    attempt->pool_slots = slots;
    pool_take(core, pool, slots);
    core->queues.items[queue].live++;
    core->queues.items[queue].dirty = true;
    uint32_t count = gates_of(core, attempt->ref, gates);
    for (uint32_t i = 1; i < count; i++)
        gate_take(core, gates[i]);
    demand_update(core, run_get(core, attempt->ref.run));
}

static struct spec *spec_make(struct core *core, struct ref ref, struct id128 id,
                              struct arena *arena, struct err *err)
{
    struct context_owner owner;
    struct context context;
    struct spec *spec = ARENA_NEW(arena, struct spec);
    context_fill(core, ref, &owner, arena, &context);
    context.attempt = id;
    return operator_spec(&context, core->limits.output_bytes_max, arena, spec, err) < 0 ? NULL
                                                                                        : spec;
}

static void record_placed(struct core *core, uint32_t index)
{
    const struct attempt *attempt = &core->attempts.items[index];
    struct record *record =
        write_try(core, WRITE_TRY_PLACED, attempt->ref, TASK_QUEUED, CAUSE_PLACED);
    record->try.attempt = attempt->id;
    record->try.worker_no = core->workers.items[attempt->worker].worker_no;
    record->try.credit = attempt->credit;
    note_instance(core, attempt->ref, CAUSE_PLACED);
}

/* One commit, one message: the row says `queued` on this worker under this credit, and GRANT
 * follows the commit. */
static void place(struct core *core, struct ref ref, const struct lane *lane, uint32_t worker_index)
{
    struct instance *instance = instance_at(core, ref);
    struct id128 id = id_make(core);
    struct arena arena = { 0 };
    struct err err = { 0 };
    instance->try_no++;
    instance->row_no++;
    struct spec *spec = spec_make(core, ref, id, &arena, &err);
    if (spec == NULL) {
        arena_clear(&arena);
        instance->row_no--; /* instance_end counts its own */
        instance_end(core, ref, TASK_FAILED, CAUSE_BAD_EXPRESSION, str_of(err.sentence));
        return;
    }
    uint32_t index = attempt_new(core, ref, worker_index, id);
    struct attempt *attempt = &core->attempts.items[index];
    struct worker *worker = &core->workers.items[worker_index];
    attempt->arena = arena;
    attempt->spec = spec;
    attempt->credit = (struct credit) { worker->incarnation, worker->credits.items[0] };
    attempt->stamp_ms = worker->sent_ms;
    memmove(worker->credits.items, worker->credits.items + 1,
            (worker->credits.count - 1) * sizeof *worker->credits.items);
    worker->credits.count--;
    worker_list(core, worker_index);
    instance->attempt = index;
    instance_set(core, ref, TASK_QUEUED, CAUSE_PLACED);
    run_get(core, ref.run)->live++;
    attempt_take_limits(core, attempt, lane->queue, lane->pool, lane->slots);
    record_placed(core, index);
    hold_grant(core, index);
    core->stats.placed++;
}

/* What became of the first entry of a lane. */
static void try_entry(struct core *core, uint32_t lane_at, struct heap_entry entry, uint32_t worker)
{
    struct ref ref = ref_unpack(entry.item);
    struct instance *instance = instance_at(core, ref);
    uint32_t gates[4];
    struct heap_entry now = instance != NULL ? ready_key(core, ref) : (struct heap_entry) { 0 };
    if (instance == NULL || now.key != entry.key ||
        now.tie != entry.tie) { /* of a run that had this place before */
        gates_lost(core, lane_at, entry.item);
        return;
    }
    uint32_t count = gates_of(core, ref, gates), closed = NONE;
    for (uint32_t i = 0; i < count && closed == NONE; i++)
        if (!gate_is_open(core, gates[i]))
            closed = gates[i];
    bool ready = instance->state == TASK_SCHEDULED &&
                 (instance->attempt == NONE || MUTANT(CORE_REPLACE_DYING));
    if (ready && closed != NONE) {
        gate_park(core, closed, lane_at, entry);
    } else if (ready) {
        struct lane lane = core->lanes.items[lane_at];
        place(core, ref, &lane, worker);
    }
    for (uint32_t i = 0; i < count; i++)
        gate_seen(core, gates[i], lane_at, entry.item);
}

/* The lane whose first entry is best, or NONE. */
static uint32_t best_lane(struct core *core)
{
    while (core->open_lanes.count > 0) {
        struct heap_entry entry = heap_pop(&core->open_lanes);
        struct lane *lane = &core->lanes.items[entry.item];
        if (!lane->listed || lane->listed_key != entry.key || lane->listed_tie != entry.tie)
            continue;
        lane->listed = false;
        if (lane->ready.count > 0)
            return (uint32_t)entry.item;
    }
    return NONE;
}

static bool may_place(const struct core *core)
{
    return core->deciding && !(core->barrier && !MUTANT(CORE_BARRIER)) && !batch_is_full(core) &&
           (core->limits.parallelism == 0 || core->active < core->limits.parallelism);
}

void place_ready(struct core *core)
{
    while (may_place(core)) {
        uint32_t at = best_lane(core);
        if (at == NONE)
            return;
        struct lane *lane = &core->lanes.items[at];
        if (!pool_has_room(&core->pools.items[lane->pool], lane->slots)) {
            lane->blocked = LANE_NO_SLOTS;
            continue;
        }
        uint32_t worker = worker_pick(core, lane->queue);
        if (worker == NONE) {
            lane->blocked = LANE_NO_WORKER;
            continue;
        }
        struct heap_entry entry = heap_pop(&lane->ready);
        try_entry(core, at, entry, worker);
        lane_list(core, at);
    }
}
