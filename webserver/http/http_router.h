// SPDX-License-Identifier: Apache-2.0
/* http_router - which route serves a path: a tree of segments built from a table. A literal goes
 * before a {parameter}.
 *
 * Each segment is percent-decoded once, after the path has been split, so that no escape can make a
 * slash. */
#ifndef HEADRACE_HTTP_ROUTER_H
#define HEADRACE_HTTP_ROUTER_H

#include "webserver/http/http_request.h"

struct http_route {
    enum http_verb verb;
    const char *pattern; /* "/api/v2/dags/{dag_id}" */
};

struct http_router;

/* `routes` is an array of `count` structs of `size` bytes that begin with a struct http_route;
 * kept. Two routes with the same verb and pattern are our own bug. */
struct http_router *http_router_new(const void *routes, uint32_t count, size_t size);
void http_router_free(struct http_router *router); /* NULL allowed */

enum http_match {
    HTTP_MATCH_FOUND,     /* request->route and params are set */
    HTTP_MATCH_NOT_FOUND, /* no such path */
    HTTP_MATCH_VERB,      /* *out_verbs are served there; HEAD with GET */
    HTTP_MATCH_INVALID,   /* the path cannot be decoded, or tries to climb */
};

/* HEAD is served by the route of GET. */
enum http_match http_router_find(const struct http_router *router, struct http_request *request,
                                 uint32_t *out_verbs);

#endif
