// SPDX-License-Identifier: Apache-2.0
/* http_gate - holds the bytes of a request to the strict grammar before the parser sees them.
 *
 * llhttp is lenient here and there, and what two parsers read differently is how requests are
 * smuggled. So each byte passes this small machine first: line ends are CRLF and nothing else, no
 * folding, no blank before a colon, no control bytes, no chunk extensions, no trailers, hard
 * limits. It knows framing alone; meaning is llhttp's and http_reader's. */
#ifndef HEADRACE_HTTP_GATE_H
#define HEADRACE_HTTP_GATE_H

#include "common/base/str.h"

enum {
    HTTP_METHOD_MAX = 20,
    HTTP_TARGET_MAX = 8 * 1024,
    HTTP_HEADERS_SIZE_MAX = 16 * 1024, /* the lines after the first */
    HTTP_HEADERS_MAX = 100,
};

struct http_gate {
    int state;
    size_t method_size, target_size, version_size, headers_size;
    uint32_t header_count;
    char version[8];
    uint64_t chunk_left;
    uint32_t chunk_digits;
};

/* Before each request. */
void http_gate_init(struct http_gate *gate);

/* Before each chunked body. */
void http_gate_expect_chunks(struct http_gate *gate);

/* Passes bytes on, up to the end of the head (or of the chunked body), which *out_ended tells.
 * *out_used bytes were good and belong to this part. Returns 0, or the status of a refusal: 400,
 * 414, 431 or 505; *out_used then counts up to the offending byte. */
int http_gate_pass(struct http_gate *gate, struct str bytes, size_t *out_used, bool *out_ended);

/* Whether any byte of the request has come. */
bool http_gate_is_idle(const struct http_gate *gate);

/* RFC 9110: a letter, digit or one of !#$%&'*+-.^_`|~ */
bool http_is_token_byte(unsigned char byte);

#endif
