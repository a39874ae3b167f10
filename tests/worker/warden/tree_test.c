// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test.h"
#include "tests/support/warden_fixture.h"
#include "worker/warden/tree.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A parent goes on when exec has begun; what the kernel shows of the child's environment comes a
 * moment later. */
static void await_environment(pid_t pid)
{
    char path[64], byte;
    ssize_t size = 0;

    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    while (size <= 0) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        size = read(fd, &byte, 1);
        close(fd);
    }
}

/* A process that leads a session, with these variables. */
static pid_t sleeper(char *variable)
{
    char *argv[] = { (char *)"/bin/sleep", (char *)"1000", NULL }, *env[] = { variable, NULL };
    posix_spawnattr_t attributes;
    pid_t pid;

    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    assert_int_equal(posix_spawn(&pid, argv[0], NULL, &attributes, argv, env), 0);
    posix_spawnattr_destroy(&attributes);
    await_environment(pid);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_number_that_was_given_anew_is_not_hit(void **state)
{
    int64_t before_ms = warden_fixture_boottime_ms();
    pid_t pid = sleeper((char *)"A=1");
    int64_t now_ms = warden_fixture_boottime_ms();
    struct tree_leftover leftover = { pid, before_ms - 100000, before_ms - 90000 };

    (void)state;
    assert_int_equal(tree_kill_leftovers("/no/such/spool/scratch", &leftover, 1), 0);
    assert_true(warden_fixture_is_alive(pid));
    leftover = (struct tree_leftover) { pid, before_ms, now_ms };
    assert_int_equal(tree_kill_leftovers("/no/such/spool/scratch", &leftover, 1), 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_environment_tells_whose_a_process_is(void **state)
{
    pid_t ours = sleeper((char *)"HEADRACE_OUTPUT=/some/spool/scratch/0/x");
    pid_t other = sleeper((char *)"HEADRACE_OUTPUT=/some/spool/scratch2/0/x");

    (void)state;
    assert_int_equal(tree_kill_leftovers("/some/spool/scratch", NULL, 0), 1);
    assert_int_equal(waitpid(ours, NULL, 0), ours);
    assert_true(warden_fixture_is_alive(other));
    end(other);
}

TESTS(CASE(a_number_that_was_given_anew_is_not_hit), CASE(the_environment_tells_whose_a_process_is))
