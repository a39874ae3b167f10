// SPDX-License-Identifier: Apache-2.0
/* poll - a foreign descriptor (libpq's socket, a pidfd) watched by level: the call repeats while it
 * is ready.
 *
 * poll_close before the descriptor is closed, and never two polls on one descriptor: libuv keeps
 * stale ones otherwise. */
#ifndef HEADRACE_POLL_H
#define HEADRACE_POLL_H

#include "common/loop/loop.h"

enum { POLL_NOTHING = 0, POLL_READABLE = 1, POLL_WRITABLE = 2 };

struct poll {
    uv_poll_t uv;
    void *owner;
    void (*on_ready)(struct poll *poll, int ready);
    void (*done)(void *owner);
    int wanted;
};

/* Opened, it waits for nothing. UV_EEXIST: another poll still has this descriptor. On failure
 * nothing is to be closed. */
MUST_USE int poll_open(struct poll *poll, struct loop *loop, int fd,
                       void (*on_ready)(struct poll *poll, int ready), void *owner,
                       struct err *err);
void poll_close(struct poll *poll, void (*done)(void *owner));

/* POLL_READABLE | POLL_WRITABLE. An error or hang-up is reported as what was wanted. */
void poll_want(struct poll *poll, int wanted);

#endif
