// SPDX-License-Identifier: Apache-2.0
/* access - what the routes of users, grants and tokens share. */
#ifndef HEADRACE_ACCESS_H
#define HEADRACE_ACCESS_H

#include "webserver/api/call.h"

/* A problem of the body, unless `pattern` is "etl", "finance.*", "tag:finance" or "*". A star
 * stands behind a separator: "fin*" would take in what "finance" was never meant to be. */
void access_check_dags(struct call *call, struct str pattern);

/* With {"username": ..., "request": what was sent, without secrets}. */
struct audit access_audit(struct call *call, const char *event, struct str user);

#endif
