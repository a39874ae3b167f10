// SPDX-License-Identifier: Apache-2.0
/* world - a whole cluster in one process on a virtual clock: the real cores of scheduler and
 * worker, and around them a database, a network, hosts and processes that fail as a seed says.
 * After every event the invariants are looked at; then the faults end, and everything must come to
 * its end.
 *
 * The same seed gives the same history: the digest tells. */
#ifndef HEADRACE_SIM_WORLD_H
#define HEADRACE_SIM_WORLD_H

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/mutant.h"
#include "common/base/rand.h"
#include "scheduler/core/core.h"
#include "tests/support/model_store.h"
#include "worker/core/worker_core.h"

#include <setjmp.h>

#define FAULTS(FAULT)                                                                              \
    FAULT(DROP, "messages are lost")                                                               \
    FAULT(REPEAT, "messages arrive twice")                                                         \
    FAULT(DELAY, "messages arrive late and in another order")                                      \
    FAULT(PARTITION, "a scheduler and a worker cannot reach each other, one way or both")          \
    FAULT(SCHEDULER_KILL, "a scheduler is killed")                                                 \
    FAULT(SCHEDULER_PAUSE, "a scheduler stands still")                                             \
    FAULT(WORKER_KILL, "a worker process is killed, its warden and tasks live on")                 \
    FAULT(WORKER_PAUSE, "a worker process stands still, its warden and tasks do not")              \
    FAULT(WARDEN_KILL, "a warden dies and its tasks with it")                                      \
    FAULT(HOST_REBOOT, "a host loses power: what was not synced is gone")                          \
    FAULT(HOST_PAUSE, "a whole host stands still")                                                 \
    FAULT(DB_DOWN, "the database is away")                                                         \
    FAULT(COMMIT_UNKNOWN, "a commit happens and its answer is lost")                               \
    FAULT(COMMIT_SLOW, "commits take up to twenty seconds")                                        \
    FAULT(EXEC_DELAY, "much time passes between a start's decision and its exec")                  \
    FAULT(WALL_JUMP, "the wall clock jumps")                                                       \
    FAULT(USERS, "users clear, mark, pause and drain")                                             \
    FAULT(FAILOVER, "the database fails over and loses the last seconds")

enum fault {
#define FAULT_ENUM(name, what) FAULT_##name,
    FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_COUNT
};

struct sim_config {
    uint64_t seed;
    uint32_t faults; /* mask of what may happen; the seed draws from it */
    uint32_t tasks_max, workers_max, runs_max, schedulers_max;
    bool trace; /* every event to stderr */
    bool plain; /* no waits, no notifications: histories of seeds from before there were any */
};

struct sim_result {
    bool failed;
    char failure[600];
    uint64_t digest;
    uint32_t faults_drawn; /* mask */
    int64_t sim_ms;
    uint64_t events, messages, faults, starts, commits, takeovers, taken_back, lost;
};

/* Never fails itself; what it finds stands in the result. */
void sim_run(const struct sim_config *config, struct sim_result *result);

/* ---- inside ---------------------------------------------------------------------------------- */

enum { FILES_COUNT = 4 };
enum { SCHEDULERS_MAX = 3, WORKERS_MAX = 6, NODES_MAX = SCHEDULERS_MAX + WORKERS_MAX };

#define WALL_BASE_MS 1767225600000LL /* 2026-01-01, when the world begins */

/* Times of the simulated cluster, shorter than the defaults so that more happens. */
enum {
    LEASE_MS = 30000,
    GRACE_MS = 7000,
    CREDIT_TTL_MS = 10000,
    CREDIT_MARGIN_MS = 2000,
    INVENTORY_MS = 2000,
    RETAIN_MS = 120000,
    LEADER_LEASE_MS = 15000,
    LEADER_RENEW_MS = 5000,
    LEADER_TRUST_MS = 12000,
    POLL_MS = 2000,
    AMNESTY_MS = LEASE_MS + GRACE_MS + LEADER_LEASE_MS,
    LOSS_MS = 3000, /* the most that a failover forgets */
    FAULTS_MS = 240000,
    HEAL_MS = 1800000,
};

enum message_kind {
    MESSAGE_GRANT,
    MESSAGE_ACK,
    MESSAGE_KILL,
    MESSAGE_SYNC,
    MESSAGE_RENEWED,
    MESSAGE_DRAIN,
    MESSAGE_STOP,
    MESSAGE_INVENTORY,
    MESSAGE_STARTED,
    MESSAGE_ERRANDS,
    MESSAGE_ERRANDS_DONE
};

struct message {
    enum message_kind kind;
    uint32_t from, to; /* nodes */
    uint64_t epoch;
    struct worker_grant grant;
    struct id128 attempt;
    struct id128 *attempts;
    uint32_t count;
    int64_t stamp_ms, lease_ms;
    bool drain;
    struct errand *errands; /* count of them; payloads live in the world's arena */
    struct errand_answer answer;
    struct core_inventory inventory; /* its arrays belong to the message */
    uint32_t copies;                 /* deliveries left */
};

enum event_kind {
    EVENT_DELIVER,   /* message */
    EVENT_SCHEDULER, /* tick of its core, or of its shell */
    EVENT_POLL,      /* of a scheduler: lease, inbox */
    EVENT_LED,       /* lease taken and rows read */
    EVENT_COMMIT,    /* a transaction reaches the database */
    EVENT_COMMITTED, /* its answer reaches the scheduler */
    EVENT_FIND,      /* a question of a core reaches the database */
    EVENT_FOUND,     /* its answer reaches the core */
    EVENT_RENEW,     /* a lease renewal reaches the database */
    EVENT_RENEWED,
    EVENT_WORKER,   /* tick of a worker core */
    EVENT_EXEC,     /* a process begins */
    EVENT_EXIT,     /* a process ends by itself */
    EVENT_DEADLINE, /* the warden looks at a deadline */
    EVENT_RESTART,  /* of a node */
    EVENT_RESUME,   /* of a node */
    EVENT_ERRAND,   /* message: an errand is over at its node */
    EVENT_FAULT,    /* time for another one */
    EVENT_REQUEST,  /* the workload asks for something */
    EVENT_DB_UP,
    EVENT_HEAL,
};

struct event {
    enum event_kind kind;
    uint32_t node;
    uint64_t generation; /* of the node's process; a dead one's events mean nothing */
    uint64_t number;
    struct message *message;
};

struct transaction {
    bool used;
    uint32_t node;
    uint64_t generation, db_generation, batch_no, epoch;
    struct record *records;
    uint32_t count;
    struct arena arena;
    enum { COMMIT_PENDING, COMMIT_DONE, COMMIT_REJECTED, COMMIT_UNKNOWN } outcome;
};

/* A question of a core, and what the database said at the moment at which it was asked. */
struct sim_find {
    uint64_t epoch; /* of the leadership that asked */
    struct core_find find;
    bool failed, is_found;
    struct recovered_run run;
};

struct scheduler {
    bool alive, paused, leading, recovering;
    uint64_t generation;
    struct core *core;
    uint64_t epoch;
    int64_t clock_ms;     /* its boot-time clock minus the world's */
    int64_t trust_ms;     /* world time until which it trusts its lease */
    int64_t wake_ms;      /* world time of the tick that is under way */
    int64_t request_seen; /* requests up to this one were given to the core */
    int64_t paused_until_ms;
};

/* A task's process, as its warden holds it. */
struct process {
    struct id128 attempt;
    uint64_t incarnation, seq;
    bool journaled;    /* the worker process will find it again */
    int64_t synced_ms; /* world time from which a power loss does not take its last record away */
    bool handed;       /* the warden has it */
    bool running, ended, reported;
    int64_t listed_ms;   /* stamp of the first inventory that showed it; 0 = none */
    int64_t deadline_ms; /* host clock */
    int64_t exec_at_ms;  /* world; 0 = not pending */
    uint64_t number;     /* of the exec or exit event that counts */
    struct result result;
    uint32_t instance;
};

struct worker_node {
    bool host_up, alive, paused, host_paused, stopped;
    uint64_t generation;      /* of the worker process */
    uint64_t host_generation; /* of host and warden */
    struct worker_core *core;
    char name[16], queues[32];
    uint32_t slots;
    int64_t clock_ms; /* its boot-time clock minus the world's */
    uint64_t incarnation, boot;
    uint64_t epoch_shown; /* highest that an inventory of this process has carried */
    int64_t wake_ms, paused_until_ms, host_paused_until_ms;
    VEC(struct process) processes;
};

/* What the observer knows about one instance of a task. */
struct observed_instance {
    int64_t run_no;
    uint32_t task;
    int32_t map_index;
    uint32_t author_failures, losses; /* since the last clear */
    enum task_state recorded;         /* by its newest row */
};

struct observed_attempt {
    struct id128 id;
    uint32_t instance;
    int64_t worker_no;
    bool counts; /* its row says queued or running: it takes slots */
    bool open;   /* its row has no time of end: its process may live */
    bool started;
    bool waits; /* deferred, in a pool that counts those */
    int32_t pool_slots;
    int pool;
};

struct observer {
    VEC(struct observed_instance) instances;
    struct map instance_index;
    VEC(struct observed_attempt) attempts;
    struct map attempt_index;
    struct map run_open; /* run_no -> open attempts */
    struct map touched_runs;
    VEC(int64_t) draining; /* numbers of workers whose rows say so */
    int32_t pool_used[3];
    uint64_t epoch_committed;
    struct map seen;      /* attempts that a look has found something for */
    struct map delivered; /* notifications that a receiver has taken */
};

struct world {
    struct sim_config config;
    struct sim_result *result;
    jmp_buf failed;
    int64_t now_ms;              /* the world's own time */
    int64_t wall_ms;             /* what the database's wall clock adds */
    struct rand work, luck, net; /* for the workload, the faults, the network: split, so that one
                                    does not shift the others */
    struct rand more;            /* for waits and notifications */
    uint32_t faults;
    double rate; /* how often faults come */
    bool healed, lossy;

    struct heap heap;
    VEC(struct event) events;
    VEC(uint32_t) events_free;
    uint64_t event_count;

    struct scheduler schedulers[SCHEDULERS_MAX];
    uint32_t scheduler_count;
    struct worker_node workers[WORKERS_MAX];
    uint32_t worker_count;
    int64_t cut_until_ms[NODES_MAX][NODES_MAX]; /* from, to */

    struct model_store store;
    bool db_up;
    uint64_t timeline, lease_counter;
    uint64_t lease_epoch, stale_epoch; /* and the one before */
    int64_t lease_until_ms;
    uint32_t lease_holder;
    int64_t failed_over_ms; /* when a leader found the last failover */
    bool failover_found;
    uint64_t db_generation; /* connections of an earlier one are broken */
    VEC(struct transaction) transactions;
    VEC(uint32_t) transactions_free;
    VEC(struct sim_find) finds; /* all, by number */

    VEC(struct dag *) dags;       /* by dag_no - 1 */
    int64_t file_ms[FILES_COUNT]; /* when files come that the last DAG may wait for; the last two
                                     hold the same */
    VEC(struct str) requests;     /* JSON, by request_no - 1 */
    struct arena arena;
    struct observer observer;
    uint64_t process_count;
    const struct message *message_now; /* that a worker is acting on */
};

#define SIM_NODE_WORKER(index) (SCHEDULERS_MAX + (index))

/* world.c */
_Noreturn void sim_fail(struct world *world, const char *fmt, ...) FORMAT(2, 3);
void sim_trace(struct world *world, const char *fmt, ...) FORMAT(2, 3);
void sim_at(struct world *world, int64_t at_ms, struct event event);
void sim_digest(struct world *world, uint64_t number);
bool sim_fault(struct world *world, enum fault fault, double probability);

/* network.c */
void net_send(struct world *world, struct message *message); /* taken */
void net_deliver(struct world *world, struct message *message);
struct message *message_new(enum message_kind kind, uint32_t from, uint32_t to, uint64_t epoch);
void message_drop(struct message *message);

/* scheduler_node.c */
void scheduler_start(struct world *world, uint32_t index);
void scheduler_stop(struct world *world, uint32_t index);
void scheduler_event(struct world *world, const struct event *event);
void scheduler_receive(struct world *world, uint32_t index, struct message *message);
void scheduler_unlead(struct world *world, uint32_t index);

/* database.c */
void db_commit(struct world *world, uint32_t scheduler, const struct core_batch *batch);
void db_event(struct world *world, const struct event *event);
bool db_take_lease(struct world *world,
                   uint32_t scheduler); /* true: it leads from the database's point of view */
struct transaction *db_transaction(struct world *world, uint64_t number);
void db_transaction_end(struct world *world, uint64_t number);
void db_failover(struct world *world);

/* worker_node.c */
void worker_start(struct world *world, uint32_t index);
void worker_stop(struct world *world, uint32_t index);
void worker_event(struct world *world, const struct event *event);
void worker_receive(struct world *world, uint32_t index, struct message *message);
void host_reboot(struct world *world, uint32_t index);
void warden_die(struct world *world, uint32_t index);
void host_resume(struct world *world, uint32_t index);

/* errands.c */
void errands_hand(struct world *world, uint32_t index, uint32_t worker,
                  const struct core_send *what);
void errands_receive(struct world *world, uint32_t index, struct message *message);
void errands_event(struct world *world, const struct event *event);

/* faults.c */
void faults_next(struct world *world);
void faults_heal(struct world *world);

/* workload.c */
void workload_make(struct world *world);
void workload_request(struct world *world,
                      uint64_t number); /* 0: a trigger, 1: what settles everything, 2: whatever
                                         * users do, 3: what makes the past good, 4: a backfill */
bool workload_is_done(struct world *world, char *why, size_t size);
bool workload_waits_for_files(const struct world *world);
struct id128 workload_file(uint32_t index); /* its content */
void workload_why(struct world *world);     /* into the trace */

/* observer.c */
void observe_commit(struct world *world, const struct transaction *transaction);
void observe_notes(struct world *world, const struct transaction *transaction,
                   const struct core_note *notes,
                   uint32_t count); /* of the step that heard of its commit */
void observe_exec(struct world *world, uint32_t worker, struct process *process);
bool process_is_live(const struct world *world, const struct worker_node *worker,
                     const struct process *process);
void observe_forgotten(struct world *world,
                       struct id128 attempt); /* by a journal that lost power */
void observe_ack(struct world *world, struct id128 attempt);
void observe_seen(struct world *world, struct id128 attempt);
void observe_delivery(struct world *world, struct id128 notification);
void observe_end(struct world *world);
void observer_clear(struct observer *observer);

#endif
