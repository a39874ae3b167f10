// SPDX-License-Identifier: Apache-2.0
#include "common/model/trigger_rule.h"

#include "tests/support/test.h"

/* Endings in the order of tests below: success, failed, upstream_failed, skipped. */
static struct upstream_counts counts_of(uint32_t total, uint32_t s, uint32_t f, uint32_t u,
                                        uint32_t k)
{
    return (struct upstream_counts) {
        .total = total,
        .success = s,
        .failed = f,
        .upstream_failed = u,
        .skipped = k,
        .done = s + f + u + k,
    };
}

static enum verdict at_end(enum trigger_rule rule, uint32_t s, uint32_t f, uint32_t u, uint32_t k)
{
    struct upstream_counts counts = counts_of(s + f + u + k, s, f, u, k);
    return trigger_rule_verdict(rule, &counts);
}

static void every_rule_means_what_airflow_says(void **state)
{
    (void)state;
    static const struct {
        enum trigger_rule rule;
        uint32_t s, f, u, k;
        enum verdict verdict;
    } rows[] = {
        { RULE_ALL_SUCCESS, 2, 0, 0, 0, VERDICT_RUN },
        { RULE_ALL_SUCCESS, 1, 0, 0, 1, VERDICT_SKIP },
        { RULE_ALL_SUCCESS, 1, 1, 0, 0, VERDICT_UPSTREAM_FAILED },
        { RULE_ALL_SUCCESS, 0, 1, 0, 1, VERDICT_UPSTREAM_FAILED },
        { RULE_ALL_SUCCESS, 0, 0, 1, 1, VERDICT_UPSTREAM_FAILED },
        { RULE_ALL_FAILED, 0, 1, 1, 0, VERDICT_RUN },
        { RULE_ALL_FAILED, 1, 1, 0, 0, VERDICT_SKIP },
        { RULE_ALL_FAILED, 0, 1, 0, 1, VERDICT_SKIP },
        { RULE_ALL_DONE, 0, 1, 1, 1, VERDICT_RUN },
        { RULE_ALL_DONE_MIN_ONE_SUCCESS, 1, 1, 1, 0, VERDICT_RUN },
        { RULE_ALL_DONE_MIN_ONE_SUCCESS, 0, 1, 1, 0, VERDICT_UPSTREAM_FAILED },
        { RULE_ALL_DONE_MIN_ONE_SUCCESS, 1, 0, 0, 1, VERDICT_SKIP },
        { RULE_ALL_DONE_MIN_ONE_SUCCESS, 0, 0, 0, 2, VERDICT_SKIP },
        { RULE_ALL_SKIPPED, 0, 0, 0, 2, VERDICT_RUN },
        { RULE_ALL_SKIPPED, 1, 0, 0, 1, VERDICT_SKIP },
        { RULE_ALL_SKIPPED, 0, 1, 0, 1, VERDICT_SKIP },
        { RULE_ONE_SUCCESS, 1, 1, 0, 0, VERDICT_RUN },
        { RULE_ONE_SUCCESS, 0, 1, 0, 1, VERDICT_UPSTREAM_FAILED },
        { RULE_ONE_SUCCESS, 0, 0, 0, 2, VERDICT_SKIP },
        { RULE_ONE_FAILED, 1, 1, 0, 0, VERDICT_RUN },
        { RULE_ONE_FAILED, 1, 0, 1, 0, VERDICT_RUN },
        { RULE_ONE_FAILED, 1, 0, 0, 1, VERDICT_SKIP },
        { RULE_ONE_DONE, 0, 1, 0, 1, VERDICT_RUN },
        { RULE_ONE_DONE, 0, 0, 0, 2, VERDICT_SKIP },
        { RULE_NONE_FAILED, 1, 0, 0, 1, VERDICT_RUN },
        { RULE_NONE_FAILED, 0, 0, 0, 2, VERDICT_RUN },
        { RULE_NONE_FAILED, 1, 1, 0, 0, VERDICT_UPSTREAM_FAILED },
        { RULE_NONE_FAILED_MIN_ONE_SUCCESS, 1, 0, 0, 1, VERDICT_RUN },
        { RULE_NONE_FAILED_MIN_ONE_SUCCESS, 0, 0, 0, 2, VERDICT_SKIP },
        { RULE_NONE_FAILED_MIN_ONE_SUCCESS, 1, 0, 1, 0, VERDICT_UPSTREAM_FAILED },
        { RULE_NONE_SKIPPED, 1, 1, 1, 0, VERDICT_RUN },
        { RULE_NONE_SKIPPED, 1, 0, 0, 1, VERDICT_SKIP },
        { RULE_ALWAYS, 0, 1, 0, 1, VERDICT_RUN },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (at_end(rows[i].rule, rows[i].s, rows[i].f, rows[i].u, rows[i].k) != rows[i].verdict)
            fail_msg("row %zu, %s", i, trigger_rule_name(rows[i].rule));
}

/* A verdict before the end must be the one that every possible end has; and when all ends agree, it
 * must be given. */
static void a_verdict_falls_as_soon_as_it_is_certain(void **state)
{
    (void)state;
    enum { TOTAL = 4 };
    for (int rule = 0; rule < RULE_ALWAYS; rule++)
        for (uint32_t s = 0; s <= TOTAL; s++)
            for (uint32_t f = 0; s + f <= TOTAL; f++)
                for (uint32_t u = 0; s + f + u <= TOTAL; u++)
                    for (uint32_t k = 0; s + f + u + k <= TOTAL; k++) {
                        uint32_t rest = TOTAL - s - f - u - k;
                        bool seen[4] = { false };
                        for (uint32_t a = 0; a <= rest; a++)
                            for (uint32_t b = 0; a + b <= rest; b++)
                                for (uint32_t c = 0; a + b + c <= rest; c++)
                                    seen[at_end(rule, s + a, f + b, u + c, k + rest - a - b - c)] =
                                        true;
                        int kinds =
                            seen[VERDICT_RUN] + seen[VERDICT_SKIP] + seen[VERDICT_UPSTREAM_FAILED];
                        struct upstream_counts counts = counts_of(TOTAL, s, f, u, k);
                        enum verdict verdict = trigger_rule_verdict(rule, &counts);
                        /* "none_..." and "all_done" wait for the end although the answer is known:
                         * that is their meaning. */
                        if (verdict != VERDICT_WAIT && (kinds != 1 || !seen[verdict]))
                            fail_msg("%s decides too early at %u %u %u %u", trigger_rule_name(rule),
                                     s, f, u, k);
                        if (verdict == VERDICT_WAIT && kinds == 1 && !seen[VERDICT_RUN])
                            fail_msg("%s waits in vain at %u %u %u %u", trigger_rule_name(rule), s,
                                     f, u, k);
                    }
}

static void without_upstream_every_rule_runs(void **state)
{
    (void)state;
    struct upstream_counts none = { 0 };
    for (int rule = 0; rule < RULE_COUNT; rule++)
        assert_int_equal(trigger_rule_verdict(rule, &none), VERDICT_RUN);
}

static void removed_tasks_count_as_if_they_were_not_there(void **state)
{
    (void)state;
    struct upstream_counts counts = { .total = 2 };
    upstream_counts_add(&counts, TASK_REMOVED);
    assert_int_equal(trigger_rule_verdict(RULE_ALL_SUCCESS, &counts), VERDICT_WAIT);
    upstream_counts_add(&counts, TASK_SUCCESS);
    assert_int_equal(trigger_rule_verdict(RULE_ALL_SUCCESS, &counts), VERDICT_RUN);
}

static void a_share_is_replaced_by_another(void **state)
{
    (void)state;
    struct upstream_counts counts = counts_of(5, 1, 1, 0, 1), one = { .total = 1 },
                           three = counts_of(3, 1, 0, 1, 0);
    upstream_counts_replace(&counts, &one, &three);
    struct upstream_counts expected = counts_of(7, 2, 1, 1, 1);
    assert_memory_equal(&counts, &expected, sizeof counts);
    upstream_counts_replace(&counts, &three, &one);
    assert_int_equal(counts.total, 5);
    assert_int_equal(counts.done, 3);
}

static void a_teardown_follows_its_setups(void **state)
{
    (void)state;
    struct upstream_counts all = counts_of(2, 1, 1, 0, 0), running = counts_of(2, 1, 0, 0, 0);
    struct upstream_counts up = counts_of(1, 1, 0, 0, 0), failed = counts_of(1, 0, 1, 0, 0),
                           skipped = counts_of(1, 0, 0, 0, 1);
    assert_int_equal(teardown_verdict(&running, &up), VERDICT_WAIT);
    assert_int_equal(teardown_verdict(&all, &up), VERDICT_RUN);
    assert_int_equal(teardown_verdict(&all, &failed), VERDICT_UPSTREAM_FAILED);
    assert_int_equal(teardown_verdict(&all, &skipped), VERDICT_SKIP);
}

static void names_are_read_back(void **state)
{
    (void)state;
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        enum trigger_rule parsed = RULE_COUNT;
        assert_int_equal(trigger_rule_parse(str_of(trigger_rule_name(rule)), &parsed), 0);
        assert_int_equal(parsed, rule);
    }
    enum trigger_rule parsed = RULE_ALWAYS;
    assert_int_equal(trigger_rule_parse(STR("sometimes"), &parsed), ERR_INVALID);
}

TESTS(CASE(every_rule_means_what_airflow_says), CASE(a_verdict_falls_as_soon_as_it_is_certain),
      CASE(without_upstream_every_rule_runs), CASE(removed_tasks_count_as_if_they_were_not_there),
      CASE(a_share_is_replaced_by_another), CASE(a_teardown_follows_its_setups),
      CASE(names_are_read_back))
