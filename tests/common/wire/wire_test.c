// SPDX-License-Identifier: Apache-2.0
#include "common/wire/wire.h"

#include "common/base/vec.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

struct world {
    struct loop *loop;
    struct metrics *metrics;
    struct wire *wire;
    struct wire_server *server;
    struct wire_client *client;
    struct wire_key server_key, client_key;
    const char *allowed_key;
    const char *sender; /* of the next client */

    int received, answered;
    VEC(uint64_t) asked; /* questions that came to the server */
    uint32_t said;       /* how many of them it has answered */
    uint64_t last_no;
    char peer[128];
    bool got, echoed, is_up, is_down, close_in_callback, closed;
    int wanted, wanted_back;
    struct err down_err;
};

static bool is_allowed(void *owner, const char *public_key)
{
    struct world *world = owner;
    return world->allowed_key != NULL && strcmp(world->allowed_key, public_key) == 0;
}

/* Answers what was asked, as far as the queue to the peer has room. */
static void answer(struct world *world)
{
    int rc = 0;
    while (rc == 0 && world->said < world->asked.count) {
        struct message message = { .type = MESSAGE_WHY_ANSWER,
                                   .why_answer = { world->asked.items[world->said],
                                                   STR("because") } };
        rc = wire_server_send(world->server, str_of(world->peer), &message, NULL);
        assert_true(rc == 0 || rc == ERR_LIMIT);
        world->said += rc == 0;
    }
}

static void on_server_message(struct wire_server *server, struct str peer,
                              const struct message *message)
{
    struct world *world = wire_server_owner(server);
    world->received++;
    assert_true(message->message_no > world->last_no);
    world->last_no = message->message_no;
    snprintf(world->peer, sizeof world->peer, "%.*s", STR_ARG(peer));
    world->got = world->received >= world->wanted;
    if (world->close_in_callback) {
        wire_server_close(server);
        world->server = NULL;
        return;
    }
    if (message->type == MESSAGE_WHY_QUESTION) {
        VEC_ADD(&world->asked, message->why_question.question_no);
        answer(world);
    }
}

static void on_client_message(struct wire_client *client, const struct message *message)
{
    struct world *world = wire_client_owner(client);
    assert_int_equal(message->type, MESSAGE_WHY_ANSWER);
    assert_int_equal(message->why_answer.question_no, world->answered++);
    world->echoed = world->answered >= world->wanted_back;
}

static void on_state(struct wire_client *client, bool is_up, const struct err *why)
{
    struct world *world = wire_client_owner(client);
    world->is_up = is_up;
    if (is_up)
        return;
    world->is_down = true;
    world->down_err = *why;
}

static void on_closed(void *owner)
{
    ((struct world *)owner)->closed = true;
}

static void setup(struct world *world)
{
    *world =
        (struct world) { .wanted = 1, .wanted_back = 1, .sender = "w-1", .metrics = metrics_new() };
    assert_int_equal(loop_new(&world->loop, NULL), 0);
    assert_int_equal(wire_open(&world->wire, world->loop, world->metrics, NULL), 0);
}

static void teardown(struct world *world)
{
    wire_close(world->wire, on_closed, world);
    assert_true(loop_run_until(world->loop, &world->closed, 5000));
    loop_free(world->loop);
    metrics_free(world->metrics);
    VEC_CLEAR(&world->asked);
}

static int open_server(struct world *world, const char *endpoint, const struct wire_key *key,
                       struct err *err)
{
    struct wire_server_options options = { .name = "server",
                                           .endpoint = endpoint,
                                           .key = key,
                                           .is_allowed = is_allowed,
                                           .on_message = on_server_message,
                                           .owner = world };
    return wire_server_open(&world->server, world->wire, &options, err);
}

static int open_client(struct world *world, const char *endpoint, const char *server_key,
                       struct err *err)
{
    struct wire_client_options options = { .name = "client",
                                           .endpoint = endpoint,
                                           .sender = world->sender,
                                           .key = &world->client_key,
                                           .server_key = server_key,
                                           .on_state = on_state,
                                           .on_message = on_client_message,
                                           .owner = world };
    return wire_client_open(&world->client, world->wire, &options, err);
}

static void connect_plain(struct world *world, const char *endpoint)
{
    struct err err = { 0 };
    if (open_server(world, endpoint, NULL, &err) < 0 ||
        open_client(world, wire_server_endpoint(world->server), NULL, &err) < 0)
        fail_msg("%s", err.sentence);
    assert_true(loop_run_until(world->loop, &world->is_up, 5000));
}

static int ask(struct world *world, uint64_t number)
{
    struct message message = { .type = MESSAGE_WHY_QUESTION, .why_question = { number, 1, 2, -1 } };
    return wire_client_send(world->client, &message, NULL);
}

static double counted(struct world *world, const char *name, const char *label, const char *value)
{
    return metric_value(
        metric_with(metrics_counter(world->metrics, name, ""), label, str_of(value)));
}

static void a_question_is_answered(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    connect_plain(&world, "tcp://127.0.0.1:0");
    assert_false(wire_server_knows(world.server, STR("w-1")));
    assert_int_equal(ask(&world, 0), 0);
    assert_true(loop_run_until(world.loop, &world.echoed, 5000));
    assert_string_equal(world.peer, "w-1");
    assert_true(wire_server_knows(world.server, STR("w-1")));
    assert_true(counted(&world, "headrace_wire_received_total", "socket", "server") == 1);
    assert_true(counted(&world, "headrace_wire_received_total", "socket", "client") == 1);
    teardown(&world);
}

static void it_works_over_a_unix_socket(void **state)
{
    (void)state;
    struct world world;
    char endpoint[80];
    setup(&world);
    snprintf(endpoint, sizeof endpoint, "ipc:///tmp/headrace-wire-%d", (int)getpid());
    connect_plain(&world, endpoint);
    assert_int_equal(ask(&world, 0), 0);
    assert_true(loop_run_until(world.loop, &world.echoed, 5000));
    teardown(&world);
    assert_int_equal(access(endpoint + 6, F_OK), -1);
}

/* A burst without a pause: the edge is told once, and everything still comes. */
static void a_burst_of_ten_thousand_does_not_stall(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    struct world world;
    setup(&world);
    connect_plain(&world, "tcp://127.0.0.1:0");
    world.wanted_back = COUNT;
    bool never = false;
    int64_t end_ms = loop_now_ms() + 60000;
    for (uint64_t sent = 0; !world.echoed && loop_now_ms() < end_ms;) {
        int rc = sent < COUNT ? ask(&world, sent) : ERR_LIMIT;
        assert_true(rc == 0 || rc == ERR_LIMIT);
        sent += rc == 0;
        if (rc == 0)
            continue;
        (void)loop_run_until(world.loop, &never, 1); /* a queue is full: let both sides read */
        answer(&world);
    }
    assert_true(world.echoed);
    assert_int_equal(world.received, COUNT);
    assert_int_equal(world.answered, COUNT);
    teardown(&world);
}

static void nobody_can_be_sent_to_before_he_was_heard(void **state)
{
    (void)state;
    struct world world;
    struct message message = { .type = MESSAGE_STOP };
    setup(&world);
    assert_int_equal(open_client(&world, "tcp://127.0.0.1:1", NULL, NULL), 0);
    assert_int_equal(ask(&world, 0), ERR_UNAVAILABLE);
    assert_int_equal(open_server(&world, "tcp://127.0.0.1:0", NULL, NULL), 0);
    assert_int_equal(wire_server_send(world.server, STR("w-1"), &message, NULL), ERR_NOT_FOUND);
    assert_true(loop_run_until(world.loop, &world.is_down, 5000));
    assert_non_null(strstr(world.down_err.sentence, "nobody answers"));
    teardown(&world);
}

static void a_peer_that_went_away_is_found_gone(void **state)
{
    (void)state;
    struct world world;
    struct message message = { .type = MESSAGE_STOP };
    setup(&world);
    connect_plain(&world, "tcp://127.0.0.1:0");
    assert_int_equal(ask(&world, 0), 0);
    assert_true(loop_run_until(world.loop, &world.got, 5000));
    wire_client_close(world.client);
    bool never = false;
    int64_t end_ms = loop_now_ms() + 5000;
    int rc = 0;
    while (rc == 0 && loop_now_ms() < end_ms) {
        rc = wire_server_send(world.server, STR("w-1"), &message, NULL);
        (void)loop_run_until(world.loop, &never, 5);
    }
    assert_int_equal(rc, ERR_NOT_FOUND);
    assert_false(wire_server_knows(world.server, STR("w-1")));
    teardown(&world);
}

static void a_server_that_comes_back_is_found_again(void **state)
{
    (void)state;
    struct world world;
    char endpoint[128];
    setup(&world);
    connect_plain(&world, "tcp://127.0.0.1:0");
    snprintf(endpoint, sizeof endpoint, "%s", wire_server_endpoint(world.server));
    wire_server_close(world.server);
    assert_true(loop_run_until(world.loop, &world.is_down, 5000));
    assert_false(wire_client_is_up(world.client));
    assert_int_equal(ask(&world, 0), ERR_UNAVAILABLE);
    /* ZeroMQ closes the port a moment later, on its own thread. */
    bool never = false;
    struct err err = { 0 };
    int rc;
    int64_t end_ms = loop_now_ms() + 5000;
    while ((rc = open_server(&world, endpoint, NULL, &err)) < 0 && loop_now_ms() < end_ms)
        (void)loop_run_until(world.loop, &never, 5);
    assert_int_equal(rc, 0);
    assert_true(loop_run_until(world.loop, &world.is_up, 10000));
    assert_int_equal(ask(&world, 0), 0);
    assert_true(loop_run_until(world.loop, &world.echoed, 5000));
    teardown(&world);
}

static void the_newest_connection_of_a_peer_gets_its_messages(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    connect_plain(&world, "tcp://127.0.0.1:0");
    assert_int_equal(ask(&world, 0), 0);
    assert_true(loop_run_until(world.loop, &world.echoed, 5000));
    struct wire_client *old = world.client;
    world.is_up = world.echoed = false;
    world.last_no = 0;
    assert_int_equal(open_client(&world, wire_server_endpoint(world.server), NULL, NULL), 0);
    assert_true(loop_run_until(world.loop, &world.is_up, 5000));
    world.answered = 0;
    assert_int_equal(ask(&world, 0), 0);
    assert_true(loop_run_until(world.loop, &world.echoed, 5000));
    wire_client_close(old);
    world.last_no = 0;
    world.wanted_back = 2;
    world.echoed = false;
    assert_int_equal(ask(&world, 1), 0);
    assert_true(loop_run_until(world.loop, &world.echoed, 5000));
    teardown(&world);
}

static void a_known_key_is_let_in_and_stands_before_its_name(void **state)
{
    (void)state;
    struct world world;
    char identity[WIRE_IDENTITY_SIZE];
    struct err err = { 0 };
    setup(&world);
    wire_key_make(&world.server_key);
    wire_key_make(&world.client_key);
    world.allowed_key = world.client_key.public_key;
    if (open_server(&world, "tcp://*:0", &world.server_key, &err) < 0)
        fail_msg("%s", err.sentence);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%s",
             strrchr(wire_server_endpoint(world.server), ':') + 1);
    assert_int_equal(open_client(&world, endpoint, world.server_key.public_key, NULL), 0);
    assert_true(loop_run_until(world.loop, &world.is_up, 5000));
    assert_int_equal(ask(&world, 0), 0);
    assert_true(loop_run_until(world.loop, &world.echoed, 5000));
    assert_int_equal(wire_key_identity(world.client_key.public_key, identity, NULL), 0);
    char expected[128];
    snprintf(expected, sizeof expected, "%s.w-1", identity);
    assert_string_equal(world.peer, expected);
    teardown(&world);
}

static void two_with_one_key_are_two_peers(void **state)
{
    (void)state;
    struct world world;
    char first[sizeof world.peer];
    setup(&world);
    wire_key_make(&world.server_key);
    wire_key_make(&world.client_key);
    world.allowed_key = world.client_key.public_key;
    assert_int_equal(open_server(&world, "tcp://127.0.0.1:0", &world.server_key, NULL), 0);
    const char *endpoint = wire_server_endpoint(world.server);
    for (int i = 0; i < 2; i++) {
        world.sender = i == 0 ? "w-1" : "w-2";
        world.is_up = world.echoed = false;
        world.last_no = 0;
        world.answered = 0;
        assert_int_equal(open_client(&world, endpoint, world.server_key.public_key, NULL), 0);
        assert_true(loop_run_until(world.loop, &world.is_up, 5000));
        assert_int_equal(ask(&world, 0), 0);
        assert_true(loop_run_until(world.loop, &world.echoed, 5000));
        if (i == 0)
            snprintf(first, sizeof first, "%s", world.peer);
    }
    assert_string_not_equal(first, world.peer);
    assert_true(wire_server_knows(world.server, str_of(first)));
    assert_true(wire_server_knows(world.server, str_of(world.peer)));
    teardown(&world);
}

static void an_unknown_key_is_refused_and_told_why(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    wire_key_make(&world.server_key);
    wire_key_make(&world.client_key);
    assert_int_equal(open_server(&world, "tcp://127.0.0.1:0", &world.server_key, NULL), 0);
    assert_int_equal(
        open_client(&world, wire_server_endpoint(world.server), world.server_key.public_key, NULL),
        0);
    assert_true(loop_run_until(world.loop, &world.is_down, 5000));
    assert_non_null(strstr(world.down_err.sentence, "our key is not allowed"));
    assert_false(wire_client_is_up(world.client));
    assert_int_equal(world.received, 0);
    /* Allowed from now on: its next try gets in, without a restart of either. */
    world.allowed_key = world.client_key.public_key;
    assert_true(loop_run_until(world.loop, &world.is_up, 60000));
    teardown(&world);
}

static void a_client_without_keys_does_not_get_in(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    wire_key_make(&world.server_key);
    assert_int_equal(open_server(&world, "tcp://127.0.0.1:0", &world.server_key, NULL), 0);
    assert_int_equal(open_client(&world, wire_server_endpoint(world.server), NULL, NULL), 0);
    assert_true(loop_run_until(world.loop, &world.is_down, 5000));
    assert_false(wire_client_is_up(world.client));
    teardown(&world);
}

static void without_keys_only_this_host_is_spoken_to(void **state)
{
    (void)state;
    struct world world;
    struct err err = { 0 };
    setup(&world);
    assert_int_equal(open_server(&world, "tcp://0.0.0.0:0", NULL, &err), ERR_FORBIDDEN);
    assert_int_equal(open_server(&world, "tcp://*:0", NULL, &err), ERR_FORBIDDEN);
    assert_int_equal(open_client(&world, "tcp://10.0.0.1:1", NULL, &err), ERR_FORBIDDEN);
    assert_non_null(strstr(err.hint, "CURVE"));
    assert_int_equal(open_client(&world, "tcp://10.0.0.1:1", "short", &err), ERR_INVALID);
    teardown(&world);
}

static bool anybody(void *owner, const char *public_key)
{
    (void)owner;
    (void)public_key;
    return true;
}

static void a_server_that_would_let_anybody_in_does_not_start(void **state)
{
    (void)state;
    struct world world;
    struct err err = { 0 };
    setup(&world);
    wire_key_make(&world.server_key);
    struct wire_server_options options = { .name = "open",
                                           .endpoint = "tcp://127.0.0.1:0",
                                           .key = &world.server_key,
                                           .on_message = on_server_message,
                                           .owner = &world };
    options.is_allowed = anybody;
    assert_int_equal(wire_server_open(&world.server, world.wire, &options, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.sentence, "a random key was let in"));
    teardown(&world);
}

static void an_address_in_use_is_named(void **state)
{
    (void)state;
    struct world world;
    struct err err = { 0 };
    struct wire_server *second;
    setup(&world);
    assert_int_equal(open_server(&world, "tcp://127.0.0.1:0", NULL, NULL), 0);
    struct wire_server_options options = { .name = "second",
                                           .endpoint = wire_server_endpoint(world.server),
                                           .on_message = on_server_message,
                                           .owner = &world };
    assert_int_equal(wire_server_open(&second, world.wire, &options, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.sentence, wire_server_endpoint(world.server)));
    teardown(&world);
}

static void foreign_bytes_are_counted_and_dropped(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    connect_plain(&world, "tcp://127.0.0.1:0");
    void *context = zmq_ctx_new(), *raw = zmq_socket(context, ZMQ_DEALER);
    int linger = 1000;
    (void)zmq_setsockopt(raw, ZMQ_LINGER, &linger, sizeof linger);
    (void)zmq_setsockopt(raw, ZMQ_ROUTING_ID, "chosen", 6);
    assert_int_equal(zmq_connect(raw, wire_server_endpoint(world.server)), 0);
    assert_int_equal(zmq_send(raw, "\x08\x01\x12\x01w\xfa\x01\x00", 8, 0),
                     8); /* good, but of an id of its own choice */
    void *plain = zmq_socket(context, ZMQ_DEALER);
    (void)zmq_setsockopt(plain, ZMQ_LINGER, &linger, sizeof linger);
    assert_int_equal(zmq_connect(plain, wire_server_endpoint(world.server)), 0);
    assert_int_equal(zmq_send(plain, "rubbish", 7, 0), 7);
    assert_int_equal(zmq_send(plain, "one", 3, ZMQ_SNDMORE), 3);
    assert_int_equal(zmq_send(plain, "two", 3, 0), 3);
    assert_int_equal(zmq_send(plain, "\x08\x07", 2, 0), 2);
    struct metric *dropped = metrics_counter(world.metrics, "headrace_wire_dropped_total", "");
    bool never = false;
    int64_t end_ms = loop_now_ms() + 5000;
    while (loop_now_ms() < end_ms && (metric_value(metric_with2(dropped, "socket", STR("server"),
                                                                "reason", STR("malformed"))) < 3 ||
                                      metric_value(metric_with2(dropped, "socket", STR("server"),
                                                                "reason", STR("unsupported"))) < 1))
        (void)loop_run_until(world.loop, &never, 5);
    assert_true(metric_value(metric_with2(dropped, "socket", STR("server"), "reason",
                                          STR("malformed"))) == 3);
    assert_true(metric_value(metric_with2(dropped, "socket", STR("server"), "reason",
                                          STR("unsupported"))) == 1);
    assert_int_equal(world.received, 0);
    /* And the good ones still come. */
    assert_int_equal(ask(&world, 0), 0);
    assert_true(loop_run_until(world.loop, &world.echoed, 5000));
    zmq_close(raw);
    zmq_close(plain);
    zmq_ctx_term(context);
    teardown(&world);
}

static void a_server_may_be_closed_by_its_own_callback(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    connect_plain(&world, "tcp://127.0.0.1:0");
    world.close_in_callback = true;
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(ask(&world, i), 0);
    assert_true(loop_run_until(world.loop, &world.got, 5000));
    assert_true(loop_run_until(world.loop, &world.is_down, 5000));
    assert_int_equal(world.received, 1);
    teardown(&world);
}

static void without_descriptors_nothing_is_opened(void **state)
{
    (void)state;
    struct world world;
    struct err err = { 0 };
    struct rlimit limit, low;
    setup(&world);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)((int64_t)limit.rlim_cur - loop_descriptors_left() + 10);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int rc = open_server(&world, "tcp://127.0.0.1:0", NULL, &err);
    int client_rc = open_client(&world, "tcp://127.0.0.1:1", NULL, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(rc, ERR_LIMIT);
    assert_int_equal(client_rc, ERR_LIMIT);
    assert_non_null(strstr(err.hint, "ulimit"));
    teardown(&world);
}

static void addresses_are_read_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *endpoint;
        bool is_local;
    } rows[] = { { "127.0.0.1:8790", "tcp://127.0.0.1:8790", true },
                 { "*:8790", "tcp://*:8790", false },
                 { "localhost:1", "tcp://127.0.0.1:1", true },
                 { "[::1]:5", "tcp://[::1]:5", true },
                 { "db.example.com:80", "tcp://db.example.com:80", false },
                 { "tcp://10.0.0.1:2", "tcp://10.0.0.1:2", false },
                 { "ipc:///run/x", "ipc:///run/x", true } };
    static const char *const bad[] = { "",    "8790",  "host",  "host:", "host:99999",
                                       ":80", "::1:5", "a/b:1", "ipc://" };
    struct arena arena = { 0 };
    struct str endpoint;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(wire_endpoint(&arena, str_of(rows[i].text), &endpoint, NULL), 0);
        assert_str(endpoint, rows[i].endpoint);
        assert_int_equal(wire_endpoint_is_local(endpoint), rows[i].is_local);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(wire_endpoint(&arena, str_of(bad[i]), &endpoint, NULL), ERR_INVALID);
    arena_clear(&arena);
}

TESTS(CASE(a_question_is_answered), CASE(it_works_over_a_unix_socket),
      CASE(a_burst_of_ten_thousand_does_not_stall), CASE(nobody_can_be_sent_to_before_he_was_heard),
      CASE(a_peer_that_went_away_is_found_gone), CASE(a_server_that_comes_back_is_found_again),
      CASE(the_newest_connection_of_a_peer_gets_its_messages),
      CASE(a_known_key_is_let_in_and_stands_before_its_name), CASE(two_with_one_key_are_two_peers),
      CASE(an_unknown_key_is_refused_and_told_why), CASE(a_client_without_keys_does_not_get_in),
      CASE(without_keys_only_this_host_is_spoken_to),
      CASE(a_server_that_would_let_anybody_in_does_not_start), CASE(an_address_in_use_is_named),
      CASE(foreign_bytes_are_counted_and_dropped), CASE(a_server_may_be_closed_by_its_own_callback),
      CASE(without_descriptors_nothing_is_opened), CASE(addresses_are_read_as_people_write_them))
