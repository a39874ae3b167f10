// SPDX-License-Identifier: Apache-2.0
/* work - something slow (password hash, compression, a file to sync) on a thread of the pool; its
 * end is an event.
 *
 * `run` sees only what `work` and its owner hold for it; the loop must not touch that until on_end.
 */
#ifndef HEADRACE_WORK_H
#define HEADRACE_WORK_H

#include "common/loop/loop.h"

struct work {
    uv_work_t uv;
    void *owner;
    void (*run)(struct work *work);    /* on a pool thread */
    void (*on_end)(struct work *work); /* on the loop */
    bool is_running;
};

void loop_work(struct loop *loop, struct work *work, void (*run)(struct work *work),
               void (*on_end)(struct work *work), void *owner);

#endif
