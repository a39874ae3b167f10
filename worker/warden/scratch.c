// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARK_SECONDS = 1, DEPTH_MAX = 256 };

void scratch_init(struct scratch *scratch, int parent_fd, const char *root, uint32_t slot)
{
    *scratch = (struct scratch) { .parent_fd = parent_fd, .root = root, .fd = -1 };
    snprintf(scratch->name, sizeof scratch->name, "%u", slot);
}

static void folder_close(struct scratch *scratch)
{
    if (scratch->fd >= 0)
        close(scratch->fd);
    scratch->fd = -1;
}

void scratch_clear(struct scratch *scratch)
{
    folder_close(scratch);
    free(scratch->outside);
    scratch->outside = NULL;
}

static void remove_entries(int dir_fd, dev_t device, int depth)
{
    /* The stream closes what it is given. */
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    struct stat stat;

    if (dir == NULL && fd >= 0)
        close(fd);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) == 0 || (errno != EISDIR && errno != EPERM))
            continue;
        int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0 && errno == EACCES && fchmodat(fd, entry->d_name, 0700, 0) == 0)
            below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0 && depth < DEPTH_MAX && fstat(below, &stat) == 0 && stat.st_dev == device) {
            (void)!fchmod(below, 0700);
            remove_entries(below, device, depth + 1);
        }
        if (below >= 0)
            close(below);
        unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    if (dir != NULL)
        closedir(dir);
}

void scratch_remove_below(int dir_fd)
{
    struct stat stat;

    if (fstat(dir_fd, &stat) == 0)
        remove_entries(dir_fd, stat.st_dev, 0);
}

static void mark_set(const struct scratch *scratch)
{
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = MARK_SECONDS } };

    (void)!futimens(scratch->fd, times);
}

static bool is_untouched(const struct scratch *scratch, struct stat *out)
{
    struct stat there;

    return fstat(scratch->fd, out) == 0 && out->st_mtim.tv_sec == MARK_SECONDS &&
           out->st_mtim.tv_nsec == 0 &&
           fstatat(scratch->parent_fd, scratch->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           there.st_ino == out->st_ino;
}

static int outside_prepare(struct scratch *scratch, uid_t uid, gid_t gid, struct err *err)
{
    char path[] = "/tmp/headrace-XXXXXX";

    if (mkdtemp(path) == NULL || chown(path, uid, gid) < 0)
        return err_set(err, ERR_IO, "making the scratch folder %s: %s", path, strerror(errno));
    scratch_clear(scratch);
    scratch->outside = strdup(path);
    scratch->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (scratch->fd < 0 || scratch->outside == NULL)
        return err_set(err, ERR_IO, "opening the scratch folder %s: %s", path, strerror(errno));
    return 0;
}

int scratch_prepare(struct scratch *scratch, uid_t uid, gid_t gid, struct err *err)
{
    if (uid != (uid_t)-1)
        return outside_prepare(scratch, uid, gid, err);
    if (scratch->fd >= 0)
        return 0;
    if (mkdirat(scratch->parent_fd, scratch->name, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "making the scratch folder %s/%s: %s", scratch->root,
                       scratch->name, strerror(errno));
    scratch->fd =
        openat(scratch->parent_fd, scratch->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (scratch->fd < 0)
        return err_set(err, ERR_IO, "opening the scratch folder %s/%s: %s", scratch->root,
                       scratch->name, strerror(errno));
    scratch_remove_below(scratch->fd);
    mark_set(scratch);
    return 0;
}

const char *scratch_path(const struct scratch *scratch, char *out, size_t size)
{
    if (scratch->outside != NULL)
        snprintf(out, size, "%s", scratch->outside);
    else
        snprintf(out, size, "%s/%s", scratch->root, scratch->name);
    return out;
}

int scratch_open(const struct scratch *scratch, const char *file)
{
    struct stat stat;
    int fd;

    if (scratch->outside == NULL && is_untouched(scratch, &stat))
        return -1;
    fd = openat(scratch->fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

void scratch_release(struct scratch *scratch)
{
    struct stat stat;

    if (scratch->outside != NULL) {
        scratch_remove_below(scratch->fd);
        rmdir(scratch->outside);
        scratch_clear(scratch);
        return;
    }
    if (scratch->fd < 0 || is_untouched(scratch, &stat))
        return;
    (void)!fchmod(scratch->fd, 0700);
    scratch_remove_below(scratch->fd);
    mark_set(scratch);
    /* A folder that was moved away or removed is no use to the next attempt. */
    if (!is_untouched(scratch, &stat))
        folder_close(scratch);
}
