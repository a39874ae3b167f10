// SPDX-License-Identifier: Apache-2.0
#include "worker/shell/gauge.h"

/* All that is neither idle nor waiting for a disk: libuv counts that waiting nowhere. */
static void processors_look(struct meter_look *look)
{
    uv_cpu_info_t *infos;
    int count;

    if (uv_cpu_info(&infos, &count) < 0)
        return;
    look->cpu_count = count;
    for (int i = 0; i < count; i++) {
        const struct uv_cpu_times_s *times = &infos[i].cpu_times;
        look->busy_ms += (int64_t)(times->user + times->nice + times->sys + times->irq);
        look->idle_ms += (int64_t)times->idle;
    }
    uv_free_cpu_info(infos, count);
}

static void look(struct work *work)
{
    struct gauge *gauge = work->owner;

    gauge->now = (struct meter_look) {
        .at_ms = loop_now_ms(),
        .memory_total_bytes = (int64_t)uv_get_total_memory(),
        .memory_available_bytes = (int64_t)uv_get_free_memory(),
    };
    processors_look(&gauge->now);
    group_read(&gauge->group, &gauge->now.group);
}

static void on_timer_closed(void *owner)
{
    struct gauge *gauge = owner;

    gauge->done(gauge->owner);
}

static void end(struct gauge *gauge)
{
    timer_close(&gauge->timer, on_timer_closed);
}

static void on_looked(struct work *work)
{
    struct gauge *gauge = work->owner;

    (void)meter_load(&gauge->before, &gauge->now, &gauge->load);
    gauge->before = gauge->now;
    if (gauge->is_closing)
        end(gauge);
}

static void on_timer(struct timer *timer)
{
    struct gauge *gauge = timer->owner;

    if (!gauge->work.is_running)
        loop_work(gauge->loop, &gauge->work, look, on_looked, gauge);
}

void gauge_open(struct gauge *gauge, struct loop *loop, int64_t every_ms)
{
    *gauge = (struct gauge) { .loop = loop };
    group_init(&gauge->group);
    timer_open(&gauge->timer, loop, on_timer, gauge);
    timer_every(&gauge->timer, every_ms);
    on_timer(&gauge->timer);
}

void gauge_close(struct gauge *gauge, void (*done)(void *owner), void *owner)
{
    gauge->is_closing = true;
    gauge->done = done;
    gauge->owner = owner;
    timer_stop(&gauge->timer);
    if (!gauge->work.is_running)
        end(gauge);
}
