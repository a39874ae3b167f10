// SPDX-License-Identifier: Apache-2.0
/* session - the warden's one socket: listens in the spool, serves one worker at a time. A newer
 * connection replaces the older, which belongs to a worker that is dying or dead: the spool's lock
 * lets only one worker live. */
#ifndef HEADRACE_SESSION_H
#define HEADRACE_SESSION_H

#include "worker/warden/warden_protocol.h"

/* Beyond this the worker is slow: results wait in the ledger instead of in memory. */
enum { SESSION_OUT_MAX = 1 << 20 };

#define SESSION_SOCKET_NAME "warden.sock"

struct session {
    int listen_fd, fd; /* -1 = none */
    struct buf in, out;
    size_t in_at;
    bool greeted,
        caught_up; /* it said HELLO; it asked LIST, so that old results are its business */
};

/* Binds the socket in the spool folder, replacing a dead warden's. */
MUST_USE int session_listen(struct session *session, int spool_fd, struct err *err);
void session_close(struct session *session);

/* Takes the waiting connection, if it comes from our own user or root. True when there is a new
 * worker. */
bool session_accept(struct session *session);
void session_drop(struct session *session);

/* Reads what there is; a worker that hung up or breaks the protocol is dropped. */
void session_read(struct session *session);

/* The next whole message: 1, or 0. A broken one drops the session. */
int session_next(struct session *session, struct arena *arena, struct warden_message *out);

void session_send(struct session *session,
                  const struct warden_message *message); /* queues; nothing without worker */
void session_flush(struct session *session);
bool session_is_open(const struct session *session);
bool session_has_room(const struct session *session);

#endif
