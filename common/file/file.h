// SPDX-License-Identifier: Apache-2.0
/* file - small files that are whole or not there, also after a loss of power: keys, tokens, and
 * what else a program must not find half written. Written aside, synced, moved into place; then the
 * folder is synced. */
#ifndef HEADRACE_FILE_H
#define HEADRACE_FILE_H

#include "common/base/str.h"

#include <sys/types.h>

enum file_there {
    FILE_REPLACE, /* what is there gives way */
    FILE_KEEP     /* what is there stays, which is no error: another program was first */
};

/* ERR_IO names the path. */
MUST_USE int file_save(const char *path, mode_t mode, struct str text, enum file_there there,
                       struct err *err);

#endif
