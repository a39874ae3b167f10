// SPDX-License-Identifier: Apache-2.0
/* warden_link - keeps a warden running for the spool and a connection to it: finds the one of an
 * earlier worker, starts one where there is none, starts another when it dies. */
#ifndef HEADRACE_WARDEN_LINK_H
#define HEADRACE_WARDEN_LINK_H

#include "common/loop/poll.h"
#include "common/loop/timer.h"
#include "worker/warden/warden_client.h"

struct warden_link {
    struct loop *loop;
    const char *spool, *program; /* kept */
    void *owner;
    /* Each message but HELLO. After each new connection the warden first tells all it has;
     * WARDEN_LISTED ends that. */
    void (*on_message)(struct warden_link *link, const struct warden_message *message);
    void (*on_batch)(struct warden_link *link); /* no more messages for now */
    void (*on_down)(struct warden_link *link);  /* what was sent may not have arrived */

    struct warden_client client;
    struct poll poll, child_poll;
    struct timer retry;
    pid_t pid; /* of a warden that we started, 0 = none */
    int pidfd;
    bool is_connected, is_ready; /* ready: it has listed what it has */
    int64_t retry_ms;
    int open_handles;
    void (*done)(void *owner);
};

/* The first connection comes later, also when none can be started yet: it is tried for ever. */
void warden_link_open(struct warden_link *link, struct loop *loop, const char *spool,
                      const char *program);

/* The warden goes on, unless `stop`: then it ends when nothing runs any more. */
void warden_link_close(struct warden_link *link, bool stop, void (*done)(void *owner));

/* Queues a message; only while is_connected. warden_link_flush sends the batch. */
void warden_link_send(struct warden_link *link, const struct warden_message *message);
void warden_link_send_frame(struct warden_link *link,
                            struct str frame); /* one that is encoded already */
void warden_link_flush(struct warden_link *link);

#endif
