// SPDX-License-Identifier: Apache-2.0
/* shipper - brings the logs of attempts from the spool to a web server's intake, as they grow:
 * windowed, acknowledged by offset, resumed after a break, the file removed when the intake has all
 * of it.
 *
 * Several intakes may be named; the first that is connected gets everything. What was acknowledged
 * is remembered beside the log (`attempts/<attempt>/acked`) in steps of SHIPPER_NOTE_BYTES: after a
 * crash so much is sent again, which the intake recognises by its offset. */
#ifndef HEADRACE_SHIPPER_H
#define HEADRACE_SHIPPER_H

#include "common/base/map.h"
#include "common/base/vec.h"
#include "common/conf/conf.h"
#include "common/loop/timer.h"
#include "common/wire/wire.h"

enum {
    SHIPPER_CHUNK_BYTES = 128 << 10,
    SHIPPER_WINDOW_BYTES = 4 << 20,
    SHIPPER_WINDOW_CHUNKS = 1000,
    SHIPPER_NOTE_BYTES = 1 << 20,
    SHIPPER_PATIENCE_MS =
        10000, /* without an answer everything is sent again from the last acknowledgement */
};

struct shipped;

struct shipper {
    struct loop *loop;
    int attempts_fd;
    VEC(struct wire_client *) intakes;
    struct wire_client *current;  /* the one that gets chunks; NULL while none is connected */
    struct map by_attempt;        /* id.low -> struct shipped */
    struct shipped *first, *last; /* all, for timeouts */
    struct shipped *ready_first, *ready_last; /* those with something to send, in turn */
    int64_t in_flight_bytes, spool_bytes;
    uint32_t in_flight_chunks, count;
    struct timer timer;
    char *buffer;
    int64_t progress_ms; /* of the last acknowledgement */
};

/* Opens a client for each of `conf`'s intakes on `wire`. */
MUST_USE int shipper_open(struct shipper *shipper, struct loop *loop, struct wire *wire,
                          const struct conf *conf, const char *sender, int attempts_fd,
                          struct err *err);
void shipper_close(struct shipper *shipper, void (*done)(void *owner),
                   void *owner); /* files stay */

/* Takes up what earlier workers left. Those that `is_running` says still run are not complete. */
void shipper_recover(struct shipper *shipper, bool (*is_running)(void *owner, struct id128 attempt),
                     void *owner);

/* An attempt's log has so many bytes; the second says that there will be no more. */
void shipper_grown(struct shipper *shipper, struct id128 attempt, int64_t size);
void shipper_ended(struct shipper *shipper, struct id128 attempt, int64_t size);

bool shipper_is_empty(const struct shipper *shipper); /* nothing that the intake does not have */

#endif
