// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 64 << 10, CANDIDATE_MAX = 4096 };

/* Shared with the child, which lives in our memory until it execs; the parent sleeps meanwhile. */
struct child {
    const struct spawn *spawn;
    struct spawn_report *report;
    pid_t parent;
    char candidate[CANDIDATE_MAX];
};

/* The child leaves its frames by exec, behind the sanitizer's back. */
#define CHILD_CODE __attribute__((no_sanitize("address"), noinline)) static

CHILD_CODE bool failed(struct child *child, enum spawn_stage stage)
{
    child->report->stage = stage;
    child->report->error = errno;
    return false;
}

CHILD_CODE bool join_groups(struct child *child)
{
    for (int i = 0; i < child->spawn->join_count; i++) {
        if (write(child->spawn->join_fds[i], "0", 1) != 1)
            return failed(child, SPAWN_CGROUP);
    }
    return true;
}

CHILD_CODE bool limit_set(int resource, uint64_t value)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
        return false;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > value)
        limit.rlim_max = value;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

CHILD_CODE bool set_limits(struct child *child)
{
    const struct spawn *spawn = child->spawn;
    struct rlimit no_core = { 0, RLIM_INFINITY };
    bool good = setrlimit(RLIMIT_NOFILE, &spawn->nofile) == 0;

    if (getrlimit(RLIMIT_CORE, &no_core) == 0) {
        no_core.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &no_core);
    }
    if (spawn->mark > 0)
        good = good && limit_set(RLIMIT_MSGQUEUE, spawn->mark);
    if (spawn->memory_bytes > 0)
        good = good && limit_set(RLIMIT_AS, (uint64_t)spawn->memory_bytes);
    if (spawn->pids_max > 0)
        good = good && limit_set(RLIMIT_NPROC, (uint64_t)spawn->pids_max);
    if (spawn->reset_oom) {
        int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (fd >= 0)
            (void)!write(fd, "0", 1);
    }
    return good || failed(child, SPAWN_LIMITS);
}

/* The three are above 2 in the parent, so no dup2 overwrites one that is still to come, nor keeps
 * its CLOEXEC. */
CHILD_CODE bool set_files(struct child *child)
{
    const struct spawn *spawn = child->spawn;

    if (dup2(spawn->stdin_fd, 0) < 0 || dup2(spawn->stdout_fd, 1) < 0 ||
        dup2(spawn->stderr_fd, 2) < 0)
        return failed(child, SPAWN_FILES);
    return true;
}

/* System calls of this one thread: glibc's wrappers would tell threads that are not there. */
CHILD_CODE bool set_user(struct child *child)
{
    const struct spawn *spawn = child->spawn;

    if (!spawn->set_user)
        return true;
    if (syscall(SYS_setgroups, spawn->group_count, spawn->groups) < 0 ||
        syscall(SYS_setresgid, spawn->gid, spawn->gid, spawn->gid) < 0 ||
        syscall(SYS_setresuid, spawn->uid, spawn->uid, spawn->uid) < 0)
        return failed(child, SPAWN_USER);
    return true;
}

CHILD_CODE bool set_folder(struct child *child)
{
    const struct spawn *spawn = child->spawn;

    if ((spawn->cwd != NULL ? chdir(spawn->cwd) : fchdir(spawn->cwd_fd)) < 0)
        return failed(child, SPAWN_CWD);
    return true;
}

/* Between the worker's check and this line lie a socket, maybe a stopped process, maybe minutes. */
CHILD_CODE bool in_time(struct child *child)
{
    struct timespec now;

    if (child->spawn->deadline_ms == 0)
        return true;
    clock_gettime(CLOCK_BOOTTIME, &now);
    int64_t late_ms =
        (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - child->spawn->deadline_ms;
    if (late_ms < 0)
        return true;
    child->report->late_ms = late_ms;
    return failed(child, SPAWN_DEADLINE);
}

CHILD_CODE void exec_in_path(struct child *child)
{
    const struct spawn *spawn = child->spawn;
    const char *name = spawn->argv[0], *folder = spawn->path;
    int worst = ENOENT;

    if (spawn->program != NULL || strchr(name, '/') != NULL) {
        execve(spawn->program != NULL ? spawn->program : name, spawn->argv, spawn->env);
        return;
    }
    while (folder != NULL && *name != '\0') {
        const char *end = strchrnul(folder, ':');
        size_t size = (size_t)(end - folder), name_size = strlen(name);
        if (size > 0 && size + name_size + 2 <= CANDIDATE_MAX) {
            memcpy(child->candidate, folder, size);
            child->candidate[size] = '/';
            memcpy(child->candidate + size + 1, name, name_size + 1);
            execve(child->candidate, spawn->argv, spawn->env);
            if (errno != ENOENT && errno != ENOTDIR)
                worst = errno;
        }
        folder = *end == ':' ? end + 1 : NULL;
    }
    errno = worst;
}

CHILD_CODE int child_main(void *argument)
{
    struct child *child = argument;
    sigset_t none;

    setsid();
    umask(022);
    if (!join_groups(child) || !set_limits(child) || !set_files(child) || !set_user(child) ||
        !set_folder(child))
        _exit(127);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != child->parent) {
        failed(child, SPAWN_PARENT);
        _exit(127);
    }
    syscall(SYS_close_range, 3U, ~0U, 0U);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (in_time(child)) {
        exec_in_path(child);
        failed(child, SPAWN_EXEC);
    }
    _exit(127);
}

pid_t spawn_run(const struct spawn *spawn, struct spawn_report *out_report)
{
    static char stack[STACK_SIZE] __attribute__((aligned(64)));
    static struct child child;

    *out_report = (struct spawn_report) { 0 };
    child.spawn = spawn;
    child.report = out_report;
    child.parent = getpid();
    pid_t pid = clone(child_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &child);
    if (pid < 0) {
        *out_report = (struct spawn_report) { .stage = SPAWN_CLONE, .error = errno };
        return -1;
    }
    if (out_report->stage == SPAWN_DONE)
        return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return -1;
}
