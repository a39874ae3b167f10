// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/dag_folder.h"

#include "common/text/glob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* One root: paths below it are held against its ignore file. */
struct walk {
    struct dag_folder *out;
    struct globs globs;
    size_t root_size;
};

/* Python files too: the compiler says of those that hold DAGs that it does not read them. */
static bool is_dag_file(struct str name)
{
    return name.size > 0 && name.bytes[0] != '.' &&
           (str_ends(name, ".yaml") || str_ends(name, ".yml") || str_ends(name, ".py"));
}

static struct globs read_ignore_file(struct dag_folder *out, struct str root)
{
    enum { IGNORE_FILE_MAX = 65536 };
    struct globs none = { 0 };
    int fd =
        open(str_format(&out->arena, "%s/.headraceignore", root.bytes).bytes, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return none;
    char *bytes = arena_alloc(&out->arena, IGNORE_FILE_MAX);
    ssize_t size = read(fd, bytes, IGNORE_FILE_MAX);
    close(fd);
    return size < 0 ? none : globs_parse(&out->arena, (struct str) { bytes, (size_t)size });
}

static void read_folder(struct walk *walk, struct str folder, int depth);

static void read_entry(struct walk *walk, struct str folder, const char *name, int depth)
{
    struct dag_folder *out = walk->out;
    struct str path = str_format(&out->arena, "%s/%s", folder.bytes, name);
    struct stat stat_now;
    if (stat(path.bytes, &stat_now) < 0) {
        if (errno != ENOENT && errno != ELOOP)
            out->is_complete = false;
        return;
    }
    bool is_folder = S_ISDIR(stat_now.st_mode);
    if (!is_folder && (!S_ISREG(stat_now.st_mode) || !is_dag_file(str_of(name))))
        return;
    struct str relative = str_slice(path, walk->root_size + 1, path.size);
    if (globs_ignore(&walk->globs, relative, is_folder))
        return;
    if (is_folder)
        read_folder(walk, path, depth + 1);
    else if (out->files.count < DAG_FOLDER_FILES_MAX)
        VEC_ADD(&out->files, (struct dag_folder_file) { path, stat_now.st_size,
                                                        stat_now.st_mtim.tv_sec * 1000000000LL +
                                                            stat_now.st_mtim.tv_nsec,
                                                        stat_now.st_ino });
}

static void read_folder(struct walk *walk, struct str folder, int depth)
{
    if (depth > DAG_FOLDER_DEPTH_MAX)
        return;
    DIR *dir = opendir(folder.bytes);
    if (dir == NULL) {
        walk->out->is_complete = walk->out->is_complete && errno == ENOENT;
        return;
    }
    struct stat opened;
    if (fstat(dirfd(dir), &opened) == 0)
        VEC_ADD(&walk->out->folders, (struct dag_folder_place) { folder, opened.st_ino });
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (entry->d_name[0] != '.')
            read_entry(walk, folder, entry->d_name, depth);
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const struct dag_folder_file *)a)->path,
                   ((const struct dag_folder_file *)b)->path);
}

void dag_folder_read(struct dag_folder *out, const struct str *roots, uint32_t root_count)
{
    *out = (struct dag_folder) { .is_complete = true };
    for (uint32_t i = 0; i < root_count; i++) {
        struct str root = str_copy(&out->arena, roots[i]);
        struct walk walk = { .out = out,
                             .globs = read_ignore_file(out, root),
                             .root_size = root.size };
        read_folder(&walk, root, 0);
    }
    if (out->files.count > 0)
        qsort(out->files.items, out->files.count, sizeof *out->files.items, by_path);
}

void dag_folder_clear(struct dag_folder *folder)
{
    VEC_CLEAR(&folder->files);
    VEC_CLEAR(&folder->folders);
    arena_clear(&folder->arena);
}
