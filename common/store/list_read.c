// SPDX-License-Identifier: Apache-2.0
#include "common/store/list_read.h"

#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/store/list_table.h"
#include "common/store/row_json.h"

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

/* $1 and $2, the scope; then what the reader is held to. */
static void write_begin(struct writer *writer)
{
    const struct list_query *query = writer->query;
    pg_put_text(&writer->params, query->dag_id);
    pg_put_text(&writer->params, query->run_id);
    writer->param_count = 2;
    if (query->reader == NULL)
        return;
    reader_bind(query->reader, &writer->params);
    reader_shadow(&writer->sql, writer->param_count);
    buf_add_byte(&writer->sql, ' ');
    writer->param_count += READER_PARAMS;
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

/* What stands before the columns of the page's rows. There is one row at least, for the count. */
enum { COUNT, HAS_DAG, HAS_RUN, IS_ROW, ROW_COLUMNS };

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

/* The parameters come first, so that each has a type. */
enum { ONE_ROW_COLUMNS = 2 };

static void write_one(struct writer *writer)
{
    write_begin(writer);
    struct str conditions = write_conditions(writer);
    buf_printf(&writer->sql, "SELECT $1::text, $2::text, %s FROM ", shown(writer->query));
    write_page(writer, conditions.bytes, 1, 0);
}

enum { SQL_SIZE = 16 << 10 }; /* most texts fit */

static struct writer writer_of(const struct list_query *query)
{
    struct writer writer = { .query = query };
    buf_reserve(&writer.sql, SQL_SIZE);
    return writer;
}

struct str list_sql(const struct list_query *query)
{
    struct writer writer = writer_of(query);
    write_query(&writer);
    struct str sql = str_copy(query->arena, buf_str(&writer.sql));
    buf_clear(&writer.sql);
    pg_params_clear(&writer.params);
    return sql;
}

/* ---- asking ---- */

struct reading {
    const struct list_row *row;
    struct row_json *rows;
    struct buf json; /* what is not given yet */
    int64_t total;
    bool has_begun, has_row;
    int rc;
    struct err err;
    struct pieces to;
};

static int check_scope(const struct pg_result *result, struct err *err)
{
    if (!pg_get_bool(result, 0, HAS_DAG))
        return err_set(err, ERR_NOT_FOUND, "there is no such DAG");
    if (!pg_get_bool(result, 0, HAS_RUN))
        return err_set(err, ERR_NOT_FOUND, "there is no such run of this DAG");
    return 0;
}

static void give(struct reading *reading)
{
    reading->to.on_piece(reading->to.owner, buf_str(&reading->json));
    buf_reset(&reading->json);
}

static void begin(struct reading *reading, const struct pg_result *result)
{
    reading->has_begun = true;
    reading->rc = check_scope(result, &reading->err);
    reading->total = pg_get_int(result, 0, COUNT);
    buf_printf(&reading->json, "{\"%s\":[", reading->row->key);
}

static void take_rows(void *owner, const struct pg_result *result)
{
    struct reading *reading = owner;
    if (!reading->has_begun)
        begin(reading, result);
    for (uint32_t i = 0; reading->rc == 0 && i < pg_row_count(result); i++) {
        if (!pg_get_bool(result, i, IS_ROW))
            return;
        if (reading->has_row)
            buf_add_byte(&reading->json, ',');
        reading->has_row = true;
        row_json_write(reading->rows, &reading->json, result, i);
        if (reading->json.size >= PIECE_SIZE_MAX)
            give(reading);
    }
}

static void on_list(void *owner, const struct pg_outcome *outcome)
{
    struct reading *reading = owner;
    if (outcome->rc < 0) {
        reading->rc = outcome->rc;
        reading->err = *outcome->err;
    } else if (!reading->has_begun) {
        take_rows(reading, outcome->results[0]);
    }
    if (reading->rc == 0) {
        buf_printf(&reading->json, "],\"total_entries\":%lld}", (long long)reading->total);
        give(reading);
    }
    reading->to.on_end(reading->to.owner, reading->rc, &reading->err);
    row_json_free(reading->rows);
    buf_clear(&reading->json);
    free(reading);
}

/* Of rows that hold what people wrote, and of many, each is given as it comes: that costs a
 * microsecond a row, and the others little memory. */
enum { ROWS_TOGETHER_MAX = 1000 };

/* Later pages are asked for once: the rest is worth a plan that is kept. Takes the writer's. */
static void add(struct pg_tx *tx, struct writer *writer)
{
    const char *sql = writer->sql.bytes;
    *(writer->query->offset > 0 ? pg_tx_add_text(tx, sql) : pg_tx_add_kept(tx, sql)) =
        writer->params;
    buf_clear(&writer->sql);
}

void list_read_pieces(struct store *store, const struct list_query *query, const struct pieces *to)
{
    struct writer writer = writer_of(query);
    struct pg_tx *tx = pg_tx_new();
    struct reading *reading = calloc(1, sizeof *reading);
    ASSERT(reading != NULL);
    reading->row = &list_rows[query->list];
    reading->rows = row_json_new(ROW_COLUMNS);
    reading->to = *to;
    write_query(&writer);
    add(tx, &writer);
    if (reading->row->is_wide || query->limit > ROWS_TOGETHER_MAX)
        pg_tx_rows(tx, take_rows, reading);
    store_send(store, tx, on_list, reading);
}

/* ---- as a whole ---- */

struct whole {
    struct buf json;
    void (*on_end)(void *owner, int rc, struct str json, const struct err *err);
    void *owner;
};

static struct whole *
whole_new(void (*on_end)(void *owner, int rc, struct str json, const struct err *err), void *owner)
{
    struct whole *whole = malloc(sizeof *whole);
    ASSERT(whole != NULL);
    *whole = (struct whole) { .on_end = on_end, .owner = owner };
    return whole;
}

static void on_piece(void *owner, struct str piece)
{
    buf_add_str(&((struct whole *)owner)->json, piece);
}

static void on_whole(void *owner, int rc, const struct err *err)
{
    struct whole *whole = owner;
    whole->on_end(whole->owner, rc, rc < 0 ? STR_EMPTY : buf_str(&whole->json), err);
    buf_clear(&whole->json);
    free(whole);
}

void list_read(struct store *store, const struct list_query *query,
               void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
               void *owner)
{
    struct pieces to = { on_piece, on_whole, whole_new(on_end, owner) };
    list_read_pieces(store, query, &to);
}

static void on_one(void *owner, const struct pg_outcome *outcome)
{
    struct whole *whole = owner;
    const struct pg_result *result = outcome->rc < 0 ? NULL : outcome->results[0];
    struct err err = { 0 };
    int rc = outcome->rc;
    if (rc < 0) {
        err = *outcome->err;
    } else if (pg_row_count(result) == 0) {
        rc = err_set(&err, ERR_NOT_FOUND, "%s", err_sentence(ERR_NOT_FOUND));
    } else {
        struct row_json *rows = row_json_new(ONE_ROW_COLUMNS);
        row_json_write(rows, &whole->json, result, 0);
        row_json_free(rows);
    }
    on_whole(whole, rc, &err);
}

void list_read_one(struct store *store, const struct list_query *query,
                   void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
                   void *owner)
{
    struct writer writer = writer_of(query);
    struct pg_tx *tx = pg_tx_new();
    write_one(&writer);
    add(tx, &writer);
    store_send(store, tx, on_one, whole_new(on_end, owner));
}
