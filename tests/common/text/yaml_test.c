// SPDX-License-Identifier: Apache-2.0
#include "common/base/buf.h"
#include "common/text/json.h"
#include "common/text/yaml.h"
#include "tests/support/test.h"

static struct arena arena;

static int clear(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

/* All documents as JSON, one a line. */
static struct str documents_of(struct yaml *yaml)
{
    struct buf buf;
    buf_init(&buf);
    for (uint32_t i = 0; i < yaml->document_count; i++) {
        json_write(&buf, yaml->documents[i]);
        buf_add_byte(&buf, '\n');
    }
    struct str text = str_copy(&arena, buf_str(&buf));
    buf_clear(&buf);
    return text;
}

static void assert_read(const char *text, const char *expected)
{
    struct yaml yaml;
    if (yaml_parse(&arena, str_of(text), NULL, &yaml) < 0)
        fail_msg("%s: %u:%u %.*s", text, yaml.problems[0].line, yaml.problems[0].column,
                 STR_ARG(yaml.problems[0].sentence));
    assert_str(documents_of(&yaml), expected);
}

/* `expected` is "line:column part of the sentence", one a line. */
static void assert_problems(struct str text, const char *expected)
{
    struct yaml yaml;
    assert_int_equal(yaml_parse(&arena, text, NULL, &yaml), ERR_INVALID);
    struct str rest = str_of(expected), line;
    uint32_t count = 0;
    while (str_split(&rest, '\n', &line)) {
        if (count == yaml.problem_count)
            fail_msg("missing: %.*s", STR_ARG(line));
        struct yaml_problem *p = &yaml.problems[count++];
        struct str said =
            str_format(&arena, "%u:%u %.*s", p->line, p->column, STR_ARG(p->sentence));
        if (!str_eq(str_slice(said, 0, line.size), line))
            fail_msg("'%.*s' is not '%.*s'", STR_ARG(said), STR_ARG(line));
    }
    if (count < yaml.problem_count)
        fail_msg("more: %.*s", STR_ARG(yaml.problems[count].sentence));
}

static void plain_words_follow_the_core_schema_of_yaml_1_2(void **state)
{
    (void)state;
    assert_read("[null, ~, Null, true, True, FALSE, no, on, yes, y]",
                "[null,null,null,true,true,false,\"no\",\"on\",\"yes\",\"y\"]\n");
    assert_read("[0, -7, +3, 0o17, 0x1F, 0123, 1_000]", "[0,-7,3,15,31,123,\"1_000\"]\n");
    assert_read("[1.5, .5, 2., 1e3, -1.5E-2, 1.10.2, 12:30, 2026-01-01]",
                "[1.5,0.5,2.0,1000.0,-0.015,\"1.10.2\",\"12:30\",\"2026-01-01\"]\n");
    assert_read("['1', \"true\", !!str 5, ! 6]", "[\"1\",\"true\",\"5\",\"6\"]\n");
    assert_read("a:\nb: ''", "{\"a\":null,\"b\":\"\"}\n");
}

static void numbers_remember_how_they_were_written(void **state)
{
    (void)state;
    struct yaml yaml;
    assert_int_equal(yaml_parse(&arena, STR("v: 1.10\nw: 0x1F\nt: True\n"), NULL, &yaml), 0);
    assert_str(value_get(yaml.documents[0], "v")->source, "1.10");
    assert_str(value_get(yaml.documents[0], "w")->source, "0x1F");
    assert_str(value_get(yaml.documents[0], "t")->source, "True");
}

static void several_documents_come_in_order(void **state)
{
    (void)state;
    assert_read("a: 1\n---\n- b\n---\n...\n", "{\"a\":1}\n[\"b\"]\nnull\n");
    assert_read("", "");
    assert_read("# only a comment\n", "");
    assert_read("\xEF\xBB\xBF"
                "a: 1",
                "{\"a\":1}\n");
}

static void block_text_keeps_or_folds_its_lines(void **state)
{
    (void)state;
    assert_read("a: |\n  one\n  two\nb: >-\n  one\n  two\n",
                "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\"}\n");
}

/* libfyaml's own way to a token's text leaks from some forty pieces on; a sanitizer sees it. */
static void text_of_many_pieces_is_read_whole_and_given_back(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    buf_add_cstr(&buf, "a: '");
    for (int i = 0; i < 500; i++)
        buf_add_cstr(&buf, "x''");
    buf_add_cstr(&buf, "'\n");
    struct yaml yaml;
    assert_int_equal(yaml_parse(&arena, buf_str(&buf), NULL, &yaml), 0);
    struct str text = value_text(value_get(yaml.documents[0], "a"), STR_EMPTY);
    assert_int_equal(text.size, 1000);
    assert_true(str_ends(text, "x'x'"));
    buf_clear(&buf);
}

static void every_node_knows_its_line_and_column(void **state)
{
    (void)state;
    struct yaml yaml;
    assert_int_equal(yaml_parse(&arena, STR("a: 1\nbé: [x,\n  {c: }]\n"), NULL, &yaml), 0);
    const struct value *map = yaml.documents[0];
    const struct value_entry *b = value_entry(map, STR("b\xC3\xA9"));
    assert_int_equal(b->line, 2);
    assert_int_equal(b->column, 1);
    assert_int_equal(b->value->column, 5); /* characters, not bytes */
    const struct value *inner = b->value->items[1];
    assert_int_equal(inner->line, 3);
    assert_int_equal(inner->column, 3);
    /* An empty value is said to be where its key is. */
    assert_int_equal(value_get(inner, "c")->line, 3);
    assert_int_equal(value_get(inner, "c")->column, 4);
}

static void duplicate_keys_are_all_refused_with_both_places(void **state)
{
    (void)state;
    assert_problems(STR("a: 1\nb: 2\na: 3\nc: {x: 1, x: 2}\n"),
                    "3:1 the key 'a' stands here twice; first on line 1\n"
                    "4:11 the key 'x' stands here twice; first on line 4");
}

static void anchors_aliases_and_merge_keys_work(void **state)
{
    (void)state;
    assert_read("a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\n",
                "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"p\":1,\"q\":2},\"c\":{\"q\":3,\"p\":1}}\n");
    assert_read("a: &x {p: 1}\nb: &y {p: 2, r: 3}\nc:\n  <<: [*x, *y]\n",
                "{\"a\":{\"p\":1},\"b\":{\"p\":2,\"r\":3},\"c\":{\"p\":1,\"r\":3}}\n");
    assert_read("\"<<\": 1\n", "{\"<<\":1}\n");
    assert_read("a: &k name\n*k : 1\n", "{\"a\":\"name\",\"name\":1}\n");
}

static void aliases_that_lead_nowhere_or_into_themselves_are_refused(void **state)
{
    (void)state;
    assert_problems(STR("a: *x\n"), "1:4 *x refers to nothing");
    assert_problems(STR("a: &x [1, *x]\n"), "1:11 *x refers to nothing");
    assert_problems(STR("a: &x 1\n---\nb: *x\n"), "3:4 *x refers to nothing");
    assert_problems(STR("a: {<<: 5}\n"), "1:5 << takes a mapping");
    assert_problems(STR("a: {<<: {b: 1}, <<: {c: 1}}\n"), "1:17 << stands here twice");
}

static void an_alias_bomb_is_stopped_at_its_budget(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    buf_add_cstr(&buf, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++)
        buf_printf(&buf, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1,
                   i - 1, i - 1);
    assert_problems(buf_str(&buf), "7:10 aliases repeat more than 50000 nodes");
    buf_reset(&buf);
    buf_add_cstr(&buf, "m0: &m0 {k: v}\n");
    for (int i = 1; i < 2000; i++)
        buf_printf(&buf, "m%d: &m%d {<<: *m%d, k%d: v}\n", i, i, i - 1, i);
    struct yaml yaml;
    assert_int_equal(yaml_parse(&arena, buf_str(&buf), NULL, &yaml), ERR_INVALID);
    assert_int_equal(yaml.problem_count, 1);
    buf_clear(&buf);
}

static void depth_is_limited_also_through_aliases(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    for (int i = 0; i < 100000; i++)
        buf_add_byte(&buf, '[');
    assert_problems(buf_str(&buf), "1:65 nested deeper than 64 levels");
    buf_reset(&buf);
    for (int i = 0; i < 2000; i++)
        buf_add_cstr(&buf, "- ");
    assert_problems(buf_str(&buf), "1:129 nested deeper than 64 levels");
    buf_reset(&buf);
    buf_add_cstr(&buf, "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n");
    for (int i = 1; i < 10; i++)
        buf_printf(&buf, "a%d: &a%d [[[[[[[[[*a%d]]]]]]]]]\n", i, i, i - 1);
    assert_problems(buf_str(&buf), "7:18 nested deeper than 64 levels");
    buf_clear(&buf);
}

static void foreign_bytes_are_refused_before_the_parser_sees_them(void **state)
{
    (void)state;
    assert_problems(STR("a: 1\nb\xC3\xA9: \xFF\n"), "2:5 byte 0xFF is not UTF-8 text");
    assert_problems(STR("\xFF\xFE"
                        "a\0"),
                    "1:1 byte 0xFF is not UTF-8 text");
    assert_problems((struct str) { "a: \0b", 5 }, "1:4 control character 0x00 is not allowed");
    assert_problems(STR("a: \"\\0\"\n\"b\\0\": 1\n"),
                    "1:4 text cannot hold the character \\0\n2:1 text cannot hold");
    assert_problems(STR("a: \x1b[31m"), "1:4 control character 0x1B is not allowed");
    assert_problems(STR("%\xC0\n"), "1:2 byte 0xC0 is not UTF-8 text");
}

static void a_file_over_the_size_limit_is_not_read(void **state)
{
    (void)state;
    struct yaml_limits limits = { 10, 64, 100, 10 };
    struct yaml yaml;
    assert_int_equal(yaml_parse(&arena, STR("a: 12345678"), &limits, &yaml), ERR_INVALID);
    assert_str(yaml.problems[0].sentence, "the file has 11 bytes; 10 are allowed");
    assert_int_equal(yaml.problems[0].line, 0);
}

static void mistakes_of_newcomers_get_words_they_understand(void **state)
{
    (void)state;
    assert_problems(STR("a:\n\t- b\n"), "2:1 this line is indented with a tab");
    assert_problems(STR("a: b: c\n"), "1:5 a colon and a blank inside unquoted text");
    assert_problems(STR("a: \"x\nb: 2\n"), "1:4 the quoted text that begins here is not closed");
    assert_problems(STR("a:\n  b: 1\n c: 2\n"),
                    "3:2 this line is indented unlike the lines above it");
    assert_problems(STR("a: {[ds]: x}\n"), "1:5 a key must be text, not a list or a mapping");
    assert_problems(STR("a: @b\n"), "1:4 text without quotes cannot begin with '@'");
    assert_problems(STR("a: [1, 2\n"), "2:1 a list that was opened with [ is not closed");
    assert_problems(STR("a: !python/object:os.system x\n"),
                    "1:4 the tag '!python/object:os.system' is not known");
    assert_problems(STR("{: 1}\n"), "1:1 a key is missing before the colon");
}

static void templates_may_stand_in_unquoted_text(void **state)
{
    (void)state;
    assert_read("a: {{ ds }}\n", "{\"a\":\"{{ ds }}\"}\n");
    assert_read("{a: echo {{ ds }}, b: [{{ x[0] | default(\"a, b\") }}, c]}\n",
                "{\"a\":\"echo {{ ds }}\",\"b\":[\"{{ x[0] | default(\\\"a, b\\\") }}\",\"c\"]}\n");
    assert_read("{a: {b: {{ {\"k\": {}} }}}}\n", "{\"a\":{\"b\":\"{{ {\\\"k\\\": {}} }}\"}}\n");
    assert_read(
        "a: {{ x }}\nb: \"{{ y }}\"\nc: 'it''s {{ z }}'\nd: |\n  {{ w }}\n",
        "{\"a\":\"{{ x }}\",\"b\":\"{{ y }}\",\"c\":\"it's {{ z }}\",\"d\":\"{{ w }}\\n\"}\n");
    /* Places are those of the file, and other mistakes are still found. */
    assert_problems(STR("a: {{ x }}\nb: [1}\n"), "2:6 this } closes nothing");
    assert_problems(STR("a: [1}\nb: {{ x }}\n"), "1:6 this } closes nothing");
    /* A file that holds the stand-ins itself is not read again. */
    assert_problems(STR("a: {{ \xEE\x84\x80 }}\n"), "1:5 a key must be text");
}

static void numbers_that_cannot_be_kept_are_refused(void **state)
{
    (void)state;
    assert_problems(
        STR("a: 92233720368547758080\nb: .inf\nc: 1e999\nd: .nan\ne: 0xFFFFFFFFFFFFFFFF\n"),
        "1:4 the number does not fit into 64 bits\n"
        "2:4 infinity and not-a-number\n"
        "3:4 the number is too large\n"
        "4:4 infinity and not-a-number\n"
        "5:4 the number does not fit into 64 bits");
}

static void problems_stop_at_their_limit(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    for (int i = 0; i < 500; i++)
        buf_add_cstr(&buf, "a: 1\n");
    struct yaml yaml;
    assert_int_equal(yaml_parse(&arena, buf_str(&buf), NULL, &yaml), ERR_INVALID);
    assert_int_equal(yaml.problem_count, YAML_PROBLEMS_MAX);
    buf_clear(&buf);
}

static void a_document_with_problems_that_was_read_to_its_end_is_given(void **state)
{
    (void)state;
    struct yaml yaml;
    assert_int_equal(yaml_parse(&arena, STR("a: 1\na: 2\nb: 3\n---\nc: [\n"), NULL, &yaml),
                     ERR_INVALID);
    assert_int_equal(yaml.problem_count, 2);
    assert_str(documents_of(&yaml), "{\"a\":1,\"b\":3}\n");
}

#define EACH(name) cmocka_unit_test_teardown(name, clear)

TESTS(EACH(plain_words_follow_the_core_schema_of_yaml_1_2),
      EACH(numbers_remember_how_they_were_written), EACH(several_documents_come_in_order),
      EACH(block_text_keeps_or_folds_its_lines),
      EACH(text_of_many_pieces_is_read_whole_and_given_back),
      EACH(every_node_knows_its_line_and_column),
      EACH(duplicate_keys_are_all_refused_with_both_places),
      EACH(anchors_aliases_and_merge_keys_work),
      EACH(aliases_that_lead_nowhere_or_into_themselves_are_refused),
      EACH(an_alias_bomb_is_stopped_at_its_budget), EACH(depth_is_limited_also_through_aliases),
      EACH(foreign_bytes_are_refused_before_the_parser_sees_them),
      EACH(a_file_over_the_size_limit_is_not_read),
      EACH(mistakes_of_newcomers_get_words_they_understand),
      EACH(templates_may_stand_in_unquoted_text), EACH(numbers_that_cannot_be_kept_are_refused),
      EACH(problems_stop_at_their_limit),
      EACH(a_document_with_problems_that_was_read_to_its_end_is_given))
