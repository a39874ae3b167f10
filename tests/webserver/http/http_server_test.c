// SPDX-License-Identifier: Apache-2.0
/* A server and a raw client on one loop. Where a deadline is waited for, times are divided by 100,
 * so that 10 s are 100 ms; elsewhere they are as they are, however slow the machine. */
#include "webserver/http/http_conn.h"
#include "webserver/http/http_server.h"

#include "common/loop/stream.h"
#include "common/loop/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct stream client;
    struct buf got;
    bool is_connected, has_ended, is_closed, is_client_closed;
    const char *wanted;
    bool is_there;
    /* What the handlers saw. */
    uint32_t request_count, gone_count;
    struct http_request *held; /* answered later */
    struct timer later;
    bool later_closed;
};

static struct fixture f;

static void look(void)
{
    f.is_there = f.wanted != NULL && f.got.bytes != NULL && strstr(f.got.bytes, f.wanted) != NULL;
}

static void on_client_connect(struct stream *stream, int rc)
{
    assert_int_equal(rc, 0);
    f.is_connected = true;
    stream_read_start(stream);
}

static void on_client_read(struct stream *stream, struct str bytes)
{
    (void)stream;
    buf_add_str(&f.got, bytes);
    look();
}

static void on_client_end(struct stream *stream, int rc)
{
    (void)stream, (void)rc;
    f.has_ended = true;
}

static const struct stream_events CLIENT_EVENTS = {
    .on_connect = on_client_connect,
    .on_read = on_client_read,
    .on_end = on_client_end,
};

static void on_later(struct timer *timer)
{
    (void)timer;
    struct http_request *request = f.held;
    f.held = NULL;
    http_answer(request, 200, "text/plain", STR("late"));
}

static void on_stream_gone(struct http_request *request)
{
    f.gone_count++;
    http_stream_end(request);
}

enum { LARGE = 8 << 20 };

static struct str large_body(struct arena *arena)
{
    char *bytes = arena_alloc(arena, LARGE);
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (char)('a' + i % 23 + i / 70000 % 3);
    return (struct str) { bytes, LARGE };
}

static void on_request(void *owner, struct http_request *request)
{
    (void)owner;
    f.request_count++;
    if (str_is(request->path, "/late")) {
        f.held = request;
        timer_once(&f.later, 30);
    } else if (str_is(request->path, "/stream")) {
        request->on_gone = on_stream_gone;
        http_stream_start(request, 200, "text/event-stream");
        (void)http_stream_write(request, STR("one"));
        (void)http_stream_write(request, STR("two"));
        f.held = request;
    } else if (str_is(request->path, "/large")) {
        http_answer(request, 200, "application/octet-stream", large_body(&request->arena));
    } else if (str_is(request->path, "/pieces")) {
        struct str body = large_body(&request->arena);
        for (size_t at = 0; at < body.size; at += 50000)
            http_pile_add(request, str_slice(body, at, at + 50000));
        assert_true(http_pile_hash(request) == str_fingerprint(body));
        http_answer_pile(request, 200, "application/octet-stream");
    } else if (str_is(request->path, "/problem")) {
        http_answer_problem(request, 404, "no \"%s\" here", "x");
    } else {
        struct str text = str_format(&request->arena, "[%.*s|%.*s|%zu]", STR_ARG(request->method),
                                     STR_ARG(request->path), request->body.size);
        http_answer(request, 200, "text/plain", text);
    }
}

static uint64_t body_max(void *owner, const struct http_request *request)
{
    (void)owner;
    return str_is(request->path, "/small") ? 10 : 1 << 20;
}

static void set_true(void *owner)
{
    *(bool *)owner = true;
}

static void open_server(int64_t time_divisor)
{
    f = (struct fixture) { 0 };
    assert_int_equal(loop_new(&f.loop, NULL), 0);
    struct http_server_options options = { .host = "127.0.0.1",
                                           .on_request = on_request,
                                           .body_max = body_max,
                                           .connections_max = 3,
                                           .time_divisor = time_divisor };
    assert_int_equal(http_server_open(&f.server, f.loop, &options, NULL), 0);
    timer_open(&f.later, f.loop, on_later, NULL);
}

static int setup(void **state)
{
    (void)state;
    open_server(1);
    return 0;
}

static int setup_quick(void **state)
{
    (void)state;
    open_server(100);
    return 0;
}

static void connect_client(void)
{
    f.is_connected = f.has_ended = f.is_client_closed = false;
    buf_reset(&f.got);
    assert_int_equal(stream_connect_tcp(&f.client, f.loop, "127.0.0.1", http_server_port(f.server),
                                        &CLIENT_EVENTS, NULL),
                     0);
    f.client.owner = &f.is_client_closed;
    assert_true(loop_run_until(f.loop, &f.is_connected, 60000));
}

static void close_client(void)
{
    stream_close(&f.client, set_true);
    assert_true(loop_run_until(f.loop, &f.is_client_closed, 60000));
}

static int teardown(void **state)
{
    (void)state;
    timer_close(&f.later, set_true);
    f.later.owner = &f.later_closed;
    http_server_close(f.server, 100, set_true, &f.is_closed);
    assert_true(loop_run_until(f.loop, &f.is_closed, 60000));
    assert_true(loop_run_until(f.loop, &f.later_closed, 60000));
    loop_free(f.loop);
    buf_clear(&f.got);
    return 0;
}

static void say(const char *text)
{
    assert_true(stream_write(&f.client, str_of(text)) >= 0);
}

static void expect(const char *text)
{
    f.wanted = text;
    look();
    if (!f.is_there && !loop_run_until(f.loop, &f.is_there, 60000))
        fail_msg("\"%s\" did not come; there is: %.400s", text,
                 f.got.bytes == NULL ? "" : f.got.bytes);
    f.wanted = NULL;
    f.is_there = false;
}

static void expect_end(void)
{
    assert_true(f.has_ended || loop_run_until(f.loop, &f.has_ended, 60000));
}

static void turn(void)
{
    bool never = false;
    (void)loop_run_until(f.loop, &never, 5);
}

static void a_request_is_answered_with_security_headers_and_the_connection_lives_on(void **state)
{
    (void)state;
    connect_client();
    say("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("[GET|/a|0]");
    expect("HTTP/1.1 200 OK\r\nDate: ");
    expect("Content-Security-Policy: default-src 'none'");
    expect("X-Content-Type-Options: nosniff");
    expect("Cache-Control: no-store");
    expect("X-Request-Id: ");
    say("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    expect("[POST|/b|3]");
    say("HEAD /c HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("Content-Length: 10\r\n"); /* of the body that a GET would have */
    say("GET /d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    expect("[GET|/d|0]");
    expect("Connection: close");
    expect_end();
    assert_null(strstr(f.got.bytes, "[HEAD"));
    close_client();
}

static void pipelined_requests_are_answered_in_order_though_the_first_is_late(void **state)
{
    (void)state;
    connect_client();
    say("GET /late HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\nGET /c "
        "HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("[GET|/c|0]");
    const char *late = strstr(f.got.bytes, "late"), *b = strstr(f.got.bytes, "/b|"),
               *c = strstr(f.got.bytes, "/c|");
    assert_true(late != NULL && late < b && b < c);
    close_client();
}

static void a_stream_is_chunked_and_ends(void **state)
{
    (void)state;
    connect_client();
    say("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("3\r\none\r\n3\r\ntwo\r\n");
    http_stream_end(f.held);
    expect("0\r\n\r\n");
    say("GET /after HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("[GET|/after|0]");
    close_client();
}

static void a_client_that_leaves_ends_its_stream_and_loses_a_late_answer(void **state)
{
    (void)state;
    connect_client();
    say("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("two");
    close_client();
    for (int i = 0; i < 100 && f.gone_count == 0; i++)
        turn();
    assert_int_equal(f.gone_count, 1);
    connect_client();
    say("GET /late HTTP/1.1\r\nHost: h\r\n\r\n");
    while (f.held == NULL)
        turn();
    close_client();
    while (f.held != NULL)
        turn();
    assert_int_equal(f.request_count, 2);
}

static void check_large(void)
{
    struct arena arena = { 0 };
    struct str wanted = large_body(&arena);
    const char *body = strstr(f.got.bytes, "\r\n\r\n") + 4;
    struct str got = str_slice(buf_str(&f.got), (size_t)(body - f.got.bytes), f.got.size);
    assert_non_null(strstr(f.got.bytes, "Content-Length: 8388608\r\n"));
    assert_true(str_eq(got, wanted));
    arena_clear(&arena);
}

static void a_large_answer_arrives_whole(void **state)
{
    (void)state;
    static const char *const PATHS[] = { "/large", "/pieces" };
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        char request[100];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                 PATHS[i]);
        connect_client();
        say(request);
        expect_end();
        check_large();
        close_client();
    }
}

static void the_head_of_a_large_answer_says_its_length(void **state)
{
    (void)state;
    connect_client();
    say("HEAD /pieces HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("Content-Length: 8388608\r\n");
    expect("[GET|/next|0]");
    close_client();
}

/* However large the answer and slow the client: the rest of it is in a file that nobody sees. */
static void what_a_client_has_not_taken_yet_is_not_in_memory(void **state)
{
    (void)state;
    connect_client();
    stream_read_stop(&f.client);
    say("GET /pieces HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    while (f.request_count == 0)
        turn();
    const struct http_conn *conn = f.server->first;
    assert_true(conn->stream.queued > 0);
    assert_true(conn->stream.queued < HTTP_HIGH_WATER + HTTP_PIECE_SIZE);
    stream_shutdown(&f.client); /* it has said all that it wanted to say, and goes on reading */
    stream_read_start(&f.client);
    expect_end();
    check_large();
    close_client();
}

static void an_answer_for_which_the_disk_has_no_room_is_refused(void **state)
{
    (void)state;
    f.server->options.folder = "/nowhere";
    connect_client();
    say("GET /pieces HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("HTTP/1.1 503 ");
    expect("Retry-After: 5");
    expect("No such file or directory");
    say("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("[GET|/next|0]");
    close_client();
}

static void a_client_that_takes_nothing_of_its_answer_is_let_go(void **state)
{
    (void)state;
    connect_client();
    stream_read_stop(&f.client);
    say("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    while (f.request_count == 0)
        turn();
    while (f.server->conn_count > 0) /* 30 s, divided by 100 */
        turn();
    stream_read_start(&f.client);
    expect_end();
    assert_true(f.got.size < 8 << 20);
    close_client();
}

static void a_body_is_limited_by_its_route_before_it_is_read(void **state)
{
    (void)state;
    connect_client();
    say("POST /small HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    expect("HTTP/1.1 413 ");
    expect_end();
    assert_null(strstr(f.got.bytes, "100 Continue"));
    close_client();
    connect_client();
    say("POST /small HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    expect("HTTP/1.1 100 Continue\r\n\r\n");
    say("abcd");
    expect("[POST|/small|4]");
    close_client();
}

static void a_refusal_says_why_and_closes(void **state)
{
    (void)state;
    connect_client();
    say("GET / HTTP/1.1\r\nHost : h\r\n\r\n");
    expect("HTTP/1.1 400 Bad Request");
    expect("\"detail\":\"this is not well-formed HTTP\"");
    expect("Connection: close");
    expect_end();
    close_client();
    connect_client();
    say("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("HTTP/1.1 405 ");
    expect("Allow: GET, HEAD, POST");
    expect_end();
    close_client();
    assert_int_equal(f.request_count, 0);
}

static void a_slow_header_a_slow_body_and_an_idle_connection_meet_their_deadlines(void **state)
{
    (void)state;
    connect_client();
    say("GET / HTTP/1.1\r\nHo");
    expect("HTTP/1.1 408 ");
    expect_end();
    close_client();
    connect_client();
    say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
    expect("HTTP/1.1 408 ");
    expect_end();
    close_client();
    connect_client();
    int64_t begun_ms = loop_now_ms();
    expect_end(); /* 60 s, divided by 100 */
    assert_true(loop_now_ms() - begun_ms >= 500);
    assert_int_equal(f.got.size, 0);
    close_client();
}

struct others {
    struct stream streams[3]; /* as many as there are places */
    bool closed[3];
};

static void connect_others(struct others *others, const char *request)
{
    *others = (struct others) { 0 };
    for (int i = 0; i < 3; i++) {
        f.is_connected = false;
        assert_int_equal(stream_connect_tcp(&others->streams[i], f.loop, "127.0.0.1",
                                            http_server_port(f.server), &CLIENT_EVENTS,
                                            &others->closed[i]),
                         0);
        assert_true(loop_run_until(f.loop, &f.is_connected, 60000));
        assert_true(stream_write(&others->streams[i], str_of(request)) >= 0);
    }
}

static void close_others(struct others *others)
{
    for (int i = 0; i < 3; i++)
        stream_close(&others->streams[i], set_true);
    for (int i = 0; i < 3; i++)
        assert_true(others->closed[i] || loop_run_until(f.loop, &others->closed[i], 60000));
}

static void more_connections_than_allowed_are_told_to_come_later(void **state)
{
    (void)state;
    struct others others;
    connect_others(&others, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    while (f.request_count < 3)
        turn();
    connect_client();
    expect("HTTP/1.1 503 ");
    expect("Retry-After: 5");
    close_client();
    close_others(&others);
}

static void whoever_holds_a_place_and_does_nothing_gives_way(void **state)
{
    (void)state;
    static const char *const HOLDERS[] = {
        "", "GET / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"
    };
    for (size_t i = 0; i < sizeof HOLDERS / sizeof *HOLDERS; i++) {
        struct others others;
        connect_others(&others, HOLDERS[i]);
        int64_t begun_ms = loop_now_ms();
        while (loop_now_ms() - begun_ms < HTTP_GIVE_WAY_MS + 100)
            turn();
        connect_client();
        say("GET /in HTTP/1.1\r\nHost: h\r\n\r\n");
        expect("[GET|/in|0]");
        close_client();
        close_others(&others);
    }
}

static void a_problem_has_airflows_detail_and_rfc_9457s_fields(void **state)
{
    (void)state;
    connect_client();
    say("GET /problem HTTP/1.1\r\nHost: h\r\n\r\n");
    expect("Content-Type: application/problem+json");
    expect("{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"no "
           "\\\"x\\\" here\",\"request_id\":\"");
    close_client();
}

int main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define QUICK(name) cmocka_unit_test_setup_teardown(name, setup_quick, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_with_security_headers_and_the_connection_lives_on),
        TEST(pipelined_requests_are_answered_in_order_though_the_first_is_late),
        TEST(a_stream_is_chunked_and_ends),
        TEST(a_client_that_leaves_ends_its_stream_and_loses_a_late_answer),
        TEST(a_large_answer_arrives_whole),
        TEST(the_head_of_a_large_answer_says_its_length),
        TEST(what_a_client_has_not_taken_yet_is_not_in_memory),
        TEST(an_answer_for_which_the_disk_has_no_room_is_refused),
        QUICK(a_client_that_takes_nothing_of_its_answer_is_let_go),
        TEST(a_body_is_limited_by_its_route_before_it_is_read),
        TEST(a_refusal_says_why_and_closes),
        QUICK(a_slow_header_a_slow_body_and_an_idle_connection_meet_their_deadlines),
        TEST(more_connections_than_allowed_are_told_to_come_later),
        TEST(whoever_holds_a_place_and_does_nothing_gives_way),
        TEST(a_problem_has_airflows_detail_and_rfc_9457s_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
