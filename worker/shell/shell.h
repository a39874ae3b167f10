// SPDX-License-Identifier: Apache-2.0
/* shell - does what worker/core decides: the worker process without its main().
 *
 * Everything that happens becomes one event of the core; what the core answers is carried out at
 * once. Order on the way in: journal, then warden; on the way out: journal, then scheduler, and
 * only then may the warden forget. Nothing is sent to a scheduler before the warden has listed what
 * it has: the first inventory is complete.
 *
 * One file a concern: spool (the disk), warden_link, schedulers (their connections), shipper
 * (logs), gauge (the machine), attempts (what becomes of each). They meet only in this struct. */
#ifndef HEADRACE_WORKER_SHELL_H
#define HEADRACE_WORKER_SHELL_H

#include "common/conf/conf.h"
#include "common/loop/loop.h"
#include "common/loop/timer.h"
#include "common/metrics/metrics.h"
#include "common/wire/wire.h"
#include "worker/core/worker_core.h"
#include "worker/shell/gauge.h"
#include "worker/shell/shipper.h"
#include "worker/shell/spool.h"
#include "worker/shell/warden_link.h"

/* An attempt from its start until its result is in the journal. */
struct live_attempt {
    struct id128 attempt;
    bool handed;     /* the warden was told; else `frame` waits */
    bool listed;     /* the warden of this connection knows it */
    bool unreported; /* STARTED is owed to the scheduler, unless it ends at once */
    int64_t started_unix_ms, deadline_ms;
    struct buf frame; /* START, until it is handed over: holds secrets, so it is nowhere else */
};

struct helper;

struct scheduler_link {
    struct worker_shell *shell;
    struct wire_client *client;
};

struct worker_shell {
    struct loop *loop;
    const struct conf *conf;
    char *name, *host, *queues, *warden_program;
    struct metrics *metrics;
    struct metric *started, *ended, *refused; /* attempts */
    struct wire *wire;
    struct spool spool;
    struct worker_core *core;
    struct warden_link warden;
    struct shipper shipper;
    struct gauge gauge;    /* how busy the machine is */
    struct helper *helper; /* runs errands */
    bool shipper_is_open, warden_is_open;
    VEC(struct scheduler_link *) schedulers;
    VEC(struct live_attempt) live;
    VEC(struct id128) to_forget; /* results to journal, then the warden may forget them */
    VEC(struct id128) lost; /* live attempts to be reported lost once the present step is over */
    const struct message_grant *grant; /* during its step */
    struct timer tick, ending, line;
    struct defer settle;
    bool is_recovered, inventory_wanted, spool_failing;
    bool scheduler_drains, is_leaving, spool_is_full;
    bool is_drained; /* the core has nothing left */
    uint64_t epoch;  /* highest heard */
    int64_t leaving_since_ms, scheduler_heard_ms;
    bool is_closing;
    int closing; /* parts still to close */
    bool told_end;
    void *owner;
    void (*on_end)(void *owner); /* it has nothing more to do and wants to be closed */
    void (*done)(void *owner);
};

/* `conf` is kept. *out is set on failure too, to be closed. */
MUST_USE int worker_shell_open(struct worker_shell **out, struct loop *loop,
                               const struct conf *conf, void (*on_end)(void *owner), void *owner,
                               struct err *err);

/* Closes everything and frees the shell; then done(owner). Running tasks go on under the warden;
 * without any, it ends. */
void worker_shell_close(struct worker_shell *shell, void (*done)(void *owner));

/* Takes no more work, waits for what runs and for what it owes, then on_end. */
void worker_shell_leave(struct worker_shell *shell);

/* Settings that were read again; kept like those before, which must live on until
 * worker_shell_close. */
void worker_shell_set_conf(struct worker_shell *shell, const struct conf *conf);

/* ---- between the files of this room ---- */

/* Stamps the event, gives it to the core and carries out the answer. Never from inside itself. */
void worker_shell_step(struct worker_shell *shell, struct worker_event *event);

/* What must be written or sent after this turn. */
void worker_shell_settle_soon(struct worker_shell *shell);

#endif
