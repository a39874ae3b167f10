// SPDX-License-Identifier: Apache-2.0
/* arena - memory with one lifetime: a step, a message, a request, a run.
 *
 * Allocation cannot fail (out of memory aborts) and there is no free: the arena is reset or cleared
 * as a whole. Blocks double from 1 KiB to 256 KiB; larger wishes get a block of their own. */
#ifndef HEADRACE_ARENA_H
#define HEADRACE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *head; /* newest first */
    size_t used;              /* of the head block */
    size_t total;             /* bytes of all blocks, for limits and metrics */
};

/* An all-zero arena is valid and empty. */
void arena_init(struct arena *arena);
void arena_clear(struct arena *arena);

/* Forgets everything but keeps one block, so that a loop of resets does not allocate. */
void arena_reset(struct arena *arena);

/* Zeroed memory, aligned for any type. `size` 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count)                                                            \
    ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

#endif
