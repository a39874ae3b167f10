// SPDX-License-Identifier: Apache-2.0
#include "common/text/glob.h"
#include "tests/support/test.h"

static void patterns_match_as_in_gitignore(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
    } rows[] = {
        { "a.yaml", "a.yaml", true },
        { "*.yaml", "b.yaml", true },
        { "*.yaml", "d/b.yaml", false },
        { "?.yaml", "a.yaml", true },
        { "?.yaml", "ab.yaml", false },
        { "a?b", "a/b", false },
        { "[a-c]x", "bx", true },
        { "[a-c]x", "dx", false },
        { "[!a-c]x", "dx", true },
        { "[]]x", "]x", true },
        { "[a-", "[a-", true },
        { "\\*", "*", true },
        { "\\*", "a", false },
        { "a/**/b", "a/b", true },
        { "a/**/b", "a/x/y/b", true },
        { "a/**/b", "a/xb", false },
        { "**/b", "b", true },
        { "**/b", "x/y/b", true },
        { "a/**", "a/x", true },
        { "a/**", "a/x/y", true },
        { "a/**", "a", false },
        { "**", "x/y", true },
        { "a**b", "axyb", true },
        { "a**b", "ax/yb", false },
        { "**/a/*/c", "x/a/b/a/b/c", true },
        { "**/*.tmp", "x/y.tmp", true },
        { "", "", true },
        { "*", "", true },
        { "x", "", false },
        { "**/a*b/**/c", "q/axb/r/s/c", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (glob_match(str_of(rows[i].pattern), str_of(rows[i].path)) != rows[i].matches)
            fail_msg("%s against %s", rows[i].pattern, rows[i].path);
}

static void a_hostile_pattern_takes_no_exponential_time(void **state)
{
    (void)state;
    char pattern[401], path[2001];
    for (int i = 0; i < 200; i++) {
        pattern[2 * i] = '*';
        pattern[2 * i + 1] = 'a';
    }
    memset(path, 'a', sizeof path);
    path[1999] = 'b';
    assert_false(glob_match((struct str) { pattern, 400 }, (struct str) { path, 2000 }));
}

static void an_ignore_file_works_line_by_line(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct globs globs =
        globs_parse(&arena, STR("# comment\n\n*.tmp\n/top.yaml\nbuild/\nlib/*.yaml\n!keep.tmp\n"
                                "old/**\n\\#odd\ntrailing   \r\n!\n/\n"));
    static const struct {
        const char *path;
        bool folder, ignored;
    } rows[] = {
        { "a.tmp", false, true },
        { "d/e/a.tmp", false, true },
        { "keep.tmp", false, false },
        { "d/keep.tmp", false, false },
        { "top.yaml", false, true },
        { "d/top.yaml", false, false },
        { "build", true, true },
        { "build", false, false },
        { "build/x.yaml", false, true },
        { "d/build/x.yaml", false, true },
        { "lib/a.yaml", false, true },
        { "d/lib/a.yaml", false, false },
        { "lib/sub/a.yaml", false, false },
        { "old/a/b.yaml", false, true },
        { "#odd", false, true },
        { "trailing", false, true },
        { "comment", false, false },
        { "good.yaml", false, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (globs_ignore(&globs, str_of(rows[i].path), rows[i].folder) != rows[i].ignored)
            fail_msg("%s", rows[i].path);
    arena_clear(&arena);
}

static void what_lies_in_an_ignored_folder_cannot_be_taken_back(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct globs globs = globs_parse(&arena, STR("build/\n!build/keep.yaml\n"));
    assert_true(globs_ignore(&globs, STR("build/keep.yaml"), false));
    struct globs none = globs_parse(&arena, STR_EMPTY);
    assert_false(globs_ignore(&none, STR("a"), false));
    arena_clear(&arena);
}

TESTS(CASE(patterns_match_as_in_gitignore), CASE(a_hostile_pattern_takes_no_exponential_time),
      CASE(an_ignore_file_works_line_by_line),
      CASE(what_lies_in_an_ignored_folder_cannot_be_taken_back))
