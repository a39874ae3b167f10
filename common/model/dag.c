// SPDX-License-Identifier: Apache-2.0
#include "common/model/dag.h"

#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/civil.h"
#include "common/model/setup.h"

static const char *const operator_names[OPERATOR_COUNT] = {
    [OPERATOR_BASH] = "bash",         [OPERATOR_EXEC] = "exec",
    [OPERATOR_PYTHON] = "python",     [OPERATOR_SQL] = "sql",
    [OPERATOR_HTTP] = "http",         [OPERATOR_EMPTY] = "empty",
    [OPERATOR_BRANCH] = "branch",     [OPERATOR_SHORT_CIRCUIT] = "short_circuit",
    [OPERATOR_WAIT_FOR] = "wait_for", [OPERATOR_TRIGGER_DAG] = "trigger_dag",
    [OPERATOR_NOTIFY] = "notify",
};

const char *operator_name(enum operator_kind kind)
{
    return (unsigned)kind < OPERATOR_COUNT ? operator_names[kind] : "unknown";
}

int operator_parse(struct str name, enum operator_kind *out)
{
    for (int i = 0; i < OPERATOR_COUNT; i++) {
        if (str_is(name, operator_names[i])) {
            *out = (enum operator_kind)i;
            return 0;
        }
    }
    return ERR_INVALID;
}

static const struct task task_defaults = {
    .operator_kind = OPERATOR_EMPTY,
    .trigger_rule = RULE_ALL_SUCCESS,
    .when = { "", 0 },
    .retry_delay_ms = 5 * MS_PER_MINUTE,
    .max_retry_delay_ms = MS_PER_DAY,
    .kill_grace_ms = 10 * MS_PER_SECOND,
    .id = { "", 0 },
    .pool = { "default_pool", 12 },
    .pool_slots = 1,
    .priority_weight = 1,
    .weight_rule = WEIGHT_DOWNSTREAM,
    .weight = 1,
    .queue = { "default", 7 },
    .run_as_user = { "", 0 },
    .cwd = { "", 0 },
    .doc_md = { "", 0 },
    .display_name = { "", 0 },
    .map_label = { "", 0 },
};

static const struct dag dag_defaults = {
    .id = { "", 0 },
    .description = { "", 0 },
    .doc_md = { "", 0 },
    .owner = { "", 0 },
    .timezone = { "UTC", 3 },
    .start_ms = INT64_MIN,
    .end_ms = INT64_MAX,
    .max_active_runs = 16,
    .max_active_tasks = 16,
    .paused_upon_creation = -1,
};

struct dag *dag_new(uint32_t task_count)
{
    struct dag *dag = malloc(sizeof *dag);
    ASSERT(dag != NULL);
    *dag = dag_defaults;
    arena_init(&dag->arena);
    dag->task_count = task_count;
    dag->tasks = ARENA_ARRAY(&dag->arena, struct task, task_count);
    for (uint32_t i = 0; i < task_count; i++)
        dag->tasks[i] = task_defaults;
    return dag;
}

void dag_free(struct dag *dag)
{
    if (dag == NULL)
        return;
    arena_clear(&dag->arena);
    free(dag);
}

static int edges_check(const struct dag *dag, struct err *err)
{
    for (uint32_t t = 0; t < dag->task_count; t++) {
        const struct task *task = &dag->tasks[t];
        for (uint32_t i = 0; i < task->upstream_count; i++) {
            if (task->upstream[i] >= dag->task_count)
                return err_set(err, ERR_INVALID, "task %.*s depends on task number %u of %u",
                               STR_ARG(task->id), task->upstream[i], dag->task_count);
            if (i > 0 && task->upstream[i - 1] >= task->upstream[i])
                return err_set(err, ERR_INVALID,
                               "the upstream tasks of %.*s are not in rising order",
                               STR_ARG(task->id));
        }
    }
    return 0;
}

static void downstream_derive(struct dag *dag)
{
    for (uint32_t t = 0; t < dag->task_count; t++)
        dag->tasks[t].downstream_count = 0;
    for (uint32_t t = 0; t < dag->task_count; t++)
        for (uint32_t i = 0; i < dag->tasks[t].upstream_count; i++)
            dag->tasks[dag->tasks[t].upstream[i]].downstream_count++;
    for (uint32_t t = 0; t < dag->task_count; t++) {
        dag->tasks[t].downstream =
            ARENA_ARRAY(&dag->arena, uint32_t, dag->tasks[t].downstream_count);
        dag->tasks[t].downstream_count = 0;
    }
    for (uint32_t t = 0; t < dag->task_count; t++) {
        for (uint32_t i = 0; i < dag->tasks[t].upstream_count; i++) {
            struct task *up = &dag->tasks[dag->tasks[t].upstream[i]];
            up->downstream[up->downstream_count++] = t;
        }
    }
}

/* Names one cycle among the tasks whose `left` is not zero: from each of them an upstream edge
 * leads to another one. */
static int cycle_report(const struct dag *dag, const uint32_t *left, struct arena *scratch,
                        struct err *err)
{
    uint32_t *seen_at = ARENA_ARRAY(scratch, uint32_t, dag->task_count);
    uint32_t *path = ARENA_ARRAY(scratch, uint32_t, dag->task_count + 1);
    uint32_t count = 0, at = 0;
    while (left[at] == 0)
        at++;
    while (seen_at[at] == 0) {
        seen_at[at] = count + 1;
        path[count++] = at;
        uint32_t i = 0;
        while (left[dag->tasks[at].upstream[i]] == 0)
            i++;
        at = dag->tasks[at].upstream[i];
    }
    struct buf text = { 0 };
    buf_add_str(&text, dag->tasks[at].id);
    for (uint32_t i = count; i-- > seen_at[at] - 1;) {
        buf_add_cstr(&text, " -> ");
        buf_add_str(&text, dag->tasks[path[i]].id);
    }
    int rc =
        err_set(err, ERR_INVALID, "these tasks wait for each other: %.*s", STR_ARG(buf_str(&text)));
    (void)err_hint(err, "remove one of these dependencies");
    buf_clear(&text);
    return rc;
}

/* *out_order: upstream before downstream. */
static int order_derive(const struct dag *dag, struct arena *scratch, uint32_t **out_order,
                        struct err *err)
{
    uint32_t *order = ARENA_ARRAY(scratch, uint32_t, dag->task_count);
    uint32_t *left = ARENA_ARRAY(scratch, uint32_t, dag->task_count);
    uint32_t count = 0;
    for (uint32_t t = 0; t < dag->task_count; t++) {
        left[t] = dag->tasks[t].upstream_count;
        if (left[t] == 0)
            order[count++] = t;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct task *task = &dag->tasks[order[i]];
        for (uint32_t k = 0; k < task->downstream_count; k++)
            if (--left[task->downstream[k]] == 0)
                order[count++] = task->downstream[k];
    }
    if (count < dag->task_count)
        return cycle_report(dag, left, scratch, err);
    *out_order = order;
    return 0;
}

static int64_t mask_weight(const struct dag *dag, uint32_t first, uint64_t mask)
{
    int64_t sum = 0;
    for (; mask != 0; mask &= mask - 1)
        sum += dag->tasks[first + (uint32_t)__builtin_ctzll(mask)].priority_weight;
    return sum;
}

/* Adds to sums[t] the weights of all that is transitively downstream (or upstream) of t, each once.
 * Blocks of 64 tasks walk the graph together as the bits of one word: n/64 passes over the edges
 * instead of n. */
static void weights_transitive(const struct dag *dag, const uint32_t *order, bool down,
                               struct arena *scratch, int64_t *sums)
{
    uint64_t *reach = ARENA_ARRAY(scratch, uint64_t, dag->task_count);
    for (uint32_t first = 0; first < dag->task_count; first += 64) {
        for (uint32_t n = 0; n < dag->task_count; n++) {
            uint32_t t = down ? order[dag->task_count - 1 - n] : order[n];
            const struct task *task = &dag->tasks[t];
            const uint32_t *next = down ? task->downstream : task->upstream;
            uint32_t next_count = down ? task->downstream_count : task->upstream_count;
            uint64_t mask = 0;
            for (uint32_t i = 0; i < next_count; i++)
                mask |= reach[next[i]];
            if (mask != 0)
                sums[t] += mask_weight(dag, first, mask);
            if (t - first < 64)
                mask |= (uint64_t)1 << (t - first);
            reach[t] = mask;
        }
    }
}

static void weights_derive(struct dag *dag, const uint32_t *order, struct arena *scratch)
{
    bool wanted[2] = { false, false };
    for (uint32_t t = 0; t < dag->task_count; t++)
        if (dag->tasks[t].weight_rule != WEIGHT_ABSOLUTE)
            wanted[dag->tasks[t].weight_rule] = true;
    int64_t *sums[2] = { NULL, NULL };
    for (int rule = WEIGHT_DOWNSTREAM; rule <= WEIGHT_UPSTREAM; rule++) {
        if (!wanted[rule])
            continue;
        sums[rule] = ARENA_ARRAY(scratch, int64_t, dag->task_count);
        weights_transitive(dag, order, rule == WEIGHT_DOWNSTREAM, scratch, sums[rule]);
    }
    for (uint32_t t = 0; t < dag->task_count; t++) {
        struct task *task = &dag->tasks[t];
        int64_t weight = task->priority_weight;
        if (task->weight_rule != WEIGHT_ABSOLUTE)
            weight += sums[task->weight_rule][t];
        task->weight = weight > INT32_MAX   ? INT32_MAX
                       : weight < INT32_MIN ? INT32_MIN
                                            : (int32_t)weight;
    }
}

/* Of what decides about the run. */
static bool is_left_out(const struct task *task)
{
    return task->teardown != NULL && !task->teardown_decides;
}

static void decides_derive(struct dag *dag)
{
    for (uint32_t t = 0; t < dag->task_count; t++) {
        struct task *task = &dag->tasks[t];
        task->decides = !is_left_out(task);
        for (uint32_t i = 0; i < task->downstream_count; i++)
            if (!is_left_out(&dag->tasks[task->downstream[i]]))
                task->decides = false;
    }
}

/* Heap sort: the order of ids is needed once, and qsort has no room for the dag. */
static void sift(const struct dag *dag, uint32_t *items, uint32_t at, uint32_t count)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count &&
            str_cmp(dag->tasks[items[child]].id, dag->tasks[items[child + 1]].id) < 0)
            child++;
        if (str_cmp(dag->tasks[items[at]].id, dag->tasks[items[child]].id) >= 0)
            return;
        uint32_t swap = items[at];
        items[at] = items[child];
        items[child] = swap;
        at = child;
    }
}

static int ids_derive(struct dag *dag, struct err *err)
{
    uint32_t count = dag->task_count;
    uint32_t *items = ARENA_ARRAY(&dag->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = i;
    for (uint32_t i = count / 2; i-- > 0;)
        sift(dag, items, i, count);
    for (uint32_t i = count; i-- > 1;) {
        uint32_t swap = items[0];
        items[0] = items[i];
        items[i] = swap;
        sift(dag, items, 0, i);
    }
    for (uint32_t i = 1; i < count; i++)
        if (str_eq(dag->tasks[items[i - 1]].id, dag->tasks[items[i]].id))
            return err_set(err, ERR_INVALID, "two tasks have the id %.*s",
                           STR_ARG(dag->tasks[items[i]].id));
    dag->by_id = items;
    return 0;
}

int dag_build(struct dag *dag, struct err *err)
{
    int rc = edges_check(dag, err);
    if (rc < 0)
        return rc;
    rc = ids_derive(dag, err);
    if (rc < 0)
        return rc;
    downstream_derive(dag);
    decides_derive(dag);
    struct arena scratch = { 0 };
    uint32_t *order = NULL;
    rc = order_derive(dag, &scratch, &order, err);
    if (rc == 0) {
        weights_derive(dag, order, &scratch);
        setups_derive(dag, &scratch);
    }
    arena_clear(&scratch);
    return rc;
}

int32_t dag_find_task(const struct dag *dag, struct str id)
{
    uint32_t low = 0, high = dag->task_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_cmp(dag->tasks[dag->by_id[middle]].id, id);
        if (order == 0)
            return (int32_t)dag->by_id[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
