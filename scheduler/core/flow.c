// SPDX-License-Identifier: Apache-2.0
/* flow - what the scheduler computes itself: conditions, branches, short circuits, mapping. */
#include "common/base/buf.h"
#include "common/base/civil.h"
#include "common/text/json.h"
#include "common/text/template.h"
#include "scheduler/core/core_calls.h"

/* ---- what expressions see -------------------------------------------------------------------- */

static const struct value *variable_of(void *owner, struct str key, bool *out_secret)
{
    struct core *core = ((struct context_owner *)owner)->core;
    uint64_t index = 0;
    if (!map_get_str(&core->variables, key, &index))
        return NULL;
    *out_secret = core->variable_list.items[index].secret;
    return core->variable_list.items[index].value;
}

static const struct value *connection_of(void *owner, struct str id)
{
    struct core *core = ((struct context_owner *)owner)->core;
    uint64_t index = 0;
    return map_get_str(&core->connections, id, &index) ? core->connection_list.items[index] : NULL;
}

static const struct value *output_value(struct run *run, uint32_t task, int32_t map,
                                        struct arena *arena)
{
    uint64_t index = 0;
    const struct value *value = NULL;
    if (!map_get(&run->output_index, (uint64_t)task << 32 | (uint32_t)(map + 1), &index))
        return NULL;
    int rc = json_parse(arena, run->outputs.items[index].json, NULL, &value, NULL);
    ASSERT(rc == 0); /* output_keep has seen it */
    return value;
}

static int output_of(void *owner, uint32_t task, struct arena *arena, const struct value **out,
                     struct err *err)
{
    struct run *run = ((struct context_owner *)owner)->run;
    const struct dag *dag = run_dag(((struct context_owner *)owner)->core, run);
    if (run->tasks == NULL) /* a run that has not begun: see deadlines */
        return err_set(err, ERR_NOT_FOUND, "task %.*s has no output yet",
                       STR_ARG(dag->tasks[task].id));
    const struct task_slot *slot = &run->tasks[task];
    if (slot->expansion == NONE || run->expansions.items[slot->expansion].length == 0) {
        *out = output_value(run, task, -1, arena);
        if (*out != NULL && slot->self.state == TASK_SUCCESS)
            return 0;
        return err_set(err, ERR_NOT_FOUND, "task %.*s has no output (its state is %s)",
                       STR_ARG(dag->tasks[task].id), task_state_name(slot->self.state));
    }
    const struct expansion *expansion = &run->expansions.items[slot->expansion];
    struct value *list = value_list(arena);
    for (uint32_t i = 0; i < expansion->length; i++) {
        const struct value *value = NULL;
        if (expansion->items[i].state == TASK_SUCCESS)
            value = output_value(run, task, (int32_t)i, arena);
        value_add(arena, list, value != NULL ? value : value_null(arena));
    }
    *out = list;
    return 0;
}

void context_of_run(struct core *core, struct run *run, struct context_owner *owner,
                    struct arena *arena, struct context *out)
{
    *owner = (struct context_owner) { core, run };
    *out = (struct context) {
        .dag = run_dag(core, run),
        .run_id = run->run_id,
        .run_type = run->type,
        .has_logical = run->has_logical,
        .logical_ms = run->logical_ms,
        .interval_start_ms = run->interval_start_ms,
        .interval_end_ms = run->interval_end_ms,
        .conf = run->conf,
        .params = run->params,
        .map_index = -1,
        .source = { owner, output_of, variable_of, connection_of },
        .arena = arena,
    };
}

void context_fill(struct core *core, struct ref ref, struct context_owner *owner,
                  struct arena *arena, struct context *out)
{
    struct run *run = run_get(core, ref.run);
    const struct instance *instance = instance_at(core, ref);
    context_of_run(core, run, owner, arena, out);
    out->task = task_at(core, ref);
    out->try_no = instance->try_no;
    out->map_index = ref.map;
    out->fence = instance->row_no;
    if (ref.map >= 0)
        out->item = run->expansions.items[run->tasks[ref.task].expansion].values->items[ref.map];
}

/* With or without the braces around it. */
static int evaluate(struct core *core, struct ref ref, struct str text, const struct value **out,
                    struct err *err)
{
    struct context_owner owner;
    struct context context;
    context_fill(core, ref, &owner, &core->step, &context);
    struct expr_scope scope = context_scope(&context);
    if (!template_is_plain(text)) {
        const struct template *template = NULL;
        int rc = template_compile(&core->step, text, &template, NULL, err);
        return rc < 0 ? rc : template_eval(template, &scope, 0, &core->step, out, err);
    }
    const struct expr *expr = NULL;
    int rc = expr_compile(&core->step, text, &expr, NULL, err);
    return rc < 0 ? rc : expr_eval(expr, &scope, NULL, &core->step, out, err);
}

int flow_condition(struct core *core, struct ref ref, struct str text, bool *out, struct err *err)
{
    const struct value *value = NULL;
    int rc = evaluate(core, ref, text, &value, err);
    if (rc == 0)
        *out = value_is_true(value);
    return rc;
}

/* ---- branch and short circuit ---------------------------------------------------------------- */

static void reach_mark(const struct dag *dag, uint32_t from, bool *marks, struct arena *arena)
{
    uint32_t *stack = ARENA_ARRAY(arena, uint32_t, dag->task_count), depth = 0;
    if (marks[from])
        return;
    marks[from] = true;
    stack[depth++] = from;
    while (depth > 0) {
        const struct task *task = &dag->tasks[stack[--depth]];
        for (uint32_t i = 0; i < task->downstream_count; i++) {
            if (marks[task->downstream[i]])
                continue;
            marks[task->downstream[i]] = true;
            stack[depth++] = task->downstream[i];
        }
    }
}

/* Teardowns go no way of a branch: they follow their setups. */
static void exclude(struct core *core, struct run *run, uint32_t task)
{
    struct instance *self = &run->tasks[task].self;
    if (self->state != TASK_NONE || run_dag(core, run)->tasks[task].teardown != NULL)
        return;
    self->flags |= INSTANCE_EXCLUDED;
    task_evaluate(core, run, task);
}

static bool id_names(struct str id, struct str task_id)
{
    return str_eq(id, task_id) || (task_id.size > id.size && task_id.bytes[id.size] == '.' &&
                                   str_eq(str_slice(task_id, 0, id.size), id)); /* a group */
}

/* As in Airflow: what lies behind a chosen task is kept too, even where it is directly downstream
 * of the branch. */
static void branch_exclude(struct core *core, struct run *run, uint32_t branch,
                           const struct value *chosen)
{
    const struct dag *dag = run_dag(core, run);
    const struct task *model = &dag->tasks[branch];
    bool *kept = ARENA_ARRAY(&core->step, bool, dag->task_count);
    for (uint32_t i = 0; chosen->type == VALUE_LIST && i < chosen->count; i++)
        for (uint32_t k = 0; k < model->downstream_count; k++)
            if (id_names(value_text(chosen->items[i], STR_EMPTY),
                         dag->tasks[model->downstream[k]].id))
                reach_mark(dag, model->downstream[k], kept, &core->step);
    for (uint32_t k = 0; k < model->downstream_count; k++)
        if (!kept[model->downstream[k]])
            exclude(core, run, model->downstream[k]);
}

static void circuit_exclude(struct core *core, struct run *run, uint32_t task)
{
    const struct dag *dag = run_dag(core, run);
    const struct task *model = &dag->tasks[task];
    bool *behind = ARENA_ARRAY(&core->step, bool, dag->task_count);
    bool direct = value_boolean(value_get(model->operator_args, "respect_trigger_rules"), false);
    for (uint32_t i = 0; i < model->downstream_count; i++) {
        if (direct)
            behind[model->downstream[i]] = true;
        else
            reach_mark(dag, model->downstream[i], behind, &core->step);
    }
    for (uint32_t t = 0; t < dag->task_count; t++)
        if (behind[t])
            exclude(core, run, t);
}

/* From the decision that the run remembers as the task's output. */
void flow_exclude(struct core *core, struct run *run, uint32_t task)
{
    const struct task *model = &run_dag(core, run)->tasks[task];
    const struct value *output = output_value(run, task, -1, &core->step);
    if (output == NULL || run->tasks[task].self.state != TASK_SUCCESS)
        return;
    if (model->operator_kind == OPERATOR_BRANCH)
        branch_exclude(core, run, task, output);
    else if (model->operator_kind == OPERATOR_SHORT_CIRCUIT && !value_is_true(output))
        circuit_exclude(core, run, task);
}

static void decided(struct core *core, struct ref ref, const struct value *output)
{
    struct run *run = run_get(core, ref.run);
    output_keep(core, run, ref.task, ref.map, json_text(&core->step, output), true);
    instance_at(core, ref)->row_no++;
    instance_set(core, ref, TASK_SUCCESS, CAUSE_NOTHING_TO_RUN);
    struct record *record =
        write_try(core, WRITE_TRY_PLACED, ref, TASK_SUCCESS, CAUSE_NOTHING_TO_RUN);
    record->try.ended_ms = core->wall_ms;
    note_instance(core, ref, CAUSE_NOTHING_TO_RUN);
    notify_instance(core, ref, CAUSE_NOTHING_TO_RUN, STR_EMPTY);
    if (ref.map < 0)
        flow_exclude(core, run, ref.task); /* before its end lets downstream tasks begin */
    instance_settled(core, ref);
}

void flow_bad_expression(struct core *core, struct ref ref, const char *where,
                         const struct err *err)
{
    instance_end(core, ref, TASK_FAILED, CAUSE_BAD_EXPRESSION,
                 str_format(&core->step, "%s: %s", where, err->sentence));
}

static const struct value *id_list(struct arena *arena, const struct value *ids)
{
    if (ids != NULL && ids->type == VALUE_LIST)
        return ids;
    struct value *list = value_list(arena);
    if (ids != NULL && ids->type == VALUE_STRING)
        value_add(arena, list, ids);
    return list;
}

void flow_branch(struct core *core, struct ref ref)
{
    const struct value *args = task_at(core, ref)->operator_args;
    const struct value *cases = value_get(args, "cases");
    for (uint32_t i = 0; cases != NULL && cases->type == VALUE_LIST && i < cases->count; i++) {
        struct err err = { 0 };
        bool holds = false;
        struct str when = value_text(value_get(cases->items[i], "when"), STR_EMPTY);
        if (flow_condition(core, ref, when, &holds, &err) < 0) {
            flow_bad_expression(core, ref, "branch", &err);
            return;
        }
        if (holds) {
            decided(core, ref, id_list(&core->step, value_get(cases->items[i], "then")));
            return;
        }
    }
    decided(core, ref, id_list(&core->step, value_get(args, "default")));
}

void flow_short_circuit(struct core *core, struct ref ref)
{
    struct err err = { 0 };
    bool holds = false;
    struct str condition =
        value_text(value_get(task_at(core, ref)->operator_args, "condition"), STR_EMPTY);
    if (flow_condition(core, ref, condition, &holds, &err) < 0)
        flow_bad_expression(core, ref, "short_circuit", &err);
    else
        decided(core, ref, value_bool(&core->step, holds));
}

/* ---- mapping --------------------------------------------------------------------------------- */

/* A mapping of keys to lists becomes the list of all combinations, the last key turning fastest. */
static int cross_product(struct core *core, const struct value *map, struct value **out,
                         struct err *err)
{
    uint64_t length = 1;
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->entries[i].value->type != VALUE_LIST)
            return err_set(err, ERR_INVALID, "for_each.%.*s is %s, but must be a list",
                           STR_ARG(map->entries[i].key),
                           value_type_name(map->entries[i].value->type));
        length *= map->entries[i].value->count;
        if (length > core->limits.map_length_max)
            return err_set(err, ERR_INVALID,
                           "for_each gives more than %u elements (core.max_map_length)",
                           core->limits.map_length_max);
    }
    struct value *list = value_list(&core->step);
    for (uint64_t n = 0; n < length; n++) {
        struct value *item = value_map(&core->step);
        uint64_t rest = n, stride = length;
        for (uint32_t i = 0; i < map->count; i++) {
            stride /= map->entries[i].value->count;
            value_put(&core->step, item, map->entries[i].key,
                      map->entries[i].value->items[rest / stride]);
            rest %= stride;
        }
        value_add(&core->step, list, item);
    }
    *out = list;
    return 0;
}

static int elements_of(struct core *core, struct ref ref, const struct value **out, struct err *err)
{
    struct context_owner owner;
    struct context context;
    const struct value *value = NULL;
    context_fill(core, ref, &owner, &core->step, &context);
    struct expr_scope scope = context_scope(&context);
    int rc =
        template_render_value(task_at(core, ref)->for_each, &scope, 0, &core->step, &value, err);
    if (rc < 0)
        return rc;
    if (value->type == VALUE_MAP) {
        struct value *list = NULL;
        rc = cross_product(core, value, &list, err);
        *out = list;
        return rc;
    }
    if (value->type != VALUE_LIST)
        return err_set(err, ERR_INVALID, "for_each is %s, but must be a list or a mapping of lists",
                       value_type_name(value->type));
    if (value->count > core->limits.map_length_max)
        return err_set(err, ERR_INVALID,
                       "for_each gives %u elements, more than the %u of core.max_map_length",
                       value->count, core->limits.map_length_max);
    *out = value;
    return 0;
}

/* Instances that were there before keep their counts of tries and rows. */
void expansion_reserve(struct run *run, struct expansion *expansion, uint32_t capacity)
{
    if (capacity <= expansion->capacity)
        return;
    struct instance *items = ARENA_ARRAY(&run->arena, struct instance, capacity);
    if (expansion->capacity > 0)
        memcpy(items, expansion->items, expansion->capacity * sizeof *items);
    for (uint32_t i = expansion->capacity; i < capacity; i++)
        items[i].attempt = NONE;
    expansion->items = items;
    expansion->capacity = capacity;
}

struct expansion *expansion_new(struct core *core, struct run *run, uint32_t task,
                                const struct value *values)
{
    (void)core;
    struct task_slot *slot = &run->tasks[task];
    if (slot->expansion == NONE) {
        slot->expansion = run->expansions.count;
        VEC_ADD(&run->expansions, (struct expansion) { .task = task });
    }
    struct expansion *expansion = &run->expansions.items[slot->expansion];
    expansion_reserve(run, expansion, values->count);
    expansion->length = values->count;
    expansion->values = value_copy(&run->arena, values);
    expansion->done = expansion->success = expansion->failed = expansion->upstream_failed =
        expansion->skipped = 0;
    slot->self.flags |= INSTANCE_MAPPED;
    return expansion;
}

static bool reads_item(struct core *core, struct str condition)
{
    const struct expr *expr = NULL;
    uint32_t count = 0;
    if (!template_is_plain(condition) ||
        expr_compile(&core->step, condition, &expr, NULL, NULL) < 0)
        return true;
    const struct expr_path *paths = expr_paths(expr, &count);
    for (uint32_t i = 0; i < count; i++)
        if (str_is(paths[i].parts[0].name, "item"))
            return true;
    return false;
}

bool flow_expand(struct core *core, struct ref ref)
{
    const struct task *task = task_at(core, ref);
    struct run *run = run_get(core, ref.run);
    const struct value *values = NULL;
    struct err err = { 0 };
    bool holds = true;
    /* A condition about the run is looked at before the list, which may not exist when it is false.
     */
    if (task->when.size > 0 && !reads_item(core, task->when)) {
        if (flow_condition(core, ref, task->when, &holds, &err) < 0) {
            flow_bad_expression(core, ref, "when", &err);
            return false;
        }
        if (!holds) {
            instance_end(core, ref, TASK_SKIPPED, CAUSE_WHEN_FALSE, STR_EMPTY);
            return false;
        }
    }
    if (elements_of(core, ref, &values, &err) < 0) {
        flow_bad_expression(core, ref, "for_each", &err);
        return false;
    }
    ASSERT(values != NULL);
    if (values->count == 0) {
        uint32_t expansion = run->tasks[ref.task].expansion;
        if (expansion != NONE) { /* it had elements before a clear */
            run->expansions.items[expansion].length = 0;
            write_expansion(core, run, ref.task, 0, STR("[]"));
        }
        instance_end(core, ref, TASK_SKIPPED, CAUSE_EMPTY_MAP, STR_EMPTY);
        return false;
    }
    (void)expansion_new(core, run, ref.task, values);
    share_renew(core, run, ref.task);
    write_expansion(core, run, ref.task, values->count, json_text(&core->step, values));
    return true;
}
