// SPDX-License-Identifier: Apache-2.0
#include "tests/support/warden_fixture.h"

#include "tests/support/test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, POLL_MS = 5 };

extern char **environ;

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t warden_fixture_boottime_ms(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

void warden_fixture_reconnect(struct warden_fixture *fixture)
{
    struct err err = { 0 };
    int64_t until_ms = warden_fixture_boottime_ms() + PATIENCE_MS;

    warden_client_close(&fixture->client);
    while (warden_client_open(&fixture->client, fixture->spool, &err) < 0) {
        if (warden_fixture_boottime_ms() > until_ms)
            fail_msg("no warden: %s", err.sentence);
        poll(NULL, 0, POLL_MS);
    }
}

void warden_fixture_launch(struct warden_fixture *fixture)
{
    char program[] = HEADRACE_BIN_DIR "/headrace-warden", spool_flag[] = "--spool",
         no_cgroup[] = "--no-cgroup";
    char alone[] = "--alone-ms", alone_ms[] = "20000";
    char *argv[] = { program, spool_flag, fixture->spool,
                     alone,   alone_ms,   fixture->no_cgroup ? no_cgroup : NULL,
                     NULL };

    assert_int_equal(posix_spawn(&fixture->pid, program, NULL, NULL, argv, environ), 0);
    warden_fixture_reconnect(fixture);
}

void warden_fixture_open(struct warden_fixture *fixture, bool no_cgroup)
{
    *fixture =
        (struct warden_fixture) { .no_cgroup = no_cgroup, .client = { .fd = -1 }, .next_id = 1 };
    snprintf(fixture->spool, sizeof fixture->spool, "/tmp/headrace-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->spool));
    warden_fixture_launch(fixture);
}

void warden_fixture_kill(struct warden_fixture *fixture)
{
    assert_int_equal(kill(fixture->pid, SIGKILL), 0);
    assert_int_equal(waitpid(fixture->pid, NULL, 0), fixture->pid);
    warden_client_close(&fixture->client);
}

static void remove_tree(const char *path)
{
    char rm[] = "/bin/rm", flags[] = "-rf";
    char *argv[] = { rm, flags, (char *)path, NULL };
    pid_t pid;

    if (posix_spawn(&pid, rm, NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
}

void warden_fixture_close(struct warden_fixture *fixture)
{
    int status = -1;

    warden_client_close(&fixture->client);
    assert_int_equal(kill(fixture->pid, SIGTERM), 0);
    /* A test that failed may have left tasks, for which the warden waits. */
    for (int i = 0; i < PATIENCE_MS / 10 / POLL_MS && waitpid(fixture->pid, &status, WNOHANG) == 0;
         i++)
        poll(NULL, 0, POLL_MS);
    if (status == -1) {
        kill(fixture->pid, SIGKILL);
        waitpid(fixture->pid, NULL, 0);
    }
    remove_tree(fixture->spool);
    arena_clear(&fixture->arena);
    VEC_CLEAR(&fixture->started);
    VEC_CLEAR(&fixture->ended);
    VEC_CLEAR(&fixture->logs);
    assert_int_equal(status, 0);
}

struct warden_message warden_fixture_task(struct warden_fixture *fixture, const char *script)
{
    struct warden_message start = { .type = WARDEN_START,
                                    .attempt = { 7, fixture->next_id++ },
                                    .deadline_ms = warden_fixture_boottime_ms() + 300000 };
    struct str *argv = ARENA_ARRAY(&fixture->arena, struct str, 3);

    argv[0] = STR("/bin/sh");
    argv[1] = STR("-c");
    argv[2] = str_copy(&fixture->arena, str_of(script));
    start.task.argv = argv;
    start.task.argv_count = 3;
    start.task.skip_exit_code = -1;
    start.task.kill_grace_ms = 5000;
    return start;
}

void warden_fixture_send(struct warden_fixture *fixture, const struct warden_message *message)
{
    struct err err = { 0 };

    if (warden_client_send(&fixture->client, message, &err) < 0)
        fail_msg("%s", err.sentence);
}

static void keep(struct warden_fixture *fixture, const struct warden_message *message)
{
    struct warden_message copy = *message;

    copy.result.output = str_copy(&fixture->arena, message->result.output);
    copy.result.error = str_copy(&fixture->arena, message->result.error);
    if (copy.type == WARDEN_STARTED)
        VEC_ADD(&fixture->started, copy);
    else if (copy.type == WARDEN_ENDED)
        VEC_ADD(&fixture->ended, copy);
    else if (copy.type == WARDEN_LOG)
        VEC_ADD(&fixture->logs, copy);
    else if (copy.type == WARDEN_LISTED)
        fixture->listed = true;
}

void warden_fixture_until(struct warden_fixture *fixture, bool (*done)(struct warden_fixture *))
{
    int64_t until_ms = warden_fixture_boottime_ms() + PATIENCE_MS;
    struct warden_message message;
    struct err err = { 0 };

    while (!done(fixture)) {
        int rc = warden_client_receive(&fixture->client, &message, &err);
        if (rc < 0)
            fail_msg("%s", err.sentence);
        if (rc > 0) {
            keep(fixture, &message);
            continue;
        }
        struct pollfd ready = { .fd = fixture->client.fd, .events = POLLIN };
        if (warden_client_wants_write(&fixture->client)) {
            ready.events |= POLLOUT;
            assert_int_equal(warden_client_flush(&fixture->client, &err), 0);
        }
        poll(&ready, 1, 100);
        if (warden_fixture_boottime_ms() > until_ms)
            fail_msg("the warden does not say what the test waits for");
    }
}

static struct id128 awaited;

static bool has_ended(struct warden_fixture *fixture)
{
    VEC_EACH (&fixture->ended, i) {
        if (id_eq(fixture->ended.items[i].attempt, awaited))
            return true;
    }
    return false;
}

const struct warden_result *warden_fixture_wait(struct warden_fixture *fixture,
                                                struct id128 attempt)
{
    awaited = attempt;
    warden_fixture_until(fixture, has_ended);
    VEC_EACH (&fixture->ended, i) {
        if (id_eq(fixture->ended.items[i].attempt, attempt)) {
            struct warden_result *copy = ARENA_NEW(&fixture->arena, struct warden_result);
            *copy = fixture->ended.items[i].result;
            return copy;
        }
    }
    return NULL;
}

const struct warden_result *warden_fixture_run(struct warden_fixture *fixture,
                                               const struct warden_message *start)
{
    warden_fixture_send(fixture, start);
    return warden_fixture_wait(fixture, start->attempt);
}

const char *warden_fixture_file(struct warden_fixture *fixture, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;

    if (fd < 0)
        return NULL;
    assert_int_equal(fstat(fd, &stat), 0);
    char *text = arena_alloc(&fixture->arena, (size_t)stat.st_size + 65536);
    ssize_t size = read(fd, text, (size_t)stat.st_size + 65535);
    close(fd);
    text[size < 0 ? 0 : size] = '\0';
    return text;
}

const char *warden_fixture_await_file(struct warden_fixture *fixture, const char *path)
{
    int64_t until_ms = warden_fixture_boottime_ms() + PATIENCE_MS;

    for (;;) {
        const char *text = warden_fixture_file(fixture, path);
        if (text != NULL && *text != '\0' && text[strlen(text) - 1] == '\n')
            return text;
        if (warden_fixture_boottime_ms() > until_ms)
            fail_msg("%s does not appear", path);
        poll(NULL, 0, POLL_MS);
    }
}

const char *warden_fixture_log(struct warden_fixture *fixture, struct id128 attempt)
{
    char name[ID_TEXT_SIZE], path[128];
    struct buf plain = { 0 };
    struct str rest, line, stamp;

    id_text(attempt, name);
    snprintf(path, sizeof path, "%s/attempts/%s/log", fixture->spool, name);
    rest = str_of(warden_fixture_file(fixture, path));
    while (str_split(&rest, '\n', &line)) {
        if (line.size == 0)
            continue;
        assert_true(str_split(&line, ' ', &stamp));
        assert_int_equal(stamp.size, 13);
        buf_add_str(&plain, line);
        buf_add_byte(&plain, '\n');
    }
    const char *text = str_cstr(&fixture->arena, buf_str(&plain));
    buf_clear(&plain);
    return text;
}

bool warden_fixture_is_alive(int64_t pid)
{
    char path[64], text[512] = "";

    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    const char *state = size > 0 ? strrchr(text, ')') : NULL;
    return state != NULL && state[2] != 'Z' && state[2] != 'X';
}
