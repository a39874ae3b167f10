// SPDX-License-Identifier: Apache-2.0
/* conf - the settings of a process: defaults, then $HEADRACE_HOME/headrace.cfg, then environment
 * HEADRACE__SECTION__KEY, then flags --section.key=value; the last one that speaks wins, and its
 * origin is remembered.
 *
 *     conf->scheduler_port   conf->scheduler_lease_ttl_ms   conf->core_max_output_bytes
 * conf->database_conn.value
 *
 * Everything lives in the conf's own arena and never changes: a reload makes a new conf. An unknown
 * section or key, a value that does not fit: an error that names file and line (or variable, or
 * flag) and what was probably meant. */
#ifndef HEADRACE_CONF_H
#define HEADRACE_CONF_H

#include "common/base/arena.h"
#include "common/base/secret.h"
#include "common/base/str.h"

struct conf_list {
    const struct str *items;
    uint32_t count;
};

#define CONF_BOOL(name)                bool name;
#define CONF_INT(name)                 int64_t name;
#define CONF_DURATION(name)            int64_t name##_ms;
#define CONF_SIZE(name)                int64_t name; /* the key ends in _bytes */
#define CONF_STR(name)                 struct str name;
#define CONF_PATH(name)                struct str name; /* absolute; empty stays empty */
#define CONF_LIST(name)                struct conf_list name;
#define CONF_CHOICE(name)              struct str name; /* one of the words */
#define CONF_SECRET_STR(name)          struct secret name;
#define CONF_MEMBER_SHOWN(name, type)  CONF_##type(name)
#define CONF_MEMBER_SECRET(name, type) CONF_SECRET_##type(name)

struct conf_autoscale {
    struct str queue;
#define AUTOSCALE(key, type, fallback, min, max, unit, when, secret, help)                         \
    CONF_MEMBER_##secret(key, type)
#include "common/conf/autoscale.def"
#undef AUTOSCALE
};

struct conf_store; /* arena, origins, texts */

struct conf {
    struct str home; /* absolute */
    struct str file; /* the settings file, whether it is there or not */
#define SETTING(section, key, type, fallback, min, max, unit, when, secret, help)                  \
    CONF_MEMBER_##secret(section##_##key, type)
#include "common/conf/settings.def"
#undef SETTING
    const struct conf_autoscale *autoscales; /* by name of the queue */
    uint32_t autoscale_count;
    struct conf_store *store;
};

/* Where to read from. All borrowed. */
struct conf_source {
    const char *home; /* NULL: HEADRACE_HOME of `env`, else HOME/headrace */
    const char *const
        *env; /* "NAME=value", NULL-terminated; NULL = none. Other variables are left alone */
    int argc; /* flags are looked for from argv[1] on; "--" ends them */
    char **argv;
};

/* *out_argc and argv keep what is not a setting's flag, in order (out_argc NULL: anything left over
 * is an error). */
MUST_USE int conf_new(struct conf **out, const struct conf_source *source, int *out_argc,
                      struct err *err);
void conf_free(struct conf *conf); /* NULL allowed */

/* The same sources read again. What may only change by a restart keeps its old value; *out_waiting
 * (may be NULL) says how many such values differ. */
MUST_USE int conf_reload(const struct conf *conf, struct conf **out, uint32_t *out_waiting,
                         struct err *err);

enum conf_origin { CONF_DEFAULT, CONF_FILE, CONF_ENV, CONF_FLAG };

struct conf_item {
    struct str section, key; /* "autoscale.default", "min" */
    struct str value;        /* as text, canonical; stars for a secret that is set */
    struct str fallback;     /* the default, as text */
    enum conf_origin origin;
    struct str
        origin_text;  /* "default", "/x/headrace.cfg:12", "HEADRACE__API__PORT", "--api.port" */
    const char *type; /* "duration" */
    const char *unit, *help;
    bool is_secret, needs_restart;
};

/* All settings, in the order of settings.def, then those of each queue. False after the last. */
bool conf_item(const struct conf *conf, uint32_t index, struct conf_item *out);

/* ERR_NOT_FOUND with what was probably meant. */
MUST_USE int conf_find(const struct conf *conf, struct str section, struct str key,
                       struct conf_item *out, struct err *err);

#endif
