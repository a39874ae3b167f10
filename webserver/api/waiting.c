// SPDX-License-Identifier: Apache-2.0
/* What is ready and waits to be placed. It has no rows: only the scheduler that leads knows it, and
 * in which order it will look at it. */
#include "webserver/api/handlers.h"
#include "webserver/api/leader.h"

enum { ITEMS_MAX = 200 };

static void on_waiting(void *owner, int rc, struct str text)
{
    struct call *call = owner;
    if (rc < 0)
        call_refuse(call, 503,
                    "the scheduler that leads did not answer: headrace doctor looks why");
    else
        call_json(call, 200, text);
}

void waiting_get(struct call *call)
{
    int64_t limit = call_query_int(call, "limit", 1, ITEMS_MAX, 50);
    if (!call_refuse_problems(call))
        leader_ask_waiting(call->api->leader, call_query(call, "queue", STR_EMPTY),
                           call_query(call, "pool", STR_EMPTY), (uint32_t)limit, on_waiting, call);
}
