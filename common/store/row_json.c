// SPDX-License-Identifier: Apache-2.0
#include "common/store/row_json.h"

#include "common/base/arena.h"
#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/pg/pg_params.h"
#include "common/text/json.h"

struct column {
    struct str group, key; /* each with quotes and colon; group empty: the key is the row's own */
    bool is_list;          /* the group is */
    uint32_t number, type;
};

/* What is the same in all rows. */
struct layout {
    struct arena arena;
    const struct pg_result *result;
    struct column *columns;
    uint32_t count;
};

static struct str key_of(struct layout *layout, struct str name)
{
    return str_format(&layout->arena, "\"%.*s\":", STR_ARG(name));
}

static struct column column_of(struct layout *layout, uint32_t number)
{
    struct str name = str_of(pg_column_name(layout->result, number));
    struct column column = { .group = STR_EMPTY,
                             .number = number,
                             .type = pg_column_type(layout->result, number) };
    ptrdiff_t dot = str_find(name, '.');
    column.key = key_of(layout, str_slice(name, (size_t)(dot + 1), name.size));
    if (dot < 0)
        return column;
    struct str group = str_slice(name, 0, (size_t)dot);
    column.is_list = str_ends(group, "[]");
    column.group = key_of(layout, str_slice(group, 0, group.size - (column.is_list ? 2 : 0)));
    return column;
}

/* ---- values ---- */

static void write_digits(struct buf *out, int64_t number, int count)
{
    char digits[8];
    for (int i = count; i-- > 0; number /= 10)
        digits[i] = (char)('0' + number % 10);
    buf_add(out, digits, (size_t)count);
}

static void write_fraction(struct buf *out, int64_t us)
{
    int count = 6;
    for (; us % 10 == 0; us /= 10)
        count--;
    buf_add_byte(out, '.');
    write_digits(out, us, count);
}

static void write_time(struct buf *out, int64_t unix_us)
{
    if (unix_us == INT64_MAX || unix_us == INT64_MIN) {
        buf_add_cstr(out, unix_us > 0 ? "\"infinity\"" : "\"-infinity\"");
        return;
    }
    int64_t us = unix_us % 1000000 + (unix_us % 1000000 < 0 ? 1000000 : 0);
    struct civil civil = civil_of_ms((unix_us - us) / 1000);
    buf_add_byte(out, '"');
    if (civil.year > 9999)
        json_write_int(out, civil.year);
    else
        write_digits(out, civil.year, 4);
    const int parts[] = { civil.month, civil.day, civil.hour, civil.minute, civil.second };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_add_byte(out, "--T::"[i]);
        write_digits(out, parts[i], 2);
    }
    if (us != 0)
        write_fraction(out, us);
    buf_add_cstr(out, "+00:00\"");
}

static void write_texts(struct buf *out, struct layout *layout, const struct column *column,
                        uint32_t row)
{
    uint32_t count;
    struct str *texts =
        pg_get_text_array(layout->result, row, column->number, &layout->arena, &count);
    buf_add_byte(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        json_write_string(out, texts[i]);
    }
    buf_add_byte(out, ']');
}

static void write_uuid(struct buf *out, struct id128 id)
{
    char text[ID_TEXT_SIZE];
    id_text(id, text);
    buf_add_byte(out, '"');
    buf_add_cstr(out, text);
    buf_add_byte(out, '"');
}

static void write_value(struct buf *out, struct layout *layout, const struct column *column,
                        uint32_t row)
{
    const struct pg_result *result = layout->result;
    uint32_t number = column->number;
    if (pg_is_null(result, row, number)) {
        buf_add_cstr(out, "null");
        return;
    }
    switch (column->type) {
    case PG_BOOL:
        buf_add_cstr(out, pg_get_bool(result, row, number) ? "true" : "false");
        break;
    case PG_INT2:
    case PG_INT4:
    case PG_INT8:
        json_write_int(out, pg_get_int(result, row, number));
        break;
    case PG_FLOAT8:
        json_write_real(out, pg_get_float8(result, row, number));
        break;
    case PG_UUID:
        write_uuid(out, pg_get_uuid(result, row, number));
        break;
    case PG_TIMESTAMPTZ:
        write_time(out, pg_get_time_us(result, row, number));
        break;
    case PG_TEXT_ARRAY:
        write_texts(out, layout, column, row);
        break;
    case PG_JSON:
    case PG_JSONB:
        buf_add_str(out, pg_get_text(result, row, number));
        break;
    default:
        json_write_string(out, pg_get_text(result, row, number));
    }
}

/* ---- rows ---- */

/* The columns of one group: [from, to). */
struct group {
    const struct column *from, *to;
};

static struct group group_at(const struct layout *layout, uint32_t i)
{
    struct group group = { &layout->columns[i], &layout->columns[i + 1] };
    while (group.to < layout->columns + layout->count && str_eq(group.to->group, group.from->group))
        group.to++;
    return group;
}

/* `first`: the first key's text, when its column has one for each object; else NULL. */
static void write_object(struct buf *out, struct layout *layout, struct group group, uint32_t row,
                         const struct str *first)
{
    for (const struct column *column = group.from; column < group.to; column++) {
        buf_add_byte(out, column == group.from ? '{' : ',');
        buf_add_str(out, column->key);
        if (first != NULL && column == group.from)
            json_write_string(out, *first);
        else
            write_value(out, layout, column, row);
    }
    buf_add_byte(out, '}');
}

static void write_list(struct buf *out, struct layout *layout, struct group group, uint32_t row)
{
    uint32_t number = group.from->number, count = 1;
    const struct str *texts = NULL;
    if (group.from->type == PG_TEXT_ARRAY)
        texts = pg_get_text_array(layout->result, row, number, &layout->arena, &count);
    else if (pg_is_null(layout->result, row, number))
        count = 0;
    buf_add_byte(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        write_object(out, layout, group, row, texts == NULL ? NULL : &texts[i]);
    }
    buf_add_byte(out, ']');
}

static void write_group(struct buf *out, struct layout *layout, struct group group, uint32_t row)
{
    buf_add_str(out, group.from->group);
    if (group.from->is_list)
        write_list(out, layout, group, row);
    else
        write_object(out, layout, group, row, NULL);
}

static void write_row(struct buf *out, struct layout *layout, uint32_t row)
{
    for (uint32_t i = 0; i < layout->count;) {
        const struct column *column = &layout->columns[i];
        buf_add_byte(out, i == 0 ? '{' : ',');
        if (column->group.size > 0) {
            struct group group = group_at(layout, i);
            write_group(out, layout, group, row);
            i += (uint32_t)(group.to - group.from);
            continue;
        }
        buf_add_str(out, column->key);
        write_value(out, layout, column, row);
        i++;
    }
    buf_add_byte(out, '}');
}

void row_json_write(struct buf *out, const struct pg_result *result, uint32_t first_column,
                    uint32_t from, uint32_t to)
{
    struct layout layout = { .result = result, .count = pg_column_count(result) - first_column };
    layout.columns = ARENA_ARRAY(&layout.arena, struct column, layout.count);
    for (uint32_t i = 0; i < layout.count; i++)
        layout.columns[i] = column_of(&layout, first_column + i);
    bool is_whole = layout.count == 1 && str_is(layout.columns[0].key, "\"shown\":");
    for (uint32_t row = from; row < to; row++) {
        if (row > from)
            buf_add_byte(out, ',');
        if (is_whole)
            write_value(out, &layout, &layout.columns[0], row);
        else
            write_row(out, &layout, row);
    }
    arena_clear(&layout.arena);
}
