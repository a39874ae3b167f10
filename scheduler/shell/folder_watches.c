// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/folder_watches.h"

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/log/log.h"
#include "common/loop/watch.h"

enum { WATCHES_MAX = 2000 };

struct folder {
    struct folder_watches *all;
    struct watch watch;
    char *path;
    uint64_t inode;
    bool is_there; /* among those to be followed */
    bool is_stale; /* the folder itself may have been deleted or moved */
};

struct folder_watches {
    struct loop *loop;
    void (*on_change)(void *owner);
    void *owner;
    VEC(struct folder *) folders;
    struct map by_path; /* -> index of folders */
    uint32_t open;      /* watches whose closing has not ended, and one for ourselves */
    void (*done)(void *owner);
    void *done_owner;
};

/* The kernel tells of a folder's own end with the folder's name; a child of that name costs one
 * more opening. An inode's number alone does not tell it: a file system gives it to the next
 * folder. */
static void on_event(struct watch *watch, const char *name)
{
    struct folder *folder = watch->owner;
    const char *own_name = strrchr(folder->path, '/');
    if (name == NULL || own_name == NULL || strcmp(name, own_name + 1) == 0)
        folder->is_stale = true;
    folder->all->on_change(folder->all->owner);
}

static void release(struct folder_watches *all)
{
    if (--all->open > 0)
        return;
    void (*done)(void *) = all->done;
    void *owner = all->done_owner;
    VEC_CLEAR(&all->folders);
    map_clear(&all->by_path);
    free(all);
    done(owner);
}

static void on_closed(void *owner)
{
    struct folder *folder = owner;
    struct folder_watches *all = folder->all;
    free(folder->path);
    free(folder);
    release(all);
}

static void drop(struct folder_watches *all, uint32_t index)
{
    struct folder *folder = all->folders.items[index],
                  *last = all->folders.items[all->folders.count - 1];
    (void)map_remove_str(&all->by_path, str_of(folder->path));
    if (last != folder) {
        all->folders.items[index] = last;
        map_put_str(&all->by_path, str_of(last->path), index);
    }
    all->folders.count--;
    watch_close(&folder->watch, on_closed);
}

static bool add(struct folder_watches *all, const struct dag_folder_place *place)
{
    struct err err = { 0 };
    struct folder *folder = calloc(1, sizeof *folder);
    ASSERT(folder != NULL);
    folder->all = all;
    folder->path = strndup(place->path.bytes, place->path.size);
    ASSERT(folder->path != NULL);
    folder->inode = place->inode;
    folder->is_there = true;
    if (watch_open(&folder->watch, all->loop, folder->path, on_event, folder, &err) < 0) {
        log_debug("watch", LOG_STR("folder", place->path), LOG_ERR(&err));
        free(folder->path);
        free(folder);
        return false;
    }
    all->open++;
    map_put_str(&all->by_path, str_of(folder->path), all->folders.count);
    VEC_ADD(&all->folders, folder);
    return true;
}

static void mark(struct folder_watches *all, const struct dag_folder_place *place)
{
    uint64_t index;
    if (!map_get_str(&all->by_path, place->path, &index))
        return;
    struct folder *folder = all->folders.items[index];
    folder->is_there = folder->inode == place->inode && !folder->is_stale;
}

bool folder_watches_follow(struct folder_watches *watches, const struct dag_folder_place *folders,
                           uint32_t count)
{
    bool opened = false;
    VEC_EACH (&watches->folders, i)
        watches->folders.items[i]->is_there = false;
    for (uint32_t i = 0; i < count; i++)
        mark(watches, &folders[i]);
    for (uint32_t i = watches->folders.count; i-- > 0;)
        if (!watches->folders.items[i]->is_there)
            drop(watches, i);
    for (uint32_t i = 0; i < count && watches->folders.count < WATCHES_MAX; i++)
        if (!map_get_str(&watches->by_path, folders[i].path, NULL))
            opened |= add(watches, &folders[i]);
    return opened;
}

struct folder_watches *folder_watches_new(struct loop *loop, void (*on_change)(void *owner),
                                          void *owner)
{
    struct folder_watches *watches = calloc(1, sizeof *watches);
    ASSERT(watches != NULL);
    watches->loop = loop;
    watches->on_change = on_change;
    watches->owner = owner;
    watches->open = 1;
    return watches;
}

void folder_watches_close(struct folder_watches *watches, void (*done)(void *owner), void *owner)
{
    watches->done = done;
    watches->done_owner = owner;
    while (watches->folders.count > 0)
        drop(watches, watches->folders.count - 1);
    release(watches);
}
