// SPDX-License-Identifier: Apache-2.0
/* The fields of operators, and what must hold among them. */
#include "common/compile/reader.h"

#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/text/duration.h"

/* ---- fields that need or exclude each other ---- */

static bool has(const struct value *map, const char *name)
{
    const struct value *value = value_get(map, name);
    return value != NULL && value->type != VALUE_NULL;
}

/* Of these fields one must be given, and only one; `required` false: at most one. */
static const struct choice {
    enum place place;
    bool required;
    const char *advice;
    const char *names[8];
} choices[] = {
    { PLACE_SQL,
      true,
      "write sql: {connection: warehouse, statement: \"select 1\"}",
      { "statement", "file" } },
    { PLACE_HTTP, false, "", { "body", "json" } },
    { PLACE_WAIT_FOR,
      true,
      "write wait_for: {file: /data/in/ready}",
      { "file", "http", "sql", "time", "duration", "task", "asset" } },
    { PLACE_NOTIFY,
      true,
      "write {email: [someone@example.org], message: text}",
      { "email", "webhook", "exec" } },
};

static void check_choice(struct compiler *compiler, const struct choice *choice,
                         const struct value *map, struct place_in_file at)
{
    const char *first = NULL;
    struct buf names;
    buf_init(&names);
    for (int i = 0; i < 8 && choice->names[i] != NULL; i++) {
        buf_printf(&names, "%s%s", i == 0 ? "" : " ", choice->names[i]);
        if (!has(map, choice->names[i]))
            continue;
        if (first != NULL)
            problem(compiler, PLACE_OF(value_entry(map, str_of(choice->names[i]))),
                    "keep one of them", "%s cannot have both %s and %s", place_words(choice->place),
                    first, choice->names[i]);
        else
            first = choice->names[i];
    }
    if (first == NULL && choice->required)
        problem(compiler, at, choice->advice, "%s needs one of the keys %s",
                place_words(choice->place), names.bytes);
    buf_clear(&names);
}

static void check_choices(struct compiler *compiler, enum place place, const struct value *map,
                          struct place_in_file at)
{
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        if (choices[i].place == place)
            check_choice(compiler, &choices[i], map, at);
}

/* A time or a length of time that is no template is known now. */
static void check_moment(struct compiler *compiler, enum place place, const struct value *map)
{
    const struct value *time = value_get(map, "time"), *duration = value_get(map, "duration");
    int64_t ms;
    bool has_zone;
    struct str text;
    struct err err = { 0 };
    if (place != PLACE_WAIT_FOR)
        return;
    if (time != NULL && scalar_text(time, &text) && template_is_plain(text) &&
        civil_parse(text, &ms, &has_zone) < 0)
        problem(compiler, PLACE_OF(time), "write a time such as 2026-01-31T06:00:00Z",
                "'%.*s' is no time", STR_ARG(str_slice(text, 0, 60)));
    if (duration != NULL && scalar_text(duration, &text) && template_is_plain(text) &&
        duration_parse(text, &ms, &err) < 0)
        problem_err(compiler, PLACE_OF(duration), "", &err);
}

static void check_texts(struct compiler *compiler, enum place place, const struct value *map)
{
    const struct value *callable = value_get(map, "callable"), *dag_id = value_get(map, "dag_id");
    if (place == PLACE_PYTHON && callable != NULL && callable->type == VALUE_STRING &&
        template_is_plain(callable->string)) {
        ptrdiff_t colon = str_find(callable->string, ':');
        if (colon <= 0 || (size_t)colon + 1 == callable->string.size)
            problem(compiler, PLACE_OF(callable), "write module:function, as in feedback.load:main",
                    "callable does not name a function: '%.*s'",
                    STR_ARG(str_slice(callable->string, 0, 60)));
    }
    check_moment(compiler, place, map);
    if (place == PLACE_TRIGGER_DAG && dag_id != NULL && dag_id->type == VALUE_STRING &&
        template_is_plain(dag_id->string) && !id_is_valid(dag_id->string))
        problem(compiler, PLACE_OF(dag_id), NULL, "'%.*s' cannot be the id of a DAG",
                STR_ARG(str_slice(dag_id->string, 0, 60)));
}

/* ---- files beside the DAG file ---- */

static void check_file(struct compiler *compiler, const struct value *written, struct str path)
{
    const struct compile_options *options = &compiler->options;
    if (options->has_file != NULL && template_is_plain(path) &&
        !options->has_file(options->owner, path))
        problem(compiler, PLACE_OF(written), "relative paths start at the folder of the DAG's file",
                "there is no %.*s", STR_ARG(path));
}

/* `path` is what was read from `written`, whose places are known. A path that begins with a
 * template is the author's whole. */
static const struct value *path_beside(struct compiler *compiler, const struct value *path,
                                       const struct value *written)
{
    struct str folder = compiler->options.folder;
    struct arena *arena = &compiler->dag->arena;
    if (path->type == VALUE_LIST) {
        struct value *list = value_list(arena);
        for (uint32_t i = 0; i < path->count; i++)
            value_add(arena, list,
                      path_beside(compiler, path->items[i],
                                  written->type == VALUE_LIST ? written->items[i] : written));
        return list;
    }
    if (folder.size == 0 || path->type != VALUE_STRING || path->string.size == 0 ||
        str_starts(path->string, "/") || str_starts(path->string, "{{"))
        return path;
    struct str whole = str_format(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(path->string));
    check_file(compiler, written, whole);
    return value_string(arena, whole);
}

/* A worker runs a task in a folder of its own, where nothing of the author's is. */
static void resolve_paths(struct compiler *compiler, enum place place, const struct value *map,
                          struct value *args)
{
    static const struct {
        enum place place;
        const char *name;
    } fields[] = { { PLACE_SQL, "file" }, { PLACE_PYTHON, "path" } };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct str name = str_of(fields[i].name);
        const struct value *path = value_get_str(args, name);
        if (fields[i].place == place && path != NULL)
            value_put(&compiler->dag->arena, args, name,
                      path_beside(compiler, path, value_get_str(map, name)));
    }
}

/* ---- one operator ---- */

/* What was written as a mapping: a bare value stands under the first key. NULL and a noted problem
 * when it cannot be. */
static const struct value *as_map(struct compiler *compiler, enum place place,
                                  const struct value_entry *entry)
{
    const struct value *value = entry->value;
    if (value->type == VALUE_MAP)
        return value;
    struct value *map = value_map(&compiler->scratch);
    map->line = entry->line;
    map->column = entry->column;
    const struct key *first = key_first(place);
    if (value->type == VALUE_NULL || (first == NULL && value_boolean(value, false)))
        return map;
    bool takes_list = first != NULL && (first->type == TYPE_ARGV || first->type == TYPE_CASES);
    if (first == NULL || (value->type == VALUE_LIST) != takes_list) {
        bool argv = first != NULL && first->type == TYPE_ARGV;
        if (!argv) {
            problem(compiler, PLACE_OF(value), first == NULL ? "write {}" : NULL,
                    "%s takes %s, not %s", place_words(place),
                    first == NULL ? "nothing" : key_type_words(TYPE_OPERATOR),
                    value_type_name(value->type));
            return NULL;
        }
    }
    struct value_entry *put = value_put_entry(&compiler->scratch, map, str_of(first->name), value);
    put->line = value->line;
    put->column = value->column;
    return map;
}

void read_operator(struct compiler *compiler, uint32_t number, const struct key *key,
                   const struct value_entry *entry)
{
    struct task *task = &compiler->dag->tasks[number];
    int rc = operator_parse(str_of(key->name), &task->operator_kind);
    ASSERT(rc == 0);
    enum place place = place_of_operator(task->operator_kind);
    const struct value *map = as_map(compiler, place, entry);
    if (map == NULL)
        return;
    struct value *args = value_map(&compiler->dag->arena);
    read_keys(compiler, map, place, NULL, args, (int32_t)number);
    check_choices(compiler, place, map, PLACE_OF(entry));
    check_texts(compiler, place, map);
    resolve_paths(compiler, place, map, args);
    if (args->count > 0)
        task->operator_args = args;
}

/* What wait_for looks for, by the fields of the operator that would do it. */
void read_fields(struct reading *reading)
{
    static const struct {
        const char *name;
        enum place place;
    } places[] = {
        { "http", PLACE_HTTP },
        { "sql", PLACE_SQL },
        { "task", PLACE_WAIT_FOR_TASK },
    };
    struct compiler *compiler = reading->compiler;
    enum place place = PLACE_COUNT;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (str_is(str_of(reading->key->name), places[i].name))
            place = places[i].place;
    ASSERT(place != PLACE_COUNT);
    const struct value_entry entry = { .value = reading->value,
                                       .line = reading->value->line,
                                       .column = reading->value->column };
    const struct value *map = as_map(compiler, place, &entry);
    if (map == NULL)
        return;
    struct value *fields = value_map(&compiler->dag->arena);
    read_keys(compiler, map, place, NULL, fields, reading->task);
    check_choices(compiler, place, map, PLACE_OF(reading->value));
    resolve_paths(compiler, place, map, fields);
    put_value(reading, fields);
}

/* ---- branch ---- */

void read_cases(struct reading *reading)
{
    struct compiler *compiler = reading->compiler;
    struct arena *arena = &compiler->dag->arena;
    const struct value *from = reading->value;
    if (from->type != VALUE_LIST || from->count == 0) {
        problem(compiler, PLACE_OF(from),
                "write cases: [{when: \"{{ expression }}\", then: [ids]}]",
                "cases takes a list of cases, not %s",
                from->type == VALUE_LIST ? "an empty one" : value_type_name(from->type));
        return;
    }
    struct value *list = value_list(arena);
    for (uint32_t i = 0; i < from->count; i++) {
        const struct value *item = from->items[i];
        struct value *map = value_map(arena);
        if (item->type == VALUE_MAP)
            read_keys(compiler, item, PLACE_BRANCH_CASE, NULL, map, reading->task);
        else
            problem(compiler, PLACE_OF(item), "write {when: \"{{ expression }}\", then: [ids]}",
                    "a case takes a mapping, not %s", value_type_name(item->type));
        value_add(arena, list, map);
    }
    put_value(reading, list);
}

static void add_chosen(struct reading *reading, struct value *list, struct place_in_file at,
                       uint32_t chosen)
{
    struct compiler *compiler = reading->compiler;
    const struct found_task *branch = &compiler->tasks.items[reading->task],
                            *target = &compiler->tasks.items[chosen];
    if (!is_direct_upstream(compiler, (uint32_t)reading->task, chosen)) {
        struct str advice = str_format(&compiler->scratch, "add depends_on: [%.*s] to %.*s",
                                       STR_ARG(branch->id), STR_ARG(target->id));
        problem(compiler, at, advice.bytes,
                "'%.*s' does not directly depend on '%.*s', so it cannot be chosen there",
                STR_ARG(target->id), STR_ARG(branch->id));
        return;
    }
    value_add(
        &compiler->dag->arena, list,
        value_string(&compiler->dag->arena, keep(compiler, compiler->tasks.items[chosen].id)));
}

/* Ids in `then` and `default`: a group stands for its first tasks. */
void read_chosen(struct reading *reading)
{
    struct compiler *compiler = reading->compiler;
    const struct value *from = reading->value;
    struct value *list = value_list(&compiler->dag->arena);
    int32_t group = compiler->tasks.items[reading->task].group;
    uint32_t count = from->type == VALUE_LIST ? from->count : 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct value *item = from->type == VALUE_LIST ? from->items[i] : from;
        struct str id;
        if (!scalar_text(item, &id)) {
            refuse_type(reading);
            return;
        }
        struct resolved resolved = resolve(compiler, id, group);
        if (!resolved.found) {
            refuse_id(compiler, PLACE_OF(item), id, group);
        } else if (!resolved.is_group) {
            add_chosen(reading, list, PLACE_OF(item), resolved.number);
        } else {
            const struct found_group *chosen = &compiler->groups.items[resolved.number];
            for (uint32_t k = 0; k < chosen->root_count; k++)
                add_chosen(reading, list, PLACE_OF(item), chosen->roots[k]);
        }
    }
    put_value(reading, list);
}

/* Ids of single tasks: `teardown`. */
void read_task_ids(struct reading *reading)
{
    struct compiler *compiler = reading->compiler;
    const struct value *from = reading->value;
    struct value *list = value_list(&compiler->dag->arena);
    int32_t group = compiler->tasks.items[reading->task].group;
    uint32_t count = from->type == VALUE_LIST ? from->count : 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct value *item = from->type == VALUE_LIST ? from->items[i] : from;
        struct str id;
        if (!scalar_text(item, &id)) {
            refuse_type(reading);
            return;
        }
        struct resolved resolved = resolve(compiler, id, group);
        if (!resolved.found || resolved.is_group)
            refuse_id(compiler, PLACE_OF(item), id, group);
        else
            value_add(&compiler->dag->arena, list,
                      value_string(&compiler->dag->arena,
                                   keep(compiler, compiler->tasks.items[resolved.number].id)));
    }
    put_value(reading, list);
}

/* ---- notifications ---- */

/* The keys on_success, on_failure ... of one record share the map `notify`. */
void read_notifications(struct reading *reading)
{
    struct compiler *compiler = reading->compiler;
    struct arena *arena = &compiler->dag->arena;
    const struct value *from = reading->value;
    if (from->type != VALUE_LIST && from->type != VALUE_MAP) {
        refuse_type(reading);
        return;
    }
    struct value *list = value_list(arena);
    uint32_t count = from->type == VALUE_LIST ? from->count : 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct value *item = from->type == VALUE_LIST ? from->items[i] : from;
        struct value *args = value_map(arena);
        if (item->type != VALUE_MAP) {
            refuse_type(reading);
            return;
        }
        read_keys(compiler, item, PLACE_NOTIFY, NULL, args, reading->task);
        check_choices(compiler, PLACE_NOTIFY, item, PLACE_OF(item));
        value_add(arena, list, args);
    }
    const struct value **at = field_of(reading);
    struct value *notify = value_map(arena);
    for (uint32_t i = 0; *at != NULL && i < (*at)->count; i++)
        value_put(arena, notify, (*at)->entries[i].key, (*at)->entries[i].value);
    value_put(arena, notify, str_of(reading->key->name), list);
    *at = notify;
}
