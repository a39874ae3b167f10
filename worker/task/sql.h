// SPDX-License-Identifier: Apache-2.0
/* sql - a statement on PostgreSQL and its connection, in parts: for sql tasks, which wait for each,
 * and for looks, which wait for many at once. All but sql_send say what went wrong as job_fail
 * does. */
#ifndef HEADRACE_TASK_SQL_H
#define HEADRACE_TASK_SQL_H

#include "worker/task/job.h"
#include "worker/task/row.h"

struct sql {
    struct job *job;
    PGconn *connection;
    struct str statement;
    struct rows rows;
};

MUST_USE int sql_take(struct sql *sql);    /* the statement of the payload, or of its file */
MUST_USE int sql_dial(struct sql *sql);    /* begins to connect: go on with PQconnectPoll */
MUST_USE int sql_connect(struct sql *sql); /* waits until it stands */
bool sql_send(struct sql *sql); /* the statement with its parameters; false: the connection broke */
int sql_failed(struct sql *sql, const PGresult *result);

#endif
