// SPDX-License-Identifier: Apache-2.0
/* listener - waits for connections on a TCP port or a Unix socket. Each on_connection takes one
 * with stream_accept. */
#ifndef HEADRACE_LISTENER_H
#define HEADRACE_LISTENER_H

#include "common/loop/loop.h"

struct listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct loop *loop;
    void *owner;
    void (*on_connection)(struct listener *listener);
    void (*done)(void *owner);
    char path[108]; /* of a Unix socket: removed at close */
};

/* `host` is a numeric address, or "localhost"; port 0 lets the system choose. On failure nothing is
 * to be closed; the error names the address ("127.0.0.1:8080: address already in use"). */
MUST_USE int listener_open_tcp(struct listener *listener, struct loop *loop, const char *host,
                               int port, void (*on_connection)(struct listener *listener),
                               void *owner, struct err *err);

/* Replaces a socket that nobody listens on; `mode` as in chmod. The path is at most 107 bytes long.
 */
MUST_USE int listener_open_unix(struct listener *listener, struct loop *loop, const char *path,
                                int mode, void (*on_connection)(struct listener *listener),
                                void *owner, struct err *err);
void listener_close(struct listener *listener, void (*done)(void *owner));

int listener_port(const struct listener *listener); /* 0 for a Unix socket */

#endif
