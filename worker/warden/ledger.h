// SPDX-License-Identifier: Apache-2.0
/* ledger - what the warden has on disk about its attempts: which it started and how each ended,
 * until the worker has the result safe. Memory holds an index only; results are read back from the
 * journal. */
#ifndef HEADRACE_LEDGER_H
#define HEADRACE_LEDGER_H

#include "worker/warden/journal.h"
#include "worker/warden/tree.h"

#include "common/base/map.h"
#include "common/base/vec.h"

struct ledger_entry {
    struct id128 attempt;
    bool ended, sent;
    int64_t offset; /* of the ended record */
    uint32_t started_size, ended_size;
    /* of a started one */
    struct tree_leftover process;
    int64_t started_unix_ms;
    bool this_boot;
};

struct ledger {
    struct journal journal;
    VEC(struct ledger_entry) entries;
    struct map by_attempt; /* id.low -> index */
    uint32_t unsent;       /* ended and not sent */
    struct id128 boot;     /* of this machine's run */
    bool replay_this_boot;
    VEC(int64_t) fresh_offsets; /* during a rewrite */
};

/* Replays. Entries that are not ended are those of a warden that died: see ledger_ended. */
MUST_USE int ledger_open(struct ledger *ledger, int dir_fd, struct id128 boot, struct err *err);
void ledger_close(struct ledger *ledger);

struct ledger_entry *ledger_find(struct ledger *ledger,
                                 struct id128 attempt); /* NULL when unknown */

void ledger_started(struct ledger *ledger, struct id128 attempt,
                    const struct tree_leftover *process, int64_t started_unix_ms);

/* `frame` is the ENDED message; `sent`: it waits in the session already, else ledger_next_unsent
 * gives it later. */
void ledger_ended(struct ledger *ledger, struct id128 attempt, struct str frame, bool sent);
void ledger_forget(struct ledger *ledger, struct id128 attempt);

/* Writes what is new; on failure nothing that follows from it may be told to the worker. */
MUST_USE int ledger_flush(struct ledger *ledger, struct err *err);

/* A new worker knows nothing. */
void ledger_send_again(struct ledger *ledger);

/* Appends the frame of an ended attempt that was not sent yet, and marks it; false when there is
 * none. */
bool ledger_next_unsent(struct ledger *ledger, struct buf *out);

#endif
