// SPDX-License-Identifier: Apache-2.0
#include "common/base/arena.h"

#include "common/base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN = 1024, BLOCK_MAX = 256 * 1024, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(ALIGN) unsigned char bytes[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena) { 0 };
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_clear(struct arena *arena)
{
    free_blocks(arena->head);
    arena_init(arena);
}

void arena_reset(struct arena *arena)
{
    struct arena_block *head = arena->head;
    if (head == NULL)
        return;
    if (head->size > BLOCK_MAX) { /* one giant must not be kept for ever */
        arena_clear(arena);
        return;
    }
    free_blocks(head->next);
    head->next = NULL;
    memset(head->bytes, 0, arena->used);
    arena->used = 0;
    arena->total = head->size;
}

static void add_block(struct arena *arena, size_t wanted)
{
    size_t size = arena->head == NULL ? BLOCK_MIN : arena->head->size * 2;
    if (size > BLOCK_MAX)
        size = BLOCK_MAX;
    if (size < wanted)
        size = wanted;
    struct arena_block *block = calloc(1, sizeof *block + size);
    ASSERT(block != NULL);
    block->size = size;
    block->next = arena->head;
    arena->head = block;
    arena->used = 0;
    arena->total += size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    ASSERT(size < SIZE_MAX / 2);
    size = size == 0 ? ALIGN : (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (arena->head == NULL || arena->head->size - arena->used < size)
        add_block(arena, size);
    void *bytes = arena->head->bytes + arena->used;
    arena->used += size;
    return bytes;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}
