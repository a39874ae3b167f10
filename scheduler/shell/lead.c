// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/lead.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/store/lease.h"
#include "common/store/upkeep.h"
#include "scheduler/shell/observe.h"
#include "scheduler/shell/recover.h"

#include <unistd.h>

enum phase {
    STANDBY,
    TRYING,
    RECOVERING,
    LEADING,
    CLOSING,
};

struct lead {
    struct shell *shell;
    enum phase phase;
    bool renewing;
    int64_t trusted_until_ms;
    struct timer next;   /* of a try, or of a renewal */
    struct timer trust;  /* the end of trusted_until_ms */
    struct timer upkeep; /* partitions and retention, each hour */
    char holder[128];
    uint32_t closing;
    void *owner;
    void (*done)(void *owner);
};

enum { UPKEEP_MS = 3600 * 1000 };

static void try_soon(struct lead *lead, int64_t after_ms)
{
    if (lead->phase != CLOSING)
        timer_once(&lead->next, after_ms);
}

static void trust_until(struct lead *lead, const struct store_lease *lease)
{
    lead->trusted_until_ms = lease->ends_ms - lead->shell->conf->scheduler_lease_margin_ms;
    timer_once(&lead->trust, lead->trusted_until_ms - loop_now_ms());
    if (lease->wall_ms != 0)
        lead->shell->clock_skew_ms =
            lease->wall_ms - (loop_wall_ms() - (loop_now_ms() - lease->answered_ms));
}

static void on_upkeep(void *owner, const struct upkeep_done *done)
{
    struct lead *lead = owner;
    if (done->rc < 0) {
        log_error("upkeep", LOG_ERR(done->err));
        if (lead->phase == RECOVERING)
            shell_unlead(lead->shell, done->err);
        return;
    }
    log_info("upkeep", LOG_INT("partitions_made", done->partitions_made),
             LOG_INT("partitions_dropped", done->partitions_dropped));
    if (lead->phase == RECOVERING && !lead->shell->is_leading)
        recover_start(lead->shell);
}

static void start_upkeep(struct timer *timer)
{
    struct lead *lead = timer->owner;
    const struct conf *conf = lead->shell->conf;
    if (lead->phase != RECOVERING && lead->phase != LEADING)
        return;
    store_upkeep(lead->shell->store, lead->shell->epoch,
                 (int32_t)(conf->database_retention_ms / (86400 * 1000)), on_upkeep, lead);
    timer_once(&lead->upkeep, UPKEEP_MS);
}

static void on_lease(void *owner, const struct store_lease *lease)
{
    struct lead *lead = owner;
    if (lead->phase != TRYING)
        return;
    lead->phase = STANDBY;
    if (lease->rc < 0) {
        if (lease->rc == ERR_CONFLICT)
            log_debug("standby", LOG_STR("leader", lease->holder),
                      LOG_INT("left_ms", lease->left_ms));
        else
            log_warn("lease", LOG_ERR(lease->err));
        try_soon(lead, lead->shell->conf->scheduler_standby_poll_ms);
        return;
    }
    lead->phase = RECOVERING;
    lead->shell->epoch = lease->epoch;
    lead->shell->failover_age_ms = lease->failover_age_ms;
    trust_until(lead, lease);
    timer_once(&lead->next, lead->shell->conf->scheduler_lease_renew_ms);
    log_info("leading", LOG_INT("epoch", lease->epoch), LOG_STR("before", lease->holder),
             LOG_INT("failover_age_ms", lease->failover_age_ms));
    start_upkeep(&lead->upkeep);
}

static void on_renewed(void *owner, const struct store_lease *lease)
{
    struct lead *lead = owner;
    lead->renewing = false;
    if (lead->phase != RECOVERING && lead->phase != LEADING)
        return;
    if (lead->shell->is_leading)
        lead->phase = LEADING;
    if (lease->rc == 0) {
        observe_renewed(lead->shell->observe);
        trust_until(lead, lease);
        return;
    }
    /* Anything but a plain no may pass before the trusted time is over. */
    log_warn("lease_renewal", LOG_ERR(lease->err));
    if (lease->rc == ERR_LOST)
        shell_unlead(lead->shell, lease->err);
}

static void on_next(struct timer *timer)
{
    struct lead *lead = timer->owner;
    struct shell *shell = lead->shell;
    const struct conf *conf = shell->conf;
    switch (lead->phase) {
    case STANDBY:
        if (!store_is_up(shell->store))
            return; /* lead_up comes */
        lead->phase = TRYING;
        store_lease_try(shell->store, lead->holder, conf->scheduler_lease_ttl_ms, on_lease, lead);
        break;
    case RECOVERING:
    case LEADING:
        if (!lead->renewing) {
            lead->renewing = true;
            store_lease_renew(shell->store, shell->epoch, conf->scheduler_lease_ttl_ms, on_renewed,
                              lead);
        }
        timer_once(&lead->next, conf->scheduler_lease_renew_ms);
        break;
    case TRYING:
    case CLOSING:
        break;
    }
}

static void on_trust_over(struct timer *timer)
{
    struct lead *lead = timer->owner;
    if (lead->phase != RECOVERING && lead->phase != LEADING)
        return;
    struct err err = { 0 };
    err_set(&err, ERR_LOST, "the lease could not be renewed in time");
    store_break(lead->shell->store, "the lease could not be renewed in time");
    shell_unlead(lead->shell, &err);
}

void lead_up(struct lead *lead)
{
    if (lead->phase == STANDBY)
        try_soon(lead, 0);
}

void lead_lost(struct lead *lead)
{
    if (lead->phase == CLOSING)
        return;
    lead->phase = STANDBY;
    timer_stop(&lead->trust);
    timer_stop(&lead->upkeep);
    try_soon(lead, 100);
}

struct lead *lead_new(struct shell *shell)
{
    struct lead *lead = calloc(1, sizeof *lead);
    ASSERT(lead != NULL);
    lead->shell = shell;
    char host[64] = "?";
    (void)gethostname(host, sizeof host - 1);
    snprintf(lead->holder, sizeof lead->holder, "%s/%d", host, (int)getpid());
    timer_open(&lead->next, shell->loop, on_next, lead);
    timer_open(&lead->trust, shell->loop, on_trust_over, lead);
    timer_open(&lead->upkeep, shell->loop, start_upkeep, lead);
    return lead;
}

static void on_closed(void *owner)
{
    struct lead *lead = owner;
    if (--lead->closing > 0)
        return;
    void (*done)(void *) = lead->done;
    void *done_owner = lead->owner;
    free(lead);
    done(done_owner);
}

static void close_timers(struct lead *lead)
{
    lead->closing = 3;
    timer_close(&lead->next, on_closed);
    timer_close(&lead->trust, on_closed);
    timer_close(&lead->upkeep, on_closed);
}

static void on_resigned(void *owner, const struct store_lease *lease)
{
    if (lease->rc == 0)
        log_info("resigned", LOG_INT("epoch", ((struct lead *)owner)->shell->epoch));
    close_timers(owner);
}

void lead_close(struct lead *lead, void (*done)(void *owner), void *owner)
{
    bool holds = lead->phase == RECOVERING || lead->phase == LEADING;
    lead->phase = CLOSING;
    lead->done = done;
    lead->owner = owner;
    if (holds && store_is_up(lead->shell->store))
        store_lease_resign(lead->shell->store, lead->shell->epoch, on_resigned, lead);
    else
        close_timers(lead);
}
