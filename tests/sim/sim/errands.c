// SPDX-License-Identifier: Apache-2.0
/* Errands: looks by workers, whose answers luck decides, questions to the database, and deliveries
 * of notifications. Whoever runs one forgets it when it dies. */
#include "common/base/assert.h"
#include "tests/sim/sim/world.h"

static struct message *errands_message(struct world *world, enum message_kind kind, uint32_t from,
                                       uint32_t to, uint64_t epoch, const struct errand *items,
                                       uint32_t count)
{
    struct message *message = message_new(kind, from, to, epoch);
    message->errands = malloc(count * sizeof *message->errands);
    ASSERT(message->errands != NULL);
    memcpy(message->errands, items, count * sizeof *items);
    message->count = count;
    for (uint32_t i = 0; i < count; i++)
        message->errands[i].payload = str_copy(&world->arena, items[i].payload);
    return message;
}

void errands_hand(struct world *world, uint32_t index, uint32_t worker,
                  const struct core_send *what)
{
    struct scheduler *node = &world->schedulers[index];
    if (worker != UINT32_MAX) {
        net_send(world, errands_message(world, MESSAGE_ERRANDS, index, SIM_NODE_WORKER(worker),
                                        what->epoch, what->errands.items, what->errands.count));
        return;
    }
    for (uint32_t i = 0; i < what->errands.count; i++)
        sim_at(
            world, world->now_ms + 1 + (int64_t)rand_below(&world->more, 2000),
            (struct event) { .kind = EVENT_ERRAND,
                             .node = index,
                             .generation = node->generation,
                             .message = errands_message(world, MESSAGE_ERRANDS, index, index,
                                                        node->epoch, &what->errands.items[i], 1) });
}

void errands_receive(struct world *world, uint32_t index, struct message *message)
{
    struct worker_node *node = &world->workers[index];
    for (uint32_t i = 0; i < message->count; i++)
        sim_at(world, world->now_ms + 1 + (int64_t)rand_below(&world->more, 3000),
               (struct event) { .kind = EVENT_ERRAND,
                                .node = SIM_NODE_WORKER(index),
                                .generation = node->generation,
                                .message = errands_message(world, MESSAGE_ERRANDS, message->from,
                                                           SIM_NODE_WORKER(index), message->epoch,
                                                           &message->errands[i], 1) });
}

/* What the world answers. A receiver of notifications is away now and then; none refuses for ever.
 */
static enum errand_outcome outcome_of(struct world *world, const struct errand *errand)
{
    uint64_t draw = rand_below(&world->more, 100);
    switch (errand->kind) {
    case ERRAND_TASK:
        return world->db_up && model_store_succeeded(&world->store, errand->payload)
                   ? ERRAND_DONE
                   : ERRAND_NOT_YET;
    case ERRAND_ASSET:
        return world->db_up && model_store_updated(&world->store, errand->payload) ? ERRAND_DONE
                                                                                   : ERRAND_NOT_YET;
    case ERRAND_NOTIFY:
        if (!world->healed && draw < 30)
            return draw < 15 ? ERRAND_UNREACHABLE : ERRAND_NOT_YET;
        observe_delivery(world, errand->id);
        return ERRAND_DONE;
    default:
        if (draw < 4)
            return ERRAND_HOPELESS;
        if (draw < 60)
            return ERRAND_NOT_YET;
        observe_seen(world, errand->id);
        return ERRAND_DONE;
    }
}

static struct message *answer_message(uint32_t from, uint32_t to, const struct errand *errand,
                                      enum errand_outcome outcome)
{
    struct message *message = message_new(MESSAGE_ERRANDS_DONE, from, to, 0);
    message->answer = (struct errand_answer) { errand->id, errand->number, outcome,
                                               outcome == ERRAND_DONE ? STR("[1,2]") : STR_EMPTY,
                                               STR("so it is") };
    return message;
}

static bool is_ours(const struct world *world, const struct event *event)
{
    if (event->node < SCHEDULERS_MAX)
        return world->schedulers[event->node].alive &&
               world->schedulers[event->node].generation == event->generation;
    const struct worker_node *node = &world->workers[event->node - SCHEDULERS_MAX];
    return node->alive && !node->paused && !node->host_paused &&
           node->generation == event->generation;
}

void errands_event(struct world *world, const struct event *event)
{
    struct message *message = event->message;
    const struct errand *errand = &message->errands[0];
    if (is_ours(world, event)) {
        enum errand_outcome outcome = outcome_of(world, errand);
        sim_trace(world, "errand %s of %llx: %s", errand_kind_name(errand->kind),
                  (unsigned long long)errand->id.low, errand_outcome_name(outcome));
        if (event->node < SCHEDULERS_MAX) {
            struct message *answer = answer_message(event->node, event->node, errand, outcome);
            scheduler_receive(world, event->node, answer);
            message_drop(answer);
        } else {
            for (uint32_t s = 0; s < world->scheduler_count; s++)
                net_send(world, answer_message(event->node, s, errand, outcome));
        }
    }
    message_drop(message);
}
