// SPDX-License-Identifier: Apache-2.0
#include "common/compile/key.h"

#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/text/suggest.h"

#define REQUIRED        NULL
#define ARGS            KEY_ARGS
#define SPECIAL         KEY_SPECIAL
#define DAG_AT(member)  offsetof(struct dag, member)
#define TASK_AT(member) offsetof(struct task, member)
#define MS_MAX          (3650 * MS_PER_DAY)

static const struct key keys[] = {
#define KEY(place, name, type, min, max, field, otherwise, help)                                   \
    { PLACE_##place, #name, TYPE_##type, min, max, field, otherwise, help },
#include "common/compile/keys.def"
#undef KEY
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

const struct key *key_first(enum place place)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (keys[i].place == place)
            return &keys[i];
    return NULL;
}

const struct key *key_next(const struct key *key)
{
    const struct key *next = key + 1;
    return next < keys + KEY_COUNT && next->place == key->place ? next : NULL;
}

const struct key *key_find(enum place place, struct str name)
{
    for (const struct key *key = key_first(place); key != NULL; key = key_next(key))
        if (str_is(name, key->name))
            return key;
    return NULL;
}

const char *place_words(enum place place)
{
    static const char *const words[] = {
#define PLACE_WORDS(name, text) text,
        KEY_PLACES(PLACE_WORDS)
#undef PLACE_WORDS
    };
    return words[place];
}

const char *key_type_words(enum key_type type)
{
    static const char *const words[] = {
#define TYPE_WORDS(name, text) text,
        KEY_TYPES(TYPE_WORDS)
#undef TYPE_WORDS
    };
    return words[type];
}

enum place place_of_operator(enum operator_kind kind)
{
    static const enum place places[OPERATOR_COUNT] = {
        [OPERATOR_BASH] = PLACE_BASH,         [OPERATOR_EXEC] = PLACE_EXEC,
        [OPERATOR_PYTHON] = PLACE_PYTHON,     [OPERATOR_SQL] = PLACE_SQL,
        [OPERATOR_HTTP] = PLACE_HTTP,         [OPERATOR_EMPTY] = PLACE_EMPTY,
        [OPERATOR_BRANCH] = PLACE_BRANCH,     [OPERATOR_SHORT_CIRCUIT] = PLACE_SHORT_CIRCUIT,
        [OPERATOR_WAIT_FOR] = PLACE_WAIT_FOR, [OPERATOR_TRIGGER_DAG] = PLACE_TRIGGER_DAG,
        [OPERATOR_NOTIFY] = PLACE_NOTIFY,
    };
    return places[kind];
}

const char *key_word(enum key_type type, int number)
{
    static const char *const weight_rules[] = { "downstream", "upstream", "absolute", NULL };
    static const char *const jitters[] = { "none", "full", NULL };
    switch (type) {
    case TYPE_RULE:
        return number < RULE_COUNT ? trigger_rule_name((enum trigger_rule)number) : NULL;
    case TYPE_WEIGHT_RULE:
        return weight_rules[number];
    case TYPE_JITTER:
        return jitters[number];
    default:
        return NULL;
    }
}

bool key_may_be_default(const struct key *key)
{
    static const char *const own[] = { "depends_on",   "for_each",  "tolerate_failures",
                                       "when",         "setup",     "teardown",
                                       "display_name", "map_label", "on_failure_fail_dagrun" };
    ASSERT(key->place == PLACE_TASK);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (str_is(str_of(own[i]), key->name))
            return false;
    return key->type != TYPE_OPERATOR;
}

/* What people who know other tools write first. */
static const struct {
    enum place place;
    const char *word, *advice;
} habits[] = {
    { PLACE_DAG, "schedule_interval", "write schedule: \"0 2 * * *\" or schedule: \"@daily\"" },
    { PLACE_DAG, "cron", "write schedule: \"0 2 * * *\"" },
    { PLACE_DAG, "on", "write schedule: ..." },
    { PLACE_DAG, "timetable", "write schedule: ..." },
    { PLACE_DAG, "default_args", "write defaults: {retries: 3, ...}" },
    { PLACE_DAG, "concurrency", "write max_active_runs or max_active_tasks" },
    { PLACE_DAG, "id", "write dag_id: ..." },
    { PLACE_DAG, "name", "write dag_id: ..." },
    { PLACE_DAG, "dag", "write the keys of the DAG at the top of the file, without indentation" },
    { PLACE_DAG, "jobs", "write tasks: {id: {bash: ...}}" },
    { PLACE_DAG, "steps", "write tasks: {id: {bash: ...}}" },
    { PLACE_DAG, "task_groups", "write groups: {id: {tasks: ...}}" },
    { PLACE_DAG, "tz", "write timezone: Europe/Lisbon" },
    { PLACE_DAG, "dag_timeout", "write dagrun_timeout: 2h" },
    { PLACE_DAG, "timeout", "write dagrun_timeout: 2h" },
    { PLACE_DAG, "retries", "write defaults: {retries: 3}, or set it in each task" },
    { PLACE_DAG, "retry_delay", "write defaults: {retry_delay: 10s}, or set it in each task" },
    { PLACE_DAG, "variables", "write params: {name: {default: ...}}, or env: {NAME: ...}" },
    { PLACE_DAG, "on_success_callback", "write on_success: [...]" },
    { PLACE_DAG, "on_failure_callback", "write on_failure: [...]" },
    { PLACE_DAG, "sla", "write deadline: 2h" },
    { PLACE_TASK, "bash_command", "write bash: \"the command\"" },
    { PLACE_TASK, "command", "write bash: \"the command\", or exec: [program, argument]" },
    { PLACE_TASK, "cmd", "write bash: \"the command\", or exec: [program, argument]" },
    { PLACE_TASK, "run", "write bash: \"the command\"" },
    { PLACE_TASK, "script", "write bash: \"the command\"" },
    { PLACE_TASK, "shell", "write bash: \"the command\"" },
    { PLACE_TASK, "argv", "write exec: [program, argument]" },
    { PLACE_TASK, "python_callable", "write python: {callable: module:function}" },
    { PLACE_TASK, "callable", "write python: {callable: module:function}" },
    { PLACE_TASK, "operator", "write the operator as the key: bash: \"the command\"" },
    { PLACE_TASK, "type", "write the operator as the key: bash: \"the command\"" },
    { PLACE_TASK, "upstream", "write depends_on: [ids]" },
    { PLACE_TASK, "upstream_task_ids", "write depends_on: [ids]" },
    { PLACE_TASK, "dependencies", "write depends_on: [ids]" },
    { PLACE_TASK, "needs", "write depends_on: [ids]" },
    { PLACE_TASK, "after", "write depends_on: [ids]" },
    { PLACE_TASK, "requires", "write depends_on: [ids]" },
    { PLACE_TASK, "downstream", "write depends_on in the other task" },
    { PLACE_TASK, "if", "write when: \"{{ expression }}\"" },
    { PLACE_TASK, "condition", "write when: \"{{ expression }}\"" },
    { PLACE_TASK, "timeout", "write execution_timeout: 10m" },
    { PLACE_TASK, "retry", "write retries: 3" },
    { PLACE_TASK, "expand", "write for_each: [...]; the element is item" },
    { PLACE_TASK, "foreach", "write for_each: [...]; the element is item" },
    { PLACE_TASK, "with_items", "write for_each: [...]; the element is item" },
    { PLACE_TASK, "matrix", "write for_each: {name: [...], other: [...]}" },
    { PLACE_TASK, "map_index_template", "write map_label: ..." },
    { PLACE_TASK, "environment", "write env: {NAME: value}" },
    { PLACE_TASK, "working_dir", "write cwd: /path" },
    { PLACE_TASK, "working_directory", "write cwd: /path" },
    { PLACE_TASK, "task_id", "the id of a task is its key under tasks" },
    { PLACE_TASK, "id", "the id of a task is its key under tasks" },
    { PLACE_TASK, "name", "the id of a task is its key under tasks; a title is display_name" },
    { PLACE_TASK, "title", "write display_name: ..." },
    { PLACE_TASK, "description", "write doc_md: ..." },
    { PLACE_TASK, "sensor", "write wait_for: {...}" },
    { PLACE_TASK, "poke_interval", "it belongs inside of wait_for" },
    { PLACE_TASK, "memory", "write resources: {memory: 512Mi}" },
    { PLACE_TASK, "cpu", "write resources: {cpu: 0.5}" },
    { PLACE_TASK, "schedule", "only a DAG has a schedule" },
    { PLACE_TASK, "tasks", "a group of tasks stands under groups, not under tasks" },
    { PLACE_TASK, "on_success_callback", "write on_success: [...]" },
    { PLACE_TASK, "on_failure_callback", "write on_failure: [...]" },
    { PLACE_TASK, "on_retry_callback", "write on_retry: [...]" },
    { PLACE_GROUP, "description", "write tooltip: ..." },
    { PLACE_BASH, "env", "env stands in the task, beside bash" },
    { PLACE_BASH, "cwd", "cwd stands in the task, beside bash" },
    { PLACE_BASH, "bash_command", "write command: ..." },
    { PLACE_EXEC, "args", "write argv: [program, argument]" },
    { PLACE_EXEC, "env", "env stands in the task, beside exec" },
    { PLACE_EXEC, "cwd", "cwd stands in the task, beside exec" },
    { PLACE_PYTHON, "python_callable", "write callable: module:function" },
    { PLACE_PYTHON, "function", "write callable: module:function" },
    { PLACE_PYTHON, "op_args", "write args: [...]" },
    { PLACE_PYTHON, "op_kwargs", "write kwargs: {...}" },
    { PLACE_SQL, "conn_id", "write connection: ..." },
    { PLACE_SQL, "sql", "write statement: ..., or file: ..." },
    { PLACE_SQL, "query", "write statement: ..., or file: ..." },
    { PLACE_HTTP, "data", "write body: text, or json: value" },
    { PLACE_HTTP, "endpoint", "write url: ..." },
    { PLACE_TRIGGER_DAG, "trigger_dag_id", "write dag_id: ..." },
    { PLACE_TRIGGER_DAG, "wait_for_completion", "write wait: true" },
    { PLACE_TRIGGER_DAG, "execution_date", "write logical_date: ..." },
    { PLACE_RESOURCES, "ram", "write memory: 512Mi" },
    { PLACE_RESOURCES, "cpus", "write cpu: 0.5" },
};

struct str key_advice(struct arena *arena, enum place place, struct str word)
{
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++)
        if (habits[i].place == place && str_is(word, habits[i].word))
            return str_of(habits[i].advice);
    struct suggestion suggestion = suggestion_begin(word);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (keys[i].place == place)
            suggestion_offer(&suggestion, str_of(keys[i].name));
    if (suggestion.best.size > 0)
        return str_format(arena, "did you mean '%.*s'?", STR_ARG(suggestion.best));
    if (place != PLACE_TASK && key_find(PLACE_TASK, word) != NULL)
        return str_format(arena, "'%.*s' is a key of a task", STR_ARG(word));
    if (place != PLACE_DAG && key_find(PLACE_DAG, word) != NULL)
        return str_format(arena, "'%.*s' is a key of a DAG: it stands at the top of the file",
                          STR_ARG(word));
    return STR_EMPTY;
}
