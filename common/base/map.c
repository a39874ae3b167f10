// SPDX-License-Identifier: Apache-2.0
#include "common/base/map.h"

#include "common/base/assert.h"

struct map_key {
    uint64_t hash;
    uint64_t number;
    struct str bytes;
};

static struct map_key number_key(uint64_t number)
{
    uint64_t hash = number + 0x9E3779B97F4A7C15ULL; /* splitmix64's mixer */
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9ULL;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBULL;
    hash ^= hash >> 31;
    return (struct map_key) { .hash = hash != 0 ? hash : 1, .number = number };
}

static struct map_key string_key(struct str bytes)
{
    uint64_t hash = str_hash(bytes);
    hash ^= hash >> 32;
    if (bytes.bytes == NULL)
        bytes = STR_EMPTY;
    return (struct map_key) { .hash = hash != 0 ? hash : 1, .bytes = bytes };
}

static bool slot_is(const struct map_slot *slot, const struct map_key *key)
{
    if (slot->hash != key->hash || (slot->bytes.bytes == NULL) != (key->bytes.bytes == NULL))
        return false;
    return key->bytes.bytes == NULL ? slot->number == key->number : str_eq(slot->bytes, key->bytes);
}

void map_init(struct map *map)
{
    *map = (struct map) { 0 };
}

void map_clear(struct map *map)
{
    for (uint32_t i = 0; i < map->capacity; i++)
        free((char *)map->slots[i].bytes.bytes);
    free(map->slots);
    map_init(map);
}

/* The slot of the key, or the free one where it belongs. */
static uint32_t find(const struct map *map, const struct map_key *key)
{
    uint32_t mask = map->capacity - 1;
    uint32_t i = (uint32_t)key->hash & mask;
    while (map->slots[i].hash != 0 && !slot_is(&map->slots[i], key))
        i = (i + 1) & mask;
    return i;
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity == 0 ? 16 : old.capacity * 2;
    map->slots = calloc(map->capacity, sizeof *map->slots);
    ASSERT(map->slots != NULL);
    for (uint32_t i = 0; i < old.capacity; i++) {
        const struct map_slot *slot = &old.slots[i];
        if (slot->hash == 0)
            continue;
        struct map_key key = { slot->hash, slot->number, slot->bytes };
        map->slots[find(map, &key)] = *slot;
    }
    free(old.slots);
}

static void put(struct map *map, struct map_key key, uint64_t value)
{
    if (map->count + 1 > map->capacity / 4 * 3)
        grow(map);
    struct map_slot *slot = &map->slots[find(map, &key)];
    if (slot->hash == 0) {
        *slot = (struct map_slot) { .hash = key.hash, .number = key.number };
        if (key.bytes.bytes != NULL) {
            char *copy = malloc(key.bytes.size + 1);
            ASSERT(copy != NULL);
            memcpy(copy, key.bytes.bytes, key.bytes.size);
            copy[key.bytes.size] = '\0';
            slot->bytes = (struct str) { copy, key.bytes.size };
        }
        map->count++;
    }
    slot->value = value;
}

static bool get(const struct map *map, struct map_key key, uint64_t *out)
{
    if (map->count == 0)
        return false;
    const struct map_slot *slot = &map->slots[find(map, &key)];
    if (slot->hash == 0)
        return false;
    if (out != NULL)
        *out = slot->value;
    return true;
}

static bool remove_key(struct map *map, struct map_key key)
{
    if (map->count == 0)
        return false;
    uint32_t mask = map->capacity - 1;
    uint32_t hole = find(map, &key);
    if (map->slots[hole].hash == 0)
        return false;
    free((char *)map->slots[hole].bytes.bytes);
    /* Close the gap: move back whatever a probe could no longer reach across the hole. */
    for (uint32_t i = (hole + 1) & mask; map->slots[i].hash != 0; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)map->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct map_slot) { 0 };
    map->count--;
    return true;
}

void map_put(struct map *map, uint64_t key, uint64_t value)
{
    put(map, number_key(key), value);
}

void map_put_str(struct map *map, struct str key, uint64_t value)
{
    put(map, string_key(key), value);
}

bool map_get(const struct map *map, uint64_t key, uint64_t *out)
{
    return get(map, number_key(key), out);
}

bool map_get_str(const struct map *map, struct str key, uint64_t *out)
{
    return get(map, string_key(key), out);
}

bool map_remove(struct map *map, uint64_t key)
{
    return remove_key(map, number_key(key));
}

bool map_remove_str(struct map *map, struct str key)
{
    return remove_key(map, string_key(key));
}
