// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/line_level.h"

#include "tests/support/test.h"

static void levels_are_found_in_what_programs_write(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum line_level level;
    } ROWS[] = {
        { "2026-11-21 06:00:00,123 INFO [root] loading", LINE_INFO },
        { "[2026-11-21T06:00:00] {load.py:88} WARNING - slow query", LINE_WARNING },
        { "WARN  o.a.s.SparkContext: retrying", LINE_WARNING },
        { "\033[31mERROR\033[0m cannot connect", LINE_ERROR },
        { "\033[1;33mWARNING\033[0m slow query: 812 ms", LINE_WARNING },
        { "{\"ts\": 1, \"level\": \"error\", \"msg\": \"no\"}", LINE_ERROR },
        { "time=06:00 level=debug msg=\"x\"", LINE_DEBUG },
        { "psql: error: connection refused", LINE_ERROR },
        { "cc: warning: unused variable", LINE_WARNING },
        { "Traceback (most recent call last):", LINE_ERROR },
        { "KeyError: 'id'", LINE_ERROR },
        { "requests.exceptions.HTTPError: 503", LINE_ERROR },
        { "java.lang.IllegalStateException: closed", LINE_ERROR },
        { "FATAL: the database system is shutting down", LINE_ERROR },
        { "TRACE entering", LINE_DEBUG },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (line_level_of(str_of(ROWS[i].line), LINE_PLAIN) != ROWS[i].level)
            fail_msg("%s: %s", ROWS[i].line,
                     line_level_name(line_level_of(str_of(ROWS[i].line), LINE_PLAIN)));
}

static void words_that_only_look_like_levels_are_none(void **state)
{
    (void)state;
    static const char *const PLAIN[] = {
        "",
        "an error in the text of a sentence",
        "0 errors, 0 warnings",
        "information about INFORMATION",
        "see the page errors.html",
        "\033[",
        "\033",
        "ok",
    };
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++)
        assert_int_equal(line_level_of(str_of(PLAIN[i]), LINE_ERROR), LINE_PLAIN);
}

static void an_indented_line_goes_on_with_the_one_before(void **state)
{
    (void)state;
    assert_int_equal(line_level_of(STR("  File \"load.py\", line 88"), LINE_ERROR), LINE_ERROR);
    assert_int_equal(line_level_of(STR("\tat java.lang.Thread.run"), LINE_WARNING), LINE_WARNING);
    assert_int_equal(line_level_of(STR("  INFO indented"), LINE_ERROR), LINE_INFO);
    assert_int_equal(line_level_of(STR("done"), LINE_ERROR), LINE_PLAIN);
}

static void names_are_read_back(void **state)
{
    (void)state;
    for (int level = 0; level < LINE_LEVEL_COUNT; level++) {
        enum line_level read;
        assert_int_equal(line_level_parse(str_of(line_level_name((enum line_level)level)), &read),
                         0);
        assert_int_equal(read, level);
    }
    enum line_level none;
    assert_int_equal(line_level_parse(STR("loud"), &none), ERR_INVALID);
}

TESTS(CASE(levels_are_found_in_what_programs_write),
      CASE(words_that_only_look_like_levels_are_none),
      CASE(an_indented_line_goes_on_with_the_one_before), CASE(names_are_read_back))
