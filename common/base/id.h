// SPDX-License-Identifier: Apache-2.0
/* id - the identifiers of the house.
 *
 * attempt: 128 bits, UUIDv7 (RFC 9562): 48 bits of milliseconds, then random; names one try for
 * ever. run number: (days since 1970 << 32) | (shard << 24) | sequence: ordered by time, and the
 * key of its partition. */
#ifndef HEADRACE_ID_H
#define HEADRACE_ID_H

#include "common/base/str.h"

struct id128 {
    uint64_t high, low;
};

enum { ID_TEXT_SIZE = 37 }; /* 8-4-4-4-12 and the zero */

bool id_eq(struct id128 a, struct id128 b);
bool id_is_zero(struct id128 id);

/* UUIDv7 of a time and 74 or more random bits (the rest of random_high/low is ignored). */
struct id128 id_v7(int64_t unix_ms, uint64_t random_high, uint64_t random_low);

/* A UUID that is always the same for the same three numbers: how the API names rows that have
 * integer keys (UUIDv8). */
struct id128 id_derived(uint64_t kind, uint64_t a, uint64_t b);

void id_text(struct id128 id, char out[ID_TEXT_SIZE]);
MUST_USE int id_parse(struct str text, struct id128 *out);

#define RUN_NO_DAY(run_no)      ((int64_t)(run_no) >> 32)
#define RUN_NO_MIN(day)         ((int64_t)(day) << 32)
#define RUN_NO(day, shard, seq) (((int64_t)(day) << 32) | ((int64_t)(shard) << 24) | (int64_t)(seq))
enum { RUN_SEQ_MAX = (1 << 24) - 1 };

#endif
