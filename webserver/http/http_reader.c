// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_reader.h"

#include "common/base/assert.h"

#include <llhttp.h>
#include <strings.h>

enum reader_phase { READ_HEAD, READ_HEAD_ENDED, READ_LENGTH, READ_CHUNKS, READ_ENDED, READ_BROKEN };

/* What llhttp calls while it parses one head: spans point into the request's own copy of it. */
static struct http_reader *reader_of(llhttp_t *parser)
{
    return parser->data;
}

static void extend(struct str *span, const char *at, size_t size)
{
    if (span->bytes == NULL)
        span->bytes = at;
    span->size = (size_t)(at + size - span->bytes);
}

static int on_target(llhttp_t *parser, const char *at, size_t size)
{
    extend(&reader_of(parser)->request->target, at, size);
    return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t size)
{
    struct http_reader *reader = reader_of(parser);
    struct http_request *request = reader->request;
    if (reader->phase != READ_HEAD)
        return -1; /* a trailer; the gate has none */
    struct http_header *last =
        request->header_count == 0 ? NULL : &request->headers[request->header_count - 1];
    if (last == NULL || last->name.bytes + last->name.size != at || last->value.bytes != NULL) {
        if (request->header_count == HTTP_HEADERS_MAX)
            return -1;
        last = &request->headers[request->header_count++];
    }
    extend(&last->name, at, size);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    struct http_request *request = reader_of(parser)->request;
    if (request->header_count == 0)
        return -1;
    extend(&request->headers[request->header_count - 1].value, at, size);
    return 0;
}

static int on_head_complete(llhttp_t *parser)
{
    parser->upgrade =
        0; /* we offer no other protocol: the header is passed over, as RFC 9110 7.8 allows */
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    struct http_reader *reader = reader_of(parser);
    if (size > reader->body_max - reader->request->body.size)
        return -1; /* fed only after the limit was looked at */
    buf_add(&reader->request->body, at, size);
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    reader_of(parser)->parser_ended = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t SETTINGS = {
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

static void begin(struct http_reader *reader)
{
    http_gate_init(&reader->gate);
    buf_reset(&reader->head);
    reader->phase = READ_HEAD;
    reader->parser_ended = false;
    reader->body_max = 0;
    reader->body_left = 0;
}

void http_reader_init(struct http_reader *reader)
{
    *reader = (struct http_reader) { .status = 0 };
    reader->parser = calloc(1, sizeof(llhttp_t));
    ASSERT(reader->parser != NULL);
    begin(reader);
}

void http_reader_clear(struct http_reader *reader)
{
    http_request_free(reader->request);
    buf_clear(&reader->head);
    free(reader->parser);
    *reader = (struct http_reader) { .phase = READ_BROKEN };
}

bool http_reader_is_idle(const struct http_reader *reader)
{
    return reader->phase == READ_HEAD && http_gate_is_idle(&reader->gate);
}

static enum http_read refuse(struct http_reader *reader, int status, const char *reason)
{
    reader->phase = READ_BROKEN;
    reader->status = status;
    reader->reason = reason;
    return HTTP_READ_REFUSED;
}

static const char *gate_reason(int status)
{
    switch (status) {
    case 414:
        return "the request target is longer than 8 KiB";
    case 431:
        return "the header is larger than 16 KiB or has more than 100 fields";
    case 505:
        return "only HTTP/1.1 and HTTP/1.0 are spoken here";
    default:
        return "this is not well-formed HTTP";
    }
}

/* ---- the head ---- */

static uint32_t count_headers(const struct http_request *request, const char *name,
                              struct str *out_last)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (header->name.size != strlen(name) ||
            strncasecmp(header->name.bytes, name, header->name.size) != 0)
            continue;
        *out_last = header->value;
        count++;
    }
    return count;
}

static bool has_word(struct str list, const char *word)
{
    struct str part;
    while (str_split(&list, ',', &part)) {
        part = str_trim(part);
        if (part.size == strlen(word) && strncasecmp(part.bytes, word, part.size) == 0)
            return true;
    }
    return false;
}

static const char *check_length(struct http_request *request)
{
    struct str length = STR_EMPTY, encoding = STR_EMPTY;
    uint32_t lengths = count_headers(request, "content-length", &length);
    uint32_t encodings = count_headers(request, "transfer-encoding", &encoding);
    if (lengths > 1 || encodings > 1 || (lengths > 0 && encodings > 0))
        return "the length of the body is said more than once";
    if (encodings > 0) {
        if (request->is_http10 || encoding.size != 7 ||
            strncasecmp(encoding.bytes, "chunked", 7) != 0)
            return "chunked is the only transfer encoding here";
        request->is_chunked = true;
    }
    if (lengths > 0) {
        int64_t number = 0;
        bool is_plain = length.size > 0 && length.bytes[0] >= '0' && length.bytes[0] <= '9';
        if (!is_plain || str_to_int(length, 0, INT64_MAX, &number) < 0)
            return "Content-Length is not a number";
        request->content_length = (uint64_t)number;
        request->has_length = true;
    }
    return NULL;
}

/* A kind of body was announced, but not how long it is: what follows could be read as a request. */
static bool host_is_plain(struct str host)
{
    for (size_t i = 0; i < host.size; i++) {
        unsigned char byte = (unsigned char)host.bytes[i];
        if (strchr("#^`|", byte) != NULL ||
            (!http_is_token_byte(byte) && strchr("[]:", byte) == NULL))
            return false;
    }
    return true;
}

static const char *check_headers(struct http_request *request)
{
    for (uint32_t i = 0; i < request->header_count; i++) {
        struct str *value = &request->headers[i].value;
        *value = value->bytes == NULL ? STR_EMPTY : str_trim(*value);
    }
    struct str host = STR_EMPTY, connection = STR_EMPTY, expect = STR_EMPTY;
    uint32_t hosts = count_headers(request, "host", &host);
    if (hosts > 1 || (hosts == 0 && !request->is_http10) || !host_is_plain(host))
        return "exactly one Host is needed";
    bool is_star = str_is(request->target, "*") && request->verb == VERB_OPTIONS;
    if (request->target.size == 0 || (request->target.bytes[0] != '/' && !is_star))
        return "the request target has to begin with a slash";
    if (memchr(request->target.bytes, '#', request->target.size) != NULL)
        return "the request target holds a fragment";
    request->wants_close = request->is_http10;
    if (count_headers(request, "connection", &connection) > 0 && has_word(connection, "close"))
        request->wants_close = true;
    if (count_headers(request, "expect", &expect) > 0)
        request->expects_continue = has_word(expect, "100-continue");
    return check_length(request);
}

static void split_target(struct http_request *request)
{
    struct str rest = request->target;
    (void)str_split(&rest, '?', &request->path);
    request->query = rest.bytes == NULL ? STR_EMPTY : rest;
}

static enum http_read parse_head(struct http_reader *reader)
{
    struct http_request *request = http_request_new();
    reader->request = request;
    struct str head = str_copy(&request->arena, buf_str(&reader->head));
    struct str rest = head;
    (void)str_split(&rest, ' ', &request->method);
    request->verb = http_verb_parse(request->method);
    if (request->verb == VERB_NONE)
        return refuse(reader, 501, "this method is not known here");
    if (request->verb == VERB_TRACE || request->verb == VERB_CONNECT)
        return refuse(reader, 405, "this method is not allowed here");
    request->headers = ARENA_ARRAY(&request->arena, struct http_header, HTTP_HEADERS_MAX);
    llhttp_t *parser = reader->parser;
    llhttp_init(parser, HTTP_REQUEST, &SETTINGS);
    parser->data = reader;
    reader->body_max = UINT64_MAX;
    enum llhttp_errno rc = llhttp_execute(parser, head.bytes, head.size);
    reader->body_max = 0;
    bool is_good = rc == HPE_OK || (rc == HPE_PAUSED && reader->parser_ended);
    if (!is_good || request->header_count != reader->gate.header_count)
        return refuse(reader, 400, "this is not well-formed HTTP");
    request->is_http10 = llhttp_get_http_minor(parser) == 0;
    const char *reason = check_headers(request);
    if (reason != NULL)
        return refuse(reader, 400, reason);
    split_target(request);
    reader->phase = READ_HEAD_ENDED;
    return HTTP_READ_HEAD;
}

static enum http_read feed_head(struct http_reader *reader, struct str bytes, size_t *out_used)
{
    bool ended = false;
    int status = http_gate_pass(&reader->gate, bytes, out_used, &ended);
    if (status != 0)
        return refuse(reader, status, gate_reason(status));
    buf_add(&reader->head, bytes.bytes, *out_used);
    return ended ? parse_head(reader) : HTTP_READ_MORE;
}

/* ---- the body ---- */

static enum http_read begin_body(struct http_reader *reader)
{
    struct http_request *request = reader->request;
    if (request->content_length > reader->body_max)
        return refuse(reader, 413, "the body is larger than is allowed here");
    bool has_body = request->is_chunked || request->content_length > 0;
    if (has_body == reader->parser_ended)
        return refuse(reader, 400, "the length of the body is not clear");
    reader->body_left = request->content_length;
    reader->phase = !has_body ? READ_ENDED : request->is_chunked ? READ_CHUNKS : READ_LENGTH;
    if (request->is_chunked)
        http_gate_expect_chunks(&reader->gate);
    return HTTP_READ_MORE;
}

static enum http_read parse_body(struct http_reader *reader, struct str bytes, bool is_last)
{
    llhttp_t *parser = reader->parser;
    enum llhttp_errno rc = llhttp_execute(parser, bytes.bytes, bytes.size);
    if (rc == HPE_USER && !reader->parser_ended)
        return refuse(reader, 413, "the body is larger than is allowed here");
    bool is_good = rc == HPE_OK || (rc == HPE_PAUSED && reader->parser_ended);
    if (!is_good || reader->parser_ended != is_last)
        return refuse(reader, 400, "the body is not well-formed");
    if (is_last)
        reader->phase = READ_ENDED;
    return is_last ? HTTP_READ_REQUEST : HTTP_READ_MORE;
}

static enum http_read feed_chunks(struct http_reader *reader, struct str bytes, size_t *out_used)
{
    bool ended = false;
    int status = http_gate_pass(&reader->gate, bytes, out_used, &ended);
    if (status != 0)
        return refuse(reader, status, "the chunks of the body are not well-formed");
    return parse_body(reader, str_slice(bytes, 0, *out_used), ended);
}

static enum http_read feed_length(struct http_reader *reader, struct str bytes, size_t *out_used)
{
    size_t size = reader->body_left < bytes.size ? (size_t)reader->body_left : bytes.size;
    reader->body_left -= size;
    *out_used = size;
    return parse_body(reader, str_slice(bytes, 0, size), reader->body_left == 0);
}

enum http_read http_reader_feed(struct http_reader *reader, struct str bytes, size_t *out_used)
{
    *out_used = 0;
    if (reader->phase == READ_HEAD_ENDED && begin_body(reader) == HTTP_READ_REFUSED)
        return HTTP_READ_REFUSED;
    if (reader->phase == READ_ENDED)
        return HTTP_READ_REQUEST;
    if (reader->phase == READ_BROKEN)
        return HTTP_READ_REFUSED;
    if (bytes.size == 0)
        return HTTP_READ_MORE;
    switch ((enum reader_phase)reader->phase) {
    case READ_HEAD:
        return feed_head(reader, bytes, out_used);
    case READ_CHUNKS:
        return feed_chunks(reader, bytes, out_used);
    case READ_LENGTH:
        return feed_length(reader, bytes, out_used);
    case READ_HEAD_ENDED:
    case READ_ENDED:
    case READ_BROKEN:
        break;
    }
    return HTTP_READ_MORE;
}

struct http_request *http_reader_take(struct http_reader *reader)
{
    ASSERT(reader->phase == READ_ENDED);
    struct http_request *request = reader->request;
    reader->request = NULL;
    begin(reader);
    return request;
}
