// SPDX-License-Identifier: Apache-2.0
/* What is ready and waits to be placed. It has no rows: only the scheduler that leads knows it, and
 * in which order it will look at it. */
#include "webserver/api/handlers.h"
#include "webserver/api/leader.h"
#include "webserver/api/live.h"

enum { NAME_SIZE_MAX = 250 };

static void on_waiting(void *owner, int rc, struct str text)
{
    struct call *call = owner;
    const int64_t *seq = call->state;
    if (rc < 0) {
        call_refuse(call, 503,
                    "the scheduler that leads did not answer: headrace doctor looks why");
        return;
    }
    struct str fields = str_slice(text, 1, text.size); /* the leader's map without its brace */
    call_json(call, 200,
              str_format(call->arena, "{\"seq\":%lld,\"now\":%lld,%.*s", (long long)*seq,
                         (long long)loop_wall_ms(), STR_ARG(fields)));
}

static struct str name(struct call *call, const char *key)
{
    struct str value = call_query(call, key, STR_EMPTY);
    if (value.size > NAME_SIZE_MAX)
        call_problem(call, "query", key, "string_too_long", "at most %d bytes", NAME_SIZE_MAX);
    return value;
}

void waiting_get(struct call *call)
{
    int64_t limit = call_query_int(call, "limit", 1, MESSAGE_WAITING_MAX, 50);
    int64_t *seq = ARENA_NEW(call->arena, int64_t);
    struct str queue = name(call, "queue"), pool = name(call, "pool");
    *seq = live_seq(call->api->live);
    call->state = seq;
    if (!call_refuse_problems(call))
        leader_ask_waiting(call->api->leader, queue, pool, (uint32_t)limit, on_waiting, call);
}
