// SPDX-License-Identifier: Apache-2.0
/* schedule - runs that time asks for. What has fired stands in the DAG's row, written with the run
 * it made: a point in time makes one run, whoever leads. */
#include "scheduler/core/core_calls.h"

bool dag_next_fire(const struct dag_entry *dag, int64_t after_ms, struct firing *out)
{
    return dag->has_timetable && timetable_next(&dag->timetable, after_ms, out);
}

enum {
    LATE_MS = 60000, /* a point in time that is longer ago is caught up on */
    CONTINUOUS_MS_MIN =
        1000, /* between two runs without a pause: those that end at once must not fill the day */
    RETRY_MS = 1000,
};

static void fired(struct dag_entry *dag, const struct firing *firing)
{
    dag->has_last = true;
    dag->last_fire_ms = firing->fire_ms;
}

static void fire(struct core *core, struct dag_entry *dag, const struct firing *firing,
                 enum cause cause)
{
    struct run_wish wish = { .dag = dag_index(core, dag),
                             .run_id = STR_EMPTY,
                             .type = RUN_SCHEDULED,
                             .has_logical = true,
                             .logical_ms = firing->logical_ms,
                             .interval_start_ms = firing->interval_start_ms,
                             .interval_end_ms = firing->interval_end_ms,
                             .run_after_ms = firing->fire_ms,
                             .triggered_by = STR("schedule"),
                             .note = STR_EMPTY,
                             .cause = cause };
    struct run *run = NULL;
    if (dag->timetable.kind == TIMETABLE_ONCE && firing->fire_ms == 0) /* once, and no start: now */
        wish.logical_ms = wish.interval_start_ms = wish.interval_end_ms = wish.run_after_ms =
            core->wall_ms;
    /* It fails when a live run has that name already: then that is the run of this point in time.
     */
    int rc = run_create(core, &wish, &run, NULL);
    (void)rc;
}

/* With catch-up every missed point makes a run, but no more wait at a time than may be active. */
static bool has_room(const struct core *core, const struct dag_entry *dag)
{
    return dag->queued_count < core->versions.items[dag->version].dag->max_active_runs &&
           core->runs_live < core->limits.runs_max && !batch_is_full(core);
}

static bool is_taken(const struct dag_entry *dag, int64_t logical_ms)
{
    VEC_EACH (&dag->taken, i)
        if (dag->taken.items[i] == logical_ms)
            return true;
    return false;
}

void date_take(struct dag_entry *dag, int64_t logical_ms)
{
    if (!is_taken(dag, logical_ms))
        VEC_ADD(&dag->taken, logical_ms);
}

/* What the schedule will not come to any more need not be remembered. */
static void taken_forget(struct dag_entry *dag)
{
    struct firing firing;
    uint32_t kept = 0;
    if (dag->taken.count == 0 ||
        !timetable_next(&dag->timetable, dag->has_last ? dag->last_fire_ms : INT64_MIN, &firing))
        return;
    VEC_EACH (&dag->taken, i)
        if (dag->taken.items[i] >= firing.logical_ms)
            dag->taken.items[kept++] = dag->taken.items[i];
    dag->taken.count = kept;
}

static bool due(struct core *core, struct dag_entry *dag, struct firing *out)
{
    const struct dag *model = core->versions.items[dag->version].dag;
    int64_t after_ms = dag->has_last ? dag->last_fire_ms : INT64_MIN;
    if (model->catchup)
        return dag_next_fire(dag, after_ms, out) && out->fire_ms <= core->wall_ms;
    return timetable_latest(&dag->timetable, after_ms, core->wall_ms, out);
}

/* A DAG that was never seen and has no start begins now: what is past counts as fired. */
static bool begin_now(struct core *core, struct dag_entry *dag)
{
    const struct dag *model = core->versions.items[dag->version].dag;
    if (dag->has_last || model->start_ms != INT64_MIN || dag->timetable.kind == TIMETABLE_ONCE ||
        dag->timetable.kind == TIMETABLE_CONTINUOUS || dag->timetable.kind == TIMETABLE_AT)
        return false;
    dag->has_last = true;
    dag->last_fire_ms = core->wall_ms;
    return true;
}

static void check_continuous(struct core *core, struct dag_entry *dag)
{
    const struct dag *model = core->versions.items[dag->version].dag;
    if (dag->queued_count + dag->active > 0 || core->wall_ms < model->start_ms ||
        core->wall_ms >= model->end_ms)
        return;
    int64_t earliest_ms = dag->has_last ? dag->last_fire_ms + CONTINUOUS_MS_MIN : core->wall_ms;
    if (core->wall_ms < earliest_ms) {
        timer_set_wall(core, earliest_ms,
                       (struct timer) { .kind = TIMER_SCHEDULE,
                                        .index = dag_index(core, dag),
                                        .number = dag->dag_no });
        return;
    }
    struct firing firing = { core->wall_ms, core->wall_ms, core->wall_ms, core->wall_ms };
    fired(dag, &firing);
    fire(core, dag, &firing, CAUSE_SCHEDULE);
    write_dag_state(core, dag);
}

static void next_timer_set(struct core *core, struct dag_entry *dag)
{
    int64_t soonest_ms = core->wall_ms + 1;
    dag->timer_wall_ms = dag->next.fire_ms > soonest_ms ? dag->next.fire_ms : soonest_ms;
    timer_set_wall(core, dag->timer_wall_ms,
                   (struct timer) { .kind = TIMER_SCHEDULE,
                                    .index = dag_index(core, dag),
                                    .number = dag->dag_no });
}

void schedule_check(struct core *core, struct dag_entry *dag)
{
    struct firing firing;
    if (!core->deciding || !dag->used || dag->paused || dag->gone || dag->version == NONE)
        return;
    asset_check(core, dag);
    if (!dag->has_timetable)
        return;
    if (dag->timetable.kind == TIMETABLE_CONTINUOUS) {
        check_continuous(core, dag);
        return;
    }
    bool changed = begin_now(core, dag);
    while (has_room(core, dag) && due(core, dag, &firing)) {
        bool late = firing.fire_ms + LATE_MS < core->wall_ms;
        fired(dag, &firing);
        if (!is_taken(dag, firing.logical_ms))
            fire(core, dag, &firing, late ? CAUSE_CATCH_UP : CAUSE_SCHEDULE);
        changed = true;
    }
    taken_forget(dag);
    if (core->runs_live >= core->limits.runs_max || batch_is_full(core))
        timer_set(core, core->now_ms + RETRY_MS,
                  (struct timer) { .kind = TIMER_SCHEDULE,
                                   .index = dag_index(core, dag),
                                   .number = dag->dag_no });
    int64_t after_ms = dag->has_last ? dag->last_fire_ms : core->wall_ms;
    struct firing before = dag->next;
    bool had_next = dag->has_next;
    dag->has_next = dag_next_fire(dag, after_ms, &dag->next);
    bool moved = dag->has_next && (!had_next || dag->next.fire_ms != before.fire_ms);
    if (moved || (dag->has_next && dag->timer_wall_ms <= core->wall_ms))
        next_timer_set(core, dag);
    if (changed || moved || (had_next && !dag->has_next))
        write_dag_state(core, dag);
}
