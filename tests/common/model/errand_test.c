// SPDX-License-Identifier: Apache-2.0
#include "common/model/errand.h"

#include "tests/support/test.h"

static void an_errand_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct errand errand = { { 1, 2 }, 7, ERRAND_HTTP, STR("{\"url\":\"http://h/a b\"}") }, back;
    struct buf line = { 0 };
    errand_write(&errand, &line);
    assert_int_equal(errand_read(str_slice(buf_str(&line), 0, line.size - 1), &back), 0);
    assert_true(id_eq(back.id, errand.id));
    assert_int_equal(back.number, 7);
    assert_int_equal(back.kind, ERRAND_HTTP);
    assert_str(back.payload, "{\"url\":\"http://h/a b\"}");
    buf_clear(&line);
}

static void an_answer_stays_one_line_whatever_it_says(void **state)
{
    (void)state;
    struct errand_answer answer = { { 1, 2 },
                                    7,
                                    ERRAND_UNREACHABLE,
                                    STR("[1, 2]"),
                                    STR("refused\nby\tall") },
                         back;
    struct buf line = { 0 };
    errand_answer_write(&answer, &line);
    assert_int_equal(errand_answer_read(str_slice(buf_str(&line), 0, line.size - 1), &back), 0);
    assert_int_equal(back.outcome, ERRAND_UNREACHABLE);
    assert_str(back.output, "[1, 2]");
    assert_str(back.text, "refused by all");
    buf_clear(&line);
}

static void what_is_no_errand_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = { "", "x", "00000000-0000-0001-0000-000000000002 1 bake {}",
                                         "00000000-0000-0001-0000-000000000002 -1 file {}",
                                         "00000000-0000-0001-0000-000000000002 1 file" };
    struct errand errand;
    struct errand_answer answer;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(errand_read(str_of(lines[i]), &errand), ERR_INVALID);
        assert_int_equal(errand_answer_read(str_of(lines[i]), &answer), ERR_INVALID);
    }
}

TESTS(CASE(an_errand_is_read_as_it_was_written), CASE(an_answer_stays_one_line_whatever_it_says),
      CASE(what_is_no_errand_is_refused))
