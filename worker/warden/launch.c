// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/launch.h"

#include "worker/warden/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { GROUPS_MAX = 256 };

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* All that lives from the message to the exec. */
struct plan {
    struct arena arena;
    struct spawn spawn;
    const char *home;
    gid_t groups[GROUPS_MAX];
};

static int64_t boottime_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int plan_user(struct plan *plan, struct str user, struct err *err)
{
    const char *name = str_cstr(&plan->arena, user);
    struct passwd *entry;
    int count = GROUPS_MAX;

    if (user.size == 0)
        return 0;
    errno = 0;
    entry = getpwnam(name);
    if (entry == NULL)
        return err_set(err, ERR_INVALID, "run_as_user: there is no user %s on this worker", name);
    if (entry->pw_uid == geteuid())
        return 0;
    if (geteuid() != 0)
        return err_set(err, ERR_FORBIDDEN,
                       "run_as_user: only a worker that runs as root can run a task as %s", name);
    if (getgrouplist(name, entry->pw_gid, plan->groups, &count) < 0)
        count = 0;
    plan->home = str_cstr(&plan->arena, str_of(entry->pw_dir));
    plan->spawn.set_user = true;
    plan->spawn.uid = entry->pw_uid;
    plan->spawn.gid = entry->pw_gid;
    plan->spawn.groups = plan->groups;
    plan->spawn.group_count = count;
    return 0;
}

static int plan_argv(struct plan *plan, const struct attempt_host *host,
                     const struct warden_task *task, struct err *err)
{
    if (task->argv_count == 0 || task->argv[0].size == 0)
        return err_set(err, ERR_INVALID, "the task has no command");
    plan->spawn.argv = ARENA_ARRAY(&plan->arena, char *, task->argv_count + 1);
    for (uint32_t i = 0; i < task->argv_count; i++) {
        if (memchr(task->argv[i].bytes, '\0', task->argv[i].size) != NULL)
            return err_set(err, ERR_INVALID, "argument %u of the command holds a NUL byte", i);
        plan->spawn.argv[i] = (char *)str_cstr(&plan->arena, task->argv[i]);
    }
    if (str_is(task->argv[0], "headrace-task"))
        plan->spawn.program = str_format(&plan->arena, "%s/headrace-task", host->programs).bytes;
    return 0;
}

static void env_add(struct plan *plan, struct map *names, uint32_t *count, const char *variable)
{
    const char *end = strchr(variable, '=');
    struct str name = { variable, end == NULL ? 0 : (size_t)(end - variable) };

    if (name.size == 0 || map_get_str(names, name, NULL))
        return;
    map_put_str(names, name, 1);
    if (str_is(name, "PATH"))
        plan->spawn.path = end + 1;
    plan->spawn.env[(*count)++] = (char *)variable;
}

static void plan_env(struct plan *plan, const struct warden_task *task, const char *folder)
{
    struct map names = { 0 };
    uint32_t count = 0;

    plan->spawn.env = ARENA_ARRAY(&plan->arena, char *, task->env_count + 6);
    env_add(plan, &names, &count,
            str_format(&plan->arena, "HEADRACE_OUTPUT=%s/" LAUNCH_OUTPUT_NAME, folder).bytes);
    for (uint32_t i = 0; i < task->env_count; i++)
        env_add(plan, &names, &count, str_cstr(&plan->arena, task->env[i]));
    env_add(plan, &names, &count, str_format(&plan->arena, "PATH=%s", default_path).bytes);
    env_add(plan, &names, &count, str_format(&plan->arena, "HOME=%s", plan->home).bytes);
    env_add(plan, &names, &count, "LANG=C.UTF-8");
    env_add(plan, &names, &count, str_format(&plan->arena, "TMPDIR=%s", folder).bytes);
    map_clear(&names);
}

static void plan_limits(struct plan *plan, struct attempt *attempt, const struct warden_task *task)
{
    struct cgroup_limits limits = { task->memory_bytes, task->pids_max, task->cpu_milli }, missing;
    struct transcript *transcript = &attempt->transcript;
    int64_t unix_ms = attempt->host->unix_ms;

    cgroup_prepare(&attempt->cgroup, &limits, &missing);
    plan->spawn.join_count = cgroup_joins(&attempt->cgroup, plan->spawn.join_fds);
    if (missing.memory_bytes > 0) {
        plan->spawn.memory_bytes = missing.memory_bytes;
        transcript_say(transcript, unix_ms,
                       "this worker has no memory cgroup: memory is limited to %lld bytes of "
                       "address space per process",
                       (long long)missing.memory_bytes);
    }
    if (missing.pids_max > 0 && plan->spawn.set_user) {
        plan->spawn.pids_max = missing.pids_max;
        transcript_say(
            transcript, unix_ms,
            "this worker has no pids cgroup: %d processes are allowed to the task's user",
            missing.pids_max);
    } else if (missing.pids_max > 0) {
        transcript_say(transcript, unix_ms,
                       "this worker has no pids cgroup: the limit of %d processes is not enforced",
                       missing.pids_max);
    }
    if (missing.cpu_milli > 0)
        transcript_say(transcript, unix_ms,
                       "this worker has no cpu cgroup: the limit of %d.%03d cpu is not enforced",
                       missing.cpu_milli / 1000, missing.cpu_milli % 1000);
}

static int plan_input(struct plan *plan, const struct attempt_host *host, struct str input,
                      struct err *err)
{
    size_t done = 0;

    plan->spawn.stdin_fd = host->null_fd;
    if (input.size == 0)
        return 0;
    plan->spawn.stdin_fd = memfd_create("input", MFD_CLOEXEC);
    while (plan->spawn.stdin_fd >= 0 && done < input.size) {
        ssize_t size = write(plan->spawn.stdin_fd, input.bytes + done, input.size - done);
        if (size <= 0)
            break;
        done += (size_t)size;
    }
    if (plan->spawn.stdin_fd < 0 || done < input.size ||
        lseek(plan->spawn.stdin_fd, 0, SEEK_SET) < 0)
        return err_set(err, ERR_LIMIT, "preparing the task's input: %s", strerror(errno));
    return 0;
}

static int open_pipes(int pipes[TRANSCRIPT_SOURCES][2], struct err *err)
{
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) < 0)
            return err_set(err, ERR_LIMIT, "making the pipes of the task's output: %s",
                           strerror(errno));
        /* Ours alone: a task expects its own end to block. */
        fcntl(pipes[i][0], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

/* What the author can mend, and what only this machine can (ETXTBSY, EAGAIN, ENOMEM ...). */
static int exec_code(int error)
{
    switch (error) {
    case ENOENT:
        return ERR_NOT_FOUND;
    case EACCES:
    case EISDIR:
    case ENOTDIR:
    case EPERM:
        return ERR_UNPROCESSABLE;
    default:
        return ERR_LIMIT;
    }
}

/* Sentences for an author, who sees them in the log and in the task's state. */
static int explain(const struct plan *plan, const struct spawn_report *report, struct err *err)
{
    const struct spawn *spawn = &plan->spawn;
    const char *why = strerror(report->error);

    switch (report->stage) {
    case SPAWN_DEADLINE:
        return err_set(err, ERR_TIMEOUT, "its lease was over %lld ms before it could start",
                       (long long)report->late_ms);
    case SPAWN_CWD:
        return err_set(err, ERR_INVALID, "it cannot work in the folder %s: %s",
                       spawn->cwd == NULL ? "." : spawn->cwd, why);
    case SPAWN_EXEC:
        if (report->error == ENOENT && spawn->program == NULL &&
            strchr(spawn->argv[0], '/') == NULL)
            return err_set(err, ERR_NOT_FOUND, "the command %s is not found in PATH %s",
                           spawn->argv[0], spawn->path);
        if (report->error == ENOEXEC)
            return err_set(err, ERR_UNPROCESSABLE,
                           "the command %s is neither a program nor a script that begins with #!",
                           spawn->argv[0]);
        return err_set(err, exec_code(report->error), "the command %s cannot be run: %s",
                       spawn->program == NULL ? spawn->argv[0] : spawn->program, why);
    case SPAWN_USER:
        return err_set(err, ERR_FORBIDDEN, "it cannot run as the user of run_as_user: %s", why);
    case SPAWN_CGROUP:
        return err_set(err, ERR_LIMIT, "joining its control group: %s", why);
    case SPAWN_LIMITS:
        return err_set(err, ERR_LIMIT, "setting its resource limits: %s", why);
    case SPAWN_FILES:
        return err_set(err, ERR_LIMIT, "connecting its output: %s", why);
    case SPAWN_PARENT:
        return err_set(err, ERR_LOST, "its warden died before it could start");
    case SPAWN_CLONE:
    case SPAWN_DONE:
        break;
    }
    return err_set(err, ERR_LIMIT, "this worker cannot start a process: %s", why);
}

static int plan_all(struct plan *plan, struct attempt *attempt, const struct warden_message *start,
                    struct err *err)
{
    struct attempt_host *host = attempt->host;
    const struct warden_task *task = &start->task;
    char folder[SCRATCH_PATH_MAX];
    uid_t uid = (uid_t)-1;
    int rc = plan_user(plan, task->run_as_user, err);

    if (rc == 0)
        rc = plan_argv(plan, host, task, err);
    if (rc == 0 && plan->spawn.set_user)
        uid = plan->spawn.uid;
    if (rc == 0)
        rc = scratch_prepare(&attempt->scratch, uid, plan->spawn.gid, err);
    if (rc < 0)
        return rc;
    plan_env(plan, task, scratch_path(&attempt->scratch, folder, sizeof folder));
    plan_limits(plan, attempt, task);
    plan->spawn.cwd = task->cwd.size > 0 ? str_cstr(&plan->arena, task->cwd) : NULL;
    plan->spawn.cwd_fd = attempt->scratch.fd;
    plan->spawn.deadline_ms = start->deadline_ms;
    plan->spawn.nofile = host->nofile;
    plan->spawn.reset_oom = host->reset_oom;
    if (!cgroup_has_tree(&attempt->cgroup))
        plan->spawn.mark = tree_mark(&host->tree, attempt->slot);
    return plan_input(plan, host, task->input, err);
}

int launch(struct attempt *attempt, const struct warden_message *start, struct err *err)
{
    struct plan plan = { .home = attempt->host->home };
    struct spawn_report report;
    int pipes[TRANSCRIPT_SOURCES][2] = { { -1, -1 }, { -1, -1 } };
    int rc = plan_all(&plan, attempt, start, err);

    if (rc == 0)
        rc = open_pipes(pipes, err);
    if (rc == 0) {
        plan.spawn.stdout_fd = pipes[0][1];
        plan.spawn.stderr_fd = pipes[1][1];
        /* /dev/stdout is opened anew by its name, which takes the right to. */
        for (int i = 0; i < TRANSCRIPT_SOURCES && plan.spawn.set_user; i++)
            (void)!fchown(pipes[i][1], plan.spawn.uid, plan.spawn.gid);
        attempt->spawn_from_ms = boottime_ms();
        attempt->pid = spawn_run(&plan.spawn, &report);
        attempt->spawn_to_ms = boottime_ms();
        if (attempt->pid < 0)
            rc = explain(&plan, &report, err);
    }
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++) {
        if (pipes[i][1] >= 0)
            close(pipes[i][1]);
        if (rc == 0)
            attempt->pipes[i] = pipes[i][0];
        else if (pipes[i][0] >= 0)
            close(pipes[i][0]);
    }
    if (plan.spawn.stdin_fd > STDERR_FILENO && plan.spawn.stdin_fd != attempt->host->null_fd)
        close(plan.spawn.stdin_fd);
    arena_clear(&plan.arena);
    return rc;
}
