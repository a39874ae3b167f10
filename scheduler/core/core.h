// SPDX-License-Identifier: Apache-2.0
/* core - decides what happens next, and does nothing itself.
 *
 * The shell tells it what happened (one event, stamped with the time) and receives what to do: at
 * most one batch of writes to commit as one transaction, and messages to send. The same events in
 * the same order always give the same answers: the core reads no clock, draws no randomness of its
 * own (ids come from a generator seeded by CORE_LED), keeps its tables in index order and never
 * orders anything by address.
 *
 * Ordering lives here. Messages that depend on a batch are held until CORE_COMMITTED of it; while
 * one batch is in flight further writes gather in the next one (size 1 when idle, hundreds under
 * load, no timer). A batch that was rejected by the fence, or whose fate is unknown, ends this
 * leadership: the shell sends CORE_UNLED, takes the lease anew and recovers.
 *
 * PostgreSQL is the truth, the core is a cache: CORE_LED, then the recovered rows as events, then
 * CORE_RECOVERED.
 *
 * Variables and connections that changed come before the request that tells of it, so that its
 * answer means: from now on. A request may name a run that has ended and is not in memory. The
 * shell then reads it and gives it as CORE_RUN_RECOVERED (its DAG version first, if
 * core_has_version says no) just before the CORE_REQUEST; a run that is still ended after it is
 * dropped again. */
#ifndef HEADRACE_CORE_H
#define HEADRACE_CORE_H

#include "common/base/id.h"
#include "common/base/vec.h"
#include "common/model/dag.h"
#include "common/model/errand.h"
#include "common/model/machine_load.h"
#include "common/model/record.h"
#include "common/model/request.h"
#include "common/model/spec.h"
#include "common/model/state.h"
#include "common/model/zone.h"

struct core;

struct core_limits {
    uint32_t runs_max, workers_max;
    uint32_t
        batch_writes_max; /* a full batch ends the step's work; the rest waits for the next one */
    uint32_t parallelism; /* core.parallelism: attempts at once over all; 0 = no limit */
    uint32_t map_length_max;
    int64_t output_bytes_max;
    int64_t credit_ttl_ms, credit_margin_ms;
    int64_t lease_ms, lease_grace_ms; /* of an attempt; LOST at lease + grace */
    int64_t amnesty_ms; /* a new leader declares nothing lost before this; at least lease + grace +
                         * how long the leader before may have trusted itself */
    int64_t join_settle_ms;     /* a worker that has just joined gets nothing for so long: what an
                                 * asynchronous standby     may lose, so that a failover does not forget
                                 * who     runs something. 0 where commits     are not lost */
    int64_t running_write_ms;   /* a task that outlives it is written as running */
    uint32_t infra_retries_max; /* losses that are ours, per task instance */
    int64_t ageing_ms; /* a run that has waited for it is a point of weight heavier; 0 = never */
    bool paused_upon_creation;
    int32_t default_pool_slots;
    int64_t
        notify_give_up_ms; /* a notification that could not be delivered for so long has failed */
};

/* ---- events ---------------------------------------------------------------------------------- */

enum core_event_type {
    CORE_TICK,       /* time has come: core_wake_at_ms */
    CORE_LED,        /* this process leads from now on */
    CORE_UNLED,      /* it leads no longer: forget everything but limits */
    CORE_DAG,        /* a DAG version: new, changed, or recovered */
    CORE_DAG_GONE,   /* its file is gone: no new runs */
    CORE_POOL,       /* a pool's slots */
    CORE_VARIABLE,   /* for templates; an empty key forgets them all, before they are read again */
    CORE_CONNECTION, /* likewise, by its id */
    CORE_RUN_RECOVERED, /* a live run as the database has it, with its attempts, outputs and
                           expansions */
    CORE_WORKER_RECOVERED,
    CORE_RECOVERED, /* everything is loaded: start deciding */
    CORE_REQUEST,   /* a row of the inbox */
    CORE_INVENTORY, /* one complete snapshot of a worker */
    CORE_STARTED, /* a worker says that an attempt's process runs (a hint: shown, not decided on) */
    CORE_COMMITTED,          /* the batch in flight is committed */
    CORE_AUTOSCALE,          /* what a queue's provider has and may have: limits, present workers */
    CORE_BACKFILL_RECOVERED, /* after its DAG, before its runs */
    CORE_ASSET_RECOVERED,    /* an event that a DAG keeps; after the DAG */
    CORE_LENGTH, /* recovered: how long a run took that succeeded; the oldest first, before those
                    that live */
    CORE_FILE,   /* a file that has settled; whether the database knows that its content has made a
                    run */
    CORE_FOUND, /* the answer to SEND_FIND; the version of the run that was found comes before it */
    CORE_ERRANDS_DONE, /* answers of a worker, or of this scheduler's own helper */
    CORE_PROBE,        /* somebody asks whether a connection can be opened: SEND_PROBED answers */
    CORE_NOTIFICATION, /* recovered: not yet delivered, or a deadline's of a live run whatever its
                          state */
};

/* A question to the database: the latest run of a DAG whose logical date is not after this one; or
 * (FIND_DATES) which of these dates have runs. */
enum core_find_what { FIND_PAST, FIND_BACKFILL, FIND_DATES };

struct core_find {
    enum core_find_what what;
    int64_t number;     /* whose question it is */
    uint64_t forgotten; /* tells whether the answer is of today */
    int32_t dag_no;
    int64_t logical_ms;
    bool scheduled;       /* of scheduled runs only */
    const int64_t *dates; /* of FIND_DATES; the answer need not have them */
    uint32_t date_count;
};

/* One attempt in a worker's inventory. */
struct core_attempt_report {
    struct id128 attempt;
    struct credit credit;
    bool ended;
    struct result result; /* when ended */
};

struct core_inventory {
    struct str worker; /* identity: hash of its key, or its id on loopback */
    struct str name;   /* for people */
    struct str host;
    struct str version;
    struct str queues; /* comma-separated */
    struct id128 boot; /* kernel boot id */
    uint64_t incarnation;
    uint64_t epoch;  /* highest that it has seen */
    int64_t sent_ms; /* the worker's boot-time clock */
    uint32_t slots;
    uint64_t next_seq;
    const uint64_t *open_seqs;
    uint32_t open_count;
    const struct core_attempt_report *attempts;
    uint32_t attempt_count;
    bool leaving; /* asked by its host to end: drain it */
    struct machine_load load;
};

struct core_event {
    enum core_event_type type;
    int64_t now_ms;  /* boot-time clock: leases, timers */
    int64_t wall_ms; /* database's wall clock: schedules, ids, what people see */
    union {
        struct {
            uint64_t epoch;
            uint64_t seed;
            int64_t run_no_next; /* of today; from the database */
            int64_t worker_no_next;
            int64_t failover_age_ms; /* since a leader found that the database had failed over, to a
                                      * standby that may lack commits; -1 = never. For as long as
                                      * leases of before may live nothing is placed or taken back
                                      * until every worker has shown all that it has */
            int64_t event_no_next;   /* of asset events; from the database */
        } led;
        struct {
            int32_t dag_no;
            int64_t version_no;
            struct dag *dag;         /* taken */
            const struct zone *zone; /* of dag->timezone; kept; NULL = UTC */
            bool paused;
            bool newest;   /* false: only loaded because a live run began with it */
            bool gone;     /* its file is: no new runs, but those that there are can be acted on */
            bool has_last; /* of its schedule */
            int64_t last_fire_ms;
        } dag;
        struct {
            int32_t dag_no;
        } dag_gone;
        struct {
            struct str name;
            int32_t slots;
            bool include_deferred, removed;
        } pool;
        struct {
            struct str key;
            const struct value *value;
            bool secret;
        } variable;
        struct {
            struct str id;
            const struct value *value;
        } connection; /* map: conn_type host port login password schema extra */
        const struct recovered_run *run;
        const struct recovered_backfill *backfill;
        const struct recovered_event *asset;
        struct {
            int32_t dag_no;
            int64_t ms;
        } length;
        struct {
            int32_t dag_no;
            struct id128 content;
            struct str path;
            int64_t size, mtime_ms;
            bool known;
        } file;
        struct {
            int64_t worker_no;
            struct str worker;
            enum worker_state state;
        } worker; /* as its row says */
        const struct request *request;
        const struct core_inventory *inventory;
        struct {
            struct str worker;
            struct id128 attempt;
            int64_t started_unix_ms;
        } started;
        struct {
            uint64_t batch_no;
        } committed;
        struct {
            struct str queue;
            uint32_t min, max, slots;
            int64_t quiet_ms;
            uint32_t present;
            bool failing;
        } autoscale;
        struct {
            struct core_find find;
            const struct recovered_run *run;
            bool failed;
            const struct dated_run *dates; /* to FIND_DATES, the newest of a date last */
            uint32_t date_count;
        } found; /* run NULL: there is none */
        struct {
            struct str worker;
            const struct errand_answer *answers;
            uint32_t count;
        } errands; /* worker empty: our own */
        const struct notification_row *notification;
        struct {
            struct str asker; /* identity of the web server */
            uint64_t question_no;
            struct str connection_id;  /* of one that is kept, or a new one */
            const struct value *given; /* map as above; what it lacks is taken from the kept one */
        } probe;
    };
};

/* ---- what to do ------------------------------------------------------------------------------ */

enum core_send_type {
    SEND_GRANT,
    SEND_ACK, /* results that are committed (or superseded): the worker may forget them in time */
    SEND_KILL,
    SEND_SYNC,    /* raise your epoch, answer with a fresh inventory */
    SEND_RENEWED, /* leases of the attempts it listed, counted from its own stamp */
    SEND_DRAIN,   /* give no more credits (false: give them again) */
    SEND_SCALE,   /* to the provider of a queue: this many workers are wanted */
    SEND_STOP,    /* to a drained worker: end yourself */
    SEND_FIND,    /* to the database: CORE_FOUND answers */
    SEND_ERRANDS, /* to a worker; with no worker: to the helper of this scheduler, or (ERRAND_TASK,
                     ERRAND_ASSET) to the database */
    SEND_PROBED,  /* to the web server that asked with CORE_PROBE */
};

struct core_send {
    enum core_send_type type;
    struct str worker; /* identity, for SEND_PROBED the asker's; empty for SEND_SCALE, SEND_FIND and
                          errands of our own */
    uint64_t epoch;
    union {
        struct {
            struct id128 attempt;
            struct credit credit;
            int64_t stamp_ms; /* the worker's own, echoed */
            int64_t credit_ttl_ms, lease_ms;
            struct str dag_id, run_id, task_id; /* for people who read the worker's log */
            int32_t map_index;
            uint16_t try_no;
            uint64_t fence;
            const struct spec *spec;
        } grant;
        struct {
            const struct id128 *attempts;
            uint32_t count;
        } ack;
        struct {
            struct id128 attempt;
            enum cause cause;
        } kill;
        struct {
            int64_t stamp_ms;
            int64_t lease_ms;
        } renewed;
        struct {
            bool drain;
        } drain;
        struct {
            struct str queue;
            uint32_t wanted;
            struct str stop_worker;
            struct str reason;
        } scale;
        struct core_find find;
        struct {
            const struct errand *items;
            uint32_t count;
        } errands;
        struct {
            uint64_t question_no;
            bool ok;
            struct str text;
        } probed;
    };
};

/* One transaction. Borrowed from the core until CORE_COMMITTED or CORE_UNLED. */
struct core_batch {
    uint64_t batch_no;
    uint64_t epoch;
    const struct record *writes;
    uint32_t write_count;
};

/* Changes that are committed, for those who watch (and `running`, which is shown at once and
 * written later). */
struct core_note {
    int64_t run_no;
    int32_t dag_no;
    int32_t task; /* -1: the run itself */
    int32_t map_index;
    uint16_t try_no;
    uint8_t state; /* task_state, or run_state for the run */
    enum cause cause;
    int64_t at_ms; /* wall */
    bool is_known; /* the state was noted before: something else of the row has changed */
};

/* Valid until the next core_step. */
struct core_out {
    const struct core_batch *commit; /* NULL, or begin this transaction now */
    const struct core_send *sends;
    uint32_t send_count;
    const struct core_note *notes;
    uint32_t note_count;
};

struct core *core_new(const struct core_limits *limits);
void core_free(struct core *core);

/* One event in, what to do out. Never fails: bad reports are counted and dropped, our own bugs
 * assert. */
void core_step(struct core *core, const struct core_event *event, struct core_out *out);

/* Boot-time ms at which it wants CORE_TICK; INT64_MAX = never. */
int64_t core_wake_at_ms(const struct core *core);

/* ---- questions (no change) ------------------------------------------------------------------- */

/* Whether a run, or a DAG version, is in memory. */
bool core_has_run(const struct core *core, int64_t run_no);
bool core_has_version(const struct core *core, int64_t version_no);

/* Which files DAGs wait for that take some now, at most `max` of them. Paths live until the next
 * core_step. */
struct core_file_schedule {
    int32_t dag_no;
    struct str path; /* with * and ? */
    int64_t settle_ms;
};
uint32_t core_file_schedules(const struct core *core, struct core_file_schedule *out, uint32_t max);

/* Whether nothing more need be said about a file with this content. */
bool core_file_is_done(const struct core *core, int32_t dag_no, struct id128 content);

/* Why the instance has not started: sentences with figures, most blocking first, one a line; empty
 * when it has. */
struct str core_why(const struct core *core, int64_t run_no, uint32_t task, int32_t map_index,
                    struct arena *arena);

/* What keeps a ready instance from being placed. The last three are its own: it steps aside, and
 * those behind it go first. */
enum core_hold {
    HOLD_NONE, /* it is next */
    HOLD_PARALLELISM,
    HOLD_WORKER,
    HOLD_SLOTS,
    HOLD_PAUSED, /* its DAG */
    HOLD_RUN,    /* max_active_tasks */
    HOLD_TASK,   /* max_active_tis_per_dag, max_active_tis_per_dagrun */
    HOLD_COUNT
};

struct core_waiting {
    struct str dag_id, run_id, task_id;
    int32_t map_index;
    struct str queue, pool;
    int32_t pool_slots, priority, weight; /* of the DAG, of the task */
    int64_t run_queued_ms;                /* wall */
    enum core_hold hold;
};

/* What is ready and not placed yet, of a queue and of a pool (empty: of any), in the order in which
 * it is looked at: the first `max` at most. `out_total`: how many there are, with a few that were
 * taken back. The texts are the core's, until the next step. */
uint32_t core_waiting(const struct core *core, struct str queue, struct str pool, uint32_t max,
                      struct core_waiting *out, uint64_t *out_total);

struct core_stats {
    uint32_t dags, runs_live, runs_queued, tasks_scheduled, tasks_queued, tasks_running, workers,
        credits_open;
    uint64_t placed, ended, lost, retried, dropped_messages, taken_back;
    uint32_t waiting, notifications_pending, timers;
    uint64_t looks, looks_lost, notifications_delivered, notifications_failed;
};
struct core_stats core_stats(const struct core *core);

#endif
