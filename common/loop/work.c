// SPDX-License-Identifier: Apache-2.0
#include "common/loop/work.h"

#include "common/base/assert.h"

static struct work *work_of(uv_work_t *uv)
{
    return uv->data;
}

static void on_run(uv_work_t *uv)
{
    struct work *work = work_of(uv);
    work->run(work);
}

static void on_after(uv_work_t *uv, int status)
{
    struct work *work = work_of(uv);
    (void)status; /* it is never cancelled */
    work->is_running = false;
    work->on_end(work);
}

void loop_work(struct loop *loop, struct work *work, void (*run)(struct work *work),
               void (*on_end)(struct work *work), void *owner)
{
    ASSERT(!work->is_running);
    *work = (struct work) { .owner = owner, .run = run, .on_end = on_end, .is_running = true };
    work->uv.data = work;
    int rc = uv_queue_work(&loop->uv, &work->uv, on_run, on_after);
    ASSERT(rc == 0);
}
