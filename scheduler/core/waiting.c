// SPDX-License-Identifier: Apache-2.0
/* waiting - what is ready and not placed yet, in the order in which place_ready looks at it. The
 * heaps are read as they stand: the first few cost the same however many there are. */
#include "scheduler/core/core_calls.h"

/* Entries of one lane: those that stand in it, or those that a closed gate keeps back. */
struct source {
    const struct heap *heap;
    uint32_t lane, gate; /* gate NONE: they stand in it */
};

struct look {
    VEC(struct source) sources;
    struct heap heads; /* item: source, and position in its heap */
    uint64_t total;
};

static void head_push(struct look *look, uint32_t source, uint32_t position)
{
    const struct heap *heap = look->sources.items[source].heap;
    if (position >= heap->count)
        return;
    const struct heap_entry *entry = &heap->entries[position];
    heap_push(&look->heads,
              (struct heap_entry) { entry->key, entry->tie, (uint64_t)source << 32 | position });
}

static void source_add(struct look *look, const struct heap *heap, uint32_t lane, uint32_t gate)
{
    VEC_ADD(&look->sources, (struct source) { heap, lane, gate });
    look->total += heap->count;
    head_push(look, look->sources.count - 1, 0);
}

static bool fits(const struct core *core, uint32_t lane_at, struct str queue, struct str pool)
{
    const struct lane *lane = &core->lanes.items[lane_at];
    return (queue.size == 0 || str_eq(core->queues.items[lane->queue].name, queue)) &&
           (pool.size == 0 || str_eq(core->pools.items[lane->pool].name, pool));
}

static void sources_find(const struct core *core, struct str queue, struct str pool,
                         struct look *look)
{
    VEC_EACH (&core->lanes, i)
        if (fits(core, i, queue, pool))
            source_add(look, &core->lanes.items[i].ready, i, NONE);
    VEC_EACH (&core->gates, i)
        for (uint32_t k = 0; k < core->gates.items[i].parks.count; k++) {
            const struct park *park = &core->gates.items[i].parks.items[k];
            if (fits(core, park->lane, queue, pool))
                source_add(look, &park->heap, park->lane, i);
        }
}

static enum core_hold hold_of(const struct core *core, const struct run *run,
                              const struct source *source)
{
    if (source->gate != NONE)
        return source->gate == core->dags.items[run->dag].pause_gate ? HOLD_PAUSED
               : source->gate == run->gate                           ? HOLD_RUN
                                                                     : HOLD_TASK;
    switch (core->lanes.items[source->lane].blocked) {
    case LANE_NO_SLOTS:
        return HOLD_SLOTS;
    case LANE_NO_WORKER:
        return HOLD_WORKER;
    case LANE_OPEN:
        break;
    }
    bool is_full = core->limits.parallelism > 0 && core->active >= core->limits.parallelism;
    return is_full ? HOLD_PARALLELISM : HOLD_NONE;
}

/* False for an entry that no longer counts. */
static bool describe(struct core *core, const struct source *source, struct heap_entry entry,
                     struct core_waiting *out)
{
    struct ref ref = ref_unpack(entry.item);
    const struct instance *instance = instance_at(core, ref);
    if (instance == NULL || instance->state != TASK_SCHEDULED || instance->attempt != NONE)
        return false;
    struct heap_entry now = ready_key(core, ref);
    if (now.key != entry.key || now.tie != entry.tie)
        return false;
    const struct lane *lane = &core->lanes.items[source->lane];
    const struct run *run = run_get(core, ref.run);
    const struct dag *dag = run_dag(core, run);
    *out = (struct core_waiting) {
        .dag_id = dag->id,
        .run_id = run->run_id,
        .task_id = dag->tasks[ref.task].id,
        .map_index = ref.map,
        .queue = core->queues.items[lane->queue].name,
        .pool = core->pools.items[lane->pool].name,
        .pool_slots = lane->slots,
        .priority = dag->priority,
        .weight = dag->tasks[ref.task].weight,
        .run_queued_ms = run->queued_ms,
        .hold = hold_of(core, run, source),
    };
    return true;
}

uint32_t core_waiting(const struct core *core, struct str queue, struct str pool, uint32_t max,
                      struct core_waiting *out, uint64_t *out_total)
{
    /* Only looks, as core_why does. */
    struct core *mutable = (struct core *)(uintptr_t)core;
    struct look look = { 0 };
    struct heap_entry last = { 0 };
    uint32_t count = 0;
    sources_find(core, queue, pool, &look);
    while (count < max && look.heads.count > 0) {
        struct heap_entry head = heap_pop(&look.heads);
        uint32_t source = (uint32_t)(head.item >> 32), position = (uint32_t)head.item;
        struct heap_entry entry = look.sources.items[source].heap->entries[position];
        head_push(&look, source, heap_behind(position));
        head_push(&look, source, heap_behind(position) + 1);
        /* One that was pushed anew may stand there twice. */
        bool is_again = count > 0 && entry.key == last.key && entry.tie == last.tie;
        if (!is_again && describe(mutable, &look.sources.items[source], entry, &out[count])) {
            last = entry;
            count++;
        }
    }
    *out_total = look.total;
    heap_clear(&look.heads);
    VEC_CLEAR(&look.sources);
    return count;
}
