// SPDX-License-Identifier: Apache-2.0
/* pool - what limits how many run at once: pools and their slots, queues and their workers, gates.
 * Ready instances stand in lanes, one for each (queue, pool, slots) that occurs; a lane that is
 * blocked waits until its pool or its queue wakes it. */
#include "scheduler/core/core_calls.h"

/* ---- pools ----------------------------------------------------------------------------------- */

uint32_t pool_index(struct core *core, struct str name)
{
    uint64_t index = core->pools.count;
    if (map_get_str(&core->pool_by_name, name, &index))
        return (uint32_t)index;
    bool is_default = str_is(name, "default_pool");
    map_put_str(&core->pool_by_name, name, index);
    VEC_ADD(&core->pools, (struct pool) { .name = str_copy(&core->names, name),
                                          .slots = is_default ? core->limits.default_pool_slots : 0,
                                          .exists = is_default });
    return (uint32_t)index;
}

bool pool_has_room(const struct pool *pool, int32_t slots)
{
    return pool->slots < 0 || pool->used + slots <= pool->slots || MUTANT(CORE_POOL_OVER);
}

static void pool_wake(struct core *core, const struct pool *pool)
{
    VEC_EACH (&pool->lanes, i) {
        struct lane *lane = &core->lanes.items[pool->lanes.items[i]];
        if (lane->blocked != LANE_NO_SLOTS || !pool_has_room(pool, lane->slots))
            continue;
        lane->blocked = LANE_OPEN;
        lane_list(core, pool->lanes.items[i]);
    }
}

static const struct lane *lane_of(const struct core *core, struct ref ref)
{
    return &core->lanes
                .items[core->versions.items[run_get(core, ref.run)->version].lanes[ref.task]];
}

void pool_take_deferred(struct core *core, struct attempt *attempt)
{
    const struct lane *lane = lane_of(core, attempt->ref);
    if (!core->pools.items[lane->pool].include_deferred || MUTANT(CORE_POOL_FORGETS_DEFERRED))
        return;
    attempt->pool = lane->pool;
    attempt->pool_slots = lane->slots;
    pool_take(core, lane->pool, lane->slots);
}

/* The pool counts deferred attempts from now on, or no longer. */
static void deferred_recount(struct core *core, uint32_t index)
{
    VEC_EACH (&core->attempts, i) {
        struct attempt *attempt = &core->attempts.items[i];
        if (!attempt->used || attempt->worker != NONE)
            continue;
        if (attempt->pool == index) {
            core->pools.items[index].used -= attempt->pool_slots;
            attempt->pool = NONE;
        }
        if (lane_of(core, attempt->ref)->pool == index)
            pool_take_deferred(core, attempt);
    }
}

void pool_set(struct core *core, struct str name, int32_t slots, bool include_deferred,
              bool removed)
{
    uint32_t index = pool_index(core, name); /* first: it may move the array */
    struct pool *pool = &core->pools.items[index];
    bool counts_anew = pool->include_deferred != include_deferred;
    pool->exists = !removed;
    pool->slots = removed ? 0 : slots;
    pool->include_deferred = include_deferred;
    if (counts_anew)
        deferred_recount(core, index);
    pool_wake(core, pool);
}

void pool_take(struct core *core, uint32_t index, int32_t slots)
{
    core->pools.items[index].used += slots;
}

void pool_give(struct core *core, uint32_t index, int32_t slots)
{
    struct pool *pool = &core->pools.items[index];
    ASSERT(pool->used >= slots);
    pool->used -= slots;
    pool_wake(core, pool);
}

/* ---- queues ---------------------------------------------------------------------------------- */

uint32_t queue_index(struct core *core, struct str name)
{
    uint64_t index = core->queues.count;
    if (map_get_str(&core->queue_by_name, name, &index))
        return (uint32_t)index;
    map_put_str(&core->queue_by_name, name, index);
    VEC_ADD(&core->queues,
            (struct queue) { .name = str_copy(&core->names, name), .stopping = NONE });
    return (uint32_t)index;
}

void queue_wake(struct core *core, uint32_t index)
{
    const struct queue *queue = &core->queues.items[index];
    VEC_EACH (&queue->lanes, i) {
        struct lane *lane = &core->lanes.items[queue->lanes.items[i]];
        if (lane->blocked != LANE_NO_WORKER)
            continue;
        lane->blocked = LANE_OPEN;
        lane_list(core, queue->lanes.items[i]);
    }
}

/* ---- lanes ----------------------------------------------------------------------------------- */

uint32_t lane_index(struct core *core, uint32_t queue, uint32_t pool, int32_t slots)
{
    struct {
        uint32_t queue, pool;
        int32_t slots;
    } key = { queue, pool, slots };
    struct str bytes = { (const char *)&key, sizeof key };
    uint64_t index = core->lanes.count;
    if (map_get_str(&core->lane_by_key, bytes, &index))
        return (uint32_t)index;
    map_put_str(&core->lane_by_key, bytes, index);
    VEC_ADD(&core->lanes, (struct lane) { .queue = queue, .pool = pool, .slots = slots });
    VEC_ADD(&core->pools.items[pool].lanes, (uint32_t)index);
    VEC_ADD(&core->queues.items[queue].lanes, (uint32_t)index);
    return (uint32_t)index;
}

/* Puts the lane among the open ones with its first entry as the key, if it stands there with no
 * better one. */
void lane_list(struct core *core, uint32_t index)
{
    struct lane *lane = &core->lanes.items[index];
    const struct heap_entry *first = heap_peek(&lane->ready);
    if (lane->blocked != LANE_OPEN || first == NULL)
        return;
    if (lane->listed && (lane->listed_key < first->key ||
                         (lane->listed_key == first->key && lane->listed_tie <= first->tie)))
        return;
    lane->listed = true;
    lane->listed_key = first->key;
    lane->listed_tie = first->tie;
    heap_push(&core->open_lanes, (struct heap_entry) { first->key, first->tie, index });
}

void lane_push(struct core *core, uint32_t index, struct heap_entry entry)
{
    struct lane *lane = &core->lanes.items[index];
    heap_push(&lane->ready, entry);
    core->queues.items[lane->queue].dirty = true;
    lane_list(core, index);
}

/* ---- gates ----------------------------------------------------------------------------------- */

uint32_t gate_new(struct core *core, uint32_t limit)
{
    if (core->gates_free.count > 0) {
        uint32_t index = core->gates_free.items[--core->gates_free.count];
        core->gates.items[index].limit = limit;
        return index;
    }
    VEC_ADD(&core->gates, (struct gate) { .limit = limit });
    return core->gates.count - 1;
}

void gate_free(struct core *core, uint32_t index)
{
    struct gate *gate = &core->gates.items[index];
    VEC_EACH (&gate->parks, i)
        heap_clear(&gate->parks.items[i].heap);
    VEC_CLEAR(&gate->parks);
    *gate = (struct gate) { 0 };
    VEC_ADD(&core->gates_free, index);
}

bool gate_is_open(const struct core *core, uint32_t index)
{
    const struct gate *gate = &core->gates.items[index];
    return gate->used < gate->limit;
}

static struct park *park_of(struct gate *gate, uint32_t lane)
{
    VEC_EACH (&gate->parks, i)
        if (gate->parks.items[i].lane == lane)
            return &gate->parks.items[i];
    return NULL;
}

static void park_wake(struct core *core, struct park *park)
{
    if (park->out || park->heap.count == 0)
        return;
    struct heap_entry entry = heap_pop(&park->heap);
    park->out = true;
    park->out_item = entry.item;
    lane_push(core, park->lane, entry);
}

static void gate_wake(struct core *core, uint32_t index)
{
    if (!gate_is_open(core, index))
        return;
    struct gate *gate = &core->gates.items[index];
    VEC_EACH (&gate->parks, i)
        park_wake(core, &gate->parks.items[i]);
}

void gate_park(struct core *core, uint32_t index, uint32_t lane, struct heap_entry entry)
{
    struct gate *gate = &core->gates.items[index];
    struct park *park = park_of(gate, lane);
    if (park == NULL) {
        VEC_ADD(&gate->parks, (struct park) { .lane = lane });
        park = &VEC_LAST(&gate->parks);
    }
    heap_push(&park->heap, entry);
}

void gate_seen(struct core *core, uint32_t index, uint32_t lane, uint64_t item)
{
    struct park *park = park_of(&core->gates.items[index], lane);
    if (park == NULL)
        return;
    if (park->out && park->out_item == item)
        park->out = false;
    if (gate_is_open(core, index))
        park_wake(core, park);
}

void gates_lost(struct core *core, uint32_t lane, uint64_t item)
{
    VEC_EACH (&core->dag_gates, i)
        gate_seen(core, core->dag_gates.items[i], lane, item);
}

void gate_limit(struct core *core, uint32_t index, uint32_t limit)
{
    core->gates.items[index].limit = limit;
    gate_wake(core, index);
}

void gate_take(struct core *core, uint32_t index)
{
    core->gates.items[index].used++;
}

void gate_give(struct core *core, uint32_t index)
{
    ASSERT(core->gates.items[index].used > 0);
    core->gates.items[index].used--;
    gate_wake(core, index);
}

uint32_t gates_of(struct core *core, struct ref ref, uint32_t out[4])
{
    const struct run *run = run_get(core, ref.run);
    const struct version *version = &core->versions.items[run->version];
    uint32_t count = 0;
    out[count++] = core->dags.items[run->dag].pause_gate;
    if (!MUTANT(CORE_RUN_LIMIT))
        out[count++] = run->gate;
    if (run->task_gates != NULL && run->task_gates[ref.task] != NONE)
        out[count++] = run->task_gates[ref.task];
    if (version->dag_gates != NULL && version->dag_gates[ref.task] != NONE)
        out[count++] = version->dag_gates[ref.task];
    return count;
}
