// SPDX-License-Identifier: Apache-2.0
/* http_status - the numbers and words of HTTP: methods as bits (a route's set is a sum), status
 * codes with their phrases. */
#ifndef HEADRACE_HTTP_STATUS_H
#define HEADRACE_HTTP_STATUS_H

#include "common/base/str.h"

#define HTTP_VERBS(VERB)                                                                           \
    VERB(GET, 1)                                                                                   \
    VERB(HEAD, 2)                                                                                  \
    VERB(POST, 4)                                                                                  \
    VERB(PUT, 8)                                                                                   \
    VERB(PATCH, 16)                                                                                \
    VERB(DELETE, 32)                                                                               \
    VERB(OPTIONS, 64)                                                                              \
    VERB(TRACE, 128)                                                                               \
    VERB(CONNECT, 256)

enum http_verb {
    VERB_NONE = 0,
#define HTTP_VERB_ENUM(name, bit) VERB_##name = (bit),
    HTTP_VERBS(HTTP_VERB_ENUM)
#undef HTTP_VERB_ENUM
};

enum http_verb http_verb_parse(struct str name); /* VERB_NONE when it is unknown; case counts */

/* "GET, HEAD, POST": for Allow. `text` has room for all of them. */
enum { HTTP_ALLOW_SIZE = 80 };
void http_verbs_text(uint32_t verbs, char text[HTTP_ALLOW_SIZE]);

const char *
http_status_phrase(int status); /* "Not Found"; "Status" for one that is not in the table */

#endif
