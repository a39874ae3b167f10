// SPDX-License-Identifier: Apache-2.0
/* stream - a TCP or Unix socket connection: bytes in by callback, bytes out by a queue that is
 * tried at once.
 *
 * on_end tells that the peer has finished sending (it may still read), or that the connection is
 * broken: then only stream_close makes sense. stream_close may be called from any callback. */
#ifndef HEADRACE_STREAM_H
#define HEADRACE_STREAM_H

#include "common/loop/listener.h"
#include "common/loop/loop.h"

struct stream;

/* Constant; shared by all streams of a kind. Each may be NULL but on_read and on_end. */
struct stream_events {
    /* After stream_connect_...: 0 or why not. A failed stream still has to be closed. */
    void (*on_connect)(struct stream *stream, int rc);
    /* `bytes` is borrowed: it dies when the callback returns. */
    void (*on_read)(struct stream *stream, struct str bytes);
    /* 0: the peer has finished sending. Negative: broken, in reading or writing. Each at most once,
     * broken last. */
    void (*on_end)(struct stream *stream, int rc);
    /* The queue had grown to `high_water` or more and has now fallen below a quarter of it. */
    void (*on_drain)(struct stream *stream);
    size_t high_water; /* 0 = 256 KiB */
};

struct stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct loop *loop;
    void *owner;
    const struct stream_events *events;
    void (*done)(void *owner);
    uv_connect_t connect;
    uv_getaddrinfo_t resolve;
    uv_shutdown_t shutdown;
    size_t queued;       /* bytes that the kernel has not taken yet */
    int64_t progress_ms; /* loop_now_ms when the kernel last took bytes, or the queue began: for
                            stall limits */
    int port;
    bool is_connecting, is_resolving, is_above_high_water, has_ended, is_broken, is_closing,
        handle_is_closed;
};

/* For on_connection alone: takes the waiting connection. Nagle's delay is off. */
MUST_USE int stream_accept(struct stream *stream, struct listener *listener,
                           const struct stream_events *events, void *owner);

/* 0: on_connect tells the end, later. `host` may be a name: it is resolved on the pool. Negative (a
 * path too long): nothing is to be closed. */
MUST_USE int stream_connect_tcp(struct stream *stream, struct loop *loop, const char *host,
                                int port, const struct stream_events *events, void *owner);
MUST_USE int stream_connect_unix(struct stream *stream, struct loop *loop, const char *path,
                                 const struct stream_events *events, void *owner);

/* Queued bytes are lost: use stream_shutdown and wait for the queue to empty when they matter. */
void stream_close(struct stream *stream, void (*done)(void *owner));
bool stream_is_closing(const struct stream *stream);

void stream_read_start(struct stream *stream);
void stream_read_stop(struct stream *stream);

/* Writes what the kernel takes at once; the rest is copied and queued. Negative: the connection is
 * broken, close it. */
MUST_USE int stream_write(struct stream *stream, struct str bytes);
/* Several pieces as one; 16 at most. */
MUST_USE int stream_writev(struct stream *stream, const struct str *pieces, uint32_t count);

/* Tells the peer, after the queue, that no more will come. */
void stream_shutdown(struct stream *stream);

/* "127.0.0.1", "::1"; "unix" for a Unix socket; "?" when it is gone. */
enum { STREAM_PEER_SIZE = 64 };
void stream_peer(const struct stream *stream, char out[STREAM_PEER_SIZE]);

#endif
