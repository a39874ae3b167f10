// SPDX-License-Identifier: Apache-2.0
/* autoscale - how many workers a queue wants: clamp(ceil((running + queued) / slots), min, max),
 * and one at least while waiting tasks need somebody to look. More are asked for at once; fewer
 * after a quiet period, one at a time, the emptiest first, and always by draining. */
#include "scheduler/core/core_calls.h"

/* ---- demand ---------------------------------------------------------------------------------- */

/* What max_active_tasks would let run of what is scheduled, and nothing of a paused DAG: workers
 * help only these. */
void demand_update(struct core *core, struct run *run)
{
    if (run->gate == NONE) /* it has not begun */
        return;
    const struct gate *gate = &core->gates.items[run->gate];
    uint32_t room = gate->limit > gate->used ? gate->limit - gate->used : 0;
    if (core->dags.items[run->dag].paused)
        room = 0;
    VEC_EACH (&run->demand, i) {
        struct demand *demand = &run->demand.items[i];
        struct queue *queue = &core->queues.items[demand->queue];
        uint32_t counted = demand->scheduled < room ? demand->scheduled : room;
        if (counted != demand->counted) {
            queue->demand += counted;
            queue->demand -= demand->counted;
            queue->dirty = true;
            demand->counted = counted;
        }
        room -= counted;
    }
}

void demand_count(struct core *core, struct ref ref, int by)
{
    struct run *run = run_get(core, ref.run);
    uint32_t queue = core->lanes.items[core->versions.items[run->version].lanes[ref.task]].queue,
             i = 0;
    while (i < run->demand.count && run->demand.items[i].queue != queue)
        i++;
    if (i == run->demand.count)
        VEC_ADD(&run->demand, (struct demand) { .queue = queue });
    run->demand.items[i].scheduled += (uint32_t)by;
    demand_update(core, run);
}

void demand_forget(struct core *core, struct run *run)
{
    VEC_EACH (&run->demand, i)
        core->queues.items[run->demand.items[i].queue].demand -= run->demand.items[i].counted;
    VEC_CLEAR(&run->demand);
}

/* Pools bound it too: a task that waits for a slot of its pool is not helped by a worker. */
static uint64_t runnable(struct core *core, const struct queue *queue)
{
    uint64_t by_pools = 0;
    int64_t *room = ARENA_ARRAY(&core->step, int64_t, core->pools.count);
    for (uint32_t i = 0; i < core->pools.count; i++)
        room[i] = core->pools.items[i].slots < 0
                      ? INT64_MAX
                      : core->pools.items[i].slots - core->pools.items[i].used;
    VEC_EACH (&queue->lanes, i) {
        const struct lane *lane = &core->lanes.items[queue->lanes.items[i]];
        int64_t fit = room[lane->pool] > 0 ? room[lane->pool] / lane->slots : 0;
        if (fit > lane->ready.count)
            fit = lane->ready.count;
        room[lane->pool] -= fit * lane->slots;
        by_pools += (uint64_t)fit;
    }
    uint64_t count = queue->demand < by_pools ? queue->demand : by_pools;
    uint64_t parallelism =
        core->limits.parallelism > core->active ? core->limits.parallelism - core->active : 0;
    return core->limits.parallelism > 0 && count > parallelism ? parallelism : count;
}

/* ---- workers of a queue ---------------------------------------------------------------------- */

static bool belongs(const struct worker *worker, uint32_t queue)
{
    return worker->queue_list.count == 1 && worker->queue_list.items[0] == queue &&
           worker->state != WORKER_GONE && worker->heard_ms > 0;
}

/* The emptiest one; one that drains already before all others, and of equals the youngest. */
static uint32_t emptiest(const struct core *core, uint32_t queue, uint32_t *out_count)
{
    uint32_t best = NONE;
    *out_count = 0;
    VEC_EACH (&core->workers, i) {
        const struct worker *worker = &core->workers.items[i];
        if (!belongs(worker, queue) || worker->stop)
            continue;
        *out_count += 1;
        const struct worker *other = best != NONE ? &core->workers.items[best] : NULL;
        bool drains = worker->state != WORKER_ACTIVE,
             other_drains = other != NULL && other->state != WORKER_ACTIVE;
        if (other == NULL || (drains && !other_drains) ||
            (drains == other_drains && (worker->attempt_count < other->attempt_count ||
                                        (worker->attempt_count == other->attempt_count &&
                                         worker->worker_no > other->worker_no))))
            best = i;
    }
    return best;
}

/* ---- decisions ------------------------------------------------------------------------------- */

static void tell(struct core *core, struct queue *queue, uint32_t wanted, struct str stop_worker,
                 struct str reason)
{
    queue->told = wanted;
    VEC_ADD(&core->open->writes, (struct record) { .type = WRITE_AUTOSCALE });
    struct record *record = &VEC_LAST(&core->open->writes);
    record->autoscale.queue = queue->name;
    record->autoscale.at_ms = core->wall_ms;
    record->autoscale.demand = (uint32_t)(queue->live + runnable(core, queue));
    record->autoscale.wanted = wanted;
    record->autoscale.present = queue->present;
    record->autoscale.reason = str_copy(batch_arena(core), reason);
    hold_send(core, (struct core_send) { .type = SEND_SCALE,
                                         .scale = { queue->name, wanted,
                                                    str_copy(batch_arena(core), stop_worker),
                                                    record->autoscale.reason } });
}

static struct str arithmetic(struct core *core, const struct queue *queue, uint64_t waiting,
                             uint32_t wanted)
{
    if (queue->live + waiting == 0 && queue->looked_for > 0)
        return str_format(&core->step, "%u waiting tasks need one worker to look",
                          queue->looked_for);
    return str_format(
        &core->step,
        "%u running and %llu waiting tasks at %u slots a worker, between %u and %u: %u",
        queue->live, (unsigned long long)waiting, queue->slots, queue->min, queue->max, wanted);
}

/* One timer a queue is enough: one that fires early looks, and sets the next. */
static void look_at(struct core *core, uint32_t index, int64_t at_ms)
{
    struct queue *queue = &core->queues.items[index];
    if (queue->look_ms != 0 && queue->look_ms <= at_ms)
        return;
    queue->look_ms = at_ms;
    timer_set(core, at_ms, (struct timer) { .kind = TIMER_AUTOSCALE, .index = index });
}

void autoscale_timer(struct core *core, uint32_t index)
{
    struct queue *queue = &core->queues.items[index];
    if (queue->look_ms <= core->now_ms)
        queue->look_ms = 0;
    queue->dirty = true;
}

/* Fewer are wanted, and have been for the quiet period: one worker begins to drain, or one that
 * never came is given up. */
static void scale_in(struct core *core, uint32_t index, struct str reason)
{
    struct queue *queue = &core->queues.items[index];
    uint32_t count = 0;
    if (queue->low_since_ms == 0)
        queue->low_since_ms = core->now_ms > 0 ? core->now_ms : 1;
    int64_t at_ms = queue->low_since_ms + queue->quiet_ms;
    if (core->now_ms < at_ms) {
        look_at(core, index, at_ms);
        return;
    }
    if (queue->stopping != NONE)
        return;
    uint32_t victim = emptiest(core, index, &count);
    queue->low_since_ms = core->now_ms; /* and quiet again before the next one */
    look_at(core, index, core->now_ms + queue->quiet_ms);
    if (count < queue->told) {
        tell(core, queue, count > queue->wanted ? count : queue->wanted, STR_EMPTY, reason);
        return;
    }
    queue->stopping = victim;
    worker_drain(core, victim, true, true, "fewer workers are wanted");
    core->workers.items[victim].stop = true;
    worker_check_drained(core, victim);
    if (core->workers.items[victim].state == WORKER_DRAINED && queue->stopping == victim)
        autoscale_worker_drained(core, victim);
}

/* Demand is back before the drained worker was stopped: it goes on. */
static void keep_stopping(struct core *core, struct queue *queue)
{
    uint32_t worker = queue->stopping;
    if (worker == NONE || core->workers.items[worker].state != WORKER_DRAINING)
        return;
    queue->stopping = NONE;
    worker_drain(core, worker, false, false, "it is wanted again");
}

static void queue_check(struct core *core, uint32_t index)
{
    struct queue *queue = &core->queues.items[index];
    uint64_t waiting = runnable(core, queue);
    uint64_t wanted = (queue->live + waiting + queue->slots - 1) / queue->slots;
    if (wanted == 0 && queue->looked_for > 0)
        wanted = 1;
    queue->wanted = wanted < queue->min   ? queue->min
                    : wanted > queue->max ? queue->max
                                          : (uint32_t)wanted;
    struct str reason = arithmetic(core, queue, waiting, queue->wanted);
    if (queue->wanted >= queue->told) {
        queue->low_since_ms = 0;
        keep_stopping(core, queue);
        if (queue->wanted > queue->told)
            tell(core, queue, queue->wanted, STR_EMPTY, reason);
        return;
    }
    scale_in(core, index, reason);
}

void autoscale_set(struct core *core, const struct core_event *event)
{
    uint32_t index = queue_index(core, event->autoscale.queue);
    struct queue *queue = &core->queues.items[index];
    if (!queue->scaled)
        queue->told = event->autoscale.present;
    queue->scaled = event->autoscale.max > 0;
    queue->min = event->autoscale.min;
    queue->max = event->autoscale.max;
    queue->slots = event->autoscale.slots > 0 ? event->autoscale.slots : 1;
    queue->quiet_ms = event->autoscale.quiet_ms;
    queue->present = event->autoscale.present;
    queue->failing = event->autoscale.failing;
    queue->dirty = true;
}

/* Drained and recorded: the provider may take it away. */
void autoscale_worker_drained(struct core *core, uint32_t worker)
{
    VEC_EACH (&core->queues, i) {
        struct queue *queue = &core->queues.items[i];
        if (queue->stopping != worker)
            continue;
        queue->stopping = NONE;
        tell(core, queue, queue->told > queue->min ? queue->told - 1 : queue->min,
             core->workers.items[worker].identity, STR("a worker is drained"));
        queue->dirty = true;
    }
}

void autoscale_check(struct core *core)
{
    if (!core->deciding)
        return;
    VEC_EACH (&core->queues, i) {
        if (!core->queues.items[i].dirty || !core->queues.items[i].scaled)
            continue;
        core->queues.items[i].dirty = false;
        queue_check(core, i);
    }
}
