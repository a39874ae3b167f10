// SPDX-License-Identifier: Apache-2.0
/* heap - binary min-heap of (key, tie, item), for timers and ready tasks. Equal keys leave in order
 * of `tie`, so that the order is total and the same on every machine. Removal by position is the
 * caller's affair: entries that no longer count are recognised when they come up (lazy deletion).
 */
#ifndef HEADRACE_HEAP_H
#define HEADRACE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct heap_entry {
    int64_t key;
    uint64_t tie;
    uint64_t item;
};

struct heap {
    struct heap_entry *entries;
    uint32_t count;
    uint32_t capacity;
};

/* An all-zero heap is valid and empty. */
void heap_clear(struct heap *heap);
void heap_push(struct heap *heap, struct heap_entry entry);
const struct heap_entry *heap_peek(const struct heap *heap); /* NULL when empty */
struct heap_entry heap_pop(struct heap *heap);               /* asserts that there is one */

/* For who looks at entries in order without taking them, from position 0 on: the two from here on
 * come behind the one at `position`, and all others behind those that they come behind. */
static inline uint32_t heap_behind(uint32_t position)
{
    return 2 * position + 1;
}

#endif
