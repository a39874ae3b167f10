// SPDX-License-Identifier: Apache-2.0
#include "common/store/list_describe.h"

#include "common/store/list_table.h"

enum { NAME_MAX_SIZE = 100 };

static const struct {
    enum list_value value;
    bool repeats;
} KINDS[] = {
    [FILTER_TEXT] = { LIST_VALUE_TEXT, true },
    [FILTER_PATTERN] = { LIST_VALUE_TEXT, true },
    [FILTER_PREFIX] = { LIST_VALUE_TEXT, true },
    [FILTER_BOOL] = { LIST_VALUE_BOOL, false },
    [FILTER_INT] = { LIST_VALUE_INT, true },
    [FILTER_TIME_RANGE] = { LIST_VALUE_TIME, false },
    [FILTER_REAL_RANGE] = { LIST_VALUE_REAL, false },
    [FILTER_TIME_BEFORE] = { LIST_VALUE_TIME, false },
    [FILTER_TIME_AFTER] = { LIST_VALUE_TIME, false },
    [FILTER_TAGS] = { LIST_VALUE_TEXT, true },
    [FILTER_NOT_TEXT] = { LIST_VALUE_TEXT, true },
};

struct telling {
    void (*on_filter)(void *owner, struct str name, enum list_value value, bool repeats);
    void *owner;
};

static void tell(const struct telling *telling, const struct filter *filter, const char *stem,
                 size_t stem_size, const char *ending)
{
    char name[NAME_MAX_SIZE];
    int size = snprintf(name, sizeof name, "%.*s%s", (int)stem_size, stem, ending);
    telling->on_filter(telling->owner, (struct str) { name, (size_t)size },
                       KINDS[filter->kind].value, KINDS[filter->kind].repeats);
}

static void tell_filter(const struct telling *telling, const struct filter *filter)
{
    size_t size = strlen(filter->name);
    bool is_range = filter->kind == FILTER_TIME_RANGE || filter->kind == FILTER_REAL_RANGE;
    for (size_t i = 0; is_range && i < LIST_RANGES; i++)
        tell(telling, filter, filter->name, size, list_ranges[i].ending);
    if (!is_range)
        tell(telling, filter, filter->name, size, "");
    if (filter->kind == FILTER_PATTERN && size > strlen(LIST_PATTERN))
        tell(telling, filter, filter->name, size - strlen(LIST_PATTERN), LIST_PREFIX_PATTERN);
    if (strcmp(filter->name, "tags") == 0)
        tell(telling, filter, filter->name, size, "_match_mode");
}

void list_describe(enum list list,
                   void (*on_filter)(void *owner, struct str name, enum list_value value,
                                     bool repeats),
                   void *owner)
{
    struct telling telling = { on_filter, owner };
    const struct list_row *row = &list_rows[list];
    for (uint32_t i = 0; i < FILTERS_MAX && row->filters[i].name != NULL; i++)
        tell_filter(&telling, &row->filters[i]);
}

const char *list_order(enum list list, uint32_t index)
{
    return index < ORDERS_MAX ? list_rows[list].orders[index].name : NULL;
}

const char *list_key(enum list list)
{
    return list_rows[list].key;
}
