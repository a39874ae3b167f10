// SPDX-License-Identifier: Apache-2.0
#include "cli/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOG_SIZE_MAX = 16 << 20, KEPT_FD = 3, ENVIRON_SIZE = 65536 };

int64_t process_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void process_sleep_ms(int64_t ms)
{
    (void)nanosleep(&(struct timespec) { ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* ---- starting ---- */

static int open_log(const char *path)
{
    struct stat status;
    char old[4096];

    if (stat(path, &status) == 0 && status.st_size > LOG_SIZE_MAX &&
        snprintf(old, sizeof old, "%s.old", path) < (int)sizeof old)
        (void)rename(path, old);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Between fork and exec: only what POSIX allows there. Does not return. */
static void become(const struct process_options *options, int log_fd, int null_fd)
{
    sigset_t none;

    (void)setsid();
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)dup2(null_fd, STDIN_FILENO);
    if (log_fd >= 0) {
        (void)dup2(log_fd, STDOUT_FILENO);
        (void)dup2(log_fd, STDERR_FILENO);
    }
    if (options->keep_fd == KEPT_FD)
        (void)fcntl(KEPT_FD, F_SETFD, 0);
    else if (options->keep_fd > 0)
        (void)dup2(options->keep_fd, KEPT_FD);
    bool is_other = options->uid != 0 && options->uid != geteuid();
    if (is_other && (setgroups(1, &options->gid) != 0 || setgid(options->gid) != 0 ||
                     setuid(options->uid) != 0))
        _exit(126);
    (void)execve(options->argv[0], (char *const *)options->argv, (char *const *)options->env);
    (void)!write(STDERR_FILENO, "headrace: the program could not be started\n", 43);
    _exit(127);
}

int process_spawn(struct process *out, const struct process_options *options, struct err *err)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int log_fd = options->log_path == NULL ? -1 : open_log(options->log_path);

    if (options->log_path != NULL && log_fd < 0) {
        (void)close(null_fd);
        return err_set(err, ERR_IO, "writing %s: %s", options->log_path, strerror(errno));
    }
    if (access(options->argv[0], X_OK) != 0) {
        int rc = err_set(err, ERR_NOT_FOUND, "starting %s: %s", options->argv[0], strerror(errno));
        (void)close(null_fd);
        if (log_fd >= 0)
            (void)close(log_fd);
        return rc;
    }
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(options, log_fd, null_fd);
    int rc =
        pid < 0 ? err_set(err, ERR_LIMIT, "starting %s: %s", options->argv[0], strerror(errno)) : 0;
    (void)close(null_fd);
    if (log_fd >= 0)
        (void)close(log_fd);
    if (rc == 0)
        *out = process_of(pid);
    return rc;
}

int process_run(const struct process_options *options, int *out_status, struct err *err)
{
    struct process process;
    int status = 0, rc = process_spawn(&process, options, err);

    if (rc < 0)
        return rc;
    while (waitpid(process.pid, &status, 0) < 0 && errno == EINTR)
        continue;
    *out_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 0;
}

/* ---- looking ---- */

static ssize_t read_proc(pid_t pid, const char *name, char *bytes, size_t size)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t got = 0, part;
    while ((part = read(fd, bytes + got, size - 1 - (size_t)got)) > 0)
        got += part;
    (void)close(fd);
    bytes[got] = '\0';
    return got;
}

/* Fields are counted behind the name, which stands in parentheses and may hold anything: state is
 * field 3. */
static bool read_stat(pid_t pid, char *out_state, int64_t *out_started)
{
    char bytes[1024];
    struct str rest, field = STR_EMPTY;

    if (read_proc(pid, "stat", bytes, sizeof bytes) <= 0 || strrchr(bytes, ')') == NULL)
        return false;
    rest = str_trim(str_of(strrchr(bytes, ')') + 1));
    *out_state = rest.size > 0 ? rest.bytes[0] : '?';
    for (int number = 3; number <= 22; number++)
        if (!str_split(&rest, ' ', &field))
            return false;
    return str_to_int(field, 0, INT64_MAX, out_started) == 0;
}

struct process process_of(pid_t pid)
{
    struct process process = { 0 };
    char state;

    if (pid > 0 && read_stat(pid, &state, &process.started))
        process.pid = pid;
    return process;
}

bool process_is_alive(const struct process *process)
{
    int64_t started;
    char state;

    if (process->pid <= 0)
        return false;
    (void)waitpid(process->pid, NULL, WNOHANG); /* ours and over: it must not stay a zombie */
    return read_stat(process->pid, &state, &started) && started == process->started &&
           state != 'Z' && state != 'X';
}

/* ---- ending ---- */

static bool ends_within(const struct process *process, int64_t ms)
{
    int64_t until = process_now_ms() + ms;

    while (process_is_alive(process)) {
        if (process_now_ms() >= until)
            return false;
        process_sleep_ms(10);
    }
    return true;
}

void process_stop(struct process *process, int signum, int64_t grace_ms)
{
    if (process_is_alive(process) && kill(process->pid, signum) == 0 &&
        !ends_within(process, grace_ms)) {
        if (getpgid(process->pid) == process->pid)
            (void)kill(-process->pid, SIGKILL);
        (void)kill(process->pid, SIGKILL);
        (void)ends_within(process, 5000);
    }
    *process = (struct process) { 0 };
}

static bool environ_has(pid_t pid, struct str home)
{
    static char bytes[ENVIRON_SIZE];
    ssize_t size = read_proc(pid, "environ", bytes, sizeof bytes);
    static const char name[] = "HEADRACE_HOME=";

    for (ssize_t at = 0; at < size; at += (ssize_t)strlen(bytes + at) + 1)
        if (strncmp(bytes + at, name, sizeof name - 1) == 0)
            return str_is(home, bytes + at + sizeof name - 1);
    return false;
}

static bool program_is(pid_t pid, const char *name)
{
    char link[64], path[4096];

    (void)snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0)
        return false;
    path[size] = '\0';
    struct str program = str_of(strrchr(path, '/') + 1);
    /* A program that was built anew meanwhile shows as "... (deleted)". */
    return str_is(program, name) || (str_starts(program, name) && str_ends(program, " (deleted)"));
}

void process_find(struct process_list *list, const char *name, struct str home)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    int64_t pid;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (str_to_int(str_of(entry->d_name), 1, INT32_MAX, &pid) == 0 && pid != getpid() &&
            program_is((pid_t)pid, name) && environ_has((pid_t)pid, home)) {
            struct process process = process_of((pid_t)pid);
            if (process.pid > 0)
                VEC_ADD(&list->found, process);
        }
    if (folder != NULL)
        (void)closedir(folder);
}
