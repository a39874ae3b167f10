// SPDX-License-Identifier: Apache-2.0
#include "common/compile/reader.h"

#include "common/base/assert.h"
#include "common/text/json.h"

/* ---- what goes where ---- */

struct str keep(struct compiler *compiler, struct str text)
{
    return str_copy(&compiler->dag->arena, text);
}

const struct value *keep_value(struct compiler *compiler, const struct value *value)
{
    return value_copy(&compiler->dag->arena, value);
}

void *field_of(const struct reading *reading)
{
    ASSERT(reading->record != NULL && reading->key->field < KEY_SPECIAL);
    return (char *)reading->record + reading->key->field;
}

bool goes_to_args(const struct reading *reading)
{
    return reading->key->field == KEY_ARGS;
}

void put_value(struct reading *reading, const struct value *value)
{
    if (goes_to_args(reading))
        value_put(&reading->compiler->dag->arena, reading->args, str_of(reading->key->name), value);
    else
        *(const struct value **)field_of(reading) = value;
}

void put_text(struct reading *reading, struct str text)
{
    struct str kept = keep(reading->compiler, text);
    if (goes_to_args(reading))
        put_value(reading, value_string(&reading->compiler->dag->arena, kept));
    else
        *(struct str *)field_of(reading) = kept;
}

void put_bool(struct reading *reading, bool boolean)
{
    if (goes_to_args(reading))
        put_value(reading, value_bool(&reading->compiler->dag->arena, boolean));
    else
        *(bool *)field_of(reading) = boolean;
}

/* ---- what is not of its type ---- */

struct str shown(struct compiler *compiler, const struct value *value)
{
    struct str text;
    if (value->type == VALUE_LIST || value->type == VALUE_MAP || value->type == VALUE_NULL)
        return str_of(value_type_name(value->type));
    if (!scalar_text(value, &text))
        text = json_text(compiler->arena, value);
    bool cut = text.size > 60;
    return str_format(compiler->arena, "'%.*s%s'", STR_ARG(str_slice(text, 0, 60)),
                      cut ? "..." : "");
}

void refuse_type(const struct reading *reading)
{
    struct str found = shown(reading->compiler, reading->value);
    problem(reading->compiler, PLACE_OF(reading->value), NULL, "%s takes %s, not %.*s",
            reading->key->name, key_type_words(reading->key->type), STR_ARG(found));
}

bool scalar_text(const struct value *value, struct str *out)
{
    if (value->type == VALUE_STRING)
        *out = value->string;
    else if (value->type == VALUE_BOOL || value->type == VALUE_INT || value->type == VALUE_REAL)
        *out = value->source;
    else
        return false;
    return true;
}

/* ---- dispatch ---- */

static void read_date_key(struct reading *reading)
{
    int64_t ms;
    if (read_date(reading, reading->value, &ms))
        *(int64_t *)field_of(reading) = ms;
}

static void read_resources(struct reading *reading)
{
    if (reading->value->type == VALUE_MAP)
        read_keys(reading->compiler, reading->value, PLACE_RESOURCES, reading->record, NULL,
                  reading->task);
    else
        refuse_type(reading);
}

/* Read by their own walk (task.c, graph.c, schedule.c). */
static void read_elsewhere(struct reading *reading)
{
    (void)reading;
}

static read_fn *const readers[KEY_TYPE_TOTAL] = {
    [TYPE_ID] = read_id,
    [TYPE_NAME] = read_name,
    [TYPE_TEXT] = read_text,
    [TYPE_TEXTS] = read_texts,
    [TYPE_TEMPLATE] = read_template,
    [TYPE_TEMPLATES] = read_templates,
    [TYPE_TEMPLATE_MAP] = read_template_map,
    [TYPE_ARGV] = read_argv,
    [TYPE_ENV] = read_env,
    [TYPE_VALUE] = read_value,
    [TYPE_VALUES] = read_value,
    [TYPE_VALUE_MAP] = read_value,
    [TYPE_FIELDS] = read_fields,
    [TYPE_BOOL] = read_bool,
    [TYPE_CHOICE] = read_choice,
    [TYPE_COUNT] = read_count,
    [TYPE_NUMBER] = read_number,
    [TYPE_REAL] = read_real,
    [TYPE_DURATION] = read_duration_key,
    [TYPE_SIZE] = read_size,
    [TYPE_CPU] = read_cpu,
    [TYPE_DATE] = read_date_key,
    [TYPE_RULE] = read_word,
    [TYPE_WEIGHT_RULE] = read_word,
    [TYPE_JITTER] = read_word,
    [TYPE_CODES] = read_codes,
    [TYPE_STATUSES] = read_statuses,
    [TYPE_CONDITION] = read_condition_key,
    [TYPE_FOR_EACH] = read_for_each,
    [TYPE_SCHEDULE] = read_schedule,
    [TYPE_PARAMS] = read_params,
    [TYPE_RESOURCES] = read_resources,
    [TYPE_CASES] = read_cases,
    [TYPE_CHOSEN] = read_chosen,
    [TYPE_TASK_IDS] = read_task_ids,
    [TYPE_TOLERANCE] = read_tolerance,
    [TYPE_NOTIFICATIONS] = read_notifications,
    [TYPE_ZONE] = read_elsewhere,
    [TYPE_DEFAULTS] = read_elsewhere,
    [TYPE_TASKS] = read_elsewhere,
    [TYPE_GROUPS] = read_elsewhere,
    [TYPE_DEPENDS] = read_elsewhere,
    [TYPE_OPERATOR] = read_elsewhere,
    [TYPE_DATES] = read_elsewhere,
    [TYPE_CRONS] = read_elsewhere,
    [TYPE_FILES] = read_elsewhere,
};

void read_key(struct reading *reading)
{
    ASSERT(readers[reading->key->type] != NULL);
    readers[reading->key->type](reading);
}

/* The row of a key that may be used here, or NULL and a noted problem. */
const struct key *usable_key(struct compiler *compiler, const struct value_entry *entry,
                             enum place place)
{
    const struct key *key = key_find(place, entry->key);
    if (key == NULL) {
        struct str advice = is_worth_a_look(compiler)
                                ? key_advice(&compiler->scratch, place, entry->key)
                                : STR_EMPTY;
        problem(compiler, PLACE_OF(entry), advice.bytes, "'%.*s' is no key of %s",
                STR_ARG(str_slice(entry->key, 0, 60)), place_words(place));
        return NULL;
    }
    return key;
}

static bool is_given(const struct value *map, const char *name)
{
    const struct value *value = value_get(map, name);
    return value != NULL && value->type != VALUE_NULL;
}

bool is_meant(struct compiler *compiler, const struct value *map, enum place place,
              const char *name)
{
    for (uint32_t i = 0; i < map->count && is_worth_a_look(compiler); i++) {
        struct str word = map->entries[i].key;
        if (key_find(place, word) == NULL &&
            strstr(key_advice(&compiler->scratch, place, word).bytes, name) != NULL)
            return true;
    }
    return false;
}

void read_keys(struct compiler *compiler, const struct value *map, enum place place, void *record,
               struct value *args, int32_t task)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value_entry *entry = &map->entries[i];
        const struct key *key = usable_key(compiler, entry, place);
        /* A key with nothing behind its colon is as good as not written. */
        if (key == NULL || entry->value->type == VALUE_NULL)
            continue;
        struct reading reading = { compiler, key, entry->value, record, args, task };
        read_key(&reading);
    }
    const struct key *key;
    for (key = key_first(place); key != NULL; key = key_next(key))
        if (key->otherwise == NULL && !is_given(map, key->name) &&
            !is_meant(compiler, map, place, key->name))
            problem(compiler, PLACE_OF(map), NULL, "%s needs the key %s (%s)", place_words(place),
                    key->name, key_type_words(key->type));
}
