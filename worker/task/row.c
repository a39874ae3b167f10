// SPDX-License-Identifier: Apache-2.0
#include "worker/task/row.h"

#include "common/text/json.h"

enum { DIGITS_MAX = 15 };

/* Of pg_type.dat; they never change. */
enum {
    TYPE_BOOL = 16,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_OID = 26,
    TYPE_JSON = 114,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_NUMERIC = 1700,
    TYPE_JSONB = 3802,
};

void rows_init(struct rows *rows, int64_t limit)
{
    *rows = (struct rows) { .limit = limit };
}

void rows_clear(struct rows *rows)
{
    buf_clear(&rows->text);
}

static void write_json(struct buf *out, struct str text)
{
    struct arena arena = { 0 };
    const struct value *value;

    if (json_parse(&arena, text, NULL, &value, NULL) == 0)
        json_write(out, value);
    else
        json_write_string(out, text);
    arena_clear(&arena);
}

static void write_numeric(struct buf *out, struct str text)
{
    int64_t integer;
    double real;
    uint32_t digits = 0;

    for (size_t i = 0; i < text.size; i++)
        digits += text.bytes[i] >= '0' && text.bytes[i] <= '9';
    if (str_to_int(text, INT64_MIN, INT64_MAX, &integer) == 0)
        json_write_int(out, integer);
    else if (digits <= DIGITS_MAX && str_to_real(text, &real) == 0)
        json_write_real(out, real);
    else
        json_write_string(out, text);
}

static void write_real(struct buf *out, struct str text)
{
    double real;

    if (str_to_real(text, &real) == 0)
        json_write_real(out, real);
    else
        json_write_string(out, text); /* NaN, Infinity */
}

static void write_cell(struct buf *out, const PGresult *result, int column)
{
    struct str text = { PQgetvalue(result, 0, column), (size_t)PQgetlength(result, 0, column) };

    if (PQgetisnull(result, 0, column)) {
        buf_add_cstr(out, "null");
        return;
    }
    switch (PQftype(result, column)) {
    case TYPE_BOOL:
        buf_add_cstr(out, str_is(text, "t") ? "true" : "false");
        break;
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_OID:
        buf_add_str(out, text);
        break;
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
        write_real(out, text);
        break;
    case TYPE_NUMERIC:
        write_numeric(out, text);
        break;
    case TYPE_JSON:
    case TYPE_JSONB:
        write_json(out, text);
        break;
    default:
        json_write_string(out, text);
    }
}

/* How many columns before this one have its name. */
static int namesakes(const PGresult *result, int column)
{
    int count = 0;

    for (int i = 0; i < column; i++)
        count += strcmp(PQfname(result, i), PQfname(result, column)) == 0;
    return count;
}

static void write_name(struct buf *out, const PGresult *result, int column)
{
    int before = namesakes(result, column);
    struct buf name = { 0 };

    buf_add_cstr(&name, PQfname(result, column));
    if (before > 0)
        buf_printf(&name, "_%d", before + 1);
    json_write_string(out, buf_str(&name));
    buf_clear(&name);
}

static void begin_anew(struct rows *rows)
{
    if (!rows->ended)
        return;
    rows->ended = false;
    rows->count = rows->left_out = 0;
    buf_reset(&rows->text);
}

void rows_add(struct rows *rows, const PGresult *result)
{
    begin_anew(rows);
    if (rows->count == rows->limit) {
        rows->left_out++;
        return;
    }
    buf_add_byte(&rows->text, rows->count++ == 0 ? '[' : ',');
    for (int i = 0; i < PQnfields(result); i++) {
        buf_add_byte(&rows->text, i == 0 ? '{' : ',');
        write_name(&rows->text, result, i);
        buf_add_byte(&rows->text, ':');
        write_cell(&rows->text, result, i);
    }
    buf_add_cstr(&rows->text, PQnfields(result) == 0 ? "{}" : "}");
}

void rows_end(struct rows *rows)
{
    begin_anew(rows);
    rows->ended = true;
}

struct str rows_text(struct rows *rows)
{
    if (rows->count == 0) {
        buf_reset(&rows->text);
        buf_add_byte(&rows->text, '[');
    }
    buf_add_byte(&rows->text, ']');
    return buf_str(&rows->text);
}
