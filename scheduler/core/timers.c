// SPDX-License-Identifier: Apache-2.0
/* timers - what waits for a time: a heap for durations, and one for times of the wall clock, which
 * may be set forward and back. Nothing is cancelled: what fires is checked. */
#include "scheduler/core/core_calls.h"

int64_t ms_of_wall(const struct core *core, int64_t wall_ms)
{
    return core->now_ms + (wall_ms - core->wall_ms);
}

static void push(struct core *core, struct heap *heap, int64_t key, struct timer timer)
{
    uint32_t index = 0;
    if (core->timers_free.count > 0) {
        index = core->timers_free.items[--core->timers_free.count];
        core->timers.items[index] = timer;
    } else {
        index = core->timers.count;
        VEC_ADD(&core->timers, timer);
    }
    heap_push(heap, (struct heap_entry) { key, core->timer_count++, index });
}

void timer_set(struct core *core, int64_t at_ms, struct timer timer)
{
    push(core, &core->timer_heap, at_ms, timer);
}

void timer_set_wall(struct core *core, int64_t at_wall_ms, struct timer timer)
{
    push(core, &core->wall_heap, at_wall_ms, timer);
}

static void fire_retry(struct core *core, const struct timer *timer)
{
    struct run *run = run_get(core, timer->ref.run);
    if (run == NULL || run->run_no != timer->number || run->tasks == NULL)
        return;
    struct instance *instance = instance_at(core, timer->ref);
    if (instance == NULL || instance->state != TASK_UP_FOR_RETRY ||
        instance->row_no != timer->index)
        return;
    instance_set(core, timer->ref, TASK_SCHEDULED, CAUSE_DELAY_OVER);
    ready_add(core, timer->ref);
}

static bool attempt_is(const struct core *core, const struct timer *timer)
{
    const struct attempt *attempt = &core->attempts.items[timer->index];
    return attempt->used && (int64_t)attempt->id.low == timer->number;
}

static void fire_run(struct core *core, const struct timer *timer)
{
    struct run *run = run_by_no(core, timer->number);
    if (run == NULL)
        return;
    if (timer->kind == TIMER_RUN_TIMEOUT) {
        run_timed_out(core, run, timer->index);
        return;
    }
    if (timer->kind == TIMER_DEADLINE) {
        notify_deadline(core, run, timer->index);
        return;
    }
    run->due = true;
    runs_start(core, &core->dags.items[run->dag]);
}

static void fire_schedule(struct core *core, const struct timer *timer)
{
    struct dag_entry *dag = &core->dags.items[timer->index];
    if (dag->used && dag->dag_no == timer->number)
        schedule_check(core, dag);
}

static void fire(struct core *core, const struct timer *timer)
{
    switch (timer->kind) {
    case TIMER_RETRY:
        fire_retry(core, timer);
        break;
    case TIMER_LEASE:
        if (attempt_is(core, timer))
            attempt_lease_over(core, timer->index);
        break;
    case TIMER_RUNNING:
        if (attempt_is(core, timer))
            attempt_write_running(core, timer->index);
        break;
    case TIMER_DEFERRED:
        if (attempt_is(core, timer))
            deferred_timed_out(core, timer->index);
        break;
    case TIMER_RUN_TIMEOUT:
    case TIMER_RUN_AFTER:
        fire_run(core, timer);
        break;
    case TIMER_SCHEDULE:
        fire_schedule(core, timer);
        break;
    case TIMER_AUTOSCALE:
        autoscale_timer(core, timer->index);
        break;
    case TIMER_WORKER:
        worker_silent(core, timer->index);
        break;
    case TIMER_AMNESTY:
        barrier_check(core);
        break;
    case TIMER_FIND:
        find_again(core, timer);
        break;
    case TIMER_WAIT:
        wait_timer(core, timer);
        break;
    case TIMER_DEADLINE:
        fire_run(core, timer);
        break;
    case TIMER_RECEIVER:
        notify_receiver(core, timer->index);
        break;
    case TIMER_NOTIFICATION:
        notify_timer(core, timer);
        break;
    case TIMER_PROBE:
        probe_timer(core, timer);
        break;
    }
}

static void fire_up_to(struct core *core, struct heap *heap, int64_t key)
{
    for (;;) {
        const struct heap_entry *entry = heap_peek(heap);
        if (entry == NULL || entry->key > key || batch_is_full(core))
            return;
        uint32_t index = (uint32_t)heap_pop(heap).item;
        struct timer timer = core->timers.items[index];
        VEC_ADD(&core->timers_free, index);
        fire(core, &timer);
    }
}

void timers_fire(struct core *core)
{
    fire_up_to(core, &core->timer_heap, core->now_ms);
    fire_up_to(core, &core->wall_heap, core->wall_ms);
}

int64_t timers_next_ms(const struct core *core)
{
    const struct heap_entry *first = heap_peek(&core->timer_heap),
                            *wall = heap_peek(&core->wall_heap);
    int64_t next_ms = first == NULL ? INT64_MAX : first->key;
    int64_t wall_ms = wall == NULL ? INT64_MAX : ms_of_wall(core, wall->key);
    return wall_ms < next_ms ? wall_ms : next_ms;
}
