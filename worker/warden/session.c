// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/session.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 64 << 10, READ_MAX = 1 << 20 };

int session_listen(struct session *session, int spool_fd, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    *session = (struct session) { .listen_fd = -1, .fd = -1 };
    /* By the folder's descriptor: a spool's path may be longer than a socket's may. */
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" SESSION_SOCKET_NAME,
             spool_fd);
    unlinkat(spool_fd, SESSION_SOCKET_NAME, 0);
    session->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (session->listen_fd < 0 ||
        bind(session->listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(session->listen_fd, 8) < 0)
        return err_set(err, ERR_IO, "listening on %s in the spool: %s", SESSION_SOCKET_NAME,
                       strerror(errno));
    return 0;
}

void session_drop(struct session *session)
{
    if (session->fd >= 0)
        close(session->fd);
    session->fd = -1;
    buf_clear(&session->in);
    buf_clear(&session->out);
    session->in_at = 0;
    session->greeted = session->caught_up = false;
}

void session_close(struct session *session)
{
    session_drop(session);
    if (session->listen_fd >= 0)
        close(session->listen_fd);
    session->listen_fd = -1;
}

bool session_accept(struct session *session)
{
    struct warden_message hello = { .type = WARDEN_HELLO, .version = WARDEN_PROTOCOL_VERSION };
    struct ucred peer = { .uid = (uid_t)-1 };
    socklen_t size = sizeof peer;
    int fd = accept4(session->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
        (peer.uid != geteuid() && peer.uid != 0)) {
        close(fd);
        return false;
    }
    session_drop(session);
    session->fd = fd;
    session_send(session, &hello);
    return true;
}

void session_read(struct session *session)
{
    if (session->in_at > 0) {
        buf_consume(&session->in, session->in_at);
        session->in_at = 0;
    }
    for (size_t got = 0; got < READ_MAX && session->fd >= 0;) {
        buf_reserve(&session->in, READ_SIZE);
        ssize_t size = read(session->fd, session->in.bytes + session->in.size, READ_SIZE);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return;
        if (size <= 0) {
            session_drop(session);
            return;
        }
        session->in.size += (size_t)size;
        got += (size_t)size;
        if ((size_t)size < READ_SIZE)
            return;
    }
}

int session_next(struct session *session, struct arena *arena, struct warden_message *out)
{
    struct str rest = str_slice(buf_str(&session->in), session->in_at, session->in.size), frame;
    int rc = warden_frame(rest, &frame, NULL);

    if (rc == 0 && frame.size == 0) {
        if (session->in_at == session->in.size && session->in.capacity > READ_MAX)
            buf_clear(&session->in), session->in_at = 0;
        return 0;
    }
    if (rc == 0)
        rc = warden_decode(arena, frame, out, NULL);
    if (rc == ERR_UNSUPPORTED) {
        /* A newer worker's message that we cannot know: it learns from what does not happen. */
        session->in_at += frame.size;
        return session_next(session, arena, out);
    }
    if (rc < 0 || (!session->greeted && out->type != WARDEN_HELLO)) {
        session_drop(session);
        return 0;
    }
    session->greeted = true;
    session->in_at += frame.size;
    return 1;
}

void session_send(struct session *session, const struct warden_message *message)
{
    if (session->fd >= 0)
        warden_encode(&session->out, message);
}

void session_flush(struct session *session)
{
    while (session->fd >= 0 && session->out.size > 0) {
        ssize_t size = send(session->fd, session->out.bytes, session->out.size, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return;
        if (size <= 0) {
            session_drop(session);
            return;
        }
        buf_consume(&session->out, (size_t)size);
    }
    if (session->out.capacity > READ_SIZE)
        buf_clear(&session->out);
}

bool session_is_open(const struct session *session)
{
    return session->fd >= 0;
}

bool session_has_room(const struct session *session)
{
    return session->fd >= 0 && session->out.size < SESSION_OUT_MAX;
}
