// SPDX-License-Identifier: Apache-2.0
#include "common/base/buf.h"
#include "common/text/expr.h"
#include "common/text/json.h"
#include "tests/support/test.h"

static struct arena arena;
static struct expr_scope scope;

static int make_scope(void **state)
{
    (void)state;
    static const char text[] = "{\"ds\": \"2026-01-31\", \"ts\": \"2026-01-31T06:05:04.123Z\", "
                               "\"n\": 7, \"half\": 0.5, \"nothing\": null,"
                               " \"params\": {\"region\": \"eu\", \"full\": true, \"days\": [3, 1, "
                               "2], \"with-dash\": 1, \"7\": \"seven\"},"
                               " \"xcom\": {\"check\": [{\"n\": 4}], \"list_files\": \"[\\\"a "
                               "b.csv\\\", \\\"c.csv\\\"]\"},"
                               " \"item\": {\"path\": \"/in/a.csv\", \"key\": \"region\", \"i\": "
                               "2}, \"empty\": \"\", \"none_left\": []}";
    const struct value *map = NULL;
    assert_int_equal(json_parse(&arena, STR(text), NULL, &map, NULL), 0);
    scope = expr_scope_of(map);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static int evaluate(const char *text, const struct value **out, struct err *err)
{
    const struct expr *expr;
    int rc = expr_compile(&arena, str_of(text), &expr, NULL, err);
    return rc < 0 ? rc : expr_eval(expr, &scope, NULL, &arena, out, err);
}

static void assert_gives(const char *text, const char *expected)
{
    const struct value *value = NULL;
    struct err err = { 0 };
    if (evaluate(text, &value, &err) < 0)
        fail_msg("%s: %s (%s)", text, err.sentence, err.hint);
    struct str given = json_text(&arena, value);
    if (!str_is(given, expected))
        fail_msg("%s gives %.*s, not %s", text, STR_ARG(given), expected);
}

static void assert_fails(const char *text, int code, const char *sentence, const char *hint)
{
    const struct value *value = NULL;
    struct err err = { 0 };
    int rc = evaluate(text, &value, &err);
    if (rc != code)
        fail_msg("%s answers %s: %s", text, err_name(rc), err.sentence);
    if (strstr(err.sentence, sentence) == NULL)
        fail_msg("%s: '%s' does not say '%s'", text, err.sentence, sentence);
    if (strstr(err.hint, hint) == NULL)
        fail_msg("%s: '%s' does not advise '%s'", text, err.hint, hint);
}

/* The text is refused by the compiler at byte `at`. */
static void assert_refused(const char *text, uint32_t at, const char *sentence, const char *hint)
{
    const struct expr *expr;
    struct err err = { 0 };
    uint32_t found = 12345;
    assert_int_equal(expr_compile(&arena, str_of(text), &expr, &found, &err), ERR_INVALID);
    if (found != at || strstr(err.sentence, sentence) == NULL || strstr(err.hint, hint) == NULL)
        fail_msg("%s: at %u '%s' ('%s')", text, found, err.sentence, err.hint);
}

static void literals_mean_themselves(void **state)
{
    (void)state;
    assert_gives("42", "42");
    assert_gives("-9223372036854775807 - 1", "-9223372036854775808");
    assert_gives("1.50", "1.5");
    assert_gives("2e3", "2000.0");
    assert_gives("'it\\'s \\\"x\\\" \\\\ \\n \\u00e9\\u20ac'",
                 "\"it's \\\"x\\\" \\\\ \\n \xC3\xA9\xE2\x82\xAC\"");
    assert_gives("[true, False, null, None, [], {}, {\"a\": [1,], 'b': {}}]",
                 "[true,false,null,null,[],{},{\"a\":[1],\"b\":{}}]");
}

static void paths_lead_through_maps_and_lists(void **state)
{
    (void)state;
    assert_gives("xcom.check[0].n", "4");
    assert_gives("xcom.check.0.n", "4");
    assert_gives("xcom['check'][-1]['n']", "4");
    assert_gives("params[item.key]", "\"eu\"");
    assert_gives("params.days[item.i - 1]", "1");
    assert_gives("params['with-dash']", "1");
    assert_gives("params.7 ~ params[7] ~ params['7']", "\"sevensevenseven\"");
    assert_gives("(params.days | sort)[0]", "1");
    assert_gives("[10, 20][1]", "20");
    assert_gives("{\"a\": {\"b\": 5}}.a.b", "5");
}

static void arithmetic_is_exact_or_refused(void **state)
{
    (void)state;
    assert_gives("1 + 2 * 3 - 4", "3");
    assert_gives("(1 + 2) * 3", "9");
    assert_gives("7 / 2", "3.5");
    assert_gives("7 // 2", "3");
    assert_gives("-7 // 2", "-4");
    assert_gives("-7 % 3", "2");
    assert_gives("7 % -3", "-2");
    assert_gives("7.5 // 2", "3.0");
    assert_gives("-7.5 % 2", "0.5");
    assert_gives("2 - -3", "5");
    assert_gives("- n + 1", "-6");
    assert_gives("'a' + 'b'", "\"ab\"");
    assert_gives("[1] + [2, 3]", "[1,2,3]");
    assert_gives("'run ' ~ n ~ '/' ~ params.days", "\"run 7/[3,1,2]\"");
    assert_gives("(-9223372036854775807 - 1) % -1", "0");
    assert_fails("9223372036854775807 + 1", ERR_INVALID, "does not fit into 64 bits", "");
    assert_fails("(-9223372036854775807 - 1) // -1", ERR_INVALID, "does not fit into 64 bits", "");
    assert_fails("-(-9223372036854775807 - 1)", ERR_INVALID, "does not fit into 64 bits", "");
    assert_fails("1 / 0", ERR_INVALID, "division by zero", "");
    assert_fails("1 % 0.0", ERR_INVALID, "division by zero", "");
    assert_fails("1e300 * 1e300", ERR_INVALID, "not a number that can be kept", "");
    assert_fails("'n' + 1", ERR_INVALID, "+ cannot stand between text and a whole number",
                 "~ joins");
    assert_fails("'2' * 2", ERR_INVALID, "* cannot stand between text and a whole number", "| int");
}

static void comparison_takes_like_with_like(void **state)
{
    (void)state;
    assert_gives("[1 < 2, 2 <= 2, 3 > 4, 1.5 >= 1, 'a' < 'b']", "[true,true,false,true,true]");
    assert_gives("[1 == 1.0, 1 == '1', none == null, [1, {'a': 2}] == [1, {'a': 2}], 1 != 2]",
                 "[true,false,true,true,true]");
    assert_gives("['eu' in ['eu', 'us'], 'e' in 'eu', 'x' in {'x': 1}, 1 not in [2], '' in '']",
                 "[true,true,true,true,true]");
    assert_fails("1 < 'a'", ERR_INVALID, "< cannot stand between a whole number and text", "| int");
    assert_fails("[1] < [2]", ERR_INVALID, "< cannot stand between a list and a list", "");
    assert_fails("1 in 5", ERR_INVALID, "`in` cannot look for a whole number in a whole number",
                 "");
}

static void logic_gives_an_operand_and_stops_early(void **state)
{
    (void)state;
    assert_gives("empty or 'other'", "\"other\"");
    assert_gives("'first' or missing.name", "\"first\"");
    assert_gives("0 and missing.name", "0");
    assert_gives("not empty and not none_left", "true");
    assert_gives("not not 5", "true");
    assert_gives("not 1 == 2", "true");
    assert_gives("'full' if params.full else missing", "\"full\"");
    assert_gives("1 if false else 2 if false else 3", "3");
}

static void a_missing_value_is_an_error_unless_there_is_a_default(void **state)
{
    (void)state;
    assert_fails("dss", ERR_NOT_FOUND, "there is no dss", "did you mean 'ds'?");
    assert_fails("params.regoin", ERR_NOT_FOUND, "params has no 'regoin'",
                 "did you mean 'region'?");
    assert_fails("params.zzz", ERR_NOT_FOUND, "params has no 'zzz'", "| default(...)");
    assert_fails("xcom.check[3]", ERR_NOT_FOUND, "xcom.check has 1 elements; there is no [3]", "");
    assert_fails("xcom.check.n", ERR_NOT_FOUND, "xcom.check is a list and has no 'n'", "[0]");
    assert_fails("ds.year", ERR_NOT_FOUND, "ds is text and has nothing inside", "");
    assert_fails("params[half]", ERR_INVALID, "an index must be a whole number or text", "");
    assert_gives("missing.name | default('x')", "\"x\"");
    assert_gives("params.regoin | default(params.region) | upper", "\"EU\"");
    assert_gives("xcom.check[9].n | default(0)", "0");
    assert_gives("nothing | default(5)", "5");
    assert_gives("empty | default(5)", "\"\"");
    assert_gives("empty | default(5, true)", "5");
    assert_gives("none_left | first | default('none')", "\"none\"");
    assert_fails("missing | upper | int", ERR_NOT_FOUND, "there is no missing", "");
    assert_fails("(1 / 0) | default(1)", ERR_INVALID, "division by zero", "");
}

static void filters_bind_tighter_than_operators(void **state)
{
    (void)state;
    assert_gives("'a' ~ 'b' | upper", "\"aB\"");
    assert_gives("-5 | abs", "5");
    assert_gives("1 + '2' | int * 3", "7");
}

static void filters_do_what_their_help_says(void **state)
{
    (void)state;
    assert_gives("xcom.list_files | fromjson | length", "2");
    assert_gives("xcom.check | tojson", "\"[{\\\"n\\\":4}]\"");
    assert_gives("[1] | fromjson", "[1]");
    assert_gives("\"it's\" | sh", "\"'it'\\\\''s'\"");
    assert_gives("'' | sh", "\"''\"");
    assert_gives("xcom.list_files | fromjson | sh", "\"'a b.csv' 'c.csv'\"");
    assert_gives("'aBc-1' | upper ~ ('aBc' | lower)", "\"ABC-1abc\"");
    assert_gives("'  x ' | trim", "\"x\"");
    assert_gives("item.path | replace('.csv', '') | replace('/', '')", "\"ina\"");
    assert_gives("'aaa' | replace('aa', 'b')", "\"ba\"");
    assert_gives("'a,b,,c' | split(',')", "[\"a\",\"b\",\"\",\"c\"]");
    assert_gives("' a  b ' | split", "[\"a\",\"b\"]");
    assert_gives("[1, 'a', true] | join('-')", "\"1-a-true\"");
    assert_gives("[1, 2] | join", "\"12\"");
    assert_gives("'a b/\xC3\xA9' | urlencode", "\"a%20b%2F%C3%A9\"");
    assert_gives("'hi' | b64encode | b64decode", "\"hi\"");
    assert_gives("5 | string", "\"5\"");
    assert_gives("['12' | int, 3.9 | int, true | int, ' -4.7 ' | int]", "[12,3,1,-4]");
    assert_gives("['1.5' | float, 2 | float]", "[1.5,2.0]");
    assert_gives("[-3 | abs, -1.5 | abs]", "[3,1.5]");
    assert_gives("[2.5 | round, 2.345 | round(2), 7 | round]", "[3,2.35,7]");
    assert_gives("['\xC3\xA9\xC3\xA9' | length, [1,2] | length, {'a':1} | length]", "[2,2,1]");
    assert_gives("[params.days | first, params.days | last]", "[3,2]");
    assert_gives("[params.days | sort, ['b','a'] | sort, [1, 0.5] | sort]",
                 "[[1,2,3],[\"a\",\"b\"],[0.5,1]]");
    assert_gives("[1, 2, 1, 'a', 'a', [3], [3]] | unique", "[1,2,\"a\",[3]]");
    assert_gives("[params.days | min, params.days | max, params.days | sum, [1, 0.5] | sum]",
                 "[1,3,6,1.5]");
    assert_gives("{'a': 1, 'b': 2} | keys", "[\"a\",\"b\"]");
    assert_gives("{'a': 1, 'b': 2} | values", "[1,2]");
}

static void filters_read_dates(void **state)
{
    (void)state;
    assert_gives("ds | ds_add(1)", "\"2026-02-01\"");
    assert_gives("ds | ds_add(-31)", "\"2025-12-31\"");
    assert_gives("ts | ds", "\"2026-01-31\"");
    assert_gives("ts | ds_nodash", "\"20260131\"");
    assert_gives("ts | ts", "\"2026-01-31T06:05:04+00:00\"");
    assert_gives("ts | ts_nodash", "\"20260131T060504\"");
    assert_gives("'2026-01-31T23:30:00-02:00' | ds", "\"2026-02-01\"");
    assert_gives("ts | strftime('%Y/%m/%d %H:%M:%S.%f %j %a %A %b %B %y %p %I %u %w %e %G-W%V %F "
                 "%T %z %Z %s 100%%')",
                 "\"2026/01/31 06:05:04.123000 031 Sat Saturday Jan January 26 AM 06 6 6 31 "
                 "2026-W05 2026-01-31 06:05:04 "
                 "+0000 UTC 1769839504 100%\"");
    assert_gives("'2027-01-01' | strftime('%G-W%V')", "\"2026-W53\"");
    assert_fails("'soon' | ds", ERR_INVALID, "ds: 'soon' is not a date or time", "2026-01-31");
    assert_fails("ds | ds_add('1')", ERR_INVALID, "the days must be a whole number", "");
    assert_fails("ds | ds_add(99999999999)", ERR_INVALID, "outside of the years", "");
    assert_fails("ds | strftime('%Q')", ERR_INVALID, "there is no field %Q", "fields are");
    assert_fails("ds | strftime('%')", ERR_INVALID, "there is no field %?", "");
}

static void filters_refuse_what_they_cannot_take(void **state)
{
    (void)state;
    assert_fails("5 | first", ERR_INVALID, "first: it takes a list, not a whole number", "");
    assert_fails("[] | last", ERR_NOT_FOUND, "an empty list has no last element", "");
    assert_fails("'abc' | int", ERR_INVALID, "int: 'abc' is not a number", "");
    assert_fails("'{' | fromjson", ERR_INVALID, "fromjson: line 1, column 1", "");
    assert_fails("[1, 'a'] | sort", ERR_INVALID, "all numbers or all text; number 1 is text", "");
    assert_fails("'a' | replace('', 'b')", ERR_INVALID, "the text to be replaced is empty", "");
    assert_fails("'a' | split('')", ERR_INVALID, "the separator is empty", "");
    assert_fails("'***' | b64decode", ERR_INVALID, "this is not base64", "");
    assert_fails("[null] | sum", ERR_INVALID, "the elements must be numbers", "");
    assert_fails("1e30 | int", ERR_INVALID, "does not fit into 64 bits", "");
}

static void mistakes_are_located_and_explained(void **state)
{
    (void)state;
    assert_refused("", 0, "the expression is empty", "");
    assert_refused("  ", 2, "the expression is empty", "");
    assert_refused("a +", 3, "a value is missing at the end", "");
    assert_refused("a b", 2, "'b' is not expected here", "an operator");
    assert_refused("a = 1", 2, "'=' is not expected here", "==");
    assert_refused("a && b", 2, "'&&' is not expected here", "write and");
    assert_refused("a is none", 2, "'is' is not expected here", "| default(...)");
    assert_refused("a ? 1 : 2", 2, "'?' means nothing here", "quotes");
    assert_refused("(1 + 2", 6, "')' is missing at the end", "");
    assert_refused("[1, 2", 5, "',' or ']' is missing at the end", "");
    assert_refused("{a 1}", 3, "':' (a mapping is written", "");
    assert_refused("a | uper", 4, "there is no filter 'uper'", "did you mean 'upper'?");
    assert_refused("a | replace('x')", 4, "the filter replace does not take 1 argument",
                   "replace(\"old\", \"new\")");
    assert_refused("a | upper(1)", 4, "the filter upper does not take 1 argument", "");
    assert_refused("a |", 3, "the name of a filter is missing at the end", "");
    assert_refused("ds.replace('-', '')", 10, "calls such as replace(...) are not known",
                   "| replace");
    assert_refused("range(3)", 5, "calls such as range(...) are not known", "use filters");
    assert_refused("macros.ds_add(ds, 7)", 13, "calls such as ds_add(...)", "| ds_add(7)");
    assert_refused("ds[:4]", 3, "a value is missing before ':'", "");
    assert_refused("ds[0:4]", 4, "slices such as [1:3] are not known", "strftime");
    assert_refused("1 < 2 < 3", 6, "comparisons cannot be chained", "a < b and b < c");
    assert_refused("'abc", 0, "the text that begins with ' is not closed", "close it with '");
    assert_refused("'a\\qb'", 2, "there is no escape \\q", "escapes are");
    assert_refused("99999999999999999999", 0, "is too large", "");
    assert_refused("1e999", 0, "is too large", "");
    assert_refused("3days", 0, "a number runs into a word", "");
    assert_refused("a.", 2, "a name after the dot is missing", "");
    assert_refused("a $ b", 2, "'$' means nothing here", "");
    assert_refused("a if b", 6, "'else' is missing at the end", "");
    assert_refused("a }}", 2, "'}' is not expected here", "");
    assert_refused("for x in y", 0, "a value is missing before 'for'", "");
}

static void every_path_is_listed_for_checks_before_the_run(void **state)
{
    (void)state;
    const struct expr *expr;
    assert_int_equal(expr_compile(&arena,
                                  STR("xcom.load[0].n + (params[item.key] | default(conf.a.b))"),
                                  &expr, NULL, NULL),
                     0);
    uint32_t count;
    const struct expr_path *paths = expr_paths(expr, &count);
    assert_int_equal(count, 4);
    assert_str(paths[0].parts[0].name, "xcom");
    assert_str(paths[0].parts[1].name, "load");
    assert_int_equal(paths[0].parts[2].kind, EXPR_PART_INDEX);
    assert_int_equal(paths[0].at, 0);
    assert_false(paths[0].has_default);
    assert_str(paths[1].parts[0].name, "params");
    assert_int_equal(paths[1].parts[1].kind, EXPR_PART_COMPUTED);
    assert_true(paths[1].has_default);
    assert_int_equal(paths[1].at, 18);
    assert_str(paths[2].parts[0].name, "item");
    assert_true(paths[2].has_default);
    assert_str(paths[3].parts[2].name, "b");
    assert_false(paths[3].has_default);
}

static int count_lookups(void *owner, const struct expr_part *parts, uint32_t count,
                         struct arena *a, const struct value **out, uint32_t *out_used,
                         struct err *err)
{
    (void)err;
    ++*(int *)owner;
    if (!str_is(parts[0].name, "xcom") || count < 3)
        return str_is(parts[0].name, "broken") ? ERR_DB : ERR_NOT_FOUND;
    /* A scope that knows the whole path builds only the leaf. */
    *out = value_string(
        a, str_format(a, "%.*s/%lld", STR_ARG(parts[1].name), (long long)parts[2].index));
    *out_used = 3;
    return 0;
}

static void a_scope_gets_whole_paths_and_may_answer_for_many_steps(void **state)
{
    (void)state;
    int lookups = 0;
    static const struct str names[] = { { "xcom", 4 }, { "params", 6 } };
    scope = (struct expr_scope) { &lookups, count_lookups, names, 2 };
    assert_gives("xcom.load[1 + 1]", "\"load/2\"");
    assert_int_equal(lookups, 1);
    assert_fails("parms.x", ERR_NOT_FOUND, "there is no parms.x", "did you mean 'params'?");
    assert_fails("broken | default(1)", ERR_DB, "", "");
}

static void evaluation_stays_within_its_budget(void **state)
{
    (void)state;
    struct expr_limits limits = { .steps_max = 20, .bytes_max = 10000 };
    const struct expr *expr;
    const struct value *value = NULL;
    assert_int_equal(expr_compile(&arena,
                                  STR("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]"),
                                  &expr, NULL, NULL),
                     0);
    assert_int_equal(expr_eval(expr, &scope, &limits, &arena, &value, NULL), ERR_LIMIT);
    assert_null(value);

    limits = (struct expr_limits) { .steps_max = 100000, .bytes_max = 200 };
    static const char *const makers[] = {
        "'aaaaaaaaaaaaaaaaaaaaaaaa' | replace('a', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb')",
        "['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'] | "
        "join('cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc')",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' ~ "
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' ~ "
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
        "'a a a a a a a a a a a a a a a a a a a a a a a a a a a a' | split",
        "'                                                                        ' | urlencode",
    };
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        assert_int_equal(expr_compile(&arena, str_of(makers[i]), &expr, NULL, NULL), 0);
        struct err err = { 0 };
        if (expr_eval(expr, &scope, &limits, &arena, &value, &err) != ERR_LIMIT)
            fail_msg("%s: %s", makers[i], err.sentence);
    }
}

static void depth_and_length_have_limits(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    const struct expr *expr;
    struct err err = { 0 };
    for (int i = 0; i < 10000; i++)
        buf_add_byte(&buf, '(');
    assert_int_equal(expr_compile(&arena, buf_str(&buf), &expr, NULL, &err), ERR_INVALID);
    assert_non_null(strstr(err.sentence, "nested deeper than 64"));
    const char *const chains[] = { " + 1", " | abs", ".a", " ~ 'x'", " or b", " if a else a" };
    for (size_t c = 0; c < sizeof chains / sizeof *chains; c++) {
        buf_reset(&buf);
        buf_add_cstr(&buf, "a");
        for (int i = 0; i < 3000; i++)
            buf_add_cstr(&buf, chains[c]);
        assert_int_equal(expr_compile(&arena, buf_str(&buf), &expr, NULL, &err), ERR_INVALID);
    }
    buf_reset(&buf);
    for (int i = 0; i < 3000; i++)
        buf_add_cstr(&buf, "not ");
    buf_add_cstr(&buf, "a");
    assert_int_equal(expr_compile(&arena, buf_str(&buf), &expr, NULL, &err), 0);
    buf_reset(&buf);
    buf_add_byte(&buf, '[');
    for (int i = 0; i < 20000; i++)
        buf_add_cstr(&buf, "1,");
    assert_int_equal(expr_compile(&arena, buf_str(&buf), &expr, NULL, &err), ERR_INVALID);
    buf_reset(&buf);
    for (int i = 0; i < 70000; i++)
        buf_add_byte(&buf, ' ');
    assert_int_equal(expr_compile(&arena, buf_str(&buf), &expr, NULL, &err), ERR_INVALID);
    assert_non_null(strstr(err.sentence, "longer than"));
    buf_clear(&buf);
}

static void a_braced_expression_ends_before_its_braces(void **state)
{
    (void)state;
    const struct expr *expr;
    uint32_t end = 0, at = 0;
    struct err err = { 0 };
    assert_int_equal(expr_compile_braced(&arena, STR("x {{ {'a': {'b': '}}'}}.a }} y"), 4, &expr,
                                         &end, NULL, NULL),
                     0);
    assert_int_equal(end, 26);
    assert_int_equal(expr_compile_braced(&arena, STR("{{ n "), 2, &expr, &end, &at, &err),
                     ERR_INVALID);
    assert_int_equal(at, 5);
    assert_string_equal(err.hint, "close it with }}");
    assert_int_equal(expr_compile_braced(&arena, STR("{{ }}"), 2, &expr, &end, &at, &err),
                     ERR_INVALID);
    assert_string_equal(err.sentence, "the expression is empty");
}

static void every_filter_has_help(void **state)
{
    (void)state;
    uint32_t count = 0;
    for (const struct expr_filter_help *help; (help = expr_filters(count)) != NULL; count++) {
        assert_int_equal(strncmp(help->usage, help->name, strlen(help->name)), 0);
        assert_true(strlen(help->help) > 5);
    }
    assert_true(count >= 25);
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, make_scope, clear)

TESTS(EACH(literals_mean_themselves), EACH(paths_lead_through_maps_and_lists),
      EACH(arithmetic_is_exact_or_refused), EACH(comparison_takes_like_with_like),
      EACH(logic_gives_an_operand_and_stops_early),
      EACH(a_missing_value_is_an_error_unless_there_is_a_default),
      EACH(filters_bind_tighter_than_operators), EACH(filters_do_what_their_help_says),
      EACH(filters_read_dates), EACH(filters_refuse_what_they_cannot_take),
      EACH(mistakes_are_located_and_explained),
      EACH(every_path_is_listed_for_checks_before_the_run),
      EACH(a_scope_gets_whole_paths_and_may_answer_for_many_steps),
      EACH(evaluation_stays_within_its_budget), EACH(depth_and_length_have_limits),
      EACH(a_braced_expression_ends_before_its_braces), EACH(every_filter_has_help))
