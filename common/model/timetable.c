// SPDX-License-Identifier: Apache-2.0
#include "common/model/timetable.h"

#include "common/base/civil.h"

static int read_crons(const struct value *list, struct timetable *t, struct err *err)
{
    if (list->count > TIMETABLE_CRONS_MAX)
        return err_set(err, ERR_INVALID, "a schedule has at most %d cron expressions",
                       TIMETABLE_CRONS_MAX);
    for (uint32_t i = 0; i < list->count; i++) {
        int rc = cron_parse(value_text(list->items[i], STR_EMPTY), &t->crons[i], err);
        if (rc < 0)
            return rc;
    }
    t->cron_count = list->count;
    return 0;
}

int timetable_read(const struct value *schedule, const struct zone *zone, int64_t start_ms,
                   int64_t end_ms, struct timetable *out, struct err *err)
{
    struct timetable t = { .zone = zone, .start_ms = start_ms, .end_ms = end_ms };
    const struct value *crons = value_get(schedule, "cron");
    if (crons != NULL) {
        t.kind = TIMETABLE_CRON;
        t.interval = value_boolean(value_get(schedule, "interval"), false);
        int rc = read_crons(crons, &t, err);
        if (rc < 0)
            return rc;
    } else if (value_get(schedule, "every_ms") != NULL) {
        t.kind = TIMETABLE_EVERY;
        t.every_ms = value_integer(value_get(schedule, "every_ms"), 0);
        if (t.every_ms <= 0)
            return err_set(err, ERR_INVALID, "the distance of `every` must be longer than zero");
    } else if (value_get(schedule, "at") != NULL) {
        t.kind = TIMETABLE_AT;
        t.at = value_get(schedule, "at");
    } else if (value_boolean(value_get(schedule, "once"), false)) {
        t.kind = TIMETABLE_ONCE;
    } else if (value_boolean(value_get(schedule, "continuous"), false)) {
        t.kind = TIMETABLE_CONTINUOUS;
    }
    *out = t;
    return 0;
}

/* ---- one cron on a zone ---------------------------------------------------------------------- */

static int64_t offset_ms(const struct zone *zone, int64_t instant_ms)
{
    return zone == NULL ? 0 : zone_offset(zone, instant_ms / MS_PER_SECOND) * MS_PER_SECOND;
}

/* Every real hour counts: search within stretches of constant offset. */
static int64_t next_in_stretches(const struct cron *cron, const struct zone *zone, int64_t after_ms)
{
    int64_t at = after_ms;
    for (int stretch = 0; stretch < 400; stretch++) {
        int64_t offset = offset_ms(zone, at);
        int64_t local = cron_next(cron, at + offset);
        if (local == INT64_MAX)
            return INT64_MAX;
        int64_t change = zone_next_change(zone, at / MS_PER_SECOND);
        int64_t instant = local - offset;
        if (change == INT64_MAX || instant < change * MS_PER_SECOND)
            return instant;
        at = change * MS_PER_SECOND - 1;
        /* Step over the change with the new offset: the minute at the change itself may match. */
        int64_t new_offset = offset_ms(zone, at + 1);
        local = cron_next(cron, at + new_offset);
        if (local == at + 1 + new_offset)
            return at + 1;
        at = at + 1;
    }
    return INT64_MAX;
}

/* Fixed hours: each wall-clock time once, at its first instant, or behind the gap that swallowed
 * it. */
static int64_t next_by_clock(const struct cron *cron, const struct zone *zone, int64_t after_ms)
{
    int64_t local = after_ms + offset_ms(zone, after_ms);
    /* A time swallowed by a gap that ends after `after_ms` stands before it on the clock. */
    local -= 3 * MS_PER_HOUR;
    for (;;) {
        local = cron_next(cron, local);
        if (local == INT64_MAX)
            return INT64_MAX;
        int64_t instants[2];
        (void)zone_instants(zone, local / MS_PER_SECOND, instants);
        if (instants[0] > after_ms / MS_PER_SECOND || instants[0] * MS_PER_SECOND > after_ms)
            return instants[0] * MS_PER_SECOND;
    }
}

static int64_t cron_after(const struct cron *cron, const struct zone *zone, int64_t after_ms)
{
    if (zone == NULL)
        return cron_next(cron, after_ms);
    return cron->every_hour ? next_in_stretches(cron, zone, after_ms)
                            : next_by_clock(cron, zone, after_ms);
}

/* ---- ticks: the bare points in time of a schedule -------------------------------------------- */

static int64_t at_after(const struct value *list, int64_t after_ms)
{
    for (uint32_t i = 0; i < list->count; i++) {
        int64_t ms;
        bool has_zone;
        if (civil_parse(value_text(list->items[i], STR_EMPTY), &ms, &has_zone) == 0 &&
            ms > after_ms)
            return ms;
    }
    return INT64_MAX;
}

static int64_t every_after(const struct timetable *t, int64_t after_ms)
{
    int64_t anchor = t->start_ms == INT64_MIN ? 0 : t->start_ms;
    if (after_ms < anchor && t->start_ms != INT64_MIN)
        return anchor;
    int64_t since = after_ms - anchor;
    int64_t steps = since / t->every_ms - (since % t->every_ms < 0 ? 1 : 0);
    return anchor + (steps + 1) * t->every_ms;
}

static int64_t tick_after(const struct timetable *t, int64_t after_ms)
{
    int64_t best = INT64_MAX;
    switch (t->kind) {
    case TIMETABLE_CRON:
        for (uint32_t i = 0; i < t->cron_count; i++) {
            int64_t tick = cron_after(&t->crons[i], t->zone, after_ms);
            if (tick < best)
                best = tick;
        }
        return best;
    case TIMETABLE_EVERY:
        return every_after(t, after_ms);
    case TIMETABLE_AT:
        return at_after(t->at, after_ms);
    case TIMETABLE_ONCE:
    case TIMETABLE_CONTINUOUS:
    case TIMETABLE_NONE:
        break;
    }
    return INT64_MAX;
}

/* The last tick before `before_ms`, found by looking back in doubling steps; INT64_MIN if there is
 * none within 50 years. */
static int64_t tick_before(const struct timetable *t, int64_t before_ms)
{
    for (int64_t back = MS_PER_MINUTE; back < 50 * 366 * MS_PER_DAY; back *= 2) {
        int64_t tick = tick_after(t, before_ms - back - 1);
        if (tick >= before_ms)
            continue;
        for (int64_t next = tick_after(t, tick); next < before_ms; next = tick_after(t, tick))
            tick = next;
        return tick;
    }
    return INT64_MIN;
}

static struct firing firing_at(const struct timetable *t, int64_t tick)
{
    struct firing firing = { tick, tick, tick, tick };
    if (t->interval) {
        firing.interval_start_ms = tick_before(t, tick);
        firing.logical_ms = firing.interval_start_ms;
    }
    return firing;
}

bool timetable_next(const struct timetable *t, int64_t after_ms, struct firing *out)
{
    if (t->kind == TIMETABLE_ONCE) {
        int64_t tick = t->start_ms == INT64_MIN ? 0 : t->start_ms;
        *out = firing_at(t, tick);
        return after_ms < tick;
    }
    /* The first logical date that counts is start_ms itself. */
    if (t->start_ms != INT64_MIN && after_ms < t->start_ms - 1)
        after_ms = t->start_ms - 1;
    for (;;) {
        int64_t tick = tick_after(t, after_ms);
        if (tick == INT64_MAX)
            return false;
        *out = firing_at(t, tick);
        if (t->end_ms != INT64_MAX && out->logical_ms > t->end_ms)
            return false;
        if (t->start_ms == INT64_MIN || out->logical_ms >= t->start_ms)
            return true;
        after_ms = tick;
    }
}

bool timetable_latest(const struct timetable *t, int64_t after_ms, int64_t now_ms,
                      struct firing *out)
{
    if (t->kind == TIMETABLE_ONCE || t->kind == TIMETABLE_NONE || t->kind == TIMETABLE_CONTINUOUS)
        return timetable_next(t, after_ms, out) && out->fire_ms <= now_ms;
    int64_t tick = tick_before(t, now_ms + 1);
    if (tick == INT64_MIN || tick <= after_ms)
        return false;
    *out = firing_at(t, tick);
    if (t->start_ms != INT64_MIN && out->logical_ms < t->start_ms)
        return false;
    if (t->end_ms != INT64_MAX &&
        out->logical_ms > t->end_ms) /* the last one inside is the latest */
        return timetable_next(t, after_ms, out) && out->fire_ms <= now_ms;
    return true;
}
