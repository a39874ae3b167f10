// SPDX-License-Identifier: Apache-2.0
#include "cli/args.h"

#include "tests/support/test.h"

static const char usage[] = "DAG_ID [RUN_ID] [-c|--conf JSON] [-w|--wait] [--tag TAG]...";

struct fixture {
    struct arena arena;
    struct args args;
    struct err err;
};

static int parse(struct fixture *f, const char *line, int argc, const char **argv)
{
    struct args_rules rules = args_rules(&f->arena, line);
    struct args_rules common = args_rules(&f->arena, "[-o|--output FORMAT] [-h|--help]");

    return args_parse(&f->args, &rules, &common, argc, (char **)argv, &f->err);
}

static void clear(struct fixture *f)
{
    args_clear(&f->args);
    arena_clear(&f->arena);
}

#define PARSE(f, line, ...)                                                                        \
    parse((f), (line), (int)(sizeof((const char *[]) { __VA_ARGS__ }) / sizeof(char *)),           \
          (const char *[]) { __VA_ARGS__ })

static void check(const struct fixture *f, const char *name, uint32_t nth, const char *expected)
{
    const struct arg *arg = args_nth(&f->args, name, nth);

    assert_non_null(arg);
    assert_true(str_is(arg->value, expected));
}

static void a_usage_line_is_read_as_it_is_shown(void **state)
{
    struct arena arena = { 0 };
    struct args_rules rules = args_rules(&arena, usage);

    (void)state;
    assert_int_equal(rules.count, 5);
    assert_true(str_is(rules.items[0].name, "DAG_ID") && !rules.items[0].is_optional);
    assert_true(str_is(rules.items[1].name, "RUN_ID") && rules.items[1].is_optional);
    assert_true(str_is(rules.items[2].name, "--conf") && str_is(rules.items[2].alias, "-c"));
    assert_true(str_is(rules.items[2].value, "JSON"));
    assert_int_equal(rules.items[3].value.size, 0);
    assert_true(rules.items[4].is_repeated);
    arena_clear(&arena);
}

static void words_find_their_names_in_any_order(void **state)
{
    struct fixture f = { 0 };

    (void)state;
    assert_int_equal(
        PARSE(&f, usage, "--wait", "etl", "-c", "{}", "r1", "--tag=a", "--tag", "b", "-o", "json"),
        0);
    check(&f, "DAG_ID", 0, "etl");
    check(&f, "RUN_ID", 0, "r1");
    check(&f, "--conf", 0, "{}");
    check(&f, "--tag", 0, "a");
    check(&f, "--tag", 1, "b");
    check(&f, "--output", 0, "json");
    assert_non_null(args_nth(&f.args, "--wait", 0));
    assert_null(args_nth(&f.args, "--tag", 2));
    clear(&f);
}

static void a_repeated_word_takes_all_that_follow(void **state)
{
    struct fixture f = { 0 };

    (void)state;
    assert_int_equal(PARSE(&f, "FILE...", "a", "b", "-", "--", "--c"), 0);
    check(&f, "FILE", 0, "a");
    check(&f, "FILE", 2, "-");
    check(&f, "FILE", 3, "--c");
    clear(&f);
}

static void what_is_missing_is_named(void **state)
{
    struct fixture f = { 0 };

    (void)state;
    assert_int_equal(PARSE(&f, usage, "--wait"), ERR_INVALID);
    assert_string_equal(f.err.sentence, "DAG_ID is missing");
    clear(&f);
}

static void help_is_given_also_where_a_word_is_missing(void **state)
{
    struct fixture f = { 0 };

    (void)state;
    assert_int_equal(PARSE(&f, usage, "-h"), 0);
    clear(&f);
}

static void a_misspelt_option_gets_the_one_that_was_meant(void **state)
{
    struct fixture f = { 0 };

    (void)state;
    assert_int_equal(PARSE(&f, usage, "etl", "--cnof", "{}"), ERR_INVALID);
    assert_string_equal(f.err.sentence, "there is no option --cnof here");
    assert_string_equal(f.err.hint, "did you mean --conf?");
    clear(&f);
}

static void values_that_should_not_be_there_are_refused(void **state)
{
    struct fixture f = { 0 };

    (void)state;
    assert_int_equal(PARSE(&f, usage, "etl", "--wait=yes"), ERR_INVALID);
    assert_string_equal(f.err.sentence, "--wait takes no value");
    clear(&f);
    f = (struct fixture) { 0 };
    assert_int_equal(PARSE(&f, usage, "etl", "--conf"), ERR_INVALID);
    assert_string_equal(f.err.sentence, "--conf needs a value: --conf JSON");
    clear(&f);
    f = (struct fixture) { 0 };
    assert_int_equal(PARSE(&f, usage, "etl", "r1", "more"), ERR_INVALID);
    assert_string_equal(f.err.sentence, "there is one word too many: more");
    clear(&f);
}

static void a_negative_number_is_a_value(void **state)
{
    struct fixture f = { 0 };

    (void)state;
    assert_int_equal(PARSE(&f, "NAME SLOTS [--force]", "wide", "-1", "--force"), 0);
    check(&f, "SLOTS", 0, "-1");
    clear(&f);
}

TESTS(CASE(a_negative_number_is_a_value), CASE(a_usage_line_is_read_as_it_is_shown),
      CASE(words_find_their_names_in_any_order), CASE(a_repeated_word_takes_all_that_follow),
      CASE(what_is_missing_is_named), CASE(help_is_given_also_where_a_word_is_missing),
      CASE(a_misspelt_option_gets_the_one_that_was_meant),
      CASE(values_that_should_not_be_there_are_refused))
