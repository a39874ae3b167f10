// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/store/list_table.h"

void list_query_init(struct list_query *query, enum list list, struct arena *arena, int64_t limit)
{
    *query = (struct list_query) {
        .list = list, .arena = arena, .limit = limit, .dag_id = STR_EMPTY, .run_id = STR_EMPTY
    };
}

void list_query_clear(struct list_query *query)
{
    VEC_EACH (&query->conditions, i)
        VEC_CLEAR(&query->conditions.items[i].values);
    VEC_CLEAR(&query->conditions);
    VEC_CLEAR(&query->orders);
}

/* ---- what was asked for ---- */

static bool is_range(enum filter_kind kind)
{
    return kind == FILTER_TIME_RANGE || kind == FILTER_REAL_RANGE;
}

/* The beginning of a text, where name_pattern is a pattern. */
static const struct filter *find_prefix_filter(const struct list_row *row, struct str name,
                                               const char **out_operator)
{
    if (!str_ends(name, LIST_PREFIX_PATTERN))
        return NULL;
    size_t stem = name.size - strlen(LIST_PREFIX_PATTERN);
    *out_operator = "prefix";
    for (uint32_t i = 0; i < FILTERS_MAX && row->filters[i].name != NULL; i++) {
        const struct filter *filter = &row->filters[i];
        if (filter->kind == FILTER_PATTERN && strlen(filter->name) == stem + strlen(LIST_PATTERN) &&
            memcmp(filter->name, name.bytes, stem) == 0)
            return filter;
    }
    return NULL;
}

static const struct filter *find_filter(const struct list_row *row, struct str name,
                                        const char **out_operator)
{
    for (uint32_t i = 0; i < FILTERS_MAX && row->filters[i].name != NULL; i++) {
        const struct filter *filter = &row->filters[i];
        size_t size = strlen(filter->name);
        *out_operator = "=";
        if (!is_range(filter->kind) && str_is(name, filter->name))
            return filter;
        if (!is_range(filter->kind) || name.size <= size ||
            memcmp(name.bytes, filter->name, size) != 0)
            continue;
        for (size_t k = 0; k < LIST_RANGES; k++) {
            *out_operator = list_ranges[k].operator;
            if (str_is(str_slice(name, size, name.size), list_ranges[k].ending))
                return filter;
        }
    }
    return find_prefix_filter(row, name, out_operator);
}

static int check_value(const struct filter *filter, struct str name, struct str value,
                       struct err *err)
{
    int64_t number;
    double real;
    bool has_zone;
    const char *wanted = NULL;
    switch (filter->kind) {
    case FILTER_BOOL:
        if (!str_is(value, "true") && !str_is(value, "false") && !str_is(value, "True") &&
            !str_is(value, "False"))
            wanted = "true or false";
        break;
    case FILTER_INT:
        if (str_to_int(value, INT32_MIN, INT32_MAX, &number) < 0)
            wanted = "a whole number";
        break;
    case FILTER_REAL_RANGE:
        if (str_to_real(value, &real) < 0)
            wanted = "a number";
        break;
    case FILTER_TIME_RANGE:
    case FILTER_TIME_BEFORE:
    case FILTER_TIME_AFTER:
        if (civil_parse(value, &number, &has_zone) < 0)
            wanted = "a time as in 2026-11-21T06:00:00Z";
        break;
    case FILTER_TEXT:
    case FILTER_NOT_TEXT:
    case FILTER_PATTERN:
    case FILTER_PREFIX:
    case FILTER_TAGS:
        break;
    }
    if (wanted == NULL)
        return 0;
    return err_set(err, ERR_UNPROCESSABLE, "%.*s: %s is expected", STR_ARG(name), wanted);
}

static void add_value(struct list_query *query, const struct filter *filter, const char *operator,
                      struct str value)
{
    struct list_condition *condition = NULL;
    VEC_EACH (&query->conditions, i)
        if (query->conditions.items[i].filter == filter &&
            query->conditions.items[i].operator== operator)
            condition = &query->conditions.items[i];
    if (condition == NULL) {
        VEC_ADD(&query->conditions, (struct list_condition){ .filter = filter, .operator = operator });
        condition = &VEC_LAST(&query->conditions);
    }
    VEC_ADD(&condition->values, value);
}

const char *list_find_order(const struct list_row *row, struct str name)
{
    for (uint32_t i = 0; i < ORDERS_MAX && row->orders[i].name != NULL; i++)
        if (str_is(name, row->orders[i].name))
            return row->orders[i].column;
    return NULL;
}

static int put_order(struct list_query *query, struct str value, struct err *err)
{
    struct str name = str_starts(value, "-") ? str_slice(value, 1, value.size) : value;
    if (list_find_order(&list_rows[query->list], name) == NULL)
        return err_set(
            err, ERR_INVALID,
            "Ordering with '%.*s' is disallowed or the attribute does not exist on the model",
            STR_ARG(name));
    if (query->orders.count < ORDERS_MAX)
        VEC_ADD(&query->orders, value);
    return 0;
}

int list_query_put(struct list_query *query, struct str name, struct str value, int64_t limit_max,
                   struct err *err)
{
    bool is_limit = str_is(name, "limit");
    if (is_limit || str_is(name, "offset")) {
        int64_t number;
        if (value.size == 0) /* airflowctl sends what it was not told so */
            return 0;
        if (str_to_int(value, 0, INT32_MAX, &number) < 0)
            return err_set(err, ERR_UNPROCESSABLE, "%.*s: a whole number from 0 on is expected",
                           STR_ARG(name));
        if (is_limit)
            query->limit = number > limit_max ? limit_max : number;
        else
            query->offset = number;
        return 0;
    }
    if (str_is(name, "order_by"))
        return put_order(query, value, err);
    const char *operator;
    bool is_match_mode = str_is(name, "tags_match_mode");
    const struct filter *filter =
        find_filter(&list_rows[query->list], is_match_mode ? STR("tags") : name, &operator);
    if (filter == NULL)
        return 0;
    if (is_match_mode) {
        add_value(query, filter, "mode", value);
        return 0;
    }
    int rc = check_value(filter, name, value, err);
    if (rc == 0)
        add_value(query, filter, operator, value);
    return rc;
}

void list_query_only(struct list_query *query, const char *name, struct str value)
{
    const char *operator;
    const struct filter *filter = find_filter(&list_rows[query->list], str_of(name), &operator);
    ASSERT(filter != NULL);
    add_value(query, filter, operator, value);
}
