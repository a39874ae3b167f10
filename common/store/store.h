// SPDX-License-Identifier: Apache-2.0
/* store - the metadata database behind named operations: the only caller of SQL (sql/queries/).
 *
 * A store holds connections that come back by themselves. Each operation is one transaction and
 * ends with exactly one callback, later, on the loop; its rc is 0 or ERR_LOST            another
 * epoch holds the lease: nothing was written (operations that take an epoch) ERR_DB_UNKNOWN sent,
 * and the answer was lost: it may have been committed or not ERR_DB_CONNECTION   not connected:
 * nothing was written any other           refused: nothing was written Inputs are borrowed until
 * the call returns. What a callback is given dies when it returns.
 *
 * The leader's writes (apply.h, lease.h, dag_file.h) go through one writing connection, in order;
 * reads and the lease's renewal go through the others, so that neither waits for the other. Files
 * of this room send by statement.h. */
#ifndef HEADRACE_STORE_H
#define HEADRACE_STORE_H

#include "common/loop/loop.h"
#include "common/metrics/metrics.h"

struct seal;
struct store;

struct store_options {
    const char *conninfo;         /* libpq's; copied */
    const char *application_name; /* kept */
    const struct seal
        *seal; /* kept; NULL: variables and connections can be neither read nor written */
    struct metrics *metrics; /* NULL allowed */
    bool is_writing;         /* opens the writing connection: schedulers */
    uint32_t readers;        /* other connections, at least 1 */
    int16_t shard;
    int64_t statement_timeout_ms, lock_timeout_ms; /* 0: those of common/pg */

    /* Up: every operation can be asked for. Down: the writing connection broke (without one, the
     * last of the others); whoever leads leads no longer, because its lock went with the
     * connection; also told once when it cannot be reached at first. `err` says why. */
    void (*on_state)(struct store *store, bool is_up, const struct err *err);
    void *owner;
};

/* Does not wait for the database. ERR_INVALID for a conninfo that cannot be read. Ask store_schema
 * (schema.h) first whether the database fits this program. */
MUST_USE int store_open(struct store **out, struct loop *loop, const struct store_options *options,
                        struct err *err);

/* Operations under way end first, as unknown or not connected. Frees `store`. */
void store_close(struct store *store, void (*done)(void *owner), void *owner);

bool store_is_up(const struct store *store);
void *store_owner(const struct store *store);
int16_t store_shard(const struct store *store);

/* Breaks the writing connection, and with it the lock of a leader that must not go on. */
void store_break(struct store *store, const char *why);

#endif
