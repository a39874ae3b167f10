// SPDX-License-Identifier: Apache-2.0
#include "common/loop/poll.h"

#include "common/base/assert.h"

static struct poll *poll_of(uv_poll_t *uv)
{
    return uv->data;
}

int poll_open(struct poll *poll, struct loop *loop, int fd,
              void (*on_ready)(struct poll *poll, int ready), void *owner, struct err *err)
{
    *poll = (struct poll) { .owner = owner, .on_ready = on_ready };
    int rc = uv_poll_init(&loop->uv, &poll->uv, fd);
    if (rc < 0)
        return err_set(err, rc, "watching descriptor %d: %s", fd, uv_strerror(rc));
    poll->uv.data = poll;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct poll *poll = poll_of((uv_poll_t *)handle);
    if (poll->done != NULL)
        poll->done(poll->owner);
}

void poll_close(struct poll *poll, void (*done)(void *owner))
{
    poll->done = done;
    (void)uv_poll_stop(&poll->uv);
    uv_close((uv_handle_t *)&poll->uv, on_closed);
}

static void on_ready(uv_poll_t *uv, int status, int events)
{
    struct poll *poll = poll_of(uv);
    int ready =
        ((events & UV_READABLE) ? POLL_READABLE : 0) | ((events & UV_WRITABLE) ? POLL_WRITABLE : 0);

    if (status < 0) {
        ready = poll->wanted;
        poll->wanted = POLL_NOTHING; /* libuv has stopped it */
    }
    poll->on_ready(poll, ready);
}

void poll_want(struct poll *poll, int wanted)
{
    if (wanted == poll->wanted)
        return;
    poll->wanted = wanted;
    if (wanted == POLL_NOTHING) {
        (void)uv_poll_stop(&poll->uv);
        return;
    }
    int events =
        ((wanted & POLL_READABLE) ? UV_READABLE : 0) | ((wanted & POLL_WRITABLE) ? UV_WRITABLE : 0);
    int rc = uv_poll_start(&poll->uv, events, on_ready);
    ASSERT(rc == 0);
}
