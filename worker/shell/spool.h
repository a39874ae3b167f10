// SPDX-License-Identifier: Apache-2.0
/* spool - the worker's folder: who it is, how often it began, what it started and how that ended.
 *
 *     worker.lock       one worker per spool
 *     worker.id         its identity, for ever
 *     incarnation       raised and synced before the first inventory
 *     worker.journal    starts and results, until the scheduler has them and the retention is over
 *     warden.*, attempts/, scratch/   the warden's
 */
#ifndef HEADRACE_SPOOL_H
#define HEADRACE_SPOOL_H

#include "common/base/map.h"
#include "common/base/vec.h"
#include "common/model/spec.h"
#include "worker/warden/journal.h"

enum { SPOOL_IDENTITY_SIZE = 65 };

struct spool_entry {
    struct id128 attempt;
    uint64_t incarnation, seq; /* of the credit it was started under */
    bool ended;
    int64_t offset; /* of its result in the journal */
    uint32_t started_size, ended_size;
};

struct spool {
    char *path;
    int fd, lock_fd, attempts_fd;
    char identity[SPOOL_IDENTITY_SIZE];
    uint64_t incarnation;
    struct id128 boot;
    struct journal journal;
    VEC(struct spool_entry) entries;
    struct map by_attempt;      /* id.low -> index */
    VEC(int64_t) fresh_offsets; /* during a rewrite */
};

/* Makes the folder if need be, locks it, raises the incarnation, replays the journal. `name` begins
 * a new identity. ERR_EXISTS when another worker has the spool. */
MUST_USE int spool_open(struct spool *spool, const char *path, struct str name, struct err *err);
void spool_close(struct spool *spool);

struct spool_entry *spool_find(struct spool *spool, struct id128 attempt); /* NULL when unknown */

/* Written (not synced) when it returns: only then may the attempt start. On failure nothing was
 * started. */
MUST_USE int spool_start(struct spool *spool, struct id128 attempt, uint64_t incarnation,
                         uint64_t seq, struct err *err);

/* Queued; spool_flush writes them. */
void spool_ended(struct spool *spool, struct id128 attempt, const struct result *result);
void spool_forget(struct spool *spool, struct id128 attempt);
MUST_USE int spool_flush(struct spool *spool, struct err *err);

/* Reads a result back; it lives in `arena`. */
MUST_USE int spool_result(struct spool *spool, const struct spool_entry *entry, struct arena *arena,
                          struct result *out, struct err *err);

#endif
