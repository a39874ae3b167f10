// SPDX-License-Identifier: Apache-2.0
#include "common/text/suggest.h"
#include "tests/support/test.h"

static void distance_counts_edits_of_four_kinds(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance(STR("retries"), STR("retries"), 5), 0);
    assert_int_equal(suggest_distance(STR("retris"), STR("retries"), 5), 1);
    assert_int_equal(suggest_distance(STR("retriess"), STR("retries"), 5), 1);
    assert_int_equal(suggest_distance(STR("ratries"), STR("retries"), 5), 1);
    assert_int_equal(suggest_distance(STR("rertsie"), STR("retries"), 5), 3);
    assert_int_equal(suggest_distance(STR("ertries"), STR("retries"), 5), 1);
    assert_int_equal(suggest_distance(STR("Retries"), STR("retries"), 5), 1);
    assert_int_equal(suggest_distance(STR("RETRIES"), STR("retries"), 5), 1);
    assert_int_equal(suggest_distance(STR(""), STR("abc"), 5), 3);
    assert_int_equal(suggest_distance(STR("kitten"), STR("sitting"), 2), 3);
    assert_int_equal(suggest_distance(STR("kitten"), STR("sitting"), 9), 3);
}

static void the_nearest_word_is_suggested_if_it_is_near(void **state)
{
    (void)state;
    static const struct str words[] = {
        { "retries", 7 }, { "retry_delay", 11 }, { "pool", 4 }, { "env", 3 }, { "queue", 5 }
    };
    assert_str(suggest(STR("retrys"), words, 5), "retries");
    assert_str(suggest(STR("retry_dealy"), words, 5), "retry_delay");
    assert_str(suggest(STR("poool"), words, 5), "pool");
    assert_str(suggest(STR("ENV"), words, 5), "env");
    assert_str(suggest(STR("environment"), words, 5), "");
    assert_str(suggest(STR("x"), words, 5), "");
    assert_str(suggest(STR("abc"), words, 5), "");
    assert_str(suggest(STR("a"), NULL, 0), "");
}

static void words_too_long_for_the_table_only_equal_themselves(void **state)
{
    (void)state;
    char a[100], b[100];
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    b[50] = 'b';
    assert_int_equal(suggest_distance((struct str) { a, 100 }, (struct str) { b, 100 }, 5), 6);
    assert_int_equal(suggest_distance((struct str) { a, 100 }, (struct str) { a, 100 }, 5), 0);
}

TESTS(CASE(distance_counts_edits_of_four_kinds), CASE(the_nearest_word_is_suggested_if_it_is_near),
      CASE(words_too_long_for_the_table_only_equal_themselves))
