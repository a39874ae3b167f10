// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "tests/sim/sim/world.h"

struct message *message_new(enum message_kind kind, uint32_t from, uint32_t to, uint64_t epoch)
{
    struct message *message = calloc(1, sizeof *message);
    ASSERT(message != NULL);
    *message =
        (struct message) { .kind = kind, .from = from, .to = to, .epoch = epoch, .copies = 1 };
    return message;
}

void message_drop(struct message *message)
{
    if (--message->copies > 0)
        return;
    free(message->attempts);
    free(message->errands);
    free((void *)(uintptr_t)message->inventory.open_seqs);
    free((void *)(uintptr_t)message->inventory.attempts);
    free(message);
}

static void post(struct world *world, struct message *message, int64_t late_ms)
{
    int64_t delay_ms = late_ms + 1 + (int64_t)rand_below(&world->net, 5);
    if (sim_fault(world, FAULT_DELAY, 0.06))
        delay_ms +=
            (int64_t)rand_below(&world->luck, rand_chance(&world->luck, 0.3) ? 90000 : 5000);
    sim_at(world, world->now_ms + delay_ms,
           (struct event) { .kind = EVENT_DELIVER, .node = message->to, .message = message });
}

void net_send(struct world *world, struct message *message)
{
    world->result->messages++;
    if (world->cut_until_ms[message->from][message->to] > world->now_ms ||
        sim_fault(world, FAULT_DROP, 0.03 * world->rate)) {
        message_drop(message);
        return;
    }
    if (sim_fault(world, FAULT_REPEAT, 0.04)) {
        message->copies++;
        post(world, message,
             rand_chance(&world->luck, 0.5) ? (int64_t)rand_below(&world->luck, 60000) : 0);
    }
    post(world, message, 0);
}

void net_deliver(struct world *world, struct message *message)
{
    if (world->cut_until_ms[message->from][message->to] <= world->now_ms) {
        if (message->to < SCHEDULERS_MAX)
            scheduler_receive(world, message->to, message);
        else
            worker_receive(world, message->to - SCHEDULERS_MAX, message);
    }
    message_drop(message);
}
