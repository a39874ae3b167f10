// SPDX-License-Identifier: Apache-2.0
/* cgroup_folder - where the control group of this process is, and what the files of a group say. */
#ifndef HEADRACE_CGROUP_FOLDER_H
#define HEADRACE_CGROUP_FOLDER_H

#include "common/base/buf.h"

enum { CGROUP_PATH_MAX = 512 };

/* The folder of our own group in the hierarchy of a controller of version 1, "" = version 2; the
 * mount's root when our path is not visible below it (a container's namespace). False: there is
 * none. */
bool cgroup_folder(const char *controller, char *out, size_t size);

/* The number after `key` in a file of "key value" lines, or of the whole file when `key` is NULL;
 * -1 when absent, and for "max". */
int64_t cgroup_number(const char *path, const char *key);

bool cgroup_file_read(const char *path, struct buf *out);

/* "" when it is longer than `size`: no such file. */
FORMAT(3, 4) const char *cgroup_path(char *out, size_t size, const char *fmt, ...);

#endif
