// SPDX-License-Identifier: Apache-2.0
#include "worker/core/worker_core.h"

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/base/mutant.h"

/* An attempt is live until its result is acknowledged, then retained for a while. Both lists are in
 * order of arrival. */
struct attempt {
    struct attempt *previous, *next;
    struct id128 id;
    uint64_t incarnation, seq;
    int64_t deadline_ms;
    int64_t listed_ms; /* stamp of the first inventory that showed it; 0 = none yet */
    bool ended, acked;
    uint64_t acked_epoch;
    int64_t acked_ms;
    size_t bytes; /* of output and error, which stand behind the struct's own allocation */
    struct result result;
    char *text;
};

struct list {
    struct attempt *first, *last;
    uint32_t count;
    size_t bytes;
};

struct worker_core {
    struct worker_limits limits;
    uint64_t epoch; /* highest seen */
    uint64_t next_seq;
    bool draining;
    bool inventory_due;
    bool held_back;  /* the last inventory had no room for some result */
    int64_t sent_ms; /* stamp of the last inventory */
    uint32_t running;
    struct list live, retained;
    struct map by_id;
    VEC(uint64_t) open;
    VEC(struct worker_do) out;
    VEC(struct worker_attempt) snapshot;
};

enum { RETAINED_MAX = 1024, RETAINED_BYTES_MAX = 64 << 20 };

struct worker_core *worker_core_new(const struct worker_limits *limits)
{
    struct worker_core *core = calloc(1, sizeof *core);
    ASSERT(core != NULL);
    core->limits = *limits;
    core->next_seq = 1;
    core->inventory_due = true;
    return core;
}

/* ---- attempts -------------------------------------------------------------------------------- */

static struct str id_bytes(const struct id128 *id)
{
    return (struct str) { (const char *)id, sizeof *id };
}

static struct attempt *find(const struct worker_core *core, struct id128 id)
{
    uint64_t value = 0;
    return map_get_str(&core->by_id, id_bytes(&id), &value) ? (struct attempt *)(uintptr_t)value
                                                            : NULL;
}

static void list_add(struct list *list, struct attempt *attempt)
{
    attempt->previous = list->last;
    attempt->next = NULL;
    if (list->last != NULL)
        list->last->next = attempt;
    else
        list->first = attempt;
    list->last = attempt;
    list->count++;
    list->bytes += attempt->bytes;
}

static void list_remove(struct list *list, struct attempt *attempt)
{
    if (attempt->previous != NULL)
        attempt->previous->next = attempt->next;
    else
        list->first = attempt->next;
    if (attempt->next != NULL)
        attempt->next->previous = attempt->previous;
    else
        list->last = attempt->previous;
    list->count--;
    list->bytes -= attempt->bytes;
}

static struct attempt *attempt_add(struct worker_core *core, struct id128 id, uint64_t incarnation,
                                   uint64_t seq)
{
    struct attempt *attempt = calloc(1, sizeof *attempt);
    ASSERT(attempt != NULL);
    attempt->id = id;
    attempt->incarnation = incarnation;
    attempt->seq = seq;
    list_add(&core->live, attempt);
    map_put_str(&core->by_id, id_bytes(&id), (uint64_t)(uintptr_t)attempt);
    return attempt;
}

static void attempt_remove(struct worker_core *core, struct list *list, struct attempt *attempt)
{
    list_remove(list, attempt);
    bool known = map_remove_str(&core->by_id, id_bytes(&attempt->id));
    ASSERT(known);
    free(attempt->text);
    free(attempt);
}

static void result_keep(struct attempt *attempt, const struct result *result)
{
    attempt->ended = true;
    attempt->result = *result;
    attempt->bytes = result->output.size + result->error.size;
    attempt->text = malloc(attempt->bytes + 1);
    ASSERT(attempt->text != NULL);
    if (result->output.size > 0)
        memcpy(attempt->text, result->output.bytes, result->output.size);
    if (result->error.size > 0)
        memcpy(attempt->text + result->output.size, result->error.bytes, result->error.size);
    attempt->result.output = (struct str) { attempt->text, result->output.size };
    attempt->result.error =
        (struct str) { attempt->text + result->output.size, result->error.size };
}

void worker_core_free(struct worker_core *core)
{
    if (core == NULL)
        return;
    while (core->live.first != NULL)
        attempt_remove(core, &core->live, core->live.first);
    while (core->retained.first != NULL)
        attempt_remove(core, &core->retained, core->retained.first);
    map_clear(&core->by_id);
    VEC_CLEAR(&core->open);
    VEC_CLEAR(&core->out);
    VEC_CLEAR(&core->snapshot);
    free(core);
}

/* ---- credits --------------------------------------------------------------------------------- */

static void credits_close_all(struct worker_core *core)
{
    VEC_RESET(&core->open);
}

/* One credit for each slot that is neither used nor promised. A number is never given twice. */
static void credits_issue(struct worker_core *core)
{
    if (core->draining)
        return;
    uint32_t busy = MUTANT(WORKER_CREDITS_BEYOND_SLOTS) ? 0 : core->running;
    while (core->open.count + busy < core->limits.slots)
        VEC_ADD(&core->open, core->next_seq++);
}

static bool credit_close(struct worker_core *core, uint64_t seq)
{
    VEC_EACH (&core->open, i) {
        if (core->open.items[i] == seq) {
            memmove(&core->open.items[i], &core->open.items[i + 1],
                    (core->open.count - i - 1) * sizeof *core->open.items);
            core->open.count--;
            return true;
        }
    }
    return false;
}

static void epoch_raise(struct worker_core *core, uint64_t epoch)
{
    if (epoch <= core->epoch)
        return;
    core->epoch = epoch;
    if (!MUTANT(WORKER_EPOCH))
        credits_close_all(core);
    core->inventory_due = true;
}

/* ---- what to do ------------------------------------------------------------------------------ */

static void do_attempt(struct worker_core *core, enum worker_do_type type,
                       const struct attempt *attempt)
{
    VEC_ADD(&core->out, (struct worker_do) { .type = type,
                                             .attempt = attempt->id,
                                             .incarnation = attempt->incarnation,
                                             .seq = attempt->seq,
                                             .deadline_ms = attempt->deadline_ms });
}

static void refuse(struct worker_core *core, const struct worker_grant *grant, const char *reason)
{
    VEC_ADD(&core->out, (struct worker_do) { .type = WORKER_DO_REFUSE,
                                             .attempt = grant->attempt,
                                             .incarnation = grant->incarnation,
                                             .seq = grant->seq,
                                             .reason = reason });
}

/* Why a grant must not start; NULL if it may. Rule 2. */
static const char *refusal(struct worker_core *core, const struct worker_event *event)
{
    const struct worker_grant *grant = &event->grant;
    if (event->epoch < core->epoch && !MUTANT(WORKER_EPOCH))
        return "it comes from an earlier leader";
    if (find(core, grant->attempt) != NULL)
        return "it has arrived before";
    if (grant->incarnation != core->limits.incarnation && !MUTANT(WORKER_INCARNATION))
        return "its credit is of an earlier start of this worker";
    if (grant->stamp_ms > event->now_ms)
        return "its time stamp is not ours";
    if (!MUTANT(START_NO_TIME_CHECKS) && (event->now_ms >= grant->stamp_ms + grant->credit_ttl_ms ||
                                          event->now_ms >= grant->stamp_ms + grant->lease_ms))
        return "its credit's time is over";
    if (!credit_close(core, grant->seq) && !MUTANT(WORKER_SINGLE_USE) &&
        !(MUTANT(WORKER_INCARNATION) && grant->incarnation != core->limits.incarnation))
        return "its credit is not open";
    return NULL;
}

static void on_grant(struct worker_core *core, const struct worker_event *event)
{
    const struct worker_grant *grant = &event->grant;
    const char *reason = refusal(core, event);
    if (reason != NULL && !(MUTANT(WORKER_SINGLE_USE) && find(core, grant->attempt) != NULL)) {
        refuse(core, grant, reason);
        return;
    }
    struct attempt *known = find(core, grant->attempt);
    struct attempt *attempt =
        known != NULL ? known : attempt_add(core, grant->attempt, grant->incarnation, grant->seq);
    /* The lease counts from the stamp that the leader saw, not from now: it starts no later than
     * the leader's own. */
    attempt->deadline_ms =
        (MUTANT(WORKER_DEADLINE_FROM_RECEIPT) ? event->now_ms : grant->stamp_ms) + grant->lease_ms;
    if (known == NULL)
        core->running++;
    do_attempt(core, WORKER_DO_START, attempt);
}

static void retain(struct worker_core *core, struct attempt *attempt, int64_t now_ms)
{
    list_remove(&core->live, attempt);
    attempt->acked = true;
    attempt->acked_epoch = core->epoch;
    attempt->acked_ms = now_ms;
    list_add(&core->retained, attempt);
}

static void on_ack(struct worker_core *core, const struct worker_event *event)
{
    for (uint32_t i = 0; i < event->ack.count; i++) {
        struct attempt *attempt = find(core, event->ack.attempts[i]);
        if (attempt == NULL || !attempt->ended)
            continue;
        if (!attempt->acked)
            retain(core, attempt, event->now_ms);
        attempt->acked_epoch = core->epoch;
    }
    core->inventory_due |= core->held_back;
}

static void on_kill(struct worker_core *core, const struct worker_event *event)
{
    struct attempt *attempt = find(core, event->kill.attempt);
    if (attempt != NULL && !attempt->ended)
        do_attempt(core, WORKER_DO_KILL, attempt);
}

/* A renewal covers what the inventory of that stamp listed, and nothing whose time is already over.
 */
static void on_renewed(struct worker_core *core, const struct worker_event *event)
{
    int64_t stamp_ms = event->renewed.stamp_ms;
    if (stamp_ms > event->now_ms)
        return;
    int64_t until_ms =
        (MUTANT(WORKER_DEADLINE_FROM_RECEIPT) ? event->now_ms : stamp_ms) + event->renewed.lease_ms;
    for (struct attempt *attempt = core->live.first; attempt != NULL; attempt = attempt->next) {
        if (attempt->ended || event->now_ms >= attempt->deadline_ms ||
            until_ms <= attempt->deadline_ms)
            continue;
        if ((attempt->listed_ms == 0 || attempt->listed_ms > stamp_ms) &&
            !MUTANT(WORKER_RENEWS_UNLISTED))
            continue;
        attempt->deadline_ms = until_ms;
        do_attempt(core, WORKER_DO_DEADLINE, attempt);
    }
}

static void on_drain(struct worker_core *core, bool drain)
{
    if (core->draining != drain)
        core->inventory_due = true;
    core->draining = drain;
    if (drain)
        credits_close_all(core);
}

static void on_started(struct worker_core *core, struct id128 id)
{
    struct attempt *attempt = find(core, id);
    if (attempt != NULL && !attempt->ended)
        do_attempt(core, WORKER_DO_REPORT_STARTED, attempt);
}

static void on_ended(struct worker_core *core, const struct worker_event *event)
{
    struct attempt *attempt = find(core, event->ended.attempt);
    if (attempt == NULL || attempt->ended)
        return;
    list_remove(&core->live, attempt);
    result_keep(attempt, &event->ended.result);
    list_add(&core->live, attempt);
    ASSERT(core->running > 0);
    core->running--;
    core->inventory_due = true;
}

static void on_recovered(struct worker_core *core, const struct worker_event *event)
{
    if (find(core, event->recovered.attempt) != NULL)
        return;
    credits_close_all(core); /* it may need a slot that was promised; what is free is issued anew */
    struct attempt *attempt = attempt_add(core, event->recovered.attempt,
                                          event->recovered.incarnation, event->recovered.seq);
    attempt->deadline_ms = event->recovered.deadline_ms;
    if (event->recovered.ended) {
        list_remove(&core->live, attempt);
        result_keep(attempt, &event->recovered.result);
        list_add(&core->live, attempt);
    } else {
        core->running++;
        /* Issued by an earlier of these events, and shown to nobody yet. */
        while (core->open.count > 0 && core->open.count + core->running > core->limits.slots)
            core->open.count--;
    }
    core->inventory_due = true;
}

static void forget(struct worker_core *core, struct list *list, struct attempt *attempt)
{
    do_attempt(core, WORKER_DO_FORGET, attempt);
    attempt_remove(core, list, attempt);
}

static void forget_old(struct worker_core *core, int64_t now_ms)
{
    struct list *list = &core->retained;
    while (list->first != NULL && (now_ms >= list->first->acked_ms + core->limits.retain_ms ||
                                   list->count > RETAINED_MAX || list->bytes > RETAINED_BYTES_MAX))
        forget(core, list, list->first);
    if (!MUTANT(WORKER_FORGETS_UNACKED))
        return;
    struct attempt *next = NULL;
    for (struct attempt *attempt = core->live.first; attempt != NULL; attempt = next) {
        next = attempt->next;
        if (attempt->ended && attempt->listed_ms != 0)
            forget(core, &core->live, attempt);
    }
}

static bool is_idle(const struct worker_core *core)
{
    return core->draining && core->live.count == 0 && core->open.count == 0;
}

/* ---- the step -------------------------------------------------------------------------------- */

/* A command of an earlier leader changes nothing. Its GRANT is refused with a reason; a SYNC is
 * answered, so that it learns of its successor. */
static bool is_outdated(const struct worker_core *core, const struct worker_event *event)
{
    switch (event->type) {
    case WORKER_ACK:
    case WORKER_KILL:
    case WORKER_RENEWED:
    case WORKER_DRAIN:
        return event->epoch < core->epoch && !MUTANT(WORKER_EPOCH);
    default:
        return false;
    }
}

static void handle(struct worker_core *core, const struct worker_event *event)
{
    switch (event->type) {
    case WORKER_TICK:
        break;
    case WORKER_GRANT:
        on_grant(core, event);
        break;
    case WORKER_ACK:
        on_ack(core, event);
        break;
    case WORKER_KILL:
        on_kill(core, event);
        break;
    case WORKER_SYNC:
        core->inventory_due = true;
        break;
    case WORKER_RENEWED:
        on_renewed(core, event);
        break;
    case WORKER_DRAIN:
        on_drain(core, event->drain.drain);
        break;
    case WORKER_CONNECTED:
        core->inventory_due = true;
        break;
    case WORKER_STARTED:
        on_started(core, event->started.attempt);
        break;
    case WORKER_ENDED:
        on_ended(core, event);
        break;
    case WORKER_RECOVERED:
        on_recovered(core, event);
        break;
    }
}

void worker_core_step(struct worker_core *core, const struct worker_event *event,
                      struct worker_out *out)
{
    VEC_RESET(&core->out);
    bool was_idle = is_idle(core);
    if (event->type >= WORKER_GRANT && event->type <= WORKER_DRAIN)
        epoch_raise(core, event->epoch);
    if (!is_outdated(core, event))
        handle(core, event);
    forget_old(core, event->now_ms);
    credits_issue(core);
    ASSERT(MUTANT(WORKER_CREDITS_BEYOND_SLOTS) || MUTANT(WORKER_SINGLE_USE) ||
           MUTANT(WORKER_INCARNATION) || core->open.count == 0 ||
           core->open.count + core->running <= core->limits.slots);
    if (event->now_ms >= core->sent_ms + core->limits.inventory_ms)
        core->inventory_due = true;
    /* One stamp names one inventory: at most one a millisecond. */
    if (core->inventory_due && event->now_ms > core->sent_ms)
        VEC_ADD(&core->out, (struct worker_do) { .type = WORKER_DO_INVENTORY });
    if (is_idle(core) && (!was_idle || event->type == WORKER_DRAIN))
        VEC_ADD(&core->out, (struct worker_do) { .type = WORKER_DO_EXIT });
    *out = (struct worker_out) { core->out.items, core->out.count };
}

int64_t worker_core_wake_at_ms(const struct worker_core *core)
{
    int64_t at_ms =
        core->inventory_due ? core->sent_ms + 1 : core->sent_ms + core->limits.inventory_ms;
    if (core->retained.first != NULL &&
        core->retained.first->acked_ms + core->limits.retain_ms < at_ms)
        at_ms = core->retained.first->acked_ms + core->limits.retain_ms;
    return at_ms;
}

/* The first result always has. */
static bool has_room(const struct worker_core *core, const struct attempt *attempt, size_t *bytes)
{
    size_t max = core->limits.inventory_bytes_max;
    if (max > 0 && *bytes > 0 && *bytes + attempt->bytes > max)
        return false;
    *bytes += attempt->bytes;
    return true;
}

static void snapshot_add(struct worker_core *core, struct attempt *attempt, size_t *bytes)
{
    bool tells = attempt->ended && has_room(core, attempt, bytes);
    core->held_back |= attempt->ended && !tells;
    if (attempt->listed_ms == 0)
        attempt->listed_ms = core->sent_ms;
    VEC_ADD(&core->snapshot,
            (struct worker_attempt) { .attempt = attempt->id,
                                      .incarnation = attempt->incarnation,
                                      .seq = attempt->seq,
                                      .ended = tells,
                                      .acked = attempt->acked,
                                      .result = tells ? attempt->result : (struct result) { 0 } });
}

void worker_core_inventory(struct worker_core *core, int64_t now_ms, struct worker_inventory *out)
{
    core->sent_ms = now_ms > core->sent_ms ? now_ms : core->sent_ms + 1;
    core->inventory_due = core->held_back = false;
    size_t bytes = 0;
    VEC_RESET(&core->snapshot);
    for (struct attempt *attempt = core->live.first; attempt != NULL; attempt = attempt->next)
        snapshot_add(core, attempt, &bytes);
    /* What an earlier leader acknowledged is shown to the new one once more: its commit may be
     * lost. */
    for (struct attempt *attempt = core->retained.first; attempt != NULL; attempt = attempt->next)
        if (attempt->acked_epoch < core->epoch)
            snapshot_add(core, attempt, &bytes);
    *out = (struct worker_inventory) {
        .incarnation = core->limits.incarnation,
        .epoch = core->epoch,
        .sent_ms = core->sent_ms,
        .slots = core->limits.slots,
        .next_seq = core->next_seq,
        .open_seqs = core->open.items,
        .open_count = core->open.count,
        .attempts = core->snapshot.items,
        .attempt_count = core->snapshot.count,
        .draining = core->draining,
    };
}
