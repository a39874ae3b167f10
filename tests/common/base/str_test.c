// SPDX-License-Identifier: Apache-2.0
#include "common/base/str.h"
#include "tests/support/test.h"

static void numbers_are_whole_and_in_range_or_refused(void **state)
{
    (void)state;
    int64_t value = -7;
    assert_int_equal(str_to_int(STR("42"), 0, 100, &value), 0);
    assert_int_equal(value, 42);
    assert_int_equal(str_to_int(STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &value), 0);
    assert_true(value == INT64_MIN);
    const char *bad[] = { "", "-", "+", "4x", " 4", "101", "-1", "9223372036854775808", "1e3" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        value = -7;
        assert_int_equal(str_to_int(str_of(bad[i]), 0, 100, &value), ERR_INVALID);
        assert_int_equal(value, -7);
    }
}

static void splitting_gives_every_part_also_empty_ones(void **state)
{
    (void)state;
    struct str rest = STR("a,,b,"), part;
    const char *expected[] = { "a", "", "b", "" };
    int count = 0;
    while (str_split(&rest, ',', &part))
        assert_str(part, expected[count++]);
    assert_int_equal(count, 4);
}

static void utf8_is_told_from_bytes_that_only_look_like_it(void **state)
{
    (void)state;
    assert_true(str_is_utf8(STR("Zürich \xF0\x9F\x8C\x8A")));
    const char *bad[] = { "\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x8C", "a\xFF" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(str_is_utf8(str_of(bad[i])));
}

static void format_and_copy_end_with_a_zero(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct str s = str_format(&arena, "%s-%d", "run", 7);
    assert_str(s, "run-7");
    assert_int_equal(s.bytes[s.size], 0);
    assert_string_equal(str_cstr(&arena, str_slice(s, 0, 3)), "run");
    assert_int_equal(str_cmp(STR("ab"), STR("abc")), -1);
    arena_clear(&arena);
}

TESTS(CASE(numbers_are_whole_and_in_range_or_refused), CASE(splitting_gives_every_part_also_empty_ones),
      CASE(utf8_is_told_from_bytes_that_only_look_like_it), CASE(format_and_copy_end_with_a_zero))
