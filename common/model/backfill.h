// SPDX-License-Identifier: Apache-2.0
/* backfill - runs for a range of past logical dates, as both the core (which makes them) and the
 * store (which keeps where it stands) see them. A backfill has the number of the request that asked
 * for it. */
#ifndef HEADRACE_BACKFILL_H
#define HEADRACE_BACKFILL_H

#include "common/base/str.h"

/* What becomes of a date that has a run already. Stored. */
enum reprocess {
    REPROCESS_NONE = 0,      /* nothing */
    REPROCESS_FAILED = 1,    /* it is run again if it failed */
    REPROCESS_COMPLETED = 2, /* it is run again if it has ended */
    REPROCESS_COUNT
};

struct backfill_row {
    int64_t backfill_no;
    int32_t dag_no;
    int64_t from_ms, to_ms; /* of logical dates, both included */
    int32_t max_active_runs;
    enum reprocess reprocess;
    bool backwards, paused;
    struct str conf; /* JSON object */
    struct str triggered_by;
    bool has_cursor;
    int64_t cursor_ms;            /* fire time of the date that was looked at last */
    int64_t created_ms, ended_ms; /* wall; 0 = not yet */
};

const char *reprocess_name(enum reprocess reprocess); /* "failed" */
MUST_USE int reprocess_parse(struct str name, enum reprocess *out);

#endif
