// SPDX-License-Identifier: Apache-2.0
/* transcript - turns what an attempt prints into its log file, `attempts/<attempt>/log` in the
 * spool.
 *
 * Lines are "<unix ms> <O|E|S> text\n": stdout, stderr, the system's own. Secrets are masked. The
 * file appears with its first line and ends at `limit`: then it says so, and what follows is read
 * and dropped. A disk that is full costs log lines, never the task. */
#ifndef HEADRACE_TRANSCRIPT_H
#define HEADRACE_TRANSCRIPT_H

#include "worker/warden/mask.h"

#include "common/base/id.h"

enum transcript_source { TRANSCRIPT_STDOUT, TRANSCRIPT_STDERR, TRANSCRIPT_SOURCES };

enum { TRANSCRIPT_LINE_MAX = 32 << 10, TRANSCRIPT_PARTIAL_MS = 200 };

struct transcript_stream {
    struct buf held;      /* may yet become a secret */
    struct buf line;      /* masked, without its end so far */
    int64_t line_unix_ms; /* when it began */
    bool continued;       /* part of this line is in the file already */
};

struct transcript {
    int attempts_fd; /* of the folder `attempts`, kept */
    struct id128 attempt;
    const struct mask *mask; /* kept */
    int fd;
    int64_t size, limit;
    bool cut, gap; /* beyond the limit; lines are missing because a write failed */
    struct transcript_stream streams[TRANSCRIPT_SOURCES];
    struct buf out;

    bool keep_last;
    size_t last_max;
    struct buf last; /* last line of stdout, as printed */
    bool last_ended, last_over;
    struct buf
        error; /* after "HEADRACE_ERROR " or "HEADRACE_HARD_ERROR " on stderr, the last of them */
    bool error_hard;
};

void transcript_init(struct transcript *transcript, int attempts_fd, struct id128 attempt,
                     const struct mask *mask, int64_t limit);
void transcript_clear(struct transcript *transcript); /* the file stays */

/* From now on remembers the last line of stdout, up to `max` bytes (`last_over` beyond). */
void transcript_keep_last(struct transcript *transcript, size_t max);

void transcript_feed(struct transcript *transcript, enum transcript_source source, struct str bytes,
                     int64_t unix_ms);

/* A line of the system's own. Never masked: say no secrets. */
void transcript_say(struct transcript *transcript, int64_t unix_ms, const char *fmt, ...)
    FORMAT(3, 4);

/* In how many ms a line's end is overdue: 0 = now, -1 = none is waited for. transcript_overdue
 * writes such lines out. */
int64_t transcript_due_in(const struct transcript *transcript, int64_t unix_ms);
void transcript_overdue(struct transcript *transcript, int64_t unix_ms);

/* Nothing follows. */
void transcript_end(struct transcript *transcript, int64_t unix_ms);

/* Reads a line of the form that tasks use to name their error: true and where the text begins. */
bool transcript_error_line(struct str line, struct str *out_text, bool *out_hard);

#endif
