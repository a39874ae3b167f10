// SPDX-License-Identifier: Apache-2.0
/* headrace-task connect - opens a connection as its type asks, to see whether it opens. Its last
 * line is for the person who asked; what the connection keeps secret is in none.
 *
 * Payload: connection {conn_type, host, port, login, password, schema, extra}. */
#include "worker/task/job.h"

#include "worker/task/request.h"
#include "worker/task/smtp.h"
#include "worker/task/sql.h"

enum { LIMIT_MS = 10000 };

static const char OPENS[] = "Connection successfully tested"; /* Airflow's words */

static int connect_postgres(struct job *job)
{
    struct sql sql = { .job = job };
    int status = sql_connect(&sql);

    if (status == 0)
        printf("%s: PostgreSQL %s, database %s, as %s\n", OPENS,
               PQparameterStatus(sql.connection, "server_version"), PQdb(sql.connection),
               PQuser(sql.connection));
    PQfinish(sql.connection);
    return status;
}

/* An answer is one, also that there is nothing at the root; a refused login or a broken server is
 * none. */
static int connect_http(struct job *job)
{
    struct request request = { 0 };
    struct answer answer = { 0 };
    int status = request_read(job, &request);

    request.timeout_ms = LIMIT_MS;
    if (status == 0)
        status = request_run(job, &request, &answer);
    if (status == 0 && (answer.status == 401 || answer.status == 403 || answer.status == 407 ||
                        answer.status >= 500))
        status =
            job_fail("HttpError", "%s answered %ld %s", request.url, answer.status, answer.reason);
    else if (status == 0)
        printf("%s: %s answered %ld %s\n", OPENS, request.url, answer.status, answer.reason);
    buf_clear(&answer.body);
    return status;
}

/* Greeting, TLS and login; no letter. */
static int connect_smtp(struct job *job)
{
    const struct value *connection = value_get(job->payload, "connection");
    char detail[CURL_ERROR_SIZE] = "";
    CURL *curl = smtp_open(job, connection, detail);

    if (curl == NULL)
        return 1;
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)LIMIT_MS);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK)
        return job_fail("ConnectionError", "%s: %s", job_cstr(job, connection, "host"),
                        *detail != '\0' ? detail : curl_easy_strerror(code));
    printf("%s: %s takes mail\n", OPENS, job_cstr(job, connection, "host"));
    return 0;
}

static const struct {
    const char *type;
    int (*connect)(struct job *job);
} TYPES[] = {
    { "postgres", connect_postgres }, { "postgresql", connect_postgres }, { "http", connect_http },
    { "https", connect_http },        { "smtp", connect_smtp },           { "email", connect_smtp },
};

int connect_main(struct job *job)
{
    struct str type = job_text(job, value_get(job->payload, "connection"), "conn_type");

    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (str_is(type, TYPES[i].type))
            return TYPES[i].connect(job);
    return job_fail_hard("NotSupportedError",
                         "a connection of type %.*s cannot be tested; postgres, http, https and "
                         "smtp can",
                         STR_ARG(type));
}
