// SPDX-License-Identifier: Apache-2.0
/* suggest - "did you mean": the known word that is nearest to a misspelt one. */
#ifndef HEADRACE_SUGGEST_H
#define HEADRACE_SUGGEST_H

#include "common/base/str.h"

/* Edits between two words: insert, delete, replace, swap of neighbours (optimal string alignment).
 * Case differences cost one edit all together. Stops counting above `max` and gives max + 1. */
uint32_t suggest_distance(struct str a, struct str b, uint32_t max);

/* The nearest of `words` if it is near enough to be what was meant (about a third of the letters
 * wrong at most), else the empty str. The first wins among equals. */
struct str suggest(struct str word, const struct str *words, uint32_t count);

/* The same, one candidate at a time, for those who have no array. */
struct suggestion {
    struct str word;
    struct str best;
    uint32_t distance;
};

struct suggestion suggestion_begin(struct str word);
void suggestion_offer(struct suggestion *suggestion, struct str candidate);

#endif
