// SPDX-License-Identifier: Apache-2.0
#include "common/base/str.h"

#include "common/base/assert.h"

struct str str_of(const char *cstr)
{
    return cstr == NULL ? STR_EMPTY : (struct str) { cstr, strlen(cstr) };
}

struct str str_copy(struct arena *arena, struct str s)
{
    char *bytes = arena_alloc(arena, s.size + 1);
    if (s.size > 0)
        memcpy(bytes, s.bytes, s.size);
    bytes[s.size] = '\0';
    return (struct str) { bytes, s.size };
}

const char *str_cstr(struct arena *arena, struct str s)
{
    return str_copy(arena, s).bytes;
}

struct str str_formatv(struct arena *arena, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, fmt, args);
    ASSERT(size >= 0);
    char *bytes = arena_alloc(arena, (size_t)size + 1);
    vsnprintf(bytes, (size_t)size + 1, fmt, again);
    va_end(again);
    return (struct str) { bytes, (size_t)size };
}

struct str str_format(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str s = str_formatv(arena, fmt, args);
    va_end(args);
    return s;
}

bool str_eq(struct str a, struct str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

bool str_is(struct str s, const char *cstr)
{
    return str_eq(s, str_of(cstr));
}

int str_cmp(struct str a, struct str b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.bytes, b.bytes, shorter);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

bool str_starts(struct str s, const char *prefix)
{
    size_t size = strlen(prefix);
    return s.size >= size && memcmp(s.bytes, prefix, size) == 0;
}

bool str_ends(struct str s, const char *suffix)
{
    size_t size = strlen(suffix);
    return s.size >= size && memcmp(s.bytes + s.size - size, suffix, size) == 0;
}

struct str str_place(char **at, struct str s)
{
    struct str placed = { *at, s.size };
    if (s.size > 0)
        memcpy(*at, s.bytes, s.size);
    *at += s.size;
    return placed;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.size)
        to = s.size;
    if (from > to)
        from = to;
    return (struct str) { s.bytes + from, to - from };
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str str_trim(struct str s)
{
    while (s.size > 0 && is_blank(s.bytes[0])) {
        s.bytes++;
        s.size--;
    }
    while (s.size > 0 && is_blank(s.bytes[s.size - 1]))
        s.size--;
    return s;
}

ptrdiff_t str_find(struct str s, char byte)
{
    const char *at = s.size == 0 ? NULL : memchr(s.bytes, byte, s.size);
    return at == NULL ? -1 : at - s.bytes;
}

bool str_split(struct str *s, char byte, struct str *out_part)
{
    if (s->bytes == NULL)
        return false;
    ptrdiff_t at = str_find(*s, byte);
    if (at < 0) {
        *out_part = *s;
        *s = (struct str) { 0 };
        return true;
    }
    *out_part = str_slice(*s, 0, (size_t)at);
    *s = str_slice(*s, (size_t)at + 1, s->size);
    return true;
}

int str_to_int(struct str s, int64_t min, int64_t max, int64_t *out)
{
    bool negative = s.size > 0 && s.bytes[0] == '-';
    size_t i = negative || (s.size > 0 && s.bytes[0] == '+') ? 1 : 0;
    if (i == s.size)
        return ERR_INVALID;
    int64_t value = 0;
    for (; i < s.size; i++) {
        if (s.bytes[i] < '0' || s.bytes[i] > '9')
            return ERR_INVALID;
        int digit = s.bytes[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return ERR_INVALID;
    }
    if (value < min || value > max)
        return ERR_INVALID;
    *out = value;
    return 0;
}

int str_to_real(struct str s, double *out)
{
    char text[64];
    if (s.size == 0 || s.size >= sizeof text)
        return ERR_INVALID;
    memcpy(text, s.bytes, s.size);
    text[s.size] = '\0';
    if (strspn(text, "+-.0123456789eE") != s.size)
        return ERR_INVALID;
    char *end;
    double value = strtod(text, &end);
    if (end != text + s.size)
        return ERR_INVALID;
    *out = value;
    return 0;
}

/* Bytes of the sequence that begins with `first`, or 0; RFC 3629. */
static size_t utf8_size(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    if (first >= 0xF0 && first <= 0xF4)
        return 4;
    return 0;
}

/* Bytes of the whole character at the beginning of `s`, or 0. */
static size_t character_size(struct str s)
{
    const unsigned char *bytes = (const unsigned char *)s.bytes;
    size_t size = s.size > 0 ? utf8_size(bytes[0]) : 0;
    if (size == 0 || size > s.size)
        return 0;
    for (size_t k = 1; k < size; k++)
        if ((bytes[k] & 0xC0) != 0x80)
            return 0;
    unsigned char second = size > 1 ? bytes[1] : 0;
    bool overlong = (bytes[0] == 0xE0 && second < 0xA0) || (bytes[0] == 0xF0 && second < 0x90);
    bool surrogate = bytes[0] == 0xED && second > 0x9F;
    bool beyond = bytes[0] == 0xF4 && second > 0x8F;
    return overlong || surrogate || beyond ? 0 : size;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0, size; i < s.size; i += size) {
        size = character_size(str_slice(s, i, s.size));
        if (size == 0)
            return false;
    }
    return true;
}

struct str str_clean(struct arena *arena, struct str s)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    enum { REPLACEMENT_SIZE = sizeof replacement - 1 };
    if (str_is_utf8(s) && str_find(s, '\0') < 0)
        return str_copy(arena, s);
    char *bytes = arena_alloc(arena, s.size * REPLACEMENT_SIZE + 1);
    struct str clean = { bytes, 0 };
    for (size_t i = 0; i < s.size;) {
        size_t size = s.bytes[i] == '\0' ? 0 : character_size(str_slice(s, i, s.size));
        memcpy(bytes + clean.size, size > 0 ? s.bytes + i : replacement,
               size > 0 ? size : REPLACEMENT_SIZE);
        clean.size += size > 0 ? size : REPLACEMENT_SIZE;
        i += size > 0 ? size : 1;
    }
    bytes[clean.size] = '\0';
    return clean;
}

struct str str_cut(struct str s, size_t max)
{
    if (s.size <= max)
        return s;
    while (max > 0 && (s.bytes[max] & 0xC0) == 0x80)
        max--;
    return str_slice(s, 0, max);
}

static const uint64_t BASIS = 14695981039346656037ULL;

static uint64_t hash_on(uint64_t hash, struct str s)
{
    for (size_t i = 0; i < s.size; i++)
        hash = (hash ^ (unsigned char)s.bytes[i]) * 1099511628211ULL;
    return hash;
}

uint64_t str_hash(struct str s)
{
    return hash_on(BASIS, s);
}

uint64_t str_fingerprint(struct str s)
{
    return str_fingerprint_on(BASIS, s);
}

uint64_t str_fingerprint_on(uint64_t hash, struct str next)
{
    uint64_t word;
    for (; next.size >= sizeof word; next = str_slice(next, sizeof word, next.size)) {
        memcpy(&word, next.bytes, sizeof word);
        hash = (hash ^ le64toh(word)) * 0x9E3779B97F4A7C15ULL;
        hash ^= hash >> 32; /* a product carries upwards alone */
    }
    return hash_on(hash, next);
}
