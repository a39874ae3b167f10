// SPDX-License-Identifier: Apache-2.0
/* The three sources: settings file, environment, flags. Each gives texts to entries; nothing is
 * judged here but names. */
#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/conf/inside.h"
#include "common/text/suggest.h"

#include <ctype.h>
#include <errno.h>

enum { FILE_SIZE_MAX = 1 << 20, QUEUE_NAME_MAX = 64 };

#define ENV_PREFIX        "HEADRACE__"
#define AUTOSCALE_SECTION "autoscale."

/* ---- names ----------------------------------------------------------------------------------- */

static struct conf_entry *new_entries(struct conf_store *store, const struct conf_row *rows,
                                      uint32_t count, struct str section)
{
    struct conf_entry *entries = ARENA_ARRAY(&store->arena, struct conf_entry, count);
    for (uint32_t i = 0; i < count; i++)
        entries[i] =
            (struct conf_entry) { &rows[i],
                                  rows[i].section != NULL ? str_of(rows[i].section) : section,
                                  str_of(rows[i].fallback), CONF_DEFAULT, STR("default") };
    return entries;
}

struct conf_queue *conf_queue(struct conf_store *store, struct str name, bool make)
{
    uint32_t at = 0;

    while (at < store->queues.count && str_cmp(store->queues.items[at].name, name) < 0)
        at++;
    if (at < store->queues.count && str_eq(store->queues.items[at].name, name))
        return &store->queues.items[at];
    if (!make)
        return NULL;
    struct conf_queue queue = { .name = str_copy(&store->arena, name) };
    struct str section = str_format(&store->arena, AUTOSCALE_SECTION "%.*s", STR_ARG(name));
    queue.entries = new_entries(store, conf_autoscale_rows, conf_autoscale_row_count, section);
    VEC_ADD(&store->queues, queue);
    for (uint32_t i = store->queues.count - 1; i > at; i--)
        store->queues.items[i] = store->queues.items[i - 1];
    store->queues.items[at] = queue;
    return &store->queues.items[at];
}

static bool is_queue_name(struct str name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!isalnum((unsigned char)name.bytes[i]) && strchr("_.-", name.bytes[i]) == NULL)
            return false;
    return name.size > 0 && name.size <= QUEUE_NAME_MAX;
}

struct conf_entry *conf_entry(struct conf_store *store, struct str section, struct str key,
                              bool make)
{
    if (store->entries == NULL)
        store->entries = new_entries(store, conf_rows, conf_row_count, STR_EMPTY);
    if (!str_starts(section, AUTOSCALE_SECTION)) {
        for (uint32_t i = 0; i < conf_row_count; i++)
            if (str_is(section, conf_rows[i].section) && str_is(key, conf_rows[i].key))
                return &store->entries[i];
        return NULL;
    }
    struct str name = str_slice(section, strlen(AUTOSCALE_SECTION), section.size);
    for (uint32_t i = 0; i < conf_autoscale_row_count && is_queue_name(name); i++) {
        if (!str_is(key, conf_autoscale_rows[i].key))
            continue;
        struct conf_queue *queue = conf_queue(store, name, make);
        return queue != NULL ? &queue->entries[i] : NULL;
    }
    return NULL;
}

int conf_unknown(struct conf_store *store, struct str section, struct str key, struct str where,
                 struct err *err)
{
    struct arena arena = { 0 };
    struct str name = str_format(&arena, "%.*s.%.*s", STR_ARG(section), STR_ARG(key));
    struct suggestion near = suggestion_begin(name);

    for (uint32_t i = 0; i < conf_row_count; i++)
        suggestion_offer(&near,
                         str_format(&arena, "%s.%s", conf_rows[i].section, conf_rows[i].key));
    if (str_starts(section, AUTOSCALE_SECTION))
        for (uint32_t i = 0; i < conf_autoscale_row_count; i++)
            suggestion_offer(
                &near, str_format(&arena, "%.*s.%s", STR_ARG(section), conf_autoscale_rows[i].key));
    (void)store;
    int rc =
        err_set(err, where.size > 0 ? ERR_INVALID : ERR_NOT_FOUND, "%.*s%sthere is no setting %.*s",
                STR_ARG(where), where.size > 0 ? ": " : "", STR_ARG(name));
    if (near.best.size > 0)
        err_hint(err, "did you mean %.*s?", STR_ARG(near.best));
    else
        err_hint(err, "`headrace config list` shows them all");
    arena_clear(&arena);
    return rc;
}

int conf_set(struct conf_store *store, struct str section, struct str key, struct str raw,
             enum conf_origin origin, struct str where, struct err *err)
{
    struct conf_entry *entry = conf_entry(store, section, key, true);
    if (entry == NULL)
        return conf_unknown(store, section, key, where, err);
    if (entry->origin == origin && origin == CONF_FILE) {
        (void)err_set(err, ERR_INVALID, "%.*s: %.*s.%.*s is set twice", STR_ARG(where),
                      STR_ARG(section), STR_ARG(key));
        err_hint(err, "the first time at %.*s", STR_ARG(entry->origin_text));
        return ERR_INVALID;
    }
    entry->raw = str_copy(&store->arena, raw);
    entry->origin = origin;
    entry->origin_text = str_copy(&store->arena, where);
    return 0;
}

/* ---- the file -------------------------------------------------------------------------------- */

static int read_whole(struct conf_store *store, struct buf *out, struct err *err)
{
    char chunk[4096];
    size_t size;

    FILE *file = fopen(str_cstr(&store->arena, store->file), "re");
    if (file == NULL && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (file == NULL)
        return err_set(err, ERR_IO, "reading %.*s: %s", STR_ARG(store->file), strerror(errno));
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0 && out->size <= FILE_SIZE_MAX)
        buf_add(out, chunk, size);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed)
        return err_set(err, ERR_IO, "reading %.*s: %s", STR_ARG(store->file), strerror(errno));
    if (out->size > FILE_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "%.*s is larger than 1 MiB", STR_ARG(store->file));
    return 0;
}

static struct str unquote(struct str value)
{
    if (value.size >= 2 && value.bytes[0] == '"' && value.bytes[value.size - 1] == '"')
        return str_slice(value, 1, value.size - 1);
    return value;
}

static bool is_known_section(struct str section)
{
    for (uint32_t i = 0; i < conf_row_count; i++)
        if (str_is(section, conf_rows[i].section))
            return true;
    return str_starts(section, AUTOSCALE_SECTION) &&
           is_queue_name(str_slice(section, strlen(AUTOSCALE_SECTION), section.size));
}

static int begin_section(struct conf_store *store, struct str line, struct str where,
                         struct str *section, struct err *err)
{
    (void)store;
    if (line.bytes[line.size - 1] != ']')
        return err_set(err, ERR_INVALID, "%.*s: the section's name does not end with ]",
                       STR_ARG(where));
    *section = str_trim(str_slice(line, 1, line.size - 1));
    if (is_known_section(*section))
        return 0;

    struct suggestion near = suggestion_begin(*section);
    for (uint32_t i = 0; i < conf_row_count; i++)
        suggestion_offer(&near, str_of(conf_rows[i].section));
    (void)err_set(err, ERR_INVALID, "%.*s: there is no section [%.*s]", STR_ARG(where),
                  STR_ARG(*section));
    if (near.best.size > 0)
        err_hint(err, "did you mean [%.*s]?", STR_ARG(near.best));
    return ERR_INVALID;
}

static int read_line(struct conf_store *store, struct str line, struct str where,
                     struct str *section, struct err *err)
{
    line = str_trim(line);
    if (line.size == 0 || line.bytes[0] == '#' || line.bytes[0] == ';')
        return 0;
    if (!str_is_utf8(line))
        return err_set(err, ERR_INVALID, "%.*s: this is not UTF-8", STR_ARG(where));
    if (line.bytes[0] == '[')
        return begin_section(store, line, where, section, err);

    ptrdiff_t equals = str_find(line, '=');
    if (equals <= 0) {
        (void)err_set(err, ERR_INVALID, "%.*s: neither [section] nor key = value", STR_ARG(where));
        err_hint(err, "a comment begins with #");
        return ERR_INVALID;
    }
    if (section->size == 0)
        return err_set(err, ERR_INVALID, "%.*s: a setting stands before the first [section]",
                       STR_ARG(where));
    return conf_set(store, *section, str_trim(str_slice(line, 0, (size_t)equals)),
                    unquote(str_trim(str_slice(line, (size_t)equals + 1, line.size))), CONF_FILE,
                    where, err);
}

int conf_read_file(struct conf_store *store, struct err *err)
{
    struct buf text = { 0 };
    struct str line, section = STR_EMPTY;
    int number = 0;

    int rc = read_whole(store, &text, err);
    struct str rest = buf_str(&text);
    while (rc == 0 && rest.size > 0 && str_split(&rest, '\n', &line)) {
        struct str where = str_format(&store->arena, "%.*s:%d", STR_ARG(store->file), ++number);
        rc = read_line(store, line, where, &section, err);
    }
    buf_clear(&text);
    return rc;
}

/* ---- the environment ------------------------------------------------------------------------- */

static struct str lower(struct arena *arena, struct str text)
{
    char *bytes = arena_copy(arena, text.bytes, text.size);
    for (size_t i = 0; i < text.size; i++)
        bytes[i] = (char)tolower((unsigned char)bytes[i]);
    return (struct str) { bytes, text.size };
}

/* A queue's name in the environment has _ for whatever cannot stand there: AUTOSCALE_GPU_BIG is
 * gpu.big, if the file has it. */
static struct str section_of_env(struct conf_store *store, struct str name)
{
    static const char prefix[] = "autoscale_";
    struct str section = lower(&store->arena, name);

    if (!str_starts(section, prefix))
        return section;
    struct str wanted = str_slice(section, sizeof prefix - 1, section.size);
    VEC_EACH (&store->queues, i) {
        struct str known = lower(&store->arena, store->queues.items[i].name);
        for (size_t k = 0; k < known.size; k++)
            if (!isalnum((unsigned char)known.bytes[k]))
                ((char *)known.bytes)[k] = '_';
        if (str_eq(known, wanted)) {
            wanted = store->queues.items[i].name;
            break;
        }
    }
    return str_format(&store->arena, AUTOSCALE_SECTION "%.*s", STR_ARG(wanted));
}

int conf_read_env(struct conf_store *store, struct err *err)
{
    for (uint32_t i = 0; i < store->env_count; i++) {
        struct str value = store->env[i], name;
        (void)str_split(&value, '=', &name);
        struct str rest = str_slice(name, strlen(ENV_PREFIX), name.size);
        const char *cut = memmem(rest.bytes, rest.size, "__", 2);
        if (cut == NULL) {
            (void)err_set(err, ERR_INVALID, "%.*s names no setting", STR_ARG(name));
            err_hint(err, "write " ENV_PREFIX "SECTION__KEY");
            return ERR_INVALID;
        }
        size_t at = (size_t)(cut - rest.bytes);
        int rc = conf_set(store, section_of_env(store, str_slice(rest, 0, at)),
                          lower(&store->arena, str_slice(rest, at + 2, rest.size)), value, CONF_ENV,
                          name, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- flags ----------------------------------------------------------------------------------- */

bool conf_is_flag(struct str argument)
{
    ptrdiff_t equals = str_find(argument, '=');
    struct str name = equals >= 0 ? str_slice(argument, 0, (size_t)equals) : argument;
    return str_starts(name, "--") && name.size > 2 && str_find(name, '.') > 0;
}

int conf_read_flags(struct conf_store *store, struct err *err)
{
    for (uint32_t i = 0; i < store->flag_count; i++) {
        struct str value = store->flags[i], name;
        bool has_value = str_find(value, '=') >= 0;
        (void)str_split(&value, '=', &name);
        struct str path = str_slice(name, 2, name.size);
        size_t dot = path.size; /* the last one: a queue's name may hold dots */
        while (dot > 0 && path.bytes[dot - 1] != '.')
            dot--;
        struct str section = str_slice(path, 0, dot - 1), key = str_slice(path, dot, path.size);

        const struct conf_entry *entry = conf_entry(store, section, key, true);
        if (entry != NULL && !has_value && entry->row->type != CONF_TYPE_BOOL) {
            (void)err_set(err, ERR_INVALID, "%.*s has no value", STR_ARG(name));
            err_hint(err, "write %.*s=...", STR_ARG(name));
            return ERR_INVALID;
        }
        int rc =
            conf_set(store, section, key, has_value ? value : STR("true"), CONF_FLAG, name, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
