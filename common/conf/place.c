// SPDX-License-Identifier: Apache-2.0
#include "common/conf/place.h"

#include "common/base/assert.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static struct str program_folder(struct arena *arena)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    ASSERT(size > 0 && size < PATH_MAX);
    while (size > 1 && path[size - 1] != '/')
        size--;
    return str_copy(arena, (struct str) { path, (size_t)size - 1 });
}

struct str place_program(struct arena *arena, const char *name)
{
    return str_format(arena, "%s/%s", program_folder(arena).bytes, name);
}

/* The first of the two that is a folder, without dots in its path. */
static bool find(struct arena *arena, const char *installed, const char *built, struct str *out)
{
    struct str folder = program_folder(arena);
    const char *candidates[] = { installed, built };
    for (int i = 0; i < 2; i++) {
        struct stat stat_now;
        char path[PATH_MAX];
        struct str text = str_format(arena, "%s/%s", folder.bytes, candidates[i]);
        if (realpath(text.bytes, path) == NULL || stat(path, &stat_now) < 0 ||
            !S_ISDIR(stat_now.st_mode))
            continue;
        *out = str_copy(arena, str_of(path));
        return true;
    }
    return false;
}

bool place_examples(struct arena *arena, struct str *out)
{
    return find(arena, "../share/headrace/examples", "../../../examples", out);
}

bool place_ui(struct arena *arena, struct str *out)
{
    return find(arena, "../share/headrace/ui", "../../../ui/dist", out);
}
