// SPDX-License-Identifier: Apache-2.0
/* private_pg - a PostgreSQL cluster that belongs to one home: made at first need, on a unix socket
 * only, found again later.
 *
 *     $HEADRACE_HOME/postgres/data   the cluster     $HEADRACE_HOME/postgres/run   its socket
 *
 * No other cluster of the machine is looked at or touched. PostgreSQL refuses to run as root: then
 * it runs as the system's user postgres, whose group may pass through the home; where it cannot (a
 * home below /root), the data lies in /var/lib/headrace and the home has a link to it. A socket's
 * path may have 107 bytes: a long home's socket is in /tmp. */
#ifndef HEADRACE_PRIVATE_PG_H
#define HEADRACE_PRIVATE_PG_H

#include "cli/process.h"
#include "common/base/arena.h"

struct private_pg {
    struct arena *arena;
    struct str home;
    const char *bin; /* folder of initdb and postgres */
    const char *data, *run, *log;
    uid_t uid; /* who owns and runs it */
    gid_t gid;
    struct process process;
    bool is_distant; /* not in the home, which the user cannot enter */
    bool is_new;     /* this start made the cluster */
    bool is_adopted; /* it ran already */
};

/* Finds programs, places and user. ERR_NOT_FOUND with what to install. */
MUST_USE int private_pg_init(struct private_pg *pg, struct arena *arena, struct str home,
                             struct err *err);

/* Makes the cluster if there is none, starts it unless it runs, waits until it answers. */
MUST_USE int private_pg_start(struct private_pg *pg, struct err *err);

/* Whether it runs; then private_pg_stop can end it. */
bool private_pg_find(struct private_pg *pg);

/* Makes a database, and a login role of the same name that owns it, unless they are there.
 * `password` empty: no role, it is ours. */
MUST_USE int private_pg_database(struct private_pg *pg, const char *name, const char *password,
                                 struct err *err);

/* Connection string of a database in it. */
const char *private_pg_conninfo(const struct private_pg *pg, const char *database);

/* Sessions are ended, everything is written; at most `grace_ms`. */
void private_pg_stop(struct private_pg *pg, int64_t grace_ms);

#endif
