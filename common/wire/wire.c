// SPDX-License-Identifier: Apache-2.0
#include "common/wire/wire.h"

#include "common/base/assert.h"
#include "common/wire/wire_inside.h"

#include <errno.h>
#include <sodium.h>

int wire_error(struct err *err, int code, const char *doing)
{
    return err_set(err, code, "%s: %s", doing, zmq_strerror(zmq_errno()));
}

/* ---- the pump -------------------------------------------------------------------------------- */

/* ZeroMQ's descriptor tells edges, not levels, and any call on a socket may swallow one. So the
 * descriptor only wakes the loop; what there is to do is asked for before each wait, and done after
 * it. */

static void on_ready(struct poll *poll, int ready)
{
    (void)poll;
    (void)ready;
}

static bool has_input(void *zmq)
{
    int events = 0;
    size_t size = sizeof events;
    if (zmq_getsockopt(zmq, ZMQ_EVENTS, &events, &size) != 0)
        return false;
    return (events & ZMQ_POLLIN) != 0;
}

static bool before_wait(struct hook *hook)
{
    struct wire *wire = hook->owner;
    bool has_work = false;

    VEC_EACH (&wire->sockets, i)
        if (wire->sockets.items[i] != NULL && has_input(wire->sockets.items[i]->zmq))
            has_work = true;
    return has_work;
}

static void forget_closed(struct wire *wire)
{
    uint32_t kept = 0;
    VEC_EACH (&wire->sockets, i)
        if (wire->sockets.items[i] != NULL)
            wire->sockets.items[kept++] = wire->sockets.items[i];
    wire->sockets.count = kept;
}

static void after_wait(struct hook *hook)
{
    struct wire *wire = hook->owner;

    wire->is_pumping = true;
    for (uint32_t i = 0; i < wire->sockets.count; i++) {
        /* A callback may close this socket, or open others, in the midst of it. */
        for (int taken = 0; taken < WIRE_PUMP_MAX && wire->sockets.items[i] != NULL; taken++)
            if (!wire->sockets.items[i]->take(wire->sockets.items[i]->owner))
                break;
    }
    wire->is_pumping = false;
    forget_closed(wire);
    while (wire->dead_servers.count > 0)
        wire_server_free(wire->dead_servers.items[--wire->dead_servers.count]);
}

/* ---- sockets --------------------------------------------------------------------------------- */

void wire_option(void *zmq, int option, int value)
{
    int rc = zmq_setsockopt(zmq, option, &value, sizeof value);
    ASSERT(rc == 0);
}

int wire_make(struct wire *wire, int type, const char *endpoint, void **out, struct err *err)
{
    if (loop_descriptors_left() < LOOP_DESCRIPTORS_RESERVE) {
        (void)err_set(err, ERR_LIMIT, "too few file descriptors are left to open %s", endpoint);
        err_hint(err, "raise the limit (ulimit -n)");
        return ERR_LIMIT;
    }
    void *zmq = zmq_socket(wire->context, type);
    if (zmq == NULL)
        return wire_error(err, ERR_LIMIT, "making a ZeroMQ socket");
    int64_t size_max = MESSAGE_SIZE_MAX;
    int rc = zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max);
    ASSERT(rc == 0);
    wire_option(zmq, ZMQ_LINGER, 0);
    wire_option(zmq, ZMQ_SNDHWM, WIRE_HWM);
    wire_option(zmq, ZMQ_RCVHWM, WIRE_HWM);
    wire_option(zmq, ZMQ_HEARTBEAT_IVL, WIRE_HEARTBEAT_MS);
    wire_option(zmq, ZMQ_HEARTBEAT_TIMEOUT, WIRE_HEARTBEAT_TIMEOUT_MS);
    wire_option(zmq, ZMQ_HEARTBEAT_TTL, WIRE_HEARTBEAT_TIMEOUT_MS);
    wire_option(zmq, ZMQ_HANDSHAKE_IVL, WIRE_HANDSHAKE_MS);
    wire_option(zmq, ZMQ_IPV6, strchr(endpoint, '[') != NULL);
    *out = zmq;
    return 0;
}

int wire_socket_open(struct wire_socket **out, struct wire *wire, void *zmq,
                     bool (*take)(void *owner), void *owner, struct err *err)
{
    struct wire_socket *socket = calloc(1, sizeof *socket);
    int fd = -1;
    size_t size = sizeof fd;

    ASSERT(socket != NULL);
    int rc = zmq_getsockopt(zmq, ZMQ_FD, &fd, &size);
    ASSERT(rc == 0);
    rc = poll_open(&socket->poll, wire->loop, fd, on_ready, socket, err);
    if (rc < 0) {
        free(socket);
        zmq_close(zmq);
        return rc;
    }
    socket->wire = wire;
    socket->zmq = zmq;
    socket->take = take;
    socket->owner = owner;
    poll_want(&socket->poll, POLL_READABLE);
    VEC_ADD(&wire->sockets, socket);
    *out = socket;
    return 0;
}

void wire_socket_close(struct wire_socket *socket)
{
    if (socket == NULL)
        return;
    struct wire *wire = socket->wire;
    VEC_EACH (&wire->sockets, i)
        if (wire->sockets.items[i] == socket)
            wire->sockets.items[i] = NULL;
    if (!wire->is_pumping)
        forget_closed(wire);
    void *zmq = socket->zmq;
    poll_close(&socket->poll,
               free); /* before ZeroMQ closes the descriptor; the owner of the poll is the socket */
    zmq_close(zmq);
}

int wire_monitor(struct wire *wire, void *zmq, void **out, struct err *err)
{
    char endpoint[64];

    snprintf(endpoint, sizeof endpoint, "inproc://monitor-%u", ++wire->last_monitor);
    if (zmq_socket_monitor(zmq, endpoint, WIRE_EVENTS) != 0)
        return wire_error(err, ERR_LIMIT, "monitoring a ZeroMQ socket");
    void *monitor = zmq_socket(wire->context, ZMQ_PAIR);
    if (monitor == NULL)
        return wire_error(err, ERR_LIMIT, "monitoring a ZeroMQ socket");
    wire_option(monitor, ZMQ_LINGER, 0);
    int rc = zmq_connect(monitor, endpoint);
    ASSERT(rc == 0);
    *out = monitor;
    return 0;
}

void wire_monitor_stop(void *zmq)
{
    /* Before its listener goes: ZeroMQ would wait for ever to tell nobody about the end. */
    (void)zmq_socket_monitor(zmq, NULL, 0);
}

bool wire_monitor_take(void *monitor, uint16_t *out_event, uint32_t *out_value)
{
    char bytes[6], address[256];

    if (zmq_recv(monitor, bytes, sizeof bytes, ZMQ_DONTWAIT) != sizeof bytes)
        return false;
    memcpy(out_event, bytes, sizeof *out_event);
    memcpy(out_value, bytes + 2, sizeof *out_value);
    (void)zmq_recv(monitor, address, sizeof address, ZMQ_DONTWAIT);
    return true;
}

/* ---- the wire -------------------------------------------------------------------------------- */

int wire_open(struct wire **out, struct loop *loop, struct metrics *metrics, struct err *err)
{
    if (sodium_init() < 0)
        return err_set(err, ERR_INTERNAL, "libsodium does not start");
    if (loop_descriptors_left() < LOOP_DESCRIPTORS_RESERVE)
        return err_set(err, ERR_LIMIT, "too few file descriptors are left");
    struct wire *wire = calloc(1, sizeof *wire);
    ASSERT(wire != NULL);
    wire->loop = loop;
    wire->metrics = metrics;
    wire->context = zmq_ctx_new();
    if (wire->context == NULL) {
        free(wire);
        return wire_error(err, ERR_LIMIT, "starting ZeroMQ");
    }
    hook_open(&wire->hook, loop, before_wait, after_wait, wire);
    *out = wire;
    return 0;
}

static void on_closed(void *owner)
{
    struct wire *wire = owner;
    void (*done)(void *owner) = wire->done;
    void *done_owner = wire->done_owner;

    VEC_CLEAR(&wire->sockets);
    VEC_CLEAR(&wire->servers);
    VEC_CLEAR(&wire->clients);
    VEC_CLEAR(&wire->dead_servers);
    free(wire);
    if (done != NULL)
        done(done_owner);
}

void wire_close(struct wire *wire, void (*done)(void *owner), void *owner)
{
    while (wire->servers.count > 0)
        wire_server_close(VEC_LAST(&wire->servers));
    while (wire->clients.count > 0)
        wire_client_close(VEC_LAST(&wire->clients));
    wire_socket_close(wire->zap);
    /* Every socket is closed and none lingers: this waits for ZeroMQ's threads to end, a
     * millisecond or two, and longer only when a signal comes in between. */
    int rc;
    do
        rc = zmq_ctx_term(wire->context);
    while (rc < 0 && errno == EINTR);
    ASSERT(rc == 0);
    wire->done = done;
    wire->done_owner = owner;
    hook_close(&wire->hook, on_closed);
}

/* ---- endpoints ------------------------------------------------------------------------------- */

int wire_endpoint(struct arena *arena, struct str text, struct str *out, struct err *err)
{
    int64_t port;
    struct str rest = text;

    if (str_starts(text, "ipc:///") && text.size > 7) {
        *out = str_copy(arena, text);
        return 0;
    }
    if (str_starts(rest, "tcp://"))
        rest = str_slice(rest, 6, rest.size);
    size_t colon = rest.size;
    while (colon > 0 && rest.bytes[colon - 1] != ':')
        colon--;
    struct str host = colon > 0 ? str_slice(rest, 0, colon - 1) : STR_EMPTY;
    bool is_v6 = str_starts(host, "[") && str_ends(host, "]");
    if (host.size == 0 || (!is_v6 && str_find(host, ':') >= 0) || str_find(host, '/') >= 0 ||
        str_to_int(str_slice(rest, colon, rest.size), 0, 65535, &port) < 0) {
        (void)err_set(err, ERR_INVALID, "\"%.*s\" is no address", STR_ARG(text));
        err_hint(err, "write host:port, *:port, [::1]:port or ipc:///path");
        return ERR_INVALID;
    }
    if (str_is(host, "localhost"))
        host = STR("127.0.0.1");
    *out = str_format(arena, "tcp://%.*s:%d", STR_ARG(host), (int)port);
    return 0;
}

bool wire_endpoint_is_local(struct str endpoint)
{
    return str_starts(endpoint, "ipc://") || str_starts(endpoint, "tcp://127.") ||
           str_starts(endpoint, "tcp://localhost:") || str_starts(endpoint, "tcp://[::1]:");
}
