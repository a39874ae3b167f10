// SPDX-License-Identifier: Apache-2.0
/* errand - small jobs beside the slots: who runs them, and whose answer it is. They are gathered
 * during a step, so that many share a message; what an answer means is for wait.c, notify.c and
 * probe.c. */
#include "scheduler/core/core_calls.h"

enum {
    IN_FLIGHT_MAX = 1000, /* of one worker: what is more waits here, where it costs nothing */
    MESSAGE_BYTES_MAX = 1 << 20,
    MESSAGE_ERRANDS = 500,
};

/* One that is active, heard of and not full, each in turn. */
uint32_t errand_worker(struct core *core, uint32_t queue)
{
    for (uint32_t i = 0; i < core->workers.count; i++) {
        uint32_t index = (core->errand_turn + i) % core->workers.count;
        const struct worker *worker = &core->workers.items[index];
        if (worker->state != WORKER_ACTIVE || !worker->synced || worker->errands >= IN_FLIGHT_MAX ||
            core->now_ms >= worker->heard_ms + core->limits.lease_ms ||
            (queue != NONE && !worker_serves(worker, queue)))
            continue;
        core->errand_turn = index + 1;
        return index;
    }
    return NONE;
}

void errand_give(struct core *core, uint32_t worker, struct errand errand)
{
    if (worker != NONE)
        core->workers.items[worker].errands++;
    VEC_ADD(&core->errands, ((struct given_errand) { worker, errand }));
}

void errand_over(struct core *core, uint32_t worker)
{
    if (worker == NONE)
        return;
    ASSERT(core->workers.items[worker].errands > 0);
    core->workers.items[worker].errands--;
}

static void send_part(struct core *core, uint32_t worker, const struct errand *items,
                      uint32_t count)
{
    struct str identity = worker != NONE ? core->workers.items[worker].identity : STR_EMPTY;
    if (count > 0)
        send_now(core, (struct core_send) {
                           .type = SEND_ERRANDS, .worker = identity, .errands = { items, count } });
}

/* All of one worker's, in messages of bounded size. */
static void send_to(struct core *core, uint32_t worker, uint32_t from, struct errand *items)
{
    uint32_t begin = 0, count = 0;
    size_t bytes = 0;
    for (uint32_t i = from; i < core->errands.count; i++) {
        struct given_errand *given = &core->errands.items[i];
        if (given->worker != worker || given->errand.payload.bytes == NULL)
            continue;
        if (count > begin && (count - begin == MESSAGE_ERRANDS ||
                              bytes + given->errand.payload.size > MESSAGE_BYTES_MAX)) {
            send_part(core, worker, items + begin, count - begin);
            begin = count;
            bytes = 0;
        }
        bytes += given->errand.payload.size;
        items[count++] = given->errand;
        given->errand.payload.bytes = NULL; /* sent */
    }
    send_part(core, worker, items + begin, count - begin);
}

void errands_send(struct core *core)
{
    for (uint32_t i = 0; i < core->errands.count; i++) {
        if (core->errands.items[i].errand.payload.bytes == NULL)
            continue;
        struct errand *items = ARENA_ARRAY(&core->step, struct errand, core->errands.count - i);
        send_to(core, core->errands.items[i].worker, i, items);
    }
}

void errands_done(struct core *core, const struct core_event *event)
{
    for (uint32_t i = 0; i < event->errands.count; i++) {
        const struct errand_answer *answer = &event->errands.answers[i];
        uint32_t attempt = attempt_find(core, answer->id),
                 notification = notification_find(core, answer->id),
                 probe = probe_find(core, answer->id);
        if (attempt != NONE && core->attempts.items[attempt].wait != NONE)
            wait_answer(core, core->attempts.items[attempt].wait, answer);
        else if (notification != NONE)
            notify_answer(core, notification, answer);
        else if (probe != NONE)
            probe_answer(core, probe, answer);
        else
            core->stats.dropped_messages++; /* nobody waits for it any more */
    }
}
