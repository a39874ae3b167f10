// SPDX-License-Identifier: Apache-2.0
/* Deliveries and tests of connections: `headrace-task notify` and `connect` in a process of their
 * own, since what they talk to may hang; and looks for files. */
#include "common/text/json.h"
#include "worker/task/errand_run.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MAX = 4096 };

/* ---- files
 * ----------------------------------------------------------------------------------------- */

void errand_file(struct errand_loop *loop, struct errand_run *run)
{
    const char *path = job_cstr(&run->job, run->job.payload, "path");
    glob_t found = { 0 };
    struct stat status;

    if (path == NULL) {
        errand_answer(loop, run, ERRAND_HOPELESS, STR_EMPTY, "the path is empty");
        return;
    }
    if (stat(path, &status) == 0) { /* also one whose name holds * or [ */
        struct value *text = value_string(&run->job.arena, str_of(path));
        errand_answer(loop, run, ERRAND_DONE, json_text(&run->job.arena, text), "%s", "");
        return;
    }
    int error = errno;
    if (glob(path, 0, NULL, &found) == 0 && found.gl_pathc > 0) {
        struct value *text =
            value_string(&run->job.arena, str_copy(&run->job.arena, str_of(found.gl_pathv[0])));
        errand_answer(loop, run, ERRAND_DONE, json_text(&run->job.arena, text), "%s", "");
    } else {
        errand_answer(loop, run, ERRAND_NOT_YET, STR_EMPTY, "%s",
                      error == ENOENT ? "" : strerror(error));
    }
    globfree(&found);
}

/* ---- processes
 * --------------------------------------------------------------------------------------- */

/* The payload as a file without a name: it may be larger than a pipe. */
static int input_make(struct str payload)
{
    int fd = memfd_create("payload", MFD_CLOEXEC);
    size_t done = 0;

    while (fd >= 0 && done < payload.size) {
        ssize_t size = write(fd, payload.bytes + done, payload.size - done);
        if (size <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)size;
    }
    if (fd >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

bool errand_child_begin(struct errand_loop *loop, struct errand_run *run)
{
    const char *argv[] = { "headrace-task", errand_kind_name(run->errand.kind), NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int pipes[2] = { -1, -1 }, input = input_make(run->errand.payload);

    if (input < 0 || pipe2(pipes, O_CLOEXEC) < 0) {
        if (input >= 0)
            close(input);
        errand_answer(loop, run, ERRAND_NOT_YET, STR_EMPTY, "%s", strerror(errno));
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP); /* so that all of it can be ended */
    int rc =
        posix_spawn(&run->pid, "/proc/self/exe", &actions, &attributes, (char **)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(input);
    close(pipes[1]);
    run->fd = pipes[0];
    if (rc == 0)
        return true;
    close(run->fd);
    errand_answer(loop, run, ERRAND_NOT_YET, STR_EMPTY, "%s", strerror(rc));
    return false;
}

/* Keeps the end of what it says: the reason stands in its last lines. */
static bool read_said(struct errand_run *run)
{
    char bytes[4096];
    ssize_t size = read(run->fd, bytes, sizeof bytes);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (size <= 0)
        return false;
    buf_add(&run->said, bytes, (size_t)size);
    if (run->said.size > SAID_MAX)
        buf_consume(&run->said, run->said.size - SAID_MAX);
    return true;
}

/* The last line, or the one that job_fail printed. */
static void failure_read(struct errand_run *run, struct job_failure *out)
{
    struct str rest = buf_str(&run->said), line, mark, name, last = STR_EMPTY;

    *out = (struct job_failure) { .is_set = true };
    while (str_split(&rest, '\n', &line)) {
        if (str_trim(line).size > 0)
            last = str_trim(line);
        if (!str_starts(line, "HEADRACE_ERROR ") && !str_starts(line, "HEADRACE_HARD_ERROR "))
            continue;
        out->is_hard = str_starts(line, "HEADRACE_HARD_ERROR ");
        (void)str_split(&line, ' ', &mark);
        (void)str_split(&line, ':', &name);
        snprintf(out->name, sizeof out->name, "%.*s", STR_ARG(name));
        snprintf(out->sentence, sizeof out->sentence, "%.*s", STR_ARG(str_trim(line)));
        return;
    }
    snprintf(out->sentence, sizeof out->sentence, "%.*s", STR_ARG(last));
}

static void judge(struct errand_loop *loop, struct errand_run *run, int status, bool too_long)
{
    struct job_failure failure;

    failure_read(run, &failure);
    if (too_long)
        errand_answer(loop, run, ERRAND_UNREACHABLE, STR_EMPTY, "it took longer than %d s",
                      ERRAND_LIMIT_MS / 1000);
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        errand_answer(loop, run, ERRAND_DONE, STR_EMPTY, "%s",
                      run->errand.kind == ERRAND_CONNECT ? failure.sentence : "");
    else if (failure.name[0] != '\0')
        errand_fail(loop, run, &failure);
    else
        errand_answer(loop, run, ERRAND_NOT_YET, STR_EMPTY, "it ended with %s %d%s%s",
                      WIFEXITED(status) ? "status" : "signal",
                      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                      failure.sentence[0] != '\0' ? ": " : "", failure.sentence);
}

bool errand_child_step(struct errand_loop *loop, struct errand_run *run)
{
    struct pollfd ready = { .fd = run->fd, .events = POLLIN };
    bool too_long = errand_now_ms() >= run->until_ms;
    int status = 0;

    if (!too_long && poll(&ready, 1, 0) > 0 && read_said(run))
        return true;
    if (too_long)
        (void)kill(-run->pid, SIGKILL);
    /* Its pipe has ended, or it is killed. Whoever closes its pipe and lives on is waited for until
     * its time is over. */
    pid_t pid = waitpid(run->pid, &status, too_long ? 0 : WNOHANG);
    if (pid == 0)
        return true;
    close(run->fd);
    judge(loop, run, status, too_long);
    buf_clear(&run->said);
    return false;
}
