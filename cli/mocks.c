// SPDX-License-Identifier: Apache-2.0
#include "cli/mocks.h"

#include "cli/resource.h"
#include "common/model/operator.h"
#include "common/text/json.h"
#include "common/text/suggest.h"

/* ---- what an answer says ---- */

static const enum outcome outcomes[] = { OUTCOME_SUCCESS,   OUTCOME_FAILED, OUTCOME_SKIPPED,
                                         OUTCOME_TIMED_OUT, OUTCOME_OOM,    OUTCOME_LOST };

enum { MOCK_OUTCOMES = sizeof outcomes / sizeof outcomes[0] };

static bool outcome_read(struct str name, enum outcome *out)
{
    for (int i = 0; i < MOCK_OUTCOMES; i++) {
        *out = outcomes[i];
        if (str_is(name, outcome_name(*out)))
            return true;
    }
    return false;
}

static const struct {
    const char *name;
    enum value_type type;
    const char *takes;
} fields[] = {
    { "output", VALUE_NULL, "any value" },
    { "error", VALUE_STRING, "text, as in \"ConnectionError: refused\"" },
    { "hard", VALUE_BOOL, "true or false" },
    { "exit_code", VALUE_INT, "a whole number" },
    { "outcome", VALUE_STRING, "success, failed, skipped, timed_out, out_of_memory or lost" },
};

enum { MOCK_FIELDS = sizeof fields / sizeof fields[0] };

/* ---- what may be wrong with a file ---- */

struct check {
    struct cli *cli;
    const char *path;
    const struct dag *dag;
    uint32_t problem_count;
};

static void complain(struct check *check, uint32_t line, uint32_t column, const char *fmt, ...)
    FORMAT(4, 5);

static void complain(struct check *check, uint32_t line, uint32_t column, const char *fmt, ...)
{
    va_list args;

    check->problem_count++;
    (void)fflush(stdout);
    fprintf(stderr, "%s:%u:%u: ", check->path, line, column);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

/* "each[2]" -> "each"; -1 without an index, -2 when it is no index. */
static int32_t cut_index(struct str *name)
{
    ptrdiff_t open = str_find(*name, '[');
    int64_t index;

    if (open < 0)
        return -1;
    struct str digits = str_slice(*name, (size_t)open + 1, name->size - 1);
    bool is_good = str_ends(*name, "]") && str_to_int(digits, 0, INT32_MAX, &index) == 0;
    *name = str_slice(*name, 0, (size_t)open);
    return is_good ? (int32_t)index : -2;
}

static struct task *task_of(const struct dag *dag, struct str key)
{
    (void)cut_index(&key);
    for (uint32_t i = 0; i < dag->task_count; i++)
        if (str_eq(dag->tasks[i].id, key))
            return &dag->tasks[i];
    return NULL;
}

static bool can_be_made_up(const struct task *task)
{
    return operator_needs_worker(task->operator_kind) || task->operator_kind == OPERATOR_WAIT_FOR ||
           task->operator_kind == OPERATOR_TRIGGER_DAG;
}

static void check_name(struct check *check, const struct value_entry *entry)
{
    const struct task *task = task_of(check->dag, entry->key);
    struct suggestion suggestion = suggestion_begin(entry->key);
    struct str name = entry->key;
    int32_t index = cut_index(&name);

    for (uint32_t i = 0; i < check->dag->task_count; i++)
        suggestion_offer(&suggestion, check->dag->tasks[i].id);
    if (task == NULL && suggestion.best.size > 0)
        complain(check, entry->line, entry->column, "%.*s has no task '%.*s'. Did you mean '%.*s'?",
                 STR_ARG(check->dag->id), STR_ARG(name), STR_ARG(suggestion.best));
    else if (task == NULL)
        complain(check, entry->line, entry->column, "%.*s has no task '%.*s'",
                 STR_ARG(check->dag->id), STR_ARG(name));
    else if (index == -2 || (index >= 0 && task->for_each == NULL))
        complain(check, entry->line, entry->column, "'%.*s' is no instance of %.*s",
                 STR_ARG(entry->key), STR_ARG(task->id));
    else if (!can_be_made_up(task))
        complain(check, entry->line, entry->column,
                 "'%.*s' decides and runs nothing: make up what it decides by", STR_ARG(task->id));
}

static void check_field(struct check *check, const struct value_entry *entry)
{
    enum outcome outcome;

    for (int i = 0; i < MOCK_FIELDS; i++) {
        if (!str_is(entry->key, fields[i].name))
            continue;
        if ((fields[i].type != VALUE_NULL && entry->value->type != fields[i].type) ||
            (str_is(entry->key, "outcome") && !outcome_read(entry->value->string, &outcome)))
            complain(check, entry->value->line, entry->value->column, "%s takes %s", fields[i].name,
                     fields[i].takes);
        return;
    }
    complain(check, entry->line, entry->column,
             "a result has no '%.*s': there are output, error, hard, exit_code, outcome",
             STR_ARG(entry->key));
}

static void check_answer(struct check *check, const struct value *answer)
{
    if (answer->type != VALUE_MAP)
        complain(check, answer->line, answer->column,
                 "a result is a mapping such as {output: 7} or {error: \"Name: why\"}, not %s",
                 value_type_name(answer->type));
    for (uint32_t i = 0; answer->type == VALUE_MAP && i < answer->count; i++)
        check_field(check, &answer->entries[i]);
}

int mocks_read(struct cli *cli, const char *path, const struct dag *dag, const struct value **out,
               struct err *err)
{
    struct check check = { .cli = cli, .path = path, .dag = dag };
    const struct value *map;
    int rc = resource_read_map(cli, path, &map, err);

    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value *answers = map->entries[i].value;
        check_name(&check, &map->entries[i]);
        if (answers->type != VALUE_LIST)
            check_answer(&check, answers);
        else if (answers->count == 0)
            complain(&check, answers->line, answers->column,
                     "a list of results holds at least one");
        for (uint32_t k = 0; answers->type == VALUE_LIST && k < answers->count; k++)
            check_answer(&check, answers->items[k]);
    }
    if (check.problem_count > 0)
        return err_set(err, ERR_INVALID, "%s: %u problem%s", path, check.problem_count,
                       check.problem_count == 1 ? "" : "s");
    *out = map;
    return 0;
}

/* Whether the file has a result for any instance of the task: then none of them is run. */
static bool is_made_up(const struct value *mocks, struct str task_id)
{
    for (uint32_t i = 0; mocks != NULL && i < mocks->count; i++) {
        struct str name = mocks->entries[i].key;
        (void)cut_index(&name);
        if (str_eq(name, task_id))
            return true;
    }
    return false;
}

int mocks_add_others(struct cli *cli, const struct dag *dag, struct str task_id,
                     const struct value *mocks, const struct value **out, struct err *err)
{
    struct value *all = value_map(cli->arena);

    if (task_of(dag, task_id) == NULL)
        return err_set(err, ERR_NOT_FOUND, "%.*s has no task %.*s", STR_ARG(dag->id),
                       STR_ARG(task_id));
    for (uint32_t i = 0; mocks != NULL && i < mocks->count; i++)
        value_put(cli->arena, all, mocks->entries[i].key, mocks->entries[i].value);
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        if (can_be_made_up(task) && !str_eq(task->id, task_id) && !is_made_up(mocks, task->id))
            value_put(cli->arena, all, task->id, value_map(cli->arena));
    }
    *out = all;
    return 0;
}

/* ---- in place of the task ---- */

void mocks_replace(const struct value *mocks, struct dag *dag)
{
    struct value *args = value_map(&dag->arena), *argv = value_list(&dag->arena);

    value_add(&dag->arena, argv, value_string(&dag->arena, STR("true")));
    value_put(&dag->arena, args, STR("argv"), argv);
    for (uint32_t i = 0; i < mocks->count; i++) {
        struct task *task = task_of(dag, mocks->entries[i].key);
        if (task == NULL)
            continue;
        task->operator_kind = OPERATOR_EXEC;
        task->operator_args = args;
        task->env = NULL;
        task->cwd = STR_EMPTY;
    }
}

static const struct value *answers_for(const struct value *mocks, struct str task_id,
                                       int32_t map_index, struct arena *arena)
{
    const struct value *own = NULL;

    if (map_index >= 0)
        own = value_get_str(mocks, str_format(arena, "%.*s[%d]", STR_ARG(task_id), (int)map_index));
    return own != NULL ? own : value_get_str(mocks, task_id);
}

static enum outcome outcome_of(const struct value *answer)
{
    enum outcome outcome;

    if (outcome_read(value_text(value_get(answer, "outcome"), STR_EMPTY), &outcome))
        return outcome;
    return value_get(answer, "error") != NULL ||
                   value_integer(value_get(answer, "exit_code"), 0) != 0
               ? OUTCOME_FAILED
               : OUTCOME_SUCCESS;
}

static struct result result_of(const struct value *answer, struct arena *arena)
{
    const struct value *output = value_get(answer, "output");
    enum outcome outcome = outcome_of(answer);

    return (struct result) {
        .outcome = outcome,
        .exit_code = (int32_t)value_integer(value_get(answer, "exit_code"),
                                            outcome == OUTCOME_FAILED ? 1 : 0),
        .output = output == NULL ? STR_EMPTY : json_text(arena, output),
        .error = value_text(value_get(answer, "error"), STR_EMPTY),
        .hard = value_boolean(value_get(answer, "hard"), false),
    };
}

bool mocks_answer(const struct value *mocks, struct str task_id, int32_t map_index, uint32_t try_no,
                  struct arena *arena, struct result *out)
{
    if (!is_made_up(mocks, task_id))
        return false;
    const struct value *answer = answers_for(mocks, task_id, map_index, arena);
    if (answer != NULL && answer->type == VALUE_LIST)
        answer = answer->items[(try_no <= answer->count ? try_no : answer->count) - 1];
    *out = answer != NULL ? result_of(answer, arena)
                          : (struct result) { .outcome = OUTCOME_FAILED,
                                              .exit_code = 1,
                                              .hard = true,
                                              .error = STR("NoMock: the file of made-up results "
                                                           "has none for this instance") };
    return true;
}
