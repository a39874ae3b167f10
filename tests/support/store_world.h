// SPDX-License-Identifier: Apache-2.0
/* store_world - a migrated database and a store on it, for tests that need one. */
#ifndef HEADRACE_STORE_WORLD_H
#define HEADRACE_STORE_WORLD_H

#include "common/store/apply.h"
#include "common/store/lease.h"
#include "common/store/seal.h"
#include "tests/support/pg_server.h"

/* A new database with all migrations and partitions (a copy of one that is made once). */
const char *store_world_database(void);

struct store_world {
    const char *conninfo;
    char folder[64]; /* of the key */
    struct loop *loop;
    struct store *store;
    struct seal *seal;
    struct pg_sync *sync; /* to look at the tables */
    uint64_t epoch;       /* after store_world_lead */
    int ups, downs;
    bool is_up;
};

void store_world_open(struct store_world *world);
void store_world_close(struct store_world *world);

/* Another store on the same database, as another process would have. */
void store_world_join(struct store_world *world, const struct store_world *other);

/* Runs the loop until *done; fails the test after ten seconds. */
void store_world_wait(struct store_world *world, const bool *done);

/* Takes the lease. */
void store_world_lead(struct store_world *world);

/* Applies records under the epoch that store_world_lead got, and gives how it ended. `err` may be
 * NULL. */
int store_world_apply(struct store_world *world, const struct record *records, uint32_t count,
                      struct err *err);

/* One number from one query on the tables; and one text, which lives until the next call. */
int64_t store_world_int(struct store_world *world, const char *sql);
const char *store_world_text(struct store_world *world, const char *sql);

#endif
