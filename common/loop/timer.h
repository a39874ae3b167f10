// SPDX-License-Identifier: Apache-2.0
/* timer - calls its owner after a time, once or again and again. Counts CLOCK_MONOTONIC: a timer is
 * a reason to look, the decision compares loop_now_ms with a deadline. */
#ifndef HEADRACE_TIMER_H
#define HEADRACE_TIMER_H

#include "common/loop/loop.h"

struct timer {
    uv_timer_t uv;
    void *owner;
    void (*on_fire)(struct timer *timer);
    void (*done)(void *owner);
};

void timer_open(struct timer *timer, struct loop *loop, void (*on_fire)(struct timer *timer),
                void *owner);
void timer_close(struct timer *timer, void (*done)(void *owner));

/* Each replaces what was set before. Times below 1 count as 1. */
void timer_once(struct timer *timer, int64_t after_ms);
void timer_every(struct timer *timer, int64_t every_ms);
void timer_stop(struct timer *timer);
bool timer_is_set(const struct timer *timer);

/* Whether the loop stays alive because of this timer (it does, unless told). */
void timer_keep_loop(struct timer *timer, bool keep);

#endif
