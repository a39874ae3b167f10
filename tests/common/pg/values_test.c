// SPDX-License-Identifier: Apache-2.0
/* pg_params, pg_result, pg_error and pg_sync against a real server. */
#include "common/pg/pg_error.h"
#include "common/pg/pg_sync.h"
#include "tests/support/pg_server.h"
#include "tests/support/test.h"

static struct pg_sync *open_sync(void)
{
    struct pg_sync *sync;
    struct err err = { 0 };
    if (pg_sync_open(&sync, pg_server_conninfo("postgres"), &err) < 0)
        fail_msg("%s", err.sentence);
    return sync;
}

static struct pg_result *ask(struct pg_sync *sync, const char *sql, const struct pg_params *params)
{
    struct pg_result *result = NULL;
    struct err err = { 0 };
    if (pg_sync_query(sync, sql, params, &result, &err) < 0)
        fail_msg("%s", err.sentence);
    return result;
}

static void every_scalar_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    struct pg_sync *sync = open_sync();
    struct pg_params params = { 0 };
    struct id128 id = { 0x0123456789abcdefULL, 0xfedcba9876543210ULL };
    pg_put_bool(&params, true);
    pg_put_char(&params, 200);
    pg_put_int2(&params, -12345);
    pg_put_int4(&params, INT32_MIN);
    pg_put_int8(&params, INT64_MIN + 1);
    pg_put_float8(&params, -0.125);
    pg_put_text(&params, STR("Zürich"));
    pg_put_bytea(&params, (struct str) { "a\0b\xff", 4 });
    pg_put_jsonb(&params, STR("{\"b\": 1, \"a\": [true]}"));
    pg_put_uuid(&params, id);
    pg_put_date(&params, 19000);
    pg_put_time_ms(&params, 1700000000123);
    pg_put_text(&params, STR_EMPTY);
    struct pg_result *result =
        ask(sync, "SELECT $1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13, 42::oid", &params);
    assert_int_equal(pg_row_count(result), 1);
    assert_true(pg_get_bool(result, 0, 0));
    assert_int_equal(pg_get_int(result, 0, 1), 200);
    assert_int_equal(pg_get_int(result, 0, 2), -12345);
    assert_int_equal(pg_get_int(result, 0, 3), INT32_MIN);
    assert_true(pg_get_int(result, 0, 4) == INT64_MIN + 1);
    assert_true(pg_get_float8(result, 0, 5) == -0.125);
    assert_str(pg_get_text(result, 0, 6), "Zürich");
    assert_int_equal(pg_get_text(result, 0, 7).size, 4);
    assert_memory_equal(pg_get_text(result, 0, 7).bytes, "a\0b\xff", 4);
    assert_str(pg_get_text(result, 0, 8), "{\"a\": [true], \"b\": 1}");
    assert_true(id_eq(pg_get_uuid(result, 0, 9), id));
    assert_int_equal(pg_get_date(result, 0, 10), 19000);
    assert_true(pg_get_time_ms(result, 0, 11) == 1700000000123);
    assert_false(pg_is_null(result, 0, 12));
    assert_str(pg_get_text(result, 0, 12), "");
    assert_int_equal(pg_get_int(result, 0, 13), 42);
    pg_result_free(result);
    pg_params_clear(&params);
    pg_sync_close(sync);
}

static void the_server_reads_times_as_they_are_meant(void **state)
{
    (void)state;
    struct pg_sync *sync = open_sync();
    struct pg_params params = { 0 };
    pg_put_time_ms(&params, 0);
    pg_put_time_ms(&params, INT64_MAX);
    pg_put_time_ms(&params, INT64_MIN);
    pg_put_date(&params, 0);
    pg_put_time_ms_or_null(&params, 0);
    struct pg_result *result =
        ask(sync,
            "SELECT $1::text, $2::text, $3::text, $4::text, $5 IS NULL,"
            " '1969-12-31 23:59:59.9995Z'::timestamptz, $2, $3, current_setting('TimeZone')",
            &params);
    assert_str(pg_get_text(result, 0, 0), "1970-01-01 00:00:00+00");
    assert_str(pg_get_text(result, 0, 1), "infinity");
    assert_str(pg_get_text(result, 0, 2), "-infinity");
    assert_str(pg_get_text(result, 0, 3), "1970-01-01");
    assert_true(pg_get_bool(result, 0, 4));
    assert_int_equal(pg_get_time_ms(result, 0, 5), -1);
    assert_true(pg_get_time_ms(result, 0, 6) == INT64_MAX);
    assert_true(pg_get_time_ms(result, 0, 7) == INT64_MIN);
    assert_str(pg_get_text(result, 0, 8), "UTC");
    pg_result_free(result);
    pg_params_clear(&params);
    pg_sync_close(sync);
}

static void nulls_read_as_nothing(void **state)
{
    (void)state;
    struct pg_sync *sync = open_sync();
    struct pg_params params = { 0 };
    struct arena arena = { 0 };
    uint32_t count = 7;
    pg_put_null(&params, PG_INT8);
    pg_put_text_or_null(&params, STR_EMPTY);
    pg_put_null(&params, PG_UUID);
    pg_put_null_array(&params, PG_INT8);
    struct pg_result *result =
        ask(sync, "SELECT $1, $2, $3, $4, NULL::bool, NULL::timestamptz", &params);
    for (uint32_t i = 0; i < 6; i++)
        assert_true(pg_is_null(result, 0, i));
    assert_int_equal(pg_get_int(result, 0, 0), 0);
    assert_str(pg_get_text(result, 0, 1), "");
    assert_true(id_is_zero(pg_get_uuid(result, 0, 2)));
    (void)pg_get_int_array(result, 0, 3, &arena, &count);
    assert_int_equal(count, 0);
    assert_false(pg_get_bool(result, 0, 4));
    assert_int_equal(pg_get_time_ms(result, 0, 5), 0);
    pg_result_free(result);
    pg_params_clear(&params);
    arena_clear(&arena);
    pg_sync_close(sync);
}

static void arrays_unnest_column_by_column(void **state)
{
    (void)state;
    struct pg_sync *sync = open_sync();
    struct pg_params params = { 0 };
    struct id128 ids[] = { { 1, 2 }, { 3, 4 } };
    pg_put_int8_array(&params, (int64_t[]) { 10, -20 }, 2);
    pg_put_array(&params, PG_TEXT);
    pg_put_text(&params, STR("a\"b,{}"));
    pg_put_null(&params, PG_TEXT);
    pg_put_array_end(&params);
    pg_put_uuid_array(&params, ids, 2);
    pg_put_array(&params, PG_TIMESTAMPTZ);
    pg_put_time_ms(&params, 1700000000000);
    pg_put_time_ms_or_null(&params, 0);
    pg_put_array_end(&params);
    pg_put_array(&params, PG_BOOL);
    pg_put_bool(&params, true);
    pg_put_bool(&params, false);
    pg_put_array_end(&params);
    pg_put_array(&params, PG_JSONB);
    pg_put_jsonb(&params, STR("[1]"));
    pg_put_jsonb(&params, STR("{}"));
    pg_put_array_end(&params);
    pg_put_int4_array(&params, (int32_t[]) { 5, 6 }, 2);
    pg_put_array(&params, PG_CHAR);
    pg_put_char(&params, 1);
    pg_put_char(&params, 2);
    pg_put_array_end(&params);
    struct pg_result *result =
        ask(sync,
            "SELECT * FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::timestamptz[], "
            "$5::bool[], $6::jsonb[], $7::int[], $8::\"char\"[])",
            &params);
    assert_int_equal(pg_row_count(result), 2);
    assert_int_equal(pg_affected(result), 2);
    assert_int_equal(pg_get_int(result, 1, 0), -20);
    assert_str(pg_get_text(result, 0, 1), "a\"b,{}");
    assert_true(pg_is_null(result, 1, 1));
    assert_true(id_eq(pg_get_uuid(result, 1, 2), ids[1]));
    assert_true(pg_get_time_ms(result, 0, 3) == 1700000000000);
    assert_true(pg_is_null(result, 1, 3));
    assert_true(pg_get_bool(result, 0, 4) && !pg_get_bool(result, 1, 4));
    assert_str(pg_get_text(result, 0, 5), "[1]");
    assert_int_equal(pg_get_int(result, 1, 6), 6);
    assert_int_equal(pg_get_int(result, 1, 7), 2);
    assert_int_equal(pg_find_column(result, "unnest"), 0);
    assert_int_equal(pg_find_column(result, "nothing"), -1);
    pg_result_free(result);
    pg_params_clear(&params);
    pg_sync_close(sync);
}

static void arrays_are_read_whole_and_empty_ones_too(void **state)
{
    (void)state;
    struct pg_sync *sync = open_sync();
    struct pg_params params = { 0 };
    struct arena arena = { 0 };
    uint32_t count;
    pg_put_text_array(&params, NULL, 0);
    pg_put_int2(&params, 1); /* what follows an empty array is in its place */
    struct pg_result *result = ask(
        sync, "SELECT $1, $2, ARRAY[1, NULL, -3]::smallint[], ARRAY['x', 'y''z']::text[]", &params);
    (void)pg_get_text_array(result, 0, 0, &arena, &count);
    assert_int_equal(count, 0);
    assert_int_equal(pg_get_int(result, 0, 1), 1);
    int64_t *numbers = pg_get_int_array(result, 0, 2, &arena, &count);
    assert_int_equal(count, 3);
    assert_true(numbers[0] == 1 && numbers[1] == 0 && numbers[2] == -3);
    struct str *texts = pg_get_text_array(result, 0, 3, &arena, &count);
    assert_int_equal(count, 2);
    assert_str(texts[1], "y'z");
    pg_result_free(result);
    pg_params_clear(&params);
    arena_clear(&arena);
    pg_sync_close(sync);
}

static void a_refused_script_names_its_line_and_leaves_nothing(void **state)
{
    (void)state;
    struct pg_sync *sync = open_sync();
    struct err err = { 0 };
    assert_int_equal(
        pg_sync_exec(sync, "CREATE TABLE half (n int);\n\nSELECT * FROM nowhere;\n", &err), ERR_DB);
    assert_non_null(strstr(err.sentence, "line 3"));
    assert_non_null(strstr(err.sentence, "nowhere"));
    struct pg_result *result = ask(sync, "SELECT to_regclass('half') IS NULL", NULL);
    assert_true(pg_get_bool(result, 0, 0));
    pg_result_free(result);
    assert_int_equal(pg_sync_exec(sync, "BEGIN; SELECT 1/0", &err), ERR_INVALID);
    pg_result_free(ask(sync, "SELECT 1", NULL)); /* the open transaction is gone */
    pg_sync_close(sync);
}

static void a_server_that_is_not_there_is_an_error_of_one_line(void **state)
{
    (void)state;
    struct pg_sync *sync;
    struct err err = { 0 };
    assert_int_equal(pg_sync_open(&sync, "host=/nonexistent dbname=x", &err), ERR_DB_CONNECTION);
    assert_non_null(strstr(err.sentence, "connecting to the database"));
    assert_null(strchr(err.sentence, '\n'));
    assert_int_equal(pg_sync_open(&sync, "hostess=x", &err), ERR_INVALID);
    assert_non_null(strstr(err.sentence, "hostess"));
}

static void statements_can_be_described(void **state)
{
    (void)state;
    struct pg_sync *sync = open_sync();
    struct arena arena = { 0 };
    struct pg_types types;
    assert_int_equal(pg_sync_describe(sync, "SELECT $1::int + 1, $2::text[]", &arena, &types, NULL),
                     0);
    assert_int_equal(types.param_count, 2);
    assert_int_equal(types.params[0], PG_INT4);
    assert_int_equal(types.params[1], 1009);
    assert_int_equal(types.columns[1], 1009);
    arena_clear(&arena);
    pg_sync_close(sync);
}

static void the_longest_prefix_of_a_sqlstate_decides(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        int code;
    } rows[] = { { "23505", ERR_EXISTS },        { "23514", ERR_INVALID },
                 { "40P01", ERR_UNAVAILABLE },   { "42P01", ERR_DB },
                 { "HR410", ERR_LOST },          { "57014", ERR_TIMEOUT },
                 { "57P01", ERR_DB_CONNECTION }, { "", ERR_DB } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(pg_error_code(rows[i].sqlstate), rows[i].code);
}

TESTS(CASE(every_scalar_comes_back_as_it_was_sent), CASE(the_server_reads_times_as_they_are_meant),
      CASE(nulls_read_as_nothing), CASE(arrays_unnest_column_by_column),
      CASE(arrays_are_read_whole_and_empty_ones_too),
      CASE(a_refused_script_names_its_line_and_leaves_nothing),
      CASE(a_server_that_is_not_there_is_an_error_of_one_line), CASE(statements_can_be_described),
      CASE(the_longest_prefix_of_a_sqlstate_decides))
