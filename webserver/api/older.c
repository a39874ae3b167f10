// SPDX-License-Identifier: Apache-2.0
/* The tables of what came later, and what is said instead. */
#include "webserver/api/older.h"

#include "common/text/json.h"

#include <string.h>

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

static const struct {
    const char *field;
    int since;
} FIELDS[] = { { "partition_key", 302 }, { "triggering", 303 } };

static const struct {
    const char *field, *word, *before;
    int since;
} WORDS[] = { { "run_type", "operator_triggered", "manual", 303 } };

enum { NEWEST = 303 };

/* Where such fields are, besides the top. What users wrote (conf, extra) is not looked into. */
static const char *const LISTS[] = { "dag_runs", "asset_events", "created_dagruns" };

static bool is_known(struct str field, int release)
{
    for (size_t i = 0; i < COUNT_OF(FIELDS); i++)
        if (str_is(field, FIELDS[i].field))
            return release >= FIELDS[i].since;
    return true;
}

static bool is_looked_into(struct str field)
{
    for (size_t i = 0; i < COUNT_OF(LISTS); i++)
        if (str_is(field, LISTS[i]))
            return true;
    return false;
}

static const struct value *word_for(struct arena *arena, int release,
                                    const struct value_entry *entry)
{
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (str_is(entry->key, WORDS[i].field) && release < WORDS[i].since &&
            str_is(value_text(entry->value, STR_EMPTY), WORDS[i].word))
            return value_string(arena, str_of(WORDS[i].before));
    return entry->value;
}

static const struct value *item_for(struct arena *arena, int release, const struct value *item);

static const struct value *list_for(struct arena *arena, int release, const struct value *list)
{
    struct value *known = value_list(arena);
    for (uint32_t i = 0; i < list->count; i++)
        value_add(arena, known, item_for(arena, release, list->items[i]));
    return known;
}

static const struct value *item_for(struct arena *arena, int release, const struct value *item)
{
    if (item->type != VALUE_MAP)
        return item;
    struct value *known = value_map(arena);
    for (uint32_t i = 0; i < item->count; i++) {
        const struct value_entry *entry = &item->entries[i];
        if (is_looked_into(entry->key) && entry->value->type == VALUE_LIST)
            value_put(arena, known, entry->key, list_for(arena, release, entry->value));
        else if (is_known(entry->key, release))
            value_put(arena, known, entry->key, word_for(arena, release, entry));
    }
    return known;
}

static bool mentions(struct str json, const char *word)
{
    return memmem(json.bytes, json.size, word, strlen(word)) != NULL;
}

/* Most answers have nothing of that: they are not taken apart. */
static bool is_concerned(struct str json)
{
    for (size_t i = 0; i < COUNT_OF(FIELDS); i++)
        if (mentions(json, FIELDS[i].field))
            return true;
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (mentions(json, WORDS[i].word))
            return true;
    return false;
}

bool older_is_asking(const struct call *call)
{
    return call_client_release(call) < NEWEST;
}

/* How the paths of those lists end. */
static const char *const PATHS[] = { "/dagRuns", "/dagRuns/list", "/assets/events",
                                     "/upstreamAssetEvents" };

bool older_may_differ(const struct call *call)
{
    for (size_t i = 0; i < COUNT_OF(PATHS); i++)
        if (str_ends(call->request->path, PATHS[i]))
            return true;
    return false;
}

struct str older_text(const struct call *call, struct arena *arena, struct str json)
{
    int release = call_client_release(call);
    const struct value *answer = NULL;
    if (release >= NEWEST || !is_concerned(json) ||
        json_parse(arena, json, NULL, &answer, NULL) < 0)
        return json;
    return json_text(arena, item_for(arena, release, answer));
}
