// SPDX-License-Identifier: Apache-2.0
/* pg_params - the values of a statement's parameters, in binary, in order: pg_put_int8(params, 7)
 * is $1, the next is $2.
 *
 * Arrays (for unnest): pg_put_array(params, PG_INT8), then the elements by the same calls, then
 * pg_put_array_end. */
#ifndef HEADRACE_PG_PARAMS_H
#define HEADRACE_PG_PARAMS_H

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/base/vec.h"

/* PG_TYPE(name, oid, oid of its array) */
#define PG_TYPES(PG_TYPE)                                                                          \
    PG_TYPE(BOOL, 16, 1000)                                                                        \
    PG_TYPE(BYTEA, 17, 1001)                                                                       \
    PG_TYPE(CHAR, 18, 1002) /* the one-byte "char" */                                              \
    PG_TYPE(INT8, 20, 1016)                                                                        \
    PG_TYPE(INT2, 21, 1005)                                                                        \
    PG_TYPE(INT4, 23, 1007)                                                                        \
    PG_TYPE(TEXT, 25, 1009)                                                                        \
    PG_TYPE(FLOAT8, 701, 1022)                                                                     \
    PG_TYPE(DATE, 1082, 1182)                                                                      \
    PG_TYPE(TIMESTAMPTZ, 1184, 1185)                                                               \
    PG_TYPE(UUID, 2950, 2951)                                                                      \
    PG_TYPE(JSONB, 3802, 3807)

enum pg_type {
#define PG_TYPE_ENUM(name, oid, array_oid) PG_##name = (oid),
    PG_TYPES(PG_TYPE_ENUM)
#undef PG_TYPE_ENUM
};

enum { PG_PARAMS_MAX = 64 };

struct pg_param {
    uint32_t type; /* oid */
    int32_t offset;
    int32_t size; /* -1 = NULL */
};

/* All-zero is valid and empty. The fields are this room's own affair. */
struct pg_params {
    struct buf bytes;
    struct pg_param items[PG_PARAMS_MAX];
    uint32_t count;
    uint32_t element; /* type of the open array, 0 = none */
    uint32_t element_count;
    bool element_is_null;
};

void pg_params_clear(struct pg_params *params);
void pg_params_reset(struct pg_params *params);

void pg_put_null(struct pg_params *params,
                 enum pg_type type); /* in an array: of the array's type */
void pg_put_null_array(struct pg_params *params, enum pg_type element);
void pg_put_bool(struct pg_params *params, bool value);
void pg_put_char(struct pg_params *params, uint8_t value); /* "char": states and kinds */
void pg_put_int2(struct pg_params *params, int16_t value);
void pg_put_int4(struct pg_params *params, int32_t value);
void pg_put_int8(struct pg_params *params, int64_t value);
void pg_put_float8(struct pg_params *params, double value);
void pg_put_text(struct pg_params *params, struct str value);
void pg_put_text_or_null(struct pg_params *params, struct str value); /* empty is NULL */
void pg_put_bytea(struct pg_params *params, struct str value);
void pg_put_jsonb(struct pg_params *params, struct str json);
void pg_put_uuid(struct pg_params *params, struct id128 value);
void pg_put_date(struct pg_params *params, int64_t days_since_1970);

/* timestamptz. INT64_MIN and INT64_MAX are -infinity and infinity. */
void pg_put_time_ms(struct pg_params *params, int64_t unix_ms);
void pg_put_time_ms_or_null(struct pg_params *params, int64_t unix_ms); /* 0 is NULL */

void pg_put_array(struct pg_params *params, enum pg_type element);
void pg_put_array_end(struct pg_params *params);

/* Whole arrays at once. */
void pg_put_int4_array(struct pg_params *params, const int32_t *values, uint32_t count);
void pg_put_int8_array(struct pg_params *params, const int64_t *values, uint32_t count);
void pg_put_text_array(struct pg_params *params, const struct str *values, uint32_t count);
void pg_put_uuid_array(struct pg_params *params, const struct id128 *values, uint32_t count);

#endif
