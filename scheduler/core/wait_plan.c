// SPDX-License-Identifier: Apache-2.0
/* wait_plan - what an instance of wait_for waits for: read from its task when the wait begins, and
 * said in words when somebody asks why. */
#include "common/base/buf.h"
#include "common/base/civil.h"
#include "common/text/duration.h"
#include "common/text/template.h"
#include "scheduler/core/core_calls.h"

enum { POKE_MS = 60000 };

#define TIMEOUT_MS (7 * MS_PER_DAY)

/* ---- what is waited for ---------------------------------------------------------------------- */

static int text_render(struct core *core, struct ref ref, const struct value *raw,
                       struct arena *arena, struct str *out, struct err *err)
{
    struct context_owner owner;
    struct context context;
    const struct value *value = NULL;
    *out = STR_EMPTY;
    if (raw == NULL || raw->type == VALUE_NULL)
        return 0;
    context_fill(core, ref, &owner, arena, &context);
    struct expr_scope scope = context_scope(&context);
    int rc = template_render_value(raw, &scope, 0, arena, &value, err);
    if (rc == 0)
        *out = template_text(arena, value);
    return rc;
}

/* A time without an offset is one of the DAG's wall clock. */
static int plan_time(struct core *core, struct ref ref, struct str text, int64_t *out_ms,
                     struct err *err)
{
    const struct zone *zone = core->dags.items[run_get(core, ref.run)->dag].zone;
    bool has_zone = false;
    int64_t instants[2];
    if (civil_parse(text, out_ms, &has_zone) < 0)
        return err_set(err, ERR_INVALID, "time \"%.*s\" is no time", STR_ARG(text));
    if (!has_zone && zone != NULL) {
        int64_t rest_ms = *out_ms % 1000;
        (void)zone_instants(zone, *out_ms / 1000, instants);
        *out_ms = instants[0] * 1000 + rest_ms;
    }
    return 0;
}

static struct str task_key(struct arena *arena, struct str dag_id, struct str task_id,
                           int64_t logical_ms)
{
    return str_format(arena, "%.*s%c%.*s%c%lld", STR_ARG(dag_id), '\0', STR_ARG(task_id), '\0',
                      (long long)logical_ms);
}

static int plan_task(struct core *core, struct ref ref, const struct value *fields,
                     struct wait_plan *out, struct err *err)
{
    const struct run *run = run_get(core, ref.run);
    struct str dag_id, task_id, logical;
    int64_t logical_ms = run->logical_ms;
    bool has_zone = false;
    int rc = text_render(core, ref, value_get(fields, "dag_id"), &core->step, &dag_id, err);
    if (rc == 0)
        rc = text_render(core, ref, value_get(fields, "task_id"), &core->step, &task_id, err);
    if (rc == 0)
        rc = text_render(core, ref, value_get(fields, "logical_date"), &core->step, &logical, err);
    if (rc < 0)
        return rc;
    if (logical.size == 0 && !run->has_logical)
        return err_set(err, ERR_INVALID,
                       "this run has no logical date: name one in task.logical_date");
    if (logical.size > 0 && civil_parse(logical, &logical_ms, &has_zone) < 0)
        return err_set(err, ERR_INVALID, "task.logical_date \"%.*s\" is no time", STR_ARG(logical));
    out->key = task_key(&core->step, dag_id, task_id, logical_ms);
    return 0;
}

static int plan_asset(struct core *core, struct ref ref, const struct value *raw,
                      struct wait_plan *out, struct err *err)
{
    struct str name;
    int rc = text_render(core, ref, raw, &core->step, &name, err);
    if (rc == 0)
        out->key = str_format(&core->step, "%c%.*s", '\0', STR_ARG(name));
    return rc;
}

static int plan_moment(struct core *core, struct ref ref, int64_t begun_ms,
                       const struct value *args, struct wait_plan *out, struct err *err)
{
    bool is_time = value_get(args, "time") != NULL;
    struct str text;
    int64_t length_ms = 0;
    int rc = text_render(core, ref, value_get(args, is_time ? "time" : "duration"), &core->step,
                         &text, err);
    if (rc == 0)
        rc = is_time ? plan_time(core, ref, text, &out->end_ms, err)
                     : duration_parse(text, &length_ms, err);
    if (!is_time)
        out->end_ms = begun_ms + length_ms;
    int64_t timeout_ms = value_integer(value_get(args, "timeout_ms"), 0);
    out->kind = WAIT_UNTIL;
    if (timeout_ms > 0 && begun_ms + timeout_ms < out->end_ms) {
        out->kind = WAIT_IN_VAIN;
        out->end_ms = begun_ms + timeout_ms;
    }
    return rc;
}

int wait_plan_make(struct core *core, struct ref ref, int64_t begun_ms, struct wait_plan *out,
                   struct err *err)
{
    static const enum errand_kind kinds[] = { ERRAND_FILE, ERRAND_HTTP, ERRAND_SQL, ERRAND_TASK,
                                              ERRAND_ASSET };
    const struct value *args = task_at(core, ref)->operator_args;
    struct context_owner owner;
    struct context context;
    struct str payload;
    *out = (struct wait_plan) { .key = STR_EMPTY };
    if (value_get(args, "time") != NULL || value_get(args, "duration") != NULL)
        return plan_moment(core, ref, begun_ms, args, out, err);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (value_get(args, errand_kind_name(kinds[i])) != NULL)
            out->kind = (uint8_t)kinds[i];
    out->end_ms = begun_ms + value_integer(value_get(args, "timeout_ms"), TIMEOUT_MS);
    out->poke_ms = value_integer(value_get(args, "poke_interval_ms"), POKE_MS);
    if (out->kind == ERRAND_TASK)
        return plan_task(core, ref, value_get(args, "task"), out, err);
    if (out->kind == ERRAND_ASSET)
        return plan_asset(core, ref, value_get(args, "asset"), out, err);
    context_fill(core, ref, &owner, &core->step, &context);
    return errand_look(&context, (enum errand_kind)out->kind, &core->step, &payload,
                       err); /* a mistake shows now, not at the first look */
}

/* ---- why ------------------------------------------------------------------------------------- */

/* "6 d", "3 s": the largest unit that gives two or more. */
static struct str span(struct arena *arena, int64_t ms)
{
    int64_t s = ms > 0 ? ms / 1000 : 0;
    if (s >= 2 * 86400)
        return str_format(arena, "%lld d", (long long)(s / 86400));
    if (s >= 2 * 3600)
        return str_format(arena, "%lld h", (long long)(s / 3600));
    if (s >= 120)
        return str_format(arena, "%lld min", (long long)(s / 60));
    return str_format(arena, "%lld s", (long long)s);
}

struct str wait_subject(struct core *core, const struct wait *wait, struct arena *arena)
{
    const struct value *args =
        task_at(core, core->attempts.items[wait->attempt].ref)->operator_args;
    struct str text = STR_EMPTY, rest = wait->key, dag_id = STR_EMPTY, task_id = STR_EMPTY;
    struct ref ref = core->attempts.items[wait->attempt].ref;
    switch (wait->kind) {
    case ERRAND_FILE:
        (void)!text_render(core, ref, value_get(args, "file"), arena, &text, NULL);
        return str_format(arena, "file %.*s", STR_ARG(text));
    case ERRAND_HTTP:
        (void)!text_render(core, ref, value_get(value_get(args, "http"), "url"), arena, &text,
                           NULL);
        return str_format(arena, "an answer of %.*s", STR_ARG(str_slice(text, 0, 200)));
    case ERRAND_SQL:
        (void)!text_render(core, ref, value_get(value_get(args, "sql"), "connection"), arena, &text,
                           NULL);
        return str_format(arena, "a row of a statement on %.*s", STR_ARG(text));
    case ERRAND_TASK:
        (void)str_split(&rest, '\0', &dag_id);
        (void)str_split(&rest, '\0', &task_id);
        return str_format(arena,
                          task_id.size > 0 ? "task %.*s of DAG %.*s" : "%.*sa run of DAG %.*s",
                          STR_ARG(task_id), STR_ARG(dag_id));
    case ERRAND_ASSET:
        return str_format(arena, "an update of asset %.*s", STR_ARG(str_slice(rest, 1, rest.size)));
    default:
        return STR("a time");
    }
}

/* Wall: by its timeout, or by the execution_timeout of its task. */
static int64_t give_up_ms(const struct core *core, const struct wait *wait)
{
    int64_t limit_ms = task_at(core, core->attempts.items[wait->attempt].ref)->execution_timeout_ms;
    int64_t at_ms = wait->begun_ms + limit_ms;
    return limit_ms > 0 && at_ms < wait->end_ms ? at_ms : wait->end_ms;
}

/* Whether a wait is for the run of `ref`, or for that very task of it. */
static bool is_for(const struct core *core, const struct wait *wait, struct ref ref,
                   struct arena *arena)
{
    const struct run *run = run_get(core, ref.run);
    const struct dag *dag = run_dag(core, run);
    return wait->kind == ERRAND_TASK && run->has_logical &&
           (str_eq(wait->key, task_key(arena, dag->id, STR_EMPTY, run->logical_ms)) ||
            str_eq(wait->key, task_key(arena, dag->id, dag->tasks[ref.task].id, run->logical_ms)));
}

/* One that waits for this one while this one waits for it: neither will end. */
static const struct wait *counterpart(const struct core *core, const struct wait *wait,
                                      struct arena *arena)
{
    struct ref ref = core->attempts.items[wait->attempt].ref;
    if (wait->kind != ERRAND_TASK)
        return NULL;
    VEC_EACH (&core->waits, i) {
        const struct wait *other = &core->waits.items[i];
        if (other->used && is_for(core, other, ref, arena) &&
            is_for(core, wait, core->attempts.items[other->attempt].ref, arena))
            return other;
    }
    return NULL;
}

struct str wait_why(const struct core *core, const struct wait *wait, struct arena *arena)
{
    struct core *mutable = (struct core *)(uintptr_t)core; /* only looks, as core_why says */
    struct buf out = { 0 };
    if (wait->kind == WAIT_UNTIL)
        return str_format(arena, "waits until %.*s, in %.*s",
                          STR_ARG(context_time(arena, wait->end_ms)),
                          STR_ARG(span(arena, wait->end_ms - core->wall_ms)));
    buf_printf(&out, "waits for %.*s", STR_ARG(wait_subject(mutable, wait, arena)));
    if (wait->looks > 0)
        buf_printf(&out, "; looked %u time%s, last %.*s ago", wait->looks,
                   wait->looks == 1 ? "" : "s",
                   STR_ARG(span(arena, core->now_ms - wait->looked_ms)));
    else if (wait->kind < WAIT_UNTIL)
        buf_add_cstr(&out, wait->looking ? "; looks for the first time"
                                         : "; no worker of its queue could look yet");
    if (wait->said != NULL)
        buf_printf(&out, " (%s)", wait->said);
    buf_printf(&out, "; gives up in %.*s",
               STR_ARG(span(arena, give_up_ms(core, wait) - core->wall_ms)));
    const struct wait *other = counterpart(core, wait, arena);
    if (other != NULL) {
        struct ref ref = core->attempts.items[other->attempt].ref;
        const struct dag *dag = run_dag(core, run_get(core, ref.run));
        buf_printf(&out, "; but task %.*s of DAG %.*s waits for this in turn: a circle",
                   STR_ARG(dag->tasks[ref.task].id), STR_ARG(dag->id));
    }
    struct str text = str_copy(arena, buf_str(&out));
    buf_clear(&out);
    return text;
}
