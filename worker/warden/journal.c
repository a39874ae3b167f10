// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/journal.h"

#include "common/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_SIZE = 8, KEY_SIZE = 17, READ_SIZE = 64 << 10, REWRITE_MIN = 4 << 20 };

static const char magic[8] = "HRJRNL1\n";

/* Castagnoli's polynomial, reflected. */
uint32_t crc32c(const void *bytes, size_t size)
{
    static uint32_t table[256];
    const unsigned char *at = bytes;
    uint32_t crc = ~0U;

    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++)
                value = value & 1 ? value >> 1 ^ 0x82f63b78U : value >> 1;
            table[i] = value;
        }
    }
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ table[(crc ^ at[i]) & 255];
    return ~crc;
}

static uint32_t get_u32(const char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

/* The record at the start of `bytes`: its whole size, 0 when it is cut, -1 when it is damaged. */
static int64_t record_parse(struct str bytes, struct journal_record *out)
{
    if (bytes.size < HEADER_SIZE)
        return 0;
    uint32_t size = get_u32(bytes.bytes);
    if (size < KEY_SIZE || size > JOURNAL_RECORD_MAX)
        return -1;
    if (bytes.size < HEADER_SIZE + (size_t)size)
        return 0;
    const char *payload = bytes.bytes + HEADER_SIZE;
    if (crc32c(payload, size) != get_u32(bytes.bytes + 4))
        return -1;
    out->type = (uint8_t)payload[0];
    memcpy(&out->attempt.high, payload + 1, 8);
    memcpy(&out->attempt.low, payload + 9, 8);
    out->bytes = (struct str) { payload + KEY_SIZE, size - KEY_SIZE };
    out->size = HEADER_SIZE + size;
    return out->size;
}

static int replay_all(struct journal *journal, journal_replay_fn *replay, void *owner,
                      struct err *err)
{
    struct buf in = { 0 };
    int64_t offset = (int64_t)sizeof magic; /* in the file, of in.bytes[at] */
    bool damaged = false;

    while (!damaged) {
        buf_reserve(&in, READ_SIZE);
        ssize_t got = pread(journal->fd, in.bytes + in.size, READ_SIZE, offset + (int64_t)in.size);
        if (got < 0) {
            buf_clear(&in);
            return err_set(err, ERR_IO, "reading %s: %s", journal->name, strerror(errno));
        }
        if (got == 0)
            break;
        in.size += (size_t)got;
        size_t at = 0;
        while (at < in.size) {
            struct journal_record record = { .offset = offset };
            int64_t size = record_parse((struct str) { in.bytes + at, in.size - at }, &record);
            if (size <= 0) {
                damaged = size < 0;
                break;
            }
            journal->live += size;
            replay(owner, &record);
            offset += size;
            at += (size_t)size;
        }
        buf_consume(&in, at);
    }
    buf_clear(&in);
    journal->written = offset;
    if (ftruncate(journal->fd, offset) < 0)
        return err_set(err, ERR_IO, "truncating %s: %s", journal->name, strerror(errno));
    return 0;
}

static int file_start(int fd, const char *name, struct err *err)
{
    if (ftruncate(fd, 0) < 0 || pwrite(fd, magic, sizeof magic, 0) != (ssize_t)sizeof magic)
        return err_set(err, ERR_IO, "starting %s: %s", name, strerror(errno));
    return 0;
}

static void journal_init(struct journal *journal, int dir_fd, const char *name)
{
    ASSERT(strlen(name) < sizeof journal->name);
    *journal = (struct journal) { .dir_fd = dir_fd, .fd = -1, .written = sizeof magic };
    snprintf(journal->name, sizeof journal->name, "%s", name);
}

int journal_open(struct journal *journal, int dir_fd, const char *name, journal_replay_fn *replay,
                 void *owner, struct err *err)
{
    char found[sizeof magic];
    struct stat stat;
    int rc = 0;

    journal_init(journal, dir_fd, name);
    journal->fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->fd < 0 || fstat(journal->fd, &stat) < 0)
        return err_set(err, ERR_IO, "opening %s: %s", name, strerror(errno));
    if (stat.st_size < (off_t)sizeof magic)
        rc = file_start(journal->fd, name, err);
    else if (pread(journal->fd, found, sizeof found, 0) != (ssize_t)sizeof found ||
             memcmp(found, magic, sizeof magic) != 0)
        rc = err_set(err, ERR_INVALID, "%s is not a journal of this release", name);
    if (rc == 0)
        rc = replay_all(journal, replay, owner, err);
    if (rc < 0)
        journal_close(journal);
    return rc;
}

void journal_close(struct journal *journal)
{
    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
    buf_clear(&journal->pending);
}

void journal_add(struct journal *journal, uint8_t type, struct id128 attempt, struct str bytes,
                 struct journal_record *out_record)
{
    uint32_t size = (uint32_t)(KEY_SIZE + bytes.size), crc;
    size_t start = journal->pending.size;

    ASSERT(size <= JOURNAL_RECORD_MAX);
    buf_add(&journal->pending, &size, sizeof size);
    buf_add(&journal->pending, "crc.", 4);
    buf_add_byte(&journal->pending, (char)type);
    buf_add(&journal->pending, &attempt.high, 8);
    buf_add(&journal->pending, &attempt.low, 8);
    buf_add_str(&journal->pending, bytes);
    crc = crc32c(journal->pending.bytes + start + HEADER_SIZE, size);
    memcpy(journal->pending.bytes + start + 4, &crc, sizeof crc);
    journal->live += HEADER_SIZE + size;
    if (out_record != NULL)
        *out_record = (struct journal_record) { .type = type,
                                                .attempt = attempt,
                                                .offset = journal->written + (int64_t)start,
                                                .size = HEADER_SIZE + size };
}

int journal_flush(struct journal *journal, struct err *err)
{
    while (journal->pending.size > 0) {
        ssize_t done =
            pwrite(journal->fd, journal->pending.bytes, journal->pending.size, journal->written);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return err_set(err, ERR_IO, "writing %s: %s", journal->name, strerror(errno));
        journal->written += done;
        if ((size_t)done == journal->pending.size)
            buf_reset(&journal->pending);
        else
            buf_consume(&journal->pending, (size_t)done);
    }
    /* One large result must not keep its memory for ever. */
    if (journal->pending.capacity > READ_SIZE)
        buf_clear(&journal->pending);
    return 0;
}

int journal_sync(struct journal *journal, struct err *err)
{
    int rc = journal_flush(journal, err);

    if (rc == 0 && fdatasync(journal->fd) < 0)
        rc = err_set(err, ERR_IO, "syncing %s: %s", journal->name, strerror(errno));
    return rc;
}

int journal_read(struct journal *journal, int64_t offset, struct buf *buf,
                 struct journal_record *out, struct err *err)
{
    char header[HEADER_SIZE];
    ssize_t got = pread(journal->fd, header, sizeof header, offset);
    uint32_t size = got == HEADER_SIZE ? get_u32(header) : 0;

    if (size < KEY_SIZE || size > JOURNAL_RECORD_MAX)
        return err_set(err, ERR_IO, "%s has no record at %lld", journal->name, (long long)offset);
    buf_reset(buf);
    buf_reserve(buf, HEADER_SIZE + (size_t)size);
    got = pread(journal->fd, buf->bytes, HEADER_SIZE + (size_t)size, offset);
    buf->size = got < 0 ? 0 : (size_t)got;
    out->offset = offset;
    if (record_parse(buf_str(buf), out) <= 0)
        return err_set(err, ERR_IO, "the record at %lld of %s is damaged", (long long)offset,
                       journal->name);
    return 0;
}

void journal_dead(struct journal *journal, uint32_t size)
{
    journal->live -= size;
    journal->dead += size;
}

bool journal_wants_rewrite(const struct journal *journal)
{
    return journal->dead > REWRITE_MIN && journal->dead > journal->live &&
           journal->pending.size == 0;
}

int journal_rewrite(struct journal *journal, journal_live_fn *live, void *owner, struct err *err)
{
    struct journal fresh;
    char name[sizeof journal->name + 4];
    int rc;

    if (journal->live == 0 && journal->pending.size == 0) {
        rc = file_start(journal->fd, journal->name, err);
        if (rc == 0) {
            journal->written = sizeof magic;
            journal->dead = 0;
            live(owner, journal);
        }
        return rc;
    }
    snprintf(name, sizeof name, "%s.new", journal->name);
    journal_init(&fresh, journal->dir_fd, journal->name);
    fresh.fd =
        openat(fresh.dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fresh.fd < 0)
        return err_set(err, ERR_IO, "opening %s: %s", name, strerror(errno));
    rc = file_start(fresh.fd, name, err);
    if (rc == 0) {
        live(owner, &fresh);
        rc = journal_sync(&fresh, err);
    }
    if (rc == 0 && renameat(fresh.dir_fd, name, fresh.dir_fd, journal->name) < 0)
        rc = err_set(err, ERR_IO, "renaming %s: %s", name, strerror(errno));
    if (rc < 0) {
        journal_close(&fresh);
        unlinkat(journal->dir_fd, name, 0);
        return rc;
    }
    journal_close(journal);
    *journal = fresh;
    return 0;
}
