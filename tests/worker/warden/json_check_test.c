// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test.h"
#include "worker/warden/json_check.h"

#include "common/text/json.h"

static const char *const texts[] = {
    "null",
    "true",
    "falsey",
    "fals",
    "0",
    "-0",
    "01",
    "-",
    "1.",
    "1.5",
    "1e5",
    "1e",
    "1e999",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "\"\"",
    "\"a",
    "\"\\n\"",
    "\"\\x\"",
    "\"\\u0041\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ude00\"",
    "\"\\ud83dx\"",
    "\"\xff\"",
    "\"tab\there\"",
    "\"\\uD83D\\uDE00\"",
    "[]",
    "[1,]",
    "[1 2]",
    "[1, [2]]",
    "[",
    "{}",
    "{\"a\":1}",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":{\"a\":1},\"b\":{\"a\":2}}",
    " {\"a\" : [ ] } \n",
    "1 2",
    "",
    "   ",
    "nan",
    "Infinity",
    "'a'",
    "// c\n1",
    ("\xef\xbb\xbf"
     "1"),
};

static void it_agrees_with_the_reader(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena arena = { 0 };
        const struct value *value;
        bool readable = json_parse(&arena, str_of(texts[i]), NULL, &value, NULL) == 0;
        if (json_check(str_of(texts[i])) != readable)
            fail_msg("%s: the reader says %s", texts[i], readable ? "yes" : "no");
        arena_clear(&arena);
    }
}

static void depth_is_bounded_as_the_readers(void **state)
{
    (void)state;
    for (int depth = 60; depth < 70; depth++) {
        char text[200];
        struct arena arena = { 0 };
        const struct value *value;
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        struct str whole = { text, 2 * (size_t)depth };
        assert_int_equal(json_check(whole), json_parse(&arena, whole, NULL, &value, NULL) == 0);
        arena_clear(&arena);
    }
}

static void what_is_quoted_can_be_read(void **state)
{
    static const char bytes[] = "a\"\\\n\t\x01\xc3\xa4\xff\xe2\x82z\0end";
    struct buf out = { 0 };
    struct arena arena = { 0 };
    const struct value *value;

    (void)state;
    json_quote(&out, (struct str) { bytes, sizeof bytes - 1 });
    assert_int_equal(json_parse(&arena, buf_str(&out), NULL, &value, NULL), 0);
    assert_str(value->string,
               "a\"\\\n\t\x01\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd"
               "end");
    assert_true(json_check(buf_str(&out)));
    buf_clear(&out);
    arena_clear(&arena);
}

TESTS(CASE(it_agrees_with_the_reader), CASE(depth_is_bounded_as_the_readers),
      CASE(what_is_quoted_can_be_read))
