// SPDX-License-Identifier: Apache-2.0
/* api - the routes of the web server: Airflow's REST API v2, Headrace's own API, the files of the
 * web application.
 *
 * Reading is PostgreSQL's JSON passed on. Changing is a request in the inbox (command.h): the web
 * server does not decide. */
#ifndef HEADRACE_API_H
#define HEADRACE_API_H

#include "common/conf/conf.h"
#include "common/metrics/metrics.h"
#include "common/store/seal.h"
#include "common/store/store.h"
#include "common/wire/wire.h"
#include "webserver/auth/auth.h"
#include "webserver/http/http_server.h"
#include "webserver/http/http_static.h"

struct api;

/* All kept. */
struct api_options {
    struct loop *loop;
    const struct conf *conf;
    struct store *store;
    struct auth *auth;
    struct wire *wire;
    struct metrics *metrics;
    const struct seal *seal;         /* NULL: variables cannot be written */
    const struct http_static *files; /* NULL: the web application is not built */
    const struct wire_key *key;      /* NULL: no CURVE */
};

MUST_USE int api_open(struct api **out, const struct api_options *options, struct err *err);
/* No request may be under way: the server is closed before. */
void api_close(struct api *api, void (*done)(void *owner), void *owner);

void api_set_conf(struct api *api, const struct conf *conf); /* after a reload */

/* For http_server_options, with the api as owner. */
uint64_t api_body_max(void *api, const struct http_request *request);
void api_on_request(void *api, struct http_request *request);
void api_on_answered(void *api, const struct http_request *request);

/* Before the server is closed: streams have no end of their own. */
void api_end_streams(struct api *api);

/* The database came or went. */
void api_on_store(struct api *api, bool is_up);

#endif
