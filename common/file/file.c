// SPDX-License-Identifier: Apache-2.0
#include "common/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static bool write_aside(const char *aside, mode_t mode, struct str text)
{
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
    bool is_whole =
        fd >= 0 && write(fd, text.bytes, text.size) == (ssize_t)text.size && fsync(fd) == 0;
    int reason = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = reason;
    return is_whole;
}

static bool move_into_place(const char *aside, const char *path, enum file_there there)
{
    if (there == FILE_REPLACE)
        return rename(aside, path) == 0;
    bool is_placed = link(aside, path) == 0 || errno == EEXIST;
    int reason = errno;
    (void)unlink(aside);
    errno = reason;
    return is_placed;
}

static bool sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        (void)snprintf(folder, sizeof folder, ".");
    else
        (void)snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path),
                       path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    int reason = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = reason;
    return is_synced;
}

int file_save(const char *path, mode_t mode, struct str text, enum file_there there,
              struct err *err)
{
    char aside[PATH_MAX];
    if (snprintf(aside, sizeof aside, "%s.%ld.new", path, (long)getpid()) >= (int)sizeof aside)
        return err_set(err, ERR_INVALID, "the path is too long: %s", path);
    if (write_aside(aside, mode, text) && move_into_place(aside, path, there) &&
        sync_folder_of(path))
        return 0;
    int reason = errno;
    (void)unlink(aside);
    return err_set(err, ERR_IO, "writing %s: %s", path, strerror(reason));
}
