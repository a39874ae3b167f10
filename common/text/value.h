// SPDX-License-Identifier: Apache-2.0
/* value - a JSON-like tree: null, bool, 64-bit integer, real, string, list, map (in insertion
 * order).
 *
 * Everything lives in the arena it was built in. A finished tree is only ever seen through const
 * pointers and may be shared: the same node may stand in several places (YAML aliases do that).
 * Each node remembers the line and column of the file it was read from; 0 means unknown. Map lookup
 * is constant time. */
#ifndef HEADRACE_VALUE_H
#define HEADRACE_VALUE_H

#include "common/base/str.h"

enum value_type {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_REAL,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_MAP,
};

struct value;

struct value_entry {
    struct str key;
    uint32_t line, column; /* of the key */
    const struct value *value;
};

struct value {
    enum value_type type;
    uint32_t line, column; /* 1-based; column counts characters, not bytes */
    uint32_t count;        /* of a list's items or a map's entries */
    union {
        /* What a number, true, false or null read from YAML looked like there: 1.10, 0x1F, True.
         * Else empty. */
        struct str source;
        struct { /* builders only */
            uint32_t capacity;
            uint32_t index_size;
            uint32_t *index; /* hash table over entries, once a map is large */
        };
    };
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct str string; /* zero-terminated besides, when the builders below copied it */
        const struct value **items;
        struct value_entry *entries;
    };
};

/* Builders. Strings are kept, not copied: they must live as long as the arena (see str_copy). */
struct value *value_null(struct arena *arena);
struct value *value_bool(struct arena *arena, bool boolean);
struct value *value_int(struct arena *arena, int64_t integer);
struct value *value_real(struct arena *arena, double real);
struct value *value_string(struct arena *arena, struct str string);
struct value *value_string_copy(struct arena *arena, struct str string);
struct value *value_list(struct arena *arena);
struct value *value_map(struct arena *arena);

void value_add(struct arena *arena, struct value *list, const struct value *item);

/* Sets `key`, new or known; a known key keeps its place. The second also notes where the key stands
 * in its file. */
void value_put(struct arena *arena, struct value *map, struct str key, const struct value *item);
struct value_entry *value_put_entry(struct arena *arena, struct value *map, struct str key,
                                    const struct value *item);

/* A copy that shares nothing with the original, for keeping past the life of its arena. */
const struct value *value_copy(struct arena *arena, const struct value *value);

/* Reading. NULL when `map` is NULL or no map, or has no such key. */
const struct value *value_get(const struct value *map, const char *key);
const struct value *value_get_str(const struct value *map, struct str key);
const struct value_entry *value_entry(const struct value *map, struct str key);

/* The plain content with a fallback: value_text(value_get(map, "name"), STR_EMPTY). */
struct str value_text(const struct value *value, struct str otherwise);
int64_t value_integer(const struct value *value, int64_t otherwise);
bool value_boolean(const struct value *value, bool otherwise);

/* Same type and content; 1 equals 1.0; order of a map's keys does not count. */
bool value_eq(const struct value *a, const struct value *b);

/* False are null, false, 0, "", [] and {}; everything else is true. */
bool value_is_true(const struct value *value);

/* "null", "true or false", "a whole number", "a number", "text", "a list", "a mapping": for
 * sentences. */
const char *value_type_name(enum value_type type);

#endif
