// SPDX-License-Identifier: Apache-2.0
#include "common/text/json.h"
#include "common/text/template.h"
#include "tests/support/test.h"

static struct arena arena;
static struct expr_scope scope;

static int make_scope(void **state)
{
    (void)state;
    const struct value *map = NULL;
    assert_int_equal(
        json_parse(
            &arena,
            STR("{\"ds\":\"2026-01-31\",\"n\":7,\"list\":[1,\"a\"],\"yes\":true,\"nothing\":null}"),
            NULL, &map, NULL),
        0);
    scope = expr_scope_of(map);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static void assert_renders(const char *text, const char *expected)
{
    const struct template *template;
    struct err err = { 0 };
    struct str out = STR_EMPTY;
    if (template_compile(&arena, str_of(text), &template, NULL, &err) < 0 ||
        template_render(template, &scope, 0, &arena, &out, &err) < 0)
        fail_msg("%s: %s", text, err.sentence);
    assert_str(out, expected);
}

static void assert_evaluates(const char *text, const char *json)
{
    const struct template *template;
    const struct value *value = NULL;
    assert_int_equal(template_compile(&arena, str_of(text), &template, NULL, NULL), 0);
    assert_int_equal(template_eval(template, &scope, 0, &arena, &value, NULL), 0);
    assert_str(json_text(&arena, value), json);
}

static void text_and_expressions_are_joined(void **state)
{
    (void)state;
    assert_renders("", "");
    assert_renders("plain } text { with %} braces", "plain } text { with %} braces");
    assert_renders("load {{ ds }} of {{n+1}}!", "load 2026-01-31 of 8!");
    assert_renders("{{ ds }}{{ n }}", "2026-01-317");
    assert_renders("{{ '{{' }} {{ \"}}\" }}", "{{ }}");
    assert_renders("{{ {'a': {'b': 1}} }}", "{\"a\":{\"b\":1}}");
    assert_renders("echo ${#array[@]} ${x%%.*} '{% s}'", "echo ${#array[@]} ${x%%.*} '{% s}'");
}

static void values_look_like_json_inside_text_unless_they_are_text(void **state)
{
    (void)state;
    assert_renders("{{ list }} {{ yes }} {{ nothing }} {{ 2.50 }}", "[1,\"a\"] true null 2.5");
}

static void one_single_expression_gives_the_value_itself(void **state)
{
    (void)state;
    assert_evaluates("{{ list }}", "[1,\"a\"]");
    assert_evaluates("  {{ n }}\n", "7");
    assert_evaluates("{{ n }}{{ n }}", "\"77\"");
    assert_evaluates("x{{ n }}", "\"x7\"");
    assert_evaluates("5", "\"5\"");
}

static void mistakes_are_located_in_the_whole_text(void **state)
{
    (void)state;
    const struct template *template;
    struct err err = { 0 };
    uint32_t at = 0;
    assert_int_equal(
        template_compile(&arena, STR("a {{ ds }} b {{ n | uper }}"), &template, &at, &err),
        ERR_INVALID);
    assert_int_equal(at, 20);
    assert_non_null(strstr(err.sentence, "there is no filter 'uper'"));
    assert_int_equal(template_compile(&arena, STR("a {{ ds"), &template, &at, &err), ERR_INVALID);
    assert_int_equal(at, 7);
    assert_int_equal(
        template_compile(&arena, STR("a {% if x %}b{% endif %}"), &template, &at, &err),
        ERR_INVALID);
    assert_int_equal(at, 2);
    assert_non_null(strstr(err.hint, "{{ a if condition else b }}"));
    assert_int_equal(template_compile(&arena, STR("{%endfor%}"), &template, &at, &err),
                     ERR_INVALID);
    assert_int_equal(template_compile(&arena, STR("printf '{%format}'"), &template, &at, &err), 0);
}

static void a_failure_names_its_expression(void **state)
{
    (void)state;
    const struct template *template;
    struct err err = { 0 };
    struct str out = STR("before");
    assert_int_equal(
        template_compile(&arena, STR("a {{ ds }} {{ dss + 1 }}"), &template, NULL, NULL), 0);
    assert_int_equal(template_render(template, &scope, 0, &arena, &out, &err), ERR_NOT_FOUND);
    assert_string_equal(err.sentence, "{{ dss + 1 }}: there is no dss");
    assert_string_equal(err.hint, "did you mean 'ds'?");
    assert_str(out, "before");
}

static void output_is_capped(void **state)
{
    (void)state;
    const struct template *template;
    struct str out;
    assert_int_equal(template_compile(&arena, STR("12345{{ ds }}"), &template, NULL, NULL), 0);
    assert_int_equal(template_render(template, &scope, 14, &arena, &out, NULL), ERR_TOO_LARGE);
    assert_int_equal(template_render(template, &scope, 15, &arena, &out, NULL), 0);
}

static void trees_are_rendered_at_any_depth_and_share_the_rest(void **state)
{
    (void)state;
    const struct value *tree = NULL, *out = NULL;
    struct err err = { 0 };
    assert_int_equal(json_parse(&arena,
                                STR("{\"argv\":[\"run\",\"{{ ds }}\",\"n={{ n }}\"],\"{{ n "
                                    "}}\":{\"x\":\"{{ list }}\"},\"same\":[1]}"),
                                NULL, &tree, NULL),
                     0);
    assert_int_equal(template_render_value(tree, &scope, 0, &arena, &out, NULL), 0);
    assert_str(
        json_text(&arena, out),
        "{\"argv\":[\"run\",\"2026-01-31\",\"n=7\"],\"{{ n }}\":{\"x\":[1,\"a\"]},\"same\":[1]}");
    assert_ptr_equal(value_get(out, "same"), value_get(tree, "same"));
    assert_int_equal(template_render_value(tree, &scope, 12, &arena, &out, &err), ERR_TOO_LARGE);
    assert_int_equal(json_parse(&arena, STR("{\"a\":[\"{{ oops }}\"]}"), NULL, &tree, NULL), 0);
    assert_int_equal(template_render_value(tree, &scope, 0, &arena, &out, &err), ERR_NOT_FOUND);
    assert_string_equal(err.sentence, "a: [0]: {{ oops }}: there is no oops");
}

static void expressions_are_listed_with_their_places(void **state)
{
    (void)state;
    const struct template *template;
    uint32_t count, path_count;
    assert_int_equal(
        template_compile(&arena, STR("a {{ ds }} {{ n + list[0] }}"), &template, NULL, NULL), 0);
    assert_false(template_is_single(template));
    const struct template_expr *exprs = template_exprs(template, &count);
    assert_int_equal(count, 2);
    const struct expr_path *paths = expr_paths(exprs[1].expr, &path_count);
    assert_int_equal(path_count, 2);
    assert_int_equal(paths[1].at, 18);
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, make_scope, clear)

TESTS(EACH(text_and_expressions_are_joined),
      EACH(values_look_like_json_inside_text_unless_they_are_text),
      EACH(one_single_expression_gives_the_value_itself),
      EACH(mistakes_are_located_in_the_whole_text), EACH(a_failure_names_its_expression),
      EACH(output_is_capped), EACH(trees_are_rendered_at_any_depth_and_share_the_rest),
      EACH(expressions_are_listed_with_their_places))
