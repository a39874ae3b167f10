// SPDX-License-Identifier: Apache-2.0
/* hook - a look just before the loop waits and another just after: for a foreign queue whose
 * descriptor is edge-triggered (ZeroMQ). Does not keep the loop alive. */
#ifndef HEADRACE_HOOK_H
#define HEADRACE_HOOK_H

#include "common/loop/loop.h"

struct hook {
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    void *owner;
    bool (*before_wait)(struct hook *hook); /* true: there is work, do not sleep */
    void (*after_wait)(struct hook *hook);
    void (*done)(void *owner);
    int open_count;
};

void hook_open(struct hook *hook, struct loop *loop, bool (*before_wait)(struct hook *hook),
               void (*after_wait)(struct hook *hook), void *owner);
void hook_close(struct hook *hook, void (*done)(void *owner));

#endif
