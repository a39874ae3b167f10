// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_conn.h"

#include "common/base/assert.h"

enum { LINGER_MAX = 1 << 20, BODY_MAX = 1 << 20, BYTES_PER_SECOND = 1024 };

static void process(struct http_conn *conn);

static int64_t scaled(const struct http_conn *conn, int64_t ms)
{
    int64_t divisor = conn->server->options.time_divisor;
    return divisor > 1 ? ms / divisor : ms;
}

/* ---- the end ---- */

static void on_stream_closed(void *owner)
{
    struct http_conn *conn = owner;
    struct http_server *server = conn->server;
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        server->first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    server->conn_count--;
    metric_set(server->open, server->conn_count);
    http_reader_clear(&conn->reader);
    http_tls_free(conn->tls);
    buf_clear(&conn->in);
    free(conn);
}

void http_conn_break(struct http_conn *conn)
{
    if (conn->phase == CONN_CLOSED)
        return;
    conn->phase = CONN_CLOSED;
    defer_cancel(&conn->again);
    struct http_request *request = conn->request;
    conn->request = NULL;
    if (request != NULL) {
        request->conn = NULL;
        if (request->is_streaming && request->on_gone != NULL)
            request->on_gone(request);
    }
    stream_close(&conn->stream, on_stream_closed);
}

/* Our last byte is on its way: wait a moment for the client to read it, because closing with unread
 * input would reset. */
static void linger(struct http_conn *conn)
{
    if (conn->phase != CONN_OPEN)
        return;
    conn->phase = CONN_LINGER;
    conn->since_ms = loop_now_ms();
    buf_clear(&conn->in);
    if (conn->tls != NULL) {
        http_tls_end(conn->tls);
        http_conn_write(conn, NULL, 0);
    }
    if (conn->phase == CONN_CLOSED)
        return;
    stream_shutdown(&conn->stream);
    if (conn->reading_stopped && !conn->peer_ended)
        stream_read_start(&conn->stream);
    conn->reading_stopped = false;
    if (conn->peer_ended && conn->stream.queued == 0)
        http_conn_break(conn);
}

void http_conn_shut(struct http_conn *conn)
{
    if (conn->phase == CONN_OPEN && conn->request == NULL)
        http_conn_break(conn);
}

/* ---- bytes out ---- */

static void on_again(struct defer *defer)
{
    struct http_conn *conn = defer->owner;
    if (conn->is_broken)
        http_conn_break(conn);
    else
        process(conn);
}

static void broke(struct http_conn *conn)
{
    conn->is_broken = true;
    defer_call(&conn->again, conn->server->loop, on_again, conn);
}

void http_conn_write(struct http_conn *conn, const struct str *pieces, uint32_t count)
{
    if (conn->phase == CONN_CLOSED || conn->is_broken)
        return;
    if (conn->tls == NULL) {
        if (count > 0 && stream_writev(&conn->stream, pieces, count) < 0)
            broke(conn);
        return;
    }
    struct buf out = { 0 };
    int rc = 0;
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = http_tls_send(conn->tls, pieces[i]);
    http_tls_output(conn->tls, &out);
    if (out.size > 0 && stream_write(&conn->stream, buf_str(&out)) < 0)
        rc = ERR_IO;
    buf_clear(&out);
    if (rc < 0)
        broke(conn);
}

void http_conn_refuse(struct http_conn *conn, int status, const char *reason)
{
    metric_add(conn->server->refusals, 1);
    struct http_request refusal = { .status = status,
                                    .wants_close = true,
                                    .is_tls = conn->tls != NULL };
    struct str allow = STR("GET, HEAD, POST, PUT, PATCH, DELETE");
    struct http_header header = { STR("Allow"), allow };
    if (status == 405)
        VEC_ADD(&refusal.answer_headers, header);
    if (status == 503)
        VEC_ADD(&refusal.answer_headers, (struct http_header) { STR("Retry-After"), STR("5") });
    struct buf head = { 0 }, body = { 0 };
    http_problem_write(&body, status, str_of(reason), NULL);
    http_head_write(&head, &refusal, "application/problem+json", (int64_t)body.size);
    http_conn_write(conn, (struct str[]) { buf_str(&head), buf_str(&body) }, 2);
    buf_clear(&head);
    buf_clear(&body);
    VEC_CLEAR(&refusal.answer_headers);
    linger(conn);
}

void http_conn_answered(struct http_conn *conn, struct http_request *request)
{
    struct http_server *server = conn->server;
    ASSERT(conn->request == request);
    conn->request = NULL;
    char status[2] = { (char)('0' + request->status / 100), 0 };
    metric_add(metric_with(server->requests, "class", str_of(status)), 1);
    metric_observe(server->seconds, (double)(loop_now_ms() - request->begun_ms) / 1000.0);
    if (server->options.on_answered != NULL)
        server->options.on_answered(server->options.owner, request);
    bool is_last = request->wants_close || conn->peer_ended || server->is_closing;
    http_request_free(request);
    conn->since_ms = loop_now_ms();
    if (is_last && conn->phase == CONN_OPEN)
        linger(conn);
    else if (!conn->is_processing && conn->phase == CONN_OPEN)
        defer_call(&conn->again, server->loop, on_again, conn);
}

/* ---- bytes in ---- */

static void begin_body(struct http_conn *conn)
{
    const struct http_server_options *options = &conn->server->options;
    struct http_reader *reader = &conn->reader;
    reader->body_max =
        options->body_max == NULL ? BODY_MAX : options->body_max(options->owner, reader->request);
    conn->since_ms = loop_now_ms();
    conn->body_begun = true;
    bool is_coming =
        reader->request->is_chunked || (reader->request->content_length > 0 &&
                                        reader->request->content_length <= reader->body_max);
    if (reader->request->expects_continue && !reader->request->is_http10 && is_coming)
        http_conn_write(conn, (struct str[]) { STR("HTTP/1.1 100 Continue\r\n\r\n") }, 1);
}

static void begin_request(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    struct http_request *request = http_reader_take(&conn->reader);
    uint64_t id = (server->id_seed ^ ++server->request_count) * 0x9E3779B97F4A7C15ULL;
    snprintf(request->id, sizeof request->id, "%016llx", (unsigned long long)(id ^ id >> 29));
    memcpy(request->peer, conn->peer, sizeof request->peer);
    http_forwarded(request, server->options.proxies, server->options.proxy_count);
    request->is_tls = conn->tls != NULL;
    request->begun_ms = loop_now_ms();
    request->conn = conn;
    conn->request = request;
    conn->body_begun = false;
    server->options.on_request(server->options.owner, request);
}

static bool may_read(const struct http_conn *conn)
{
    return conn->phase == CONN_OPEN && conn->request == NULL && !conn->is_broken &&
           conn->stream.queued < HTTP_HIGH_WATER;
}

static void process(struct http_conn *conn)
{
    if (conn->is_processing)
        return;
    conn->is_processing = true;
    size_t at = 0;
    enum http_read read = HTTP_READ_HEAD;
    while (may_read(conn) && read != HTTP_READ_MORE) {
        size_t used = 0;
        bool was_idle = http_reader_is_idle(&conn->reader);
        read = http_reader_feed(&conn->reader, str_slice(buf_str(&conn->in), at, conn->in.size),
                                &used);
        at += used;
        if (was_idle && used > 0)
            conn->since_ms = loop_now_ms();
        if (read == HTTP_READ_HEAD)
            begin_body(conn);
        else if (read == HTTP_READ_REQUEST)
            begin_request(conn);
        else if (read == HTTP_READ_REFUSED)
            http_conn_refuse(conn, conn->reader.status, conn->reader.reason);
    }
    conn->is_processing = false;
    if (conn->phase != CONN_OPEN)
        return;
    buf_consume(&conn->in, at);
    if (conn->peer_ended && conn->request == NULL && read == HTTP_READ_MORE)
        linger(conn); /* half a request, or none: nothing more will come */
    else if (conn->in.size >= HTTP_UNREAD_MAX && !conn->reading_stopped) {
        stream_read_stop(&conn->stream);
        conn->reading_stopped = true;
    } else if (conn->in.size < HTTP_UNREAD_MAX && conn->reading_stopped && !conn->peer_ended) {
        conn->reading_stopped = false;
        stream_read_start(&conn->stream);
    }
}

static struct http_conn *conn_of(struct stream *stream)
{
    return stream->owner;
}

static void on_read(struct stream *stream, struct str bytes)
{
    struct http_conn *conn = conn_of(stream);
    if (conn->phase == CONN_LINGER) {
        conn->lingered += bytes.size;
        if (conn->lingered > LINGER_MAX)
            http_conn_break(conn);
        return;
    }
    if (conn->phase == CONN_CLOSED)
        return;
    if (conn->tls == NULL) {
        buf_add_str(&conn->in, bytes);
        process(conn);
        return;
    }
    int rc = http_tls_receive(conn->tls, bytes, &conn->in);
    http_conn_write(conn, NULL, 0); /* of the handshake */
    if (rc < 0)
        http_conn_break(conn);
    else
        process(conn);
}

static void on_end(struct stream *stream, int rc)
{
    struct http_conn *conn = conn_of(stream);
    conn->peer_ended = true;
    bool is_waited_for = conn->phase == CONN_OPEN && rc == 0 && conn->request != NULL &&
                         (!conn->request->is_streaming || conn->request->is_sending);
    bool is_unsent = conn->phase == CONN_LINGER && rc == 0 && conn->stream.queued > 0;
    if (is_waited_for || is_unsent)
        return; /* a client may finish sending before it reads */
    if (rc == 0 && conn->phase == CONN_OPEN && conn->request == NULL && conn->stream.queued > 0) {
        linger(conn);
        return;
    }
    http_conn_break(conn);
}

static void on_drain(struct stream *stream)
{
    struct http_conn *conn = conn_of(stream);
    struct http_request *request = conn->request;
    if (conn->phase == CONN_OPEN && request != NULL && request->is_streaming &&
        request->on_more != NULL)
        request->on_more(request);
    if (conn->phase == CONN_OPEN && conn->request == NULL)
        process(conn);
}

static const struct stream_events EVENTS = {
    .on_read = on_read,
    .on_end = on_end,
    .on_drain = on_drain,
    .high_water = HTTP_HIGH_WATER,
};

/* ---- time ---- */

static void check_open(struct http_conn *conn, int64_t waited_ms)
{
    if (conn->body_begun) {
        int64_t received = (int64_t)conn->reader.request->body.size;
        int64_t allowed_ms = scaled(conn, HTTP_BODY_MS + received * 1000 / BYTES_PER_SECOND);
        if (waited_ms > allowed_ms)
            http_conn_refuse(conn, 408, "the body came too slowly");
        return;
    }
    bool is_shaking_hands = conn->tls != NULL && !http_tls_is_ready(conn->tls);
    if (http_reader_is_idle(&conn->reader) && !is_shaking_hands) {
        if (waited_ms > scaled(conn, HTTP_IDLE_MS))
            linger(conn);
        return;
    }
    if (waited_ms <= scaled(conn, HTTP_HEAD_MS))
        return;
    if (is_shaking_hands)
        http_conn_break(conn);
    else
        http_conn_refuse(conn, 408, "the header came too slowly");
}

void http_conn_sweep(struct http_conn *conn, int64_t now_ms)
{
    if (conn->phase == CONN_CLOSED)
        return;
    bool is_stalled =
        conn->stream.queued > 0 && now_ms - conn->stream.progress_ms > scaled(conn, HTTP_STALL_MS);
    bool has_lingered = conn->phase == CONN_LINGER &&
                        now_ms - conn->since_ms > scaled(conn, HTTP_LINGER_MS) &&
                        conn->stream.queued == 0;
    if (is_stalled || has_lingered)
        http_conn_break(conn);
    else if (conn->phase == CONN_OPEN && conn->request == NULL)
        check_open(conn, now_ms - conn->since_ms);
}

/* ---- the beginning ---- */

/* When all places are taken, who has kept us waiting longest gives way: between two requests, or in
 * the middle of a slow one. Clients that hold connections and do nothing thus shut nobody out.
 * False when nobody has waited HTTP_GIVE_WAY_MS. */
static bool make_room(struct http_server *server, const struct http_conn *newcomer)
{
    struct http_conn *longest = NULL;
    for (struct http_conn *conn = server->first; conn != NULL; conn = conn->next) {
        bool is_waiting = conn->phase != CONN_CLOSED && conn->request == NULL && conn != newcomer;
        if (is_waiting && (longest == NULL || conn->since_ms < longest->since_ms))
            longest = conn;
    }
    if (longest == NULL || loop_now_ms() - longest->since_ms < scaled(longest, HTTP_GIVE_WAY_MS))
        return false;
    metric_add(server->gave_way, 1);
    http_conn_break(longest);
    return true;
}

void http_conn_accept(struct http_server *server)
{
    struct http_conn *conn = calloc(1, sizeof *conn);
    ASSERT(conn != NULL);
    conn->server = server;
    if (stream_accept(&conn->stream, &server->listener, &EVENTS, conn) < 0) {
        free(conn);
        return;
    }
    http_reader_init(&conn->reader);
    conn->since_ms = loop_now_ms();
    stream_peer(&conn->stream, conn->peer);
    if (server->tls != NULL)
        conn->tls = http_tls_new(server->tls);
    conn->next = server->first;
    if (server->first != NULL)
        server->first->prev = conn;
    server->first = conn;
    server->conn_count++;
    metric_set(server->open, server->conn_count);
    stream_read_start(&conn->stream);
    uint32_t most = server->options.connections_max == 0 ? 1000 : server->options.connections_max;
    if (server->conn_count <= most || make_room(server, conn))
        return;
    if (conn->tls == NULL)
        http_conn_refuse(conn, 503, "too many connections");
    else
        http_conn_break(conn);
}
