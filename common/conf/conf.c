// SPDX-License-Identifier: Apache-2.0
#include "common/conf/conf.h"

#include "common/base/assert.h"
#include "common/conf/inside.h"

#include <unistd.h>

/* ---- the tables ------------------------------------------------------------------------------ */

#define RELOAD              false
#define RESTART             true
#define SHOWN               false
#define SECRET              true
#define NAME_BOOL(name)     name
#define NAME_INT(name)      name
#define NAME_DURATION(name) name##_ms
#define NAME_SIZE(name)     name
#define NAME_STR(name)      name
#define NAME_PATH(name)     name
#define NAME_LIST(name)     name
#define NAME_CHOICE(name)   name

const struct conf_row conf_rows[] = {
#define SETTING(section, key, type, fallback, min, max, unit, when, secret, help)                  \
    { #section,                                                                                    \
      #key,                                                                                        \
      CONF_TYPE_##type,                                                                            \
      fallback,                                                                                    \
      min,                                                                                         \
      max,                                                                                         \
      unit,                                                                                        \
      when,                                                                                        \
      secret,                                                                                      \
      help,                                                                                        \
      offsetof(struct conf, NAME_##type(section##_##key)) },
#include "common/conf/settings.def"
#undef SETTING
};
const uint32_t conf_row_count = sizeof conf_rows / sizeof *conf_rows;

const struct conf_row conf_autoscale_rows[] = {
#define AUTOSCALE(key, type, fallback, min, max, unit, when, secret, help)                         \
    { NULL,                                                                                        \
      #key,                                                                                        \
      CONF_TYPE_##type,                                                                            \
      fallback,                                                                                    \
      min,                                                                                         \
      max,                                                                                         \
      unit,                                                                                        \
      when,                                                                                        \
      secret,                                                                                      \
      help,                                                                                        \
      offsetof(struct conf_autoscale, NAME_##type(key)) },
#include "common/conf/autoscale.def"
#undef AUTOSCALE
};
const uint32_t conf_autoscale_row_count = sizeof conf_autoscale_rows / sizeof *conf_autoscale_rows;

static const char *const type_names[] = { "boolean", "integer", "duration", "size",
                                          "text",    "path",    "list",     "choice" };

/* ---- values that must fit each other --------------------------------------------------------- */

static int check_together(const struct conf *conf, struct err *err)
{
    if (conf->scheduler_lease_renew_ms + conf->scheduler_lease_margin_ms >=
        conf->scheduler_lease_ttl_ms)
        return err_set(err, ERR_INVALID,
                       "scheduler.lease_renew and scheduler.lease_margin together must be shorter "
                       "than scheduler.lease_ttl");
    if (conf->scheduler_credit_ttl_ms >= conf->scheduler_attempt_lease_ms)
        return err_set(err, ERR_INVALID,
                       "scheduler.credit_ttl must be shorter than scheduler.attempt_lease");
    if (conf->worker_inventory_interval_ms * 2 >= conf->scheduler_credit_ttl_ms)
        return err_set(
            err, ERR_INVALID,
            "worker.inventory_interval must be shorter than half of scheduler.credit_ttl");
    if ((conf->api_tls_cert.size > 0) != (conf->api_tls_key.size > 0))
        return err_set(err, ERR_INVALID,
                       "api.tls_cert and api.tls_key belong together: one of them is missing");
    if (conf->api_fallback_page_limit > conf->api_maximum_page_limit)
        return err_set(err, ERR_INVALID,
                       "api.fallback_page_limit is larger than api.maximum_page_limit");
    for (uint32_t i = 0; i < conf->autoscale_count; i++) {
        const struct conf_autoscale *queue = &conf->autoscales[i];
        if (queue->min > queue->max)
            return err_set(err, ERR_INVALID, "autoscale.%.*s: min %lld is larger than max %lld",
                           STR_ARG(queue->queue), (long long)queue->min, (long long)queue->max);
    }
    return 0;
}

/* ---- making ---------------------------------------------------------------------------------- */

static int parse_entry(struct conf_store *store, const struct conf_entry *entry, void *base,
                       struct err *err)
{
    int rc = conf_parse(store, entry, base, err);
    if (rc < 0)
        return err_wrap(err, rc, "%.*s: %.*s.%s", STR_ARG(entry->origin_text),
                        STR_ARG(entry->section), entry->row->key);
    return 0;
}

/* Turns the entries' texts into the members. */
static int fill(struct conf *conf, struct err *err)
{
    struct conf_store *store = conf->store;

    conf->home = store->home;
    conf->file = store->file;
    for (uint32_t i = 0; i < conf_row_count; i++) {
        int rc = parse_entry(store, &store->entries[i], conf, err);
        if (rc < 0)
            return rc;
    }
    struct conf_autoscale *autoscales =
        ARENA_ARRAY(&store->arena, struct conf_autoscale, store->queues.count);
    VEC_EACH (&store->queues, i) {
        autoscales[i].queue = store->queues.items[i].name;
        for (uint32_t k = 0; k < conf_autoscale_row_count; k++) {
            int rc = parse_entry(store, &store->queues.items[i].entries[k], &autoscales[i], err);
            if (rc < 0)
                return rc;
        }
    }
    conf->autoscales = autoscales;
    conf->autoscale_count = store->queues.count;
    return check_together(conf, err);
}

static int read_sources(struct conf_store *store, struct err *err)
{
    (void)conf_entry(store, STR("core"), STR("parallelism"),
                     false); /* makes the entries, with their defaults */
    int rc = conf_read_file(store, err);
    if (rc == 0)
        rc = conf_read_env(store, err);
    if (rc == 0)
        rc = conf_read_flags(store, err);
    return rc;
}

static struct conf *new_conf(void)
{
    struct conf *conf = calloc(1, sizeof *conf);
    ASSERT(conf != NULL);
    conf->store = calloc(1, sizeof *conf->store);
    ASSERT(conf->store != NULL);
    return conf;
}

static struct str env_value(const char *const *env, const char *name)
{
    size_t size = strlen(name);
    for (; env != NULL && *env != NULL; env++)
        if (strncmp(*env, name, size) == 0 && (*env)[size] == '=')
            return str_of(*env + size + 1);
    return STR_EMPTY;
}

static void find_folders(struct conf_store *store, const struct conf_source *source)
{
    char folder[4096];
    struct str home =
        source->home != NULL ? str_of(source->home) : env_value(source->env, "HEADRACE_HOME");

    store->folder =
        str_copy(&store->arena, str_of(getcwd(folder, sizeof folder) != NULL ? folder : "/"));
    store->user_home = str_copy(&store->arena, env_value(source->env, "HOME"));
    if (home.size == 0)
        home = str_format(&store->arena, "%.*s/headrace", STR_ARG(store->user_home));
    if (home.bytes[0] != '/')
        home = str_format(&store->arena, "%.*s/%.*s", STR_ARG(store->folder), STR_ARG(home));
    while (home.size > 1 && home.bytes[home.size - 1] == '/')
        home.size--;
    store->home = str_copy(&store->arena, home);
    store->file = str_format(&store->arena, "%.*s/headrace.cfg", STR_ARG(store->home));
}

static void keep_env(struct conf_store *store, const char *const *env)
{
    uint32_t count = 0;

    for (const char *const *item = env; item != NULL && *item != NULL; item++)
        count++;
    store->env = ARENA_ARRAY(&store->arena, struct str, count);
    for (uint32_t i = 0; i < count; i++)
        if (str_starts(str_of(env[i]), "HEADRACE__") && strchr(env[i], '=') != NULL)
            store->env[store->env_count++] = str_copy(&store->arena, str_of(env[i]));
}

/* Takes the settings' flags out of argv. */
static int keep_flags(struct conf_store *store, const struct conf_source *source, int *out_argc,
                      struct err *err)
{
    int kept = source->argc > 0 ? 1 : 0;
    bool flags_are_over = false;

    store->flags = ARENA_ARRAY(&store->arena, struct str, source->argc);
    for (int i = 1; i < source->argc; i++) {
        char *argument = source->argv[i];
        if (!flags_are_over && conf_is_flag(str_of(argument))) {
            store->flags[store->flag_count++] = str_copy(&store->arena, str_of(argument));
            continue;
        }
        if (strcmp(argument, "--") == 0)
            flags_are_over = true;
        if (out_argc == NULL) {
            (void)err_set(err, ERR_INVALID, "%s is no flag of this program", argument);
            err_hint(err, "settings are given as --section.key=value");
            return ERR_INVALID;
        }
        source->argv[kept++] = argument;
    }
    if (out_argc != NULL)
        *out_argc = kept;
    return 0;
}

int conf_new(struct conf **out, const struct conf_source *source, int *out_argc, struct err *err)
{
    struct conf *conf = new_conf();

    find_folders(conf->store, source);
    keep_env(conf->store, source->env);
    int rc = keep_flags(conf->store, source, out_argc, err);
    if (rc == 0)
        rc = read_sources(conf->store, err);
    if (rc == 0)
        rc = fill(conf, err);
    if (rc < 0) {
        conf_free(conf);
        return rc;
    }
    *out = conf;
    return 0;
}

void conf_free(struct conf *conf)
{
    if (conf == NULL)
        return;
    VEC_CLEAR(&conf->store->queues);
    arena_clear(&conf->store->arena);
    free(conf->store);
    free(conf);
}

/* ---- reading again --------------------------------------------------------------------------- */

static void keep_old(struct conf_store *store, struct conf_entry *entry,
                     const struct conf_entry *old, uint32_t *waiting)
{
    if (!entry->row->needs_restart || str_eq(entry->raw, old->raw))
        return;
    entry->raw = str_copy(&store->arena, old->raw);
    entry->origin = old->origin;
    entry->origin_text = str_copy(&store->arena, old->origin_text);
    ++*waiting;
}

int conf_reload(const struct conf *conf, struct conf **out, uint32_t *out_waiting, struct err *err)
{
    const struct conf_store *old = conf->store;
    struct conf *next = new_conf();
    struct conf_store *store = next->store;
    uint32_t waiting = 0;

    store->folder = str_copy(&store->arena, old->folder);
    store->user_home = str_copy(&store->arena, old->user_home);
    store->home = str_copy(&store->arena, old->home);
    store->file = str_copy(&store->arena, old->file);
    store->env = ARENA_ARRAY(&store->arena, struct str, old->env_count);
    for (; store->env_count < old->env_count; store->env_count++)
        store->env[store->env_count] = str_copy(&store->arena, old->env[store->env_count]);
    store->flags = ARENA_ARRAY(&store->arena, struct str, old->flag_count);
    for (; store->flag_count < old->flag_count; store->flag_count++)
        store->flags[store->flag_count] = str_copy(&store->arena, old->flags[store->flag_count]);

    int rc = read_sources(store, err);
    if (rc == 0) {
        for (uint32_t i = 0; i < conf_row_count; i++)
            keep_old(store, &store->entries[i], &old->entries[i], &waiting);
        VEC_EACH (&store->queues, i) {
            const struct conf_queue *known =
                conf_queue(conf->store, store->queues.items[i].name, false);
            for (uint32_t k = 0; known != NULL && k < conf_autoscale_row_count; k++)
                keep_old(store, &store->queues.items[i].entries[k], &known->entries[k], &waiting);
        }
        rc = fill(next, err);
    }
    if (rc < 0) {
        conf_free(next);
        return rc;
    }
    if (out_waiting != NULL)
        *out_waiting = waiting;
    *out = next;
    return 0;
}

/* ---- listing --------------------------------------------------------------------------------- */

static struct conf_item item_of(const struct conf *conf, const struct conf_entry *entry,
                                const void *base)
{
    const struct conf_row *row = entry->row;
    struct str value = conf_show(row, base, &conf->store->arena);

    if (row->is_secret && value.size > 0)
        value = STR(SECRET_STARS);
    return (struct conf_item) { .section = entry->section,
                                .key = str_of(row->key),
                                .value = value,
                                .fallback = str_of(row->fallback),
                                .origin = entry->origin,
                                .origin_text = entry->origin_text,
                                .type = type_names[row->type],
                                .unit = row->unit,
                                .help = row->help,
                                .is_secret = row->is_secret,
                                .needs_restart = row->needs_restart };
}

bool conf_item(const struct conf *conf, uint32_t index, struct conf_item *out)
{
    if (index < conf_row_count) {
        *out = item_of(conf, &conf->store->entries[index], conf);
        return true;
    }
    uint32_t queue = (index - conf_row_count) / conf_autoscale_row_count;
    uint32_t row = (index - conf_row_count) % conf_autoscale_row_count;
    if (queue >= conf->autoscale_count)
        return false;
    *out = item_of(conf, &conf->store->queues.items[queue].entries[row], &conf->autoscales[queue]);
    return true;
}

int conf_find(const struct conf *conf, struct str section, struct str key, struct conf_item *out,
              struct err *err)
{
    struct conf_item item;

    for (uint32_t i = 0; conf_item(conf, i, &item); i++) {
        if (!str_eq(item.section, section) || !str_eq(item.key, key))
            continue;
        *out = item;
        return 0;
    }
    return conf_unknown(conf->store, section, key, STR_EMPTY, err);
}
