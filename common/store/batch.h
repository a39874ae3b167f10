// SPDX-License-Identifier: Apache-2.0
/* batch - the records of one transaction sorted into the rows that they change: several records of
 * one row become one write, in the order of keys. Pure; apply.c sends it. For the files of this
 * room alone. */
#ifndef HEADRACE_BATCH_H
#define HEADRACE_BATCH_H

#include "common/base/map.h"
#include "common/base/vec.h"
#include "common/model/record.h"

struct batch_try {
    struct try_row row;
    uint32_t from_mask; /* bit s: the row may be in state s before the change */
    bool sets;          /* state and what came with it */
    bool clears;
    bool has_exit_code;
};

struct batch_output {
    int64_t run_no;
    uint32_t task;
    int32_t map_index;
    struct str json;
    bool is_dropped;
};

/* All-zero is valid and empty. Records and their strings are borrowed, what had to be cleaned is in
 * `arena`. */
struct batch {
    struct arena arena;
    VEC(struct run_row) created;
    VEC(struct run_row) runs;     /* changed */
    VEC(struct batch_try) placed; /* inserted */
    VEC(struct batch_try) tries;  /* changed */
    VEC(struct batch_output) outputs, dropped_outputs;
    VEC(const struct record *)
    expansions, requests, dags, workers, autoscales, dropped_runs, dropped_dags, backfills,
        backfill_runs, asset_events, assets_kept, assets_dropped, assets_taken, files,
        notifications, notification_states, worker_loads;
    struct map run_index;    /* run_no -> place in `created` (even) or `runs` (odd), halved */
    struct map try_index;    /* key -> place in `placed` (even) or `tries` (odd) */
    struct map output_index; /* key -> place in `outputs` */
    struct map last_index;   /* of the other kinds: key -> place in their array */
};

void batch_collect(struct batch *batch, const struct record *records, uint32_t count);
void batch_clear(struct batch *batch);

/* States that a stored row may be in for `to` with `cause` to be legal. What a row cannot tell
 * apart counts as one: running is written late, and waiting states follow each other in memory
 * alone. */
uint32_t batch_from_mask(enum task_state to, enum cause cause);

/* PostgreSQL refuses text that is not UTF-8 or holds NUL, and one such text would refuse the whole
 * batch for ever. */
struct str batch_text(struct batch *batch, struct str text);

/* Likewise for JSON: what is none becomes a JSON string. */
struct str batch_json(struct batch *batch, struct str json);

#endif
