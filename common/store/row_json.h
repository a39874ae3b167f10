// SPDX-License-Identifier: Apache-2.0
/* row_json - the rows of an answer as JSON objects, a key a column.
 *
 * A column's name says where its value stands:
 *
 *     pool              "pool": ...
 *     dag_version.id    key id of the object dag_version, which the columns side by side make
 *     tags[].name       key name of each object in the list tags. There are as many as the first
 *                       such column's array has elements: one, when it is no array; none, when it
 *                       is NULL
 *
 * Booleans, numbers, uuids and texts become what they are, times as PostgreSQL writes them in JSON
 * (microseconds, +00:00), text arrays lists, JSON stays itself, NULL is null. A lone column named
 * "shown" is the JSON of the row as a whole.
 *
 * PostgreSQL's row_to_json looks up the type and the function of each value again in each row: half
 * of a list's time went there, and three quarters with json_build_object. */
#ifndef HEADRACE_ROW_JSON_H
#define HEADRACE_ROW_JSON_H

#include "common/base/buf.h"
#include "common/pg/pg_result.h"

struct row_json;

/* For the columns from `first_column` on, of answers to one statement. */
struct row_json *row_json_new(uint32_t first_column);
void row_json_free(struct row_json *rows); /* NULL allowed */
void row_json_write(struct row_json *rows, struct buf *out, const struct pg_result *result,
                    uint32_t row);

#endif
