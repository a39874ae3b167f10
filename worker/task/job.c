// SPDX-License-Identifier: Apache-2.0
#include "worker/task/job.h"

#include "common/text/json.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { READ_SIZE = 64 << 10, SENTENCE_MAX = 2000 };

static struct job_failure *captured;

void job_capture(struct job_failure *failure)
{
    captured = failure;
    if (failure != NULL)
        *failure = (struct job_failure) { 0 };
}

static int fail_said(const char *mark, const char *name, const char *fmt, va_list args)
{
    char sentence[SENTENCE_MAX];

    vsnprintf(sentence, sizeof sentence, fmt, args);
    for (char *at = sentence; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ')
            *at = ' ';
    }
    if (captured != NULL) {
        captured->is_set = true;
        captured->is_hard = strcmp(mark, "HEADRACE_HARD_ERROR") == 0;
        snprintf(captured->name, sizeof captured->name, "%s", name);
        snprintf(captured->sentence, sizeof captured->sentence, "%s", sentence);
        return 1;
    }
    fflush(stdout);
    fprintf(stderr, "%s %s: %s\n", mark, name, sentence);
    return 1;
}

int job_fail(const char *name, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fail_said("HEADRACE_ERROR", name, fmt, args);
    va_end(args);
    return 1;
}

int job_fail_hard(const char *name, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fail_said("HEADRACE_HARD_ERROR", name, fmt, args);
    va_end(args);
    return 1;
}

static bool read_all(int fd, struct buf *out)
{
    for (;;) {
        buf_reserve(out, READ_SIZE);
        ssize_t size = read(fd, out->bytes + out->size, READ_SIZE);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return size == 0;
        out->size += (size_t)size;
        if (out->size > JOB_INPUT_MAX) {
            errno = EFBIG;
            return false;
        }
    }
}

int job_begin(struct job *job)
{
    struct buf input = { 0 };
    struct err err = { 0 };
    bool good = read_all(STDIN_FILENO, &input);

    *job = (struct job) { 0 };
    job->input = str_copy(&job->arena, buf_str(&input));
    buf_clear(&input);
    if (!good)
        return job_fail("InternalError", "reading the payload: %s", strerror(errno));
    if (json_parse(&job->arena, job->input, NULL, &job->payload, &err) < 0)
        return job_fail_hard("InternalError", "the payload on stdin is not JSON: %s", err.sentence);
    if (job->payload->type != VALUE_MAP)
        return job_fail_hard("InternalError", "the payload on stdin is not a mapping");
    return 0;
}

void job_end(struct job *job)
{
    arena_clear(&job->arena);
}

struct str job_text(struct job *job, const struct value *map, const char *name)
{
    const struct value *value = value_get(map, name);

    if (value == NULL || value->type == VALUE_NULL)
        return STR_EMPTY;
    return value->type == VALUE_STRING ? value->string : json_text(&job->arena, value);
}

const char *job_cstr(struct job *job, const struct value *map, const char *name)
{
    struct str text = job_text(job, map, name);

    return text.size == 0 ? NULL : str_cstr(&job->arena, text);
}

int job_output(struct str text)
{
    const char *path = getenv("HEADRACE_OUTPUT");
    int fd =
        path == NULL ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;

    fflush(stdout);
    while (fd >= 0 && done < text.size) {
        ssize_t size = write(fd, text.bytes + done, text.size - done);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            break;
        done += (size_t)size;
    }
    int error = errno;
    if (fd >= 0 && path != NULL && close(fd) < 0)
        error = errno, done = 0;
    if (fd < 0 || done < text.size)
        return job_fail("OSError", "writing the output: %s", strerror(error));
    return 0;
}
