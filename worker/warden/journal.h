// SPDX-License-Identifier: Apache-2.0
/* journal - an append-only file of records that survives the death of its process at any moment.
 *
 * A record is size, crc32c, type, attempt, bytes. A plain write is enough: the page cache outlives
 * the process, and its loss means a new boot id, which proves that nothing runs. The first record
 * that is cut or damaged ends the replay, and the file is truncated there. Records wait in memory
 * until journal_flush, so that a batch costs one write. */
#ifndef HEADRACE_JOURNAL_H
#define HEADRACE_JOURNAL_H

#include "common/base/buf.h"
#include "common/base/id.h"

struct journal {
    int dir_fd; /* kept, not owned */
    int fd;
    char name[32];
    struct buf pending; /* records that are not in the file yet, maybe the rest of one */
    int64_t written;    /* size of the file */
    int64_t live, dead; /* bytes of records that count and that do not: see journal_dead */
};

struct journal_record {
    uint8_t type;
    struct id128 attempt;
    struct str bytes;
    int64_t offset; /* for journal_read */
    uint32_t size;  /* with the header, for journal_dead */
};

typedef void journal_replay_fn(void *owner, const struct journal_record *record);
typedef void journal_live_fn(void *owner, struct journal *fresh);

enum { JOURNAL_RECORD_MAX = 16 << 20 };

/* Opens or creates `name` in `dir_fd` and replays what it holds, oldest first. */
MUST_USE int journal_open(struct journal *journal, int dir_fd, const char *name,
                          journal_replay_fn *replay, void *owner, struct err *err);
void journal_close(struct journal *journal);

/* Queues a record; *out_record (may be NULL) says where it will stand, without bytes. */
void journal_add(struct journal *journal, uint8_t type, struct id128 attempt, struct str bytes,
                 struct journal_record *out_record);

/* Writes what is queued. On failure (disk full) it stays queued, in order, for the next call. */
MUST_USE int journal_flush(struct journal *journal, struct err *err);

/* flush and fdatasync. */
MUST_USE int journal_sync(struct journal *journal, struct err *err);

/* Reads a flushed record again; out->bytes lies in `buf`. */
MUST_USE int journal_read(struct journal *journal, int64_t offset, struct buf *buf,
                          struct journal_record *out, struct err *err);

/* Says that a record of `size` does not count any more. */
void journal_dead(struct journal *journal, uint32_t size);

/* True when a rewrite is worth its cost: more dead than live, and enough of it. */
bool journal_wants_rewrite(const struct journal *journal);

/* Replaces the file by one with only what `live` adds to `fresh`, atomically. */
MUST_USE int journal_rewrite(struct journal *journal, journal_live_fn *live, void *owner,
                             struct err *err);

uint32_t crc32c(const void *bytes, size_t size);

#endif
