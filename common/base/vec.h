// SPDX-License-Identifier: Apache-2.0
/* vec - a growing array of any type: VEC(int) numbers = {0}; VEC_ADD(&numbers, 3);
 * numbers.items[0].
 *
 * The struct is plain: items, count, capacity. All-zero is valid and empty. Pointers into items die
 * with each VEC_ADD. */
#ifndef HEADRACE_VEC_H
#define HEADRACE_VEC_H

#include <stddef.h>
#include <stdint.h>

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        uint32_t count;                                                                            \
        uint32_t capacity;                                                                         \
    }

#define VEC_RESERVE(vec, more)                                                                     \
    ((vec)->items =                                                                                \
         vec_reserve((vec)->items, &(vec)->capacity, (vec)->count, (more), sizeof *(vec)->items))

/* Evaluates the value (a compound literal may hold commas) after the array has room for it. */
#define VEC_ADD(vec, ...)                                                                          \
    (VEC_RESERVE((vec), 1), (void)((vec)->items[(vec)->count] = (__VA_ARGS__)),                    \
     (void)(vec)->count++)

#define VEC_EACH(vec, index) for (uint32_t index = 0; index < (vec)->count; index++)
#define VEC_LAST(vec)        ((vec)->items[(vec)->count - 1])
#define VEC_RESET(vec)       ((vec)->count = 0)
#define VEC_CLEAR(vec)                                                                             \
    (vec_free((vec)->items), (vec)->items = NULL, (vec)->count = (vec)->capacity = 0)

/* The work behind the macros. New room is zeroed; out of memory aborts. */
void *vec_reserve(void *items, uint32_t *capacity, uint32_t count, uint32_t more, size_t item_size);
void vec_free(void *items);

#endif
