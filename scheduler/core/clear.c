// SPDX-License-Identifier: Apache-2.0
/* clear - sets instances back so that they run again, or marks what they are. A process that is in
 * the way is killed first; its instance starts anew only when it is known to be gone. */
#include "common/model/setup.h"
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

struct selection {
    bool *tasks;           /* all instances of the task */
    struct ref *instances; /* single ones of mapped tasks */
    uint32_t instance_count;
};

/* Everything downstream (or upstream) of what is chosen. */
static void spread(const struct dag *dag, bool *chosen, bool down, struct arena *arena)
{
    uint32_t *stack = ARENA_ARRAY(arena, uint32_t, dag->task_count), depth = 0;
    for (uint32_t t = 0; t < dag->task_count; t++)
        if (chosen[t])
            stack[depth++] = t;
    while (depth > 0) {
        const struct task *task = &dag->tasks[stack[--depth]];
        const uint32_t *next = down ? task->downstream : task->upstream;
        uint32_t count = down ? task->downstream_count : task->upstream_count;
        for (uint32_t i = 0; i < count; i++) {
            if (chosen[next[i]])
                continue;
            chosen[next[i]] = true;
            stack[depth++] = next[i];
        }
    }
}

static void refuse(struct core *core, const struct request *request, int code, struct str sentence)
{
    struct value *map = value_map(&core->step);
    value_put(&core->step, map, STR("detail"), value_string(&core->step, sentence));
    write_request_done(core, request->request_no, code, json_text(&core->step, map));
}

static bool select_tasks(struct core *core, const struct request *request, const struct run *run,
                         struct selection *out)
{
    const struct dag *dag = run_dag(core, run);
    bool *around = ARENA_ARRAY(&core->step, bool, dag->task_count);
    out->tasks = ARENA_ARRAY(&core->step, bool, dag->task_count);
    out->instances = ARENA_ARRAY(&core->step, struct ref, request->task_count);
    if (request->whole_run)
        memset(out->tasks, true, dag->task_count * sizeof *out->tasks);
    for (uint32_t i = 0; i < request->task_count; i++) {
        int32_t task = dag_find_task(dag, request->tasks[i].task_id);
        if (task < 0 && request->over_runs)
            continue;
        if (task < 0) {
            refuse(core, request, ERR_NOT_FOUND,
                   str_format(&core->step, "this version of DAG %.*s has no task %.*s",
                              STR_ARG(dag->id), STR_ARG(request->tasks[i].task_id)));
            return false;
        }
        around[task] = true;
        struct ref ref = { run->index, (uint32_t)task, request->tasks[i].map_index };
        uint32_t expansion = run->tasks[task].expansion;
        if (ref.map < 0 || expansion == NONE)
            out->tasks[task] = true;
        else if ((uint32_t)ref.map < run->expansions.items[expansion].length)
            out->instances[out->instance_count++] = ref;
    }
    bool *down = ARENA_ARRAY(&core->step, bool, dag->task_count),
         *up = ARENA_ARRAY(&core->step, bool, dag->task_count);
    memcpy(down, around, dag->task_count * sizeof *down);
    memcpy(up, around, dag->task_count * sizeof *up);
    if (request->include_downstream)
        spread(dag, down, true, &core->step);
    if (request->include_upstream)
        spread(dag, up, false, &core->step);
    for (uint32_t t = 0; t < dag->task_count; t++)
        out->tasks[t] |= (down[t] || up[t]) && !around[t];
    return true;
}

/* Setups and teardowns go along. */
static void select_setups(const struct dag *dag, struct selection *selection, struct arena *arena)
{
    bool *chosen = arena_copy(arena, selection->tasks, dag->task_count * sizeof *chosen);
    for (uint32_t i = 0; i < selection->instance_count; i++)
        chosen[selection->instances[i].task] = true;
    setups_choose(dag, chosen);
    for (uint32_t i = 0; i < selection->instance_count; i++)
        chosen[selection->instances[i].task] = selection->tasks[selection->instances[i].task];
    selection->tasks = chosen;
}

static bool is_wanted(const struct request *request, enum task_state state)
{
    if (request->only_failed && state != TASK_FAILED && state != TASK_UPSTREAM_FAILED)
        return false;
    return !request->only_running || state == TASK_QUEUED || state == TASK_RUNNING;
}

/* ---- clear ----------------------------------------------------------------------------------- */

static struct record *clear_row(struct core *core, struct ref ref, struct id128 attempt)
{
    struct record *record = write_try(core, WRITE_TRY_CLEARED, ref, TASK_NONE, CAUSE_CLEARED);
    record->try.attempt = attempt;
    output_drop(run_get(core, ref.run), ref.task, ref.map);
    return record;
}

/* Its process is killed; the row is cleared already and gets its end when the process is gone. */
static void clear_live(struct core *core, struct ref ref)
{
    struct instance *instance = instance_at(core, ref);
    struct attempt *attempt = &core->attempts.items[instance->attempt];
    struct run *run = run_get(core, ref.run);
    (void)clear_row(core, ref, attempt->id);
    attempt->dying = true;
    attempt->kill_cause = CAUSE_CLEARED;
    attempt->died_state = TASK_FAILED;
    attempt->row_no = instance->row_no;
    attempt_spec_drop(core, attempt);
    run->live--;
    run->dying++;
    hold_send(core, (struct core_send) { .type = SEND_KILL,
                                         .worker = core->workers.items[attempt->worker].identity,
                                         .kill = { attempt->id, CAUSE_CLEARED } });
}

static uint32_t clear_instance(struct core *core, const struct request *request, struct ref ref)
{
    struct instance *instance = instance_at(core, ref);
    enum task_state was = instance->state;
    if (was == TASK_NONE || !is_wanted(request, was))
        return 0;
    bool live = was == TASK_QUEUED || was == TASK_RUNNING;
    if (live) {
        clear_live(core, ref);
    } else if (was == TASK_DEFERRED) {
        uint32_t index = instance->attempt;
        clear_row(core, ref, core->attempts.items[index].id)->try.ended_ms = core->wall_ms;
        attempt_release_limits(core, &core->attempts.items[index]);
        attempt_free(core, index);
        instance->attempt = NONE;
    } else if (instance->row_no > 0) {
        (void)clear_row(core, ref, (struct id128) { 0 });
    }
    instance_set(core, ref, TASK_NONE, CAUSE_CLEARED);
    instance->try_base = instance->try_no;
    instance->infra_tries = 0;
    note_instance(core, ref, CAUSE_CLEARED);
    if (task_state_is_final(was))
        instance_unsettled(core, ref, was);
    if (ref.map >= 0)
        run_get(core, ref.run)->tasks[ref.task].self.state =
            TASK_NONE; /* so that it is looked at again */
    return 1;
}

static uint32_t clear_task(struct core *core, const struct request *request, struct run *run,
                           uint32_t task)
{
    struct task_slot *slot = &run->tasks[task];
    uint32_t expansion = slot->expansion, count = 0;
    slot->self.flags &= (uint8_t)~INSTANCE_EXCLUDED;
    if (expansion == NONE || run->expansions.items[expansion].length == 0)
        return clear_instance(core, request, (struct ref) { run->index, task, -1 });
    uint32_t length = run->expansions.items[expansion].length;
    for (uint32_t i = 0; i < length; i++)
        count += clear_instance(core, request, (struct ref) { run->index, task, (int32_t)i });
    mapped_forget(core, run, task);
    return count;
}

/* What a branch or short circuit decided holds on for tasks that were cleared without it. */
static void exclude_again(struct core *core, struct run *run)
{
    const struct dag *dag = run_dag(core, run);
    for (uint32_t t = 0; t < dag->task_count; t++) {
        enum operator_kind kind = dag->tasks[t].operator_kind;
        if (kind == OPERATOR_BRANCH || kind == OPERATOR_SHORT_CIRCUIT)
            flow_exclude(core, run, t);
    }
}

static bool version_is_fit(struct core *core, const struct request *request, const struct run *run)
{
    if (!request->latest_version || core->dags.items[run->dag].version == run->version)
        return true;
    refuse(
        core, request, ERR_UNSUPPORTED,
        str_format(
            &core->step,
            "run %.*s keeps the version of the DAG that it began with: trigger a new run instead",
            STR_ARG(run->run_id)));
    return false;
}

void run_clear(struct core *core, struct run *run)
{
    const struct request everything = { .kind = REQUEST_CLEAR };
    if (run->tasks == NULL)
        run_tasks_new(core, run);
    for (uint32_t t = 0; t < run_dag(core, run)->task_count; t++)
        (void)clear_task(core, &everything, run, t);
    exclude_again(core, run);
    run_reopen(core, run);
}

void request_clear(struct core *core, const struct request *request, struct run *run)
{
    struct selection selection = { 0 };
    uint32_t count = 0;
    if (!version_is_fit(core, request, run))
        return;
    if (run->tasks == NULL)
        run_tasks_new(core, run);
    if (!select_tasks(core, request, run, &selection))
        return;
    select_setups(run_dag(core, run), &selection, &core->step);
    for (uint32_t t = 0; t < run_dag(core, run)->task_count; t++)
        if (selection.tasks[t])
            count += clear_task(core, request, run, t);
    for (uint32_t i = 0; i < selection.instance_count; i++)
        if (!selection.tasks[selection.instances[i].task])
            count += clear_instance(core, request, selection.instances[i]);
    if (count > 0 || request->kind == REQUEST_MARK_RUN) {
        exclude_again(core, run);
        run_reopen(core, run);
    }
    struct value *map = value_map(&core->step);
    value_put(&core->step, map, STR("cleared"), value_int(&core->step, count));
    write_request_done(core, request->request_no, 0, json_text(&core->step, map));
}

/* ---- mark ------------------------------------------------------------------------------------ */

static uint32_t mark_instance(struct core *core, struct ref ref, enum task_state state)
{
    struct instance *instance = instance_at(core, ref);
    enum task_state was = instance->state;
    if (was == state)
        return 0;
    if (was == TASK_QUEUED || was == TASK_RUNNING || was == TASK_DEFERRED) {
        instance_kill(core, ref, state, CAUSE_MARKED);
        return 1;
    }
    if (task_state_is_final(was))
        instance_unsettled(core, ref, was);
    instance_end(core, ref, state, CAUSE_MARKED, STR_EMPTY);
    return 1;
}

static uint32_t mark_task(struct core *core, struct run *run, uint32_t task, enum task_state state)
{
    uint32_t expansion = run->tasks[task].expansion, count = 0;
    if (expansion == NONE || run->expansions.items[expansion].length == 0)
        return mark_instance(core, (struct ref) { run->index, task, -1 }, state);
    for (uint32_t i = 0; i < run->expansions.items[expansion].length; i++)
        count += mark_instance(core, (struct ref) { run->index, task, (int32_t)i }, state);
    return count;
}

void request_mark(struct core *core, const struct request *request, struct run *run)
{
    struct selection selection = { 0 };
    uint32_t count = 0;
    if (request->task_state != TASK_SUCCESS && request->task_state != TASK_FAILED &&
        request->task_state != TASK_SKIPPED) {
        refuse(core, request, ERR_UNPROCESSABLE,
               STR("a task can be marked success, failed or skipped"));
        return;
    }
    if (run->tasks == NULL)
        run_tasks_new(core, run);
    if (!select_tasks(core, request, run, &selection))
        return;
    for (uint32_t t = 0; t < run_dag(core, run)->task_count; t++)
        if (selection.tasks[t])
            count += mark_task(core, run, t, request->task_state);
    for (uint32_t i = 0; i < selection.instance_count; i++)
        if (!selection.tasks[selection.instances[i].task])
            count += mark_instance(core, selection.instances[i], request->task_state);
    if (count > 0 && run_state_is_final(run->state) && !MUTANT(CORE_MARK_UNCOUNTED))
        write_run_state(core, run); /* how many succeeded and failed is said in its row */
    struct value *map = value_map(&core->step);
    value_put(&core->step, map, STR("marked"), value_int(&core->step, count));
    write_request_done(core, request->request_no, 0, json_text(&core->step, map));
}
