// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/map_view.h"

#include "tests/support/test.h"

/* Instances 0 to 4: success, failed, running, and two that no row is about. */
static const char TRIES[] = "35,4,21";

static struct map_view view_of(struct arena *arena, const char *tries, const char *again)
{
    struct map_view view;
    map_view_read(arena, 5, str_of(tries), str_of(again), &view);
    return view;
}

static void each_instance_has_the_letter_of_its_state_and_waits_without_a_row(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct map_view view = view_of(&arena, TRIES, "");
    assert_str(map_view_letters(&arena, &view), "sfr..");
    view = view_of(&arena, "", "");
    assert_str(map_view_letters(&arena, &view), ".....");
    arena_clear(&arena);
}

static void the_newest_row_of_an_instance_counts_in_whatever_order_they_come(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    const char *const ORDERS[] = { "8589934613,12884901908", "12884901908,8589934613" };
    for (size_t i = 0; i < 2; i++) { /* rows 2 (failed) and 3 (success) of instance 1 */
        struct map_view view = view_of(&arena, TRIES, ORDERS[i]);
        assert_str(map_view_letters(&arena, &view), "ssr..");
    }
    arena_clear(&arena);
}

static void what_lies_beyond_the_expansion_is_left_out(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct map_view view = view_of(&arena, "84,4", "8589934677");
    assert_str(map_view_letters(&arena, &view), "s....");
    arena_clear(&arena);
}

static uint32_t assert_picked_of(struct arena *arena, const struct map_view *view,
                                 const struct map_filter *filter, int64_t from, int64_t limit,
                                 const char *indexes)
{
    int64_t *picked;
    uint32_t count, matches;
    matches = map_view_pick(arena, view, filter, from, limit, &picked, &count);
    struct str text = STR_EMPTY;
    for (uint32_t i = 0; i < count; i++)
        text = str_format(arena, "%.*s%lld ", STR_ARG(text), (long long)picked[i]);
    assert_str(text, indexes);
    return matches;
}

static void assert_picked(const struct map_filter *filter, int64_t from, int64_t limit,
                          uint32_t matches, const char *indexes)
{
    struct arena arena = { 0 };
    struct map_view view = view_of(&arena, TRIES, "");
    assert_int_equal(assert_picked_of(&arena, &view, filter, from, limit, indexes), matches);
    arena_clear(&arena);
}

static void those_that_fit_a_filter_are_counted_and_one_page_of_them_is_given(void **state)
{
    (void)state;
    const struct map_filter any = { .states = MAP_FILTER_ANY_STATE };
    assert_picked(&any, 0, 100, 5, "0 1 2 3 4 ");
    assert_picked(&any, 1, 2, 5, "1 2 ");
    assert_picked(&any, 7, 2, 5, "");
    assert_picked(&any, 0, 0, 5, "");
    const struct map_filter waiting = { .states = 1U << TASK_NONE };
    assert_picked(&waiting, 0, 100, 2, "3 4 ");
    const struct map_filter none = { .states = 0 };
    assert_picked(&none, 0, 100, 0, "");
}

static void a_text_is_found_by_what_instances_say_and_by_their_own_number(void **state)
{
    (void)state;
    const struct map_filter said = { MAP_FILTER_ANY_STATE, STR("3"), STR("0,1,99") };
    assert_picked(&said, 0, 100, 3, "0 1 3 ");
    const struct map_filter failed = { 1U << TASK_FAILED, STR("3"), STR("0,1,99") };
    assert_picked(&failed, 0, 100, 1, "1 ");
    static const struct {
        uint32_t count;
        const char *text, *indexes;
    } HELD[] = {
        { 13, "0", "0 10 " },  { 13, "1", "1 10 11 12 " }, { 13, "01", "" },
        { 13, "12", "12 " },   { 13, "1x", "" },           { 13, "1234567890", "" },
        { 102, "01", "101 " }, { 102, "+1", "" },          { 102, "-0", "" },
    };
    for (size_t i = 0; i < sizeof HELD / sizeof *HELD; i++) {
        struct arena arena = { 0 };
        struct map_view view;
        map_view_read(&arena, HELD[i].count, STR_EMPTY, STR_EMPTY, &view);
        const struct map_filter filter = { MAP_FILTER_ANY_STATE, str_of(HELD[i].text), STR_EMPTY };
        assert_picked_of(&arena, &view, &filter, 0, 100, HELD[i].indexes);
        arena_clear(&arena);
    }
    const struct map_filter nowhere = { MAP_FILTER_ANY_STATE, STR("piece"), STR_EMPTY };
    assert_picked(&nowhere, 0, 100, 0, "");
}

TESTS(CASE(each_instance_has_the_letter_of_its_state_and_waits_without_a_row),
      CASE(the_newest_row_of_an_instance_counts_in_whatever_order_they_come),
      CASE(what_lies_beyond_the_expansion_is_left_out),
      CASE(those_that_fit_a_filter_are_counted_and_one_page_of_them_is_given),
      CASE(a_text_is_found_by_what_instances_say_and_by_their_own_number))
