// SPDX-License-Identifier: Apache-2.0
/* The text of a setting to its value and back. */
#include "common/base/assert.h"
#include "common/conf/inside.h"
#include "common/text/duration.h"
#include "common/text/size.h"
#include "common/text/suggest.h"

#include <ctype.h>
#include <strings.h>

static struct str replace_home(struct conf_store *store, struct str text)
{
    static const char name[] = "$HEADRACE_HOME";
    struct str out = STR_EMPTY;

    for (;;) {
        const char *at =
            text.size > 0 ? memmem(text.bytes, text.size, name, sizeof name - 1) : NULL;
        size_t before = at != NULL ? (size_t)(at - text.bytes) : text.size;
        out = str_format(&store->arena, "%.*s%.*s%.*s", STR_ARG(out), (int)before, text.bytes,
                         at != NULL ? (int)store->home.size : 0, store->home.bytes);
        if (at == NULL)
            return out;
        text = str_slice(text, before + sizeof name - 1, text.size);
    }
}

static struct str path_of(struct conf_store *store, const struct conf_entry *entry)
{
    struct str path = replace_home(store, entry->raw);
    struct str base = entry->origin == CONF_FLAG ? store->folder : store->home;

    if (path.size == 0 || path.bytes[0] == '/')
        return path;
    if (str_is(path, "~") || str_starts(path, "~/"))
        return str_format(&store->arena, "%.*s%.*s", STR_ARG(store->user_home), (int)path.size - 1,
                          path.bytes + 1);
    while (str_starts(path, "./"))
        path = str_slice(path, 2, path.size);
    return str_format(&store->arena, "%.*s/%.*s", STR_ARG(base), STR_ARG(path));
}

static int parse_bool(struct str raw, bool *out, struct err *err)
{
    static const char *const words[] = { "false", "true", "no", "yes", "off",
                                         "on",    "0",    "1",  "f",   "t" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (raw.size == strlen(words[i]) && strncasecmp(raw.bytes, words[i], raw.size) == 0) {
            *out = i % 2 == 1;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "\"%.*s\" is neither true nor false", STR_ARG(raw));
}

static int parse_int(const struct conf_row *row, struct str raw, int64_t *out, struct err *err)
{
    if (str_to_int(raw, INT64_MIN, INT64_MAX, out) < 0)
        return err_set(err, ERR_INVALID, "\"%.*s\" is not a whole number", STR_ARG(raw));
    if (*out < row->min || *out > row->max)
        return err_set(err, ERR_INVALID, "%lld is not between %lld and %lld", (long long)*out,
                       (long long)row->min, (long long)row->max);
    return 0;
}

static int parse_duration(const struct conf_row *row, struct str raw, int64_t *out, struct err *err)
{
    struct arena arena = { 0 };
    int rc = 0;

    if (str_to_int(raw, 0, INT64_MAX / 1000, out) == 0)
        *out *= 1000;
    else
        rc = duration_parse(raw, out, err);
    if (rc == 0 && (*out < row->min || *out > row->max)) {
        struct str min = duration_text(&arena, row->min), max = duration_text(&arena, row->max);
        rc = err_set(err, ERR_INVALID, "%.*s is not between %.*s and %.*s", STR_ARG(raw),
                     STR_ARG(min), STR_ARG(max));
    }
    arena_clear(&arena);
    return rc;
}

static int parse_size(const struct conf_row *row, struct str raw, int64_t *out, struct err *err)
{
    struct arena arena = { 0 };
    int rc = size_parse(raw, out, err);

    if (rc == 0 && (*out < row->min || *out > row->max)) {
        struct str min = size_text(&arena, row->min), max = size_text(&arena, row->max);
        rc = err_set(err, ERR_INVALID, "%.*s is not between %.*s and %.*s", STR_ARG(raw),
                     STR_ARG(min), STR_ARG(max));
    }
    arena_clear(&arena);
    return rc;
}

static int parse_choice(const struct conf_row *row, struct str raw, struct str *out,
                        struct err *err)
{
    struct suggestion near = suggestion_begin(raw);
    struct str words = str_of(row->unit), word;

    while (str_split(&words, '|', &word)) {
        if (str_eq(word, raw)) {
            *out = word;
            return 0;
        }
        suggestion_offer(&near, word);
    }
    (void)err_set(err, ERR_INVALID, "\"%.*s\" is none of %s", STR_ARG(raw), row->unit);
    if (near.best.size > 0)
        err_hint(err, "did you mean %.*s?", STR_ARG(near.best));
    return ERR_INVALID;
}

static struct conf_list list_of(struct conf_store *store, struct str raw)
{
    struct str rest = replace_home(store, raw), part;
    struct str count_rest = rest;
    uint32_t count = 0;

    while (str_split(&count_rest, ',', &part))
        count++;
    struct str *items = ARENA_ARRAY(&store->arena, struct str, count);
    count = 0;
    while (str_split(&rest, ',', &part))
        if (str_trim(part).size > 0)
            items[count++] = str_trim(part);
    return (struct conf_list) { items, count };
}

int conf_parse(struct conf_store *store, const struct conf_entry *entry, void *base,
               struct err *err)
{
    const struct conf_row *row = entry->row;
    void *member = (char *)base + row->offset;

    switch (row->type) {
    case CONF_TYPE_BOOL:
        return parse_bool(entry->raw, member, err);
    case CONF_TYPE_INT:
        return parse_int(row, entry->raw, member, err);
    case CONF_TYPE_DURATION:
        return parse_duration(row, entry->raw, member, err);
    case CONF_TYPE_SIZE:
        return parse_size(row, entry->raw, member, err);
    case CONF_TYPE_CHOICE:
        return parse_choice(row, entry->raw, member, err);
    case CONF_TYPE_STR: /* a struct secret is a struct str under another name */
        *(struct str *)member = replace_home(store, entry->raw);
        return 0;
    case CONF_TYPE_PATH:
        *(struct str *)member = path_of(store, entry);
        return 0;
    case CONF_TYPE_LIST:
        *(struct conf_list *)member = list_of(store, entry->raw);
        return 0;
    }
    UNREACHABLE();
}

struct str conf_show(const struct conf_row *row, const void *base, struct arena *arena)
{
    const void *member = (const char *)base + row->offset;

    switch (row->type) {
    case CONF_TYPE_BOOL:
        return *(const bool *)member ? STR("true") : STR("false");
    case CONF_TYPE_INT:
        return str_format(arena, "%lld", (long long)*(const int64_t *)member);
    case CONF_TYPE_DURATION:
        return duration_text(arena, *(const int64_t *)member);
    case CONF_TYPE_SIZE:
        return size_text(arena, *(const int64_t *)member);
    case CONF_TYPE_STR:
    case CONF_TYPE_PATH:
    case CONF_TYPE_CHOICE:
        return *(const struct str *)member;
    case CONF_TYPE_LIST: {
        const struct conf_list *list = member;
        struct str text = STR_EMPTY;
        for (uint32_t i = 0; i < list->count; i++)
            text = str_format(arena, "%.*s%s%.*s", STR_ARG(text), i > 0 ? "," : "",
                              STR_ARG(list->items[i]));
        return text;
    }
    }
    UNREACHABLE();
}
