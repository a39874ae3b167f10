// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/wire/wire_inside.h"

#include <errno.h>
#include <sodium.h>
#include <unistd.h>

enum {
    PEERS_MAX = 10000,
    ROUTING_ID_SIZE = 5,
    IDENTITY_MAX = WIRE_IDENTITY_SIZE + 64, /* "KEY.SENDER" */
    SELF_TEST_MS = 5000,
    PROBE_STEP_MS = 20
};

/* The newest connection on which an identity was heard. Routing ids are made by this ROUTER, one a
 * connection: a peer cannot choose one, so it cannot take another's place. */
struct peer {
    char identity[IDENTITY_MAX + 1];
    uint8_t routing_id[ROUTING_ID_SIZE];
    uint32_t next_free;
    bool is_used;
};

struct wire_server {
    struct wire *wire;
    struct wire_server_options options;
    struct wire_key key;
    char endpoint[256];
    struct wire_socket *socket, *monitor;
    void *monitor_zmq;
    VEC(struct peer) peers;
    uint32_t first_free, peer_count;
    struct map by_identity;
    struct arena arena; /* of the message that is being handled */
    struct buf out;
    uint64_t last_message_no;
    const char *probe_key; /* what the self-test lets in */
    struct metric *received, *sent, *dropped, *refused;
};

static struct wire_server *find_server(struct wire *wire, struct str name)
{
    VEC_EACH (&wire->servers, i)
        if (str_is(name, wire->servers.items[i]->options.name))
            return wire->servers.items[i];
    return NULL;
}

bool wire_server_admits(struct wire *wire, struct str domain, const char *public_key)
{
    struct wire_server *server = find_server(wire, domain);
    if (server == NULL || server->options.key == NULL)
        return false;
    if (server->probe_key != NULL && strcmp(server->probe_key, public_key) == 0)
        return true;
    return server->options.is_allowed(server->options.owner, public_key);
}

/* ---- peers ----------------------------------------------------------------------------------- */

#define NO_PEER UINT32_MAX

static struct peer *find_peer(const struct wire_server *server, struct str identity)
{
    uint64_t index;
    return map_get_str(&server->by_identity, identity, &index) ? &server->peers.items[index] : NULL;
}

static void forget_peer(struct wire_server *server, struct peer *peer)
{
    (void)map_remove_str(&server->by_identity, str_of(peer->identity));
    peer->is_used = false;
    peer->next_free = server->first_free;
    server->first_free = (uint32_t)(peer - server->peers.items);
    server->peer_count--;
}

/* False when there are too many. */
static bool remember_peer(struct wire_server *server, struct str identity,
                          const uint8_t *routing_id)
{
    struct peer *peer = find_peer(server, identity);

    if (peer == NULL) {
        if (server->peer_count >= PEERS_MAX)
            return false;
        uint32_t index = server->first_free;
        if (index == NO_PEER) {
            index = server->peers.count;
            VEC_ADD(&server->peers, (struct peer) { .is_used = false });
        } else {
            server->first_free = server->peers.items[index].next_free;
        }
        peer = &server->peers.items[index];
        *peer = (struct peer) { .is_used = true };
        memcpy(peer->identity, identity.bytes, identity.size);
        map_put_str(&server->by_identity, identity, index);
        server->peer_count++;
    }
    memcpy(peer->routing_id, routing_id, ROUTING_ID_SIZE);
    return true;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void drop(struct wire_server *server, const char *reason)
{
    metric_add(metric_with2(server->dropped, "socket", str_of(server->options.name), "reason",
                            str_of(reason)),
               1);
}

static void take_body(struct wire_server *server, zmq_msg_t *body, const uint8_t *routing_id)
{
    struct message message;
    const char *user_id = server->options.key != NULL ? zmq_msg_gets(body, "User-Id") : NULL;

    if (server->options.key != NULL && (user_id == NULL || user_id[0] == 0)) {
        drop(server, "no_identity");
        return;
    }
    int rc = message_unpack((struct str) { zmq_msg_data(body), zmq_msg_size(body) }, &server->arena,
                            &message, NULL);
    if (rc < 0) {
        drop(server, rc == ERR_UNSUPPORTED ? "unsupported" : "malformed");
        return;
    }
    struct str identity =
        user_id == NULL ? message.sender
                        : str_format(&server->arena, "%s.%.*s", user_id, STR_ARG(message.sender));
    if (identity.size > IDENTITY_MAX || !remember_peer(server, identity, routing_id)) {
        drop(server, "too_many_peers");
        return;
    }
    metric_add(server->received, 1);
    server->options.on_message(server, identity, &message);
}

/* A message of a peer: routing id, body. Anything else is read to its end and dropped. */
static bool take_message(void *owner)
{
    struct wire_server *server = owner;
    struct wire_socket *socket = server->socket;
    uint8_t routing_id[ROUTING_ID_SIZE];
    bool is_good = true;

    zmq_msg_t part;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, socket->zmq, ZMQ_DONTWAIT) < 0)
        return false;
    /* Ids that we have made begin with a zero byte, which a peer's own may not. */
    if (zmq_msg_size(&part) == ROUTING_ID_SIZE && *(const uint8_t *)zmq_msg_data(&part) == 0)
        memcpy(routing_id, zmq_msg_data(&part), ROUTING_ID_SIZE);
    else
        is_good = false;

    zmq_msg_t body;
    zmq_msg_init(&body);
    uint32_t count = 0;
    while (zmq_msg_more(&part)) {
        zmq_msg_close(&part);
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, socket->zmq, ZMQ_DONTWAIT) < 0)
            break;
        if (count++ == 0)
            zmq_msg_copy(&body, &part);
    }
    zmq_msg_close(&part);
    if (is_good && count == 1)
        take_body(server, &body, routing_id);
    else
        drop(server, "malformed");
    zmq_msg_close(&body);
    /* Closed by its own callback? Its memory lasts until the pump's turn is over. */
    arena_reset(&server->arena);
    return true;
}

static bool take_event(void *owner)
{
    struct wire_server *server = owner;
    uint16_t event;
    uint32_t value;

    if (!wire_monitor_take(server->monitor_zmq, &event, &value))
        return false;
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH || event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ||
        event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
        metric_add(server->refused, 1);
    return true;
}

/* ---- the self-test
 * -----------------------------------------------------------------------------------------------
 */

/* Where a client of this host reaches the server. */
static void own_endpoint(const struct wire_server *server, char *out, size_t size)
{
    static const char *const any[] = { "tcp://0.0.0.0:", "tcp://[::]:" };
    static const char *const own[] = { "tcp://127.0.0.1:", "tcp://[::1]:" };

    snprintf(out, size, "%s", server->endpoint);
    for (size_t i = 0; i < 2; i++)
        if (strncmp(server->endpoint, any[i], strlen(any[i])) == 0)
            snprintf(out, size, "%s%s", own[i], server->endpoint + strlen(any[i]));
}

/* Connects with `key` and waits for the verdict, answering ZAP meanwhile. */
static int probe(struct wire_server *server, const struct wire_key *key, bool *out_admitted,
                 struct err *err)
{
    char endpoint[256];
    void *client, *monitor = NULL;
    int64_t end_ms = loop_now_ms() + SELF_TEST_MS;

    own_endpoint(server, endpoint, sizeof endpoint);
    int rc = wire_make(server->wire, ZMQ_DEALER, endpoint, &client, err);
    if (rc < 0)
        return rc;
    (void)zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, server->key.public_key, WIRE_KEY_SIZE);
    (void)zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, key->public_key, WIRE_KEY_SIZE);
    (void)zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, key->private_key, WIRE_KEY_SIZE);
    rc = wire_monitor(server->wire, client, &monitor, err);
    if (rc == 0 && zmq_connect(client, endpoint) != 0)
        rc = wire_error(err, ERR_INTERNAL, "connecting to itself");

    bool is_decided = false;
    while (rc == 0 && !is_decided) {
        zmq_pollitem_t items[] = { { .socket = server->wire->zap->zmq, .events = ZMQ_POLLIN },
                                   { .socket = monitor, .events = ZMQ_POLLIN } };
        uint16_t event;
        uint32_t value;
        (void)zmq_poll(items, 2, PROBE_STEP_MS);
        while (wire_zap_take(server->wire))
            continue;
        while (!is_decided && wire_monitor_take(monitor, &event, &value)) {
            is_decided =
                event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED || event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
            *out_admitted = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        }
        if (!is_decided && loop_now_ms() > end_ms)
            rc = err_set(err, ERR_INTERNAL, "nobody answered");
    }
    wire_monitor_stop(client);
    zmq_close(client);
    if (monitor != NULL)
        zmq_close(monitor);
    return rc;
}

static int test_itself(struct wire_server *server, struct err *err)
{
    struct wire_key key;
    bool is_admitted = false;

    wire_key_make(&key);
    int rc = probe(server, &key, &is_admitted, err);
    if (rc == 0 && is_admitted)
        rc = err_set(err, ERR_INTERNAL, "a random key was let in");
    if (rc == 0) {
        server->probe_key = key.public_key;
        rc = probe(server, &key, &is_admitted, err);
        server->probe_key = NULL;
    }
    if (rc == 0 && !is_admitted)
        rc = err_set(err, ERR_INTERNAL, "a known key was refused");
    if (rc < 0)
        return err_wrap(err, ERR_INTERNAL, "the test of the keys at %s", server->endpoint);
    return 0;
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void init_metrics(struct wire_server *server)
{
    struct metrics *metrics = server->wire->metrics;
    struct str name = str_of(server->options.name);
    server->received =
        metric_with(metrics_counter(metrics, "headrace_wire_received_total", "Messages received."),
                    "socket", name);
    server->sent = metric_with(
        metrics_counter(metrics, "headrace_wire_sent_total", "Messages sent."), "socket", name);
    server->refused = metric_with(
        metrics_counter(metrics, "headrace_wire_refused_total", "Handshakes that failed."),
        "socket", name);
    server->dropped =
        metrics_counter(metrics, "headrace_wire_dropped_total", "Messages dropped, by reason.");
}

static int bind_socket(struct wire_server *server, void *zmq, struct err *err)
{
    size_t size = sizeof server->endpoint;

    wire_option(zmq, ZMQ_ROUTER_MANDATORY, 1);
    if (server->options.key != NULL) {
        int rc = wire_zap_open(server->wire, err);
        if (rc < 0)
            return rc;
        wire_option(zmq, ZMQ_CURVE_SERVER, 1);
        (void)zmq_setsockopt(zmq, ZMQ_CURVE_SECRETKEY, server->key.private_key, WIRE_KEY_SIZE);
        (void)zmq_setsockopt(zmq, ZMQ_ZAP_DOMAIN, server->options.name,
                             strlen(server->options.name));
    }
    if (zmq_bind(zmq, server->options.endpoint) != 0) {
        int number = zmq_errno();
        (void)err_set(err, ERR_UNAVAILABLE, "listening on %s: %s", server->options.endpoint,
                      zmq_strerror(number));
        if (number == EADDRINUSE)
            err_hint(err, "another program listens there: end it or choose another port");
        return ERR_UNAVAILABLE;
    }
    int rc = zmq_getsockopt(zmq, ZMQ_LAST_ENDPOINT, server->endpoint, &size);
    ASSERT(rc == 0);
    return 0;
}

static int open_sockets(struct wire_server *server, struct err *err)
{
    void *zmq;

    int rc = wire_make(server->wire, ZMQ_ROUTER, server->options.endpoint, &zmq, err);
    if (rc < 0)
        return rc;
    rc = bind_socket(server, zmq, err);
    if (rc == 0 && server->options.key != NULL)
        rc = test_itself(server, err);
    if (rc == 0)
        rc = wire_monitor(server->wire, zmq, &server->monitor_zmq, err);
    if (rc < 0) {
        zmq_close(zmq);
        return rc;
    }
    rc = wire_socket_open(&server->socket, server->wire, zmq, take_message, server, err);
    if (rc < 0) { /* which has closed zmq, and with it the monitoring */
        zmq_close(server->monitor_zmq);
        return rc;
    }
    return wire_socket_open(&server->monitor, server->wire, server->monitor_zmq, take_event, server,
                            err);
}

int wire_server_open(struct wire_server **out, struct wire *wire,
                     const struct wire_server_options *options, struct err *err)
{
    ASSERT(find_server(wire, str_of(options->name)) == NULL);
    if (options->key == NULL && !wire_endpoint_is_local(str_of(options->endpoint))) {
        (void)err_set(err, ERR_FORBIDDEN, "listening on %s without keys", options->endpoint);
        err_hint(err, "only loopback and ipc:// may go without CURVE");
        return ERR_FORBIDDEN;
    }
    struct wire_server *server = calloc(1, sizeof *server);
    ASSERT(server != NULL);
    server->wire = wire;
    server->options = *options;
    server->first_free = NO_PEER;
    if (options->key != NULL) {
        server->key = *options->key;
        server->options.key = &server->key;
    }
    init_metrics(server);
    VEC_ADD(&wire->servers, server);
    int rc = open_sockets(server, err);
    if (rc < 0) {
        wire_server_close(server);
        return rc;
    }
    *out = server;
    return 0;
}

void wire_server_free(struct wire_server *server)
{
    VEC_CLEAR(&server->peers);
    map_clear(&server->by_identity);
    arena_clear(&server->arena);
    buf_clear(&server->out);
    sodium_memzero(&server->key, sizeof server->key);
    free(server);
}

void wire_server_close(struct wire_server *server)
{
    struct wire *wire = server->wire;

    VEC_EACH (&wire->servers, i) {
        if (wire->servers.items[i] == server) {
            wire->servers.items[i] = VEC_LAST(&wire->servers);
            wire->servers.count--;
            break;
        }
    }
    if (server->socket != NULL) {
        wire_monitor_stop(server->socket->zmq);
        if (strncmp(server->endpoint, "ipc://", 6) == 0)
            (void)unlink(server->endpoint + 6); /* ZeroMQ leaves it behind */
    }
    wire_socket_close(server->socket);
    wire_socket_close(server->monitor);
    server->monitor = server->socket = NULL;
    if (wire->is_pumping)
        VEC_ADD(&wire->dead_servers, server);
    else
        wire_server_free(server);
}

void *wire_server_owner(const struct wire_server *server)
{
    return server->options.owner;
}

const char *wire_server_endpoint(const struct wire_server *server)
{
    return server->endpoint;
}

/* ---- sending --------------------------------------------------------------------------------- */

static int send_failed(struct wire_server *server, struct peer *peer, struct err *err)
{
    if (zmq_errno() == EAGAIN) {
        drop(server, "queue_full");
        return err_set(err, ERR_LIMIT, "the queue to %s is full", peer->identity);
    }
    drop(server, "unreachable");
    (void)err_set(err, ERR_NOT_FOUND, "%s is no longer connected", peer->identity);
    forget_peer(server, peer);
    return ERR_NOT_FOUND;
}

int wire_server_send(struct wire_server *server, struct str peer_identity, struct message *message,
                     struct err *err)
{
    struct peer *peer = find_peer(server, peer_identity);

    if (peer == NULL)
        return err_set(err, ERR_NOT_FOUND, "%.*s is not connected", STR_ARG(peer_identity));
    message->sender = str_of(server->options.name);
    message->message_no = ++server->last_message_no;
    buf_reset(&server->out);
    int rc = message_pack(message, &server->out, err);
    if (rc < 0)
        return rc;
    if (zmq_send(server->socket->zmq, peer->routing_id, ROUTING_ID_SIZE,
                 ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_send(server->socket->zmq, server->out.bytes, server->out.size, ZMQ_DONTWAIT) < 0)
        return send_failed(server, peer, err);
    metric_add(server->sent, 1);
    return 0;
}

bool wire_server_knows(const struct wire_server *server, struct str peer)
{
    return find_peer(server, peer) != NULL;
}
