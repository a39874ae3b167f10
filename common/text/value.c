// SPDX-License-Identifier: Apache-2.0
#include "common/text/value.h"

#include "common/base/assert.h"

/* Below this many entries a scan is as fast as a table. */
enum { INDEX_FROM = 12 };

static struct value *value_new(struct arena *arena, enum value_type type)
{
    struct value *value = ARENA_NEW(arena, struct value);
    value->type = type;
    return value;
}

struct value *value_null(struct arena *arena)
{
    return value_new(arena, VALUE_NULL);
}

struct value *value_bool(struct arena *arena, bool boolean)
{
    struct value *value = value_new(arena, VALUE_BOOL);
    value->boolean = boolean;
    return value;
}

struct value *value_int(struct arena *arena, int64_t integer)
{
    struct value *value = value_new(arena, VALUE_INT);
    value->integer = integer;
    return value;
}

struct value *value_real(struct arena *arena, double real)
{
    struct value *value = value_new(arena, VALUE_REAL);
    value->real = real;
    return value;
}

struct value *value_string(struct arena *arena, struct str string)
{
    struct value *value = value_new(arena, VALUE_STRING);
    value->string = string;
    return value;
}

struct value *value_string_copy(struct arena *arena, struct str string)
{
    return value_string(arena, str_copy(arena, string));
}

struct value *value_list(struct arena *arena)
{
    return value_new(arena, VALUE_LIST);
}

struct value *value_map(struct arena *arena)
{
    return value_new(arena, VALUE_MAP);
}

/* Doubles the room of a list or map; the old array stays behind in the arena, at most as much
 * again. */
static void *grow(struct arena *arena, struct value *value, const void *old, size_t item_size)
{
    ASSERT(value->capacity < UINT32_MAX / 2);
    uint32_t capacity = value->capacity == 0 ? 4 : value->capacity * 2;
    void *items = arena_alloc(arena, capacity * item_size);
    if (value->count > 0)
        memcpy(items, old, value->count * item_size);
    value->capacity = capacity;
    return items;
}

void value_add(struct arena *arena, struct value *list, const struct value *item)
{
    ASSERT(list->type == VALUE_LIST);
    ASSERT(item != NULL);
    if (list->count == list->capacity)
        list->items = grow(arena, list, list->items, sizeof *list->items);
    list->items[list->count++] = item;
}

/* The slot of `key`: its entry's number plus one, or 0 and free. */
static uint32_t *index_slot(const struct value *map, struct str key)
{
    uint64_t hash = str_hash(key);
    for (uint32_t i = (uint32_t)(hash ^ hash >> 32);; i++) {
        uint32_t *slot = &map->index[i & (map->index_size - 1)];
        if (*slot == 0 || str_eq(map->entries[*slot - 1].key, key))
            return slot;
    }
}

static void index_grow(struct arena *arena, struct value *map)
{
    map->index_size = map->index_size == 0 ? 32 : map->index_size * 2;
    map->index = ARENA_ARRAY(arena, uint32_t, map->index_size);
    for (uint32_t i = 0; i < map->count; i++)
        *index_slot(map, map->entries[i].key) = i + 1;
}

static struct value_entry *find(const struct value *map, struct str key)
{
    if (map->index != NULL) {
        uint32_t number = *index_slot(map, key);
        return number == 0 ? NULL : &map->entries[number - 1];
    }
    for (uint32_t i = 0; i < map->count; i++)
        if (str_eq(map->entries[i].key, key))
            return &map->entries[i];
    return NULL;
}

struct value_entry *value_put_entry(struct arena *arena, struct value *map, struct str key,
                                    const struct value *item)
{
    ASSERT(map->type == VALUE_MAP);
    ASSERT(item != NULL);
    struct value_entry *entry = find(map, key);
    if (entry != NULL) {
        entry->value = item;
        return entry;
    }
    if (map->count == map->capacity)
        map->entries = grow(arena, map, map->entries, sizeof *map->entries);
    map->entries[map->count++] = (struct value_entry) { .key = key, .value = item };
    if (map->count >= INDEX_FROM && map->count * 2 > map->index_size)
        index_grow(arena, map);
    else if (map->index != NULL)
        *index_slot(map, key) = map->count;
    return &map->entries[map->count - 1];
}

void value_put(struct arena *arena, struct value *map, struct str key, const struct value *item)
{
    (void)value_put_entry(arena, map, key, item);
}

const struct value *value_copy(struct arena *arena, const struct value *value)
{
    struct value *copy = value_new(arena, value->type);
    switch (value->type) {
    case VALUE_NULL:
        break;
    case VALUE_BOOL:
        copy->boolean = value->boolean;
        break;
    case VALUE_INT:
        copy->integer = value->integer;
        break;
    case VALUE_REAL:
        copy->real = value->real;
        break;
    case VALUE_STRING:
        copy->string = str_copy(arena, value->string);
        break;
    case VALUE_LIST:
        for (uint32_t i = 0; i < value->count; i++)
            value_add(arena, copy, value_copy(arena, value->items[i]));
        break;
    case VALUE_MAP:
        for (uint32_t i = 0; i < value->count; i++) {
            const struct value_entry *from = &value->entries[i];
            struct value_entry *to = value_put_entry(arena, copy, str_copy(arena, from->key),
                                                     value_copy(arena, from->value));
            to->line = from->line;
            to->column = from->column;
        }
        break;
    }
    if (value->type < VALUE_STRING)
        copy->source = str_copy(arena, value->source);
    copy->line = value->line;
    copy->column = value->column;
    return copy;
}

const struct value_entry *value_entry(const struct value *map, struct str key)
{
    return map == NULL || map->type != VALUE_MAP ? NULL : find(map, key);
}

const struct value *value_get_str(const struct value *map, struct str key)
{
    const struct value_entry *entry = value_entry(map, key);
    return entry == NULL ? NULL : entry->value;
}

const struct value *value_get(const struct value *map, const char *key)
{
    return value_get_str(map, str_of(key));
}

struct str value_text(const struct value *value, struct str otherwise)
{
    return value != NULL && value->type == VALUE_STRING ? value->string : otherwise;
}

int64_t value_integer(const struct value *value, int64_t otherwise)
{
    return value != NULL && value->type == VALUE_INT ? value->integer : otherwise;
}

bool value_boolean(const struct value *value, bool otherwise)
{
    return value != NULL && value->type == VALUE_BOOL ? value->boolean : otherwise;
}

/* Exact: an integer beyond 2^53 equals only the real that is that very number. */
static bool int_eq_real(int64_t integer, double real)
{
    return real >= -9223372036854775808.0 && real < 9223372036854775808.0 &&
           (int64_t)real == integer && (double)(int64_t)real == real;
}

static bool map_eq(const struct value *a, const struct value *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct value *other = value_get_str(b, a->entries[i].key);
        if (other == NULL || !value_eq(a->entries[i].value, other))
            return false;
    }
    return true;
}

static bool list_eq(const struct value *a, const struct value *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!value_eq(a->items[i], b->items[i]))
            return false;
    return true;
}

bool value_eq(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_INT && b->type == VALUE_REAL)
        return int_eq_real(a->integer, b->real);
    if (a->type == VALUE_REAL && b->type == VALUE_INT)
        return int_eq_real(b->integer, a->real);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_INT:
        return a->integer == b->integer;
    case VALUE_REAL:
        return a->real == b->real;
    case VALUE_STRING:
        return str_eq(a->string, b->string);
    case VALUE_LIST:
        return list_eq(a, b);
    case VALUE_MAP:
        return map_eq(a, b);
    }
    UNREACHABLE();
}

bool value_is_true(const struct value *value)
{
    switch (value->type) {
    case VALUE_NULL:
        return false;
    case VALUE_BOOL:
        return value->boolean;
    case VALUE_INT:
        return value->integer != 0;
    case VALUE_REAL:
        return value->real != 0;
    case VALUE_STRING:
        return value->string.size > 0;
    case VALUE_LIST:
    case VALUE_MAP:
        return value->count > 0;
    }
    UNREACHABLE();
}

const char *value_type_name(enum value_type type)
{
    static const char *const names[] = {
        [VALUE_NULL] = "null",     [VALUE_BOOL] = "true or false", [VALUE_INT] = "a whole number",
        [VALUE_REAL] = "a number", [VALUE_STRING] = "text",        [VALUE_LIST] = "a list",
        [VALUE_MAP] = "a mapping",
    };
    return names[type];
}
