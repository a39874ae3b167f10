// SPDX-License-Identifier: Apache-2.0
/* fetch - one request to a sign-in provider. Waits: for a thread of the pool.
 *
 * No redirects, no proxies, no more than 10 s and a megabyte; certificates are always checked.
 * Plain http is for a provider on this machine alone. */
#ifndef HEADRACE_FETCH_H
#define HEADRACE_FETCH_H

#include "common/base/buf.h"

struct fetch {
    const char *url;
    const char *form;            /* NULL: GET; else the encoded body of a POST */
    const char *user, *password; /* Basic; NULL: none */
    const char *bearer;          /* NULL: none */
};

/* https, or http to this machine. */
bool fetch_is_allowed(struct str url);

/* Once, before any thread. */
void fetch_setup(void);

/* The body of a 2xx into `out`, which the caller clears. ERR_UNAVAILABLE: no answer; ERR_INVALID:
 * an answer that says no. */
MUST_USE int fetch_run(const struct fetch *fetch, struct buf *out, struct err *err);

#endif
