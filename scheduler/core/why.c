// SPDX-License-Identifier: Apache-2.0
/* why - why an instance has not started, in sentences with figures, what blocks most first. */
#include "common/base/buf.h"
#include "scheduler/core/core_calls.h"

static void line(struct buf *out, const char *fmt, ...) FORMAT(2, 3);

static void line(struct buf *out, const char *fmt, ...)
{
    struct arena scratch = { 0 };
    va_list args;
    va_start(args, fmt);
    struct str text = str_formatv(&scratch, fmt, args);
    va_end(args);
    if (out->size > 0)
        buf_add_byte(out, '\n');
    buf_add_str(out, text);
    arena_clear(&scratch);
}

static struct str time_text(struct arena *arena, const struct core *core, int64_t wall_ms)
{
    return str_format(arena, "%.*s (in %lld s)", STR_ARG(context_time(arena, wall_ms)),
                      (long long)((wall_ms - core->wall_ms + 999) / 1000));
}

static void of_run(const struct core *core, const struct run *run, struct buf *out,
                   struct arena *arena)
{
    const struct dag_entry *dag = &core->dags.items[run->dag];
    const struct dag *model = run_dag(core, run);
    if (dag->paused)
        line(out, "DAG %.*s is paused", STR_ARG(model->id));
    if (run->state != RUN_QUEUED)
        return;
    if (!run->due)
        line(out, "the run begins at %.*s", STR_ARG(time_text(arena, core, run->run_after_ms)));
    if (dag->active >= model->max_active_runs)
        line(out, "%u of %u runs of the DAG are running (max_active_runs); %u wait", dag->active,
             model->max_active_runs, dag->queued_count);
    if (out->size == 0)
        line(out, "the run is about to start");
}

static void of_upstream(const struct core *core, const struct run *run, uint32_t task,
                        struct buf *out)
{
    enum { NAMED_MAX = 5 };
    const struct dag *dag = run_dag(core, run);
    const struct task *model = &dag->tasks[task];
    struct buf names = { 0 };
    uint32_t open = 0;
    for (uint32_t i = 0; i < model->upstream_count; i++) {
        uint8_t state = run->tasks[model->upstream[i]].self.state;
        if (task_state_is_final(state))
            continue;
        if (open++ < NAMED_MAX)
            buf_printf(&names, "%s%.*s (%s)", open > 1 ? ", " : "",
                       STR_ARG(dag->tasks[model->upstream[i]].id), task_state_name(state));
    }
    if (open > NAMED_MAX)
        buf_printf(&names, " and %u more", open - NAMED_MAX);
    if (open > 0)
        line(out, "%u of %u upstream tasks have not ended (trigger rule %s): %.*s", open,
             model->upstream_count,
             model->teardown != NULL ? "of a teardown" : trigger_rule_name(model->trigger_rule),
             STR_ARG(buf_str(&names)));
    buf_clear(&names);
    for (uint32_t i = 0; i < model->setup_count; i++) {
        uint8_t state = run->tasks[model->setups[i]].self.state;
        if (!task_state_is_final(state))
            line(out, "its setup %.*s has not ended (%s)", STR_ARG(dag->tasks[model->setups[i]].id),
                 task_state_name(state));
    }
}

static void of_past(const struct core *core, const struct run *run, uint32_t task, struct buf *out)
{
    struct arena scratch = { 0 };
    struct str sentence = past_sentence(core, run, task, &scratch);
    if (sentence.size > 0)
        line(out, "%.*s", STR_ARG(sentence));
    arena_clear(&scratch);
}

static void of_limits(struct core *core, struct ref ref, struct buf *out)
{
    const struct run *run = run_get(core, ref.run);
    const struct version *version = &core->versions.items[run->version];
    const struct gate *gate = &core->gates.items[run->gate];
    if (gate->used >= gate->limit)
        line(out, "%u of %u tasks of this run are running (max_active_tasks)", gate->used,
             gate->limit);
    if (run->task_gates != NULL && run->task_gates[ref.task] != NONE) {
        gate = &core->gates.items[run->task_gates[ref.task]];
        if (gate->used >= gate->limit)
            line(out,
                 "%u of %u instances of it are running in this run (max_active_tis_per_dagrun)",
                 gate->used, gate->limit);
    }
    if (version->dag_gates != NULL && version->dag_gates[ref.task] != NONE) {
        gate = &core->gates.items[version->dag_gates[ref.task]];
        if (gate->used >= gate->limit)
            line(out, "%u of %u instances of it are running over all runs (max_active_tis_per_dag)",
                 gate->used, gate->limit);
    }
    const struct lane *lane = &core->lanes.items[version->lanes[ref.task]];
    const struct pool *pool = &core->pools.items[lane->pool];
    if (!pool->exists)
        line(out, "there is no pool %.*s", STR_ARG(pool->name));
    else if (!pool_has_room(pool, lane->slots))
        line(out, "pool %.*s has %lld of %d slots taken, and it needs %d", STR_ARG(pool->name),
             (long long)pool->used, pool->slots, lane->slots);
    if (core->limits.parallelism > 0 && core->active >= core->limits.parallelism)
        line(out, "%u tasks are running over all DAGs, as many as may (core.parallelism)",
             core->active);
}

static void of_workers(const struct core *core, struct ref ref, struct buf *out)
{
    const struct run *run = run_get(core, ref.run);
    uint32_t queue = core->lanes.items[core->versions.items[run->version].lanes[ref.task]].queue;
    struct str name = core->queues.items[queue].name;
    uint32_t workers = 0, draining = 0, slots = 0, free = 0, taken = 0;
    VEC_EACH (&core->workers, i) {
        const struct worker *worker = &core->workers.items[i];
        for (uint32_t k = 0; k < worker->queue_list.count; k++) {
            if (worker->queue_list.items[k] != queue || worker->state == WORKER_GONE)
                continue;
            workers++;
            draining += worker->state != WORKER_ACTIVE;
            slots += worker->slots;
            taken += worker->attempt_count;
            free += worker_free_credits(core, worker);
        }
    }
    if (workers == 0)
        line(out, "no worker serves queue %.*s", STR_ARG(name));
    else if (draining == workers)
        line(out, "all %u workers of queue %.*s are draining", workers, STR_ARG(name));
    else if (free == 0)
        line(out, "no slot is free: %u of %u are taken on the %u workers of queue %.*s", taken,
             slots, workers, STR_ARG(name));
}

static void of_scheduled(struct core *core, struct ref ref, struct buf *out)
{
    const struct instance *instance = instance_at(core, ref);
    const struct run *run = run_get(core, ref.run);
    if (core->barrier)
        line(out,
             "the database may have lost commits: nothing starts before all workers have reported");
    if (instance->attempt != NONE)
        line(out, "its earlier process is being stopped");
    of_limits(core, ref, out);
    of_workers(core, ref, out);
    if (out->size == 0)
        line(out, "it is next, or %u others in its lane go first",
             core->lanes.items[core->versions.items[run->version].lanes[ref.task]].ready.count);
}

static void of_retry(const struct core *core, const struct run *run, struct ref ref,
                     const struct instance *instance, struct buf *out)
{
    uint32_t tries = (uint32_t)(instance->try_no - instance->try_base);
    line(out, "try %u of %u failed (%s); it waits before the next one", tries,
         run_dag(core, run)->tasks[ref.task].retries + 1, cause_sentence(instance->cause));
}

static void of_deferred(const struct core *core, const struct instance *instance, struct buf *out)
{
    struct arena scratch = { 0 };
    const struct attempt *attempt = &core->attempts.items[instance->attempt];
    const char *holds = attempt->pool == NONE ? ", and holds no slot" : "";
    if (attempt->wait == NONE) {
        line(out, "it waits for the run of another DAG%s", holds);
    } else {
        const struct wait *wait = &core->waits.items[attempt->wait];
        line(out, "%.*s%s", STR_ARG(wait_why(core, wait, &scratch)),
             wait->kind == WAIT_UNTIL ? holds : "");
    }
    if (attempt->pool != NONE)
        line(out, "pool %.*s counts tasks that wait: this one holds %d of its slots",
             STR_ARG(core->pools.items[attempt->pool].name), attempt->pool_slots);
    arena_clear(&scratch);
}

static void of_instance(struct core *core, struct ref ref, struct buf *out)
{
    const struct run *run = run_get(core, ref.run);
    const struct instance *instance = instance_at(core, ref);
    switch (instance->state) {
    case TASK_NONE:
        if (instance->attempt != NONE)
            line(out, "its earlier process is being stopped");
        of_upstream(core, run, ref.task, out);
        of_past(core, run, ref.task, out);
        if (out->size == 0)
            line(out, "it is about to be decided");
        break;
    case TASK_SCHEDULED:
        of_scheduled(core, ref, out);
        break;
    case TASK_UP_FOR_RETRY:
        of_retry(core, run, ref, instance, out);
        break;
    case TASK_DEFERRED:
        of_deferred(core, instance, out);
        break;
    case TASK_QUEUED:
        line(out, "worker %.*s has it and has not said yet that its process runs",
             STR_ARG(core->workers.items[core->attempts.items[instance->attempt].worker].name));
        break;
    default:
        break;
    }
}

struct str core_why(const struct core *core, int64_t run_no, uint32_t task, int32_t map_index,
                    struct arena *arena)
{
    /* Only looks; the leaves take a core that may change because most of their callers change it.
     */
    struct core *mutable = (struct core *)(uintptr_t)core;
    const struct run *run = run_by_no(core, run_no);
    struct buf out = { 0 };
    if (run == NULL || task >= run_dag(core, run)->task_count)
        return STR_EMPTY;
    struct ref ref = { run->index, task, map_index };
    if (run->state == RUN_RUNNING && instance_at(mutable, ref) == NULL)
        ref.map = -1;
    const struct instance *instance = run->state == RUN_RUNNING ? instance_at(mutable, ref) : NULL;
    /* What holds a run back holds back no task that a worker has. */
    if (instance == NULL || (instance->state != TASK_QUEUED && instance->state != TASK_RUNNING))
        of_run(core, run, &out, arena);
    if (run->state == RUN_RUNNING)
        of_instance(mutable, ref, &out);
    struct str text = str_copy(arena, buf_str(&out));
    buf_clear(&out);
    return text;
}
