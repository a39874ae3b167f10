// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/budget.h"

#include "tests/support/test.h"

static const struct conf CONF = { .api_requests_per_second = 3,
                                  .api_triggers_per_second = 1,
                                  .api_log_reads_per_second = 2 };

static int64_t take(struct budgets *budgets, const char *user, enum right right, int64_t now_ms)
{
    return budget_take_user(budgets, &CONF, str_of(user), right, now_ms);
}

/* How many of `tries` at one moment were allowed. */
static int count(struct budgets *budgets, const char *user, enum right right, int tries,
                 int64_t now_ms)
{
    int allowed = 0;
    for (int i = 0; i < tries; i++)
        allowed += take(budgets, user, right, now_ms) == 0;
    return allowed;
}

static void ten_seconds_worth_come_at_once_and_then_as_many_as_the_rate(void **state)
{
    (void)state;
    struct budgets budgets = { 0 };
    assert_int_equal(count(&budgets, "ada", RIGHT_READ, 100, 0), 30);
    assert_int_equal(take(&budgets, "ada", RIGHT_READ, 0), 334);
    assert_int_equal(count(&budgets, "ada", RIGHT_READ, 100, 1000), 3);
    assert_int_equal(count(&budgets, "bob", RIGHT_READ, 100, 0), 30);
    budgets_clear(&budgets);
}

static void what_costs_more_has_a_budget_of_its_own_within_the_whole(void **state)
{
    (void)state;
    struct budgets budgets = { 0 };
    assert_int_equal(count(&budgets, "ada", RIGHT_RUNS_TRIGGER, 100, 0), 10);
    assert_int_equal(count(&budgets, "ada", RIGHT_LOGS_READ, 100, 0), 20);
    assert_int_equal(count(&budgets, "ada", RIGHT_READ, 100, 0), 0); /* the thirty are gone */
    budgets_clear(&budgets);
}

static void an_address_gets_back_what_a_user_answers_for(void **state)
{
    (void)state;
    struct budgets budgets = { 0 };
    struct str here = STR("127.0.0.1");
    for (int i = 0; i < 100; i++) {
        assert_int_equal(budget_take_address(&budgets, &CONF, here, 0), 0);
        budget_return_address(&budgets, here);
    }
    for (int i = 0; i < 30; i++)
        assert_int_equal(budget_take_address(&budgets, &CONF, here, 0), 0);
    assert_true(budget_take_address(&budgets, &CONF, here, 0) > 0);
    assert_int_equal(budget_take_address(&budgets, &CONF, STR("127.0.0.2"), 0), 0);
    budgets_clear(&budgets);
}

static void a_rate_of_zero_is_no_limit(void **state)
{
    (void)state;
    struct budgets budgets = { 0 };
    struct conf free = { 0 };
    for (int i = 0; i < 1000; i++)
        assert_int_equal(budget_take_user(&budgets, &free, STR("ada"), RIGHT_READ, 0), 0);
    budgets_clear(&budgets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_seconds_worth_come_at_once_and_then_as_many_as_the_rate),
        cmocka_unit_test(what_costs_more_has_a_budget_of_its_own_within_the_whole),
        cmocka_unit_test(an_address_gets_back_what_a_user_answers_for),
        cmocka_unit_test(a_rate_of_zero_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
