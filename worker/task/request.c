// SPDX-License-Identifier: Apache-2.0
#include "worker/task/request.h"

#include "common/text/json.h"

enum { CONNECT_TIMEOUT_MS = 15000, REDIRECTS_MAX = 5 };

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
    struct answer *answer = owner;

    if (answer->body.size + size * count > REQUEST_ANSWER_MAX)
        return 0;
    buf_add(&answer->body, bytes, size * count);
    return size * count;
}

/* Keeps the words of the last status line: "HTTP/1.1 503 Service Unavailable". */
static size_t on_header(char *bytes, size_t size, size_t count, void *owner)
{
    struct answer *answer = owner;
    struct str line = str_trim((struct str) { bytes, size * count }), word;

    if (str_starts(line, "HTTP/") && str_split(&line, ' ', &word) && str_split(&line, ' ', &word))
        snprintf(answer->reason, sizeof answer->reason, "%.*s", STR_ARG(line));
    return size * count;
}

static bool is_content_type(struct str name)
{
    static const char wanted[] = "content-type";

    return name.size == sizeof wanted - 1 && strncasecmp(name.bytes, wanted, name.size) == 0;
}

static int headers_make(struct job *job, const struct request *request, struct curl_slist **out)
{
    const struct value *map = request->headers;
    bool typed = !request->has_body || request->content_type == NULL;

    for (uint32_t i = 0; map != NULL && map->type == VALUE_MAP && i < map->count; i++) {
        const struct value *value = map->entries[i].value;
        struct str name = map->entries[i].key;
        struct str text =
            value->type == VALUE_STRING ? value->string : json_text(&job->arena, value);
        struct str line = str_format(&job->arena, "%.*s: %.*s", STR_ARG(name), STR_ARG(text));
        if (str_find(line, '\n') >= 0 || str_find(line, '\r') >= 0)
            return job_fail_hard("ValueError", "header %.*s holds a line end", STR_ARG(name));
        *out = curl_slist_append(*out, line.bytes);
        typed = typed || is_content_type(name);
    }
    if (!typed)
        *out = curl_slist_append(
            *out, str_format(&job->arena, "Content-Type: %s", request->content_type).bytes);
    /* Without this curl asks "Expect: 100-continue" and waits a second for servers that do not
     * answer it. */
    *out = curl_slist_append(*out, "Expect:");
    return 0;
}

static int transport_failed(const struct request *request, CURLcode code, const char *detail)
{
    const char *words = *detail != '\0' ? detail : curl_easy_strerror(code);

    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return job_fail("TimeoutError", "%s %s: %s", request->method, request->url, words);
    case CURLE_WRITE_ERROR:
        return job_fail_hard("AnswerTooLarge", "%s %s: the answer is larger than %d bytes",
                             request->method, request->url, REQUEST_ANSWER_MAX);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return job_fail_hard("ValueError", "%s is not a URL of http or https: %s", request->url,
                             words);
    case CURLE_PEER_FAILED_VERIFICATION:
        return job_fail("CertificateError", "%s %s: %s", request->method, request->url, words);
    default:
        return job_fail("ConnectionError", "%s %s: %s", request->method, request->url, words);
    }
}

static void options_set(CURL *curl, const struct request *request, struct answer *answer,
                        char *detail)
{
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request->follow ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     (long)(request->timeout_ms > 0 ? request->timeout_ms : REQUEST_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "headrace/" HEADRACE_VERSION);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
    if (request->login != NULL || request->password != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, request->login == NULL ? "" : request->login);
        curl_easy_setopt(curl, CURLOPT_PASSWORD,
                         request->password == NULL ? "" : request->password);
    }
    if (request->has_body) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.bytes);
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

int request_begin(struct job *job, const struct request *request, struct answer *answer,
                  struct transfer *transfer)
{
    *answer = (struct answer) { 0 };
    *transfer = (struct transfer) { .curl = curl_easy_init() };
    if (transfer->curl == NULL)
        return job_fail("InternalError", "libcurl cannot be used");
    if (headers_make(job, request, &transfer->headers) != 0) {
        (void)!request_end(request, answer, transfer, CURLE_OK);
        return 1;
    }
    options_set(transfer->curl, request, answer, transfer->detail);
    curl_easy_setopt(transfer->curl, CURLOPT_HTTPHEADER, transfer->headers);
    return 0;
}

int request_end(const struct request *request, struct answer *answer, struct transfer *transfer,
                CURLcode code)
{
    int status = code == CURLE_OK ? 0 : transport_failed(request, code, transfer->detail);

    if (status == 0) {
        curl_off_t after_s = 0;
        curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &answer->status);
        /* Seconds from now, also where the header holds a date. */
        curl_easy_getinfo(transfer->curl, CURLINFO_RETRY_AFTER, &after_s);
        answer->retry_after_s = after_s > 0 ? after_s : 0;
    }
    curl_slist_free_all(transfer->headers);
    curl_easy_cleanup(transfer->curl);
    *transfer = (struct transfer) { 0 };
    return status;
}

int request_run(struct job *job, const struct request *request, struct answer *answer)
{
    struct transfer transfer;
    curl_off_t took_us = 0;

    if (request_begin(job, request, answer, &transfer) != 0)
        return 1;
    CURLcode code = curl_easy_perform(transfer.curl);
    curl_easy_getinfo(transfer.curl, CURLINFO_TOTAL_TIME_T, &took_us);
    int status = request_end(request, answer, &transfer, code);
    if (status == 0)
        printf("%s %s: %ld %s, %zu bytes in %lld ms\n", request->method, request->url,
               answer->status, answer->reason, answer->body.size, (long long)took_us / 1000);
    return status;
}
