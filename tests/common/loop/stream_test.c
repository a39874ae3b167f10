// SPDX-License-Identifier: Apache-2.0
#include "common/loop/stream.h"

#include "common/base/buf.h"
#include "tests/support/test.h"

#include <sys/stat.h>
#include <unistd.h>

struct world {
    struct loop *loop;
    struct listener listener;
    struct stream server, client;
    struct buf got; /* by the server */
    int connect_rc, end_rc, drains, open_count;
    bool is_connected, is_accepted, has_ended, is_full, done;
    size_t wanted;
};

static void on_closed(void *owner)
{
    struct world *world = owner;
    world->done = --world->open_count == 0;
}

static void on_connect(struct stream *stream, int rc)
{
    struct world *world = stream->owner;
    world->connect_rc = rc;
    world->is_connected = true;
}

static void on_read(struct stream *stream, struct str bytes)
{
    struct world *world = stream->owner;
    buf_add_str(&world->got, bytes);
    world->is_full = world->got.size >= world->wanted;
}

static void on_end(struct stream *stream, int rc)
{
    struct world *world = stream->owner;
    world->end_rc = rc;
    world->has_ended = true;
}

static void on_drain(struct stream *stream)
{
    ((struct world *)stream->owner)->drains++;
}

static const struct stream_events events = { on_connect, on_read, on_end, on_drain, 100000 };

static void on_connection(struct listener *listener)
{
    struct world *world = listener->owner;
    assert_int_equal(stream_accept(&world->server, listener, &events, world), 0);
    world->is_accepted = true;
    world->open_count++;
}

static void open_tcp(struct world *world)
{
    *world = (struct world) { .wanted = 1 };
    assert_int_equal(loop_new(&world->loop, NULL), 0);
    assert_int_equal(listener_open_tcp(&world->listener, world->loop, "127.0.0.1", 0, on_connection,
                                       world, NULL),
                     0);
    assert_int_equal(stream_connect_tcp(&world->client, world->loop, "localhost",
                                        listener_port(&world->listener), &events, world),
                     0);
    world->open_count = 2;
    assert_true(loop_run_until(world->loop, &world->is_connected, 5000));
    assert_int_equal(world->connect_rc, 0);
    assert_true(loop_run_until(world->loop, &world->is_accepted, 5000));
}

static void end(struct world *world)
{
    listener_close(&world->listener, on_closed);
    if (!stream_is_closing(&world->client))
        stream_close(&world->client, on_closed);
    if (world->is_accepted && !stream_is_closing(&world->server))
        stream_close(&world->server, on_closed);
    world->done = false;
    assert_true(loop_run_until(world->loop, &world->done, 5000));
    loop_free(world->loop);
    buf_clear(&world->got);
}

static void bytes_arrive_and_an_end_is_told(void **state)
{
    (void)state;
    struct world world;
    char peer[STREAM_PEER_SIZE];
    open_tcp(&world);
    stream_peer(&world.server, peer);
    assert_string_equal(peer, "127.0.0.1");
    stream_read_start(&world.server);
    struct str pieces[] = { STR("GET / "), STR(""), STR("HTTP/1.1\r\n") };
    assert_int_equal(stream_writev(&world.client, pieces, 3), 0);
    stream_shutdown(&world.client);
    assert_true(loop_run_until(world.loop, &world.has_ended, 5000));
    assert_str(buf_str(&world.got), "GET / HTTP/1.1\r\n");
    assert_int_equal(world.end_rc, 0);
    /* The other direction is still open. */
    buf_reset(&world.got);
    world.is_full = false;
    stream_read_start(&world.client);
    assert_int_equal(stream_write(&world.server, STR("200")), 0);
    assert_true(loop_run_until(world.loop, &world.is_full, 5000));
    assert_str(buf_str(&world.got), "200");
    end(&world);
}

static void more_than_the_kernel_takes_is_queued_and_drains_in_order(void **state)
{
    (void)state;
    struct world world;
    struct arena arena = { 0 };
    size_t size = 20 << 20;
    char *bytes = arena_alloc(&arena, size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i * 7 % 23);
    open_tcp(&world);
    world.wanted = size;
    struct str pieces[] = { { bytes, 1000001 }, { bytes + 1000001, size - 1000001 } };
    assert_int_equal(stream_writev(&world.client, pieces, 2), 0);
    assert_true(world.client.queued > 0 && world.client.queued < size);
    assert_true(world.client.is_above_high_water);
    assert_int_equal(world.drains, 0);
    stream_read_start(&world.server);
    assert_true(loop_run_until(world.loop, &world.is_full, 20000));
    assert_int_equal(world.got.size, size);
    assert_memory_equal(world.got.bytes, bytes, size);
    while (world.client.queued > 0)
        (void)loop_run_until(world.loop, &world.has_ended, 1);
    assert_int_equal(world.drains, 1);
    end(&world);
    arena_clear(&arena);
}

static void reading_stops_when_told_and_goes_on_later(void **state)
{
    (void)state;
    struct world world;
    open_tcp(&world);
    assert_int_equal(stream_write(&world.client, STR("early")), 0);
    (void)loop_run_until(world.loop, &world.is_full, 20);
    assert_int_equal(world.got.size, 0);
    stream_read_start(&world.server);
    assert_true(loop_run_until(world.loop, &world.is_full, 5000));
    stream_read_stop(&world.server);
    assert_str(buf_str(&world.got), "early");
    end(&world);
}

static void a_peer_that_is_gone_breaks_the_writer(void **state)
{
    (void)state;
    struct world world;
    open_tcp(&world);
    stream_close(&world.server, on_closed);
    int64_t end_ms = loop_now_ms() + 5000;
    int rc = 0;
    while (rc == 0 && !world.has_ended && loop_now_ms() < end_ms) {
        rc = stream_write(&world.client, STR("anybody there?"));
        (void)loop_run_until(world.loop, &world.has_ended, 1);
    }
    assert_true(rc < 0 || world.end_rc < 0);
    end(&world);
}

static void closing_with_a_full_queue_loses_it_but_leaks_nothing(void **state)
{
    (void)state;
    struct world world;
    struct arena arena = { 0 };
    open_tcp(&world);
    struct str much = { arena_alloc(&arena, 10 << 20), 10 << 20 };
    assert_int_equal(stream_write(&world.client, much), 0);
    end(&world);
    arena_clear(&arena);
}

static void nobody_listening_is_told_by_on_connect(void **state)
{
    (void)state;
    struct world world = { 0 };
    assert_int_equal(loop_new(&world.loop, NULL), 0);
    assert_int_equal(
        listener_open_tcp(&world.listener, world.loop, "127.0.0.1", 0, on_connection, &world, NULL),
        0);
    int port = listener_port(&world.listener);
    listener_close(&world.listener, NULL);
    (void)loop_run_until(world.loop, &world.done, 10);
    assert_int_equal(
        stream_connect_tcp(&world.client, world.loop, "127.0.0.1", port, &events, &world), 0);
    assert_true(loop_run_until(world.loop, &world.is_connected, 5000));
    assert_int_equal(world.connect_rc, UV_ECONNREFUSED);
    world.open_count = 1;
    stream_close(&world.client, on_closed);
    assert_true(loop_run_until(world.loop, &world.done, 5000));
    loop_free(world.loop);
}

static void closing_while_a_name_is_looked_up_is_safe(void **state)
{
    (void)state;
    struct world world = { .open_count = 1 };
    assert_int_equal(loop_new(&world.loop, NULL), 0);
    assert_int_equal(stream_connect_tcp(&world.client, world.loop, "localhost", 1, &events, &world),
                     0);
    stream_close(&world.client, on_closed);
    assert_true(loop_run_until(world.loop, &world.done, 10000));
    assert_false(world.is_connected);
    loop_free(world.loop);
}

static void an_address_in_use_is_named(void **state)
{
    (void)state;
    struct world world = { 0 };
    struct listener second;
    struct err err = { 0 };
    char address[32];
    assert_int_equal(loop_new(&world.loop, NULL), 0);
    assert_int_equal(
        listener_open_tcp(&world.listener, world.loop, "127.0.0.1", 0, on_connection, &world, NULL),
        0);
    int port = listener_port(&world.listener);
    assert_int_equal(
        listener_open_tcp(&second, world.loop, "127.0.0.1", port, on_connection, &world, &err),
        UV_EADDRINUSE);
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    assert_non_null(strstr(err.sentence, address));
    assert_int_equal(
        listener_open_tcp(&second, world.loop, "nowhere", port, on_connection, &world, &err),
        ERR_INVALID);
    listener_close(&world.listener, NULL);
    loop_free(world.loop);
}

static void a_unix_socket_replaces_a_dead_one_and_is_removed_at_close(void **state)
{
    (void)state;
    struct world world = { .wanted = 1 };
    struct stat stat_of;
    char path[] = "/tmp/headrace-stream-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    for (int round = 0; round < 2; round++) {
        world = (struct world) { .wanted = 1, .open_count = 2 };
        assert_int_equal(loop_new(&world.loop, NULL), 0);
        assert_int_equal(listener_open_unix(&world.listener, world.loop, path, 0600, on_connection,
                                            &world, NULL),
                         0);
        assert_int_equal(stat(path, &stat_of), 0);
        assert_int_equal(stat_of.st_mode & 0777, 0600);
        assert_int_equal(stream_connect_unix(&world.client, world.loop, path, &events, &world), 0);
        assert_true(loop_run_until(world.loop, &world.is_accepted, 5000));
        stream_read_start(&world.server);
        assert_int_equal(stream_write(&world.client, STR("hi")), 0);
        assert_true(loop_run_until(world.loop, &world.is_full, 5000));
        if (round == 0)
            world.listener.path[0] = 0; /* dies without cleaning up */
        end(&world);
        assert_int_equal(access(path, F_OK), round == 0 ? 0 : -1);
    }
}

TESTS(CASE(bytes_arrive_and_an_end_is_told),
      CASE(more_than_the_kernel_takes_is_queued_and_drains_in_order),
      CASE(reading_stops_when_told_and_goes_on_later), CASE(a_peer_that_is_gone_breaks_the_writer),
      CASE(closing_with_a_full_queue_loses_it_but_leaks_nothing),
      CASE(nobody_listening_is_told_by_on_connect), CASE(closing_while_a_name_is_looked_up_is_safe),
      CASE(an_address_in_use_is_named),
      CASE(a_unix_socket_replaces_a_dead_one_and_is_removed_at_close))
