// SPDX-License-Identifier: Apache-2.0
#include "common/pg/pg_params.h"

#include "common/base/assert.h"
#include "common/base/civil.h"

#include <endian.h>

/* 2000-01-01, from where PostgreSQL counts. */
#define EPOCH_MS   946684800000LL
#define EPOCH_DAYS 10957LL

enum { ARRAY_HEADER_SIZE = 20, ARRAY_EMPTY_SIZE = 12 };

static uint32_t array_oid(uint32_t element)
{
    switch (element) {
#define PG_TYPE_CASE(name, oid, array)                                                             \
    case oid:                                                                                      \
        return array;
        PG_TYPES(PG_TYPE_CASE)
#undef PG_TYPE_CASE
    }
    UNREACHABLE();
}

void pg_params_clear(struct pg_params *params)
{
    buf_clear(&params->bytes);
    pg_params_reset(params);
}

void pg_params_reset(struct pg_params *params)
{
    buf_reset(&params->bytes);
    params->count = 0;
    params->element = 0;
}

static void put_be32(struct buf *bytes, uint32_t value)
{
    value = htobe32(value);
    buf_add(bytes, &value, sizeof value);
}

static void set_be32(struct buf *bytes, size_t at, uint32_t value)
{
    value = htobe32(value);
    memcpy(bytes->bytes + at, &value, sizeof value);
}

/* A parameter of its own, or an element of the open array. */
static void put(struct pg_params *params, uint32_t type, const void *bytes, int32_t size)
{
    if (params->element != 0) {
        ASSERT(params->element == type);
        put_be32(&params->bytes, (uint32_t)size);
        params->element_count++;
        params->element_is_null |= size < 0;
    } else {
        ASSERT(params->count < PG_PARAMS_MAX);
        params->items[params->count++] =
            (struct pg_param) { type, (int32_t)params->bytes.size, size };
    }
    if (size > 0)
        buf_add(&params->bytes, bytes, (size_t)size);
}

void pg_put_null(struct pg_params *params, enum pg_type type)
{
    put(params, type, NULL, -1);
}

void pg_put_null_array(struct pg_params *params, enum pg_type element)
{
    ASSERT(params->element == 0);
    put(params, array_oid(element), NULL, -1);
}

void pg_put_bool(struct pg_params *params, bool value)
{
    put(params, PG_BOOL, &(char) { value ? 1 : 0 }, 1);
}

void pg_put_char(struct pg_params *params, uint8_t value)
{
    put(params, PG_CHAR, &value, 1);
}

void pg_put_int2(struct pg_params *params, int16_t value)
{
    uint16_t wire = htobe16((uint16_t)value);
    put(params, PG_INT2, &wire, sizeof wire);
}

void pg_put_int4(struct pg_params *params, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);
    put(params, PG_INT4, &wire, sizeof wire);
}

static void put_be64(struct pg_params *params, uint32_t type, uint64_t value)
{
    value = htobe64(value);
    put(params, type, &value, sizeof value);
}

void pg_put_int8(struct pg_params *params, int64_t value)
{
    put_be64(params, PG_INT8, (uint64_t)value);
}

void pg_put_float8(struct pg_params *params, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_be64(params, PG_FLOAT8, bits);
}

void pg_put_text(struct pg_params *params, struct str value)
{
    ASSERT(value.size < INT32_MAX);
    put(params, PG_TEXT, value.bytes, (int32_t)value.size);
}

void pg_put_text_or_null(struct pg_params *params, struct str value)
{
    if (value.size == 0)
        pg_put_null(params, PG_TEXT);
    else
        pg_put_text(params, value);
}

void pg_put_bytea(struct pg_params *params, struct str value)
{
    ASSERT(value.size < INT32_MAX);
    put(params, PG_BYTEA, value.bytes, (int32_t)value.size);
}

void pg_put_jsonb(struct pg_params *params, struct str json)
{
    ASSERT(json.size < INT32_MAX - 1);
    put(params, PG_JSONB, &(char) { 1 }, 1); /* the format's version */
    buf_add_str(&params->bytes, json);
    if (params->element != 0)
        set_be32(&params->bytes, params->bytes.size - json.size - 5, (uint32_t)json.size + 1);
    else
        params->items[params->count - 1].size += (int32_t)json.size;
}

void pg_put_uuid(struct pg_params *params, struct id128 value)
{
    uint64_t wire[2] = { htobe64(value.high), htobe64(value.low) };
    put(params, PG_UUID, wire, sizeof wire);
}

void pg_put_date(struct pg_params *params, int64_t days_since_1970)
{
    uint32_t wire = htobe32((uint32_t)(int32_t)(days_since_1970 - EPOCH_DAYS));
    put(params, PG_DATE, &wire, sizeof wire);
}

void pg_put_time_ms(struct pg_params *params, int64_t unix_ms)
{
    /* Both infinities are the same numbers on the wire. */
    int64_t micros = unix_ms;
    if (unix_ms != INT64_MIN && unix_ms != INT64_MAX)
        micros = (unix_ms - EPOCH_MS) * 1000;
    put_be64(params, PG_TIMESTAMPTZ, (uint64_t)micros);
}

void pg_put_time_ms_or_null(struct pg_params *params, int64_t unix_ms)
{
    if (unix_ms == 0)
        pg_put_null(params, PG_TIMESTAMPTZ);
    else
        pg_put_time_ms(params, unix_ms);
}

/* An array: dimensions, has-null flag, element type, then length and lower bound of the one
 * dimension, then elements. What is not known yet is filled in at the end. */
void pg_put_array(struct pg_params *params, enum pg_type element)
{
    char header[ARRAY_HEADER_SIZE] = { 0 };
    ASSERT(params->element == 0);
    put(params, array_oid(element), header, sizeof header);
    params->element = element;
    params->element_count = 0;
    params->element_is_null = false;
}

void pg_put_array_end(struct pg_params *params)
{
    struct pg_param *item = &params->items[params->count - 1];
    size_t at = (size_t)item->offset;

    ASSERT(params->element != 0);
    set_be32(&params->bytes, at + 8, params->element);
    if (params->element_count == 0) {
        params->bytes.size = at + ARRAY_EMPTY_SIZE;
    } else {
        set_be32(&params->bytes, at, 1);
        set_be32(&params->bytes, at + 4, params->element_is_null ? 1 : 0);
        set_be32(&params->bytes, at + 12, params->element_count);
        set_be32(&params->bytes, at + 16, 1);
    }
    ASSERT(params->bytes.size - at < INT32_MAX);
    item->size = (int32_t)(params->bytes.size - at);
    params->element = 0;
}

void pg_put_int4_array(struct pg_params *params, const int32_t *values, uint32_t count)
{
    pg_put_array(params, PG_INT4);
    for (uint32_t i = 0; i < count; i++)
        pg_put_int4(params, values[i]);
    pg_put_array_end(params);
}

void pg_put_int8_array(struct pg_params *params, const int64_t *values, uint32_t count)
{
    pg_put_array(params, PG_INT8);
    for (uint32_t i = 0; i < count; i++)
        pg_put_int8(params, values[i]);
    pg_put_array_end(params);
}

void pg_put_text_array(struct pg_params *params, const struct str *values, uint32_t count)
{
    pg_put_array(params, PG_TEXT);
    for (uint32_t i = 0; i < count; i++)
        pg_put_text(params, values[i]);
    pg_put_array_end(params);
}

void pg_put_uuid_array(struct pg_params *params, const struct id128 *values, uint32_t count)
{
    pg_put_array(params, PG_UUID);
    for (uint32_t i = 0; i < count; i++)
        pg_put_uuid(params, values[i]);
    pg_put_array_end(params);
}
