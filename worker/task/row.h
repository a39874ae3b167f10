// SPDX-License-Identifier: Apache-2.0
/* row - rows of PostgreSQL as JSON: a list of mappings from column to value.
 *
 * Booleans, integers and reals keep their type, json and jsonb their structure; a numeric is a
 * number when a double holds it exactly enough (15 digits), else text; everything else is
 * PostgreSQL's text. A column name that comes again gets "_2". */
#ifndef HEADRACE_ROW_H
#define HEADRACE_ROW_H

#include "common/base/buf.h"

#include <libpq-fe.h>

struct rows {
    struct buf text;
    int64_t limit, count, left_out; /* of the statement that runs, or ran last */
    bool ended;
};

void rows_init(struct rows *rows, int64_t limit);
void rows_clear(struct rows *rows);

void rows_add(struct rows *rows, const PGresult *result); /* a result of one row */
void rows_end(struct rows *rows);        /* the statement is over: what follows starts anew */
struct str rows_text(struct rows *rows); /* the list, "[]" when the last statement gave no rows */

#endif
