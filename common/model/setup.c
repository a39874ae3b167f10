// SPDX-License-Identifier: Apache-2.0
#include "common/model/setup.h"

#include "common/base/assert.h"

/* Marks all that is downstream (or upstream) of a task, without the task itself. */
static void reach(const struct dag *dag, uint32_t from, bool down, bool *marks, uint32_t *stack)
{
    uint32_t depth = 0;
    stack[depth++] = from;
    while (depth > 0) {
        const struct task *task = &dag->tasks[stack[--depth]];
        const uint32_t *next = down ? task->downstream : task->upstream;
        uint32_t count = down ? task->downstream_count : task->upstream_count;
        for (uint32_t i = 0; i < count; i++) {
            if (marks[next[i]])
                continue;
            marks[next[i]] = true;
            stack[depth++] = next[i];
        }
    }
}

/* Its scope, as marks; false when it is no setup. */
static bool scope_of(const struct dag *dag, uint32_t setup, bool *scope, bool *above,
                     uint32_t *stack)
{
    const struct task *task = &dag->tasks[setup];
    bool has_teardown = false;
    if (!task->setup)
        return false;
    memset(scope, 0, dag->task_count * sizeof *scope);
    memset(above, 0, dag->task_count * sizeof *above);
    reach(dag, setup, true, scope, stack);
    for (uint32_t i = 0; i < task->downstream_count; i++) {
        if (dag->tasks[task->downstream[i]].teardown == NULL)
            continue;
        has_teardown = true;
        reach(dag, task->downstream[i], false, above, stack);
    }
    for (uint32_t t = 0; has_teardown && t < dag->task_count; t++)
        scope[t] = scope[t] && above[t];
    return true;
}

void setups_derive(struct dag *dag, struct arena *scratch)
{
    bool *scope = ARENA_ARRAY(scratch, bool, dag->task_count),
         *above = ARENA_ARRAY(scratch, bool, dag->task_count);
    uint32_t *stack = ARENA_ARRAY(scratch, uint32_t, dag->task_count + 1);
    uint32_t *counts = ARENA_ARRAY(scratch, uint32_t, dag->task_count);
    for (uint32_t s = 0; s < dag->task_count; s++) {
        dag->tasks[s].setups = NULL;
        dag->tasks[s].setup_count = 0;
        if (!scope_of(dag, s, scope, above, stack))
            continue;
        for (uint32_t t = 0; t < dag->task_count; t++)
            counts[t] += scope[t];
    }
    for (uint32_t t = 0; t < dag->task_count; t++)
        if (counts[t] > 0)
            dag->tasks[t].setups = ARENA_ARRAY(&dag->arena, uint32_t, counts[t]);
    for (uint32_t s = 0; s < dag->task_count; s++) {
        if (!scope_of(dag, s, scope, above, stack))
            continue;
        for (uint32_t t = 0; t < dag->task_count; t++)
            if (scope[t])
                dag->tasks[t].setups[dag->tasks[t].setup_count++] = s;
    }
}

void setups_choose(const struct dag *dag, bool *chosen)
{
    for (uint32_t t = 0; t < dag->task_count; t++)
        for (uint32_t i = 0; chosen[t] && i < dag->tasks[t].setup_count; i++)
            chosen[dag->tasks[t].setups[i]] = true;
    for (uint32_t s = 0; s < dag->task_count; s++)
        for (uint32_t i = 0; chosen[s] && dag->tasks[s].setup && i < dag->tasks[s].downstream_count;
             i++)
            if (dag->tasks[dag->tasks[s].downstream[i]].teardown != NULL)
                chosen[dag->tasks[s].downstream[i]] = true;
}
