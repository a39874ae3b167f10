// SPDX-License-Identifier: Apache-2.0
/* watch - changes of a file, or of the entries of one folder (not of its subfolders). A hint:
 * changes may be reported twice, late or, when the kernel's queue overflows, not at all; look again
 * now and then. Does not keep the loop alive. */
#ifndef HEADRACE_WATCH_H
#define HEADRACE_WATCH_H

#include "common/loop/loop.h"

struct watch_handle;

struct watch {
    struct watch_handle *handle; /* outlives a failed watch_open */
    void *owner;
    void (*on_change)(struct watch *watch,
                      const char *name); /* name of the entry; NULL if unknown */
    void (*done)(void *owner);
};

/* On failure nothing is to be closed. */
MUST_USE int watch_open(struct watch *watch, struct loop *loop, const char *path,
                        void (*on_change)(struct watch *watch, const char *name), void *owner,
                        struct err *err);
void watch_close(struct watch *watch, void (*done)(void *owner));

#endif
