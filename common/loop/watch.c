// SPDX-License-Identifier: Apache-2.0
#include "common/loop/watch.h"

#include "common/base/assert.h"

/* On the heap, because libuv needs it a little longer than a failed watch_open lasts. */
struct watch_handle {
    uv_fs_event_t uv;
    struct watch *watch; /* NULL when the opening failed */
};

static struct watch_handle *handle_of(uv_fs_event_t *uv)
{
    return uv->data;
}

static void on_event(uv_fs_event_t *uv, const char *name, int events, int status)
{
    struct watch *watch = handle_of(uv)->watch;
    (void)events;
    watch->on_change(watch, status < 0 ? NULL : name);
}

static void on_closed(uv_handle_t *uv)
{
    struct watch_handle *handle = handle_of((uv_fs_event_t *)uv);
    struct watch *watch = handle->watch;
    free(handle);
    if (watch != NULL && watch->done != NULL)
        watch->done(watch->owner);
}

int watch_open(struct watch *watch, struct loop *loop, const char *path,
               void (*on_change)(struct watch *watch, const char *name), void *owner,
               struct err *err)
{
    struct watch_handle *handle = calloc(1, sizeof *handle);
    ASSERT(handle != NULL);
    (void)uv_fs_event_init(&loop->uv, &handle->uv);
    handle->uv.data = handle;

    int rc = uv_fs_event_start(&handle->uv, on_event, path, 0);
    if (rc < 0) {
        uv_close((uv_handle_t *)&handle->uv, on_closed);
        return err_set(err, rc, "watching %s: %s", path, uv_strerror(rc));
    }
    uv_unref((uv_handle_t *)&handle->uv);
    *watch = (struct watch) { .handle = handle, .owner = owner, .on_change = on_change };
    handle->watch = watch;
    return 0;
}

void watch_close(struct watch *watch, void (*done)(void *owner))
{
    watch->done = done;
    uv_close((uv_handle_t *)&watch->handle->uv, on_closed);
    watch->handle = NULL;
}
