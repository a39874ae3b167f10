// SPDX-License-Identifier: Apache-2.0
/* pg_result - what a statement answered: rows of typed columns, or how many rows it touched.
 *
 * Columns are counted from 0. Reading a column as a type that it does not have is our own bug and
 * asserts; NULL reads as 0, false or empty. Texts borrow the result and die with it: within the
 * callback that was given it, or at pg_result_free. */
#ifndef HEADRACE_PG_RESULT_H
#define HEADRACE_PG_RESULT_H

#include "common/base/id.h"
#include "common/base/str.h"

struct pg_result;

/* Types of columns that no parameter has (pg_params.h has the others). */
enum { PG_JSON = 114, PG_TEXT_ARRAY = 1009 };

uint32_t pg_row_count(const struct pg_result *result);
uint32_t pg_column_count(const struct pg_result *result);
const char *pg_column_name(const struct pg_result *result, uint32_t column);
uint32_t pg_column_type(const struct pg_result *result, uint32_t column); /* oid */
int32_t pg_find_column(const struct pg_result *result, const char *name); /* -1 = there is none */

/* Rows inserted, updated, deleted or selected: what the command tag says. */
int64_t pg_affected(const struct pg_result *result);

bool pg_is_null(const struct pg_result *result, uint32_t row, uint32_t column);
bool pg_get_bool(const struct pg_result *result, uint32_t row, uint32_t column);
/* int2, int4, int8, "char" (0..255) or oid. */
int64_t pg_get_int(const struct pg_result *result, uint32_t row, uint32_t column);
double pg_get_float8(const struct pg_result *result, uint32_t row, uint32_t column);
/* text, varchar, name, json, jsonb, bytea, xml: anything whose binary form is its text. */
struct str pg_get_text(const struct pg_result *result, uint32_t row, uint32_t column);
struct id128 pg_get_uuid(const struct pg_result *result, uint32_t row, uint32_t column);
/* date: days since 1970; timestamptz: milliseconds or microseconds; infinities as INT64_MIN and
 * INT64_MAX, NULL as 0. */
int64_t pg_get_date(const struct pg_result *result, uint32_t row, uint32_t column);
int64_t pg_get_time_ms(const struct pg_result *result, uint32_t row, uint32_t column);
int64_t pg_get_time_us(const struct pg_result *result, uint32_t row, uint32_t column);

/* 1-D arrays, in `arena`; NULL elements read as 0 or empty. */
int64_t *pg_get_int_array(const struct pg_result *result, uint32_t row, uint32_t column,
                          struct arena *arena, uint32_t *out_count);
struct str *pg_get_text_array(const struct pg_result *result, uint32_t row, uint32_t column,
                              struct arena *arena, uint32_t *out_count);

#endif
