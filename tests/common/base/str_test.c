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
    const char *bad[] = { "\x80",         "\xC0\xAF",         "\xE0\x80\xAF",
                          "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x8C",
                          "a\xFF" };
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

static void text_is_made_clean_a_byte_at_a_time(void **state)
{
    struct arena arena = { 0 };
    (void)state;
    assert_true(str_is(str_clean(&arena, STR("fertig \xC3\xBC")), "fertig \xC3\xBC"));
    assert_true(str_is(str_clean(&arena, STR("caf\xE9 \xC3\xBC")), "caf\xEF\xBF\xBD \xC3\xBC"));
    assert_true(str_is(str_clean(&arena, ((struct str) { "a\0b", 3 })), "a\xEF\xBF\xBD"
                                                                        "b"));
    assert_true(str_is(str_clean(&arena, STR("\xC3")), "\xEF\xBF\xBD"));
    assert_int_equal(str_clean(&arena, STR_EMPTY).size, 0);
    arena_clear(&arena);
}

static void texts_are_placed_one_behind_the_other(void **state)
{
    (void)state;
    char block[8], *at = block;
    struct str first = str_place(&at, STR("run")), none = str_place(&at, STR_EMPTY),
               last = str_place(&at, STR("task"));
    assert_true(str_is(first, "run") && str_is(last, "task") && none.size == 0);
    assert_ptr_equal(first.bytes, block);
    assert_ptr_equal(last.bytes, block + 3);
    assert_ptr_equal(at, block + 7);
}

static void text_is_cut_between_characters(void **state)
{
    (void)state;
    assert_true(str_is(str_cut(STR("ab\xC3\xBC"), 3), "ab"));
    assert_true(str_is(str_cut(STR("ab\xC3\xBC"), 4), "ab\xC3\xBC"));
    assert_true(str_is(str_cut(STR("abc"), 0), ""));
}

TESTS(CASE(text_is_made_clean_a_byte_at_a_time), CASE(text_is_cut_between_characters),
      CASE(texts_are_placed_one_behind_the_other), CASE(numbers_are_whole_and_in_range_or_refused),
      CASE(splitting_gives_every_part_also_empty_ones),
      CASE(utf8_is_told_from_bytes_that_only_look_like_it), CASE(format_and_copy_end_with_a_zero))
