// SPDX-License-Identifier: Apache-2.0
#include "worker/shell/attempts.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "worker/shell/schedulers.h"
#include "worker/translate/translate.h"

static struct live_attempt *live_find(struct worker_shell *shell, struct id128 attempt)
{
    VEC_EACH (&shell->live, i) {
        if (id_eq(shell->live.items[i].attempt, attempt))
            return &shell->live.items[i];
    }
    return NULL;
}

/* The frame holds the task's secrets. */
static void frame_clear(struct live_attempt *live)
{
    if (live->frame.bytes != NULL)
        explicit_bzero(live->frame.bytes, live->frame.size);
    buf_clear(&live->frame);
}

static void live_remove(struct worker_shell *shell, struct id128 attempt)
{
    struct live_attempt *live = live_find(shell, attempt);

    if (live == NULL)
        return;
    frame_clear(live);
    *live = VEC_LAST(&shell->live);
    shell->live.count--;
}

void attempts_clear(struct worker_shell *shell)
{
    VEC_EACH (&shell->live, i)
        frame_clear(&shell->live.items[i]);
    VEC_CLEAR(&shell->live);
    VEC_CLEAR(&shell->to_forget);
    VEC_CLEAR(&shell->lost);
}

/* ---- results
 * ----------------------------------------------------------------------------------------------------------
 */

static void end(struct worker_shell *shell, struct id128 attempt, const struct result *result)
{
    live_remove(shell, attempt);
    metric_add(shell->ended, 1);
    spool_ended(&shell->spool, attempt, result);
    shipper_ended(&shell->shipper, attempt, result->log_bytes);
    if (shell->is_recovered)
        worker_shell_step(
            shell, &(struct worker_event) { .type = WORKER_ENDED, .ended = { attempt, *result } });
    worker_shell_settle_soon(shell);
}

static void end_without_warden(struct worker_shell *shell, struct id128 attempt,
                               enum outcome outcome, const char *why)
{
    int64_t now_ms = loop_wall_ms();
    struct result result = {
        .outcome = outcome, .started_unix_ms = now_ms, .ended_unix_ms = now_ms, .error = str_of(why)
    };

    end(shell, attempt, &result);
}

/* Orders come during a step of the core, and a result is a step of its own: hence the list. */
void attempts_settle_lost(struct worker_shell *shell)
{
    while (shell->lost.count > 0) {
        struct id128 attempt = shell->lost.items[--shell->lost.count];
        struct live_attempt *live = live_find(shell, attempt);
        if (live == NULL)
            continue;
        if (live->handed)
            end_without_warden(shell, attempt, OUTCOME_LOST,
                               "the warden of this worker died before it had it in its journal");
        else if (shell->spool_failing)
            end_without_warden(shell, attempt, OUTCOME_NOT_STARTED,
                               "this worker's spool cannot be written: is its disk full?");
        else
            end_without_warden(shell, attempt, OUTCOME_KILLED, "it was stopped before it began");
    }
}

/* ---- the core's orders
 * ------------------------------------------------------------------------------------------------
 */

static void hand_over(struct worker_shell *shell, struct live_attempt *live)
{
    struct warden_message deadline = { .type = WARDEN_DEADLINE,
                                       .attempt = live->attempt,
                                       .deadline_ms = live->deadline_ms };

    warden_link_send_frame(&shell->warden, buf_str(&live->frame));
    frame_clear(live);
    live->handed = true;
    /* A renewal may have come while it waited. */
    warden_link_send(&shell->warden, &deadline);
    worker_shell_settle_soon(shell);
}

void attempts_start(struct worker_shell *shell, const struct worker_do *order)
{
    struct live_attempt live = { .attempt = order->attempt, .deadline_ms = order->deadline_ms };
    struct warden_message start = { .type = WARDEN_START,
                                    .attempt = order->attempt,
                                    .deadline_ms = order->deadline_ms };
    struct arena arena = { 0 };
    struct err err = { 0 };

    ASSERT(shell->grant != NULL && id_eq(shell->grant->attempt, order->attempt));
    start.task = translate_spec(&shell->grant->spec, shell->conf, &arena);
    warden_encode(&live.frame, &start);
    arena_clear(&arena);
    VEC_ADD(&shell->live, live);
    if (spool_start(&shell->spool, order->attempt, order->incarnation, order->seq, &err) < 0) {
        if (!shell->spool_failing)
            log_error("spool_failing", LOG_ERR(&err));
        shell->spool_failing = true;
        VEC_ADD(&shell->lost, order->attempt);
        worker_shell_settle_soon(shell);
        return;
    }
    if (shell->warden.is_ready)
        hand_over(shell, &VEC_LAST(&shell->live));
}

void attempts_kill(struct worker_shell *shell, struct id128 attempt)
{
    struct warden_message stop = { .type = WARDEN_KILL, .attempt = attempt, .grace_ms = -1 };
    struct live_attempt *live = live_find(shell, attempt);

    log_info("attempt_killed", LOG_ID("attempt", attempt));
    if (live != NULL && !live->handed) {
        VEC_ADD(&shell->lost, attempt);
        worker_shell_settle_soon(shell);
    } else if (shell->warden.is_connected) {
        warden_link_send(&shell->warden, &stop);
        worker_shell_settle_soon(shell);
    }
}

void attempts_deadline(struct worker_shell *shell, struct id128 attempt, int64_t deadline_ms)
{
    struct warden_message deadline = { .type = WARDEN_DEADLINE,
                                       .attempt = attempt,
                                       .deadline_ms = deadline_ms };
    struct live_attempt *live = live_find(shell, attempt);

    if (live != NULL)
        live->deadline_ms = deadline_ms;
    if (live != NULL && live->handed && shell->warden.is_connected) {
        warden_link_send(&shell->warden, &deadline);
        worker_shell_settle_soon(shell);
    }
}

void attempts_report_started(struct worker_shell *shell, struct id128 attempt)
{
    struct live_attempt *live = live_find(shell, attempt);
    struct message started = { .type = MESSAGE_STARTED, .started = { attempt, 0 } };

    if (live == NULL)
        return;
    started.started.started_unix_ms = live->started_unix_ms;
    schedulers_send(shell, &started);
}

void attempts_forget(struct worker_shell *shell, struct id128 attempt)
{
    spool_forget(&shell->spool, attempt);
    worker_shell_settle_soon(shell);
}

/* ---- the warden's word
 * --------------------------------------------------------------------------------------------------
 */

static void on_started(struct worker_shell *shell, const struct warden_message *message)
{
    struct live_attempt *live = live_find(shell, message->attempt);

    if (live == NULL && spool_find(&shell->spool, message->attempt) == NULL) {
        /* Not ours, by our own journal: nobody would ever ask for its result. */
        struct warden_message stop = { .type = WARDEN_KILL,
                                       .attempt = message->attempt,
                                       .grace_ms = 0 };
        log_warn("attempt_unknown", LOG_ID("attempt", message->attempt));
        warden_link_send(&shell->warden, &stop);
        return;
    }
    if (live == NULL) {
        VEC_ADD(&shell->live, (struct live_attempt) { .attempt = message->attempt });
        live = &VEC_LAST(&shell->live);
        live->deadline_ms = message->deadline_ms;
    }
    live->unreported = live->unreported || live->started_unix_ms == 0;
    live->handed = live->listed = true;
    live->started_unix_ms = message->started_unix_ms;
}

static void on_ended(struct worker_shell *shell, const struct warden_message *message)
{
    struct result result = translate_result(&message->result);
    struct spool_entry *entry = spool_find(&shell->spool, message->attempt);

    VEC_ADD(&shell->to_forget, message->attempt);
    if (entry != NULL && !entry->ended)
        end(shell, message->attempt, &result);
    else
        shipper_ended(&shell->shipper, message->attempt, result.log_bytes);
    worker_shell_settle_soon(shell);
}

/* After the list: what the warden should run and does not know was never started, or died with its
 * predecessor. */
static void compare(struct worker_shell *shell)
{
    VEC_EACH (&shell->live, i) {
        struct live_attempt *live = &shell->live.items[i];
        if (!live->handed)
            hand_over(shell, live);
        else if (!live->listed)
            VEC_ADD(&shell->lost, live->attempt);
    }
    attempts_settle_lost(shell);
}

static bool is_live(void *owner, struct id128 attempt)
{
    return live_find(owner, attempt) != NULL;
}

/* Once, with the first list: what the journal knows and what the warden says make the core's
 * beginning. */
static void recover(struct worker_shell *shell)
{
    struct arena arena = { 0 };
    struct err err = { 0 };
    uint32_t running = 0, ended = 0, lost = 0;

    VEC_EACH (&shell->spool.entries, i) {
        struct spool_entry entry = shell->spool.entries.items[i];
        struct live_attempt *live = live_find(shell, entry.attempt);
        struct worker_event event = { .type = WORKER_RECOVERED,
                                      .recovered = { .attempt = entry.attempt,
                                                     .incarnation = entry.incarnation,
                                                     .seq = entry.seq,
                                                     .ended = live == NULL } };
        struct result *result = &event.recovered.result;
        if (live != NULL) {
            event.recovered.deadline_ms = live->deadline_ms;
            running++;
        } else if (!entry.ended || spool_result(&shell->spool, &entry, &arena, result, &err) < 0) {
            int64_t now_ms = loop_wall_ms();
            *result = (struct result) {
                .outcome = OUTCOME_LOST,
                .started_unix_ms = now_ms,
                .ended_unix_ms = now_ms,
                .error = STR("it was lost when this worker or its machine was restarted")
            };
            spool_ended(&shell->spool, entry.attempt, result);
            lost++;
        } else {
            ended++;
        }
        worker_shell_step(shell, &event);
    }
    arena_clear(&arena);
    log_info("recovered", LOG_INT("running", running), LOG_INT("ended", ended),
             LOG_INT("lost", lost));
}

static void on_listed(struct worker_shell *shell)
{
    if (shell->is_recovered) {
        compare(shell);
        return;
    }
    (void)!spool_flush(&shell->spool, NULL);
    recover(shell);
    shell->is_recovered = true;
    shipper_recover(&shell->shipper, is_live, shell);
    schedulers_connect(shell);
    worker_shell_settle_soon(shell);
}

void attempts_on_message(struct warden_link *link, const struct warden_message *message)
{
    struct worker_shell *shell = link->owner;

    switch (message->type) {
    case WARDEN_STARTED:
        on_started(shell, message);
        break;
    case WARDEN_ENDED:
        on_ended(shell, message);
        break;
    case WARDEN_LOG:
        shipper_grown(&shell->shipper, message->attempt, message->log_bytes);
        break;
    case WARDEN_LISTED:
        on_listed(shell);
        break;
    default:
        break;
    }
}

/* What has started and ended within one batch is reported by its result alone. */
void attempts_on_batch(struct warden_link *link)
{
    struct worker_shell *shell = link->owner;

    for (uint32_t i = 0; shell->is_recovered && i < shell->live.count; i++) {
        struct live_attempt *live = &shell->live.items[i];
        if (!live->unreported)
            continue;
        live->unreported = false;
        worker_shell_step(
            shell, &(struct worker_event) { .type = WORKER_STARTED, .started = { live->attempt } });
    }
}

void attempts_on_down(struct warden_link *link)
{
    struct worker_shell *shell = link->owner;

    VEC_EACH (&shell->live, i)
        shell->live.items[i].listed = false;
}
