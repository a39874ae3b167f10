// SPDX-License-Identifier: Apache-2.0
/* The JSON Schema of DAG files, for editors: made from the table of keys. A key that the engine
 * does not work with yet is left out, so that an editor underlines it as the compiler refuses it.
 */
#include "common/compile/compile.h"
#include "common/compile/key.h"

#include "common/base/assert.h"
#include "common/text/json.h"

#define ID_PATTERN "^[A-Za-z0-9_.-]{1,250}$"
#define DURATION_PATTERN                                                                           \
    "^ *(0|([0-9]+(\\.[0-9]+)?(w|d|h|ms|m|s))+|P([0-9.]+[WD])*(T([0-9.]+[HMS])+)?) *$"

static struct value *text_of(struct arena *arena, const char *text)
{
    return value_string(arena, str_of(text));
}

static void put(struct arena *arena, struct value *map, const char *key, const struct value *value)
{
    value_put(arena, map, str_of(key), value);
}

static struct value *typed(struct arena *arena, const char *type)
{
    struct value *schema = value_map(arena);
    put(arena, schema, "type", text_of(arena, type));
    return schema;
}

static struct value *pattern(struct arena *arena, const char *text)
{
    struct value *schema = typed(arena, "string");
    put(arena, schema, "pattern", text_of(arena, text));
    return schema;
}

/* Several types, blanks between them. */
static struct value *types(struct arena *arena, const char *words)
{
    struct value *schema = value_map(arena), *list = value_list(arena);
    struct str rest = str_of(words), word;
    while (str_split(&rest, ' ', &word))
        value_add(arena, list, value_string(arena, word));
    put(arena, schema, "type", list);
    return schema;
}

static struct value *either(struct arena *arena, const struct value *first,
                            const struct value *second)
{
    struct value *schema = value_map(arena), *list = value_list(arena);
    value_add(arena, list, first);
    value_add(arena, list, second);
    put(arena, schema, "anyOf", list);
    return schema;
}

static struct value *list_of(struct arena *arena, const struct value *items)
{
    struct value *schema = typed(arena, "array");
    put(arena, schema, "items", items);
    return schema;
}

static struct value *map_of(struct arena *arena, const struct value *items, const char *names)
{
    struct value *schema = typed(arena, "object");
    put(arena, schema, "additionalProperties", items);
    if (names != NULL)
        put(arena, schema, "propertyNames", pattern(arena, names));
    return schema;
}

static struct value *reference(struct arena *arena, const char *name)
{
    struct value *schema = value_map(arena);
    put(arena, schema, "$ref", value_string(arena, str_format(arena, "#/$defs/%s", name)));
    return schema;
}

static const char *place_name(enum place place)
{
    static const char *const names[] = {
        [PLACE_DAG] = "dag",
        [PLACE_GROUP] = "group",
        [PLACE_TASK] = "task",
        [PLACE_BASH] = "bash",
        [PLACE_EXEC] = "exec",
        [PLACE_PYTHON] = "python",
        [PLACE_SQL] = "sql",
        [PLACE_HTTP] = "http",
        [PLACE_EMPTY] = "empty",
        [PLACE_BRANCH] = "branch",
        [PLACE_BRANCH_CASE] = "case",
        [PLACE_SHORT_CIRCUIT] = "short_circuit",
        [PLACE_WAIT_FOR] = "wait_for",
        [PLACE_WAIT_FOR_TASK] = "wait_for_task",
        [PLACE_TRIGGER_DAG] = "trigger_dag",
        [PLACE_NOTIFY] = "notification",
        [PLACE_RESOURCES] = "resources",
        [PLACE_SCHEDULE] = "schedule",
        [PLACE_FILES] = "files",
    };
    return names[place];
}

/* ---- one key ---- */

static struct value *ranged(struct arena *arena, const struct key *key, const char *type)
{
    struct value *schema = typed(arena, type);
    put(arena, schema, "minimum", value_int(arena, key->min));
    put(arena, schema, "maximum", value_int(arena, key->max));
    return schema;
}

static struct value *words_of(struct arena *arena, enum key_type type)
{
    struct value *schema = value_map(arena), *list = value_list(arena);
    const char *word;
    for (int i = 0; (word = key_word(type, i)) != NULL; i++)
        value_add(arena, list, text_of(arena, word));
    put(arena, schema, "enum", list);
    return schema;
}

static struct value *key_schema(struct arena *arena, const struct key *key);

/* A mapping of fields, or what the first of them takes. */
static struct value *operator_schema(struct arena *arena, const struct key *key)
{
    enum operator_kind kind;
    int rc = operator_parse(str_of(key->name), &kind);
    ASSERT(rc == 0);
    enum place place = place_of_operator(kind);
    const struct key *first = key_first(place);
    if (first == NULL)
        return either(arena, types(arena, "boolean null"), reference(arena, place_name(place)));
    return either(arena, key_schema(arena, first), reference(arena, place_name(place)));
}

static struct value *scalar(struct arena *arena)
{
    return types(arena, "string number boolean");
}

static struct value *simple_schema(struct arena *arena, const struct key *key)
{
    switch (key->type) {
    case TYPE_ID:
        return pattern(arena, ID_PATTERN);
    case TYPE_BOOL:
    case TYPE_CHOICE:
        return typed(arena, "boolean");
    case TYPE_COUNT:
    case TYPE_NUMBER:
        return ranged(arena, key, "integer");
    case TYPE_REAL:
        return ranged(arena, key, "number");
    case TYPE_DURATION:
        return either(arena, pattern(arena, DURATION_PATTERN), typed(arena, "number"));
    case TYPE_SIZE:
        return types(arena, "string integer");
    case TYPE_CPU:
        return types(arena, "number string");
    case TYPE_RULE:
    case TYPE_WEIGHT_RULE:
    case TYPE_JITTER:
        return words_of(arena, key->type);
    case TYPE_TEMPLATE:
        return scalar(arena);
    case TYPE_CONDITION:
        return types(arena, "string boolean number");
    case TYPE_TOLERANCE:
        return either(arena, typed(arena, "integer"), pattern(arena, "^[0-9]+(\\.[0-9]+)?%$"));
    case TYPE_FOR_EACH:
        return types(arena, "array string object");
    case TYPE_VALUE:
        return value_map(arena);
    case TYPE_VALUES:
        return types(arena, "array string");
    case TYPE_VALUE_MAP:
        return types(arena, "object string");
    case TYPE_PARAMS:
        return typed(arena, "object");
    default:
        return typed(arena, "string");
    }
}

static struct value *key_schema(struct arena *arena, const struct key *key)
{
    switch (key->type) {
    case TYPE_TEXTS:
        return either(arena, typed(arena, "string"), list_of(arena, scalar(arena)));
    case TYPE_TEMPLATES:
    case TYPE_ARGV:
        return either(arena, typed(arena, "string"), list_of(arena, scalar(arena)));
    case TYPE_TEMPLATE_MAP:
        return map_of(arena, types(arena, "string number boolean null"), NULL);
    case TYPE_ENV:
        return map_of(arena, types(arena, "string number boolean null"),
                      "^[A-Za-z_][A-Za-z0-9_]*$");
    case TYPE_DATES:
    case TYPE_CRONS:
    case TYPE_DEPENDS:
    case TYPE_TASK_IDS:
    case TYPE_CHOSEN:
        return either(arena, typed(arena, "string"), list_of(arena, typed(arena, "string")));
    case TYPE_CODES:
        return either(arena, types(arena, "integer string"),
                      list_of(arena, types(arena, "integer string")));
    case TYPE_STATUSES:
        return either(arena, ranged(arena, key, "integer"),
                      list_of(arena, ranged(arena, key, "integer")));
    case TYPE_SCHEDULE:
        return either(arena, types(arena, "string null"), reference(arena, "schedule"));
    case TYPE_FILES:
        return reference(arena, "files");
    case TYPE_FIELDS:
        return either(
            arena, typed(arena, "string"),
            reference(arena, str_is(str_of(key->name), "task") ? "wait_for_task" : key->name));
    case TYPE_DEFAULTS:
        return reference(arena, "defaults");
    case TYPE_RESOURCES:
        return reference(arena, "resources");
    case TYPE_TASKS:
        return map_of(arena, reference(arena, "task"), ID_PATTERN);
    case TYPE_GROUPS:
        return map_of(arena, reference(arena, "group"), ID_PATTERN);
    case TYPE_CASES:
        return list_of(arena, reference(arena, "case"));
    case TYPE_NOTIFICATIONS:
        return either(arena, reference(arena, "notification"),
                      list_of(arena, reference(arena, "notification")));
    case TYPE_OPERATOR:
        return operator_schema(arena, key);
    default:
        return simple_schema(arena, key);
    }
}

/* ---- a place ---- */

static void describe(struct arena *arena, struct value *schema, const struct key *key)
{
    struct str text = str_of(key->help);
    if (key->otherwise != NULL && key->otherwise[0] != '\0')
        text = str_format(arena, "%s Default: %s.", key->help, key->otherwise);
    put(arena, schema, "description", value_string(arena, text));
}

static struct value *place_schema(struct arena *arena, enum place place, bool defaults_only)
{
    struct value *schema = typed(arena, "object"), *properties = value_map(arena),
                 *required = value_list(arena);
    const struct key *key;
    for (key = key_first(place); key != NULL; key = key_next(key)) {
        if (defaults_only && !key_may_be_default(key))
            continue;
        struct value *property = key_schema(arena, key);
        describe(arena, property, key);
        put(arena, properties, key->name, property);
        if (key->otherwise == NULL)
            value_add(arena, required, text_of(arena, key->name));
    }
    put(arena, schema, "properties", properties);
    put(arena, schema, "additionalProperties", value_bool(arena, false));
    if (required->count > 0)
        put(arena, schema, "required", required);
    return schema;
}

/* A task has exactly one operator. */
static void require_operator(struct arena *arena, struct value *task)
{
    struct value *list = value_list(arena);
    const struct key *key;
    for (key = key_first(PLACE_TASK); key != NULL; key = key_next(key)) {
        if (key->type != TYPE_OPERATOR)
            continue;
        struct value *names = value_list(arena), *choice = value_map(arena);
        value_add(arena, names, text_of(arena, key->name));
        put(arena, choice, "required", names);
        value_add(arena, list, choice);
    }
    put(arena, task, "oneOf", list);
}

void compile_schema(struct buf *out)
{
    struct arena arena = { 0 };
    struct value *schema = value_map(&arena), *definitions = value_map(&arena);
    put(&arena, schema, "$schema", text_of(&arena, "https://json-schema.org/draft/2020-12/schema"));
    put(&arena, schema, "title", text_of(&arena, "Headrace DAG file"));
    struct value *dag = place_schema(&arena, PLACE_DAG, false);
    for (uint32_t i = 0; i < dag->count; i++)
        value_put(&arena, schema, dag->entries[i].key, dag->entries[i].value);
    for (int place = 0; place < PLACE_COUNT; place++) {
        if (place == PLACE_DAG)
            continue;
        struct value *definition = place_schema(&arena, (enum place)place, false);
        if (place == PLACE_TASK)
            require_operator(&arena, definition);
        put(&arena, definitions, place_name((enum place)place), definition);
    }
    put(&arena, definitions, "defaults", place_schema(&arena, PLACE_TASK, true));
    put(&arena, schema, "$defs", definitions);
    json_write_pretty(out, schema);
    arena_clear(&arena);
}
