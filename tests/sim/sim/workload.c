// SPDX-License-Identifier: Apache-2.0
/* Random DAGs, and what people ask for. */
#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/text/json.h"
#include "tests/sim/sim/world.h"

#include <stdio.h>

static uint32_t below(struct world *world, uint32_t bound)
{
    return (uint32_t)rand_below(&world->work, bound);
}

static const struct value *value_of(struct dag *dag, const char *json)
{
    const struct value *value = NULL;
    int rc = json_parse(&dag->arena, str_of(json), NULL, &value, NULL);
    ASSERT(rc == 0);
    return value;
}

/* ---- DAGs ------------------------------------------------------------------------------------ */

static void edges_make(struct world *world, struct dag *dag, uint32_t at)
{
    struct task *task = &dag->tasks[at];
    task->upstream = ARENA_ARRAY(&dag->arena, uint32_t, at + 1);
    double density = 1.5 / (double)(at + 1);
    for (uint32_t i = 0; i < at; i++)
        if (rand_chance(&world->work, density + (i + 1 == at ? 0.4 : 0)))
            task->upstream[task->upstream_count++] = i;
}

static void limits_make(struct world *world, struct task *task)
{
    static const char *const pools[] = { "default_pool", "default_pool", "p1", "p2" };
    task->pool = str_of(pools[below(world, 4)]);
    task->pool_slots = str_is(task->pool, "p1") ? 1 + (int32_t)below(world, 2) : 1;
    task->priority_weight = 1 + (int32_t)below(world, 3);
    if (below(world, 6) == 0)
        task->queue = STR("q2");
    if (below(world, 8) == 0)
        task->max_active_tis_per_dagrun = 1;
    if (below(world, 8) == 0)
        task->max_active_tis_per_dag = 1 + below(world, 2);
    task->retries = below(world, 3);
    task->retry_delay_ms = 500 + below(world, 8000);
    task->retry_backoff = below(world, 2) == 0 ? 0 : 1.5;
    task->retry_jitter = below(world, 3) == 0 ? JITTER_FULL : JITTER_NONE;
}

static void mapping_make(struct world *world, struct dag *dag, struct task *task)
{
    static const char *const lists[] = { "[1,2,3]", "[]", "[1]", "{\"a\":[1,2],\"b\":[3,4]}" };
    if (below(world, 6) != 0 || task->operator_kind != OPERATOR_BASH)
        return;
    if (task->upstream_count > 0 && below(world, 2) == 0) {
        struct str text = str_format(&dag->arena, "\"{{ xcom.%.*s | default([7]) }}\"",
                                     STR_ARG(dag->tasks[task->upstream[0]].id));
        const struct task *from = &dag->tasks[task->upstream[0]];
        if (from->operator_kind == OPERATOR_BASH && from->for_each == NULL) {
            task->for_each = value_of(dag, str_cstr(&dag->arena, text));
            return;
        }
    }
    task->for_each = value_of(dag, lists[below(world, 4)]);
    if (below(world, 3) == 0)
        task->tolerate_failures.count = 1;
}

static void operator_make(struct world *world, struct dag *dag, struct task *task, bool may_trigger)
{
    uint32_t draw = below(world, 20);
    task->operator_kind = OPERATOR_BASH;
    task->operator_args = value_of(dag, "{\"command\":\"true {{ ti.try_number }}\"}");
    if (draw == 0) {
        task->operator_kind = OPERATOR_EMPTY;
    } else if (draw == 1) {
        task->operator_kind = OPERATOR_SHORT_CIRCUIT;
        task->operator_args = value_of(dag, below(world, 2) == 0 ? "{\"condition\":\"1 > 2\"}"
                                                                 : "{\"condition\":\"2 > 1\"}");
    } else if (draw == 2 && may_trigger) {
        task->operator_kind = OPERATOR_TRIGGER_DAG;
        task->operator_args =
            value_of(dag, below(world, 3) == 0 ? "{\"dag_id\":\"d1\"}"
                                               : "{\"dag_id\":\"d1\",\"wait\":true}");
        if (str_is(task->pool,
                   "p1")) /* which counts those that wait: what it waits for may need its slots */
            task->pool = STR("default_pool");
    } else if (draw == 3) {
        task->when = STR("ti.map_index < 1");
    }
}

/* Some tasks wait instead; some tell of failures. Drawn apart, so that the rest of the work is that
 * of a plain world. */
static void wait_make(struct world *world, struct dag *dag, struct task *task, uint32_t number,
                      bool is_last)
{
    static const char *const args[] = {
        "{\"duration\": \"7s\"}",
        "{\"duration\": \"1m\", \"timeout_ms\": 20000}",
        "{\"file\": \"/x\", \"poke_interval_ms\": 4000}",
        ("{\"file\": \"/{{ ti.map_index }}\", \"poke_interval_ms\": 1000, \"timeout_ms\": 90000, "
         "\"soft_fail\": true}"),
        "{\"http\": {\"url\": \"http://h\"}, \"poke_interval_ms\": 20000, \"timeout_ms\": 200000}",
        "{\"asset\": \"x\", \"poke_interval_ms\": 9000, \"timeout_ms\": 30000}",
        "{\"duration\": \"5h\"}"
    };
    enum { TASK = sizeof args / sizeof *args, LONG = TASK - 1 };
    uint64_t draw = rand_below(&world->more, 14);
    if (task->operator_kind != OPERATOR_BASH || draw > TASK)
        return;
    if (draw == TASK && (number != 2 || is_last))
        return;
    task->operator_kind = OPERATOR_WAIT_FOR;
    if (draw == LONG)
        task->execution_timeout_ms = 9000;
    task->operator_args =
        value_of(dag, draw < TASK ? args[draw]
                                  : "{\"task\": {\"dag_id\": \"d2\", \"task_id\": \"t0\"}, "
                                    "\"poke_interval_ms\": 9000, \"timeout_ms\": 60000}");
}

static void notify_make(struct world *world, struct dag *dag)
{
    static const char *const lists[] = {
        "{\"on_failure\": [{\"webhook\": \"http://h/x\"}]}",
        "{\"on_failure\": [{\"exec\": [\"/bin/x\"]}], \"on_retry\": [{\"webhook\": \"http://r\"}]}",
        ("{\"on_execute\": [{\"email\": [\"a@h\"]}], \"on_success\": [{\"webhook\": "
         "\"http://h/y\"}]}")
    };
    for (uint32_t t = 0; t < dag->task_count; t++)
        if (rand_below(&world->more, 4) == 0)
            dag->tasks[t].notify = value_of(dag, lists[rand_below(&world->more, 3)]);
    if (rand_below(&world->more, 3) == 0)
        dag->notify = value_of(dag, "{\"on_failure\": [{\"webhook\": \"http://h/z\"}]}");
    if (rand_below(&world->more, 3) != 0)
        return;
    dag->notify = value_of(dag, "{\"on_deadline\": [{\"webhook\": \"http://h/z\"}], "
                                "\"on_success\": [{\"webhook\": \"http://g\"}]}");
    dag->deadline_ms = 20000;
}

/* A branch that chooses the first of what is downstream of it. */
static void branches_make(struct world *world, struct dag *dag)
{
    for (uint32_t t = 0; t + 1 < dag->task_count; t++) {
        struct task *task = &dag->tasks[t];
        uint32_t first = 0, count = 0;
        for (uint32_t d = t + 1; d < dag->task_count; d++)
            for (uint32_t i = 0; i < dag->tasks[d].upstream_count; i++)
                if (dag->tasks[d].upstream[i] == t && count++ == 0)
                    first = d;
        if (count < 2 || below(world, 6) != 0 || task->for_each != NULL ||
            task->operator_kind != OPERATOR_BASH)
            continue;
        struct str args = str_format(
            &dag->arena, "{\"cases\":[{\"when\":\"1 == 2\",\"then\":[]}],\"default\":[\"%.*s\"]}",
            STR_ARG(dag->tasks[first].id));
        task->operator_kind = OPERATOR_BRANCH;
        task->operator_args = value_of(dag, str_cstr(&dag->arena, args));
    }
}

/* Some DAGs prepare with their first task and take away with their last one. */
static void setup_make(struct world *world, struct dag *dag)
{
    uint32_t last = dag->task_count - 1;
    struct task *setup = &dag->tasks[0], *teardown = &dag->tasks[last];
    if (below(world, 4) != 0 || last < 2 || teardown->for_each != NULL ||
        teardown->operator_kind != OPERATOR_BASH)
        return;
    setup->setup = true;
    teardown->teardown = value_of(dag, "[\"t0\"]");
    teardown->when = STR_EMPTY;
    if (teardown->upstream_count > 0 && teardown->upstream[0] == 0)
        return;
    memmove(teardown->upstream + 1, teardown->upstream,
            teardown->upstream_count * sizeof *teardown->upstream);
    teardown->upstream[0] = 0;
    teardown->upstream_count++;
}

/* Some tasks of the DAG that has a schedule look at the run before. */
static void past_make(struct world *world, struct dag *dag)
{
    bool any = below(world, 2) == 0;
    dag->catchup = below(world, 2) == 0;
    for (uint32_t t = 0; t < dag->task_count; t++) {
        dag->tasks[t].depends_on_past = any && below(world, 3) == 0;
        dag->tasks[t].wait_for_downstream = any && below(world, 6) == 0;
    }
}

/* What the first two DAGs update, the last one waits for. */
static void assets_make(struct world *world, struct dag *dag, uint32_t number)
{
    static const char *const conditions[] = { "{\"assets\":[\"x\"]}",
                                              "{\"assets\":{\"any\":[\"x\",\"y\"]}}",
                                              "{\"assets\":[\"x\",\"y\"]}",
                                              "{\"files\":{\"path\":\"/in/*\",\"settle_ms\":0}}" };
    if (number == 3)
        dag->schedule = value_of(dag, conditions[below(world, 4)]);
    for (uint32_t t = 0; number < 2 && t < dag->task_count; t++)
        if (below(world, 5) == 0)
            dag->tasks[t].outlets =
                value_of(dag, below(world, 2) == 0 ? "[\"x\"]" : "[\"x\",\"y\"]");
}

static struct dag *dag_make(struct world *world, uint32_t number)
{
    uint32_t count = 1 + below(world, number == 3 ? 2 : world->config.tasks_max);
    struct dag *dag = dag_new(count);
    dag->id = str_format(&dag->arena, "d%u", number);
    dag->max_active_runs = 1 + below(world, 3) + (number == 3 ? 3 : 0);
    dag->max_active_tasks = 1 + below(world, 6);
    dag->fail_fast = below(world, 10) == 0;
    dag->run_timeout_ms = below(world, 12) == 0 ? 60000 : 0;
    dag->priority = (int32_t)below(world, 3);
    for (uint32_t t = 0; t < count; t++) {
        struct task *task = &dag->tasks[t];
        task->id = str_format(&dag->arena, "t%u", t);
        task->trigger_rule =
            below(world, 3) > 0 ? RULE_ALL_SUCCESS : (enum trigger_rule)below(world, RULE_COUNT);
        edges_make(world, dag, t);
        limits_make(world, task);
        operator_make(world, dag, task, number == 0);
        mapping_make(world, dag, task);
    }
    branches_make(world, dag);
    setup_make(world, dag);
    assets_make(world, dag, number);
    if (!world->config.plain) {
        for (uint32_t t = 0; t < count; t++)
            wait_make(world, dag, &dag->tasks[t], number, t == 0);
        notify_make(world, dag);
    }
    if (number == 2) {
        dag->schedule = value_of(dag, "{\"every_ms\":47000}");
        dag->end_ms = WALL_BASE_MS + FAULTS_MS;
        past_make(world, dag);
    }
    int rc = dag_build(dag, NULL);
    ASSERT(rc == 0);
    return dag;
}

static bool looks_back(const struct dag *dag)
{
    for (uint32_t t = 0; t < dag->task_count; t++)
        if (dag->tasks[t].depends_on_past || dag->tasks[t].wait_for_downstream)
            return true;
    return false;
}

void workload_make(struct world *world)
{
    world->scheduler_count = 1 + below(world, world->config.schedulers_max);
    world->worker_count = 1 + below(world, world->config.workers_max);
    for (uint32_t i = 0; i < world->worker_count; i++) {
        struct worker_node *node = &world->workers[i];
        snprintf(node->name, sizeof node->name, "w%u", i);
        snprintf(node->queues, sizeof node->queues, i % 2 == 0 ? "default,q2" : "default");
        node->slots = 1 + below(world, 3);
        node->clock_ms = 1000 + below(world, 1000000);
    }
    for (uint32_t i = 0; i < 4; i++) {
        VEC_ADD(&world->dags, dag_make(world, i));
        model_store_dag(&world->store, (int32_t)i + 1, i + 1, world->dags.items[i], false);
    }
    uint32_t runs = 1 + below(world, world->config.runs_max);
    for (uint32_t i = 0; i < runs; i++)
        sim_at(world, 100 + below(world, FAULTS_MS * 3 / 4),
               (struct event) { .kind = EVENT_REQUEST });
    for (uint32_t i = 0; i < FILES_COUNT; i++)
        world->file_ms[i] = below(world, FAULTS_MS);
    for (uint32_t i = below(world, 3); i > 0; i--)
        sim_at(world, 20000 + below(world, FAULTS_MS / 2),
               (struct event) { .kind = EVENT_REQUEST, .number = 4 });
    if (looks_back(world->dags.items[2]))
        sim_at(world, FAULTS_MS + 60000, (struct event) { .kind = EVENT_REQUEST, .number = 3 });
    if ((world->faults & 1u << FAULT_USERS) != 0)
        for (uint32_t i = 0; i < 4; i++)
            sim_at(world, 10000 + below(world, FAULTS_MS - 20000),
                   (struct event) { .kind = EVENT_REQUEST, .number = 2 });
}

/* ---- requests -------------------------------------------------------------------------------- */

static void request_add(struct world *world, struct str json)
{
    sim_trace(world, "request %u: %.*s", world->requests.count + 1, STR_ARG(json));
    VEC_ADD(&world->requests, json);
}

static void trigger(struct world *world)
{
    uint32_t number = world->requests.count;
    request_add(
        world,
        str_format(&world->arena,
                   "{\"kind\":\"trigger\",\"dag_id\":\"d%u\",\"run_id\":\"r%u\",\"actor\":\"u\"}",
                   below(world, 2), number));
}

/* Of past dates of the DAG that has a schedule. */
static void backfill(struct world *world)
{
    static const char *const ways[] = { "none", "failed", "completed" };
    /* One after the other: the order of arguments is the compiler's. */
    int64_t from_ms = WALL_BASE_MS - 100000 - below(world, 300000);
    int64_t to_ms = WALL_BASE_MS + below(world, 100000);
    uint32_t runs_max = 1 + below(world, 3);
    const char *way = ways[below(world, 3)];
    bool is_backwards = !looks_back(world->dags.items[2]) && below(world, 3) == 0;
    request_add(world,
                str_format(&world->arena,
                           "{\"kind\":\"backfill\",\"dag_id\":\"d2\",\"from_ms\":%lld,\"to_ms\":%"
                           "lld,\"max_active_runs\":%u,\"reprocess\":\"%s\",\"backwards\":%s}",
                           (long long)from_ms, (long long)to_ms, runs_max, way,
                           is_backwards ? "true" : "false"));
}

static void meddle(struct world *world)
{
    static const char *const states[] = { "success", "failed", "skipped" };
    if (world->store.runs.count == 0)
        return;
    const struct model_run *run = &world->store.runs.items[below(world, world->store.runs.count)];
    const struct dag *dag = world->dags.items[run->row.dag_no - 1];
    struct str dag_id = dag->id, run_id = run->row.run_id,
               task = dag->tasks[below(world, dag->task_count)].id;
    switch (below(world, 7)) {
    case 0:
        request_add(world,
                    str_format(&world->arena,
                               "{\"kind\":\"clear\",\"dag_id\":\"%.*s\",\"run_id\":\"%.*s\","
                               "\"tasks\":[{\"task_id\":\"%.*s\"}],\"include_downstream\":true}",
                               STR_ARG(dag_id), STR_ARG(run_id), STR_ARG(task)));
        break;
    case 1:
        request_add(
            world,
            str_format(
                &world->arena,
                "{\"kind\":\"clear\",\"dag_id\":\"%.*s\",\"run_id\":\"%.*s\",\"whole_run\":true}",
                STR_ARG(dag_id), STR_ARG(run_id)));
        break;
    case 2:
        request_add(world,
                    str_format(&world->arena,
                               "{\"kind\":\"mark_tasks\",\"dag_id\":\"%.*s\",\"run_id\":\"%.*s\","
                               "\"tasks\":[{\"task_id\":\"%.*s\"}],\"task_state\":\"%s\"}",
                               STR_ARG(dag_id), STR_ARG(run_id), STR_ARG(task),
                               states[below(world, 3)]));
        break;
    case 3:
        request_add(world, str_format(&world->arena,
                                      "{\"kind\":\"mark_run\",\"dag_id\":\"%.*s\",\"run_id\":\"%.*"
                                      "s\",\"run_state\":\"%s\"}",
                                      STR_ARG(dag_id), STR_ARG(run_id), states[below(world, 2)]));
        break;
    case 4:
        request_add(world, str_format(&world->arena,
                                      "{\"kind\":\"pause\",\"dag_id\":\"%.*s\",\"paused\":true}",
                                      STR_ARG(dag_id)));
        break;
    case 5:
        request_add(world, str_format(&world->arena,
                                      "{\"kind\":\"drain_worker\",\"worker_no\":%u,\"drain\":true}",
                                      1 + below(world, world->worker_count)));
        break;
    default:
        request_add(world,
                    str_format(&world->arena,
                               "{\"kind\":\"delete_run\",\"dag_id\":\"%.*s\",\"run_id\":\"%.*s\"}",
                               STR_ARG(dag_id), STR_ARG(run_id)));
        break;
    }
}

/* At the end everything goes on, and nothing new comes by itself. */
static void settle(struct world *world)
{
    for (uint32_t i = 0; i < world->dags.count; i++)
        request_add(world, str_format(&world->arena, "{\"kind\":\"pause\",\"dag_id\":\"d%u\"}", i));
    for (uint32_t i = 0; i < world->worker_count; i++)
        request_add(world, str_format(&world->arena, "{\"kind\":\"drain_worker\",\"worker_no\":%u}",
                                      i + 1));
}

/* A run waits for ever for a task of the run before that has failed, until somebody says that it is
 * good. */
static void absolve(struct world *world)
{
    bool waits = false;
    VEC_EACH (&world->store.runs, i) {
        const struct model_run *run = &world->store.runs.items[i];
        waits |= run->row.dag_no == 3 && !run->deleted && !run_state_is_final(run->row.state);
    }
    struct buf tasks = { 0 };
    for (uint32_t t = 0; t < world->dags.items[2]->task_count; t++)
        buf_printf(&tasks, "%s{\"task_id\":\"t%u\"}", t > 0 ? "," : "", t);
    for (uint32_t i = 0; waits && i < world->store.runs.count; i++) {
        const struct model_run *run = &world->store.runs.items[i];
        if (run->row.dag_no != 3 || run->deleted || !run_state_is_final(run->row.state))
            continue;
        request_add(world, str_format(&world->arena,
                                      "{\"kind\":\"mark_tasks\",\"dag_id\":\"d2\",\"run_id\":\"%.*"
                                      "s\",\"tasks\":[%.*s],\"task_state\":\"success\"}",
                                      STR_ARG(run->row.run_id), STR_ARG(buf_str(&tasks))));
    }
    buf_clear(&tasks);
    sim_at(world, world->now_ms + 60000, (struct event) { .kind = EVENT_REQUEST, .number = 3 });
}

void workload_request(struct world *world, uint64_t number)
{
    if (number == 0)
        trigger(world);
    else if (number == 1)
        settle(world);
    else if (number == 3)
        absolve(world);
    else if (number == 4)
        backfill(world);
    else
        meddle(world);
}

bool workload_waits_for_files(const struct world *world)
{
    return value_get(world->dags.items[3]->schedule, "files") != NULL;
}

struct id128 workload_file(uint32_t index)
{
    return (struct id128) { 7, index + 1 < FILES_COUNT ? index : index - 1 };
}

/* Every request is answered, every file has been taken, and every run has ended. */
bool workload_is_done(struct world *world, char *why, size_t size)
{
    int code = 0;
    struct str answer;
    VEC_EACH (&world->requests, i) {
        if (model_store_answered(&world->store, i + 1, &code, &answer))
            continue;
        snprintf(why, size, "request %u is not answered", i + 1);
        return false;
    }
    for (uint32_t i = 0; workload_waits_for_files(world) && i < FILES_COUNT; i++) {
        if (model_store_file_known(&world->store, 4, workload_file(i)))
            continue;
        snprintf(why, size, "file %u has started no run", i);
        return false;
    }
    bool all = str_eq(STR("{\"assets\":[\"x\",\"y\"]}"),
                      json_text(&world->arena, world->dags.items[3]->schedule));
    for (uint32_t i = 0; !all && i < world->store.kept.count; i++) {
        if (world->store.kept.items[i].run_no != 0)
            continue;
        snprintf(why, size, "asset event %lld is kept",
                 (long long)world->store.kept.items[i].event_no);
        return false;
    }
    VEC_EACH (&world->store.backfills, i) {
        if (world->store.backfills.items[i].row.ended_ms != 0)
            continue;
        snprintf(why, size, "backfill %lld goes on",
                 (long long)world->store.backfills.items[i].row.backfill_no);
        return false;
    }
    VEC_EACH (&world->store.runs, i) {
        const struct model_run *run = &world->store.runs.items[i];
        if (run->deleted || run_state_is_final(run->row.state))
            continue;
        snprintf(why, size, "run %.*s is %s", STR_ARG(run->row.run_id),
                 run_state_name(run->row.state));
        return false;
    }
    VEC_EACH (&world->store.notifications, i) {
        const struct notification_row *row = &world->store.notifications.items[i];
        if (row->state != NOTIFICATION_PENDING)
            continue;
        snprintf(why, size, "a notification (%.*s) is not delivered", STR_ARG(row->event));
        return false;
    }
    return true;
}

/* What the leader says about every task that has no end. */
void workload_why(struct world *world)
{
    const struct core *core = NULL;
    struct arena arena = { 0 };
    for (uint32_t i = 0; i < world->scheduler_count; i++)
        if (world->schedulers[i].leading)
            core = world->schedulers[i].core;
    for (uint32_t i = 0; core != NULL && i < world->store.runs.count; i++) {
        const struct model_run *run = &world->store.runs.items[i];
        const struct dag *dag = world->dags.items[run->row.dag_no - 1];
        for (uint32_t t = 0;
             t < dag->task_count && !run->deleted && !run_state_is_final(run->row.state); t++)
            for (int32_t m = -1; m < 5; m++) {
                const struct model_try *row = model_store_newest(run, t, m);
                struct str why = core_why(core, run->row.run_no, t, m, &arena);
                if (why.size > 0 || (row != NULL && !task_state_is_final(row->row.state)))
                    sim_trace(world, "%.*s %.*s[%d] %s%s: %.*s", STR_ARG(run->row.run_id),
                              STR_ARG(dag->tasks[t].id), m,
                              row != NULL ? task_state_name(row->row.state) : "no row",
                              row != NULL && row->cleared ? " (cleared)" : "", STR_ARG(why));
            }
    }
    arena_clear(&arena);
}
