// SPDX-License-Identifier: Apache-2.0
/* supervisor - keeps the programs of a standalone installation running, and ends them in order.
 *
 * Whatever dies is started again, at once the first time, then with a pause that doubles up to ten
 * seconds. Workers are the scheduler's affair; they are only ended here, with everything else. */
#ifndef HEADRACE_CLI_SUPERVISOR_H
#define HEADRACE_CLI_SUPERVISOR_H

#include "cli/private_pg.h"

enum { SUPERVISOR_PARTS = 2 };

struct part {
    const char *name; /* "scheduler" */
    const char *program;
    const char *log;
    struct process process;
    int64_t started_ms, start_at_ms; /* start_at_ms counts while there is no process */
    int64_t pause_ms;
    uint32_t deaths; /* since it last ran for a while */
};

struct supervisor {
    struct arena *arena;
    struct str home;
    const char *const *env; /* of the programs */
    struct private_pg *pg;  /* NULL: the database is somebody else's */
    struct part parts[SUPERVISOR_PARTS];
    int64_t pg_start_at_ms; /* 0: it runs */
    bool is_stopping;       /* a signal asked for it */
    void (*on_note)(const char *sentence);
};

enum { SUPERVISOR_TASK_GRACE_S = 20 }; /* what runs when all is ended has so long to end */

/* Takes SIGINT, SIGTERM, SIGHUP and SIGCHLD for itself from now on. */
void supervisor_init(struct supervisor *supervisor, struct arena *arena, struct str home,
                     const char *const *env, void (*on_note)(const char *sentence));

/* Waits up to `ms` for a signal, then starts what is due. False once it was asked to stop. */
bool supervisor_step(struct supervisor *supervisor, int64_t ms);

/* The part that has died most often since it last ran well; NULL when all is well. */
const struct part *supervisor_ailing(const struct supervisor *supervisor);

/* Ends everything of this home, in order: the scheduler (it would replace workers), workers with
 * their wardens, the web server (it takes their last log lines), PostgreSQL. `pg` NULL: not that.
 * Also what an earlier supervisor left. */
void supervisor_end(struct str home, struct private_pg *pg, void (*on_note)(const char *sentence));

/* Whether any program of this home runs. */
bool supervisor_finds_programs(struct str home);

/* Scheduler and web server of an earlier supervisor; its workers and their tasks go on. */
void supervisor_end_programs(struct str home);

#endif
