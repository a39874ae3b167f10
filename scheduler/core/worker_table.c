// SPDX-License-Identifier: Apache-2.0
/* worker_table - the workers, their free credits, and which of them a queue's next task goes to:
 * the one with most room. */
#include "scheduler/core/core_calls.h"

uint32_t worker_find(const struct core *core, struct str identity)
{
    uint64_t index = 0;
    return map_get_str(&core->worker_by_identity, identity, &index) ? (uint32_t)index : NONE;
}

uint32_t worker_by_no(const struct core *core, int64_t worker_no)
{
    uint64_t index = 0;
    return map_get(&core->worker_by_no, (uint64_t)worker_no, &index) ? (uint32_t)index : NONE;
}

uint32_t worker_add(struct core *core, struct str identity, int64_t worker_no)
{
    uint32_t index = core->workers.count;
    VEC_ADD(&core->workers,
            (struct worker) { .used = true, .worker_no = worker_no, .first_attempt = NONE });
    struct worker *worker = &core->workers.items[index];
    worker->identity = str_copy(&worker->arena, identity);
    worker->name = worker->host = worker->version = worker->queues = STR_EMPTY;
    worker->heard_ms = core->now_ms;
    map_put_str(&core->worker_by_identity, worker->identity, index);
    map_put(&core->worker_by_no, (uint64_t)worker_no, index);
    if (core->worker_no_next <= worker_no)
        core->worker_no_next = worker_no + 1;
    timer_set(core, core->now_ms + core->limits.lease_ms + core->limits.lease_grace_ms,
              (struct timer) { .kind = TIMER_WORKER, .index = index });
    return index;
}

void worker_queues_set(struct core *core, uint32_t index, struct str queues)
{
    struct worker *worker = &core->workers.items[index];
    struct str rest = queues, part = STR_EMPTY;
    VEC_RESET(&worker->queue_list);
    worker->queues = str_copy(&worker->arena, queues);
    while (rest.bytes != NULL && str_split(&rest, ',', &part))
        if (str_trim(part).size > 0)
            VEC_ADD(&core->workers.items[index].queue_list, queue_index(core, str_trim(part)));
}

/* ---- credits --------------------------------------------------------------------------------- */

static bool is_fresh(const struct core *core, const struct worker *worker)
{
    return core->now_ms <
           worker->received_ms + core->limits.credit_ttl_ms - core->limits.credit_margin_ms;
}

uint32_t worker_free_credits(const struct core *core, const struct worker *worker)
{
    bool active = worker->state == WORKER_ACTIVE || MUTANT(CORE_PLACES_DRAINING);
    bool settled = core->limits.join_settle_ms == 0 ||
                   (worker->settled_ms != 0 && core->now_ms >= worker->settled_ms);
    return worker->synced && active && settled && is_fresh(core, worker) ? worker->credits.count
                                                                         : 0;
}

bool worker_serves(const struct worker *worker, uint32_t queue)
{
    VEC_EACH (&worker->queue_list, i)
        if (worker->queue_list.items[i] == queue)
            return true;
    return false;
}

static struct heap_entry entry_of(const struct worker *worker, uint32_t index)
{
    return (struct heap_entry) { -(int64_t)worker->listed_free, (uint64_t)worker->worker_no,
                                 index };
}

/* Entries that no longer count gather below the top: now and then the heap is made anew. */
static void heap_tidy(struct core *core, uint32_t queue)
{
    struct heap *heap = &core->queues.items[queue].free_workers;
    if (heap->count < 4 * core->workers.count + 64)
        return;
    heap->count = 0;
    VEC_EACH (&core->workers, i)
        if (core->workers.items[i].listed_free > 0 && worker_serves(&core->workers.items[i], queue))
            heap_push(heap, entry_of(&core->workers.items[i], i));
}

void worker_list(struct core *core, uint32_t index)
{
    struct worker *worker = &core->workers.items[index];
    uint32_t before = worker->listed_free;
    worker->listed_free = worker_free_credits(core, worker);
    if (worker->listed_free == 0 || worker->listed_free == before)
        return;
    VEC_EACH (&worker->queue_list, i) {
        uint32_t queue = worker->queue_list.items[i];
        heap_push(&core->queues.items[queue].free_workers, entry_of(worker, index));
        heap_tidy(core, queue);
        if (before == 0)
            queue_wake(core, queue);
    }
}

uint32_t worker_pick(struct core *core, uint32_t queue)
{
    struct heap *heap = &core->queues.items[queue].free_workers;
    for (;;) {
        const struct heap_entry *first = heap_peek(heap);
        if (first == NULL)
            return NONE;
        uint32_t index = (uint32_t)first->item;
        struct worker *worker = &core->workers.items[index];
        if (worker->listed_free > 0 && first->key == -(int64_t)worker->listed_free &&
            worker_serves(worker, queue)) {
            if (worker_free_credits(core, worker) > 0)
                return index;
            worker->listed_free = 0; /* too old; its next inventory lists it again */
        }
        (void)heap_pop(heap);
    }
}

/* ---- coming and going ------------------------------------------------------------------------ */

void worker_drain(struct core *core, uint32_t index, bool drain, bool stop, const char *reason)
{
    struct worker *worker = &core->workers.items[index];
    bool is_draining = worker->state == WORKER_DRAINING || worker->state == WORKER_DRAINED;
    worker->stop = drain && (stop || worker->stop);
    if (is_draining == drain)
        return;
    /* Its credits are withdrawn by this transaction: nothing is placed on it from here on. */
    worker->state = drain ? WORKER_DRAINING : WORKER_ACTIVE;
    write_worker(core, worker, reason);
    worker_list(core, index);
    hold_send(core, (struct core_send) {
                        .type = SEND_DRAIN, .worker = worker->identity, .drain = { drain } });
    if (drain)
        worker_check_drained(core, index);
}

/* Drained: it runs nothing, gives no credit, and its last result is recorded. */
void worker_check_drained(struct core *core, uint32_t index)
{
    struct worker *worker = &core->workers.items[index];
    if (worker->state != WORKER_DRAINING || worker->attempt_count > 0 || !worker->synced ||
        worker->reports > 0 || worker->open_count > 0)
        return;
    worker->state = WORKER_DRAINED;
    write_worker(core, worker, "nothing runs on it any more");
    if (worker->stop) {
        hold_send(core, (struct core_send) { .type = SEND_STOP, .worker = worker->identity });
        autoscale_worker_drained(core, index);
    }
}

void worker_silent(struct core *core, uint32_t index)
{
    struct worker *worker = &core->workers.items[index];
    int64_t patience_ms = core->limits.lease_ms + core->limits.lease_grace_ms;
    int64_t at_ms = worker->heard_ms + patience_ms;
    if (worker->state == WORKER_GONE)
        return;
    bool kept_by_user = worker->state != WORKER_ACTIVE &&
                        !worker->stop; /* drained it stays, also when it is away */
    if (at_ms > core->now_ms || kept_by_user) {
        timer_set(core, at_ms > core->now_ms ? at_ms : core->now_ms + patience_ms,
                  (struct timer) { .kind = TIMER_WORKER, .index = index });
        return;
    }
    bool was_drained = worker->state == WORKER_DRAINED;
    worker->state = WORKER_GONE;
    worker->synced = false;
    worker_list(core, index);
    /* the pages tell by these words who is missed and who is not */
    write_worker(core, worker,
                 was_drained ? "drained, and ended" : "no news from it for the length of a lease");
    autoscale_worker_drained(core, index);
}
