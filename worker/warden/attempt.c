// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/attempt.h"

#include "worker/warden/launch.h"
#include "worker/warden/verdict.h"

#include "common/base/assert.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READ_SIZE = 64 << 10,
    READ_ROUNDS = 64,    /* a pipe holds at most 1 MiB unless root says otherwise */
    DRAIN_MS = 100,      /* for a pipe whose other end is held outside the tree */
    LOOK_FIRST_MS = 2,   /* first look at a tree that was killed; doubles */
    LOOK_MS = 50,        /* while the tree may end by itself */
    LOOK_LAST_MS = 1000, /* for what cannot be killed (uninterruptible sleep) */
    LOOKS_BEFORE_NOTE = 12,
    WARN_MAX_MS = 30000,
    EXIT_NO_PROGRAM = 126, /* as shells have it */
    EXIT_NO_COMMAND = 127,
};

void attempt_init(struct attempt *attempt, struct attempt_host *host, uint32_t slot)
{
    *attempt = (struct attempt) { .host = host, .slot = slot };
    scratch_init(&attempt->scratch, host->scratch_fd, host->scratch_root, slot);
    cgroup_init(&attempt->cgroup, &host->cgroups, slot);
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++)
        attempt->pipes[i] = -1;
    attempt->transcript.fd = -1;
}

static void pipe_close(struct attempt *attempt, int source)
{
    if (attempt->pipes[source] >= 0)
        close(attempt->pipes[source]);
    attempt->pipes[source] = -1;
}

void attempt_clear(struct attempt *attempt)
{
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++)
        pipe_close(attempt, i);
    scratch_clear(&attempt->scratch);
    cgroup_clear(&attempt->cgroup);
    transcript_clear(&attempt->transcript);
    mask_clear(&attempt->mask);
}

static void take_terms(struct attempt *attempt, const struct warden_task *task)
{
    int64_t output_max = task->max_output_bytes > 0 ? task->max_output_bytes : ATTEMPT_OUTPUT_MAX;
    int64_t now_ms = attempt->host->now_ms;

    attempt->timeout_ms = task->timeout_ms;
    attempt->timeout_at_ms = task->timeout_ms > 0 ? now_ms + task->timeout_ms : INT64_MAX;
    attempt->kill_grace_ms = task->kill_grace_ms < 0 ? 0 : task->kill_grace_ms;
    attempt->skip_exit_code = task->skip_exit_code;
    attempt->memory_bytes = task->memory_bytes;
    attempt->output_rule = task->output_rule;
    attempt->max_output_bytes = output_max > ATTEMPT_OUTPUT_CAP ? ATTEMPT_OUTPUT_CAP : output_max;
    attempt->stopping = attempt->killed = false;
    attempt->stop_outcome = WARDEN_OUTCOME_SUCCESS;
    attempt->kill_at_ms = attempt->look_at_ms = attempt->drain_until_ms = INT64_MAX;
    attempt->looks = 0;
    attempt->status = 0;
    attempt->usage = (struct rusage) { 0 };
    attempt->log_told = 0;
}

void attempt_deadline(struct attempt *attempt, int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - attempt->host->now_ms, warn_ms = left_ms / 4;

    if (warn_ms > attempt->kill_grace_ms)
        warn_ms = attempt->kill_grace_ms;
    if (warn_ms > WARN_MAX_MS)
        warn_ms = WARN_MAX_MS;
    attempt->deadline_ms = deadline_ms;
    attempt->warn_ms = deadline_ms <= 0 ? INT64_MAX : deadline_ms - (warn_ms > 0 ? warn_ms : 0);
}

static void watch_pipes(struct attempt *attempt)
{
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++) {
        struct epoll_event event = { .events = EPOLLIN };
        event.data.u64 = (uint64_t)attempt->slot << 1 | (uint64_t)i;
        (void)epoll_ctl(attempt->host->epoll_fd, EPOLL_CTL_ADD, attempt->pipes[i], &event);
    }
}

void attempt_start(struct attempt *attempt, const struct warden_message *start)
{
    struct attempt_host *host = attempt->host;
    const struct warden_task *task = &start->task;
    int64_t log_max = task->max_log_bytes > 0 ? task->max_log_bytes : ATTEMPT_LOG_MAX;
    struct err err = { 0 };

    ASSERT(attempt->phase == ATTEMPT_FREE);
    attempt->id = start->attempt;
    take_terms(attempt, task);
    attempt_deadline(attempt, start->deadline_ms);
    mask_init(&attempt->mask, task->secrets, task->secret_count);
    transcript_init(&attempt->transcript, host->attempts_fd, attempt->id, &attempt->mask, log_max);
    if (task->output_rule == WARDEN_OUTPUT_LAST_LINE)
        transcript_keep_last(&attempt->transcript, (size_t)attempt->max_output_bytes);
    attempt->started_unix_ms = host->unix_ms;
    attempt->phase = ATTEMPT_RUNNING;
    int rc = launch(attempt, start, &err);
    if (rc == 0) {
        tree_started(&host->tree, attempt->pid, attempt->slot);
        watch_pipes(attempt);
        return;
    }
    if (rc == ERR_NOT_FOUND || rc == ERR_UNPROCESSABLE)
        attempt->status = W_EXITCODE(rc == ERR_NOT_FOUND ? EXIT_NO_COMMAND : EXIT_NO_PROGRAM, 0);
    else
        attempt->stop_outcome = WARDEN_OUTCOME_NOT_STARTED;
    buf_reset(&attempt->transcript.error);
    mask_text(&attempt->mask, str_of(err.sentence), &attempt->transcript.error);
    transcript_say(&attempt->transcript, host->unix_ms, "%s", attempt->transcript.error.bytes);
    attempt->phase = ATTEMPT_ENDED;
}

/* One more SIGKILL for all that is alive; a tree that forks while it is killed needs several. */
static void kill_pass(struct attempt *attempt)
{
    struct attempt_host *host = attempt->host;
    int64_t wait_ms = (int64_t)LOOK_FIRST_MS << (attempt->looks > 9 ? 9 : attempt->looks);

    attempt->killed = attempt->killed || attempt->phase == ATTEMPT_RUNNING;
    tree_signal(&host->tree, &attempt->cgroup, SIGKILL);
    attempt->looks++;
    attempt->look_at_ms = host->now_ms + (wait_ms > LOOK_LAST_MS ? LOOK_LAST_MS : wait_ms);
    if (attempt->looks == LOOKS_BEFORE_NOTE)
        transcript_say(&attempt->transcript, host->unix_ms,
                       "a process of this task does not die of SIGKILL (it may wait for a disk or "
                       "a network file system); "
                       "the attempt ends when it does");
}

void attempt_stop(struct attempt *attempt, uint32_t outcome, int64_t grace_ms)
{
    struct attempt_host *host = attempt->host;
    int64_t grace = grace_ms < 0 ? attempt->kill_grace_ms : grace_ms;

    if (attempt->phase != ATTEMPT_RUNNING)
        return;
    if (!attempt->stopping) {
        attempt->stopping = true;
        attempt->stop_outcome = outcome;
        attempt->kill_at_ms = INT64_MAX;
        if (grace > 0)
            tree_signal(&host->tree, &attempt->cgroup, SIGTERM);
    }
    if (host->now_ms + grace < attempt->kill_at_ms)
        attempt->kill_at_ms = host->now_ms + grace;
    attempt_tick(attempt);
}

static void drain(struct attempt *attempt)
{
    attempt->phase = ATTEMPT_DRAINING;
    attempt->look_at_ms = INT64_MAX;
    attempt->drain_until_ms = attempt->host->now_ms + DRAIN_MS;
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++)
        attempt_read(attempt, (enum transcript_source)i);
}

/* The main process is gone; what is left of its tree goes too, at once unless it was asked to go
 * within a grace. */
static void clear_tree(struct attempt *attempt)
{
    struct attempt_host *host = attempt->host;

    if (!tree_is_alive(&host->tree, &attempt->cgroup))
        drain(attempt);
    else if (attempt->stopping && host->now_ms < attempt->kill_at_ms)
        attempt->look_at_ms = host->now_ms + LOOK_MS;
    else if (attempt->looks == 0 || host->now_ms >= attempt->look_at_ms)
        kill_pass(attempt);
}

void attempt_main_ended(struct attempt *attempt, int status, const struct rusage *usage)
{
    ASSERT(attempt->phase == ATTEMPT_RUNNING);
    attempt->status = status;
    attempt->usage = *usage;
    attempt->phase = ATTEMPT_CLEARING;
    attempt->looks = 0;
    clear_tree(attempt);
}

void attempt_read(struct attempt *attempt, enum transcript_source source)
{
    static char bytes[READ_SIZE];
    /* While it runs one read a turn, so that a flood delays nobody; at its end all that the pipe
     * holds. */
    int rounds = attempt->phase == ATTEMPT_DRAINING ? READ_ROUNDS : 1;

    while (attempt->pipes[source] >= 0 && rounds-- > 0) {
        ssize_t size = read(attempt->pipes[source], bytes, sizeof bytes);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (size <= 0)
            pipe_close(attempt, (int)source);
        else
            transcript_feed(&attempt->transcript, source, (struct str) { bytes, (size_t)size },
                            attempt->host->unix_ms);
    }
    if (attempt->phase == ATTEMPT_DRAINING && attempt->pipes[0] < 0 && attempt->pipes[1] < 0)
        attempt->phase = ATTEMPT_ENDED;
}

static void tick_running(struct attempt *attempt)
{
    struct attempt_host *host = attempt->host;
    int64_t now_ms = host->now_ms;

    if (!attempt->stopping && now_ms >= attempt->timeout_at_ms) {
        transcript_say(&attempt->transcript, host->unix_ms,
                       "it runs longer than its execution_timeout of %lld.%03lld s: SIGTERM, and "
                       "SIGKILL after %lld.%03lld s",
                       (long long)attempt->timeout_ms / 1000, (long long)attempt->timeout_ms % 1000,
                       (long long)attempt->kill_grace_ms / 1000,
                       (long long)attempt->kill_grace_ms % 1000);
        attempt_stop(attempt, WARDEN_OUTCOME_TIMED_OUT, -1);
        return;
    }
    if (!attempt->stopping && now_ms >= attempt->warn_ms) {
        transcript_say(
            &attempt->transcript, host->unix_ms,
            "no scheduler has renewed this attempt's lease, which is over soon: SIGTERM");
        attempt_stop(attempt, WARDEN_OUTCOME_LEASE_OVER, attempt->deadline_ms - now_ms);
        return;
    }
    bool lease_over = attempt->deadline_ms > 0 && now_ms >= attempt->deadline_ms;
    if ((attempt->stopping && now_ms >= attempt->kill_at_ms) || lease_over) {
        if (attempt->looks == 0 || now_ms >= attempt->look_at_ms)
            kill_pass(attempt);
    }
}

void attempt_tick(struct attempt *attempt)
{
    struct attempt_host *host = attempt->host;

    if (attempt->phase == ATTEMPT_RUNNING)
        tick_running(attempt);
    else if (attempt->phase == ATTEMPT_CLEARING)
        clear_tree(attempt);
    else if (attempt->phase == ATTEMPT_DRAINING && host->now_ms >= attempt->drain_until_ms)
        attempt->phase = ATTEMPT_ENDED;
    if (attempt->phase == ATTEMPT_RUNNING)
        transcript_overdue(&attempt->transcript, host->unix_ms);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t attempt_wake_ms(const struct attempt *attempt)
{
    int64_t wake_ms = INT64_MAX, due_ms;

    switch (attempt->phase) {
    case ATTEMPT_FREE:
    case ATTEMPT_ENDED:
        return INT64_MAX;
    case ATTEMPT_CLEARING:
        return attempt->look_at_ms;
    case ATTEMPT_DRAINING:
        return attempt->drain_until_ms;
    case ATTEMPT_RUNNING:
        break;
    }
    due_ms = transcript_due_in(&attempt->transcript, attempt->host->unix_ms);
    if (due_ms >= 0)
        wake_ms = attempt->host->now_ms + due_ms;
    if (attempt->looks > 0)
        return earlier(wake_ms, attempt->look_at_ms);
    if (attempt->stopping)
        return earlier(wake_ms, attempt->kill_at_ms);
    return earlier(wake_ms, earlier(attempt->timeout_at_ms, attempt->warn_ms));
}

void attempt_result(struct attempt *attempt, struct arena *arena, struct warden_result *out)
{
    ASSERT(attempt->phase == ATTEMPT_ENDED);
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++)
        pipe_close(attempt, i);
    transcript_end(&attempt->transcript, attempt->host->unix_ms);
    verdict(attempt, arena, out);
    cgroup_release(&attempt->cgroup);
    scratch_release(&attempt->scratch);
    transcript_clear(&attempt->transcript);
    mask_clear(&attempt->mask);
    attempt->pid = 0;
    attempt->phase = ATTEMPT_FREE;
}
