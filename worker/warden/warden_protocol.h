// SPDX-License-Identifier: Apache-2.0
/* warden_protocol - what a worker and its warden say to each other over the unix socket in the
 * spool.
 *
 * A stream of frames: size (u32, of what follows), type (u8), attempt (2 x u64), then the fields of
 * the type, little-endian. Both sides open with WARDEN_HELLO. Fields are only ever added at the
 * end: a decoder fills what is missing with zero and ignores what follows, so an upgraded worker
 * goes on with the warden it finds.
 *
 * The warden knows no other room than common/base, hence its own spelling of the attempt's spec and
 * result; the numbers of WARDEN_OUTCOME and of the output rule are those of common/model/spec.h. */
#ifndef HEADRACE_WARDEN_PROTOCOL_H
#define HEADRACE_WARDEN_PROTOCOL_H

#include "common/base/buf.h"
#include "common/base/id.h"

enum { WARDEN_PROTOCOL_VERSION = 1, WARDEN_FRAME_MAX = 8 << 20, WARDEN_HEADER_SIZE = 4 };

enum warden_message_type {
    WARDEN_HELLO = 1, /* both: version */
    /* to the warden */
    WARDEN_START = 2,    /* attempt, deadline_ms, task */
    WARDEN_KILL = 3,     /* attempt, grace_ms */
    WARDEN_DEADLINE = 4, /* attempt (zero: all that run), deadline_ms */
    WARDEN_LIST = 5, /* answered by STARTED or ENDED for each attempt, LOG for those that have one,
                        then LISTED */
    WARDEN_FORGET = 6, /* attempt: the worker has the result safe */
    WARDEN_STOP = 7,   /* end when nothing runs any more */
    /* to the worker */
    WARDEN_STARTED = 65, /* attempt, deadline_ms, started_unix_ms */
    WARDEN_ENDED = 66,   /* attempt, result: in the warden's journal until WARDEN_FORGET */
    WARDEN_LOG = 67,     /* attempt, log_bytes: so much of its file can be shipped */
    WARDEN_LISTED = 68,
};

enum warden_outcome {
    WARDEN_OUTCOME_SUCCESS = 0,
    WARDEN_OUTCOME_FAILED = 1,
    WARDEN_OUTCOME_SKIPPED = 2,
    WARDEN_OUTCOME_TIMED_OUT = 3,
    WARDEN_OUTCOME_KILLED = 4,
    WARDEN_OUTCOME_LEASE_OVER = 5,
    WARDEN_OUTCOME_NOT_STARTED = 6,
    WARDEN_OUTCOME_LOST = 7,
    WARDEN_OUTCOME_OOM = 8,
    WARDEN_OUTCOME_OUTPUT_TOO_LARGE = 9,
};

enum warden_output_rule { WARDEN_OUTPUT_NONE = 0, WARDEN_OUTPUT_LAST_LINE = 1 };

struct warden_task {
    struct str *argv;
    uint32_t argv_count;
    struct str *env; /* "NAME=value", the first of a name counts; PATH, HOME, LANG, TMPDIR are added
                        when absent */
    uint32_t env_count;
    struct str input;       /* empty = /dev/null */
    struct str cwd;         /* empty = scratch folder */
    struct str run_as_user; /* empty = the warden's own */
    struct str *secrets;
    uint32_t secret_count;
    uint32_t output_rule;
    int64_t max_output_bytes; /* 0 = 1 MiB */
    int64_t timeout_ms;       /* 0 = none */
    int64_t kill_grace_ms;
    int32_t skip_exit_code; /* -1 = none */
    int32_t cpu_milli;
    int64_t memory_bytes;
    int32_t pids_max;
    int64_t max_log_bytes; /* 0 = 64 MiB */
};

struct warden_result {
    uint32_t outcome;
    int32_t exit_code; /* -signal when a signal ended it */
    int64_t started_unix_ms, ended_unix_ms;
    struct str output; /* JSON text, or empty */
    struct str error;
    bool hard;
    int64_t cpu_ms, memory_peak_bytes;
    int64_t log_bytes;
};

struct warden_message {
    enum warden_message_type type;
    struct id128 attempt;
    uint32_t version;
    int64_t deadline_ms; /* CLOCK_BOOTTIME */
    int64_t grace_ms;    /* -1 = the task's own */
    int64_t started_unix_ms;
    int64_t log_bytes;
    struct warden_task task;
    struct warden_result result;
};

/* Appends the frame of `message`. */
void warden_encode(struct buf *out, const struct warden_message *message);

/* Looks at the start of `bytes`: 0 and *out_frame (with its header) when a whole frame is there, 0
 * and an empty frame when more bytes are needed, ERR_PROTOCOL when none can begin like this. */
MUST_USE int warden_frame(struct str bytes, struct str *out_frame, struct err *err);

/* Strings point into `frame`, arrays are in `arena`. ERR_PROTOCOL for a frame that ends early or
 * claims too much. */
MUST_USE int warden_decode(struct arena *arena, struct str frame, struct warden_message *out,
                           struct err *err);

const char *warden_message_name(enum warden_message_type type);

#endif
