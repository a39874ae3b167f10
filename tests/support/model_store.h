// SPDX-License-Identifier: Apache-2.0
/* model_store - the database in memory: what records do to rows, with the same guards as the
 * statements of common/store, and what recovery reads back. Keeps a log, so that the last commits
 * can be lost. */
#ifndef HEADRACE_TESTS_MODEL_STORE_H
#define HEADRACE_TESTS_MODEL_STORE_H

#include "common/base/map.h"
#include "common/base/vec.h"
#include "scheduler/core/core.h"

struct model_try {
    struct try_row row;
    bool cleared;
};

struct model_output {
    uint32_t task;
    int32_t map_index;
    struct str json;
};

struct model_expansion {
    uint32_t task, length;
    struct str items;
};

struct model_run {
    struct run_row row;
    bool deleted;  /* with its DAG: its tries and outputs stay, where nobody finds them */
    bool has_name; /* by which it is found: of several of one name the newest */
    VEC(struct model_try) tries; /* in order of their insertion */
    VEC(struct model_output) outputs;
    VEC(struct model_expansion) expansions;
};

struct model_dag {
    int32_t dag_no;
    int64_t version_no; /* newest */
    bool began_paused;
    bool paused, has_last, deleted;
    int64_t last_fire_ms, next_fire_ms;
};

struct model_version {
    int32_t dag_no;
    int64_t version_no;
    struct str ir;
    bool wants_lengths; /* deadline_percentile */
};

struct model_request {
    int64_t request_no;
    int code;
    struct str answer;
};

struct model_backfill {
    struct backfill_row row;
    VEC(struct record) dates; /* WRITE_BACKFILL_RUN */
};

struct model_kept {
    int32_t dag_no;
    int64_t event_no;
    int64_t run_no; /* that has taken it; 0 = none yet */
};

struct model_log {
    struct record *records;
    uint32_t count;
    int64_t at_ms;
};

struct model_store {
    struct arena arena; /* owns all strings and the log */
    VEC(struct model_run) runs;
    struct map run_index;
    VEC(struct model_dag) dags;
    VEC(struct model_version) versions;
    VEC(struct record) workers;    /* WRITE_WORKER */
    VEC(struct record) loads;      /* WRITE_WORKER_LOAD */
    VEC(struct record) autoscales; /* WRITE_AUTOSCALE */
    VEC(struct model_request) requests;
    VEC(struct model_backfill) backfills;
    VEC(struct asset_event) events;
    VEC(struct model_kept) kept;
    VEC(struct record) files; /* WRITE_FILE_TAKEN */
    VEC(struct notification_row) notifications;
    VEC(struct model_log) log;
};

void model_store_init(struct model_store *store);
void model_store_clear(struct model_store *store);

/* A version of a DAG, as ingest writes it. */
void model_store_dag(struct model_store *store, int32_t dag_no, int64_t version_no,
                     const struct dag *dag, bool paused);

/* One transaction. ERR_CONFLICT names the first record whose row is not as it was believed to be;
 * then nothing holds. */
MUST_USE int model_store_apply(struct model_store *store, const struct record *records,
                               uint32_t count, int64_t at_ms, struct err *err);

/* Copies a record's strings into an arena. */
void model_store_keep(struct arena *arena, struct record *record);

/* Forgets the transactions after the first `kept` ones. */
void model_store_lose(struct model_store *store, uint32_t kept);

struct model_run *model_store_run(struct model_store *store, int64_t run_no);
struct machine_load model_store_load(const struct model_store *store,
                                     int64_t worker_no); /* all-zero: none */
struct model_dag *model_store_dag_row(struct model_store *store,
                                      int32_t dag_no); /* NULL: there is none */
const struct model_try *model_store_newest(const struct model_run *run, uint32_t task,
                                           int32_t map_index);
bool model_store_answered(const struct model_store *store, int64_t request_no, int *out_code,
                          struct str *out_answer);

/* The answer to an ERRAND_TASK: its payload, as the core writes it. */
bool model_store_succeeded(struct model_store *store, struct str payload);
bool model_store_updated(const struct model_store *store,
                         struct str payload); /* of an ERRAND_ASSET */

/* NULL: there is none. */
struct notification_row *model_store_notification(struct model_store *store, struct id128 id);

/* Everything between CORE_LED and CORE_RECOVERED: workers, DAG versions, live runs. `feed` steps
 * the core with each event. */
void model_store_recover(struct model_store *store, void *owner,
                         void (*feed)(void *owner, struct core_event *event));

/* One run, ended or not, as a request's shell reads it. False: there is none. */
bool model_store_recover_run(struct model_store *store, int32_t dag_no, struct str run_id,
                             void *owner, void (*feed)(void *owner, struct core_event *event));

/* Answers a question of the core with CORE_FOUND, as of now. */
void model_store_find(struct model_store *store, const struct core_find *find, bool failed,
                      void *owner, void (*feed)(void *owner, struct core_event *event));

int64_t model_store_run_no_next(const struct model_store *store);
bool model_store_file_known(const struct model_store *store, int32_t dag_no, struct id128 content);
int64_t model_store_event_no_next(const struct model_store *store);

#endif
