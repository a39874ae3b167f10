// SPDX-License-Identifier: Apache-2.0
/* tree - which processes belong to which slot, and signals to all of them: double forks, new
 * sessions and changed environments included.
 *
 * With a cgroup the kernel knows. Without one the warden is the reaper of its descendants, so
 * whatever a task leaves behind becomes the warden's own child; to whom such an orphan belongs is
 * told by a mark that no unprivileged process can take off: the hard limit RLIMIT_MSGQUEUE, a
 * little lower for each slot. */
#ifndef HEADRACE_TREE_H
#define HEADRACE_TREE_H

#include "worker/warden/cgroup.h"

#include "common/base/map.h"

struct tree {
    struct map children; /* pid -> slot + 1, of every child that is not reaped; 0 = belongs to
                            nobody we know */
    uint64_t mark_base;  /* 0 = the limit is too low to mark with */
    int children_fd;     /* /proc/.../children; -1 where the kernel has none */
};

void tree_init(struct tree *tree);
void tree_clear(struct tree *tree);

/* The limit to set in a child of `slot`, 0 for none. */
uint64_t tree_mark(const struct tree *tree, uint32_t slot);

/* A main process runs; a child (main or orphan) was reaped. */
void tree_started(struct tree *tree, pid_t pid, uint32_t slot);
void tree_reaped(struct tree *tree, pid_t pid);

/* Whether any process of the slot is alive (a zombie that is not reaped yet counts). */
bool tree_is_alive(struct tree *tree, const struct cgroup *cgroup);

/* Signals every process of the slot. Returns how many there were. */
uint32_t tree_signal(struct tree *tree, const struct cgroup *cgroup, int signal);

/* Kills what a former warden's tasks left: every process whose environment names a file below
 * `scratch`, or that belongs to session `session` of a leader that started between the two times
 * (CLOCK_BOOTTIME), with all descendants. Returns how many were found; call until it is 0. */
struct tree_leftover {
    pid_t session;
    int64_t from_ms, to_ms;
};
uint32_t tree_kill_leftovers(const char *scratch, const struct tree_leftover *leftovers,
                             uint32_t count);

#endif
