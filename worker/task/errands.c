// SPDX-License-Identifier: Apache-2.0
/* headrace-task errands - runs errands of a worker or a scheduler, as many at once as there are:
 * lines in, lines out (common/model/errand.h). It ends when its stdin does and nothing is under
 * way. */
#include "common/base/assert.h"
#include "common/text/json.h"
#include "worker/task/errand_run.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 64 << 10, TICK_MS = 1000, CHILD_TICK_MS = 20 };

/* What runs at once of a kind, and what waits for its turn. */
struct line {
    VEC(struct errand_run *) running, waiting;
    uint32_t waiting_at, max;
};

struct errand_loop {
    CURLM *multi;
    struct line lines[ERRAND_KIND_COUNT];
    struct buf input, output;
    bool input_ended;
    int out;
};

int64_t errand_now_ms(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* ---- answers
 * ------------------------------------------------------------------------------------------ */

void errand_answer(struct errand_loop *loop, struct errand_run *run, enum errand_outcome outcome,
                   struct str output, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str text = str_formatv(&run->job.arena, fmt, args);
    va_end(args);
    struct errand_answer answer = { run->errand.id, run->errand.number, outcome, output,
                                    str_trim(text) };
    errand_answer_write(&answer, &loop->output);
}

void errand_fail(struct errand_loop *loop, struct errand_run *run,
                 const struct job_failure *failure)
{
    bool unreachable =
        strcmp(failure->name, "ConnectionError") == 0 || strcmp(failure->name, "TimeoutError") == 0;

    errand_answer(loop, run,
                  failure->is_hard ? ERRAND_HOPELESS
                  : unreachable    ? ERRAND_UNREACHABLE
                                   : ERRAND_NOT_YET,
                  STR_EMPTY, "%s: %s", failure->name, failure->sentence);
}

static void run_free(struct errand_run *run)
{
    arena_clear(&run->job.arena);
    free(run->text);
    free(run);
}

/* ---- beginning
 * ------------------------------------------------------------------------------------------ */

static bool begin(struct errand_loop *loop, struct errand_run *run)
{
    run->until_ms = errand_now_ms() + ERRAND_LIMIT_MS;
    switch (run->errand.kind) {
    case ERRAND_HTTP:
        return errand_http_begin(loop, run, loop->multi);
    case ERRAND_SQL:
        return errand_sql_begin(loop, run);
    case ERRAND_NOTIFY:
    case ERRAND_CONNECT:
        return errand_child_begin(loop, run);
    case ERRAND_FILE:
        errand_file(loop, run);
        return false;
    default:
        errand_answer(loop, run, ERRAND_HOPELESS, STR_EMPTY, "this cannot be done here");
        return false;
    }
}

static void begin_more(struct errand_loop *loop)
{
    for (int kind = 0; kind < ERRAND_KIND_COUNT; kind++) {
        struct line *line = &loop->lines[kind];
        while (line->waiting_at < line->waiting.count && line->running.count < line->max) {
            struct errand_run *run = line->waiting.items[line->waiting_at++];
            if (begin(loop, run))
                VEC_ADD(&line->running, run);
            else
                run_free(run);
        }
        if (line->waiting_at == line->waiting.count) {
            VEC_RESET(&line->waiting);
            line->waiting_at = 0;
        }
    }
}

static void take_line(struct errand_loop *loop, struct str line)
{
    struct errand_run *run = calloc(1, sizeof *run);
    struct err err = { 0 };

    ASSERT(run != NULL);
    run->text = strndup(line.bytes, line.size);
    run->fd = -1;
    if (errand_read(str_of(run->text), &run->errand) < 0) {
        fprintf(stderr, "headrace-task: a line is no errand\n");
        run_free(run);
        return;
    }
    run->job.input = run->errand.payload;
    if (json_parse(&run->job.arena, run->errand.payload, NULL, &run->job.payload, &err) < 0 ||
        run->job.payload->type != VALUE_MAP) {
        errand_answer(loop, run, ERRAND_HOPELESS, STR_EMPTY, "its payload is no mapping");
        run_free(run);
        return;
    }
    VEC_ADD(&loop->lines[run->errand.kind].waiting, run);
}

static void read_input(struct errand_loop *loop)
{
    struct str rest, line;
    size_t used = 0;

    buf_reserve(&loop->input, READ_SIZE);
    ssize_t size = read(STDIN_FILENO, loop->input.bytes + loop->input.size, READ_SIZE);
    if (size < 0 && errno == EINTR)
        return;
    if (size <= 0) {
        loop->input_ended = true;
        return;
    }
    loop->input.size += (size_t)size;
    rest = buf_str(&loop->input);
    while (str_find(rest, '\n') >= 0 && str_split(&rest, '\n', &line)) {
        used += line.size + 1;
        take_line(loop, line);
    }
    buf_consume(&loop->input, used);
}

/* ---- going on
 * -----------------------------------------------------------------------------------------------
 */

static void ended(struct line *line, struct errand_run *run)
{
    VEC_EACH (&line->running, i) {
        if (line->running.items[i] != run)
            continue;
        line->running.items[i] = VEC_LAST(&line->running);
        line->running.count--;
        break;
    }
    run_free(run);
}

static void step_http(struct errand_loop *loop)
{
    int running = 0, left = 0;
    CURLMsg *message;

    curl_multi_perform(loop->multi, &running);
    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        struct errand_run *run = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &run);
        errand_http_end(loop, run, loop->multi, code);
        ended(&loop->lines[ERRAND_HTTP], run);
    }
}

static void step_all(struct errand_loop *loop, enum errand_kind kind,
                     bool (*step)(struct errand_loop *loop, struct errand_run *run))
{
    struct line *line = &loop->lines[kind];

    for (uint32_t i = 0; i < line->running.count;) {
        struct errand_run *run = line->running.items[i];
        if (step(loop, run))
            i++;
        else
            ended(line, run);
    }
}

static void wait_for_something(struct errand_loop *loop)
{
    VEC(struct curl_waitfd) fds = { 0 };
    struct line *sql = &loop->lines[ERRAND_SQL];
    uint32_t children =
        loop->lines[ERRAND_NOTIFY].running.count + loop->lines[ERRAND_CONNECT].running.count;
    int timeout_ms = TICK_MS, ready = 0;

    if (!loop->input_ended)
        VEC_ADD(&fds, (struct curl_waitfd) { .fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN });
    VEC_EACH (&sql->running, i) {
        struct curl_waitfd watch = { 0 };
        short events = errand_sql_watch(sql->running.items[i], &watch.fd);
        watch.events = events == POLLIN ? CURL_WAIT_POLLIN : CURL_WAIT_POLLOUT;
        VEC_ADD(&fds, watch);
    }
    /* An ended pipe is always readable, until its process is collected as well. */
    if (children > 0)
        timeout_ms = CHILD_TICK_MS;
    (void)curl_multi_poll(loop->multi, fds.items, fds.count, timeout_ms, &ready);
    bool has_input = fds.count > 0 && !loop->input_ended && fds.items[0].revents != 0;
    VEC_CLEAR(&fds);
    if (has_input)
        read_input(loop);
}

static bool is_idle(const struct errand_loop *loop)
{
    for (int kind = 0; kind < ERRAND_KIND_COUNT; kind++)
        if (loop->lines[kind].running.count + loop->lines[kind].waiting.count > 0)
            return false;
    return true;
}

/* False: nobody listens any more. */
static bool flush(struct errand_loop *loop)
{
    size_t done = 0;

    while (done < loop->output.size) {
        ssize_t size = write(loop->out, loop->output.bytes + done, loop->output.size - done);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return false;
        done += (size_t)size;
    }
    buf_reset(&loop->output);
    return true;
}

int errands_main(void)
{
    struct errand_loop loop = { 0 };
    static const uint32_t max[ERRAND_KIND_COUNT] = {
        [ERRAND_FILE] = 1,   [ERRAND_HTTP] = 100, [ERRAND_SQL] = 16,    [ERRAND_TASK] = 1,
        [ERRAND_NOTIFY] = 8, [ERRAND_ASSET] = 1,  [ERRAND_CONNECT] = 4,
    };

    /* What the parts print is for a task's log; stdout is for answers. */
    loop.out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (loop.out < 0 || nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
        return 1;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    loop.multi = curl_multi_init();
    for (int kind = 0; kind < ERRAND_KIND_COUNT; kind++)
        loop.lines[kind].max = max[kind];
    bool is_heard = true;
    while (is_heard && !(loop.input_ended && is_idle(&loop))) {
        wait_for_something(&loop);
        begin_more(&loop);
        step_http(&loop);
        step_all(&loop, ERRAND_SQL, errand_sql_step);
        step_all(&loop, ERRAND_NOTIFY, errand_child_step);
        step_all(&loop, ERRAND_CONNECT, errand_child_step);
        is_heard = flush(&loop);
    }
    VEC_EACH (&loop.lines[ERRAND_HTTP].running, i)
        errand_http_drop(loop.lines[ERRAND_HTTP].running.items[i], loop.multi);
    curl_multi_cleanup(loop.multi);
    curl_global_cleanup();
    for (int kind = 0; kind < ERRAND_KIND_COUNT; kind++) {
        VEC_EACH (&loop.lines[kind].running, i)
            run_free(loop.lines[kind].running.items[i]);
        VEC_CLEAR(&loop.lines[kind].running);
        VEC_CLEAR(&loop.lines[kind].waiting);
    }
    buf_clear(&loop.input);
    buf_clear(&loop.output);
    return is_heard ? 0 : 1;
}
