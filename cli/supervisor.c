// SPDX-License-Identifier: Apache-2.0
#include "cli/supervisor.h"

#include "cli/cli.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum {
    PAUSE_FIRST_MS = 200,
    PAUSE_MAX_MS = 10000,
    WELL_AFTER_MS = 30000,
    PROGRAM_GRACE_MS = 15000,
    WORKER_GRACE_MS = SUPERVISOR_TASK_GRACE_S * 1000,
    POSTGRES_GRACE_MS = 30000,
};

static sigset_t watched_signals(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)sigaddset(&set, signals[i]);
    return set;
}

void supervisor_init(struct supervisor *supervisor, struct arena *arena, struct str home,
                     const char *const *env, void (*on_note)(const char *sentence))
{
    sigset_t set = watched_signals();

    *supervisor = (struct supervisor) {
        .arena = arena,
        .home = home,
        .env = env,
        .on_note = on_note,
        .parts = { { .name = "scheduler", .program = "headrace-scheduler" },
                   { .name = "webserver", .program = "headrace-webserver" } },
    };
    for (size_t i = 0; i < SUPERVISOR_PARTS; i++)
        supervisor->parts[i].log =
            str_format(arena, "%.*s/run/%s.log", STR_ARG(home), supervisor->parts[i].name).bytes;
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static void note(const struct supervisor *supervisor, const char *fmt, ...) FORMAT(2, 3);
static void note(const struct supervisor *supervisor, const char *fmt, ...)
{
    char sentence[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    supervisor->on_note(sentence);
}

/* ---- deaths and starts ---- */

static void on_death(struct supervisor *supervisor, struct part *part, int status)
{
    int64_t now_ms = process_now_ms();

    part->process = (struct process) { 0 };
    if (now_ms - part->started_ms > WELL_AFTER_MS)
        part->deaths = 0;
    part->pause_ms = part->deaths == 0     ? 0
                     : part->pause_ms == 0 ? PAUSE_FIRST_MS
                                           : part->pause_ms * 2;
    if (part->pause_ms > PAUSE_MAX_MS)
        part->pause_ms = PAUSE_MAX_MS;
    part->deaths++;
    part->start_at_ms = now_ms + part->pause_ms;
    if (WIFSIGNALED(status))
        note(supervisor, "the %s was ended by signal %d; it is started again in %.1f s (log: %s)",
             part->name, WTERMSIG(status), (double)part->pause_ms / 1000, part->log);
    else
        note(supervisor, "the %s ended with status %d; it is started again in %.1f s (log: %s)",
             part->name, WEXITSTATUS(status), (double)part->pause_ms / 1000, part->log);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < SUPERVISOR_PARTS; i++)
            if (supervisor->parts[i].process.pid == pid)
                on_death(supervisor, &supervisor->parts[i], status);
        /* PostgreSQL's end is noticed by watch_database, ours or adopted alike. */
    }
}

static void watch_database(struct supervisor *supervisor)
{
    struct private_pg *pg = supervisor->pg;
    struct err err;

    if (pg == NULL || process_is_alive(&pg->process))
        return;
    if (supervisor->pg_start_at_ms == 0) {
        note(supervisor, "PostgreSQL ended; it is started again (log: %s)", pg->log);
        supervisor->pg_start_at_ms = process_now_ms();
    }
    if (process_now_ms() < supervisor->pg_start_at_ms)
        return;
    if (private_pg_start(pg, &err) == 0) {
        supervisor->pg_start_at_ms = 0;
        return;
    }
    supervisor->pg_start_at_ms = process_now_ms() + PAUSE_MAX_MS;
    note(supervisor, "%s %s", err.sentence, err.hint);
}

static void start_part(struct supervisor *supervisor, struct part *part)
{
    struct arena scratch = { 0 };
    struct err err = { 0 };
    const char *const argv[] = { cli_program_path(&scratch, part->program), NULL };
    struct process_options options = { .argv = argv,
                                       .env = supervisor->env,
                                       .log_path = part->log };

    part->started_ms = process_now_ms();
    if (process_spawn(&part->process, &options, &err) <
        0) { /* its file is being replaced, perhaps */
        note(supervisor, "%s", err.sentence);
        part->deaths++;
        part->start_at_ms = part->started_ms + PAUSE_MAX_MS;
    }
    arena_clear(&scratch);
}

bool supervisor_step(struct supervisor *supervisor, int64_t ms)
{
    sigset_t set = watched_signals();
    struct timespec timeout = { ms / 1000, ms % 1000 * 1000000 };
    int signum = sigtimedwait(&set, NULL, &timeout);

    if (signum == SIGINT || signum == SIGTERM || signum == SIGHUP)
        supervisor->is_stopping = true;
    if (supervisor->is_stopping)
        return false;
    reap(supervisor);
    watch_database(supervisor);
    for (size_t i = 0; i < SUPERVISOR_PARTS; i++) {
        struct part *part = &supervisor->parts[i];
        if (part->process.pid == 0 && process_now_ms() >= part->start_at_ms)
            start_part(supervisor, part);
    }
    return true;
}

const struct part *supervisor_ailing(const struct supervisor *supervisor)
{
    const struct part *worst = NULL;

    for (size_t i = 0; i < SUPERVISOR_PARTS; i++)
        if (supervisor->parts[i].deaths > (worst == NULL ? 0 : worst->deaths))
            worst = &supervisor->parts[i];
    return worst;
}

/* ---- the end ---- */

/* All are asked first, then waited for. */
static void end_all(const char *name, struct str home, int64_t grace_ms)
{
    struct process_list list = { 0 };
    int64_t until = process_now_ms() + grace_ms;

    process_find(&list, name, home);
    VEC_EACH (&list.found, i)
        (void)kill(list.found.items[i].pid, SIGTERM);
    VEC_EACH (&list.found, i) {
        int64_t left = until - process_now_ms();
        process_stop(&list.found.items[i], SIGTERM, left > 0 ? left : 0);
    }
    VEC_CLEAR(&list.found);
}

void supervisor_end(struct str home, struct private_pg *pg, void (*on_note)(const char *sentence))
{
    on_note("stopping the scheduler");
    end_all("headrace-scheduler", home, PROGRAM_GRACE_MS);
    char sentence[80];
    (void)snprintf(sentence, sizeof sentence, "stopping the workers; tasks have %d s to end",
                   SUPERVISOR_TASK_GRACE_S);
    on_note(sentence);
    end_all("headrace-worker", home, WORKER_GRACE_MS);
    end_all("headrace-warden", home, WORKER_GRACE_MS);
    on_note("stopping the web server");
    end_all("headrace-webserver", home, PROGRAM_GRACE_MS);
    if (pg != NULL) {
        on_note("stopping PostgreSQL");
        private_pg_stop(pg, POSTGRES_GRACE_MS);
    }
}

bool supervisor_finds_programs(struct str home)
{
    static const char *const names[] = { "headrace-scheduler", "headrace-worker", "headrace-warden",
                                         "headrace-webserver" };
    struct process_list list = { 0 };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        process_find(&list, names[i], home);
    bool found = list.found.count > 0;
    VEC_CLEAR(&list.found);
    return found;
}

void supervisor_end_programs(struct str home)
{
    end_all("headrace-scheduler", home, PROGRAM_GRACE_MS);
    end_all("headrace-webserver", home, PROGRAM_GRACE_MS);
}
