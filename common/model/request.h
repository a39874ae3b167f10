// SPDX-License-Identifier: Apache-2.0
/* request - what a person (or a task, or a schedule) asks of the scheduler. The web server writes
 * it as a row of the inbox in the transaction of its audit row; the leader applies it and records
 * the answer in the transaction that does it.
 *
 * request_parse reads the JSON body of the row; request_write makes it. Both sides use only these
 * two. */
#ifndef HEADRACE_REQUEST_H
#define HEADRACE_REQUEST_H

#include "common/base/str.h"
#include "common/model/backfill.h"
#include "common/model/state.h"
#include "common/text/value.h"

enum request_kind {
    REQUEST_TRIGGER, /* dag_id, run_id?, logical_ms?, interval_*_ms?, run_after_ms?, conf?, note?,
                        run_type */
    REQUEST_CLEAR,   /* dag_id, run_id, tasks or all, only_failed, with upstream/downstream; latest
                        version? */
    REQUEST_MARK_TASKS,   /* dag_id, run_id, tasks, state */
    REQUEST_MARK_RUN,     /* dag_id, run_id, state (success | failed | queued) */
    REQUEST_DELETE_RUN,   /* dag_id, run_id */
    REQUEST_PAUSE,        /* dag_id, paused */
    REQUEST_DELETE_DAG,   /* dag_id */
    REQUEST_DRAIN_WORKER, /* worker_no, drain (false = resume) */
    REQUEST_POOL,         /* pool, slots (-1 = unlimited), include_deferred, removed */
    REQUEST_BACKFILL,     /* dag_id, from_ms, to_ms, max_active_runs, reprocess, backwards, conf?;
                             dry_run: only says which dates */
    REQUEST_BACKFILL_SET, /* dag_id, backfill_no, what = "pause" | "unpause" | "cancel" */
    REQUEST_ASSET_EVENT,  /* what = the asset, conf = what is to be kept with it */
    REQUEST_DROP_EVENTS,  /* what DAGs keep until their condition holds: of dag_id (empty: all), of
                             the  asset `what` (empty: any), up to event_no (0: all) */
    REQUEST_RELOAD,       /* variables or connections changed: what = "variables" | "connections" |
                             "pools" */
    REQUEST_COUNT
};

/* One task, or one instance of a mapped task. */
struct request_task {
    struct str task_id;
    int32_t map_index; /* -2 = all instances, -1 = the unmapped one */
};

enum { MAP_INDEX_ALL = -2, MAP_INDEX_NONE = -1 };

struct request {
    int64_t request_no;   /* of the row; not in the JSON */
    int64_t known_run_no; /* the database has a run of this dag_id and run_id; 0 = it has none; not
                             in the JSON */
    enum request_kind kind;
    struct str actor; /* user name, "cli", "trigger_dag" */
    struct str dag_id, run_id;
    enum run_type run_type;
    bool has_logical;
    int64_t logical_ms;
    int64_t run_after_ms; /* 0 = at once */
    int64_t interval_start_ms,
        interval_end_ms; /* of a run with a logical date; both 0: that date */
    const struct value *conf;
    struct str note;
    struct request_task *tasks;
    uint32_t task_count;
    bool whole_run; /* clear: every task */
    bool only_failed, only_running;
    bool include_upstream, include_downstream;
    bool latest_version;
    bool over_runs; /* one of several runs: tasks that its version has not are passed over */
    enum task_state task_state;
    enum run_state run_state;
    bool paused, drain, removed, include_deferred;
    int64_t worker_no;
    struct str pool;
    int32_t slots;
    struct str what;
    int64_t from_ms, to_ms, backfill_no, event_no;
    int32_t max_active_runs;
    bool backwards, dry_run;
    enum reprocess reprocess;
};

const char *request_kind_name(enum request_kind kind);
MUST_USE int request_parse(struct str json, struct arena *arena, struct request *out,
                           struct err *err);
struct str request_write(const struct request *request, struct arena *arena);

#endif
