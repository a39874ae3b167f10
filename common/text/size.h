// SPDX-License-Identifier: Apache-2.0
/* size - amounts of bytes as people write them: 512Mi, 2G, 1.5GiB, 64k, 1048576. k M G T are powers
 * of 1000, Ki Mi Gi Ti of 1024; a B behind changes nothing. */
#ifndef HEADRACE_SIZE_H
#define HEADRACE_SIZE_H

#include "common/base/str.h"

MUST_USE int size_parse(struct str text, int64_t *out_bytes, struct err *err);

/* "512Mi", "1536", "0": the largest power of 1024 that divides; size_parse reads it back exactly.
 */
struct str size_text(struct arena *arena, int64_t bytes);

#endif
