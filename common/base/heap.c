// SPDX-License-Identifier: Apache-2.0
#include "common/base/heap.h"

#include "common/base/assert.h"
#include "common/base/vec.h"

#include <stddef.h>

void heap_clear(struct heap *heap)
{
    vec_free(heap->entries);
    *heap = (struct heap) { 0 };
}

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

void heap_push(struct heap *heap, struct heap_entry entry)
{
    heap->entries = vec_reserve(heap->entries, &heap->capacity, heap->count, 1, sizeof entry);
    uint32_t i = heap->count++;
    while (i > 0) {
        uint32_t parent = (i - 1) / 2;
        if (!before(&entry, &heap->entries[parent]))
            break;
        heap->entries[i] = heap->entries[parent];
        i = parent;
    }
    heap->entries[i] = entry;
}

const struct heap_entry *heap_peek(const struct heap *heap)
{
    return heap->count == 0 ? NULL : &heap->entries[0];
}

struct heap_entry heap_pop(struct heap *heap)
{
    ASSERT(heap->count > 0);
    struct heap_entry top = heap->entries[0];
    struct heap_entry last = heap->entries[--heap->count];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = i * 2 + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && before(&heap->entries[child + 1], &heap->entries[child]))
            child++;
        if (!before(&heap->entries[child], &last))
            break;
        heap->entries[i] = heap->entries[child];
        i = child;
    }
    if (heap->count > 0)
        heap->entries[i] = last;
    return top;
}
