// SPDX-License-Identifier: Apache-2.0
#include "common/loop/wake.h"

static struct wake *wake_of(uv_async_t *uv)
{
    return uv->data;
}

static void on_wake(uv_async_t *uv)
{
    struct wake *wake = wake_of(uv);
    wake->on_wake(wake);
}

int wake_open(struct wake *wake, struct loop *loop, void (*on_wake_cb)(struct wake *wake),
              void *owner, struct err *err)
{
    *wake = (struct wake) { .owner = owner, .on_wake = on_wake_cb };
    int rc = uv_async_init(&loop->uv, &wake->uv, on_wake);
    if (rc < 0)
        return err_set(err, rc, "making a wake-up: %s", uv_strerror(rc));
    wake->uv.data = wake;
    uv_unref((uv_handle_t *)&wake->uv);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct wake *wake = wake_of((uv_async_t *)handle);
    if (wake->done != NULL)
        wake->done(wake->owner);
}

void wake_close(struct wake *wake, void (*done)(void *owner))
{
    wake->done = done;
    uv_close((uv_handle_t *)&wake->uv, on_closed);
}

void wake_send(struct wake *wake)
{
    (void)uv_async_send(&wake->uv);
}
