// SPDX-License-Identifier: Apache-2.0
/* setup - setup and teardown tasks in a run. A teardown waits for everything before it and runs if
 * a setup of its succeeded; what lies in the scope of a setup does not run without it. */
#include "scheduler/core/core_calls.h"

/* Each instance of a mapped setup, as trigger rules count them. */
static void count_in(const struct run *run, uint32_t task, struct upstream_counts *counts)
{
    static const struct upstream_counts nothing;
    upstream_counts_replace(counts, &nothing, &run->tasks[task].share);
}

enum verdict teardown_ready(const struct core *core, const struct run *run, uint32_t task,
                            const struct upstream_counts *counts)
{
    const struct dag *dag = run_dag(core, run);
    const struct value *list = dag->tasks[task].teardown;
    struct upstream_counts setups = { 0 };
    for (uint32_t i = 0; i < list->count; i++) {
        int32_t setup = dag_find_task(dag, value_text(list->items[i], STR_EMPTY));
        if (setup >= 0)
            count_in(run, (uint32_t)setup, &setups);
    }
    if (MUTANT(CORE_TEARDOWN_EARLY) && setups.success > 0)
        return VERDICT_RUN;
    return teardown_verdict(counts, &setups);
}

/* About a setup that is directly before it a task's own rule decides. */
static bool is_upstream(const struct task *model, uint32_t task)
{
    for (uint32_t i = 0; i < model->upstream_count; i++)
        if (model->upstream[i] == task)
            return true;
    return false;
}

enum verdict scope_ready(const struct core *core, const struct run *run, uint32_t task,
                         enum verdict own)
{
    const struct task *model = &run_dag(core, run)->tasks[task];
    struct upstream_counts setups = { 0 };
    if (MUTANT(CORE_SETUP_IGNORED))
        return own;
    for (uint32_t i = 0; i < model->setup_count; i++)
        if (!is_upstream(model, model->setups[i]))
            count_in(run, model->setups[i], &setups);
    return scoped_verdict(model->trigger_rule, own, &setups);
}

void setup_settled(struct core *core, struct run *run, uint32_t setup)
{
    const struct dag *dag = run_dag(core, run);
    for (uint32_t t = 0; t < dag->task_count; t++)
        for (uint32_t i = 0; i < dag->tasks[t].setup_count; i++)
            if (dag->tasks[t].setups[i] == setup)
                task_evaluate(core, run, t);
}
