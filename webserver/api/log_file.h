// SPDX-License-Identifier: Apache-2.0
/* log_file - one attempt's log on disk, and where its lines are.
 *
 * The index (an offset for each 256 lines) stays when the descriptor is closed, and follows what
 * others append: another web server may write the same folder. Only bytes that were never seen
 * are read to find their line ends. */
#ifndef HEADRACE_LOG_FILE_H
#define HEADRACE_LOG_FILE_H

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/base/vec.h"

struct log_file {
    struct id128 attempt;
    int fd; /* -1: closed at present */
    int64_t size;
    int64_t lines;      /* line ends up to size */
    int64_t last_end;   /* offset behind the last line end */
    VEC(int64_t) marks; /* offset of line 0, 256, 512, ... */
    bool is_complete;
    uint64_t used;         /* rises: the least is closed first */
    int64_t scanned_bytes; /* read to find line ends */
};

/* Empty and closed; log_file_free ends it. */
struct log_file *log_file_new(struct id128 attempt);
void log_file_free(struct log_file *file);

/* `fd` becomes the file's. */
void log_file_open(struct log_file *file, int fd);
void log_file_close(struct log_file *file);

/* Learns what was written since; a file that has become shorter is read anew. ERR_IO. */
MUST_USE int log_file_look(struct log_file *file);

MUST_USE int log_file_append(struct log_file *file, struct str content);

/* Whole lines; of a complete log also a last one without line end. */
int64_t log_file_lines(const struct log_file *file);

/* Adds lines from number `from` on (below log_file_lines): at most `count`, at most `bytes_max` of
 * them but one at least; *out_count says how many. ERR_IO. */
MUST_USE int log_file_read(const struct log_file *file, int64_t from, int64_t count,
                           size_t bytes_max, struct buf *out, int64_t *out_count);

#endif
