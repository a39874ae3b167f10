// SPDX-License-Identifier: Apache-2.0
/* http_request - one request, and the way to answer it, now or later.
 *
 * A handler owns the request until it answers: with http_answer, or with http_stream_start, any
 * number of http_stream_write and http_stream_end. Exactly one of the two, exactly once, even when
 * the client has gone meanwhile (then nothing is sent). After http_answer and http_stream_end the
 * request and all that lived in its arena is gone. */
#ifndef HEADRACE_HTTP_REQUEST_H
#define HEADRACE_HTTP_REQUEST_H

#include "common/base/buf.h"
#include "common/base/vec.h"
#include "webserver/http/http_status.h"

struct http_conn;
struct http_pile;
struct http_request;

/* Names are compared without case. Values have no blanks around them. */
struct http_header {
    struct str name, value;
};

struct http_pair {
    struct str name, value; /* decoded */
};

enum { HTTP_PARAMS_MAX = 8, HTTP_ID_SIZE = 17, HTTP_PEER_SIZE = 64 };

struct http_request {
    struct arena arena; /* lives until the answer */
    enum http_verb verb;
    struct str method;
    struct str target; /* as sent: "/api/v2/dags?limit=5" */
    struct str path;   /* up to the question mark, not decoded */
    struct str query;  /* behind it, not decoded */
    bool is_http10;
    struct http_header *headers;
    uint32_t header_count;
    struct buf body;
    bool wants_close;      /* Connection: close, or HTTP/1.0 */
    bool expects_continue; /* Expect: 100-continue */
    bool has_length, is_chunked;
    uint64_t content_length;
    char peer[HTTP_PEER_SIZE]; /* address of the client, behind the proxies that we believe */
    char id[HTTP_ID_SIZE];     /* sent back as X-Request-Id */
    bool is_tls;
    int64_t begun_ms; /* loop_now_ms of its first byte */

    /* Of the route that was found. */
    struct http_pair params[HTTP_PARAMS_MAX];
    uint32_t param_count;
    const void *route;

    /* Free for the handler. */
    void *context;

    /* Of the answer. */
    VEC(struct http_header) answer_headers;
    int status;
    uint64_t answer_size;
    struct http_conn *conn; /* NULL: the client has gone */
    struct http_pile *pile; /* NULL: no piece has been added */
    bool is_streaming;
    bool is_sending; /* a pile: all that will come is known */
    /* A stream's two events, both optional: the queue has room again; the client has gone (end the
     * stream now). */
    void (*on_more)(struct http_request *request);
    void (*on_gone)(struct http_request *request);
};

/* Empty str (bytes == NULL) when there is none. */
struct str http_header(const struct http_request *request, const char *name);
struct str http_param(const struct http_request *request, const char *name);
struct str http_cookie(const struct http_request *request, const char *name);

/* Adds a header to the coming answer; copies. A value with control bytes is our own bug. */
void http_set_header(struct http_request *request, const char *name, struct str value);

/* Sends the answer and takes the request. `content_type` NULL: no body at all. Copies `body`: what
 * is above HTTP_HIGH_WATER into a file. */
void http_answer(struct http_request *request, int status, const char *content_type,
                 struct str body);

/* An answer that comes in pieces and is sent when all of it is there. While it is put together, and
 * while the client reads it, no more than HTTP_HIGH_WATER and a piece of it are in memory; the rest
 * is in a file. Any other answer may be given instead; then the pieces are forgotten. */
void http_pile_add(struct http_request *request, struct str piece);
uint64_t http_pile_size(const struct http_request *request);
/* There was no room for it: what can be read of it is not all of it, and its answer is a 503. */
bool http_pile_has_failed(const struct http_request *request);
uint64_t http_pile_hash(const struct http_request *request); /* str_fingerprint of its pieces */
/* All of it, in `arena` when it is in a file: for what has to be looked at as a whole. */
struct str http_pile_text(const struct http_request *request, struct arena *arena);
/* Sends it, or 503 when there was no room for it on the disk. Takes the request. */
void http_answer_pile(struct http_request *request, int status, const char *content_type);

/* {"detail": ...} of a status: with the problem fields of RFC 9457 beside Airflow's `detail`. */
void http_answer_problem(struct http_request *request, int status, const char *fmt, ...)
    FORMAT(3, 4);

/* An answer of unknown length. `request->on_gone` and `on_more` are to be set before. */
void http_stream_start(struct http_request *request, int status, const char *content_type);

/* Bytes that wait for the client after this write; 0 when the client has gone. Above
 * HTTP_HIGH_WATER a writer that can should wait for on_more; one that cannot (events) should end
 * the stream. */
size_t http_stream_write(struct http_request *request, struct str bytes);
size_t http_stream_queued(const struct http_request *request);
void http_stream_end(struct http_request *request);
enum { HTTP_HIGH_WATER = 256 * 1024, HTTP_PIECE_SIZE = 64 * 1024 };

/* For tests and for the reader: an empty request, and its end without an answer. */
struct http_request *http_request_new(void);
void http_request_free(struct http_request *request); /* NULL allowed */

#endif
