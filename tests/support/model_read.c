// SPDX-License-Identifier: Apache-2.0
/* What is read back from the rows of model_store: recovery, and the answers to questions. */
#include "tests/support/model_store.h"

#include "common/base/assert.h"
#include "common/text/json.h"

enum { LENGTHS_READ = 20 };

static struct str output_of(const struct model_run *run, uint32_t task, int32_t map_index)
{
    VEC_EACH (&run->outputs, i)
        if (run->outputs.items[i].task == task && run->outputs.items[i].map_index == map_index)
            return run->outputs.items[i].json;
    return STR_EMPTY;
}

/* The newest row of each instance, in order of task and map index, as the statement gives them. */
static uint32_t tries_collect(const struct model_run *run, struct recovered_try *out)
{
    uint32_t count = 0;
    VEC_EACH (&run->tries, i) {
        const struct model_try *row = &run->tries.items[i];
        if (model_store_newest(run, row->row.task, row->row.map_index) != row)
            continue;
        uint16_t base = 0;
        VEC_EACH (&run->tries, k)
            if (run->tries.items[k].cleared && run->tries.items[k].row.task == row->row.task &&
                run->tries.items[k].row.map_index == row->row.map_index &&
                run->tries.items[k].row.try_no > base)
                base = run->tries.items[k].row.try_no;
        uint32_t at = count++;
        for (; at > 0 &&
               (out[at - 1].task > row->row.task ||
                (out[at - 1].task == row->row.task && out[at - 1].map_index > row->row.map_index));
             at--)
            out[at] = out[at - 1];
        out[at] = (struct recovered_try) {
            .task = row->row.task,
            .map_index = row->row.map_index,
            .try_no = row->row.try_no,
            .try_base = base,
            .infra_tries = row->row.infra_tries,
            .row_no = row->row.row_no,
            .state = row->row.state,
            .cause = row->row.cause,
            .cleared = row->cleared,
            .attempt = row->row.attempt,
            .worker_no = row->row.worker_no,
            .credit = row->row.credit,
            .queued_wall_ms = row->row.queued_ms,
            .started_wall_ms = row->row.started_ms,
            .ended_wall_ms = row->row.ended_ms,
            .retry_wall_ms = row->row.retry_ms,
            .output = row->row.state == TASK_SUCCESS
                          ? output_of(run, row->row.task, row->row.map_index)
                          : STR_EMPTY,
        };
    }
    return count;
}

static struct recovered_run row_of(const struct model_run *run, struct arena *arena)
{
    struct recovered_try *tries = ARENA_ARRAY(arena, struct recovered_try, run->tries.count);
    struct recovered_expansion *expansions =
        ARENA_ARRAY(arena, struct recovered_expansion, run->expansions.count);
    VEC_EACH (&run->expansions, i)
        expansions[i] = (struct recovered_expansion) { run->expansions.items[i].task,
                                                       run->expansions.items[i].items };
    struct recovered_run row = {
        .run_no = run->row.run_no,
        .dag_no = run->row.dag_no,
        .version_no = run->row.version_no,
        .run_id = run->row.run_id,
        .state = run->row.state,
        .cause = run->row.cause,
        .type = run->row.type,
        .has_logical = run->row.has_logical,
        .logical_ms = run->row.logical_ms,
        .interval_start_ms = run->row.interval_start_ms,
        .interval_end_ms = run->row.interval_end_ms,
        .run_after_ms = run->row.run_after_ms,
        .queued_wall_ms = run->row.queued_ms,
        .started_wall_ms = run->row.started_ms,
        .ended_wall_ms = run->row.ended_ms,
        .conf = run->row.conf,
        .tries = tries,
        .expansions = expansions,
        .expansion_count = run->expansions.count,
    };
    row.try_count = tries_collect(run, tries);
    return row;
}

static void feed_run(const struct model_run *run, void *owner,
                     void (*feed)(void *, struct core_event *))
{
    struct arena scratch = { 0 };
    struct recovered_run row = row_of(run, &scratch);
    feed(owner, &(struct core_event) { .type = CORE_RUN_RECOVERED, .run = &row });
    arena_clear(&scratch);
}

static const struct model_run *run_before(const struct model_store *store,
                                          const struct core_find *find)
{
    const struct model_run *found = NULL;
    VEC_EACH (&store->runs, i) {
        const struct model_run *run = &store->runs.items[i];
        bool fits = !run->deleted && run->row.dag_no == find->dag_no && run->row.has_logical &&
                    run->row.logical_ms <= find->logical_ms &&
                    (!find->scheduled || run->row.type == RUN_SCHEDULED);
        if (fits &&
            (found == NULL || run->row.logical_ms > found->row.logical_ms ||
             (run->row.logical_ms == found->row.logical_ms && run->row.run_no > found->row.run_no)))
            found = run;
    }
    return found;
}

/* As dated_runs: in order of their numbers, which is the order of the rows. */
static void find_dates(const struct model_store *store, const struct core_find *find,
                       struct arena *scratch, struct core_event *event)
{
    struct dated_run *runs = ARENA_ARRAY(scratch, struct dated_run, store->runs.count);
    event->found.dates = runs;
    VEC_EACH (&store->runs, i) {
        const struct model_run *run = &store->runs.items[i];
        bool fits = !run->deleted && run->row.dag_no == find->dag_no && run->row.has_logical;
        for (uint32_t k = 0; fits && k < find->date_count; k++)
            if (find->dates[k] == run->row.logical_ms)
                runs[event->found.date_count++] =
                    (struct dated_run) { run->row.run_no, run->row.logical_ms, run->row.state };
    }
}

void model_store_find(struct model_store *store, const struct core_find *find, bool failed,
                      void *owner, void (*feed)(void *, struct core_event *))
{
    struct arena scratch = { 0 };
    struct recovered_run row;
    struct core_event event = { .type = CORE_FOUND, .found = { .find = *find, .failed = failed } };
    bool is_of_dates = find->what == FIND_DATES;
    const struct model_run *run = failed || is_of_dates ? NULL : run_before(store, find);
    if (run != NULL) {
        row = row_of(run, &scratch);
        event.found.run = &row;
    }
    if (is_of_dates && !failed)
        find_dates(store, find, &scratch, &event);
    feed(owner, &event);
    arena_clear(&scratch);
}

static void feed_dag(struct model_store *store, const struct model_version *version, void *owner,
                     void (*feed)(void *, struct core_event *))
{
    const struct model_dag *row = model_store_dag_row(store, version->dag_no);
    struct dag *dag = NULL;
    int rc = dag_from_json(version->ir, &dag, NULL);
    ASSERT(rc == 0);
    feed(owner, &(struct core_event) { .type = CORE_DAG,
                                       .dag = { .dag_no = version->dag_no,
                                                .version_no = version->version_no,
                                                .dag = dag,
                                                .paused = row->paused,
                                                .newest = row->version_no == version->version_no,
                                                .has_last = row->has_last,
                                                .last_fire_ms = row->last_fire_ms } });
}

/* The newest of its DAG, and with which a live run goes on. */
static bool version_is_wanted(struct model_store *store, const struct model_version *version)
{
    const struct model_dag *dag = model_store_dag_row(store, version->dag_no);
    bool wanted = dag->version_no == version->version_no;
    VEC_EACH (&store->runs, i) {
        const struct model_run *run = &store->runs.items[i];
        wanted |= !run->deleted && !run_state_is_final(run->row.state) &&
                  run->row.version_no == version->version_no;
    }
    return wanted && !dag->deleted;
}

/* The last one that took it. */
static const struct model_backfill *backfill_of_run(const struct model_store *store, int64_t run_no)
{
    const struct model_backfill *found = NULL;
    VEC_EACH (&store->backfills, i)
        VEC_EACH (&store->backfills.items[i].dates, k)
            if (store->backfills.items[i].dates.items[k].backfill_run.run_no == run_no &&
                (found == NULL ||
                 store->backfills.items[i].row.backfill_no > found->row.backfill_no))
                found = &store->backfills.items[i];
    return found;
}

static void feed_event(const struct model_store *store, const struct model_kept *kept, void *owner,
                       void (*feed)(void *, struct core_event *))
{
    VEC_EACH (&store->events, i)
        if (store->events.items[i].event_no == kept->event_no)
            feed(owner, &(struct core_event) {
                            .type = CORE_ASSET_RECOVERED,
                            .asset = &(struct recovered_event) { kept->dag_no, kept->event_no,
                                                                 store->events.items[i].asset } });
}

/* The schedule may yet come to that date: no interval is longer than a year. */
static bool date_matters(const struct model_dag *dag, int64_t date_ms)
{
    return !dag->has_last || date_ms > dag->last_fire_ms - 366LL * 86400000;
}

static void feed_backfill(struct model_store *store, const struct model_backfill *backfill,
                          void *owner, void (*feed)(void *, struct core_event *))
{
    struct arena scratch = { 0 };
    const struct model_dag *dag = model_store_dag_row(store, backfill->row.dag_no);
    int64_t *run_nos = ARENA_ARRAY(&scratch, int64_t, backfill->dates.count);
    int64_t *dates = ARENA_ARRAY(&scratch, int64_t, backfill->dates.count);
    uint32_t count = 0, date_count = 0;
    bool has_live = false;
    VEC_EACH (&backfill->dates, i) {
        const typeof(((struct record *)0)->backfill_run) *date =
            &backfill->dates.items[i].backfill_run;
        const struct model_run *run = model_store_run(store, date->run_no);
        if (run != NULL && date_matters(dag, date->logical_ms))
            dates[date_count++] = date->logical_ms;
        if (run == NULL || run->deleted || run_state_is_final(run->row.state))
            continue;
        has_live = true;
        if (backfill_of_run(store, run->row.run_no) == backfill)
            run_nos[count++] = run->row.run_no;
    }
    if (backfill->row.ended_ms == 0 || has_live || date_matters(dag, backfill->row.to_ms))
        feed(owner,
             &(struct core_event) { .type = CORE_BACKFILL_RECOVERED,
                                    .backfill = &(struct recovered_backfill) {
                                        backfill->row, run_nos, count, dates, date_count } });
    arena_clear(&scratch);
}

/* Of the newest version, as the statement asks. */
static bool lengths_are_wanted(struct model_store *store, int32_t dag_no)
{
    const struct model_dag *dag = model_store_dag_row(store, dag_no);
    VEC_EACH (&store->versions, i)
        if (store->versions.items[i].version_no == dag->version_no)
            return store->versions.items[i].wants_lengths && !dag->deleted;
    return false;
}

static bool is_success(const struct model_run *run, int32_t dag_no)
{
    return !run->deleted && run->row.dag_no == dag_no && run->row.state == RUN_SUCCESS &&
           run->row.ended_ms != 0;
}

/* How long it took, if it is one of the last runs of its DAG that succeeded. */
static void feed_length(struct model_store *store, const struct model_run *run, void *owner,
                        void (*feed)(void *, struct core_event *))
{
    const struct run_row *row = &run->row;
    uint32_t later = 0;
    if (!is_success(run, row->dag_no) || !lengths_are_wanted(store, row->dag_no))
        return;
    VEC_EACH (&store->runs, i)
        later += is_success(&store->runs.items[i], row->dag_no) &&
                 store->runs.items[i].row.run_no > row->run_no;
    if (later < LENGTHS_READ)
        feed(owner,
             &(struct core_event) { .type = CORE_LENGTH,
                                    .length = { row->dag_no, row->ended_ms - row->queued_ms } });
}

void model_store_recover(struct model_store *store, void *owner,
                         void (*feed)(void *, struct core_event *))
{
    VEC_EACH (&store->workers, i)
        feed(owner, &(struct core_event) { .type = CORE_WORKER_RECOVERED,
                                           .worker = { store->workers.items[i].worker.worker_no,
                                                       store->workers.items[i].worker.worker,
                                                       store->workers.items[i].worker.state } });
    VEC_EACH (&store->versions, i)
        if (version_is_wanted(store, &store->versions.items[i]))
            feed_dag(store, &store->versions.items[i], owner, feed);
    VEC_EACH (&store->kept, i)
        if (store->kept.items[i].run_no == 0)
            feed_event(store, &store->kept.items[i], owner, feed);
    VEC_EACH (&store->backfills, i)
        feed_backfill(store, &store->backfills.items[i], owner, feed);
    VEC_EACH (&store->runs, i)
        feed_length(store, &store->runs.items[i], owner, feed);
    VEC_EACH (&store->runs, i)
        if (!store->runs.items[i].deleted && !run_state_is_final(store->runs.items[i].row.state))
            feed_run(&store->runs.items[i], owner, feed);
    VEC_EACH (&store->notifications, i) {
        const struct notification_row *row = &store->notifications.items[i];
        const struct model_run *run = model_store_run(store, row->run_no);
        bool lives = run != NULL && !run->deleted && !run_state_is_final(run->row.state);
        if (row->state == NOTIFICATION_PENDING || (lives && str_is(row->event, "on_deadline")))
            feed(owner, &(struct core_event) { .type = CORE_NOTIFICATION, .notification = row });
    }
}

static enum task_state whole_state(const struct model_run *run, int32_t task)
{
    uint32_t good = 0, all = 0;
    VEC_EACH (&run->tries, i) {
        const struct model_try *row = &run->tries.items[i];
        if (row->row.task != (uint32_t)task ||
            model_store_newest(run, row->row.task, row->row.map_index) != row)
            continue;
        all++;
        good += !row->cleared && row->row.state == TASK_SUCCESS;
    }
    return all > 0 && good == all ? TASK_SUCCESS : TASK_NONE;
}

bool model_store_updated(const struct model_store *store, struct str payload)
{
    struct arena arena = { 0 };
    const struct value *map = NULL;
    bool found = false;
    int rc = json_parse(&arena, payload, NULL, &map, NULL);
    ASSERT(rc == 0);
    VEC_EACH (&store->events, i)
        found |=
            str_eq(store->events.items[i].asset, value_text(value_get(map, "asset"), STR_EMPTY)) &&
            store->events.items[i].at_ms >= value_integer(value_get(map, "since_ms"), 0);
    arena_clear(&arena);
    return found;
}

bool model_store_succeeded(struct model_store *store, struct str payload)
{
    struct arena arena = { 0 };
    const struct value *map = NULL;
    int64_t logical_ms = 0;
    bool found = false;
    int rc = json_parse(&arena, payload, NULL, &map, NULL);
    ASSERT(rc == 0);
    struct str task_id = value_text(value_get(map, "task_id"), STR_EMPTY);
    rc = str_to_int(value_text(value_get(map, "logical_ms"), STR_EMPTY), INT64_MIN, INT64_MAX,
                    &logical_ms);
    ASSERT(rc == 0);
    VEC_EACH (&store->versions, v) {
        struct dag *dag = NULL;
        rc = dag_from_json(store->versions.items[v].ir, &dag, NULL);
        ASSERT(rc == 0);
        int32_t task = dag_find_task(dag, task_id);
        bool is_it = str_eq(dag->id, value_text(value_get(map, "dag_id"), STR_EMPTY));
        for (uint32_t i = 0; is_it && i < store->runs.count; i++) {
            const struct model_run *run = &store->runs.items[i];
            if (run->deleted || run->row.version_no != store->versions.items[v].version_no ||
                !run->row.has_logical || run->row.logical_ms != logical_ms)
                continue;
            found |= task_id.size == 0 ? run->row.state == RUN_SUCCESS
                                       : task >= 0 && whole_state(run, task) == TASK_SUCCESS;
        }
        dag_free(dag);
    }
    arena_clear(&arena);
    return found;
}

bool model_store_recover_run(struct model_store *store, int32_t dag_no, struct str run_id,
                             void *owner, void (*feed)(void *, struct core_event *))
{
    VEC_EACH (&store->runs, i) {
        const struct model_run *run = &store->runs.items[i];
        if (run->deleted || !run->has_name || run->row.dag_no != dag_no ||
            !str_eq(run->row.run_id, run_id))
            continue;
        feed_run(run, owner, feed);
        return true;
    }
    return false;
}
