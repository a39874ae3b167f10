// SPDX-License-Identifier: Apache-2.0
/* schema - the shape of the database: migrations (sql/migrations/), partitions, retention. Waits:
 * for the command line and for the start of a program, never on a loop (upkeep.h is the leader's
 * daily round).
 *
 * Applied migrations stand in schema_migration with the hash of their text. Forward only, each in
 * one transaction, one migrating process at a time. */
#ifndef HEADRACE_SCHEMA_H
#define HEADRACE_SCHEMA_H

#include "common/base/err.h"

#include <stdint.h>

struct schema_state {
    int32_t applied; /* number of the newest migration in the database; 0 = it is empty */
    int32_t known;   /* ... of this program */
};

/* What the database has. ERR_CONFLICT (with a hint) when it is newer than this program, or was
 * migrated with other texts, or holds tables that are not ours. */
MUST_USE int store_schema(const char *conninfo, struct schema_state *out, struct err *err);

/* 0 when the database is just what this program needs; else ERR_CONFLICT with what to do. */
MUST_USE int store_schema_check(const char *conninfo, struct err *err);

/* Applies what is missing and makes the partitions from yesterday to a week ahead. on_step (NULL
 * allowed) is told each migration as it is applied. Nothing to do is success. A database that was
 * empty gets `default_pool_slots`; later that is what its users say. */
MUST_USE int store_migrate(const char *conninfo, int64_t default_pool_slots,
                           void (*on_step)(void *owner, int32_t number, const char *title),
                           void *owner, struct err *err);

/* Drops everything that is ours, data included. ERR_CONFLICT (with a hint) while a scheduler leads.
 */
MUST_USE int store_schema_reset(const char *conninfo, struct err *err);

/* Drops partitions whose every day is older than `days`, and older rows one by one. Runs that are
 * not at their end keep theirs. *out_dropped counts partitions. ERR_UNAVAILABLE when somebody reads
 * the tables for too long. */
MUST_USE int store_clean(const char *conninfo, int32_t days, int32_t *out_dropped, struct err *err);

#endif
