// SPDX-License-Identifier: Apache-2.0
/* wire - messages between processes: ZeroMQ on the loop.
 *
 * A wire is the process's ZeroMQ context with its pump: at most 64 messages of each socket are
 * handled per turn of the loop, so that nothing else starves. Success of a send means nothing: only
 * an answer of the peer does. Make one per process; servers and clients are opened on it. */
#ifndef HEADRACE_WIRE_H
#define HEADRACE_WIRE_H

#include "common/loop/loop.h"
#include "common/metrics/metrics.h"
#include "common/wire/message.h"
#include "common/wire/wire_key.h"

struct wire;
struct wire_server;
struct wire_client;

/* `metrics` may be NULL; kept. */
MUST_USE int wire_open(struct wire **out, struct loop *loop, struct metrics *metrics,
                       struct err *err);

/* Closes what is still open on it, unsent messages are dropped; frees `wire`. */
void wire_close(struct wire *wire, void (*done)(void *owner), void *owner);

/* "127.0.0.1:8790", "*:8790", "[::1]:8790" or "ipc:///path" -> ZeroMQ's own. ERR_INVALID says what
 * is wrong. */
MUST_USE int wire_endpoint(struct arena *arena, struct str text, struct str *out, struct err *err);
bool wire_endpoint_is_local(struct str endpoint); /* loopback or ipc */

/* ---- a server: many peers (ROUTER) ----------------------------------------------------------- */

struct wire_server_options {
    const char *name;           /* "scheduler": label of its metrics, ZAP domain; kept */
    const char *endpoint;       /* tcp://127.0.0.1:0 lets the system choose */
    const struct wire_key *key; /* NULL: no CURVE, allowed on loopback and ipc alone; copied */
    bool (*is_allowed)(void *owner,
                       const char *public_key); /* with CURVE; must answer from memory */

    /* `peer` is the identity: what the sender calls itself, with CURVE behind the hash of its
     * verified key ("KEY.SENDER"): those who share a key are told apart, and nobody can be another
     * key's peer. Everything borrowed. A message that cannot be read is counted and dropped. */
    void (*on_message)(struct wire_server *server, struct str peer, const struct message *message);
    void *owner;
};

/* With CURVE it first proves to itself that a random key is refused and a known one accepted;
 * ERR_INTERNAL if not. */
MUST_USE int wire_server_open(struct wire_server **out, struct wire *wire,
                              const struct wire_server_options *options, struct err *err);
void wire_server_close(struct wire_server *server); /* at once; no callback comes after it */
void *wire_server_owner(const struct wire_server *server);
const char *
wire_server_endpoint(const struct wire_server *server); /* with the port that it really has */

/* To the newest connection on which `peer` was heard. ERR_NOT_FOUND: unknown or gone. ERR_LIMIT:
 * its queue is full. sender and message_no of `message` are filled in. */
MUST_USE int wire_server_send(struct wire_server *server, struct str peer, struct message *message,
                              struct err *err);

/* Whether it was heard and has not been found gone. */
bool wire_server_knows(const struct wire_server *server, struct str peer);

/* ---- a client: one server (DEALER) ----------------------------------------------------------- */

struct wire_client_options {
    const char *name;           /* "worker": label of its metrics; kept */
    const char *endpoint;       /* of one server */
    const char *sender;         /* what it calls itself: 1 to 64 of A-Z a-z 0-9 . _ - ; copied */
    const struct wire_key *key; /* with server_key: CURVE; copied */
    const char *server_key;     /* NULL or empty: none, allowed on loopback and ipc alone; copied */

    /* The connection stands (handshake done), or has broken (`why`: a sentence for the log,
     * repeated at most once a minute while it stays broken). It comes back by itself: 0.1 s
     * doubling to 5 s. */
    void (*on_state)(struct wire_client *client, bool is_up, const struct err *why);
    void (*on_message)(struct wire_client *client, const struct message *message);
    void *owner;
};

MUST_USE int wire_client_open(struct wire_client **out, struct wire *wire,
                              const struct wire_client_options *options, struct err *err);
void wire_client_close(struct wire_client *client);
void *wire_client_owner(const struct wire_client *client);
const char *wire_client_endpoint(const struct wire_client *client);
bool wire_client_is_up(const struct wire_client *client);

/* ERR_UNAVAILABLE: not connected. ERR_LIMIT: the queue is full. sender and message_no are filled
 * in. */
MUST_USE int wire_client_send(struct wire_client *client, struct message *message, struct err *err);

#endif
