// SPDX-License-Identifier: Apache-2.0
/* request - one HTTP exchange through libcurl, for http tasks and webhooks: http and https only,
 * certificates checked, no redirects unless asked for, the answer bounded. */
#ifndef HEADRACE_REQUEST_H
#define HEADRACE_REQUEST_H

#include "worker/task/job.h"

#include <curl/curl.h>

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
    int64_t retry_after_s; /* that the server asks for; 0: it does not */
    char reason[64];
    struct buf body;
};

/* An exchange under way, for those who run many at once. */
struct transfer {
    CURL *curl;
    struct curl_slist *headers;
    char detail[CURL_ERROR_SIZE];
};

/* The handle is ready to be performed; request, answer and transfer stay where they are until
 * request_end, which frees it and says as job_fail what went wrong, if `code` says so. 0 or 1. */
MUST_USE int request_begin(struct job *job, const struct request *request, struct answer *answer,
                           struct transfer *transfer);
MUST_USE int request_end(const struct request *request, struct answer *answer,
                         struct transfer *transfer, CURLcode code);

/* What an http task's payload asks for, and whether a status is one of those it expects. */
MUST_USE int request_read(struct job *job, struct request *request);
bool http_is_expected(const struct job *job, long status);

/* 0, or 1 after job_fail (ConnectionError, TimeoutError ...). The status is the caller's to judge.
 * Prints the status line. answer->body is the caller's to clear in either case. */
MUST_USE int request_run(struct job *job, const struct request *request, struct answer *answer);

#endif
