// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/budget.h"

enum { BURST_S = 10 };

static int64_t rate_of(const struct conf *conf, enum budget budget)
{
    switch (budget) {
    case BUDGET_REQUESTS:
    case BUDGET_ADDRESS:
        return conf->api_requests_per_second;
    case BUDGET_TRIGGERS:
        return conf->api_triggers_per_second;
    case BUDGET_LOGS:
        return conf->api_log_reads_per_second;
    case BUDGET_COUNT:
        break;
    }
    return 0;
}

/* The rate is looked up each time: a reload changes it. */
static int64_t take(struct budgets *budgets, const struct conf *conf, enum budget budget,
                    struct str key, int64_t now_ms)
{
    struct throttle *throttle = &budgets->throttles[budget];
    int64_t rate = rate_of(conf, budget);
    if (rate == 0)
        return 0;
    throttle->burst = (double)rate * BURST_S;
    throttle->per_ms = (double)rate / 1000;
    return throttle_take(throttle, key, now_ms);
}

void budgets_clear(struct budgets *budgets)
{
    for (int i = 0; i < BUDGET_COUNT; i++)
        throttle_clear(&budgets->throttles[i]);
}

int64_t budget_take_user(struct budgets *budgets, const struct conf *conf, struct str user,
                         enum right right, int64_t now_ms)
{
    int64_t wait_ms = 0;
    if (right == RIGHT_RUNS_TRIGGER)
        wait_ms = take(budgets, conf, BUDGET_TRIGGERS, user, now_ms);
    else if (right == RIGHT_LOGS_READ)
        wait_ms = take(budgets, conf, BUDGET_LOGS, user, now_ms);
    return wait_ms > 0 ? wait_ms : take(budgets, conf, BUDGET_REQUESTS, user, now_ms);
}

int64_t budget_take_address(struct budgets *budgets, const struct conf *conf, struct str address,
                            int64_t now_ms)
{
    return take(budgets, conf, BUDGET_ADDRESS, address, now_ms);
}

void budget_return_address(struct budgets *budgets, struct str address)
{
    throttle_return(&budgets->throttles[BUDGET_ADDRESS], address);
}
