// SPDX-License-Identifier: Apache-2.0
/* wake - another thread wakes the loop. Several wakes before the call are one call. Does not keep
 * the loop alive. */
#ifndef HEADRACE_WAKE_H
#define HEADRACE_WAKE_H

#include "common/loop/loop.h"

struct wake {
    uv_async_t uv;
    void *owner;
    void (*on_wake)(struct wake *wake);
    void (*done)(void *owner);
};

MUST_USE int wake_open(struct wake *wake, struct loop *loop, void (*on_wake)(struct wake *wake),
                       void *owner, struct err *err);
void wake_close(struct wake *wake, void (*done)(void *owner));

void wake_send(struct wake *wake); /* any thread, while it is open */

#endif
