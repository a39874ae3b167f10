// SPDX-License-Identifier: Apache-2.0
#include "common/text/suggest.h"

/* Longer words are names of files or worse; nobody mistypes those one letter at a time. */
enum { WORD_MAX = 64 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t least = a < b ? a : b;
    return least < c ? least : c;
}

uint32_t suggest_distance(struct str a, struct str b, uint32_t max)
{
    size_t gap = a.size > b.size ? a.size - b.size : b.size - a.size;
    if (a.size > WORD_MAX || b.size > WORD_MAX || gap > max)
        return str_eq(a, b) ? 0 : max + 1;

    uint32_t rows[3][WORD_MAX + 1];
    for (uint32_t k = 0; k <= b.size; k++)
        rows[0][k] = k;
    for (uint32_t i = 1; i <= a.size; i++) {
        uint32_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        uint32_t least = now[0] = i;
        for (uint32_t k = 1; k <= b.size; k++) {
            bool same = lower(a.bytes[i - 1]) == lower(b.bytes[k - 1]);
            now[k] = min3(above[k] + 1, now[k - 1] + 1, above[k - 1] + !same);
            bool swapped = i > 1 && k > 1 && lower(a.bytes[i - 1]) == lower(b.bytes[k - 2]) &&
                           lower(a.bytes[i - 2]) == lower(b.bytes[k - 1]);
            if (swapped && before[k - 2] + 1 < now[k])
                now[k] = before[k - 2] + 1;
            least = now[k] < least ? now[k] : least;
        }
        if (least > max)
            return max + 1;
    }
    uint32_t distance = rows[a.size % 3][b.size];
    if (distance == 0 && !str_eq(a, b))
        distance = 1;
    return distance > max ? max + 1 : distance;
}

struct suggestion suggestion_begin(struct str word)
{
    uint32_t allowed = word.size < 3 ? 1 : (uint32_t)(word.size + 2) / 3;
    return (struct suggestion) { .word = word, .best = STR_EMPTY, .distance = allowed + 1 };
}

void suggestion_offer(struct suggestion *suggestion, struct str candidate)
{
    if (suggestion->distance == 0 || candidate.size == 0)
        return;
    uint32_t max = suggestion->distance - 1;
    uint32_t distance = suggest_distance(suggestion->word, candidate, max);
    /* All letters wrong is no likeness, however short the word. */
    if (distance > max || distance >= candidate.size)
        return;
    suggestion->best = candidate;
    suggestion->distance = distance;
}

struct str suggest(struct str word, const struct str *words, uint32_t count)
{
    struct suggestion suggestion = suggestion_begin(word);
    for (uint32_t i = 0; i < count; i++)
        suggestion_offer(&suggestion, words[i]);
    return suggestion.best;
}
