// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/cgroup.h"

#include "common/base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CPU_PERIOD_US = 100000, WAIT_TRIES = 200 };

static const char *const controller_names[CGROUP_CONTROLLERS] = { "memory", "pids", "cpu" };

static bool file_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t size = write(fd, text, strlen(text));
    close(fd);
    return size == (ssize_t)strlen(text);
}

static void remove_below(const char *folder)
{
    char path[CGROUP_PATH_MAX + 300];
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
            *cgroup_path(path, sizeof path, "%s/%s", folder, entry->d_name) != '\0')
            rmdir(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(folder);
}

/* What an earlier warden left in the tree dies before anything new starts. */
static void leftovers_kill(const char *tree)
{
    char path[CGROUP_PATH_MAX + 32];

    if (!file_write(cgroup_path(path, sizeof path, "%s/cgroup.kill", tree), "1"))
        return;
    for (int i = 0; i < WAIT_TRIES; i++) {
        if (cgroup_number(cgroup_path(path, sizeof path, "%s/cgroup.events", tree), "populated") <=
            0)
            return;
        usleep(5000);
    }
}

/* Version 2 gives controllers to our children only when no process stands in our own group: then,
 * and only if the group holds nobody but us, we step into a leaf of our own. */
static void unified_enable(struct cgroups *cgroups, const char *own)
{
    char control[CGROUP_PATH_MAX + 64], word[16];

    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        snprintf(word, sizeof word, "+%s", controller_names[i]);
        cgroup_path(control, sizeof control, "%s/cgroup.subtree_control", own);
        bool enabled = file_write(control, word);
        if (!enabled && errno == EBUSY) {
            char leaf[CGROUP_PATH_MAX + 64], procs[CGROUP_PATH_MAX + 80];
            mkdir(cgroup_path(leaf, sizeof leaf, "%s/headrace-warden", own), 0755);
            if (file_write(cgroup_path(procs, sizeof procs, "%s/cgroup.procs", leaf), "0"))
                enabled = file_write(control, word);
        }
        cgroups->unified[i] =
            enabled && file_write(cgroup_path(control, sizeof control, "%s/cgroup.subtree_control",
                                              cgroups->tree),
                                  word);
    }
}

void cgroups_init(struct cgroups *cgroups, const char *name)
{
    char own[CGROUP_PATH_MAX];

    *cgroups = (struct cgroups) { 0 };
    if (cgroup_folder("", own, sizeof own)) {
        cgroup_path(cgroups->tree, sizeof cgroups->tree, "%s/%s", own, name);
        leftovers_kill(cgroups->tree);
        remove_below(cgroups->tree);
        if (*cgroups->tree != '\0' && mkdir(cgroups->tree, 0755) < 0)
            cgroups->tree[0] = '\0';
        if (*cgroups->tree != '\0')
            unified_enable(cgroups, own);
    }
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        char *path = cgroups->controller[i];
        if (cgroups->unified[i] || !cgroup_folder(controller_names[i], own, sizeof own))
            continue;
        cgroup_path(path, CGROUP_PATH_MAX, "%s/%s", own, name);
        remove_below(path);
        if (*path != '\0' && mkdir(path, 0755) < 0 && errno != EEXIST)
            *path = '\0';
    }
}

void cgroups_clear(struct cgroups *cgroups)
{
    if (*cgroups->tree != '\0')
        remove_below(cgroups->tree);
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (*cgroups->controller[i] != '\0')
            remove_below(cgroups->controller[i]);
    }
}

void cgroup_init(struct cgroup *cgroup, const struct cgroups *cgroups, uint32_t slot)
{
    *cgroup = (struct cgroup) { .cgroups = cgroups, .slot = slot, .procs_fd = -1, .events_fd = -1 };
    for (int i = 0; i < CGROUP_CONTROLLERS; i++)
        cgroup->join_fds[i] = -1;
}

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void cgroup_clear(struct cgroup *cgroup)
{
    fd_close(&cgroup->procs_fd);
    fd_close(&cgroup->events_fd);
    for (int i = 0; i < CGROUP_CONTROLLERS; i++)
        fd_close(&cgroup->join_fds[i]);
}

static const char *tree_path(const struct cgroup *cgroup, const char *file, char *out, size_t size)
{
    return cgroup_path(out, size, "%s/%u/%s", cgroup->cgroups->tree, cgroup->slot, file);
}

static const char *controller_path(const struct cgroup *cgroup, int controller, const char *file,
                                   char *out, size_t size)
{
    return cgroup->cgroups->unified[controller]
               ? tree_path(cgroup, file, out, size)
               : cgroup_path(out, size, "%s/%u/%s", cgroup->cgroups->controller[controller],
                             cgroup->slot, file);
}

static void tree_open(struct cgroup *cgroup)
{
    char path[CGROUP_PATH_MAX + 64];

    if (*cgroup->cgroups->tree == '\0' || cgroup->procs_fd >= 0)
        return;
    mkdir(tree_path(cgroup, "", path, sizeof path), 0755);
    cgroup->procs_fd =
        open(tree_path(cgroup, "cgroup.procs", path, sizeof path), O_WRONLY | O_CLOEXEC);
    cgroup->events_fd =
        open(tree_path(cgroup, "cgroup.events", path, sizeof path), O_RDONLY | O_CLOEXEC);
    if (cgroup->procs_fd < 0 || cgroup->events_fd < 0) {
        fd_close(&cgroup->procs_fd);
        fd_close(&cgroup->events_fd);
    }
}

static bool limit_write(struct cgroup *cgroup, int controller, const char *unified_file,
                        const char *file, const char *text)
{
    char path[CGROUP_PATH_MAX + 64];
    bool unified = cgroup->cgroups->unified[controller];

    if (!unified && *cgroup->cgroups->controller[controller] == '\0')
        return false;
    if (!unified && cgroup->join_fds[controller] < 0) {
        mkdir(controller_path(cgroup, controller, "", path, sizeof path), 0755);
        cgroup->join_fds[controller] =
            open(controller_path(cgroup, controller, "cgroup.procs", path, sizeof path),
                 O_WRONLY | O_CLOEXEC);
        if (cgroup->join_fds[controller] < 0)
            return false;
    }
    cgroup->limited = true;
    return file_write(
        controller_path(cgroup, controller, unified ? unified_file : file, path, sizeof path),
        text);
}

void cgroup_prepare(struct cgroup *cgroup, const struct cgroup_limits *limits,
                    struct cgroup_limits *out_missing)
{
    char text[64];

    tree_open(cgroup);
    *out_missing = *limits;
    if (limits->memory_bytes > 0) {
        snprintf(text, sizeof text, "%lld", (long long)limits->memory_bytes);
        if (limit_write(cgroup, CGROUP_MEMORY, "memory.max", "memory.limit_in_bytes", text)) {
            out_missing->memory_bytes = 0;
            /* Swap would only make the same end slower; hosts that do not count it refuse, and that
             * is fine. */
            (void)limit_write(cgroup, CGROUP_MEMORY, "memory.swap.max",
                              "memory.memsw.limit_in_bytes",
                              cgroup->cgroups->unified[CGROUP_MEMORY] ? "0" : text);
        }
    }
    if (limits->pids_max > 0) {
        snprintf(text, sizeof text, "%d", limits->pids_max);
        if (limit_write(cgroup, CGROUP_PIDS, "pids.max", "pids.max", text))
            out_missing->pids_max = 0;
    }
    if (limits->cpu_milli > 0) {
        long long quota = (long long)limits->cpu_milli * CPU_PERIOD_US / 1000;
        bool unified = cgroup->cgroups->unified[CGROUP_CPU];
        snprintf(text, sizeof text, unified ? "%lld 100000" : "%lld", quota < 1000 ? 1000 : quota);
        if (limit_write(cgroup, CGROUP_CPU, "cpu.max", "cpu.cfs_quota_us", text))
            out_missing->cpu_milli = 0;
    }
}

int cgroup_joins(const struct cgroup *cgroup, int out_fds[CGROUP_JOIN_MAX])
{
    int count = 0;

    if (cgroup->procs_fd >= 0)
        out_fds[count++] = cgroup->procs_fd;
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (cgroup->join_fds[i] >= 0)
            out_fds[count++] = cgroup->join_fds[i];
    }
    return count;
}

bool cgroup_has_tree(const struct cgroup *cgroup)
{
    return cgroup->events_fd >= 0;
}

bool cgroup_is_populated(const struct cgroup *cgroup)
{
    char text[128];
    ssize_t size = pread(cgroup->events_fd, text, sizeof text - 1, 0);

    text[size < 0 ? 0 : size] = '\0';
    return strstr(text, "populated 1") != NULL;
}

void cgroup_signal(const struct cgroup *cgroup, int signal)
{
    char path[CGROUP_PATH_MAX + 64];
    struct buf text = { 0 };
    struct str rest, line;
    int64_t pid;

    if (signal == SIGKILL && file_write(tree_path(cgroup, "cgroup.kill", path, sizeof path), "1"))
        return;
    cgroup_file_read(tree_path(cgroup, "cgroup.procs", path, sizeof path), &text);
    rest = buf_str(&text);
    while (str_split(&rest, '\n', &line)) {
        if (str_to_int(line, 1, INT32_MAX, &pid) == 0)
            kill((pid_t)pid, signal);
    }
    buf_clear(&text);
}

bool cgroup_was_oom(const struct cgroup *cgroup)
{
    char path[CGROUP_PATH_MAX + 64];
    const char *file =
        cgroup->cgroups->unified[CGROUP_MEMORY] ? "memory.events" : "memory.oom_control";

    return cgroup->limited &&
           cgroup_number(controller_path(cgroup, CGROUP_MEMORY, file, path, sizeof path),
                         "oom_kill") > 0;
}

int64_t cgroup_memory_peak(const struct cgroup *cgroup)
{
    char path[CGROUP_PATH_MAX + 64];
    const char *file =
        cgroup->cgroups->unified[CGROUP_MEMORY] ? "memory.peak" : "memory.max_usage_in_bytes";

    if (!cgroup->limited)
        return 0;
    int64_t peak =
        cgroup_number(controller_path(cgroup, CGROUP_MEMORY, file, path, sizeof path), NULL);
    return peak < 0 ? 0 : peak;
}

void cgroup_release(struct cgroup *cgroup)
{
    char path[CGROUP_PATH_MAX + 64];

    if (!cgroup->limited)
        return;
    cgroup->limited = false;
    cgroup_clear(cgroup);
    if (*cgroup->cgroups->tree != '\0')
        rmdir(tree_path(cgroup, "", path, sizeof path));
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (!cgroup->cgroups->unified[i] && *cgroup->cgroups->controller[i] != '\0')
            rmdir(controller_path(cgroup, i, "", path, sizeof path));
    }
}
