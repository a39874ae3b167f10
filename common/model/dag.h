// SPDX-License-Identifier: Apache-2.0
/* dag - one version of a DAG in its intermediate form (IR): what every front end compiles to and
 * all that the scheduler reads. Immutable after dag_build. Canonical JSON (dag_to_json) is what
 * PostgreSQL keeps and what a version's hash is of.
 *
 * Tasks are numbered 0..count-1 in the order of the file; `depends_on` of groups is already
 * resolved to task edges. Everything lives in the dag's own arena. */
#ifndef HEADRACE_DAG_H
#define HEADRACE_DAG_H

#include "common/base/arena.h"
#include "common/base/str.h"
#include "common/model/state.h"
#include "common/text/value.h"

enum operator_kind {
    OPERATOR_BASH,
    OPERATOR_EXEC,
    OPERATOR_PYTHON,
    OPERATOR_SQL,
    OPERATOR_HTTP,
    OPERATOR_EMPTY,
    OPERATOR_BRANCH,
    OPERATOR_SHORT_CIRCUIT,
    OPERATOR_WAIT_FOR,
    OPERATOR_TRIGGER_DAG,
    OPERATOR_NOTIFY,
    OPERATOR_COUNT
};

const char *operator_name(enum operator_kind kind); /* "bash" */
MUST_USE int operator_parse(struct str name, enum operator_kind *out);

enum trigger_rule {
    RULE_ALL_SUCCESS,
    RULE_ALL_FAILED,
    RULE_ALL_DONE,
    RULE_ALL_DONE_MIN_ONE_SUCCESS,
    RULE_ALL_SKIPPED,
    RULE_ONE_SUCCESS,
    RULE_ONE_FAILED,
    RULE_ONE_DONE,
    RULE_NONE_FAILED,
    RULE_NONE_FAILED_MIN_ONE_SUCCESS,
    RULE_NONE_SKIPPED,
    RULE_ALWAYS,
    RULE_COUNT
};

const char *trigger_rule_name(enum trigger_rule rule); /* "all_success" */
MUST_USE int trigger_rule_parse(struct str name, enum trigger_rule *out);

enum weight_rule { WEIGHT_DOWNSTREAM, WEIGHT_UPSTREAM, WEIGHT_ABSOLUTE };
enum jitter { JITTER_NONE, JITTER_FULL };

/* How a mapped task may fail in part: at most `count` instances, or `percent` of them. */
struct tolerance {
    uint32_t count;
    double percent;
};

struct task {
    struct str id; /* "group.load" */
    enum operator_kind operator_kind;
    const struct value *operator_args; /* map: the operator's fields, templates unrendered */
    enum trigger_rule trigger_rule;
    struct str when; /* expression; empty = none */
    const struct value
        *for_each; /* NULL = not mapped; list, map of lists, or string with a template */
    struct tolerance tolerate_failures;
    uint32_t retries;
    int64_t retry_delay_ms;
    double retry_backoff; /* 0 = constant */
    enum jitter retry_jitter;
    int64_t max_retry_delay_ms;
    const struct value *retry_on,
        *no_retry_on; /* lists of exit codes (int) and error names (string); NULL = none */
    int64_t execution_timeout_ms; /* 0 = none */
    int64_t kill_grace_ms;
    struct str pool;
    int32_t pool_slots;
    int32_t priority_weight;
    enum weight_rule weight_rule;
    int32_t weight; /* effective, by dag_build from weight_rule */
    struct str queue;
    bool depends_on_past, wait_for_downstream;
    uint32_t max_active_tis_per_dag, max_active_tis_per_dagrun; /* 0 = no limit */
    int32_t cpu_milli;                                          /* 0 = no limit, as the two below */
    int64_t memory_bytes;
    int32_t pids_max;
    struct str run_as_user, cwd;
    const struct value *env; /* map of strings (templates), NULL = none */
    bool setup;
    const struct value *teardown; /* list of setup task ids; NULL = not a teardown */
    bool teardown_decides;        /* a teardown that decides after all */
    const struct value *notify;   /* map: on_success, on_failure, ... lists; NULL = none */
    struct str doc_md, display_name, map_label;
    const struct value *inlets, *outlets;
    uint32_t *upstream; /* task numbers, ascending */
    uint32_t upstream_count;
    uint32_t *downstream; /* derived by dag_build */
    uint32_t downstream_count;
    bool decides;     /* derived: its end decides the run's (no downstream but teardowns, and no
                         teardown itself) */
    uint32_t *setups; /* derived: setup tasks in whose scope it lies, see setup.h */
    uint32_t setup_count;
};

struct dag_group {
    struct str id; /* with parents: "a.b" */
    struct str tooltip;
    int32_t parent; /* -1 = top */
};

struct dag {
    struct arena arena; /* owns everything here */
    struct str id;
    struct str description, doc_md, owner;
    const struct value *tags;     /* list of strings */
    const struct value *schedule; /* canonical: null or a map with one of cron (list), interval,
                                     every_ms, at, once, continuous, assets, files */
    struct str timezone;
    int64_t start_ms, end_ms; /* INT64_MIN / INT64_MAX when unbounded */
    bool catchup;
    uint32_t max_active_runs, max_active_tasks;
    int64_t run_timeout_ms; /* 0 = none, as deadline */
    int64_t deadline_ms;
    uint32_t deadline_percentile; /* of the lengths of earlier runs, in its place; 0 = none */
    uint32_t max_consecutive_failed_runs;
    int8_t paused_upon_creation; /* -1 = as the setting says, 0, 1 */
    bool fail_fast;
    int32_t priority;
    const struct value *params; /* map name -> JSON Schema with default */
    const struct value *env;    /* map, NULL = none */
    const struct value *notify; /* map: on_success, on_failure, on_deadline; NULL = none */
    struct task *tasks;
    uint32_t task_count;
    struct dag_group *groups;
    uint32_t group_count;
    uint32_t *by_id; /* task numbers in order of their ids; derived */
};

/* An empty dag with every default of dag-format.md and `task_count` default tasks, to be filled by
 * a front end. */
struct dag *dag_new(uint32_t task_count);
void dag_free(struct dag *dag); /* NULL allowed */

/* Derives downstream edges, effective weights and checks what must hold: edges in range, no cycle.
 * ERR_INVALID names the cycle: "a -> b -> a". */
MUST_USE int dag_build(struct dag *dag, struct err *err);

/* Index of a task id, or -1. O(log n) after dag_build. */
int32_t dag_find_task(const struct dag *dag, struct str id);

/* Canonical JSON: keys sorted, defaults left out; the same dag always gives the same bytes. */
struct str dag_to_json(const struct dag *dag, struct arena *arena);

/* *out is yours (dag_free). Reads what any release has written since 0.1. */
MUST_USE int dag_from_json(struct str json, struct dag **out, struct err *err);

/* The resolved params of a run: defaults overridden by conf; checked against the schemas.
 * ERR_UNPROCESSABLE lists every field that does not fit. */
MUST_USE int dag_params(const struct dag *dag, const struct value *conf, struct arena *arena,
                        const struct value **out, struct err *err);

#endif
