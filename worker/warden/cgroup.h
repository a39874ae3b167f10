// SPDX-License-Identifier: Apache-2.0
/* cgroup - control groups of the slots, as far as this host has them: version 2 keeps a tree of
 * processes together and kills it at once; memory, pids and cpu are limited by version 2 or by
 * version 1's controllers, whichever is writable.
 *
 * What is missing degrades: without a tree the warden walks /proc (tree.h), without a controller
 * rlimits stand in. */
#ifndef HEADRACE_CGROUP_H
#define HEADRACE_CGROUP_H

#include "worker/warden/cgroup_folder.h"

#include <sys/types.h>

enum cgroup_controller { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU, CGROUP_CONTROLLERS };

enum { CGROUP_JOIN_MAX = 1 + CGROUP_CONTROLLERS };

struct cgroups {
    char tree[CGROUP_PATH_MAX];                           /* of version 2, "" without */
    char controller[CGROUP_CONTROLLERS][CGROUP_PATH_MAX]; /* of version 1, "" without */
    bool unified[CGROUP_CONTROLLERS];                     /* the tree has this controller */
};

/* One slot's groups. All-zero is not valid: see cgroup_init. */
struct cgroup {
    const struct cgroups *cgroups;
    uint32_t slot;
    int procs_fd, events_fd;          /* of the tree, -1 while there is none */
    int join_fds[CGROUP_CONTROLLERS]; /* of version 1, -1 while not limited */
    bool limited;                     /* made for one attempt: gone with it */
};

struct cgroup_limits {
    int64_t memory_bytes; /* 0 = none, each */
    int32_t pids_max, cpu_milli;
};

/* Finds what can be used; kills and removes what an earlier warden with the same `name` left. */
void cgroups_init(struct cgroups *cgroups, const char *name);
void cgroups_clear(struct cgroups *cgroups); /* removes the empty groups */

void cgroup_init(struct cgroup *cgroup, const struct cgroups *cgroups, uint32_t slot);
void cgroup_clear(struct cgroup *cgroup);

/* Makes the slot's groups as `limits` ask. Each limit that no controller can enforce is left in
 * *out_missing. */
void cgroup_prepare(struct cgroup *cgroup, const struct cgroup_limits *limits,
                    struct cgroup_limits *out_missing);

/* File descriptors to which the child writes "0" to join; returns how many. */
int cgroup_joins(const struct cgroup *cgroup, int out_fds[CGROUP_JOIN_MAX]);

bool cgroup_has_tree(const struct cgroup *cgroup);
bool cgroup_is_populated(const struct cgroup *cgroup);
void cgroup_signal(const struct cgroup *cgroup, int signal); /* every process of the tree */

/* After the attempt: what its limits saw, then the groups made for it are removed. */
bool cgroup_was_oom(const struct cgroup *cgroup);
int64_t cgroup_memory_peak(const struct cgroup *cgroup); /* 0 = unknown */
void cgroup_release(struct cgroup *cgroup);

#endif
