// SPDX-License-Identifier: Apache-2.0
/* http_server - an HTTP/1.1 server on the loop: connections, deadlines, limits, TLS. Knows nothing
 * of what is served.
 *
 * Pipelined requests of a connection are handled one after the other, in order. All deadlines are
 * absolute. */
#ifndef HEADRACE_HTTP_SERVER_H
#define HEADRACE_HTTP_SERVER_H

#include "common/loop/loop.h"
#include "common/metrics/metrics.h"
#include "webserver/http/http_address.h"

enum {
    HTTP_HEAD_MS = 10000,    /* from the first byte of a request to the end of its head */
    HTTP_BODY_MS = 10000,    /* for a body, plus a second for each KiB that has come */
    HTTP_IDLE_MS = 60000,    /* between two requests */
    HTTP_STALL_MS = 30000,   /* a client that takes no bytes */
    HTTP_LINGER_MS = 2000,   /* after a refusal, so that the client can read it */
    HTTP_GIVE_WAY_MS = 1000, /* of waiting for a client, after which another may have its place */
    HTTP_UNREAD_MAX = 64 * 1024, /* kept while a request is being handled */
};

struct http_server;

struct http_server_options {
    const char *host;                   /* numeric, or "localhost" */
    int port;                           /* 0 = any */
    const char *tls_cert, *tls_key;     /* PEM; NULL or empty: no TLS */
    uint32_t connections_max;           /* 0 = 1000; above it, who has waited longest gives way */
    const struct http_network *proxies; /* kept; whose X-Forwarded-For is believed */
    uint32_t proxy_count;
    const char *folder;      /* kept; where large answers wait for their clients. NULL: /tmp */
    struct metrics *metrics; /* NULL allowed */

    /* The head of a request is there: how large may its body be? NULL = 1 MiB. */
    uint64_t (*body_max)(void *owner, const struct http_request *request);
    /* A request is complete: the handler owns it. */
    void (*on_request)(void *owner, struct http_request *request);
    /* It has been answered (status, answer_size): for the log. NULL allowed. */
    void (*on_answered)(void *owner, const struct http_request *request);
    void *owner;
    int64_t time_divisor; /* tests: all times above, divided by this; 0 = 1 */
};

/* Borrows `options`. */
MUST_USE int http_server_open(struct http_server **out, struct loop *loop,
                              const struct http_server_options *options, struct err *err);

/* Stops listening, ends idle connections, gives requests under way up to `grace_ms`, then breaks
 * them. `done` once. */
void http_server_close(struct http_server *server, int64_t grace_ms, void (*done)(void *owner),
                       void *owner);

/* New connections use the new files; on failure the old ones stay. */
MUST_USE int http_server_reload_tls(struct http_server *server, const char *cert, const char *key,
                                    struct err *err);

int http_server_port(const struct http_server *server);
bool http_server_is_tls(const struct http_server *server);

#endif
