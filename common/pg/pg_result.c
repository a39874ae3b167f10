// SPDX-License-Identifier: Apache-2.0
#include "common/pg/pg_result.h"

#include "common/base/assert.h"
#include "common/pg/pg_params.h"

#include <endian.h>
#include <libpq-fe.h>

enum {
    OID_OID = 26,
    OID_XML = 142,
    OID_NAME = 19,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_UNKNOWN = 705
};

#define EPOCH_MS   946684800000LL
#define EPOCH_DAYS 10957LL

/* A pg_result is libpq's own under a name that the rest of the house may know. */
static const PGresult *raw(const struct pg_result *result)
{
    return (const PGresult *)result;
}

uint32_t pg_row_count(const struct pg_result *result)
{
    return (uint32_t)PQntuples(raw(result));
}

uint32_t pg_column_count(const struct pg_result *result)
{
    return (uint32_t)PQnfields(raw(result));
}

const char *pg_column_name(const struct pg_result *result, uint32_t column)
{
    return PQfname(raw(result), (int)column);
}

uint32_t pg_column_type(const struct pg_result *result, uint32_t column)
{
    return PQftype(raw(result), (int)column);
}

int32_t pg_find_column(const struct pg_result *result, const char *name)
{
    for (uint32_t i = 0; i < pg_column_count(result); i++)
        if (strcmp(pg_column_name(result, i), name) == 0)
            return (int32_t)i;
    return -1;
}

int64_t pg_affected(const struct pg_result *result)
{
    int64_t count = 0;
    if (str_to_int(str_of(PQcmdTuples((PGresult *)raw(result))), 0, INT64_MAX, &count) < 0)
        return 0; /* commands without rows have no number */
    return count;
}

bool pg_is_null(const struct pg_result *result, uint32_t row, uint32_t column)
{
    ASSERT(row < pg_row_count(result) && column < pg_column_count(result));
    return PQgetisnull(raw(result), (int)row, (int)column) != 0;
}

static struct str bytes_of(const struct pg_result *result, uint32_t row, uint32_t column)
{
    ASSERT(row < pg_row_count(result) && column < pg_column_count(result));
    ASSERT(PQfformat(raw(result), (int)column) == 1);
    return (struct str) { PQgetvalue(raw(result), (int)row, (int)column),
                          (size_t)PQgetlength(raw(result), (int)row, (int)column) };
}

static uint32_t be32(const char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return be32toh(value);
}

static uint64_t be64(const char *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return be64toh(value);
}

static int64_t int_of(uint32_t type, struct str bytes)
{
    switch (type) {
    case PG_CHAR:
        ASSERT(bytes.size == 1);
        return (unsigned char)bytes.bytes[0];
    case PG_INT2:
        ASSERT(bytes.size == 2);
        return (int16_t)((unsigned char)bytes.bytes[0] << 8 | (unsigned char)bytes.bytes[1]);
    case PG_INT4:
        ASSERT(bytes.size == 4);
        return (int32_t)be32(bytes.bytes);
    case OID_OID:
        ASSERT(bytes.size == 4);
        return be32(bytes.bytes);
    case PG_INT8:
        ASSERT(bytes.size == 8);
        return (int64_t)be64(bytes.bytes);
    }
    UNREACHABLE();
}

bool pg_get_bool(const struct pg_result *result, uint32_t row, uint32_t column)
{
    ASSERT(pg_column_type(result, column) == PG_BOOL);
    return !pg_is_null(result, row, column) && bytes_of(result, row, column).bytes[0] != 0;
}

int64_t pg_get_int(const struct pg_result *result, uint32_t row, uint32_t column)
{
    if (pg_is_null(result, row, column))
        return 0;
    return int_of(pg_column_type(result, column), bytes_of(result, row, column));
}

double pg_get_float8(const struct pg_result *result, uint32_t row, uint32_t column)
{
    double value;
    ASSERT(pg_column_type(result, column) == PG_FLOAT8);
    if (pg_is_null(result, row, column))
        return 0;
    uint64_t bits = be64(bytes_of(result, row, column).bytes);
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct str pg_get_text(const struct pg_result *result, uint32_t row, uint32_t column)
{
    if (pg_is_null(result, row, column))
        return STR_EMPTY;
    struct str bytes = bytes_of(result, row, column);
    switch (pg_column_type(result, column)) {
    case PG_JSONB:
        return str_slice(bytes, 1, bytes.size); /* behind the format's version */
    case PG_TEXT:
    case PG_BYTEA:
    case PG_JSON:
    case OID_XML:
    case OID_NAME:
    case OID_BPCHAR:
    case OID_VARCHAR:
    case OID_UNKNOWN:
        return bytes;
    }
    UNREACHABLE();
}

struct id128 pg_get_uuid(const struct pg_result *result, uint32_t row, uint32_t column)
{
    ASSERT(pg_column_type(result, column) == PG_UUID);
    if (pg_is_null(result, row, column))
        return (struct id128) { 0, 0 };
    const char *bytes = bytes_of(result, row, column).bytes;
    return (struct id128) { be64(bytes), be64(bytes + 8) };
}

int64_t pg_get_date(const struct pg_result *result, uint32_t row, uint32_t column)
{
    ASSERT(pg_column_type(result, column) == PG_DATE);
    if (pg_is_null(result, row, column))
        return 0;
    int32_t days = (int32_t)be32(bytes_of(result, row, column).bytes);
    if (days == INT32_MAX || days == INT32_MIN)
        return days == INT32_MAX ? INT64_MAX : INT64_MIN;
    return days + EPOCH_DAYS;
}

int64_t pg_get_time_us(const struct pg_result *result, uint32_t row, uint32_t column)
{
    ASSERT(pg_column_type(result, column) == PG_TIMESTAMPTZ);
    if (pg_is_null(result, row, column))
        return 0;
    int64_t us = (int64_t)be64(bytes_of(result, row, column).bytes);
    return us == INT64_MAX || us == INT64_MIN ? us : us + EPOCH_MS * 1000;
}

int64_t pg_get_time_ms(const struct pg_result *result, uint32_t row, uint32_t column)
{
    int64_t us = pg_get_time_us(result, row, column);
    if (us == INT64_MAX || us == INT64_MIN)
        return us;
    return us / 1000 - (us % 1000 < 0 ? 1 : 0); /* downwards also before 1970 */
}

/* ---- arrays ---------------------------------------------------------------------------------- */

struct array {
    uint32_t element;
    uint32_t count;
    const char *at;
};

static struct array array_of(const struct pg_result *result, uint32_t row, uint32_t column)
{
    struct array array = { 0 };
    if (pg_is_null(result, row, column))
        return array;
    struct str bytes = bytes_of(result, row, column);
    ASSERT(bytes.size >= 12);
    uint32_t dimensions = be32(bytes.bytes);
    ASSERT(dimensions <= 1);
    array.element = be32(bytes.bytes + 8);
    if (dimensions == 1) {
        array.count = be32(bytes.bytes + 12);
        array.at = bytes.bytes + 20;
    }
    return array;
}

/* NULL elements come as empty. */
static struct str next_element(struct array *array)
{
    int32_t size = (int32_t)be32(array->at);
    struct str bytes = { array->at + 4, size > 0 ? (size_t)size : 0 };
    array->at += 4 + bytes.size;
    return bytes;
}

int64_t *pg_get_int_array(const struct pg_result *result, uint32_t row, uint32_t column,
                          struct arena *arena, uint32_t *out_count)
{
    struct array array = array_of(result, row, column);
    int64_t *values = ARENA_ARRAY(arena, int64_t, array.count);
    for (uint32_t i = 0; i < array.count; i++) {
        struct str bytes = next_element(&array);
        values[i] = bytes.size > 0 ? int_of(array.element, bytes) : 0;
    }
    *out_count = array.count;
    return values;
}

struct str *pg_get_text_array(const struct pg_result *result, uint32_t row, uint32_t column,
                              struct arena *arena, uint32_t *out_count)
{
    struct array array = array_of(result, row, column);
    struct str *values = ARENA_ARRAY(arena, struct str, array.count);
    ASSERT(array.count == 0 || array.element == PG_TEXT || array.element == OID_VARCHAR ||
           array.element == OID_NAME);
    for (uint32_t i = 0; i < array.count; i++)
        values[i] = next_element(&array);
    *out_count = array.count;
    return values;
}
