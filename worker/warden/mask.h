// SPDX-License-Identifier: Apache-2.0
/* mask - hides secrets in a stream of bytes, wherever its chunks are cut.
 *
 * Each secret is looked for as it is, URL-escaped, JSON-escaped, and base64-encoded at each of the
 * three alignments; where several match, the longest wins. Best effort by nature: a task that
 * prints a secret backwards shows it. */
#ifndef HEADRACE_MASK_H
#define HEADRACE_MASK_H

#include "common/base/buf.h"
#include "common/base/vec.h"

/* Shorter values would turn ordinary text into stars (Airflow's limit too). */
enum { MASK_SECRET_MIN = 5 };

/* The patterns of one attempt; shared by its streams. */
struct mask {
    struct arena arena;
    VEC(struct str) patterns; /* by first byte, then longest first */
    uint32_t first[257];      /* patterns that begin with byte b: first[b] .. first[b + 1] */
};

void mask_init(struct mask *mask, const struct str *secrets, uint32_t count);
void mask_clear(struct mask *mask); /* wipes the secrets */

/* Appends what is decided of `held` + `bytes` to `out`, masked, and keeps in `held` what may yet
 * become a secret. With `last` nothing is kept. */
void mask_stream(const struct mask *mask, struct buf *held, struct str bytes, bool last,
                 struct buf *out);

/* A whole text at once. */
void mask_text(const struct mask *mask, struct str text, struct buf *out);

#endif
