// SPDX-License-Identifier: Apache-2.0
/* mutant - one rule of the protocol switched off, to see whether the simulator notices (tests/sim).
 * In every other build MUTANT(...) is false and costs nothing.
 *
 * MUTANT_ROW(name, what is switched off) */
#ifndef HEADRACE_MUTANT_H
#define HEADRACE_MUTANT_H

#define MUTANTS(MUTANT_ROW)                                                                        \
    MUTANT_ROW(NONE, "nothing: the real thing")                                                    \
    MUTANT_ROW(START_NO_TIME_CHECKS,                                                               \
               "worker and warden: start whatever the age of the credit and the end of the lease") \
    MUTANT_ROW(WORKER_SINGLE_USE,                                                                  \
               "worker: a credit may be used again, and attempts are not told apart")              \
    MUTANT_ROW(WORKER_EPOCH,                                                                       \
               "worker: obeys older epochs, and keeps its credits when the epoch rises")           \
    MUTANT_ROW(WORKER_INCARNATION, "worker: takes credits of an earlier incarnation")              \
    MUTANT_ROW(WORKER_DEADLINE_FROM_RECEIPT,                                                       \
               "worker: leases count from the arrival of GRANT and RENEWED")                       \
    MUTANT_ROW(WORKER_RENEWS_UNLISTED,                                                             \
               "worker: a renewal covers attempts that the leader has not seen")                   \
    MUTANT_ROW(WORKER_FORGETS_UNACKED, "worker: forgets results without an acknowledgement")       \
    MUTANT_ROW(WORKER_CREDITS_BEYOND_SLOTS, "worker: gives a credit for every slot, used or not")  \
    MUTANT_ROW(CORE_PLACES_DRAINING, "core: places on workers that drain")                         \
    MUTANT_ROW(CORE_GRANT_EARLY, "core: grants before the commit is known")                        \
    MUTANT_ROW(CORE_ACK_EARLY, "core: acknowledges results before the commit is known")            \
    MUTANT_ROW(CORE_NO_AMNESTY, "core: a new leader declares attempts lost at once")               \
    MUTANT_ROW(CORE_TAKE_BACK_ABSENT, "core: takes back whatever an inventory lacks")              \
    MUTANT_ROW(CORE_TAKE_BACK_OPEN,                                                                \
               "core: takes back although the credit is open or not yet issued")                   \
    MUTANT_ROW(CORE_TAKE_BACK_SEQ_ONLY,                                                            \
               "core: takes back by number alone, from inventories of any age")                    \
    MUTANT_ROW(CORE_TAKE_BACK_OLDER,                                                               \
               "core: takes back on any other incarnation, also an older one")                     \
    MUTANT_ROW(CORE_LOST_EARLY, "core: declares attempts lost at half the lease")                  \
    MUTANT_ROW(CORE_FOREIGN_RESULTS,                                                               \
               "core: takes an attempt's result for whatever its instance does now")               \
    MUTANT_ROW(CORE_LOSS_COSTS_RETRY, "core: our losses use up the author's retries")              \
    MUTANT_ROW(CORE_POOL_LEAK, "core: an instance that is retried keeps its pool slots")           \
    MUTANT_ROW(CORE_POOL_OVER, "core: places whatever the pool's free slots")                      \
    MUTANT_ROW(CORE_POOL_FORGETS_DEFERRED,                                                         \
               "core: deferred attempts take no slots of a pool that counts them")                 \
    MUTANT_ROW(CORE_RUN_LIMIT, "core: ignores max_active_tasks")                                   \
    MUTANT_ROW(CORE_RULE_EARLY, "core: starts a task when its first upstream has succeeded")       \
    MUTANT_ROW(CORE_REPLACE_DYING,                                                                 \
               "core: places an instance while its killed attempt may still run")                  \
    MUTANT_ROW(CORE_FORGET_RETRY_TIMER, "core: recovery forgets the waits of up_for_retry")        \
    MUTANT_ROW(CORE_BARRIER, "core: after a failover that lost commits it places at once")         \
    MUTANT_ROW(CORE_TEARDOWN_EARLY, "core: a teardown starts when its setup has succeeded")        \
    MUTANT_ROW(CORE_SETUP_IGNORED,                                                                 \
               "core: tasks start although a setup of theirs has not succeeded")                   \
    MUTANT_ROW(CORE_STOPS_TEARDOWNS, "core: a run that is stopped has its teardowns stopped too")  \
    MUTANT_ROW(CORE_PAST_IGNORED,                                                                  \
               "core: depends_on_past and wait_for_downstream hold nothing back")                  \
    MUTANT_ROW(CORE_PAST_FORGOTTEN, "core: only runs in memory count as the past of another one")  \
    MUTANT_ROW(CORE_FIND_STALE, "core: takes what the database said of a run before it ended")     \
    MUTANT_ROW(CORE_BACKFILL_LIMIT, "core: a backfill runs everything at once")                    \
    MUTANT_ROW(CORE_BACKFILL_TWICE, "core: a backfill makes runs for dates that have one")         \
    MUTANT_ROW(CORE_ASSET_LOST, "core: a task's success is no event of its assets")                \
    MUTANT_ROW(CORE_ASSET_TWICE, "core: a run that assets asked for leaves their events")          \
    MUTANT_ROW(CORE_FILE_TWICE, "core: a file makes a run whenever it is found")                   \
    MUTANT_ROW(CORE_WAIT_EARLY, "core: a wait for a time ends at any of its timers")               \
    MUTANT_ROW(CORE_ANY_ANSWER, "core: any answer to a look is taken for yes")                     \
    MUTANT_ROW(CORE_LOOK_LOST, "core: a look without an answer is not made again")                 \
    MUTANT_ROW(CORE_WAIT_NO_LIMIT, "core: execution_timeout does not end what waits")              \
    MUTANT_ROW(CORE_FORGET_WAITS, "core: recovery forgets what deferred tasks wait for")           \
    MUTANT_ROW(CORE_NOTIFY_EARLY, "core: notifications are delivered before the commit is known")  \
    MUTANT_ROW(CORE_NOTIFY_ONCE, "core: a notification that failed is not tried again")            \
    MUTANT_ROW(CORE_NOTIFY_FORGET, "core: recovery forgets notifications that wait")               \
    MUTANT_ROW(CORE_NOTIFY_NONE, "core: no notification of what a worker's result decides")        \
    MUTANT_ROW(CORE_NOTE_ONCE, "core: what is recorded after its note is not noted again")         \
    MUTANT_ROW(STORE_NO_FENCE, "store: commits of an earlier epoch are accepted")                  \
    MUTANT_ROW(WARDEN_NO_RECHECK, "warden: does not look at the deadline again just before exec")  \
    MUTANT_ROW(WARDEN_NO_DEADLINE, "warden: leaves the deadline to the worker process")            \
    MUTANT_ROW(JOURNAL_AFTER_START, "worker: starts before it journals")                           \
    MUTANT_ROW(RECOVERY_UNFENCED_READ, "shell: recovery reads rows before it takes the lease")

enum mutant {
#define MUTANT_ENUM(name, what) MUTANT_##name,
    MUTANTS(MUTANT_ENUM)
#undef MUTANT_ENUM
        MUTANT_COUNT
};

#ifdef HEADRACE_MUTANTS
extern enum mutant mutant_now;
#define MUTANT(name) (mutant_now == MUTANT_##name)
#else
#define MUTANT(name) 0
#endif

#endif
