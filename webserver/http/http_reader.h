// SPDX-License-Identifier: Apache-2.0
/* http_reader - bytes of a connection to requests, one after the other. No I/O, no clock: fed by
 * http_conn, and by the fuzzer.
 *
 * The gate checks framing, llhttp parses, and what both leave open is refused here: not exactly one
 * Host, two lengths, Transfer-Encoding beside Content-Length, encodings other than chunked, a
 * target that is no path. */
#ifndef HEADRACE_HTTP_READER_H
#define HEADRACE_HTTP_READER_H

#include "webserver/http/http_gate.h"
#include "webserver/http/http_request.h"

enum http_read {
    HTTP_READ_MORE,    /* all bytes are used; more are needed */
    HTTP_READ_HEAD,    /* the head is complete: set body_max, then feed the rest */
    HTTP_READ_REQUEST, /* the request is complete: take it with http_reader_take */
    HTTP_READ_REFUSED, /* `status` and `reason` say why; nothing more can be read */
};

struct http_reader {
    struct http_gate gate;
    struct buf head;
    void *parser;                 /* llhttp_t */
    struct http_request *request; /* being read */
    int phase;
    uint64_t body_left; /* of Content-Length */
    uint64_t body_max;
    bool parser_ended;
    int status;
    const char *reason;
};

void http_reader_init(struct http_reader *reader);
void http_reader_clear(struct http_reader *reader);

/* Uses bytes up to the next event. */
enum http_read http_reader_feed(struct http_reader *reader, struct str bytes, size_t *out_used);

/* After HTTP_READ_REQUEST: yours (answer it, or http_request_free); the reader begins with the
 * next. */
struct http_request *http_reader_take(struct http_reader *reader);

/* Between two requests, not a byte of the next seen. */
bool http_reader_is_idle(const struct http_reader *reader);

#endif
