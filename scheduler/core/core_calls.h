// SPDX-License-Identifier: Apache-2.0
/* core_calls - what the leaves of the core offer one another, by file. Private to scheduler/core.
 */
#ifndef HEADRACE_CORE_CALLS_H
#define HEADRACE_CORE_CALLS_H

#include "scheduler/core/core_state.h"

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
void write_worker_load(struct core *core, const struct worker *worker);
void write_output(struct core *core, struct run *run, uint32_t task, int32_t map, struct str json);
void write_expansion(struct core *core, struct run *run, uint32_t task, uint32_t length,
                     struct str items);
/* A row of an instance; the caller fills what differs. */
struct record *write_try(struct core *core, enum record_type type, struct ref ref,
                         enum task_state state, enum cause cause);
void note_instance(struct core *core, struct ref ref, enum cause cause);
/* Of a state that was noted already: its row has more to say. */
void note_row(struct core *core, struct ref ref, enum cause cause);
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
/* For a point in time that people gave: when the wall clock is there, also when it was set. */
void timer_set_wall(struct core *core, int64_t at_wall_ms, struct timer timer);
void timers_fire(struct core *core);
int64_t timers_next_ms(const struct core *core); /* INT64_MAX: there are none */
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
void find_answer(struct core *core, const struct core_event *event);
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

/* ---- backfill_dates.c ------------------------------------------------------------------------ */

bool backfill_next_date(const struct core *core, const struct backfill *backfill,
                        struct firing *out);
bool backfill_wants_again(const struct backfill *backfill, enum run_state state);
/* Of a dry one; false: it has answered its request, and is done. */
bool backfill_ask_dates(struct core *core, struct backfill *backfill);
void backfill_dates_found(struct core *core, const struct core_find *find,
                          const struct dated_run *found, uint32_t count);

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
/* The instance ends: what its DAG says cannot be made out. */
void flow_bad_expression(struct core *core, struct ref ref, const char *where,
                         const struct err *err);
bool flow_expand(struct core *core, struct ref ref); /* true: there are instances to begin */
MUST_USE int flow_condition(struct core *core, struct ref ref, struct str text, bool *out,
                            struct err *err);
void expansion_reserve(struct run *run, struct expansion *expansion,
                       uint32_t capacity); /* room for so many instances */
struct expansion *expansion_new(struct core *core, struct run *run, uint32_t task,
                                const struct value *values);

/* ---- trigger.c: runs of other DAGs ----------------------------------------------------------- */

void trigger_begin(struct core *core, struct ref ref);
void trigger_check(struct core *core, struct run *run,
                   uint32_t task); /* recovery: what it waits for may be gone */
void trigger_run_ended(struct core *core,
                       struct run *run); /* wakes the trigger_dag task that waits for it */

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
uint32_t deferred_begin(struct core *core, struct ref ref); /* gives the index of its attempt */
void deferred_limit(struct core *core, uint32_t index);     /* it has begun, now or before */
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
