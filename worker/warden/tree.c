// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/tree.h"

#include "common/base/buf.h"
#include "common/base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MARK_SLOTS = 16384 };

/* One line of /proc: what a walk needs of a process. */
struct process {
    pid_t pid, parent, session;
    uint64_t start_ticks;
    bool chosen;
};

struct processes {
    VEC(struct process) all;
    struct map by_pid; /* pid -> index */
};

void tree_init(struct tree *tree)
{
    struct rlimit limit;
    char path[64];

    *tree = (struct tree) { 0 };
    if (getrlimit(RLIMIT_MSGQUEUE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY &&
        limit.rlim_max > 2 * MARK_SLOTS)
        tree->mark_base = limit.rlim_max;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)gettid());
    tree->children_fd = open(path, O_RDONLY | O_CLOEXEC);
}

void tree_clear(struct tree *tree)
{
    map_clear(&tree->children);
    if (tree->children_fd >= 0)
        close(tree->children_fd);
    tree->children_fd = -1;
}

uint64_t tree_mark(const struct tree *tree, uint32_t slot)
{
    return tree->mark_base == 0 ? 0 : tree->mark_base - 1 - slot;
}

void tree_started(struct tree *tree, pid_t pid, uint32_t slot)
{
    map_put(&tree->children, (uint64_t)pid, slot + 1);
}

void tree_reaped(struct tree *tree, pid_t pid)
{
    map_remove(&tree->children, (uint64_t)pid);
}

static ssize_t proc_read(pid_t pid, const char *file, char *out, size_t size)
{
    char path[64];
    int fd;
    ssize_t got;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    got = read(fd, out, size - 1);
    close(fd);
    out[got < 0 ? 0 : got] = '\0';
    return got;
}

/* False when there is no such process, or only its shell is left (a zombie). */
static bool process_read(pid_t pid, struct process *out)
{
    char text[1024], *at;
    char state;
    int parent, group, session;
    unsigned long long start;

    if (proc_read(pid, "stat", text, sizeof text) <= 0)
        return false;
    /* The name in parentheses may hold anything, also parentheses. */
    at = strrchr(text, ')');
    if (at == NULL ||
        sscanf(at + 1,
               " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &state, &parent, &group, &session, &start) != 5)
        return false;
    *out =
        (struct process) { .pid = pid, .parent = parent, .session = session, .start_ticks = start };
    return state != 'Z' && state != 'X';
}

static void processes_read(struct processes *processes)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    struct process process;
    int64_t pid;

    *processes = (struct processes) { 0 };
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (str_to_int(str_of(entry->d_name), 1, INT32_MAX, &pid) < 0 ||
            !process_read((pid_t)pid, &process))
            continue;
        map_put(&processes->by_pid, (uint64_t)pid, processes->all.count);
        VEC_ADD(&processes->all, process);
    }
    if (dir != NULL)
        closedir(dir);
}

static void processes_clear(struct processes *processes)
{
    VEC_CLEAR(&processes->all);
    map_clear(&processes->by_pid);
}

/* Chooses all descendants of what is chosen. */
static void choose_descendants(struct processes *processes)
{
    bool more = true;

    while (more) {
        more = false;
        VEC_EACH (&processes->all, i) {
            struct process *process = &processes->all.items[i];
            uint64_t parent;
            if (process->chosen ||
                !map_get(&processes->by_pid, (uint64_t)process->parent, &parent) ||
                !processes->all.items[parent].chosen)
                continue;
            process->chosen = more = true;
        }
    }
}

/* By pidfd, and only if the process is still the one that was seen: a number that was given anew is
 * never hit. */
static void process_signal(const struct process *seen, int signal)
{
    struct process now;
    int fd = (int)syscall(SYS_pidfd_open, seen->pid, 0);

    if (fd < 0)
        return;
    if (process_read(seen->pid, &now) && now.start_ticks == seen->start_ticks)
        syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
    close(fd);
}

static uint32_t signal_chosen(const struct processes *processes, int signal)
{
    uint32_t count = 0;

    VEC_EACH (&processes->all, i) {
        if (!processes->all.items[i].chosen)
            continue;
        process_signal(&processes->all.items[i], signal);
        count++;
    }
    return count;
}

/* slot + 1 of an orphan, by its mark; 0 when it has none. */
static uint64_t mark_read(const struct tree *tree, pid_t pid)
{
    char text[4096], *line;
    unsigned long long soft, hard;

    if (tree->mark_base == 0 || proc_read(pid, "limits", text, sizeof text) <= 0)
        return 0;
    line = strstr(text, "Max msgqueue size");
    if (line == NULL || sscanf(line + strlen("Max msgqueue size"), "%llu %llu", &soft, &hard) != 2)
        return 0;
    return hard < tree->mark_base && tree->mark_base - hard <= MARK_SLOTS ? tree->mark_base - hard
                                                                          : 0;
}

static void child_seen(struct tree *tree, pid_t pid)
{
    if (!map_get(&tree->children, (uint64_t)pid, NULL))
        map_put(&tree->children, (uint64_t)pid, mark_read(tree, pid));
}

/* Learns of orphans that have become our children. */
static void children_refresh(struct tree *tree)
{
    struct buf text = { 0 };
    struct str rest, word;
    int64_t pid;

    if (tree->children_fd < 0) {
        struct processes processes;
        processes_read(&processes);
        VEC_EACH (&processes.all, i) {
            if (processes.all.items[i].parent == getpid())
                child_seen(tree, processes.all.items[i].pid);
        }
        processes_clear(&processes);
        return;
    }
    for (;;) {
        buf_reserve(&text, 4096);
        ssize_t size = pread(tree->children_fd, text.bytes + text.size, 4096, (off_t)text.size);
        if (size <= 0)
            break;
        text.size += (size_t)size;
    }
    rest = buf_str(&text);
    while (str_split(&rest, ' ', &word)) {
        if (str_to_int(word, 1, INT32_MAX, &pid) == 0)
            child_seen(tree, (pid_t)pid);
    }
    buf_clear(&text);
}

static bool slot_has_child(const struct tree *tree, uint32_t slot)
{
    for (uint32_t i = 0; i < tree->children.capacity; i++) {
        if (tree->children.slots[i].hash != 0 && tree->children.slots[i].value == slot + 1)
            return true;
    }
    return false;
}

bool tree_is_alive(struct tree *tree, const struct cgroup *cgroup)
{
    if (cgroup_has_tree(cgroup))
        return cgroup_is_populated(cgroup);
    children_refresh(tree);
    return slot_has_child(tree, cgroup->slot);
}

uint32_t tree_signal(struct tree *tree, const struct cgroup *cgroup, int signal)
{
    struct processes processes;
    uint32_t count;

    if (cgroup_has_tree(cgroup)) {
        cgroup_signal(cgroup, signal);
        return cgroup_is_populated(cgroup);
    }
    children_refresh(tree);
    processes_read(&processes);
    VEC_EACH (&processes.all, i) {
        uint64_t slot;
        struct process *process = &processes.all.items[i];
        process->chosen =
            map_get(&tree->children, (uint64_t)process->pid, &slot) && slot == cgroup->slot + 1;
        /* The whole group at once: what forks faster than we can read /proc stays in its group. A
         * group is only hit while its leader, our own child that nobody else can reap, holds its
         * number. */
        if (process->chosen && process->session == process->pid && signal == SIGKILL)
            kill(-process->pid, signal);
    }
    choose_descendants(&processes);
    count = signal_chosen(&processes, signal);
    processes_clear(&processes);
    return count;
}

static bool environment_names(pid_t pid, const char *scratch)
{
    struct buf text = { 0 };
    char path[64], wanted[4200];
    bool found = false;

    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    snprintf(wanted, sizeof wanted, "HEADRACE_OUTPUT=%s/", scratch);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t size = 1; fd >= 0 && size > 0;) {
        buf_reserve(&text, 8192);
        size = read(fd, text.bytes + text.size, 8192);
        text.size += size > 0 ? (size_t)size : 0;
    }
    if (fd >= 0)
        close(fd);
    struct str rest = buf_str(&text), variable;
    while (!found && str_split(&rest, '\0', &variable))
        found = str_starts(variable, wanted);
    buf_clear(&text);
    return found;
}

/* The leader proves by its start that the number still means our session; once it is gone only the
 * environment tells. */
static bool session_is_leftover(const struct processes *processes, const struct process *process,
                                const struct tree_leftover *leftover)
{
    int64_t tick_ms = 1000 / sysconf(_SC_CLK_TCK), start_ms;
    uint64_t leader;

    if (process->session != leftover->session ||
        !map_get(&processes->by_pid, (uint64_t)leftover->session, &leader))
        return false;
    start_ms = (int64_t)processes->all.items[leader].start_ticks * tick_ms;
    return start_ms >= leftover->from_ms - tick_ms && start_ms <= leftover->to_ms + tick_ms;
}

uint32_t tree_kill_leftovers(const char *scratch, const struct tree_leftover *leftovers,
                             uint32_t count)
{
    struct processes processes;
    uint32_t found;

    processes_read(&processes);
    VEC_EACH (&processes.all, i) {
        struct process *process = &processes.all.items[i];
        if (process->pid == getpid())
            continue;
        process->chosen = environment_names(process->pid, scratch);
        for (uint32_t k = 0; k < count && !process->chosen; k++)
            process->chosen = session_is_leftover(&processes, process, &leftovers[k]);
    }
    choose_descendants(&processes);
    found = signal_chosen(&processes, SIGKILL);
    processes_clear(&processes);
    return found;
}
