// SPDX-License-Identifier: Apache-2.0
#include "common/loop/child.h"

#include "common/base/buf.h"
#include "tests/support/test.h"

#include <signal.h>
#include <unistd.h>

struct world {
    struct loop *loop;
    struct child child;
    struct buf out, err;
    int exit_status, signum;
    bool has_exited, out_has_ended, err_has_ended, done;
};

static void check_done(struct world *world)
{
    world->done = world->has_exited && world->out_has_ended && world->err_has_ended;
}

static void on_exit_child(struct child *child, int exit_status, int signum)
{
    struct world *world = child->owner;
    world->exit_status = exit_status;
    world->signum = signum;
    world->has_exited = true;
    check_done(world);
}

static void on_output(struct child *child, int fd, struct str bytes)
{
    struct world *world = child->owner;
    if (bytes.size == 0)
        *(fd == 1 ? &world->out_has_ended : &world->err_has_ended) = true;
    buf_add_str(fd == 1 ? &world->out : &world->err, bytes);
    check_done(world);
}

static void on_closed(void *owner)
{
    ((struct world *)owner)->done = true;
}

static int start(struct world *world, const struct child_options *options, struct err *err)
{
    *world = (struct world) { 0 };
    assert_int_equal(loop_new(&world->loop, NULL), 0);
    return child_open(&world->child, world->loop, options, on_exit_child, on_output, world, err);
}

static void end(struct world *world)
{
    world->done = false;
    child_close(&world->child, on_closed);
    assert_true(loop_run_until(world->loop, &world->done, 5000));
    loop_free(world->loop);
    buf_clear(&world->out);
    buf_clear(&world->err);
}

static void a_child_gets_its_input_and_gives_output_and_exit_status(void **state)
{
    (void)state;
    struct world world;
    struct child_options options = {
        .argv = (const char *[]) { "sh", "-c", "cat; echo \"$WORD\" >&2; exit 7", NULL },
        .env = (const char *[]) { "PATH=/usr/bin:/bin", "WORD=hello", NULL },
        .input = STR("line one\n"),
        .out = CHILD_PIPE,
        .err = CHILD_PIPE,
    };
    assert_int_equal(start(&world, &options, NULL), 0);
    assert_true(loop_run_until(world.loop, &world.done, 10000));
    assert_int_equal(world.exit_status, 7);
    assert_int_equal(world.signum, 0);
    assert_str(buf_str(&world.out), "line one\n");
    assert_str(buf_str(&world.err), "hello\n");
    end(&world);
}

static void a_large_input_is_written_whole(void **state)
{
    (void)state;
    struct world world;
    struct arena arena = { 0 };
    size_t size = 3 << 20;
    char *bytes = arena_alloc(&arena, size);
    memset(bytes, 'x', size);
    struct child_options options = { .argv = (const char *[]) { "wc", "-c", NULL },
                                     .input = { bytes, size },
                                     .out = CHILD_PIPE,
                                     .err = CHILD_PIPE };
    assert_int_equal(start(&world, &options, NULL), 0);
    assert_true(loop_run_until(world.loop, &world.done, 10000));
    assert_str(buf_str(&world.out), "3145728\n");
    end(&world);
    arena_clear(&arena);
}

static void a_program_that_is_not_there_is_an_error_that_names_it(void **state)
{
    (void)state;
    struct world world;
    struct err err = { 0 };
    struct child_options options = { .argv = (const char *[]) { "no-such-program", NULL },
                                     .input = STR("x"),
                                     .out = CHILD_PIPE,
                                     .err = CHILD_PIPE };
    assert_int_equal(start(&world, &options, &err), UV_ENOENT);
    assert_non_null(strstr(err.sentence, "no-such-program"));
    loop_free(world.loop);
}

static void a_session_of_its_own_is_killed_as_a_whole(void **state)
{
    (void)state;
    struct world world;
    struct child_options options = {
        .argv = (const char *[]) { "sh", "-c", "sleep 1000 & echo up; sleep 1000", NULL },
        .out = CHILD_PIPE,
        .err = CHILD_PIPE,
        .own_session = true
    };
    assert_int_equal(start(&world, &options, NULL), 0);
    assert_int_equal(getsid(world.child.pid), world.child.pid);
    while (world.out.size == 0)
        (void)loop_run_until(world.loop, &world.has_exited, 10);
    assert_int_equal(kill(-world.child.pid, SIGKILL), 0);
    /* The pipes end only because the grandchild is dead too. */
    assert_true(loop_run_until(world.loop, &world.done, 10000));
    assert_int_equal(world.signum, SIGKILL);
    child_kill(&world.child, SIGKILL); /* no effect on a pid that may be another's by now */
    end(&world);
}

TESTS(CASE(a_child_gets_its_input_and_gives_output_and_exit_status),
      CASE(a_large_input_is_written_whole),
      CASE(a_program_that_is_not_there_is_an_error_that_names_it),
      CASE(a_session_of_its_own_is_killed_as_a_whole))
