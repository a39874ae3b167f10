// SPDX-License-Identifier: Apache-2.0
/* json - RFC 8259 text to values and back.
 *
 * Reading refuses what hides mistakes: duplicate keys, numbers that do not fit 64 bits, NUL inside
 * strings, anything after the value. Writing is compact and stable: the same tree always gives the
 * same bytes, integers exactly, reals in the shortest form that reads back as the same number. */
#ifndef HEADRACE_JSON_H
#define HEADRACE_JSON_H

#include "common/base/buf.h"
#include "common/text/value.h"

struct json_limits {
    size_t bytes_max;
    uint32_t depth_max; /* nested lists and maps */
};

enum { JSON_BYTES_MAX = 64 << 20, JSON_DEPTH_MAX = 64 };

/* Parses one value, of any type. `limits` NULL means the two constants above. Everything is copied
 * into `arena`. ERR_TOO_LARGE over bytes_max, else ERR_INVALID with a sentence such as "line 3,
 * column 7: duplicate object key". *out is untouched on failure. */
MUST_USE int json_parse(struct arena *arena, struct str text, const struct json_limits *limits,
                        const struct value **out, struct err *err);

void json_write(struct buf *buf, const struct value *value); /* keys in their order */
void json_write_canonical(struct buf *buf,
                          const struct value *value); /* keys sorted by byte: for hashes */
void json_write_pretty(struct buf *buf,
                       const struct value *value); /* two blanks per level, line end last */
struct str json_text(struct arena *arena, const struct value *value); /* json_write into an arena */

/* The pieces, for those who write JSON without building a tree. Bytes that are not UTF-8
 * become U+FFFD, and so does NUL, which neither json_parse nor PostgreSQL would take back. */
void json_write_string(struct buf *buf, struct str string); /* with the quotes */
void json_write_int(struct buf *buf, int64_t integer);
void json_write_real(struct buf *buf,
                     double real); /* 1.0 stays 1.0; infinite and NaN become null */

#endif
