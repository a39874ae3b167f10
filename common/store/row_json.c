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

struct row_json {
    struct arena arena;
    uint32_t first, count; /* count 0: no row has been seen yet */
    struct column *columns;
};

/* A row on its way. */
struct writing {
    const struct row_json *rows;
    struct buf *out;
    const struct pg_result *result;
    uint32_t row;
    struct arena arena; /* for its arrays */
};

static struct str key_of(struct arena *arena, struct str name)
{
    return str_format(arena, "\"%.*s\":", STR_ARG(name));
}

static struct column column_of(struct arena *arena, const struct pg_result *result, uint32_t number)
{
    struct str name = str_of(pg_column_name(result, number));
    struct column column = { .group = STR_EMPTY,
                             .number = number,
                             .type = pg_column_type(result, number) };
    ptrdiff_t dot = str_find(name, '.');
    column.key = key_of(arena, str_slice(name, (size_t)(dot + 1), name.size));
    if (dot < 0)
        return column;
    struct str group = str_slice(name, 0, (size_t)dot);
    column.is_list = str_ends(group, "[]");
    column.group = key_of(arena, str_slice(group, 0, group.size - (column.is_list ? 2 : 0)));
    return column;
}

static void look_at_columns(struct row_json *rows, const struct pg_result *result)
{
    rows->count = pg_column_count(result) - rows->first;
    rows->columns = ARENA_ARRAY(&rows->arena, struct column, rows->count);
    for (uint32_t i = 0; i < rows->count; i++)
        rows->columns[i] = column_of(&rows->arena, result, rows->first + i);
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

static void write_texts(struct writing *writing, uint32_t column)
{
    uint32_t count;
    struct str *texts =
        pg_get_text_array(writing->result, writing->row, column, &writing->arena, &count);
    buf_add_byte(writing->out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(writing->out, ',');
        json_write_string(writing->out, texts[i]);
    }
    buf_add_byte(writing->out, ']');
}

static void write_uuid(struct buf *out, struct id128 id)
{
    char text[ID_TEXT_SIZE];
    id_text(id, text);
    buf_add_byte(out, '"');
    buf_add_cstr(out, text);
    buf_add_byte(out, '"');
}

static void write_value(struct writing *writing, const struct column *column)
{
    const struct pg_result *result = writing->result;
    struct buf *out = writing->out;
    uint32_t row = writing->row, number = column->number;
    if (pg_is_null(result, row, number)) {
        buf_add(out, "null", 4);
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
        write_texts(writing, number);
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

/* The columns side by side that make one object or list: [from, to). */
struct group {
    const struct column *from, *to;
};

static struct group group_at(const struct row_json *rows, uint32_t i)
{
    struct group group = { &rows->columns[i], &rows->columns[i + 1] };
    while (group.to < rows->columns + rows->count && str_eq(group.to->group, group.from->group))
        group.to++;
    return group;
}

/* `first`: the first key's text, when its column has one for each object; else NULL. */
static void write_object(struct writing *writing, struct group group, const struct str *first)
{
    for (const struct column *column = group.from; column < group.to; column++) {
        buf_add_byte(writing->out, column == group.from ? '{' : ',');
        buf_add_str(writing->out, column->key);
        if (first != NULL && column == group.from)
            json_write_string(writing->out, *first);
        else
            write_value(writing, column);
    }
    buf_add_byte(writing->out, '}');
}

static void write_list(struct writing *writing, struct group group)
{
    uint32_t number = group.from->number, count = 1;
    const struct str *texts = NULL;
    if (group.from->type == PG_TEXT_ARRAY)
        texts = pg_get_text_array(writing->result, writing->row, number, &writing->arena, &count);
    else if (pg_is_null(writing->result, writing->row, number))
        count = 0;
    buf_add_byte(writing->out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(writing->out, ',');
        write_object(writing, group, texts == NULL ? NULL : &texts[i]);
    }
    buf_add_byte(writing->out, ']');
}

/* One key of the row; how many columns it took. */
static uint32_t write_key(struct writing *writing, uint32_t i)
{
    const struct column *column = &writing->rows->columns[i];
    if (column->group.size == 0) {
        buf_add_str(writing->out, column->key);
        write_value(writing, column);
        return 1;
    }
    struct group group = group_at(writing->rows, i);
    buf_add_str(writing->out, column->group);
    if (column->is_list)
        write_list(writing, group);
    else
        write_object(writing, group, NULL);
    return (uint32_t)(group.to - group.from);
}

struct row_json *row_json_new(uint32_t first_column)
{
    struct row_json *rows = calloc(1, sizeof *rows);
    ASSERT(rows != NULL);
    rows->first = first_column;
    return rows;
}

void row_json_free(struct row_json *rows)
{
    if (rows == NULL)
        return;
    arena_clear(&rows->arena);
    free(rows);
}

void row_json_write(struct row_json *rows, struct buf *out, const struct pg_result *result,
                    uint32_t row)
{
    struct writing writing = { .rows = rows, .out = out, .result = result, .row = row };
    if (rows->count == 0)
        look_at_columns(rows, result);
    if (rows->count == 1 && str_is(rows->columns[0].key, "\"shown\":")) {
        write_value(&writing, &rows->columns[0]);
    } else {
        for (uint32_t i = 0; i < rows->count;) {
            buf_add_byte(out, i == 0 ? '{' : ',');
            i += write_key(&writing, i);
        }
        buf_add_byte(out, '}');
    }
    arena_clear(&writing.arena);
}
