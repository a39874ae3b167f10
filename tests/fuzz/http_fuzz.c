// SPDX-License-Identifier: Apache-2.0
/* Bytes of a connection: whatever they are, reading them whole and reading them in small pieces see
 * the same requests, and what is accepted has one meaning. Then the path, the query and the body go
 * on their way. */
#include "common/base/assert.h"
#include "webserver/http/http_reader.h"
#include "webserver/http/http_router.h"
#include "webserver/http/http_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct http_route ROUTES[] = {
    { VERB_GET, "/" },
    { VERB_GET, "/a/{b}" },
    { VERB_POST, "/a/{b}/c/{d}" },
    { VERB_GET, "/a/x/c" },
};

/* A digest of all that was read: verbs, targets, headers, bodies, and how it ended. */
struct seen {
    uint64_t digest;
    uint32_t requests;
    int status;
};

static void add(struct seen *seen, struct str text)
{
    seen->digest = (seen->digest ^ str_hash(text)) * 0x9E3779B97F4A7C15ULL;
}

static void look(struct seen *seen, struct http_request *request, const struct http_router *router)
{
    struct http_form form;
    uint32_t verbs;
    seen->requests++;
    add(seen, request->method);
    add(seen, request->target);
    add(seen, buf_str(&request->body));
    for (uint32_t i = 0; i < request->header_count; i++) {
        add(seen, request->headers[i].name);
        add(seen, request->headers[i].value);
        ASSERT(str_find(request->headers[i].name, ' ') < 0 &&
               str_find(request->headers[i].value, '\n') < 0);
    }
    ASSERT(request->target.size > 0 &&
           (request->target.bytes[0] == '/' || request->target.bytes[0] == '*'));
    ASSERT(!request->has_length || !request->is_chunked);
    ASSERT(!request->has_length || request->content_length == request->body.size);
    if (http_router_find(router, request, &verbs) == HTTP_MATCH_FOUND)
        for (uint32_t i = 0; i < request->param_count; i++)
            ASSERT(str_find(request->params[i].value, '/') < 0 &&
                   !str_is(request->params[i].value, ".."));
    (void)!http_form_parse(&request->arena, request->query, &form);
    (void)!http_form_parse(&request->arena, buf_str(&request->body), &form);
    (void)http_cookie(request, "x");
    (void)http_accepts(http_header(request, "accept-encoding"), "br");
}

static struct seen read_all(struct str bytes, size_t piece, const struct http_router *router)
{
    struct http_reader reader;
    struct seen seen = { 0 };
    size_t at = 0;
    http_reader_init(&reader);
    for (;;) {
        size_t used = 0, end = at + piece < bytes.size ? at + piece : bytes.size;
        enum http_read read = http_reader_feed(&reader, str_slice(bytes, at, end), &used);
        at += used;
        if (read == HTTP_READ_HEAD)
            reader.body_max = 4096;
        else if (read == HTTP_READ_REQUEST) {
            struct http_request *request = http_reader_take(&reader);
            look(&seen, request, router);
            http_request_free(request);
        } else if (read == HTTP_READ_REFUSED || at == bytes.size)
            break;
    }
    seen.status = reader.status;
    http_reader_clear(&reader);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str text = { (const char *)bytes, size };
    struct http_router *router =
        http_router_new(ROUTES, sizeof ROUTES / sizeof *ROUTES, sizeof *ROUTES);
    struct seen whole = read_all(text, size == 0 ? 1 : size, router);
    struct seen bytewise = read_all(text, 1, router);
    struct seen pieces = read_all(text, 7, router);
    ASSERT(whole.digest == bytewise.digest && whole.requests == bytewise.requests &&
           whole.status == bytewise.status);
    ASSERT(whole.digest == pieces.digest && whole.requests == pieces.requests &&
           whole.status == pieces.status);
    http_router_free(router);
    return 0;
}
