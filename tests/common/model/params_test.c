// SPDX-License-Identifier: Apache-2.0
#include "common/model/dag.h"

#include "common/model/pattern.h"
#include "common/text/json.h"
#include "tests/support/test.h"

static const struct value *parsed(struct arena *arena, const char *json)
{
    const struct value *value = NULL;
    assert_int_equal(json_parse(arena, str_of(json), NULL, &value, NULL), 0);
    return value;
}

/* Resolves `conf` against `schemas`; gives the params as JSON, or the sentence. */
static void resolves_to(const char *schemas, const char *conf, const char *expected)
{
    struct dag *dag = dag_new(0);
    struct err err = { 0 };
    const struct value *params = NULL;
    dag->params = parsed(&dag->arena, schemas);
    int rc = dag_params(dag, parsed(&dag->arena, conf), &dag->arena, &params, &err);
    struct str got = rc == 0 ? json_text(&dag->arena, params) : str_of(err.sentence);
    if (!str_is(got, expected))
        fail_msg("'%.*s' is not '%s'", STR_ARG(got), expected);
    assert_int_equal(rc, rc == 0 ? 0 : ERR_UNPROCESSABLE);
    dag_free(dag);
}

static void conf_overrides_defaults_and_adds_its_own(void **state)
{
    (void)state;
    resolves_to("{\"region\":{\"type\":\"string\",\"default\":\"eu\"},\"n\":3}",
                "{\"n\":4,\"more\":true}", "{\"region\":\"eu\",\"n\":4,\"more\":true}");
}

static void every_field_that_does_not_fit_is_listed(void **state)
{
    (void)state;
    resolves_to("{\"region\":{\"enum\":[\"eu\",\"us\"]},\"n\":{\"type\":\"integer\",\"maximum\":5},"
                "\"s\":{\"type\":\"string\"}}",
                "{\"region\":\"moon\",\"n\":9}",
                "params: region must be one of [\"eu\",\"us\"], not \"moon\"; n must be at most 5; "
                "s is required and has no default");
}

static void types_lengths_items_and_required_keys_are_checked(void **state)
{
    (void)state;
    resolves_to("{\"n\":{\"type\":\"integer\"}}", "{\"n\":1.5}",
                "params: n must be of type integer, not a number");
    resolves_to("{\"n\":{\"type\":\"integer\"}}", "{\"n\":2.0}", "{\"n\":2.0}");
    resolves_to("{\"n\":{\"type\":[\"null\",\"integer\"]}}", "{}", "{\"n\":null}");
    resolves_to("{\"s\":{\"type\":\"string\",\"minLength\":3}}", "{\"s\":\"\xc3\xa4\xc3\xb6\"}",
                "params: s must have at least 3 characters");
    resolves_to("{\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}", "{\"l\":[\"a\",1]}",
                "params: l[1] must be of type string, not a whole number");
    resolves_to(
        "{\"o\":{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"b\":{\"minimum\":1}},"
        "\"additionalProperties\":false}}",
        "{\"o\":{\"b\":0,\"c\":1}}", "params: o lacks a; o.b must be at least 1; o.c is not known");
    resolves_to("{\"d\":{\"type\":\"string\",\"pattern\":\"^\\\\d{4}-\\\\d\\\\d$\"}}",
                "{\"d\":\"2026-1\"}", "params: d must match the pattern ^\\d{4}-\\d\\d$");
}

static bool matches(const char *pattern, const char *text)
{
    struct arena arena = { 0 };
    const struct pattern *compiled = NULL;
    struct err err = { 0 };
    if (pattern_compile(&arena, str_of(pattern), &compiled, &err) < 0)
        fail_msg("%s", err.sentence);
    bool answer = pattern_matches(compiled, str_of(text), &arena);
    arena_clear(&arena);
    return answer;
}

static void patterns_match_as_in_ecma(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool answer;
    } rows[] = {
        { "b", "abc", true },
        { "^b", "abc", false },
        { "c$", "abc", true },
        { "^a.c$", "abc", true },
        { "^a.c$", "a\nc", false },
        { "^(eu|us)-[a-z]+-\\d$", "eu-west-1", true },
        { "^(eu|us)-[a-z]+-\\d$", "ap-west-1", false },
        { "^a{2,3}$", "a", false },
        { "^a{2,3}$", "aaa", true },
        { "^a{2,3}$", "aaaa", false },
        { "^a{2,}$", "aaaaa", true },
        { "^(?:ab)*$", "abab", true },
        { "^(?:ab)*$", "aba", false },
        { "^[^0-9]+$", "abc", true },
        { "^[^0-9]+$", "a1", false },
        { "^\\w+@\\w+\\.\\w+$", "a@b.cd", true },
        { "", "x", true },
        { "^(a|b|c)?d$", "cd", true },
        { "^(a|b|c)?d$", "d", true },
        { "^[a\\-z]$", "-", true },
        { "^(a*)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false },
        { "^x?$", "", true },
        { "^(a|(b|c)d)+$", "acdbda", true },
        { "\\S", " \t", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (matches(rows[i].pattern, rows[i].text) != rows[i].answer)
            fail_msg("%s on '%s'", rows[i].pattern, rows[i].text);
}

static void patterns_beyond_the_subset_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "(",     ")",   "[a",  "a{",    "a{3,1}",         "*a",
                                       "(?=a)", "\\1", "a\\", "[z-a]", "((a{900}){900})" };
    struct arena arena = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct pattern *compiled = NULL;
        assert_int_equal(pattern_compile(&arena, str_of(bad[i]), &compiled, NULL), ERR_INVALID);
    }
    arena_clear(&arena);
}

TESTS(CASE(conf_overrides_defaults_and_adds_its_own), CASE(every_field_that_does_not_fit_is_listed),
      CASE(types_lengths_items_and_required_keys_are_checked), CASE(patterns_match_as_in_ecma),
      CASE(patterns_beyond_the_subset_are_refused))
