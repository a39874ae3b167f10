// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/loop/timer.h"
#include "common/wire/wire_inside.h"

#include <errno.h>
#include <sodium.h>

enum {
    RECONNECT_MS = 100,
    RECONNECT_MAX_MS = 5000,
    CONNECT_TIMEOUT_MS = 5000,
    REFUSED_MS = 1000,
    SENDER_SIZE = 65
};

#define HANDSHAKE_FAILED "the handshake failed: a wrong server key, or only one side uses keys"

struct wire_client {
    struct wire *wire;
    struct wire_client_options options;
    struct wire_key key;
    char server_key[WIRE_KEY_SIZE];
    char sender[SENDER_SIZE];
    char endpoint[256];
    struct wire_socket *socket, *monitor;
    void *monitor_zmq;
    bool is_up;
    struct timer refused; /* until the next try */
    int64_t told_ms;      /* when on_state last said why it is down */
    struct arena arena;
    struct buf out;
    uint64_t last_message_no;
    struct metric *received, *sent, *dropped, *ups;
};

/* ---- state ----------------------------------------------------------------------------------- */

static void tell_down(struct wire_client *client, bool is_news, const char *why)
{
    int64_t now_ms = loop_now_ms();
    struct err err = { 0 };

    if (!is_news && client->told_ms != 0 && now_ms - client->told_ms < MS_PER_MINUTE)
        return;
    client->told_ms = now_ms;
    (void)err_set(&err, ERR_UNAVAILABLE, "%s: %s", client->endpoint, why);
    client->options.on_state(client, false, &err);
}

/* ZeroMQ comes back by itself when a connection breaks, but gives up one that was refused: whoever
 * is let in a moment later, or has got the right key by then, would stay outside. */
static void on_refused_timer(struct timer *timer)
{
    struct wire_client *client = timer->owner;
    struct err err = { 0 };

    (void)zmq_disconnect(client->socket->zmq, client->endpoint);
    if (zmq_connect(client->socket->zmq, client->endpoint) == 0)
        return;
    (void)wire_error(&err, ERR_UNAVAILABLE, "connecting again");
    tell_down(client, false, err.sentence);
    timer_once(&client->refused, REFUSED_MS);
}

static void refused(struct wire_client *client, const char *why)
{
    tell_down(client, false, why);
    timer_once(&client->refused, REFUSED_MS);
}

static void on_event(struct wire_client *client, uint16_t event)
{
    bool was_up = client->is_up;

    switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        client->is_up = true;
        client->told_ms = 0;
        metric_add(client->ups, 1);
        if (!was_up)
            client->options.on_state(client, true, NULL);
        break;
    case ZMQ_EVENT_DISCONNECTED:
        client->is_up = false;
        if (was_up)
            tell_down(client, true, "the connection is lost");
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        refused(client, "our key is not allowed there");
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        refused(client, HANDSHAKE_FAILED);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        tell_down(client, false, HANDSHAKE_FAILED);
        break;
    case ZMQ_EVENT_CONNECT_RETRIED:
        if (!was_up)
            tell_down(client, false, "nobody answers");
        break;
    default:
        break;
    }
}

static bool take_event(void *owner)
{
    struct wire_client *client = owner;
    uint16_t event;
    uint32_t value;

    if (!wire_monitor_take(client->monitor_zmq, &event, &value))
        return false;
    on_event(client, event);
    return true;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static bool take_message(void *owner)
{
    struct wire_client *client = owner;
    struct wire_socket *socket = client->socket;
    struct message message;
    bool is_single = true;

    zmq_msg_t part;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, socket->zmq, ZMQ_DONTWAIT) < 0)
        return false;
    while (zmq_msg_more(&part)) {
        is_single = false;
        zmq_msg_close(&part);
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, socket->zmq, ZMQ_DONTWAIT) < 0)
            break;
    }
    struct str bytes = { zmq_msg_data(&part), zmq_msg_size(&part) };
    if (is_single && message_unpack(bytes, &client->arena, &message, NULL) == 0) {
        metric_add(client->received, 1);
        client->options.on_message(client, &message);
    } else {
        metric_add(client->dropped, 1);
    }
    zmq_msg_close(&part);
    arena_reset(&client->arena);
    return true;
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void init_metrics(struct wire_client *client)
{
    struct metrics *metrics = client->wire->metrics;
    struct str name = str_of(client->options.name);
    client->received =
        metric_with(metrics_counter(metrics, "headrace_wire_received_total", "Messages received."),
                    "socket", name);
    client->sent = metric_with(
        metrics_counter(metrics, "headrace_wire_sent_total", "Messages sent."), "socket", name);
    client->dropped = metric_with2(
        metrics_counter(metrics, "headrace_wire_dropped_total", "Messages dropped, by reason."),
        "socket", name, "reason", STR("malformed"));
    client->ups = metric_with(
        metrics_counter(metrics, "headrace_wire_connects_total", "Connections that came to stand."),
        "socket", name);
}

static int open_sockets(struct wire_client *client, struct err *err)
{
    void *zmq;

    int rc = wire_make(client->wire, ZMQ_DEALER, client->endpoint, &zmq, err);
    if (rc < 0)
        return rc;
    wire_option(zmq, ZMQ_IMMEDIATE, 1);
    wire_option(zmq, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    wire_option(zmq, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS);
    wire_option(zmq, ZMQ_CONNECT_TIMEOUT, CONNECT_TIMEOUT_MS);
    if (client->server_key[0] != 0) {
        (void)zmq_setsockopt(zmq, ZMQ_CURVE_SERVERKEY, client->server_key, WIRE_KEY_SIZE);
        (void)zmq_setsockopt(zmq, ZMQ_CURVE_PUBLICKEY, client->key.public_key, WIRE_KEY_SIZE);
        (void)zmq_setsockopt(zmq, ZMQ_CURVE_SECRETKEY, client->key.private_key, WIRE_KEY_SIZE);
    }
    rc = wire_monitor(client->wire, zmq, &client->monitor_zmq, err);
    if (rc == 0 && zmq_connect(zmq, client->endpoint) != 0)
        rc = wire_error(err, ERR_INVALID, client->endpoint);
    if (rc < 0) {
        wire_monitor_stop(zmq);
        zmq_close(zmq);
        if (client->monitor_zmq != NULL)
            zmq_close(client->monitor_zmq);
        return rc;
    }
    rc = wire_socket_open(&client->socket, client->wire, zmq, take_message, client, err);
    if (rc < 0) {
        zmq_close(client->monitor_zmq);
        return rc;
    }
    return wire_socket_open(&client->monitor, client->wire, client->monitor_zmq, take_event, client,
                            err);
}

int wire_client_open(struct wire_client **out, struct wire *wire,
                     const struct wire_client_options *options, struct err *err)
{
    char identity[WIRE_IDENTITY_SIZE];
    bool has_keys = options->server_key != NULL && options->server_key[0] != 0;

    if (!has_keys && !wire_endpoint_is_local(str_of(options->endpoint))) {
        (void)err_set(err, ERR_FORBIDDEN, "connecting to %s without its key", options->endpoint);
        err_hint(err, "only loopback and ipc:// may go without CURVE");
        return ERR_FORBIDDEN;
    }
    if (has_keys && wire_key_identity(options->server_key, identity, err) < 0)
        return err_wrap(err, ERR_INVALID, "the key of %s", options->endpoint);
    ASSERT(!has_keys || options->key != NULL);

    struct wire_client *client = calloc(1, sizeof *client);
    ASSERT(client != NULL);
    client->wire = wire;
    client->options = *options;
    if (has_keys) {
        client->key = *options->key;
        memcpy(client->server_key, options->server_key, WIRE_KEY_SIZE);
    }
    snprintf(client->sender, sizeof client->sender, "%s", options->sender);
    snprintf(client->endpoint, sizeof client->endpoint, "%s", options->endpoint);
    init_metrics(client);
    VEC_ADD(&wire->clients, client);
    timer_open(&client->refused, wire->loop, on_refused_timer, client);
    int rc = open_sockets(client, err);
    if (rc < 0) {
        wire_client_close(client);
        return rc;
    }
    *out = client;
    return 0;
}

static void on_timer_closed(void *owner)
{
    struct wire_client *client = owner;
    arena_clear(&client->arena);
    buf_clear(&client->out);
    sodium_memzero(&client->key, sizeof client->key);
    free(client);
}

void wire_client_close(struct wire_client *client)
{
    struct wire *wire = client->wire;

    VEC_EACH (&wire->clients, i) {
        if (wire->clients.items[i] == client) {
            wire->clients.items[i] = VEC_LAST(&wire->clients);
            wire->clients.count--;
            break;
        }
    }
    if (client->socket != NULL)
        wire_monitor_stop(client->socket->zmq);
    wire_socket_close(client->socket);
    wire_socket_close(client->monitor);
    client->monitor = client->socket = NULL;
    timer_close(&client->refused, on_timer_closed);
}

void *wire_client_owner(const struct wire_client *client)
{
    return client->options.owner;
}

const char *wire_client_endpoint(const struct wire_client *client)
{
    return client->endpoint;
}

bool wire_client_is_up(const struct wire_client *client)
{
    return client->is_up;
}

/* ---- sending --------------------------------------------------------------------------------- */

int wire_client_send(struct wire_client *client, struct message *message, struct err *err)
{
    if (!client->is_up)
        return err_set(err, ERR_UNAVAILABLE, "not connected to %s", client->endpoint);
    message->sender = str_of(client->sender);
    message->message_no = ++client->last_message_no;
    buf_reset(&client->out);
    int rc = message_pack(message, &client->out, err);
    if (rc < 0)
        return rc;
    if (zmq_send(client->socket->zmq, client->out.bytes, client->out.size, ZMQ_DONTWAIT) < 0)
        return err_set(err, ERR_LIMIT, "the queue to %s is full", client->endpoint);
    metric_add(client->sent, 1);
    return 0;
}
