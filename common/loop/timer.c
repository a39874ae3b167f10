// SPDX-License-Identifier: Apache-2.0
#include "common/loop/timer.h"

static struct timer *timer_of(uv_timer_t *uv)
{
    return uv->data;
}

void timer_open(struct timer *timer, struct loop *loop, void (*on_fire)(struct timer *timer),
                void *owner)
{
    *timer = (struct timer) { .owner = owner, .on_fire = on_fire };
    (void)uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
}

static void on_closed(uv_handle_t *handle)
{
    struct timer *timer = timer_of((uv_timer_t *)handle);
    if (timer->done != NULL)
        timer->done(timer->owner);
}

void timer_close(struct timer *timer, void (*done)(void *owner))
{
    timer->done = done;
    uv_close((uv_handle_t *)&timer->uv, on_closed);
}

static void on_fire(uv_timer_t *uv)
{
    struct timer *timer = timer_of(uv);
    timer->on_fire(timer);
}

static uint64_t clamp_ms(int64_t ms)
{
    return ms > 0 ? (uint64_t)ms : 0;
}

void timer_once(struct timer *timer, int64_t after_ms)
{
    /* libuv's notion of now dates from the beginning of the iteration. */
    uv_update_time(timer->uv.loop);
    /* At least 1: a timer of 0 that is set again by its own call would never let the loop go on
     * (libuv before 1.45). */
    (void)uv_timer_start(&timer->uv, on_fire, clamp_ms(after_ms > 1 ? after_ms : 1), 0);
}

void timer_every(struct timer *timer, int64_t every_ms)
{
    uint64_t ms = clamp_ms(every_ms > 1 ? every_ms : 1);
    uv_update_time(timer->uv.loop);
    (void)uv_timer_start(&timer->uv, on_fire, ms, ms);
}

void timer_stop(struct timer *timer)
{
    (void)uv_timer_stop(&timer->uv);
}

bool timer_is_set(const struct timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv);
}

void timer_keep_loop(struct timer *timer, bool keep)
{
    if (keep)
        uv_ref((uv_handle_t *)&timer->uv);
    else
        uv_unref((uv_handle_t *)&timer->uv);
}
