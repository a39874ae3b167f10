// SPDX-License-Identifier: Apache-2.0
/* Checks the params of a run against the part of JSON Schema that forms need: type (one or a list),
 * enum, const, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minLength,
 * maxLength, pattern (see pattern.h), items, minItems, maxItems, properties, required,
 * additionalProperties: false, default. title, description and other keywords are for people. */
#include "common/base/buf.h"
#include "common/model/dag.h"
#include "common/model/pattern.h"
#include "common/text/json.h"

#include <math.h>

struct checker {
    struct arena *arena;
    struct buf report; /* one sentence after the other */
    int depth;
};

enum { SCHEMA_DEPTH_MAX = 16 };

static void complain(struct checker *checker, struct str path, const char *fmt, ...) FORMAT(3, 4);
static void check(struct checker *checker, struct str path, const struct value *schema,
                  const struct value *value);

static void complain(struct checker *checker, struct str path, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str text = str_formatv(checker->arena, fmt, args);
    va_end(args);
    if (checker->report.size > 0)
        buf_add_cstr(&checker->report, "; ");
    buf_printf(&checker->report, "%.*s %.*s", STR_ARG(path), STR_ARG(text));
}

static bool type_fits(struct str name, const struct value *value)
{
    switch (value->type) {
    case VALUE_NULL:
        return str_is(name, "null");
    case VALUE_BOOL:
        return str_is(name, "boolean");
    case VALUE_INT:
        return str_is(name, "integer") || str_is(name, "number");
    case VALUE_REAL:
        return str_is(name, "number") ||
               (str_is(name, "integer") && value->real == floor(value->real));
    case VALUE_STRING:
        return str_is(name, "string");
    case VALUE_LIST:
        return str_is(name, "array");
    case VALUE_MAP:
        return str_is(name, "object");
    }
    return false;
}

static bool type_check(struct checker *checker, struct str path, const struct value *type,
                       const struct value *value)
{
    if (type == NULL)
        return true;
    if (type->type == VALUE_STRING) {
        if (type_fits(type->string, value))
            return true;
        complain(checker, path, "must be of type %.*s, not %s", STR_ARG(type->string),
                 value_type_name(value->type));
        return false;
    }
    for (uint32_t i = 0; type->type == VALUE_LIST && i < type->count; i++)
        if (type_fits(value_text(type->items[i], STR_EMPTY), value))
            return true;
    complain(checker, path, "must be of one of the types %.*s, not %s",
             STR_ARG(json_text(checker->arena, type)), value_type_name(value->type));
    return false;
}

static void enum_check(struct checker *checker, struct str path, const struct value *schema,
                       const struct value *value)
{
    const struct value *words = value_get(schema, "enum"), *only = value_get(schema, "const");
    if (only != NULL && !value_eq(only, value))
        complain(checker, path, "must be %.*s", STR_ARG(json_text(checker->arena, only)));
    if (words == NULL || words->type != VALUE_LIST)
        return;
    for (uint32_t i = 0; i < words->count; i++)
        if (value_eq(words->items[i], value))
            return;
    complain(checker, path, "must be one of %.*s, not %.*s",
             STR_ARG(json_text(checker->arena, words)), STR_ARG(json_text(checker->arena, value)));
}

static bool number_of(const struct value *value, double *out)
{
    if (value == NULL || (value->type != VALUE_INT && value->type != VALUE_REAL))
        return false;
    *out = value->type == VALUE_INT ? (double)value->integer : value->real;
    return true;
}

static void number_check(struct checker *checker, struct str path, const struct value *schema,
                         double number)
{
    double bound = 0;
    if (number_of(value_get(schema, "minimum"), &bound) && number < bound)
        complain(checker, path, "must be at least %.15g", bound);
    if (number_of(value_get(schema, "maximum"), &bound) && number > bound)
        complain(checker, path, "must be at most %.15g", bound);
    if (number_of(value_get(schema, "exclusiveMinimum"), &bound) && number <= bound)
        complain(checker, path, "must be more than %.15g", bound);
    if (number_of(value_get(schema, "exclusiveMaximum"), &bound) && number >= bound)
        complain(checker, path, "must be less than %.15g", bound);
    if (number_of(value_get(schema, "multipleOf"), &bound) && bound > 0 && fmod(number, bound) != 0)
        complain(checker, path, "must be a multiple of %.15g", bound);
}

/* JSON Schema counts characters, not bytes. */
static int64_t characters(struct str text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    return count;
}

static void text_check(struct checker *checker, struct str path, const struct value *schema,
                       struct str text)
{
    int64_t min = value_integer(value_get(schema, "minLength"), 0);
    int64_t max = value_integer(value_get(schema, "maxLength"), INT64_MAX);
    if (characters(text) < min)
        complain(checker, path, "must have at least %lld characters", (long long)min);
    if (characters(text) > max)
        complain(checker, path, "must have at most %lld characters", (long long)max);
    const struct value *pattern = value_get(schema, "pattern");
    if (pattern == NULL || pattern->type != VALUE_STRING)
        return;
    const struct pattern *compiled = NULL;
    struct err err = { 0 };
    if (pattern_compile(checker->arena, pattern->string, &compiled, &err) < 0)
        complain(checker, path, "cannot be checked: %s", err.sentence);
    else if (!pattern_matches(compiled, text, checker->arena))
        complain(checker, path, "must match the pattern %.*s", STR_ARG(pattern->string));
}

static void list_check(struct checker *checker, struct str path, const struct value *schema,
                       const struct value *list)
{
    int64_t min = value_integer(value_get(schema, "minItems"), 0);
    int64_t max = value_integer(value_get(schema, "maxItems"), INT64_MAX);
    if (list->count < min)
        complain(checker, path, "must have at least %lld items", (long long)min);
    if (list->count > max)
        complain(checker, path, "must have at most %lld items", (long long)max);
    const struct value *items = value_get(schema, "items");
    for (uint32_t i = 0; items != NULL && i < list->count; i++)
        check(checker, str_format(checker->arena, "%.*s[%u]", STR_ARG(path), i), items,
              list->items[i]);
}

static void map_check(struct checker *checker, struct str path, const struct value *schema,
                      const struct value *map)
{
    const struct value *required = value_get(schema, "required"),
                       *properties = value_get(schema, "properties");
    for (uint32_t i = 0; required != NULL && required->type == VALUE_LIST && i < required->count;
         i++) {
        struct str name = value_text(required->items[i], STR_EMPTY);
        if (value_get_str(map, name) == NULL)
            complain(checker, path, "lacks %.*s", STR_ARG(name));
    }
    bool closed = !value_boolean(value_get(schema, "additionalProperties"), true);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value_entry *entry = &map->entries[i];
        const struct value *property = value_get_str(properties, entry->key);
        struct str at = str_format(checker->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(entry->key));
        if (property != NULL)
            check(checker, at, property, entry->value);
        else if (closed)
            complain(checker, at, "is not known");
    }
}

static void check(struct checker *checker, struct str path, const struct value *schema,
                  const struct value *value)
{
    double number = 0;
    if (schema->type != VALUE_MAP || checker->depth == SCHEMA_DEPTH_MAX ||
        !type_check(checker, path, value_get(schema, "type"), value))
        return;
    checker->depth++;
    enum_check(checker, path, schema, value);
    if (number_of(value, &number))
        number_check(checker, path, schema, number);
    else if (value->type == VALUE_STRING)
        text_check(checker, path, schema, value->string);
    else if (value->type == VALUE_LIST)
        list_check(checker, path, schema, value);
    else if (value->type == VALUE_MAP)
        map_check(checker, path, schema, value);
    checker->depth--;
}

static bool schema_allows_null(const struct value *schema)
{
    const struct value *type = value_get(schema, "type");
    if (type == NULL || type->type != VALUE_LIST)
        return type != NULL && str_is(value_text(type, STR_EMPTY), "null");
    for (uint32_t i = 0; i < type->count; i++)
        if (str_is(value_text(type->items[i], STR_EMPTY), "null"))
            return true;
    return false;
}

static void param_resolve(struct checker *checker, struct str name, const struct value *schema,
                          const struct value *given, struct value *out)
{
    const struct value *value = given;
    if (schema->type != VALUE_MAP) { /* a bare default */
        value_put(checker->arena, out, name, given != NULL ? given : schema);
        return;
    }
    if (value == NULL)
        value = value_get(schema, "default");
    if (value == NULL && schema_allows_null(schema))
        value = value_null(checker->arena);
    if (value == NULL) {
        complain(checker, name, "is required and has no default");
        return;
    }
    check(checker, name, schema, value);
    value_put(checker->arena, out, name, value);
}

int dag_params(const struct dag *dag, const struct value *conf, struct arena *arena,
               const struct value **out, struct err *err)
{
    struct checker checker = { .arena = arena };
    struct value *map = value_map(arena);
    for (uint32_t i = 0; dag->params != NULL && i < dag->params->count; i++) {
        const struct value_entry *entry = &dag->params->entries[i];
        param_resolve(&checker, entry->key, entry->value, value_get_str(conf, entry->key), map);
    }
    /* As in Airflow, what conf has besides is a param too. */
    for (uint32_t i = 0; conf != NULL && conf->type == VALUE_MAP && i < conf->count; i++)
        if (value_get_str(map, conf->entries[i].key) == NULL &&
            value_get_str(dag->params, conf->entries[i].key) == NULL)
            value_put(arena, map, conf->entries[i].key, conf->entries[i].value);
    int rc = 0;
    if (checker.report.size > 0)
        rc = err_set(err, ERR_UNPROCESSABLE, "params: %.*s", STR_ARG(buf_str(&checker.report)));
    else
        *out = map;
    buf_clear(&checker.report);
    return rc;
}
