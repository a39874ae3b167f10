// SPDX-License-Identifier: Apache-2.0
/* spec - all that a worker needs to run one attempt, rendered and self-contained: no template, no
 * DAG file, no lookups. Travels only in a GRANT, because it may hold secrets. */
#ifndef HEADRACE_SPEC_H
#define HEADRACE_SPEC_H

#include "common/base/id.h"
#include "common/base/str.h"

/* Of all its texts together: one message carries it. */
enum { SPEC_BYTES_MAX = 3 << 20 };

/* Where the output of an attempt comes from when the task writes none to $HEADRACE_OUTPUT. */
enum output_rule { OUTPUT_NONE = 0, OUTPUT_LAST_LINE = 1 };

struct spec {
    struct str *argv; /* argv[0] "headrace-task" is the program beside headrace-worker */
    uint32_t argv_count;
    struct str *env; /* "NAME=value": the task's own and the context's; the worker adds
                        HEADRACE_OUTPUT and pass_env */
    uint32_t env_count;
    struct str input; /* on stdin; may hold secrets; empty = /dev/null */
    struct str cwd;   /* empty = the attempt's own scratch folder */
    struct str run_as_user;
    struct str *secrets; /* values that the log must not show */
    uint32_t secret_count;
    enum output_rule output_rule;
    int64_t max_output_bytes;
    int64_t timeout_ms; /* 0 = none */
    int64_t kill_grace_ms;
    int32_t skip_exit_code; /* -1 = none */
    int32_t cpu_milli;
    int64_t memory_bytes;
    int32_t pids_max;
};

/* How an attempt ended, as its warden saw it. */
enum outcome {
    OUTCOME_SUCCESS = 0,
    OUTCOME_FAILED =
        1, /* exit code (126, 127: no such program), or a signal (exit_code = -signal) */
    OUTCOME_SKIPPED = 2,
    OUTCOME_TIMED_OUT = 3,   /* execution_timeout */
    OUTCOME_KILLED = 4,      /* we killed it: stop, clear */
    OUTCOME_LEASE_OVER = 5,  /* killed at the lease's deadline */
    OUTCOME_NOT_STARTED = 6, /* this machine could not, or the deadline passed: `error` says why */
    OUTCOME_LOST = 7,        /* machine or warden died under it */
    OUTCOME_OOM = 8,
    OUTCOME_OUTPUT_TOO_LARGE = 9,
    OUTCOME_COUNT
};

struct result {
    enum outcome outcome;
    int32_t exit_code;
    int64_t started_unix_ms, ended_unix_ms;
    struct str output; /* JSON text, or empty */
    struct str
        error; /* a sentence for people, or empty; first word may be an error name for retry_on */
    bool hard; /* the task said that a retry is of no use */
    int64_t cpu_ms, memory_peak_bytes;
    int64_t log_bytes;
};

const char *outcome_name(enum outcome outcome);

#endif
