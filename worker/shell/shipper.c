// SPDX-License-Identifier: Apache-2.0
#include "worker/shell/shipper.h"

#include "common/base/assert.h"
#include "common/log/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 2000, QUEUE_FULL_MS = 100 };

struct shipped {
    struct shipped *previous, *next;
    struct shipped *ready_next;
    bool is_ready; /* stands in the queue of those with something to send */
    struct id128 attempt;
    int64_t size, sent, acked, noted;
    bool ended, complete_sent;
    uint32_t chunks; /* not acknowledged */
    uint32_t stale;  /* acknowledgements that still come for what was forgotten */
    int64_t sent_ms; /* of the last chunk */
};

static void pump(struct shipper *shipper);

/* ---- files
 * ---------------------------------------------------------------------------------------------------------
 */

static const char *path_of(struct id128 attempt, const char *file, char out[ID_TEXT_SIZE + 16])
{
    char name[ID_TEXT_SIZE];

    id_text(attempt, name);
    snprintf(out, ID_TEXT_SIZE + 16, "%s%s%s", name, *file == '\0' ? "" : "/", file);
    return out;
}

static void files_remove(struct shipper *shipper, struct id128 attempt)
{
    char path[ID_TEXT_SIZE + 16];

    unlinkat(shipper->attempts_fd, path_of(attempt, "log", path), 0);
    unlinkat(shipper->attempts_fd, path_of(attempt, "acked", path), 0);
    unlinkat(shipper->attempts_fd, path_of(attempt, "", path), AT_REMOVEDIR);
}

static void acked_write(struct shipper *shipper, struct shipped *shipped)
{
    char path[ID_TEXT_SIZE + 16];
    int fd;

    if (shipped->acked - shipped->noted < SHIPPER_NOTE_BYTES)
        return;
    fd = openat(shipper->attempts_fd, path_of(shipped->attempt, "acked", path),
                O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 &&
        pwrite(fd, &shipped->acked, sizeof shipped->acked, 0) == (ssize_t)sizeof shipped->acked)
        shipped->noted = shipped->acked;
    if (fd >= 0)
        close(fd);
}

static int64_t acked_read(struct shipper *shipper, struct id128 attempt)
{
    char path[ID_TEXT_SIZE + 16];
    int64_t acked = 0;
    int fd = openat(shipper->attempts_fd, path_of(attempt, "acked", path),
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0 && pread(fd, &acked, sizeof acked, 0) != (ssize_t)sizeof acked)
        acked = 0;
    if (fd >= 0)
        close(fd);
    return acked < 0 ? 0 : acked;
}

static ssize_t chunk_read(struct shipper *shipper, const struct shipped *shipped)
{
    char path[ID_TEXT_SIZE + 16];
    int64_t left = shipped->size - shipped->sent;
    size_t wanted = left > SHIPPER_CHUNK_BYTES ? SHIPPER_CHUNK_BYTES : (size_t)left;
    int fd = openat(shipper->attempts_fd, path_of(shipped->attempt, "log", path),
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got = fd < 0 ? -1 : pread(fd, shipper->buffer, wanted, shipped->sent);

    if (fd >= 0)
        close(fd);
    return got;
}

/* ---- the table
 * ------------------------------------------------------------------------------------------------------
 */

static struct shipped *find(struct shipper *shipper, struct id128 attempt)
{
    uint64_t value;

    return map_get(&shipper->by_attempt, attempt.low, &value) ? (struct shipped *)(uintptr_t)value
                                                              : NULL;
}

static struct shipped *add(struct shipper *shipper, struct id128 attempt)
{
    struct shipped *shipped = find(shipper, attempt);

    if (shipped != NULL)
        return shipped;
    shipped = calloc(1, sizeof *shipped);
    ASSERT(shipped != NULL);
    shipped->attempt = attempt;
    shipped->acked = shipped->sent = shipped->noted = acked_read(shipper, attempt);
    shipped->previous = shipper->last;
    if (shipper->last != NULL)
        shipper->last->next = shipped;
    else
        shipper->first = shipped;
    shipper->last = shipped;
    shipper->count++;
    map_put(&shipper->by_attempt, attempt.low, (uint64_t)(uintptr_t)shipped);
    return shipped;
}

static void unqueue(struct shipper *shipper, struct shipped *shipped)
{
    struct shipped **at = &shipper->ready_first, *before = NULL;

    while (shipped->is_ready && *at != NULL && *at != shipped) {
        before = *at;
        at = &(*at)->ready_next;
    }
    if (!shipped->is_ready)
        return;
    *at = shipped->ready_next;
    if (shipper->ready_last == shipped)
        shipper->ready_last = before;
    shipped->is_ready = false;
}

static void drop(struct shipper *shipper, struct shipped *shipped)
{
    unqueue(shipper, shipped);
    if (shipped->previous != NULL)
        shipped->previous->next = shipped->next;
    else
        shipper->first = shipped->next;
    if (shipped->next != NULL)
        shipped->next->previous = shipped->previous;
    else
        shipper->last = shipped->previous;
    shipper->count--;
    shipper->spool_bytes -= shipped->size;
    shipper->in_flight_bytes -= shipped->sent - shipped->acked;
    shipper->in_flight_chunks -= shipped->chunks;
    map_remove(&shipper->by_attempt, shipped->attempt.low);
    free(shipped);
}

static bool has_something(const struct shipped *shipped)
{
    return shipped->sent < shipped->size || (shipped->ended && !shipped->complete_sent);
}

static void queue(struct shipper *shipper, struct shipped *shipped)
{
    if (shipped->is_ready || !has_something(shipped))
        return;
    shipped->is_ready = true;
    shipped->ready_next = NULL;
    if (shipper->ready_last != NULL)
        shipper->ready_last->ready_next = shipped;
    else
        shipper->ready_first = shipped;
    shipper->ready_last = shipped;
}

/* Forgets what is on its way: all from `offset` on is sent again. */
static void rewind_to(struct shipper *shipper, struct shipped *shipped, int64_t offset)
{
    shipper->in_flight_bytes -= shipped->sent - shipped->acked;
    shipper->in_flight_chunks -= shipped->chunks;
    shipped->sent = shipped->acked = offset;
    shipped->chunks = shipped->stale = 0;
    shipped->complete_sent = false;
    queue(shipper, shipped);
}

/* The store has less than it once had, after a loss of power: from there on again. One of the
 * chunks on their way has been answered, and the others will be. */
static void go_back(struct shipper *shipper, struct shipped *shipped, int64_t offset)
{
    uint32_t stale = shipped->chunks > 0 ? shipped->chunks - 1 : 0;

    rewind_to(shipper, shipped, offset);
    shipped->stale = stale;
    shipped->noted = offset;
    pump(shipper);
}

/* ---- sending
 * --------------------------------------------------------------------------------------------------------
 */

/* False when nothing more can be sent now. */
static bool chunk_send(struct shipper *shipper, struct shipped *shipped)
{
    struct err err = { 0 };
    ssize_t size = shipped->sent < shipped->size ? chunk_read(shipper, shipped) : 0;

    if (size < 0 || (size == 0 && shipped->sent < shipped->size)) {
        /* Taken away under us: the intake learns that there is no more. */
        log_warn("log_unreadable", LOG_ID("attempt", shipped->attempt),
                 LOG_INT("offset", shipped->sent));
        shipper->spool_bytes -= shipped->size - shipped->sent;
        shipped->size = shipped->sent;
        size = 0;
    }
    bool complete = shipped->ended && shipped->sent + size == shipped->size;
    struct message message = { .type = MESSAGE_LOG_CHUNK,
                               .log_chunk = { .attempt = shipped->attempt,
                                              .offset = shipped->sent,
                                              .content = { shipper->buffer, (size_t)size },
                                              .complete = complete } };
    if (wire_client_send(shipper->current, &message, &err) < 0)
        return false;
    shipped->sent += size;
    shipped->complete_sent = complete;
    shipped->chunks++;
    shipped->sent_ms = loop_now_ms();
    shipper->in_flight_bytes += size;
    shipper->in_flight_chunks++;
    return true;
}

static void pump(struct shipper *shipper)
{
    while (shipper->current != NULL && shipper->ready_first != NULL &&
           shipper->in_flight_bytes < SHIPPER_WINDOW_BYTES &&
           shipper->in_flight_chunks < SHIPPER_WINDOW_CHUNKS) {
        struct shipped *shipped = shipper->ready_first;
        if (!chunk_send(shipper, shipped)) {
            timer_once(&shipper->timer, QUEUE_FULL_MS);
            return;
        }
        /* Behind the others: a long log does not hold up the short ones. */
        shipper->ready_first = shipped->ready_next;
        if (shipper->ready_first == NULL)
            shipper->ready_last = NULL;
        shipped->is_ready = false;
        queue(shipper, shipped);
    }
    if (shipper->count > 0 && !timer_is_set(&shipper->timer))
        timer_once(&shipper->timer, LOOK_MS);
}

static void on_timer(struct timer *timer)
{
    struct shipper *shipper = timer->owner;
    int64_t now_ms = loop_now_ms();

    for (struct shipped *shipped = shipper->first; shipped != NULL; shipped = shipped->next) {
        if (shipped->chunks > 0 && now_ms - shipped->sent_ms > SHIPPER_PATIENCE_MS)
            rewind_to(shipper, shipped, shipped->acked);
    }
    pump(shipper);
}

static void on_ack(struct shipper *shipper, struct id128 attempt, int64_t offset)
{
    struct shipped *shipped = find(shipper, attempt);

    shipper->progress_ms = loop_now_ms();
    if (shipped == NULL || offset > shipped->sent)
        return;
    if (shipped->stale > 0) {
        shipped->stale--;
        return;
    }
    if (offset < shipped->acked) {
        go_back(shipper, shipped, offset);
        return;
    }
    if (shipped->chunks > 0) {
        shipped->chunks--;
        shipper->in_flight_chunks--;
    }
    if (offset > shipped->acked) {
        shipper->in_flight_bytes -= offset - shipped->acked;
        shipped->acked = offset;
        acked_write(shipper, shipped);
    }
    /* The answer to the chunk that said so, and not to an earlier one of the same end: hence no
     * chunk may be open. */
    if (shipped->complete_sent && shipped->chunks == 0 && shipped->acked == shipped->size) {
        files_remove(shipper, attempt);
        drop(shipper, shipped);
    }
    pump(shipper);
}

/* ---- intakes
 * --------------------------------------------------------------------------------------------------------
 */

static void choose_intake(struct shipper *shipper)
{
    struct wire_client *best = NULL;

    VEC_EACH (&shipper->intakes, i) {
        if (best == NULL && wire_client_is_up(shipper->intakes.items[i]))
            best = shipper->intakes.items[i];
    }
    if (best == shipper->current)
        return;
    shipper->current = best;
    for (struct shipped *shipped = shipper->first; shipped != NULL; shipped = shipped->next)
        rewind_to(shipper, shipped, shipped->acked);
    pump(shipper);
}

static void on_state(struct wire_client *client, bool is_up, const struct err *why)
{
    struct shipper *shipper = wire_client_owner(client);
    struct message hello = message_hello(STR("worker"));
    struct err err;

    if (is_up) {
        log_info("log_intake_up", LOG_STR("endpoint", wire_client_endpoint(client)));
        (void)!wire_client_send(client, &hello, &err);
        /* Whatever was on its way over an older connection is lost. */
        if (client == shipper->current)
            shipper->current = NULL;
    } else {
        log_warn("log_intake_down", LOG_ERR(why));
    }
    choose_intake(shipper);
}

static void on_message(struct wire_client *client, const struct message *message)
{
    struct shipper *shipper = wire_client_owner(client);

    if (message->type == MESSAGE_LOG_ACK && client == shipper->current)
        on_ack(shipper, message->log_ack.attempt, message->log_ack.offset);
}

static int intake_open(struct shipper *shipper, struct wire *wire, const struct conf *conf,
                       const struct wire_key *key, const char *sender, struct str address,
                       struct err *err)
{
    struct arena arena = { 0 };
    struct str endpoint;
    struct wire_client *client;
    int rc = wire_endpoint(&arena, address, &endpoint, err);

    if (rc == 0) {
        struct wire_client_options options = {
            .name = "log_intake",
            .endpoint = str_cstr(&arena, endpoint),
            .sender = sender,
            .key = key,
            .server_key = key == NULL ? NULL : str_cstr(&arena, conf->worker_log_intake_key),
            .on_state = on_state,
            .on_message = on_message,
            .owner = shipper,
        };
        rc = wire_client_open(&client, wire, &options, err);
    }
    arena_clear(&arena);
    if (rc < 0)
        return err_wrap(err, rc, "worker.log_intake %.*s", STR_ARG(address));
    VEC_ADD(&shipper->intakes, client);
    return 0;
}

int shipper_open(struct shipper *shipper, struct loop *loop, struct wire *wire,
                 const struct conf *conf, const char *sender, int attempts_fd, struct err *err)
{
    struct wire_key key;
    bool keyed = conf->worker_log_intake_key.size > 0;
    struct arena arena = { 0 };
    int rc = 0;

    *shipper =
        (struct shipper) { .loop = loop, .attempts_fd = attempts_fd, .progress_ms = loop_now_ms() };
    shipper->buffer = malloc(SHIPPER_CHUNK_BYTES);
    ASSERT(shipper->buffer != NULL);
    timer_open(&shipper->timer, loop, on_timer, shipper);
    if (keyed)
        rc = wire_key_load(str_cstr(&arena, conf->worker_key_file), &key, err);
    for (uint32_t i = 0; rc == 0 && i < conf->worker_log_intake.count; i++)
        rc = intake_open(shipper, wire, conf, keyed ? &key : NULL, sender,
                         conf->worker_log_intake.items[i], err);
    arena_clear(&arena);
    return rc;
}

void shipper_close(struct shipper *shipper, void (*done)(void *owner), void *owner)
{
    shipper->current = NULL;
    VEC_EACH (&shipper->intakes, i)
        wire_client_close(shipper->intakes.items[i]);
    VEC_CLEAR(&shipper->intakes);
    while (shipper->first != NULL)
        drop(shipper, shipper->first);
    map_clear(&shipper->by_attempt);
    free(shipper->buffer);
    shipper->buffer = NULL;
    shipper->timer.owner = owner;
    timer_close(&shipper->timer, done);
}

/* ---- what there is
 * ---------------------------------------------------------------------------------------------------
 */

void shipper_grown(struct shipper *shipper, struct id128 attempt, int64_t size)
{
    if (size <= 0)
        return;
    struct shipped *shipped = add(shipper, attempt);
    if (size > shipped->size && !shipped->ended) {
        shipper->spool_bytes += size - shipped->size;
        shipped->size = size;
    }
    queue(shipper, shipped);
    pump(shipper);
}

void shipper_ended(struct shipper *shipper, struct id128 attempt, int64_t size)
{
    struct shipped *shipped = find(shipper, attempt);

    if (size <= 0 && shipped == NULL)
        return;
    shipper_grown(shipper, attempt, size);
    shipped = find(shipper, attempt);
    if (shipped == NULL)
        return;
    shipped->ended = true;
    if (shipped->acked > shipped->size)
        shipped->acked = shipped->sent = shipped->noted = 0;
    queue(shipper, shipped);
    pump(shipper);
}

void shipper_recover(struct shipper *shipper, bool (*is_running)(void *owner, struct id128 attempt),
                     void *owner)
{
    int fd = openat(shipper->attempts_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    struct id128 attempt;
    struct stat stat;
    char path[ID_TEXT_SIZE + 16];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (id_parse(str_of(entry->d_name), &attempt) < 0)
            continue;
        bool there = fstatat(shipper->attempts_fd, path_of(attempt, "log", path), &stat,
                             AT_SYMLINK_NOFOLLOW) == 0;
        if (!there || stat.st_size == 0) {
            if (!is_running(owner, attempt))
                files_remove(shipper, attempt);
            continue;
        }
        if (is_running(owner, attempt))
            shipper_grown(shipper, attempt, stat.st_size);
        else
            shipper_ended(shipper, attempt, stat.st_size);
    }
    if (dir != NULL)
        closedir(dir);
}

bool shipper_is_empty(const struct shipper *shipper)
{
    return shipper->count == 0;
}
