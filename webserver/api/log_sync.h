// SPDX-License-Identifier: Apache-2.0
/* log_sync - makes what is in a file safe from a loss of power, off the loop: all that came while
 * one round was under way goes with the next. */
#ifndef HEADRACE_LOG_SYNC_H
#define HEADRACE_LOG_SYNC_H

#include "common/base/id.h"
#include "common/base/vec.h"
#include "common/loop/work.h"

/* One file, and who is to be told. */
struct log_synced {
    int fd;       /* of our own */
    char *folder; /* that holds its name; owned */
    char *peer;   /* owned */
    struct id128 attempt;
    int64_t offset;
    int problem; /* errno; 0: it is safe */
};

struct log_sync {
    struct loop *loop;
    VEC(struct log_synced) waiting, round;
    struct work work;
    void (*on_synced)(void *owner, const struct log_synced *synced);
    void (*on_idle)(void *owner); /* nothing is under way any more */
    void *owner;
};

/* `fd` and `folder` are borrowed. ERR_IO when there is no descriptor to spare: nothing is told. */
MUST_USE int log_sync_add(struct log_sync *sync, int fd, const char *folder, struct str peer,
                          struct id128 attempt, int64_t offset);
bool log_sync_is_idle(const struct log_sync *sync);

#endif
