// SPDX-License-Identifier: Apache-2.0
#include "worker/shell/shell.h"

#include "common/base/assert.h"
#include "common/conf/place.h"
#include "common/log/log.h"
#include "common/helper/helper.h"
#include "worker/shell/attempts.h"
#include "worker/shell/errands.h"
#include "worker/shell/schedulers.h"

#include <unistd.h>

enum {
    SPOOL_RETRY_MS = 1000,
    LINE_EVERY_MS = 60000,
    ENDING_LOOK_MS = 100,
    ALONE_MS =
        3000, /* leaving, with nothing running and no scheduler: results go out at the next start */
    SILENT_MS = 10000,        /* the same with one that does not acknowledge */
    SHIP_PATIENCE_MS = 60000, /* leaving, and the log intake takes nothing */
};

/* ---- steps
 * ----------------------------------------------------------------------------------------------------------
 */

static void carry_out(struct worker_shell *shell, const struct worker_do *order)
{
    switch (order->type) {
    case WORKER_DO_START:
        metric_add(shell->started, 1);
        attempts_start(shell, order);
        break;
    case WORKER_DO_REFUSE:
        metric_add(shell->refused, 1);
        log_info("grant_refused", LOG_ID("attempt", order->attempt),
                 LOG_STR("reason", order->reason));
        break;
    case WORKER_DO_DEADLINE:
        attempts_deadline(shell, order->attempt, order->deadline_ms);
        break;
    case WORKER_DO_KILL:
        attempts_kill(shell, order->attempt);
        break;
    case WORKER_DO_INVENTORY:
        shell->inventory_wanted = true;
        worker_shell_settle_soon(shell);
        break;
    case WORKER_DO_FORGET:
        attempts_forget(shell, order->attempt);
        break;
    case WORKER_DO_REPORT_STARTED:
        attempts_report_started(shell, order->attempt);
        break;
    case WORKER_DO_EXIT:
        shell->is_drained = true;
        break;
    }
}

static void set_tick(struct worker_shell *shell)
{
    int64_t after_ms = worker_core_wake_at_ms(shell->core) - loop_now_ms();

    /* Never at once: due timers run before anything else of a turn, and what the core waits for
     * would never come. */
    timer_once(&shell->tick, after_ms < 1 ? 1 : after_ms);
}

void worker_shell_step(struct worker_shell *shell, struct worker_event *event)
{
    struct worker_out out;

    if (shell->is_closing)
        return;
    event->now_ms = loop_now_ms();
    worker_core_step(shell->core, event, &out);
    for (uint32_t i = 0; i < out.count; i++)
        carry_out(shell, &out.items[i]);
    if (shell->is_recovered)
        set_tick(shell);
}

static void on_tick(struct timer *timer)
{
    worker_shell_step(timer->owner, &(struct worker_event) { .type = WORKER_TICK });
}

/* ---- after each turn
 * --------------------------------------------------------------------------------------------------
 */

static void flush_spool(struct worker_shell *shell)
{
    struct err err = { 0 };

    if (spool_flush(&shell->spool, &err) < 0) {
        if (!shell->spool_failing)
            log_error("spool_failing", LOG_ERR(&err));
        shell->spool_failing = true;
        timer_once(&shell->ending, SPOOL_RETRY_MS);
        return;
    }
    if (shell->spool_failing)
        log_info("spool_writable");
    shell->spool_failing = false;
    VEC_EACH (&shell->to_forget, i) {
        struct warden_message forget = { .type = WARDEN_FORGET,
                                         .attempt = shell->to_forget.items[i] };
        if (shell->warden.is_connected)
            warden_link_send(&shell->warden, &forget);
    }
    VEC_RESET(&shell->to_forget);
}

/* No further slots are offered while the disk has no room for what they would print. */
static void watch_spool(struct worker_shell *shell)
{
    bool full =
        shell->spool_failing || shell->shipper.spool_bytes > shell->conf->worker_spool_max_bytes;

    if (full == shell->spool_is_full)
        return;
    shell->spool_is_full = full;
    log_warn(full ? "spool_full" : "spool_has_room", LOG_INT("bytes", shell->shipper.spool_bytes),
             LOG_INT("max_bytes", shell->conf->worker_spool_max_bytes));
    bool drain = full || shell->is_leaving || shell->scheduler_drains;
    shell->is_drained = shell->is_drained && drain;
    worker_shell_step(shell, &(struct worker_event) {
                                 .type = WORKER_DRAIN, .epoch = shell->epoch, .drain = { drain } });
}

static void on_settle(struct defer *defer)
{
    struct worker_shell *shell = defer->owner;

    if (shell->is_closing)
        return;
    attempts_settle_lost(shell);
    flush_spool(shell);
    if (shell->is_recovered)
        watch_spool(shell);
    if (shell->inventory_wanted && shell->is_recovered) {
        shell->inventory_wanted = false;
        schedulers_send_inventory(shell);
        set_tick(shell);
    }
    warden_link_flush(&shell->warden);
}

void worker_shell_settle_soon(struct worker_shell *shell)
{
    defer_call(&shell->settle, shell->loop, on_settle, shell);
}

/* ---- leaving
 * ----------------------------------------------------------------------------------------------------------
 */

static bool may_end(const struct worker_shell *shell, int64_t now_ms)
{
    int64_t leaving_ms = now_ms - shell->leaving_since_ms;
    int64_t grace_ms = shell->conf->worker_stop_grace_ms;

    if (grace_ms > 0 && leaving_ms >= grace_ms)
        return true;
    if (!shell->is_recovered)
        return leaving_ms >= ALONE_MS;
    if (shell->live.count > 0)
        return false;
    if (!shell->is_drained && !schedulers_any_up(shell))
        return leaving_ms >= ALONE_MS;
    if (!shell->is_drained &&
        (leaving_ms < SILENT_MS || now_ms - shell->scheduler_heard_ms < SILENT_MS))
        return false;
    return shipper_is_empty(&shell->shipper) || shell->shipper.current == NULL ||
           now_ms - shell->shipper.progress_ms > SHIP_PATIENCE_MS;
}

static void on_ending(struct timer *timer)
{
    struct worker_shell *shell = timer->owner;
    int64_t now_ms = loop_now_ms();

    if (shell->spool_failing)
        worker_shell_settle_soon(shell);
    if (!shell->is_leaving)
        return;
    if (!shell->told_end && may_end(shell, now_ms)) {
        shell->told_end = true;
        log_info("left", LOG_INT("running", shell->live.count),
                 LOG_INT("logs_unshipped", shell->shipper.count));
        shell->on_end(shell->owner);
        return;
    }
    timer_once(&shell->ending, ENDING_LOOK_MS);
}

void worker_shell_leave(struct worker_shell *shell)
{
    if (shell->is_leaving || shell->is_closing)
        return;
    shell->is_leaving = true;
    shell->leaving_since_ms = loop_now_ms();
    shell->shipper.progress_ms = shell->leaving_since_ms;
    log_info("leaving", LOG_INT("running", shell->live.count));
    if (shell->core != NULL)
        worker_shell_step(shell, &(struct worker_event) { .type = WORKER_DRAIN,
                                                          .epoch = shell->epoch,
                                                          .drain = { true } });
    shell->inventory_wanted = true;
    worker_shell_settle_soon(shell);
    timer_once(&shell->ending, 0);
}

/* ---- opening and closing
 * ------------------------------------------------------------------------------------------------
 */

/* How it fares: once a minute, and at the end. */
static void say(const struct worker_shell *shell)
{
    log_info("figures", LOG_INT("running", shell->live.count), LOG_INT("epoch", shell->epoch),
             LOG_INT("cpu_permille", shell->gauge.load.cpu_permille),
             LOG_INT("memory_used_bytes", shell->gauge.load.memory_used_bytes),
             LOG_INT("memory_total_bytes", shell->gauge.load.memory_total_bytes),
             LOG_INT("started", (int64_t)metric_value(shell->started)),
             LOG_INT("ended", (int64_t)metric_value(shell->ended)),
             LOG_INT("refused", (int64_t)metric_value(shell->refused)),
             LOG_INT("wire_sent", (int64_t)metrics_sum(shell->metrics, "headrace_wire_sent_total")),
             LOG_INT("wire_received",
                     (int64_t)metrics_sum(shell->metrics, "headrace_wire_received_total")),
             LOG_INT("wire_dropped",
                     (int64_t)metrics_sum(shell->metrics, "headrace_wire_dropped_total")));
}

static void on_line(struct timer *timer)
{
    say(timer->owner);
}

static void names_make(struct worker_shell *shell)
{
    const struct conf *conf = shell->conf;
    char host[128] = "localhost";
    struct buf queues = { 0 };

    gethostname(host, sizeof host - 1);
    for (uint32_t i = 0; i < conf->worker_queues.count; i++) {
        if (i > 0)
            buf_add_byte(&queues, ',');
        buf_add_str(&queues, conf->worker_queues.items[i]);
    }
    shell->host = strdup(host);
    shell->name = conf->worker_name.size > 0
                      ? strndup(conf->worker_name.bytes, conf->worker_name.size)
                      : strdup(host);
    shell->queues = queues.bytes != NULL ? queues.bytes : strdup("");
    ASSERT(shell->host != NULL && shell->name != NULL && shell->queues != NULL);
}

static int parts_open(struct worker_shell *shell, struct err *err)
{
    const struct conf *conf = shell->conf;
    struct arena arena = { 0 };
    struct worker_limits limits = { .slots = (uint32_t)conf->worker_slots,
                                    .inventory_ms = conf->worker_inventory_interval_ms,
                                    .retain_ms = conf->worker_result_retention_ms,
                                    /* A message holds 4 MiB, and one result two at most. */
                                    .inventory_bytes_max = 3 << 20 };
    int rc = schedulers_check(conf, err);

    if (rc == 0)
        rc =
            spool_open(&shell->spool, str_cstr(&arena, conf->worker_spool), conf->worker_name, err);
    shell->warden_program = strdup(place_program(&arena, "headrace-warden").bytes);
    arena_clear(&arena);
    if (rc < 0)
        return rc;
    limits.incarnation = shell->spool.incarnation;
    shell->core = worker_core_new(&limits);
    rc = wire_open(&shell->wire, shell->loop, shell->metrics, err);
    if (rc < 0)
        return rc;
    shell->shipper_is_open = true;
    rc = shipper_open(&shell->shipper, shell->loop, shell->wire, conf, shell->spool.identity,
                      shell->spool.attempts_fd, err);
    if (rc < 0)
        return rc;
    shell->warden.owner = shell;
    shell->warden.on_message = attempts_on_message;
    shell->warden.on_batch = attempts_on_batch;
    shell->warden.on_down = attempts_on_down;
    shell->warden_is_open = true;
    warden_link_open(&shell->warden, shell->loop, shell->spool.path, shell->warden_program);
    log_info("worker", LOG_STR("name", shell->name), LOG_STR("identity", shell->spool.identity),
             LOG_INT("incarnation", shell->spool.incarnation), LOG_INT("slots", limits.slots),
             LOG_STR("queues", shell->queues), LOG_STR("spool", shell->spool.path));
    return 0;
}

int worker_shell_open(struct worker_shell **out, struct loop *loop, const struct conf *conf,
                      void (*on_end)(void *owner), void *owner, struct err *err)
{
    struct worker_shell *shell = calloc(1, sizeof *shell);

    ASSERT(shell != NULL);
    shell->loop = loop;
    shell->conf = conf;
    shell->owner = owner;
    shell->on_end = on_end;
    shell->metrics = metrics_new();
    shell->started =
        metrics_counter(shell->metrics, "headrace_attempts_started_total", "Attempts begun.");
    shell->ended =
        metrics_counter(shell->metrics, "headrace_attempts_ended_total", "Attempts that ended.");
    shell->refused =
        metrics_counter(shell->metrics, "headrace_grants_refused_total", "Grants refused.");
    shell->spool =
        (struct spool) { .fd = -1, .lock_fd = -1, .attempts_fd = -1, .journal = { .fd = -1 } };
    timer_open(&shell->tick, loop, on_tick, shell);
    timer_open(&shell->ending, loop, on_ending, shell);
    timer_open(&shell->line, loop, on_line, shell);
    timer_every(&shell->line, LINE_EVERY_MS);
    gauge_open(&shell->gauge, loop, conf->worker_inventory_interval_ms);
    names_make(shell);
    errands_open(shell);
    *out = shell;
    return parts_open(shell, err);
}

static void on_part_closed(void *owner)
{
    struct worker_shell *shell = owner;

    if (--shell->closing > 0)
        return;
    void (*done)(void *owner) = shell->done;
    void *done_owner = shell->owner;
    worker_core_free(shell->core);
    metrics_free(shell->metrics);
    spool_close(&shell->spool);
    free(shell->name);
    free(shell->host);
    free(shell->queues);
    free(shell->warden_program);
    free(shell);
    done(done_owner);
}

void worker_shell_close(struct worker_shell *shell, void (*done)(void *owner))
{
    bool is_idle = shell->live.count == 0 && shell->is_recovered;

    if (shell->is_closing)
        return;
    if (shell->is_recovered)
        on_settle(&shell->settle);
    say(shell);
    shell->is_closing = true;
    shell->done = done;
    defer_cancel(&shell->settle);
    shell->closing = 5 + shell->shipper_is_open + shell->warden_is_open + (shell->wire != NULL);
    schedulers_close(shell);
    attempts_clear(shell);
    helper_close(shell->helper, on_part_closed, shell);
    if (shell->shipper_is_open)
        shipper_close(&shell->shipper, on_part_closed, shell);
    if (shell->warden_is_open)
        warden_link_close(&shell->warden, is_idle, on_part_closed);
    if (shell->wire != NULL)
        wire_close(shell->wire, on_part_closed, shell);
    timer_close(&shell->tick, on_part_closed);
    timer_close(&shell->ending, on_part_closed);
    timer_close(&shell->line, on_part_closed);
    gauge_close(&shell->gauge, on_part_closed, shell);
}

void worker_shell_set_conf(struct worker_shell *shell, const struct conf *conf)
{
    shell->conf = conf;
}
