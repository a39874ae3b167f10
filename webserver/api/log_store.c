// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/log_store.h"

#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/base/map.h"
#include "common/base/vec.h"
#include "common/log/log.h"
#include "common/loop/timer.h"
#include "common/loop/work.h"
#include "webserver/api/log_file.h"
#include "webserver/api/log_sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OPEN_MAX = 256,    /* descriptors */
    KNOWN_MAX = 65536, /* files whose lines are remembered; above it, those that are open */
    CLEAN_EVERY_MS = 3600 * 1000,
};

#define LOG_SIZE_MAX (4LL << 30)

struct log_store {
    struct loop *loop;
    struct log_store_options options;
    char folder[4096];
    struct wire_server *server;
    struct wire_allowed *allowed;
    struct map by_attempt;         /* of the UUID's 16 bytes */
    VEC(struct log_file *) files;  /* all that are known */
    VEC(struct log_file *) opened; /* those with a descriptor */
    uint64_t use_count;
    struct timer clean_timer;
    struct work clean_work;
    struct log_sync sync;
    bool is_cleaning, is_closing;
    int open_handles;
    int64_t warned_ms;
    void (*on_change)(void *owner, struct id128 attempt);
    void *watcher;
    void (*done)(void *owner);
    void *done_owner;
};

/* ---- files ---- */

static void key_of(struct id128 attempt, char key[16])
{
    memcpy(key, &attempt.high, 8);
    memcpy(key + 8, &attempt.low, 8);
}

static void path_of(const struct log_store *logs, struct id128 attempt, const char *ending,
                    char path[4200])
{
    char text[ID_TEXT_SIZE];
    struct civil day = civil_of_ms((int64_t)(attempt.high >> 16));
    id_text(attempt, text);
    int size = snprintf(path, 4200, "%s/%04d-%02d-%02d/%s%s", logs->folder, day.year, day.month,
                        day.day, text, ending);
    ASSERT(size < 4200);
}

static bool is_v7(struct id128 attempt)
{
    int64_t at_ms = (int64_t)(attempt.high >> 16);
    return (attempt.high >> 12 & 0xF) == 7 && attempt.low >> 62 == 2 &&
           at_ms < 4102444800000LL; /* the year 2100 */
}

static void close_oldest(struct log_store *logs)
{
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < logs->opened.count; i++)
        if (logs->opened.items[i]->used < logs->opened.items[oldest]->used)
            oldest = i;
    log_file_close(logs->opened.items[oldest]);
    logs->opened.items[oldest] = VEC_LAST(&logs->opened);
    logs->opened.count--;
}

static void remember(struct log_store *logs, struct log_file *file)
{
    char key[16];
    key_of(file->attempt, key);
    map_put_str(&logs->by_attempt, (struct str) { key, sizeof key }, logs->files.count);
    VEC_ADD(&logs->files, file);
}

/* All but those that are open: what was used lately stays. */
static void forget_closed(struct log_store *logs)
{
    map_clear(&logs->by_attempt);
    VEC_EACH (&logs->files, i)
        if (logs->files.items[i]->fd < 0)
            log_file_free(logs->files.items[i]);
    logs->files.count = 0;
    VEC_EACH (&logs->opened, i)
        remember(logs, logs->opened.items[i]);
}

static int open_path(const struct log_store *logs, struct id128 attempt, bool create)
{
    char path[4200];
    path_of(logs, attempt, ".log", path);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0640);
    if (fd >= 0 || errno != ENOENT || !create)
        return fd;
    char *slash = strrchr(path, '/');
    *slash = 0;
    if (mkdir(path, 0750) < 0 && errno != EEXIST)
        return -1;
    *slash = '/';
    return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_CREAT, 0640);
}

static bool is_ended(const struct log_store *logs, const struct log_file *file)
{
    char path[4200];
    path_of(logs, file->attempt, ".end", path);
    return access(path, F_OK) == 0;
}

static struct log_file *find_file(const struct log_store *logs, struct id128 attempt)
{
    char key[16];
    uint64_t index;
    key_of(attempt, key);
    return map_get_str(&logs->by_attempt, (struct str) { key, sizeof key }, &index)
               ? logs->files.items[index]
               : NULL;
}

/* Open, and as it is now. */
static int open_file(struct log_store *logs, struct id128 attempt, bool create,
                     struct log_file **out)
{
    struct log_file *file = find_file(logs, attempt);
    if (file == NULL || file->fd < 0) {
        int fd = open_path(logs, attempt, create);
        if (fd < 0)
            return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
        if (logs->opened.count >= OPEN_MAX)
            close_oldest(logs);
        if (file == NULL && logs->files.count >= KNOWN_MAX)
            forget_closed(logs);
        if (file == NULL) {
            file = log_file_new(attempt);
            remember(logs, file);
        }
        log_file_open(file, fd);
        VEC_ADD(&logs->opened, file);
    }
    file->used = ++logs->use_count;
    file->is_complete = file->is_complete || is_ended(logs, file);
    *out = file;
    return log_file_look(file);
}

/* ---- writing ---- */

static int mark_complete(struct log_store *logs, struct log_file *file)
{
    char path[4200];
    path_of(logs, file->attempt, ".end", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return ERR_IO;
    close(fd);
    file->is_complete = true;
    return 0;
}

int log_store_append(struct log_store *logs, struct id128 attempt, int64_t offset,
                     struct str content, bool is_complete, int64_t *out_safe, struct err *err)
{
    struct log_file *file;
    if (!is_v7(attempt) || offset < 0 || offset > LOG_SIZE_MAX - (int64_t)content.size)
        return err_set(err, ERR_PROTOCOL, "a chunk of no attempt, or beyond 4 GiB");
    int rc = open_file(logs, attempt, true, &file);
    if (rc < 0)
        return err_set(err, rc, "opening the log: %s", strerror(errno));
    int64_t end = offset + (int64_t)content.size;
    bool has_gap = offset > file->size;
    if (!has_gap && end > file->size)
        rc = log_file_append(file, str_slice(content, (size_t)(file->size - offset), content.size));
    if (rc < 0)
        return err_set(err, rc, "writing the log: %s", strerror(errno));
    if (is_complete && !has_gap && !file->is_complete && end == file->size &&
        mark_complete(logs, file) < 0)
        return err_set(err, ERR_IO, "ending the log: %s", strerror(errno));
    *out_safe = file->size;
    if (!has_gap && logs->on_change != NULL)
        logs->on_change(logs->watcher, attempt);
    return 0;
}

static void acknowledge(struct log_store *logs, struct str peer, struct id128 attempt,
                        int64_t offset)
{
    struct message ack = { .type = MESSAGE_LOG_ACK, .log_ack = { attempt, offset } };
    (void)!wire_server_send(logs->server, peer, &ack, NULL); /* lost: the chunk comes again */
}

/* Without an answer the worker keeps the log, and sends its end again. */
static void on_synced(void *owner, const struct log_synced *synced)
{
    struct log_store *logs = owner;
    if (synced->problem != 0)
        log_error("log_not_synced", LOG_ID("attempt", synced->attempt),
                  LOG_STR("why", strerror(synced->problem)));
    else if (!logs->is_closing)
        acknowledge(logs, str_of(synced->peer), synced->attempt, synced->offset);
}

/* The worker deletes a complete log once it is acknowledged, and not before: up to then it has what
 * a loss of power may take from us, and sends it again when we say that we have less. */
static int acknowledge_when_synced(struct log_store *logs, struct str peer, struct id128 attempt,
                                   int64_t offset)
{
    char path[4200];
    struct log_file *file;
    int rc = open_file(logs, attempt, false, &file);
    path_of(logs, attempt, ".log", path);
    *strrchr(path, '/') = 0;
    return rc < 0 ? rc : log_sync_add(&logs->sync, file->fd, path, peer, attempt, offset);
}

static void on_message(struct wire_server *server, struct str peer, const struct message *message)
{
    struct log_store *logs = wire_server_owner(server);
    if (message->type != MESSAGE_LOG_CHUNK)
        return;
    struct id128 attempt = message->log_chunk.attempt;
    struct err err = { 0 };
    int64_t safe = 0;
    int rc = log_store_append(logs, attempt, message->log_chunk.offset, message->log_chunk.content,
                              message->log_chunk.complete, &safe, &err);
    if (rc == 0 && message->log_chunk.complete &&
        message->log_chunk.offset + (int64_t)message->log_chunk.content.size == safe) {
        rc = acknowledge_when_synced(logs, peer, attempt, safe);
        if (rc == 0)
            return;
    }
    if (rc < 0) {
        /* Not acknowledged: the worker keeps it and tries again. */
        if (loop_now_ms() - logs->warned_ms > 60000 || logs->warned_ms == 0)
            log_error("log_not_stored", LOG_ID("attempt", attempt), LOG_STR("worker", peer),
                      LOG_ERR(&err));
        logs->warned_ms = loop_now_ms();
        return;
    }
    acknowledge(logs, peer, attempt, safe);
}

/* ---- reading ---- */

int log_store_info(struct log_store *logs, struct id128 attempt, struct log_info *out)
{
    struct log_file *file;
    int rc = is_v7(attempt) ? open_file(logs, attempt, false, &file) : ERR_NOT_FOUND;
    if (rc == 0)
        *out = (struct log_info) { log_file_lines(file), file->size, file->is_complete };
    return rc;
}

int log_store_lines(struct log_store *logs, struct id128 attempt, int64_t from, int64_t count,
                    size_t bytes_max, struct buf *out, int64_t *out_count)
{
    struct log_file *file;
    *out_count = 0;
    int rc = is_v7(attempt) ? open_file(logs, attempt, false, &file) : ERR_NOT_FOUND;
    if (rc < 0 || from >= log_file_lines(file) || count <= 0)
        return rc;
    return log_file_read(file, from, count, bytes_max, out, out_count);
}

bool log_line_read(struct str line, struct log_line *out)
{
    struct str rest = line, number;
    *out = (struct log_line) { 0, 'O', line };
    if (!str_split(&rest, ' ', &number) || rest.size < 2 || rest.bytes[1] != ' ' ||
        str_to_int(number, 0, INT64_MAX, &out->at_ms) < 0)
        return false;
    out->stream = rest.bytes[0];
    out->text = str_slice(rest, 2, rest.size);
    return true;
}

/* ---- the daily broom ---- */

static void remove_folder(int base, const char *name)
{
    int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            (void)unlinkat(fd, entry->d_name, 0);
    closedir(dir);
    (void)unlinkat(base, name, AT_REMOVEDIR);
}

static bool is_over(const char *name, int64_t before_ms)
{
    int64_t day_ms;
    bool has_zone;
    return strlen(name) == 10 && civil_parse(str_of(name), &day_ms, &has_zone) == 0 &&
           day_ms + MS_PER_DAY < before_ms;
}

static void run_clean(struct work *work)
{
    const struct log_store *logs = work->owner;
    int64_t before_ms = loop_wall_ms() - logs->options.retention_ms;
    int fd = open(logs->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (is_over(entry->d_name, before_ms))
            remove_folder(fd, entry->d_name);
    closedir(dir);
}

static void finish(struct log_store *logs);

static void on_sync_idle(void *owner)
{
    finish(owner);
}

static void on_cleaned(struct work *work)
{
    struct log_store *logs = work->owner;
    logs->is_cleaning = false;
    finish(logs);
}

static void on_clean_timer(struct timer *timer)
{
    struct log_store *logs = timer->owner;
    if (logs->is_cleaning)
        return;
    logs->is_cleaning = true;
    loop_work(logs->loop, &logs->clean_work, run_clean, on_cleaned, logs);
}

/* ---- opening ---- */

static bool is_allowed(void *owner, const char *public_key)
{
    const struct log_store *logs = owner;
    struct err err = { 0 };
    bool is_in = wire_allowed_has(logs->allowed, public_key, &err);
    if (err.code < 0)
        log_warn("allowed_keys_unreadable", LOG_ERR(&err));
    return is_in;
}

static int make_folders(char *path, struct err *err)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != 0)
            continue;
        char kept = *at;
        *at = 0;
        int rc = mkdir(path, 0750);
        int reason = errno;
        *at = kept;
        if (rc < 0 && reason != EEXIST)
            return err_set(err, ERR_IO, "making the folder of the logs, %s: %s", path,
                           strerror(reason));
        if (kept == 0)
            return 0;
    }
}

static int open_allowed(struct log_store *logs, struct err *err)
{
    struct arena arena = { 0 };
    int rc = wire_allowed_open(str_cstr(&arena, logs->options.allowed_keys), &logs->allowed, err);
    arena_clear(&arena);
    return rc;
}

static int open_server(struct log_store *logs, struct err *err)
{
    struct arena arena = { 0 };
    struct str endpoint;
    struct str address =
        str_format(&arena, "%.*s:%d", STR_ARG(logs->options.host), logs->options.port);
    int rc = wire_endpoint(&arena, address, &endpoint, err);
    struct wire_server_options options = {
        .name = "log_intake",
        .endpoint = rc < 0 ? "" : str_cstr(&arena, endpoint),
        .key = logs->options.key,
        .is_allowed = is_allowed,
        .on_message = on_message,
        .owner = logs,
    };
    if (rc == 0)
        rc = wire_server_open(&logs->server, logs->options.wire, &options, err);
    arena_clear(&arena);
    return rc < 0 ? err_wrap(err, rc, "opening the log intake") : 0;
}

int log_store_open(struct log_store **out, struct loop *loop,
                   const struct log_store_options *options, struct err *err)
{
    if (!str_starts(options->base, "file:///"))
        return err_set(err, ERR_UNSUPPORTED,
                       "logging.base_folder %.*s: logs can be kept in file:///folder alone",
                       STR_ARG(options->base));
    struct log_store *logs = calloc(1, sizeof *logs);
    ASSERT(logs != NULL);
    logs->loop = loop;
    logs->options = *options;
    logs->sync = (struct log_sync) {
        .loop = loop, .on_synced = on_synced, .on_idle = on_sync_idle, .owner = logs
    };
    snprintf(logs->folder, sizeof logs->folder, "%.*s",
             STR_ARG(str_slice(options->base, 7, options->base.size)));
    int rc = make_folders(logs->folder, err);
    if (rc == 0 && options->key != NULL)
        rc = open_allowed(logs, err);
    if (rc == 0)
        rc = open_server(logs, err);
    if (rc < 0) {
        wire_allowed_free(logs->allowed);
        free(logs);
        return rc;
    }
    timer_open(&logs->clean_timer, loop, on_clean_timer, logs);
    logs->open_handles = 1;
    timer_every(&logs->clean_timer, CLEAN_EVERY_MS);
    *out = logs;
    return 0;
}

static void finish(struct log_store *logs)
{
    if (!logs->is_closing || logs->is_cleaning || logs->open_handles > 0 ||
        !log_sync_is_idle(&logs->sync))
        return;
    VEC_EACH (&logs->files, i)
        log_file_free(logs->files.items[i]);
    VEC_CLEAR(&logs->files);
    VEC_CLEAR(&logs->opened);
    map_clear(&logs->by_attempt);
    wire_allowed_free(logs->allowed);
    void (*done)(void *owner) = logs->done;
    void *owner = logs->done_owner;
    free(logs);
    done(owner);
}

static void on_handle_closed(void *owner)
{
    struct log_store *logs = owner;
    logs->open_handles--;
    finish(logs);
}

void log_store_close(struct log_store *logs, void (*done)(void *owner), void *owner)
{
    logs->is_closing = true;
    logs->done = done;
    logs->done_owner = owner;
    wire_server_close(logs->server);
    timer_close(&logs->clean_timer, on_handle_closed);
}

void log_store_watch(struct log_store *logs, void (*on_change)(void *owner, struct id128 attempt),
                     void *owner)
{
    logs->on_change = on_change;
    logs->watcher = owner;
}

int64_t log_store_scanned_bytes(const struct log_store *logs)
{
    int64_t sum = 0;
    VEC_EACH (&logs->files, i)
        sum += logs->files.items[i]->scanned_bytes;
    return sum;
}

int log_store_port(const struct log_store *logs)
{
    const char *colon = strrchr(wire_server_endpoint(logs->server), ':');
    int64_t port = 0;
    if (colon != NULL)
        (void)!str_to_int(str_of(colon + 1), 0, 65535, &port);
    return (int)port;
}
