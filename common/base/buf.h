// SPDX-License-Identifier: Apache-2.0
/* buf - bytes that grow: for building messages, files and answers. Zero-terminated after each call.
 */
#ifndef HEADRACE_BUF_H
#define HEADRACE_BUF_H

#include "common/base/str.h"

struct buf {
    char *bytes; /* NULL while empty */
    size_t size;
    size_t capacity;
};

void buf_init(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_reset(struct buf *buf); /* size 0, memory kept */

void buf_reserve(struct buf *buf, size_t more);
void buf_add(struct buf *buf, const void *bytes, size_t size);
void buf_add_str(struct buf *buf, struct str s);
void buf_add_cstr(struct buf *buf, const char *cstr);
void buf_add_byte(struct buf *buf, char byte);
void buf_printf(struct buf *buf, const char *fmt, ...) FORMAT(2, 3);

/* Drops the first `size` bytes: for input that was consumed. */
void buf_consume(struct buf *buf, size_t size);

/* View of what is there, until the next change. */
struct str buf_str(const struct buf *buf);

#endif
