// SPDX-License-Identifier: Apache-2.0
/* spawn - starts a process by clone(CLONE_VM | CLONE_VFORK): the parent's memory is neither copied
 * nor scanned, and what fails in the child up to execve is reported through it. */
#ifndef HEADRACE_SPAWN_H
#define HEADRACE_SPAWN_H

#include "worker/warden/cgroup.h"

#include <sys/resource.h>
#include <sys/types.h>

struct spawn {
    char **argv; /* NULL-terminated */
    char **env;
    const char *program; /* NULL: argv[0], looked for in `path` when it has no slash */
    const char *path;    /* of the task's environment */
    int stdin_fd, stdout_fd, stderr_fd;
    int cwd_fd; /* used when cwd is NULL */
    const char *cwd;
    int join_fds[CGROUP_JOIN_MAX];
    int join_count;
    int64_t deadline_ms;  /* CLOCK_BOOTTIME; 0 = none: nothing is started at or after it */
    uint64_t mark;        /* hard RLIMIT_MSGQUEUE, 0 = leave it */
    int64_t memory_bytes; /* RLIMIT_AS, 0 = leave it */
    int32_t pids_max;     /* RLIMIT_NPROC, 0 = leave it */
    struct rlimit nofile; /* what the child gets */
    bool set_user;
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    int group_count;
    bool reset_oom; /* our own oom_score_adj is lower than a task's may be */
};

enum spawn_stage {
    SPAWN_DONE,
    SPAWN_CLONE,
    SPAWN_PARENT, /* the warden died meanwhile */
    SPAWN_CGROUP,
    SPAWN_LIMITS,
    SPAWN_FILES,
    SPAWN_USER,
    SPAWN_CWD,
    SPAWN_DEADLINE,
    SPAWN_EXEC,
};

struct spawn_report {
    enum spawn_stage stage;
    int error;       /* errno */
    int64_t late_ms; /* SPAWN_DEADLINE */
};

/* The pid, or -1 and *out_report; a child that failed is reaped already. All signals must be
 * blocked and none caught: the child begins with an empty mask and the dispositions it finds. */
pid_t spawn_run(const struct spawn *spawn, struct spawn_report *out_report);

#endif
