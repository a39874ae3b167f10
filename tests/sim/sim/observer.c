// SPDX-License-Identifier: Apache-2.0
/* The observer sees everything at once and knows what must never be. In a world whose database
 * loses commits only some of it can be asked: that no two processes of one instance live at the
 * same time, and that everything ends. */
#include "common/base/assert.h"
#include "common/model/trigger_rule.h"
#include "tests/sim/sim/world.h"

enum { SETUPS_MAX = 8 };

static const struct {
    const char *name;
    int32_t slots;
    bool include_deferred;
} pools[] = {
    { "p1", 2, true },
    { "p2", 1, false },
    { "default_pool", 128, false },
};

static const struct dag *dag_of(const struct world *world, const struct model_run *run)
{
    return world->dags.items[run->row.dag_no - 1];
}

static uint32_t instance_of(struct observer *observer, int64_t run_no, uint32_t task,
                            int32_t map_index)
{
    struct {
        int64_t run_no;
        uint32_t task;
        int32_t map_index;
    } key = { run_no, task, map_index };
    struct str bytes = { (const char *)&key, sizeof key };
    uint64_t index = observer->instances.count;
    if (map_get_str(&observer->instance_index, bytes, &index))
        return (uint32_t)index;
    map_put_str(&observer->instance_index, bytes, index);
    VEC_ADD(&observer->instances,
            (struct observed_instance) { .run_no = run_no, .task = task, .map_index = map_index });
    return (uint32_t)index;
}

static struct observed_attempt *attempt_of(struct observer *observer, struct id128 id)
{
    uint64_t index = 0;
    struct str bytes = { (const char *)&id, sizeof id };
    return map_get_str(&observer->attempt_index, bytes, &index) ? &observer->attempts.items[index]
                                                                : NULL;
}

/* A process of the instance, or of this attempt alone, that lives now. */
static const struct process *live_process(struct world *world, uint32_t instance,
                                          const struct id128 *attempt,
                                          const struct process *other_than)
{
    for (uint32_t w = 0; w < world->worker_count; w++) {
        const struct worker_node *node = &world->workers[w];
        VEC_EACH (&node->processes, i) {
            const struct process *process = &node->processes.items[i];
            if (process == other_than || !process_is_live(world, node, process) ||
                process->instance != instance)
                continue;
            if (attempt == NULL || id_eq(process->attempt, *attempt))
                return process;
        }
    }
    return NULL;
}

static uint64_t run_open_add(struct observer *observer, int64_t run_no, int by)
{
    uint64_t open = 0;
    (void)map_get(&observer->run_open, (uint64_t)run_no, &open);
    open += (uint64_t)(int64_t)by;
    map_put(&observer->run_open, (uint64_t)run_no, open);
    return open;
}

static bool is_touched(const struct observer *observer, int64_t run_no)
{
    return map_get(&observer->touched_runs, (uint64_t)run_no, NULL);
}

/* ---- I3: the trigger rule holds -------------------------------------------------------------- */

static enum task_state state_of(const struct model_run *run, uint32_t task, int32_t map_index)
{
    const struct model_try *row = model_store_newest(run, task, map_index);
    return row == NULL || row->cleared ? TASK_NONE : row->row.state;
}

static uint32_t expansion_length(const struct model_run *run, uint32_t task)
{
    uint32_t length = 0;
    VEC_EACH (&run->expansions, i)
        if (run->expansions.items[i].task == task && run->expansions.items[i].items.size > 2)
            for (uint32_t depth = 0, k = 0; k < run->expansions.items[i].items.size; k++) {
                char byte = run->expansions.items[i].items.bytes[k];
                depth += byte == '[' || byte == '{';
                depth -= byte == ']' || byte == '}';
                length += (byte == ',' && depth == 1) || k == 0;
            }
    return length;
}

/* The whole of a task; NONE while it has no end. */
static enum task_state whole_of(const struct dag *dag, const struct model_run *run, uint32_t task)
{
    uint32_t length = expansion_length(run, task), failed = 0, upstream_failed = 0, success = 0;
    if (length == 0)
        return task_state_is_final(state_of(run, task, -1)) ? state_of(run, task, -1) : TASK_NONE;
    for (uint32_t i = 0; i < length; i++) {
        enum task_state state = state_of(run, task, (int32_t)i);
        if (!task_state_is_final(state))
            return TASK_NONE;
        failed += state == TASK_FAILED;
        upstream_failed += state == TASK_UPSTREAM_FAILED;
        success += state == TASK_SUCCESS;
    }
    if (failed + upstream_failed > dag->tasks[task].tolerate_failures.count)
        return failed > 0 ? TASK_FAILED : TASK_UPSTREAM_FAILED;
    return success + failed + upstream_failed > 0 ? TASK_SUCCESS : TASK_SKIPPED;
}

static void count_in(struct upstream_counts *counts, enum task_state state)
{
    counts->total++;
    if (task_state_is_final(state))
        upstream_counts_add(counts, state);
}

/* Each instance of a mapped task; one that tolerates failures counts as one. */
static struct upstream_counts counts_of(const struct dag *dag, const struct model_run *run,
                                        const uint32_t *tasks, uint32_t count)
{
    struct upstream_counts counts = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = expansion_length(run, tasks[i]);
        if (length == 0 || dag->tasks[tasks[i]].tolerate_failures.count > 0)
            count_in(&counts, whole_of(dag, run, tasks[i]));
        else
            for (uint32_t k = 0; k < length; k++)
                count_in(&counts, state_of(run, tasks[i], (int32_t)k));
    }
    return counts;
}

/* The setups in whose scope it lies, but for those directly before it, about which its rule
 * decides. */
static uint32_t setups_above(const struct task *model, uint32_t *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->setup_count; i++) {
        bool direct = false;
        for (uint32_t k = 0; k < model->upstream_count; k++)
            direct |= model->upstream[k] == model->setups[i];
        if (!direct && count < SETUPS_MAX)
            out[count++] = model->setups[i];
    }
    return count;
}

static void check_rule(struct world *world, const struct model_run *run, uint32_t task)
{
    const struct dag *dag = dag_of(world, run);
    const struct task *model = &dag->tasks[task];
    struct upstream_counts counts = counts_of(dag, run, model->upstream, model->upstream_count);
    uint32_t above[SETUPS_MAX], above_count = setups_above(model, above);
    struct upstream_counts setups = counts_of(dag, run, above, above_count);
    const uint32_t first = 0; /* the one setup that there may be */
    enum verdict verdict = scoped_verdict(
        model->trigger_rule, trigger_rule_verdict(model->trigger_rule, &counts), &setups);
    if (model->teardown != NULL) {
        setups = counts_of(dag, run, &first, 1);
        verdict = teardown_verdict(&counts, &setups);
    }
    if (verdict != VERDICT_RUN)
        sim_fail(world, "I3: task %.*s of %.*s is placed although its rule %s does not hold",
                 STR_ARG(model->id), STR_ARG(run->row.run_id),
                 trigger_rule_name(model->trigger_rule));
}

/* ---- I17: the run before holds back ---------------------------------------------------------- */

static bool past_is_good(const struct dag *dag, const struct model_run *past, uint32_t task)
{
    enum task_state state = whole_of(dag, past, task);
    return state == TASK_SUCCESS || state == TASK_SKIPPED;
}

/* Of first tries: later ones do not wait again. A run that users have touched may have been good a
 * moment ago. */
static void check_past(struct world *world, const struct model_run *run, const struct try_row *row)
{
    const struct dag *dag = dag_of(world, run);
    const struct task *model = &dag->tasks[row->task];
    const struct model_run *past = NULL;
    VEC_EACH (&world->store.runs, i) {
        const struct model_run *other = &world->store.runs.items[i];
        bool is_before = other->row.dag_no == run->row.dag_no && other->row.has_logical &&
                         other->row.logical_ms < run->row.logical_ms &&
                         (!dag->catchup || other->row.type == RUN_SCHEDULED);
        if (is_before && (past == NULL || other->row.logical_ms > past->row.logical_ms))
            past = other;
    }
    if (past == NULL || is_touched(&world->observer, past->row.run_no) || !run->row.has_logical ||
        row->row_no > 1)
        return;
    /* Perhaps a backfill made it, or a user deleted it, when the task was decided already. */
    if (past->row.run_no > run->row.run_no || past->deleted)
        return;
    bool good = !(model->depends_on_past || model->wait_for_downstream) ||
                past_is_good(dag, past, row->task);
    for (uint32_t i = 0; model->wait_for_downstream && i < model->downstream_count; i++)
        good = good && past_is_good(dag, past, model->downstream[i]);
    if (!good)
        sim_fail(world,
                 "I17: task %.*s of %.*s is placed although the run before, %.*s, has not let it",
                 STR_ARG(model->id), STR_ARG(run->row.run_id), STR_ARG(past->row.run_id));
}

/* ---- commits --------------------------------------------------------------------------------- */

static void check_before(struct world *world, const struct model_run *run,
                         const struct try_row *row)
{
    const struct model_try *before = NULL;
    VEC_EACH (&run->tries, i)
        if (run->tries.items[i].row.task == row->task &&
            run->tries.items[i].row.map_index == row->map_index &&
            run->tries.items[i].row.row_no + 1 == row->row_no)
            before = &run->tries.items[i];
    if (before == NULL || before->cleared || before->row.state == TASK_SCHEDULED ||
        before->row.state == TASK_UP_FOR_RETRY)
        return;
    sim_fail(world, "I2: task %u map %d of %.*s has ended as %s and is placed again", row->task,
             row->map_index, STR_ARG(run->row.run_id), task_state_name(before->row.state));
}

/* The rows of workers are those after the transaction; a drain that it holds itself came after its
 * placings. */
static void check_worker(struct world *world, const struct try_row *row)
{
    VEC_EACH (&world->observer.draining, i)
        if (world->observer.draining.items[i] == row->worker_no)
            sim_fail(world, "I14: worker %lld drains and is given a task",
                     (long long)row->worker_no);
}

static void on_worker(struct observer *observer, int64_t worker_no, enum worker_state state)
{
    uint32_t at = 0;
    while (at < observer->draining.count && observer->draining.items[at] != worker_no)
        at++;
    bool drains = state == WORKER_DRAINING || state == WORKER_DRAINED;
    if (drains && at == observer->draining.count)
        VEC_ADD(&observer->draining, worker_no);
    else if (!drains && at < observer->draining.count)
        observer->draining.items[at] = observer->draining.items[--observer->draining.count];
}

static int pool_of(struct str name)
{
    for (int i = 0; i < 3; i++)
        if (str_is(name, pools[i].name))
            return i;
    return 2;
}

static void on_queued(struct world *world, const struct try_row *row)
{
    struct observer *observer = &world->observer;
    const struct model_run *run = model_store_run(&world->store, row->run_no);
    const struct dag *dag = dag_of(world, run);
    uint32_t instance = instance_of(observer, row->run_no, row->task, row->map_index);
    struct str bytes = { (const char *)&row->attempt, sizeof row->attempt };
    map_put_str(&observer->attempt_index, bytes, observer->attempts.count);
    VEC_ADD(&observer->attempts,
            (struct observed_attempt) { .id = row->attempt,
                                        .instance = instance,
                                        .worker_no = row->worker_no,
                                        .open = true,
                                        .counts = true,
                                        .pool_slots = dag->tasks[row->task].pool_slots,
                                        .pool = pool_of(row->pool) });
    if (world->lossy)
        return;
    check_before(world, run, row);
    check_worker(world, row);
    if (!is_touched(observer, row->run_no))
        check_rule(world, run, row->task);
    check_past(world, run, row);
    if (live_process(world, instance, NULL, NULL) != NULL)
        sim_fail(world, "I1: task %.*s map %d of %.*s is placed while a process of it lives",
                 STR_ARG(dag->tasks[row->task].id), row->map_index, STR_ARG(run->row.run_id));
    struct observed_attempt *attempt = &VEC_LAST(&observer->attempts);
    observer->pool_used[attempt->pool] += attempt->pool_slots;
    if (observer->pool_used[attempt->pool] > pools[attempt->pool].slots)
        sim_fail(world, "I8: pool %s has %d of %d slots taken", pools[attempt->pool].name,
                 observer->pool_used[attempt->pool], pools[attempt->pool].slots);
    if (run_open_add(observer, row->run_no, 1) > dag->max_active_tasks)
        sim_fail(world, "I8: more than %u tasks of %.*s run", dag->max_active_tasks,
                 STR_ARG(run->row.run_id));
}

/* It waits, and takes what its pool counts: whatever the room, for it takes no worker. */
static void on_deferred(struct world *world, const struct try_row *row)
{
    struct observer *observer = &world->observer;
    const struct dag *dag = dag_of(world, model_store_run(&world->store, row->run_no));
    int pool = pool_of(row->pool);
    if (world->lossy || !pools[pool].include_deferred)
        return;
    struct str bytes = { (const char *)&row->attempt, sizeof row->attempt };
    map_put_str(&observer->attempt_index, bytes, observer->attempts.count);
    VEC_ADD(&observer->attempts,
            (struct observed_attempt) {
                .id = row->attempt,
                .instance = instance_of(observer, row->run_no, row->task, row->map_index),
                .waits = true,
                .pool_slots = dag->tasks[row->task].pool_slots,
                .pool = pool });
    observer->pool_used[pool] += dag->tasks[row->task].pool_slots;
}

/* Whether it was a wait that took slots; it gives them back. */
static bool end_wait(struct observer *observer, struct observed_attempt *attempt)
{
    if (!attempt->waits)
        return false;
    attempt->waits = false;
    observer->pool_used[attempt->pool] -= attempt->pool_slots;
    return true;
}

static bool is_author_failure(enum cause cause)
{
    return cause == CAUSE_EXIT_FAILED || cause == CAUSE_TIMED_OUT || cause == CAUSE_OUT_OF_MEMORY ||
           cause == CAUSE_OUTPUT_TOO_LARGE || cause == CAUSE_LOOK_FAILED;
}

static void count_failure(struct world *world, struct observed_instance *instance,
                          const struct try_row *row)
{
    const struct model_run *run = model_store_run(&world->store, row->run_no);
    uint32_t tries = dag_of(world, run)->tasks[row->task].retries + 1;
    if (is_author_failure(row->cause)) {
        instance->author_failures++;
        if (instance->author_failures > tries ||
            (row->state == TASK_FAILED) != (instance->author_failures == tries))
            sim_fail(world, "I9: task %u of %.*s is %s after %u of %u tries", row->task,
                     STR_ARG(run->row.run_id), task_state_name(row->state),
                     instance->author_failures, tries);
    }
    if (row->state == TASK_SCHEDULED && row->cause != CAUSE_NEVER_STARTED && ++instance->losses > 3)
        sim_fail(world, "I9: task %u of %.*s was lost %u times", row->task,
                 STR_ARG(run->row.run_id), instance->losses);
}

static void on_ended(struct world *world, const struct try_row *row)
{
    struct observer *observer = &world->observer;
    struct observed_attempt *attempt = attempt_of(observer, row->attempt);
    uint32_t index = instance_of(observer, row->run_no, row->task,
                                 row->map_index); /* first: it may move the array */
    struct observed_instance *instance = &observer->instances.items[index];
    world->result->lost += row->cause == CAUSE_LOST;
    world->result->taken_back += row->cause == CAUSE_NEVER_STARTED;
    if (world->lossy)
        return;
    count_failure(world, instance, row);
    if (attempt == NULL || end_wait(observer, attempt))
        return;
    if (row->cause == CAUSE_NEVER_STARTED && attempt->started)
        sim_fail(world, "I2: task %u map %d is taken back although it has run", row->task,
                 row->map_index);
    if (attempt
            ->counts) { /* a killed one has its end, though its process may live on for a while */
        attempt->counts = false;
        observer->pool_used[attempt->pool] -= attempt->pool_slots;
        (void)run_open_add(observer, row->run_no, -1);
    }
    if (row->ended_ms == 0)
        return;
    attempt->open = false;
    if (live_process(world, attempt->instance, &attempt->id, NULL) != NULL)
        sim_fail(world, "I1: task %u map %d has an end (%s) while its process lives", row->task,
                 row->map_index, cause_name(row->cause));
}

static void on_cleared(struct world *world, const struct try_row *row)
{
    struct observed_attempt *attempt = attempt_of(&world->observer, row->attempt);
    if (attempt == NULL || end_wait(&world->observer, attempt) || !attempt->counts || world->lossy)
        return;
    attempt->counts = false;
    world->observer.pool_used[attempt->pool] -= attempt->pool_slots;
    (void)run_open_add(&world->observer, row->run_no, -1);
}

static void check_schedule(struct world *world, const struct run_row *row)
{
    uint32_t same = 0;
    VEC_EACH (&world->store.runs, i) {
        const struct run_row *other = &world->store.runs.items[i].row;
        /* A schedule does not come back to what was deleted; a backfill does. */
        bool counts = (other->type == RUN_SCHEDULED && row->type == RUN_SCHEDULED) ||
                      ((other->type == RUN_SCHEDULED || other->type == RUN_BACKFILL) &&
                       !world->store.runs.items[i].deleted);
        same += other->dag_no == row->dag_no && counts && other->logical_ms == row->logical_ms;
    }
    if ((row->type == RUN_SCHEDULED || row->type == RUN_BACKFILL) && same > 1)
        sim_fail(world, "I10: one point of a schedule has made %u runs", same);
}

/* The database would bear it, for the sake of a history that nobody holds: the core must not. */
static void check_name(struct world *world, const struct run_row *row)
{
    VEC_EACH (&world->store.runs, i) {
        const struct model_run *run = &world->store.runs.items[i];
        if (!run->deleted && run->row.run_no != row->run_no && run->row.dag_no == row->dag_no &&
            str_eq(run->row.run_id, row->run_id))
            sim_fail(world, "I25: a DAG has two runs of one name");
    }
}

static void check_backfill(struct world *world, const struct run_row *row)
{
    VEC_EACH (&world->store.backfills, i) {
        const struct model_backfill *backfill = &world->store.backfills.items[i];
        int32_t count = 0;
        bool is_its = false;
        VEC_EACH (&backfill->dates, k) {
            const struct model_run *run =
                model_store_run(&world->store, backfill->dates.items[k].backfill_run.run_no);
            if (run == NULL || run->deleted || is_touched(&world->observer, run->row.run_no))
                continue;
            is_its |= run->row.run_no == row->run_no;
            count += run->row.state == RUN_RUNNING;
        }
        if (is_its && !world->lossy && backfill->row.ended_ms == 0 &&
            count > backfill->row.max_active_runs)
            sim_fail(world, "I18: backfill %lld runs %d at once and may run %d",
                     (long long)backfill->row.backfill_no, count, backfill->row.max_active_runs);
    }
}

static void check_answer(struct world *world, int64_t request_no)
{
    uint32_t same = 0;
    VEC_EACH (&world->store.requests, i)
        same += world->store.requests.items[i].request_no == request_no;
    if (same > 1)
        sim_fail(world, "I15: request %lld was answered %u times", (long long)request_no, same);
}

/* In the transaction of a success there is an event for each of the task's outlets. */
static void check_outlets(struct world *world, const struct transaction *transaction,
                          const struct try_row *row)
{
    const struct model_run *run = model_store_run(&world->store, row->run_no);
    const struct value *outlets = dag_of(world, run)->tasks[row->task].outlets;
    uint32_t count = 0;
    if (row->state != TASK_SUCCESS || row->cause == CAUSE_MARKED || outlets == NULL)
        return;
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct record *record = &transaction->records[i];
        count += record->type == WRITE_ASSET_EVENT && record->asset_event.run_no == row->run_no &&
                 record->asset_event.task == (int32_t)row->task &&
                 record->asset_event.map_index == row->map_index;
    }
    if (count < outlets->count)
        sim_fail(world, "I20: task %u of %.*s has succeeded with %u of %u events of its assets",
                 row->task, STR_ARG(run->row.run_id), count, outlets->count);
}

/* A run takes events, and no event is taken twice by the same DAG: the store would find none to
 * take. */
static void check_taken(struct world *world, int64_t run_no)
{
    VEC_EACH (&world->store.kept, i)
        if (world->store.kept.items[i].run_no == run_no)
            return;
    sim_fail(world, "I21: run %lld was made for events of assets that another one has taken",
             (long long)run_no);
}

/* ---- waits and notifications ----------------------------------------------------------------- */

static struct str id_bytes(const struct id128 *id)
{
    return (struct str) { (const char *)id, sizeof *id };
}

void observe_seen(struct world *world, struct id128 attempt)
{
    map_put_str(&world->observer.seen, id_bytes(&attempt), 1);
}

void observe_delivery(struct world *world, struct id128 id)
{
    if (!world->lossy && model_store_notification(&world->store, id) == NULL)
        sim_fail(world, "I23: something is told that no transaction has recorded");
    map_put_str(&world->observer.delivered, id_bytes(&id), 1);
}

/* Only what has come ends a wait well, and no time comes before it is due. */
static void check_wait(struct world *world, const struct transaction *transaction,
                       const struct try_row *row)
{
    const struct model_run *run = model_store_run(&world->store, row->run_no);
    const struct task *task = &dag_of(world, run)->tasks[row->task];
    if (task->operator_kind != OPERATOR_WAIT_FOR || row->state != TASK_SUCCESS ||
        row->cause != CAUSE_EVENT || world->lossy)
        return;
    bool is_time = value_get(task->operator_args, "duration") != NULL;
    VEC_EACH (&run->tries, i) {
        const struct try_row *stored = &run->tries.items[i].row;
        if (is_time && id_eq(stored->attempt, row->attempt) &&
            row->ended_ms < stored->queued_ms + 7000)
            sim_fail(world, "I22: a wait for 7 s is over after %lld ms",
                     (long long)(row->ended_ms - stored->queued_ms));
    }
    bool is_task = value_get(task->operator_args, "task") != NULL,
         is_asset = value_get(task->operator_args, "asset") != NULL;
    bool updated = false;
    VEC_EACH (&world->store.events, i)
        updated |= str_is(world->store.events.items[i].asset, "x");
    for (uint32_t i = 0; i < transaction->count; i++)
        updated |= transaction->records[i].type == WRITE_ASSET_EVENT &&
                   str_is(transaction->records[i].asset_event.asset, "x");
    if (is_asset && !updated)
        sim_fail(world, "I22: task %u of %.*s has heard of an update that nobody has made",
                 row->task, STR_ARG(run->row.run_id));
    if (!is_time && !is_task && !is_asset &&
        !map_get_str(&world->observer.seen, id_bytes(&row->attempt), NULL))
        sim_fail(world, "I22: task %u of %.*s has found what no look has seen", row->task,
                 STR_ARG(run->row.run_id));
}

static bool tells_of(const struct transaction *transaction, const struct try_row *row,
                     const char *event)
{
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct record *record = &transaction->records[i];
        if (record->type == WRITE_NOTIFICATION && record->notification.run_no == row->run_no &&
            record->notification.task == (int32_t)row->task &&
            record->notification.map_index == row->map_index &&
            str_is(record->notification.event, event))
            return true;
    }
    return false;
}

/* The transaction that records a failure of the author's records that it is to be told. */
static void check_told(struct world *world, const struct transaction *transaction,
                       const struct try_row *row)
{
    const struct model_run *run = model_store_run(&world->store, row->run_no);
    const struct task *task = &dag_of(world, run)->tasks[row->task];
    if (row->state == TASK_FAILED && is_author_failure(row->cause) && row->ended_ms != 0 &&
        value_get(task->notify, "on_failure") != NULL && !tells_of(transaction, row, "on_failure"))
        sim_fail(world, "I24: nobody will be told that task %u of %.*s failed", row->task,
                 STR_ARG(run->row.run_id));
}

static void check_notification(struct world *world, const struct notification_row *row)
{
    uint32_t same = 0;
    if (row->state == NOTIFICATION_FAILED)
        sim_fail(world, "I23: a notification is given up: %.*s", STR_ARG(row->error));
    if (row->state == NOTIFICATION_DELIVERED &&
        !map_get_str(&world->observer.delivered, id_bytes(&row->id), NULL))
        sim_fail(world, "I23: a notification counts as delivered that nobody has got");
    /* A run that ended and is cleared lives once more, and may miss its deadline once more. */
    if (!str_is(row->event, "on_deadline") || is_touched(&world->observer, row->run_no) ||
        row->state != NOTIFICATION_PENDING)
        return;
    VEC_EACH (&world->store.notifications, i)
        same += world->store.notifications.items[i].run_no == row->run_no &&
                str_is(world->store.notifications.items[i].event, "on_deadline");
    if (same > 1)
        sim_fail(world, "I24: a deadline is told of %u times", same);
}

/* Where users have a hand in it, trigger rules cannot be judged from rows alone. The rows are
 * already those after the whole transaction, so this comes first. */
static void touched_mark(struct observer *observer, const struct transaction *transaction)
{
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct record *record = &transaction->records[i];
        bool is_try = record->type >= WRITE_TRY_PLACED && record->type <= WRITE_TRY_CLEARED;
        if (is_try && (record->type == WRITE_TRY_CLEARED || record->try.cause == CAUSE_MARKED))
            map_put(&observer->touched_runs, (uint64_t)record->try.run_no, 1);
    }
}

static bool writes_run(const struct transaction *transaction, int64_t run_no)
{
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct record *record = &transaction->records[i];
        if ((record->type == WRITE_RUN_CREATE || record->type == WRITE_RUN_STATE) &&
            record->run.run_no == run_no)
            return true;
    }
    return false;
}

/* Whoever keeps what a run that has ended was like looks at its row alone. */
static void check_ended(struct world *world, const struct transaction *transaction,
                        const struct record *record)
{
    const struct try_row *row = &record->try;
    uint32_t index = instance_of(&world->observer, row->run_no, row->task, row->map_index);
    struct observed_instance *instance = &world->observer.instances.items[index];
    enum task_state was = instance->recorded;
    const struct model_run *run = model_store_run(&world->store, row->run_no);
    const struct model_try *newest = model_store_newest(run, row->task, row->map_index);
    if (newest == NULL) /* the run is deleted */
        return;
    instance->recorded = newest->cleared ? TASK_NONE : newest->row.state;
    if (was != instance->recorded && run_state_is_final(run->row.state) && !world->lossy &&
        !writes_run(transaction, row->run_no))
        sim_fail(world, "I27: task %u map %d becomes %s after the end of its run, whose row stays",
                 row->task, row->map_index, task_state_name(instance->recorded));
}

void observe_commit(struct world *world, const struct transaction *transaction)
{
    struct observer *observer = &world->observer;
    if (transaction->epoch < observer->epoch_committed)
        sim_fail(world, "I7: a leader of an earlier epoch has committed");
    observer->epoch_committed = transaction->epoch;
    touched_mark(observer, transaction);
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct record *record = &transaction->records[i];
        if (record->type >= WRITE_TRY_PLACED && record->type <= WRITE_TRY_CLEARED)
            sim_trace(world, "  row %lld.%u[%d].%u: %s, %s, attempt %llx, worker %lld%s",
                      (long long)(record->try.run_no & 0xFFFF), record->try.task,
                      record->try.map_index, record->try.row_no, task_state_name(record->try.state),
                      cause_name(record->try.cause), (unsigned long long)record->try.attempt.low,
                      (long long)record->try.worker_no, record->try.ended_ms != 0 ? ", ended" : "");
        else
            sim_trace(world, "  record %d", record->type);
        if (record->type >= WRITE_TRY_PLACED && record->type <= WRITE_TRY_CLEARED)
            check_ended(world, transaction, record);
        switch (record->type) {
        case WRITE_RUN_CREATE:
            check_schedule(world, &record->run);
            check_name(world, &record->run);
            break;
        case WRITE_RUN_STATE:
            if (run_state_is_final(record->run.state) != (record->run.ended_ms != 0))
                sim_fail(world, "I28: run %lld is %s, and its end is %lld",
                         (long long)record->run.run_no, run_state_name(record->run.state),
                         (long long)record->run.ended_ms);
            check_backfill(world, &record->run);
            break;
        case WRITE_TRY_PLACED:
            if (record->try.state == TASK_QUEUED)
                on_queued(world, &record->try);
            else if (record->try.state == TASK_DEFERRED)
                on_deferred(world, &record->try);
            break;
        case WRITE_TRY_ENDED:
            on_ended(world, &record->try);
            check_outlets(world, transaction, &record->try);
            check_wait(world, transaction, &record->try);
            check_told(world, transaction, &record->try);
            break;
        case WRITE_ASSET_TAKEN:
            check_taken(world, record->asset_taken.run_no);
            break;
        case WRITE_NOTIFICATION:
        case WRITE_NOTIFICATION_STATE:
            check_notification(world, &record->notification);
            break;
        case WRITE_TRY_CLEARED: {
            uint32_t index =
                instance_of(observer, record->try.run_no, record->try.task, record->try.map_index);
            struct observed_instance *instance = &observer->instances.items[index];
            instance->author_failures = instance->losses = 0;
            on_cleared(world, &record->try);
            break;
        }
        case WRITE_WORKER:
            on_worker(observer, record->worker.worker_no, record->worker.state);
            break;
        case WRITE_REQUEST_DONE:
            check_answer(world, record->request.request_no);
            break;
        default:
            break;
        }
    }
}

static bool is_noted(const struct record *record, const struct core_note *note)
{
    bool is_try = record->type >= WRITE_TRY_PLACED && record->type <= WRITE_TRY_CLEARED;
    if (is_try)
        return note->run_no == record->try.run_no && note->task == (int32_t)record->try.task &&
               note->map_index == record->try.map_index;
    return note->run_no == record->run.run_no && note->task < 0;
}

/* Who watches reads rows once and then hears notes: a row that changes without one stays as it was
 * read. */
void observe_notes(struct world *world, const struct transaction *transaction,
                   const struct core_note *notes, uint32_t count)
{
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct record *record = &transaction->records[i];
        bool is_run = record->type == WRITE_RUN_CREATE || record->type == WRITE_RUN_STATE,
             is_try = record->type >= WRITE_TRY_PLACED && record->type <= WRITE_TRY_CLEARED,
             is_told = !is_run && !is_try;
        for (uint32_t k = 0; k < count && !is_told; k++)
            is_told = is_noted(record, &notes[k]);
        if (!is_told && is_run)
            sim_fail(world, "I26: run %lld becomes %s and nobody is told",
                     (long long)record->run.run_no, run_state_name(record->run.state));
        if (!is_told)
            sim_fail(world, "I26: task %u map %d becomes %s (%s) and nobody is told",
                     record->try.task, record->try.map_index, task_state_name(record->try.state),
                     cause_name(record->try.cause));
    }
}

/* ---- processes and messages ------------------------------------------------------------------ */

void observe_exec(struct world *world, uint32_t worker, struct process *process)
{
    struct observer *observer = &world->observer;
    const struct worker_node *node = &world->workers[worker];
    struct observed_attempt *attempt = attempt_of(observer, process->attempt);
    uint32_t live = 0;
    world->result->starts++;
    sim_trace(world, "w%u: attempt %llx runs", worker, (unsigned long long)process->attempt.low);
    if (attempt == NULL)
        sim_fail(world, "I3: a process starts that no transaction knows");
    process->instance = attempt->instance;
    attempt->started = true;
    const struct observed_instance *instance = &observer->instances.items[attempt->instance];
    if (live_process(world, attempt->instance, NULL, process) != NULL)
        sim_fail(world, "I1: two processes of task %u map %d live at once", instance->task,
                 instance->map_index);
    if (!world->lossy && !attempt->open)
        sim_fail(world, "I1: a process of task %u map %d starts although its row has an end",
                 instance->task, instance->map_index);
    VEC_EACH (&node->processes, i)
        live += node->processes.items[i].running;
    if (live > node->slots)
        sim_fail(world, "I8: %u processes on the %u slots of %s", live, node->slots, node->name);
}

void observe_forgotten(struct world *world, struct id128 id)
{
    struct observed_attempt *attempt = attempt_of(&world->observer, id);
    if (attempt != NULL)
        attempt->started = false;
}

void observe_ack(struct world *world, struct id128 id)
{
    const struct observed_attempt *attempt = attempt_of(&world->observer, id);
    if (!world->lossy && attempt != NULL && attempt->counts)
        sim_fail(world, "I4: the result of attempt %llx is acknowledged and not recorded",
                 (unsigned long long)id.low);
}

/* What a setup has prepared is taken away, also when the run is stopped; only a run that took too
 * long is left as it is. */
static void check_teardown(struct world *world, const struct model_run *run, uint32_t task,
                           enum task_state state)
{
    const struct dag *dag = dag_of(world, run);
    const struct model_try *row = model_store_newest(run, task, -1);
    if (dag->tasks[task].teardown == NULL || whole_of(dag, run, 0) != TASK_SUCCESS || row == NULL)
        return;
    bool by_hand = row->row.cause == CAUSE_MARKED || row->row.cause == CAUSE_RUN_TIMED_OUT;
    bool by_itself =
        row->row.cause == CAUSE_EXIT_SKIPPED || row->row.cause == CAUSE_WAITED_TOO_LONG;
    bool was_marked = model_store_newest(run, 0, -1) != NULL &&
                      model_store_newest(run, 0, -1)->row.cause == CAUSE_MARKED;
    if (!by_hand && !was_marked && !by_itself &&
        (state == TASK_SKIPPED || state == TASK_UPSTREAM_FAILED))
        sim_fail(world, "I16: teardown %.*s of %.*s is %s (%s) although its setup succeeded",
                 STR_ARG(dag->tasks[task].id), STR_ARG(run->row.run_id), task_state_name(state),
                 cause_name(row->row.cause));
}

/* ---- the end --------------------------------------------------------------------------------- */

static void check_run_end(struct world *world, const struct model_run *run)
{
    const struct dag *dag = dag_of(world, run);
    bool bad = false;
    for (uint32_t t = 0; t < dag->task_count; t++) {
        enum task_state state = whole_of(dag, run, t);
        if (state == TASK_NONE)
            sim_fail(world, "I5: run %.*s is %s, but task %.*s has no end",
                     STR_ARG(run->row.run_id), run_state_name(run->row.state),
                     STR_ARG(dag->tasks[t].id));
        check_teardown(world, run, t, state);
        bad |= dag->tasks[t].decides && (state == TASK_FAILED || state == TASK_UPSTREAM_FAILED);
    }
    bool by_tasks = run->row.cause == CAUSE_TASKS_DONE || run->row.cause == CAUSE_TASKS_FAILED;
    if (by_tasks && !is_touched(&world->observer, run->row.run_no) &&
        bad != (run->row.state == RUN_FAILED))
        sim_fail(world, "I2: run %.*s is %s against what its tasks say", STR_ARG(run->row.run_id),
                 run_state_name(run->row.state));
}

/* Every date of its range, once. (Twice is refused by the store.) */
static void check_dates(struct world *world, const struct model_backfill *backfill)
{
    int64_t every_ms = value_integer(value_get(world->dags.items[2]->schedule, "every_ms"), 1);
    int64_t first = (backfill->row.from_ms + every_ms - 1) / every_ms;
    int64_t to_ms = backfill->row.to_ms < backfill->row.created_ms ? backfill->row.to_ms
                                                                   : backfill->row.created_ms;
    int64_t count = to_ms / every_ms - first + 1;
    if (count != backfill->dates.count)
        sim_fail(world, "I19: backfill %lld has done %u of %lld dates",
                 (long long)backfill->row.backfill_no, backfill->dates.count, (long long)count);
}

void observe_end(struct world *world)
{
    VEC_EACH (&world->store.backfills, i)
        check_dates(world, &world->store.backfills.items[i]);
    VEC_EACH (&world->store.runs, i) {
        const struct model_run *run = &world->store.runs.items[i];
        if (run->deleted || !run_state_is_final(run->row.state))
            continue;
        check_run_end(world, run);
    }
}

void observer_clear(struct observer *observer)
{
    VEC_CLEAR(&observer->instances);
    VEC_CLEAR(&observer->attempts);
    VEC_CLEAR(&observer->draining);
    map_clear(&observer->instance_index);
    map_clear(&observer->attempt_index);
    map_clear(&observer->run_open);
    map_clear(&observer->touched_runs);
    map_clear(&observer->seen);
    map_clear(&observer->delivered);
}
