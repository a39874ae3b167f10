// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/cells.h"

#include "tests/support/test.h"

static void keep(struct cells *cells, int64_t version_no, int64_t run_no, const char *mark,
                 const char *letters)
{
    struct cell_line line = { .run_no = run_no,
                              .mark = str_of(mark),
                              .letters = str_of(letters),
                              .tries = STR("[0,2]"),
                              .mapped = STR_EMPTY };
    cells_keep(cells, STR("etl"), version_no, &line, 1);
}

static struct cells_known known(struct cells *cells, struct arena *arena, const char *dag_id)
{
    struct cells_known known;
    cells_known(cells, arena, str_of(dag_id), &known);
    return known;
}

static void what_was_read_is_known_with_its_mark_and_another_mark_replaces_it(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct cells *cells = cells_new();
    assert_int_equal(known(cells, &arena, "etl").count, 0);
    keep(cells, 1, 7, "a", "ss");
    keep(cells, 1, 8, "b", "sf");
    keep(cells, 1, 7, "c", "fs");
    struct cells_known all = known(cells, &arena, "etl");
    assert_int_equal(all.count, 2);
    assert_int_equal(all.version_no, 1);
    for (uint32_t i = 0; i < 2; i++) {
        bool is_first = all.lines[i].run_no == 7;
        assert_true(str_is(all.lines[i].mark, is_first ? "c" : "b"));
        assert_true(str_is(all.lines[i].letters, is_first ? "fs" : "sf"));
        assert_true(str_is(all.lines[i].tries, "[0,2]"));
    }
    assert_int_equal(known(cells, &arena, "other").count, 0);
    cells_free(cells);
    assert_true(str_is(all.lines[0].tries, "[0,2]")); /* a copy */
    arena_clear(&arena);
}

static void what_has_not_ended_is_not_kept(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct cells *cells = cells_new();
    keep(cells, 1, 7, "", "rr");
    assert_int_equal(known(cells, &arena, "etl").count, 0);
    cells_free(cells);
    arena_clear(&arena);
}

static void another_version_begins_anew(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct cells *cells = cells_new();
    keep(cells, 1, 7, "a", "ss");
    keep(cells, 2, 8, "b", "sss");
    struct cells_known all = known(cells, &arena, "etl");
    assert_int_equal(all.count, 1);
    assert_int_equal(all.version_no, 2);
    assert_int_equal(all.lines[0].run_no, 8);
    cells_free(cells);
    arena_clear(&arena);
}

static void of_a_dag_the_newest_runs_are_kept(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct cells *cells = cells_new();
    for (int64_t run_no = 1; run_no <= CELLS_RUNS_MAX + 3; run_no++)
        keep(cells, 1, run_no, "a", "ss");
    struct cells_known all = known(cells, &arena, "etl");
    assert_int_equal(all.count, CELLS_RUNS_MAX);
    for (uint32_t i = 0; i < all.count; i++)
        assert_true(all.lines[i].run_no > 3);
    cells_free(cells);
    arena_clear(&arena);
}

static void beyond_its_bound_everything_is_forgotten(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct cells *cells = cells_new();
    size_t size = CELLS_BYTES_MAX / 4;
    char *letters = arena_alloc(&arena, size + 1);
    memset(letters, 's', size);
    for (int64_t run_no = 1; run_no < 4; run_no++)
        keep(cells, 1, run_no, "a", letters);
    struct arena copies = { 0 };
    assert_int_equal(known(cells, &copies, "etl").count, 3);
    arena_clear(&copies);
    keep(cells, 1, 4, "a", letters);
    assert_int_equal(known(cells, &copies, "etl").count, 0);
    keep(cells, 1, 5, "a", "ss");
    assert_int_equal(known(cells, &copies, "etl").count, 1);
    cells_free(cells);
    arena_clear(&copies);
    arena_clear(&arena);
}

TESTS(CASE(what_was_read_is_known_with_its_mark_and_another_mark_replaces_it),
      CASE(what_has_not_ended_is_not_kept), CASE(another_version_begins_anew),
      CASE(of_a_dag_the_newest_runs_are_kept), CASE(beyond_its_bound_everything_is_forgotten))
