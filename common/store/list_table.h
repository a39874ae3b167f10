// SPDX-License-Identifier: Apache-2.0
/* list_table - which filters and orders each list has, and the column that each means. For the
 * files named list_ alone. */
#ifndef HEADRACE_LIST_TABLE_H
#define HEADRACE_LIST_TABLE_H

#include "common/store/list_read.h"
#include "common/store/statement.h"

/* What a filter's values are, and how they compare. RANGE filters answer to name_gte, name_gt,
 * name_lte and name_lt. */
enum filter_kind {
    FILTER_TEXT,    /* any of the values */
    FILTER_PATTERN, /* LIKE without case; "a | b" is either. x_pattern answers to x_prefix_pattern
                       too */
    FILTER_PREFIX,
    FILTER_BOOL,
    FILTER_INT, /* any of the values */
    FILTER_TIME_RANGE,
    FILTER_REAL_RANGE,
    FILTER_TIME_BEFORE,
    FILTER_TIME_AFTER,
    FILTER_TAGS, /* arrays that share one; all, with tags_match_mode=all */
    FILTER_NOT_TEXT,
};

struct filter {
    const char *name;
    enum filter_kind kind;
    const char *column;
};

struct order {
    const char *name, *column;
};

enum scope { SCOPE_NONE, SCOPE_DAG, SCOPE_RUN };

enum { FILTERS_MAX = 32, ORDERS_MAX = 20 };

struct list_row {
    const char *key;
    enum statement statement;
    enum scope scope;
    const char *tie;   /* last in every order, so that pages do not overlap */
    int64_t count_max; /* 0 = count all */
    struct filter filters[FILTERS_MAX];
    struct order orders[ORDERS_MAX];
    enum statement count_block; /* as many rows, for who filters nothing; 0 = statement itself */
    bool is_json;               /* the block's j is JSON, not a row */
    bool is_wide;               /* a row may be large: there is what people wrote in it */
    bool has_favourites;        /* its block tells those of who asks */
};

extern const struct list_row list_rows[LIST_COUNT];

/* The column of an order that a client may name; NULL when it may not. */
const char *list_find_order(const struct list_row *row, struct str name);

/* The endings of the names of RANGE filters. */
enum { LIST_RANGES = 4 };
extern const struct list_range {
    const char *ending, *operator;
} list_ranges[LIST_RANGES];

/* x_pattern answers to x_prefix_pattern too. */
#define LIST_PATTERN        "_pattern"
#define LIST_PREFIX_PATTERN "_prefix_pattern"

#endif
