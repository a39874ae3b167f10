// SPDX-License-Identifier: Apache-2.0
/* play - random operations for the model store and for PostgreSQL: a batch of records, drawn from
 * what the model knows to be there. The makers add records of one kind each, or none when there is
 * nothing to draw from. */
#ifndef HEADRACE_CONFORMANCE_PLAY_H
#define HEADRACE_CONFORMANCE_PLAY_H

#include "common/base/rand.h"
#include "tests/support/model_store.h"
#include "tests/support/store_world.h"

enum { RECORDS_MAX = 12, TASKS = 3, DAGS = 3, RUNS_MAX = 40 };

struct play {
    struct store_world world;
    struct model_store model;
    VEC(int64_t) inbox;
    struct rand rand;
    uint64_t seed;
    int64_t day;
    int32_t dag_last;
    uint32_t run_seq;
    uint64_t attempt_last, id_last; /* id: of files and notifications */
    int64_t backfill_last, event_last, date_last;
    struct arena arena; /* of the batch */
    struct record records[RECORDS_MAX];
    uint32_t count;
    bool is_bad;  /* the batch holds a record that must be refused */
    bool is_full; /* nothing more belongs into it */
};

uint64_t pick(struct play *play, uint64_t bound);
void play_add(struct play *play, struct record record);

/* Any that is not deleted, or NULL. */
const struct model_run *pick_run(struct play *play);
const struct model_dag *pick_dag(struct play *play);

/* Whether a record of the batch is about this run. */
bool is_touched(const struct play *play, int64_t run_no);

/* New DAGs in the place of those that were deleted, as ingest makes them: in both worlds, in no
 * batch. */
void play_dags(struct play *play);

/* runs.c */
void make_run(struct play *play);
void make_run_state(struct play *play);
void make_run_delete(struct play *play);
void make_placed(struct play *play);
void make_change(struct play *play); /* of a try */
void make_output(struct play *play);
void make_expansion(struct play *play);
void make_bad_change(struct play *play);

/* others.c */
void make_dag_state(struct play *play);
void make_dag_delete(struct play *play);
void make_worker(struct play *play);
void make_autoscale(struct play *play);
void make_answer(struct play *play);
void make_backfill(struct play *play);
void make_backfill_run(struct play *play);
void make_asset_event(struct play *play); /* and DAGs that keep it */
void make_asset_taken(struct play *play);
void make_asset_dropped(struct play *play); /* kept no longer, by no run */
void make_file(struct play *play);
void make_notification(struct play *play);
void make_notification_state(struct play *play);
void make_bad_double(struct play *play); /* what is there already */

#endif
