// SPDX-License-Identifier: Apache-2.0
/* scratch - the folder in which an attempt works and leaves its output; gone with the attempt.
 *
 * A slot's folder is made once and used again. Its modification time is set back to a mark: as long
 * as the mark stands, nothing was created in it, so that a task that leaves nothing costs one look.
 * A task of another user works in a folder of its own below /tmp, because it may not look into the
 * spool. */
#ifndef HEADRACE_SCRATCH_H
#define HEADRACE_SCRATCH_H

#include "common/base/str.h"

#include <sys/types.h>

enum { SCRATCH_PATH_MAX = 4096 };

struct scratch {
    int parent_fd;    /* of the folder `scratch` in the spool, kept */
    char name[16];    /* in it; "" when the folder is outside */
    const char *root; /* absolute path of the parent, kept */
    char *outside;    /* absolute path of a foreign user's folder, or NULL */
    int fd;           /* of the folder, -1 while there is none */
};

void scratch_init(struct scratch *scratch, int parent_fd, const char *root, uint32_t slot);
void scratch_clear(struct scratch *scratch);

/* Makes sure of an empty folder that `uid` (-1 = our own) may write to. */
MUST_USE int scratch_prepare(struct scratch *scratch, uid_t uid, gid_t gid, struct err *err);

/* Absolute path of the folder. */
const char *scratch_path(const struct scratch *scratch, char *out, size_t size);

/* Opens a file that the task may have left; -1 when there is none, or it is no regular file. */
int scratch_open(const struct scratch *scratch, const char *file);

/* Empties the folder. */
void scratch_release(struct scratch *scratch);

/* Removes all that is below a folder, following no link and leaving no mount. */
void scratch_remove_below(int dir_fd);

#endif
