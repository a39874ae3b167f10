// SPDX-License-Identifier: Apache-2.0
#include "common/base/buf.h"

#include "common/base/assert.h"

void buf_init(struct buf *buf)
{
    *buf = (struct buf) { 0 };
}

void buf_clear(struct buf *buf)
{
    free(buf->bytes);
    buf_init(buf);
}

void buf_reset(struct buf *buf)
{
    buf->size = 0;
    if (buf->bytes != NULL)
        buf->bytes[0] = '\0';
}

void buf_reserve(struct buf *buf, size_t more)
{
    ASSERT(more < SIZE_MAX / 2 - buf->size);
    size_t needed = buf->size + more + 1;
    if (needed <= buf->capacity)
        return;
    size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
    while (capacity < needed)
        capacity *= 2;
    buf->bytes = realloc(buf->bytes, capacity);
    ASSERT(buf->bytes != NULL);
    buf->capacity = capacity;
}

void buf_add(struct buf *buf, const void *bytes, size_t size)
{
    buf_reserve(buf, size);
    if (size > 0)
        memcpy(buf->bytes + buf->size, bytes, size);
    buf->size += size;
    buf->bytes[buf->size] = '\0';
}

void buf_add_str(struct buf *buf, struct str s)
{
    buf_add(buf, s.bytes, s.size);
}

void buf_add_cstr(struct buf *buf, const char *cstr)
{
    buf_add(buf, cstr, strlen(cstr));
}

void buf_add_byte(struct buf *buf, char byte)
{
    buf_add(buf, &byte, 1);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int size = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ASSERT(size >= 0);
    buf_reserve(buf, (size_t)size);
    va_start(args, fmt);
    vsnprintf(buf->bytes + buf->size, (size_t)size + 1, fmt, args);
    va_end(args);
    buf->size += (size_t)size;
}

void buf_consume(struct buf *buf, size_t size)
{
    ASSERT(size <= buf->size);
    if (size == 0)
        return;
    memmove(buf->bytes, buf->bytes + size, buf->size - size);
    buf->size -= size;
    buf->bytes[buf->size] = '\0';
}

struct str buf_str(const struct buf *buf)
{
    return buf->bytes == NULL ? STR_EMPTY : (struct str) { buf->bytes, buf->size };
}
