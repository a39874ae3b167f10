// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_status.h"

static const struct {
    const char *name;
    enum http_verb verb;
} VERBS[] = {
#define HTTP_VERB_ROW(name, bit) { #name, VERB_##name },
    HTTP_VERBS(HTTP_VERB_ROW)
#undef HTTP_VERB_ROW
};

enum { VERB_COUNT = sizeof VERBS / sizeof *VERBS };

static const struct {
    int status;
    const char *phrase;
} PHRASES[] = {
    { 100, "Continue" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
};

enum http_verb http_verb_parse(struct str name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (str_is(name, VERBS[i].name))
            return VERBS[i].verb;
    return VERB_NONE;
}

void http_verbs_text(uint32_t verbs, char text[HTTP_ALLOW_SIZE])
{
    size_t size = 0;
    text[0] = 0;
    for (size_t i = 0; i < VERB_COUNT; i++)
        if ((verbs & (uint32_t)VERBS[i].verb) != 0)
            size += (size_t)snprintf(text + size, HTTP_ALLOW_SIZE - size, "%s%s",
                                     size == 0 ? "" : ", ", VERBS[i].name);
}

const char *http_status_phrase(int status)
{
    for (size_t i = 0; i < sizeof PHRASES / sizeof *PHRASES; i++)
        if (PHRASES[i].status == status)
            return PHRASES[i].phrase;
    return "Status";
}
