// SPDX-License-Identifier: Apache-2.0
/* Setup and teardown tasks: who may be one, and what may follow. */
#include "common/compile/compiler.h"

/* Each costs a walk over the graph. */
enum { SETUPS_MAX = 256 };

static struct place_in_file place_of_key(const struct compiler *compiler, uint32_t task,
                                         const char *name)
{
    const struct value_entry *entry = compiler->tasks.items[task].entry;
    const struct value_entry *key = value_entry(entry->value, str_of(name));
    return key != NULL ? PLACE_OF(key) : PLACE_OF(entry);
}

static void check_teardown(struct compiler *compiler, uint32_t number)
{
    const struct task *task = &compiler->dag->tasks[number];
    if (task->setup)
        problem(compiler, place_of_key(compiler, number, "teardown"), "make two tasks of it",
                "the task '%.*s' cannot be both a setup and a teardown", STR_ARG(task->id));
    if (task->trigger_rule != RULE_ALL_SUCCESS)
        problem(compiler, place_of_key(compiler, number, "trigger_rule"), "remove it",
                "a teardown has a rule of its own: it runs when everything before it has ended and "
                "a setup of its has succeeded");
    for (uint32_t i = 0; i < task->teardown->count; i++) {
        uint64_t setup;
        struct str id = value_text(task->teardown->items[i], STR_EMPTY);
        if (map_get_str(&compiler->task_ids, id, &setup) && !compiler->dag->tasks[setup].setup)
            problem(compiler, place_of_key(compiler, number, "teardown"),
                    "write setup: true there, or name it in depends_on instead",
                    "'%.*s' is not a setup task", STR_ARG(id));
    }
}

/* As in Airflow: what follows a setup must not begin without it. */
static void check_follower(struct compiler *compiler, uint32_t number)
{
    const struct task *task = &compiler->dag->tasks[number];
    for (uint32_t i = 0; i < task->upstream_count; i++)
        if (compiler->dag->tasks[task->upstream[i]].setup)
            problem(compiler, place_of_key(compiler, number, "trigger_rule"),
                    "remove trigger_rule here",
                    "the task '%.*s' follows the setup task '%.*s', and so its trigger rule can "
                    "only be all_success",
                    STR_ARG(task->id), STR_ARG(compiler->dag->tasks[task->upstream[i]].id));
}

void check_setups(struct compiler *compiler)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < compiler->dag->task_count; t++) {
        const struct task *task = &compiler->dag->tasks[t];
        count += task->setup;
        if (task->setup && count == SETUPS_MAX + 1)
            problem(compiler, place_of_key(compiler, t, "setup"), "let one setup prepare more",
                    "the DAG has more than %d setup tasks", SETUPS_MAX);
        if (task->teardown != NULL)
            check_teardown(compiler, t);
        else if (task->trigger_rule != RULE_ALL_SUCCESS)
            check_follower(compiler, t);
        if (task->teardown_decides && task->teardown == NULL)
            problem(compiler, place_of_key(compiler, t, "on_failure_fail_dagrun"), "remove it",
                    "on_failure_fail_dagrun means something only for a teardown: every other task "
                    "has its say anyway");
    }
}
