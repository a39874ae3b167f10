// SPDX-License-Identifier: Apache-2.0
/* pg_server - a private PostgreSQL for the tests of one executable: made at first need (below a
 * second), on a Unix socket in a folder of its own, ended and removed at exit. Works as root (it
 * runs as user postgres then) and as an ordinary user. */
#ifndef HEADRACE_PG_SERVER_H
#define HEADRACE_PG_SERVER_H

#include "common/pg/pg_sync.h"

/* Connection string of a database; "postgres" is there from the beginning. The text lives until
 * exit. */
const char *pg_server_conninfo(const char *database);

/* A new empty database (or, with `template`, a copy of another) under a name of its own; gives its
 * connection string. */
const char *pg_server_make_database(const char *template_name);

/* Name of the database in a connection string of this server. */
const char *pg_server_database(const char *conninfo);

/* Runs a script on a database; any failure fails the test. */
void pg_server_run(const char *conninfo, const char *script);

/* Ends the server at once, or as after a crash of the machine's power; then starts it again on the
 * same data. */
void pg_server_stop(bool at_once);
void pg_server_start(void);

#endif
