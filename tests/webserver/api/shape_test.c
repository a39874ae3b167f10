// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/shape.h"

#include "tests/support/test.h"

static void the_notation_becomes_json_schema(void **state)
{
    (void)state;
    static const struct {
        const char *type, *schema;
    } ROWS[] = {
        { "bool", "{\"type\":\"boolean\"}" },
        { "bool?", "{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"null\"}]}" },
        { "[text]", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" },
        { "[Pool]?",
          "{\"anyOf\":[{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Pool\"}},"
          "{\"type\":\"null\"}]}" },
        { "a: int, b?: bool",
          "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":"
          "\"boolean\"}},\"required\":[\"a\"]}" },
        { "...Drain, a: int",
          "{\"type\":\"object\",\"properties\":{\"reason\":{\"anyOf\":[{\"type\":\"string\"},{"
          "\"type\":\"null\"}]},\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}" },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct buf out = { 0 };
        shape_write_type(&out, str_of(ROWS[i].type));
        assert_string_equal(out.bytes, ROWS[i].schema);
        buf_clear(&out);
    }
}

static void fields_are_read_one_by_one(void **state)
{
    (void)state;
    struct str rest = STR("a: int, b?: [text]?, ...Pool");
    struct shape_field field;
    assert_true(shape_next_field(&rest, &field));
    assert_true(str_is(field.name, "a") && str_is(field.type, "int") && !field.is_optional);
    assert_true(shape_next_field(&rest, &field));
    assert_true(str_is(field.name, "b") && str_is(field.type, "[text]?") && field.is_optional);
    assert_true(shape_next_field(&rest, &field));
    assert_true(field.is_spliced && str_is(field.type, "Pool"));
    assert_false(shape_next_field(&rest, &field));
    rest = STR_EMPTY;
    assert_false(shape_next_field(&rest, &field));
}

TESTS(CASE(the_notation_becomes_json_schema), CASE(fields_are_read_one_by_one))
