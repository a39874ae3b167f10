// SPDX-License-Identifier: Apache-2.0
#include "common/store/list_read.h"

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

static const char *find_order(const struct list_row *row, struct str name)
{
    for (uint32_t i = 0; i < ORDERS_MAX && row->orders[i].name != NULL; i++)
        if (str_is(name, row->orders[i].name))
            return row->orders[i].column;
    return NULL;
}

static int put_order(struct list_query *query, struct str value, struct err *err)
{
    struct str name = str_starts(value, "-") ? str_slice(value, 1, value.size) : value;
    if (find_order(&list_rows[query->list], name) == NULL)
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

/* ---- SQL ---- */

/* Builds the text and, with `params`, binds: the same walk does both, so that they cannot disagree.
 */
struct writer {
    const struct list_query *query;
    struct buf sql;
    struct pg_params *params; /* NULL: text alone */
    uint32_t param_count;
};

static void next_param(struct writer *writer, const char *before, const char *after)
{
    buf_printf(&writer->sql, "%s$%u%s", before, ++writer->param_count, after);
}

static void put_texts(struct writer *writer, const struct str *values, uint32_t count)
{
    if (writer->params != NULL)
        pg_put_text_array(writer->params, values, count);
}

/* One value is compared as itself: of an array the planner takes ten for granted, and plans anew
 * for each that comes. */
static void write_texts(struct writer *writer, const struct list_condition *condition)
{
    if (condition->values.count > 1) {
        next_param(writer, " = ANY (", "::text[])");
        put_texts(writer, condition->values.items, condition->values.count);
        return;
    }
    next_param(writer, " = ", "::text");
    if (writer->params != NULL)
        pg_put_text(writer->params, condition->values.items[0]);
}

static int64_t integer_of(struct str value)
{
    int64_t number = 0;
    (void)!str_to_int(value, INT32_MIN, INT32_MAX, &number);
    return number;
}

static void write_integers(struct writer *writer, const struct list_condition *condition)
{
    bool is_one = condition->values.count == 1;
    next_param(writer, is_one ? " = " : " = ANY (", is_one ? "::int8" : "::int8[])");
    if (writer->params == NULL)
        return;
    if (is_one) {
        pg_put_int8(writer->params, integer_of(condition->values.items[0]));
        return;
    }
    pg_put_array(writer->params, PG_INT8);
    VEC_EACH (&condition->values, i)
        pg_put_int8(writer->params, integer_of(condition->values.items[i]));
    pg_put_array_end(writer->params);
}

static void put_time(struct writer *writer, struct str value)
{
    int64_t time_ms = 0;
    bool has_zone;
    (void)!civil_parse(value, &time_ms, &has_zone);
    if (writer->params != NULL)
        pg_put_time_ms(writer->params, time_ms);
}

static void put_real(struct writer *writer, struct str value)
{
    double real = 0;
    (void)!str_to_real(value, &real);
    if (writer->params != NULL)
        pg_put_float8(writer->params, real);
}

/* "a | b" is two patterns. Airflow's meaning of a pattern without % is "contains". */
static void put_patterns(struct writer *writer, const struct list_condition *condition,
                         const char *before, const char *after)
{
    VEC(struct str) patterns = { 0 };
    VEC_EACH (&condition->values, i) {
        struct str rest = condition->values.items[i], part;
        while (str_split(&rest, '|', &part)) {
            part = str_trim(part);
            bool has_sign = str_find(part, '%') >= 0 || str_find(part, '_') >= 0;
            const char *around = has_sign || before[0] != 0 || after[0] != 0 ? "" : "%";
            VEC_ADD(&patterns, str_format(writer->query->arena, "%s%s%.*s%s%s", before, around,
                                          STR_ARG(part), around, after));
        }
    }
    put_texts(writer, patterns.items, patterns.count);
    VEC_CLEAR(&patterns);
}

/* The texts that begin so, letter by letter: what LIKE takes for signs is escaped. */
static void put_beginnings(struct writer *writer, const struct list_condition *condition)
{
    VEC(struct str) patterns = { 0 };
    VEC_EACH (&condition->values, i) {
        struct str value = condition->values.items[i];
        char *pattern = arena_alloc(writer->query->arena, value.size * 2 + 1);
        size_t size = 0;
        for (size_t k = 0; k < value.size; k++) {
            if (strchr("%_\\", value.bytes[k]) != NULL)
                pattern[size++] = '\\';
            pattern[size++] = value.bytes[k];
        }
        pattern[size++] = '%';
        VEC_ADD(&patterns, ((struct str) { pattern, size }));
    }
    put_texts(writer, patterns.items, patterns.count);
    VEC_CLEAR(&patterns);
}

static bool wants_all_tags(const struct list_query *query, const struct filter *filter)
{
    VEC_EACH (&query->conditions, i) {
        const struct list_condition *condition = &query->conditions.items[i];
        if (condition->filter == filter && strcmp(condition->operator, "mode") == 0)
            return str_is(condition->values.items[0], "all");
    }
    return false;
}

static void write_condition(struct writer *writer, const struct list_condition *condition)
{
    const struct filter *filter = condition->filter;
    struct str first = condition->values.items[0];
    if (strcmp(condition->operator, "mode") == 0)
        return;
    buf_printf(&writer->sql, " AND l.%s", filter->column);
    switch (filter->kind) {
    case FILTER_TEXT:
        write_texts(writer, condition);
        break;
    case FILTER_NOT_TEXT:
        next_param(writer, " <> ALL (", "::text[])");
        put_texts(writer, condition->values.items, condition->values.count);
        break;
    case FILTER_PATTERN:
        if (strcmp(condition->operator, "prefix") == 0) {
            next_param(writer, " LIKE ANY (", "::text[])");
            put_beginnings(writer, condition);
            break;
        }
        next_param(writer, " ILIKE ANY (", "::text[])");
        put_patterns(writer, condition, "", "");
        break;
    case FILTER_PREFIX:
        next_param(writer, " ILIKE ANY (", "::text[])");
        put_patterns(writer, condition, "", ".%");
        break;
    case FILTER_BOOL:
        next_param(writer, " = ", "::bool");
        if (writer->params != NULL)
            pg_put_bool(writer->params, first.bytes[0] == 't' || first.bytes[0] == 'T');
        break;
    case FILTER_INT:
        write_integers(writer, condition);
        break;
    case FILTER_TIME_RANGE:
    case FILTER_TIME_BEFORE:
    case FILTER_TIME_AFTER:
        buf_printf(&writer->sql, " %s", filter->kind == FILTER_TIME_RANGE    ? condition->operator
                                        : filter->kind == FILTER_TIME_BEFORE ? "<"
                                                                             : ">");
        next_param(writer, " ", "::timestamptz");
        put_time(writer, first);
        break;
    case FILTER_REAL_RANGE:
        buf_printf(&writer->sql, " %s", condition->operator);
        next_param(writer, " ", "::float8");
        put_real(writer, first);
        break;
    case FILTER_TAGS:
        next_param(writer, wants_all_tags(writer->query, filter) ? " @> " : " && ", "::text[]");
        put_texts(writer, condition->values.items, condition->values.count);
        break;
    }
}

static void write_order(struct writer *writer)
{
    const struct list_query *query = writer->query;
    const struct list_row *row = &list_rows[query->list];
    buf_add_cstr(&writer->sql, " ORDER BY ");
    VEC_EACH (&query->orders, i) {
        struct str name = query->orders.items[i];
        bool is_falling = str_starts(name, "-");
        const char *column = find_order(row, is_falling ? str_slice(name, 1, name.size) : name);
        buf_printf(&writer->sql, "l.%s%s NULLS LAST, ", column, is_falling ? " DESC" : "");
    }
    struct str rest = str_of(row->tie), part;
    /* The tie follows the direction of the last order: pages of "newest first" then stay newest
     * first. */
    bool is_falling = query->orders.count > 0 && str_starts(VEC_LAST(&query->orders), "-");
    for (const char *comma = ""; str_split(&rest, ',', &part); comma = ", ")
        buf_printf(&writer->sql, "%sl.%.*s%s", comma, STR_ARG(str_trim(part)),
                   is_falling ? " DESC" : "");
}

/* The block as a subquery with its conditions. Its parameters were written by the caller. */
static void write_from(struct writer *writer, enum statement block, const char *conditions)
{
    buf_printf(&writer->sql, " FROM (%s\n) l WHERE true%s", store_statements[block].sql,
               conditions);
}

static struct str write_conditions(struct writer *writer)
{
    const struct list_query *query = writer->query;
    struct buf whole = writer->sql;
    writer->sql = (struct buf) { 0 };
    buf_add_cstr(&writer->sql, "");
    if (list_rows[query->list].scope == SCOPE_DAG && query->dag_id.size > 0)
        buf_add_cstr(&writer->sql, " AND l.dag_id = $1");
    bool has_run = list_rows[query->list].scope == SCOPE_DAG && query->run_id.size > 0;
    if (has_run && query->dag_id.size == 0)
        buf_add_cstr(&writer->sql, " AND l.run_id = $2");
    else if (has_run)
        buf_add_cstr(&writer->sql,
                     " AND l.run_no = (SELECT k.run_no FROM run_key k JOIN dag d USING (dag_no) "
                     "WHERE d.dag_id = $1 AND k.run_id = $2)");
    VEC_EACH (&query->conditions, i)
        write_condition(writer, &query->conditions.items[i]);
    struct str conditions = str_copy(query->arena, buf_str(&writer->sql));
    buf_clear(&writer->sql);
    writer->sql = whole;
    return conditions;
}

/* Shadows the table, as reader.h does: of others' favourites a block sees none. */
static void write_favourites(struct writer *writer, const char *before)
{
    buf_printf(&writer->sql,
               "%s favourite AS (SELECT m.* FROM favourite m WHERE m.user_no = ", before);
    next_param(writer, "", "::int4) ");
    if (writer->params != NULL)
        pg_put_int4(writer->params, writer->query->asker);
}

/* $1 and $2, the scope; then what the reader is held to, and who asks. */
static void write_begin(struct writer *writer)
{
    const struct list_query *query = writer->query;
    if (writer->params != NULL) {
        pg_put_text(writer->params, query->dag_id);
        pg_put_text(writer->params, query->run_id);
    }
    writer->param_count = 2;
    if (query->reader != NULL) {
        if (writer->params != NULL)
            reader_bind(query->reader, writer->params);
        reader_shadow(&writer->sql, writer->param_count);
        buf_add_byte(&writer->sql, ' ');
        writer->param_count += READER_PARAMS;
    }
    if (list_rows[query->list].has_favourites)
        write_favourites(writer, query->reader == NULL ? "WITH" : ",");
}

static void write_query(struct writer *writer)
{
    const struct list_query *query = writer->query;
    const struct list_row *row = &list_rows[query->list];
    write_begin(writer);
    struct str conditions = write_conditions(writer);
    bool counts_all = conditions.size == 0 && row->count_block != 0;
    enum statement counted = counts_all ? row->count_block : row->statement;
    buf_printf(&writer->sql,
               "SELECT '{\"%s\":[' || coalesce((SELECT string_agg(p.j, ',') FROM (SELECT l.j",
               row->key);
    write_from(writer, row->statement, conditions.bytes);
    write_order(writer);
    /* Numbers in the text: for an unknown limit the planner would take a tenth of all rows. */
    buf_printf(&writer->sql, " LIMIT %lld OFFSET %lld", (long long)query->limit,
               (long long)query->offset);
    buf_add_cstr(&writer->sql, ") p), '') || '],\"total_entries\":' || (SELECT count(*)");
    if (row->count_max > 0) {
        buf_add_cstr(&writer->sql, " FROM (SELECT");
        write_from(writer, counted, conditions.bytes);
        buf_printf(&writer->sql, " LIMIT %lld) c", (long long)row->count_max);
    } else {
        write_from(writer, counted, conditions.bytes);
    }
    buf_add_cstr(&writer->sql,
                 ") || '}', $1::text = '' OR EXISTS (SELECT FROM dag WHERE dag_id = $1), "
                 "$2::text = '' OR EXISTS (SELECT FROM run_key k JOIN dag d USING (dag_no) "
                 "WHERE d.dag_id = $1 AND k.run_id = $2)");
}

static void write_one(struct writer *writer)
{
    write_begin(writer);
    struct str conditions = write_conditions(writer);
    buf_add_cstr(&writer->sql, "SELECT l.j, $1::text, $2::text");
    write_from(writer, list_rows[writer->query->list].statement, conditions.bytes);
    write_order(writer);
    buf_add_cstr(&writer->sql, " LIMIT 1");
}

struct str list_sql(const struct list_query *query)
{
    struct writer writer = { .query = query };
    write_query(&writer);
    struct str sql = str_copy(query->arena, buf_str(&writer.sql));
    buf_clear(&writer.sql);
    return sql;
}

/* ---- asking ---- */

struct reading {
    void (*on_end)(void *owner, int rc, struct str json, const struct err *err);
    void *owner;
};

static void on_list(void *owner, const struct pg_outcome *outcome)
{
    struct reading reading = *(struct reading *)owner;
    free(owner);
    if (outcome->rc < 0) {
        reading.on_end(reading.owner, outcome->rc, STR_EMPTY, outcome->err);
        return;
    }
    const struct pg_result *result = outcome->results[0];
    struct err err = { 0 };
    int rc = 0;
    if (!pg_get_bool(result, 0, 1))
        rc = err_set(&err, ERR_NOT_FOUND, "there is no such DAG");
    else if (!pg_get_bool(result, 0, 2))
        rc = err_set(&err, ERR_NOT_FOUND, "there is no such run of this DAG");
    reading.on_end(reading.owner, rc, rc < 0 ? STR_EMPTY : pg_get_text(result, 0, 0), &err);
}

static void on_one(void *owner, const struct pg_outcome *outcome)
{
    struct reading reading = *(struct reading *)owner;
    free(owner);
    struct err err = { 0 };
    int rc = outcome->rc;
    if (rc < 0) {
        reading.on_end(reading.owner, rc, STR_EMPTY, outcome->err);
        return;
    }
    bool is_there = pg_row_count(outcome->results[0]) > 0;
    if (!is_there)
        rc = err_set(&err, ERR_NOT_FOUND, "%s", err_sentence(ERR_NOT_FOUND));
    reading.on_end(reading.owner, rc, is_there ? pg_get_text(outcome->results[0], 0, 0) : STR_EMPTY,
                   &err);
}

void list_read_one(struct store *store, const struct list_query *query,
                   void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
                   void *owner)
{
    struct reading *reading = calloc(1, sizeof *reading);
    ASSERT(reading != NULL);
    *reading = (struct reading) { on_end, owner };
    struct writer text = { .query = query };
    write_one(&text);
    struct pg_tx *tx = pg_tx_new();
    struct writer binding = { .query = query, .params = pg_tx_add_kept(tx, text.sql.bytes) };
    write_one(&binding);
    buf_clear(&text.sql);
    buf_clear(&binding.sql);
    store_send(store, tx, on_one, reading);
}

void list_read(struct store *store, const struct list_query *query,
               void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
               void *owner)
{
    struct reading *reading = calloc(1, sizeof *reading);
    ASSERT(reading != NULL);
    *reading = (struct reading) { on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    struct str sql = list_sql(query);
    struct writer writer = { .query = query };
    /* Later pages are asked for once. */
    writer.params =
        query->offset > 0 ? pg_tx_add_text(tx, sql.bytes) : pg_tx_add_kept(tx, sql.bytes);
    write_query(&writer);
    buf_clear(&writer.sql);
    store_send(store, tx, on_list, reading);
}
