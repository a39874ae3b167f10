// SPDX-License-Identifier: Apache-2.0
/* core_state - what the core holds in memory, and what its leaves offer one another. Private to
 * scheduler/core.
 *
 * Things are named by index, never by address: a run by its slot, a task by its number, an instance
 * by `struct ref`. Heaps are lazy: an entry that no longer counts is recognised when it comes up.
 * Each leaf's functions stand below, by file. */
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
    int64_t timer_ms; /* when the timer for `next` fires */
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
    VEC(int64_t) dates;  /* the first of them: an answer has an end */
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

    struct heap timer_heap;
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

/* ---- core.c ---------------------------------------------------------------------------------- */

void core_reset(struct core *core);

/* ---- batch.c --------------------------------------------------------------------------------- */

bool batch_is_full(const struct core *core);
struct arena *batch_arena(struct core *core); /* lives until the open batch is committed */
void write_run_create(struct core *core, const struct run *run);
void write_run_state(struct core *core, struct run *run);
void write_run_delete(struct core *core, const struct run *run);
void write_dag_state(struct core *core, const struct dag_entry *dag);
void write_request_done(struct core *core, int64_t request_no, int code, struct str answer);
void write_worker(struct core *core, const struct worker *worker, const char *reason);
void write_output(struct core *core, struct run *run, uint32_t task, int32_t map, struct str json);
void write_expansion(struct core *core, struct run *run, uint32_t task, uint32_t length,
                     struct str items);
/* A row of an instance; the caller fills what differs. */
struct record *write_try(struct core *core, enum record_type type, struct ref ref,
                         enum task_state state, enum cause cause);
void note_instance(struct core *core, struct ref ref, enum cause cause);
void note_run(struct core *core, const struct run *run);
void hold_send(struct core *core, struct core_send send); /* until the open batch is committed */
void hold_ack(struct core *core, uint32_t worker, struct id128 attempt);
void hold_grant(struct core *core, uint32_t attempt);
void grant_send(struct core *core, uint32_t attempt);
void send_now(struct core *core, struct core_send send);
void batch_committed(struct core *core, uint64_t batch_no);
const struct core_batch *
batch_begin(struct core *core); /* NULL: one is in flight, or there is nothing to write */

/* ---- timers.c -------------------------------------------------------------------------------- */

void timer_set(struct core *core, int64_t at_ms, struct timer timer);
void timers_fire(struct core *core);
int64_t ms_of_wall(const struct core *core,
                   int64_t wall_ms); /* the boot-time clock's reading then */

/* ---- dag_table.c ----------------------------------------------------------------------------- */

void dag_load(struct core *core, const struct core_event *event);
void dag_gone(struct core *core, int32_t dag_no);
struct dag_entry *dag_by_id(struct core *core, struct str id);
void dag_pause(struct core *core, struct dag_entry *dag, bool paused);
void dag_drop(struct core *core, struct dag_entry *dag);
void version_release(struct core *core, uint32_t version);
uint32_t dag_index(const struct core *core, const struct dag_entry *dag);
void dag_entry_clear(struct dag_entry *dag);

/* ---- schedule.c ------------------------------------------------------------------------------ */

bool dag_next_fire(const struct dag_entry *dag, int64_t wall_ms, struct firing *out);
void date_take(struct dag_entry *dag, int64_t logical_ms); /* the schedule makes no run for it */
void schedule_check(struct core *core,
                    struct dag_entry *dag); /* fires what is due, sets the timer for what is not */

/* ---- run.c ----------------------------------------------------------------------------------- */

struct run_wish {
    uint32_t dag;
    struct str run_id; /* empty: made from type and time */
    enum run_type type;
    bool has_logical;
    int64_t logical_ms, interval_start_ms, interval_end_ms, run_after_ms;
    const struct value *conf;
    struct str triggered_by, note;
    enum cause cause;
    int64_t backfill_no; /* 0: none */
};

struct run *run_get(const struct core *core, uint32_t index);
struct run *run_by_no(const struct core *core, int64_t run_no);
struct run *run_by_id(const struct core *core, const struct dag_entry *dag, struct str run_id);
const struct dag *run_dag(const struct core *core, const struct run *run);
MUST_USE int run_create(struct core *core, const struct run_wish *wish, struct run **out,
                        struct err *err);
struct run *run_new(struct core *core, uint32_t version, int64_t run_no, struct str run_id);
void run_tasks_new(struct core *core, struct run *run);     /* its arrays */
void run_queue(struct core *core, struct run *run);         /* among the queued ones of its DAG */
void run_unqueue(struct core *core, const struct run *run); /* it will not start from there */
void run_start(struct core *core, struct run *run);
void run_clear(struct core *core, struct run *run); /* once more from the beginning; clear.c */
void runs_start(struct core *core, struct dag_entry *dag);
void run_evaluate_all(struct core *core, struct run *run);
void run_finish_if_done(struct core *core, struct run *run);
void run_reopen(struct core *core, struct run *run);
/* Ends everything that has not ended: what runs becomes `live`, the rest `idle`. */
void run_stop(struct core *core, struct run *run, enum task_state live, enum task_state idle,
              enum cause cause, bool teardowns_too);
void run_force(struct core *core, struct run *run, enum run_state state, enum cause cause);
void run_forced(struct run *run); /* recovery: whether it was to end so, from its cause */
void run_timeout_set(struct core *core, const struct run *run);
void run_timed_out(struct core *core, struct run *run, uint32_t started);
void run_free_if_done(struct core *core, uint32_t index, uint64_t committed);
void run_free(struct core *core, struct run *run);

/* One that was read although it had ended, and that nobody has changed or looks at, is forgotten
 * again. NULL is allowed. */
void run_forget_if_unchanged(struct core *core, struct run *run);

/* ---- find.c, past.c -------------------------------------------------------------------------- */

enum past_verdict { PAST_HOLDS, PAST_IS_SOUGHT, PAST_TASK_WAITS, PAST_DOWNSTREAM_WAITS };

void find_ask(struct core *core, struct core_find find);
void find_answer(struct core *core, const struct core_find *find, const struct recovered_run *row,
                 bool failed);
void find_again(struct core *core, const struct timer *timer);
bool past_is_read(const struct dag *dag);
void past_ask(struct core *core, struct run *run); /* when it is queued or recovered */
void past_ask_again(struct core *core, int64_t run_no);
void past_found(struct core *core, int64_t run_no, struct run *found);
void past_created(struct core *core, const struct run *created);
void past_settled(struct core *core, const struct run *past);          /* a task of it has an end */
void past_drop(struct core *core, struct run *run);                    /* it has ended */
void past_gone(struct core *core, struct run *gone);                   /* it leaves memory */
bool past_is_awaited(const struct core *core, const struct run *past); /* by one that is running */
/* A queued run that a running one waits for. It starts beyond max_active_runs: those that run would
 * hold it back, and it them, for ever. NULL: there is none. */
struct run *past_awaited(const struct core *core, const struct dag_entry *dag);
/* *out_task: whose state it is about. */
enum past_verdict past_verdict(const struct core *core, const struct run *run, uint32_t task,
                               struct str *out_task);
struct str past_sentence(const struct core *core, const struct run *run, uint32_t task,
                         struct arena *arena);

/* ---- backfill.c ------------------------------------------------------------------------------ */

struct backfill *backfill_by_no(const struct core *core, int64_t backfill_no);
void backfill_free(struct backfill *backfill);
void backfill_check(struct core *core, int64_t backfill_no); /* goes on as far as it may */
void backfills_check(struct core *core, const struct dag_entry *dag);
void backfill_found(struct core *core, int64_t backfill_no, int64_t logical_ms, struct run *found);
void backfill_again(struct core *core, int64_t backfill_no);
void backfill_take(struct core *core, struct run *run,
                   int64_t backfill_no); /* the run is one of its runs from now on */
bool backfill_count(struct core *core, const struct run *run,
                    int by); /* false: it counts for the DAG */
void backfill_left(struct core *core, struct run *run);
MUST_USE int backfill_request(struct core *core, const struct request *request,
                              const struct dag_entry *dag, struct err *err);
MUST_USE int backfill_change(struct core *core, const struct request *request, struct err *err);
void backfill_recover(struct core *core, const struct recovered_backfill *recovered);
int64_t backfill_of_run(const struct core *core, int64_t run_no);
void backfills_drop(struct core *core, uint32_t dag);

/* ---- asset.c --------------------------------------------------------------------------------- */

void asset_subscribe(struct core *core, struct dag_entry *dag);
void asset_check(struct core *core,
                 struct dag_entry *dag); /* makes the run that its events ask for */
int64_t asset_event(struct core *core, const struct asset_event *event);
/* The DAG no longer keeps events of `name` (empty: of any) up to `last_event_no` (0: all). */
void asset_drop(struct core *core, struct dag_entry *dag, struct str name, int64_t last_event_no);
void asset_outlets(struct core *core, struct ref ref); /* of an instance that has its end */
void asset_recover(struct core *core, const struct recovered_event *event);

/* ---- file.c ---------------------------------------------------------------------------------- */

void file_found(struct core *core, const struct core_event *event);

/* ---- instance.c ------------------------------------------------------------------------------ */

uint64_t ref_pack(struct ref ref);
struct ref ref_unpack(uint64_t item);
struct instance *instance_at(struct core *core, struct ref ref);
/* The task's one instance, or each of its mapped ones. */
void instance_each(struct core *core, struct run *run, uint32_t task,
                   void (*act)(struct core *core, struct ref ref));
const struct task *task_at(const struct core *core, struct ref ref);
void instance_set(struct core *core, struct ref ref, enum task_state state,
                  enum cause cause); /* asserts the table */
/* Ends it without an attempt: one row, already final. `error` may be empty. */
void instance_end(struct core *core, struct ref ref, enum task_state state, enum cause cause,
                  struct str error);
/* It has its end in memory and in the batch: tells the whole, the run and what is downstream. */
void instance_settled(struct core *core, struct ref ref);
void mapped_forget(struct core *core, struct run *run, uint32_t task);
void instance_unsettled(struct core *core, struct ref ref,
                        enum task_state was); /* cleared: the reverse */
/* Stops its attempt: the row gets its end now, the process as soon as it can be. */
void instance_kill(struct core *core, struct ref ref, enum task_state state, enum cause cause);
/* Brings what is behind a task up to date with it. Costs its out-degree. */
void share_renew(struct core *core, struct run *run, uint32_t task);
enum task_state expansion_state(const struct task *task, const struct expansion *expansion);
void expansion_count(struct expansion *expansion, enum task_state state, int by);
void output_drop(struct run *run, uint32_t task, int32_t map);
void output_keep(struct core *core, struct run *run, uint32_t task, int32_t map, struct str json,
                 bool write);

/* ---- label.c --------------------------------------------------------------------------------- */

struct str instance_label(struct core *core, struct ref ref, struct arena *arena); /* empty: none */

/* ---- ready.c --------------------------------------------------------------------------------- */

void task_evaluate(struct core *core, struct run *run,
                   uint32_t task); /* into the work list, if there is a verdict */
void work_drain(struct core *core);
void ready_add(struct core *core,
               struct ref ref); /* SCHEDULED: to its lane, unless a dying attempt holds it back */

/* ---- setup.c: setups, teardowns, and what lies between them ---------------------------------- */

enum verdict teardown_ready(const struct core *core, const struct run *run, uint32_t task,
                            const struct upstream_counts *counts);
enum verdict scope_ready(const struct core *core, const struct run *run, uint32_t task,
                         enum verdict own);
void setup_settled(struct core *core, struct run *run,
                   uint32_t setup); /* looks at its scope, also where it is not next */

/* ---- flow.c: what ends inside the scheduler, and what is mapped ------------------------------ */

struct context_owner {
    struct core *core;
    struct run *run;
};
void context_fill(struct core *core, struct ref ref, struct context_owner *owner,
                  struct arena *arena, struct context *out);
void context_of_run(struct core *core, struct run *run, struct context_owner *owner,
                    struct arena *arena, struct context *out); /* of no task */
void flow_branch(struct core *core, struct ref ref);
void flow_short_circuit(struct core *core, struct ref ref);
void flow_exclude(struct core *core, struct run *run,
                  uint32_t task); /* from its recorded output: see recovery and clear */
void flow_trigger(struct core *core, struct ref ref);
void flow_deferred_check(struct core *core, struct run *run,
                         uint32_t task); /* recovery: what it waits for may be gone */
void flow_run_ended(struct core *core,
                    struct run *run); /* wakes the trigger_dag task that waits for it */
bool flow_expand(struct core *core, struct ref ref); /* true: there are instances to begin */
MUST_USE int flow_condition(struct core *core, struct ref ref, struct str text, bool *out,
                            struct err *err);
void expansion_reserve(struct run *run, struct expansion *expansion,
                       uint32_t capacity); /* room for so many instances */
struct expansion *expansion_new(struct core *core, struct run *run, uint32_t task,
                                const struct value *values);

/* ---- attempt.c ------------------------------------------------------------------------------- */

uint32_t attempt_new(struct core *core, struct ref ref, uint32_t worker, struct id128 id);
void attempt_free(struct core *core, uint32_t index);
uint32_t attempt_find(const struct core *core, struct id128 id);
void attempt_result(struct core *core, uint32_t index, const struct result *result);
void attempt_take_back(struct core *core, uint32_t index);
void attempt_lease_over(struct core *core, uint32_t index);
void attempt_started(struct core *core, uint32_t index, int64_t started_unix_ms);
void attempt_write_running(struct core *core, uint32_t index);
void attempt_died(struct core *core, uint32_t index); /* a dying one is known to be gone */
void attempt_spec_drop(struct core *core, struct attempt *attempt);
void deferred_limit(struct core *core, uint32_t index); /* it has begun, now or before */
void deferred_timed_out(struct core *core, uint32_t index);
void deferred_end(struct core *core, uint32_t index, enum task_state state, enum cause cause,
                  struct str error);
void attempt_failed(struct core *core, uint32_t index, const struct result *result,
                    enum cause cause); /* with its retries */
struct id128 id_make(struct core *core);

/* ---- errand.c: small jobs beside the slots --------------------------------------------------- */

enum { ERRAND_PATIENCE_MS = 90000 }; /* without an answer for so long it is lost */

/* Who may run one; queue NONE: whichever it serves. NONE: nobody. */
uint32_t errand_worker(struct core *core, uint32_t queue);
void errand_give(struct core *core, uint32_t worker,
                 struct errand errand);               /* its payload lives in core->step */
void errand_over(struct core *core, uint32_t worker); /* answered, lost, or not wanted any more */
void errands_send(struct core *core);
void errands_done(struct core *core, const struct core_event *event);

/* ---- probe.c: tests of connections ----------------------------------------------------------- */

void probe_ask(struct core *core, const struct core_event *event);
uint32_t probe_find(const struct core *core, struct id128 id);
void probe_answer(struct core *core, uint32_t index, const struct errand_answer *answer);
void probe_timer(struct core *core, const struct timer *timer);
void probes_clear(struct core *core);

/* ---- wait.c, wait_plan.c: wait_for ----------------------------------------------------------- */

void wait_begin(struct core *core, struct ref ref);
void wait_resume(struct core *core, struct run *run, uint32_t task); /* recovery */
void wait_free(struct core *core, uint32_t index);
void wait_clear(struct wait *wait);
void wait_timer(struct core *core, const struct timer *timer);
void wait_answer(struct core *core, uint32_t index, const struct errand_answer *answer);
void wait_asset_updated(struct core *core, struct str asset);
void wait_task_ended(struct core *core, const struct run *run,
                     struct str task_id); /* well; empty: the whole run */
MUST_USE int wait_plan_make(struct core *core, struct ref ref, int64_t begun_ms,
                            struct wait_plan *out, struct err *err);
struct str wait_subject(struct core *core, const struct wait *wait,
                        struct arena *arena); /* what it waits for, in words */
struct str wait_why(const struct core *core, const struct wait *wait, struct arena *arena);

/* ---- length.c: how long runs take ------------------------------------------------------------ */

void length_note(struct core *core, struct dag_entry *dag, int64_t length_ms); /* one succeeded */
void length_recover(struct core *core, int32_t dag_no, int64_t length_ms);
int64_t length_deadline_ms(const struct core *core, const struct run *run); /* 0: it has none */

/* ---- notify.c: on_success and its like ------------------------------------------------------- */

void notify_instance(struct core *core, struct ref ref, enum cause cause,
                     struct str error); /* it is in its new state */
void notify_started(struct core *core, uint32_t attempt);
void notify_run(struct core *core, struct run *run);
void notify_deadline_set(struct core *core, const struct run *run);
void notify_deadline(struct core *core, struct run *run, uint32_t queued);
void notify_ready(struct core *core, uint32_t index); /* its row is committed */
void notify_recovered(struct core *core, const struct notification_row *row);
void notify_receiver(struct core *core, uint32_t receiver); /* gives what may be given */
void notify_timer(struct core *core, const struct timer *timer);
void notify_answer(struct core *core, uint32_t index, const struct errand_answer *answer);
void notifications_clear(struct core *core);
uint32_t notification_find(const struct core *core, struct id128 id);

/* ---- pool.c: pools, queues, lanes, gates ----------------------------------------------------- */

uint32_t pool_index(struct core *core, struct str name);
uint32_t queue_index(struct core *core, struct str name);
uint32_t lane_index(struct core *core, uint32_t queue, uint32_t pool, int32_t slots);
void pool_set(struct core *core, struct str name, int32_t slots, bool include_deferred,
              bool removed);
bool pool_has_room(const struct pool *pool, int32_t slots);
void pool_take(struct core *core, uint32_t pool, int32_t slots);
/* For an attempt that is deferred from now on, where its pool counts those. It needs no room to
 * wait, so that the pool may be more than full: others wait for it. */
void pool_take_deferred(struct core *core, struct attempt *attempt);
void pool_give(struct core *core, uint32_t pool, int32_t slots);
void queue_wake(struct core *core, uint32_t queue);
void lane_push(struct core *core, uint32_t lane, struct heap_entry entry);
void lane_list(struct core *core, uint32_t lane);
uint32_t gate_new(struct core *core, uint32_t limit);
void gate_free(struct core *core, uint32_t gate);
void gate_limit(struct core *core, uint32_t gate, uint32_t limit);
void gate_take(struct core *core, uint32_t gate);
void gate_give(struct core *core, uint32_t gate);
uint32_t gates_of(struct core *core, struct ref ref,
                  uint32_t out[4]); /* those of an instance, the DAG's pause first */
bool gate_is_open(const struct core *core, uint32_t gate);
void gate_park(struct core *core, uint32_t gate, uint32_t lane, struct heap_entry entry);
/* The entry was looked at: if it had come through this gate, another one may. */
void gate_seen(struct core *core, uint32_t gate, uint32_t lane, uint64_t item);
void gates_lost(struct core *core, uint32_t lane,
                uint64_t item); /* the same for an entry whose run is gone */

/* ---- placement.c ----------------------------------------------------------------------------- */

struct heap_entry ready_key(const struct core *core, struct ref ref);
void place_ready(struct core *core);
void attempt_release_limits(struct core *core, struct attempt *attempt);
void attempt_take_limits(struct core *core, struct attempt *attempt, uint32_t queue, uint32_t pool,
                         int32_t slots);

/* ---- worker_table.c, inventory.c ------------------------------------------------------------- */

uint32_t worker_find(const struct core *core, struct str identity);
uint32_t worker_add(struct core *core, struct str identity, int64_t worker_no);
uint32_t worker_by_no(const struct core *core, int64_t worker_no);
uint32_t worker_free_credits(const struct core *core, const struct worker *worker);
void worker_list(struct core *core, uint32_t worker); /* in the heaps of its queues */
uint32_t worker_pick(struct core *core, uint32_t queue);
bool worker_serves(const struct worker *worker, uint32_t queue);
void worker_drain(struct core *core, uint32_t worker, bool drain, bool stop, const char *reason);
void worker_check_drained(struct core *core, uint32_t worker);
void worker_silent(struct core *core, uint32_t worker);
void worker_queues_set(struct core *core, uint32_t worker, struct str queues);
void inventory_take(struct core *core, const struct core_inventory *inventory);
void barrier_check(struct core *core);

/* ---- requests.c, clear.c, recover.c, autoscale.c --------------------------------------------- */

void request_handle(struct core *core, const struct request *request);
void request_clear(struct core *core, const struct request *request, struct run *run);
void request_mark(struct core *core, const struct request *request, struct run *run);
void recover_run(struct core *core, const struct recovered_run *row);
void recover_worker(struct core *core, const struct core_event *event);
void recover_done(struct core *core);
void demand_count(struct core *core, struct ref ref,
                  int by); /* it begins or ends to be SCHEDULED */
void demand_update(struct core *core, struct run *run);
void demand_forget(struct core *core, struct run *run);
void autoscale_set(struct core *core, const struct core_event *event);
void autoscale_timer(struct core *core, uint32_t queue);
void autoscale_check(struct core *core);
void autoscale_worker_drained(struct core *core, uint32_t worker);

#endif
