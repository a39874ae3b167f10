// SPDX-License-Identifier: Apache-2.0
/* group - what the worker's control group may use, and what is used of it. libuv 1.44 of Debian 12
 * knows the memory limit of version 1's root alone; so the groups' files are read here: of version
 * 2, else of version 1's controllers. */
#ifndef HEADRACE_GROUP_H
#define HEADRACE_GROUP_H

#include "worker/core/meter.h"
#include "worker/warden/cgroup_folder.h"

/* Folders of the group, "" = none. */
struct group {
    char unified[CGROUP_PATH_MAX];
    char memory[CGROUP_PATH_MAX], cpu[CGROUP_PATH_MAX], cpuacct[CGROUP_PATH_MAX]; /* version 1 */
};

void group_init(struct group *group);

/* All-zero where nothing is limited. Any thread. */
void group_read(const struct group *group, struct meter_group *out);

#endif
