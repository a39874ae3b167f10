// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/scale.h"

#include "common/base/assert.h"
#include "common/conf/place.h"
#include "common/log/log.h"
#include "common/loop/child.h"
#include "common/loop/poll.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAUSE_FIRST_MS = 250, PAUSE_MAX_MS = 30000, SHORT_LIFE_MS = 5000 };

/* One worker process: ours (child) or found again (pidfd in a poll). */
struct process {
    struct queue *queue;
    char name[80];
    int pid; /* 0: not running */
    bool is_child, child_is_open;
    struct child child;
    struct poll poll;
    int pidfd; /* -1 */
    int64_t started_ms;
};

struct queue {
    struct scale *scale;
    const struct conf_autoscale *conf;
    struct process *processes; /* conf->max of them */
    uint32_t wanted;
    uint32_t present;
    int64_t pause_ms; /* 0: the last start was a good one */
    bool pause_is_over;
    struct timer retry;
    struct defer report; /* the core is told in a turn of its own, never from inside a step */
    bool failing;
};

struct scale {
    struct shell *shell;
    struct queue *queues;
    uint32_t queue_count;
    uint32_t open_handles;
    bool is_closing;
    void *owner;
    void (*done)(void *owner);
};

static void start_missing(struct queue *queue);

/* ---- finding processes again ----------------------------------------------------------------- */

static struct str run_folder(struct scale *scale, struct arena *arena)
{
    return str_format(arena, "%.*s/run/workers", STR_ARG(scale->shell->conf->home));
}

/* Field 22 of /proc/PID/stat: two processes never share pid and start time. 0 when there is no such
 * process. */
static uint64_t start_time(int pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    const char *at = strrchr(text, ')'); /* the name before it may hold anything */
    if (at == NULL || at[2] == 'Z')
        return 0;
    for (int field = 2; field < 22 && at != NULL; field++)
        at = strchr(at + 1, ' ');
    return at == NULL ? 0 : strtoull(at + 1, NULL, 10);
}

static void write_file(struct scale *scale, const struct process *process)
{
    struct arena arena = { 0 };
    struct str folder = run_folder(scale, &arena);
    (void)mkdir(str_format(&arena, "%.*s/run", STR_ARG(scale->shell->conf->home)).bytes, 0700);
    (void)mkdir(folder.bytes, 0700);
    struct str path = str_format(&arena, "%s/%s", folder.bytes, process->name);
    struct str text =
        str_format(&arena, "%d %llu\n", process->pid, (unsigned long long)start_time(process->pid));
    int fd = open(path.bytes, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text.bytes, text.size) != (ssize_t)text.size)
        log_warn("worker_file", LOG_STR("path", path), LOG_STR("problem", strerror(errno)));
    if (fd >= 0)
        close(fd);
    arena_clear(&arena);
}

static void remove_file(struct scale *scale, const struct process *process)
{
    struct arena arena = { 0 };
    (void)unlink(str_format(&arena, "%s/%s", run_folder(scale, &arena).bytes, process->name).bytes);
    arena_clear(&arena);
}

/* The pid in a worker's file if that very process still runs, else 0. */
static int pid_of_file(struct scale *scale, const char *name)
{
    struct arena arena = { 0 };
    char text[64] = { 0 };
    int fd = open(str_format(&arena, "%s/%s", run_folder(scale, &arena).bytes, name).bytes,
                  O_RDONLY | O_CLOEXEC);
    arena_clear(&arena);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    char *end = text;
    long pid = size > 0 ? strtol(text, &end, 10) : 0;
    uint64_t started = strtoull(end, NULL, 10);
    return pid > 0 && started != 0 && start_time((int)pid) == started ? (int)pid : 0;
}

/* ---- the life of a process ------------------------------------------------------------------- */

static void handle_closed(void *owner)
{
    struct scale *scale = owner;
    if (--scale->open_handles > 0 || !scale->is_closing)
        return;
    for (uint32_t i = 0; i < scale->queue_count; i++)
        free(scale->queues[i].processes);
    free(scale->queues);
    void (*done)(void *) = scale->done;
    void *done_owner = scale->owner;
    free(scale);
    done(done_owner);
}

static void child_closed(void *owner)
{
    struct process *process = owner;
    process->child_is_open = false;
    struct queue *queue = process->queue;
    handle_closed(queue->scale);
}

static void on_report(struct defer *defer)
{
    struct queue *queue = defer->owner;
    const struct conf_autoscale *conf = queue->conf;
    if (!queue->scale->is_closing && queue->scale->shell->is_leading)
        shell_step(queue->scale->shell,
                   &(struct core_event) { .type = CORE_AUTOSCALE,
                                          .autoscale = { conf->queue, (uint32_t)conf->min,
                                                         (uint32_t)conf->max, (uint32_t)conf->slots,
                                                         conf->quiet_ms, queue->present,
                                                         queue->failing } });
}

static void report(struct queue *queue)
{
    defer_call(&queue->report, queue->scale->shell->loop, on_report, queue);
}

static void ended(struct process *process, bool unasked)
{
    struct queue *queue = process->queue;
    log_info("worker_ended", LOG_STR("worker", process->name), LOG_INT("pid", process->pid),
             LOG_BOOL("unasked", unasked));
    process->pid = 0;
    queue->present--;
    remove_file(queue->scale, process);
    bool short_life = loop_now_ms() - process->started_ms < SHORT_LIFE_MS;
    if (unasked && short_life) {
        queue->pause_ms = queue->pause_ms == 0 ? PAUSE_FIRST_MS : queue->pause_ms * 2;
        if (queue->pause_ms > PAUSE_MAX_MS)
            queue->pause_ms = PAUSE_MAX_MS;
        queue->failing = true;
    } else if (!short_life) {
        queue->pause_ms = 0;
        queue->failing = false;
    }
    report(queue);
    start_missing(queue);
}

static void on_exit_of_child(struct child *child, int exit_status, int signum)
{
    struct process *process = child->owner;
    ended(process, exit_status != 0 || signum != 0);
    child_close(child, child_closed);
}

static void on_exit_of_found(struct poll *poll, int ready)
{
    (void)ready;
    struct process *process = poll->owner;
    poll_close(poll, NULL);
    close(process->pidfd);
    process->pidfd = -1;
    /* How it ended is its parent's to know; a long life tells that it was not a failing start. */
    ended(process, false);
}

static bool start(struct process *process)
{
    struct queue *queue = process->queue;
    struct scale *scale = queue->scale;
    struct arena arena = { 0 };
    const char *argv[] = {
        place_program(&arena, "headrace-worker").bytes,
        str_format(&arena, "--worker.name=%s", process->name).bytes,
        str_format(&arena, "--worker.slots=%d", (int)queue->conf->slots).bytes,
        str_format(&arena, "--worker.queues=%.*s", STR_ARG(queue->conf->queue)).bytes,
        str_format(&arena, "--worker.spool=%.*s/worker/%s", STR_ARG(scale->shell->conf->home),
                   process->name)
            .bytes,
        NULL,
    };
    struct child_options options = {
        .argv = argv, .out = CHILD_INHERIT, .err = CHILD_INHERIT, .own_session = true
    };
    struct err err = { 0 };
    int rc = child_open(&process->child, scale->shell->loop, &options, on_exit_of_child, NULL,
                        process, &err);
    arena_clear(&arena);
    if (rc < 0) {
        log_error("worker_start", LOG_STR("worker", process->name), LOG_ERR(&err));
        return false;
    }
    process->is_child = process->child_is_open = true;
    scale->open_handles++;
    process->pid = process->child.pid;
    process->started_ms = loop_now_ms();
    queue->present++;
    write_file(scale, process);
    log_info("worker_started", LOG_STR("worker", process->name), LOG_INT("pid", process->pid));
    return true;
}

static void find_again(struct process *process)
{
    struct queue *queue = process->queue;
    int pid = pid_of_file(queue->scale, process->name);
    if (pid == 0)
        return;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return;
    process->pid = pid;
    process->pidfd = pidfd;
    process->started_ms = loop_now_ms() - SHORT_LIFE_MS;
    struct err err = { 0 };
    if (poll_open(&process->poll, queue->scale->shell->loop, pidfd, on_exit_of_found, process,
                  &err) < 0) {
        log_warn("worker_watch", LOG_STR("worker", process->name), LOG_ERR(&err));
        close(pidfd);
        process->pidfd = -1;
        process->pid = 0;
        return;
    }
    poll_want(&process->poll, POLL_READABLE);
    queue->present++;
    log_info("worker_found", LOG_STR("worker", process->name), LOG_INT("pid", pid));
}

/* ---- wanted and present ---------------------------------------------------------------------- */

static void on_retry(struct timer *timer)
{
    struct queue *queue = timer->owner;
    queue->pause_is_over = true;
    start_missing(queue);
}

static void start_missing(struct queue *queue)
{
    if (queue->scale->is_closing)
        return;
    if (queue->present < queue->wanted && queue->pause_ms > 0 && !queue->pause_is_over) {
        if (!timer_is_set(&queue->retry))
            timer_once(&queue->retry, queue->pause_ms);
        return;
    }
    queue->pause_is_over = false;
    for (uint32_t i = 0; i < (uint32_t)queue->conf->max && queue->present < queue->wanted; i++) {
        struct process *process = &queue->processes[i];
        if (process->pid != 0 || process->child_is_open)
            continue;
        if (!start(process)) {
            queue->failing = true;
            queue->pause_ms = queue->pause_ms == 0 ? PAUSE_FIRST_MS : queue->pause_ms * 2;
            timer_once(&queue->retry, queue->pause_ms);
            break;
        }
    }
    report(queue);
}

void scale_want(struct scale *scale, struct str name, uint32_t wanted, struct str reason)
{
    for (uint32_t i = 0; i < scale->queue_count; i++) {
        struct queue *queue = &scale->queues[i];
        if (!str_eq(queue->conf->queue, name))
            continue;
        if (queue->wanted != wanted)
            log_info("scale", LOG_STR("queue", name), LOG_INT("wanted", wanted),
                     LOG_INT("present", queue->present), LOG_STR("reason", reason));
        queue->wanted = wanted;
        if (queue->present < wanted)
            start_missing(queue);
        return;
    }
}

void scale_report(struct scale *scale)
{
    for (uint32_t i = 0; i < scale->queue_count; i++) {
        struct queue *queue = &scale->queues[i];
        queue->wanted = queue->present; /* a new leader takes what is there as wanted: one that dies
                                           is missing */
        report(queue);
    }
}

struct scale *scale_new(struct shell *shell)
{
    struct scale *scale = calloc(1, sizeof *scale);
    ASSERT(scale != NULL);
    scale->shell = shell;
    scale->queue_count = shell->conf->autoscale_count;
    scale->queues = calloc(scale->queue_count + 1, sizeof *scale->queues);
    ASSERT(scale->queues != NULL);
    for (uint32_t i = 0; i < scale->queue_count; i++) {
        struct queue *queue = &scale->queues[i];
        queue->scale = scale;
        queue->conf = &shell->conf->autoscales[i];
        timer_open(&queue->retry, shell->loop, on_retry, queue);
        queue->processes = calloc((size_t)queue->conf->max + 1, sizeof *queue->processes);
        ASSERT(queue->processes != NULL);
        for (uint32_t k = 0; k < (uint32_t)queue->conf->max; k++) {
            struct process *process = &queue->processes[k];
            process->queue = queue;
            process->pidfd = -1;
            snprintf(process->name, sizeof process->name, "%.*s-%u", STR_ARG(queue->conf->queue),
                     k + 1);
            find_again(process);
        }
    }
    return scale;
}

static void timer_closed(void *owner)
{
    struct queue *queue = owner;
    handle_closed(queue->scale);
}

static void found_closed(void *owner)
{
    struct process *process = owner;
    handle_closed(process->queue->scale);
}

void scale_close(struct scale *scale, void (*done)(void *owner), void *owner)
{
    scale->is_closing = true;
    scale->done = done;
    scale->owner = owner;
    scale->open_handles++; /* ours, until every close is under way */
    for (uint32_t i = 0; i < scale->queue_count; i++) {
        struct queue *queue = &scale->queues[i];
        scale->open_handles++;
        defer_cancel(&queue->report);
        timer_close(&queue->retry, timer_closed);
        for (uint32_t k = 0; k < (uint32_t)queue->conf->max; k++) {
            struct process *process = &queue->processes[k];
            if (process->pid != 0 && process->child_is_open) {
                child_close(&process->child, child_closed);
            } else if (process->pidfd >= 0) {
                scale->open_handles++;
                poll_close(&process->poll, found_closed);
                close(process->pidfd);
            }
        }
    }
    handle_closed(scale);
}
