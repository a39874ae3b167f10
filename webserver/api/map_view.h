// SPDX-License-Identifier: Apache-2.0
/* map_view - the instances of a mapped task as its page shows them: the state of each, and of those
 * that fit a filter the ones of one page.
 *
 * Made of what ui_mapped_states (sql/queries/ui_pages.sql) reads: grouping and sorting 100 000 rows
 * takes PostgreSQL twice as long as reading them. */
#ifndef HEADRACE_MAP_VIEW_H
#define HEADRACE_MAP_VIEW_H

#include "common/base/arena.h"
#include "common/base/str.h"
#include "common/model/state.h"

struct map_view {
    uint8_t *states; /* enum task_state by map index */
    uint32_t count;
};

/* `tries` and `again`: as the query gives them, numbers with commas between; of several rows of an
 * instance the newest counts. What lies beyond `count` is left out. */
void map_view_read(struct arena *arena, uint32_t count, struct str tries, struct str again,
                   struct map_view *out);

/* One a state: TASK_STATE_LETTERS. */
struct str map_view_letters(struct arena *arena, const struct map_view *view);

struct map_filter {
    uint32_t states; /* a bit a state, at its number */
    struct str text; /* empty: any */
    struct str
        found; /* indexes, with commas, of those that have `text` somewhere in what they say */
};

#define MAP_FILTER_ANY_STATE UINT32_MAX

/* Gives how many fit; of these, by index, `limit` at most from the `from`-th on. An index fits a
 * text that its own digits hold. */
uint32_t map_view_pick(struct arena *arena, const struct map_view *view,
                       const struct map_filter *filter, int64_t from, int64_t limit,
                       int64_t **out_indexes, uint32_t *out_count);

#endif
