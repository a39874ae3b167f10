// SPDX-License-Identifier: Apache-2.0
/* state - the states of tasks and runs, the causes of their changes, and which change is legal
 * (transition.def).
 *
 * Numbers are stored ("char"-sized columns, wire, UI bytes) and never change their meaning. Names
 * are Airflow's. */
#ifndef HEADRACE_STATE_H
#define HEADRACE_STATE_H

#include "common/base/str.h"

enum task_state {
    TASK_NONE = 0,
    TASK_SCHEDULED = 1, /* decided, waits for a slot */
    TASK_QUEUED = 2,    /* granted to a worker: may be running */
    TASK_RUNNING = 3,   /* the worker says so */
    TASK_SUCCESS = 4,
    TASK_FAILED = 5,
    TASK_SKIPPED = 6,
    TASK_UPSTREAM_FAILED = 7,
    TASK_UP_FOR_RETRY = 8,
    TASK_UP_FOR_RESCHEDULE = 9,
    TASK_DEFERRED = 10,
    TASK_REMOVED = 11,
    TASK_RESTARTING = 12,
    TASK_STATE_COUNT,
    TASK_ANY = 255 /* only in transition.def */
};

/* A state as one byte, at its number: of cells, on the stream and on the pages (docs/api/ui.md). */
#define TASK_STATE_LETTERS ".oqrsfkuycdxz"

enum run_state {
    RUN_QUEUED = 0,
    RUN_RUNNING = 1,
    RUN_SUCCESS = 2,
    RUN_FAILED = 3,
    RUN_STATE_COUNT
};

enum run_type {
    RUN_MANUAL = 0,
    RUN_SCHEDULED = 1,
    RUN_BACKFILL = 2,
    RUN_ASSET_TRIGGERED = 3,
    RUN_OPERATOR_TRIGGERED = 4,
    RUN_TYPE_COUNT
};

/* Why a task or run changed, or why it does not. Stored with the row, shown to the user, printed in
 * traces. CAUSE(name, number, sentence for people) */
#define CAUSES(CAUSE)                                                                              \
    CAUSE(none, NONE, 0, "")                                                                       \
    CAUSE(upstreams_done, UPSTREAMS_DONE, 1, "its upstream tasks are done")                        \
    CAUSE(rule_skips, RULE_SKIPS, 2, "an upstream task was skipped")                               \
    CAUSE(not_chosen, NOT_CHOSEN, 3, "the branch took another way")                                \
    CAUSE(when_false, WHEN_FALSE, 4, "its condition is false")                                     \
    CAUSE(empty_map, EMPTY_MAP, 5, "there is nothing to map over")                                 \
    CAUSE(rule_unmet, RULE_UNMET, 6, "its trigger rule can no longer be met")                      \
    CAUSE(bad_expression, BAD_EXPRESSION, 7, "an expression could not be evaluated")               \
    CAUSE(nothing_to_run, NOTHING_TO_RUN, 8, "there was nothing to run")                           \
    CAUSE(not_in_version, NOT_IN_VERSION, 9, "the task is not in this version of the DAG")         \
    CAUSE(placed, PLACED, 10, "given to a worker")                                                 \
    CAUSE(started, STARTED, 11, "its process started")                                             \
    CAUSE(never_started, NEVER_STARTED, 12, "the worker proved that it never started")             \
    CAUSE(exit_ok, EXIT_OK, 13, "its process ended well")                                          \
    CAUSE(exit_failed, EXIT_FAILED, 14, "its process failed")                                      \
    CAUSE(exit_skipped, EXIT_SKIPPED, 15, "its process asked to be skipped")                       \
    CAUSE(timed_out, TIMED_OUT, 16, "it ran longer than its execution_timeout")                    \
    CAUSE(lost, LOST, 17, "its worker was lost")                                                   \
    CAUSE(stopped, STOPPED, 18, "stopped by a user")                                               \
    CAUSE(run_stopped, RUN_STOPPED, 19, "the run was stopped")                                     \
    CAUSE(run_timed_out, RUN_TIMED_OUT, 20, "the run took longer than dagrun_timeout")             \
    CAUSE(fail_fast, FAIL_FAST, 21, "another task failed and the DAG is fail_fast")                \
    CAUSE(delay_over, DELAY_OVER, 22, "the wait before the retry is over")                         \
    CAUSE(waits_outside, WAITS_OUTSIDE, 23, "it waits for something outside")                      \
    CAUSE(event, EVENT, 24, "what it waited for happened")                                         \
    CAUSE(marked, MARKED, 25, "set by a user")                                                     \
    CAUSE(cleared, CLEARED, 26, "cleared by a user")                                               \
    CAUSE(requested, REQUESTED, 27, "requested by a user")                                         \
    CAUSE(schedule, SCHEDULE, 28, "its schedule fired")                                            \
    CAUSE(tasks_done, TASKS_DONE, 29, "all its tasks are done")                                    \
    CAUSE(tasks_failed, TASKS_FAILED, 30, "a task that decides failed")                            \
    CAUSE(recovered, RECOVERED, 31, "read back from the database")                                 \
    CAUSE(spawn_failed, SPAWN_FAILED, 32, "its process could not be started")                      \
    CAUSE(out_of_memory, OUT_OF_MEMORY, 33, "it used more memory than its limit")                  \
    CAUSE(output_too_large, OUTPUT_TOO_LARGE, 34,                                                  \
          "its output is larger than core.max_output_bytes")                                       \
    CAUSE(lease_over, LEASE_OVER, 35, "its lease ended without news from the worker")              \
    CAUSE(triggered, TRIGGERED, 36, "triggered by a task of another DAG")                          \
    CAUSE(catch_up, CATCH_UP, 37, "catching up on a missed interval")                              \
    CAUSE(waited_too_long, WAITED_TOO_LONG, 38,                                                    \
          "what it waited for did not come before its timeout")                                    \
    CAUSE(look_failed, LOOK_FAILED, 39, "what it waits for cannot be looked for")

enum cause {
#define CAUSE_ENUM(word, NAME, number, sentence) CAUSE_##NAME = (number),
    CAUSES(CAUSE_ENUM)
#undef CAUSE_ENUM
        CAUSE_COUNT
};

enum actor { ACTOR_LEADER, ACTOR_WORKER, ACTOR_USER };

const char *task_state_name(enum task_state state); /* "up_for_retry"; NONE is "none" */
const char *run_state_name(enum run_state state);
const char *run_type_name(enum run_type type);
const char *cause_name(enum cause cause);     /* "upstreams_done" */
const char *cause_sentence(enum cause cause); /* for people */

/* ERR_INVALID for a word that names no state. */
MUST_USE int task_state_parse(struct str name, enum task_state *out);
MUST_USE int run_state_parse(struct str name, enum run_state *out);
MUST_USE int run_type_parse(struct str name, enum run_type *out);

/* success, failed, skipped, upstream_failed, removed. */
bool task_state_is_final(enum task_state state);
bool run_state_is_final(enum run_state state);

/* Whether transition.def has the row. */
bool transition_is_legal(enum task_state from, enum task_state to, enum cause cause);

#endif
