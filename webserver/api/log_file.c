// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/log_file.h"

#include "common/base/assert.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARK_EVERY = 256, SCAN_SIZE = 256 * 1024, LINE_MAX_SIZE = 1 << 20 };

static void forget_lines(struct log_file *file)
{
    file->size = file->lines = file->last_end = 0;
    file->marks.count = 0;
    VEC_ADD(&file->marks, 0);
}

struct log_file *log_file_new(struct id128 attempt)
{
    struct log_file *file = calloc(1, sizeof *file);
    ASSERT(file != NULL);
    file->attempt = attempt;
    file->fd = -1;
    forget_lines(file);
    return file;
}

void log_file_free(struct log_file *file)
{
    log_file_close(file);
    VEC_CLEAR(&file->marks);
    free(file);
}

void log_file_open(struct log_file *file, int fd)
{
    log_file_close(file);
    file->fd = fd;
}

void log_file_close(struct log_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static void count_lines(struct log_file *file, const char *bytes, size_t size)
{
    const char *at = bytes, *end = bytes + size;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        file->lines++;
        file->last_end = file->size + (at - bytes);
        if (file->lines % MARK_EVERY == 0)
            VEC_ADD(&file->marks, file->last_end);
    }
    file->size += (int64_t)size;
}

static int read_on(struct log_file *file)
{
    char *bytes = malloc(SCAN_SIZE);
    ASSERT(bytes != NULL);
    ssize_t size;
    int64_t known = file->size;
    while ((size = pread(file->fd, bytes, SCAN_SIZE, file->size)) > 0)
        count_lines(file, bytes, (size_t)size);
    free(bytes);
    file->scanned_bytes += file->size - known;
    return size < 0 ? ERR_IO : 0;
}

int log_file_look(struct log_file *file)
{
    struct stat status;
    if (fstat(file->fd, &status) < 0)
        return ERR_IO;
    if (status.st_size < file->size)
        forget_lines(file);
    return status.st_size > file->size ? read_on(file) : 0;
}

int log_file_append(struct log_file *file, struct str content)
{
    while (content.size > 0) {
        ssize_t size = pwrite(file->fd, content.bytes, content.size, file->size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return ERR_IO;
        count_lines(file, content.bytes, (size_t)size);
        content = str_slice(content, (size_t)size, content.size);
    }
    return 0;
}

int64_t log_file_lines(const struct log_file *file)
{
    return file->lines + (file->is_complete && file->last_end < file->size ? 1 : 0);
}

/* Offset of a line: from the mark before it, by counting line ends. */
static int find_line(const struct log_file *file, int64_t line, int64_t *out_offset)
{
    int64_t offset = file->marks.items[line / MARK_EVERY];
    int64_t left = line % MARK_EVERY;
    char bytes[16384];
    while (left > 0) {
        ssize_t size = pread(file->fd, bytes, sizeof bytes, offset);
        if (size <= 0)
            return ERR_IO;
        const char *at = bytes, *end = bytes + size;
        while (left > 0 && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
            at++;
            left--;
        }
        offset += left > 0 ? size : at - bytes;
    }
    *out_offset = offset;
    return 0;
}

/* Adds lines from `offset` on until there are `count` of them or bytes_max is reached. */
static int add_lines(const struct log_file *file, int64_t offset, int64_t count, size_t bytes_max,
                     struct buf *out, int64_t *out_count)
{
    size_t begin = out->size, whole = out->size;
    int64_t got = 0;
    while (got < count && (whole - begin < bytes_max || got == 0) && offset < file->size) {
        buf_reserve(out, SCAN_SIZE);
        ssize_t size = pread(file->fd, out->bytes + out->size, SCAN_SIZE, offset);
        if (size <= 0)
            return ERR_IO;
        if (offset + size > file->size)
            size = (ssize_t)(file->size - offset);
        const char *end = out->bytes + out->size + size;
        for (const char *at = out->bytes + out->size;
             got < count && (at = memchr(at, '\n', (size_t)(end - at))) != NULL;) {
            at++;
            got++;
            whole = (size_t)(at - out->bytes);
            if (whole - begin >= bytes_max)
                break;
        }
        out->size += (size_t)size;
        offset += size;
        if (out->size - whole > LINE_MAX_SIZE)
            break;
    }
    bool has_tail = got < count && offset >= file->size && whole < out->size && file->is_complete;
    if (has_tail) {
        buf_add_byte(out, '\n');
        whole = out->size;
        got++;
    }
    out->size = whole;
    if (out->bytes != NULL)
        out->bytes[whole] = 0;
    *out_count = got;
    return 0;
}

int log_file_read(const struct log_file *file, int64_t from, int64_t count, size_t bytes_max,
                  struct buf *out, int64_t *out_count)
{
    int64_t offset = file->last_end;
    int rc = from == file->lines ? 0 : find_line(file, from, &offset);
    return rc < 0 ? rc : add_lines(file, offset, count, bytes_max, out, out_count);
}
