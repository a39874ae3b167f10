// SPDX-License-Identifier: Apache-2.0
/* pg - a connection to PostgreSQL on the loop: non-blocking, always pipelined, kept up.
 *
 * Transactions are sent at once and answered in order; thousands may be under way. When the
 * connection breaks, each that was sent and not answered ends as PG_UNKNOWN, and the connection
 * comes back by itself (1 s, doubling to 30 s, full jitter; the first try at once). Each session
 * has TimeZone UTC, a fixed search_path, statement_timeout, lock_timeout, synchronous_commit on;
 * every statement is prepared and its types are known before the state is PG_UP. No callback comes
 * from within a call of this room. */
#ifndef HEADRACE_PG_H
#define HEADRACE_PG_H

#include "common/loop/loop.h"
#include "common/metrics/metrics.h"
#include "common/pg/pg_tx.h"

struct pg;

/* Parameter types are the server's inference; what is bound must be exactly these (a mismatch fails
 * the transaction with ERR_INTERNAL naming statement and parameter). */
struct pg_statement {
    const char *name; /* "task_place": also its name on the server */
    const char *sql;
};

enum pg_state { PG_DOWN, PG_CONNECTING, PG_UP, PG_CLOSED };

struct pg_options {
    const char *conninfo;         /* libpq's: "host=/run/x dbname=headrace" or a URI; copied */
    const char *application_name; /* "headrace-scheduler"; kept */
    const struct pg_statement *statements; /* kept */
    uint32_t statement_count;
    int64_t statement_timeout_ms; /* 0 = 10 s */
    int64_t lock_timeout_ms;      /* 0 = 3 s */
    int64_t silence_limit_ms; /* the oldest answer is awaited longer than this: break. 0 = 20 s */
    struct metrics *metrics;  /* NULL allowed */

    /* Every change of state; `err` says why when it went PG_DOWN. In PG_UP: take locks, LISTEN has
     * been done, read again. */
    void (*on_state)(struct pg *pg, enum pg_state state, const struct err *err);
    /* NULL allowed. Notifications are lost while disconnected. */
    void (*on_notify)(struct pg *pg, const char *channel, struct str payload);
    void *owner;
};

/* Never fails for the world's sake: a database that is away is a state. ERR_INVALID for a conninfo
 * that cannot be read. */
MUST_USE int pg_open(struct pg **out, struct loop *loop, const struct pg_options *options,
                     struct err *err);

/* What is under way ends as PG_UNKNOWN (or PG_FAILED, unsent) before done. Frees `pg`. Polite:
 * tells the server. */
void pg_close(struct pg *pg, void (*done)(void *owner), void *owner);

void *pg_owner(const struct pg *pg);
enum pg_state pg_state(const struct pg *pg);
uint32_t pg_in_flight(const struct pg *pg); /* transactions sent and not answered */

/* LISTEN now and after each reconnect. `channel` is a plain word; kept. */
void pg_listen(struct pg *pg, const char *channel);

/* Breaks the connection now and connects again: for a leader that must not go on as it is. */
void pg_reconnect(struct pg *pg, const char *why);

/* Takes `tx`. on_end comes exactly once, later. In any state but PG_UP it ends as PG_FAILED,
 * ERR_DB_CONNECTION. */
void pg_send(struct pg *pg, struct pg_tx *tx,
             void (*on_end)(void *owner, const struct pg_outcome *outcome), void *owner);

#endif
