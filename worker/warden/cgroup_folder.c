// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/cgroup_folder.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

static bool list_has(struct str list, const char *word)
{
    struct str part;

    while (str_split(&list, ',', &part)) {
        if (str_is(part, word))
            return true;
    }
    return false;
}

/* Our own path in the hierarchy that has `controller` ("" = version 2), from /proc/self/cgroup. */
static bool own_path(struct str text, const char *controller, char *out, size_t size)
{
    struct str line, number, names;

    while (str_split(&text, '\n', &line)) {
        if (!str_split(&line, ':', &number) || !str_split(&line, ':', &names))
            continue;
        bool wanted = *controller == '\0' ? str_is(number, "0") : list_has(names, controller);
        if (wanted)
            return *cgroup_path(out, size, "%.*s", STR_ARG(line)) != '\0';
    }
    return false;
}

/* Where that hierarchy is mounted, from /proc/self/mountinfo. */
static bool mount_of(struct str text, const char *controller, char *out, size_t size)
{
    struct str line;

    while (str_split(&text, '\n', &line)) {
        struct str fields[5], type, source;
        const char *dash = memmem(line.bytes, line.size, " - ", 3);
        if (dash == NULL)
            continue;
        struct str after = str_slice(line, (size_t)(dash - line.bytes) + 3, line.size);
        bool whole = true;
        for (int i = 0; i < 5; i++)
            whole = whole && str_split(&line, ' ', &fields[i]);
        if (!whole || !str_split(&after, ' ', &type) || !str_split(&after, ' ', &source))
            continue;
        bool wanted = *controller == '\0' ? str_is(type, "cgroup2")
                                          : str_is(type, "cgroup") && list_has(after, controller);
        if (wanted)
            return *cgroup_path(out, size, "%.*s", STR_ARG(fields[4])) != '\0';
    }
    return false;
}

static bool folder_find(struct str mounts, struct str groups, const char *controller, char *out,
                        size_t size)
{
    char mount[CGROUP_PATH_MAX], path[CGROUP_PATH_MAX];
    struct stat stat_buf;

    if (!mount_of(mounts, controller, mount, sizeof mount) ||
        !own_path(groups, controller, path, sizeof path))
        return false;
    if (strcmp(path, "/") != 0 && *cgroup_path(out, size, "%s%s", mount, path) != '\0' &&
        stat(out, &stat_buf) == 0)
        return true;
    return *cgroup_path(out, size, "%s", mount) != '\0';
}

bool cgroup_folder(const char *controller, char *out, size_t size)
{
    struct buf mounts = { 0 }, groups = { 0 };
    bool found = cgroup_file_read("/proc/self/mountinfo", &mounts) &&
                 cgroup_file_read("/proc/self/cgroup", &groups) &&
                 folder_find(buf_str(&mounts), buf_str(&groups), controller, out, size);

    buf_clear(&mounts);
    buf_clear(&groups);
    return found;
}

int64_t cgroup_number(const char *path, const char *key)
{
    struct buf text = { 0 };
    int64_t number = -1;

    if (cgroup_file_read(path, &text)) {
        struct str rest = buf_str(&text), line;
        while (number < 0 && str_split(&rest, '\n', &line)) {
            struct str word = line;
            if (key != NULL && (!str_split(&line, ' ', &word) || !str_is(word, key)))
                continue;
            if (str_to_int(key != NULL ? line : word, 0, INT64_MAX, &number) < 0)
                number = -1;
            if (key == NULL)
                break;
        }
    }
    buf_clear(&text);
    return number;
}

bool cgroup_file_read(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    for (;;) {
        buf_reserve(out, 8192);
        ssize_t size = read(fd, out->bytes + out->size, 8192);
        if (size <= 0)
            break;
        out->size += (size_t)size;
    }
    close(fd);
    return true;
}

const char *cgroup_path(char *out, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int length = vsnprintf(out, size, fmt, args);
    va_end(args);
    return length > 0 && (size_t)length < size ? out : "";
}
