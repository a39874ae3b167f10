// SPDX-License-Identifier: Apache-2.0
#include "common/text/json.h"
#include "tests/support/test.h"

static struct arena arena;

static void assert_round_trip(const char *text, const char *expected)
{
    const struct value *value = NULL;
    struct err err = { 0 };
    if (json_parse(&arena, str_of(text), NULL, &value, &err) < 0)
        fail_msg("%s: %s", text, err.sentence);
    assert_str(json_text(&arena, value), expected);
    arena_reset(&arena);
}

static void assert_refused(const char *text, const char *sentence)
{
    const struct value *value = NULL;
    struct err err = { 0 };
    assert_int_equal(json_parse(&arena, str_of(text), NULL, &value, &err), ERR_INVALID);
    assert_null(value);
    if (strstr(err.sentence, sentence) == NULL)
        fail_msg("'%s' does not say '%s'", err.sentence, sentence);
    arena_reset(&arena);
}

static void what_is_read_is_written_again(void **state)
{
    (void)state;
    assert_round_trip(" { \"b\" : [ 1 , -2.5, true, null, \"x\" ] , \"a\" : { } } ",
                      "{\"b\":[1,-2.5,true,null,\"x\"],\"a\":{}}");
    assert_round_trip("\"\\u00e9\\ud83c\\udf0a \\\" \\\\ \\n \\u0001\"",
                      "\"\xC3\xA9\xF0\x9F\x8C\x8A \\\" \\\\ \\n \\u0001\"");
    assert_round_trip("7", "7");
    assert_round_trip("[]", "[]");
}

static void integers_are_exact_to_64_bits_and_reals_shortest(void **state)
{
    (void)state;
    assert_round_trip("[9007199254740993, 9223372036854775807, -9223372036854775808]",
                      "[9007199254740993,9223372036854775807,-9223372036854775808]");
    assert_round_trip("[0.1, 1.0, 1e300, 2.5e-8, 100.0, 0.30000000000000004]",
                      "[0.1,1.0,1e+300,2.5e-08,100.0,0.30000000000000004]");
    struct buf buf;
    buf_init(&buf);
    json_write_real(&buf, __builtin_nan(""));
    json_write_real(&buf, __builtin_inf());
    assert_str(buf_str(&buf), "nullnull");
    buf_clear(&buf);
}

static void refusals_say_where(void **state)
{
    (void)state;
    assert_refused("{\"a\": 1,\n \"a\": 2}", "line 2, column 4: duplicate object key");
    assert_refused("{\"a\": }", "line 1, column 7");
    assert_refused("[1, 2", "line 1, column 5");
    assert_refused("[1] x", "line 1, column 5");
    assert_refused("", "empty");
    assert_refused("nul", "line 1");
    assert_refused("9223372036854775808", "too big");
    assert_refused("1e999", "real number overflow");
    assert_refused("\"a\\u0000b\"", "\\u0000");
    assert_refused("\"\xFF\"", "unable to decode byte 0xff");
    assert_refused("'a'", "line 1");
}

static void a_nul_behind_the_value_is_no_end(void **state)
{
    (void)state;
    const struct value *value = NULL;
    assert_int_equal(json_parse(&arena, STR("4\0 "), NULL, &value, NULL), ERR_INVALID);
    assert_int_equal(json_parse(&arena, STR("{}\0{}"), NULL, &value, NULL), ERR_INVALID);
}

static void deep_nesting_is_refused_before_it_hurts(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *text = malloc(DEEP);
    memset(text, '[', DEEP);
    const struct value *value = NULL;
    struct err err = { 0 };
    assert_int_equal(json_parse(&arena, (struct str) { text, DEEP }, NULL, &value, &err),
                     ERR_INVALID);
    assert_string_equal(err.sentence, "line 1, column 65: nested deeper than 64 levels");
    free(text);
    assert_round_trip(
        "[[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]]",
        "[[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]]");
}

static void size_has_a_limit(void **state)
{
    (void)state;
    struct json_limits limits = { .bytes_max = 5, .depth_max = 3 };
    const struct value *value = NULL;
    assert_int_equal(json_parse(&arena, STR("[1,23]"), &limits, &value, NULL), ERR_TOO_LARGE);
    assert_int_equal(json_parse(&arena, STR("[[[]]"), &limits, &value, NULL), ERR_INVALID);
    assert_int_equal(json_parse(&arena, STR("[1,2]"), &limits, &value, NULL), 0);
    arena_reset(&arena);
}

static void canonical_text_does_not_depend_on_the_order_of_keys(void **state)
{
    (void)state;
    const struct value *a = NULL, *b = NULL;
    assert_int_equal(
        json_parse(&arena, STR("{\"b\":1,\"a\":{\"d\":1,\"c\":[2]},\"B\":0}"), NULL, &a, NULL), 0);
    assert_int_equal(
        json_parse(&arena, STR("{\"a\":{\"c\":[2],\"d\":1},\"B\":0,\"b\":1}"), NULL, &b, NULL), 0);
    struct buf first, second;
    buf_init(&first);
    buf_init(&second);
    json_write_canonical(&first, a);
    json_write_canonical(&second, b);
    assert_str(buf_str(&first), "{\"B\":0,\"a\":{\"c\":[2],\"d\":1},\"b\":1}");
    assert_true(str_eq(buf_str(&first), buf_str(&second)));
    buf_clear(&first);
    buf_clear(&second);
    arena_reset(&arena);
}

static void pretty_text_is_indented_by_two(void **state)
{
    (void)state;
    const struct value *value = NULL;
    assert_int_equal(json_parse(&arena, STR("{\"a\":[1,{}],\"b\":[]}"), NULL, &value, NULL), 0);
    struct buf buf;
    buf_init(&buf);
    json_write_pretty(&buf, value);
    assert_str(buf_str(&buf), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}\n");
    buf_clear(&buf);
    arena_reset(&arena);
}

static void bytes_that_are_not_text_become_replacement_characters(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    json_write_string(&buf, STR("a\xFF\xC3\xA9\xC3 \"\x01"));
    assert_str(buf_str(&buf), "\"a\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD \\\"\\u0001\"");
    buf_reset(&buf);
    json_write_string(&buf, (struct str) { "a\0b", 3 });
    assert_str(buf_str(&buf), "\"a\xEF\xBF\xBD"
                              "b\"");
    buf_clear(&buf);
}

static int clear(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

#define EACH(name) cmocka_unit_test_teardown(name, clear)

TESTS(EACH(what_is_read_is_written_again), EACH(integers_are_exact_to_64_bits_and_reals_shortest),
      EACH(refusals_say_where), EACH(a_nul_behind_the_value_is_no_end),
      EACH(deep_nesting_is_refused_before_it_hurts), EACH(size_has_a_limit),
      EACH(canonical_text_does_not_depend_on_the_order_of_keys),
      EACH(pretty_text_is_indented_by_two),
      EACH(bytes_that_are_not_text_become_replacement_characters))
