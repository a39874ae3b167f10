// SPDX-License-Identifier: Apache-2.0
#include "cli/local_errands.h"

#include "common/base/assert.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { READ_SIZE = 65536 };

struct local_errands {
    const char *program;
    pid_t pid;
    int in, out;     /* its stdin and stdout */
    struct buf text; /* answers, as lines: its own, and those made here */
};

struct local_errands *local_errands_new(const char *program)
{
    struct local_errands *errands = calloc(1, sizeof *errands);

    ASSERT(errands != NULL);
    *errands = (struct local_errands) { .program = program, .in = -1, .out = -1 };
    return errands;
}

void local_errands_free(struct local_errands *errands)
{
    if (errands == NULL)
        return;
    if (errands->pid > 0) {
        (void)close(errands->in);
        (void)close(errands->out);
        (void)kill(errands->pid, SIGKILL);
        (void)waitpid(errands->pid, NULL, 0);
    }
    buf_clear(&errands->text);
    free(errands);
}

static bool start(struct local_errands *errands)
{
    const char *argv[] = { errands->program, "errands", NULL };
    posix_spawn_file_actions_t actions;
    int in[2], out[2];

    if (errands->pid > 0)
        return true;
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int rc = posix_spawn(&errands->pid, errands->program, &actions, NULL, (char **)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    errands->in = in[1];
    errands->out = out[0];
    return rc == 0;
}

static void answer_here(struct local_errands *errands, const struct errand *errand,
                        enum errand_outcome outcome, const char *text)
{
    struct errand_answer answer = { errand->id, errand->number, outcome, STR_EMPTY, str_of(text) };

    errand_answer_write(&answer, &errands->text);
}

static void give(struct local_errands *errands, const struct errand *errand)
{
    struct buf line = { 0 };
    size_t done = 0;

    errand_write(errand, &line);
    while (done < line.size) {
        ssize_t size = write(errands->in, line.bytes + done, line.size - done);
        if (size <= 0)
            break; /* the core asks again */
        done += (size_t)size;
    }
    buf_clear(&line);
}

void local_errands_give(struct local_errands *errands, const struct errand *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].kind == ERRAND_NOTIFY)
            answer_here(errands, &items[i], ERRAND_DONE, "");
        else if (items[i].kind == ERRAND_TASK || items[i].kind == ERRAND_ASSET)
            answer_here(errands, &items[i], ERRAND_NOT_YET, "a test has no runs of other DAGs");
        else if (start(errands))
            give(errands, &items[i]);
        else
            answer_here(errands, &items[i], ERRAND_NOT_YET, "headrace-task cannot be started");
    }
}

int local_errands_fd(const struct local_errands *errands)
{
    return errands->pid > 0 ? errands->out : -1;
}

static void read_more(struct local_errands *errands)
{
    struct pollfd ready = { .fd = local_errands_fd(errands), .events = POLLIN };

    if (ready.fd < 0 || poll(&ready, 1, 0) <= 0)
        return;
    buf_reserve(&errands->text, READ_SIZE);
    ssize_t size = read(ready.fd, errands->text.bytes + errands->text.size, READ_SIZE);
    if (size > 0)
        errands->text.size += (size_t)size;
}

uint32_t local_errands_take(struct local_errands *errands, struct arena *arena,
                            const struct errand_answer **out)
{
    uint32_t count = 0;
    size_t used = 0;
    struct str line;

    read_more(errands);
    struct str rest = str_copy(arena, buf_str(&errands->text));
    struct errand_answer *answers = ARENA_ARRAY(arena, struct errand_answer, rest.size / 40 + 1);
    while (str_find(rest, '\n') >= 0 && str_split(&rest, '\n', &line)) {
        used += line.size + 1;
        count += errand_answer_read(line, &answers[count]) == 0;
    }
    buf_consume(&errands->text, used);
    *out = answers;
    return count;
}
