// SPDX-License-Identifier: Apache-2.0
/* backfill - runs for a range of past dates, a few at a time. It goes through the firings of the
 * DAG's schedule one by one (backfill_dates.c); for each it asks the database whether that date has
 * a run. Where it stands is written with what it did, so that a date is never done twice, whoever
 * leads. Its runs count against its own limit and not against the DAG's. */
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

enum { RETRY_MS = 1000 };

struct backfill *backfill_by_no(const struct core *core, int64_t backfill_no)
{
    VEC_EACH (&core->backfills, i)
        if (core->backfills.items[i]->row.backfill_no == backfill_no)
            return core->backfills.items[i];
    return NULL;
}

static struct backfill *backfill_add(struct core *core, const struct backfill_row *row,
                                     uint32_t dag)
{
    struct backfill *backfill = calloc(1, sizeof *backfill);
    ASSERT(backfill != NULL);
    backfill->row = *row;
    backfill->dag = dag;
    backfill->row.conf = str_copy(&backfill->arena, row->conf);
    backfill->row.triggered_by = str_copy(&backfill->arena, row->triggered_by);
    if (json_parse(&backfill->arena, backfill->row.conf, NULL, &backfill->conf, NULL) < 0)
        backfill->conf = NULL;
    VEC_ADD(&core->backfills, backfill);
    return backfill;
}

void backfill_free(struct backfill *backfill)
{
    VEC_CLEAR(&backfill->runs);
    VEC_CLEAR(&backfill->dates);
    VEC_CLEAR(&backfill->asked);
    arena_clear(&backfill->arena);
    free(backfill);
}

static void forget(struct core *core, struct backfill *backfill)
{
    uint32_t at = 0;
    while (core->backfills.items[at] != backfill)
        at++;
    memmove(&core->backfills.items[at], &core->backfills.items[at + 1],
            (core->backfills.count - at - 1) * sizeof *core->backfills.items);
    core->backfills.count--;
    backfill_free(backfill);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void write_row(struct core *core, const struct backfill *backfill)
{
    struct arena *arena = batch_arena(core);
    VEC_ADD(&core->open->writes,
            (struct record) { .type = WRITE_BACKFILL, .backfill = backfill->row });
    struct backfill_row *row = &VEC_LAST(&core->open->writes).backfill;
    row->conf = str_copy(arena, row->conf);
    row->triggered_by = str_copy(arena, row->triggered_by);
}

/* run_no 0: the date got no run, for this reason. */
static void write_date(struct core *core, const struct backfill *backfill, int64_t logical_ms,
                       int64_t run_no, const char *reason)
{
    VEC_ADD(&core->open->writes, (struct record) { .type = WRITE_BACKFILL_RUN });
    struct record *record = &VEC_LAST(&core->open->writes);
    record->backfill_run.backfill_no = backfill->row.backfill_no;
    record->backfill_run.logical_ms = logical_ms;
    record->backfill_run.run_no = run_no;
    record->backfill_run.reason = str_clean(batch_arena(core), str_of(reason));
}

/* ---- going on -------------------------------------------------------------------------------- */

static void finish(struct core *core, struct backfill *backfill)
{
    if (backfill->runs.count > 0)
        return;
    if (backfill->row.ended_ms == 0) {
        backfill->row.ended_ms = core->wall_ms;
        write_row(core, backfill);
    }
    forget(core, backfill);
}

/* Beyond the limit only one that a running run waits for: see past_awaited. */
static struct run *queued_run(const struct core *core, const struct backfill *backfill, bool full)
{
    VEC_EACH (&backfill->runs, i) {
        struct run *run = run_by_no(core, backfill->runs.items[i]);
        if (run != NULL && run->state == RUN_QUEUED && (!full || past_is_awaited(core, run)))
            return run;
    }
    return NULL;
}

static bool has_room(struct core *core, const struct backfill *backfill)
{
    if (core->runs_live < core->limits.runs_max && !batch_is_full(core))
        return true;
    timer_set(core, core->now_ms + RETRY_MS,
              (struct timer) { .kind = TIMER_FIND,
                               .index = FIND_BACKFILL,
                               .number = backfill->row.backfill_no });
    return false;
}

/* One thing; true: there may be more. The backfill may be gone afterwards. */
static bool go_on(struct core *core, struct backfill *backfill)
{
    const struct dag_entry *dag = &core->dags.items[backfill->dag];
    struct firing firing;
    bool ended = backfill->row.ended_ms != 0;
    if (backfill->dry) {
        if (!backfill_ask_dates(core, backfill))
            forget(core, backfill);
        return false;
    }
    bool stands = backfill->row.paused || dag->paused || dag->version == NONE;
    bool full =
        backfill->active >= (uint32_t)backfill->row.max_active_runs && !MUTANT(CORE_BACKFILL_LIMIT);
    struct run *run = queued_run(core, backfill, full);
    if (run != NULL && !stands) {
        run_start(core, run);
        return true;
    }
    if (!ended && (stands || full))
        return false;
    if (ended || !backfill_next_date(core, backfill, &firing)) {
        finish(core, backfill);
        return false;
    }
    if (!has_room(core, backfill))
        return false;
    backfill->asking = true;
    find_ask(core, (struct core_find) { .what = FIND_BACKFILL,
                                        .number = backfill->row.backfill_no,
                                        .dag_no = dag->dag_no,
                                        .logical_ms = firing.logical_ms });
    return false;
}

void backfill_check(struct core *core, int64_t backfill_no)
{
    for (;;) {
        struct backfill *backfill = core->deciding ? backfill_by_no(core, backfill_no) : NULL;
        if (backfill == NULL || backfill->asking || !go_on(core, backfill))
            return;
    }
}

void backfills_check(struct core *core, const struct dag_entry *dag)
{
    for (uint32_t i = core->backfills.count; i-- > 0;)
        if (i < core->backfills.count && core->backfills.items[i]->dag == dag_index(core, dag))
            backfill_check(core, core->backfills.items[i]->row.backfill_no);
}

/* ---- one date -------------------------------------------------------------------------------- */

/* What the database has not yet counts too. */
static struct run *run_of_date(const struct core *core, const struct backfill *backfill,
                               int64_t logical_ms, struct run *found)
{
    if (MUTANT(CORE_BACKFILL_TWICE))
        return NULL;
    if (found != NULL && found->has_logical && found->logical_ms == logical_ms)
        return found;
    VEC_EACH (&core->runs, i) {
        struct run *run = core->runs.items[i];
        if (run != NULL && run->dag == backfill->dag && run->has_logical &&
            run->logical_ms == logical_ms)
            return run;
    }
    return NULL;
}

static void make_run(struct core *core, struct backfill *backfill, const struct firing *firing)
{
    struct run *run = NULL;
    struct err err = { 0 };
    struct run_wish wish = { .dag = backfill->dag,
                             .run_id = STR_EMPTY,
                             .type = RUN_BACKFILL,
                             .has_logical = true,
                             .logical_ms = firing->logical_ms,
                             .interval_start_ms = firing->interval_start_ms,
                             .interval_end_ms = firing->interval_end_ms,
                             .run_after_ms = firing->fire_ms,
                             .conf = backfill->conf,
                             .triggered_by = backfill->row.triggered_by,
                             .note = STR_EMPTY,
                             .cause = CAUSE_REQUESTED,
                             .backfill_no = backfill->row.backfill_no };
    date_take(&core->dags.items[backfill->dag], firing->logical_ms);
    if (run_create(core, &wish, &run, &err) < 0)
        write_date(core, backfill, firing->logical_ms, 0, err.sentence);
}

static void do_date(struct core *core, struct backfill *backfill, const struct firing *firing,
                    struct run *run)
{
    if (run == NULL) {
        make_run(core, backfill, firing);
    } else if (backfill_wants_again(backfill, run->state)) {
        backfill_take(core, run, backfill->row.backfill_no);
        run_clear(core, run);
    } else {
        write_date(core, backfill, firing->logical_ms, 0,
                   run_state_is_final(run->state) ? "already exists" : "in flight");
    }
}

/* An answer about another date is one that came late. */
void backfill_found(struct core *core, int64_t backfill_no, int64_t logical_ms, struct run *found)
{
    struct backfill *backfill = backfill_by_no(core, backfill_no);
    struct firing firing;
    if (backfill == NULL || !backfill->asking)
        return;
    bool is_there = backfill_next_date(core, backfill, &firing);
    if (is_there && firing.logical_ms != logical_ms)
        return;
    backfill->asking = false;
    if (is_there && backfill->row.ended_ms == 0) {
        struct run *run = run_of_date(core, backfill, firing.logical_ms, found);
        backfill->row.has_cursor = true;
        backfill->row.cursor_ms = firing.fire_ms;
        write_row(core, backfill);
        do_date(core, backfill, &firing, run);
    }
    backfill_check(core, backfill_no);
}

void backfill_again(struct core *core, int64_t backfill_no)
{
    struct backfill *backfill = backfill_by_no(core, backfill_no);
    if (backfill == NULL)
        return;
    backfill->asking = false;
    backfill_check(core, backfill_no);
}

/* ---- its runs -------------------------------------------------------------------------------- */

void backfill_take(struct core *core, struct run *run, int64_t backfill_no)
{
    struct backfill *backfill = backfill_by_no(core, backfill_no);
    run->backfill_no = backfill_no;
    if (backfill == NULL)
        return;
    VEC_ADD(&backfill->runs, run->run_no);
    write_date(core, backfill, run->logical_ms, run->run_no, "");
}

bool backfill_count(struct core *core, const struct run *run, int by)
{
    struct backfill *backfill = backfill_by_no(core, run->backfill_no);
    if (backfill == NULL)
        return false;
    backfill->active += (uint32_t)by;
    return true;
}

/* Ended, or deleted. */
void backfill_left(struct core *core, struct run *run)
{
    struct backfill *backfill = backfill_by_no(core, run->backfill_no);
    run->backfill_no = 0;
    if (backfill == NULL)
        return;
    for (uint32_t i = 0; i < backfill->runs.count; i++)
        if (backfill->runs.items[i] == run->run_no)
            backfill->runs.items[i] = backfill->runs.items[--backfill->runs.count];
    backfill_check(core, backfill->row.backfill_no);
}

/* ---- asked for ------------------------------------------------------------------------------- */

static struct str conf_text(struct core *core, const struct value *conf)
{
    return conf != NULL && conf->type == VALUE_MAP ? json_text(&core->step, conf) : STR("{}");
}

static int check_wish(struct core *core, const struct request *request, const struct dag_entry *dag,
                      struct err *err)
{
    const struct value *params = NULL;
    if (dag->gone || dag->version == NONE)
        return err_set(err, ERR_CONFLICT, "the file of DAG %.*s is gone", STR_ARG(dag->id));
    if (!dag->has_timetable || dag->timetable.kind == TIMETABLE_ONCE ||
        dag->timetable.kind == TIMETABLE_CONTINUOUS)
        return err_set(err, ERR_UNPROCESSABLE, "DAG %.*s has no schedule that gives dates",
                       STR_ARG(dag->id));
    if (request->from_ms > request->to_ms)
        return err_set(err, ERR_UNPROCESSABLE, "from_date is after to_date");
    if (request->from_ms > core->wall_ms)
        return err_set(err, ERR_UNPROCESSABLE, "a backfill cannot begin in the future");
    if (request->max_active_runs < 1)
        return err_set(err, ERR_UNPROCESSABLE, "max_active_runs is at least 1");
    if (request->backwards && core->versions.items[dag->version].reads_past)
        return err_set(err, ERR_UNPROCESSABLE,
                       "DAG %.*s has tasks with depends_on_past: its runs cannot go backwards",
                       STR_ARG(dag->id));
    for (uint32_t i = 0; i < core->backfills.count && !request->dry_run; i++)
        if (core->backfills.items[i]->dag == dag_index(core, dag) &&
            !core->backfills.items[i]->dry && core->backfills.items[i]->row.ended_ms == 0)
            return err_set(err, ERR_CONFLICT,
                           "DAG %.*s has a running backfill, number %lld: there can be only one",
                           STR_ARG(dag->id), (long long)core->backfills.items[i]->row.backfill_no);
    return dag_params(core->versions.items[dag->version].dag, request->conf, &core->step, &params,
                      err);
}

int backfill_request(struct core *core, const struct request *request, const struct dag_entry *dag,
                     struct err *err)
{
    int rc = check_wish(core, request, dag, err);
    if (rc < 0)
        return rc;
    struct backfill_row row = { .backfill_no = request->request_no,
                                .dag_no = dag->dag_no,
                                .from_ms = request->from_ms,
                                .to_ms = request->to_ms,
                                .max_active_runs = request->max_active_runs,
                                .reprocess = request->reprocess,
                                .backwards = request->backwards,
                                .conf = conf_text(core, request->conf),
                                .triggered_by = request->actor,
                                .created_ms = core->wall_ms };
    struct backfill *backfill = backfill_add(core, &row, dag_index(core, dag));
    backfill->dry = request->dry_run;
    if (!backfill->dry) {
        struct value *map = value_map(&core->step);
        write_row(core, backfill);
        value_put(&core->step, map, STR("id"), value_int(&core->step, row.backfill_no));
        write_request_done(core, request->request_no, 0, json_text(&core->step, map));
    }
    backfill_check(core, row.backfill_no);
    return 0;
}

static void cancel(struct core *core, struct backfill *backfill)
{
    struct run *run;
    int64_t backfill_no = backfill->row.backfill_no;
    backfill->row.paused = true;
    backfill->row.ended_ms = core->wall_ms;
    write_row(core, backfill);
    while ((backfill = backfill_by_no(core, backfill_no)) != NULL &&
           (run = queued_run(core, backfill, false)) != NULL)
        run_force(core, run, RUN_FAILED, CAUSE_RUN_STOPPED);
    backfill_check(core, backfill_no);
}

int backfill_change(struct core *core, const struct request *request, struct err *err)
{
    struct backfill *backfill = backfill_by_no(core, request->backfill_no);
    if (backfill == NULL || backfill->dry || backfill->row.ended_ms != 0)
        return err_set(err, ERR_CONFLICT, "backfill %lld is completed already",
                       (long long)request->backfill_no);
    if (str_is(request->what, "cancel")) {
        cancel(core, backfill);
        return 0;
    }
    backfill->row.paused = str_is(request->what, "pause");
    write_row(core, backfill);
    backfill_check(core, request->backfill_no);
    return 0;
}

/* ---- recovered ------------------------------------------------------------------------------- */

void backfill_recover(struct core *core, const struct recovered_backfill *recovered)
{
    uint64_t dag = 0;
    if (!map_get(&core->dag_by_no, (uint64_t)recovered->row.dag_no, &dag))
        return;
    for (uint32_t i = 0; i < recovered->date_count; i++)
        date_take(&core->dags.items[dag], recovered->dates[i]);
    if (recovered->row.ended_ms != 0 && recovered->run_count == 0)
        return;
    struct backfill *backfill = backfill_add(core, &recovered->row, (uint32_t)dag);
    for (uint32_t i = 0; i < recovered->run_count; i++)
        VEC_ADD(&backfill->runs, recovered->run_nos[i]);
}

int64_t backfill_of_run(const struct core *core, int64_t run_no)
{
    VEC_EACH (&core->backfills, i)
        VEC_EACH (&core->backfills.items[i]->runs, k)
            if (core->backfills.items[i]->runs.items[k] == run_no)
                return core->backfills.items[i]->row.backfill_no;
    return 0;
}

void backfills_drop(struct core *core, uint32_t dag)
{
    for (uint32_t i = core->backfills.count; i-- > 0;)
        if (core->backfills.items[i]->dag == dag)
            forget(core, core->backfills.items[i]);
}
