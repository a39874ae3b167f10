// SPDX-License-Identifier: Apache-2.0
/* http_text - percent-encoding, query strings and forms. */
#ifndef HEADRACE_HTTP_TEXT_H
#define HEADRACE_HTTP_TEXT_H

#include "common/base/buf.h"
#include "webserver/http/http_request.h"

/* Decodes once. ERR_INVALID for a bad escape, for NUL and for what is not UTF-8. A plus is a blank
 * only in a form. */
MUST_USE int http_decode(struct arena *arena, struct str text, bool is_form, struct str *out);

/* One segment of a path: besides, a slash in it, "." and ".." are ERR_INVALID. */
MUST_USE int http_decode_segment(struct arena *arena, struct str text, struct str *out);

struct http_form {
    struct http_pair *pairs;
    uint32_t count;
};

enum { HTTP_FORM_MAX = 1000 };

/* "a=1&b=x%20y": of a query or of a body. ERR_INVALID as above, and above HTTP_FORM_MAX pairs. */
MUST_USE int http_form_parse(struct arena *arena, struct str text, struct http_form *out);

/* The first value; bytes == NULL when there is none. */
struct str http_form_get(const struct http_form *form, const char *name);

/* Everything but letters, digits and -._~ as %XX: for redirects. */
void http_encode(struct buf *out, struct str text);

/* application/json of "application/json; charset=utf-8", in lower case. */
struct str http_media_type(struct arena *arena, struct str content_type);

/* Whether an If-None-Match (bytes NULL: none) names the tag, or anything by a star. Weak
 * comparison: W/"a" is "a". */
bool http_etag_matches(struct str wanted, struct str etag);

/* Whether an Accept or Accept-Encoding names it, with a q above zero. Wildcards do not count. */
bool http_accepts(struct str accept, const char *word);

#endif
