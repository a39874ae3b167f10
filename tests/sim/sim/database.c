// SPDX-License-Identifier: Apache-2.0
/* The database: a lease, the rows, and transactions that take time, are refused by the fence, or
 * happen unseen. */
#include "common/base/assert.h"
#include "tests/sim/sim/world.h"

struct transaction *db_transaction(struct world *world, uint64_t number)
{
    return &world->transactions.items[number];
}

void db_transaction_end(struct world *world, uint64_t number)
{
    struct transaction *transaction = &world->transactions.items[number];
    arena_clear(&transaction->arena);
    transaction->used = false;
    VEC_ADD(&world->transactions_free, (uint32_t)number);
}

static int64_t way(struct world *world)
{
    if (sim_fault(world, FAULT_COMMIT_SLOW, 0.03))
        return (int64_t)rand_below(&world->luck, 20000);
    return 1 + (int64_t)rand_below(&world->net, 4);
}

void db_commit(struct world *world, uint32_t scheduler, const struct core_batch *batch)
{
    const struct scheduler *node = &world->schedulers[scheduler];
    uint32_t number = world->transactions.count;
    if (world->transactions_free.count > 0)
        number = world->transactions_free.items[--world->transactions_free.count];
    else
        VEC_ADD(&world->transactions, (struct transaction) { 0 });
    struct transaction *transaction = &world->transactions.items[number];
    *transaction = (struct transaction) { .used = true,
                                          .node = scheduler,
                                          .generation = node->generation,
                                          .db_generation = world->db_generation,
                                          .batch_no = batch->batch_no,
                                          .epoch = batch->epoch,
                                          .count = batch->write_count };
    transaction->records =
        arena_copy(&transaction->arena, batch->writes, batch->write_count * sizeof *batch->writes);
    for (uint32_t i = 0; i < batch->write_count; i++)
        model_store_keep(&transaction->arena, &transaction->records[i]);
    sim_at(world, world->now_ms + way(world),
           (struct event) { .kind = EVENT_COMMIT, .node = scheduler, .number = number });
}

static void execute(struct world *world, struct transaction *transaction)
{
    struct err err = { 0 };
    if (!world->db_up || transaction->db_generation != world->db_generation) {
        transaction->outcome = COMMIT_UNKNOWN;
        return;
    }
    if (transaction->epoch != world->lease_epoch && !MUTANT(STORE_NO_FENCE)) {
        transaction->outcome = COMMIT_REJECTED;
        return;
    }
    int rc = model_store_apply(&world->store, transaction->records, transaction->count,
                               world->now_ms, &err);
    if (rc < 0)
        sim_fail(world, "I6: the store refuses what s%u believes: %s", transaction->node,
                 err.sentence);
    world->result->commits++;
    transaction->outcome = COMMIT_DONE;
    observe_commit(world, transaction);
    if (sim_fault(world, FAULT_COMMIT_UNKNOWN, 0.01))
        transaction->outcome = COMMIT_UNKNOWN;
}

static void on_commit(struct world *world, const struct event *event)
{
    struct transaction *transaction = db_transaction(world, event->number);
    execute(world, transaction);
    int64_t delay_ms = transaction->outcome == COMMIT_UNKNOWN
                           ? (int64_t)rand_below(&world->luck, 5000)
                           : way(world);
    sim_at(world, world->now_ms + delay_ms,
           (struct event) { .kind = EVENT_COMMITTED,
                            .node = event->node,
                            .generation = transaction->generation,
                            .number = event->number });
}

/* number carries the world time at which the renewal was sent. */
static void on_renew(struct world *world, const struct event *event)
{
    const struct scheduler *node = &world->schedulers[event->node];
    if (!world->db_up || !node->alive || node->generation != event->generation)
        return;
    bool holds = world->lease_epoch == node->epoch && world->lease_holder == event->node;
    if (holds)
        world->lease_until_ms = world->now_ms + LEADER_LEASE_MS;
    sim_at(world, world->now_ms + way(world),
           (struct event) { .kind = EVENT_RENEWED,
                            .node = event->node,
                            .generation = event->generation,
                            .number = holds ? event->number : 0 });
}

void db_event(struct world *world, const struct event *event)
{
    if (event->kind == EVENT_COMMIT)
        on_commit(world, event);
    else
        on_renew(world, event);
}

/* A leader whose connection is gone has lost the lease at once; a silent one keeps it until it
 * ends. */
bool db_take_lease(struct world *world, uint32_t scheduler)
{
    if (!world->db_up)
        return false;
    bool held = world->lease_holder != UINT32_MAX && world->lease_until_ms > world->now_ms &&
                world->schedulers[world->lease_holder].alive && world->lease_holder != scheduler &&
                world->schedulers[world->lease_holder].epoch == world->lease_epoch;
    if (held)
        return false;
    if (world->timeline > 1 && !world->failover_found) {
        world->failover_found = true;
        world->failed_over_ms = world->now_ms;
    }
    world->stale_epoch = world->lease_epoch;
    world->lease_epoch = world->timeline << 32 | ++world->lease_counter;
    world->lease_holder = scheduler;
    world->lease_until_ms = world->now_ms + LEADER_LEASE_MS;
    return true;
}

void db_failover(struct world *world)
{
    int64_t lost_ms = (int64_t)rand_below(&world->luck, LOSS_MS);
    uint32_t kept = 0;
    while (kept < world->store.log.count &&
           world->store.log.items[kept].at_ms <= world->now_ms - lost_ms)
        kept++;
    sim_trace(world, "failover: %u of %u transactions lost", world->store.log.count - kept,
              world->store.log.count);
    model_store_lose(&world->store, kept);
    world->timeline++;
    world->db_generation++;
    world->lease_holder = UINT32_MAX;
    world->lease_until_ms = 0;
    world->failover_found = false;
    world->lease_epoch = world->timeline << 32;
    for (uint32_t i = 0; i < world->scheduler_count; i++)
        if (world->schedulers[i].alive && !world->schedulers[i].paused)
            scheduler_unlead(world, i);
}
