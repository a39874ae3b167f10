// SPDX-License-Identifier: Apache-2.0
#include "cli/files.h"

#include "common/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_SIZE_MAX = 64 << 20 };

static int system_error(struct err *err, const char *doing, const char *path)
{
    int code = errno == ENOENT                     ? ERR_NOT_FOUND
               : errno == EACCES || errno == EPERM ? ERR_FORBIDDEN
                                                   : ERR_IO;

    return err_set(err, code, "%s %s: %s", doing, path, strerror(errno));
}

int file_read(struct arena *arena, const char *path, struct str *out, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct buf buf = { 0 };
    ssize_t size = -1;

    if (fd < 0)
        return system_error(err, "reading", path);
    do {
        buf_reserve(&buf, 65536);
        size = read(fd, buf.bytes + buf.size, 65536);
        if (size > 0)
            buf.size += (size_t)size;
    } while (size > 0 && buf.size <= FILE_SIZE_MAX);
    int rc = size < 0 ? system_error(err, "reading", path)
             : buf.size > FILE_SIZE_MAX
                 ? err_set(err, ERR_TOO_LARGE, "%s is larger than 64 MiB", path)
                 : 0;
    if (!is_stdin)
        (void)close(fd);
    if (rc == 0)
        *out = str_copy(arena, buf_str(&buf));
    buf_clear(&buf);
    return rc;
}

int file_write(const char *path, struct str text, mode_t mode, struct err *err)
{
    char temporary[4096];
    int size = snprintf(temporary, sizeof temporary, "%s.new.%d", path, (int)getpid());

    if (size >= (int)sizeof temporary)
        return err_set(err, ERR_TOO_LARGE, "the path is too long: %.80s...", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return system_error(err, "writing", path);
    ssize_t written = write(fd, text.bytes, text.size);
    bool is_good = written == (ssize_t)text.size && fchmod(fd, mode) == 0 && close(fd) == 0 &&
                   rename(temporary, path) == 0;
    if (!is_good) {
        int rc = system_error(err, "writing", path);
        (void)unlink(temporary);
        return rc;
    }
    return 0;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int folder_make(const char *path, mode_t mode, struct err *err)
{
    char partial[4096];

    if (strlen(path) >= sizeof partial)
        return err_set(err, ERR_TOO_LARGE, "the path is too long: %.80s...", path);
    for (size_t i = 1; path[i - 1] != '\0'; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, path[i] == '\0' ? mode : 0755) != 0 && errno != EEXIST)
            return system_error(err, "making the folder", partial);
    }
    return 0;
}
