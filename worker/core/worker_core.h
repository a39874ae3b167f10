// SPDX-License-Identifier: Apache-2.0
/* worker_core - decides on the worker's side of reference rules 1 to 6: which grants start, what
 * the inventory says, when a lease ends, what may be forgotten. Pure like scheduler/core: events
 * in, things to do out; no clock, no I/O.
 *
 * The shell journals before it starts a process (WORKER_DO_START carries the order: write the
 * journal record, then hand the attempt to the warden), sends inventories as told, and reports what
 * the warden says. */
#ifndef HEADRACE_WORKER_CORE_H
#define HEADRACE_WORKER_CORE_H

#include "common/base/id.h"
#include "common/base/vec.h"
#include "common/model/spec.h"

struct worker_core;

struct worker_limits {
    uint32_t slots;
    int64_t inventory_ms;       /* repeated at least this often */
    int64_t retain_ms;          /* acknowledged results are kept this long: 15 min */
    uint64_t incarnation;       /* raised in the spool before the first inventory */
    size_t inventory_bytes_max; /* of results in one inventory; the others are listed as running,
                                 * and come as soon as some are acknowledged. 0 = no limit */
};

enum worker_event_type {
    WORKER_TICK,
    WORKER_GRANT,
    WORKER_ACK,
    WORKER_KILL,
    WORKER_SYNC,
    WORKER_RENEWED,
    WORKER_DRAIN,
    WORKER_CONNECTED, /* to a scheduler, anew: say at once what there is */
    WORKER_STARTED,   /* the warden has the process running */
    WORKER_ENDED,     /* the warden has a result */
    WORKER_RECOVERED, /* at start: an attempt from journal and warden, running or ended */
};

struct worker_grant {
    struct id128 attempt;
    uint64_t incarnation, seq; /* the credit */
    int64_t stamp_ms;          /* our own clock, echoed */
    int64_t credit_ttl_ms, lease_ms;
};

struct worker_event {
    enum worker_event_type type;
    int64_t now_ms; /* boot-time clock */
    uint64_t epoch; /* of the message, where it came from a scheduler */
    union {
        struct worker_grant grant;
        struct {
            const struct id128 *attempts;
            uint32_t count;
        } ack;
        struct {
            struct id128 attempt;
        } kill;
        struct {
            int64_t stamp_ms, lease_ms;
        } renewed;
        struct {
            bool drain;
        } drain;
        struct {
            struct id128 attempt;
        } started;
        struct {
            struct id128 attempt;
            struct result result;
        } ended; /* copied */
        struct {
            struct id128 attempt;
            uint64_t incarnation, seq;
            bool ended;
            int64_t deadline_ms;
            struct result result;
        } recovered;
    };
};

enum worker_do_type {
    WORKER_DO_START,  /* journal it, then start it with this deadline */
    WORKER_DO_REFUSE, /* a grant that must not start: drop its spec; `reason` says why (for the log)
                       */
    WORKER_DO_DEADLINE, /* tell the warden the new deadline */
    WORKER_DO_KILL,
    WORKER_DO_INVENTORY, /* send one now: worker_core_inventory */
    WORKER_DO_FORGET,    /* journal and files of the attempt may go */
    WORKER_DO_REPORT_STARTED,
    WORKER_DO_EXIT, /* drained and nothing left: end, if told to stop */
};

struct worker_do {
    enum worker_do_type type;
    struct id128 attempt;
    uint64_t incarnation, seq;
    int64_t deadline_ms;
    const char *reason;
};

struct worker_out {
    const struct worker_do *items;
    uint32_t count;
};

struct worker_core *worker_core_new(const struct worker_limits *limits);
void worker_core_free(struct worker_core *core);
void worker_core_step(struct worker_core *core, const struct worker_event *event,
                      struct worker_out *out);
int64_t worker_core_wake_at_ms(const struct worker_core *core);

/* The snapshot to send: borrowed until the next step. Stamped with `now_ms`, which also refreshes
 * the open credits. */
struct worker_attempt {
    struct id128 attempt;
    uint64_t incarnation, seq;
    bool ended, acked;
    struct result result;
};
struct worker_inventory {
    uint64_t incarnation, epoch;
    int64_t sent_ms;
    uint32_t slots;
    uint64_t next_seq;
    const uint64_t *open_seqs;
    uint32_t open_count;
    const struct worker_attempt *attempts;
    uint32_t attempt_count;
    bool draining;
};
void worker_core_inventory(struct worker_core *core, int64_t now_ms, struct worker_inventory *out);

#endif
