// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/warden.h"

#include "worker/warden/machine.h"

#include "common/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 64,
    STARTS_A_TURN = 16, /* so that many grants at once do not delay the ends of what runs */
    FAILED_WRITE_MS = 1000,
    LEFTOVER_TRIES = 100,
};

enum watch { WATCH_LISTEN, WATCH_SESSION, WATCH_CHILDREN, WATCH_TIMER };

/* Above any slot << 1 | source. */
#define WATCH_KEY(watch) (((uint64_t)1 << 40) + (uint64_t)(watch))

struct warden {
    struct warden_options options;
    int spool_fd, lock_fd, signal_fd, timer_fd;
    struct attempt_host host;
    struct session session;
    uint32_t session_events; /* what epoll watches of the session */
    struct ledger ledger;
    bool ledger_failing;
    struct attempt *slots[WARDEN_SLOTS_MAX];
    uint32_t slot_count; /* that have ever been used */
    VEC(uint32_t) free;
    struct map by_attempt; /* id.low -> slot, of attempts in a slot */
    struct map by_pid;     /* main processes */
    uint32_t running;
    bool listing; /* LISTED is owed once the unsent are sent */
    bool stopping;
    bool more_input; /* messages wait that this turn did not take */
    int64_t armed_ms, alone_since_ms;
};

static void watch_add(struct warden *warden, int fd, enum watch watch)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = WATCH_KEY(watch) };

    ASSERT(epoll_ctl(warden->host.epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0);
}

static struct attempt *slot_of(struct warden *warden, struct id128 id)
{
    uint64_t slot;

    return map_get(&warden->by_attempt, id.low, &slot) ? warden->slots[slot] : NULL;
}

static struct attempt *slot_take(struct warden *warden)
{
    if (warden->free.count > 0)
        return warden->slots[warden->free.items[--warden->free.count]];
    if (warden->slot_count == WARDEN_SLOTS_MAX)
        return NULL;
    struct attempt *attempt = calloc(1, sizeof *attempt);
    ASSERT(attempt != NULL);
    attempt_init(attempt, &warden->host, warden->slot_count);
    warden->slots[warden->slot_count++] = attempt;
    return attempt;
}

static void tell_log(struct warden *warden, struct attempt *attempt)
{
    struct warden_message log = { .type = WARDEN_LOG,
                                  .attempt = attempt->id,
                                  .log_bytes = attempt->transcript.size };

    if (attempt->transcript.size == attempt->log_told || !session_has_room(&warden->session))
        return;
    attempt->log_told = attempt->transcript.size;
    session_send(&warden->session, &log);
}

static void record_result(struct warden *warden, struct id128 id,
                          const struct warden_result *result)
{
    struct warden_message ended = { .type = WARDEN_ENDED, .attempt = id, .result = *result };
    struct buf frame = { 0 };
    bool send = session_has_room(&warden->session) && !warden->listing;

    warden_encode(&frame, &ended);
    ledger_ended(&warden->ledger, id, buf_str(&frame), send);
    if (send)
        buf_add_str(&warden->session.out, buf_str(&frame));
    buf_clear(&frame);
}

/* Takes note of an attempt that has come to its end. */
static void settle(struct warden *warden, struct attempt *attempt)
{
    struct arena arena = { 0 };
    struct warden_result result;

    if (attempt->phase != ATTEMPT_ENDED)
        return;
    map_remove(&warden->by_attempt, attempt->id.low);
    attempt_result(attempt, &arena, &result);
    record_result(warden, attempt->id, &result);
    arena_clear(&arena);
    VEC_ADD(&warden->free, attempt->slot);
    warden->running--;
}

static void tell_started(struct warden *warden, const struct attempt *attempt)
{
    struct warden_message started = { .type = WARDEN_STARTED,
                                      .attempt = attempt->id,
                                      .deadline_ms = attempt->deadline_ms,
                                      .started_unix_ms = attempt->started_unix_ms };

    session_send(&warden->session, &started);
}

static void refuse(struct warden *warden, struct id128 id, const char *why)
{
    struct warden_result result = { .outcome = WARDEN_OUTCOME_NOT_STARTED,
                                    .started_unix_ms = warden->host.unix_ms,
                                    .ended_unix_ms = warden->host.unix_ms,
                                    .error = str_of(why) };

    record_result(warden, id, &result);
}

static void on_start(struct warden *warden, const struct warden_message *message)
{
    struct attempt *attempt = slot_of(warden, message->attempt);

    if (attempt != NULL) {
        tell_started(warden, attempt);
        return;
    }
    if (ledger_find(&warden->ledger, message->attempt) != NULL)
        return;
    if (warden->ledger_failing) {
        refuse(warden, message->attempt,
               "this worker's spool cannot be written: is its disk full?");
        return;
    }
    attempt = slot_take(warden);
    if (attempt == NULL) {
        refuse(warden, message->attempt, "this worker's warden runs as many tasks as it can");
        return;
    }
    machine_now(&warden->host.now_ms, &warden->host.unix_ms);
    warden->running++;
    attempt_start(attempt, message);
    map_put(&warden->by_attempt, attempt->id.low, attempt->slot);
    if (attempt->phase != ATTEMPT_ENDED) {
        struct tree_leftover process = { attempt->pid, attempt->spawn_from_ms,
                                         attempt->spawn_to_ms };
        map_put(&warden->by_pid, (uint64_t)attempt->pid, attempt->slot);
        ledger_started(&warden->ledger, attempt->id, &process, attempt->started_unix_ms);
        tell_started(warden, attempt);
    }
    settle(warden, attempt);
}

static void on_deadline(struct warden *warden, const struct warden_message *message)
{
    struct attempt *attempt = slot_of(warden, message->attempt);

    if (attempt != NULL)
        attempt_deadline(attempt, message->deadline_ms);
    if (!id_is_zero(message->attempt))
        return;
    for (uint32_t i = 0; i < warden->slot_count; i++) {
        if (warden->slots[i]->phase != ATTEMPT_FREE)
            attempt_deadline(warden->slots[i], message->deadline_ms);
    }
}

static void on_list(struct warden *warden)
{
    ledger_send_again(&warden->ledger);
    for (uint32_t i = 0; i < warden->slot_count; i++) {
        struct attempt *attempt = warden->slots[i];
        if (attempt->phase == ATTEMPT_FREE)
            continue;
        tell_started(warden, attempt);
        attempt->log_told = 0;
    }
    warden->listing = warden->session.caught_up = true;
}

static void on_message(struct warden *warden, const struct warden_message *message)
{
    struct attempt *attempt;

    switch (message->type) {
    case WARDEN_START:
        on_start(warden, message);
        break;
    case WARDEN_KILL:
        attempt = slot_of(warden, message->attempt);
        if (attempt != NULL) {
            attempt_stop(attempt, WARDEN_OUTCOME_KILLED, message->grace_ms);
            settle(warden, attempt);
        }
        break;
    case WARDEN_DEADLINE:
        on_deadline(warden, message);
        break;
    case WARDEN_LIST:
        on_list(warden);
        break;
    case WARDEN_FORGET:
        ledger_forget(&warden->ledger, message->attempt);
        break;
    case WARDEN_STOP:
        warden->stopping = true;
        break;
    default:
        break;
    }
}

static void take_messages(struct warden *warden)
{
    struct arena arena = { 0 };
    struct warden_message message;
    int starts = 0;

    warden->more_input = false;
    while (starts < STARTS_A_TURN && session_next(&warden->session, &arena, &message) > 0) {
        starts += message.type == WARDEN_START;
        on_message(warden, &message);
        arena_reset(&arena);
    }
    warden->more_input = starts == STARTS_A_TURN;
    arena_clear(&arena);
}

static void reap(struct warden *warden)
{
    struct rusage usage;
    uint64_t slot;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        tree_reaped(&warden->host.tree, pid);
        if (!map_get(&warden->by_pid, (uint64_t)pid, &slot))
            continue;
        map_remove(&warden->by_pid, (uint64_t)pid);
        attempt_main_ended(warden->slots[slot], status, &usage);
        settle(warden, warden->slots[slot]);
    }
    /* An orphan's end may be what a tree that is being cleared waits for. */
    for (uint32_t i = 0; i < warden->slot_count; i++) {
        if (warden->slots[i]->phase == ATTEMPT_CLEARING) {
            attempt_tick(warden->slots[i]);
            settle(warden, warden->slots[i]);
        }
    }
}

static void on_children(struct warden *warden)
{
    struct signalfd_siginfo info[4];

    while (read(warden->signal_fd, info, sizeof info) > 0) {
        for (size_t i = 0; i < sizeof info / sizeof *info; i++)
            warden->stopping = warden->stopping || info[i].ssi_signo == SIGTERM;
    }
    reap(warden);
}

static void on_output(struct warden *warden, uint64_t data)
{
    struct attempt *attempt = warden->slots[data >> 1];

    attempt_read(attempt, (enum transcript_source)(data & 1));
    settle(warden, attempt);
}

static void on_connect(struct warden *warden)
{
    if (!session_accept(&warden->session))
        return;
    warden->listing = false;
    warden->session_events = EPOLLIN;
    watch_add(warden, warden->session.fd, WATCH_SESSION);
}

static void on_event(struct warden *warden, uint64_t data)
{
    uint64_t ticks;

    switch (data) {
    case WATCH_KEY(WATCH_LISTEN):
        on_connect(warden);
        break;
    case WATCH_KEY(WATCH_SESSION):
        session_read(&warden->session);
        break;
    case WATCH_KEY(WATCH_CHILDREN):
        on_children(warden);
        break;
    case WATCH_KEY(WATCH_TIMER):
        (void)!read(warden->timer_fd, &ticks, sizeof ticks);
        warden->armed_ms = INT64_MAX;
        break;
    default:
        on_output(warden, data);
    }
}

/* Does what is due and returns when the next thing will be. */
static int64_t tick(struct warden *warden)
{
    int64_t wake_ms = INT64_MAX;

    for (uint32_t i = 0; i < warden->slot_count; i++) {
        struct attempt *attempt = warden->slots[i];
        if (attempt->phase == ATTEMPT_FREE)
            continue;
        if (attempt_wake_ms(attempt) <= warden->host.now_ms) {
            attempt_tick(attempt);
            settle(warden, attempt);
        }
        tell_log(warden, attempt);
        int64_t next_ms = attempt_wake_ms(attempt);
        wake_ms = next_ms < wake_ms ? next_ms : wake_ms;
    }
    return wake_ms;
}

/* By the boot-time clock, which also runs while the machine sleeps: a lease does not wait for it to
 * wake up. */
static void arm(struct warden *warden, int64_t wake_ms)
{
    struct itimerspec spec = { 0 };

    if (wake_ms >= warden->armed_ms || wake_ms == INT64_MAX)
        return;
    int64_t at_ms = wake_ms > 0 ? wake_ms : 1;
    spec.it_value = (struct timespec) { .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };
    (void)timerfd_settime(warden->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
    warden->armed_ms = wake_ms;
}

static void watch_session(struct warden *warden)
{
    uint32_t wanted = EPOLLIN | (warden->session.out.size > 0 ? (uint32_t)EPOLLOUT : 0);
    struct epoll_event event = { .events = wanted, .data.u64 = WATCH_KEY(WATCH_SESSION) };

    if (!session_is_open(&warden->session) || warden->session_events == wanted)
        return;
    (void)epoll_ctl(warden->host.epoll_fd, EPOLL_CTL_MOD, warden->session.fd, &event);
    warden->session_events = wanted;
}

/* Disk first, then the worker: what it is told has been written. */
static void speak(struct warden *warden)
{
    struct warden_message listed = { .type = WARDEN_LISTED };

    if (ledger_flush(&warden->ledger, NULL) < 0) {
        warden->ledger_failing = true;
        return;
    }
    warden->ledger_failing = false;
    while (warden->session.caught_up && session_has_room(&warden->session) &&
           ledger_next_unsent(&warden->ledger, &warden->session.out))
        ;
    if (warden->listing && session_has_room(&warden->session) && warden->ledger.unsent == 0) {
        session_send(&warden->session, &listed);
        warden->listing = false;
    }
    session_flush(&warden->session);
    watch_session(warden);
}

static bool is_over(struct warden *warden)
{
    if (warden->running > 0 || warden->ledger_failing) {
        warden->alone_since_ms = INT64_MAX;
        return false;
    }
    if (warden->stopping)
        return true;
    if (session_is_open(&warden->session)) {
        warden->alone_since_ms = INT64_MAX;
        return false;
    }
    if (warden->alone_since_ms == INT64_MAX)
        warden->alone_since_ms = warden->host.now_ms;
    return warden->host.now_ms - warden->alone_since_ms >= warden->options.alone_ms;
}

static void loop(struct warden *warden)
{
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        machine_now(&warden->host.now_ms, &warden->host.unix_ms);
        int64_t wake_ms = tick(warden);
        speak(warden);
        if (is_over(warden))
            return;
        if (warden->alone_since_ms != INT64_MAX &&
            warden->alone_since_ms + warden->options.alone_ms < wake_ms)
            wake_ms = warden->alone_since_ms + warden->options.alone_ms;
        arm(warden, wake_ms);
        int timeout_ms = warden->more_input ? 0 : warden->ledger_failing ? FAILED_WRITE_MS : -1;
        int count = epoll_wait(warden->host.epoll_fd, events, EVENTS_MAX, timeout_ms);
        machine_now(&warden->host.now_ms, &warden->host.unix_ms);
        for (int i = 0; i < count; i++)
            on_event(warden, events[i].data.u64);
        take_messages(warden);
    }
}

static int64_t log_size(struct warden *warden, struct id128 id)
{
    char path[ID_TEXT_SIZE + 8], name[ID_TEXT_SIZE];
    struct stat stat;

    id_text(id, name);
    snprintf(path, sizeof path, "%s/log", name);
    return fstatat(warden->host.attempts_fd, path, &stat, AT_SYMLINK_NOFOLLOW) == 0 ? stat.st_size
                                                                                    : 0;
}

/* What a former warden left: its processes die, its attempts are lost. */
static void inherit(struct warden *warden)
{
    VEC(struct tree_leftover) processes = { 0 };
    struct ledger *ledger = &warden->ledger;

    VEC_EACH (&ledger->entries, i) {
        if (!ledger->entries.items[i].ended && ledger->entries.items[i].this_boot)
            VEC_ADD(&processes, ledger->entries.items[i].process);
    }
    for (int i = 0; i < LEFTOVER_TRIES; i++) {
        if (tree_kill_leftovers(warden->host.scratch_root, processes.items, processes.count) == 0)
            break;
        usleep(5000);
    }
    VEC_CLEAR(&processes);
    VEC_EACH (&ledger->entries, i) {
        struct ledger_entry entry = ledger->entries.items[i];
        struct warden_result result = { .outcome = WARDEN_OUTCOME_LOST,
                                        .started_unix_ms = entry.started_unix_ms,
                                        .ended_unix_ms = warden->host.unix_ms };
        if (entry.ended)
            continue;
        result.error = entry.this_boot ? STR("the warden of this worker died and its tasks with it")
                                       : STR("the machine was restarted while it ran");
        result.log_bytes = log_size(warden, entry.attempt);
        record_result(warden, entry.attempt, &result);
    }
}

static void host_open(struct warden *warden)
{
    struct attempt_host *host = &warden->host;
    char name[32];

    host->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    host->null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ASSERT(host->epoll_fd >= 0 && host->null_fd >= 0);
    machine_prepare(host);
    tree_init(&host->tree);
    snprintf(name, sizeof name, "headrace-%08x",
             crc32c(host->scratch_root, strlen(host->scratch_root)));
    if (!warden->options.no_cgroup)
        cgroups_init(&host->cgroups, name);
    machine_now(&host->now_ms, &host->unix_ms);
}

static int events_open(struct warden *warden, struct err *err)
{
    sigset_t children;

    /* Every signal is blocked, as spawn_run wants it; these two are read from a descriptor. */
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigaddset(&children, SIGTERM);
    warden->signal_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    warden->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (warden->signal_fd < 0 || warden->timer_fd < 0)
        return err_set(err, ERR_LIMIT, "opening the warden's descriptors: %s", strerror(errno));
    int rc = session_listen(&warden->session, warden->spool_fd, err);
    if (rc < 0)
        return rc;
    watch_add(warden, warden->signal_fd, WATCH_CHILDREN);
    watch_add(warden, warden->timer_fd, WATCH_TIMER);
    watch_add(warden, warden->session.listen_fd, WATCH_LISTEN);
    return 0;
}

static void clear(struct warden *warden)
{
    struct attempt_host *host = &warden->host;
    int fds[] = { warden->signal_fd, warden->timer_fd, host->epoll_fd,  host->null_fd,
                  host->attempts_fd, host->scratch_fd, warden->spool_fd };

    session_close(&warden->session);
    ledger_close(&warden->ledger);
    for (uint32_t i = 0; i < warden->slot_count; i++) {
        attempt_clear(warden->slots[i]);
        free(warden->slots[i]);
    }
    VEC_CLEAR(&warden->free);
    map_clear(&warden->by_attempt);
    map_clear(&warden->by_pid);
    tree_clear(&host->tree);
    cgroups_clear(&host->cgroups);
    free(host->home);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    /* Last: from here on another warden may begin. */
    if (warden->lock_fd >= 0)
        close(warden->lock_fd);
}

int warden_run(const struct warden_options *options, struct err *err)
{
    static struct warden warden;
    struct id128 boot;
    int rc;

    warden = (struct warden) {
        .options = *options,
        .spool_fd = -1,
        .lock_fd = -1,
        .signal_fd = -1,
        .timer_fd = -1,
        .host = { .epoll_fd = -1, .null_fd = -1, .attempts_fd = -1, .scratch_fd = -1 },
        .session = { .listen_fd = -1, .fd = -1 },
        .armed_ms = INT64_MAX,
        .alone_since_ms = INT64_MAX
    };
    warden.ledger.journal.fd = -1;
    if (warden.options.alone_ms == 0)
        warden.options.alone_ms = WARDEN_ALONE_MS;
    rc = machine_spool_open(options->spool, &warden.host, &warden.spool_fd, &warden.lock_fd, err);
    if (rc == 0)
        rc = machine_boot_id(&boot, err);
    if (rc == 0) {
        host_open(&warden);
        rc = ledger_open(&warden.ledger, warden.spool_fd, boot, err);
    }
    if (rc == 0)
        inherit(&warden);
    if (rc == 0)
        rc = events_open(&warden, err);
    if (rc == 0)
        loop(&warden);
    clear(&warden);
    return rc;
}
