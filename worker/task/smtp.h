// SPDX-License-Identifier: Apache-2.0
/* smtp - a mail server as a connection names it, for who sends through it and for who tries it. */
#ifndef HEADRACE_SMTP_H
#define HEADRACE_SMTP_H

#include "worker/task/job.h"

#include <curl/curl.h>

/* A handle with address, TLS and login set; `detail` (CURL_ERROR_SIZE) gets curl's own words and
 * lives as long as it. Yours to clean up. NULL after job_fail. */
CURL *smtp_open(struct job *job, const struct value *connection, char *detail);

#endif
