// SPDX-License-Identifier: Apache-2.0
/* leader - the way to the schedulers: one connection to each, of which one leads. Tells what it
 * notes, nudges it when there is something in the inbox, asks it why a task waits, whether a
 * connection opens and how it fares.
 */
#ifndef HEADRACE_LEADER_H
#define HEADRACE_LEADER_H

#include "common/wire/wire.h"

struct leader;

struct leader_options {
    struct wire *wire;
    const struct str *addresses;
    uint32_t address_count;
    const struct wire_key *key; /* NULL: none */
    struct str server_key;
    /* Borrowed notes. `restarted`: a new leader, everything may have changed. */
    void (*on_notes)(void *owner, const struct message_note *notes, uint32_t count, bool restarted);
    void *owner;
};

MUST_USE int leader_open(struct leader **out, struct loop *loop,
                         const struct leader_options *options, struct err *err);
void leader_close(struct leader *leader, void (*done)(void *owner), void *owner);

bool leader_is_heard(const struct leader *leader); /* at least one connection stands */
void leader_nudge(struct leader *leader);

/* `text` is the scheduler's answer (JSON). ERR_UNAVAILABLE: none is connected; ERR_TIMEOUT after 2
 * s. */
void leader_ask_why(struct leader *leader, int64_t run_no, uint32_t task, int32_t map_index,
                    void (*on_end)(void *owner, int rc, struct str text), void *owner);
/* Whether a worker can open the connection: `given` (JSON) over what is kept under that id. 0, or
 * ERR_CONFLICT when it cannot; `text` says why. ERR_TIMEOUT after 50 s. */
void leader_ask_probe(struct leader *leader, struct str connection_id, struct str given,
                      void (*on_end)(void *owner, int rc, struct str text), void *owner);
/* Likewise what waits to be placed, of a queue and of a pool (empty: any), in its order; `text` is
 * JSON. */
void leader_ask_waiting(struct leader *leader, struct str queue, struct str pool, uint32_t limit,
                        void (*on_end)(void *owner, int rc, struct str text), void *owner);
/* Likewise its metrics, as Prometheus text. */
void leader_ask_figures(struct leader *leader, void (*on_end)(void *owner, int rc, struct str text),
                        void *owner);

#endif
