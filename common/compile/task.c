// SPDX-License-Identifier: Apache-2.0
/* Tasks and groups: which there are, what holds for all of them, and each one's keys. */
#include "common/compile/reader.h"

/* ---- finding ---- */

/* A key of `tasks` or `groups` as part of an id. */
static bool check_id(struct compiler *compiler, const struct value_entry *entry, const char *what,
                     struct str whole)
{
    if (id_is_valid(whole))
        return true;
    if (whole.size > 250)
        problem(compiler, PLACE_OF(entry), "shorten it",
                "the id of this %s has %zu characters; 250 are allowed", what, whole.size);
    else
        problem(compiler, PLACE_OF(entry),
                "use letters (A-Z, a-z), digits, _ - and dots; a title goes into display_name",
                "'%.*s' cannot be the id of a %s", STR_ARG(str_slice(entry->key, 0, 60)), what);
    return false;
}

static bool is_taken(struct compiler *compiler, const struct value_entry *entry, struct str id)
{
    if (!map_get_str(&compiler->task_ids, id, NULL) && !map_get_str(&compiler->group_ids, id, NULL))
        return false;
    problem(compiler, PLACE_OF(entry), "rename one of them",
            "there is another task or group with the id '%.*s'", STR_ARG(id));
    return true;
}

static void find_task(struct compiler *compiler, const struct value_entry *entry, struct str prefix,
                      int32_t group)
{
    struct str id =
        str_format(&compiler->scratch, "%.*s%.*s", STR_ARG(prefix), STR_ARG(entry->key));
    if (!check_id(compiler, entry, "task", id) || is_taken(compiler, entry, id))
        return;
    map_put_str(&compiler->task_ids, id, compiler->tasks.count);
    VEC_ADD(&compiler->tasks, (struct found_task) { .id = id, .entry = entry, .group = group });
}

static bool has_entries(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);
    return value != NULL && value->count > 0;
}

static void find_group(struct compiler *compiler, const struct value_entry *entry,
                       struct str prefix, int32_t parent)
{
    struct str id =
        str_format(&compiler->scratch, "%.*s%.*s", STR_ARG(prefix), STR_ARG(entry->key));
    if (!check_id(compiler, entry, "group", id) || is_taken(compiler, entry, id))
        return;
    uint32_t number = compiler->groups.count;
    map_put_str(&compiler->group_ids, id, number);
    VEC_ADD(&compiler->groups, (struct found_group) { .id = id, .entry = entry, .parent = parent });
    compiler->groups.items[number].first_task = compiler->tasks.count;
    if (entry->value->type == VALUE_MAP)
        find_tasks(compiler, entry->value, str_format(&compiler->scratch, "%.*s.", STR_ARG(id)),
                   (int32_t)number);
    else
        problem(compiler, PLACE_OF(entry), "write {tasks: {id: {bash: ...}}}",
                "the group '%.*s' takes a mapping, not %s", STR_ARG(id),
                value_type_name(entry->value->type));
    compiler->groups.items[number].end_task = compiler->tasks.count;
    if (entry->value->type == VALUE_MAP && !has_entries(entry->value, "tasks") &&
        !has_entries(entry->value, "groups"))
        problem(compiler, PLACE_OF(entry), "give it tasks, or remove it",
                "the group '%.*s' has no tasks", STR_ARG(id));
}

static const struct value *mapping_of(struct compiler *compiler, const struct value *map,
                                      const char *name)
{
    const struct value *value = value_get(map, name);
    if (value == NULL || value->type == VALUE_NULL || value->type == VALUE_MAP)
        return value;
    problem(compiler, PLACE_OF(value), "write an id, a colon and the keys below it; no dashes",
            "%s takes %s, not %s", name, "a mapping from ids", value_type_name(value->type));
    return NULL;
}

void find_tasks(struct compiler *compiler, const struct value *map, struct str prefix,
                int32_t group)
{
    const struct value *tasks = mapping_of(compiler, map, "tasks"),
                       *groups = mapping_of(compiler, map, "groups");
    for (uint32_t i = 0; tasks != NULL && i < tasks->count; i++) {
        if (compiler->tasks.count == COMPILE_TASKS_MAX) {
            problem(compiler, PLACE_OF(&tasks->entries[i]),
                    "split the DAG, or map one task over a list with for_each",
                    "the DAG has more than %d tasks", COMPILE_TASKS_MAX);
            return;
        }
        find_task(compiler, &tasks->entries[i], prefix, group);
    }
    for (uint32_t i = 0; groups != NULL && i < groups->count; i++)
        find_group(compiler, &groups->entries[i], prefix, group);
}

/* ---- groups ---- */

static void read_group(struct compiler *compiler, uint32_t number)
{
    struct found_group *found = &compiler->groups.items[number];
    struct dag_group *group = &compiler->dag->groups[number];
    *group = (struct dag_group) { .id = keep(compiler, found->id),
                                  .tooltip = STR_EMPTY,
                                  .parent = found->parent };
    const struct value *map = found->entry->value;
    for (uint32_t i = 0; map->type == VALUE_MAP && i < map->count; i++) {
        const struct value_entry *entry = &map->entries[i];
        const struct key *key = usable_key(compiler, entry, PLACE_GROUP);
        if (key == NULL || key->type != TYPE_TEXT || entry->value->type == VALUE_NULL)
            continue;
        struct reading reading = { compiler, key, entry->value, NULL, NULL, -1 };
        struct str text;
        if (scalar_text(entry->value, &text))
            group->tooltip = keep(compiler, text);
        else
            refuse_type(&reading);
    }
}

/* ---- defaults ---- */

static void read_defaults(struct compiler *compiler, struct task *base)
{
    const struct value *map = value_get(compiler->document, "defaults");
    if (map == NULL || map->type == VALUE_NULL)
        return;
    if (map->type != VALUE_MAP) {
        problem(compiler, PLACE_OF(map), "write defaults: {retries: 3}",
                "defaults takes a mapping, not %s", value_type_name(map->type));
        return;
    }
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value_entry *entry = &map->entries[i];
        const struct key *key = usable_key(compiler, entry, PLACE_TASK);
        if (key == NULL || entry->value->type == VALUE_NULL)
            continue;
        struct reading reading = { compiler, key, entry->value, base, NULL, -1 };
        if (key_may_be_default(key))
            read_key(&reading);
        else
            problem(compiler, PLACE_OF(entry), "write it in each task that needs it",
                    "%s cannot stand in defaults", key->name);
    }
}

/* ---- one task ---- */

static void refuse_no_mapping(struct compiler *compiler, const struct found_task *found)
{
    const struct value *value = found->entry->value;
    struct str text, advice = STR("give it an operator: {bash: \"echo hello\"}");
    if (value->type == VALUE_STRING && scalar_text(value, &text) && text.size < 60)
        advice = str_format(&compiler->scratch, "write %.*s: {bash: \"%.*s\"}",
                            STR_ARG(found->entry->key), STR_ARG(text));
    problem(compiler, PLACE_OF(found->entry), advice.bytes,
            "the task '%.*s' takes a mapping, not %s", STR_ARG(found->id),
            value->type == VALUE_NULL ? "nothing" : value_type_name(value->type));
}

static void read_operators(struct compiler *compiler, uint32_t number, const struct value *map)
{
    const struct value_entry *chosen = NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value_entry *entry = &map->entries[i];
        const struct key *key = key_find(PLACE_TASK, entry->key);
        if (key == NULL || key->type != TYPE_OPERATOR)
            continue;
        if (chosen != NULL) {
            problem(compiler, PLACE_OF(entry), "make two tasks of it",
                    "the task '%.*s' has two operators, %.*s and %s",
                    STR_ARG(compiler->tasks.items[number].id), STR_ARG(chosen->key), key->name);
            continue;
        }
        chosen = entry;
        read_operator(compiler, number, key, entry);
    }
    if (chosen != NULL)
        return;
    struct buf advice;
    buf_init(&advice);
    buf_add_cstr(&advice, "add one of");
    const struct key *key;
    bool meant = false; /* a misspelt operator has got its advice already */
    for (key = key_first(PLACE_TASK); key != NULL; key = key_next(key)) {
        if (key->type != TYPE_OPERATOR)
            continue;
        meant = meant || is_meant(compiler, map, PLACE_TASK, key->name);
        buf_printf(&advice, " %s", key->name);
    }
    if (!meant)
        problem(compiler, PLACE_OF(compiler->tasks.items[number].entry), advice.bytes,
                "the task '%.*s' has no operator: it does not say what to do",
                STR_ARG(compiler->tasks.items[number].id));
    buf_clear(&advice);
}

/* Keys that mean nothing without another one. */
static void check_together(struct compiler *compiler, const struct value *map)
{
    static const char *const of_mapped[] = { "tolerate_failures", "map_label" };
    const struct value *for_each = value_get(map, "for_each");
    if (for_each != NULL && for_each->type != VALUE_NULL)
        return;
    for (size_t i = 0; i < sizeof of_mapped / sizeof of_mapped[0]; i++) {
        const struct value_entry *entry = value_entry(map, str_of(of_mapped[i]));
        if (entry != NULL && entry->value->type != VALUE_NULL)
            problem(compiler, PLACE_OF(entry), "add for_each, or remove it",
                    "%s means something only with for_each", of_mapped[i]);
    }
}

static void read_task(struct compiler *compiler, uint32_t number, const struct task *base)
{
    struct found_task *found = &compiler->tasks.items[number];
    struct task *task = &compiler->dag->tasks[number];
    *task = *base;
    task->id = keep(compiler, found->id);
    task->upstream_count = found->upstream.count;
    task->upstream = arena_copy(&compiler->dag->arena, found->upstream.items,
                                found->upstream.count * sizeof *found->upstream.items);
    const struct value *map = found->entry->value;
    if (map->type != VALUE_MAP) {
        refuse_no_mapping(compiler, found);
        return;
    }
    read_keys(compiler, map, PLACE_TASK, task, NULL, (int32_t)number);
    read_operators(compiler, number, map);
    check_together(compiler, map);
}

void read_tasks(struct compiler *compiler)
{
    struct dag *dag = compiler->dag;
    dag->group_count = compiler->groups.count;
    dag->groups = ARENA_ARRAY(&dag->arena, struct dag_group, dag->group_count);
    for (uint32_t i = 0; i < dag->group_count; i++)
        read_group(compiler, i);
    if (dag->task_count == 0)
        return;
    struct task base = dag->tasks[0];
    read_defaults(compiler, &base);
    for (uint32_t i = 0; i < dag->task_count; i++)
        read_task(compiler, i, &base);
    check_setups(compiler);
}
