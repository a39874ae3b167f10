// SPDX-License-Identifier: Apache-2.0
/* gauge - looks at the machine again and again, for what the inventory says of its load. libuv
 * reads files of the kernel, one of which takes long on machines of many processors: it looks on a
 * thread of the pool. */
#ifndef HEADRACE_GAUGE_H
#define HEADRACE_GAUGE_H

#include "common/loop/timer.h"
#include "common/loop/work.h"
#include "worker/core/meter.h"
#include "worker/shell/group.h"

struct gauge {
    struct loop *loop;
    struct timer timer;
    struct work work;
    struct group group;
    struct meter_look before, now; /* `now` belongs to the pool while it looks */
    struct machine_load load;      /* of the last two looks; all-zero until there are two */
    bool is_closing;
    void *owner;
    void (*done)(void *owner);
};

void gauge_open(struct gauge *gauge, struct loop *loop, int64_t every_ms);
void gauge_close(struct gauge *gauge, void (*done)(void *owner), void *owner);

#endif
