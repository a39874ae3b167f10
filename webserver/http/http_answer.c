// SPDX-License-Identifier: Apache-2.0
/* Requests as objects, and their answers as bytes. */
#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/text/json.h"
#include "webserver/http/http_conn.h"
#include "webserver/http/http_pile.h"

#include <strings.h>

struct http_request *http_request_new(void)
{
    struct http_request *request = calloc(1, sizeof *request);
    ASSERT(request != NULL);
    return request;
}

void http_request_free(struct http_request *request)
{
    if (request == NULL)
        return;
    VEC_CLEAR(&request->answer_headers);
    http_pile_free(request->pile);
    buf_clear(&request->body);
    arena_clear(&request->arena);
    free(request);
}

struct str http_header(const struct http_request *request, const char *name)
{
    size_t size = strlen(name);
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (header->name.size == size && strncasecmp(header->name.bytes, name, size) == 0)
            return header->value;
    }
    return (struct str) { NULL, 0 };
}

struct str http_param(const struct http_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->param_count; i++)
        if (str_is(request->params[i].name, name))
            return request->params[i].value;
    return (struct str) { NULL, 0 };
}

struct str http_cookie(const struct http_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (header->name.size != 6 || strncasecmp(header->name.bytes, "cookie", 6) != 0)
            continue;
        struct str rest = header->value, pair;
        while (str_split(&rest, ';', &pair)) {
            struct str key;
            pair = str_trim(pair);
            (void)str_split(&pair, '=', &key);
            if (str_is(key, name) && pair.bytes != NULL)
                return pair;
        }
    }
    return (struct str) { NULL, 0 };
}

void http_set_header(struct http_request *request, const char *name, struct str value)
{
    for (size_t i = 0; i < value.size; i++)
        ASSERT((unsigned char)value.bytes[i] >= ' ' && value.bytes[i] != 0x7F);
    struct http_header header = { str_copy(&request->arena, str_of(name)),
                                  str_copy(&request->arena, value) };
    VEC_ADD(&request->answer_headers, header);
}

/* ---- the head of an answer ---- */

/* On every answer, also on those that no page reads: a page must not be made of an API answer. */
static const char SECURITY_HEADERS[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
    "'self' data:; "
    "connect-src 'self'; font-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types headrace\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n";

static void add_date(struct buf *out)
{
    static const char *const DAYS[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const MONTHS[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int64_t now_ms = loop_wall_ms();
    struct civil now = civil_of_ms(now_ms);
    buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
               DAYS[civil_weekday(now_ms / MS_PER_DAY)], now.day, MONTHS[now.month - 1], now.year,
               now.hour, now.minute, now.second);
}

static bool has_answer_header(const struct http_request *request, const char *name)
{
    VEC_EACH (&request->answer_headers, i)
        if (strcasecmp(request->answer_headers.items[i].name.bytes, name) == 0)
            return true;
    return false;
}

void http_head_write(struct buf *out, const struct http_request *request, const char *content_type,
                     int64_t length)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\n", request->status, http_status_phrase(request->status));
    add_date(out);
    if (content_type != NULL)
        buf_printf(out, "Content-Type: %s\r\n", content_type);
    bool has_no_length = request->status == 204 || request->status == 304;
    if (length >= 0 && !has_no_length)
        buf_printf(out, "Content-Length: %lld\r\n", (long long)length);
    else if (length < 0 && !request->is_http10)
        buf_add_cstr(out, "Transfer-Encoding: chunked\r\n");
    if (request->wants_close)
        buf_add_cstr(out, "Connection: close\r\n");
    if (!has_answer_header(request, "Cache-Control"))
        buf_add_cstr(out, "Cache-Control: no-store\r\n");
    if (request->id[0] != 0)
        buf_printf(out, "X-Request-Id: %s\r\n", request->id);
    buf_add(out, SECURITY_HEADERS, sizeof SECURITY_HEADERS - 1);
    if (request->is_tls)
        buf_add_cstr(out, "Strict-Transport-Security: max-age=31536000\r\n");
    VEC_EACH (&request->answer_headers, i) {
        const struct http_header *header = &request->answer_headers.items[i];
        buf_printf(out, "%.*s: %.*s\r\n", STR_ARG(header->name), STR_ARG(header->value));
    }
    buf_add_cstr(out, "\r\n");
}

/* ---- whole answers ---- */

/* Answers that the client need not have taken before others go on, or their memory is theirs. */
static bool is_large(const struct http_request *request, struct str body)
{
    return body.size > HTTP_HIGH_WATER && request->conn != NULL && request->verb != VERB_HEAD;
}

void http_answer(struct http_request *request, int status, const char *content_type,
                 struct str body)
{
    ASSERT(request->status == 0);
    if (content_type != NULL && is_large(request, body)) {
        http_pile_free(request->pile);
        request->pile = NULL;
        http_pile_add(request, body);
        http_answer_pile(request, status, content_type);
        return;
    }
    request->status = status;
    request->answer_size = body.size;
    struct http_conn *conn = request->conn;
    if (conn == NULL) {
        http_request_free(request);
        return;
    }
    struct buf head = { 0 };
    http_head_write(&head, request, content_type, (int64_t)body.size);
    bool has_body = request->verb != VERB_HEAD && content_type != NULL;
    http_conn_write(conn, (struct str[]) { buf_str(&head), body }, has_body ? 2 : 1);
    buf_clear(&head);
    http_conn_answered(conn, request);
}

void http_problem_write(struct buf *out, int status, struct str detail, const char *request_id)
{
    buf_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":",
               http_status_phrase(status), status);
    json_write_string(out, detail);
    if (request_id != NULL && request_id[0] != 0)
        buf_printf(out, ",\"request_id\":\"%s\"", request_id);
    buf_add_cstr(out, "}");
}

/* Clients of Airflow's API read only application/json; RFC 9457 has a type of its own. */
static const char *problem_type(const struct http_request *request)
{
    bool is_airflow = str_starts(request->path, "/api/v2/") || str_starts(request->path, "/auth/");
    return is_airflow ? "application/json" : "application/problem+json";
}

void http_answer_problem(struct http_request *request, int status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str detail = str_formatv(&request->arena, fmt, args);
    va_end(args);
    struct buf body = { 0 };
    http_problem_write(&body, status, detail, request->id);
    http_answer(request, status, problem_type(request), buf_str(&body));
    buf_clear(&body);
}

/* ---- piles ---- */

void http_pile_add(struct http_request *request, struct str piece)
{
    if (request->conn == NULL)
        return;
    if (request->pile == NULL)
        request->pile = http_pile_new();
    http_pile_put(request->pile, request->conn->server->options.folder, piece);
}

uint64_t http_pile_size(const struct http_request *request)
{
    return request->pile == NULL ? 0 : request->pile->size;
}

bool http_pile_has_failed(const struct http_request *request)
{
    return request->pile != NULL && request->pile->problem != 0;
}

uint64_t http_pile_hash(const struct http_request *request)
{
    return request->pile == NULL ? str_fingerprint(STR_EMPTY) : request->pile->hash;
}

struct str http_pile_text(const struct http_request *request, struct arena *arena)
{
    struct http_pile *pile = request->pile;
    if (pile == NULL || pile->file == NULL)
        return pile == NULL ? STR_EMPTY : buf_str(&pile->small);
    char *text = arena_alloc(arena, pile->size);
    size_t size = http_pile_take(pile, text, pile->size);
    pile->taken = 0;
    return (struct str) { text, size };
}

/* As much as the client takes. A file that fails breaks the connection off: the length has been
 * said. */
static void send_pile(struct http_request *request)
{
    struct http_conn *conn = request->conn;
    struct http_pile *pile = request->pile;
    char bytes[HTTP_PIECE_SIZE];
    while (pile->taken < pile->size && conn->stream.queued < HTTP_HIGH_WATER) {
        struct str piece = { bytes, http_pile_take(pile, bytes, sizeof bytes) };
        if (piece.size == 0) {
            http_conn_break(conn);
            return;
        }
        http_conn_write(conn, &piece, 1);
    }
    if (pile->taken == pile->size)
        http_conn_answered(conn, request);
}

void http_answer_pile(struct http_request *request, int status, const char *content_type)
{
    struct http_pile *pile = request->pile;
    if (http_pile_has_failed(request)) {
        http_set_header(request, "Retry-After", STR("5"));
        http_answer_problem(request, 503,
                            "there is no room for so large an answer on the web server: %s",
                            strerror(pile->problem));
        return;
    }
    if (pile == NULL || pile->file == NULL || request->conn == NULL || request->verb == VERB_HEAD) {
        struct str body = STR_EMPTY;
        if (pile != NULL)
            body = (struct str) { pile->small.bytes, pile->size };
        http_answer(request, status, content_type, body);
        return;
    }
    ASSERT(request->status == 0);
    request->status = status;
    request->answer_size = pile->size;
    request->is_streaming = request->is_sending = true;
    request->on_more = send_pile;
    request->on_gone = http_request_free;
    struct buf head = { 0 };
    http_head_write(&head, request, content_type, (int64_t)pile->size);
    http_conn_write(request->conn, (struct str[]) { buf_str(&head) }, 1);
    buf_clear(&head);
    send_pile(request);
}

/* ---- streams ---- */

void http_stream_start(struct http_request *request, int status, const char *content_type)
{
    ASSERT(request->status == 0);
    request->status = status;
    request->is_streaming = true;
    if (request->is_http10)
        request->wants_close = true;
    if (request->conn == NULL)
        return;
    struct buf head = { 0 };
    http_head_write(&head, request, content_type, -1);
    struct str piece = buf_str(&head);
    http_conn_write(request->conn, &piece, 1);
    buf_clear(&head);
}

size_t http_stream_queued(const struct http_request *request)
{
    return request->conn == NULL ? 0 : request->conn->stream.queued;
}

size_t http_stream_write(struct http_request *request, struct str bytes)
{
    ASSERT(request->is_streaming);
    if (request->conn == NULL || bytes.size == 0 || request->verb == VERB_HEAD)
        return http_stream_queued(request);
    request->answer_size += bytes.size;
    if (request->is_http10) {
        http_conn_write(request->conn, &bytes, 1);
        return http_stream_queued(request);
    }
    char size_line[24];
    int size = snprintf(size_line, sizeof size_line, "%zx\r\n", bytes.size);
    struct str pieces[] = { { size_line, (size_t)size }, bytes, STR("\r\n") };
    http_conn_write(request->conn, pieces, 3);
    return http_stream_queued(request);
}

void http_stream_end(struct http_request *request)
{
    ASSERT(request->is_streaming);
    struct http_conn *conn = request->conn;
    if (conn == NULL) {
        http_request_free(request);
        return;
    }
    if (!request->is_http10 && request->verb != VERB_HEAD)
        http_conn_write(conn, (struct str[]) { STR("0\r\n\r\n") }, 1);
    http_conn_answered(conn, request);
}
