// SPDX-License-Identifier: Apache-2.0
#include "common/text/value.h"
#include "tests/support/test.h"

static void a_map_keeps_the_order_of_its_keys_and_the_last_value_of_each(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct value *map = value_map(&arena);
    value_put(&arena, map, STR("b"), value_int(&arena, 1));
    value_put(&arena, map, STR("a"), value_int(&arena, 2));
    value_put(&arena, map, STR("b"), value_int(&arena, 3));
    assert_int_equal(map->count, 2);
    assert_str(map->entries[0].key, "b");
    assert_int_equal(value_integer(value_get(map, "b"), 0), 3);
    assert_null(value_get(map, "c"));
    assert_null(value_get(NULL, "a"));
    assert_null(value_get(value_int(&arena, 1), "a"));
    arena_clear(&arena);
}

static void a_large_map_finds_every_key(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct value *map = value_map(&arena);
    for (int i = 0; i < 5000; i++)
        value_put(&arena, map, str_format(&arena, "key%d", i), value_int(&arena, i));
    for (int i = 0; i < 5000; i += 3)
        value_put(&arena, map, str_format(&arena, "key%d", i), value_int(&arena, -i));
    assert_int_equal(map->count, 5000);
    for (int i = 0; i < 5000; i++) {
        const struct value *found = value_get_str(map, str_format(&arena, "key%d", i));
        assert_int_equal(value_integer(found, 1), i % 3 == 0 ? -i : i);
        assert_str(map->entries[i].key, str_format(&arena, "key%d", i).bytes);
    }
    assert_null(value_get(map, "key5000"));
    arena_clear(&arena);
}

static void equality_looks_at_content_not_at_order_or_number_type(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct value *a = value_map(&arena), *b = value_map(&arena);
    value_put(&arena, a, STR("x"), value_int(&arena, 1));
    value_put(&arena, a, STR("y"), value_null(&arena));
    value_put(&arena, b, STR("y"), value_null(&arena));
    value_put(&arena, b, STR("x"), value_real(&arena, 1.0));
    assert_true(value_eq(a, b));
    value_put(&arena, b, STR("x"), value_real(&arena, 1.5));
    assert_false(value_eq(a, b));
    assert_false(value_eq(value_string(&arena, STR("1")), value_int(&arena, 1)));
    /* 2^53 + 1 is no double: it must not equal the neighbour it rounds to. */
    assert_false(
        value_eq(value_int(&arena, 9007199254740993), value_real(&arena, 9007199254740992.0)));
    assert_false(value_eq(value_int(&arena, INT64_MAX), value_real(&arena, 9223372036854775808.0)));
    arena_clear(&arena);
}

static void a_copy_outlives_the_arena_it_was_made_from(void **state)
{
    (void)state;
    struct arena from = { 0 }, to = { 0 };
    struct value *map = value_map(&from), *list = value_list(&from);
    value_add(&from, list, value_string_copy(&from, STR("deep")));
    value_add(&from, list, value_bool(&from, true));
    struct value_entry *entry = value_put_entry(&from, map, str_copy(&from, STR("list")), list);
    entry->line = 7;
    list->column = 9;
    const struct value *copy = value_copy(&to, map);
    assert_true(value_eq(copy, map));
    arena_clear(&from);
    assert_str(value_get(copy, "list")->items[0]->string, "deep");
    assert_int_equal(value_entry(copy, STR("list"))->line, 7);
    assert_int_equal(value_get(copy, "list")->column, 9);
    arena_clear(&to);
}

static void nothing_zero_and_empty_are_false(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct value *full = value_list(&arena);
    value_add(&arena, full, value_null(&arena));
    const struct value *no[] = {
        value_null(&arena),    value_bool(&arena, false),       value_int(&arena, 0),
        value_real(&arena, 0), value_string(&arena, STR_EMPTY), value_list(&arena),
        value_map(&arena)
    };
    const struct value *yes[] = { value_bool(&arena, true), value_int(&arena, -1),
                                  value_real(&arena, 0.1), value_string(&arena, STR("0")), full };
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(value_is_true(no[i]));
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(value_is_true(yes[i]));
    arena_clear(&arena);
}

static void plain_reading_falls_back_on_other_types(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    assert_str(value_text(value_int(&arena, 1), STR("other")), "other");
    assert_str(value_text(value_string(&arena, STR("own")), STR("other")), "own");
    assert_int_equal(value_integer(NULL, 5), 5);
    assert_true(value_boolean(value_string(&arena, STR("false")), true));
    arena_clear(&arena);
}

TESTS(CASE(a_map_keeps_the_order_of_its_keys_and_the_last_value_of_each),
      CASE(a_large_map_finds_every_key),
      CASE(equality_looks_at_content_not_at_order_or_number_type),
      CASE(a_copy_outlives_the_arena_it_was_made_from), CASE(nothing_zero_and_empty_are_false),
      CASE(plain_reading_falls_back_on_other_types))
