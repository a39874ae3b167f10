// SPDX-License-Identifier: Apache-2.0
/* pattern - the regular expressions of JSON Schema's `pattern`, the part of ECMA 262 that people
 * use there: literals, . [a-z] [^..] \d \w \s \D \W \S and escaped signs, ^ $, groups ( ) and (?:
 * ), |, * + ? {m} {m,} {m,n}. No back references, no look-around. Matching takes time linear in the
 * text, whatever the pattern. */
#ifndef HEADRACE_PATTERN_H
#define HEADRACE_PATTERN_H

#include "common/base/str.h"

struct pattern; /* compiled; lives in its arena */

enum { PATTERN_STEPS_MAX = 4096 }; /* of the compiled form; counted repetitions are written out */

/* ERR_INVALID says what is wrong with it or not supported. */
MUST_USE int pattern_compile(struct arena *arena, struct str text, const struct pattern **out,
                             struct err *err);

/* Whether it matches anywhere in `text`; `arena` is scratch. Bytes above 127 count as ordinary
 * characters, one each. */
bool pattern_matches(const struct pattern *pattern, struct str text, struct arena *arena);

#endif
