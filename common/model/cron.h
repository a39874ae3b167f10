// SPDX-License-Identifier: Apache-2.0
/* cron - five fields (minute hour day-of-month month day-of-week) on a local clock: names, ranges,
 * steps, lists, `L` (last day of the month, or 5L: last Friday), `#` (1#2: second Monday). When
 * day-of-month and day-of-week are both restricted either may match, as in Vixie cron; with `#` or
 * a weekday's `L` the weekday alone decides, as in croniter. Times are minutes; see timetable.h for
 * zones. */
#ifndef HEADRACE_CRON_H
#define HEADRACE_CRON_H

#include "common/base/str.h"

struct cron {
    uint64_t minutes; /* bit n: minute n */
    uint32_t hours, days, months, weekdays;
    uint8_t nth[7]; /* bit n-1: the nth of this weekday; bit 7: the last */
    bool has_nth;   /* some nth is set */
    bool last_day;  /* of the month */
    bool any_day, any_weekday;
    bool every_hour; /* the hour field is * */
};

/* Also @hourly @daily @midnight @weekly @monthly @quarterly @yearly @annually. The error names the
 * field and what it may hold. */
MUST_USE int cron_parse(struct str text, struct cron *out, struct err *err);

/* The first minute after `local_ms` (whole minutes, wall-clock counted as UTC) that matches;
 * INT64_MAX if none does within 50 years ("0 0 30 2 *"). */
int64_t cron_next(const struct cron *cron, int64_t local_ms);

#endif
