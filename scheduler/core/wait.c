// SPDX-License-Identifier: Apache-2.0
/* wait - wait_for: instances that wait, deferred, for a time or for something outside. Each is an
 * attempt without a worker, a row of core->waits and one timer; what must be looked at is looked at
 * by errands. Looks leave no rows: a new leader looks anew, and counts from the row when to give
 * up. */
#include "common/text/duration.h"
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

enum {
    GRID_MS =
        250, /* looks are put off to the next quarter of a second, so that many share a message */
    NO_WORKER_MS = 5000, /* within it those that found no worker, or only full ones, come again, a
                            part at a time */
    RESUME_MS = 10000,   /* a new leader's first looks are spread over so long */
};

static struct wait *wait_at(struct core *core, uint32_t index)
{
    return &core->waits.items[index];
}

static struct ref ref_of(const struct core *core, const struct wait *wait)
{
    return core->attempts.items[wait->attempt].ref;
}

/* What the core hears of itself; what was before, or is not in memory, the database is asked. */
static bool is_told(uint8_t kind)
{
    return kind == ERRAND_TASK || kind == ERRAND_ASSET;
}

/* ---- the table ------------------------------------------------------------------------------- */

static void arm(struct core *core, uint32_t index)
{
    struct wait *wait = wait_at(core, index);
    struct timer timer = { .kind = TIMER_WAIT, .index = index, .number = ++wait->timer_no };
    int64_t end_ms = ms_of_wall(core, wait->end_ms);
    if (wait->kind == WAIT_UNTIL && !MUTANT(CORE_WAIT_EARLY))
        timer_set_wall(core, wait->end_ms, timer);
    else
        timer_set(core, wait->kind < WAIT_UNTIL && wait->look_ms < end_ms ? wait->look_ms : end_ms,
                  timer);
}

static void look_at(struct core *core, struct wait *wait, int64_t after_ms)
{
    wait->look_ms = (core->now_ms + after_ms + GRID_MS - 1) / GRID_MS * GRID_MS;
}

/* A time up to `most_ms`, and no longer than between two looks: each wait has its own, so that they
 * do not come all at once. */
static int64_t spread(const struct core *core, const struct wait *wait, int64_t most_ms)
{
    if (wait->kind >= WAIT_UNTIL)
        return 0;
    uint64_t most = (uint64_t)(wait->poke_ms < most_ms ? wait->poke_ms : most_ms);
    return (int64_t)(core->attempts.items[wait->attempt].id.low % (most + 1));
}

/* A copy of its own, with a zero behind it; NULL for nothing. */
static char *text_keep(struct str text)
{
    if (text.size == 0)
        return NULL;
    char *copy = malloc(text.size + 1);
    ASSERT(copy != NULL);
    memcpy(copy, text.bytes, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* Those that wait for the same task or asset stand in one list. */
static void told_link(struct core *core, uint32_t index, struct str key)
{
    struct wait *wait = wait_at(core, index);
    uint64_t first = NONE;
    (void)map_get_str(&core->told_waits, key, &first);
    wait->next = (uint32_t)first;
    if (wait->next != NONE)
        wait_at(core, wait->next)->previous = index;
    map_put_str(&core->told_waits, key, index);
    wait->key = (struct str) { text_keep(key), key.size };
}

static void told_unlink(struct core *core, struct wait *wait)
{
    if (wait->next != NONE)
        wait_at(core, wait->next)->previous = wait->previous;
    if (wait->previous != NONE)
        wait_at(core, wait->previous)->next = wait->next;
    else if (wait->next != NONE)
        map_put_str(&core->told_waits, wait->key, wait->next);
    else
        (void)map_remove_str(&core->told_waits, wait->key);
}

/* A queue with waits that need looks keeps one worker at least. */
static void queue_join(struct core *core, struct wait *wait)
{
    struct ref ref = ref_of(core, wait);
    const struct version *version = &core->versions.items[run_get(core, ref.run)->version];
    wait->queue = core->lanes.items[version->lanes[ref.task]].queue;
    core->queues.items[wait->queue].looked_for++;
    core->queues.items[wait->queue].dirty = true;
}

static void queue_leave(struct core *core, const struct wait *wait)
{
    if (wait->queue == NONE)
        return;
    core->queues.items[wait->queue].looked_for--;
    core->queues.items[wait->queue].dirty = true;
}

static uint32_t wait_new(struct core *core, uint32_t attempt, const struct wait_plan *plan,
                         int64_t begun_ms)
{
    uint32_t index = core->waits.count;
    if (core->waits_free.count > 0)
        index = core->waits_free.items[--core->waits_free.count];
    else
        VEC_ADD(&core->waits, (struct wait) { 0 });
    struct wait *wait = wait_at(core, index);
    *wait = (struct wait) { .used = true,
                            .kind = plan->kind,
                            .attempt = attempt,
                            .timer_no = wait->timer_no,
                            .worker = NONE,
                            .queue = NONE,
                            .begun_ms = begun_ms,
                            .end_ms = plan->end_ms,
                            .poke_ms = plan->poke_ms,
                            .look_ms = core->now_ms,
                            .key = STR_EMPTY,
                            .previous = NONE,
                            .next = NONE };
    core->attempts.items[attempt].wait = index;
    if (is_told(plan->kind))
        told_link(core, index, plan->key);
    else if (plan->kind < WAIT_UNTIL)
        queue_join(core, wait);
    return index;
}

void wait_free(struct core *core, uint32_t index)
{
    struct wait *wait = wait_at(core, index);
    ASSERT(wait->used);
    if (wait->looking)
        errand_over(core, wait->worker);
    if (is_told(wait->kind))
        told_unlink(core, wait);
    queue_leave(core, wait);
    core->attempts.items[wait->attempt].wait = NONE;
    wait_clear(wait);
    wait->used = wait->looking = false;
    VEC_ADD(&core->waits_free, index);
}

void wait_clear(struct wait *wait)
{
    if (wait->key.size > 0)
        free((char *)wait->key.bytes);
    free(wait->said);
    wait->key = STR_EMPTY;
    wait->said = NULL;
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void give_up(struct core *core, uint32_t index)
{
    const struct wait *wait = wait_at(core, index);
    const struct value *args = task_at(core, ref_of(core, wait))->operator_args;
    bool soft = value_boolean(value_get(args, "soft_fail"), false);
    struct str waited = duration_text(&core->step, (core->wall_ms - wait->begun_ms) / 1000 * 1000);
    struct str error =
        str_format(&core->step, "TimeoutError: %.*s did not come within %.*s (looked %u times)%s%s",
                   STR_ARG(wait_subject(core, wait, &core->step)), STR_ARG(waited), wait->looks,
                   wait->said != NULL ? "; at last: " : "", wait->said != NULL ? wait->said : "");
    deferred_end(core, wait->attempt, soft ? TASK_SKIPPED : TASK_FAILED, CAUSE_WAITED_TOO_LONG,
                 error);
}

/* Not the world's fault but that of what was asked: a failure as any other, with the author's
 * retries. */
static void hopeless(struct core *core, uint32_t index, struct str error)
{
    struct result result = { .outcome = OUTCOME_FAILED, .output = STR_EMPTY, .error = error };
    attempt_failed(core, wait_at(core, index)->attempt, &result, CAUSE_LOOK_FAILED);
}

static void found(struct core *core, uint32_t index, struct str output)
{
    uint32_t attempt = wait_at(core, index)->attempt;
    struct ref ref = core->attempts.items[attempt].ref;
    if (output.size > 0 && output.size <= (size_t)core->limits.output_bytes_max)
        output_keep(core, run_get(core, ref.run), ref.task, ref.map, output, true);
    deferred_end(core, attempt, TASK_SUCCESS, CAUSE_EVENT, STR_EMPTY);
}

/* ---- looks ----------------------------------------------------------------------------------- */

static struct str question_of(struct core *core, const struct wait *wait, struct arena *arena)
{
    struct str rest = wait->key, first = STR_EMPTY, task_id = STR_EMPTY;
    struct value *map = value_map(&core->step);
    (void)str_split(&rest, '\0', &first);
    if (wait->kind == ERRAND_ASSET) { /* what was updated since the run is there counts */
        int64_t since_ms = run_get(core, ref_of(core, wait).run)->queued_ms;
        value_put(&core->step, map, STR("asset"), value_string(&core->step, rest));
        value_put(&core->step, map, STR("since_ms"), value_int(&core->step, since_ms));
        return json_text(arena, map);
    }
    (void)str_split(&rest, '\0', &task_id);
    value_put(&core->step, map, STR("dag_id"), value_string(&core->step, first));
    value_put(&core->step, map, STR("task_id"), value_string(&core->step, task_id));
    value_put(&core->step, map, STR("logical_ms"), value_string(&core->step, rest));
    return json_text(arena, map);
}

/* The database is asked only when all that was decided before is in it: what comes later is heard
 * of here. */
static void ask_database(struct core *core, struct wait *wait)
{
    struct arena *arena = batch_arena(core);
    struct errand *errand = ARENA_NEW(arena, struct errand);
    *errand = (struct errand) { core->attempts.items[wait->attempt].id, wait->look_no,
                                (enum errand_kind)wait->kind, question_of(core, wait, arena) };
    hold_send(core, (struct core_send) {
                        .type = SEND_ERRANDS, .worker = STR_EMPTY, .errands = { errand, 1 } });
}

/* False: it is over. */
static bool ask_worker(struct core *core, uint32_t index, uint32_t worker)
{
    struct wait *wait = wait_at(core, index);
    struct context_owner owner;
    struct context context;
    struct str payload;
    struct err err = { 0 };
    context_fill(core, ref_of(core, wait), &owner, &core->step, &context);
    if (errand_look(&context, (enum errand_kind)wait->kind, &core->step, &payload, &err) < 0) {
        hopeless(core, index, str_of(err.sentence));
        return false;
    }
    wait->worker = worker;
    errand_give(core, worker,
                (struct errand) { core->attempts.items[wait->attempt].id, wait->look_no,
                                  (enum errand_kind)wait->kind, payload });
    return true;
}

static bool look(struct core *core, uint32_t index)
{
    struct wait *wait = wait_at(core, index);
    uint32_t worker = NONE;
    if (!is_told(wait->kind)) {
        worker = errand_worker(core, wait->queue);
        if (worker == NONE) {
            look_at(core, wait,
                    GRID_MS + spread(core, wait,
                                     NO_WORKER_MS)); /* never at once: nothing would have changed */
            return true;
        }
    }
    wait->look_no++;
    if (is_told(wait->kind))
        ask_database(core, wait);
    else if (!ask_worker(core, index, worker))
        return false;
    core->stats.looks++;
    wait->looking = true;
    wait->look_ms = core->now_ms + ERRAND_PATIENCE_MS;
    return true;
}

static void look_lost(struct core *core, struct wait *wait)
{
    if (MUTANT(CORE_LOOK_LOST)) {
        wait->look_ms = INT64_MAX;
        return;
    }
    core->stats.looks_lost++;
    errand_over(core, wait->worker);
    wait->looking = false;
    wait->worker = NONE;
}

void wait_timer(struct core *core, const struct timer *timer)
{
    struct wait *wait = wait_at(core, timer->index);
    if (!wait->used || wait->timer_no != (uint32_t)timer->number)
        return;
    if (core->wall_ms >= wait->end_ms || (MUTANT(CORE_WAIT_EARLY) && wait->kind == WAIT_UNTIL)) {
        if (wait->kind == WAIT_UNTIL)
            found(core, timer->index, STR_EMPTY);
        else
            give_up(core, timer->index);
        return;
    }
    bool due = wait->kind < WAIT_UNTIL && core->now_ms >= wait->look_ms;
    if (due && wait->looking)
        look_lost(core, wait);
    if (due && !wait->looking && !look(core, timer->index))
        return;
    arm(core, timer->index);
}

void wait_answer(struct core *core, uint32_t index, const struct errand_answer *answer)
{
    struct wait *wait = wait_at(core, index);
    if (!wait->looking || wait->look_no != answer->number) {
        core->stats.dropped_messages++; /* to a look that was given up */
        return;
    }
    errand_over(core, wait->worker);
    wait->looking = false;
    wait->worker = NONE;
    wait->looks++;
    wait->looked_ms = core->now_ms;
    if (answer->outcome == ERRAND_DONE || MUTANT(CORE_ANY_ANSWER)) {
        found(core, index, answer->output);
        return;
    }
    if (answer->outcome == ERRAND_HOPELESS) {
        hopeless(core, index, answer->text);
        return;
    }
    free(wait->said);
    wait->said = text_keep(answer->text);
    look_at(core, wait, wait->poke_ms);
    arm(core, index);
}

/* ---- begin, resume, news --------------------------------------------------------------------- */

void wait_begin(struct core *core, struct ref ref)
{
    struct wait_plan plan;
    struct err err = { 0 };
    instance_at(core, ref)->try_no++;
    if (wait_plan_make(core, ref, core->wall_ms, &plan, &err) < 0) {
        instance_end(core, ref, TASK_FAILED, CAUSE_BAD_EXPRESSION, str_of(err.sentence));
        return;
    }
    uint32_t attempt = deferred_begin(core, ref);
    arm(core, wait_new(core, attempt, &plan, core->wall_ms));
    deferred_limit(core, attempt);
}

static void resume(struct core *core, struct ref ref)
{
    const struct instance *instance = instance_at(core, ref);
    struct wait_plan plan;
    struct err err = { 0 };
    if (instance->state != TASK_DEFERRED || instance->attempt == NONE || MUTANT(CORE_FORGET_WAITS))
        return;
    const struct attempt *attempt = &core->attempts.items[instance->attempt];
    int64_t begun_ms = attempt->placed_wall_ms;
    if (wait_plan_make(core, ref, begun_ms, &plan, &err) <
        0) { /* a variable or a connection went meanwhile */
        deferred_end(core, instance->attempt, TASK_FAILED, CAUSE_LOOK_FAILED, str_of(err.sentence));
        return;
    }
    uint32_t index = wait_new(core, instance->attempt, &plan, begun_ms);
    look_at(core, wait_at(core, index), spread(core, wait_at(core, index), RESUME_MS));
    arm(core, index);
}

void wait_resume(struct core *core, struct run *run, uint32_t task)
{
    if (run_dag(core, run)->tasks[task].operator_kind == OPERATOR_WAIT_FOR)
        instance_each(core, run, task, resume);
}

static void told(struct core *core, struct str key)
{
    uint64_t first = NONE;
    while (map_get_str(&core->told_waits, key, &first))
        found(core, (uint32_t)first, STR_EMPTY);
}

void wait_task_ended(struct core *core, const struct run *run, struct str task_id)
{
    if (core->told_waits.count == 0 || !run->has_logical)
        return;
    struct str dag_id = run_dag(core, run)->id;
    struct str key = str_format(&core->step, "%.*s%c%.*s%c%lld", STR_ARG(dag_id), '\0',
                                STR_ARG(task_id), '\0', (long long)run->logical_ms);
    told(core, key);
}

void wait_asset_updated(struct core *core, struct str asset)
{
    if (core->told_waits.count > 0)
        told(core, str_format(&core->step, "%c%.*s", '\0', STR_ARG(asset)));
}
