// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/verdict.h"

#include "worker/warden/json_check.h"
#include "worker/warden/launch.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERROR_MAX = 4 << 10 };

/* Up to `max` bytes of a file that the task left; false when there is none. *out_size is its true
 * size. */
static bool file_read(struct attempt *attempt, const char *name, size_t max, struct buf *out,
                      int64_t *out_size)
{
    int fd = scratch_open(&attempt->scratch, name);
    struct stat stat;

    if (fd < 0)
        return false;
    *out_size = fstat(fd, &stat) == 0 ? stat.st_size : 0;
    while (out->size < max) {
        buf_reserve(out, max - out->size < 65536 ? max - out->size : 65536);
        ssize_t size =
            read(fd, out->bytes + out->size, max - out->size < 65536 ? max - out->size : 65536);
        if (size <= 0)
            break;
        out->size += (size_t)size;
    }
    close(fd);
    return true;
}

static struct str without_line_end(struct str text)
{
    if (text.size > 0 && text.bytes[text.size - 1] == '\n')
        text.size--;
    if (text.size > 0 && text.bytes[text.size - 1] == '\r')
        text.size--;
    return text;
}

static struct str as_json(struct arena *arena, struct str text, bool may_be_json)
{
    struct buf quoted = { 0 };
    struct str json;

    if (may_be_json && json_check(text))
        return str_copy(arena, str_trim(text));
    json_quote(&quoted, without_line_end(text));
    json = str_copy(arena, buf_str(&quoted));
    buf_clear(&quoted);
    return json;
}

/* False when it is too large. */
static bool take_output(struct attempt *attempt, struct arena *arena, struct str *out)
{
    struct transcript *transcript = &attempt->transcript;
    struct buf text = { 0 };
    int64_t size = 0;

    if (file_read(attempt, LAUNCH_OUTPUT_NAME, (size_t)attempt->max_output_bytes, &text, &size) &&
        size > 0) {
        if (size <= attempt->max_output_bytes)
            *out = as_json(arena, buf_str(&text), true);
        buf_clear(&text);
        return size <= attempt->max_output_bytes;
    }
    buf_clear(&text);
    if (attempt->output_rule != WARDEN_OUTPUT_LAST_LINE)
        return true;
    if (transcript->last_over)
        return false;
    if (transcript->last.size > 0 || transcript->last_ended)
        *out = as_json(arena, buf_str(&transcript->last), false);
    return true;
}

/* What the task said about its error: in the file beside its output, else on stderr. */
static void take_error(struct attempt *attempt, struct arena *arena, struct warden_result *out)
{
    struct buf text = { 0 }, masked = { 0 };
    int64_t size;

    out->error = str_copy(arena, buf_str(&attempt->transcript.error));
    out->hard = attempt->transcript.error_hard;
    if (file_read(attempt, LAUNCH_OUTPUT_NAME ".error", ERROR_MAX, &text, &size) && text.size > 0) {
        struct str line = str_trim(buf_str(&text)), sentence = line;
        if (!transcript_error_line(line, &sentence, &out->hard))
            out->hard = false;
        mask_text(&attempt->mask, sentence, &masked);
        out->error = str_copy(arena, buf_str(&masked));
    }
    out->error = str_clean(arena, out->error); /* it travels as text, whatever the task wrote */
    buf_clear(&text);
    buf_clear(&masked);
}

/* A shell says 128 + n of a command that signal n ended. */
static struct str exit_sentence(struct arena *arena, int code)
{
    const char *name = code > 128 ? sigabbrev_np(code - 128) : NULL;

    if (name == NULL)
        return str_format(arena, "it ended with exit code %d", code);
    return str_format(arena, "it ended with exit code %d (128+%d: a command was ended by SIG%s)",
                      code, code - 128, name);
}

static void judge_exit(struct attempt *attempt, struct arena *arena, struct warden_result *out)
{
    bool by_signal = WIFSIGNALED(attempt->status);
    int signal = by_signal ? WTERMSIG(attempt->status) : 0;

    out->exit_code = by_signal ? -signal : WEXITSTATUS(attempt->status);
    if (out->exit_code == 0) {
        out->outcome = WARDEN_OUTCOME_SUCCESS;
        return;
    }
    if (!by_signal && out->exit_code == attempt->skip_exit_code) {
        out->outcome = WARDEN_OUTCOME_SKIPPED;
        return;
    }
    out->outcome = WARDEN_OUTCOME_FAILED;
    take_error(attempt, arena, out);
    bool killed_by_others = signal == SIGKILL && !attempt->killed;
    if (cgroup_was_oom(&attempt->cgroup) || (killed_by_others && attempt->memory_bytes > 0)) {
        out->outcome = WARDEN_OUTCOME_OOM;
        out->error =
            str_format(arena, "OutOfMemory: it needed more than its memory limit of %lld MiB",
                       (long long)(attempt->memory_bytes >> 20));
    } else if (out->error.size == 0 && by_signal) {
        out->error = str_format(
            arena, "it was ended by signal %d (%s)%s", signal, strsignal(signal),
            killed_by_others ? ", by somebody else: maybe this host was out of memory" : "");
    } else if (out->error.size == 0) {
        out->error = exit_sentence(arena, out->exit_code);
    }
}

static void judge_stopped(struct attempt *attempt, struct arena *arena, struct warden_result *out)
{
    int64_t timeout_ms = attempt->timeout_ms;

    out->outcome = attempt->stop_outcome;
    out->exit_code =
        WIFSIGNALED(attempt->status) ? -WTERMSIG(attempt->status) : WEXITSTATUS(attempt->status);
    switch (attempt->stop_outcome) {
    case WARDEN_OUTCOME_TIMED_OUT:
        out->error = str_format(
            arena, "TimeoutError: it ran longer than its execution_timeout of %lld.%03lld s",
            (long long)timeout_ms / 1000, (long long)timeout_ms % 1000);
        break;
    case WARDEN_OUTCOME_LEASE_OVER:
        out->error = STR("its lease was over: no scheduler renewed it in time");
        break;
    case WARDEN_OUTCOME_NOT_STARTED:
        out->error = str_copy(arena, buf_str(&attempt->transcript.error));
        out->exit_code = 0;
        break;
    default:
        out->error = STR("it was stopped");
    }
}

static int64_t ms_of(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_usec / 1000;
}

void verdict(struct attempt *attempt, struct arena *arena, struct warden_result *out)
{
    int64_t peak = cgroup_memory_peak(&attempt->cgroup);

    *out = (struct warden_result) {
        .started_unix_ms = attempt->started_unix_ms,
        .ended_unix_ms = attempt->host->unix_ms,
        .cpu_ms = ms_of(attempt->usage.ru_utime) + ms_of(attempt->usage.ru_stime),
        .memory_peak_bytes = peak > 0 ? peak : (int64_t)attempt->usage.ru_maxrss << 10
    };
    if (attempt->stopping || attempt->stop_outcome == WARDEN_OUTCOME_NOT_STARTED)
        judge_stopped(attempt, arena, out);
    else
        judge_exit(attempt, arena, out);
    if (out->outcome != WARDEN_OUTCOME_NOT_STARTED && !take_output(attempt, arena, &out->output) &&
        out->outcome == WARDEN_OUTCOME_SUCCESS) {
        out->outcome = WARDEN_OUTCOME_OUTPUT_TOO_LARGE;
        out->error = str_format(arena,
                                "OutputTooLarge: its output is larger than %lld bytes "
                                "(core.max_output_bytes); put large "
                                "data into a file or a table and output its name",
                                (long long)attempt->max_output_bytes);
    }
    out->log_bytes = attempt->transcript.size;
}
