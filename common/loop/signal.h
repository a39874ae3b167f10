// SPDX-License-Identifier: Apache-2.0
/* signal - a Unix signal as an event of the loop. Does not keep the loop alive. */
#ifndef HEADRACE_SIGNAL_H
#define HEADRACE_SIGNAL_H

#include "common/loop/loop.h"

struct signal {
    uv_signal_t uv;
    void *owner;
    void (*on_signal)(struct signal *signal, int signum);
    void (*done)(void *owner);
};

MUST_USE int signal_open(struct signal *signal, struct loop *loop, int signum,
                         void (*on_signal)(struct signal *signal, int signum), void *owner,
                         struct err *err);
void signal_close(struct signal *signal, void (*done)(void *owner));

#endif
