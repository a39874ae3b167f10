// SPDX-License-Identifier: Apache-2.0
/* dag_folder - which DAG files there are: *.yaml and *.yml below a folder, any depth, less what
 * .headraceignore names. Blocking; runs on a thread of the pool. */
#ifndef HEADRACE_DAG_FOLDER_H
#define HEADRACE_DAG_FOLDER_H

#include "common/base/str.h"
#include "common/base/vec.h"

struct dag_folder_file {
    struct str path;
    int64_t size;
    int64_t mtime_ns;
    uint64_t inode;
};

/* A folder that was read, the roots among them. */
struct dag_folder_place {
    struct str path;
    uint64_t inode;
};

struct dag_folder {
    struct arena arena;
    VEC(struct dag_folder_file) files;    /* by path */
    VEC(struct dag_folder_place) folders; /* to be watched */
    bool is_complete; /* false: something could not be read; what is missing then may still be there
                       */
};

enum { DAG_FOLDER_DEPTH_MAX = 32, DAG_FOLDER_FILES_MAX = 200000 };

void dag_folder_read(struct dag_folder *out, const struct str *roots, uint32_t root_count);
void dag_folder_clear(struct dag_folder *folder);

#endif
