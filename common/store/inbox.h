// SPDX-License-Identifier: Apache-2.0
/* inbox - the leader's side of the requests: rows stand in it until the batch that answers them
 * (WRITE_REQUEST_DONE) takes them out. Numbers are given before the commit, so a smaller one may
 * come after a larger one: always the whole inbox is read, but for those the caller names as
 * already in hand. */
#ifndef HEADRACE_INBOX_H
#define HEADRACE_INBOX_H

#include "common/store/store.h"

struct inbox_row {
    int64_t request_no;
    struct str body; /* request_parse reads it */
    struct str actor;
    int64_t made_ms;
    /* It names a run (dag_id, run_id) that the database has; 0 = none. A new run of that name is a
     * conflict; one that is to be cleared or marked and is not live comes by store_run_read. */
    int64_t run_no;
};

enum { STORE_INBOX_MAX = 500 }; /* rows of one reading */

/* on_row by rising number, then on_end with how many there were. `in_hand`: given out before and
 * not yet answered. */
void store_inbox_read(struct store *store, const int64_t *in_hand, uint32_t in_hand_count,
                      void (*on_row)(void *owner, const struct inbox_row *row),
                      void (*on_end)(void *owner, int rc, uint32_t row_count,
                                     const struct err *err),
                      void *owner);

#endif
