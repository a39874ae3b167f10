// SPDX-License-Identifier: Apache-2.0
/* duration - lengths of time as people write them: 10s, 5m, 1h30m, 250ms, 1.5h, 7d, 2w, or ISO 8601
 * PT10S, P1DT2H. */
#ifndef HEADRACE_DURATION_H
#define HEADRACE_DURATION_H

#include "common/base/str.h"

/* To milliseconds, never negative. A number needs its unit, 0 excepted. Units must fall in size
 * (1h30m, not 30m1h). Months and years are refused: they have no fixed length. */
MUST_USE int duration_parse(struct str text, int64_t *out_ms, struct err *err);

/* "1h30m", "250ms", "0s"; duration_parse reads it back exactly. */
struct str duration_text(struct arena *arena, int64_t ms);

#endif
