// SPDX-License-Identifier: Apache-2.0
// Rows as JSON: each type beside what PostgreSQL itself makes of it, and what a column's name says.
#include "common/store/row_json.h"

#include "common/pg/pg_sync.h"
#include "common/text/json.h"
#include "tests/support/pg_server.h"
#include "tests/support/test.h"

static struct pg_result *ask(const char *sql)
{
    struct pg_sync *sync;
    struct pg_result *result = NULL;
    struct err err = { 0 };
    if (pg_sync_open(&sync, pg_server_conninfo("postgres"), &err) < 0 ||
        pg_sync_query(sync, sql, NULL, &result, &err) < 0)
        fail_msg("%s", err.sentence);
    pg_sync_close(sync);
    return result;
}

static void check(const char *sql, const char *wanted)
{
    struct pg_result *result = ask(sql);
    struct buf json = { 0 };
    struct row_json *rows = row_json_new(0);
    for (uint32_t i = 0; i < pg_row_count(result); i++) {
        if (i > 0)
            buf_add_byte(&json, ',');
        row_json_write(rows, &json, result, i);
    }
    row_json_free(rows);
    assert_string_equal(json.bytes, wanted);
    buf_clear(&json);
    pg_result_free(result);
}

/* The same tree, whatever the spaces and the digits behind a point. */
static void assert_same(struct arena *arena, struct str ours, struct str theirs)
{
    const struct value *a, *b;
    assert_int_equal(json_parse(arena, ours, NULL, &a, NULL), 0);
    assert_int_equal(json_parse(arena, theirs, NULL, &b, NULL), 0);
    assert_str(json_text(arena, a), json_text(arena, b).bytes);
}

static void each_type_becomes_what_postgresql_makes_of_it(void **state)
{
    (void)state;
    static const char *const VALUES[] = {
        "true",
        "false",
        "7::int2",
        "(-2147483648)::int4",
        "(-9223372036854775807 - 1)::int8",
        "0::int8",
        "1.5::float8",
        "0.1::float8",
        "1e300::float8",
        "NULL::text",
        "''",
        "'Zürich'",
        "E'\"quoted\" \\\\ and\\nlines\\t\\x01'",
        "'{}'::text[]",
        "'{a,\"b \\\"c\\\"\"}'::text[]",
        "NULL::text[]",
        "'01234567-89ab-cdef-fedc-ba9876543210'::uuid",
        "'{\"a\": [1, {\"b\": null}]}'::jsonb",
        "'[1,2]'::json",
        "'2026-11-28T06:07:08Z'::timestamptz",
        "'2026-11-28T06:07:08.5Z'::timestamptz",
        "'2026-11-28T06:07:08.000123Z'::timestamptz",
        "'1969-12-31T23:59:59.999999Z'::timestamptz",
        "'0001-01-01T00:00:00Z'::timestamptz",
        "'12026-01-02T03:04:05Z'::timestamptz",
        "'infinity'::timestamptz",
        "'-infinity'::timestamptz",
        "NULL::timestamptz",
    };
    struct arena arena = { 0 };
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
        struct str sql =
            str_format(&arena, "SELECT row_to_json(r), x FROM (SELECT %s AS x) r", VALUES[i]);
        struct pg_result *result = ask(sql.bytes);
        struct buf json = { 0 };
        struct row_json *rows = row_json_new(1);
        row_json_write(rows, &json, result, 0);
        row_json_free(rows);
        assert_same(&arena, buf_str(&json), pg_get_text(result, 0, 0));
        buf_clear(&json);
        pg_result_free(result);
    }
    arena_clear(&arena);
}

static void a_columns_name_says_where_its_value_stands(void **state)
{
    (void)state;
    check("SELECT 1 AS a, 2 AS \"b.c\", 3 AS \"b.d\", 4 AS e",
          "{\"a\":1,\"b\":{\"c\":2,\"d\":3},\"e\":4}");
    check("SELECT '{x,y}'::text[] AS \"t[].name\", 1 AS \"t[].n\", 2 AS a",
          "{\"t\":[{\"name\":\"x\",\"n\":1},{\"name\":\"y\",\"n\":1}],\"a\":2}");
    check("SELECT '{}'::text[] AS \"t[].name\", 1 AS \"t[].n\"", "{\"t\":[]}");
    check("SELECT 7 AS \"v[].id\", NULL AS \"v[].x\"", "{\"v\":[{\"id\":7,\"x\":null}]}");
    check("SELECT NULL::int AS \"v[].id\", 1 AS \"v[].x\"", "{\"v\":[]}");
    check("SELECT '\"a\"'::json AS shown", "\"a\"");
}

static void all_rows_of_a_statement_have_one_layout(void **state)
{
    (void)state;
    check("SELECT n FROM generate_series(1, 3) n", "{\"n\":1},{\"n\":2},{\"n\":3}");
}

TESTS(CASE(each_type_becomes_what_postgresql_makes_of_it),
      CASE(a_columns_name_says_where_its_value_stands),
      CASE(all_rows_of_a_statement_have_one_layout))
