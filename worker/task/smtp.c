// SPDX-License-Identifier: Apache-2.0
#include "worker/task/smtp.h"

#include "worker/task/request.h"

/* `extra` has Airflow's words: ssl, starttls, disable_tls. A password waits for TLS: a server that
 * does not offer it, or somebody in between who took the offer out, does not get it. */
static long tls_of(const struct value *extra, bool has_login)
{
    if (value_boolean(value_get(extra, "disable_tls"), false))
        return CURLUSESSL_NONE;
    bool is_demanded = has_login || value_boolean(value_get(extra, "starttls"), false);
    return is_demanded ? CURLUSESSL_ALL : CURLUSESSL_TRY;
}

CURL *smtp_open(struct job *job, const struct value *connection, char *detail)
{
    const char *host = job_cstr(job, connection, "host"), *port = job_cstr(job, connection, "port");
    const char *login = job_cstr(job, connection, "login");
    const struct value *extra = value_get(connection, "extra");
    bool implicit_tls =
        value_boolean(value_get(extra, "ssl"), port != NULL && strcmp(port, "465") == 0);
    CURL *curl = host == NULL ? NULL : curl_easy_init();

    if (curl == NULL) {
        (void)job_fail_hard("ValueError", "the connection for e-mail has no host");
        return NULL;
    }
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_URL,
                     str_format(&job->arena, "%s://%s:%s", implicit_tls ? "smtps" : "smtp", host,
                                port == NULL ? "25" : port)
                         .bytes);
    curl_easy_setopt(curl, CURLOPT_USE_SSL, tls_of(extra, login != NULL));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)REQUEST_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_USERNAME, login);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, job_cstr(job, connection, "password"));
    return curl;
}
