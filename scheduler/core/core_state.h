// SPDX-License-Identifier: Apache-2.0
/* core_state - what the core holds in memory. Private to scheduler/core; what its leaves offer one
 * another is in core_calls.h.
 *
 * Things are named by index, never by address: a run by its slot, a task by its number, an instance
 * by `struct ref`. Heaps are lazy: an entry that no longer counts is recognised when it comes up.
 */
#ifndef HEADRACE_CORE_STATE_H
#define HEADRACE_CORE_STATE_H

#include "common/base/assert.h"
#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/mutant.h"
#include "common/base/rand.h"
#include "common/model/context.h"
#include "common/model/timetable.h"
#include "common/model/trigger_rule.h"
#include "scheduler/core/core.h"

#define NONE UINT32_MAX

/* ---- runs and instances ---------------------------------------------------------------------- */

/* One instance of a task. The counts are of the author's tries; a clear moves `try_base` up, so
 * that retries start anew. */
struct instance {
    uint8_t state; /* enum task_state */
    uint8_t flags;
    uint16_t try_no, try_base;
    uint8_t infra_tries;
    uint8_t cause; /* of the state, for those who ask why */
    uint32_t row_no;
    uint32_t attempt; /* index into core->attempts: placed, deferred or dying; NONE */
};

enum {
    INSTANCE_EXCLUDED = 1, /* a branch or short circuit upstream goes another way */
    INSTANCE_PENDING = 2,  /* stands in the work list */
    INSTANCE_MAPPED = 4,   /* a task that was expanded; its own state is that of the whole */
};

/* A task of a run: its one instance, or the whole of its mapped ones, and how its upstream tasks
 * ended. */
struct task_slot {
    struct instance self;
    struct upstream_counts upstream;
    struct upstream_counts share; /* what it has in `upstream` of each task behind it */
    uint32_t expansion;           /* index into run->expansions, or NONE */
};

struct expansion {
    uint32_t task, length;
    uint32_t capacity; /* of items: a shorter list after a clear leaves some unused */
    struct instance *items;
    const struct value *values; /* list, in the run's arena */
    uint32_t done, success, failed, upstream_failed, skipped;
};

struct output {
    struct str json; /* in the run's arena */
};

/* Scheduled instances of a run by queue, and how many of them its max_active_tasks lets count as
 * the queue's demand. */
struct demand {
    uint32_t queue, scheduled, counted;
};

struct run {
    int64_t run_no;
    uint32_t index; /* of its slot */
    uint32_t version;
    uint32_t dag;
    uint32_t previous_of_dag, next_of_dag; /* runs in memory; NONE */
    struct arena arena;
    struct str run_id, triggered_by, note, conf_json;
    enum run_state state;
    enum run_type type;
    bool has_logical;
    int64_t logical_ms, interval_start_ms, interval_end_ms;
    int64_t run_after_ms, queued_ms, started_ms, ended_ms; /* wall */
    enum cause cause;
    bool due;    /* its run_after has come */
    bool forced; /* its end was decided from outside, not by its tasks */
    enum run_state forced_state;
    const struct value *conf, *params;
    struct task_slot *tasks; /* NULL until it starts */
    VEC(struct expansion) expansions;
    struct map output_index; /* (task, map) -> outputs */
    VEC(struct output) outputs;
    uint32_t *task_gates; /* by task; NULL when no task has max_active_tis_per_dagrun */
    uint32_t gate;        /* max_active_tasks */
    bool stopping;        /* run_stop is at work */
    uint32_t open_tasks;  /* tasks without an end */
    uint32_t live, dying; /* attempts */
    VEC(struct demand) demand;
    uint64_t last_batch; /* that wrote about it */
    bool deadline_told;  /* that it was missed */
    bool loaded; /* read although it had ended: for a request, or as the past of another one */
    enum { PAST_UNKNOWN, PAST_ASKED, PAST_KNOWN } past_known;
    uint32_t past;       /* slot of the run before it, whose tasks its own look at; NONE */
    int64_t backfill_no; /* whose limit it counts against until it ends; 0: that of its DAG */
    uint32_t pins;       /* live runs that look at this one so */
};

/* An instance, as heaps and lists carry it. */
struct ref {
    uint32_t run, task;
    int32_t map;
};

/* ---- placing --------------------------------------------------------------------------------- */

/* Ready instances of one queue, one pool and one number of slots: what blocks one of them blocks
 * them all. */
struct lane {
    uint32_t queue, pool;
    int32_t slots;
    struct heap ready;
    bool listed; /* stands in core->open_lanes with this key */
    int64_t listed_key;
    uint64_t listed_tie;
    enum { LANE_OPEN, LANE_NO_SLOTS, LANE_NO_WORKER } blocked;
};

/* Instances that a closed gate keeps back, by lane: one of each goes on when the gate opens, so
 * that a lane that is blocked itself hides no other. */
struct park {
    uint32_t lane;
    struct heap heap;
    bool out; /* one of them is in the lane, not looked at yet */
    uint64_t out_item;
};

/* A limit on how many run at once: max_active_tasks of a run, max_active_tis_* of a task, a paused
 * DAG. */
struct gate {
    uint32_t limit, used;
    VEC(struct park) parks;
};

struct pool {
    struct str name;
    int32_t slots; /* -1 = no limit */
    bool exists, include_deferred;
    int64_t used;
    VEC(uint32_t) lanes;
};

struct queue {
    struct str name;
    VEC(uint32_t) lanes;
    struct heap free_workers; /* (-free credits, number): lazy */
    uint32_t live;            /* attempts placed from it */
    uint64_t demand;     /* scheduled instances that could run if there were workers, pools aside */
    uint32_t looked_for; /* waits that need one of its workers to look */
    /* autoscaling */
    bool scaled, failing, dirty;
    uint32_t min, max, slots, present;
    int64_t quiet_ms;
    uint32_t wanted, told;
    int64_t low_since_ms; /* fewer are wanted since then; 0 = not */
    int64_t look_ms;      /* when its timer fires; 0 = none is set */
    uint32_t stopping;    /* worker that is drained to be stopped; NONE */
};

struct attempt {
    struct id128 id;
    bool used;
    struct ref ref;
    uint32_t worker; /* NONE: deferred, holds no worker */
    uint32_t queue, pool;
    int32_t pool_slots; /* that it holds */
    struct credit credit;
    int64_t stamp_ms;    /* of the inventory that gave the credit */
    int64_t estimate_ms; /* its lease counts from here, on our side */
    int64_t granted_ms;  /* when GRANT was sent last; 0 = not yet */
    int64_t placed_wall_ms, started_wall_ms;
    bool started, written; /* as running */
    bool dying;            /* its row has its end, its process may live */
    enum cause kill_cause;
    enum task_state
        died_state; /* of its row, and its number: the instance may have gone on since */
    uint32_t row_no;
    uint64_t seen;      /* number of the inventory that listed it last */
    struct arena arena; /* of the spec, until it is known to have started */
    struct spec *spec;
    uint32_t previous, next; /* of its worker's */
    uint32_t wait;           /* of a deferred one: index into core->waits; NONE */
};

/* What a deferred instance of wait_for waits for. Nothing but this, its attempt and one timer: 100
 * 000 of them are cheap. */
struct wait {
    bool used, looking;
    uint8_t kind; /* enum errand_kind, or WAIT_UNTIL ... */
    uint32_t attempt;
    uint32_t timer_no; /* of the only timer that still counts */
    uint32_t look_no, looks;
    uint32_t worker;          /* that looks; NONE: the scheduler */
    uint32_t queue;           /* whose workers may look; NONE: nobody need */
    int64_t begun_ms, end_ms; /* wall: when it is over in any case, by time or by timeout */
    int64_t look_ms;   /* the next look, or the last moment for the answer to one: our clock */
    int64_t looked_ms; /* the last answer */
    int64_t poke_ms;
    char *said;              /* why not, at the last look; NULL */
    struct str key;          /* of a task; its own */
    uint32_t previous, next; /* of those that wait for the same task */
};

enum {
    WAIT_UNTIL = ERRAND_KIND_COUNT, /* for a time: its end is the good one */
    WAIT_IN_VAIN,                   /* for a time that lies behind its timeout */
};

struct wait_plan {
    uint8_t kind;
    int64_t end_ms, poke_ms; /* end: wall */
    struct str key;          /* of a task: dag\0task\0logical date; of an asset: \0name */
};

/* ---- notifications --------------------------------------------------------------------------- */

/* One that is not delivered yet, its row with it. */
struct notification {
    bool used, given;
    struct id128 id;
    struct notification_row row; /* its strings live in arena */
    struct arena arena;
    uint32_t receiver, worker, errand_no;
    int64_t due_ms; /* our clock */
};

/* Whoever takes notifications: one that does not answer makes those to it wait, and no others. */
struct receiver {
    uint32_t in_flight, failures;
    int64_t not_before_ms;
    struct heap waiting; /* (due, order of coming) */
};

/* A test of a connection that a worker makes. */
struct probe {
    struct id128 id;
    uint32_t worker; /* NONE: none is there yet */
    uint32_t queue;  /* that is to have a worker for it; NONE */
    uint64_t question_no;
    int64_t until_ms;
    struct arena arena;
    struct str asker, payload;
};

struct worker {
    bool used;
    int64_t worker_no;
    struct arena arena;
    struct str identity, name, host, version, queues;
    VEC(uint32_t) queue_list;
    uint64_t incarnation;
    int64_t sent_ms;     /* stamp of the newest inventory */
    int64_t received_ms; /* when it came; 0 = none in this epoch */
    int64_t heard_ms, written_ms;
    struct machine_load load, load_written;
    bool synced; /* answered in this epoch */
    uint32_t slots;
    VEC(uint64_t) credits; /* free to use */
    uint32_t first_attempt, attempt_count;
    enum worker_state state;
    bool stop, leaving;
    uint32_t reports, open_count; /* attempts and credits in its newest inventory */
    uint32_t listed_free;         /* as its entries in heaps say */
    uint32_t errands;             /* given and not answered */
    bool reconciled;
    uint64_t reconciled_batch;
    uint64_t joined_batch; /* that registers it; 0 = an earlier leader's */
    int64_t settled_ms;    /* from when on it may be given work; 0 = not known yet */
};

/* ---- DAGs ------------------------------------------------------------------------------------ */

struct version {
    bool used;
    int64_t version_no;
    struct dag *dag;
    uint32_t dag_index;
    uint32_t runs;               /* in memory */
    uint32_t *lanes, *dag_gates; /* by task */
    bool has_run_gates;
    bool *output_read; /* by task: some expression may read its output */
    bool reads_past;
};

/* An event of an asset that a DAG keeps until its condition holds. */
struct kept_event {
    uint32_t asset;
    int64_t event_no;
};

struct dag_entry {
    bool used, gone, paused;
    int32_t dag_no;
    struct str id;    /* of the newest version */
    uint32_t version; /* newest; NONE */
    uint32_t pause_gate;
    uint32_t active;    /* runs running */
    uint32_t live;      /* runs in memory */
    uint32_t first_run; /* of them; NONE */
    uint64_t forgotten; /* runs that have left it */
    struct heap queued; /* (run_after, run_no) of queued runs */
    uint32_t queued_count;
    struct map task_gates; /* task id -> gate of max_active_tis_per_dag */
    struct map run_ids;    /* run id -> run */
    const struct zone *zone;
    struct timetable timetable;
    bool has_timetable, has_last, has_next;
    int64_t last_fire_ms;
    struct firing next;
    int64_t timer_wall_ms; /* when the timer for `next` fires */
    VEC(int64_t)
    taken; /* dates that a backfill has made runs for before the schedule came to them */
    VEC(struct kept_event) kept;
    VEC(int64_t) lengths; /* ms, of the last runs: length.c */
    struct map files;     /* contents that have made a run, as far as this leader knows */
    uint32_t failed_in_row;
};

/* ---- backfills ------------------------------------------------------------------------------- */

struct backfill {
    struct backfill_row row;
    struct arena arena;
    uint32_t dag;
    const struct value *conf;
    uint32_t active;     /* of its runs that are running */
    VEC(int64_t) runs;   /* numbers of those that have not ended */
    bool asking;         /* the database is asked about its next date */
    bool dry;            /* only collects dates for the answer of its request */
    VEC(int64_t) asked;  /* of a dry one: what the database is asked about */
    VEC(int64_t) dates;  /* the first of those it would do: an answer has an end */
    uint32_t date_count; /* all of them */
};

/* ---- assets ---------------------------------------------------------------------------------- */

struct asset {
    struct str name;
    VEC(uint32_t) dags; /* whose schedule names it */
};

/* ---- batches --------------------------------------------------------------------------------- */

struct batch_ack {
    uint32_t worker;
    struct id128 attempt;
};

struct batch {
    uint64_t batch_no;
    VEC(struct record) writes;
    VEC(struct core_send) sends; /* that wait for the commit */
    VEC(struct batch_ack) acks;
    VEC(uint32_t) grants; /* attempts; identity checked by batch_grant_ids */
    VEC(struct id128) grant_ids;
    VEC(struct core_note) notes;
    VEC(uint32_t) ended_runs;
    VEC(int64_t) deleted_runs;
    VEC(uint32_t) notifications; /* that may be delivered then */
    struct arena arena;
    struct core_batch view;
};

/* ---- timers ---------------------------------------------------------------------------------- */

enum timer_kind {
    TIMER_RETRY,   /* of an instance */
    TIMER_LEASE,   /* of an attempt */
    TIMER_RUNNING, /* an attempt is to be written as running */
    TIMER_RUN_TIMEOUT,
    TIMER_RUN_AFTER, /* a queued run may start */
    TIMER_SCHEDULE,  /* of a DAG */
    TIMER_AUTOSCALE, /* of a queue */
    TIMER_WORKER,    /* silent for long? */
    TIMER_AMNESTY,
    TIMER_FIND,         /* a question to the database that found none */
    TIMER_WAIT,         /* of a wait: its end, its next look, or no answer to one */
    TIMER_DEADLINE,     /* of a run: an alert, once */
    TIMER_RECEIVER,     /* of notifications: may be tried again */
    TIMER_NOTIFICATION, /* no answer to a delivery */
    TIMER_DEFERRED,     /* of a deferred attempt: its execution_timeout */
    TIMER_PROBE,        /* no answer to a test of a connection */
};

struct timer {
    enum timer_kind kind;
    uint32_t index;
    struct ref ref;
    int64_t number; /* run_no, or whatever tells that it is still meant */
};

struct given_errand {
    uint32_t worker; /* NONE: our own */
    struct errand errand;
};

struct variable {
    const struct value *value;
    bool secret;
};

struct core {
    struct core_limits limits;
    int64_t now_ms, wall_ms;
    bool leading, deciding;
    uint64_t epoch;
    int64_t led_ms;
    bool may_have_lost; /* commits: until the amnesty is over */
    bool barrier; /* commits may be lost: nothing is placed or taken back until all workers are
                     reconciled */
    struct rand rand;
    int64_t run_no_next, worker_no_next;

    VEC(struct dag_entry) dags;
    struct map dag_by_no, dag_by_id;
    VEC(struct version) versions;
    VEC(uint32_t) versions_free;
    struct map version_by_no;

    VEC(struct run *) runs; /* NULL = free slot */
    VEC(uint32_t) runs_free;
    VEC(struct asset) assets;
    struct map asset_by_name;
    int64_t event_no_next;
    VEC(struct backfill *) backfills; /* that go on, or have runs that do */
    struct map run_by_no;
    struct map deleted; /* run_no of those whose deletion is not committed yet */
    uint64_t deletions; /* that are */
    uint32_t runs_live;

    VEC(struct pool) pools;
    struct map pool_by_name;
    VEC(struct queue) queues;
    struct map queue_by_name;
    VEC(struct lane) lanes;
    struct map lane_by_key;
    struct heap open_lanes;
    VEC(struct gate) gates;
    VEC(uint32_t) gates_free;
    VEC(uint32_t) dag_gates; /* those that belong to DAGs and outlive runs */

    VEC(struct worker) workers;
    struct map worker_by_identity, worker_by_no;
    uint64_t inventory_count;
    int64_t loads_written_ms;

    VEC(struct attempt) attempts;
    VEC(uint32_t) attempts_free;
    struct map attempt_by_id;
    uint32_t active; /* attempts that hold a worker */

    struct map variables, connections; /* -> lists below */
    VEC(struct variable) variable_list;
    VEC(const struct value *) connection_list;
    struct arena variable_arena, connection_arena;
    struct arena names; /* of pools and queues */

    VEC(struct ref) work; /* decisions to take, first in first out */
    uint32_t work_at;

    struct heap timer_heap, wall_heap; /* by now_ms; by wall_ms */
    VEC(struct timer) timers;
    VEC(uint32_t) timers_free;
    uint64_t timer_count;

    VEC(struct wait) waits;
    VEC(uint32_t) waits_free;
    struct map told_waits; /* "dag\0task\0logical date" -> the first wait for it */

    VEC(struct notification) notifications;
    VEC(uint32_t) notifications_free;
    struct map notification_by_id;
    VEC(struct receiver) receivers;
    struct map receiver_by_name;
    uint64_t notification_count;

    VEC(struct probe) probes;

    VEC(struct given_errand) errands; /* of this step, to be sent at its end */
    uint32_t errand_turn;

    struct batch batches[2];
    struct batch *open, *flight; /* flight NULL: none */
    uint64_t batch_no;

    struct arena step; /* scratch of one step */
    VEC(struct core_send) sends;
    VEC(struct core_note) notes;

    struct core_stats stats;
};

#endif
