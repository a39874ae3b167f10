// SPDX-License-Identifier: Apache-2.0
#include "common/loop/loop.h"

#include "common/loop/hook.h"
#include "common/loop/poll.h"
#include "common/loop/signal.h"
#include "common/loop/timer.h"
#include "common/loop/watch.h"
#include "common/loop/work.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct world {
    struct loop *loop;
    struct timer timer;
    struct defer first, second;
    char order[32];
    int count;
    bool done;
};

static void setup(struct world *world)
{
    *world = (struct world) { 0 };
    assert_int_equal(loop_new(&world->loop, NULL), 0);
}

static void note(struct world *world, const char *what)
{
    size_t size = strlen(world->order);
    snprintf(world->order + size, sizeof world->order - size, "%s", what);
}

static void on_done(void *owner)
{
    struct world *world = owner;
    world->done = true;
}

static void on_fire(struct timer *timer)
{
    struct world *world = timer->owner;
    if (++world->count == 3)
        timer_close(timer, on_done);
}

static void a_repeating_timer_fires_until_closed_and_done_comes_once(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    timer_open(&world.timer, world.loop, on_fire, &world);
    assert_false(timer_is_set(&world.timer));
    timer_every(&world.timer, 1);
    assert_true(timer_is_set(&world.timer));
    loop_run(world.loop);
    assert_int_equal(world.count, 3);
    assert_true(world.done);
    loop_free(world.loop);
}

static void a_timer_does_not_fire_before_its_time(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    timer_open(&world.timer, world.loop, on_fire, &world);
    world.count = 2;
    int64_t begin_ms = loop_now_ms();
    timer_once(&world.timer, 20);
    loop_run(world.loop);
    assert_true(loop_now_ms() - begin_ms >= 19);
    loop_free(world.loop);
}

static void a_timer_that_keeps_nothing_lets_the_loop_end(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    timer_open(&world.timer, world.loop, on_fire, &world);
    timer_once(&world.timer, 1000000);
    timer_keep_loop(&world.timer, false);
    loop_run(world.loop);
    timer_close(&world.timer, on_done);
    assert_true(loop_run_until(world.loop, &world.done, 5000));
    assert_int_equal(world.count, 0);
    loop_free(world.loop);
}

static void on_again(struct timer *timer)
{
    timer_once(timer, 0);
}

static void on_let_through(struct defer *defer)
{
    *(bool *)defer->owner = true;
}

static void a_timer_that_sets_itself_to_nothing_lets_others_through(void **state)
{
    (void)state;
    struct loop *loop;
    assert_int_equal(loop_new(&loop, NULL), 0);
    struct timer timer;
    bool came_through = false;
    struct defer defer = { 0 };
    timer_open(&timer, loop, on_again, NULL);
    timer_once(&timer, 0);
    defer_call(&defer, loop, on_let_through, &came_through);
    assert_true(loop_run_until(loop, &came_through, 5000));
    timer_close(&timer, NULL);
    loop_free(loop);
}

static void on_second(struct defer *defer)
{
    note(defer->owner, "b");
}

static void on_first(struct defer *defer)
{
    struct world *world = defer->owner;
    note(world, "a");
    if (strlen(world->order) < 5)
        defer_call(&world->first, world->loop, on_first, world);
}

static void deferred_calls_come_in_order_once_and_may_defer_again(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    defer_call(&world.first, world.loop, on_first, &world);
    defer_call(&world.second, world.loop, on_second, &world);
    defer_call(&world.second, world.loop, on_second, &world);
    assert_string_equal(world.order, "");
    loop_run(world.loop);
    assert_string_equal(world.order, "abaaa");
    loop_free(world.loop);
}

static void a_cancelled_call_does_not_come(void **state)
{
    (void)state;
    struct world world;
    setup(&world);
    world.order[0] = 'x', world.order[1] = 'x', world.order[2] = 'x', world.order[3] = 'x';
    defer_call(&world.first, world.loop, on_first, &world);
    defer_call(&world.second, world.loop, on_second, &world);
    defer_cancel(&world.second);
    defer_cancel(&world.second);
    loop_run(world.loop);
    assert_string_equal(world.order, "xxxxa");
    defer_call(&world.second, world.loop, on_second, &world);
    loop_run(world.loop);
    assert_string_equal(world.order, "xxxxab");
    loop_free(world.loop);
}

static void on_signal(struct signal *signal, int signum)
{
    struct world *world = signal->owner;
    assert_int_equal(signum, SIGUSR1);
    world->done = true;
}

static void a_signal_is_an_event(void **state)
{
    (void)state;
    struct world world;
    struct signal signal;
    setup(&world);
    assert_int_equal(signal_open(&signal, world.loop, SIGUSR1, on_signal, &world, NULL), 0);
    raise(SIGUSR1);
    assert_true(loop_run_until(world.loop, &world.done, 5000));
    signal_close(&signal, NULL);
    loop_free(world.loop);
}

static void on_ready(struct poll *poll, int ready)
{
    struct world *world = poll->owner;
    assert_true(ready & POLL_READABLE);
    /* By level: what is left unread calls again. */
    char byte;
    assert_int_equal(read(poll->uv.io_watcher.fd, &byte, 1), 1);
    note(world, (char[]) { byte, 0 });
    world->done = strlen(world->order) == 3;
}

static void a_descriptor_is_watched_by_level_and_can_be_watched_anew(void **state)
{
    (void)state;
    struct world world;
    struct poll poll, again;
    struct err err = { 0 };
    int fds[2];
    setup(&world);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(poll_open(&poll, world.loop, fds[0], on_ready, &world, &err), 0);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    poll_want(&poll, POLL_READABLE);
    assert_true(loop_run_until(world.loop, &world.done, 5000));
    assert_string_equal(world.order, "abc");

    assert_int_equal(poll_open(&again, world.loop, fds[0], on_ready, &world, &err), UV_EEXIST);
    assert_non_null(strstr(err.sentence, "watching descriptor"));
    poll_close(&poll, NULL);
    assert_int_equal(poll_open(&again, world.loop, fds[0], on_ready, &world, NULL), 0);
    poll_close(&again, NULL);
    loop_free(world.loop);
    close(fds[0]);
    close(fds[1]);
}

static bool before_wait(struct hook *hook)
{
    struct world *world = hook->owner;
    return ++world->count < 10; /* pretends to have work */
}

static void after_wait(struct hook *hook)
{
    struct world *world = hook->owner;
    if (world->count == 9)
        world->done = true;
}

static void a_hook_with_work_does_not_let_the_loop_sleep(void **state)
{
    (void)state;
    struct world world;
    struct hook hook;
    setup(&world);
    hook_open(&hook, world.loop, before_wait, after_wait, &world);
    timer_open(&world.timer, world.loop, on_fire, &world);
    timer_once(&world.timer, 100000); /* what the loop would sleep for */
    int64_t begin_ms = loop_now_ms();
    assert_true(loop_run_until(world.loop, &world.done,
                               10000)); /* an iteration that sleeps would take as long */
    assert_true(loop_now_ms() - begin_ms < 5000);
    hook_close(&hook, NULL);
    timer_close(&world.timer, NULL);
    loop_free(world.loop);
}

static void run_elsewhere(struct work *work)
{
    struct world *world = work->owner;
    world->count = (int)gettid();
}

static void on_work_end(struct work *work)
{
    struct world *world = work->owner;
    world->done = !work->is_running;
}

static void work_runs_on_another_thread_and_ends_on_the_loop(void **state)
{
    (void)state;
    struct world world;
    struct work work = { 0 };
    setup(&world);
    loop_work(world.loop, &work, run_elsewhere, on_work_end, &world);
    loop_run(world.loop);
    assert_true(world.done);
    assert_true(world.count != 0 && world.count != (int)gettid());
    loop_free(world.loop);
}

static void on_change(struct watch *watch, const char *name)
{
    struct world *world = watch->owner;
    if (name != NULL && strcmp(name, "new.yaml") == 0)
        world->done = true;
}

static void a_new_file_in_a_watched_folder_is_noticed(void **state)
{
    (void)state;
    struct world world;
    struct watch watch;
    struct err err = { 0 };
    char folder[] = "/tmp/headrace-watch-XXXXXX", path[64];
    setup(&world);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/new.yaml", folder);
    assert_int_equal(watch_open(&watch, world.loop, path, on_change, &world, &err), UV_ENOENT);
    assert_non_null(strstr(err.sentence, path));
    assert_int_equal(watch_open(&watch, world.loop, folder, on_change, &world, &err), 0);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    assert_true(loop_run_until(world.loop, &world.done, 5000));
    watch_close(&watch, NULL);
    loop_free(world.loop);
    unlink(path);
    rmdir(folder);
}

static void the_descriptors_that_are_left_are_counted(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int64_t before = loop_descriptors_left();
    assert_true(before > 0 && before < (int64_t)limit.rlim_cur);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(loop_descriptors_left() == before - 1);
    close(fd);
}

TESTS(CASE(a_repeating_timer_fires_until_closed_and_done_comes_once),
      CASE(a_timer_does_not_fire_before_its_time),
      CASE(a_timer_that_sets_itself_to_nothing_lets_others_through),
      CASE(a_timer_that_keeps_nothing_lets_the_loop_end),
      CASE(deferred_calls_come_in_order_once_and_may_defer_again),
      CASE(a_cancelled_call_does_not_come), CASE(a_signal_is_an_event),
      CASE(a_descriptor_is_watched_by_level_and_can_be_watched_anew),
      CASE(a_hook_with_work_does_not_let_the_loop_sleep),
      CASE(work_runs_on_another_thread_and_ends_on_the_loop),
      CASE(a_new_file_in_a_watched_folder_is_noticed),
      CASE(the_descriptors_that_are_left_are_counted))
