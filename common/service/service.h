// SPDX-License-Identifier: Apache-2.0
/* service - what the long-running programs do alike: the words of their command line, settings and
 * their reload, the log, the loop, and the signals that end them.
 *
 *     --version, --help      printed, exit 0; a word that nobody knows: exit 2
 *     SIGTERM, SIGINT        on_end, each time one comes
 *     SIGHUP                 the settings are read again: on_conf. Broken ones are said, and change
 * nothing
 *
 * One a process; one thread. */
#ifndef HEADRACE_SERVICE_H
#define HEADRACE_SERVICE_H

#include "common/conf/conf.h"
#include "common/loop/signal.h"

struct service;

struct service_type {
    const char *program; /* "headrace-scheduler"; the log calls it "scheduler" */
    const char *usage;
    /* Before there is a loop: a signal ends the process at once. May be NULL. */
    MUST_USE int (*prepare)(const struct conf *conf, struct err *err);
    /* Opens all that the loop will run. A failure is said and the exit status is 1, as soon as
     * service_stop was called: at once, or when what already stands has been closed. */
    MUST_USE int (*open)(struct service *service, struct err *err);
    void (*on_end)(struct service *service);
    void (*on_conf)(struct service *service, const struct conf *fresh);
    /* A word of the command line that does something else than serve; its exit status, or -1 if it
     * is none. May be NULL. */
    int (*on_word)(const struct conf *conf, const char *word);
};

/* `owner`: for the callbacks; may be NULL. Returns the exit status of the process. */
MUST_USE int service_main(const struct service_type *type, void *owner, int argc, char **argv);

/* The loop returns; all that was opened on it must have been closed. */
void service_stop(struct service *service);

struct loop *service_loop(const struct service *service);
/* Settings that were read once live as long as the service, also after a reload. */
const struct conf *service_conf(const struct service *service);
void *service_owner(const struct service *service);

#endif
