// SPDX-License-Identifier: Apache-2.0
/* The JSON spelling of a dag. One table of fields for each struct serves both directions; a field
 * that has its default is left out, and reading starts from the defaults, so that old versions are
 * read and new defaults stay new. */
#include "common/model/dag.h"
#include "common/text/json.h"

enum field_kind {
    FIELD_STR,
    FIELD_BOOL,
    FIELD_INT8,
    FIELD_INT32,
    FIELD_UINT32,
    FIELD_INT64,
    FIELD_REAL,
    FIELD_VALUE,
    FIELD_RULE,
    FIELD_WEIGHT_RULE,
    FIELD_JITTER,
    FIELD_OPERATOR,
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
};

#define DAG(name, kind)                                                                            \
    {                                                                                              \
#name, FIELD_##kind, offsetof(struct dag, name)                                            \
    }
static const struct field dag_fields[] = {
    DAG(id, STR),
    DAG(description, STR),
    DAG(doc_md, STR),
    DAG(owner, STR),
    DAG(tags, VALUE),
    DAG(schedule, VALUE),
    DAG(timezone, STR),
    DAG(start_ms, INT64),
    DAG(end_ms, INT64),
    DAG(catchup, BOOL),
    DAG(max_active_runs, UINT32),
    DAG(max_active_tasks, UINT32),
    DAG(run_timeout_ms, INT64),
    DAG(deadline_ms, INT64),
    DAG(deadline_percentile, UINT32),
    DAG(max_consecutive_failed_runs, UINT32),
    DAG(paused_upon_creation, INT8),
    DAG(fail_fast, BOOL),
    DAG(priority, INT32),
    DAG(params, VALUE),
    DAG(env, VALUE),
    DAG(notify, VALUE),
};
#undef DAG

#define TASK(name, kind)                                                                           \
    {                                                                                              \
#name, FIELD_##kind, offsetof(struct task, name)                                           \
    }
static const struct field task_fields[] = {
    TASK(id, STR),
    TASK(operator_kind, OPERATOR),
    TASK(operator_args, VALUE),
    TASK(trigger_rule, RULE),
    TASK(when, STR),
    TASK(for_each, VALUE),
    { "tolerate_count", FIELD_UINT32, offsetof(struct task, tolerate_failures.count) },
    { "tolerate_percent", FIELD_REAL, offsetof(struct task, tolerate_failures.percent) },
    TASK(retries, UINT32),
    TASK(retry_delay_ms, INT64),
    TASK(retry_backoff, REAL),
    TASK(retry_jitter, JITTER),
    TASK(max_retry_delay_ms, INT64),
    TASK(retry_on, VALUE),
    TASK(no_retry_on, VALUE),
    TASK(execution_timeout_ms, INT64),
    TASK(kill_grace_ms, INT64),
    TASK(pool, STR),
    TASK(pool_slots, INT32),
    TASK(priority_weight, INT32),
    TASK(weight_rule, WEIGHT_RULE),
    TASK(queue, STR),
    TASK(depends_on_past, BOOL),
    TASK(wait_for_downstream, BOOL),
    TASK(max_active_tis_per_dag, UINT32),
    TASK(max_active_tis_per_dagrun, UINT32),
    TASK(cpu_milli, INT32),
    TASK(memory_bytes, INT64),
    TASK(pids_max, INT32),
    TASK(run_as_user, STR),
    TASK(cwd, STR),
    TASK(env, VALUE),
    TASK(setup, BOOL),
    TASK(teardown, VALUE),
    TASK(teardown_decides, BOOL),
    TASK(notify, VALUE),
    TASK(doc_md, STR),
    TASK(display_name, STR),
    TASK(map_label, STR),
    TASK(inlets, VALUE),
    TASK(outlets, VALUE),
};
#undef TASK

static const struct field group_fields[] = {
    { "id", FIELD_STR, offsetof(struct dag_group, id) },
    { "tooltip", FIELD_STR, offsetof(struct dag_group, tooltip) },
    { "parent", FIELD_INT32, offsetof(struct dag_group, parent) },
};

#define COUNT_OF(array) (uint32_t)(sizeof(array) / sizeof *(array))

static const char *const weight_rule_names[] = { "downstream", "upstream", "absolute" };
static const char *const jitter_names[] = { "none", "full" };
static const struct dag_group group_defaults = { { "", 0 }, { "", 0 }, -1 };

/* ---- writing --------------------------------------------------------------------------------- */

#define AT(base, offset, type)       (*(type *)((char *)(base) + (offset)))
#define AT_CONST(base, offset, type) (*(const type *)((const char *)(base) + (offset)))

/* NULL when the field has its default. */
static const struct value *field_value(struct arena *arena, const struct field *field,
                                       const void *from, const void *defaults)
{
    size_t at = field->offset;
#define SAME(type) (AT_CONST(from, at, type) == AT_CONST(defaults, at, type))
    switch (field->kind) {
    case FIELD_STR:
        return str_eq(AT_CONST(from, at, struct str), AT_CONST(defaults, at, struct str))
                   ? NULL
                   : value_string(arena, AT_CONST(from, at, struct str));
    case FIELD_BOOL:
        return SAME(bool) ? NULL : value_bool(arena, AT_CONST(from, at, bool));
    case FIELD_INT8:
        return SAME(int8_t) ? NULL : value_int(arena, AT_CONST(from, at, int8_t));
    case FIELD_INT32:
        return SAME(int32_t) ? NULL : value_int(arena, AT_CONST(from, at, int32_t));
    case FIELD_UINT32:
        return SAME(uint32_t) ? NULL : value_int(arena, AT_CONST(from, at, uint32_t));
    case FIELD_INT64:
        return SAME(int64_t) ? NULL : value_int(arena, AT_CONST(from, at, int64_t));
    case FIELD_REAL:
        return SAME(double) ? NULL : value_real(arena, AT_CONST(from, at, double));
    case FIELD_VALUE: {
        const struct value *value = AT_CONST(from, at, struct value *);
        return value != NULL && value->type == VALUE_NULL ? NULL : value;
    }
    case FIELD_RULE:
        return SAME(enum trigger_rule)
                   ? NULL
                   : value_string(arena,
                                  str_of(trigger_rule_name(AT_CONST(from, at, enum trigger_rule))));
    case FIELD_WEIGHT_RULE:
        return SAME(enum weight_rule)
                   ? NULL
                   : value_string(arena,
                                  str_of(weight_rule_names[AT_CONST(from, at, enum weight_rule)]));
    case FIELD_JITTER:
        return SAME(enum jitter)
                   ? NULL
                   : value_string(arena, str_of(jitter_names[AT_CONST(from, at, enum jitter)]));
    case FIELD_OPERATOR:
        return value_string(arena, str_of(operator_name(AT_CONST(from, at, enum operator_kind))));
    }
#undef SAME
    return NULL;
}

static struct value *fields_value(struct arena *arena, const struct field *fields, uint32_t count,
                                  const void *from, const void *defaults)
{
    struct value *map = value_map(arena);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *item = field_value(arena, &fields[i], from, defaults);
        if (item != NULL)
            value_put(arena, map, str_of(fields[i].name), item);
    }
    return map;
}

static struct value *task_value(struct arena *arena, const struct task *task,
                                const struct task *defaults)
{
    struct value *map = fields_value(arena, task_fields, COUNT_OF(task_fields), task, defaults);
    if (task->upstream_count > 0) {
        struct value *list = value_list(arena);
        for (uint32_t i = 0; i < task->upstream_count; i++)
            value_add(arena, list, value_int(arena, task->upstream[i]));
        value_put(arena, map, STR("upstream"), list);
    }
    return map;
}

struct str dag_to_json(const struct dag *dag, struct arena *arena)
{
    struct arena scratch = { 0 };
    struct dag *defaults = dag_new(1);
    struct value *map = fields_value(&scratch, dag_fields, COUNT_OF(dag_fields), dag, defaults);
    struct value *tasks = value_list(&scratch);
    for (uint32_t i = 0; i < dag->task_count; i++)
        value_add(&scratch, tasks, task_value(&scratch, &dag->tasks[i], defaults->tasks));
    value_put(&scratch, map, STR("tasks"), tasks);
    if (dag->group_count > 0) {
        struct value *groups = value_list(&scratch);
        for (uint32_t i = 0; i < dag->group_count; i++)
            value_add(&scratch, groups,
                      fields_value(&scratch, group_fields, COUNT_OF(group_fields), &dag->groups[i],
                                   &group_defaults));
        value_put(&scratch, map, STR("groups"), groups);
    }
    struct buf text = { 0 };
    json_write_canonical(&text, map);
    struct str json = str_copy(arena, buf_str(&text));
    buf_clear(&text);
    dag_free(defaults);
    arena_clear(&scratch);
    return json;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int name_index(struct str name, const char *const *names, uint32_t count, int *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (str_is(name, names[i])) {
            *out = (int)i;
            return 0;
        }
    }
    return ERR_INVALID;
}

static int integer_read(const struct value *item, int64_t min, int64_t max, int64_t *out)
{
    if (item->type != VALUE_INT || item->integer < min || item->integer > max)
        return ERR_INVALID;
    *out = item->integer;
    return 0;
}

static int enum_read(const struct field *field, struct str word, void *into)
{
    int index = 0, rc = 0;
    size_t at = field->offset;
    switch (field->kind) {
    case FIELD_RULE:
        return trigger_rule_parse(word, &AT(into, at, enum trigger_rule));
    case FIELD_OPERATOR:
        return operator_parse(word, &AT(into, at, enum operator_kind));
    case FIELD_WEIGHT_RULE:
        rc = name_index(word, weight_rule_names, COUNT_OF(weight_rule_names), &index);
        AT(into, at, enum weight_rule) = (enum weight_rule)index;
        return rc;
    case FIELD_JITTER:
        rc = name_index(word, jitter_names, COUNT_OF(jitter_names), &index);
        AT(into, at, enum jitter) = (enum jitter)index;
        return rc;
    default:
        return ERR_INVALID;
    }
}

static int number_read(const struct field *field, const struct value *item, void *into)
{
    size_t at = field->offset;
    int64_t number = 0;
    int rc = 0;
    switch (field->kind) {
    case FIELD_INT8:
        rc = integer_read(item, INT8_MIN, INT8_MAX, &number);
        AT(into, at, int8_t) = (int8_t)number;
        return rc;
    case FIELD_INT32:
        rc = integer_read(item, INT32_MIN, INT32_MAX, &number);
        AT(into, at, int32_t) = (int32_t)number;
        return rc;
    case FIELD_UINT32:
        rc = integer_read(item, 0, UINT32_MAX, &number);
        AT(into, at, uint32_t) = (uint32_t)number;
        return rc;
    default:
        rc = integer_read(item, INT64_MIN, INT64_MAX, &number);
        AT(into, at, int64_t) = number;
        return rc;
    }
}

static int field_read(const struct field *field, const struct value *item, void *into)
{
    size_t at = field->offset;
    switch (field->kind) {
    case FIELD_STR:
        if (item->type != VALUE_STRING)
            return ERR_INVALID;
        AT(into, at, struct str) = item->string;
        return 0;
    case FIELD_BOOL:
        if (item->type != VALUE_BOOL)
            return ERR_INVALID;
        AT(into, at, bool) = item->boolean;
        return 0;
    case FIELD_REAL:
        if (item->type != VALUE_REAL && item->type != VALUE_INT)
            return ERR_INVALID;
        AT(into, at, double) = item->type == VALUE_REAL ? item->real : (double)item->integer;
        return 0;
    case FIELD_VALUE:
        AT(into, at, const struct value *) = item->type == VALUE_NULL ? NULL : item;
        return 0;
    case FIELD_RULE:
    case FIELD_OPERATOR:
    case FIELD_WEIGHT_RULE:
    case FIELD_JITTER:
        return item->type == VALUE_STRING ? enum_read(field, item->string, into) : ERR_INVALID;
    default:
        return number_read(field, item, into);
    }
}

static int fields_read(const struct value *map, const struct field *fields, uint32_t count,
                       void *into, struct err *err)
{
    if (map->type != VALUE_MAP)
        return err_set(err, ERR_INVALID, "a mapping is expected, not %s",
                       value_type_name(map->type));
    for (uint32_t i = 0; i < count; i++) {
        const struct value *item = value_get(map, fields[i].name);
        if (item != NULL && field_read(&fields[i], item, into) < 0)
            return err_set(err, ERR_INVALID, "field %s does not fit", fields[i].name);
    }
    return 0;
}

static int upstream_read(struct dag *dag, struct task *task, const struct value *list,
                         struct err *err)
{
    if (list == NULL)
        return 0;
    if (list->type != VALUE_LIST)
        return err_set(err, ERR_INVALID, "upstream is not a list");
    task->upstream = ARENA_ARRAY(&dag->arena, uint32_t, list->count);
    task->upstream_count = list->count;
    for (uint32_t i = 0; i < list->count; i++) {
        int64_t number = 0;
        if (integer_read(list->items[i], 0, UINT32_MAX, &number) < 0)
            return err_set(err, ERR_INVALID, "upstream holds what is no task number");
        task->upstream[i] = (uint32_t)number;
    }
    return 0;
}

static int tasks_read(struct dag *dag, const struct value *list, struct err *err)
{
    if (list == NULL || list->type != VALUE_LIST)
        return err_set(err, ERR_INVALID, "tasks is not a list");
    struct dag *fresh = dag_new(1);
    dag->task_count = list->count;
    dag->tasks = ARENA_ARRAY(&dag->arena, struct task, list->count);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < list->count; i++) {
        dag->tasks[i] = fresh->tasks[0];
        rc = fields_read(list->items[i], task_fields, COUNT_OF(task_fields), &dag->tasks[i], err);
        if (rc == 0)
            rc = upstream_read(dag, &dag->tasks[i], value_get(list->items[i], "upstream"), err);
        if (rc < 0)
            rc = err_wrap(err, rc, "task number %u", i);
    }
    dag_free(fresh);
    return rc;
}

static int groups_read(struct dag *dag, const struct value *list, struct err *err)
{
    if (list == NULL)
        return 0;
    if (list->type != VALUE_LIST)
        return err_set(err, ERR_INVALID, "groups is not a list");
    dag->group_count = list->count;
    dag->groups = ARENA_ARRAY(&dag->arena, struct dag_group, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        dag->groups[i] = group_defaults;
        int rc =
            fields_read(list->items[i], group_fields, COUNT_OF(group_fields), &dag->groups[i], err);
        if (rc < 0)
            return err_wrap(err, rc, "group number %u", i);
    }
    return 0;
}

static int dag_read(struct dag *dag, struct str json, struct err *err)
{
    const struct value *map = NULL;
    int rc = json_parse(&dag->arena, json, NULL, &map, err);
    if (rc == 0)
        rc = fields_read(map, dag_fields, COUNT_OF(dag_fields), dag, err);
    if (rc == 0)
        rc = tasks_read(dag, value_get(map, "tasks"), err);
    if (rc == 0)
        rc = groups_read(dag, value_get(map, "groups"), err);
    if (rc == 0)
        rc = dag_build(dag, err);
    return rc;
}

int dag_from_json(struct str json, struct dag **out, struct err *err)
{
    struct dag *dag = dag_new(0);
    int rc = dag_read(dag, json, err);
    if (rc < 0) {
        dag_free(dag);
        return err_wrap(err, rc, "reading the stored form of a DAG");
    }
    *out = dag;
    return 0;
}
