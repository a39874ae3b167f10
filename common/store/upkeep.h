// SPDX-License-Identifier: Apache-2.0
/* upkeep - the leader's round, hourly or so: partitions ahead, retention behind, answers and keys
 * that are too old. */
#ifndef HEADRACE_UPKEEP_H
#define HEADRACE_UPKEEP_H

#include "common/store/store.h"

struct upkeep_done {
    int rc; /* of making partitions and of small things. Without partitions there is nothing to
               write to */
    const struct err *err;
    int32_t partitions_made, partitions_dropped;
    /* Dropping needs the tables without any reader for a moment, and every writer waits behind it:
     * when somebody reads for long it is put off to the next round, and this says so. Its code is 0
     * otherwise. */
    const struct err *put_off;
};

/* `retention_days` 0 = for ever: of runs, and of asset events, backfills and notifications, as far
 * as nothing that is still there needs them. */
void store_upkeep(struct store *store, uint64_t epoch, int32_t retention_days,
                  void (*on_end)(void *owner, const struct upkeep_done *done), void *owner);

#endif
