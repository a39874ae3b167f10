// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim/world.h"

static int64_t below(struct world *world, int64_t bound)
{
    return (int64_t)rand_below(&world->luck, (uint64_t)bound);
}

/* Mostly short; sometimes longer than a lease. */
static int64_t length(struct world *world)
{
    return rand_chance(&world->luck, 0.25) ? 10000 + below(world, 60000) : 100 + below(world, 8000);
}

static void restart_later(struct world *world, uint32_t node)
{
    sim_at(world, world->now_ms + 100 + below(world, 20000),
           (struct event) { .kind = EVENT_RESTART, .node = node });
}

static void partition(struct world *world)
{
    uint32_t s = (uint32_t)below(world, world->scheduler_count),
             w = SIM_NODE_WORKER((uint32_t)below(world, world->worker_count));
    int64_t until_ms = world->now_ms + length(world);
    uint64_t sides = 1 + rand_below(&world->luck, 3);
    sim_trace(world, "partition s%u w%u %llu until %lld", s, w - SCHEDULERS_MAX,
              (unsigned long long)sides, (long long)until_ms);
    if (sides & 1)
        world->cut_until_ms[s][w] = until_ms;
    if (sides & 2)
        world->cut_until_ms[w][s] = until_ms;
}

static void scheduler_kill(struct world *world)
{
    uint32_t s = (uint32_t)below(world, world->scheduler_count);
    sim_trace(world, "s%u is killed", s);
    scheduler_stop(world, s);
    restart_later(world, s);
}

static void scheduler_pause(struct world *world)
{
    struct scheduler *node = &world->schedulers[below(world, world->scheduler_count)];
    if (!node->alive || node->paused)
        return;
    node->paused = true;
    node->paused_until_ms = world->now_ms + length(world);
    sim_trace(world, "s%u is paused until %lld", (uint32_t)(node - world->schedulers),
              (long long)node->paused_until_ms);
    sim_at(world, node->paused_until_ms,
           (struct event) { .kind = EVENT_RESUME, .node = (uint32_t)(node - world->schedulers) });
}

static void worker_kill(struct world *world)
{
    uint32_t w = (uint32_t)below(world, world->worker_count);
    worker_stop(world, w);
    restart_later(world, SIM_NODE_WORKER(w));
}

static void worker_pause(struct world *world, bool whole_host)
{
    uint32_t w = (uint32_t)below(world, world->worker_count);
    struct worker_node *node = &world->workers[w];
    int64_t until_ms = world->now_ms + length(world);
    if (!node->host_up || node->host_paused || node->paused)
        return;
    sim_trace(world, "w%u: the %s is paused until %lld", w, whole_host ? "host" : "worker",
              (long long)until_ms);
    if (whole_host) {
        node->host_paused = true;
        node->host_paused_until_ms = until_ms;
    } else {
        node->paused = node->alive;
        node->paused_until_ms = until_ms;
    }
    sim_at(world, until_ms, (struct event) { .kind = EVENT_RESUME, .node = SIM_NODE_WORKER(w) });
}

static void reboot(struct world *world)
{
    uint32_t w = (uint32_t)below(world, world->worker_count);
    int64_t up_ms = world->now_ms + 1000 + below(world, 30000);
    if (!world->workers[w].host_up)
        return;
    host_reboot(world, w);
    sim_at(world, up_ms, (struct event) { .kind = EVENT_RESUME, .node = SIM_NODE_WORKER(w) });
    sim_at(world, up_ms + 100,
           (struct event) { .kind = EVENT_RESTART, .node = SIM_NODE_WORKER(w) });
}

static void db_down(struct world *world)
{
    if (!world->db_up)
        return;
    world->db_up = false;
    sim_trace(world, "the database is away");
    sim_at(world, world->now_ms + length(world) / 2, (struct event) { .kind = EVENT_DB_UP });
}

static void apply(struct world *world, enum fault fault)
{
    switch (fault) {
    case FAULT_PARTITION:
        partition(world);
        break;
    case FAULT_SCHEDULER_KILL:
        scheduler_kill(world);
        break;
    case FAULT_SCHEDULER_PAUSE:
        scheduler_pause(world);
        break;
    case FAULT_WORKER_KILL:
        worker_kill(world);
        break;
    case FAULT_WORKER_PAUSE:
        worker_pause(world, false);
        break;
    case FAULT_WARDEN_KILL:
        warden_die(world, (uint32_t)below(world, world->worker_count));
        break;
    case FAULT_HOST_REBOOT:
        reboot(world);
        break;
    case FAULT_HOST_PAUSE:
        worker_pause(world, true);
        break;
    case FAULT_DB_DOWN:
        db_down(world);
        break;
    case FAULT_WALL_JUMP:
        world->wall_ms += below(world, 240000) - 120000;
        break;
    case FAULT_FAILOVER:
        if (world->timeline < 3 && rand_chance(&world->luck, 0.3))
            db_failover(world);
        break;
    default:
        return; /* the others happen on their own */
    }
    world->result->faults++;
}

void faults_next(struct world *world)
{
    if (world->healed)
        return;
    enum fault fault = (enum fault)below(world, FAULT_COUNT);
    if ((world->faults & 1u << fault) != 0)
        apply(world, fault);
    sim_at(world, world->now_ms + 200 + (int64_t)((double)below(world, 8000) / world->rate),
           (struct event) { .kind = EVENT_FAULT });
}

void faults_heal(struct world *world)
{
    world->healed = true;
    world->db_up = true;
    memset(world->cut_until_ms, 0, sizeof world->cut_until_ms);
    sim_trace(world, "no more faults");
    for (uint32_t i = 0; i < world->scheduler_count; i++) {
        if (world->schedulers[i].paused)
            world->schedulers[i].paused_until_ms = world->now_ms;
        world->schedulers[i].paused = false;
        scheduler_start(world, i);
    }
    for (uint32_t i = 0; i < world->worker_count; i++) {
        struct worker_node *node = &world->workers[i];
        node->paused_until_ms = node->host_paused_until_ms = world->now_ms;
        host_resume(world, i);
        worker_start(world, i);
    }
    sim_at(world, world->now_ms + 100, (struct event) { .kind = EVENT_REQUEST, .number = 1 });
}
