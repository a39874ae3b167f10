// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/transcript.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ERROR_TEXT_MAX = 4 << 10 };

void transcript_init(struct transcript *transcript, int attempts_fd, struct id128 attempt,
                     const struct mask *mask, int64_t limit)
{
    *transcript = (struct transcript) {
        .attempts_fd = attempts_fd, .attempt = attempt, .mask = mask, .fd = -1, .limit = limit
    };
}

void transcript_clear(struct transcript *transcript)
{
    if (transcript->fd >= 0)
        close(transcript->fd);
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++) {
        buf_clear(&transcript->streams[i].held);
        buf_clear(&transcript->streams[i].line);
    }
    buf_clear(&transcript->out);
    buf_clear(&transcript->last);
    buf_clear(&transcript->error);
    transcript->fd = -1;
}

void transcript_keep_last(struct transcript *transcript, size_t max)
{
    transcript->keep_last = true;
    transcript->last_max = max;
}

static int file_open(struct transcript *transcript)
{
    char name[ID_TEXT_SIZE], path[ID_TEXT_SIZE + 8];

    id_text(transcript->attempt, name);
    if (mkdirat(transcript->attempts_fd, name, 0700) < 0 && errno != EEXIST)
        return -1;
    snprintf(path, sizeof path, "%s/log", name);
    return openat(transcript->attempts_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* All of `out` or nothing: the file holds whole lines at any moment. */
static bool file_write(struct transcript *transcript, struct str bytes)
{
    size_t done = 0;

    if (transcript->fd < 0)
        transcript->fd = file_open(transcript);
    if (transcript->fd < 0)
        return false;
    while (done < bytes.size) {
        ssize_t size = pwrite(transcript->fd, bytes.bytes + done, bytes.size - done,
                              transcript->size + (int64_t)done);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0) {
            if (ftruncate(transcript->fd, transcript->size) < 0)
                errno = EIO;
            return false;
        }
        done += (size_t)size;
    }
    transcript->size += (int64_t)bytes.size;
    return true;
}

static void out_write(struct transcript *transcript, int64_t unix_ms)
{
    struct buf *out = &transcript->out;

    if (out->size == 0)
        return;
    if (transcript->gap) {
        char note[96];
        int size = snprintf(note, sizeof note,
                            "%lld S lines are missing here: the spool's disk was full\n",
                            (long long)unix_ms);
        transcript->gap = !file_write(transcript, (struct str) { note, (size_t)size });
    }
    if (!transcript->gap)
        transcript->gap = !file_write(transcript, buf_str(out));
    if (out->capacity > TRANSCRIPT_LINE_MAX)
        buf_clear(out);
    else
        buf_reset(out);
}

/* Adds a stamped line to `out`, unless the limit is reached. */
static void line_add(struct transcript *transcript, char kind, struct str text, int64_t unix_ms)
{
    char stamp[32];
    int stamp_size = snprintf(stamp, sizeof stamp, "%lld %c ", (long long)unix_ms, kind);
    int64_t after =
        transcript->size + (int64_t)(transcript->out.size + (size_t)stamp_size + text.size + 1);

    if (transcript->cut && kind != 'S')
        return;
    if (after > transcript->limit && kind != 'S') {
        transcript->cut = true;
        buf_printf(&transcript->out,
                   "%lld S the log is cut here: its limit of %lld bytes "
                   "(worker.max_log_bytes) is reached; the task goes on, what it prints from now "
                   "on is not kept\n",
                   (long long)unix_ms, (long long)transcript->limit);
        return;
    }
    buf_add(&transcript->out, stamp, (size_t)stamp_size);
    buf_add_str(&transcript->out, text);
    buf_add_byte(&transcript->out, '\n');
}

bool transcript_error_line(struct str line, struct str *out_text, bool *out_hard)
{
    static const char soft[] = "HEADRACE_ERROR ", hard[] = "HEADRACE_HARD_ERROR ";

    *out_hard = str_starts(line, hard);
    if (!*out_hard && !str_starts(line, soft))
        return false;
    *out_text = str_trim(str_slice(line, *out_hard ? sizeof hard - 1 : sizeof soft - 1, line.size));
    return true;
}

static void line_done(struct transcript *transcript, enum transcript_source source, struct str text,
                      int64_t unix_ms)
{
    struct transcript_stream *stream = &transcript->streams[source];
    struct str sentence;
    bool hard;

    if (stream->continued && text.size == 0) {
        stream->continued = false;
        return;
    }
    stream->continued = false;
    if (source == TRANSCRIPT_STDERR && transcript_error_line(text, &sentence, &hard)) {
        buf_reset(&transcript->error);
        buf_add_str(&transcript->error, str_cut(sentence, ERROR_TEXT_MAX));
        transcript->error_hard = hard;
    }
    line_add(transcript, source == TRANSCRIPT_STDOUT ? 'O' : 'E', text, unix_ms);
}

/* Writes what there is of a line whose end has not come. */
static void line_break(struct transcript *transcript, enum transcript_source source,
                       int64_t unix_ms)
{
    struct transcript_stream *stream = &transcript->streams[source];

    if (stream->line.size == 0)
        return;
    line_add(transcript, source == TRANSCRIPT_STDOUT ? 'O' : 'E', buf_str(&stream->line), unix_ms);
    buf_reset(&stream->line);
    stream->continued = true;
}

static void lines_add(struct transcript *transcript, enum transcript_source source, struct str text,
                      int64_t unix_ms)
{
    struct transcript_stream *stream = &transcript->streams[source];

    while (text.size > 0) {
        ptrdiff_t end = str_find(text, '\n');
        struct str part = str_slice(text, 0, end < 0 ? text.size : (size_t)end);
        if (end >= 0 && stream->line.size == 0) {
            line_done(transcript, source, part, unix_ms);
        } else {
            if (stream->line.size == 0)
                stream->line_unix_ms = unix_ms;
            buf_add_str(&stream->line, part);
            if (end >= 0) {
                line_done(transcript, source, buf_str(&stream->line), unix_ms);
                buf_reset(&stream->line);
            } else if (stream->line.size > TRANSCRIPT_LINE_MAX) {
                line_break(transcript, source, unix_ms);
            }
        }
        text = str_slice(text, part.size + (end >= 0), text.size);
    }
}

static void last_set(struct transcript *transcript, struct str line)
{
    if (transcript->last.size + line.size > transcript->last_max) {
        transcript->last_over = true;
        return;
    }
    buf_add_str(&transcript->last, line);
}

static void last_feed(struct transcript *transcript, struct str bytes)
{
    const char *end = memrchr(bytes.bytes, '\n', bytes.size);
    struct str line = bytes;
    bool fresh = transcript->last_ended;

    transcript->last_ended = end != NULL && end == bytes.bytes + bytes.size - 1;
    if (transcript->last_ended)
        line.size--;
    const char *before = memrchr(line.bytes, '\n', line.size);
    if (before != NULL) {
        line = str_slice(line, (size_t)(before - line.bytes) + 1, line.size);
        fresh = true;
    }
    if (fresh) {
        buf_reset(&transcript->last);
        transcript->last_over = false;
    }
    last_set(transcript, line);
}

void transcript_feed(struct transcript *transcript, enum transcript_source source, struct str bytes,
                     int64_t unix_ms)
{
    struct transcript_stream *stream = &transcript->streams[source];

    if (bytes.size == 0)
        return;
    if (source == TRANSCRIPT_STDOUT && transcript->keep_last)
        last_feed(transcript, bytes);
    if (transcript->mask->patterns.count == 0) {
        lines_add(transcript, source, bytes, unix_ms);
    } else {
        struct buf masked = { 0 };
        mask_stream(transcript->mask, &stream->held, bytes, false, &masked);
        lines_add(transcript, source, buf_str(&masked), unix_ms);
        buf_clear(&masked);
    }
    out_write(transcript, unix_ms);
}

void transcript_say(struct transcript *transcript, int64_t unix_ms, const char *fmt, ...)
{
    struct buf text = { 0 };
    char line[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    buf_add_cstr(&text, line);
    for (size_t i = 0; i < text.size; i++) {
        if (text.bytes[i] == '\n')
            text.bytes[i] = ' ';
    }
    line_add(transcript, 'S', buf_str(&text), unix_ms);
    out_write(transcript, unix_ms);
    buf_clear(&text);
}

static int64_t due_in(const struct transcript_stream *stream, int64_t unix_ms)
{
    int64_t age_ms = unix_ms - stream->line_unix_ms;

    if (stream->line.size == 0)
        return -1;
    /* A wall clock that was set back must not hold a line for hours. */
    return age_ms < 0 || age_ms >= TRANSCRIPT_PARTIAL_MS ? 0 : TRANSCRIPT_PARTIAL_MS - age_ms;
}

int64_t transcript_due_in(const struct transcript *transcript, int64_t unix_ms)
{
    int64_t out_ms = due_in(&transcript->streams[TRANSCRIPT_STDOUT], unix_ms);
    int64_t err_ms = due_in(&transcript->streams[TRANSCRIPT_STDERR], unix_ms);

    if (out_ms < 0 || err_ms < 0)
        return out_ms < 0 ? err_ms : out_ms;
    return out_ms < err_ms ? out_ms : err_ms;
}

void transcript_overdue(struct transcript *transcript, int64_t unix_ms)
{
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++) {
        if (due_in(&transcript->streams[i], unix_ms) == 0)
            line_break(transcript, (enum transcript_source)i, unix_ms);
    }
    out_write(transcript, unix_ms);
}

void transcript_end(struct transcript *transcript, int64_t unix_ms)
{
    for (int i = 0; i < TRANSCRIPT_SOURCES; i++) {
        struct transcript_stream *stream = &transcript->streams[i];
        struct buf masked = { 0 };
        mask_stream(transcript->mask, &stream->held, STR_EMPTY, true, &masked);
        lines_add(transcript, (enum transcript_source)i, buf_str(&masked), unix_ms);
        buf_clear(&masked);
        if (stream->line.size > 0) {
            line_done(transcript, (enum transcript_source)i, buf_str(&stream->line), unix_ms);
            buf_reset(&stream->line);
        }
    }
    out_write(transcript, unix_ms);
}
