// SPDX-License-Identifier: Apache-2.0
/* files - whole small files: read, and written so that a reader sees the old or the new one. */
#ifndef HEADRACE_CLI_FILES_H
#define HEADRACE_CLI_FILES_H

#include "common/base/str.h"

#include <sys/types.h>

/* "-" is stdin. ERR_NOT_FOUND, ERR_FORBIDDEN or ERR_IO; ERR_TOO_LARGE above 64 MiB. `err` names the
 * path. */
MUST_USE int file_read(struct arena *arena, const char *path, struct str *out, struct err *err);
MUST_USE int file_write(const char *path, struct str text, mode_t mode, struct err *err);

bool file_exists(const char *path);

/* With all its parents. One that is there already keeps its mode. */
MUST_USE int folder_make(const char *path, mode_t mode, struct err *err);

#endif
