// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/pg/inside.h"

struct pg_socket {
    struct poll poll;
    void (*on_ready)(void *owner, int ready);
    void *owner;
};

static void on_ready(struct poll *poll, int ready)
{
    struct pg_socket *socket = poll->owner;
    socket->on_ready(socket->owner, ready);
}

int pg_socket_open(struct pg_socket **out, struct loop *loop, int fd,
                   void (*on_ready_cb)(void *owner, int ready), void *owner, struct err *err)
{
    struct pg_socket *socket = malloc(sizeof *socket);
    ASSERT(socket != NULL);
    int rc = poll_open(&socket->poll, loop, fd, on_ready, socket, err);
    if (rc < 0) {
        free(socket);
        return rc;
    }
    socket->on_ready = on_ready_cb;
    socket->owner = owner;
    *out = socket;
    return 0;
}

void pg_socket_close(struct pg_socket *socket)
{
    if (socket != NULL)
        poll_close(&socket->poll, free);
}

void pg_socket_want(struct pg_socket *socket, int wanted)
{
    poll_want(&socket->poll, wanted);
}
