// SPDX-License-Identifier: Apache-2.0
/* inventory - what a worker's snapshot proves: results, attempts that run, attempts that never
 * started, free credits. Rules 7 to 11 of the credit protocol. Inventories are complete and
 * stamped; an older one than the newest known says nothing, and what is concluded from one stays
 * true, so late and repeated ones do no harm. */
#include "scheduler/core/core_calls.h"

enum {
    RESEND_MS = 1000, /* a GRANT that is younger may still be on its way */
    SEEN_WRITE_MS = 60000,
    LOADS_WRITE_MS = 10000,
};

/* ---- the worker itself ----------------------------------------------------------------------- */

/* Those that are gone for good are rows of history. */
static uint32_t present_count(const struct core *core)
{
    uint32_t count = 0;
    VEC_EACH (&core->workers, i)
        count += core->workers.items[i].state != WORKER_GONE;
    return count;
}

static uint32_t worker_of(struct core *core, const struct core_inventory *inventory)
{
    uint32_t index = worker_find(core, inventory->worker);
    if (index != NONE)
        return index;
    if (present_count(core) >= core->limits.workers_max)
        return NONE;
    index = worker_add(core, inventory->worker, core->worker_no_next);
    core->workers.items[index].reconciled = !core->barrier;
    core->workers.items[index].joined_batch = core->open->batch_no;
    return index;
}

static uint64_t first_pending_batch(const struct core *core)
{
    return core->flight != NULL ? core->flight->batch_no : core->open->batch_no;
}

/* Its place in the registry counts from when it is committed. */
static void settle(struct core *core, struct worker *worker)
{
    if (worker->settled_ms == 0 && worker->joined_batch < first_pending_batch(core))
        worker->settled_ms =
            worker->joined_batch == 0 ? core->now_ms : core->now_ms + core->limits.join_settle_ms;
}

static bool is_newer(const struct worker *worker, const struct core_inventory *inventory)
{
    if (MUTANT(CORE_TAKE_BACK_SEQ_ONLY))
        return true;
    if (inventory->incarnation != worker->incarnation)
        return inventory->incarnation > worker->incarnation;
    return inventory->sent_ms > worker->sent_ms;
}

static void text_set(struct arena *arena, struct str *text, struct str now)
{
    if (!str_eq(*text, now))
        *text = str_copy(arena, now);
}

static void worker_describe(struct core *core, uint32_t index,
                            const struct core_inventory *inventory)
{
    struct worker *worker = &core->workers.items[index];
    bool changed = worker->written_ms == 0 || worker->incarnation != inventory->incarnation ||
                   worker->slots != inventory->slots || worker->state == WORKER_GONE ||
                   !str_eq(worker->queues, inventory->queues) ||
                   core->now_ms >= worker->written_ms + SEEN_WRITE_MS;
    const char *reason = worker->state == WORKER_GONE ? "it is back" : "";
    if (worker->state == WORKER_GONE) {
        worker->state = WORKER_ACTIVE;
        worker->load_written = (struct machine_load) { 0 }; /* its row may be a new one */
        timer_set(core, core->now_ms + core->limits.lease_ms + core->limits.lease_grace_ms,
                  (struct timer) { .kind = TIMER_WORKER, .index = index });
    }
    if (worker->incarnation !=
        inventory->incarnation) { /* the numbers that it gave before are nothing now */
        VEC_RESET(&worker->credits);
        worker->synced = false;
    }
    worker->incarnation = inventory->incarnation;
    worker->sent_ms = inventory->sent_ms;
    worker->heard_ms = core->now_ms;
    worker->slots = inventory->slots;
    worker->reports = inventory->attempt_count;
    worker->open_count = inventory->open_count;
    text_set(&worker->arena, &worker->name, inventory->name);
    text_set(&worker->arena, &worker->host, inventory->host);
    text_set(&worker->arena, &worker->version, inventory->version);
    if (!str_eq(worker->queues, inventory->queues) || worker->queue_list.count == 0)
        worker_queues_set(core, index, inventory->queues);
    if (!changed)
        return;
    worker->written_ms = core->now_ms;
    write_worker(core, worker, reason);
}

/* A load is for people alone: it is written when it has moved, and then those of all workers at
 * once, so that a thousand of them cost a statement every ten seconds. */
static void load_take(struct core *core, struct worker *worker, const struct machine_load *load)
{
    worker->load = *load;
    if (core->now_ms < core->loads_written_ms + LOADS_WRITE_MS ||
        !machine_load_has_moved(&worker->load_written, load))
        return;
    core->loads_written_ms = core->now_ms;
    VEC_EACH (&core->workers, i) {
        struct worker *each = &core->workers.items[i];
        if (!machine_load_has_moved(&each->load_written, &each->load))
            continue;
        each->load_written = each->load;
        write_worker_load(core, each);
    }
}

/* ---- what it lists --------------------------------------------------------------------------- */

static void send_kill(struct core *core, const struct worker *worker, struct id128 attempt,
                      enum cause cause)
{
    send_now(core, (struct core_send) {
                       .type = SEND_KILL, .worker = worker->identity, .kill = { attempt, cause } });
}

static void alive(struct core *core, uint32_t index)
{
    struct attempt *attempt = &core->attempts.items[index];
    attempt->estimate_ms = core->now_ms; /* not before the stamp that the renewal echoes */
    attempt_started(core, index, 0);
    if (attempt->dying)
        send_kill(core, &core->workers.items[attempt->worker], attempt->id, attempt->kill_cause);
}

static uint32_t foreign_instance(struct core *core, uint32_t worker)
{
    uint32_t index = core->workers.items[worker].first_attempt;
    return index != NONE && core->attempts.items[index].granted_ms != 0 ? index : NONE;
}

/* Reports that are not ours any more: recorded or superseded long ago. False: one of them runs and
 * must be killed. */
static bool unknown(struct core *core, uint32_t worker, const struct core_attempt_report *report)
{
    if (MUTANT(CORE_FOREIGN_RESULTS) && report->ended && foreign_instance(core, worker) != NONE)
        attempt_result(core, foreign_instance(core, worker), &report->result);
    if (report->ended) {
        hold_ack(core, worker, report->attempt);
        return true;
    }
    send_kill(core, &core->workers.items[worker], report->attempt, CAUSE_LOST);
    if (core->may_have_lost) { /* a lost commit had placed it: nothing takes its place before it is
                                  gone */
        core->barrier = true;
        core->workers.items[worker].reconciled = false;
    }
    return false;
}

/* True when all attempts that run are known: then their leases may be renewed. */
static bool take_reports(struct core *core, uint32_t worker, const struct core_inventory *inventory,
                         bool *out_runs)
{
    bool all_known = true;
    for (uint32_t i = 0; i < inventory->attempt_count; i++) {
        const struct core_attempt_report *report = &inventory->attempts[i];
        uint32_t index = attempt_find(core, report->attempt);
        if (index == NONE || core->attempts.items[index].worker != worker) {
            all_known &= unknown(core, worker, report);
            continue;
        }
        core->attempts.items[index].seen = core->inventory_count;
        if (report->ended) {
            hold_ack(core, worker, report->attempt);
            attempt_result(core, index, &report->result);
        } else {
            alive(core, index);
            *out_runs = true;
        }
    }
    return all_known;
}

/* ---- what it lacks --------------------------------------------------------------------------- */

static bool credit_is_open(const struct core_inventory *inventory, uint64_t seq)
{
    for (uint32_t i = 0; i < inventory->open_count; i++)
        if (inventory->open_seqs[i] == seq)
            return true;
    return false;
}

/* Proof that an absent attempt neither runs nor ever will: its credit is closed, or of an
 * incarnation that is over. */
static bool never_will_run(const struct core_inventory *inventory, const struct attempt *attempt)
{
    const struct credit *credit = &attempt->credit;
    bool same = credit->incarnation == inventory->incarnation;
    bool closed = credit->seq < inventory->next_seq && !credit_is_open(inventory, credit->seq);
    if (MUTANT(CORE_TAKE_BACK_ABSENT))
        return true;
    if (MUTANT(CORE_TAKE_BACK_OPEN))
        return same || credit->incarnation < inventory->incarnation;
    if (MUTANT(CORE_TAKE_BACK_SEQ_ONLY))
        return closed;
    if (MUTANT(CORE_TAKE_BACK_OLDER))
        return same ? closed : true;
    return same ? closed : credit->incarnation < inventory->incarnation;
}

/* Its GRANT was lost, or leadership changed before it was sent: once more, with the new stamp. */
static void resend(struct core *core, uint32_t index, const struct core_inventory *inventory)
{
    struct attempt *attempt = &core->attempts.items[index];
    if (inventory->epoch != core->epoch || attempt->granted_ms == 0 || attempt->spec == NULL ||
        attempt->dying || core->now_ms < attempt->granted_ms + RESEND_MS ||
        attempt->credit.incarnation != inventory->incarnation)
        return;
    attempt->estimate_ms = core->now_ms;
    attempt->stamp_ms = inventory->sent_ms;
    grant_send(core, index);
}

static void absent(struct core *core, uint32_t index, const struct core_inventory *inventory)
{
    if (core->barrier && !MUTANT(CORE_BARRIER))
        return;
    if (!never_will_run(inventory, &core->attempts.items[index]))
        resend(core, index, inventory);
    else if (core->attempts.items[index].dying)
        attempt_died(core, index);
    else
        attempt_take_back(core, index);
}

static void take_absent(struct core *core, uint32_t worker, const struct core_inventory *inventory)
{
    uint32_t next = NONE;
    for (uint32_t index = core->workers.items[worker].first_attempt; index != NONE; index = next) {
        next = core->attempts.items[index].next;
        if (core->attempts.items[index].seen != core->inventory_count)
            absent(core, index, inventory);
    }
}

/* ---- its credits ----------------------------------------------------------------------------- */

/* What is open and not used by an attempt that the worker has not heard of yet. */
static void take_credits(struct core *core, uint32_t index, const struct core_inventory *inventory)
{
    struct worker *worker = &core->workers.items[index];
    struct map used = { 0 };
    for (uint32_t a = worker->first_attempt; a != NONE; a = core->attempts.items[a].next)
        if (core->attempts.items[a].credit.incarnation == inventory->incarnation)
            map_put(&used, core->attempts.items[a].credit.seq, 1);
    VEC_RESET(&worker->credits);
    for (uint32_t i = 0; i < inventory->open_count; i++)
        if (!map_get(&used, inventory->open_seqs[i], NULL))
            VEC_ADD(&worker->credits, inventory->open_seqs[i]);
    map_clear(&used);
    worker->synced = true;
    worker->received_ms = core->now_ms;
}

static void reconcile(struct core *core, struct worker *worker, bool all_known)
{
    if (!core->barrier || worker->reconciled || !all_known)
        return;
    worker->reconciled = true;
    worker->reconciled_batch = core->open->writes.count > 0 ? core->open->batch_no : 0;
}

/* After a failover that may have lost commits nothing is placed or taken back before every worker
 * has shown all it has, what it showed is committed, and what had to be killed is gone; or before
 * the amnesty is over, when all leases are. */
void barrier_check(struct core *core)
{
    if (!core->barrier || !core->deciding)
        return;
    bool over = core->now_ms >= core->led_ms + core->limits.amnesty_ms;
    VEC_EACH (&core->workers, i) {
        const struct worker *worker = &core->workers.items[i];
        if (!over && (!worker->reconciled || worker->reconciled_batch >= first_pending_batch(core)))
            return;
    }
    core->barrier = false;
    core->may_have_lost &= !over;
}

/* A DRAIN, or its end, that was lost: the worker's credits show what it believes. */
static void remind_drain(struct core *core, const struct worker *worker,
                         const struct core_inventory *inventory)
{
    uint32_t busy = inventory->open_count;
    bool drain = worker->state != WORKER_ACTIVE;
    for (uint32_t i = 0; i < inventory->attempt_count; i++)
        busy += !inventory->attempts[i].ended;
    if (drain ? inventory->open_count > 0
              : busy < inventory->slots && inventory->epoch == core->epoch)
        send_now(core, (struct core_send) {
                           .type = SEND_DRAIN, .worker = worker->identity, .drain = { drain } });
}

void inventory_take(struct core *core, const struct core_inventory *inventory)
{
    if (!core->deciding || inventory->epoch > core->epoch) {
        core->stats.dropped_messages++;
        return;
    }
    uint32_t index = worker_of(core, inventory);
    if (index == NONE || !is_newer(&core->workers.items[index], inventory)) {
        core->stats.dropped_messages++;
        return;
    }
    core->inventory_count++;
    worker_describe(core, index, inventory);
    load_take(core, &core->workers.items[index], &inventory->load);
    settle(core, &core->workers.items[index]);
    bool runs = false, all_known = take_reports(core, index, inventory, &runs);
    take_absent(core, index, inventory);
    struct worker *worker = &core->workers.items[index];
    if (inventory->epoch < core->epoch) {
        send_now(core, (struct core_send) { .type = SEND_SYNC, .worker = worker->identity });
    } else {
        take_credits(core, index, inventory);
        reconcile(core, worker, all_known);
        if (runs && all_known)
            send_now(core, (struct core_send) {
                               .type = SEND_RENEWED,
                               .worker = worker->identity,
                               .renewed = { inventory->sent_ms, core->limits.lease_ms } });
    }
    worker->listed_free = 0; /* its number of credits may be as before, but they are fresh */
    worker_list(core, index);
    remind_drain(core, worker, inventory);
    if (inventory->leaving && !worker->leaving) {
        worker->leaving = true;
        worker_drain(core, index, true, true, "its host asked it to end");
    }
    if (worker->state == WORKER_DRAINED && worker->stop)
        send_now(core, (struct core_send) { .type = SEND_STOP, .worker = worker->identity });
    worker_check_drained(core, index);
    barrier_check(core);
}
