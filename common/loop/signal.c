// SPDX-License-Identifier: Apache-2.0
#include "common/loop/signal.h"

#include "common/base/assert.h"

static struct signal *signal_of(uv_signal_t *uv)
{
    return uv->data;
}

static void on_signal(uv_signal_t *uv, int signum)
{
    struct signal *signal = signal_of(uv);
    signal->on_signal(signal, signum);
}

int signal_open(struct signal *signal, struct loop *loop, int signum,
                void (*on_signal_cb)(struct signal *signal, int signum), void *owner,
                struct err *err)
{
    *signal = (struct signal) { .owner = owner, .on_signal = on_signal_cb };
    int rc = uv_signal_init(&loop->uv, &signal->uv);
    if (rc < 0)
        return err_set(err, rc, "watching for signal %d: %s", signum, uv_strerror(rc));
    signal->uv.data = signal;
    rc = uv_signal_start(&signal->uv, on_signal, signum);
    ASSERT(rc == 0); /* but for a signal that nobody can catch */
    uv_unref((uv_handle_t *)&signal->uv);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct signal *signal = signal_of((uv_signal_t *)handle);
    if (signal->done != NULL)
        signal->done(signal->owner);
}

void signal_close(struct signal *signal, void (*done)(void *owner))
{
    signal->done = done;
    uv_close((uv_handle_t *)&signal->uv, on_closed);
}
