// SPDX-License-Identifier: Apache-2.0
/* warden_client - the worker's end: finds the warden of a spool or starts one, and speaks
 * warden_protocol with it.
 *
 * No loop of its own: poll `fd` for reading (and writing while warden_client_wants_write), then
 * call warden_client_receive. When the connection ends, open it again and ask WARDEN_LIST: the
 * warden and its children outlive it. */
#ifndef HEADRACE_WARDEN_CLIENT_H
#define HEADRACE_WARDEN_CLIENT_H

#include "worker/warden/warden_protocol.h"

#include <sys/types.h>

struct warden_client {
    int fd; /* -1 while closed */
    struct buf in, out;
    size_t in_at; /* consumed part of `in` */
    struct arena arena;
};

/* Starts `program` (a path to headrace-warden) for `spool` in a session of its own. The child is
 * the caller's to reap; it ends at once when the spool has a warden already. */
MUST_USE int warden_spawn(const char *program, const char *spool, pid_t *out_pid, struct err *err);

/* Connects to the warden of `spool`. ERR_UNAVAILABLE when there is none (yet). */
MUST_USE int warden_client_open(struct warden_client *client, const char *spool, struct err *err);
void warden_client_close(struct warden_client *client);

/* Queues a message and writes as much as the socket takes. */
MUST_USE int warden_client_send(struct warden_client *client, const struct warden_message *message,
                                struct err *err);
/* Queues only; warden_client_flush writes the batch. */
void warden_client_queue(struct warden_client *client, const struct warden_message *message);
MUST_USE int warden_client_flush(struct warden_client *client, struct err *err);
bool warden_client_wants_write(const struct warden_client *client);

/* The next message: 1 and *out (valid until the next call), 0 when there is none yet,
 * ERR_UNAVAILABLE when the warden has closed the connection. Never blocks. */
MUST_USE int warden_client_receive(struct warden_client *client, struct warden_message *out,
                                   struct err *err);

#endif
