// SPDX-License-Identifier: Apache-2.0
#include "common/loop/loop.h"

#include "common/base/assert.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

static void on_deferred(uv_idle_t *idle)
{
    struct loop *loop = idle->data;
    struct defer *last = loop->deferred_last;
    bool is_last;

    /* What these calls defer in turn comes in the next iteration. */
    do {
        struct defer *defer = loop->deferred_first;
        if (defer == NULL)
            break;
        is_last = defer == last;
        loop->deferred_first = defer->next;
        if (loop->deferred_first == NULL)
            loop->deferred_last = NULL;
        defer->next = NULL;
        defer->loop = NULL;
        defer->on_call(defer);
    } while (!is_last);

    if (loop->deferred_first == NULL)
        (void)uv_idle_stop(idle);
}

int loop_new(struct loop **out, struct err *err)
{
    struct loop *loop = calloc(1, sizeof *loop);
    ASSERT(loop != NULL);

    int rc = uv_loop_init(&loop->uv);
    if (rc < 0) {
        free(loop);
        return err_set(err, rc, "making the event loop: %s", uv_strerror(rc));
    }
    loop->uv.data = loop;
    loop->read_buffer = malloc(LOOP_READ_SIZE);
    ASSERT(loop->read_buffer != NULL);
    (void)uv_idle_init(&loop->uv, &loop->deferred_idle);
    loop->deferred_idle.data = loop;
    (void)uv_timer_init(&loop->uv, &loop->until_timer);
    signal(SIGPIPE, SIG_IGN);
    *out = loop;
    return 0;
}

static void count_open(uv_handle_t *handle, void *context)
{
    if (!uv_is_closing(handle))
        ++*(int *)context;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
    uv_close((uv_handle_t *)&loop->deferred_idle, NULL);
    uv_close((uv_handle_t *)&loop->until_timer, NULL);

    int open_count = 0;
    uv_walk(&loop->uv, count_open, &open_count);
    if (open_count > 0)
        uv_print_all_handles(&loop->uv, stderr);
    ASSERT(open_count == 0);

    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&loop->uv);
    ASSERT(rc == 0);
    free(loop->read_buffer);
    free(loop);
}

void loop_run(struct loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

static void on_until(uv_timer_t *timer)
{
    (void)timer; /* the loop has woken: that was all */
}

bool loop_run_until(struct loop *loop, const bool *stop, int64_t timeout_ms)
{
    int64_t end_ms = loop_now_ms() + timeout_ms;

    while (!*stop) {
        int64_t left_ms = end_ms - loop_now_ms();
        if (left_ms <= 0)
            break;
        uv_update_time(&loop->uv);
        (void)uv_timer_start(&loop->until_timer, on_until, (uint64_t)left_ms, 0);
        (void)uv_run(&loop->uv, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&loop->until_timer);
    return *stop;
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec time;
    int rc = clock_gettime(clock, &time);
    ASSERT(rc == 0);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t loop_now_ms(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

int64_t loop_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t loop_descriptors_left(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;

    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return 0; /* most probably because there are none left */
    int64_t used = 0;
    while (readdir(dir) != NULL)
        used++;
    closedir(dir);
    used -= 3; /* . and .. and the folder itself */
    return limit.rlim_cur == RLIM_INFINITY ? INT64_MAX : (int64_t)limit.rlim_cur - used;
}

void defer_call(struct defer *defer, struct loop *loop, void (*on_call)(struct defer *defer),
                void *owner)
{
    defer->on_call = on_call;
    defer->owner = owner;
    if (defer->loop != NULL) {
        ASSERT(defer->loop == loop);
        return;
    }
    defer->loop = loop;
    defer->next = NULL;
    if (loop->deferred_last != NULL)
        loop->deferred_last->next = defer;
    else
        loop->deferred_first = defer;
    loop->deferred_last = defer;
    (void)uv_idle_start(&loop->deferred_idle, on_deferred);
}

void defer_cancel(struct defer *defer)
{
    struct loop *loop = defer->loop;
    if (loop == NULL)
        return;

    struct defer *previous = NULL;
    struct defer **link = &loop->deferred_first;
    while (*link != defer) {
        previous = *link;
        link = &previous->next;
    }
    *link = defer->next;
    if (loop->deferred_last == defer)
        loop->deferred_last = previous;
    defer->next = NULL;
    defer->loop = NULL;
}
