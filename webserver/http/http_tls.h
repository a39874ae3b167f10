// SPDX-License-Identifier: Apache-2.0
/* http_tls - TLS 1.2 and 1.3 between bytes and bytes: OpenSSL on memory BIOs, no descriptor. */
#ifndef HEADRACE_HTTP_TLS_H
#define HEADRACE_HTTP_TLS_H

#include "common/base/buf.h"

struct http_tls_context; /* certificate and key */
struct http_tls;         /* one connection */

/* PEM files. ERR_INVALID with OpenSSL's reason; a key that others can read is refused too. */
MUST_USE int http_tls_context_new(struct http_tls_context **out, const char *cert_file,
                                  const char *key_file, struct err *err);
/* Connections keep what they use; NULL allowed. */
void http_tls_context_free(struct http_tls_context *context);

struct http_tls *http_tls_new(struct http_tls_context *context);
void http_tls_free(struct http_tls *tls); /* NULL allowed */

/* Bytes from the peer; what they decrypt to is added to `plain`. ERR_PROTOCOL: broken, close after
 * sending the output. */
MUST_USE int http_tls_receive(struct http_tls *tls, struct str bytes, struct buf *plain);
MUST_USE int http_tls_send(struct http_tls *tls, struct str plain);
void http_tls_end(struct http_tls *tls); /* close_notify */

/* Moves what has to go to the peer into `out`. */
void http_tls_output(struct http_tls *tls, struct buf *out);
bool http_tls_is_ready(const struct http_tls *tls); /* the handshake is done */

#endif
