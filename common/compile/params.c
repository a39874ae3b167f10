// SPDX-License-Identifier: Apache-2.0
/* Params: JSON Schemas by name, each with a default that fits. */
#include "common/compile/reader.h"

#include "common/model/pattern.h"
#include "common/text/suggest.h"

static const struct str types[] = { { "string", 6 },  { "integer", 7 }, { "number", 6 },
                                    { "boolean", 7 }, { "array", 5 },   { "object", 6 },
                                    { "null", 4 } };

enum { TYPES_COUNT = sizeof types / sizeof types[0], DEPTH_MAX = 12 };

static void check_type_word(struct compiler *compiler, const struct value *word)
{
    struct str text = value_text(word, STR_EMPTY);
    if (word->type == VALUE_NULL)
        text = STR("null");
    for (size_t i = 0; i < TYPES_COUNT; i++)
        if (str_eq(text, types[i]))
            return;
    static const struct {
        const char *word, *meant;
    } habits[] = {
        { "str", "string" },   { "text", "string" },  { "int", "integer" },
        { "float", "number" }, { "bool", "boolean" }, { "list", "array" },
        { "dict", "object" },  { "map", "object" },   { "date", "string (and format: date)" }
    };
    struct str near = suggest(text, types, TYPES_COUNT);
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++)
        if (str_is(text, habits[i].word))
            near = str_of(habits[i].meant);
    struct str advice = near.size > 0
                            ? str_format(&compiler->scratch, "write %.*s", STR_ARG(near))
                            : STR("types are string integer number boolean array object null");
    problem(compiler, PLACE_OF(word), advice.bytes, "JSON Schema has no type '%.*s'",
            STR_ARG(str_slice(text, 0, 60)));
}

static void check_type(struct compiler *compiler, const struct value *type)
{
    if (type->type != VALUE_LIST) {
        check_type_word(compiler, type);
        return;
    }
    for (uint32_t i = 0; i < type->count; i++)
        check_type_word(compiler, type->items[i]);
}

static void check_pattern(struct compiler *compiler, const struct value *pattern)
{
    const struct pattern *compiled;
    struct err err = { 0 };
    if (pattern->type != VALUE_STRING)
        problem(compiler, PLACE_OF(pattern), NULL, "pattern takes text, not %s",
                value_type_name(pattern->type));
    else if (pattern_compile(&compiler->scratch, pattern->string, &compiled, &err) < 0)
        problem_err(compiler, PLACE_OF(pattern), "", &err);
}

static void check_schema(struct compiler *compiler, const struct value *schema, int depth)
{
    static const char *const numbers[] = { "minimum",          "maximum",    "exclusiveMinimum",
                                           "exclusiveMaximum", "multipleOf", "minLength",
                                           "maxLength",        "minItems",   "maxItems" };
    const struct value *part;
    if (schema->type != VALUE_MAP || depth > DEPTH_MAX)
        return;
    if ((part = value_get(schema, "type")) != NULL)
        check_type(compiler, part);
    if ((part = value_get(schema, "enum")) != NULL &&
        (part->type != VALUE_LIST || part->count == 0))
        problem(compiler, PLACE_OF(part), "write enum: [a, b]",
                "enum takes a list of values, not %s",
                part->type == VALUE_LIST ? "an empty one" : value_type_name(part->type));
    if ((part = value_get(schema, "pattern")) != NULL)
        check_pattern(compiler, part);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if ((part = value_get(schema, numbers[i])) != NULL && part->type != VALUE_INT &&
            part->type != VALUE_REAL)
            problem(compiler, PLACE_OF(part), NULL, "%s takes a number, not %s", numbers[i],
                    value_type_name(part->type));
    if ((part = value_get(schema, "items")) != NULL)
        check_schema(compiler, part, depth + 1);
    part = value_get(schema, "properties");
    for (uint32_t i = 0; part != NULL && part->type == VALUE_MAP && i < part->count; i++)
        check_schema(compiler, part->entries[i].value, depth + 1);
}

/* Whether the default fits its own schema: asked of the very code that checks runs. */
static void check_default(struct compiler *compiler, struct str name, const struct value *schema)
{
    const struct value *otherwise = value_get(schema, "default");
    if (otherwise == NULL)
        return;
    struct value *one = value_map(&compiler->scratch);
    value_put(&compiler->scratch, one, name, schema);
    struct dag probe = { .params = one };
    const struct value *resolved;
    struct err err = { 0 };
    if (dag_params(&probe, NULL, &compiler->scratch, &resolved, &err) == 0)
        return;
    const char *sentence =
        strncmp(err.sentence, "params: ", 8) == 0 ? err.sentence + 8 : err.sentence;
    problem(compiler, PLACE_OF(otherwise), err.hint, "the default does not fit: %s", sentence);
}

/* A bare value is short for {default: value}. */
static const struct value *schema_of(struct compiler *compiler, const struct value *value)
{
    if (value->type == VALUE_MAP)
        return keep_value(compiler, value);
    struct arena *arena = &compiler->dag->arena;
    struct value *schema = value_map(arena);
    value_put(arena, schema, STR("default"), keep_value(compiler, value));
    return schema;
}

void read_params(struct reading *reading)
{
    struct compiler *compiler = reading->compiler;
    const struct value *from = reading->value;
    if (from->type != VALUE_MAP) {
        refuse_type(reading);
        return;
    }
    struct value *params = value_map(&compiler->dag->arena);
    for (uint32_t i = 0; i < from->count; i++) {
        const struct value_entry *entry = &from->entries[i];
        uint32_t before = compiler->problem_total;
        if (entry->key.size == 0 || entry->key.size > 250)
            problem(compiler, PLACE_OF(entry), NULL,
                    "the name of a param must have 1 to 250 characters");
        check_schema(compiler, entry->value, 0);
        if (compiler->problem_total == before && entry->value->type == VALUE_MAP)
            check_default(compiler, entry->key, entry->value);
        value_put(&compiler->dag->arena, params, keep(compiler, entry->key),
                  schema_of(compiler, entry->value));
    }
    if (params->count > 0)
        compiler->dag->params = params;
}
