// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/core.h"

#include "scheduler/core/core_calls.h"

/* ---- life ------------------------------------------------------------------------------------ */

struct core *core_new(const struct core_limits *limits)
{
    struct core *core = calloc(1, sizeof *core);
    ASSERT(core != NULL);
    core->limits = *limits;
    core_reset(core);
    return core;
}

static void runs_clear(struct core *core)
{
    VEC_EACH (&core->runs, i) {
        struct run *run = core->runs.items[i];
        if (run == NULL)
            continue;
        map_clear(&run->output_index);
        VEC_CLEAR(&run->outputs);
        VEC_CLEAR(&run->expansions);
        VEC_CLEAR(&run->demand);
        arena_clear(&run->arena);
        free(run);
    }
    VEC_CLEAR(&core->runs);
    VEC_CLEAR(&core->runs_free);
    map_clear(&core->run_by_no);
    map_clear(&core->deleted);
}

static void dags_clear(struct core *core)
{
    VEC_EACH (&core->versions, i)
        if (core->versions.items[i].used)
            dag_free(core->versions.items[i].dag);
    VEC_EACH (&core->dags, i)
        dag_entry_clear(&core->dags.items[i]);
    VEC_CLEAR(&core->versions);
    VEC_CLEAR(&core->versions_free);
    VEC_CLEAR(&core->dags);
    map_clear(&core->version_by_no);
    map_clear(&core->dag_by_no);
    map_clear(&core->dag_by_id);
}

static void limits_clear(struct core *core)
{
    VEC_EACH (&core->pools, i)
        VEC_CLEAR(&core->pools.items[i].lanes);
    VEC_EACH (&core->queues, i) {
        VEC_CLEAR(&core->queues.items[i].lanes);
        heap_clear(&core->queues.items[i].free_workers);
    }
    VEC_EACH (&core->lanes, i)
        heap_clear(&core->lanes.items[i].ready);
    VEC_EACH (&core->gates, i) {
        VEC_EACH (&core->gates.items[i].parks, k)
            heap_clear(&core->gates.items[i].parks.items[k].heap);
        VEC_CLEAR(&core->gates.items[i].parks);
    }
    VEC_CLEAR(&core->pools);
    VEC_CLEAR(&core->queues);
    VEC_CLEAR(&core->lanes);
    VEC_CLEAR(&core->gates);
    VEC_CLEAR(&core->gates_free);
    VEC_CLEAR(&core->dag_gates);
    map_clear(&core->pool_by_name);
    map_clear(&core->queue_by_name);
    map_clear(&core->lane_by_key);
    heap_clear(&core->open_lanes);
    arena_clear(&core->names);
}

static void workers_clear(struct core *core)
{
    VEC_EACH (&core->attempts, i)
        arena_clear(&core->attempts.items[i].arena);
    VEC_EACH (&core->workers, i) {
        arena_clear(&core->workers.items[i].arena);
        VEC_CLEAR(&core->workers.items[i].queue_list);
        VEC_CLEAR(&core->workers.items[i].credits);
    }
    VEC_CLEAR(&core->attempts);
    VEC_CLEAR(&core->attempts_free);
    map_clear(&core->attempt_by_id);
    VEC_CLEAR(&core->workers);
    map_clear(&core->worker_by_identity);
    map_clear(&core->worker_by_no);
}

static void batches_clear(struct core *core)
{
    for (int i = 0; i < 2; i++) {
        struct batch *batch = &core->batches[i];
        VEC_CLEAR(&batch->writes);
        VEC_CLEAR(&batch->sends);
        VEC_CLEAR(&batch->acks);
        VEC_CLEAR(&batch->grants);
        VEC_CLEAR(&batch->grant_ids);
        VEC_CLEAR(&batch->notes);
        VEC_CLEAR(&batch->ended_runs);
        VEC_CLEAR(&batch->deleted_runs);
        VEC_CLEAR(&batch->notifications);
        arena_clear(&batch->arena);
    }
}

static void rest_clear(struct core *core)
{
    VEC_EACH (&core->backfills, i)
        backfill_free(core->backfills.items[i]);
    VEC_CLEAR(&core->backfills);
    VEC_EACH (&core->assets, i)
        VEC_CLEAR(&core->assets.items[i].dags);
    VEC_CLEAR(&core->assets);
    map_clear(&core->asset_by_name);
    map_clear(&core->variables);
    map_clear(&core->connections);
    VEC_CLEAR(&core->variable_list);
    VEC_CLEAR(&core->connection_list);
    arena_clear(&core->variable_arena);
    arena_clear(&core->connection_arena);
    VEC_EACH (&core->waits, i)
        wait_clear(&core->waits.items[i]);
    VEC_CLEAR(&core->waits);
    VEC_CLEAR(&core->waits_free);
    map_clear(&core->told_waits);
    notifications_clear(core);
    probes_clear(core);
    VEC_CLEAR(&core->errands);
    VEC_CLEAR(&core->work);
    heap_clear(&core->timer_heap);
    VEC_CLEAR(&core->timers);
    VEC_CLEAR(&core->timers_free);
    VEC_CLEAR(&core->sends);
    VEC_CLEAR(&core->notes);
    arena_clear(&core->step);
}

/* Everything but the limits and the totals. */
void core_reset(struct core *core)
{
    struct core_limits limits = core->limits;
    struct core_stats stats = core->stats;
    uint64_t batch_no = core->batch_no;
    runs_clear(core);
    dags_clear(core);
    limits_clear(core);
    workers_clear(core);
    batches_clear(core);
    rest_clear(core);
    *core = (struct core) { .limits = limits, .stats = stats, .batch_no = batch_no };
    core->open = &core->batches[0];
    core->open->batch_no = ++core->batch_no;
}

void core_free(struct core *core)
{
    if (core == NULL)
        return;
    core_reset(core);
    batches_clear(core);
    free(core);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void on_led(struct core *core, const struct core_event *event)
{
    core_reset(core);
    core->now_ms = event->now_ms;
    core->wall_ms = event->wall_ms;
    core->leading = true;
    core->epoch = event->led.epoch;
    core->led_ms = event->now_ms;
    core->barrier = core->may_have_lost =
        event->led.failover_age_ms >= 0 && event->led.failover_age_ms < core->limits.amnesty_ms;
    core->run_no_next = event->led.run_no_next;
    core->worker_no_next = event->led.worker_no_next > 0 ? event->led.worker_no_next : 1;
    core->event_no_next = event->led.event_no_next > 0 ? event->led.event_no_next : 1;
    rand_init(&core->rand, event->led.seed);
}

/* An empty key forgets all: the shell reads them again. */
static void on_variable(struct core *core, const struct core_event *event)
{
    struct str key = event->variable.key;
    uint64_t index = core->variable_list.count;
    if (key.size == 0) {
        map_clear(&core->variables);
        VEC_RESET(&core->variable_list);
        arena_reset(&core->variable_arena);
    } else if (event->variable.value == NULL) {
        (void)map_remove_str(&core->variables, key);
    } else {
        struct variable variable = { value_copy(&core->variable_arena, event->variable.value),
                                     event->variable.secret };
        map_put_str(&core->variables, key, index);
        VEC_ADD(&core->variable_list, variable);
    }
}

static void on_connection(struct core *core, const struct core_event *event)
{
    struct str id = event->connection.id;
    uint64_t index = core->connection_list.count;
    if (id.size == 0) {
        map_clear(&core->connections);
        VEC_RESET(&core->connection_list);
        arena_reset(&core->connection_arena);
    } else if (event->connection.value == NULL) {
        (void)map_remove_str(&core->connections, id);
    } else {
        map_put_str(&core->connections, id, index);
        VEC_ADD(&core->connection_list,
                value_copy(&core->connection_arena, event->connection.value));
    }
}

static void on_started(struct core *core, const struct core_event *event)
{
    uint32_t index = attempt_find(core, event->started.attempt);
    uint32_t worker = worker_find(core, event->started.worker);
    if (index != NONE && worker != NONE && core->attempts.items[index].worker == worker)
        attempt_started(core, index, event->started.started_unix_ms);
    else
        core->stats.dropped_messages++;
}

static void handle(struct core *core, const struct core_event *event)
{
    switch (event->type) {
    case CORE_TICK:
        break;
    case CORE_LED:
        on_led(core, event);
        break;
    case CORE_UNLED:
        core_reset(core);
        break;
    case CORE_DAG:
        dag_load(core, event);
        break;
    case CORE_DAG_GONE:
        dag_gone(core, event->dag_gone.dag_no);
        break;
    case CORE_POOL:
        pool_set(core, event->pool.name, event->pool.slots, event->pool.include_deferred,
                 event->pool.removed);
        break;
    case CORE_VARIABLE:
        on_variable(core, event);
        break;
    case CORE_CONNECTION:
        on_connection(core, event);
        break;
    case CORE_RUN_RECOVERED:
        recover_run(core, event->run);
        break;
    case CORE_WORKER_RECOVERED:
        recover_worker(core, event);
        break;
    case CORE_RECOVERED:
        recover_done(core);
        break;
    case CORE_REQUEST:
        request_handle(core, event->request);
        break;
    case CORE_INVENTORY:
        inventory_take(core, event->inventory);
        break;
    case CORE_STARTED:
        on_started(core, event);
        break;
    case CORE_COMMITTED:
        batch_committed(core, event->committed.batch_no);
        break;
    case CORE_AUTOSCALE:
        autoscale_set(core, event);
        break;
    case CORE_BACKFILL_RECOVERED:
        backfill_recover(core, event->backfill);
        break;
    case CORE_ASSET_RECOVERED:
        asset_recover(core, event->asset);
        break;
    case CORE_LENGTH:
        length_recover(core, event->length.dag_no, event->length.ms);
        break;
    case CORE_FILE:
        file_found(core, event);
        break;
    case CORE_FOUND:
        find_answer(core, event);
        break;
    case CORE_ERRANDS_DONE:
        errands_done(core, event);
        break;
    case CORE_PROBE:
        probe_ask(core, event);
        break;
    case CORE_NOTIFICATION:
        notify_recovered(core, event->notification);
        break;
    }
}

void core_step(struct core *core, const struct core_event *event, struct core_out *out)
{
    arena_reset(&core->step);
    VEC_RESET(&core->sends);
    VEC_RESET(&core->notes);
    VEC_RESET(&core->errands);
    core->now_ms = event->now_ms;
    core->wall_ms = event->wall_ms;
    *out = (struct core_out) { 0 };
    /* A DAG is taken whatever becomes of it. */
    if (!core->leading && event->type != CORE_LED) {
        if (event->type == CORE_DAG)
            dag_free(event->dag.dag);
        return;
    }
    handle(core, event);
    if (!core->leading)
        return;
    if (core->deciding) {
        timers_fire(core);
        work_drain(core);
        place_ready(core);
        work_drain(core); /* what could not be rendered has failed, and that has consequences */
        autoscale_check(core);
    }
    out->commit = batch_begin(core);
    errands_send(core);
    out->sends = core->sends.items;
    out->send_count = core->sends.count;
    out->notes = core->notes.items;
    out->note_count = core->notes.count;
}

int64_t core_wake_at_ms(const struct core *core)
{
    const struct heap_entry *first = heap_peek(&core->timer_heap);
    if (!core->deciding || first == NULL || (core->flight != NULL && batch_is_full(core)))
        return INT64_MAX; /* or CORE_COMMITTED goes on */
    return first->key;
}

/* ---- questions ------------------------------------------------------------------------------- */

bool core_has_run(const struct core *core, int64_t run_no)
{
    return run_by_no(core, run_no) != NULL;
}

bool core_has_version(const struct core *core, int64_t version_no)
{
    return map_get(&core->version_by_no, (uint64_t)version_no, NULL);
}

struct core_stats core_stats(const struct core *core)
{
    struct core_stats stats = core->stats;
    stats.dags = core->dag_by_no.count;
    stats.runs_live = core->runs_live;
    stats.timers = core->timers.count - core->timers_free.count;
    stats.waiting = core->waits.count - core->waits_free.count;
    stats.notifications_pending = core->notifications.count - core->notifications_free.count;
    VEC_EACH (&core->dags, i)
        stats.runs_queued += core->dags.items[i].used ? core->dags.items[i].queued_count : 0;
    VEC_EACH (&core->runs, i) {
        const struct run *run = core->runs.items[i];
        for (uint32_t k = 0; run != NULL && k < run->demand.count; k++)
            stats.tasks_scheduled += run->demand.items[k].scheduled;
    }
    VEC_EACH (&core->attempts, i) {
        const struct attempt *attempt = &core->attempts.items[i];
        if (!attempt->used || attempt->worker == NONE)
            continue;
        stats.tasks_running += attempt->started;
        stats.tasks_queued += !attempt->started;
    }
    stats.workers = core->workers.count;
    VEC_EACH (&core->workers, i)
        stats.credits_open += worker_free_credits(core, &core->workers.items[i]);
    return stats;
}
