// SPDX-License-Identifier: Apache-2.0
/* wire_inside - what the files of this room share: sockets under the pump, their options, monitors.
 */
#ifndef HEADRACE_WIRE_INSIDE_H
#define HEADRACE_WIRE_INSIDE_H

#include "common/base/vec.h"
#include "common/loop/hook.h"
#include "common/loop/poll.h"
#include "common/wire/wire.h"

#include <zmq.h>

/* A ZeroMQ socket under the pump: `take` handles one message and says whether there was one. */
struct wire_socket {
    struct poll poll;
    struct wire *wire;
    void *zmq;
    bool (*take)(void *owner);
    void *owner;
};

struct wire {
    struct loop *loop;
    struct metrics *metrics;
    void *context;
    struct hook hook;
    VEC(struct wire_socket *) sockets; /* NULL where one was closed while the pump runs */
    bool is_pumping;
    uint32_t last_monitor;
    VEC(struct wire_server *) servers;
    VEC(struct wire_client *) clients;
    VEC(struct wire_server *)
    dead_servers; /* closed by callbacks of their own: freed after the pump's turn */
    struct wire_socket *zap;
    void (*done)(void *owner);
    void *done_owner;
};

enum {
    WIRE_PUMP_MAX = 64,
    WIRE_HEARTBEAT_MS = 10000,
    WIRE_HEARTBEAT_TIMEOUT_MS = 30000,
    WIRE_HANDSHAKE_MS = 5000,
    WIRE_HWM = 1000,
};

/* The last word of ZeroMQ's errno, as one of ours. */
int wire_error(struct err *err, int code, const char *doing);

/* Makes a socket with the options that all have: LINGER 0, MAXMSGSIZE, HWM, heartbeats, handshake
 * limit. ERR_LIMIT when too few descriptors are left: ZeroMQ aborts the process without them. */
MUST_USE int wire_make(struct wire *wire, int type, const char *endpoint, void **out,
                       struct err *err);
void wire_option(void *zmq, int option, int value);

/* Takes `zmq`. */
MUST_USE int wire_socket_open(struct wire_socket **out, struct wire *wire, void *zmq,
                              bool (*take)(void *owner), void *owner, struct err *err);
void wire_socket_close(struct wire_socket *socket); /* NULL allowed */

#define WIRE_EVENTS                                                                                \
    (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |                             \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |                  \
     ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED)

/* A PAIR that hears the events of `zmq`. */
MUST_USE int wire_monitor(struct wire *wire, void *zmq, void **out, struct err *err);
void wire_monitor_stop(void *zmq);
bool wire_monitor_take(void *monitor, uint16_t *out_event, uint32_t *out_value);

/* The ZAP handler: opened by the first server with CURVE, before it binds. */
MUST_USE int wire_zap_open(struct wire *wire, struct err *err);
bool wire_zap_take(void *wire);

void wire_server_free(struct wire_server *server);

/* Of wire_server.c: what ZAP asks. `domain` is the server's name. */
bool wire_server_admits(struct wire *wire, struct str domain, const char *public_key);

#endif
