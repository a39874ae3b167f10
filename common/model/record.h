// SPDX-License-Identifier: Apache-2.0
/* record - what a decision writes and what recovery reads: the rows of runs and tries, as both the
 * core (which decides them) and the store (which writes them) see them. Strings are borrowed from
 * whoever made the record.
 *
 * Times named _ms here are wall-clock milliseconds since 1970, by the database's clock. */
#ifndef HEADRACE_RECORD_H
#define HEADRACE_RECORD_H

#include "common/base/id.h"
#include "common/base/str.h"
#include "common/model/backfill.h"
#include "common/model/machine_load.h"
#include "common/model/state.h"

/* A worker's credit: the right, given by the worker, to start one attempt. */
struct credit {
    uint64_t incarnation;
    uint64_t seq;
};

/* ---- written --------------------------------------------------------------------------------- */

enum record_type {
    WRITE_RUN_CREATE,
    WRITE_RUN_STATE,   /* state, cause, version_no, times and counts of `run`, as they are from now
                          on; not conf, note, ... */
    WRITE_TRY_PLACED,  /* insert: queued on a worker, or already final (skipped, upstream_failed,
                          empty) */
    WRITE_TRY_STARTED, /* it outlives running_write_ms: state, cause, started_ms */
    WRITE_TRY_ENDED,   /* of row_no and attempt: state, cause, times, exit_code, error, cpu_ms,
                          memory_peak_bytes */
    WRITE_TRY_CLEARED, /* of row_no: it counts no longer and its output goes. Its state stays, as
                          history (`restarting` if open) */
    WRITE_OUTPUT,
    WRITE_EXPANSION,
    WRITE_REQUEST_DONE, /* the answer; takes the request out of the inbox */
    WRITE_DAG_STATE,    /* paused, last fire */
    WRITE_WORKER,       /* registered, state changed */
    WRITE_AUTOSCALE,    /* a decision with its reason */
    WRITE_RUN_DELETE,
    WRITE_DAG_DELETE,         /* with its versions and all its runs; uses `dag`.dag_no */
    WRITE_BACKFILL,           /* inserted, or as it is from now on */
    WRITE_BACKFILL_RUN,       /* what became of one of its dates */
    WRITE_FILE_TAKEN,         /* a file has started a run */
    WRITE_ASSET_EVENT,        /* an asset was updated */
    WRITE_ASSET_KEPT,         /* by a DAG that waits for it, until a run takes it */
    WRITE_ASSET_TAKEN,        /* all that the DAG keeps up to last_event_no, by this run */
    WRITE_ASSET_DROPPED,      /* asset_kept: kept no longer, without a run */
    WRITE_NOTIFICATION,       /* insert: it is to be delivered */
    WRITE_NOTIFICATION_STATE, /* of id: state, tries, next_ms, error */
    WRITE_WORKER_LOAD,        /* of worker_no: how busy its machine is, for people */
};

enum worker_state { WORKER_ACTIVE = 0, WORKER_DRAINING = 1, WORKER_DRAINED = 2, WORKER_GONE = 3 };

struct run_row {
    int64_t run_no;
    int32_t dag_no;
    int64_t version_no;
    struct str run_id;
    enum run_type type;
    enum run_state state;
    bool has_logical;
    int64_t logical_ms, interval_start_ms, interval_end_ms;
    int64_t run_after_ms;
    int64_t queued_ms, started_ms, ended_ms; /* wall; 0 = not yet */
    struct str conf;                         /* JSON object */
    struct str triggered_by;
    struct str note;
    uint32_t succeeded, failed, skipped; /* task counts, at the end */
    enum cause cause;
};

struct try_row {
    int64_t run_no;
    int32_t dag_no;
    uint32_t task;
    int32_t map_index;
    uint16_t try_no;
    uint16_t infra_tries;
    uint32_t row_no; /* rises with each row of the instance: retries, losses, clears */
    enum task_state state;
    enum cause cause;
    struct id128 attempt;
    int64_t worker_no;
    struct credit credit;
    struct str pool, queue;
    int32_t priority;
    int64_t queued_ms, started_ms, ended_ms, retry_ms; /* wall; 0 = none */
    int32_t exit_code;
    struct str error;
    struct str map_label;
    int64_t cpu_ms, memory_peak_bytes;
};

struct asset_event {
    int64_t event_no;
    struct str asset;
    struct str extra; /* JSON object */
    int64_t at_ms;
    int32_t dag_no; /* of the task that updated it; 0: a user said so */
    int64_t run_no;
    int32_t task, map_index;
};

enum notification_state {
    NOTIFICATION_PENDING = 0,
    NOTIFICATION_DELIVERED = 1,
    NOTIFICATION_FAILED = 2
};

struct notification_row {
    struct id128 id;
    int64_t run_no;
    int32_t dag_no;
    int32_t task; /* -1: of the run */
    int32_t map_index;
    uint16_t try_no;
    struct str event;   /* "on_failure" */
    struct str kind;    /* "email", "webhook", "exec" */
    struct str target;  /* for people: no secret */
    struct str queue;   /* of the workers that run an exec */
    struct str payload; /* JSON; may hold secrets */
    enum notification_state state;
    uint32_t tries;
    int64_t made_ms, next_ms; /* wall */
    struct str error;
};

/* One change, of one row. */
struct record {
    enum record_type type;
    union {
        struct run_row run;
        struct try_row try;
        struct {
            int64_t run_no;
            uint32_t task;
            int32_t map_index;
            struct str json;
        } output;
        struct {
            int64_t run_no;
            uint32_t task;
            uint32_t length;
            struct str items;
        } expansion;
        struct {
            int64_t request_no;
            int code;
            struct str answer;
        } request; /* code 0 or ERR_; JSON or a sentence */
        struct {
            int32_t dag_no;
            bool paused;
            bool has_last;
            int64_t last_fire_ms;
            int64_t next_fire_ms;
        } dag;
        struct {
            int64_t worker_no;
            struct str worker, name, host, version, queues;
            uint64_t incarnation;
            enum worker_state state;
            uint32_t slots;
            int64_t seen_ms;
            struct str reason;
        } worker;
        struct {
            struct str queue;
            int64_t at_ms;
            uint32_t demand, wanted, present;
            struct str reason;
        } autoscale;
        struct {
            int64_t run_no;
            int32_t dag_no;
            struct str run_id;
        } run_delete;
        struct backfill_row backfill;
        struct {
            int64_t backfill_no, logical_ms, run_no;
            struct str reason;
        } backfill_run; /* run_no 0: none, for the reason */
        struct {
            int32_t dag_no;
            struct id128 content;
            struct str path;
            int64_t size, mtime_ms, run_no;
        } file;
        struct asset_event asset_event;
        struct {
            int32_t dag_no;
            int64_t event_no;
        } asset_kept;
        struct {
            int32_t dag_no;
            int64_t run_no, last_event_no;
        } asset_taken;
        struct notification_row notification;
        struct {
            int64_t worker_no;
            struct machine_load load;
        } worker_load;
    };
};

/* ---- read back ------------------------------------------------------------------------------- */

/* One recovered attempt row; the newest of each (task, map) carries the state. */
struct recovered_try {
    uint32_t task;
    int32_t map_index;
    uint16_t try_no;      /* of the author */
    uint16_t try_base;    /* highest try_no of the instance's cleared rows: its retries count from
                             there; 0 = none */
    uint16_t infra_tries; /* losses that were ours so far */
    uint32_t row_no;      /* of this row: the next one of the instance is one more */
    enum task_state state;
    enum cause cause;
    bool cleared; /* a later clear set it back to none */
    struct id128 attempt;
    int64_t worker_no;
    struct credit credit;
    int64_t queued_wall_ms, started_wall_ms, ended_wall_ms;
    int64_t retry_wall_ms; /* of up_for_retry */
    struct str output;     /* JSON; empty = none */
};

/* What is asked of many runs at once. */
struct dated_run {
    int64_t run_no, logical_ms;
    enum run_state state;
};

/* One that goes on, or has runs that do, or has made runs for dates that the DAG's schedule has not
 * come to. */
struct recovered_backfill {
    struct backfill_row row;
    const int64_t *run_nos; /* of its live runs */
    uint32_t run_count;
    const int64_t *dates; /* those dates, at least; logical */
    uint32_t date_count;
};

/* That a DAG keeps; they come in order of event_no. */
struct recovered_event {
    int32_t dag_no;
    int64_t event_no;
    struct str asset;
};

struct recovered_expansion {
    uint32_t task;
    struct str items; /* JSON list */
};

struct recovered_run {
    int64_t run_no;
    int32_t dag_no;
    int64_t version_no;
    struct str run_id;
    enum run_state state;
    enum cause cause;
    enum run_type type;
    bool has_logical;
    int64_t logical_ms, interval_start_ms, interval_end_ms;
    int64_t run_after_ms;
    int64_t queued_wall_ms, started_wall_ms, ended_wall_ms;
    struct str conf; /* JSON */
    const struct recovered_try *tries;
    uint32_t try_count;
    const struct recovered_expansion *expansions;
    uint32_t expansion_count;
};

#endif
