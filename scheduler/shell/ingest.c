// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/ingest.h"

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/conf/place.h"
#include "common/log/log.h"
#include "common/loop/work.h"
#include "common/store/dag_file.h"
#include "scheduler/shell/compile_children.h"
#include "scheduler/shell/dag_folder.h"
#include "scheduler/shell/folder_watches.h"
#include "scheduler/shell/recover.h"

enum { SETTLE_MS = 150, ROOTS_MAX = 2 };

/* What is known of one file: as the folder had it when it was last compiled, and the content's hash
 * as recorded. */
struct known {
    char *path;
    char hash[STORE_HASH_SIZE * 2 + 1]; /* hex; empty: never recorded */
    int64_t size, mtime_ns;
    uint64_t inode;
    bool is_there, is_queued;
    bool has_changed; /* again, while it was queued */
};

struct ingest {
    struct shell *shell;
    bool is_on, is_looking, look_again, is_closing;
    struct str roots[ROOTS_MAX];
    uint32_t root_count;
    struct arena arena; /* the roots */
    VEC(struct known) files;
    struct map by_path;  /* -> index of files */
    struct timer timer;  /* the next look without a reason */
    struct timer settle; /* after a change, for those that come with it */
    struct work work;
    struct dag_folder folder;
    struct folder_watches *watches;
    struct compile_children *children;
    uint64_t epoch;
    uint32_t asked; /* of the database and of the pool, and not answered: closing waits for them */
    uint32_t closing;
    void *owner;
    void (*done)(void *owner);
};

static void look(struct ingest *ingest);
static void finish_close(struct ingest *ingest);

static void answered(struct ingest *ingest)
{
    ASSERT(ingest->asked > 0);
    if (--ingest->asked == 0 && ingest->is_closing)
        finish_close(ingest);
}

/* A timer that is set stays as it is: where something changes all the time, waiting for calm would
 * be waiting for ever. */
static void look_soon(struct ingest *ingest)
{
    if (ingest->is_on && !timer_is_set(&ingest->settle))
        timer_once(&ingest->settle, SETTLE_MS);
}

/* ---- known files ----------------------------------------------------------------------------- */

static struct known *known_of(struct ingest *ingest, struct str path)
{
    uint64_t index;
    if (!map_get_str(&ingest->by_path, path, &index)) {
        index = ingest->files.count;
        char *copy = strndup(path.bytes, path.size);
        ASSERT(copy != NULL);
        VEC_ADD(&ingest->files, (struct known) { .path = copy });
        map_put_str(&ingest->by_path, path, index);
    }
    return &ingest->files.items[index];
}

/* A file is compiled once at a time; what changed meanwhile is found by another look. */
static void unqueue(struct ingest *ingest, struct known *known)
{
    known->is_queued = false;
    if (known->has_changed)
        look_soon(ingest);
    known->has_changed = false;
}

static void forget_files(struct ingest *ingest)
{
    VEC_EACH (&ingest->files, i)
        free(ingest->files.items[i].path);
    VEC_RESET(&ingest->files);
    map_clear(&ingest->by_path);
}

/* ---- recording what was compiled ------------------------------------------------------------- */

/* A compiled file on its way into the database. */
struct recording {
    struct ingest *ingest;
    uint64_t epoch;
    struct compile_answer *result; /* owned */
};

static void tell_core(struct ingest *ingest, const struct compile_answer *result,
                      const struct recorded_file *recorded)
{
    struct shell *shell = ingest->shell;
    for (uint32_t i = 0; i < recorded->dag_count; i++) {
        const struct recorded_dag *dag = &recorded->dags[i];
        if (dag->dag_no == 0) {
            log_warn("dag_claimed_twice", LOG_STR("dag", dag->dag_id),
                     LOG_STR("file", result->file.path), LOG_STR("claimed_by", dag->claimed_by));
            continue;
        }
        if (dag->is_new_version)
            log_info("dag_version", LOG_STR("dag", dag->dag_id),
                     LOG_INT("version", dag->version_number), LOG_STR("file", result->file.path));
        struct recovered_dag row = { .dag_no = dag->dag_no,
                                     .version_no = dag->version_no,
                                     .dag_id = dag->dag_id,
                                     .path = result->file.path,
                                     .ir = result->file.dags[i].ir,
                                     .is_newest = true,
                                     .is_paused = dag->is_paused,
                                     .has_last = dag->has_last,
                                     .last_fire_ms = dag->last_fire_ms };
        recover_dag(shell, &row);
    }
    for (uint32_t i = 0; i < recorded->gone_count; i++)
        shell_step(shell, &(struct core_event) { .type = CORE_DAG_GONE,
                                                 .dag_gone = { recorded->gone[i] } });
}

static void on_recorded(void *owner, const struct recorded_file *recorded)
{
    struct recording recording = *(struct recording *)owner;
    free(owner);
    struct ingest *ingest = recording.ingest;
    struct compile_answer *result = recording.result;
    if (recording.epoch == ingest->shell->epoch) {
        struct known *known = known_of(ingest, result->file.path);
        unqueue(ingest, known);
        if (recorded->rc == 0) {
            snprintf(known->hash, sizeof known->hash, "%s", result->hash);
            tell_core(ingest, result, recorded);
        } else {
            log_error("dag_file", LOG_STR("file", result->file.path), LOG_ERR(recorded->err));
            known->size = -1; /* again at the next look */
        }
    }
    compile_answer_free(result);
    answered(ingest);
}

static void on_compiled(void *owner, struct compile_answer *result)
{
    struct ingest *ingest = owner;
    if (!ingest->is_on || result->is_unchanged) {
        unqueue(ingest, known_of(ingest, result->file.path));
        compile_answer_free(result);
        return;
    }
    for (uint32_t i = 0; i < result->file.error_count; i++)
        log_warn("import_error", LOG_STR("file", result->file.path),
                 LOG_INT("line", result->file.errors[i].line),
                 LOG_STR("message", result->file.errors[i].message));
    result->file.parsed_ms = shell_wall_ms(ingest->shell);
    for (uint32_t i = 0; i < result->file.dag_count; i++)
        if (result->paused[i] < 0)
            ((struct compiled_dag *)result->file.dags)[i].is_paused =
                ingest->shell->conf->core_dags_are_paused_at_creation;
    struct recording *recording = malloc(sizeof *recording);
    ASSERT(recording != NULL);
    *recording = (struct recording) { ingest, ingest->shell->epoch, result };
    ingest->asked++;
    store_dag_file_put(ingest->shell->store, ingest->shell->epoch, &result->file, on_recorded,
                       recording);
}

static void on_gone(void *owner, const struct recorded_file *recorded)
{
    struct ingest *ingest = owner;
    if (ingest->is_on && recorded->rc < 0)
        log_error("dag_files_gone", LOG_ERR(recorded->err));
    for (uint32_t i = 0; ingest->is_on && recorded->rc == 0 && i < recorded->gone_count; i++)
        shell_step(ingest->shell, &(struct core_event) { .type = CORE_DAG_GONE,
                                                         .dag_gone = { recorded->gone[i] } });
    answered(ingest);
}

/* ---- looking --------------------------------------------------------------------------------- */

static void compare_file(struct ingest *ingest, const struct dag_folder_file *file)
{
    struct known *known = known_of(ingest, file->path);
    known->is_there = true;
    bool same = known->size == file->size && known->mtime_ns == file->mtime_ns &&
                known->inode == file->inode;
    known->has_changed = !same && known->is_queued;
    if (same || known->is_queued)
        return;
    known->size = file->size;
    known->mtime_ns = file->mtime_ns;
    known->inode = file->inode;
    known->is_queued = true;
    compile_children_add(ingest->children, file->path, known->hash);
}

static void compare(struct ingest *ingest)
{
    struct dag_folder *folder = &ingest->folder;
    VEC_EACH (&ingest->files, i)
        ingest->files.items[i].is_there = false;
    VEC_EACH (&folder->files, i)
        compare_file(ingest, &folder->files.items[i]);
    if (!folder->is_complete)
        return;
    VEC(struct str) gone = { 0 };
    VEC_EACH (&ingest->files, i) {
        struct known *known = &ingest->files.items[i];
        if (known->is_there || known->hash[0] == '\0')
            continue;
        log_info("dag_file_gone", LOG_STR("file", known->path));
        VEC_ADD(&gone, str_of(known->path));
        known->hash[0] = '\0';
        known->size = -1;
    }
    if (gone.count > 0) {
        ingest->asked++;
        store_dag_files_gone(ingest->shell->store, ingest->shell->epoch, gone.items, gone.count,
                             on_gone, ingest);
    }
    VEC_CLEAR(&gone);
}

static void run_look(struct work *work)
{
    struct ingest *ingest = work->owner;
    dag_folder_read(&ingest->folder, ingest->roots, ingest->root_count);
}

static void finish_close(struct ingest *ingest);

static void on_looked(struct work *work)
{
    struct ingest *ingest = work->owner;
    ingest->is_looking = false;
    if (ingest->is_on) {
        if (folder_watches_follow(ingest->watches, ingest->folder.folders.items,
                                  ingest->folder.folders.count))
            look_soon(ingest);
        compare(ingest);
    }
    dag_folder_clear(&ingest->folder);
    if (ingest->is_on && ingest->look_again)
        look(ingest);
    answered(ingest);
}

static void look(struct ingest *ingest)
{
    ingest->look_again = ingest->is_looking;
    if (ingest->is_looking)
        return;
    ingest->is_looking = true;
    ingest->asked++;
    timer_once(&ingest->timer, ingest->shell->conf->scheduler_dag_dir_list_interval_ms);
    loop_work(ingest->shell->loop, &ingest->work, run_look, on_looked, ingest);
}

static void on_change(void *owner)
{
    look_soon(owner);
}

static void on_timer(struct timer *timer)
{
    struct ingest *ingest = timer->owner;
    if (ingest->is_on)
        look(ingest);
}

/* ---- start, stop ----------------------------------------------------------------------------- */

static void on_known_file(void *owner, const struct known_file *file)
{
    struct ingest *ingest = owner;
    if (!ingest->is_on || file->content_hash.size != STORE_HASH_SIZE)
        return;
    struct known *known = known_of(ingest, file->path);
    known->size = -1;
    for (size_t i = 0; i < STORE_HASH_SIZE; i++)
        snprintf(known->hash + i * 2, 3, "%02x", (unsigned char)file->content_hash.bytes[i]);
}

static void on_known_end(void *owner, int rc, const struct err *err)
{
    struct ingest *ingest = owner;
    if (ingest->is_on && rc < 0)
        log_warn("dag_files_read",
                 LOG_ERR(err)); /* then all are compiled: their versions are found by their hash */
    if (ingest->is_on)
        look(ingest);
    answered(ingest);
}

void ingest_start(struct ingest *ingest)
{
    ingest->is_on = true;
    forget_files(ingest);
    ingest->asked++;
    store_dag_files_read(ingest->shell->store, on_known_file, on_known_end, ingest);
}

void ingest_stop(struct ingest *ingest)
{
    ingest->is_on = false;
    timer_stop(&ingest->timer);
    timer_stop(&ingest->settle);
    compile_children_drop(ingest->children);
}

struct ingest *ingest_new(struct shell *shell)
{
    struct ingest *ingest = calloc(1, sizeof *ingest);
    ASSERT(ingest != NULL);
    ingest->shell = shell;
    ingest->roots[ingest->root_count++] = shell->conf->core_dags_folder;
    struct str examples;
    if (shell->conf->core_load_examples && place_examples(&ingest->arena, &examples))
        ingest->roots[ingest->root_count++] = examples;
    timer_open(&ingest->timer, shell->loop, on_timer, ingest);
    timer_open(&ingest->settle, shell->loop, on_timer, ingest);
    ingest->watches = folder_watches_new(shell->loop, on_change, ingest);
    ingest->children = compile_children_new(shell->loop, shell->conf, on_compiled, ingest);
    return ingest;
}

static void on_closed(void *owner)
{
    struct ingest *ingest = owner;
    if (--ingest->closing > 0)
        return;
    forget_files(ingest);
    VEC_CLEAR(&ingest->files);
    arena_clear(&ingest->arena);
    void (*done)(void *) = ingest->done;
    void *done_owner = ingest->owner;
    free(ingest);
    done(done_owner);
}

static void finish_close(struct ingest *ingest)
{
    ingest->closing = 4;
    timer_close(&ingest->timer, on_closed);
    timer_close(&ingest->settle, on_closed);
    compile_children_close(ingest->children, on_closed, ingest);
    folder_watches_close(ingest->watches, on_closed, ingest);
}

void ingest_close(struct ingest *ingest, void (*done)(void *owner), void *owner)
{
    ingest_stop(ingest);
    ingest->is_closing = true;
    ingest->done = done;
    ingest->owner = owner;
    if (ingest->asked == 0)
        finish_close(ingest);
}
