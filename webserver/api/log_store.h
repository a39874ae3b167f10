// SPDX-License-Identifier: Apache-2.0
/* log_store - the logs of attempts: taken from workers (ZeroMQ), kept as files, read by line while
 * they grow.
 *
 * A log is <folder>/yyyy-mm-dd/<attempt>.log; the day is that of the attempt's UUIDv7, so that the
 * path needs no lookup and holds nothing that a user chose. Beside it, <attempt>.end says that
 * nothing follows. A line is "<unix ms> <O|E|S> text". Bytes are appended at the offset that the
 * worker says: what is there already is passed over, a gap is refused by acknowledging what is
 * safe. */
#ifndef HEADRACE_LOG_STORE_H
#define HEADRACE_LOG_STORE_H

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/wire/wire.h"

struct log_store;

struct log_store_options {
    struct wire *wire;
    struct str base; /* "file:///folder" */
    struct str host;
    int port;
    const struct wire_key *key; /* NULL: none, on loopback alone */
    struct str allowed_keys;    /* file of public keys */
    int64_t retention_ms;
};

/* A port that is taken is an error; so is a base that is no file:// */
MUST_USE int log_store_open(struct log_store **out, struct loop *loop,
                            const struct log_store_options *options, struct err *err);
void log_store_close(struct log_store *logs, void (*done)(void *owner), void *owner);

/* Told when a log has grown or ended. */
void log_store_watch(struct log_store *logs, void (*on_change)(void *owner, struct id128 attempt),
                     void *owner);

struct log_info {
    int64_t lines; /* whole ones; of a complete log also a last one without line end */
    int64_t bytes;
    bool is_complete;
};

/* ERR_NOT_FOUND: nothing of it has come, or it is deleted. */
MUST_USE int log_store_info(struct log_store *logs, struct id128 attempt, struct log_info *out);

/* Adds at most `count` lines from number `from` on, at most `bytes_max` of them (but one at least).
 * *out_count says how many. */
MUST_USE int log_store_lines(struct log_store *logs, struct id128 attempt, int64_t from,
                             int64_t count, size_t bytes_max, struct buf *out, int64_t *out_count);

/* As the intake does; gives the offset up to which all is safe. For the intake and for tests. */
MUST_USE int log_store_append(struct log_store *logs, struct id128 attempt, int64_t offset,
                              struct str content, bool is_complete, int64_t *out_safe,
                              struct err *err);

/* "<unix ms> O text" in its three parts; false for a line that is not one (then text is all of it).
 */
struct log_line {
    int64_t at_ms;
    char stream; /* 'O', 'E', 'S' */
    struct str text;
};
bool log_line_read(struct str line, struct log_line *out);

/* Of the files that it knows: what was read only to find line ends. For tests. */
int64_t log_store_scanned_bytes(const struct log_store *logs);
int log_store_port(const struct log_store *logs);

#endif
