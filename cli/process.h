// SPDX-License-Identifier: Apache-2.0
/* process - the programs that `headrace standalone` starts, and those that an earlier one left
 * behind.
 *
 * Each is started in a session of its own, so that a terminal's Ctrl-C reaches only the supervisor.
 * A process is named by its pid and its start time: a pid alone may belong to somebody else by now.
 */
#ifndef HEADRACE_CLI_PROCESS_H
#define HEADRACE_CLI_PROCESS_H

#include "common/base/str.h"
#include "common/base/vec.h"

#include <sys/types.h>

struct process {
    pid_t pid;       /* 0: none */
    int64_t started; /* field 22 of /proc/PID/stat: clock ticks since boot */
};

struct process_options {
    const char *const *argv; /* argv[0] is a path */
    const char *const *env;
    const char *log_path; /* stdout and stderr, appended; moved to .old above 16 MiB. NULL: ours */
    uid_t uid;            /* who it runs as; 0 with gid 0: as we are */
    gid_t gid;
    int keep_fd; /* stays open as descriptor 3; 0: none */
};

MUST_USE int process_spawn(struct process *out, const struct process_options *options,
                           struct err *err);

/* Runs to its end; its output goes to the log. *out_status is the exit status, or 128 + signal. */
MUST_USE int process_run(const struct process_options *options, int *out_status, struct err *err);

struct process process_of(pid_t pid); /* pid 0 when there is none */
bool process_is_alive(const struct process *process);

/* Signals it; waits for its end for at most `grace_ms`, then SIGKILL to its whole session. Works
 * for our children and for others. Nothing to do when it has ended. */
void process_stop(struct process *process, int signum, int64_t grace_ms);

/* Those whose program is called `name` and whose environment says HEADRACE_HOME=`home`. */
struct process_list {
    VEC(struct process) found;
};
void process_find(struct process_list *list, const char *name, struct str home);

void process_sleep_ms(int64_t ms);
int64_t process_now_ms(void);

#endif
