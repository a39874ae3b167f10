// SPDX-License-Identifier: Apache-2.0
/* str - a view of bytes that somebody else owns: pointer and size, not zero-terminated by promise.
 *
 * What str_format, str_copy and str_cstr make lives in the arena they are given and is
 * zero-terminated besides. */
#ifndef HEADRACE_STR_H
#define HEADRACE_STR_H

#include "common/base/arena.h"
#include "common/base/banned.h"
#include "common/base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *bytes;
    size_t size;
};

#define STR(literal) ((struct str) { (literal), sizeof(literal) - 1 })
#define STR_EMPTY    ((struct str) { "", 0 })

/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).size, (s).bytes

struct str str_of(const char *cstr); /* NULL gives the empty str */
struct str str_copy(struct arena *arena, struct str s);
const char *str_cstr(struct arena *arena, struct str s);
struct str str_format(struct arena *arena, const char *fmt, ...) FORMAT(2, 3);
struct str str_formatv(struct arena *arena, const char *fmt, va_list args) FORMAT(2, 0);

bool str_eq(struct str a, struct str b);
bool str_is(struct str s, const char *cstr);
int str_cmp(struct str a, struct str b); /* byte order */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
struct str str_slice(struct str s, size_t from, size_t to); /* clamps */
struct str str_trim(struct str s);                          /* blanks, tabs, line ends */

/* A copy of it at *at, which moves behind it: for several texts in one block. */
struct str str_place(char **at, struct str s);

/* Position of `byte`, or -1. */
ptrdiff_t str_find(struct str s, char byte);

/* Cuts off the part before `byte` and moves *s behind it; the whole of *s when there is none. False
 * when *s is spent (bytes == NULL after the last part). */
bool str_split(struct str *s, char byte, struct str *out_part);

/* Whole decimal number in [min, max]; anything else is ERR_INVALID. */
MUST_USE int str_to_int(struct str s, int64_t min, int64_t max, int64_t *out);
MUST_USE int str_to_real(struct str s, double *out);

bool str_is_utf8(struct str s);

/* A copy that is UTF-8 and without NUL, as PostgreSQL and JSON want it: U+FFFD stands for each byte
 * that begins no character. */
struct str str_clean(struct arena *arena, struct str s);

/* At most `max` bytes of it, cut between two characters. */
struct str str_cut(struct str s, size_t max);
uint64_t str_hash(struct str s); /* FNV-1a, stable across runs and machines */
/* For long texts, eight bytes at a time; of pieces, each on the hash of those before it. */
uint64_t str_fingerprint(struct str s);
uint64_t str_fingerprint_on(uint64_t hash, struct str next);

#endif
