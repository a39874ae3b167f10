// SPDX-License-Identifier: Apache-2.0
/* map - hash table from a 64-bit key or a byte string to a 64-bit value (an index, mostly). Open
 * addressing with linear probing and backward-shift deletion (Knuth, TAOCP 3, 6.4 R); grows at 3/4.
 * Iteration order is unspecified: code that must be deterministic keeps an array and uses a map
 * only to find the index. */
#ifndef HEADRACE_MAP_H
#define HEADRACE_MAP_H

#include "common/base/str.h"

struct map_slot {
    uint64_t hash; /* 0 = free */
    uint64_t number;
    struct str bytes; /* owned copy for string keys; bytes == NULL for numbers */
    uint64_t value;
};

struct map {
    struct map_slot *slots;
    uint32_t count;
    uint32_t capacity; /* power of two, or 0 */
};

/* An all-zero map is valid and empty. */
void map_init(struct map *map);
void map_clear(struct map *map);

/* Sets the value of a key, new or known. String keys are copied. */
void map_put(struct map *map, uint64_t key, uint64_t value);
void map_put_str(struct map *map, struct str key, uint64_t value);

/* True and the value, or false and *out untouched (out may be NULL). */
bool map_get(const struct map *map, uint64_t key, uint64_t *out);
bool map_get_str(const struct map *map, struct str key, uint64_t *out);

/* True if the key was there. */
bool map_remove(struct map *map, uint64_t key);
bool map_remove_str(struct map *map, struct str key);

#endif
