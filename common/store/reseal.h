// SPDX-License-Identifier: Apache-2.0
/* reseal - closes with the newest key what is still closed with an older one, while everything
 * runs.
 *
 * A part of the rows a transaction; a row that somebody changes meanwhile is sealed by him. It may
 * be stopped at any point: what is done stays done, and the next time the rest is. Waits (pg_sync):
 * for the command line. */
#ifndef HEADRACE_RESEAL_H
#define HEADRACE_RESEAL_H

#include "common/base/err.h"

#include <stdint.h>

struct seal;

struct resealed {
    int64_t rows;       /* that have the newest key now */
    int64_t unreadable; /* that do not open: their key is lost, or they were changed */
    char first[300];    /* of those: "variable x" */
};

/* How many rows have another key than `key_no`. */
MUST_USE int store_stale_count(const char *conninfo, int32_t key_no, int64_t *out, struct err *err);

/* `on_part` hears after each transaction how many rows are done. `seal` opens. */
MUST_USE int store_reseal(const char *conninfo, const struct seal *seal,
                          void (*on_part)(void *owner, int64_t rows), void *owner,
                          struct resealed *out, struct err *err);

#endif
