// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/map_view.h"

enum { STATE_BITS = 4, ROW_BIT = 32 };

/* The next number of "4,20,36"; false at the end. */
static bool next_number(struct str *rest, int64_t *out)
{
    struct str part;
    return str_split(rest, ',', &part) && str_to_int(part, 0, INT64_MAX, out) == 0;
}

static uint32_t index_of(int64_t packed)
{
    return (uint32_t)packed >> STATE_BITS;
}

static void take(struct map_view *view, int64_t packed)
{
    if (index_of(packed) < view->count)
        view->states[index_of(packed)] = packed & ((1 << STATE_BITS) - 1);
}

void map_view_read(struct arena *arena, uint32_t count, struct str tries, struct str again,
                   struct map_view *out)
{
    *out = (struct map_view) { ARENA_ARRAY(arena, uint8_t, count), count };
    int64_t packed, *rows = ARENA_ARRAY(arena, int64_t, again.size == 0 ? 0 : count);
    while (next_number(&tries, &packed))
        take(out, packed);
    while (next_number(&again, &packed)) {
        uint32_t index = index_of(packed);
        if (index >= count || rows[index] > packed >> ROW_BIT)
            continue;
        rows[index] = packed >> ROW_BIT;
        take(out, packed);
    }
}

struct str map_view_letters(struct arena *arena, const struct map_view *view)
{
    char *letters = ARENA_ARRAY(arena, char, view->count);
    for (uint32_t i = 0; i < view->count; i++)
        letters[i] = view->states[i] < TASK_STATE_COUNT ? TASK_STATE_LETTERS[view->states[i]] : '.';
    return (struct str) { letters, view->count };
}

/* Whether the digits of a number hold those of a text, "04" too. */
struct digits {
    uint32_t value, power, least; /* 10 to their count; the least number that has as many */
};

static bool digits_read(struct str text, struct digits *out)
{
    int64_t value;
    bool begins_well = text.bytes[0] >= '0' && text.bytes[0] <= '9'; /* without a sign */
    if (!begins_well || text.size > 9 || str_to_int(text, 0, UINT32_MAX, &value) < 0)
        return false;
    *out = (struct digits) { (uint32_t)value, 1, 0 };
    for (size_t i = 0; i < text.size; i++)
        out->power *= 10;
    out->least = text.size == 1 ? 0 : out->power / 10;
    return true;
}

static bool digits_in(const struct digits *digits, uint32_t number)
{
    for (; number >= digits->least; number /= 10) {
        if (number % digits->power == digits->value)
            return true;
        if (number < 10)
            return false;
    }
    return false;
}

/* Whether each has the text, or NULL when any does. */
static const bool *texts_held(struct arena *arena, const struct map_view *view,
                              const struct map_filter *filter)
{
    if (filter->text.size == 0)
        return NULL;
    bool *held = ARENA_ARRAY(arena, bool, view->count);
    struct str found = filter->found;
    struct digits digits;
    int64_t index;
    while (next_number(&found, &index))
        if (index < view->count)
            held[index] = true;
    if (digits_read(filter->text, &digits))
        for (uint32_t i = 0; i < view->count; i++)
            held[i] |= digits_in(&digits, i);
    return held;
}

static bool fits(const struct map_view *view, const struct map_filter *filter, const bool *held,
                 uint32_t i)
{
    return (filter->states >> view->states[i] & 1) != 0 && (held == NULL || held[i]);
}

uint32_t map_view_pick(struct arena *arena, const struct map_view *view,
                       const struct map_filter *filter, int64_t from, int64_t limit,
                       int64_t **out_indexes, uint32_t *out_count)
{
    const bool *held = texts_held(arena, view, filter);
    uint32_t matches = 0, seen = 0, count = 0;
    for (uint32_t i = 0; i < view->count; i++)
        matches += fits(view, filter, held, i);
    int64_t room = from >= matches ? 0 : matches - from;
    *out_count = (uint32_t)(room < limit ? room : limit);
    *out_indexes = ARENA_ARRAY(arena, int64_t, *out_count);
    for (uint32_t i = 0; count < *out_count; i++)
        if (fits(view, filter, held, i) && seen++ >= from)
            (*out_indexes)[count++] = i;
    return matches;
}
