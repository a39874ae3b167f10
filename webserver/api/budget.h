// SPDX-License-Identifier: Apache-2.0
/* budget - how much one client may ask for: a bucket of requests for each user, with smaller ones
 * for what costs more, and one for each address from which nobody has signed in. The settings say
 * how many a second; ten seconds' worth may come at once. */
#ifndef HEADRACE_BUDGET_H
#define HEADRACE_BUDGET_H

#include "common/conf/conf.h"
#include "webserver/auth/right.h"
#include "webserver/auth/throttle.h"

enum budget { BUDGET_REQUESTS, BUDGET_TRIGGERS, BUDGET_LOGS, BUDGET_ADDRESS, BUDGET_COUNT };

struct budgets {
    struct throttle throttles[BUDGET_COUNT];
};

void budgets_clear(struct budgets *budgets);

/* Takes one request that needs `right` from the budgets of a user. 0, or after how many ms it may
 * come again. */
int64_t budget_take_user(struct budgets *budgets, const struct conf *conf, struct str user,
                         enum right right, int64_t now_ms);

/* The same for an address. Given back when the request turns out to be a user's. */
int64_t budget_take_address(struct budgets *budgets, const struct conf *conf, struct str address,
                            int64_t now_ms);
void budget_return_address(struct budgets *budgets, struct str address);

#endif
