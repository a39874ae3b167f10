// SPDX-License-Identifier: Apache-2.0
#include "common/text/json.h"

#include "common/base/assert.h"

#include <jansson.h>

/* ---- reading ---- */

/* Refuses deep nesting before jansson recurses into it. Brackets inside strings do not count. */
static int check_depth(struct str text, uint32_t depth_max, struct err *err)
{
    uint32_t depth = 0, line = 1;
    size_t line_start = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.bytes[i];
        if (c == '\n') {
            line++;
            line_start = i + 1;
        } else if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > depth_max)
                return err_set(err, ERR_INVALID,
                               "line %u, column %zu: nested deeper than %u levels", line,
                               i - line_start + 1, depth_max);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return 0;
}

static const struct value *convert(struct arena *arena, json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_NULL:
        return value_null(arena);
    case JSON_TRUE:
    case JSON_FALSE:
        return value_bool(arena, json_is_true(json));
    case JSON_INTEGER:
        return value_int(arena, json_integer_value(json));
    case JSON_REAL:
        return value_real(arena, json_real_value(json));
    case JSON_STRING:
        return value_string_copy(
            arena, (struct str) { json_string_value(json), json_string_length(json) });
    case JSON_ARRAY: {
        struct value *list = value_list(arena);
        for (size_t i = 0; i < json_array_size(json); i++)
            value_add(arena, list, convert(arena, json_array_get(json, i)));
        return list;
    }
    case JSON_OBJECT: {
        struct value *map = value_map(arena);
        const char *key;
        json_t *item;
        json_object_foreach(json, key, item)
            value_put(arena, map, str_copy(arena, str_of(key)), convert(arena, item));
        return map;
    }
    }
    UNREACHABLE();
}

int json_parse(struct arena *arena, struct str text, const struct json_limits *limits,
               const struct value **out, struct err *err)
{
    struct json_limits l = { JSON_BYTES_MAX, JSON_DEPTH_MAX };
    if (limits != NULL)
        l = *limits;
    if (text.size > l.bytes_max)
        return err_set(err, ERR_TOO_LARGE, "the JSON text is longer than %zu bytes", l.bytes_max);
    int rc = check_depth(text, l.depth_max, err);
    if (rc < 0)
        return rc;
    if (text.size == 0)
        return err_set(err, ERR_INVALID, "the JSON text is empty");
    /* jansson takes a NUL behind the value for the end of the text. */
    if (str_find(text, '\0') >= 0)
        return err_set(err, ERR_INVALID, "the JSON text holds a NUL byte");

    json_error_t error;
    json_t *json =
        json_loadb(text.bytes, text.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json == NULL)
        return err_set(err, ERR_INVALID, "line %d, column %d: %s", error.line, error.column,
                       error.text);
    *out = convert(arena, json);
    json_decref(json);
    return 0;
}

/* ---- writing ---- */

enum style { COMPACT, CANONICAL, PRETTY };

static const char hex[] = "0123456789abcdef";

/* What must be escaped gets its short form or \u00XX. */
static void write_escape(struct buf *buf, unsigned char c)
{
    static const char shorts[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
    };
    buf_add_byte(buf, '\\');
    if (c == '"' || c == '\\') {
        buf_add_byte(buf, (char)c);
    } else if (c < 32 && shorts[c] != 0) {
        buf_add_byte(buf, shorts[c]);
    } else {
        buf_add(buf, "u00", 3);
        buf_add_byte(buf, hex[c >> 4]);
        buf_add_byte(buf, hex[c & 15]);
    }
}

/* Bytes of the valid UTF-8 sequence that `s` begins with; 0 if there is none. */
static size_t sequence(struct str s)
{
    for (size_t size = 1; size <= 4 && size <= s.size; size++)
        if (str_is_utf8(str_slice(s, 0, size)))
            return size;
    return 0;
}

static void write_repaired(struct buf *buf, struct str string)
{
    while (string.size > 0) {
        unsigned char c = (unsigned char)string.bytes[0];
        size_t size = sequence(string);
        if (size == 0 || c == '\0')
            buf_add_cstr(buf, "\xEF\xBF\xBD");
        else if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F)
            write_escape(buf, c);
        else
            buf_add(buf, string.bytes, size);
        string = str_slice(string, size == 0 ? 1 : size, string.size);
    }
}

static void write_clean(struct buf *buf, struct str string)
{
    size_t from = 0;
    for (size_t i = 0; i < string.size; i++) {
        unsigned char c = (unsigned char)string.bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F)
            continue;
        buf_add(buf, string.bytes + from, i - from);
        write_escape(buf, c);
        from = i + 1;
    }
    if (string.size > from)
        buf_add(buf, string.bytes + from, string.size - from);
}

void json_write_string(struct buf *buf, struct str string)
{
    buf_reserve(buf, string.size + 2);
    buf_add_byte(buf, '"');
    bool has_nul = string.size > 0 && memchr(string.bytes, '\0', string.size) != NULL;
    if (!has_nul && str_is_utf8(string))
        write_clean(buf, string);
    else
        write_repaired(buf, string);
    buf_add_byte(buf, '"');
}

void json_write_int(struct buf *buf, int64_t integer)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (integer < 0)
        digits[--at] = '-';
    buf_add(buf, digits + at, sizeof digits - at);
}

void json_write_real(struct buf *buf, double real)
{
    if (__builtin_isnan(real) || __builtin_isinf(real)) {
        buf_add_cstr(buf, "null");
        return;
    }
    /* 17 digits always read back the same; fewer often do, and look better. */
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, real);
        if (strtod(text, NULL) == real)
            break;
    }
    buf_add_cstr(buf, text);
    if (strpbrk(text, ".e") == NULL)
        buf_add_cstr(buf, ".0");
}

static void write_line(struct buf *buf, enum style style, int depth)
{
    if (style != PRETTY)
        return;
    buf_add_byte(buf, '\n');
    for (int i = 0; i < depth; i++)
        buf_add(buf, "  ", 2);
}

static int by_key(const void *a, const void *b)
{
    const struct value_entry *const *left = a, *const *right = b;
    return str_cmp((*left)->key, (*right)->key);
}

static void write_value(struct buf *buf, const struct value *value, enum style style, int depth);

static void write_entry(struct buf *buf, const struct value_entry *entry, enum style style,
                        int depth)
{
    write_line(buf, style, depth);
    json_write_string(buf, entry->key);
    buf_add_byte(buf, ':');
    if (style == PRETTY)
        buf_add_byte(buf, ' ');
    write_value(buf, entry->value, style, depth);
}

static void write_sorted(struct buf *buf, const struct value *map)
{
    const struct value_entry **order = malloc(map->count * sizeof *order);
    ASSERT(order != NULL);
    for (uint32_t i = 0; i < map->count; i++)
        order[i] = &map->entries[i];
    qsort(order, map->count, sizeof *order, by_key);
    for (uint32_t i = 0; i < map->count; i++) {
        if (i > 0)
            buf_add_byte(buf, ',');
        write_entry(buf, order[i], CANONICAL, 0);
    }
    free(order);
}

static void write_map(struct buf *buf, const struct value *map, enum style style, int depth)
{
    buf_add_byte(buf, '{');
    if (style == CANONICAL && map->count > 1) {
        write_sorted(buf, map);
    } else {
        for (uint32_t i = 0; i < map->count; i++) {
            if (i > 0)
                buf_add_byte(buf, ',');
            write_entry(buf, &map->entries[i], style, depth + 1);
        }
        if (map->count > 0)
            write_line(buf, style, depth);
    }
    buf_add_byte(buf, '}');
}

static void write_list(struct buf *buf, const struct value *list, enum style style, int depth)
{
    buf_add_byte(buf, '[');
    for (uint32_t i = 0; i < list->count; i++) {
        if (i > 0)
            buf_add_byte(buf, ',');
        write_line(buf, style, depth + 1);
        write_value(buf, list->items[i], style, depth + 1);
    }
    if (list->count > 0)
        write_line(buf, style, depth);
    buf_add_byte(buf, ']');
}

static void write_value(struct buf *buf, const struct value *value, enum style style, int depth)
{
    switch (value->type) {
    case VALUE_NULL:
        buf_add_cstr(buf, "null");
        return;
    case VALUE_BOOL:
        buf_add_cstr(buf, value->boolean ? "true" : "false");
        return;
    case VALUE_INT:
        json_write_int(buf, value->integer);
        return;
    case VALUE_REAL:
        json_write_real(buf, value->real);
        return;
    case VALUE_STRING:
        json_write_string(buf, value->string);
        return;
    case VALUE_LIST:
        write_list(buf, value, style, depth);
        return;
    case VALUE_MAP:
        write_map(buf, value, style, depth);
        return;
    }
    UNREACHABLE();
}

void json_write(struct buf *buf, const struct value *value)
{
    write_value(buf, value, COMPACT, 0);
}

void json_write_canonical(struct buf *buf, const struct value *value)
{
    write_value(buf, value, CANONICAL, 0);
}

void json_write_pretty(struct buf *buf, const struct value *value)
{
    write_value(buf, value, PRETTY, 0);
    buf_add_byte(buf, '\n');
}

struct str json_text(struct arena *arena, const struct value *value)
{
    struct buf buf;
    buf_init(&buf);
    json_write(&buf, value);
    struct str text = str_copy(arena, buf_str(&buf));
    buf_clear(&buf);
    return text;
}
