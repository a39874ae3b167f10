// SPDX-License-Identifier: Apache-2.0
#include "worker/shell/spool.h"

#include "common/base/assert.h"
#include "common/wire/message.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_STARTED = 1, RECORD_ENDED = 2, RECORD_FORGOTTEN = 3 };
enum { NAME_MAX_SIZE = 40, RANDOM_BITS = 16, TEXT_MAX = 128 };

/* Read by the same machine only, so in its own byte order. */
struct started_bytes {
    uint64_t incarnation, seq;
};

struct spool_entry *spool_find(struct spool *spool, struct id128 attempt)
{
    uint64_t index;

    return map_get(&spool->by_attempt, attempt.low, &index) ? &spool->entries.items[index] : NULL;
}

static struct spool_entry *entry_add(struct spool *spool, struct id128 attempt)
{
    struct spool_entry *known = spool_find(spool, attempt);

    if (known != NULL)
        return known;
    map_put(&spool->by_attempt, attempt.low, spool->entries.count);
    VEC_ADD(&spool->entries, (struct spool_entry) { .attempt = attempt });
    return &VEC_LAST(&spool->entries);
}

static void entry_forget(struct spool *spool, struct spool_entry *entry)
{
    uint32_t index = (uint32_t)(entry - spool->entries.items);
    struct spool_entry last = VEC_LAST(&spool->entries);

    journal_dead(&spool->journal, entry->started_size + entry->ended_size);
    map_remove(&spool->by_attempt, entry->attempt.low);
    if (!id_eq(last.attempt, entry->attempt)) {
        map_put(&spool->by_attempt, last.attempt.low, index);
        *entry = last;
    }
    spool->entries.count--;
}

static void on_replay(void *owner, const struct journal_record *record)
{
    struct spool *spool = owner;
    struct spool_entry *entry = spool_find(spool, record->attempt);
    struct started_bytes bytes;

    switch (record->type) {
    case RECORD_STARTED:
        if (entry != NULL || record->bytes.size != sizeof bytes)
            break;
        memcpy(&bytes, record->bytes.bytes, sizeof bytes);
        entry = entry_add(spool, record->attempt);
        entry->incarnation = bytes.incarnation;
        entry->seq = bytes.seq;
        entry->started_size = record->size;
        break;
    case RECORD_ENDED:
        if (entry == NULL || entry->ended)
            break;
        entry->ended = true;
        entry->offset = record->offset;
        entry->ended_size = record->size;
        break;
    case RECORD_FORGOTTEN:
        journal_dead(&spool->journal, record->size);
        if (entry != NULL)
            entry_forget(spool, entry);
        break;
    default:
        break;
    }
}

static bool file_read(int dir_fd, const char *name, char out[TEXT_MAX])
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t size = fd < 0 ? -1 : read(fd, out, TEXT_MAX - 1);

    if (fd >= 0)
        close(fd);
    out[size < 0 ? 0 : size] = '\0';
    return size > 0;
}

/* All of it or nothing, also after a loss of power. */
static int file_replace(int dir_fd, const char *name, const char *text, struct err *err)
{
    char fresh[TEXT_MAX];
    size_t size = strlen(text);

    snprintf(fresh, sizeof fresh, "%s.new", name);
    int fd = openat(dir_fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && write(fd, text, size) == (ssize_t)size && fsync(fd) == 0 &&
                renameat(dir_fd, fresh, dir_fd, name) == 0 && fsync(dir_fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    return good ? 0 : err_set(err, ERR_IO, "writing %s in the spool: %s", name, strerror(error));
}

static uint64_t random_bits(unsigned bits)
{
    uint64_t random;

    ASSERT(getrandom(&random, sizeof random, 0) == (ssize_t)sizeof random);
    return random >> (64 - bits);
}

/* The counter in the upper bits orders incarnations; the random part tells apart two that began
 * from one restored disk. */
static int incarnation_raise(struct spool *spool, struct err *err)
{
    char text[TEXT_MAX];
    int64_t before = 0;

    if (file_read(spool->fd, "incarnation", text) &&
        str_to_int(str_trim(str_of(text)), 0, INT64_MAX >> (RANDOM_BITS + 1), &before) < 0)
        return err_set(err, ERR_INVALID, "the file incarnation in the spool %s holds no number",
                       spool->path);
    spool->incarnation = (uint64_t)(before + 1) << RANDOM_BITS | random_bits(RANDOM_BITS);
    snprintf(text, sizeof text, "%lld\n", (long long)before + 1);
    return file_replace(spool->fd, "incarnation", text, err);
}

/* The name that people gave it, as far as it can stand in an identity, and enough chance that no
 * two are alike. */
static int identity_load(struct spool *spool, struct str name, struct err *err)
{
    char text[TEXT_MAX], host[TEXT_MAX] = "worker", clean[NAME_MAX_SIZE + 1] = "";
    size_t size = 0;

    if (file_read(spool->fd, "worker.id", text)) {
        struct str found = str_trim(str_of(text));
        if (found.size == 0 || found.size >= sizeof spool->identity)
            return err_set(err, ERR_INVALID, "the file worker.id in the spool %s holds no identity",
                           spool->path);
        snprintf(spool->identity, sizeof spool->identity, "%.*s", STR_ARG(found));
        return 0;
    }
    if (name.size == 0 && gethostname(host, sizeof host - 1) == 0)
        name = str_of(host);
    for (size_t i = 0; i < name.size && size < NAME_MAX_SIZE; i++) {
        char c = name.bytes[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '.' || c == '-';
        clean[size++] = plain ? c : '_';
    }
    snprintf(spool->identity, sizeof spool->identity, "%s-%08llx", clean,
             (unsigned long long)random_bits(32));
    return file_replace(spool->fd, "worker.id", spool->identity, err);
}

static int boot_load(struct spool *spool, struct err *err)
{
    char text[TEXT_MAX];

    if (!file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text) ||
        id_parse(str_trim(str_of(text)), &spool->boot) < 0)
        return err_set(err, ERR_IO, "reading this machine's boot id: %s", strerror(errno));
    return 0;
}

static int folders_make(const char *path, struct err *err)
{
    char part[4096];
    struct str rest = str_of(path);

    if (rest.size >= sizeof part)
        return err_set(err, ERR_INVALID, "the spool's path is too long");
    for (size_t i = 1; i <= rest.size; i++) {
        if (i < rest.size && rest.bytes[i] != '/')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)i, rest.bytes);
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return err_set(err, ERR_IO, "making the folder %s: %s", part, strerror(errno));
    }
    return 0;
}

static int folder_lock(struct spool *spool, struct err *err)
{
    spool->fd = open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->fd < 0)
        return err_set(err, ERR_IO, "opening the spool %s: %s", spool->path, strerror(errno));
    spool->lock_fd =
        openat(spool->fd, "worker.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (spool->lock_fd < 0)
        return err_set(err, ERR_IO, "opening worker.lock in the spool %s: %s", spool->path,
                       strerror(errno));
    if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        (void)err_set(err, ERR_EXISTS, "the spool %s belongs to a worker that runs", spool->path);
        (void)err_hint(err, "give each worker on this host its own folder: --worker.spool=...");
        return ERR_EXISTS;
    }
    mkdirat(spool->fd, "attempts", 0700);
    spool->attempts_fd =
        openat(spool->fd, "attempts", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (spool->attempts_fd < 0)
        return err_set(err, ERR_IO, "opening attempts in the spool %s: %s", spool->path,
                       strerror(errno));
    return 0;
}

int spool_open(struct spool *spool, const char *path, struct str name, struct err *err)
{
    *spool = (struct spool) { .fd = -1, .lock_fd = -1, .attempts_fd = -1, .journal = { .fd = -1 } };
    spool->path = strdup(path);
    ASSERT(spool->path != NULL);
    int rc = folders_make(path, err);
    if (rc == 0)
        rc = folder_lock(spool, err);
    if (rc == 0)
        rc = boot_load(spool, err);
    if (rc == 0)
        rc = identity_load(spool, name, err);
    if (rc == 0)
        rc = journal_open(&spool->journal, spool->fd, "worker.journal", on_replay, spool, err);
    if (rc == 0)
        rc = incarnation_raise(spool, err);
    if (rc < 0)
        spool_close(spool);
    return rc;
}

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void spool_close(struct spool *spool)
{
    journal_close(&spool->journal);
    VEC_CLEAR(&spool->entries);
    VEC_CLEAR(&spool->fresh_offsets);
    map_clear(&spool->by_attempt);
    fd_close(&spool->attempts_fd);
    fd_close(&spool->fd);
    fd_close(&spool->lock_fd);
    free(spool->path);
    spool->path = NULL;
}

int spool_start(struct spool *spool, struct id128 attempt, uint64_t incarnation, uint64_t seq,
                struct err *err)
{
    struct started_bytes bytes = { incarnation, seq };
    struct spool_entry *entry = entry_add(spool, attempt);
    struct journal_record record;

    journal_add(&spool->journal, RECORD_STARTED, attempt,
                (struct str) { (char *)&bytes, sizeof bytes }, &record);
    entry->incarnation = incarnation;
    entry->seq = seq;
    entry->started_size = record.size;
    /* On failure the record waits, and may be written later: an attempt that was journaled and
     * never ran. It ends as such at once, by its result. */
    return journal_flush(&spool->journal, err);
}

void spool_ended(struct spool *spool, struct id128 attempt, const struct result *result)
{
    struct spool_entry *entry = spool_find(spool, attempt);
    struct buf bytes = { 0 };
    struct journal_record record;

    if (entry == NULL || entry->ended)
        return;
    message_pack_result(result, &bytes);
    journal_add(&spool->journal, RECORD_ENDED, attempt, buf_str(&bytes), &record);
    entry->ended = true;
    entry->offset = record.offset;
    entry->ended_size = record.size;
    buf_clear(&bytes);
}

void spool_forget(struct spool *spool, struct id128 attempt)
{
    struct spool_entry *entry = spool_find(spool, attempt);
    struct journal_record record;

    if (entry == NULL)
        return;
    journal_add(&spool->journal, RECORD_FORGOTTEN, attempt, STR_EMPTY, &record);
    journal_dead(&spool->journal, record.size);
    entry_forget(spool, entry);
}

static void on_live(void *owner, struct journal *fresh)
{
    struct spool *spool = owner;
    struct buf buf = { 0 };
    struct err err;

    VEC_RESET(&spool->fresh_offsets);
    VEC_EACH (&spool->entries, i) {
        struct spool_entry *entry = &spool->entries.items[i];
        struct started_bytes bytes = { entry->incarnation, entry->seq };
        struct journal_record record = { 0 }, added = { 0 };
        journal_add(fresh, RECORD_STARTED, entry->attempt,
                    (struct str) { (char *)&bytes, sizeof bytes }, NULL);
        if (entry->ended && journal_read(&spool->journal, entry->offset, &buf, &record, &err) == 0)
            journal_add(fresh, RECORD_ENDED, entry->attempt, record.bytes, &added);
        (void)!journal_flush(fresh, &err);
        VEC_ADD(&spool->fresh_offsets, added.offset);
    }
    buf_clear(&buf);
}

int spool_flush(struct spool *spool, struct err *err)
{
    int rc = journal_flush(&spool->journal, err);

    if (rc < 0 || !journal_wants_rewrite(&spool->journal))
        return rc;
    /* A rewrite that fails leaves the old file as it was: worth a try again, not worth an error. */
    if (journal_rewrite(&spool->journal, on_live, spool, err) == 0) {
        VEC_EACH (&spool->entries, i)
            spool->entries.items[i].offset = spool->fresh_offsets.items[i];
    }
    return journal_flush(&spool->journal, err);
}

int spool_result(struct spool *spool, const struct spool_entry *entry, struct arena *arena,
                 struct result *out, struct err *err)
{
    struct journal_record record;
    struct buf buf = { 0 };

    ASSERT(entry->ended);
    int rc = journal_read(&spool->journal, entry->offset, &buf, &record, err);
    if (rc == 0)
        rc = message_unpack_result(str_copy(arena, record.bytes), arena, out, err);
    buf_clear(&buf);
    return rc;
}
