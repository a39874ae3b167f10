// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"
#include "common/text/json.h"
#include "common/text/yaml.h"

#include "tests/support/test.h"

static const struct value *read_json(struct arena *arena, const char *text)
{
    const struct value *value;

    assert_int_equal(json_parse(arena, str_of(text), NULL, &value, NULL), 0);
    return value;
}

static void yaml_reads_back_as_what_was_written(void **state)
{
    static const char *const texts[] = {
        "{\"a\":[],\"b\":{},\"c\":[1,\"1\",true,\"true\",null,\"null\",\"\"]}",
        "[{\"name\":\"x\",\"tags\":[\"a b\",\"- c\",\"# d\",\"e: f\"]},{\"name\":\"y: "
        "z\",\"deep\":{\"k\":[[1,2],[3]]}}]",
        "{\"text\":\"two\\nlines\\ttab\",\"date\":\"2026-11-21T06:00:00Z\",\"path\":\"/a/"
        "b\",\"on\":\"off\"}",
        "\"yes\"",
        "[]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arena arena = { 0 };
        struct buf buf = { 0 };
        struct yaml yaml;
        const struct value *value = read_json(&arena, texts[i]);

        yaml_write(&buf, value, 0);
        assert_int_equal(yaml_parse(&arena, buf_str(&buf), NULL, &yaml), 0);
        assert_int_equal(yaml.document_count, 1);
        assert_true(value_eq(yaml.documents[0], value));
        buf_clear(&buf);
        arena_clear(&arena);
    }
}

static void yaml_of_a_listing_reads_well(void **state)
{
    struct arena arena = { 0 };
    struct buf buf = { 0 };

    (void)state;
    yaml_write(&buf,
               read_json(&arena, "[{\"dag_id\":\"etl\",\"tags\":[\"a\",\"b\"],\"next\":null}]"), 0);
    assert_string_equal(buf.bytes, "- dag_id: etl\n  tags:\n    - a\n    - b\n  next: null\n");
    buf_clear(&buf);
    arena_clear(&arena);
}

static void check_cell(const char *json, enum cell cell, bool is_ms, const char *expected)
{
    struct arena arena = { 0 };
    struct str text = output_cell(&arena, read_json(&arena, json), cell, is_ms);

    assert_string_equal(str_cstr(&arena, text), expected);
    arena_clear(&arena);
}

static void cells_say_what_people_read(void **state)
{
    (void)state;
    check_cell("\"2026-11-21T06:00:00.123456+01:00\"", CELL_TIME, false, "2026-11-21T05:00:00Z");
    check_cell("1795240800123", CELL_TIME, false, "2026-11-21T06:00:00Z");
    check_cell("12.34", CELL_SECONDS, false, "12.3s");
    check_cell("754000", CELL_SECONDS, true, "12m34s");
    check_cell("7500", CELL_SECONDS, false, "2h05m");
    check_cell("null", CELL_SECONDS, false, "");
    check_cell("[\"a\",1,[\"b\"]]", CELL_TEXT, false, "a, 1, b");
    check_cell("{\"a\":true}", CELL_TEXT, false, "{\"a\":true}");
}

TESTS(CASE(yaml_reads_back_as_what_was_written), CASE(yaml_of_a_listing_reads_well),
      CASE(cells_say_what_people_read))
