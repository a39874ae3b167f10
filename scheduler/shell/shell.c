// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/shell.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/store/apply.h"
#include "common/store/seal.h"
#include "scheduler/settings/core_limits.h"
#include "scheduler/shell/dispatch.h"
#include "scheduler/shell/durations.h"
#include "scheduler/shell/errands.h"
#include "scheduler/shell/file_watch.h"
#include "scheduler/shell/inbox.h"
#include "scheduler/shell/ingest.h"
#include "scheduler/shell/lead.h"
#include "scheduler/shell/observe.h"
#include "scheduler/shell/publish.h"
#include "scheduler/shell/scale.h"
#include "scheduler/shell/session.h"
#include "scheduler/shell/statsd.h"
#include "scheduler/shell/zones.h"

#include <time.h>

/* A batch on its way to the database. */
struct flight {
    struct shell *shell;
    uint64_t epoch;
    const struct core_batch *batch;
};

int64_t shell_wall_ms(const struct shell *shell)
{
    return loop_wall_ms() + shell->clock_skew_ms;
}

static void on_applied(void *owner, const struct store_applied *applied)
{
    struct flight flight = *(struct flight *)owner;
    free(owner);
    struct shell *shell = flight.shell;
    if (flight.epoch != shell->epoch || !shell->is_leading)
        return; /* of a leadership that is over */
    if (applied->rc < 0) {
        shell_unlead(shell, applied->err);
        return;
    }
    for (uint32_t i = 0; i < flight.batch->write_count; i++)
        if (flight.batch->writes[i].type == WRITE_REQUEST_DONE)
            inbox_answered(shell->inbox, flight.batch->writes[i].request.request_no);
    durations_committed(shell, flight.batch);
    shell_step(shell, &(struct core_event) { .type = CORE_COMMITTED,
                                             .committed = { flight.batch->batch_no } });
}

static void commit(struct shell *shell, const struct core_batch *batch)
{
    struct flight *flight = malloc(sizeof *flight);
    ASSERT(flight != NULL);
    *flight = (struct flight) { shell, shell->epoch, batch };
    store_apply(shell->store, batch->epoch, batch->writes, batch->write_count, on_applied, flight);
}

/* A wall clock that is set tells nobody: its times are looked at again after this. */
enum { WALL_LOOK_MS = 5000 };

static void arm_tick(struct shell *shell)
{
    int64_t wake_at = core_wake_at_ms(shell->core);
    if (wake_at == INT64_MAX) {
        timer_stop(&shell->tick);
        return;
    }
    int64_t wait_ms = wake_at - loop_now_ms();
    timer_once(&shell->tick, wait_ms < WALL_LOOK_MS ? wait_ms : WALL_LOOK_MS);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void shell_step(struct shell *shell, struct core_event *event)
{
    ASSERT(!shell->is_stepping);
    if (shell->is_closing)
        return;
    shell->is_stepping = true;
    int64_t began_ns = now_ns();
    event->now_ms = loop_now_ms();
    event->wall_ms = shell_wall_ms(shell);
    struct core_out out;
    core_step(shell->core, event, &out);
    if (out.commit != NULL)
        commit(shell, out.commit);
    for (uint32_t i = 0; i < out.send_count; i++)
        dispatch_send(shell, &out.sends[i]);
    if (out.note_count > 0)
        publish_notes(shell->publish, out.notes, out.note_count);
    observe_notes(shell->observe, out.notes, out.note_count);
    arm_tick(shell);
    observe_step(shell->observe, (double)(now_ns() - began_ns) / 1e9);
    shell->is_stepping = false;
}

static void on_tick(struct timer *timer)
{
    shell_step(timer->owner, &(struct core_event) { .type = CORE_TICK });
}

/* ---- leading --------------------------------------------------------------------------------- */

void shell_led(struct shell *shell)
{
    shell->is_leading = true;
    shell_step(shell, &(struct core_event) { .type = CORE_RECOVERED });
    publish_restart(shell->publish);
    scale_report(shell->scale);
    inbox_look(shell->inbox);
    ingest_start(shell->ingest);
    file_watch_start(shell->file_watch);
}

void shell_unlead(struct shell *shell, const struct err *why)
{
    if (why != NULL)
        log_warn("leading_ends", LOG_INT("epoch", shell->epoch), LOG_ERR(why));
    shell->is_leading = false;
    shell->epoch = 0;
    ingest_stop(shell->ingest);
    file_watch_stop(shell->file_watch);
    inbox_forget(shell->inbox);
    shell_step(shell, &(struct core_event) { .type = CORE_UNLED });
    lead_lost(shell->lead);
}

static void on_store_state(struct store *store, bool is_up, const struct err *err)
{
    struct shell *shell = store_owner(store);
    if (is_up) {
        log_info("database_up");
        lead_up(shell->lead);
        return;
    }
    log_warn("database_down", LOG_ERR(err));
    shell_unlead(shell, shell->epoch > 0 ? err : NULL);
}

/* ---- open and close -------------------------------------------------------------------------- */

static int open_store(struct shell *shell, struct err *err)
{
    struct arena arena = { 0 };
    const struct conf *conf = shell->conf;
    struct seal *seal;
    int rc =
        seal_open(&seal, str_format(&arena, "%.*s/secret.key", STR_ARG(conf->home)).bytes, err);
    if (rc == 0) {
        shell->seal = seal;
        struct store_options options = {
            .conninfo = str_cstr(&arena, conf->database_conn.value),
            .application_name = "headrace-scheduler",
            .seal = seal,
            .metrics = shell->metrics,
            .is_writing = true,
            .readers = 1,
            .statement_timeout_ms = conf->database_statement_timeout_ms,
            .lock_timeout_ms = conf->database_lock_timeout_ms,
            .on_state = on_store_state,
            .owner = shell,
        };
        rc = store_open(&shell->store, shell->loop, &options, err);
    }
    arena_clear(&arena);
    return rc < 0 ? err_wrap(err, rc, "opening the metadata database") : 0;
}

int shell_open(struct shell **out, struct loop *loop, const struct conf *conf, void *owner,
               struct err *err)
{
    struct shell *shell = calloc(1, sizeof *shell);
    ASSERT(shell != NULL);
    shell->loop = loop;
    shell->conf = conf;
    shell->owner = owner;
    struct core_limits limits = core_limits_of(conf);
    shell->core = core_new(&limits);
    timer_open(&shell->tick, loop, on_tick, shell);
    shell->observe = observe_new(shell);
    durations_open(shell);
    shell->publish = publish_new(shell);
    shell->lead = lead_new(shell);
    shell->inbox = inbox_new(shell);
    shell->ingest = ingest_new(shell);
    shell->scale = scale_new(shell);
    shell->file_watch = file_watch_new(shell);
    shell->errands = errands_new(shell);
    int rc = wire_open(&shell->wire, loop, shell->metrics, err);
    if (rc == 0)
        rc = session_open(shell, err);
    if (rc == 0)
        rc = open_store(shell, err);
    if (rc == 0)
        shell->statsd = statsd_open(shell);
    *out = shell; /* also on failure: shell_close ends what was begun */
    return rc;
}

void shell_set_conf(struct shell *shell, const struct conf *conf)
{
    shell->conf = conf;
}

/* Closing is a chain: each part is closed when the one before it has ended. */

static void on_observe_closed(void *owner)
{
    struct shell *shell = owner;
    core_free(shell->core);
    publish_free(shell->publish);
    wire_allowed_free(shell->allowed);
    seal_free(shell->seal);
    zones_clear();
    void (*done)(void *) = shell->done;
    void *done_owner = shell->owner;
    free(shell);
    done(done_owner);
}

static void on_statsd_closed(void *owner)
{
    struct shell *shell = owner;
    observe_close(shell->observe, on_observe_closed, shell);
}

static void on_store_closed(void *owner)
{
    struct shell *shell = owner;
    statsd_close(shell->statsd, on_statsd_closed, shell);
}

static void on_wire_closed(void *owner)
{
    struct shell *shell = owner;
    if (shell->store != NULL)
        store_close(shell->store, on_store_closed, shell);
    else
        on_store_closed(shell);
}

static void on_scale_closed(void *owner)
{
    struct shell *shell = owner;
    if (shell->wire != NULL)
        wire_close(shell->wire, on_wire_closed, shell);
    else
        on_wire_closed(shell);
}

static void on_errands_closed(void *owner)
{
    struct shell *shell = owner;
    scale_close(shell->scale, on_scale_closed, shell);
}

static void on_inbox_closed(void *owner)
{
    struct shell *shell = owner;
    errands_close(shell->errands, on_errands_closed, shell);
}

static void on_file_watch_closed(void *owner)
{
    struct shell *shell = owner;
    inbox_close(shell->inbox, on_inbox_closed, shell);
}

static void on_ingest_closed(void *owner)
{
    struct shell *shell = owner;
    file_watch_close(shell->file_watch, on_file_watch_closed, shell);
}

static void on_lead_closed(void *owner)
{
    struct shell *shell = owner;
    shell->is_leading = false;
    ingest_close(shell->ingest, on_ingest_closed, shell);
}

static void on_tick_closed(void *owner)
{
    struct shell *shell = owner;
    lead_close(shell->lead, on_lead_closed, shell);
}

void shell_close(struct shell *shell, void (*done)(void *owner))
{
    shell->done = done;
    shell->is_closing = true;
    timer_close(&shell->tick, on_tick_closed);
}
