// SPDX-License-Identifier: Apache-2.0
/* Schedules, dates and the zone they are read in. */
#include "common/compile/reader.h"

#include "common/base/civil.h"
#include "common/model/timetable.h"
#include "common/text/suggest.h"

/* ---- zone and dates ---- */

/* What the document says, else what the settings say, as if it stood at the document's beginning.
 */
static const struct value *zone_value(struct compiler *compiler, const struct value *document)
{
    const struct value *value = value_get(document, "timezone");
    struct str fallback = compiler->options.default_timezone;
    bool is_said = value != NULL && value->type != VALUE_NULL;
    if (is_said || fallback.size == 0 || str_is(fallback, "UTC"))
        return is_said ? value : NULL;
    struct value *assumed = value_string(&compiler->dag->arena, fallback);
    assumed->line = document->line;
    assumed->column = document->column;
    return assumed;
}

/* The zone must be known before any date of the document is read, wherever it stands. */
void read_zone_first(struct compiler *compiler, const struct value *document)
{
    const struct value *value = zone_value(compiler, document);
    compiler->zone = NULL;
    if (value == NULL)
        return;
    struct reading reading = { compiler, key_find(PLACE_DAG, STR("timezone")),
                               value,    compiler->dag,
                               NULL,     -1 };
    if (value->type != VALUE_STRING) {
        refuse_type(&reading);
        return;
    }
    if (str_is(value->string, "UTC")) {
        put_text(&reading, value->string);
        return;
    }
    bool found = compiler->options.zone != NULL && zone_name_is_safe(value->string) &&
                 compiler->options.zone(compiler->options.owner, value->string, &compiler->zone);
    if (found)
        put_text(&reading, value->string);
    else
        problem(compiler, PLACE_OF(value),
                "write an IANA name such as Europe/Lisbon, America/New_York or UTC",
                "there is no time zone '%.*s'", STR_ARG(str_slice(value->string, 0, 60)));
}

bool read_date(const struct reading *reading, const struct value *value, int64_t *out_ms)
{
    int64_t ms, instants[2];
    bool has_zone;
    if (value->type != VALUE_STRING || civil_parse(str_trim(value->string), &ms, &has_zone) < 0) {
        struct str found = shown(reading->compiler, value);
        problem(reading->compiler, PLACE_OF(value), NULL, "%s takes %s, not %.*s",
                reading->key->name, key_type_words(TYPE_DATE), STR_ARG(found));
        return false;
    }
    const struct zone *zone = reading->compiler->zone;
    if (!has_zone && zone != NULL) {
        int64_t part =
            ms % MS_PER_SECOND < 0 ? ms % MS_PER_SECOND + MS_PER_SECOND : ms % MS_PER_SECOND;
        (void)zone_instants(zone, (ms - part) / MS_PER_SECOND, instants);
        ms = instants[0] * MS_PER_SECOND + part;
    }
    *out_ms = ms;
    return true;
}

/* ---- the parts of a schedule ---- */

/* A macro that was nearly written, or an example. */
static void hint_cron(struct str text, struct err *err)
{
    static const char *const names[] = { "@once",     "@hourly",    "@daily",     "@midnight",
                                         "@weekly",   "@monthly",   "@quarterly", "@yearly",
                                         "@annually", "@continuous" };
    struct suggestion suggestion = suggestion_begin(text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        suggestion_offer(&suggestion, str_of(names[i]));
    if (suggestion.best.size > 0)
        err_hint(err, "did you mean \"%.*s\"?", STR_ARG(suggestion.best));
    else if (err->hint[0] == '\0')
        err_hint(err, "half past six on workdays, for example, is \"30 6 * * 1-5\"");
}

static bool check_cron(struct compiler *compiler, const struct value *value, struct str text)
{
    struct cron cron;
    struct err err = { 0 };
    if (cron_parse(text, &cron, &err) < 0) {
        hint_cron(text, &err);
        problem_err(compiler, PLACE_OF(value), "schedule", &err);
        return false;
    }
    if (cron_next(&cron, 0) == INT64_MAX) {
        problem(compiler, PLACE_OF(value), "look at day and month", "'%.*s' never fires",
                STR_ARG(text));
        return false;
    }
    return true;
}

/* One text or a list of them, as a list; NULL and a noted problem. */
static const struct value *cron_list(struct reading *reading, const struct value *from)
{
    struct compiler *compiler = reading->compiler;
    struct arena *arena = &compiler->dag->arena;
    struct value *list = value_list(arena);
    uint32_t count = from->type == VALUE_LIST ? from->count : 1;
    if (count == 0 || count > TIMETABLE_CRONS_MAX) {
        problem(compiler, PLACE_OF(from), NULL, "cron takes 1 to %d texts", TIMETABLE_CRONS_MAX);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct value *item = from->type == VALUE_LIST ? from->items[i] : from;
        if (item->type != VALUE_STRING) {
            problem(compiler, PLACE_OF(item), "put it in quotes: \"0 2 * * *\"",
                    "cron takes text, not %s", value_type_name(item->type));
            return NULL;
        }
        struct str text = str_trim(item->string);
        if (!check_cron(compiler, item, text))
            return NULL;
        value_add(arena, list, value_string(arena, keep(compiler, text)));
    }
    return list;
}

static int by_time(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Points in time, ascending and in UTC. */
static const struct value *time_list(struct reading *reading, const struct value *from)
{
    struct compiler *compiler = reading->compiler;
    struct arena *arena = &compiler->dag->arena;
    uint32_t count = from->type == VALUE_LIST ? from->count : 1;
    if (count == 0 || !count_fits(reading, count))
        return NULL;
    int64_t *times = ARENA_ARRAY(&compiler->scratch, int64_t, count);
    for (uint32_t i = 0; i < count; i++)
        if (!read_date(reading, from->type == VALUE_LIST ? from->items[i] : from, &times[i]))
            return NULL;
    qsort(times, count, sizeof *times, by_time);
    struct value *list = value_list(arena);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || times[i] != times[i - 1])
            value_add(arena, list, value_string(arena, civil_text(arena, times[i])));
    return list;
}

static const struct value *files_map(struct reading *reading, const struct value *from)
{
    struct compiler *compiler = reading->compiler;
    struct arena *arena = &compiler->dag->arena;
    if (from->type != VALUE_MAP) {
        refuse_type(reading);
        return NULL;
    }
    struct value *map = value_map(arena);
    int64_t settle_ms = 2 * MS_PER_SECOND;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct value_entry *entry = &from->entries[i];
        struct reading inner = { compiler,     key_find(PLACE_FILES, entry->key),
                                 entry->value, NULL,
                                 NULL,         -1 };
        struct str text;
        if (inner.key == NULL)
            problem(compiler, PLACE_OF(entry), NULL, "'%.*s' is no key of files",
                    STR_ARG(str_slice(entry->key, 0, 60)));
        else if (inner.key->type == TYPE_DURATION)
            (void)read_duration(&inner, &settle_ms);
        else if (scalar_text(entry->value, &text) && !str_starts(text, "/"))
            problem(compiler, PLACE_OF(entry->value), "begin it with /",
                    "the path of files is looked for by the scheduler, which stands in no folder "
                    "of yours");
        else if (scalar_text(entry->value, &text))
            value_put(arena, map, STR("path"), value_string(arena, keep(compiler, text)));
        else
            refuse_type(&inner);
    }
    if (value_get(from, "path") == NULL)
        problem(compiler, PLACE_OF(from), NULL, "files needs the key path");
    value_put(arena, map, STR("settle_ms"), value_int(arena, settle_ms));
    return map;
}

/* ---- assets ---- */

enum { ASSET_DEPTH_MAX = 8 };

/* A name, or {any: [...]} or {all: [...]} of the same. */
static bool check_condition(struct reading *reading, const struct value *value, int depth)
{
    struct compiler *compiler = reading->compiler;
    bool is_nested = value->type == VALUE_MAP && value->count == 1 &&
                     value->entries[0].value->type == VALUE_LIST &&
                     (str_is(value->entries[0].key, "any") || str_is(value->entries[0].key, "all"));
    const struct value *list = is_nested ? value->entries[0].value : value;
    if (value->type == VALUE_STRING && value->string.size > 0 && value->string.size <= 1500)
        return true;
    if ((!is_nested && value->type != VALUE_LIST) || (value->type == VALUE_LIST && depth > 0)) {
        problem(compiler, PLACE_OF(value),
                "write a name, {any: [first, second]} or {all: [first, second]}",
                "an asset has a name of 1 to 1500 bytes; this is %s", value_type_name(value->type));
        return false;
    }
    if (list->count == 0 || depth > ASSET_DEPTH_MAX) {
        problem(compiler, PLACE_OF(list), "name an asset",
                list->count == 0 ? "there are no assets in this list"
                                 : "conditions about assets are nested too deeply");
        return false;
    }
    for (uint32_t i = 0; i < list->count; i++)
        if (!check_condition(reading, list->items[i], depth + 1))
            return false;
    return true;
}

/* ---- the whole ---- */

struct schedule {
    struct value *out;
    const char *kind; /* the key that says when; two of them contradict each other */
};

static void take_kind(struct reading *reading, struct schedule *schedule, const char *name,
                      const struct value *value)
{
    struct compiler *compiler = reading->compiler;
    if (schedule->kind != NULL) {
        problem(compiler, PLACE_OF(reading->value), "keep one of them",
                "a schedule cannot have both %s and %s", schedule->kind, reading->key->name);
        return;
    }
    schedule->kind = reading->key->name;
    if (value != NULL)
        value_put(&compiler->dag->arena, schedule->out, str_of(name), value);
}

static void read_part(struct reading *reading, struct schedule *schedule)
{
    struct arena *arena = &reading->compiler->dag->arena;
    int64_t ms;
    switch (reading->key->type) {
    case TYPE_CRONS:
        take_kind(reading, schedule, "cron", cron_list(reading, reading->value));
        return;
    case TYPE_DURATION:
        take_kind(reading, schedule, "every_ms",
                  read_duration(reading, &ms) ? value_int(arena, ms) : NULL);
        return;
    case TYPE_DATES:
        take_kind(reading, schedule, "at", time_list(reading, reading->value));
        return;
    case TYPE_FILES:
        take_kind(reading, schedule, "files", files_map(reading, reading->value));
        return;
    case TYPE_BOOL:
        if (reading->value->type != VALUE_BOOL)
            refuse_type(reading);
        else if (reading->value->boolean)
            value_put(arena, schedule->out, STR("interval"), value_bool(arena, true));
        return;
    default: { /* assets: a list, {any: [...]} or {all: [...]} */
        const struct value *assets = keep_value(reading->compiler, reading->value);
        if (reading->value->type != VALUE_LIST) {
            refuse_type(reading);
        } else if (!check_condition(reading, reading->value, 0)) {
            take_kind(reading, schedule, "assets", NULL);
        } else if (reading->key->type == TYPE_VALUES) {
            struct value *map = value_map(arena);
            value_put(arena, map, str_of(reading->key->name), assets);
            take_kind(reading, schedule, "assets", map);
        } else {
            take_kind(reading, schedule, "assets", assets);
        }
    }
    }
}

static void read_mapping(struct reading *reading, struct schedule *schedule)
{
    struct compiler *compiler = reading->compiler;
    const struct value *map = reading->value;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value_entry *entry = &map->entries[i];
        const struct key *key = usable_key(compiler, entry, PLACE_SCHEDULE);
        if (key == NULL) {
            schedule->kind = schedule->kind == NULL ? "" : schedule->kind;
            continue;
        }
        struct reading part = { compiler, key, entry->value, NULL, NULL, -1 };
        read_part(&part, schedule);
    }
    if (schedule->kind == NULL)
        problem(compiler, PLACE_OF(map),
                "write {cron: \"0 2 * * *\"}, {every: 10m} or {at: [2026-01-31]}",
                "the schedule does not say when");
    else if (value_get(schedule->out, "interval") != NULL && strcmp(schedule->kind, "cron") != 0 &&
             schedule->kind[0] != '\0')
        problem(compiler, PLACE_OF(map), "remove interval",
                "interval works with cron only, not with %s", schedule->kind);
}

void read_schedule(struct reading *reading)
{
    struct compiler *compiler = reading->compiler;
    struct arena *arena = &compiler->dag->arena;
    const struct value *value = reading->value;
    struct schedule schedule = { .out = value_map(arena) };
    if (value->type == VALUE_MAP) {
        read_mapping(reading, &schedule);
    } else if (value->type != VALUE_STRING) {
        struct str found = shown(compiler, value);
        problem(compiler, PLACE_OF(value),
                value->type == VALUE_LIST
                    ? "write {cron: [\"0 1 * * *\", \"0 13 * * *\"]} for several cron texts"
                    : "write {every: 10m} for a fixed distance",
                "schedule takes %s, not %.*s", key_type_words(TYPE_SCHEDULE), STR_ARG(found));
        return;
    } else if (str_is(value->string, "@once") || str_is(value->string, "@continuous")) {
        value_put(arena, schedule.out,
                  keep(compiler, str_slice(value->string, 1, value->string.size)),
                  value_bool(arena, true));
    } else if (!str_is(value->string, "none") && !str_is(value->string, "@none")) {
        const struct value *list = cron_list(reading, value);
        if (list != NULL)
            value_put(arena, schedule.out, STR("cron"), list);
    }
    compiler->dag->schedule = schedule.out->count > 0 ? schedule.out : NULL;
}
