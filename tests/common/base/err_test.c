// SPDX-License-Identifier: Apache-2.0
#include "common/base/err.h"
#include "common/base/id.h"
#include "tests/support/test.h"

static void wrapping_tells_the_story_from_the_outside_in(void **state)
{
    (void)state;
    struct err err = { 0 };
    int rc = err_set(&err, ERR_NOT_FOUND, "dag %s", "d");
    rc = err_wrap(&err, rc, "creating run %s", "r1");
    assert_int_equal(rc, ERR_NOT_FOUND);
    assert_string_equal(err.sentence, "creating run r1: dag d");
    err_hint(&err, "list them with `headrace dags list`");
    rc = err_wrap(&err, rc, "asking");
    assert_string_equal(err.hint, "list them with `headrace dags list`");
    assert_string_equal(err_name(rc), "NOT_FOUND");
    assert_int_equal(err_http_status(rc), 404);
    assert_int_equal(err_set(NULL, ERR_LOST, "x"), ERR_LOST);
}

static void long_stories_are_cut_not_overrun(void **state)
{
    (void)state;
    struct err err = { 0 };
    err_set(&err, ERR_IO, "%0600d", 1);
    for (int i = 0; i < 10; i++)
        err_wrap(&err, ERR_IO, "%0400d", 2);
    assert_int_equal(strlen(err.sentence), sizeof err.sentence - 1);
}

static void ids_are_text_and_back(void **state)
{
    (void)state;
    char text[ID_TEXT_SIZE];
    struct id128 id = id_v7(1795231000123, 0xFFFFFFFFFFFFFFFFULL, 0x0123456789ABCDEFULL), back;
    id_text(id, text);
    assert_int_equal(text[14], '7');
    assert_int_equal(id_parse(str_of(text), &back), 0);
    assert_true(id_eq(id, back));
    assert_int_equal(id_parse(STR("01234567-89ab-cdef-0123-456789abcdeg"), &back), ERR_INVALID);
    assert_int_equal(RUN_NO_DAY(RUN_NO(20778, 0, 5)), 20778);
    struct id128 derived = id_derived(1, 7, 9);
    id_text(derived, text);
    assert_int_equal(text[14], '8');
    assert_false(id_eq(derived, id_derived(1, 9, 7)));
}

TESTS(CASE(wrapping_tells_the_story_from_the_outside_in), CASE(long_stories_are_cut_not_overrun),
      CASE(ids_are_text_and_back))
