// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/statsd.h"
#include "tests/support/test.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

/* In place of libc's: a resolver that knows nobody, or where the receiver is. */
static atomic_int resolver_knows, resolver_asked;
static int receiver;
static struct sockaddr_in address;
static struct addrinfo found = { .ai_family = AF_INET,
                                 .ai_addr = (struct sockaddr *)&address,
                                 .ai_addrlen = sizeof address };

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)host, (void)port, (void)hints;
    atomic_fetch_add(&resolver_asked, 1);
    if (!atomic_load(&resolver_knows))
        return EAI_NONAME;
    *out = &found;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

struct world {
    struct shell shell;
    struct conf conf;
    struct timer look;
    bool done, is_closed;
};

/* More than fits into a datagram, so that one is sent. */
static void on_look(struct timer *timer)
{
    struct world *world = timer->owner;
    char got[2048];
    for (int i = 0; i < 40; i++)
        statsd_time(world->shell.statsd, "dag.one.duration.of.a.long.name", 7);
    ssize_t size = recv(receiver, got, sizeof got, MSG_DONTWAIT);
    if (size > 0)
        world->done = str_starts((struct str) { got, (size_t)size },
                                 "etl.dag.one.duration.of.a.long.name:7|ms\n");
}

static void on_closed(void *owner)
{
    ((struct world *)owner)->is_closed = true;
}

static void on_look_closed(void *owner)
{
    (void)owner;
}

static int open_receiver(void **state)
{
    (void)state;
    socklen_t size = sizeof address;
    address =
        (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    atomic_store(&resolver_knows, 0);
    atomic_store(&resolver_asked, 0);
    return receiver < 0 || bind(receiver, found.ai_addr, size) < 0 ||
                   getsockname(receiver, found.ai_addr, &size) < 0
               ? -1
               : 0;
}

static int close_receiver(void **state)
{
    (void)state;
    return close(receiver);
}

static void open_world(struct world *world)
{
    *world = (struct world) { .conf = { .metrics_statsd_on = true,
                                        .metrics_statsd_host = STR("statsd.example"),
                                        .metrics_statsd_port = 8125,
                                        .metrics_statsd_prefix = STR("etl") } };
    assert_int_equal(loop_new(&world->shell.loop, NULL), 0);
    world->shell.conf = &world->conf;
    world->shell.statsd = statsd_open(&world->shell);
    assert_non_null(world->shell.statsd);
    timer_open(&world->look, world->shell.loop, on_look, world);
    timer_every(&world->look, 20);
}

static void close_world(struct world *world)
{
    statsd_close(world->shell.statsd, on_closed, world);
    assert_true(loop_run_until(world->shell.loop, &world->is_closed, 60000));
    timer_close(&world->look, on_look_closed);
    loop_run(world->shell.loop);
    loop_free(world->shell.loop);
}

static void figures_go_where_the_settings_say(void **state)
{
    (void)state;
    struct world world;
    atomic_store(&resolver_knows, 1);
    open_world(&world);
    assert_true(loop_run_until(world.shell.loop, &world.done, 60000));
    close_world(&world);
}

static void a_host_that_is_not_found_is_looked_for_again(void **state)
{
    (void)state;
    struct world world;
    bool never = false;
    open_world(&world);
    while (atomic_load(&resolver_asked) < 2)
        (void)loop_run_until(world.shell.loop, &never, 10);
    assert_false(world.done);
    atomic_store(&resolver_knows, 1);
    assert_true(loop_run_until(world.shell.loop, &world.done, 60000));
    close_world(&world);
}

static void it_can_be_closed_while_the_host_is_looked_for(void **state)
{
    (void)state;
    struct world world;
    bool never = false;
    open_world(&world);
    (void)loop_run_until(world.shell.loop, &never, 1);
    close_world(&world);
}

#define HEARD(name) cmocka_unit_test_setup_teardown(name, open_receiver, close_receiver)

TESTS(HEARD(figures_go_where_the_settings_say), HEARD(a_host_that_is_not_found_is_looked_for_again),
      HEARD(it_can_be_closed_while_the_host_is_looked_for))
