// SPDX-License-Identifier: Apache-2.0
/* request - one HTTP exchange through libcurl, for http tasks and webhooks: http and https only,
 * certificates checked, no redirects unless asked for, the answer bounded. */
#ifndef HEADRACE_REQUEST_H
#define HEADRACE_REQUEST_H

#include "worker/task/job.h"

enum { REQUEST_ANSWER_MAX = 16 << 20, REQUEST_TIMEOUT_MS = 60000 };

struct request {
    const char *method, *url;
    const struct value *headers; /* map, or NULL */
    bool has_body;
    struct str body;
    const char *content_type; /* sent unless `headers` has one */
    const char *login, *password;
    int64_t timeout_ms;
    bool follow;
};

struct answer {
    long status;
    char reason[64];
    struct buf body;
};

/* 0, or 1 after job_fail (ConnectionError, TimeoutError ...). The status is the caller's to judge.
 * Prints the status line. answer->body is the caller's to clear in either case. */
MUST_USE int request_run(struct job *job, const struct request *request, struct answer *answer);

#endif
