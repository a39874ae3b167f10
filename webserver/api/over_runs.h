// SPDX-License-Identifier: Apache-2.0
/* over_runs - one request after another for several runs of a DAG: clearing and marking with the
 * past, the future, or a range of dates. What was done for the first runs stays done when a later
 * one is refused. */
#ifndef HEADRACE_OVER_RUNS_H
#define HEADRACE_OVER_RUNS_H

#include "webserver/api/call.h"

enum { OVER_RUNS_MAX = 1000 };

struct over_runs {
    struct request request; /* for each run; run_id: where it begins, or empty */
    bool past, future;      /* also the runs before and after run_id, by logical date */
    bool has_dates;         /* without run_id: of these logical dates */
    int64_t from_ms, to_ms;
    const char *event;                                          /* for audit rows */
    void (*on_runs)(struct call *call, struct over_runs *over); /* run_ids are known */
    void (*on_end)(struct call *call, struct over_runs *over);  /* everything is done */
    struct str *run_ids;
    uint32_t run_count, next;
};

/* Finds the runs, then on_runs. `over` lives as long as the call. */
void over_runs_find(struct call *call, struct over_runs *over);
/* Sends the request for each of them, then on_end. */
void over_runs_send(struct call *call, struct over_runs *over);
/* The instances of these runs, of these tasks and states (none: all). */
void over_runs_list(struct call *call, const struct over_runs *over, const struct str *states,
                    uint32_t state_count);

#endif
