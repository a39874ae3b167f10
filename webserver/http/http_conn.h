// SPDX-License-Identifier: Apache-2.0
/* http_conn - one connection of an http_server. Internal to this room. */
#ifndef HEADRACE_HTTP_CONN_H
#define HEADRACE_HTTP_CONN_H

#include "common/loop/stream.h"
#include "common/loop/timer.h"
#include "webserver/http/http_reader.h"
#include "webserver/http/http_server.h"
#include "webserver/http/http_tls.h"

struct http_server {
    struct loop *loop;
    struct http_server_options options;
    struct listener listener;
    struct timer sweep;
    struct http_tls_context *tls;
    struct http_conn *first; /* all connections */
    uint32_t conn_count;
    uint64_t request_count;
    uint64_t id_seed;
    int64_t close_at_ms; /* while closing: when the rest is broken */
    int open_handles;
    bool is_closing, listener_is_closed;
    void (*done)(void *owner);
    void *done_owner;
    struct metric *requests, *refusals, *gave_way, *seconds, *open;
};

enum http_conn_phase {
    CONN_OPEN,
    CONN_LINGER, /* we have said our last; the client's bytes are thrown away */
    CONN_CLOSED,
};

struct http_conn {
    struct http_conn *next, *prev;
    struct http_server *server;
    struct stream stream;
    struct http_tls *tls; /* NULL: plain */
    struct http_reader reader;
    struct buf in;                /* not read yet */
    struct http_request *request; /* with its handler */
    struct defer again;
    enum http_conn_phase phase;
    int64_t since_ms; /* start of what the deadline counts: the pause, the head, the body, the
                         lingering */
    size_t lingered;  /* bytes thrown away */
    bool is_processing, is_broken, peer_ended, reading_stopped, body_begun;
    char peer[HTTP_PEER_SIZE];
};

void http_conn_accept(struct http_server *server);
void http_conn_sweep(struct http_conn *conn, int64_t now_ms);
void http_conn_shut(struct http_conn *conn); /* the server closes: at once when idle */
void http_conn_break(struct http_conn *conn);

/* Bytes to the client, through TLS when there is one. */
void http_conn_write(struct http_conn *conn, const struct str *pieces, uint32_t count);

/* The request was answered in full; it is freed. */
void http_conn_answered(struct http_conn *conn, struct http_request *request);

/* An answer without a request: a refusal. */
void http_conn_refuse(struct http_conn *conn, int status, const char *reason);

/* Status line and headers, security headers included. `length` below 0: not known. */
void http_head_write(struct buf *out, const struct http_request *request, const char *content_type,
                     int64_t length);

/* {"type", "title", "status", "detail", "request_id"} */
void http_problem_write(struct buf *out, int status, struct str detail, const char *request_id);

#endif
