// SPDX-License-Identifier: Apache-2.0
#include "common/loop/listener.h"

#include "common/base/assert.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

static struct listener *listener_of(void *uv)
{
    return ((uv_handle_t *)uv)->data;
}

static void on_connection(uv_stream_t *uv, int status)
{
    struct listener *listener = listener_of(uv);
    /* Without descriptors libuv sheds the connection itself; there is nothing to accept. */
    if (status == 0)
        listener->on_connection(listener);
}

/* Binds by hand: libuv's own way leaves a half-open handle behind when it fails. */
static int bind_and_listen(const struct sockaddr *address, socklen_t size, int *out_fd)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int yes = 1;
    if (address->sa_family != AF_UNIX)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (bind(fd, address, size) != 0 || listen(fd, BACKLOG) != 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    *out_fd = fd;
    return 0;
}

static void start(struct listener *listener)
{
    listener->uv.handle.data = listener;
    int rc = uv_listen(&listener->uv.stream, BACKLOG, on_connection);
    ASSERT(rc == 0);
}

int listener_open_tcp(struct listener *listener, struct loop *loop, const char *host, int port,
                      void (*on_connection_cb)(struct listener *listener), void *owner,
                      struct err *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    const char *numeric = host;

    if (strcmp(host, "localhost") == 0)
        numeric = "127.0.0.1";
    else if (strcmp(host, "*") == 0 || host[0] == 0)
        numeric = "0.0.0.0";
    if (uv_ip4_addr(numeric, port, &address.v4) != 0 &&
        uv_ip6_addr(numeric, port, &address.v6) != 0) {
        (void)err_set(err, ERR_INVALID, "%s is not an address to listen on", host);
        err_hint(err, "give a number such as 127.0.0.1 or ::1, or * for all");
        return ERR_INVALID;
    }

    int fd;
    int rc = bind_and_listen(
        &address.any, address.any.sa_family == AF_INET ? sizeof address.v4 : sizeof address.v6,
        &fd);
    if (rc < 0) {
        (void)err_set(err, rc, "listening on %s:%d: %s", host, port, uv_strerror(rc));
        if (rc == UV_EADDRINUSE)
            err_hint(err, "another program listens there: end it or choose another port");
        return rc;
    }
    *listener =
        (struct listener) { .loop = loop, .owner = owner, .on_connection = on_connection_cb };
    (void)uv_tcp_init(&loop->uv, &listener->uv.tcp);
    rc = uv_tcp_open(&listener->uv.tcp, fd);
    ASSERT(rc == 0);
    start(listener);
    return 0;
}

/* A socket file whose listener has died would make bind fail for ever. */
static void remove_dead_socket(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED)
        (void)unlink(address->sun_path);
    close(fd);
}

int listener_open_unix(struct listener *listener, struct loop *loop, const char *path, int mode,
                       void (*on_connection_cb)(struct listener *listener), void *owner,
                       struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path)
        return err_set(err, ERR_INVALID,
                       "%s is too long for a socket's name: the limit is %zu bytes", path,
                       sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    remove_dead_socket(&address);

    int fd;
    mode_t mask = umask(0777 & ~(mode_t)mode);
    int rc = bind_and_listen((struct sockaddr *)&address, sizeof address, &fd);
    (void)umask(mask);
    if (rc < 0)
        return err_set(err, rc, "listening on %s: %s", path, uv_strerror(rc));

    *listener =
        (struct listener) { .loop = loop, .owner = owner, .on_connection = on_connection_cb };
    memcpy(listener->path, path, strlen(path) + 1);
    (void)uv_pipe_init(&loop->uv, &listener->uv.pipe, 0);
    rc = uv_pipe_open(&listener->uv.pipe, fd);
    ASSERT(rc == 0);
    start(listener);
    return 0;
}

static void on_closed(uv_handle_t *uv)
{
    struct listener *listener = listener_of(uv);
    if (listener->done != NULL)
        listener->done(listener->owner);
}

void listener_close(struct listener *listener, void (*done)(void *owner))
{
    listener->done = done;
    if (listener->path[0] != 0)
        (void)unlink(listener->path);
    uv_close(&listener->uv.handle, on_closed);
}

int listener_port(const struct listener *listener)
{
    struct sockaddr_storage address;
    int size = sizeof address;

    if (listener->path[0] != 0)
        return 0;
    int rc = uv_tcp_getsockname(&listener->uv.tcp, (struct sockaddr *)&address, &size);
    ASSERT(rc == 0);
    /* The port stands at the same place in both families. */
    return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}
