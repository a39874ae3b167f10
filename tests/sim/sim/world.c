// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim/world.h"

#include "common/base/assert.h"

#include <stdio.h>

#ifdef HEADRACE_MUTANTS
enum mutant mutant_now = MUTANT_NONE;
#endif

/* Asserts of the cores end a seed, not the program: the simulator has its own. */
static struct world *world_now;

_Noreturn void assert_failed(const char *file, int line, const char *condition)
{
    if (world_now != NULL)
        sim_fail(world_now, "assert %s at %s:%d", condition, file, line);
    fprintf(stderr, "%s:%d: assert %s\n", file, line, condition);
    abort();
}

void assert_note(const char *note)
{
    (void)note;
}

void sim_fail(struct world *world, const char *fmt, ...)
{
    va_list args;
    char text[500];
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    world->result->failed = true;
    snprintf(world->result->failure, sizeof world->result->failure, "[%lld ms] %s",
             (long long)world->now_ms, text);
    longjmp(world->failed, 1);
}

void sim_trace(struct world *world, const char *fmt, ...)
{
    va_list args;
    if (!world->config.trace)
        return;
    fprintf(stderr, "[%8lld] ", (long long)world->now_ms);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

void sim_digest(struct world *world, uint64_t number)
{
    uint64_t digest = world->result->digest ^ number;
    digest *= 0x9E3779B97F4A7C15u;
    world->result->digest = digest ^ digest >> 29;
}

void sim_at(struct world *world, int64_t at_ms, struct event event)
{
    uint32_t index = world->events.count;
    if (world->events_free.count > 0) {
        index = world->events_free.items[--world->events_free.count];
        world->events.items[index] = event;
    } else {
        VEC_ADD(&world->events, event);
    }
    heap_push(&world->heap, (struct heap_entry) { at_ms > world->now_ms ? at_ms : world->now_ms,
                                                  world->event_count++, index });
}

bool sim_fault(struct world *world, enum fault fault, double probability)
{
    if (world->healed || (world->faults & 1u << fault) == 0 ||
        !rand_chance(&world->luck, probability))
        return false;
    world->result->faults++;
    return true;
}

static void dispatch(struct world *world, const struct event *event)
{
    switch (event->kind) {
    case EVENT_DELIVER:
        net_deliver(world, event->message);
        break;
    case EVENT_SCHEDULER:
    case EVENT_POLL:
    case EVENT_LED:
    case EVENT_COMMITTED:
    case EVENT_FIND:
    case EVENT_FOUND:
    case EVENT_RENEWED:
        scheduler_event(world, event);
        break;
    case EVENT_COMMIT:
    case EVENT_RENEW:
        db_event(world, event);
        break;
    case EVENT_WORKER:
    case EVENT_EXEC:
    case EVENT_EXIT:
    case EVENT_DEADLINE:
        worker_event(world, event);
        break;
    case EVENT_RESTART:
        if (event->node < SCHEDULERS_MAX)
            scheduler_start(world, event->node);
        else
            worker_start(world, event->node - SCHEDULERS_MAX);
        break;
    case EVENT_RESUME:
        if (event->node < SCHEDULERS_MAX)
            world->schedulers[event->node].paused = false;
        else
            host_resume(world, event->node - SCHEDULERS_MAX);
        break;
    case EVENT_ERRAND:
        errands_event(world, event);
        break;
    case EVENT_FAULT:
        faults_next(world);
        break;
    case EVENT_REQUEST:
        workload_request(world, event->number);
        break;
    case EVENT_DB_UP:
        world->db_up = true;
        break;
    case EVENT_HEAL:
        faults_heal(world);
        break;
    }
}

static void world_loop(struct world *world)
{
    char why[300] = "";
    for (;;) {
        const struct heap_entry *first = heap_peek(&world->heap);
        if (first == NULL)
            sim_fail(world, "nothing happens any more");
        if (first->key > FAULTS_MS + HEAL_MS) {
            (void)workload_is_done(world, why, sizeof why);
            workload_why(world);
            sim_fail(world, "I5: not done %d s after the last fault: %s", HEAL_MS / 1000, why);
        }
        struct heap_entry entry = heap_pop(&world->heap);
        struct event event = world->events.items[entry.item];
        VEC_ADD(&world->events_free, (uint32_t)entry.item);
        world->now_ms = entry.key;
        world->result->events++;
        sim_digest(world, (uint64_t)entry.key << 8 | event.kind);
        sim_digest(world, event.node);
        dispatch(world, &event);
        if (world->healed && event.kind == EVENT_COMMITTED &&
            workload_is_done(world, why, sizeof why))
            return;
    }
}

static void world_make(struct world *world, const struct sim_config *config,
                       struct sim_result *result)
{
    world->config = *config;
    world->result = result;
    rand_init(&world->work, config->seed * 3 + 1);
    rand_init(&world->luck, config->seed * 3 + 2);
    rand_init(&world->net, config->seed * 3 + 3);
    rand_init(&world->more, ~config->seed);
    world->faults = 0;
    for (int i = 0; i < FAULT_COUNT; i++)
        if (rand_chance(&world->luck, i == FAULT_FAILOVER ? 0.25 : 0.5))
            world->faults |= 1u << i;
    world->faults &= config->faults;
    world->rate = 0.2 + rand_real(&world->luck) * 2;
    world->lossy = (world->faults & 1u << FAULT_FAILOVER) != 0;
    result->faults_drawn = world->faults;
    world->db_up = true;
    world->timeline = 1;
    world->lease_holder = UINT32_MAX;
    model_store_init(&world->store);
    workload_make(world);
    for (uint32_t i = 0; i < world->scheduler_count; i++)
        scheduler_start(world, i);
    for (uint32_t i = 0; i < world->worker_count; i++) {
        world->workers[i].host_up = true;
        worker_start(world, i);
    }
    sim_at(world, 500, (struct event) { .kind = EVENT_FAULT });
    sim_at(world, FAULTS_MS, (struct event) { .kind = EVENT_HEAL });
}

static void world_clear(struct world *world)
{
    for (uint32_t i = 0; i < world->scheduler_count; i++)
        core_free(world->schedulers[i].core);
    for (uint32_t i = 0; i < world->worker_count; i++) {
        worker_core_free(world->workers[i].core);
        VEC_CLEAR(&world->workers[i].processes);
    }
    while (world->heap.count > 0) {
        struct heap_entry entry = heap_pop(&world->heap);
        if (world->events.items[entry.item].message != NULL)
            message_drop(world->events.items[entry.item].message);
    }
    heap_clear(&world->heap);
    VEC_CLEAR(&world->events);
    VEC_CLEAR(&world->events_free);
    VEC_EACH (&world->transactions, i)
        arena_clear(&world->transactions.items[i].arena);
    VEC_CLEAR(&world->transactions);
    VEC_CLEAR(&world->transactions_free);
    VEC_CLEAR(&world->finds);
    VEC_EACH (&world->dags, i)
        dag_free(world->dags.items[i]);
    VEC_CLEAR(&world->dags);
    VEC_CLEAR(&world->requests);
    observer_clear(&world->observer);
    model_store_clear(&world->store);
    arena_clear(&world->arena);
}

void sim_run(const struct sim_config *config, struct sim_result *result)
{
    struct world *world = calloc(1, sizeof *world);
    *result = (struct sim_result) { .digest = config->seed };
    world_now = world;
    if (setjmp(world->failed) == 0) {
        world_make(world, config, result);
        world_loop(world);
        observe_end(world);
        world_now = NULL;
        result->sim_ms = world->now_ms;
        world_clear(world);
        free(world);
        return;
    }
    /* The cores may be in the middle of a step: their memory is left as it is. */
    result->sim_ms = world->now_ms;
    world_now = NULL;
}
