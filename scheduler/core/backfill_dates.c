// SPDX-License-Identifier: Apache-2.0
/* backfill_dates - the dates of a backfill, and the dry run, which only tells them: it goes through
 * the same firings, but asks the database about many at once. */
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

enum { LISTED_MAX = 10000, ASKED_AT_ONCE = 2000 };

/* The DAG's schedule without its bounds: a backfill may begin before start_date. Fixed distances
 * keep their phase. */
static struct timetable unbounded(const struct core *core, const struct backfill *backfill)
{
    struct timetable t = core->dags.items[backfill->dag].timetable;
    int64_t early_ms = backfill->row.from_ms - 2 * t.every_ms;
    t.end_ms = INT64_MAX;
    if (t.kind != TIMETABLE_EVERY || t.start_ms == INT64_MIN)
        t.start_ms = INT64_MIN;
    else if (t.start_ms > early_ms)
        t.start_ms -= ((t.start_ms - early_ms) / t.every_ms + 1) * t.every_ms;
    return t;
}

/* What had not fired when it was asked for is none of its dates. */
static bool next_forwards(const struct backfill *backfill, const struct timetable *t,
                          struct firing *out)
{
    const struct backfill_row *row = &backfill->row;
    int64_t after_ms = row->has_cursor ? row->cursor_ms : row->from_ms - 1;
    while (timetable_next(t, after_ms, out) && out->logical_ms < row->from_ms)
        after_ms = out->fire_ms;
    return timetable_next(t, after_ms, out) && out->logical_ms <= row->to_ms &&
           out->fire_ms <= row->created_ms;
}

static bool next_backwards(const struct backfill *backfill, const struct timetable *t,
                           struct firing *out)
{
    const struct backfill_row *row = &backfill->row;
    int64_t last_ms = row->cursor_ms - 1;
    if (!row->has_cursor && timetable_next(t, row->to_ms, out))
        last_ms = out->fire_ms < row->created_ms ? out->fire_ms : row->created_ms;
    while (timetable_latest(t, INT64_MIN, last_ms, out) && out->logical_ms > row->to_ms)
        last_ms = out->fire_ms - 1;
    return timetable_latest(t, INT64_MIN, last_ms, out) && out->logical_ms >= row->from_ms;
}

bool backfill_next_date(const struct core *core, const struct backfill *backfill,
                        struct firing *out)
{
    const struct dag_entry *dag = &core->dags.items[backfill->dag];
    if (!dag->has_timetable)
        return false;
    struct timetable t = unbounded(core, backfill);
    return backfill->row.backwards ? next_backwards(backfill, &t, out)
                                   : next_forwards(backfill, &t, out);
}

bool backfill_wants_again(const struct backfill *backfill, enum run_state state)
{
    return run_state_is_final(state) &&
           (backfill->row.reprocess == REPROCESS_COMPLETED ||
            (backfill->row.reprocess == REPROCESS_FAILED && state == RUN_FAILED));
}

/* ---- dry runs -------------------------------------------------------------------------------- */

static struct str dates_text(struct core *core, const struct backfill *backfill)
{
    struct value *map = value_map(&core->step), *list = value_list(&core->step);
    VEC_EACH (&backfill->dates, i)
        value_add(&core->step, list,
                  value_string(&core->step, context_time(&core->step, backfill->dates.items[i])));
    value_put(&core->step, map, STR("count"), value_int(&core->step, backfill->date_count));
    value_put(&core->step, map, STR("dates"), list);
    return json_text(&core->step, map);
}

/* The next dates, from where it stands. */
static void take_dates(struct core *core, struct backfill *backfill)
{
    struct firing firing;
    while (backfill->asked.count < ASKED_AT_ONCE && backfill_next_date(core, backfill, &firing)) {
        VEC_ADD(&backfill->asked, firing.logical_ms);
        backfill->row.has_cursor = true;
        backfill->row.cursor_ms = firing.fire_ms;
    }
}

bool backfill_ask_dates(struct core *core, struct backfill *backfill)
{
    if (backfill->asked.count == 0)
        take_dates(core, backfill);
    if (backfill->asked.count == 0) {
        write_request_done(core, backfill->row.backfill_no, 0, dates_text(core, backfill));
        return false;
    }
    backfill->asking = true;
    find_ask(core, (struct core_find) { .what = FIND_DATES,
                                        .number = backfill->row.backfill_no,
                                        .dag_no = core->dags.items[backfill->dag].dag_no,
                                        .logical_ms = backfill->asked.items[0],
                                        .dates = backfill->asked.items,
                                        .date_count = backfill->asked.count });
    return true;
}

/* Which of the dates that were asked for have a run that is not wanted again. What is in memory is
 * newer than what was read, and what the database has not yet counts too. */
static void note_done(const struct core *core, const struct backfill *backfill,
                      const struct dated_run *found, uint32_t count, struct map *done)
{
    for (uint32_t i = 0; i < count; i++)
        if (!map_get(&core->deleted, (uint64_t)found[i].run_no, NULL))
            map_put(done, (uint64_t)found[i].logical_ms,
                    !backfill_wants_again(backfill, found[i].state));
    VEC_EACH (&core->runs, i) {
        const struct run *run = core->runs.items[i];
        if (run != NULL && run->dag == backfill->dag && run->has_logical)
            map_put(done, (uint64_t)run->logical_ms, !backfill_wants_again(backfill, run->state));
    }
}

/* An answer about other dates is one that came late. */
void backfill_dates_found(struct core *core, const struct core_find *find,
                          const struct dated_run *found, uint32_t count)
{
    struct backfill *backfill = backfill_by_no(core, find->number);
    struct map done;
    if (backfill == NULL || backfill->asked.count == 0 ||
        backfill->asked.items[0] != find->logical_ms)
        return;
    map_init(&done);
    note_done(core, backfill, found, count, &done);
    VEC_EACH (&backfill->asked, i) {
        uint64_t is_done = false;
        (void)map_get(&done, (uint64_t)backfill->asked.items[i], &is_done);
        if (!is_done && backfill->date_count++ < LISTED_MAX)
            VEC_ADD(&backfill->dates, backfill->asked.items[i]);
    }
    map_clear(&done);
    VEC_RESET(&backfill->asked);
    backfill_again(core, find->number);
}
