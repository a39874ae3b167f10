// SPDX-License-Identifier: Apache-2.0
/* ready - who may start: trigger rules on counters, a list of decisions to take, and what each
 * decision is. */
#include "common/model/operator.h"
#include "scheduler/core/core_calls.h"

/* ---- verdicts -------------------------------------------------------------------------------- */

static enum verdict own_verdict(const struct core *core, const struct run *run, uint32_t task)
{
    const struct task *model = &run_dag(core, run)->tasks[task];
    const struct upstream_counts *counts = &run->tasks[task].upstream;
    if (model->teardown != NULL)
        return teardown_ready(core, run, task, counts);
    if (MUTANT(CORE_RULE_EARLY) && counts->success > 0)
        return VERDICT_RUN;
    return scope_ready(core, run, task, trigger_rule_verdict(model->trigger_rule, counts));
}

/* The run before holds back what would run; what is skipped is skipped at once. */
static enum verdict verdict_of(const struct core *core, const struct run *run, uint32_t task)
{
    struct str whose = STR_EMPTY;
    enum verdict verdict = own_verdict(core, run, task);
    return verdict == VERDICT_RUN && past_verdict(core, run, task, &whose) != PAST_HOLDS
               ? VERDICT_WAIT
               : verdict;
}

void task_evaluate(struct core *core, struct run *run, uint32_t task)
{
    struct instance *self = &run->tasks[task].self;
    if (run->state != RUN_RUNNING || self->state != TASK_NONE ||
        (self->flags & INSTANCE_PENDING) != 0)
        return;
    if ((self->flags & INSTANCE_EXCLUDED) == 0 && verdict_of(core, run, task) == VERDICT_WAIT)
        return;
    self->flags |= INSTANCE_PENDING;
    VEC_ADD(&core->work, (struct ref) { run->index, task, -1 });
}

/* ---- decisions ------------------------------------------------------------------------------- */

void ready_add(struct core *core, struct ref ref)
{
    const struct instance *instance = instance_at(core, ref);
    const struct version *version = &core->versions.items[run_get(core, ref.run)->version];
    ASSERT(instance->state == TASK_SCHEDULED);
    switch (task_at(core, ref)->operator_kind) { /* the next try of what needs no worker */
    case OPERATOR_WAIT_FOR:
        wait_begin(core, ref);
        return;
    case OPERATOR_TRIGGER_DAG:
        trigger_begin(core, ref);
        return;
    default:
        break;
    }
    if (instance->attempt != NONE && !MUTANT(CORE_REPLACE_DYING))
        return; /* attempt_died comes back to it */
    lane_push(core, version->lanes[ref.task], ready_key(core, ref));
}

static bool condition_holds(struct core *core, struct ref ref, struct str text)
{
    bool holds = false;
    struct err err = { 0 };
    int rc = flow_condition(core, ref, text, &holds, &err);
    if (rc < 0) {
        struct str error = str_format(&core->step, "when: %s", err.sentence);
        instance_end(core, ref, TASK_FAILED, CAUSE_BAD_EXPRESSION, error);
        return false;
    }
    if (!holds)
        instance_end(core, ref, TASK_SKIPPED, CAUSE_WHEN_FALSE, STR_EMPTY);
    return holds;
}

static void instance_begin(struct core *core, struct ref ref)
{
    const struct task *task = task_at(core, ref);
    if (task->when.size > 0 && !condition_holds(core, ref, task->when))
        return;
    switch (task->operator_kind) {
    case OPERATOR_EMPTY:
        instance_end(core, ref, TASK_SUCCESS, CAUSE_NOTHING_TO_RUN, STR_EMPTY);
        return;
    case OPERATOR_BRANCH:
        flow_branch(core, ref);
        return;
    case OPERATOR_SHORT_CIRCUIT:
        flow_short_circuit(core, ref);
        return;
    case OPERATOR_TRIGGER_DAG:
        trigger_begin(core, ref);
        return;
    case OPERATOR_WAIT_FOR:
        wait_begin(core, ref);
        return;
    default:
        break;
    }
    ASSERT(operator_needs_worker(task->operator_kind));
    instance_set(core, ref, TASK_SCHEDULED, CAUSE_UPSTREAMS_DONE);
    ready_add(core, ref);
}

/* All instances of a mapped task that have no state yet; after a clear that may be only some. */
static void begin_mapped(struct core *core, struct ref ref)
{
    struct run *run = run_get(core, ref.run);
    struct task_slot *slot = &run->tasks[ref.task];
    uint32_t expansion = slot->expansion;
    slot->self.state = TASK_SCHEDULED;
    for (uint32_t i = 0; i < run->expansions.items[expansion].length; i++)
        if (run->expansions.items[expansion].items[i].state == TASK_NONE)
            instance_begin(core, (struct ref) { ref.run, ref.task, (int32_t)i });
}

static void task_start(struct core *core, struct ref ref)
{
    const struct task *task = task_at(core, ref);
    if (task->for_each == NULL)
        instance_begin(core, ref);
    else if ((instance_at(core, ref)->flags & INSTANCE_MAPPED) != 0 || flow_expand(core, ref))
        begin_mapped(core, ref);
}

/* The sentence of a task that is upstream_failed names one before it that is to blame; empty where
 * it is further away. */
static struct str blame(struct core *core, const struct run *run, uint32_t task)
{
    const struct dag *dag = run_dag(core, run);
    const struct task *model = &dag->tasks[task];
    for (uint32_t i = 0; i < model->upstream_count; i++) {
        const struct upstream_counts *share = &run->tasks[model->upstream[i]].share;
        if (share->failed + share->upstream_failed > 0)
            return str_format(&core->step, "its trigger rule %s can no longer be met: task %.*s %s",
                              trigger_rule_name(model->trigger_rule),
                              STR_ARG(dag->tasks[model->upstream[i]].id),
                              share->failed > 0 ? "failed" : "is upstream_failed");
    }
    return STR_EMPTY;
}

/* The task will not run: its one instance ends so, or each instance of a mapped one that was
 * cleared. */
static void task_end(struct core *core, struct ref ref, enum task_state state, enum cause cause)
{
    struct run *run = run_get(core, ref.run);
    struct task_slot *slot = &run->tasks[ref.task];
    uint32_t expansion = slot->expansion;
    struct str error = state == TASK_UPSTREAM_FAILED ? blame(core, run, ref.task) : STR_EMPTY;
    if (expansion == NONE || run->expansions.items[expansion].length == 0) {
        instance_end(core, ref, state, cause, error);
        return;
    }
    slot->self.state = TASK_SCHEDULED;
    for (uint32_t i = 0; i < run->expansions.items[expansion].length; i++)
        if (run->expansions.items[expansion].items[i].state == TASK_NONE)
            instance_end(core, (struct ref) { ref.run, ref.task, (int32_t)i }, state, cause, error);
}

static void decide(struct core *core, struct ref ref)
{
    struct instance *instance = instance_at(core, ref);
    if (instance == NULL)
        return;
    struct run *run = run_get(core, ref.run);
    instance->flags &= (uint8_t)~INSTANCE_PENDING;
    if (run->state != RUN_RUNNING || instance->state != TASK_NONE)
        return;
    if ((instance->flags & INSTANCE_EXCLUDED) != 0) {
        task_end(core, ref, TASK_SKIPPED, CAUSE_NOT_CHOSEN);
        return;
    }
    switch (verdict_of(core, run, ref.task)) {
    case VERDICT_WAIT:
        break;
    case VERDICT_RUN:
        task_start(core, ref);
        break;
    case VERDICT_SKIP:
        task_end(core, ref, TASK_SKIPPED, CAUSE_RULE_SKIPS);
        break;
    case VERDICT_UPSTREAM_FAILED:
        task_end(core, ref, TASK_UPSTREAM_FAILED, CAUSE_RULE_UNMET);
        break;
    }
}

void work_drain(struct core *core)
{
    while (core->work_at < core->work.count && !batch_is_full(core))
        decide(core, core->work.items[core->work_at++]);
    if (core->work_at == core->work.count) {
        VEC_RESET(&core->work);
        core->work_at = 0;
    }
}
