// SPDX-License-Identifier: Apache-2.0
/* trigger - trigger_dag: a task that starts a run of a DAG, and perhaps waits for its end. */
#include "common/base/civil.h"
#include "common/model/context.h"
#include "common/text/json.h"
#include "common/text/template.h"
#include "scheduler/core/core_calls.h"

/* ---- names ----------------------------------------------------------------------------------- */

/* The name of the run that an instance triggers: always the same for the same try, so that recovery
 * finds it. */
static struct str triggered_id(struct core *core, struct ref ref, uint16_t try_no)
{
    return str_format(&core->step, "operator_triggered__%llx_%u_%d_%u",
                      (unsigned long long)run_get(core, ref.run)->run_no, ref.task, ref.map,
                      try_no);
}

/* The reverse of triggered_id, but for the try. */
static bool triggered_by(const struct core *core, const struct run *run, struct ref *out)
{
    static const char prefix[] = "operator_triggered__";
    if (run->type != RUN_OPERATOR_TRIGGERED || !str_starts(run->run_id, prefix))
        return false;
    struct str rest = str_slice(run->run_id, sizeof prefix - 1, run->run_id.size), part = STR_EMPTY;
    int64_t parent_no = 0, task = 0, map = 0;
    (void)str_split(&rest, '_', &part);
    for (size_t i = 0; i < part.size; i++)
        parent_no = parent_no << 4 |
                    (part.bytes[i] <= '9' ? part.bytes[i] - '0' : part.bytes[i] - 'a' + 10);
    const struct run *parent = run_by_no(core, parent_no);
    if (parent == NULL || !str_split(&rest, '_', &part) ||
        str_to_int(part, 0, INT32_MAX, &task) < 0 || !str_split(&rest, '_', &part) ||
        str_to_int(part, -1, INT32_MAX, &map) < 0)
        return false;
    *out = (struct ref) { parent->index, (uint32_t)task, (int32_t)map };
    return true;
}

/* The instance that waits for the end of this run, or NULL. */
static const struct instance *waiter_of(struct core *core, const struct run *run, struct ref *out)
{
    if (!triggered_by(core, run, out))
        return NULL;
    const struct instance *instance = instance_at(core, *out);
    bool waits = instance != NULL && instance->state == TASK_DEFERRED &&
                 str_eq(run->run_id, triggered_id(core, *out, instance->try_no));
    return waits ? instance : NULL;
}

/* ---- circles --------------------------------------------------------------------------------- */

static bool is_empty(const struct value *conf)
{
    return conf == NULL || conf->count == 0;
}

/* Whether the wish is for what this run is already. Another conf, or another date, may be a
 * recursion that comes to an end. */
static bool is_again(const struct run *run, const struct run_wish *wish)
{
    return run->dag == wish->dag && run->has_logical == wish->has_logical &&
           (!wish->has_logical || run->logical_ms == wish->logical_ms) &&
           ((is_empty(run->conf) && is_empty(wish->conf)) ||
            (run->conf != NULL && wish->conf != NULL && value_eq(run->conf, wish->conf)));
}

/* What is waited for and waits itself for the like of itself would do so for ever, and take one
 * active run after the other. */
static int check_circle(struct core *core, struct ref ref, const struct run_wish *wish,
                        struct err *err)
{
    const struct run *run = run_get(core, ref.run);
    struct ref waiter;
    while (!is_again(run, wish) && waiter_of(core, run, &waiter) != NULL)
        run = run_get(core, waiter.run);
    if (!is_again(run, wish))
        return 0;
    struct str way = core->dags.items[wish->dag].id;
    const struct run *first = run;
    for (run = run_get(core, ref.run);; run = run_get(core, waiter.run)) {
        way =
            str_format(&core->step, "%.*s -> %.*s", STR_ARG(run_dag(core, run)->id), STR_ARG(way));
        if (run == first || waiter_of(core, run, &waiter) == NULL)
            break;
    }
    return err_set(err, ERR_CONFLICT,
                   "%.*s: each waits for the next, so that none would ever end; give the run "
                   "another conf, or do not wait for it",
                   STR_ARG(way));
}

/* ---- beginning ------------------------------------------------------------------------------- */

static int trigger_wish(struct core *core, struct ref ref, struct run_wish *wish, struct err *err)
{
    struct context_owner owner;
    struct context context;
    const struct value *args = NULL;
    context_fill(core, ref, &owner, &core->step, &context);
    struct expr_scope scope = context_scope(&context);
    int rc = template_render_value(task_at(core, ref)->operator_args, &scope, 0, &core->step, &args,
                                   err);
    if (rc < 0)
        return rc;
    struct str dag_id = value_text(value_get(args, "dag_id"), STR_EMPTY);
    struct str logical = value_text(value_get(args, "logical_date"), STR_EMPTY);
    struct dag_entry *dag = dag_by_id(core, dag_id);
    bool has_zone = false;
    if (dag == NULL || dag->gone)
        return err_set(err, ERR_NOT_FOUND, "there is no DAG %.*s", STR_ARG(dag_id));
    wish->dag = dag_index(core, dag);
    wish->conf = value_get(args, "conf");
    if (logical.size == 0)
        return 0;
    wish->has_logical = true;
    if (civil_parse(logical, &wish->logical_ms, &has_zone) < 0)
        return err_set(err, ERR_INVALID, "logical_date \"%.*s\" is no time", STR_ARG(logical));
    wish->interval_start_ms = wish->interval_end_ms = wish->logical_ms;
    return 0;
}

void trigger_begin(struct core *core, struct ref ref)
{
    struct instance *instance = instance_at(core, ref);
    struct err err = { 0 };
    struct run *made = NULL;
    bool wait = value_boolean(value_get(task_at(core, ref)->operator_args, "wait"), false);
    uint16_t try_no = (uint16_t)(instance->try_no + 1);
    struct run_wish wish = { .type = RUN_OPERATOR_TRIGGERED,
                             .run_id = triggered_id(core, ref, try_no),
                             .run_after_ms = core->wall_ms,
                             .triggered_by = STR("trigger_dag"),
                             .note = STR_EMPTY,
                             .cause = CAUSE_TRIGGERED };
    int rc = trigger_wish(core, ref, &wish, &err);
    if (rc == 0 && wait)
        rc = check_circle(core, ref, &wish, &err);
    else if (rc == 0)
        rc = run_create(core, &wish, &made, &err);
    if (rc < 0) {
        flow_bad_expression(core, ref, "trigger_dag", &err);
        return;
    }
    instance->try_no = try_no;
    if (!wait) {
        struct value *answer = value_map(&core->step);
        value_put(&core->step, answer, STR("run_id"), value_string(&core->step, wish.run_id));
        output_keep(core, run_get(core, ref.run), ref.task, ref.map, json_text(&core->step, answer),
                    true);
        instance_end(core, ref, TASK_SUCCESS, CAUSE_NOTHING_TO_RUN, STR_EMPTY);
        return;
    }
    uint32_t index = deferred_begin(core, ref);
    deferred_limit(core, index);
    /* Only now: a run without tasks ends at once, and its waiter must be there to be told. */
    if (run_create(core, &wish, &made, &err) < 0)
        deferred_end(core, index, TASK_FAILED, CAUSE_EVENT, str_of(err.sentence));
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* In the same transaction as the run's own end, so that no crash can lose the news. */
void trigger_run_ended(struct core *core, struct run *run)
{
    struct ref ref;
    const struct instance *instance = waiter_of(core, run, &ref);
    if (instance == NULL)
        return;
    if (run->state == RUN_SUCCESS) {
        deferred_end(core, instance->attempt, TASK_SUCCESS, CAUSE_EVENT, STR_EMPTY);
        return;
    }
    struct result result = { .outcome = OUTCOME_FAILED, .output = STR_EMPTY };
    result.error = str_format(&core->step, "run %.*s of DAG %.*s failed", STR_ARG(run->run_id),
                              STR_ARG(run_dag(core, run)->id));
    attempt_failed(core, instance->attempt, &result, CAUSE_EVENT);
}

static void deferred_check(struct core *core, struct ref ref)
{
    const struct instance *instance = instance_at(core, ref);
    if (instance->state != TASK_DEFERRED)
        return;
    struct str run_id = triggered_id(core, ref, instance->try_no);
    VEC_EACH (&core->dags, i)
        if (core->dags.items[i].used && run_by_id(core, &core->dags.items[i], run_id) != NULL)
            return;
    deferred_end(
        core, instance->attempt, TASK_FAILED, CAUSE_EVENT,
        str_format(&core->step, "run %.*s, which it waited for, is gone", STR_ARG(run_id)));
}

void trigger_check(struct core *core, struct run *run, uint32_t task)
{
    if (run_dag(core, run)->tasks[task].operator_kind == OPERATOR_TRIGGER_DAG)
        instance_each(core, run, task, deferred_check);
}
