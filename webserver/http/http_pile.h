// SPDX-License-Identifier: Apache-2.0
/* http_pile - an answer that is put together from pieces: in memory while it is small, beyond
 * HTTP_HIGH_WATER in a file without a name. A client may thus take as long as it likes to read an
 * answer of any size, and costs no memory for it. Internal to this room; http_request.h says how
 * handlers use it. */
#ifndef HEADRACE_HTTP_PILE_H
#define HEADRACE_HTTP_PILE_H

#include "webserver/http/http_request.h"

#include <stdio.h>

struct http_pile {
    struct buf small;
    FILE *file; /* NULL: all of it is in `small` */
    uint64_t size, taken;
    uint64_t hash; /* str_fingerprint of its pieces */
    int problem;   /* errno; what is added after it is lost */
};

struct http_pile *http_pile_new(void);
void http_pile_free(struct http_pile *pile); /* NULL allowed */

/* `folder` (NULL: that of temporary files) is where a file is made when one is needed. */
void http_pile_put(struct http_pile *pile, const char *folder, struct str piece);

/* The next bytes, at most `size`; 0 at the end and when the file fails. */
size_t http_pile_take(struct http_pile *pile, char *out, size_t size);

#endif
