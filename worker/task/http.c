// SPDX-License-Identifier: Apache-2.0
/* headrace-task http - one request; the body of the answer becomes the output.
 *
 * Payload: url, method (GET, or POST when there is a body), headers, body or json, expect
 * (statuses; 2xx by default), timeout (seconds), follow_redirects, connection (its host is put
 * before a relative url, login and password are basic auth). */
#include "worker/task/job.h"

#include "worker/task/request.h"

#include "common/text/json.h"

#include <ctype.h>

enum { EXCERPT_MAX = 300 };

/* "2xx" or 204. */
static bool status_matches(const struct value *wanted, long status)
{
    if (wanted->type == VALUE_INT)
        return wanted->integer == status;
    if (wanted->type != VALUE_STRING || wanted->string.size != 3)
        return false;
    for (int i = 2, rest = (int)status; i >= 0; i--, rest /= 10) {
        char letter = wanted->string.bytes[i];
        if (letter != 'x' && letter != 'X' && letter != '0' + rest % 10)
            return false;
    }
    return true;
}

static bool is_expected(const struct value *expect, long status)
{
    if (expect == NULL || expect->type == VALUE_NULL)
        return status >= 200 && status < 300;
    if (expect->type != VALUE_LIST)
        return status_matches(expect, status);
    for (uint32_t i = 0; i < expect->count; i++) {
        if (status_matches(expect->items[i], status))
            return true;
    }
    return false;
}

static const char *upper(struct job *job, const char *method)
{
    char *copy = arena_copy(&job->arena, method, strlen(method) + 1);

    for (char *at = copy; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return copy;
}

static bool is_absolute(const char *url)
{
    return strstr(url, "://") != NULL;
}

static int take_url(struct job *job, struct request *request)
{
    const struct value *connection = value_get(job->payload, "connection");
    const char *url = job_cstr(job, job->payload, "url"), *host = job_cstr(job, connection, "host");
    const char *port = job_cstr(job, connection, "port"),
               *scheme = job_cstr(job, connection, "schema");

    request->login = job_cstr(job, connection, "login");
    request->password = job_cstr(job, connection, "password");
    request->url = url;
    if (url != NULL && is_absolute(url))
        return 0;
    if (host == NULL)
        return job_fail_hard("ValueError",
                             url == NULL
                                 ? "the task has no url"
                                 : "the url %s has no scheme and host, and there is no connection",
                             url);
    const char *base =
        is_absolute(host)
            ? host
            : str_format(&job->arena, "%s://%s", scheme == NULL ? "http" : scheme, host).bytes;
    request->url = str_format(&job->arena, "%s%s%s%s%s", base, port == NULL ? "" : ":",
                              port == NULL ? "" : port, url == NULL || *url == '/' ? "" : "/",
                              url == NULL ? "" : url)
                       .bytes;
    return 0;
}

int request_read(struct job *job, struct request *request)
{
    const struct value *payload = job->payload, *json = value_get(payload, "json"),
                       *body = value_get(payload, "body");
    const char *method = job_cstr(job, payload, "method");
    double timeout_s;

    request->headers = value_get(payload, "headers");
    request->follow = value_boolean(value_get(payload, "follow_redirects"), false);
    if (str_to_real(job_text(job, payload, "timeout"), &timeout_s) == 0 && timeout_s > 0)
        request->timeout_ms = (int64_t)(timeout_s * 1000);
    if (json != NULL) {
        request->has_body = true;
        request->body = json_text(&job->arena, json);
        request->content_type = "application/json";
    } else if (body != NULL && body->type != VALUE_NULL) {
        request->has_body = true;
        request->body = job_text(job, payload, "body");
        request->content_type =
            body->type == VALUE_STRING ? "text/plain; charset=utf-8" : "application/json";
    }
    request->method = method != NULL ? upper(job, method) : request->has_body ? "POST" : "GET";
    return take_url(job, request);
}

bool http_is_expected(const struct job *job, long status)
{
    return is_expected(value_get(job->payload, "expect"), status);
}

/* A server that is busy says when to come again: the error carries it to whoever decides when the
 * next try is. */
static int refused(const struct request *request, const struct answer *answer)
{
    bool is_busy = answer->status == 429 || answer->status == 503;
    char name[64] = "HttpError";

    if (is_busy && answer->retry_after_s > 0)
        snprintf(name, sizeof name, "HttpError retry_after=%llds",
                 (long long)answer->retry_after_s);
    return job_fail(name, "%s %s answered %ld %s: %.*s", request->method, request->url,
                    answer->status, answer->reason,
                    STR_ARG(str_slice(buf_str(&answer->body), 0, EXCERPT_MAX)));
}

int http_main(struct job *job)
{
    struct request request = { 0 };
    struct answer answer = { 0 };
    int status = request_read(job, &request);

    if (status == 0)
        status = request_run(job, &request, &answer);
    if (status == 0 && !http_is_expected(job, answer.status))
        status = refused(&request, &answer);
    else if (status == 0 && answer.body.size > 0)
        status = job_output(buf_str(&answer.body));
    buf_clear(&answer.body);
    return status;
}
