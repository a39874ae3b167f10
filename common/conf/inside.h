// SPDX-License-Identifier: Apache-2.0
/* inside - what the files of this room share: the table's rows, and the value that each source gave
 * them. */
#ifndef HEADRACE_CONF_INSIDE_H
#define HEADRACE_CONF_INSIDE_H

#include "common/base/vec.h"
#include "common/conf/conf.h"

enum conf_type {
    CONF_TYPE_BOOL,
    CONF_TYPE_INT,
    CONF_TYPE_DURATION,
    CONF_TYPE_SIZE,
    CONF_TYPE_STR,
    CONF_TYPE_PATH,
    CONF_TYPE_LIST,
    CONF_TYPE_CHOICE
};

/* A row of settings.def or autoscale.def (section NULL). */
struct conf_row {
    const char *section, *key;
    enum conf_type type;
    const char *fallback;
    int64_t min, max;
    const char *unit;
    bool needs_restart, is_secret;
    const char *help;
    size_t offset; /* of the member in struct conf or struct conf_autoscale */
};

extern const struct conf_row conf_rows[], conf_autoscale_rows[];
extern const uint32_t conf_row_count, conf_autoscale_row_count;

/* The value that the last source gave a row. */
struct conf_entry {
    const struct conf_row *row;
    struct str section; /* "autoscale.gpu" */
    struct str raw;     /* as written */
    enum conf_origin origin;
    struct str origin_text;
};

struct conf_queue {
    struct str name;
    struct conf_entry *entries; /* one a row */
};

struct conf_store {
    struct arena arena;
    struct str home, user_home, file, folder; /* folder: where relative paths of flags begin */
    struct str *env, *flags;                  /* those that are settings, copied: for a reload */
    uint32_t env_count, flag_count;
    struct conf_entry *entries;
    VEC(struct conf_queue) queues; /* by name */
};

/* Gives a setting a value. `section` and `key` as written; the error names `where`. */
MUST_USE int conf_set(struct conf_store *store, struct str section, struct str key, struct str raw,
                      enum conf_origin origin, struct str where, struct err *err);
/* The entry of a setting, or NULL. Makes the queue's entries when `section` names a queue and
 * `make` is set. */
struct conf_entry *conf_entry(struct conf_store *store, struct str section, struct str key,
                              bool make);
struct conf_queue *conf_queue(struct conf_store *store, struct str name, bool make);
int conf_unknown(struct conf_store *store, struct str section, struct str key, struct str where,
                 struct err *err);

MUST_USE int conf_read_file(struct conf_store *store, struct err *err);
MUST_USE int conf_read_env(struct conf_store *store, struct err *err);
MUST_USE int conf_read_flags(struct conf_store *store, struct err *err);
bool conf_is_flag(struct str argument); /* --section.key... */

/* Reads the text of an entry into the member at `base` + offset. */
MUST_USE int conf_parse(struct conf_store *store, const struct conf_entry *entry, void *base,
                        struct err *err);
/* The canonical text of the member. */
struct str conf_show(const struct conf_row *row, const void *base, struct arena *arena);

#endif
