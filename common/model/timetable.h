// SPDX-License-Identifier: Apache-2.0
/* timetable - when a DAG's schedule fires: cron (one or several) on a zone's wall clock, fixed
 * distances, a list, once.
 *
 * Daylight saving: a wall-clock time that does not exist fires at the next instant that does; one
 * that exists twice fires once, at its first; a cron whose hour field is * fires in every real hour
 * and makes up for none. Built from the canonical `schedule` of a DAG (dag.h). Times are ms since
 * 1970. */
#ifndef HEADRACE_TIMETABLE_H
#define HEADRACE_TIMETABLE_H

#include "common/model/cron.h"
#include "common/model/zone.h"
#include "common/text/value.h"

enum timetable_kind {
    TIMETABLE_NONE, /* manual, assets, files: time fires nothing */
    TIMETABLE_CRON,
    TIMETABLE_EVERY,
    TIMETABLE_AT,
    TIMETABLE_ONCE,
    TIMETABLE_CONTINUOUS, /* as soon as the run before it is over */
};

enum { TIMETABLE_CRONS_MAX = 16 };

struct timetable {
    enum timetable_kind kind;
    struct cron crons[TIMETABLE_CRONS_MAX];
    uint32_t cron_count;
    bool interval; /* a run covers the data interval that has just ended */
    int64_t every_ms;
    const struct value *at; /* list of RFC 3339 texts with zone, ascending; borrowed */
    int64_t start_ms, end_ms;
    const struct zone *zone; /* borrowed; NULL = UTC */
};

struct firing {
    int64_t fire_ms;    /* when the run is due */
    int64_t logical_ms; /* its date: the interval's start with `interval`, else fire_ms */
    int64_t interval_start_ms, interval_end_ms;
};

/* `schedule` as dag->schedule has it. The error says which part is wrong. Borrows all three. */
MUST_USE int timetable_read(const struct value *schedule, const struct zone *zone, int64_t start_ms,
                            int64_t end_ms, struct timetable *out, struct err *err);

/* The first firing after `after_ms` whose logical date lies within start and end. False: there is
 * none. */
bool timetable_next(const struct timetable *timetable, int64_t after_ms, struct firing *out);

/* The last firing at or before `now_ms`, if there is one after `after_ms`: what a DAG without
 * catch-up makes up for. */
bool timetable_latest(const struct timetable *timetable, int64_t after_ms, int64_t now_ms,
                      struct firing *out);

#endif
