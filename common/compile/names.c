// SPDX-License-Identifier: Apache-2.0
/* What expressions ask for, checked as far as it can be known before a run: names of the language,
 * params, tasks and whether they are upstream, variables of the environment. */
#include "common/compile/compiler.h"

#include "common/model/context.h"
#include "common/text/suggest.h"

struct asking {
    struct compiler *compiler;
    const struct value *value; /* the text that holds the expression */
    int32_t task;
    enum names_where where;
    const struct expr_path *path;
};

static struct place_in_file place_of(const struct asking *asking)
{
    return place_inside(asking->compiler, asking->value, asking->path->at);
}

/* The name at a step, or the empty str when it is an index, computed or missing. */
static struct str name_at(const struct asking *asking, uint32_t step)
{
    const struct expr_path *path = asking->path;
    return step < path->count && path->parts[step].kind == EXPR_PART_NAME ? path->parts[step].name
                                                                          : STR_EMPTY;
}

static bool is_computed(const struct asking *asking, uint32_t step)
{
    return step < asking->path->count && asking->path->parts[step].kind != EXPR_PART_NAME;
}

/* ---- the names of the language ---- */

/* What Airflow's templates call it. */
static const struct {
    const char *word, *advice;
} habits[] = {
    { "execution_date", "write logical_date" },
    { "dag_run", "write conf.name for dag_run.conf[\"name\"], or run_id" },
    { "task_instance", "write ti" },
    { "task_instance_key_str", "write run_id ~ \"/\" ~ task.task_id" },
    { "macros", "use filters: {{ ds | ds_add(7) }}, {{ ts | strftime(\"%Y\") }}" },
    { "ds_add", "use the filter: {{ ds | ds_add(7) }}" },
    { "next_ds", "write {{ data_interval_end | ds }}" },
    { "prev_ds", "write {{ ds | ds_add(-1) }}" },
    { "yesterday_ds", "write {{ ds | ds_add(-1) }}" },
    { "tomorrow_ds", "write {{ ds | ds_add(1) }}" },
    { "next_execution_date", "write data_interval_end" },
    { "prev_data_interval_start_success", "there is prev_data_interval_end_success" },
    { "prev_start_date_success", "there is prev_data_interval_end_success" },
    { "ts_nodash_with_tz", "write {{ ts | strftime(\"%Y%m%dT%H%M%S+0000\") }}" },
    { "inlets", "outputs of upstream tasks are xcom.TASK_ID" },
    { "outlets", "outputs of upstream tasks are xcom.TASK_ID" },
    { "output", "write xcom.TASK_ID" },
    { "outputs", "write xcom.TASK_ID" },
    { "result", "write xcom.TASK_ID" },
    { "tasks", "write xcom.TASK_ID" },
    { "vars", "write var.value.NAME" },
    { "variables", "write var.value.NAME" },
    { "secrets", "write conn.ID.password, or var.value.NAME" },
    { "connection", "write conn.ID.host" },
    { "param", "write params.NAME" },
    { "inputs", "write params.NAME" },
    { "each", "write item" },
    { "element", "write item" },
    { "map_index", "write ti.map_index" },
    { "try_number", "write ti.try_number" },
    { "dag_id", "write dag.dag_id" },
    { "task_id", "write task.task_id" },
    { "now", "a run sees its own time only: ds, ts, data_interval_end" },
    { "today", "a run sees its own time only: ds, ts, data_interval_end" },
};

static void refuse_name(const struct asking *asking, struct str name)
{
    struct compiler *compiler = asking->compiler;
    uint32_t count;
    const struct str *names = context_names(&count);
    struct str near = suggest(name, names, count), advice = STR_EMPTY;
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++)
        if (str_is(name, habits[i].word))
            advice = str_of(habits[i].advice);
    if (advice.size == 0 && near.size > 0)
        advice = str_format(&compiler->scratch, "did you mean '%.*s'?", STR_ARG(near));
    if (advice.size == 0 && map_get_str(&compiler->task_ids, name, NULL))
        advice =
            str_format(&compiler->scratch, "the output of that task is xcom.%.*s", STR_ARG(name));
    if (advice.size == 0 && value_get_str(compiler->params, name) != NULL)
        advice = str_format(&compiler->scratch, "the param is params.%.*s", STR_ARG(name));
    if (advice.size == 0)
        advice = STR("put text in quotes: {{ \"text\" }}");
    problem(compiler, place_of(asking), advice.bytes, "there is no name '%.*s'",
            STR_ARG(str_slice(name, 0, 60)));
}

/* ---- one check for each root name that knows more ---- */

static void check_params(const struct asking *asking)
{
    struct compiler *compiler = asking->compiler;
    struct str name = name_at(asking, 1);
    if (name.size == 0 || asking->path->has_default ||
        value_get_str(compiler->params, name) != NULL)
        return;
    struct suggestion suggestion = suggestion_begin(name);
    for (uint32_t i = 0; compiler->params != NULL && i < compiler->params->count; i++)
        suggestion_offer(&suggestion, compiler->params->entries[i].key);
    struct str advice =
        suggestion.best.size > 0
            ? str_format(&compiler->scratch, "did you mean '%.*s'?", STR_ARG(suggestion.best))
            : str_format(&compiler->scratch,
                         "declare it: params: {%.*s: {default: ...}}; or add | default(...)",
                         STR_ARG(name));
    problem(compiler, place_of(asking), advice.bytes, "this DAG has no param '%.*s'",
            STR_ARG(str_slice(name, 0, 60)));
}

/* The longest run of names that is a task's id, as the running context reads it; -1 when none is.
 */
static int32_t task_of_path(const struct asking *asking, struct str *out_name)
{
    struct compiler *compiler = asking->compiler;
    int32_t found = -1;
    struct str id = STR_EMPTY;
    for (uint32_t i = 1; name_at(asking, i).size > 0; i++) {
        uint64_t number;
        id = i == 1 ? name_at(asking, 1)
                    : str_format(&compiler->scratch, "%.*s.%.*s", STR_ARG(id),
                                 STR_ARG(name_at(asking, i)));
        if (i == 1 || found < 0)
            *out_name = id;
        if (map_get_str(&compiler->task_ids, id, &number))
            found = (int32_t)number;
    }
    return found;
}

enum { ANCESTOR_STEPS_MAX = 50000000 };

/* Marks all that is upstream of `task`, once for all of its expressions. Beyond a huge number of
 * steps (a hostile file) the question is left to the run. */
static bool is_upstream(struct compiler *compiler, uint32_t task, uint32_t other)
{
    if (is_direct_upstream(compiler, other, task))
        return true;
    if (compiler->ancestor_steps > ANCESTOR_STEPS_MAX)
        return true;
    uint32_t stamp = task + 1;
    if (compiler->ancestors_of != stamp) {
        compiler->ancestors_of = stamp;
        uint32_t count = 0;
        uint32_t *stack = compiler->stack;
        stack[count++] = task;
        while (count > 0) {
            const struct found_task *at = &compiler->tasks.items[stack[--count]];
            compiler->ancestor_steps += at->upstream.count + 1;
            for (uint32_t i = 0; i < at->upstream.count; i++) {
                uint32_t up = at->upstream.items[i];
                if (compiler->ancestor[up] == stamp)
                    continue;
                compiler->ancestor[up] = stamp;
                stack[count++] = up;
            }
        }
    }
    return compiler->ancestor[other] == stamp;
}

static void refuse_task(const struct asking *asking, struct str name)
{
    struct compiler *compiler = asking->compiler;
    struct str near = suggest_id(compiler, name, -1), advice = STR_EMPTY;
    if (near.size > 0)
        advice = str_format(&compiler->scratch, "did you mean xcom.%.*s?", STR_ARG(near));
    problem(compiler, place_of(asking), advice.bytes,
            "there is no task '%.*s' whose output could be read", STR_ARG(str_slice(name, 0, 80)));
}

static void check_xcom(const struct asking *asking)
{
    struct compiler *compiler = asking->compiler;
    if (is_computed(asking, 1))
        return;
    if (asking->path->count < 2) {
        problem(compiler, place_of(asking), "write xcom.TASK_ID", "xcom needs the id of a task");
        return;
    }
    struct str name = STR_EMPTY;
    int32_t other = task_of_path(asking, &name);
    if (other < 0) {
        refuse_task(asking, name);
        return;
    }
    if (asking->task < 0 || is_upstream(compiler, (uint32_t)asking->task, (uint32_t)other))
        return;
    struct str id = compiler->tasks.items[other].id, own = compiler->tasks.items[asking->task].id;
    if (asking->task == other) {
        problem(compiler, place_of(asking), "", "'%.*s' cannot read its own output", STR_ARG(own));
        return;
    }
    struct str advice =
        str_format(&compiler->scratch, "add depends_on: [%.*s] to %.*s", STR_ARG(id), STR_ARG(own));
    problem(compiler, place_of(asking), advice.bytes,
            "'%.*s' is not upstream of '%.*s': its output may not be there yet", STR_ARG(id),
            STR_ARG(own));
}

static void check_var(const struct asking *asking)
{
    struct str form = name_at(asking, 1);
    bool known = str_is(form, "value") || str_is(form, "json");
    if (is_computed(asking, 1) || (known && asking->path->count > 2))
        return;
    problem(asking->compiler, place_of(asking),
            "write var.value.NAME, or var.json.NAME for one that holds JSON",
            known ? "the name of the variable is missing"
                  : "a variable is read as value or as json");
}

static void check_conn(const struct asking *asking)
{
    if (asking->path->count < 2)
        problem(asking->compiler, place_of(asking), "write conn.ID.host, conn.ID.password ...",
                "conn needs the id of a connection");
}

static void check_item(const struct asking *asking)
{
    struct compiler *compiler = asking->compiler;
    if (asking->task < 0 || asking->path->has_default)
        return;
    const struct value *for_each =
        value_get(compiler->tasks.items[asking->task].entry->value, "for_each");
    bool mapped = for_each != NULL && for_each->type != VALUE_NULL;
    if (!mapped)
        problem(compiler, place_of(asking), "add for_each: [...] to the task",
                "item exists only in a task with for_each");
    else if (asking->where == NAMES_NO_ITEM)
        problem(compiler, place_of(asking), "choose the elements in for_each itself",
                "there is no item yet where this is decided");
}

static bool map_has(const struct value *map, const char *key, struct str name)
{
    return value_get_str(value_get(map, key), name) != NULL;
}

static void check_env(const struct asking *asking)
{
    struct compiler *compiler = asking->compiler;
    struct str name = name_at(asking, 1);
    if (name.size == 0 || asking->task < 0 || asking->path->has_default ||
        map_has(compiler->document, "env", name) ||
        map_has(value_get(compiler->document, "defaults"), "env", name) ||
        map_has(compiler->tasks.items[asking->task].entry->value, "env", name))
        return;
    problem(compiler, place_of(asking),
            "the environment of the worker is not visible here; in bash write $NAME",
            "neither the task nor the DAG has an env '%.*s'", STR_ARG(str_slice(name, 0, 60)));
}

/* ---- members of the small structures ---- */

static const struct {
    const char *root;
    const char *members[8];
} structures[] = {
    { "dag", { "dag_id", "owner", "description", "timezone" } },
    { "task", { "task_id", "retries", "pool", "queue" } },
    { "ti", { "task_id", "dag_id", "run_id", "try_number", "map_index", "max_tries" } },
};

static void check_member(const struct asking *asking, const char *const *members)
{
    struct str name = name_at(asking, 1), words[8];
    uint32_t count = 0;
    for (; count < 8 && members[count] != NULL; count++)
        words[count] = str_of(members[count]);
    if (name.size == 0 || asking->path->has_default)
        return;
    for (uint32_t i = 0; i < count; i++)
        if (str_eq(name, words[i]))
            return;
    struct buf advice;
    buf_init(&advice);
    struct str near = suggest(name, words, count);
    if (near.size > 0)
        buf_printf(&advice, "did you mean '%.*s'? ", STR_ARG(near));
    buf_add_cstr(&advice, "there are");
    for (uint32_t i = 0; i < count; i++)
        buf_printf(&advice, " %.*s", STR_ARG(words[i]));
    problem(asking->compiler, place_of(asking), advice.bytes, "%.*s has no '%.*s'",
            STR_ARG(name_at(asking, 0)), STR_ARG(str_slice(name, 0, 60)));
    buf_clear(&advice);
}

/* ---- a path, an expression, a text ---- */

static void check_path(const struct asking *asking)
{
    static const struct {
        const char *root;
        void (*check)(const struct asking *asking);
    } checks[] = {
        { "params", check_params }, { "xcom", check_xcom }, { "var", check_var },
        { "conn", check_conn },     { "item", check_item }, { "env", check_env },
    };
    struct str root = name_at(asking, 0);
    uint32_t count;
    const struct str *names = context_names(&count);
    bool known = false;
    for (uint32_t i = 0; i < count; i++)
        known = known || str_eq(root, names[i]);
    if (!known) {
        refuse_name(asking, root);
        return;
    }
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (str_is(root, checks[i].root))
            checks[i].check(asking);
    for (size_t i = 0; i < sizeof structures / sizeof structures[0]; i++)
        if (str_is(root, structures[i].root))
            check_member(asking, structures[i].members);
}

static void check_expr(struct compiler *compiler, const struct value *value,
                       const struct expr *expr, int32_t task, enum names_where where)
{
    uint32_t count;
    const struct expr_path *paths = expr_paths(expr, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct asking asking = { compiler, value, task, where, &paths[i] };
        check_path(&asking);
    }
}

static void refuse_expression(struct compiler *compiler, const struct value *value, uint32_t at,
                              struct err *err)
{
    if (strstr(err->sentence, "xcom_pull") != NULL)
        err_hint(err, "write xcom.TASK_ID");
    problem_err(compiler, place_inside(compiler, value, at), "", err);
}

/* A text with a mistake: its other expressions are looked at one by one. What was noted before is
 * noted again, and given once. */
static void check_each(struct compiler *compiler, const struct value *value, int32_t task,
                       enum names_where where)
{
    struct str text = value->string;
    size_t from = 0;
    while (is_worth_a_look(compiler)) {
        const char *open = memmem(text.bytes + from, text.size - from, "{{", 2);
        const struct expr *expr;
        struct err err = { 0 };
        uint32_t end, at = 0;
        if (open == NULL)
            return;
        uint32_t begin = (uint32_t)(open - text.bytes) + 2;
        if (expr_compile_braced(&compiler->scratch, text, begin, &expr, &end, &at, &err) == 0) {
            check_expr(compiler, value, expr, task, where);
            from = end + 2;
            continue;
        }
        refuse_expression(compiler, value, at, &err);
        const char *close = memmem(text.bytes + begin, text.size - begin, "}}", 2);
        if (close == NULL)
            return;
        from = (size_t)(close - text.bytes) + 2;
    }
}

void check_template(struct compiler *compiler, const struct value *value, int32_t task,
                    enum names_where where)
{
    const struct template *template;
    struct err err = { 0 };
    uint32_t at = 0, count;
    if (template_compile(&compiler->scratch, value->string, &template, &at, &err) < 0) {
        refuse_expression(compiler, value, at, &err);
        check_each(compiler, value, task, where);
        return;
    }
    const struct template_expr *exprs = template_exprs(template, &count);
    for (uint32_t i = 0; i < count; i++)
        check_expr(compiler, value, exprs[i].expr, task, where);
}

void check_templates(struct compiler *compiler, const struct value *value, int32_t task,
                     enum names_where where)
{
    if (value->type == VALUE_STRING)
        check_template(compiler, value, task, where);
    for (uint32_t i = 0; value->type == VALUE_LIST && i < value->count; i++)
        check_templates(compiler, value->items[i], task, where);
    for (uint32_t i = 0; value->type == VALUE_MAP && i < value->count; i++)
        check_templates(compiler, value->entries[i].value, task, where);
}

/* ---- conditions ---- */

/* The text between the only pair of braces. */
static struct str without_braces(struct str text)
{
    text = str_trim(text);
    return str_trim(str_slice(text, 2, text.size - 2));
}

struct str read_condition(struct compiler *compiler, const struct value *value, int32_t task,
                          enum names_where where)
{
    const struct template *template;
    const struct expr *expr;
    struct err err = { 0 };
    uint32_t at = 0;
    struct str text;
    if (!scalar_text(value, &text)) {
        problem(compiler, PLACE_OF(value),
                "write an expression: \"{{ params.full and xcom.check > 0 }}\"",
                "a condition takes an expression, not %s", value_type_name(value->type));
        return STR_EMPTY;
    }
    if (value->type != VALUE_STRING)
        return str_copy(&compiler->dag->arena, value->type == VALUE_BOOL
                                                   ? (value->boolean ? STR("true") : STR("false"))
                                                   : text);
    if (!template_is_plain(text)) {
        uint32_t before = compiler->problem_total;
        check_template(compiler, value, task, where);
        if (compiler->problem_total > before ||
            template_compile(&compiler->scratch, text, &template, NULL, NULL) < 0)
            return STR_EMPTY;
        if (template_is_single(template))
            return str_copy(&compiler->dag->arena, without_braces(text));
        problem(compiler, PLACE_OF(value),
                "put the whole condition inside of one pair: \"{{ a and b }}\"",
                "a condition is one expression; here is text around {{ }}");
        return STR_EMPTY;
    }
    if (expr_compile(&compiler->scratch, text, &expr, &at, &err) < 0) {
        refuse_expression(compiler, value, at, &err);
        return STR_EMPTY;
    }
    check_expr(compiler, value, expr, task, where);
    return str_copy(&compiler->dag->arena, str_trim(text));
}
