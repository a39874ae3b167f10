// SPDX-License-Identifier: Apache-2.0
#include "common/store/list_statement.h"

#include "common/base/civil.h"
#include "common/store/list_table.h"

/* Builds the text and binds, in one walk. */
struct writer {
    const struct list_query *query;
    struct buf sql;
    struct pg_params params;
    uint32_t param_count;
};

static void next_param(struct writer *writer, const char *before, const char *after)
{
    buf_printf(&writer->sql, "%s$%u%s", before, ++writer->param_count, after);
}

/* One value is compared as itself: of an array the planner takes ten for granted, and plans anew
 * for each that comes. */
static void write_texts(struct writer *writer, const struct list_condition *condition)
{
    if (condition->values.count > 1) {
        next_param(writer, " = ANY (", "::text[])");
        pg_put_text_array(&writer->params, condition->values.items, condition->values.count);
        return;
    }
    next_param(writer, " = ", "::text");
    pg_put_text(&writer->params, condition->values.items[0]);
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
    if (is_one) {
        pg_put_int8(&writer->params, integer_of(condition->values.items[0]));
        return;
    }
    pg_put_array(&writer->params, PG_INT8);
    VEC_EACH (&condition->values, i)
        pg_put_int8(&writer->params, integer_of(condition->values.items[i]));
    pg_put_array_end(&writer->params);
}

static void put_time(struct writer *writer, struct str value)
{
    int64_t time_ms = 0;
    bool has_zone;
    (void)!civil_parse(value, &time_ms, &has_zone);
    pg_put_time_ms(&writer->params, time_ms);
}

static void put_real(struct writer *writer, struct str value)
{
    double real = 0;
    (void)!str_to_real(value, &real);
    pg_put_float8(&writer->params, real);
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
    pg_put_text_array(&writer->params, patterns.items, patterns.count);
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
    pg_put_text_array(&writer->params, patterns.items, patterns.count);
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
        pg_put_text_array(&writer->params, condition->values.items, condition->values.count);
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
        pg_put_bool(&writer->params, first.bytes[0] == 't' || first.bytes[0] == 'T');
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
        pg_put_text_array(&writer->params, condition->values.items, condition->values.count);
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
        const char *column =
            list_find_order(row, is_falling ? str_slice(name, 1, name.size) : name);
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
    buf_add_cstr(&writer->sql, " FROM (");
    buf_add_cstr(&writer->sql, store_statements[block].sql);
    buf_add_cstr(&writer->sql, "\n) l WHERE true");
    buf_add_cstr(&writer->sql, conditions);
}

static struct str write_conditions(struct writer *writer)
{
    const struct list_query *query = writer->query;
    struct buf whole = writer->sql;
    writer->sql = (struct buf) { 0 };
    buf_add_cstr(&writer->sql, "");
    if (list_rows[query->list].scope == SCOPE_DAG && query->dag_id.size > 0)
        buf_add_cstr(&writer->sql, " AND l.dag_no = (SELECT dag_no FROM dag WHERE dag_id = $1)");
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
    pg_put_int4(&writer->params, writer->query->asker);
}

/* $1 and $2, the scope; then what the reader is held to, and who asks. */
static void write_begin(struct writer *writer)
{
    const struct list_query *query = writer->query;
    pg_put_text(&writer->params, query->dag_id);
    pg_put_text(&writer->params, query->run_id);
    writer->param_count = 2;
    if (query->reader != NULL) {
        reader_bind(query->reader, &writer->params);
        reader_shadow(&writer->sql, writer->param_count);
        buf_add_byte(&writer->sql, ' ');
        writer->param_count += READER_PARAMS;
    }
    if (list_rows[query->list].has_favourites)
        write_favourites(writer, query->reader == NULL ? "WITH" : ",");
}

/* What the client sees of a page's rows. */
static const char *shown(const struct list_query *query)
{
    return list_rows[query->list].is_json ? "p.shown" : "(p.shown).*";
}

static void write_page(struct writer *writer, const char *conditions, int64_t limit, int64_t offset)
{
    /* Not "j" again: in the block of the count that would be this one. */
    buf_add_cstr(&writer->sql, "(SELECT l.j AS shown, true AS is_row");
    write_from(writer, list_rows[writer->query->list].statement, conditions);
    write_order(writer);
    /* Numbers in the text: for an unknown limit the planner would take a tenth of all rows. */
    buf_printf(&writer->sql, " LIMIT %lld OFFSET %lld) p", (long long)limit, (long long)offset);
}

static void write_count(struct writer *writer, const char *conditions)
{
    const struct list_row *row = &list_rows[writer->query->list];
    bool counts_all = conditions[0] == 0 && row->count_block != 0;
    enum statement counted = counts_all ? row->count_block : row->statement;
    buf_add_cstr(&writer->sql, "(SELECT count(*)");
    if (row->count_max > 0) {
        buf_add_cstr(&writer->sql, " FROM (SELECT");
        write_from(writer, counted, conditions);
        buf_printf(&writer->sql, " LIMIT %lld) c", (long long)row->count_max);
    } else {
        write_from(writer, counted, conditions);
    }
    buf_add_byte(&writer->sql, ')');
}

static void write_query(struct writer *writer)
{
    const struct list_query *query = writer->query;
    write_begin(writer);
    struct str conditions = write_conditions(writer);
    buf_add_cstr(&writer->sql, "SELECT ");
    write_count(writer, conditions.bytes);
    buf_printf(&writer->sql,
               ", $1::text = '' OR EXISTS (SELECT FROM dag WHERE dag_id = $1), "
               "$2::text = '' OR EXISTS (SELECT FROM run_key k JOIN dag d USING (dag_no) "
               "WHERE d.dag_id = $1 AND k.run_id = $2), p.is_row, %s FROM (SELECT) one LEFT JOIN ",
               shown(query));
    write_page(writer, conditions.bytes, query->limit, query->offset);
    buf_add_cstr(&writer->sql, " ON true");
}

static void write_one(struct writer *writer)
{
    write_begin(writer);
    struct str conditions = write_conditions(writer);
    buf_printf(&writer->sql, "SELECT $1::text, $2::text, %s FROM ", shown(writer->query));
    write_page(writer, conditions.bytes, 1, 0);
}

enum { SQL_SIZE = 16 << 10 }; /* most texts fit */

static struct list_statement statement_of(const struct list_query *query,
                                          void (*write)(struct writer *writer))
{
    struct writer writer = { .query = query };
    buf_reserve(&writer.sql, SQL_SIZE);
    write(&writer);
    return (struct list_statement) { writer.sql, writer.params };
}

struct list_statement list_statement_page(const struct list_query *query)
{
    return statement_of(query, write_query);
}

struct list_statement list_statement_one(const struct list_query *query)
{
    return statement_of(query, write_one);
}

struct str list_sql(const struct list_query *query)
{
    struct list_statement statement = list_statement_page(query);
    struct str sql = str_copy(query->arena, buf_str(&statement.sql));
    buf_clear(&statement.sql);
    pg_params_clear(&statement.params);
    return sql;
}
