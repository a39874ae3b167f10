// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/warden_client.h"

#include "worker/warden/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

enum { READ_SIZE = 64 << 10 };

int warden_spawn(const char *program, const char *spool, pid_t *out_pid, struct err *err)
{
    char *argv[] = { (char *)program, (char *)"--spool", (char *)spool, NULL };
    posix_spawnattr_t attributes;
    sigset_t none;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    /* A session of its own: Ctrl-C and the worker's hang-up are not meant for the tasks. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    int error = posix_spawn(out_pid, program, NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        return err_set(err, ERR_UNAVAILABLE, "starting %s: %s", program, strerror(error));
    return 0;
}

int warden_client_open(struct warden_client *client, const char *spool, struct err *err)
{
    struct warden_message hello = { .type = WARDEN_HELLO, .version = WARDEN_PROTOCOL_VERSION };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int spool_fd = open(spool, O_PATH | O_DIRECTORY | O_CLOEXEC);

    *client = (struct warden_client) { .fd = -1 };
    if (spool_fd < 0)
        return err_set(err, ERR_IO, "opening the spool %s: %s", spool, strerror(errno));
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" SESSION_SOCKET_NAME,
             spool_fd);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected =
        client->fd >= 0 && connect(client->fd, (struct sockaddr *)&address, sizeof address) == 0;
    int error = errno;
    close(spool_fd);
    if (!connected) {
        warden_client_close(client);
        return err_set(err, ERR_UNAVAILABLE, "connecting to the warden of %s: %s", spool,
                       strerror(error));
    }
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    return warden_client_send(client, &hello, err);
}

void warden_client_close(struct warden_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    buf_clear(&client->in);
    buf_clear(&client->out);
    arena_clear(&client->arena);
    client->fd = -1;
    client->in_at = 0;
}

void warden_client_queue(struct warden_client *client, const struct warden_message *message)
{
    warden_encode(&client->out, message);
}

int warden_client_flush(struct warden_client *client, struct err *err)
{
    while (client->out.size > 0) {
        ssize_t size = send(client->fd, client->out.bytes, client->out.size, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return 0;
        if (size <= 0)
            return err_set(err, ERR_UNAVAILABLE, "writing to the warden: %s", strerror(errno));
        buf_consume(&client->out, (size_t)size);
    }
    if (client->out.capacity > READ_SIZE)
        buf_clear(&client->out);
    return 0;
}

int warden_client_send(struct warden_client *client, const struct warden_message *message,
                       struct err *err)
{
    warden_client_queue(client, message);
    return warden_client_flush(client, err);
}

bool warden_client_wants_write(const struct warden_client *client)
{
    return client->out.size > 0;
}

/* 1 when something was read, 0 when there is nothing now. */
static int read_more(struct warden_client *client, struct err *err)
{
    buf_consume(&client->in, client->in_at);
    client->in_at = 0;
    for (;;) {
        buf_reserve(&client->in, READ_SIZE);
        ssize_t size = read(client->fd, client->in.bytes + client->in.size, READ_SIZE);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return 0;
        if (size <= 0)
            return err_set(err, ERR_UNAVAILABLE, "the warden has closed the connection");
        client->in.size += (size_t)size;
        return 1;
    }
}

int warden_client_receive(struct warden_client *client, struct warden_message *out, struct err *err)
{
    struct str frame;
    int rc;

    if (client->fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "there is no connection to the warden");
    arena_reset(&client->arena);
    for (;;) {
        struct str rest = str_slice(buf_str(&client->in), client->in_at, client->in.size);
        rc = warden_frame(rest, &frame, err);
        if (rc < 0)
            return rc;
        if (frame.size == 0) {
            rc = read_more(client, err);
            if (rc <= 0)
                return rc;
            continue;
        }
        rc = warden_decode(&client->arena, frame, out, err);
        client->in_at += frame.size;
        if (rc == 0)
            return 1;
        if (rc != ERR_UNSUPPORTED)
            return rc;
    }
}
