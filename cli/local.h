// SPDX-License-Identifier: Apache-2.0
/* local - a scheduler's core and a worker's core in one process, with a real warden and nothing
 * else: what `dags test` runs.
 *
 * Decisions are those of a cluster. What is absent: a database (commits succeed at once, into the
 * air), a network (messages arrive at once), schedules, other people. */
#ifndef HEADRACE_CLI_LOCAL_H
#define HEADRACE_CLI_LOCAL_H

#include "common/base/vec.h"
#include "common/model/dag.h"
#include "common/model/record.h"
#include "scheduler/core/core.h"
#include "worker/core/worker_core.h"
#include "worker/warden/warden_client.h"

struct conf;

struct local_attempt {
    struct id128 attempt;
    struct str name; /* "parse[3]" */
    int64_t log_offset;
};

/* A result that on_start gave in place of a process. */
struct local_made_up {
    struct id128 attempt;
    struct result result;
};

struct local_errands;

struct local {
    struct core *core;
    struct local_errands *errands;
    struct worker_core *worker;
    struct warden_client warden;
    pid_t warden_pid;
    const struct conf *conf;
    const char *spool;
    struct arena arena;            /* lives as long as this */
    struct str queues;             /* of all tasks, with commas */
    uint64_t committed;            /* batch that was "committed" and is to be reported; 0 = none */
    const struct core_send *grant; /* being delivered */
    VEC(struct local_attempt) attempts;
    VEC(struct local_made_up) made_up; /* results that are not told yet, from made_up_told on */
    uint32_t made_up_told;
    VEC(struct core_find) finds; /* not answered yet: no run was ever before */
    bool inventory_wanted;
    bool run_is_over, run_is_good, is_refused;
    const struct dag *dag; /* the first, which is run; dag_no 1 */
    int32_t dag_count;
    int64_t run_no; /* of its run */

    /* A row that was "written"; a line that a task printed, `kind` O, E or S. */
    void (*on_record)(struct local *local, const struct record *record);
    void (*on_line)(struct local *local, struct str name, char kind, struct str line);
    /* Whether the attempt is not to be run, but ends with *out; its texts live as long as this.
     * NULL: all are run. */
    bool (*on_start)(struct local *local, const struct core_send *grant, struct result *out);
    void *owner;
};

/* Starts the warden `program` in the folder `spool`; looks of wait_for are made by `task_program`.
 */
MUST_USE int local_open(struct local *local, const struct conf *conf, const char *program,
                        const char *task_program, const char *spool, struct err *err);
void local_close(struct local *local); /* ends everything that still runs */

/* Before local_run: what the DAGs use. Values are borrowed until local_close. */
void local_variable(struct local *local, struct str key, const struct value *value);
void local_connection(struct local *local, struct str id, const struct value *map);

/* Takes `dag`; `zone` is borrowed. Its schedule is left out: a test has one run, of the DAG that
 * comes first. */
void local_dag(struct local *local, struct dag *dag, const struct zone *zone);

/* Asks for a run of the DAG `request` names and goes on until it is over, or *stop becomes true. */
MUST_USE int local_run(struct local *local, const struct request *request,
                       const volatile bool *stop, struct err *err);

#endif
