// SPDX-License-Identifier: Apache-2.0
#include "common/loop/hook.h"

static struct hook *hook_of(void *uv)
{
    return ((uv_handle_t *)uv)->data;
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* being active is its whole effect: the loop does not sleep */
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct hook *hook = hook_of(prepare);
    if (hook->before_wait(hook))
        (void)uv_idle_start(&hook->idle, on_idle);
}

static void on_check(uv_check_t *check)
{
    struct hook *hook = hook_of(check);
    (void)uv_idle_stop(&hook->idle);
    hook->after_wait(hook);
}

void hook_open(struct hook *hook, struct loop *loop, bool (*before_wait)(struct hook *hook),
               void (*after_wait)(struct hook *hook), void *owner)
{
    *hook = (struct hook) {
        .owner = owner, .before_wait = before_wait, .after_wait = after_wait, .open_count = 3
    };
    (void)uv_prepare_init(&loop->uv, &hook->prepare);
    (void)uv_check_init(&loop->uv, &hook->check);
    (void)uv_idle_init(&loop->uv, &hook->idle);
    hook->prepare.data = hook->check.data = hook->idle.data = hook;
    (void)uv_prepare_start(&hook->prepare, on_prepare);
    (void)uv_check_start(&hook->check, on_check);
    uv_unref((uv_handle_t *)&hook->prepare);
    uv_unref((uv_handle_t *)&hook->check);
    uv_unref((uv_handle_t *)&hook->idle);
}

static void on_closed(uv_handle_t *handle)
{
    struct hook *hook = hook_of(handle);
    if (--hook->open_count == 0 && hook->done != NULL)
        hook->done(hook->owner);
}

void hook_close(struct hook *hook, void (*done)(void *owner))
{
    hook->done = done;
    uv_close((uv_handle_t *)&hook->prepare, on_closed);
    uv_close((uv_handle_t *)&hook->check, on_closed);
    uv_close((uv_handle_t *)&hook->idle, on_closed);
}
