// SPDX-License-Identifier: Apache-2.0
/* lease - the right to lead a shard, held by one scheduler at a time.
 *
 * A holder has three things: the advisory lock of its writing connection (a dead holder loses it at
 * once), the row with its epoch (the fence of every write) and time on the row (a silent holder
 * loses it at the end). epoch = timeline << 32 | counter: it rises with each holder, and a promoted
 * standby's epochs are above all that the old primary gave.
 *
 * A lease is lost silently. A holder trusts itself only until `ends_ms`, counted from when it
 * asked, less a margin of its own. */
#ifndef HEADRACE_LEASE_H
#define HEADRACE_LEASE_H

#include "common/store/store.h"

struct store_lease {
    int rc; /* 0: yours. ERR_CONFLICT: another holds it (holder, left_ms). ERR_LOST: renewing what
               is no longer yours */
    const struct err *err;
    uint64_t epoch;
    int64_t ends_ms; /* loop_now_ms of asking + ttl */
    int64_t wall_ms; /* the database's clock, at asked_ms or a little later; 0 when there was no
                        answer */
    int64_t asked_ms, answered_ms; /* loop_now_ms */
    /* Of the holder before, or of the one that holds it. When it was taken over early (the lock was
     * free), the old holder may trust itself for left_ms more: a new leader's amnesty begins after
     * that. */
    struct str holder;
    int64_t left_ms;
    int64_t failover_age_ms; /* of a lease just taken: since the database was found to have failed
                              * over, which may have lost commits; -1 = never */
};

/* Takes the lease if its lock is free. When the lock is held and the lease is over, ends the
 * session that holds it, so that a later try succeeds. Poll: nothing waits inside the database. */
void store_lease_try(struct store *store, const char *holder, int64_t ttl_ms,
                     void (*on_end)(void *owner, const struct store_lease *lease), void *owner);

/* ERR_LOST also when the database has changed its timeline: a failover, after which commits may be
 * missing. */
void store_lease_renew(struct store *store, uint64_t epoch, int64_t ttl_ms,
                       void (*on_end)(void *owner, const struct store_lease *lease), void *owner);

/* Gives it back at once, behind the batches under way. A lease that is not held any more is no
 * error. */
void store_lease_resign(struct store *store, uint64_t epoch,
                        void (*on_end)(void *owner, const struct store_lease *lease), void *owner);

#endif
