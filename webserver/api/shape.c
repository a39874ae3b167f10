// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/shape.h"

#include "common/base/assert.h"

#define TYPE(name, schema)
#define SHAPE(name, fields) { #name, (fields) },
static const struct {
    const char *name, *fields;
} SHAPES[] = {
#include "webserver/api/shapes.def"
};
#undef TYPE
#undef SHAPE

#define TYPE(name, schema) { #name, (schema) },
#define SHAPE(name, fields)
static const struct {
    const char *name, *schema;
} TYPES[] = {
#include "webserver/api/shapes.def"
};
#undef TYPE
#undef SHAPE

enum {
    SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES,
    TYPE_COUNT = sizeof TYPES / sizeof *TYPES,
};

bool shape_next_field(struct str *rest, struct shape_field *out)
{
    struct str type, name;
    if (rest->size == 0 || !str_split(rest, ',', &type))
        return false;
    type = str_trim(type);
    *out = (struct shape_field) { .is_spliced = str_starts(type, "...") };
    if (out->is_spliced) {
        out->type = str_slice(type, 3, type.size);
        return true;
    }
    (void)str_split(&type, ':', &name);
    out->is_optional = str_ends(name, "?");
    out->name = out->is_optional ? str_slice(name, 0, name.size - 1) : name;
    out->type = str_trim(type);
    return true;
}

/* ---- types ---- */

static struct str fields_of(struct str shape)
{
    for (size_t i = 0; i < SHAPE_COUNT; i++)
        if (str_is(shape, SHAPES[i].name))
            return str_of(SHAPES[i].fields);
    UNREACHABLE();
}

static void write_name(struct buf *out, struct str name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (!str_is(name, TYPES[i].name))
            continue;
        for (const char *at = TYPES[i].schema; *at != 0; at++)
            buf_add_byte(out, *at == '\'' ? '"' : *at);
        return;
    }
    (void)fields_of(name);
    buf_printf(out, "{\"$ref\":\"#/components/schemas/%.*s\"}", STR_ARG(name));
}

static void write_properties(struct buf *out, struct str fields, const char **comma)
{
    struct shape_field field;
    while (shape_next_field(&fields, &field)) {
        if (field.is_spliced) {
            write_properties(out, fields_of(field.type), comma);
            continue;
        }
        buf_printf(out, "%s\"%.*s\":", *comma, STR_ARG(field.name));
        shape_write_type(out, field.type);
        *comma = ",";
    }
}

static void write_required(struct buf *out, struct str fields, const char **comma)
{
    struct shape_field field;
    while (shape_next_field(&fields, &field)) {
        if (field.is_spliced)
            write_required(out, fields_of(field.type), comma);
        if (field.is_spliced || field.is_optional)
            continue;
        buf_printf(out, "%s\"%.*s\"", *comma, STR_ARG(field.name));
        *comma = ",";
    }
}

static void write_object(struct buf *out, struct str fields)
{
    const char *comma = "";
    buf_add_cstr(out, "{\"type\":\"object\",\"properties\":{");
    write_properties(out, fields, &comma);
    buf_add_cstr(out, "},\"required\":[");
    comma = "";
    write_required(out, fields, &comma);
    buf_add_cstr(out, "]}");
}

void shape_write_type(struct buf *out, struct str type)
{
    ASSERT(type.size > 0);
    if (str_find(type, ':') >= 0) {
        write_object(out, type);
    } else if (str_ends(type, "?")) {
        buf_add_cstr(out, "{\"anyOf\":[");
        shape_write_type(out, str_slice(type, 0, type.size - 1));
        buf_add_cstr(out, ",{\"type\":\"null\"}]}");
    } else if (str_starts(type, "[")) {
        buf_add_cstr(out, "{\"type\":\"array\",\"items\":");
        shape_write_type(out, str_slice(type, 1, type.size - 1));
        buf_add_byte(out, '}');
    } else {
        write_name(out, type);
    }
}

void shape_write_all(struct buf *out)
{
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        buf_printf(out, "%s\"%s\":", i == 0 ? "" : ",", SHAPES[i].name);
        write_object(out, str_of(SHAPES[i].fields));
    }
}
