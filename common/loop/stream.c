// SPDX-License-Identifier: Apache-2.0
#include "common/loop/stream.h"

#include "common/base/assert.h"

#include <netinet/in.h>
#include <sys/un.h>

enum { PIECES_MAX = 16, WRITE_SIZE = 65536, HIGH_WATER_DEFAULT = 256 * 1024 };

/* A part of the queue, 64 KiB at most, so that progress shows in steps of that size. */
struct stream_write {
    uv_write_t uv;
    size_t size;
    char bytes[];
};

static struct stream *stream_of(void *uv)
{
    return ((uv_handle_t *)uv)->data;
}

static size_t high_water(const struct stream *stream)
{
    return stream->events->high_water != 0 ? stream->events->high_water : HIGH_WATER_DEFAULT;
}

static void init(struct stream *stream, struct loop *loop, const struct stream_events *events,
                 void *owner, bool is_tcp)
{
    *stream = (struct stream) { .loop = loop, .owner = owner, .events = events };
    if (is_tcp)
        (void)uv_tcp_init(&loop->uv, &stream->uv.tcp);
    else
        (void)uv_pipe_init(&loop->uv, &stream->uv.pipe, 0);
    stream->uv.handle.data = stream;
    stream->progress_ms = loop_now_ms();
}

int stream_accept(struct stream *stream, struct listener *listener,
                  const struct stream_events *events, void *owner)
{
    bool is_tcp = listener->uv.handle.type == UV_TCP;
    init(stream, listener->loop, events, owner, is_tcp);
    int rc = uv_accept(&listener->uv.stream, &stream->uv.stream);
    ASSERT(rc == 0); /* fails only outside on_connection */
    if (is_tcp)
        (void)uv_tcp_nodelay(&stream->uv.tcp, 1);
    return 0;
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void tell_connected(struct stream *stream, int rc)
{
    stream->is_connecting = false;
    if (rc < 0)
        stream->is_broken = true;
    if (!stream->is_closing && stream->events->on_connect != NULL)
        stream->events->on_connect(stream, rc);
}

static void on_connected(uv_connect_t *uv, int status)
{
    struct stream *stream = stream_of(uv->handle);
    if (status == 0 && stream->uv.handle.type == UV_TCP)
        (void)uv_tcp_nodelay(&stream->uv.tcp, 1);
    if (!stream->is_closing)
        tell_connected(stream, status);
}

static void finish_close(struct stream *stream)
{
    if (!stream->handle_is_closed || stream->is_resolving)
        return;
    if (stream->done != NULL)
        stream->done(stream->owner);
}

static void on_resolved(uv_getaddrinfo_t *uv, int status, struct addrinfo *list)
{
    struct stream *stream = uv->data;
    stream->is_resolving = false;
    if (stream->is_closing) {
        uv_freeaddrinfo(list);
        finish_close(stream);
        return;
    }

    int rc = status;
    if (rc == 0) {
        struct sockaddr *address = list->ai_addr;
        if (address->sa_family == AF_INET)
            ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)stream->port);
        else
            ((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)stream->port);
        rc = uv_tcp_connect(&stream->connect, &stream->uv.tcp, address, on_connected);
    }
    uv_freeaddrinfo(list);
    if (rc < 0)
        tell_connected(stream, rc);
}

int stream_connect_tcp(struct stream *stream, struct loop *loop, const char *host, int port,
                       const struct stream_events *events, void *owner)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };

    if (strlen(host) > 253) /* longer than a name can be, and libuv would refuse it */
        return UV_ENAMETOOLONG;
    init(stream, loop, events, owner, true);
    stream->port = port;
    stream->is_connecting = stream->is_resolving = true;
    stream->resolve.data = stream;
    int rc = uv_getaddrinfo(&loop->uv, &stream->resolve, on_resolved, host, NULL, &hints);
    ASSERT(rc == 0);
    return 0;
}

int stream_connect_unix(struct stream *stream, struct loop *loop, const char *path,
                        const struct stream_events *events, void *owner)
{
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return UV_ENAMETOOLONG;
    init(stream, loop, events, owner, false);
    stream->is_connecting = true;
    uv_pipe_connect(&stream->connect, &stream->uv.pipe, path, on_connected);
    return 0;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *uv)
{
    struct stream *stream = stream_of(uv);
    stream->handle_is_closed = true;
    finish_close(stream);
}

void stream_close(struct stream *stream, void (*done)(void *owner))
{
    ASSERT(!stream->is_closing);
    stream->is_closing = true;
    stream->done = done;
    if (stream->is_resolving)
        (void)uv_cancel((uv_req_t *)&stream->resolve);
    uv_close(&stream->uv.handle, on_closed);
}

bool stream_is_closing(const struct stream *stream)
{
    return stream->is_closing;
}

static void broke(struct stream *stream, int rc)
{
    if (stream->is_broken || stream->is_closing)
        return;
    stream->is_broken = true;
    (void)uv_read_stop(&stream->uv.stream);
    stream->events->on_end(stream, rc);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *uv, size_t wanted, uv_buf_t *out)
{
    (void)wanted;
    *out = uv_buf_init(stream_of(uv)->loop->read_buffer, LOOP_READ_SIZE);
}

static void on_read(uv_stream_t *uv, ssize_t size, const uv_buf_t *buffer)
{
    struct stream *stream = stream_of(uv);

    if (size > 0) {
        stream->events->on_read(stream, (struct str) { buffer->base, (size_t)size });
    } else if (size == UV_EOF) {
        stream->has_ended = true;
        (void)uv_read_stop(uv);
        stream->events->on_end(stream, 0);
    } else if (size < 0) {
        broke(stream, (int)size);
    }
}

void stream_read_start(struct stream *stream)
{
    if (stream->has_ended || stream->is_broken || stream->is_closing)
        return;
    (void)uv_read_start(&stream->uv.stream, on_alloc, on_read);
}

void stream_read_stop(struct stream *stream)
{
    if (!stream->is_closing)
        (void)uv_read_stop(&stream->uv.stream);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void on_written(uv_write_t *uv, int status)
{
    struct stream *stream = stream_of(uv->handle);
    struct stream_write *write = uv->data;

    stream->queued -= write->size;
    free(write);
    if (stream->is_closing)
        return;
    if (status < 0) {
        broke(stream, status);
        return;
    }
    stream->progress_ms = loop_now_ms();
    if (stream->is_above_high_water && stream->queued < high_water(stream) / 4) {
        stream->is_above_high_water = false;
        if (stream->events->on_drain != NULL)
            stream->events->on_drain(stream);
    }
}

/* Copies what the kernel did not take, `skip` bytes into `pieces`, in writes of at most WRITE_SIZE.
 */
static int enqueue(struct stream *stream, const struct str *pieces, uint32_t count, size_t skip,
                   size_t total)
{
    uint32_t piece = 0;

    while (skip >= pieces[piece].size && piece + 1 < count)
        skip -= pieces[piece++].size;
    if (stream->queued == 0)
        stream->progress_ms = loop_now_ms();

    for (size_t left = total; left > 0;) {
        size_t size = left < WRITE_SIZE ? left : WRITE_SIZE;
        struct stream_write *write = malloc(sizeof *write + size);
        ASSERT(write != NULL);
        *write = (struct stream_write) { .size = size };
        write->uv.data = write;
        for (size_t filled = 0; filled < size;) {
            size_t part = pieces[piece].size - skip;
            if (part > size - filled)
                part = size - filled;
            memcpy(write->bytes + filled, pieces[piece].bytes + skip, part);
            filled += part;
            skip += part;
            if (skip == pieces[piece].size) {
                piece++;
                skip = 0;
            }
        }
        uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned)size);
        int rc = uv_write(&write->uv, &stream->uv.stream, &buffer, 1, on_written);
        if (rc < 0) {
            free(write);
            return rc;
        }
        stream->queued += size;
        left -= size;
    }
    if (stream->queued >= high_water(stream))
        stream->is_above_high_water = true;
    return 0;
}

int stream_writev(struct stream *stream, const struct str *pieces, uint32_t count)
{
    uv_buf_t buffers[PIECES_MAX];
    size_t total = 0;
    size_t taken = 0;

    ASSERT(count <= PIECES_MAX);
    if (stream->is_broken || stream->is_closing)
        return UV_EPIPE;
    for (uint32_t i = 0; i < count; i++) {
        buffers[i] = uv_buf_init((char *)pieces[i].bytes, (unsigned)pieces[i].size);
        total += pieces[i].size;
    }
    if (total == 0)
        return 0;
    if (stream->queued == 0 && !stream->is_connecting) {
        int rc = uv_try_write(&stream->uv.stream, buffers, count);
        if (rc < 0 && rc != UV_EAGAIN)
            return rc;
        taken = rc > 0 ? (size_t)rc : 0;
    }
    return taken < total ? enqueue(stream, pieces, count, taken, total - taken) : 0;
}

int stream_write(struct stream *stream, struct str bytes)
{
    return stream_writev(stream, &bytes, 1);
}

static void on_shutdown(uv_shutdown_t *uv, int status)
{
    (void)uv;
    (void)status; /* the peer's end, or the owner's patience, tells the rest */
}

void stream_shutdown(struct stream *stream)
{
    if (!stream->is_closing && !stream->is_broken && !stream->is_connecting)
        (void)uv_shutdown(&stream->shutdown, &stream->uv.stream, on_shutdown);
}

void stream_peer(const struct stream *stream, char out[STREAM_PEER_SIZE])
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } address;
    int size = sizeof address;
    int rc = UV_EINVAL;

    if (stream->uv.handle.type == UV_NAMED_PIPE) {
        snprintf(out, STREAM_PEER_SIZE, "unix");
        return;
    }
    if (uv_tcp_getpeername(&stream->uv.tcp, &address.any, &size) == 0)
        rc = address.any.sa_family == AF_INET ? uv_ip4_name(&address.v4, out, STREAM_PEER_SIZE)
                                              : uv_ip6_name(&address.v6, out, STREAM_PEER_SIZE);
    if (rc < 0)
        snprintf(out, STREAM_PEER_SIZE, "?");
}
