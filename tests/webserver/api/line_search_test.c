// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/line_search.h"

#include "tests/support/test.h"

static bool finds(const char *wanted, bool with_case, const char *line)
{
    struct line_search search;
    line_search_init(&search, str_of(wanted), with_case);
    bool is_found = line_search_finds(&search, str_of(line));
    line_search_clear(&search);
    return is_found;
}

static void a_text_is_found_anywhere_in_a_line(void **state)
{
    (void)state;
    assert_true(finds("key", true, "key: 1"));
    assert_true(finds("key", true, "no such key"));
    assert_true(finds("key", true, "key"));
    assert_false(finds("key", true, "ke y"));
    assert_false(finds("key", true, "ke"));
    assert_false(finds("", true, "key"));
    assert_false(finds("", false, ""));
}

static void case_counts_when_it_is_asked_to(void **state)
{
    (void)state;
    assert_true(finds("KeyError", false, "KEYERROR: 'id'"));
    assert_true(finds("KEYERROR", false, "keyerror: 'id'"));
    assert_false(finds("KeyError", true, "KEYERROR: 'id'"));
    assert_false(finds("[", false, "{")); /* letters alone have two cases */
    assert_true(finds("\xC3\x84rger", false, "\xC3\x84RGER"));
}

static void what_is_wanted_is_compared_with_one_line_after_the_other(void **state)
{
    (void)state;
    struct line_search search;
    line_search_init(&search, STR("B"), false);
    assert_true(line_search_finds(&search, STR("abc")));
    assert_false(line_search_finds(&search, STR("ac")));
    assert_true(line_search_finds(&search, STR("b")));
    line_search_clear(&search);
}

TESTS(CASE(a_text_is_found_anywhere_in_a_line), CASE(case_counts_when_it_is_asked_to),
      CASE(what_is_wanted_is_compared_with_one_line_after_the_other))
