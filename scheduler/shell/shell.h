// SPDX-License-Identifier: Apache-2.0
/* shell - does what the core decides: the scheduler process without its main().
 *
 * Everything that happens becomes one event (shell_step); what the core answers is carried out at
 * once: its batch goes to the store as one transaction, its messages to the wire, its notes to
 * those who watch. The shell decides nothing: which message waits for which commit, who runs what,
 * when something is due - all that is the core's.
 *
 * One file a concern: lead (the lease), recover (rows to events), ingest (DAG files), inbox
 * (requests), session (messages in), dispatch (messages out), find (runs that the core asks for),
 * publish (notes to web servers), scale (the process provider), errands (its own), observe (what it
 * says of itself). They meet only in this struct. */
#ifndef HEADRACE_SHELL_H
#define HEADRACE_SHELL_H

#include "common/conf/conf.h"
#include "common/loop/loop.h"
#include "common/loop/timer.h"
#include "common/metrics/metrics.h"
#include "common/store/store.h"
#include "common/wire/wire.h"
#include "scheduler/core/core.h"

struct lead;
struct ingest;
struct inbox;
struct publish;
struct file_watch;
struct scale;
struct errands;
struct observe;
struct statsd;
struct seal;

struct shell {
    struct loop *loop;
    const struct conf *conf;
    struct store *store;
    struct wire *wire;
    struct wire_server *server;
    struct wire_allowed *allowed;
    struct seal *seal;
    struct core *core;
    struct timer tick; /* core_wake_at_ms */
    bool is_leading;   /* CORE_RECOVERED was given: events of the world are the core's business */
    bool is_stepping, is_closing;
    uint64_t epoch; /* 0: a standby */
    int64_t
        failover_age_ms; /* of the database, when the lease was taken; -1 = it never failed over */
    int64_t clock_skew_ms; /* the database's wall clock minus ours */
    struct lead *lead;
    struct ingest *ingest;
    struct inbox *inbox;
    struct publish *publish;
    struct scale *scale;
    struct file_watch *file_watch;
    struct errands *errands;
    struct observe *observe;
    struct metrics *metrics; /* observe has it */
    struct statsd *statsd;   /* NULL: none is to be told */
    void *owner;
    void (*done)(void *owner);
};

/* `conf` is kept. Returns when the port is bound; leading begins when the database answers and
 * nobody else leads. *out is set on failure too, to be closed. */
MUST_USE int shell_open(struct shell **out, struct loop *loop, const struct conf *conf, void *owner,
                        struct err *err);

/* Settings that were read again; kept like those before, which must live on until shell_close. */
void shell_set_conf(struct shell *shell, const struct conf *conf);

/* Gives the lease back, closes everything, frees the shell; then done(owner). */
void shell_close(struct shell *shell, void (*done)(void *owner));

/* Stamps the event, gives it to the core and carries out the answer. Never from inside itself. */
void shell_step(struct shell *shell, struct core_event *event);

/* Everything is recovered: the core decides from now on. */
void shell_led(struct shell *shell);

/* The database's wall clock, as of now. */
int64_t shell_wall_ms(const struct shell *shell);

/* Leadership is over (lease lost, batch rejected or of unknown fate): forget and start anew as a
 * standby. */
void shell_unlead(struct shell *shell, const struct err *why);

#endif
