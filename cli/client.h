// SPDX-License-Identifier: Apache-2.0
/* client - the web server's API, called over HTTP: one request at a time, on one kept connection.
 *
 * Which server: --url, else the profile's, else the one of this home. Who asks: HEADRACE_TOKEN,
 * else the profile's token, else $HEADRACE_HOME/cli-token, which belongs to the owner of the home.
 */
#ifndef HEADRACE_CLIENT_H
#define HEADRACE_CLIENT_H

#include "cli/cli.h"

struct reply {
    int status;
    struct str text;          /* the whole body, in the cli's arena */
    const struct value *body; /* parsed, when it is JSON; else NULL */
    int64_t log_lines;        /* headers of a log's part; -1 and false when absent */
    bool log_is_complete;
};

/* `path` begins with /api. `body` NULL: none. Any answer from 400 on is a failure with the server's
 * own sentence; no answer says where it asked and how to start a server. `out` may be NULL. */
MUST_USE int client_call(struct cli *cli, const char *method, struct str path,
                         const struct value *body, struct reply *out, struct err *err);
MUST_USE int client_get(struct cli *cli, struct str path, const struct value **out,
                        struct err *err);

/* All pages of a listing (at most `max` rows), from the list under `key`. `path` may hold a query.
 */
MUST_USE int client_list(struct cli *cli, struct str path, const char *key, int64_t max,
                         const struct value **out, struct err *err);

/* A path from pieces: "/api/v2/dags/%s/dagRuns/%s"; each %s is percent-encoded (const char * or STR
 * are not mixed: all are struct str). */
struct str client_path(struct cli *cli, const char *pattern, ...);
struct str client_encode(struct arena *arena, struct str text);

/* "http://127.0.0.1:8080", and whether somebody there answers healthy. Never prints. */
MUST_USE int client_url(struct cli *cli, struct str *out, struct err *err);
bool client_is_healthy(struct cli *cli);

void client_close(struct client *client); /* NULL allowed */

#endif
