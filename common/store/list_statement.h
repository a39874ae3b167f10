// SPDX-License-Identifier: Apache-2.0
/* list_statement - what is asked of PostgreSQL for a list: a block, the conditions and orders of a
 * query, a page. For list_read.c alone. */
#ifndef HEADRACE_LIST_STATEMENT_H
#define HEADRACE_LIST_STATEMENT_H

#include "common/pg/pg_params.h"
#include "common/store/list_read.h"

struct list_statement {
    struct buf sql;
    struct pg_params params;
};

/* A row for each of the page, one at least, for the count; before what the client sees stand these.
 */
enum { LIST_TOTAL, LIST_HAS_DAG, LIST_HAS_RUN, LIST_IS_ROW, LIST_PAGE_COLUMNS };
struct list_statement list_statement_page(const struct list_query *query);

/* The first row or none; the parameters come first, so that each has a type. */
enum { LIST_ONE_COLUMNS = 2 };
struct list_statement list_statement_one(const struct list_query *query);

#endif
