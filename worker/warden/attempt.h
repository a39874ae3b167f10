// SPDX-License-Identifier: Apache-2.0
/* attempt - one task's life in a slot: started, watched, stopped with its whole tree, drained,
 * turned into a result.
 *
 *   FREE -> RUNNING -> CLEARING -> DRAINING -> ENDED -> FREE
 *
 * RUNNING while the main process lives; CLEARING until nothing of its tree does; DRAINING until its
 * pipes are read. A grandchild that keeps stdout open delays nothing: it is killed with the tree,
 * and who is outside the tree is not waited for. */
#ifndef HEADRACE_ATTEMPT_H
#define HEADRACE_ATTEMPT_H

#include "worker/warden/scratch.h"
#include "worker/warden/transcript.h"
#include "worker/warden/tree.h"
#include "worker/warden/warden_protocol.h"

#include <sys/resource.h>

enum { ATTEMPT_OUTPUT_MAX = 1 << 20, ATTEMPT_OUTPUT_CAP = 6 << 20, ATTEMPT_LOG_MAX = 64 << 20 };

/* What all attempts of a warden share. */
struct attempt_host {
    int epoll_fd, null_fd;
    int attempts_fd, scratch_fd;
    char scratch_root[SCRATCH_PATH_MAX - 64];
    char programs[SCRATCH_PATH_MAX - 64]; /* folder of headrace-task */
    char *home;
    struct rlimit nofile;
    bool reset_oom;
    struct tree tree;
    struct cgroups cgroups;
    int64_t now_ms, unix_ms; /* of this turn of the loop */
};

enum attempt_phase {
    ATTEMPT_FREE,
    ATTEMPT_RUNNING,
    ATTEMPT_CLEARING,
    ATTEMPT_DRAINING,
    ATTEMPT_ENDED
};

struct attempt {
    struct attempt_host *host; /* kept */
    uint32_t slot;
    struct id128 id;
    enum attempt_phase phase;
    struct scratch scratch;
    struct cgroup cgroup;
    struct mask mask;
    struct transcript transcript;
    int pipes[TRANSCRIPT_SOURCES]; /* -1 when at their end */

    pid_t pid;
    int status;
    struct rusage usage;
    int64_t started_unix_ms, spawn_from_ms, spawn_to_ms;
    int64_t deadline_ms, warn_ms; /* of the lease; SIGTERM at warn_ms */
    int64_t timeout_at_ms;        /* INT64_MAX = none */
    int64_t kill_grace_ms;

    bool stopping, killed; /* killed: our SIGKILL went out while its main process ran */
    uint32_t stop_outcome;
    int64_t kill_at_ms, look_at_ms, drain_until_ms;
    uint32_t looks; /* after SIGKILL: how often something was still alive */

    int64_t timeout_ms, memory_bytes, max_output_bytes;
    int32_t skip_exit_code;
    uint32_t output_rule;
    int64_t log_told; /* what the worker knows of the log's size */
};

void attempt_init(struct attempt *attempt, struct attempt_host *host, uint32_t slot);
void attempt_clear(struct attempt *attempt);

/* Starts what START asks for. A task that cannot be started is ENDED at once, with the reason in
 * `result` of attempt_result. */
void attempt_start(struct attempt *attempt, const struct warden_message *start);

/* SIGTERM to the tree now, SIGKILL after `grace_ms` (-1 = the task's own). The first reason counts,
 * the shorter grace too. */
void attempt_stop(struct attempt *attempt, uint32_t outcome, int64_t grace_ms);

void attempt_deadline(struct attempt *attempt, int64_t deadline_ms);

/* The main process was reaped. */
void attempt_main_ended(struct attempt *attempt, int status, const struct rusage *usage);

/* A pipe can be read. */
void attempt_read(struct attempt *attempt, enum transcript_source source);

/* Does what is due, and looks again at a tree that is being cleared. */
void attempt_tick(struct attempt *attempt);
int64_t attempt_wake_ms(const struct attempt *attempt);

/* Of an attempt that is ENDED; strings lie in `arena`. Afterwards the slot is FREE. */
void attempt_result(struct attempt *attempt, struct arena *arena, struct warden_result *out);

#endif
