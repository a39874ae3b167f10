// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/file_watch.h"

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/log/log.h"
#include "common/loop/work.h"
#include "common/store/file_store.h"

#include <glob.h>
#include <sys/stat.h>

enum { LOOK_MS = 1000, SCHEDULES_MAX = 1000, FILES_MAX = 100000 };

/* A file as it was at the last look, for one DAG. */
struct entry {
    int64_t size, mtime_ns, inode;
    int64_t changed_ms; /* when it was seen to have changed last */
    bool is_done;       /* the core knows its content */
};

/* A settled file, on its way to the core. */
struct found {
    int32_t dag_no;
    struct str path;
    int64_t size, mtime_ms;
    struct id128 content;
    uint32_t entry;
};

struct file_watch {
    struct shell *shell;
    struct timer timer;
    struct work work;
    bool is_looking; /* the thread has entries, by_path, arena and found; else the loop */
    bool is_closing;
    uint64_t look_epoch; /* of the leadership that asked for the look */
    struct arena arena;  /* of one look */
    struct core_file_schedule schedules[SCHEDULES_MAX];
    uint32_t schedule_count;
    struct map by_path; /* dag_no and path -> entries */
    VEC(struct entry) entries;
    VEC(struct found) found;
    uint32_t next; /* of found */
    void (*done)(void *owner);
    void *done_owner;
};

/* ---- in the thread --------------------------------------------------------------------------- */

static struct entry *entry_of(struct file_watch *watch, int32_t dag_no, const char *path)
{
    struct str key = str_format(&watch->arena, "%d %s", dag_no, path);
    uint64_t index = watch->entries.count;
    if (!map_get_str(&watch->by_path, key, &index)) {
        if (watch->entries.count == FILES_MAX)
            return NULL;
        map_put_str(&watch->by_path, key, index);
        VEC_ADD(&watch->entries, (struct entry) { .size = -1 });
    }
    return &watch->entries.items[index];
}

static bool is_same(const struct entry *entry, const struct stat *now)
{
    return entry->size == now->st_size && entry->inode == (int64_t)now->st_ino &&
           entry->mtime_ns == now->st_mtim.tv_sec * 1000000000LL + now->st_mtim.tv_nsec;
}

static void look_at(struct file_watch *watch, const struct core_file_schedule *schedule,
                    const char *path)
{
    struct stat now, after;
    if (stat(path, &now) < 0 || !S_ISREG(now.st_mode))
        return;
    struct entry *entry = entry_of(watch, schedule->dag_no, path);
    if (entry == NULL || (is_same(entry, &now) && entry->is_done))
        return;
    if (!is_same(entry, &now)) {
        *entry =
            (struct entry) { now.st_size, now.st_mtim.tv_sec * 1000000000LL + now.st_mtim.tv_nsec,
                             (int64_t)now.st_ino, loop_now_ms(), false };
        return;
    }
    if (loop_now_ms() - entry->changed_ms < schedule->settle_ms)
        return;
    struct found found = { .dag_no = schedule->dag_no,
                           .path = str_copy(&watch->arena, str_of(path)),
                           .size = now.st_size,
                           .mtime_ms = entry->mtime_ns / 1000000,
                           .entry = (uint32_t)(entry - watch->entries.items) };
    if (store_file_content(path, &found.content) == 0 && stat(path, &after) == 0 &&
        is_same(entry, &after))
        VEC_ADD(&watch->found, found);
}

static void look(struct work *work)
{
    struct file_watch *watch = work->owner;
    for (uint32_t i = 0; i < watch->schedule_count; i++) {
        glob_t matches = { 0 };
        int rc = glob(watch->schedules[i].path.bytes, 0, NULL, &matches);
        for (size_t k = 0; rc == 0 && k < matches.gl_pathc; k++)
            look_at(watch, &watch->schedules[i], matches.gl_pathv[k]);
        globfree(&matches);
    }
}

/* ---- in the loop ----------------------------------------------------------------------------- */

static void tell_next(struct file_watch *watch);

static bool is_over(const struct file_watch *watch)
{
    return watch->is_closing || watch->look_epoch != watch->shell->epoch ||
           !watch->shell->is_leading;
}

static void on_timer_closed(void *owner)
{
    struct file_watch *watch = owner;
    void (*done)(void *) = watch->done;
    void *done_owner = watch->done_owner;
    map_clear(&watch->by_path);
    VEC_CLEAR(&watch->entries);
    VEC_CLEAR(&watch->found);
    arena_clear(&watch->arena);
    free(watch);
    done(done_owner);
}

static void look_ended(struct file_watch *watch)
{
    watch->is_looking = false;
    if (watch->is_closing)
        timer_close(&watch->timer, on_timer_closed);
    else if (watch->shell->is_leading)
        timer_once(&watch->timer, LOOK_MS);
}

static void on_known(void *owner, int rc, bool known, const struct err *err)
{
    struct file_watch *watch = owner;
    const struct found *found = &watch->found.items[watch->next++];
    if (is_over(watch)) {
        look_ended(watch);
        return;
    }
    if (rc < 0) {
        log_warn("file_ask", LOG_STR("path", found->path),
                 LOG_ERR(err)); /* the next look finds it again */
        tell_next(watch);
        return;
    }
    shell_step(watch->shell,
               &(struct core_event) { .type = CORE_FILE,
                                      .file = { found->dag_no, found->content, found->path,
                                                found->size, found->mtime_ms, known } });
    watch->entries.items[found->entry].is_done =
        core_file_is_done(watch->shell->core, found->dag_no, found->content);
    tell_next(watch);
}

static void tell_next(struct file_watch *watch)
{
    if (is_over(watch) || watch->next == watch->found.count) {
        look_ended(watch);
        return;
    }
    const struct found *found = &watch->found.items[watch->next];
    store_file_known(watch->shell->store, found->dag_no, found->content, on_known, watch);
}

static void on_looked(struct work *work)
{
    tell_next(work->owner);
}

static void look_start(struct file_watch *watch)
{
    arena_reset(&watch->arena);
    VEC_RESET(&watch->found);
    watch->next = 0;
    if (watch->look_epoch !=
        watch->shell->epoch) { /* what an earlier leadership knew may not have been committed */
        map_clear(&watch->by_path);
        VEC_RESET(&watch->entries);
    }
    watch->look_epoch = watch->shell->epoch;
    watch->schedule_count =
        core_file_schedules(watch->shell->core, watch->schedules, SCHEDULES_MAX);
    for (uint32_t i = 0; i < watch->schedule_count; i++) /* DAGs change while the thread looks */
        watch->schedules[i].path =
            str_format(&watch->arena, "%.*s", STR_ARG(watch->schedules[i].path));
    watch->is_looking = true;
    loop_work(watch->shell->loop, &watch->work, look, on_looked, watch);
}

static void on_timer(struct timer *timer)
{
    struct file_watch *watch = timer->owner;
    if (watch->shell->is_leading && !watch->is_looking && !watch->is_closing)
        look_start(watch);
}

void file_watch_start(struct file_watch *watch)
{
    if (!watch->is_looking)
        timer_once(&watch->timer, LOOK_MS);
}

void file_watch_stop(struct file_watch *watch)
{
    timer_stop(&watch->timer);
}

struct file_watch *file_watch_new(struct shell *shell)
{
    struct file_watch *watch = calloc(1, sizeof *watch);
    ASSERT(watch != NULL);
    watch->shell = shell;
    timer_open(&watch->timer, shell->loop, on_timer, watch);
    return watch;
}

void file_watch_close(struct file_watch *watch, void (*done)(void *owner), void *owner)
{
    watch->is_closing = true;
    watch->done = done;
    watch->done_owner = owner;
    timer_stop(&watch->timer);
    if (!watch->is_looking)
        timer_close(&watch->timer, on_timer_closed);
}
