// SPDX-License-Identifier: Apache-2.0
/* loop - the event loop of a process: libuv, wrapped. One thread, one loop; everything in this room
 * runs on it.
 *
 * The handles of this room (timer, poll, stream, ...) are embedded in their owner. x_open starts
 * one, x_close(done) ends it: no callback of the handle comes after x_close, and done(owner) comes
 * exactly once, in a later iteration, when the handle's memory may be used for something else (done
 * may be NULL for handles that live as long as the process). Callbacks get their handle;
 * `handle->owner` is what x_open was given. */
#ifndef HEADRACE_LOOP_H
#define HEADRACE_LOOP_H

#include "common/base/str.h"

#include <uv.h>

struct defer;

struct loop {
    uv_loop_t uv;
    uv_idle_t deferred_idle;
    uv_timer_t until_timer;
    struct defer *deferred_first, *deferred_last;
    char *read_buffer; /* one for all streams: a read's bytes live until its callback returns */
};

enum { LOOP_READ_SIZE = 65536 };

/* Also ignores SIGPIPE for the process. Fails when descriptors are exhausted. */
MUST_USE int loop_new(struct loop **out, struct err *err);

/* Every handle must have been closed; runs their last callbacks. Asserts that none is left open.
 * NULL allowed. */
void loop_free(struct loop *loop);

/* Until loop_stop, or until no open handle can ever call back again. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Runs for at most `timeout_ms` or until *stop becomes true; gives *stop. For tests and for orderly
 * endings. */
bool loop_run_until(struct loop *loop, const bool *stop, int64_t timeout_ms);

/* CLOCK_BOOTTIME: goes on during suspend, never jumps. For leases, deadlines and durations. Any
 * thread. */
int64_t loop_now_ms(void);
/* The wall clock, since 1970: for people and for logs, never for a decision. Any thread. */
int64_t loop_wall_ms(void);

/* How many more descriptors this process may open. ZeroMQ aborts when they are exhausted: ask
 * before bind and connect. */
int64_t loop_descriptors_left(void);
enum { LOOP_DESCRIPTORS_RESERVE = 32 };

/* A call in the next iteration of the loop, before it waits again: to leave the present stack
 * first. All-zero is idle. */
struct defer {
    struct defer *next;
    struct loop *loop; /* NULL while not scheduled */
    void *owner;
    void (*on_call)(struct defer *defer);
};

/* Twice before the call is once. */
void defer_call(struct defer *defer, struct loop *loop, void (*on_call)(struct defer *defer),
                void *owner);
void defer_cancel(struct defer *defer);

#endif
